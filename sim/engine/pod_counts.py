"""The counts of single pods of one version: those of the version, dealt to the pods that were there.

Requests go to available pods evenly (kube-proxy, and every router by default), so given a version's count each of its requests was
equally likely to reach any pod of its moment: the pods' counts are multinomial, exactly, and add up to the version's. A window in which
plans or pods change is weighed piece by piece. Every pod has words of its own: another pod more or less changes no pod's word.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray

from sim.engine.history import History
from sim.engine.ledger import LOST, Ledger
from sim.engine.streams import Stream
from sim.engine.thinning import thin, words
from sim.service.fleet import Life

__all__ = ["PodCounts"]

Counts = NDArray[np.int64]


class PodCounts:
    """Counts of the pods of one version on a path. `columns`: those of the ledger's cells that are the version's."""

    def __init__(self, ledger: Ledger, columns: slice, rows: slice | NDArray[np.intp], history: History | None) -> None:
        self._ledger, self._columns, self._rows, self._history = ledger, columns, rows, history
        self._streams: dict[str, Stream] = {}
        self._known: dict[int, dict[int, Counts]] = {}  # at scrapes from 0 on: by the number of a pod
        self._last = -1  # the last scrape that is known
        self._before: dict[int, dict[int, Counts]] = {}  # at scrapes before 0
        self._width = columns.stop - columns.start

    def at(self, lives: Sequence[Life], pod: Life, scrape: int) -> Counts:
        """int64[R, cells + 2]: what a pod counted up to a scrape; only the version's columns are not 0."""
        counts = np.zeros((len(self._ledger.rows), self._ledger.draws.width + LOST), np.int64)
        if scrape < 0:
            own = self._past(lives, scrape).get(pod.number)
        else:
            while self._last < scrape:
                self._next(lives)
            own = self._known[scrape].get(pod.number)
        if own is not None:
            counts[:, self._columns] = own
        return counts

    def forget(self, before: int) -> None:
        """Nobody asks for scrapes before this one any more."""
        self._known = {scrape: known for scrape, known in self._known.items() if scrape >= min(before, self._last)}

    # ---- windows ----

    def _next(self, lives: Sequence[Life]) -> None:
        """Deal the requests of the next window."""
        ledger, window = self._ledger, self._last
        self._last += 1
        if window < 0:
            self._known[0] = self._start(lives)
            return
        start, end = max(0.0, ledger.time(window)), ledger.time(window + 1)
        pods = [pod for pod in lives if pod.ready < end and pod.gone > start]
        drawn = (ledger.cumulative[window + 1] - ledger.cumulative[window])[:, self._columns]
        dealt = self._deal(drawn, self._shares(pods, start, end), pods, "pod", window)
        known = self._known[window]
        self._known[window + 1] = known | {n: known[n] + part if n in known else part for n, part in dealt.items()}

    def _shares(self, pods: Sequence[Life], start: float, end: float) -> NDArray[np.float64]:
        """float64[pods, cells]: the expected requests of each pod between two moments."""
        moments = {start, end, *(at for pod in pods for at in (pod.ready, pod.gone))}
        moments |= {change.at for change in self._ledger.changes}
        shares = np.zeros((len(pods), self._width))
        for low, high in pairwise(sorted(at for at in moments if start <= at <= end)):
            here = [index for index, pod in enumerate(pods) if pod.at(low)]
            if here:
                shares[here] += self._ledger.expected(low, high)[self._columns] / len(here)
        return shares

    def _deal(
        self, counts: Counts, shares: NDArray[np.float64], pods: Sequence[Life], purpose: str, block: int
    ) -> dict[int, Counts]:
        """By the number of a pod: its part of the counts int64[R, cells]."""
        left, dealt = counts.copy(), {}
        rest = np.cumsum(shares[::-1], axis=0)[::-1]
        for pod, share, after in zip(pods, shares, rest, strict=True):
            chances = np.divide(share, after, out=np.zeros_like(share), where=after > 0)
            if pod is pods[-1]:
                chances = np.where(after > 0, 1.0, chances)
            dealt[pod.number] = part = thin(self._words(purpose, pod, block), left, chances)
            left -= part
        return dealt

    def _words(self, purpose: str, pod: Life, block: int) -> NDArray[np.uint64]:
        name = f"{purpose} {pod.revision} {pod.number}"
        draws = self._ledger.draws
        if name not in self._streams:
            self._streams[name] = Stream(draws.seed, name, self._width)
        return words(self._streams[name], draws.first, draws.count, self._rows, block, self._width)

    # ---- before the start ----

    def _start(self, lives: Sequence[Life]) -> dict[int, Counts]:
        """What was counted before the rollout, at scrape 0 (with what came between it and the start)."""
        if self._history is None:
            return {}
        pods = [pod for pod in lives if pod.ready == -inf]
        past = self._past(lives, 0)
        rest = self._history.start - self._history.at(0)
        dealt = self._deal(rest, self._even(pods), pods, "pod start", 0)
        return {number: counts + dealt[number] for number, counts in past.items()}

    def _past(self, lives: Sequence[Life], scrape: int) -> dict[int, Counts]:
        """At a scrape up to 0, dealt evenly to the pods that were there from the start."""
        history = self._history
        pods = [pod for pod in lives if pod.ready == -inf]
        if history is None or not pods:
            return {}
        if not self._before:
            oldest = history.oldest
            known = self._deal(history.at(oldest), self._even(pods), pods, "pod before", 0)
            self._before[oldest] = known
            for k in range(oldest, 0):
                part = self._deal(history.at(k + 1) - history.at(k), self._even(pods), pods, "pod history", -k)
                known = {number: counts + part[number] for number, counts in known.items()}
                self._before[k + 1] = known
        return self._before[max(scrape, history.oldest)]

    def _even(self, pods: Sequence[Life]) -> NDArray[np.float64]:
        return np.ones((len(pods), self._width))
