"""The releases of a scenario: named conditions and written faults -> effects, and whether the release is bad.

A fault that repeats with jitter needs chance. It is drawn once for the whole scenario, from the fault's own stream under the scenario's
seed: all policies and all replications meet the fault at the same times, and adding a fault moves no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.faults.effects import Effect
from sim.faults.fault import Fault
from sim.faults.flaws import Flaw, Mode
from sim.faults.presets import CONDITIONS, condition
from sim.faults.reading import read
from sim.faults.simulate import effects
from sim.files import Document, Problem
from sim.files.words import Path
from sim.policy.chance import uniform
from sim.policy.errors import WorldError
from sim.policy.judges.base import Truth
from sim.scenario.values import Release
from sim.service.model import Service

__all__ = ["DEFAULT", "WrittenFaults", "named", "release"]

DEFAULT: tuple[str, ...] = CONDITIONS
"""The releases of a comparison that names none."""


class WrittenFaults:
    """All faults of a scenario's document, read whether or not the rest of it is right. `problems` in reading order.

    `mode`: what the scenario is read for, simulation or a real run; each can do what the other cannot.
    """

    def __init__(self, document: Document, mode: Mode = "sim") -> None:
        self._document, self.mode = document, mode
        self.problems: list[Problem] = []
        value = document.value if isinstance(document.value, Mapping) else {}
        self._irreversible = value.get("allow_irreversible") is True
        self.everywhere = self._read(value.get("faults"), ("faults",))
        releases = value.get("releases")
        self.of: dict[str, tuple[Fault, ...]] = {
            name: self._read(one.get("faults"), ("releases", name, "faults"))
            for name, one in (releases.items() if isinstance(releases, Mapping) else ())
            if isinstance(one, Mapping)
        }

    def _read(self, raw: Any, at: Path) -> tuple[Fault, ...]:
        if not isinstance(raw, list):  # the file model tells
            return ()
        faults, flaws = read(raw, self.mode, irreversible=self._irreversible)
        self.problems += [self._problem(at, flaw) for flaw in flaws]
        return faults

    def _problem(self, at: Path, flaw: Flaw) -> Problem:
        return self._document.problem(
            (*at, *flaw.path), flaw.problem, flaw.remedy, key=flaw.problem.startswith("unknown")
        )


def release(
    name: str, preset: tuple[Fault, ...], own: tuple[Fault, ...], around: tuple[Fault, ...], service: Service, seed: int,
    *, bad: bool | None = None, description: str = "", mode: Mode = "sim",
) -> Release:  # fmt: skip
    """A release under this service. `bad` None: it is bad if a fault belongs to the new version. Raises WorldError.

    For a real run it has no simulated effects: a fault may be one that only a cluster can do.
    """
    faults = (*preset, *own, *around)
    seen: set[str] = set()
    for fault in faults:
        if fault.id in seen:
            raise WorldError(f"two faults with the id {fault.id}; give each fault its own id")
        seen.add(fault.id)
    found: list[Effect] = []
    for fault in faults if mode == "sim" else ():
        found += effects(fault, service.horizon, drawn(seed, fault), pod_rate=pod_rate(service))
    truth = Truth(any(fault.about.bound for fault in faults) if bad is None else bad)
    return Release(name, tuple(found), truth, description or _story(faults), faults)


def named(name: str, service: Service, seed: int) -> Release:
    """One of the named conditions."""
    return release(name, condition(name), (), (), service, seed)


def drawn(seed: int, fault: Fault) -> Callable[[int], float]:
    """The draws of a fault's stream."""
    return lambda index: uniform(seed, fault.seed_stream, index)


def pod_rate(service: Service) -> float:
    """Requests/s of one pod over the first day: what a leak in bytes per request grows by."""
    return service.traffic.levels((0.0, min(service.horizon, 86_400.0)))[0] / service.pods.count


def _story(faults: Sequence[Fault]) -> str:
    """What goes wrong, in the catalogue's words."""
    return "; ".join(_told(fault) for fault in faults) or "nothing goes wrong"


def _told(fault: Fault) -> str:
    told = [
        (name, value) for name, value in fault.params.items() if name != "status" and isinstance(value, int | float)
    ]
    numbers = [f"{name} {value:g}" for name, value in told if value]
    when = f" at {fault.at_s:g} s" if fault.at_s else ""
    lasts = f" for {fault.duration_s:g} s" if fault.duration_s is not None else ""
    return f"{fault.kind} ({', '.join(numbers)}){when}{lasts}" if numbers else f"{fault.kind}{when}{lasts}"
