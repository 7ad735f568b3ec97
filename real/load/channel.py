"""How faults of users reach a generator: all that are in force are told to it at once, so that telling again changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from real.load.demand import Rule, Rules, Shares, shown
from real.load.truth import Truth
from real.ports.errors import Gone
from sim.service.traffic import Traffic

__all__ = ["Channel"]


class Channel:
    """Satisfies `real.chaos.field.Users`. `tell` brings the rules to the generator and `truth` its counts back; both raise PortError."""

    def __init__(
        self,
        traffic: Traffic,
        segments: Shares,
        tell: Callable[[Rules], object] = lambda rules: None,
        truth: Callable[[], Truth] = Truth,
    ) -> None:
        self.segments = tuple(name for name, _ in segments)
        self._traffic, self._shares, self._tell, self._truth = traffic, segments, tell, truth
        self._rules: dict[str, Rule] = {}
        self._one = threading.Lock()  # a fault whose driver is late is ended by another thread

    def trouble(self, id: str, kind: str, params: Mapping[str, Any]) -> None:
        with self._one:
            rules = {**self._rules, id: {"kind": kind, "params": dict(params)}}
            self._tell(rules)
            self._rules = rules

    def calm(self, id: str) -> None:
        with self._one:
            rules = {name: rule for name, rule in self._rules.items() if name != id}
            with suppress(Gone):  # it has ended, and took its rules along
                self._tell(rules)
            self._rules = rules

    def troubled(self) -> tuple[str, ...]:
        return tuple(self._rules)

    def shown(self, id: str) -> str:
        rules = self._rules
        return shown(id, rules, self._traffic, self._shares, self._truth()) if id in rules else ""
