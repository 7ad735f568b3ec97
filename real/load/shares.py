"""What the weights said, and what users saw: per stretch of a run with one effective share, the share of the new version's answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.results.recorded import Tally

__all__ = ["Stretch", "stretches"]

_SETTLE = 1.0  # seconds after a change of traffic that are not counted: requests under way, windows of a second


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` to `end`, in seconds since the rollout began: the share that was in effect, and the one that was measured."""

    start: float
    end: float
    effective: float
    measured: float
    answers: int


def stretches(acts: Sequence[Mapping[str, Any]], load: Sequence[Tally]) -> Iterator[Stretch]:
    """Stretches in which something was answered. One ends with the next effect, whose consequence is only seen at the next look."""
    revision = next((act["opened"]["revision"] for act in acts if "opened" in act), 0)
    moments = sorted(act["at"] for act in acts if "share" in act or "put" in act or "ended" in act)
    for act in acts:
        if "share" in act:
            end = min((at for at in moments if at > act["at"]), default=act["at"])
            inside = [one for one in load if act["at"] + _SETTLE <= one.start and one.end <= end and one.revision]
            answers = sum(one.sent for one in inside)
            if answers:
                new = sum(one.sent for one in inside if one.revision == revision)
                yield Stretch(act["at"], end, float(act["share"]), new / answers, answers)
