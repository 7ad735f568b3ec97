"""Named conditions of a release, for the demo, the gallery and quick questions: the faults that a new version brings
along.

Each is written as a scenario would write it, so that it can be shown, copied and changed.
"""

from __future__ import annotations

from typing import Any

from sim.faults.fault import Fault
from sim.faults.reading import parse
from sim.files.words import choose
from sim.policy.errors import WorldError

Written = dict[str, Any]


def _errors(p: str) -> tuple[Written, ...]:
    return ({"id": "bad-build", "kind": "build.error_rate", "params": {"p": p}},)


_OUTAGE: Written = {"id": "metrics-outage", "kind": "telemetry.gap", "at_s": "1m", "duration_s": "10m"}

RELEASES: dict[str, tuple[Written, ...]] = {
    "good": (),
    "errors-small": _errors("0.5%"),
    "errors-medium": _errors("2%"),
    "errors-large": _errors("20%"),
    # Three times as slow, and one request in a hundred a second on top: the median and the tail both move.
    "slow": ({"id": "slow-build", "kind": "build.latency", "params": {"factor": 3, "tail_p": "1%", "tail_s": "1s"}},),
    # Nothing for 2 minutes, then from 0 to 10% in 30 minutes, and 10% from there on.
    "leak": (
        {
            "id": "leaking-build",
            "kind": "build.memory_leak",
            "params": {"growth_per_s": 0.1 / 1800, "max_p": "10%", "after_s": "2m"},
        },
    ),
}

CONDITIONS: tuple[str, ...] = (*RELEASES, "metrics-outage")


def condition(name: str, release: str = "errors-medium") -> tuple[Fault, ...]:
    """The faults of a named condition. `release` is what is rolled out during "metrics-outage"; a bad one by default.

    Raises WorldError for an unknown name.
    """
    return tuple(parse(one) for one in written(name, release))


def written(name: str, release: str = "errors-medium") -> tuple[Written, ...]:
    """The same as a scenario's `faults:` would hold it."""
    if name == "metrics-outage":
        return (_OUTAGE, *_release(release, tuple(RELEASES)))
    return _release(name, CONDITIONS)


def _release(name: str, names: tuple[str, ...]) -> tuple[Written, ...]:
    if name not in RELEASES:
        raise WorldError(f"unknown condition {name!r}; {choose(name, names)}")
    return RELEASES[name]
