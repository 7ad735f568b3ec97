"""Docker Swarm updates in Compose files (L27): what counts as a failure, and what is done about it (DS 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.lint.files import Files
from sim.lint.finding import Finding
from sim.lint.spot import Spot, said, seconds

__all__ = ["check"]

_MONITOR, _INTERVAL, _RETRIES = 5.0, 30.0, 3  # defaults of Swarm and of a health check


def check(files: Files) -> Iterator[Finding]:
    """Findings about the services of Compose files that are deployed to Swarm."""
    for document in files.documents:
        if document.kind_hint == "compose":
            services = Spot(document, ("services",), document.value["services"])
            for name in services.names():
                service = services.child(name)
                if isinstance(service.get("deploy"), Mapping):
                    yield from _service(service, service.child("deploy", "update_config"))


def _service(service: Spot, update: Spot) -> Iterator[Finding]:
    action = update.text("failure_action") or "pause"
    if action == "continue":
        unused = [name for name in ("monitor", "max_failure_ratio") if update.has(name)]
        words = "failure_action: continue goes on however many tasks fail"
        yield update.found("L27", words + (f"; {' and '.join(unused)} do nothing" if unused else ""), "failure_action")
        return
    if action == "pause" and update.names():
        words = "pause is the default" if not update.has("failure_action") else "failure_action: pause"
        yield update.found(
            "L27",
            f"{words}: a bad update stops half-way and stays there",
            "failure_action",
            remedy="failure_action: rollback",
        )
    yield from _monitor(service, update)
    yield from _room(service, update)


def _monitor(service: Spot, update: Spot) -> Iterator[Finding]:
    """An unhealthy task is killed only after start_period + interval x retries."""
    health = service.child("healthcheck")
    if not health.names() or health.get("disable") is True:
        return
    period, interval = seconds(health.get("start_period"), 0.0), seconds(health.get("interval"), _INTERVAL)
    retries = health.whole("retries", _RETRIES)
    need, monitor = period + interval * retries, seconds(update.get("monitor"), _MONITOR)
    if monitor < need:
        sums = f"{said(need)} ({said(period)} + {retries} x {said(interval)})"
        have = said(monitor) + ("" if update.has("monitor") else " (the default)")
        words = f"monitor is {have}, the health check needs {sums}: an unhealthy task does not count"
        spot = update if update.names() else service
        yield spot.found(
            "L27",
            words,
            "monitor" if update.has("monitor") else "healthcheck",
            remedy=f"monitor: {said(need + 5)} or more",
        )


def _room(service: Spot, update: Spot) -> Iterator[Finding]:
    """A port of the host is taken by the old task while the new one starts."""
    ports = [port for port in service.items("ports") if port.text("mode") == "host"]
    if update.text("order") == "start-first" and ports:
        words = "order: start-first with a port in mode host: on its node the old task still holds the port"
        yield update.found("L27", words, "order", remedy="use order: stop-first, or publish the port in mode ingress")
