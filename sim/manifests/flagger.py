"""A Flagger Canary -> `Flagger` (delivery-systems.md section 4; defaults of 4.1)."""

from __future__ import annotations

from sim.files import Document, Refused, parse_duration
from sim.manifests.catalog import Catalog, kind_and_name
from sim.manifests.fields import Reader, Scope
from sim.manifests.flagger_checks import read_checks
from sim.manifests.flagger_schema import CANARY, check
from sim.manifests.hey import hey
from sim.manifests.kubernetes import rolling_of
from sim.manifests.profiles import Profile
from sim.manifests.report import ImportedPolicy, Reference
from sim.manifests.routes import segments
from sim.policy.errors import PolicyError
from sim.policy.flagger import HOOKS, Flagger, Hook
from sim.policy.rolling import Rolling

__all__ = ["read_canary"]

_LEAST_INTERVAL, _INTERVAL = 10.0, 60.0  # Flagger: GetAnalysisInterval
_ITERATIONS = 10  # of the provider kubernetes, when the manifest gives none
_LOAD = 20.0  # requests/s of a load test that does not say how many
_MAX_AGE = 86_400  # of the session affinity's cookie
_PLANS = ("iterations", "stepWeight", "stepWeights")


def read_canary(document: Document, catalog: Catalog, scope: Scope, profile: Profile) -> ImportedPolicy:
    spec = Reader(scope, document, document.value).child("spec")
    check(spec, CANARY)
    references: list[Reference] = []
    replicas, target = _target(spec, catalog, references)
    smallest = _scaler(spec, catalog, references)
    try:
        policy = _policy(spec, catalog, references, target or Rolling(), smallest)
    except PolicyError as error:
        spec.block(str(error), "analysis")
        policy = None
    usable = None if scope.blocked or scope.faulty else policy
    name = kind_and_name(document.value)[1]
    return ImportedPolicy(
        name, "Canary", usable, replicas, profile.name, document.file, document.value, tuple(dict.fromkeys(references))
    )


def _policy(
    spec: Reader, catalog: Catalog, references: list[Reference], target: Rolling, smallest: int | None
) -> Flagger:
    analysis = spec.child("analysis" if spec.has("analysis") else "canaryAnalysis")
    _required(spec, analysis)
    router = spec.text("provider") != "kubernetes"
    iterations = analysis.whole("iterations", 0, 0)
    affinity = analysis.child("sessionAffinity")
    return Flagger(
        interval=_interval(analysis),
        threshold=max(1, analysis.whole("threshold", 1)),
        ceiling=analysis.whole("maxWeight", 0) if analysis.whole("maxWeight", 0) > 0 else 100,
        step_weight=analysis.whole("stepWeight", 0, 0),
        step_weights=analysis.wholes("stepWeights"),
        step_weight_promotion=analysis.whole("stepWeightPromotion", 0, 0),
        iterations=iterations if router or iterations else _ITERATIONS,
        match=segments(analysis.items("match")) if router else (),
        mirror=analysis.flag("mirror"),
        mirror_weight=float(analysis.whole("mirrorWeight", 100, 0, 100)),
        checks=read_checks(spec, analysis, catalog, references),
        hooks=_hooks(analysis),
        skip_analysis=spec.flag("skipAnalysis"),
        suspend=spec.flag("suspend"),
        router=router,
        canary_replicas=smallest,
        progress_deadline=float(spec.whole("progressDeadlineSeconds", 600, 0)),
        primary_ready=analysis.whole("primaryReadyThreshold", 100, 0, 100),
        canary_ready=analysis.whole("canaryReadyThreshold", 100, 0, 100),
        max_surge=target.max_surge,
        max_unavailable=target.max_unavailable,
        min_ready=target.min_ready,
        session_affinity=float(affinity.whole("maxAge", _MAX_AGE, 1)) if analysis.has("sessionAffinity") else None,
    )


def _required(spec: Reader, analysis: Reader) -> None:
    """What Flagger's schema asks for of a whole Canary (seen on the API server: also where skipAnalysis is set).

    It asks for targetRef too; documentation prints Canaries without, and they can be read.
    """
    if spec.document.below:
        return
    if not (spec.has("analysis") or spec.has("canaryAnalysis")):
        spec.reject("a Canary without analysis", "add analysis: {interval: ..., threshold: ..., and a plan}")
        return
    for name in ("interval", "threshold"):
        if name not in analysis.value:
            analysis.reject(f"an analysis without {name}", f"add {name}")
    plans = [name for name in _PLANS if name in analysis.value]
    if len(plans) != 1:
        said = f"an analysis with {' and '.join(plans)}" if plans else "an analysis without a plan"
        analysis.reject(said, f"give exactly one of {', '.join(_PLANS)}")


def _interval(analysis: Reader) -> float:
    """Empty or unreadable counts as 60 s, and less than 10 s as 10 s."""
    text = analysis.text("interval")
    try:
        seconds = parse_duration(text, days=False) if text else _INTERVAL
    except Refused:
        analysis.remark("exact", f"{text!r} is no duration: Flagger takes 60 s", "interval")
        return _INTERVAL
    if seconds < _LEAST_INTERVAL:
        analysis.remark("exact", f"{text} counts as 10 s, Flagger's shortest interval", "interval")
    return max(_LEAST_INTERVAL, seconds)


def _hooks(analysis: Reader) -> tuple[Hook, ...]:
    hooks = []
    known = {str(word): word for word in HOOKS}
    for entry in analysis.items("webhooks"):
        kind = known.get(entry.text("type") or "rollout")
        if kind is None:
            entry.reject(f"{entry.text('type')!r} is no type of webhook", f"use one of {', '.join(HOOKS)}", "type")
        else:
            hooks.append(Hook(entry.text("name"), kind, _load(entry) if kind == "rollout" else 0.0))
            if kind == "event":
                entry.remark("ignored", "an event webhook is only told, and decides nothing", "type")
    return tuple(hooks)


def _load(hook: Reader) -> float:
    """Requests/s of a load test: of `hey -q RATE -c WORKERS`, else an assumption that is told."""
    command = hook.child("metadata").text("cmd")
    if not command:
        return 0.0
    known = hey(command)
    if known is None:
        hook.remark(
            "approximated",
            f"a load test of {_LOAD:g} requests/s is assumed; testers: RATE of the service says more",
            "metadata",
        )
    return _LOAD if known is None else known


def _target(spec: Reader, catalog: Catalog, references: list[Reference]) -> tuple[int, Rolling | None]:
    """Size and update strategy of the workload, from its Deployment if the files have it."""
    reference = spec.child("targetRef")
    kind, name = reference.text("kind"), reference.text("name")
    if not name:
        spec.remark("approximated", "no targetRef, so a part of a Canary only: 1 pod is assumed")
        return 1, None
    found = catalog.find(kind, name, spec.document)
    references.append(Reference(kind, name, found is not None))
    if found is None:
        reference.remark(
            "approximated", f"{kind} {name} is not in the files given: 1 pod and its defaults are assumed", "name"
        )
        return 1, None
    if kind != "Deployment":
        reference.block(f"a {kind} as target; only a Deployment is read", "kind")
        return 1, None
    target = Reader(spec.scope, found, found.value).child("spec")
    return target.whole("replicas", 1, 0) or 1, rolling_of(target)


def _scaler(spec: Reader, catalog: Catalog, references: list[Reference]) -> int | None:
    """Pods that the canary starts with: the autoscaler's minimum, at least 1; None: the primary's (section 4.2)."""
    if not spec.has("autoscalerRef"):
        return None
    reference = spec.child("autoscalerRef")
    kind, name = reference.text("kind"), reference.text("name")
    found = catalog.find(kind, name, spec.document)
    references.append(Reference(kind, name, found is not None))
    if found is None:
        reference.remark(
            "approximated",
            f"{kind} {name} is not in the files given: as many canary as primary pods are assumed",
            "name",
        )
        return None
    field = "minReplicas" if kind == "HorizontalPodAutoscaler" else "minReplicaCount"
    reference.remark(
        "approximated", f"{kind} {name} gives the first size of the canary; it does not scale with load", "name"
    )
    return max(1, Reader(spec.scope, found, found.value).child("spec").whole(field, 1, 0))
