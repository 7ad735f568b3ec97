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

__all__ = ["PROFILES", "Profile", "account", "choose", "named"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A version of a system: `system@version`, its tables by kind of object, and what is said about a field that they do not have.

    A system without releases of its own here is named by the commit whose source the reference read (delivery-systems.md, top).
    """

    name: str
    kinds: Mapping[str, Rule]
    unknown: str

    @property
    def system(self) -> str:
        return self.name.partition("@")[0]


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
        Profile("openkruise@9dd6279", {"Rollout": thing(KRUISE)}, _PRUNED),  # openkruise/rollouts
        Profile("compose@3e72cb6", {"compose": COMPOSE}, "kept as written: it says nothing about updates"),  # moby/swarmkit
        Profile("spinnaker@2fdb327", {"spinnaker": SPINNAKER}, "kept as written: it is not read"),  # spinnaker/orca
        Profile("kayenta@a69573b", {"kayenta": KAYENTA}, "kept as written: Kayenta does not read it"),  # spinnaker/kayenta
    )
}  # fmt: skip
DEFAULTS = {profile.system: profile for profile in reversed(PROFILES.values())}  # the first of each system


def named(word: str) -> Profile:
    """The profile `system@version`, of a system alone its default; PolicyError with all there are for anything else."""
    found = PROFILES.get(word) or DEFAULTS.get(word)
    if found is None:
        raise PolicyError(
            f"unknown profile {word!r}; use one of {', '.join(PROFILES)}, or the system alone for its default"
        )
    return found


def choose(system: str, wanted: str | None) -> Profile:
    """The profile of a system: the wanted one if it is of this system, else the default; PolicyError if unknown."""
    found = None if wanted is None else named(wanted)
    return found if found is not None and found.system == system else DEFAULTS[system]


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
