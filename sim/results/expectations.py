"""The expected answers of a scenario (`expect:`) beside those that came out.

An expectation is a range for the estimate of a measure: how far a change of the simulator, or of the file, may move an answer. It is
no statistical statement; a requirement on a policy is a budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sim.results.wording import amount

__all__ = ["Answered", "Expected", "Place", "answered", "told"]


class Expected(Protocol):
    """This measure of this policy under this release lies within [low, high]; empty names: of all."""

    @property
    def measure(self) -> str: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def policy(self) -> str: ...
    @property
    def release(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A cell of a result: `estimate` gives the estimate of a measure there, `unit` its unit. Deliveries have no release."""

    policy: str
    release: str
    estimate: Callable[[str], float]
    unit: Callable[[str], str]

    def fits(self, one: Expected) -> bool:
        return one.policy in ("", self.policy) and (not self.release or one.release in ("", self.release))


@dataclass(frozen=True, slots=True)
class Answered:
    """What was expected of one cell, and what was seen."""

    policy: str
    release: str
    measure: str
    low: float
    high: float
    seen: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.low <= self.seen <= self.high

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "policy": self.policy, "release": self.release, "measure": self.measure,
            "between": [self.low, self.high], "seen": self.seen, "holds": self.holds,
        }  # fmt: skip

    def __str__(self) -> str:
        where = "/".join(name for name in (self.policy, self.release) if name)
        low, high, seen = (amount(value, self.unit) for value in (self.low, self.high, self.seen))
        return f"{where} {self.measure}: {seen}, expected {low} to {high}"


def answered(places: Sequence[Place], expectations: Iterable[Expected]) -> tuple[Answered, ...]:
    """Every expectation for every cell that it speaks of, in the order of the expectations."""
    return tuple(
        Answered(
            place.policy, place.release, one.measure, one.low, one.high, place.estimate(one.measure), place.unit(one.measure)
        )
        for one in expectations
        for place in places
        if place.fits(one)
    )  # fmt: skip


def told(found: Sequence[Answered]) -> list[str]:
    """A line that counts, and one for each answer that is another than expected; nothing where nothing was expected."""
    if not found:
        return []
    off = [one for one in found if not one.holds]
    count = f"{len(found) - len(off)} of {len(found)}"
    return [f"expected answers of the file: {count} hold", *(f"  {one}" for one in off)]
