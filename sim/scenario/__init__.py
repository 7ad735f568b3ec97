"""Our own files: scenarios, policies, services and scripts -> values. See README.md.

Everything loads on first use, so that importing this package costs nothing: pydantic, numpy and the engine come with the functions.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.scenario.describing import describe
    from sim.scenario.editors import schema, schemas
    from sim.scenario.loading import assemble, load, load_policy, load_service
    from sim.scenario.measures import Measure, MetricTable
    from sim.scenario.scripts import load_script
    from sim.scenario.values import Budget, Expectation, NamedPolicy, Release, Replications, Scenario

_HOME = {
    "describe": "describing",
    **dict.fromkeys(("assemble", "load", "load_policy", "load_service"), "loading"),
    **dict.fromkeys(("Measure", "MetricTable"), "measures"),
    **dict.fromkeys(("schema", "schemas"), "editors"),
    "load_script": "scripts",
    **dict.fromkeys(("Budget", "Expectation", "NamedPolicy", "Release", "Replications", "Scenario"), "values"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


__all__ = [
    "Budget",
    "Expectation",
    "Measure",
    "MetricTable",
    "NamedPolicy",
    "Release",
    "Replications",
    "Scenario",
    "assemble",
    "describe",
    "load",
    "load_policy",
    "load_script",
    "load_service",
    "schema",
    "schemas",
]
