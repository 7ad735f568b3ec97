"""Pods as a monitoring system sees them: names and addresses."""

from __future__ import annotations

from sim.service.telemetry.emitted import Exposition
from sim.service.telemetry.names import Version, pod_name

__all__ = ["REVISIONS", "filled", "names_of"]

REVISIONS: dict[Version, int] = {"stable": 1, "canary": 2}

_TRIED = 64  # pods whose names stand for all when a query is looked at


def filled(text: str, version: Version, number: int, exposition: Exposition) -> str:
    """The value of a label with the words of one pod in it."""
    words = exposition.identity.words(version)
    address = f"10.{REVISIONS[version]}.{number // 256}.{number % 256}:8080"
    return text.replace("{pod}", pod_name(words, number)).replace("{instance}", address)


def names_of(text: str, version: Version, exposition: Exposition) -> tuple[str, ...]:
    """The values that a label takes over the first pods of a version."""
    known = exposition.pod_values
    if (text, version) not in known:
        known[text, version] = tuple(filled(text, version, number, exposition) for number in range(_TRIED))
    return known[text, version]
