"""An OpenKruise Rollout (v1beta1 and v1alpha1) -> `Kruise` (delivery-systems.md section 6)."""

from __future__ import annotations

import re
from typing import Any

from sim.files import Document
from sim.manifests.argo_metrics import canonical
from sim.manifests.catalog import Catalog, kind_and_name
from sim.manifests.fields import Reader, Scope
from sim.manifests.kubernetes import rolling_of
from sim.manifests.profiles import Profile
from sim.manifests.report import ImportedPolicy, Reference
from sim.manifests.routes import segment
from sim.policy.errors import PolicyError
from sim.policy.kruise import Kruise, KruiseStep, Style
from sim.policy.rolling import Rolling

__all__ = ["read_kruise"]

_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
_HOWS = {"Exact": "exact", "RegularExpression": "regex"}
_STYLE = "rollouts.kruise.io/rolling-style"  # of v1alpha1
_IN_BATCH = "rollouts.kruise.io/rollback-in-batch"
_PATIENCE = 3  # seconds: the grace period of a traffic routing that does not give one


def read_kruise(document: Document, catalog: Catalog, scope: Scope, profile: Profile) -> ImportedPolicy:
    spec = Reader(scope, document, document.value).child("spec")
    old = str(document.value.get("apiVersion", "")).endswith("v1alpha1")
    workload = spec.child("objectRef").child("workloadRef") if old else spec.child("workloadRef")
    references: list[Reference] = []
    replicas, update = _workload(spec, workload, catalog, references)
    policy: Kruise | None = None
    try:
        policy = _policy(spec, _style(document, spec, workload, old), update, old)
    except PolicyError as error:
        problem, _, remedy = str(error).partition("; ")
        spec.reject(problem, remedy or "see the documentation of OpenKruise", "strategy")
    usable = None if scope.blocked or scope.faulty else policy
    name = kind_and_name(document.value)[1]
    return ImportedPolicy(
        name, "Rollout", usable, replicas, profile.name, document.file, document.value, tuple(references)
    )


def _style(document: Document, spec: Reader, workload: Reader, old: bool) -> Style:
    """v1alpha1 says by an annotation, and means extra pods without it; extra pods are for Deployments only."""
    annotations = Reader(spec.scope, document, document.value).child("metadata").child("annotations")
    if annotations.has(_IN_BATCH):
        annotations.remark("approximated", "a rollback cancels at once, not batch by batch", _IN_BATCH)
    strategy = spec.child("strategy")
    if strategy.has("blueGreen"):
        return "blueGreen"
    extra = annotations.text(_STYLE).lower() != "partition"
    if not old:
        extra = strategy.child("canary").flag("enableExtraWorkloadForCanary")
    return "canary" if extra and workload.text("kind") == "Deployment" else "partition"


def _policy(spec: Reader, style: Style, update: Rolling, old: bool) -> Kruise | None:
    strategy = spec.child("strategy")
    named = [name for name in ("canary", "blueGreen") if strategy.has(name)]
    if len(named) != 1:
        strategy.reject(f"{len(named)} strategies", "give exactly one of canary, blueGreen")
        return None
    plan = strategy.child(named[0])
    routings = plan.items("trafficRoutings")
    if len(routings) > 1:
        plan.reject("more than one trafficRouting", "OpenKruise takes one", "trafficRoutings")
    if plan.has("trafficRoutingRef"):
        plan.remark(
            "approximated", "a TrafficRouting of its own is taken to route as the steps say", "trafficRoutingRef"
        )
    if spec.flag("disabled"):
        spec.block("a rollout that is disabled leaves the update to the workload", "disabled")
    routing = bool(routings) or plan.has("trafficRoutingRef")
    steps = [_step(step, old, routing) for step in plan.items("steps")]
    if not steps:
        plan.reject("no steps", "add e.g. steps: [{replicas: 20%}, {replicas: 100%}]")
    if None in steps or not steps:
        return None
    threshold = plan.share("failureThreshold", 0)
    return Kruise(
        steps=tuple(step for step in steps if step is not None), style=style,
        routing=routing, failure_threshold=threshold,
        grace=float(routings[0].whole("gracePeriodSeconds", _PATIENCE, 0)) if routings else float(_PATIENCE),
        paused=strategy.flag("paused"), max_surge=update.max_surge, max_unavailable=update.max_unavailable,
        min_ready=update.min_ready,
    )  # fmt: skip


def _step(step: Reader, old: bool, routing: bool) -> KruiseStep | None:
    """One step; without anything that routes its traffic only says how many pods there are."""
    matches = tuple(_segment(match) for match in step.items("matches"))
    traffic = None if matches else _traffic(step, old)
    if not step.has("replicas") and traffic is None:
        step.reject("a step without replicas", "say how many pods: replicas: 20%")
        return None
    replicas = step.share("replicas", f"{traffic:g}%" if traffic is not None else 0)
    pause = step.child("pause")
    for name in ("traffic", "matches") if not routing else ():
        if step.has(name):
            step.remark("ignored", "there are no trafficRoutings: every pod counts alike", name)
    return KruiseStep(
        replicas=_rounded(replicas), traffic=traffic if routing else None, matches=matches if routing else (),
        pause=float(pause.whole("duration", 0, 0)) if pause.has("duration") else None,
    )  # fmt: skip


def _traffic(step: Reader, old: bool) -> float | None:
    """Percent; v1alpha1 writes a whole number, which 0 leaves out."""
    if old:
        weight = step.whole("weight", 0, 0, 100)
        return float(weight) if weight else None
    if not step.has("traffic"):
        return None
    found = _PERCENT.fullmatch(step.text("traffic"))
    if found is None or float(found[1]) > 100:
        step.reject(f"{step.raw('traffic')!r} is not a percentage", 'write e.g. traffic: "5%"', "traffic")
        return None
    return float(found[1])


def _rounded(replicas: int | str) -> int | str:
    """A bare number in quotes counts as pods (intstr)."""
    return int(replicas) if isinstance(replicas, str) and replicas.isdigit() else replicas


def _segment(match: Reader) -> str:
    """One name for the requests of a match: its headers as such, the rest as it is written."""
    names = [
        segment(header.text("name"), _HOWS.get(header.text("type", "Exact"), "exact"), header.text("value"))
        for header in match.items("headers")
    ]
    rest: dict[str, Any] = {key: value for key, value in match.value.items() if key != "headers"}
    if rest:
        match.remark("approximated", "requests are told apart by this whole text, not by path or parameter")
        names.append(f"match:{canonical(rest)}")
    return " & ".join(names)


def _workload(spec: Reader, workload: Reader, catalog: Catalog, references: list[Reference]) -> tuple[int, Rolling]:
    """Size and update strategy of the workload, if the files have it."""
    kind, name = workload.text("kind"), workload.text("name")
    if not name:
        spec.reject(
            "no workloadRef", "name the workload: workloadRef: {apiVersion: apps/v1, kind: Deployment, name: ...}"
        )
        return 1, Rolling()
    found = catalog.find(kind, name, spec.document)
    references.append(Reference(kind, name, found is not None))
    if found is None:
        said = f"{kind} {name} is not in the files given: 1 pod and its defaults are assumed"
        workload.remark("approximated", said, "name")
        return 1, Rolling()
    target = Reader(spec.scope, found, found.value).child("spec")
    replicas = target.whole("replicas", 1, 0)
    if kind != "Deployment":
        workload.remark("approximated", f"the pods of a {kind} are taken to move as those of a Deployment", "kind")
        return replicas, Rolling()
    return replicas, rolling_of(target) or Rolling()
