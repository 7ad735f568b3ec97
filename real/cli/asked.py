"""What a command line asks for: a scenario, one of its policies or another file, one of its releases; and the app for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from real.driver.fitness import unfit
from real.lab import depot, raising, versions
from real.lab.ground import Ground
from real.lab.images import Images
from real.lab.stage import Stage, prepared
from real.load import inside
from real.load.channel import Channel
from real.registry.secrets import credentials
from real.routers.base import Place, Router
from real.routers.carried import Carried
from real.routers.choice import chosen
from real.sample import image
from real.sample.objects import Own
from sim.cli.exits import Missing, Usage
from sim.faults.fault import Fault
from sim.policy.canary import Canary
from sim.policy.errors import WorldError
from sim.policy.rollout import Policy
from sim.scenario import NamedPolicy, Release, Scenario, load, load_policy
from sim.service.model import Service

__all__ = ["Asked", "built", "generator", "routed", "staged"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A scenario's service, a policy and a release; None where nothing was asked."""

    service: Service
    scenario: Scenario | None = None
    policy: NamedPolicy | None = None
    release: Release | None = None

    @classmethod
    def of(cls, scenario: Path | None, policy: str | None, release: str | None) -> Asked:
        """Errors: FileErrors, Usage."""
        if scenario is None:
            return cls(Service())
        read = load(scenario, "real")
        if read.pipeline is not None:
            raise Usage(
                f"{scenario} is about deliveries; a real run drives one rollout: give a scenario without a pipeline"
            )
        return cls(read.service, read, _policy(read, policy), _release(read, release))

    @property
    def pods(self) -> int:
        told = self.policy.replicas if self.policy is not None else None
        return told or self.service.pods.count

    @property
    def decides(self) -> Policy:
        """The policy itself; where none was asked, one that needs the usual router."""
        return self.policy.policy if self.policy is not None else Canary()

    @property
    def users(self) -> Channel:
        """Those who will come, as far as their faults can be looked at beforehand."""
        return Channel(self.service.traffic, self.service.segments)

    def fit(self) -> tuple[str, ...]:
        """What to expect where reality does things in its own way. Raises WorldError with all that it cannot do at all."""
        found = unfit(self.decides, self.scenario)
        if refused := [str(one) for one in found if one.says == "refused"]:
            raise WorldError("\n".join(refused))
        return tuple(str(one) for one in found)


def staged(
    asked: Asked, ground: Ground, namespace: str, app: str, router: str, images: Images, registry: str = "",
    own: tuple[str, Own] | None = None,
) -> Stage:  # fmt: skip
    """The app, serving the stable version: the sample, or an image of the user's own."""
    place = Place(namespace, app)
    way = routed(ground, router, asked.decides, images.of)
    if isinstance(way, Carried):
        raising.known(ground, way.name)
    pull = depot.secret(registry, place, credentials(os.environ))
    if own is not None:
        return prepared(ground, place, own[0], asked.pods, way, own[1], pull=pull)
    stable = built(ground, images, "stable", (), registry)
    return prepared(ground, place, stable, asked.pods, way, versions.behaviour(asked.service), pull=pull)


def routed(ground: Ground, router: str, policy: Policy, image: Callable[[str], str]) -> Router:
    """The router of this name on this ground. Errors: Usage."""
    if not ground.own:
        return chosen(router, policy, image)
    api = ground.reads()
    try:
        return chosen(router, policy, image, api)
    finally:
        api.close()


def built(ground: Ground, images: Images, name: str, faults: tuple[Fault, ...], registry: str) -> str:
    """A version of the sample by digest."""
    return _pushed(ground, image.build(name, images.of("python"), versions.inside(faults)), "sample", registry)


def generator(ground: Ground, images: Images, registry: str) -> str:
    """The load generator by digest, for a pod."""
    return _pushed(ground, inside.built(images.of("python")), "load", registry)


def _pushed(ground: Ground, tag: str, name: str, registry: str) -> str:
    """A local image, pushed to our registry or to the one that was named."""
    if ground.registry is not None and not registry:
        return ground.registry.push(tag, f"seatrial/{name}")
    if not registry and ground.own:
        raise Missing(f"the registry of cluster {ground.name} is not there; seatrial real up brings it back")
    if not registry:
        raise Usage("a cluster of yours needs a registry that it can pull from; name one: --registry HOST/PROJECT")
    return depot.pushed(registry, tag, name)


def _policy(scenario: Scenario, asked: str | None) -> NamedPolicy:
    """A name in the scenario, or a file; without a word, the only one."""
    names = [policy.name for policy in scenario.policies]
    if asked is None:
        if len(names) != 1:
            raise Usage(f"which policy? say --policy NAME; there are {', '.join(names)}")
        return scenario.policies[0]
    return scenario.policy(asked) if asked in names else load_policy(asked)


def _release(scenario: Scenario, asked: str | None) -> Release:
    names = [release.name for release in scenario.releases]
    if asked is None and len(names) == 1:
        return scenario.releases[0]
    if asked not in names:
        raise Usage(f"which release? say --release NAME; there are {', '.join(names)}")
    return scenario.release(str(asked))
