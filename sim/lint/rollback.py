"""The way back, and waiting: deadlines, old pods, history, images, migrations (L17 to L20, L28, L29, L41, L42)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sim.lint.files import Files
from sim.lint.finding import Finding
from sim.lint.spot import Spot, seconds

__all__ = ["check"]

LATE = 30.0  # seconds: endpoints and DNS (DS 13, L20)
LONG = 3600.0  # seconds: pods of an aborted canary kept for more than this are a cost
_MOVING = frozenset(
    ("", "latest", "main", "master", "dev", "develop", "edge", "nightly", "stable", "prod", "production", "staging")
)
_MIGRATION = re.compile(r"\b(?:migrate|migrations?|flyway|liquibase|alembic|db-migrate|goose up)\b", re.IGNORECASE)
_SUBSCRIBE = "notifications.argoproj.io/subscribe"


def check(files: Files) -> Iterator[Finding]:
    """Findings about objects that run pods."""
    for rollout in files.objects("Rollout"):
        if rollout.child("spec").has("strategy"):
            for rule in _ROLLOUT:
                yield from rule(rollout)
    driven = _driven(files)
    for canary in files.objects("Canary"):
        yield from _target_in_time(files, canary.child("spec"))
    for workload in files.objects("Deployment"):
        yield from _ready_in_time(workload)
        if workload.child("metadata").text("name") not in driven:
            yield from _deployment(workload)
    for workload in files.objects("Rollout", "Deployment"):
        yield from _images(workload)
        yield from _migrations(workload)


def _driven(files: Files) -> set[str]:
    """Deployments that a Rollout or a Canary of the set drives: those decide when a pod counts as good."""
    owners = [("Rollout", "workloadRef"), ("Canary", "targetRef")]
    return {one.child("spec", field).text("name") for kind, field in owners for one in files.objects(kind)}


# ---- deadlines ----


def _ready_in_time(workload: Spot) -> Iterator[Finding]:
    """A pod that cannot be available before the deadline."""
    spec = workload.child("spec")
    ready = seconds(spec.get("minReadySeconds"), 0.0)
    first = max((_first_probe(container) for container in _containers(spec, "containers")), default=0.0)
    deadline = seconds(spec.get("progressDeadlineSeconds"), 600.0)
    if deadline <= ready + first and spec.has("progressDeadlineSeconds"):
        parts = " + ".join(
            f"{value:g}s {what}"
            for value, what in ((first, "until the first probe"), (ready, "minReadySeconds"))
            if value
        )
        yield spec.found("L17", f"a deadline of {deadline:g}s, a pod takes at least {parts}", "progressDeadlineSeconds")


def _target_in_time(files: Files, spec: Spot) -> Iterator[Finding]:
    """Flagger rolls back when the canary is not ready by its deadline; the pods are those of the target."""
    found = files.catalog.find("Deployment", spec.child("targetRef").text("name"), spec.document)
    if found is None or not spec.has("progressDeadlineSeconds"):
        return
    target = Spot(found, (), found.value).child("spec")
    ready = seconds(target.get("minReadySeconds"), 0.0)
    first = max((_first_probe(container) for container in _containers(target, "containers")), default=0.0)
    deadline = seconds(spec.get("progressDeadlineSeconds"), 600.0)
    if deadline <= ready + first:
        words = f"the canary has {deadline:g}s to become ready, its pods take at least {ready + first:g}s: every release rolls back"
        yield spec.found(
            "L17", words, "progressDeadlineSeconds", remedy="raise progressDeadlineSeconds above the start of a pod"
        )


def _first_probe(container: Spot) -> float:
    """Seconds before a container can be ready at all: the first startup and readiness probe."""
    return max(
        seconds(container.child(name).get("initialDelaySeconds"), 0.0) for name in ("startupProbe", "readinessProbe")
    )


def _deadline(rollout: Spot) -> Iterator[Finding]:
    spec = rollout.child("spec")
    late = list(_ready_in_time(rollout))
    yield from late
    if not late and spec.has("progressDeadlineSeconds") and not spec.get("progressDeadlineAbort"):
        words = f"after {spec.get('progressDeadlineSeconds')}s without progress the rollout is Degraded, and the canary keeps its traffic"
        yield spec.found(
            "L17",
            words,
            "progressDeadlineSeconds",
            severity="note",
            remedy="set progressDeadlineAbort: true to go back",
        )


# ---- people ----


def _people(rollout: Spot) -> Iterator[Finding]:
    annotations = rollout.child("metadata", "annotations")
    if any(name.startswith(_SUBSCRIBE) for name in annotations.names()):
        return
    strategy = rollout.child("spec", "strategy")
    waits = [step for step in strategy.child("canary").items("steps") if _manual(step)]
    if waits:
        others = f", and {len(waits) - 1} more" if len(waits) > 1 else ""
        yield waits[0].found("L18", f"a pause without duration{others}", "pause")
    if strategy.child("blueGreen").get("autoPromotionEnabled") is False:
        yield strategy.child("blueGreen").found("L18", "autoPromotionEnabled: false", "autoPromotionEnabled")


def _manual(step: Spot) -> bool:
    return "pause" in step.names() and not step.child("pause").has("duration")


# ---- old and aborted pods ----


def _pods_kept(rollout: Spot) -> Iterator[Finding]:
    name = "abortScaleDownDelaySeconds"
    for strategy in ("canary", "blueGreen"):
        spot = rollout.child("spec", "strategy", strategy)
        if not spot.has(name):
            continue
        delay = seconds(spot.get(name), 30.0)
        if delay == 0:
            kept = strategy == "blueGreen" or any("setCanaryScale" in step.names() for step in spot.items("steps")[:1])
            words = (
                "keeps the pods of an aborted rollout for ever"
                if kept
                else "takes the canary's pods away under the requests they still work on"
            )
            yield spot.found("L19", f"abortScaleDownDelaySeconds 0 {words}", name)
        elif delay > LONG:
            yield spot.found("L19", f"pods of an aborted rollout stay {delay / 3600:g} h", name)


def _pods_gone(rollout: Spot) -> Iterator[Finding]:
    spot = rollout.child("spec", "strategy", "blueGreen")
    delay = seconds(spot.get("scaleDownDelaySeconds"), LATE)
    if spot.has("scaleDownDelaySeconds") and delay < LATE:
        yield spot.found("L20", f"the old pods go {delay:g}s after the switch", "scaleDownDelaySeconds")


# ---- history ----


def _history(rollout: Spot) -> Iterator[Finding]:
    spec = rollout.child("spec")
    limit, window = spec.whole("revisionHistoryLimit", 10), spec.child("rollbackWindow")
    if window.whole("revisions", 0) > limit:
        yield window.found(
            "L29", f"a window of {window.whole('revisions', 0)} revisions, a history of {limit}", "revisions"
        )
    if limit == 0:
        yield spec.found(
            "L28", "revisionHistoryLimit 0 keeps no old ReplicaSet: there is nothing to undo to", "revisionHistoryLimit"
        )


def _deployment(workload: Spot) -> Iterator[Finding]:
    spec = workload.child("spec")
    if spec.whole("revisionHistoryLimit", 10) == 0:
        yield spec.found(
            "L28", "revisionHistoryLimit 0 keeps no old ReplicaSet: there is nothing to undo to", "revisionHistoryLimit"
        )
    containers = _containers(spec, "containers")
    if (
        spec.whole("minReadySeconds", 0) == 0
        and containers
        and not any(one.has("readinessProbe") for one in containers)
    ):
        words = "without readinessProbe and minReadySeconds a pod is good the moment it starts: "
        words += "a build that crashes 5s later is rolled out everywhere"
        yield spec.found("L28", words, "minReadySeconds")


# ---- pods ----


def _images(workload: Spot) -> Iterator[Finding]:
    for container in [
        *_containers(workload.child("spec"), "initContainers"),
        *_containers(workload.child("spec"), "containers"),
    ]:
        image = container.text("image")
        if not image or "@" in image or "{{" in image or "$(" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in _MOVING:
            yield container.found(
                "L41",
                f"image {image} " + (f"has the moving tag {tag}" if tag else "has no tag, which means latest"),
                "image",
            )


def _migrations(workload: Spot) -> Iterator[Finding]:
    for container in _containers(workload.child("spec"), "initContainers"):
        words = " ".join(str(item) for name in ("name", "command", "args") for item in _listed(container.get(name)))
        if found := _MIGRATION.search(words):
            yield container.found(
                "L42",
                f"init container {container.text('name')} runs {found[0]!r} before the new version starts",
                "name",
            )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _containers(spec: Spot, name: str) -> list[Spot]:
    return spec.child("template", "spec").items(name)


_ROLLOUT: tuple[Callable[[Spot], Iterator[Finding]], ...] = (_deadline, _people, _pods_kept, _pods_gone, _history)
