"""A canary whose last weight is not 100: the promotion moves the rest of the traffic, and that arrives as late as any weight."""

from __future__ import annotations

from sim.durations import Constant
from sim.engine.paths import Case, draws_for, follow, solo
from sim.policy.canary import Canary
from sim.policy.flagger import Flagger
from sim.policy.steps import Pause, SetWeight
from sim.service.model import Pods, Service


def test_the_rest_of_the_traffic_arrives_late_too() -> None:
    service = Service(pods=Pods(start=Constant(2.0)), propagation=Constant(1.0))
    case = Case(Canary(steps=(SetWeight(50), Pause(20.0))), service)
    story = solo(case, draws_for(service, 1, 0, 1), 0)[1].story
    assert story.decided_at == 24.0
    assert story.steps == [(0.0, 0.0), (3.0, 0.5), (25.0, 1.0)]


def test_a_primary_that_takes_the_new_version_over_loses_nobody() -> None:
    """While Flagger's primary rolls, what does not go to the canary is shared by the primary's pods, old and new."""
    service = Service(pods=Pods(count=4, start=Constant(15.0)), propagation=Constant(1.0))
    case = Case(Flagger(step_weight=50, ceiling=50), service)
    rows = follow(case, 1, 0, 5)
    assert rows["outcome"].tolist() == [0] * 5 and rows["lost"].tolist() == [0] * 5
    shares = [share for _, share in solo(case, draws_for(service, 1, 0, 1), 0)[1].story.steps]
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 3


def test_without_a_router_users_see_the_version_when_the_primary_has_it() -> None:
    """Flagger's own Service selects the primary: the canary's pods are nobody's but testers'."""
    service = Service(pods=Pods(count=2, start=Constant(3.0)), testers=20.0, propagation=Constant(0.0))
    case = Case(Flagger(router=False, iterations=3), service)
    story = solo(case, draws_for(service, 1, 0, 1), 0)[1].story
    first = next(at for at, share in story.steps if share > 0)
    assert story.outcome == "promoted"
    assert first > 3 * 60.0  # after all iterations
