"""The tables of known fields: what each manifest may say, and how it is read. Data, with a few words to write it in.

Sources: the types of argoproj/argo-rollouts and fluxcd/flagger, the Deployment of Kubernetes 1.32, the Compose
specification; delivery-systems.md sections 2, 4, 5, 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sim.manifests.report import Status

__all__ = [
    "COMPOSE",
    "DEPLOYMENT",
    "EXPERIMENT",
    "FLAGGER_CANARY",
    "KAYENTA",
    "KRUISE",
    "METRIC_TEMPLATE",
    "ROLLOUT",
    "SPINNAKER",
    "TEMPLATE",
    "Rule",
    "thing",
    "without",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a field is read. `fields` None: what is below stays as it is; `unless`: the value that needs no remark."""

    status: Status = "exact"
    text: str = ""
    fields: Mapping[str, Rule] | None = None
    unless: object = None


def of(known: str, **rules: Rule) -> Rule:
    """An object: the fields that are read as they stand, and those with a rule of their own."""
    return Rule(fields={**dict.fromkeys(known.split(), Rule()), **rules})


def ignored(text: str) -> Rule:
    return Rule("ignored", text)


def near(text: str, unless: object = None) -> Rule:
    return Rule("approximated", text, unless=unless)


_LABELS = ignored("labels and annotations decide nothing")


def thing(spec: Rule) -> Rule:
    """A Kubernetes object."""
    return of("apiVersion kind", metadata=_METADATA, spec=spec, status=ignored("the cluster's own notes"))


_METADATA = of("name namespace generateName", labels=_LABELS, annotations=_LABELS)
_POD = ignored("what runs in the pods is the scenario's service")
_SELECTOR = ignored("which pods belong to the workload is not in question")
_PLACEMENT = ignored("which node a pod runs on is not modeled")
_KEPT = ignored("finished runs and ReplicaSets are not kept")

_VALUE_FROM = of("podTemplateHashValue fieldRef secretKeyRef")
_ARGS = of("name value", valueFrom=_VALUE_FROM)
_ANALYSIS = of(
    "templates startingStep dryRun",
    args=_ARGS,
    measurementRetention=_KEPT,
    analysisRunMetadata=_LABELS,
)
_EXPERIMENT = of(
    "duration analyses dryRun scaleDownDelaySeconds",
    templates=of(
        "name specRef replicas",
        weight=near("an experiment's weight comes out of stable's share; here its pods get no traffic"),
        service=ignored("who calls a service of its own is not said"),
        selector=Rule(),
        metadata=_LABELS,
    ),
    analysisRunMetadata=_LABELS,
)
EXPERIMENT = replace(_EXPERIMENT, fields={
    **(_EXPERIMENT.fields or {}),
    "templates": replace((_EXPERIMENT.fields or {})["templates"], fields={
        **((_EXPERIMENT.fields or {})["templates"].fields or {}), "template": _POD, "selector": _SELECTOR,
        "minReadySeconds": near("the Rollout's counts for its pods too", unless=0),
    }),
    "progressDeadlineSeconds": Rule(),
    "terminate": near("an experiment that is told to end by itself; here it lasts as if it were not", unless=False),
})  # fmt: skip
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
    "abortScaleDownDelaySeconds canaryService stableService dynamicStableScale maxSurge maxUnavailable"
    " minPodsPerReplicaSet scaleDownDelaySeconds scaleDownDelayRevisionLimit",
    steps=_STEP,
    analysis=_ANALYSIS,
    antiAffinity=_PLACEMENT,
    canaryMetadata=_LABELS,
    stableMetadata=_LABELS,
    pingPong=ignored(
        "which of the two services is the stable one changes at each promotion, and no weight, pod or step"
    ),
    replicaProgressThreshold=of("type value"),
    trafficRouting=of(
        "alb ambassador apisix appMesh istio managedRoutes maxTrafficWeight nginx smi traefik",
        plugins=ignored("who routes changes no decision: a plugin is taken to do what it is asked"),
    ),
)
_BLUE_GREEN = of(
    "abortScaleDownDelaySeconds activeService autoPromotionEnabled autoPromotionSeconds previewReplicaCount"
    " previewService scaleDownDelaySeconds scaleDownDelayRevisionLimit",
    prePromotionAnalysis=_ANALYSIS,
    postPromotionAnalysis=_ANALYSIS,
    antiAffinity=_PLACEMENT,
    activeMetadata=_LABELS,
    previewMetadata=_LABELS,
    maxUnavailable=ignored("it only bounds restarts"),
)
ROLLOUT = of(
    "replicas progressDeadlineSeconds progressDeadlineAbort",
    selector=_SELECTOR,
    template=_POD,
    strategy=of("", canary=_CANARY, blueGreen=_BLUE_GREEN),
    workloadRef=of("apiVersion kind name", scaleDown=ignored("the Deployment's own pods are not modeled")),
    analysis=_KEPT,
    revisionHistoryLimit=_KEPT,
    minReadySeconds=Rule(),
    paused=Rule(),
    restartAt=near(
        "pods older than this moment are restarted, within maxUnavailable; here it is taken to have passed before"
    ),
    rollbackWindow=of("revisions"),
)
_METRIC = of(
    "name interval initialDelay count successCondition failureCondition"
    " failureLimit inconclusiveLimit consecutiveErrorLimit consecutiveSuccessLimit",
    provider=of("prometheus kayenta web datadog wavefront newRelic job cloudWatch graphite influxdb skywalking plugin"),
)
TEMPLATE = of("templates dryRun", args=_ARGS, metrics=_METRIC, measurementRetention=_KEPT)

_FLAGGER_SERVICE = ignored("how Flagger shapes its services and routes changes no decision")
_SCALER = ignored("the primary is not scaled by load here")
_FLAGGER_METRIC = of(
    "name interval threshold query templateVariables",
    thresholdRange=of("min max"),
    templateRef=of("apiVersion kind name namespace"),
)
_FLAGGER_ANALYSIS = of(
    "interval threshold maxWeight stepWeight stepWeights stepWeightPromotion iterations match mirror mirrorWeight"
    " primaryReadyThreshold canaryReadyThreshold",
    metrics=_FLAGGER_METRIC,
    alerts=ignored("alerts decide nothing"),
    sessionAffinity=Rule(
        "approximated",
        "its cookie keeps users who were once sent to the canary there; here only the weight decides, request by request",
        fields=dict.fromkeys(("cookieName", "maxAge"), Rule()),
    ),
    webhooks=of(
        "name type url",
        metadata=ignored("of what a webhook is sent, only the rate of a load test (`cmd`) counts"),
        timeout=ignored("a webhook answers at once, or not at all"),
        retries=ignored("a webhook answers at once, or not at all"),
        muteAlert=ignored("alerts decide nothing"),
        disableTLS=ignored("connections are not modeled"),
    ),
)
FLAGGER_CANARY = of(
    "provider skipAnalysis suspend progressDeadlineSeconds",
    analysis=_FLAGGER_ANALYSIS,
    canaryAnalysis=_FLAGGER_ANALYSIS,
    targetRef=of("apiVersion kind name"),
    autoscalerRef=of("apiVersion kind name", primaryScalerQueries=_SCALER, primaryScalerReplicas=_SCALER),
    ingressRef=_FLAGGER_SERVICE,
    routeRef=_FLAGGER_SERVICE,
    upstreamRef=_FLAGGER_SERVICE,
    service=_FLAGGER_SERVICE,
    metricsServer=ignored("the scenario says where metrics come from"),
    revertOnDeletion=ignored("the Canary is not deleted"),
)
METRIC_TEMPLATE = of("query", provider=of("type address secretRef region headers insecureSkipVerify"))

DEPLOYMENT = of(
    "replicas minReadySeconds progressDeadlineSeconds",
    selector=_SELECTOR,
    template=_POD,
    strategy=of("type", rollingUpdate=of("maxSurge maxUnavailable")),
    revisionHistoryLimit=_KEPT,
    paused=Rule(),
)

_KRUISE_STEP = of(
    "traffic weight replicas matches",
    pause=of("duration"),
    requestHeaderModifier=ignored("headers that are set on the way decide nothing"),
)
_KRUISE_PLAN = of(
    "failureThreshold enableExtraWorkloadForCanary trafficRoutingRef",
    steps=_KRUISE_STEP,
    trafficRoutings=of(
        "gracePeriodSeconds",
        **dict.fromkeys(
            (
                "service",
                "ingress",
                "gateway",
                "customNetworkRefs",
                "type",
                "additionalTrafficRoutings",
                "createCanaryService",
            ),
            ignored("who routes changes no decision"),
        ),
    ),
    patchPodTemplateMetadata=_LABELS,
    disableGenerateCanaryService=ignored("services are not modeled"),
)
_KRUISE_STRATEGY = of("paused type", canary=_KRUISE_PLAN, blueGreen=_KRUISE_PLAN)
_WORKLOAD = of("apiVersion kind name")
KRUISE = of(
    "disabled",
    workloadRef=_WORKLOAD,
    objectRef=of("type", workloadRef=_WORKLOAD),
    strategy=_KRUISE_STRATEGY,
    rolloutID=_LABELS,
)

_BATCHES = of("parallelism delay failure_action monitor max_failure_ratio order")
_DEPLOY = of(
    "mode replicas",
    update_config=_BATCHES,
    rollback_config=_BATCHES,
    restart_policy=near("a task that ended is replaced after 5 s, without end"),
)
COMPOSE = of("version name", services=of("", **{"*": of("image", deploy=_DEPLOY)}))


_ACCOUNTS = ignored("where judgements are kept and metrics are read decides nothing")
_CANARY_STAGE = of(
    "canaryConfigId scoreThresholds lifetimeDuration lifetimeHours lifetimeMins beginCanaryAnalysisAfterMins lookbackMins"
    " canaryAnalysisIntervalMins baselineAnalysisOffsetInMins",
    scopes=ignored("which series are compared is the scenario's service"),
    metricsAccountName=_ACCOUNTS, storageAccountName=_ACCOUNTS, configurationAccountName=_ACCOUNTS, siteLocal=_ACCOUNTS,
)  # fmt: skip
_CLUSTER = of(
    "strategy targetPercentages targetHealthyDeployPercentage delayBeforeCleanup delayBeforeDisableSec scaleDown"
    " delayBeforeScaleDownSec delayBeforeScaleDown capacity pipelineBeforeCleanup maxRemainingAsgs",
    rollback=of("onFailure"),
)
_STAGE_NOTE = ignored("what a stage is called, and what runs before it")
_STAGE = replace(_CLUSTER, fields={
    **(_CLUSTER.fields or {}), **dict.fromkeys(("type", "name", "continuePipeline"), Rule()), "clusters": _CLUSTER,
    "canaryConfig": _CANARY_STAGE, "analysisType": _STAGE_NOTE, "refId": _STAGE_NOTE, "requisiteStageRefIds": _STAGE_NOTE,
    "deployments": of(
        "", delayBeforeCleanup=ignored("the groups go after the decision"), serverGroupPairs=Rule(), clusterPairs=Rule(), baseline=_POD,
    ),
})  # fmt: skip
SPINNAKER = replace(_STAGE, fields={**(_STAGE.fields or {}), "stages": _STAGE})
KAYENTA = of(
    "name id judge description configVersion",
    classifier=of("groupWeights scoreThresholds"),
    metrics=of(
        "name groups",
        query=ignored("the samples are those of the scenario's service"),
        analysisConfigurations=of("", canary=of(
            "direction nanStrategy critical mustHaveData muted",
            outliers=of("strategy outlierFactor"),
            effectSize=of("measure allowedIncrease allowedDecrease criticalIncrease criticalDecrease"),
            tolerance=ignored("Kayenta never reads it"), confLevel=ignored("Kayenta never reads it"),
        )),
        scopeName=_ACCOUNTS,
    ),
    templates=_ACCOUNTS, applications=_ACCOUNTS, createdTimestamp=_ACCOUNTS, updatedTimestamp=_ACCOUNTS,
    createdTimestampIso=_ACCOUNTS, updatedTimestampIso=_ACCOUNTS,
)  # fmt: skip


def without(rule: Rule, path: str) -> Rule:
    """The table without one field."""
    head, _, rest = path.partition(".")
    fields = dict(rule.fields or {})
    if rest:
        fields[head] = without(fields[head], rest)
    else:
        del fields[head]
    return replace(rule, fields=fields)
