"""The analysis runs of one rollout under way, at most one of each kind (step, background, pre, post)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Literal

from sim.policy.analysis import Analysis
from sim.policy.commands import Command
from sim.policy.events import Answer
from sim.policy.judges.base import Truth
from sim.policy.notes import Note
from sim.policy.runs import AnalysisRun

__all__ = ["Desk", "Effect"]

Effect = Literal["", "pause", "abort"]
"""What the end of a run does to its rollout."""


class Desk:
    """Begins runs, hands them their answers and tells what becomes of the rollout (delivery-systems.md section 2.7)."""

    __slots__ = ("_emit", "_ids", "_open", "_runs", "changed", "seed", "truth")

    def __init__(self, emit: Callable[[Command | Note], None]) -> None:
        self._emit = emit
        self._ids = count(1)
        self._runs: dict[str, AnalysisRun] = {}
        self._open: list[AnalysisRun] = []
        self.seed = 0
        self.truth: Truth | None = None
        self.changed = False  # a run ended since the machine last looked

    def begin(self, at: float, analysis: Analysis, kind: str, index: int = 0) -> None:
        """Start a run in place of the last one of its kind."""
        run = AnalysisRun(analysis, kind, index, self.seed, self.truth, self._emit, self._ids.__next__)
        self._runs[kind] = run
        self._open.append(run)
        run.start(at)

    def phase(self, kind: str) -> str:
        """The phase of the run of this kind, empty if there is none."""
        run = self._runs.get(kind)
        return "" if run is None else run.phase

    def message(self, kind: str) -> str:
        return self._runs[kind].message

    def effect(self, kind: str, on_inconclusive: str) -> Effect:
        """What the run of this kind does to the rollout by now: the unknown pauses, it never promotes."""
        phase = self.phase(kind)
        if phase in ("Failed", "Error"):
            return "abort"
        if phase == "Inconclusive":
            return "abort" if on_inconclusive == "abort" else "pause"
        return ""

    def answer(self, at: float, id: int, answer: Answer) -> None:
        for run in self._open:
            if run.answer(at, id, answer):
                self._tidy()
                return

    def poll(self, at: float) -> None:
        """Start every measurement that is due."""
        for run in self._open:
            run.poll(at)

    def end(self, kind: str) -> None:
        """End the run of this kind from outside, if it is under way."""
        run = self._runs.get(kind)
        if run is not None and not run.ended:
            run.terminate()
            self._tidy()

    def clear(self) -> None:
        """End every run."""
        for run in self._open:
            run.terminate()
        self._tidy()

    def forget(self, kind: str) -> None:
        """End the run of this kind and make room for another."""
        self.end(kind)
        self._runs.pop(kind, None)

    @property
    def wakes_at(self) -> float | None:
        """When the next measurement is due; those in flight wake by their answers."""
        return min((due for run in self._open if (due := run.wakes_at) is not None), default=None)

    def _tidy(self) -> None:
        under_way = [run for run in self._open if not run.ended]
        if len(under_way) < len(self._open):
            self._open, self.changed = under_way, True
