"""What kind of file this is, told by its content (contracts.md section 1), never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OWN = ("scenario", "policy", "service", "script", "check")


def kind_of(value: object) -> str:
    """One of OWN, 'kubernetes:<apiVersion>/<kind>', 'compose', 'spinnaker', 'kayenta' or 'unknown'."""
    if not isinstance(value, Mapping):
        return "unknown"
    if "seatrial" in value:
        return value["seatrial"] if value["seatrial"] in OWN else "unknown"
    version, kind = value.get("apiVersion"), value.get("kind")
    if isinstance(version, str) and isinstance(kind, str):
        return f"kubernetes:{version}/{kind}"
    return next((name for name, test in _TESTS.items() if test(value)), "unknown")


_STAGES = ("deploy", "createServerGroup", "cloneServerGroup", "kayentaCanary")


def _compose(value: Mapping[str, Any]) -> bool:
    services = value.get("services")
    return isinstance(services, Mapping) and all(isinstance(service, Mapping) for service in services.values())


def _spinnaker(value: Mapping[str, Any]) -> bool:
    """A pipeline: a list of stages, each with its `type` (Spinnaker: pipeline JSON); or one such stage."""
    if value.get("type") in _STAGES and ("clusters" in value or "canaryConfig" in value or "strategy" in value):
        return True
    stages = value.get("stages")
    return isinstance(stages, list) and all(isinstance(stage, Mapping) and "type" in stage for stage in stages)


def _kayenta(value: Mapping[str, Any]) -> bool:
    """A canary config: metrics with a judge or a classifier (kayenta: docs/canary-config.md)."""
    judged = isinstance(value.get("judge"), Mapping) or isinstance(value.get("classifier"), Mapping)
    return isinstance(value.get("metrics"), list) and judged


_TESTS = {"compose": _compose, "kayenta": _kayenta, "spinnaker": _spinnaker}
