"""An Argo Rollout -> `Canary` or `BlueGreen` (delivery-systems.md section 2; defaults of 2.1)."""

from __future__ import annotations

from sim.files import Document
from sim.manifests.argo_analysis import Analyses
from sim.manifests.argo_checks import check_blue_green, check_canary, check_rollout, routers
from sim.manifests.argo_steps import Steps
from sim.manifests.catalog import Catalog, kind_and_name
from sim.manifests.fields import Reader, Scope
from sim.manifests.profiles import Profile
from sim.manifests.report import ImportedPolicy, Reference
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.errors import PolicyError

__all__ = ["read_experiment", "read_rollout"]


def read_rollout(document: Document, catalog: Catalog, scope: Scope, profile: Profile) -> ImportedPolicy:
    spec = Reader(scope, document, document.value).child("spec")
    analyses = Analyses(catalog, document, profile.name)
    check_rollout(spec)
    _workload(spec, catalog, analyses)
    strategy = spec.child("strategy")
    policy: Canary | BlueGreen | None = None
    try:
        if strategy.has("canary"):
            check_canary(strategy.child("canary"))
            policy = _canary(strategy.child("canary"), spec, analyses, profile)
        elif strategy.has("blueGreen"):
            check_blue_green(strategy.child("blueGreen"), spec)
            policy = _blue_green(strategy.child("blueGreen"), spec, analyses)
    except PolicyError as error:
        strategy.block(str(error))
    name = kind_and_name(document.value)[1]
    usable = None if scope.blocked or scope.faulty else policy
    references = tuple(dict.fromkeys(analyses.references))
    return ImportedPolicy(
        name, "Rollout", usable, spec.whole("replicas", 1, 0), profile.name, document.file, document.value, references
    )


def read_experiment(document: Document, catalog: Catalog, scope: Scope, profile: Profile) -> ImportedPolicy:
    """An Experiment on its own, as a rollout of that one step: it ends as the experiment does."""
    spec = Reader(scope, document, document.value).child("spec")
    analyses = Analyses(catalog, document, profile.name)
    if not spec.items("templates"):
        spec.reject("no templates", "give at least one: templates: [{name: canary, template: ...}]")
    policy: Canary | None = None
    try:
        step = Steps(analyses, 100).experiment(spec)
        deadline = float(spec.whole("progressDeadlineSeconds", 600, 1))
        policy = None if step is None else Canary(steps=(step,), router=False, progress_deadline=deadline)
    except PolicyError as error:
        spec.block(str(error))
    said = "an Experiment promotes nothing: read as a rollout with this one step, which promotes when it is Successful"
    scope.remark(document, (), "approximated", said)
    name = kind_and_name(document.value)[1]
    usable = None if scope.blocked or scope.faulty else policy
    references = tuple(dict.fromkeys(analyses.references))
    return ImportedPolicy(name, "Experiment", usable, 1, profile.name, document.file, document.value, references)


def _workload(spec: Reader, catalog: Catalog, analyses: Analyses) -> None:
    """The Deployment that the Rollout takes its pod template from."""
    if not spec.has("workloadRef"):
        return
    reference = spec.child("workloadRef")
    kind, name = reference.text("kind"), reference.text("name")
    found = catalog.find(kind, name, spec.document) is not None
    analyses.references.append(Reference(kind, name, found))
    if not found:
        said = f"unresolved reference: {kind} {name} is not in the files given; what its pods run decides nothing"
        reference.remark("ignored", said, "name")


def _canary(canary: Reader, spec: Reader, analyses: Analyses, profile: Profile) -> Canary | None:
    maximum = canary.child("trafficRouting").whole("maxTrafficWeight", 100, 1)
    steps = Steps(analyses, maximum).read(canary)
    background = analyses.read(canary.child("analysis"), "background") if canary.has("analysis") else None
    if steps is None:
        return None
    return Canary(
        steps=steps,
        background=background,
        starting_step=canary.child("analysis").whole("startingStep", 0, 0),
        router=bool(routers(canary)),
        max_surge=canary.share("maxSurge", "25%"),
        max_unavailable=canary.share("maxUnavailable", "25%"),
        min_pods=canary.whole("minPodsPerReplicaSet", 0, 0),
        dynamic_stable_scale=canary.flag("dynamicStableScale"),
        scale_down_delay=float(canary.whole("scaleDownDelaySeconds", 30, 0)),
        scale_down_delay_revisions=_limit(canary),
        abort_scale_down_delay=_abort_delay(canary),
        pods_follow_abort=not canary.has("abortScaleDownDelaySeconds"),
        max_weight=maximum,
        progress_deadline=float(spec.whole("progressDeadlineSeconds", 600, 0)),
        progress_deadline_abort=spec.flag("progressDeadlineAbort"),
        rollback_window=spec.child("rollbackWindow").whole("revisions", 0, 0),
        paused=spec.flag("paused"),
        min_ready=float(spec.whole("minReadySeconds", 0, 0)),
        progress_threshold=_threshold(canary, profile),
        profile="argo-rollouts@1.8" if profile.name == "argo-rollouts@1.8" else "argo-rollouts@1.10",
    )


def _threshold(canary: Reader, profile: Profile) -> int | str | None:
    """replicaProgressThreshold; any type but Percent counts pods, and a negative value is as none (utils/replicaset/canary.go)."""
    if not canary.has("replicaProgressThreshold") or profile.name == "argo-rollouts@1.8":
        return None
    threshold = canary.child("replicaProgressThreshold")
    value = threshold.whole("value", 0)
    return None if value < 0 else f"{value}%" if threshold.text("type") == "Percent" else value


def _blue_green(blue_green: Reader, spec: Reader, analyses: Analyses) -> BlueGreen:
    if analyses.engine == "argo-rollouts@1.8" and spec.flag("progressDeadlineAbort"):
        spec.remark("approximated", "the reason of an abort is kept, as 1.10 does", "progressDeadlineAbort")
    runs = [
        analyses.read(blue_green.child(name), "blocking") if blue_green.has(name) else None
        for name in ("prePromotionAnalysis", "postPromotionAnalysis")
    ]
    delay, preview = blue_green.has("scaleDownDelaySeconds"), blue_green.has("previewReplicaCount")
    return BlueGreen(
        pre=runs[0],
        post=runs[1],
        auto_promotion=blue_green.flag("autoPromotionEnabled", True),
        auto_promotion_after=float(blue_green.whole("autoPromotionSeconds", 0, 0)),
        preview_replicas=blue_green.whole("previewReplicaCount", 1, 0) if preview else None,
        scale_down_delay=float(blue_green.whole("scaleDownDelaySeconds", 30, 0)) if delay else None,
        scale_down_delay_revisions=_limit(blue_green),
        abort_scale_down_delay=_abort_delay(blue_green),
        preview=blue_green.has("previewService"),
        progress_deadline=float(spec.whole("progressDeadlineSeconds", 600, 0)),
        progress_deadline_abort=spec.flag("progressDeadlineAbort"),
        rollback_window=spec.child("rollbackWindow").whole("revisions", 0, 0),
        paused=spec.flag("paused"),
        min_ready=float(spec.whole("minReadySeconds", 0, 0)),
    )


def _abort_delay(strategy: Reader) -> float | None:
    """Seconds; an explicit 0 is None: no deadline (what that means: `Canary`, `BlueGreen`)."""
    return float(strategy.whole("abortScaleDownDelaySeconds", 30, 0)) or None


def _limit(strategy: Reader) -> int | None:
    name = "scaleDownDelayRevisionLimit"
    return strategy.whole(name, 0, 0) if strategy.has(name) else None
