"""The digest of a scenario: of what it says once it is resolved, and of the content of every data and code file; never of a path.

Comments, order of keys, spelling of units and where the files lie do not count. Of own files the resolved form is the content; of
others (recordings, Python, manifests) their bytes are; a git history counts by its commit hashes and the rows read from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sim.files import canonical, digest
from sim.scenario.values import Scenario
from sim.scenario.walking import plain

__all__ = ["sealed"]


def sealed(scenario: Scenario, contents: Iterable[str]) -> Scenario:
    """The scenario with its digest (64 hex digits); `contents` are hashes of the files it reads."""
    return replace(
        scenario, digest=digest(canonical(resolved(scenario)), *(content.encode() for content in sorted(set(contents))))
    )


def resolved(scenario: Scenario) -> dict[str, Any]:
    """All that a scenario says, as JSON data, without a trace of files."""
    said = {
        name: plain(getattr(scenario, name))
        for name in (
            "name",
            "question",
            "service",
            "releases",
            "metrics",
            "replications",
            "seed",
            "budgets",
            "expectations",
            "pipeline",
        )
    }
    policies = [
        {"name": policy.name, "policy": plain(policy.policy), "replicas": policy.replicas}
        for policy in scenario.policies
    ]
    return said | {"policies": policies, "changes": _changes(scenario)}


def _changes(scenario: Scenario) -> str | None:
    if scenario.changes is None:
        return None
    from sim.pipeline.git_history import digest as history

    return history(scenario.changes)
