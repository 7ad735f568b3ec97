"""What the `telemetry:` part of a service says: which dialects its exporters speak, and what only its owner can know about labels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sim.policy.errors import WorldError
from sim.service.telemetry.dialects import DIALECTS, WORDS

__all__ = ["Own", "Telemetry"]

_MOST_PHASES = 60
_WORD = re.compile(r"\{([^{}]*)\}")

Own = tuple[str, tuple[tuple[str, str], ...]]
"""A metric of the service's own: its name, and labels in addition to those of the scrape."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """`dialects` empty: every one whose names do not clash, and that of the router. Words in braces may stand in values of labels.

    `initialized`: every series of a version exists from its pods' start, at 0; otherwise from its first request, as client libraries do
    it unless they are told. `pods` auto: pods are told apart for the queries that need it; apart: for all, which is slower. `phases`: at
    how many different moments of a scrape interval pods are scraped; with more than one, pods are always told apart.
    """

    dialects: tuple[str, ...] = ()
    name: str = ""
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    counters: tuple[Own, ...] = ()
    histograms: tuple[Own, ...] = ()
    initialized: bool = False
    pods: Literal["auto", "apart"] = "auto"
    phases: int = 1
    profile: Literal["prometheus@3", "prometheus@2.42"] = "prometheus@3"

    def __post_init__(self) -> None:
        if not 1 <= self.phases <= _MOST_PHASES:
            raise WorldError(f"pods are scraped at 1 to {_MOST_PHASES} moments of an interval, got {self.phases}")
        own = [pair for _, labels in (*self.counters, *self.histograms) for pair in labels]
        for label, text in (*self.labels, *own):
            for word in _WORD.findall(text):
                if word not in WORDS:
                    raise WorldError(f"label {label} says {{{word}}}, which is no word; use one of {', '.join(WORDS)}")
        for name in self.dialects:
            if name not in DIALECTS:
                raise WorldError(f"there is no dialect {name!r}; use one of {', '.join(DIALECTS)}")
