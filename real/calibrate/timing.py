"""Delays between what is done and what is seen of it: a weight that arrives, scrapes, measurements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from real.calibrate.evidence import Change, Look
from sim.results.interval import Interval

__all__ = ["lag", "phases", "propagation", "queries", "rest", "scrape", "spacing"]

_EARLIEST, _LONGEST = -0.5, 15.0  # seconds after it is said to be so
_GRID = 0.01
_HALF = 1.920729  # half of the 95% point of chi-square with one degree of freedom
_NEVER = 1e-4  # share of answers that a version without weight may give: requests on their way, clocks
INTERVALS = (60.0, 30.0, 20.0, 15.0, 10.0, 5.0, 2.0, 1.0, 0.5)  # seconds between scrapes that people configure
_SAME = 0.005  # seconds: Prometheus keeps its moments within 2 ms; phases of different pods are seldom as close
_REPEATS = 7  # a multiple of the interval is taken for it with a chance of at most 2^-7


def propagation(changes: Sequence[Change]) -> list[float]:
    """Seconds of each change from its command until requests went there: until it was said to be so, and what its way takes after that."""
    ways = {change.way: [other for other in changes if other.way == change.way] for change in changes}
    rests = {way: rest(alike) for way, alike in ways.items()}
    later = {way: 0.0 if found is None else found.estimate for way, found in rests.items()}
    return [max(0.0, change.said - change.at + later[change.way]) for change in changes]


def rest(changes: Sequence[Change]) -> Interval | None:
    """Seconds from when a change is said to be so until requests follow it: one number for all changes of a way, by maximum likelihood.

    In a window of the load, answers of the new version are binomial; its share is that before the change, or after it, or in between in
    the window that holds it. Interval: the numbers within 1.92 of the best log-likelihood (Wilks, 1938; 95%). It may be a little below 0,
    where the last word of an effect comes after it. None: no requests were counted.
    """
    if not any(total for change in changes for *_, total in change.answers):
        return None
    delays = np.arange(_EARLIEST, _LONGEST, _GRID)
    total = np.zeros(len(delays))
    for change in changes:
        for start, end, new, answers in change.answers:
            after = np.clip((end - change.said - delays) / (end - start), 0.0, 1.0)
            share = np.clip(change.before + (change.after - change.before) * after, _NEVER, 1 - _NEVER)
            total += new * np.log(share) + (answers - new) * np.log1p(-share)
    within = delays[total >= total.max() - _HALF]
    best = float(delays[int(total.argmax())])
    return Interval(float(within[0]), float(within[-1]), best, 0.95, len(changes), "likelihood of answers")


def phases(moments: Sequence[float], interval: float) -> list[float]:
    """The moments of the interval at which scrapes came, each a cluster of residues; in [0, interval)."""
    rest = sorted(moment % interval for moment in moments)
    clusters = [[rest[0]]]
    for one in rest[1:]:
        if one - clusters[-1][-1] <= _SAME:
            clusters[-1].append(one)
        else:
            clusters.append([one])
    if len(clusters) > 1 and clusters[0][0] + interval - clusters[-1][-1] <= _SAME:
        clusters[0] += [one - interval for one in clusters.pop()]
    return [sum(cluster) / len(cluster) % interval for cluster in clusters]


def scrape(runs: Sequence[Sequence[float]]) -> float | None:
    """The interval between scrapes, of those that people configure: the longest at which the moments of every run fall into as few phases
    as at any.

    Every moment that repeats a phase would show a multiple of the interval with a chance of one half. None: too few of them.
    """
    known = [sorted(set(moments)) for moments in runs if moments]
    fewest: int | None = None
    best: float | None = None
    for interval in reversed(INTERVALS):
        count = sum(len(phases(moments, interval)) for moments in known)
        if sum(map(len, known)) - count < _REPEATS:
            continue
        if fewest is None or count <= fewest:
            fewest, best = count, interval
    return best


def spacing(intervals: Sequence[float]) -> float | None:
    """The interval from differences between scrapes of the same series: the nearest of those that people configure, else the median."""
    if not intervals:
        return None
    middle = sorted(intervals)[len(intervals) // 2]
    near = min(INTERVALS, key=lambda one: abs(one - middle))
    return near if abs(near - middle) <= 0.05 * near else round(middle, 3)


def lag(looks: Sequence[Look], interval: float) -> Interval | None:
    """Seconds after which a scrape can be seen. The newest scrape in a look is `lag` to `lag + interval` old: so the lag is at most the
    smallest age, and at least that less an interval. If looks fall anywhere in an interval, the smallest of n ages is above x without any
    lag with the chance (1 - x / interval)^n: where that is no rarer than 1%, there is none; else it is interval / (n + 1) less, on average.
    """
    ages = [max(0.0, look.asked - look.newest) for look in looks]
    if not ages:
        return None
    least, n = min(ages), len(ages)
    none = least < interval and (1 - least / interval) ** n >= 0.01
    lag = 0.0 if none else max(0.0, least - interval / (n + 1))
    return Interval(max(0.0, least - interval), least, lag, 1 - 1e-9, n, "youngest scrape")


def queries(looks: Sequence[Look]) -> list[float]:
    """Seconds of each measurement from when it was due until it was answered."""
    return [look.answered - look.asked + look.late for look in looks]
