"""What a machine says: commands and notes in order, its phase when it changes, and the end once everything else is said."""

from __future__ import annotations

from collections.abc import Callable

from sim.policy.commands import Command, Finish
from sim.policy.errors import PolicyError
from sim.policy.notes import Note, PhaseIs

__all__ = ["Voice", "aborted_update", "failed_run", "late", "timed_out", "undone"]

_RUNS = {
    "step": "Step-based", "background": "Background", "pre": "Blue/green pre-promotion", "post": "Blue/green post-promotion",
}  # fmt: skip

_PASSES = 1000  # far above what a rollout of any sane program needs in one instant


class Voice:
    """Passes on what is said and counts it: a pass that said nothing and marked nothing has changed nothing."""

    __slots__ = ("_emit", "_ending", "_phase", "changes", "finished")

    def __init__(self, emit: Callable[[Command | Note], None]) -> None:
        self._emit = emit
        self._phase: tuple[str, str, bool] = ("", "", False)
        self._ending: Finish | None = None
        self.changes = 0
        self.finished = False

    def say(self, item: Command | Note) -> None:
        self.changes += 1
        self._emit(item)

    def mark(self) -> None:
        """Something changed that nobody is told of."""
        self.changes += 1

    def enter(self, phase: tuple[str, str], waits: bool = False) -> None:
        """The phase and its reason, and whether a person must act, if that is news."""
        if (*phase, waits) != self._phase:
            self._phase = (*phase, waits)
            self.say(PhaseIs(*phase, waits))

    def end(self, finish: Finish) -> None:
        """The rollout has an outcome; it is told last, when the traffic is where it belongs."""
        self.finished, self._ending = True, finish
        self.changes += 1

    def reopen(self) -> None:
        """The rollout starts over: an outcome is open again."""
        self.finished, self._ending = False, None

    def settle(self, at: float, step: Callable[[float], None]) -> None:
        """Let passes run until one changes nothing, then tell the end. Raises PolicyError when they never settle."""
        for _ in range(_PASSES):
            before = self.changes
            step(at)
            if self.changes == before:
                break
        else:
            raise PolicyError(f"the rollout does not settle at {at:g} s; last phase {self._phase[:2]}")
        self.close()

    def close(self) -> None:
        """Tell the end, if there is one to tell."""
        if self._ending is not None:
            ending, self._ending = self._ending, None
            self.say(ending)


def aborted_update(revision: int, cause: str) -> str:
    """Argo's message of an abort; a run that caused it adds its own (delivery-systems.md section 2.19)."""
    message = f"RolloutAborted: Rollout aborted update to revision {revision}"
    return f"{message}: {cause}" if cause else message


def failed_run(kind: str, message: str) -> str:
    """Argo's words for an analysis run or an experiment that ends a rollout, with its own (rollout/analysis.go, experiment.go)."""
    words = (
        "Experiment analysis phase is error/failed"
        if kind == "experiment"
        else f"{_RUNS[kind]} analysis phase error/failed"
    )
    return f"{words}: {message}" if message else words


def late(revision: int) -> str:
    """Argo's message of a passed deadline; it names the ReplicaSet, which we know by its revision."""
    return f'ReplicaSet "revision {revision}" has timed out progressing.'


def timed_out(revision: int) -> str:
    """Argo's phase message of a passed progress deadline."""
    return f"ProgressDeadlineExceeded: {late(revision)}"


def undone(revision: int) -> Finish:
    """The end of an update that somebody took back."""
    return Finish("aborted", f"back to the stable revision {revision}")
