"""Profiles: which fields a version of a system knows, and how each of them is read (contracts section 9).

A table is data. A field without a rule is unknown: it is kept as written and reported, as the API server would drop it. Sources: the
types of argoproj/argo-rollouts and fluxcd/flagger, the Deployment of Kubernetes 1.32, the Compose specification;
delivery-systems.md sections 2, 4, 5, 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

from sim.files import Document
from sim.files.words import Path
from sim.manifests.fields import Scope
from sim.manifests.report import Status
from sim.policy.errors import PolicyError

__all__ = ["DEFAULTS", "PROFILES", "Profile", "account", "choose"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a field is read. `fields` None: what is below is nobody's business here; `unless`: the value that needs no remark."""

    status: Status = "exact"
    text: str = ""
    fields: Mapping[str, Rule] | None = None
    unless: object = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A version of a system: its tables by kind of object, and what is said about a field that they do not have."""

    name: str
    kinds: Mapping[str, Rule]
    unknown: str


def of(known: str, **rules: Rule) -> Rule:
    """An object: the fields that are read as they stand, and those with a rule of their own."""
    return Rule(fields={**dict.fromkeys(known.split(), Rule()), **rules})


def ignored(text: str) -> Rule:
    return Rule("ignored", text)


def near(text: str, unless: object = None) -> Rule:
    return Rule("approximated", text, unless=unless)


def later(text: str, unless: object = None) -> Rule:
    return Rule("not yet", text, unless=unless)


def thing(spec: Rule) -> Rule:
    """A Kubernetes object."""
    return of("apiVersion kind metadata", spec=spec, status=ignored("the cluster's own notes"))


_PLACEMENT = ignored("which node a pod runs on is not modelled")
_LABELS = ignored("labels and annotations of pods are not modelled")
_KEPT = ignored("finished runs and ReplicaSets are not kept")
_READY = near("a pod counts as available as soon as it is ready; add the wait to its start-up time", unless=0)
_REVISIONS = near("every old revision waits for the scale-down delay, whatever their number")

_VALUE_FROM = of("podTemplateHashValue fieldRef secretKeyRef")
_ARGS = of("name value", valueFrom=_VALUE_FROM)
_ANALYSIS = of(
    "templates startingStep dryRun",
    args=_ARGS,
    measurementRetention=_KEPT,
    analysisRunMetadata=_LABELS,
)
_EXPERIMENT = of(
    "duration analyses dryRun",
    templates=of(
        "name specRef replicas",
        weight=near("the weight of an experiment's pods is not taken out of the stable share"),
        service=ignored("a service of its own is not modelled"),
        selector=Rule(),
        metadata=_LABELS,
    ),
    analysisRunMetadata=_LABELS,
)
_STEP = of(
    "setWeight plugin",
    analysis=_ANALYSIS,
    experiment=_EXPERIMENT,
    pause=of("duration"),
    setCanaryScale=of("weight replicas matchTrafficWeight"),
    setHeaderRoute=of("name", match=of("headerName", headerValue=of("exact prefix regex"))),
    setMirrorRoute=of("name percentage", match=of("method path headers")),
)
_CANARY = of(
    "abortScaleDownDelaySeconds canaryService stableService dynamicStableScale maxSurge maxUnavailable minPodsPerReplicaSet"
    " scaleDownDelaySeconds",
    steps=_STEP,
    analysis=_ANALYSIS,
    antiAffinity=_PLACEMENT,
    canaryMetadata=_LABELS,
    stableMetadata=_LABELS,
    pingPong=near("the two services only change roles at each promotion: read as a canary and a stable service"),
    replicaProgressThreshold=near("a step waits until all its pods are available"),
    scaleDownDelayRevisionLimit=_REVISIONS,
    trafficRouting=of("alb ambassador apisix appMesh istio managedRoutes maxTrafficWeight nginx plugins smi traefik"),
)
_BLUE_GREEN = of(
    "abortScaleDownDelaySeconds activeService autoPromotionEnabled autoPromotionSeconds previewReplicaCount previewService"
    " scaleDownDelaySeconds",
    prePromotionAnalysis=_ANALYSIS,
    postPromotionAnalysis=_ANALYSIS,
    antiAffinity=_PLACEMENT,
    activeMetadata=_LABELS,
    previewMetadata=_LABELS,
    maxUnavailable=ignored("it only bounds restarts"),
    scaleDownDelayRevisionLimit=_REVISIONS,
)
_ROLLOUT = of(
    "replicas selector template progressDeadlineSeconds progressDeadlineAbort",
    strategy=of("", canary=_CANARY, blueGreen=_BLUE_GREEN),
    workloadRef=of("apiVersion kind name", scaleDown=ignored("the Deployment's own pods are not modelled")),
    analysis=_KEPT,
    revisionHistoryLimit=_KEPT,
    minReadySeconds=_READY,
    paused=near("the rollout starts unpaused; pause it in the script", unless=False),
    restartAt=later("restarts of pods"),
    rollbackWindow=later("an older revision inside the window goes through all steps, like every other"),
)
_METRIC = of(
    "name interval initialDelay count successCondition failureCondition failureLimit inconclusiveLimit consecutiveErrorLimit"
    " consecutiveSuccessLimit",
    provider=of("prometheus kayenta web datadog wavefront newRelic job cloudWatch graphite influxdb skywalking plugin"),
)
_TEMPLATE = of("templates dryRun", args=_ARGS, metrics=_METRIC, measurementRetention=_KEPT)

_FLAGGER_SERVICE = ignored("how Flagger shapes its services and routes changes no decision")
_FLAGGER_METRIC = of(
    "name interval threshold query templateVariables",
    thresholdRange=of("min max"),
    templateRef=of("apiVersion kind name namespace"),
)
_FLAGGER_ANALYSIS = of(
    "interval threshold maxWeight stepWeight stepWeights stepWeightPromotion iterations mirror mirrorWeight primaryReadyThreshold"
    " canaryReadyThreshold match",
    metrics=_FLAGGER_METRIC,
    alerts=ignored("alerts decide nothing"),
    sessionAffinity=Rule(
        "approximated",
        "kept with the policy; requests are not told apart by cookie",
        fields=dict.fromkeys(("cookieName", "maxAge"), Rule()),
    ),
    webhooks=of(
        "name type url",
        metadata=ignored("what a webhook is sent is not modelled"),
        timeout=near("a webhook answers at once, or its tick has failed"),
        retries=near("a webhook is asked once a tick", unless=0),
        muteAlert=ignored("alerts decide nothing"),
        disableTLS=ignored("connections are not modelled"),
    ),
)
_FLAGGER_CANARY = of(
    "provider skipAnalysis suspend progressDeadlineSeconds analysis canaryAnalysis",
    targetRef=of("apiVersion kind name"),
    autoscalerRef=of("apiVersion kind name", primaryScalerQueries=Rule(), primaryScalerReplicas=Rule()),
    ingressRef=_FLAGGER_SERVICE,
    routeRef=_FLAGGER_SERVICE,
    upstreamRef=_FLAGGER_SERVICE,
    service=_FLAGGER_SERVICE,
    metricsServer=ignored("the scenario says where metrics come from"),
    revertOnDeletion=ignored("the Canary is not deleted"),
)
_METRIC_TEMPLATE = of("query", provider=of("type address secretRef region headers insecureSkipVerify"))

_DEPLOYMENT = of(
    "replicas selector template minReadySeconds progressDeadlineSeconds",
    strategy=of("type", rollingUpdate=of("maxSurge maxUnavailable")),
    revisionHistoryLimit=_KEPT,
    paused=near("the Deployment starts unpaused; pause it in the script", unless=False),
)

_NO_WATCH = later("tasks that fail while they are watched: the update goes on whatever they do")
_UPDATE = of("parallelism order", delay=later("the wait between two batches"), failure_action=_NO_WATCH,
             monitor=_NO_WATCH, max_failure_ratio=_NO_WATCH)  # fmt: skip
_COMPOSE = of(
    "version name",
    services=of(
        "",
        **{
            "*": of(
                "image",
                deploy=of("mode replicas", update_config=_UPDATE,
                          rollback_config=later("an abort rolls back as update_config says")),
            )
        },
    ),
)  # fmt: skip

_PRUNED = "unknown to {profile}: kept as written, the API server drops it"
_ARGO = {
    "Rollout": thing(_ROLLOUT),
    "AnalysisTemplate": thing(_TEMPLATE),
    "ClusterAnalysisTemplate": thing(_TEMPLATE),
}


def _without(rule: Rule, path: str) -> Rule:
    """The table without one field."""
    head, _, rest = path.partition(".")
    fields = dict(rule.fields or {})
    if rest:
        fields[head] = _without(fields[head], rest)
    else:
        del fields[head]
    return replace(rule, fields=fields)


_MISSING_IN_1_8 = ("spec.strategy.canary.replicaProgressThreshold",)  # delivery-systems.md section 2.20

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("argo-rollouts@1.10", _ARGO, _PRUNED),
        Profile("argo-rollouts@1.8", {**_ARGO, "Rollout": reduce(_without, _MISSING_IN_1_8, _ARGO["Rollout"])}, _PRUNED),
        Profile("flagger@1.41", {"Canary": thing(_FLAGGER_CANARY), "analysis": _FLAGGER_ANALYSIS,
                                 "MetricTemplate": thing(_METRIC_TEMPLATE)}, _PRUNED),
        Profile("kubernetes@1.32", {"Deployment": thing(_DEPLOYMENT)}, _PRUNED),
        Profile("compose", {"compose": _COMPOSE}, "kept as written: it says nothing about updates"),
    )
}  # fmt: skip
DEFAULTS = {
    "argo-rollouts": "argo-rollouts@1.10",
    "flagger": "flagger@1.41",
    "kubernetes": "kubernetes@1.32",
    "compose": "compose",
}


def choose(system: str, wanted: str | None) -> Profile:
    """The profile for a system: the wanted one where it is one of this system, else the default; PolicyError for an unknown name."""
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
