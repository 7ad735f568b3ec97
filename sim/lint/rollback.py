"""The way back, and waiting: deadlines, people, old pods, history, aborts (L17 to L20, L28, L29, L47)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sim.lint.files import Files, Subject
from sim.lint.finding import Finding
from sim.lint.pods import containers, late
from sim.lint.spot import Spot, seconds
from sim.policy.canary import Canary
from sim.policy.steps import Pause, ScaleCanary, SetWeight

__all__ = ["aborts", "check"]

LATE = 30.0  # seconds: endpoints and DNS (DS 13, L20)
LONG = 3600.0  # seconds: pods of an aborted canary kept for more than this are a cost
_SUBSCRIBE = "notifications.argoproj.io/subscribe"


def check(files: Files) -> Iterator[Finding]:
    """Findings about objects that run pods."""
    for rollout in files.objects("Rollout"):
        if rollout.child("spec").has("strategy"):
            for rule in _ROLLOUT:
                yield from rule(rollout)
    driven = _driven(files)
    for workload in files.objects("Deployment"):
        if workload.child("metadata").text("name") not in driven:
            yield from _deployment(workload)


def _driven(files: Files) -> set[str]:
    """Deployments that a Rollout or a Canary of the set drives: those decide when a pod counts as good."""
    owners = [("Rollout", "workloadRef"), ("Canary", "targetRef")]
    return {one.child("spec", field).text("name") for kind, field in owners for one in files.objects(kind)}


# ---- deadlines ----


def _deadline(rollout: Spot) -> Iterator[Finding]:
    spec = rollout.child("spec")
    if spec.has("progressDeadlineSeconds") and not spec.get("progressDeadlineAbort") and not list(late(rollout)):
        passed = f"after {spec.get('progressDeadlineSeconds')}s without progress"
        words = f"{passed} the rollout is Degraded, and the canary keeps its traffic"
        remedy = "set progressDeadlineAbort: true to go back"
        yield spec.found("L17", words, "progressDeadlineSeconds", severity="note", remedy=remedy)


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
    found = containers(spec)
    if spec.whole("minReadySeconds", 0) == 0 and found and not any(one.has("readinessProbe") for one in found):
        words = "without readinessProbe and minReadySeconds a pod is good the moment it starts: "
        words += "a build that crashes 5s later is rolled out everywhere"
        yield spec.found("L28", words, "minReadySeconds")


# ---- aborts ----

_STEADY, _PATIENT = 1000.0, 86_400.0  # seconds: by then all pods stand; by then an abort is over if it ever is


def aborts(subject: Subject) -> Iterator[Finding]:
    """A canary that is aborted at each of its weights: the policy itself says whether it comes back."""
    policy = subject.policy
    if not isinstance(policy, Canary) or not policy.dynamic_stable_scale or policy.pods_follow_abort:
        return  # everywhere else an abort takes the traffic away at once, or together with the pods
    moves = tuple(step for step in policy.steps if isinstance(step, SetWeight | ScaleCanary))
    for index, step in enumerate(moves):
        left = _left(policy, (*moves[: index + 1], Pause(None), *moves[index + 1 :]), subject.replicas)
        if isinstance(step, SetWeight) and left > 0:
            words = f"an abort at weight {step.weight:g} leaves {100 * left / policy.max_weight:.3g}% of the traffic to the canary for ever"
            imported = subject.kind == "Rollout"
            holder = subject.root.child("strategy", "canary") if imported else subject.root
            yield holder.found("L47", words, "abortScaleDownDelaySeconds" if imported else "pods_follow_abort")
            return


def _left(policy: Canary, steps: tuple[SetWeight | ScaleCanary | Pause, ...], replicas: int) -> float:
    """The weight that the canary keeps when it is aborted in the pause of these steps."""
    from sim.tracing.run import trace
    from sim.tracing.script import Happening, Script

    script = Script(ready=1.0, events=(Happening(_STEADY, "abort"),), until=_PATIENT)
    bare = replace(policy, steps=steps, background=None, starting_step=0)
    entries = trace(bare, script, replicas=replicas).entries
    return next((float(entry["weight"]) for entry in reversed(entries) if "weight" in entry), 0.0)


_ROLLOUT: tuple[Callable[[Spot], Iterator[Finding]], ...] = (_deadline, _people, _pods_kept, _pods_gone, _history)
