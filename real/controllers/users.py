"""Users of a service that a controller rolls out: load from within its namespace, and the Prometheus of the cluster."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from real.cluster.api import Api
from real.cluster.names import SYSTEM
from real.controllers.routed import place
from real.controllers.serving import Way
from real.lab.raising import until
from real.load.generator import Plan
from real.load.inside import Inside
from real.load.truth import Truth
from real.measure.prometheus import answer, inside
from real.routers.carried import state
from sim.policy.events import Answer
from sim.service.model import Service
from sim.service.traffic import Constant

__all__ = ["Crowd", "testing"]

BEFORE = 15.0  # seconds of load before revision 2, so that rates are known
_PATIENCE = 60.0  # seconds until the route is obeyed
_TESTS = 20.0  # requests per second of testers, who call what no user sees, where the service says nothing about them


def testing(service: Service) -> float:
    """Requests per second of testers of a service."""
    return service.testers or _TESTS


@dataclass(slots=True)
class Crowd:
    """Those who come by `ways` (role -> way) while the controller works. `plan` is that of the users, to any host."""

    api: Api
    namespace: str
    image: str
    plan: Plan
    ways: Mapping[str, Way]
    routed: bool = False  # users come by a route object, which a pod of ours obeys
    tests: float = _TESTS  # requests per second of each who is no user
    truths: dict[str, Truth] = field(default_factory=dict)
    _loads: dict[str, Inside] = field(default_factory=dict)

    def come(self) -> None:
        if self.routed:
            until(self._unfit, _PATIENCE, "the route is not carried out")
        for role, way in self.ways.items():
            plan = replace(self.plan, host=f"{way.service}.{self.namespace}.svc.cluster.local", port=way.port)
            if role == "testers":
                plan = replace(plan, traffic=Constant(self.tests), segments=())
            self._loads[role] = Inside(self.api, self.namespace, role, self.image, plan)
        time.sleep(BEFORE)

    def _unfit(self) -> str:
        return str(state(self.api, place(self.namespace))["refused"])

    def go(self) -> None:
        for role, load in self._loads.items():
            self.truths[role] = load.stop()

    def ask(self, query: str) -> Answer:
        return answer(inside(self.api, SYSTEM), query, time.time())
