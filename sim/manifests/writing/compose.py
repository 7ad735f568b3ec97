"""A policy -> a service of a Compose file, as Docker Swarm updates it (delivery-systems.md section 7)."""

from __future__ import annotations

from typing import Any

from sim.manifests.writing.subject import Losses, Object, Subject, duration
from sim.policy.bluegreen import BlueGreen
from sim.policy.rolling import Rolling
from sim.policy.scale import bounds
from sim.policy.swarm import Batches, Order, Swarm

__all__ = ["write_service"]


def write_service(subject: Subject) -> list[Object]:
    """A Compose file with one service; whatever Swarm does not do (weights, pauses, analyses) is lost, and told."""
    policy, losses = subject.policy, subject.losses
    losses.fill("image", "a policy says nothing about containers: add this to a file that has the image")
    if isinstance(policy, Swarm):
        configs = {"update_config": policy.update, "rollback_config": policy.rollback}
        for name, batches in configs.items():
            if batches.monitor == 0:
                losses.near(f"{name}.monitor", "0 s asks for the default of 5 s")
    else:
        configs = {"update_config": _near(policy, subject.replicas, losses)}
    written = {name: config for name, batches in configs.items() if (config := _config(batches))}
    return [{"services": {subject.name: {"deploy": {"replicas": subject.replicas} | written}}}]


def _config(batches: Batches) -> Object:
    """What differs from Swarm's defaults."""
    usual, written = Batches(), dict[str, Any]()
    for name in ("parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"):
        value = getattr(batches, name)
        if value != getattr(usual, name):
            written[name] = duration(value) if name in ("delay", "monitor") else value
    return written


def _near(policy: Any, replicas: int, losses: Losses) -> Batches:
    if isinstance(policy, Rolling):
        losses.near("", "Swarm waits for each batch, and watches its tasks; a Deployment keeps to its bounds")
        if policy.min_ready:
            losses.near("min_ready", "written as the delay between batches")
        if policy.recreate:
            return Batches(parallelism=0)
        allowed = bounds(replicas, policy.max_surge, policy.max_unavailable)
        first: Order = "start-first" if allowed.surge else "stop-first"
        return Batches(parallelism=max(1, allowed.surge or allowed.unavailable), delay=policy.min_ready, order=first)
    if isinstance(policy, BlueGreen):
        losses.near(
            "", "all tasks start beside the old ones, each of which leaves when its successor runs: no switch at once"
        )
        return Batches(parallelism=0, order="start-first", failure_action="rollback")
    losses.lose(
        "",
        f"{type(policy).__name__}: Swarm has no weights, steps or metrics; batches of one with a rollback are written",
    )
    return Batches(order="start-first", failure_action="rollback")
