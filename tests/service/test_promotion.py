"""A canary whose last weight is not 100: the promotion moves the rest of the traffic, and that arrives as late as any weight."""

from __future__ import annotations

from sim.durations import Constant
from sim.engine.paths import Case, draws_for, solo
from sim.policy.canary import Canary
from sim.policy.steps import Pause, SetWeight
from sim.service.model import Pods, Service


def test_the_rest_of_the_traffic_arrives_late_too() -> None:
    service = Service(pods=Pods(start=Constant(2.0)), propagation=1.0)
    case = Case(Canary(steps=(SetWeight(50), Pause(20.0))), service)
    story = solo(case, draws_for(service, 1, 0, 1), 0)[1].story
    assert story.decided_at == 24.0
    assert story.steps == [(0.0, 0.0), (3.0, 0.5), (25.0, 1.0)]
