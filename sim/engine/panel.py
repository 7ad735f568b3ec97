"""Judging many replications at once: a policy whose verdicts are told to it, and the panel that tells them.

`told` gives the same policy with every verdict function replaced. It asks and schedules exactly as before; each measurement is judged
for all replications of the path, the policy hears the verdict of the majority, and the others leave the path. Decisions stay those
of the real `Rollout`: only judging is done for many at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import repeat
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.engine.array_judges import ARRAY_LOOKS, ArrayLook
from sim.policy.analysis import Assess, Assessment, Judged, Metric, Rule, Verdict
from sim.policy.chance import Key, derive
from sim.policy.events import Answer, Value
from sim.policy.judges.base import AtEnd, Truth
from sim.service.monitoring import Looks, Windows

__all__ = ["WORDS", "Panel", "rollout_seed", "told"]

WORDS: tuple[Verdict, ...] = ("Successful", "Failed", "Inconclusive", "Error", "Undecided")
_CODE = {word: code for code, word in enumerate(WORDS)}

Codes = NDArray[np.int8]
P = TypeVar("P")


class Panel:
    """Which replications still follow the path, and who left it at which measurement."""

    def __init__(self, seed: int, replications: Sequence[int]) -> None:
        self._seed, self._replications = seed, replications
        self.size = len(replications)
        self.following = np.ones(self.size, bool)
        self.left: list[NDArray[np.intp]] = []

    @property
    def here(self) -> NDArray[np.intp]:
        """Positions that still follow."""
        return np.flatnonzero(self.following)

    def seeds(self) -> list[int]:
        """The seed of each replication's rollout, for judges that need chance."""
        return [rollout_seed(self._seed, replication) for replication in self._replications]

    def vote(self, codes: Codes) -> Verdict:
        """The verdict of most replications on the path (ties: the first word); the others leave in groups of one verdict."""
        counts = np.bincount(codes[self.following], minlength=len(WORDS))
        winner = int(counts.argmax())
        for code in np.flatnonzero(counts):
            if code != winner:
                gone = self.following & (codes == code)
                self.left.append(np.flatnonzero(gone))
                self.following &= ~gone
        return WORDS[winner]


@dataclass(frozen=True, slots=True)
class _Told:
    """Stands in for a verdict function: hears views of all replications instead of one replication's answers."""

    metric: Metric
    panel: Panel

    @property
    def sequential(self) -> bool:
        return self.metric.verdict.sequential

    @property
    def at_end(self) -> AtEnd:
        return self.metric.verdict.at_end

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> Assess:
        rule = self.metric.verdict
        if isinstance(rule, Judged) and type(rule.judge) in ARRAY_LOOKS:
            array = ARRAY_LOOKS[type(rule.judge)](rule.judge, self.panel.size)
            return _TogetherRun(self, array)
        return _OneByOneRun(self, [rule.start(own, key, truth) for own in self.panel.seeds()])


@dataclass(slots=True)
class _TogetherRun:
    """Judged by one array computation; whatever is no view is the same for everybody and judged once."""

    rule: _Told
    array: ArrayLook

    def assess(self, at: float, answer: Answer) -> Assessment:
        if isinstance(answer, Value) and isinstance(answer.value, Windows):
            return Assessment(None, self.rule.panel.vote(self.array.look(answer.value.view)))
        judged = self.rule.metric.verdict
        assert isinstance(judged, Judged)
        return judged.start(0, (), None).assess(at, answer)


@dataclass(slots=True)
class _OneByOneRun:
    """Judged by the scalar judge of each replication."""

    rule: _Told
    runs: list[Assess]

    def assess(self, at: float, answer: Answer) -> Assessment:
        panel = self.rule.panel
        codes = np.zeros(len(self.runs), np.int8)
        looks = answer.value if isinstance(answer, Value) and isinstance(answer.value, Looks) else None
        answers = repeat(answer) if looks is None else looks.each(panel.here)
        for row, own in zip(panel.here.tolist(), answers, strict=False):
            codes[row] = _CODE[self.runs[row].assess(at, own).verdict]
        return Assessment(None, panel.vote(codes))


def told(policy: P, panel: Panel) -> P:
    """`policy` with every metric's verdict told by the panel."""

    def change(metric: Metric) -> Metric:
        rule: Rule = _Told(metric, panel)
        return replace(metric, verdict=rule)

    changed: P = _rewrite(policy, change)
    return changed


def rollout_seed(seed: int, replication: int) -> int:
    """The seed of one replication's rollout."""
    return derive(seed, "rollout", replication)


def _rewrite(value: Any, change: Callable[[Metric], Metric]) -> Any:
    if isinstance(value, Metric):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_rewrite(item, change) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        new = {name: _rewrite(item, change) for name, item in old.items()}
        changed = {name: item for name, item in new.items() if item is not old[name]}
        return replace(value, **changed) if changed else value
    return value
