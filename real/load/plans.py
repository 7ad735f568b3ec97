"""A plan of load as JSON, for a generator in another process: a shape of traffic becomes its mean rate per second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from math import ceil
from typing import Any

from real.load.generator import Plan
from sim.service.traffic import Constant, Recorded

__all__ = ["told", "understood"]


def told(plan: Plan) -> dict[str, Any]:
    """The JSON form."""
    plain = {**asdict(replace(plan, traffic=Constant(0.0)))}
    if isinstance(plan.traffic, Constant):
        return {**plain, "traffic": plan.traffic.level}
    return {**plain, "traffic": plan.traffic.levels([float(second) for second in range(ceil(plan.seconds) + 1)])}


def understood(document: Mapping[str, Any]) -> Plan:
    """The plan of a JSON form."""
    shape = document["traffic"]
    traffic = (
        Recorded(tuple(map(float, range(len(shape)))), tuple(shape), "hold")
        if isinstance(shape, list)
        else Constant(shape)
    )
    segments = tuple((name, share) for name, share in document["segments"])
    return Plan(**{**document, "traffic": traffic, "segments": segments})
