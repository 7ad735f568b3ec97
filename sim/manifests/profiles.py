"""Profiles: which version of a system a manifest is read as (contracts section 9).

A field without a rule in the version's table is unknown: it is kept as written and reported, as the API server would
drop it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from sim.files import Document
from sim.files.words import Path
from sim.manifests.fields import Scope
from sim.manifests.tables import (
    COMPOSE,
    DEPLOYMENT,
    EXPERIMENT,
    FLAGGER_CANARY,
    KAYENTA,
    KRUISE,
    METRIC_TEMPLATE,
    ROLLOUT,
    SPINNAKER,
    TEMPLATE,
    Rule,
    thing,
    without,
)
from sim.policy.errors import PolicyError

__all__ = ["DEFAULTS", "PROFILES", "Profile", "account", "choose"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A version of a system: its tables by kind of object, and what is said about a field that they do not have."""

    name: str
    kinds: Mapping[str, Rule]
    unknown: str


_PRUNED = "unknown to {profile}: kept as written, the API server drops it"
_ARGO = {
    "Rollout": thing(ROLLOUT),
    "Experiment": thing(EXPERIMENT),
    "AnalysisTemplate": thing(TEMPLATE),
    "ClusterAnalysisTemplate": thing(TEMPLATE),
}
_FLAGGER = {"Canary": thing(FLAGGER_CANARY), "MetricTemplate": thing(METRIC_TEMPLATE)}
_MISSING_IN_1_8 = ("spec.strategy.canary.replicaProgressThreshold",)  # delivery-systems.md section 2.20

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("argo-rollouts@1.10", _ARGO, _PRUNED),
        Profile("argo-rollouts@1.8", _ARGO | {"Rollout": reduce(without, _MISSING_IN_1_8, _ARGO["Rollout"])}, _PRUNED),
        Profile("flagger@1.41", _FLAGGER, _PRUNED),
        Profile("kubernetes@1.32", {"Deployment": thing(DEPLOYMENT)}, _PRUNED),
        Profile("openkruise", {"Rollout": thing(KRUISE)}, _PRUNED),
        Profile("compose", {"compose": COMPOSE}, "kept as written: it says nothing about updates"),
        Profile("spinnaker", {"spinnaker": SPINNAKER}, "kept as written: it is not read"),
        Profile("kayenta", {"kayenta": KAYENTA}, "kept as written: Kayenta does not read it"),
    )
}  # fmt: skip
DEFAULTS = {
    "argo-rollouts": "argo-rollouts@1.10",
    "flagger": "flagger@1.41",
    "kubernetes": "kubernetes@1.32",
    "openkruise": "openkruise",
    "compose": "compose",
    "spinnaker": "spinnaker",
    "kayenta": "kayenta",
}


def choose(system: str, wanted: str | None) -> Profile:
    """The profile of a system: the wanted one if it is of this system, else the default; PolicyError if unknown."""
    if wanted is not None and wanted not in PROFILES:
        raise PolicyError(f"unknown profile {wanted!r}; use one of {', '.join(PROFILES)}")
    return PROFILES[wanted if wanted is not None and wanted.split("@")[0] == system else DEFAULTS[system]]


def account(scope: Scope, document: Document, value: object, rule: Rule, profile: Profile, path: Path = ()) -> None:
    """Say how every field was read that is not read exactly; lists are looked through."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            account(scope, document, item, rule, profile, (*path, index))
    elif isinstance(value, dict) and rule.fields is not None:
        for name, below in value.items():
            here = rule.fields.get(name, rule.fields.get("*"))
            if here is None:
                scope.remark(document, (*path, name), "ignored", profile.unknown.format(profile=profile.name), key=True)
                continue
            if here.text and below is not None and below != here.unless:
                scope.remark(document, (*path, name), here.status, here.text, key=True)
            account(scope, document, below, here, profile, (*path, name))
