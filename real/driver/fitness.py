"""What a scenario says that reality cannot do, or does in its own way: told before anything is begun.

The same policy file goes to `seatrial run` and to `seatrial real run`; nothing is translated on the way. So what cannot be carried out is
found here, not in the middle of a rollout. (Faults that can only be simulated are refused by the reading of the scenario.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Literal

from sim.policy.canary import Canary
from sim.policy.flagger import Flagger
from sim.policy.judges.controls import Oracle
from sim.policy.kruise import Kruise
from sim.policy.rollout import Policy
from sim.policy.steps import Experiment
from sim.policy.swarm import Swarm
from sim.scenario.values import Scenario

__all__ = ["Unfit", "unfit"]


@dataclass(frozen=True, slots=True)
class Unfit:
    """`refused`: a run cannot begin with this. `told`: it can, and this is what to expect."""

    says: Literal["refused", "told"]
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what


# Policies whose commands a Kubernetes Deployment and a router cannot carry out.
_ELSEWHERE: Mapping[type, tuple[str, str]] = MappingProxyType({
    Swarm: ("Docker Swarm updates its services by itself", "simulate it: seatrial run"),
    Kruise: ("an OpenKruise partition needs its own workload, a Deployment cannot stop halfway", "write it as canary: or simulate it"),
})  # fmt: skip


def unfit(policy: Policy, scenario: Scenario | None = None) -> tuple[Unfit, ...]:
    """Everything at once, what is refused first."""
    found = [*_policy(policy)]
    if scenario is not None:
        found += _service(scenario)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: one.says != "refused"))


def _policy(policy: Policy) -> Iterator[Unfit]:
    for kind, (what, remedy) in _ELSEWHERE.items():
        if isinstance(policy, kind):
            yield Unfit("refused", what, remedy)
    if any(isinstance(part, Oracle) for part in _parts(policy)):
        yield Unfit(
            "refused",
            "the judge oracle knows whether a release is bad, which nobody does in reality",
            "choose another judge",
        )
    if isinstance(policy, Canary) and not policy.pods:
        yield Unfit(
            "refused", "a flag moves a switch inside the service, which has none", "write canary: in place of flag:"
        )
    if isinstance(policy, Flagger) and policy.router:
        yield Unfit(
            "refused", "Flagger rolls its primary under traffic, which weights by revision cannot say",
            "let the real one do it: seatrial real run --controller flagger",
        )  # fmt: skip
    if any(isinstance(part, Experiment) for part in _parts(policy)):
        yield Unfit(
            "told", "an experiment step runs its analysis on the pods that are there: no fresh baseline pods are made"
        )


def _service(scenario: Scenario) -> Iterator[Unfit]:
    service = scenario.service
    if service.arrivals == "fixed":
        yield Unfit(
            "told", "arrivals: fixed is a device of simulation; the load generator sends at random, at the same rate"
        )
    if service.sticky:
        yield Unfit("told", "the load generator has no users that come back: sticky is not imitated")
    yield Unfit(
        "told",
        "latency, errors, pod starts and propagation are those of the cluster",
        "seatrial real calibrate fits the model to them",
    )


def _parts(value: object) -> Iterator[object]:
    """Everything that a policy is made of."""
    yield value
    if isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
