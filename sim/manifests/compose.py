"""Services of a Compose file, as Docker Swarm updates them -> `Swarm` (delivery-systems.md section 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sim.files import Document
from sim.manifests.catalog import Catalog
from sim.manifests.fields import Reader, Scope
from sim.manifests.profiles import Profile
from sim.manifests.report import ImportedPolicy
from sim.policy.swarm import Batches, FailureAction, Order, Swarm

__all__ = ["read_compose"]

T = TypeVar("T", bound=str)
_ACTIONS: Mapping[str, tuple[FailureAction, ...]] = {
    "update_config": ("pause", "continue", "rollback"), "rollback_config": ("pause", "continue"),
}  # fmt: skip
_ORDERS: tuple[Order, ...] = ("stop-first", "start-first")


def read_compose(document: Document, catalog: Catalog, scope: Scope, profile: Profile) -> list[ImportedPolicy]:
    """One policy for each service."""
    services = Reader(scope, document, document.value).child("services")
    return [_service(document, services, name, profile) for name in services.value]


def _service(document: Document, services: Reader, name: str, profile: Profile) -> ImportedPolicy:
    scope = Scope(services.scope.findings)
    service = Reader(scope, document, services.raw(name), (*services.path, name))
    deploy = service.child("deploy")
    mode = deploy.text("mode", "replicated")
    if mode not in ("replicated", "global", "replicated-job", "global-job"):
        deploy.reject(f"{mode!r} is no mode", "use replicated or global", "mode")
    elif mode == "global":
        deploy.remark(
            "approximated", "one task per node: the number of nodes is taken for replicas, and 1 is assumed", "mode"
        )
    elif mode != "replicated":
        deploy.block("a job runs to its end and is not updated in batches", "mode")
    policy = Swarm(update=_batches(deploy, "update_config"), rollback=_batches(deploy, "rollback_config"))
    usable = None if scope.blocked or scope.faulty else policy
    if usable is not None and not scope.near:
        service.remark("exact", f"service {name} is updated as Docker Swarm does; tasks stop at once")
    replicas = deploy.whole("replicas", 1, 0)
    return ImportedPolicy(name, "service", usable, replicas, profile.name, document.file, service.value)


def _batches(deploy: Reader, name: str) -> Batches:
    """`update_config` or `rollback_config`; what it does not say has Swarm's default."""
    config, usual = deploy.child(name), Batches()
    return Batches(
        parallelism=config.whole("parallelism", usual.parallelism, 0),
        delay=config.duration("delay", usual.delay) or 0.0,
        failure_action=_word(config, "failure_action", _ACTIONS[name], usual.failure_action),
        monitor=_monitor(config, usual.monitor),
        max_failure_ratio=_ratio(config),
        order=_word(config, "order", _ORDERS, usual.order),
    )


def _word(config: Reader, name: str, words: Sequence[T], usual: T) -> T:
    """One of a few words."""
    text = config.text(name, str(usual))
    for word in words:
        if word == text:
            return word
    config.reject(f"{text!r} is no {name}", f"use one of {', '.join(map(str, words))}", name)
    return usual


def _monitor(config: Reader, usual: float) -> float:
    """0 asks for the default, as the Docker engine reads it (docker/cli: opts; swarmkit: a monitor that is not set)."""
    return config.duration("monitor", usual) or usual


def _ratio(config: Reader) -> float:
    ratio = config.number("max_failure_ratio") or 0.0
    if 0 <= ratio <= 1:
        return ratio
    config.reject(f"{ratio:g} is out of range", "use 0 to 1", "max_failure_ratio")
    return 0.0
