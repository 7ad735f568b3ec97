"""Delays between what is done and what is seen of it: a weight that arrives, scrapes, measurements."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from real.calibrate.evidence import Change, Look
from sim.results.interval import Interval
from sim.results.means import student_interval

__all__ = ["lag", "phases", "propagation", "query", "scrape", "spacing"]

_LONGEST = 15.0  # seconds that a weight may take
_GRID = 0.01
_HALF = 1.920729  # half of the 95% point of chi-square with one degree of freedom
_NEVER = 1e-4  # share of answers that a version without weight may give: requests on their way, clocks
INTERVALS = (60.0, 30.0, 20.0, 15.0, 10.0, 5.0, 2.0, 1.0, 0.5)  # seconds between scrapes that people configure
_SAME = 0.005  # seconds: Prometheus keeps its moments within 2 ms; phases of different pods are seldom as close
_REPEATS = 7  # a multiple of the interval is taken for it with a chance of at most 2^-7


def propagation(changes: Sequence[Change]) -> Interval | None:
    """Seconds from a command until requests go where it says: one delay for all changes, by maximum likelihood.

    In a window of the load, answers of the new version are binomial; its share is that before the change, or after it, or in between in
    the window that holds it. Interval: the delays within 1.92 of the best log-likelihood (Wilks, 1938; 95%). Without requests that were
    counted: when the router said so, at the latest.
    """
    counted = [change for change in changes if any(total for *_, total in change.answers)]
    if counted:
        return _likeliest(counted)
    said = [change.said - change.at for change in changes if change.said is not None]
    if not said:
        return None
    longest = max(said)
    return Interval(0.0, longest, sum(said) / len(said), 0.95, len(said), "as read back from the router")


def _likeliest(changes: Sequence[Change]) -> Interval | None:
    delays = np.arange(0.0, _LONGEST, _GRID)
    total = np.zeros(len(delays))
    for change in changes:
        for start, end, new, answers in change.answers:
            after = np.clip((end - change.at - delays) / (end - start), 0.0, 1.0)
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


def scrape(moments: Sequence[float]) -> float | None:
    """The interval between scrapes, of those that people configure: the longest at which the moments fall into as few phases as at any.

    Every moment that repeats a phase would show a multiple of the interval with a chance of one half. None: too few of them.
    """
    known = sorted(set(moments))
    fewest: int | None = None
    best: float | None = None
    for interval in reversed(INTERVALS):
        count = len(phases(known, interval)) if known else 0
        if len(known) - count < _REPEATS:
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


def query(looks: Sequence[Look]) -> Interval | None:
    """Seconds that a measurement takes."""
    took = [look.answered - look.asked for look in looks]
    if not took:
        return None
    if len(took) < 2 or all(a == b for a, b in pairwise(took)):
        return Interval(min(took), max(took), sum(took) / len(took), 0.95, len(took), "mean")
    found = student_interval(took)
    return Interval(max(0.0, found.low), found.high, found.estimate, 0.95, len(took), "student")
