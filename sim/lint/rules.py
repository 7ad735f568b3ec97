"""The rules: data. L1 to L32 are those of delivery-systems.md section 13 (written DS), the others come from the issue.

Each rule is checked by one function of the module that is named beside it; the words here are what a finding says when it has no
better ones.
"""

from __future__ import annotations

from sim.lint.finding import Rule, Severity

__all__ = ["RULES", "named"]


def _rule(number: int, name: str, severity: Severity, title: str, why: str, remedy: str, source: str = "DS 13") -> Rule:
    return Rule(f"L{number}", name, severity, title, why, remedy, source.replace("DS ", "delivery-systems.md "))


_TABLE = (
    # ---- conditions.py ----
    _rule(
        1, "condition-error", "error", "A condition that can never be judged",
        "the condition is checked against the provider's result before it runs, so every measurement is an Error",
        "correct the condition", "DS 3, 13",
    ),
    _rule(
        2, "index-on-empty", "warning", "result[0] without a guard",
        "no data is an empty list, indexing it is an Error, and consecutiveErrorLimit + 1 Errors in a row, 10 s apart, abort",
        "say what no data means, e.g. len(result) > 0 && result[0] < 0.05 (a failed look) or `len(result) == 0 || ...` (a passed one)",
        "DS 12 Q1, 13",
    ),
    _rule(
        3, "unknown-undecided", "warning", "What missing data means was not decided",
        "the language decides in the author's place, and not the way the condition reads",
        "decide it in the condition: len(result) for no data, isNaN(result[0]) for 0/0, default(result, x) for nil",
        "DS 3.6, 12 Q1-Q5",
    ),
    _rule(
        4, "guard-argument", "warning", "isNil or default on something else than result",
        "both ignore their first argument: isNil(x) asks whether the whole result is nil, default(x, d) gives the whole result",
        "write isNil(result) or default(result, d); for one member use (result.x ?? d)", "DS 12 Q5",
    ),
    _rule(
        5, "not-binds-tighter", "warning", "not before a comparison",
        "not and ! bind tighter than a comparison: `not a == b` is `(not a) == b`",
        "put the comparison in parentheses: not (a == b), or write a != b", "DS 3.2",
    ),
    _rule(
        6, "no-condition", "error", "A metric without a condition",
        "without successCondition and failureCondition every value counts as Successful",
        "add successCondition or failureCondition, or list the metric under dryRun", "DS 2.2",
    ),
    # ---- timing.py ----
    _rule(
        7, "background-cut", "warning", "A background run that cannot finish",
        "a background run is ended as Successful when the last step is done, and gates nothing",
        "lengthen the pauses, shorten the run, or make it a step (analysis:)", "DS 12 Q11",
    ),
    _rule(
        8, "never-measured", "warning", "A metric that never runs",
        "the rollout is over before the first measurement, and passes unmeasured",
        "shorten initialDelay, lower startingStep, or lengthen the steps", "DS 12 Q12",
    ),
    # ---- detection.py ----
    _rule(
        9, "few-requests", "warning", "Too few requests in a measurement",
        "one failed request decides the look: the verdict is chance",
        "raise the weight, or let the query look back longer", "DS 13; judges.md 3",
    ),
    # ---- queries.py, timing.py ----
    _rule(
        10, "window-over-step", "warning", "A query that looks back further than the step lasts",
        "every look mixes in traffic from before the weight changed",
        "lengthen the pause beyond the range of the query, or shorten the range",
    ),
    _rule(
        11, "error-limit-short", "warning", "Errors abort before the metrics backend is back",
        "after an Error the next try comes 10 s later, whatever the interval; a restart of the backend takes about 30 s (estimate)",
        "raise consecutiveErrorLimit to 4 (the default) or more", "DS 2.5, 12 Q6",
    ),
    _rule(
        12, "one-strike", "note", "The first failure of many looks aborts",
        "limits are exceeded, not reached: failureLimit 0 ends at the first failure, and every look adds its own chance of a fluke",
        "allow some: failureLimit 1 or 2", "DS 12 Q8",
    ),
    _rule(
        13, "rejected", "error", "Refused by the real validator",
        "the cluster refuses this object, or the run is an Error before its first measurement", "correct it", "DS 2.18",
    ),
    # ---- weights.py ----
    _rule(
        14, "pods-are-not-weight", "warning", "The share of pods is far from the weight",
        "without a traffic router the weight is a ratio of pods, and pods are whole",
        "add replicas or a router, or choose weights that the pods can show", "DS 2.9, 12 Q15",
    ),
    _rule(
        15, "scale-stays", "warning", "A fixed canary size under a later weight",
        "setCanaryScale stays in force over later setWeight until matchTrafficWeight",
        "add a step setCanaryScale: {matchTrafficWeight: true} before the weight", "DS 12 Q17",
    ),
    _rule(
        16, "capacity", "warning", "More traffic than the pods can carry",
        "what comes beyond the capacity of the pods waits or is lost", "give the canary more pods, or a lower weight",
    ),
    # ---- rollback.py ----
    _rule(
        17, "deadline", "warning", "A progress deadline that does not do what it seems to",
        "the deadline runs while pods start, and in Argo Rollouts it only marks the rollout Degraded",
        "raise progressDeadlineSeconds above the start of a pod, and set progressDeadlineAbort: true", "DS 2.17, 12 Q14",
    ),
    _rule(
        18, "waits-unannounced", "note", "Waits for a person whom nothing calls",
        "the rollout stands until somebody promotes it, and nothing here tells anybody",
        "subscribe a notification (notifications.argoproj.io/subscribe.on-rollout-paused...), or give the pause a duration",
    ),
    _rule(
        19, "abort-delay", "warning", "Pods of an aborted rollout stay too long, or go too soon",
        "0 is no short delay: a canary's pods go in the moment in which their traffic is taken away, and those of a first setCanaryScale, "
        "and of a blue-green preview, stay for ever",
        "leave abortScaleDownDelaySeconds out (30 s), or give a delay that you want to pay for",
        "DS 12 Q19; corrected by the recorded history router-abort-delay-0",
    ),
    _rule(
        20, "old-pods-gone", "warning", "The old pods go before the switch has arrived",
        "endpoints and DNS lag behind the switch of the service (30 s advised), and a fast way back needs the old pods",
        "use scaleDownDelaySeconds: 30 or more",
    ),
    # ---- flagger.py ----
    _rule(
        21, "weights-odd", "warning", "Weights that do not end where they seem to",
        "Flagger adds steps until maxWeight is reached or passed, and never clamps to it",
        "make maxWeight a multiple of stepWeight, and let stepWeights rise to at most 100", "DS 12 Q25",
    ),
    _rule(
        22, "threshold-flakes", "warning", "Flakes alone reach the threshold",
        "failed checks are never forgiven: they add up over the whole analysis", "raise threshold", "DS 12 Q24",
    ),
    _rule(
        23, "never-advances", "error", "An analysis that cannot do what it says",
        "the controller takes it without a complaint, and does something else", "correct it", "DS 12 Q27, Q28, Q34",
    ),
    _rule(
        24, "overlapping-windows", "warning", "One incident fails several checks",
        "the metric looks back further than the analysis ticks, so the same bad minute is counted again and again",
        "make the metric's interval at most the analysis interval, or count on it in threshold",
    ),
    _rule(
        25, "no-range", "warning", "A templated metric without thresholdRange",
        "without a range any value above 0 fails the check", "add thresholdRange: {max: ...} or {min: ...}", "DS 12 Q27",
    ),
    _rule(
        26, "gate-unwatched", "warning", "A gate that waits unwatched",
        "gates never expire; while one waits, the canary keeps its traffic and nothing can roll it back",
        "add metrics, or a webhook of type rollback", "DS 12 Q30",
    ),
    # ---- swarm.py ----
    _rule(
        27, "swarm-update", "warning", "A Swarm update that does not notice, or does not go back",
        "only tasks that die within monitor count, and the default action is to pause half-way",
        "monitor: longer than the health check needs; failure_action: rollback", "DS 7, 12 Q35-Q37",
    ),
    # ---- rollback.py ----
    _rule(
        28, "no-way-back", "warning", "A Deployment that takes a bad build, or cannot go back",
        "a pod counts as good as soon as it is ready, and without old ReplicaSets there is nothing to undo to",
        "set minReadySeconds, a readinessProbe and revisionHistoryLimit", "DS 12 Q38, Q39",
    ),
    _rule(
        29, "window-over-history", "warning", "A rollback window that the history cannot serve",
        "the ReplicaSet of an older revision is deleted already, so the way back is a full rollout",
        "raise revisionHistoryLimit to rollbackWindow.revisions or more",
    ),
    # ---- kayenta.py ----
    _rule(
        30, "kayenta", "warning", "A canary judgement without evidence",
        "few points, equal marks or optional critical metrics let a release pass (or fail) unseen",
        "longer intervals, marginal below pass, mustHaveData for critical metrics", "DS 9, 12 Q40, Q41",
    ),
    # ---- references.py ----
    _rule(
        31, "unresolved", "error", "A name that nothing in the files has",
        "if the cluster does not have it either, the run is an Error at its first use",
        "give the file that holds it too, or correct the name",
    ),
    _rule(
        32, "unknown-field", "note", "A field that this version does not know",
        "the API server drops it silently, so it does nothing", "correct the name, or remove it",
    ),
    # ---- the issue's own ----
    _rule(
        33, "no-canary-pod", "warning", "A weight that rounds to no pod",
        "nothing of the new version runs in this step, so nothing is tried", "add replicas, or a higher weight", "DS 2.9; issue 4",
    ),
    _rule(
        34, "false-rollback", "warning", "A healthy service crosses the threshold",
        "a rollback of a good release costs trust: people start to promote by hand",
        "allow more failures, look at more requests, or move the threshold away from what is normal", "judges.md 3; issue 4",
    ),
    _rule(
        35, "blind", "warning", "Too few samples to see the regression",
        "a release that is this bad passes all looks more often than one time in five",
        "more looks, a higher weight, or a stricter condition", "judges.md 3; issue 4",
    ),
    _rule(
        36, "range-short", "warning", "A range that holds fewer than two scrapes",
        "rate and increase need two samples in the range; with fewer there is no data",
        "use a range of at least two scrape intervals, better four", "Prometheus: querying/functions",
    ),
    _rule(
        37, "rate-of-gauge", "warning", "A counter function on a gauge",
        "rate, irate and increase read every fall as a restart of the counter, which makes nonsense of a value that goes up and down",
        "use delta or deriv, or avg_over_time", "Prometheus: querying/functions",
    ),
    _rule(
        38, "query-error", "error", "A query that does not parse",
        "the metrics backend refuses it, and every measurement is an Error", "correct the query", "DS 2.3",
    ),
    _rule(
        39, "zero-for-nothing", "warning", "Missing data is read as 0",
        "`or vector(0)` answers 0 when there is nothing to answer, and this condition passes on 0: no data promotes",
        "ask for traffic as well, e.g. a metric on the number of requests", "DS 14: argo-rollouts#3503",
    ),
    _rule(
        40, "useless-suppression", "warning", "A suppression that hides nothing",
        "it would hide the next finding in this place, which nobody has looked at", "remove the comment", "issue 4",
    ),
    _rule(
        41, "mutable-image", "warning", "A rollback that pulls the new code",
        "the tag moves: the old ReplicaSet names it too, so its pods pull whatever it points to by then",
        "name a fixed tag, or a digest", "DS 5; pipeline-systems.md",
    ),
    _rule(
        42, "migration", "note", "A rollback does not undo the migration",
        "the old code comes back, the new schema stays", "make migrations that both versions can live with (expand, then contract)",
        "faults.md",
    ),
    _rule(
        43, "retention", "warning", "The registry deletes what a rollback needs",
        "retention does not know which images are live", "keep at least as many images as revisions that you may go back to",
        "pipeline-systems.md",
    ),
    _rule(
        44, "cannot-fail", "warning", "A metric that cannot fail",
        "a limit is exceeded, not reached: with as many failures allowed as there are measurements, the metric always passes",
        "lower failureLimit below count", "DS 2.5, 12 Q8",
    ),
    _rule(
        45, "not-shown", "warning", "A query about something that the service does not show",
        "there is no data: with --service, the metrics and labels are those that its telemetry has",
        "correct the name, or add the metric to the service (telemetry:)", "issue 4",
    ),
    _rule(
        46, "deadline-under-wait", "warning", "A deadline that is shorter than the waits inside it",
        "the deadline ends it before the waits are over, whatever the release is like",
        "raise the deadline above the sum of the waits, or shorten them", "DS 8; issue 4",
    ),
    # ---- rollback.py ----
    _rule(
        47, "abort-never-ends", "error", "An abort that never ends",
        "with dynamicStableScale and an abort delay that is written out, stable waits for the canary's pods to go before it takes more of "
        "the traffic, and they wait for stable to be complete: the bad version keeps what it has, until somebody acts",
        "remove abortScaleDownDelaySeconds (the pods of the canary then go with their traffic), or dynamicStableScale",
        "DS 2.13.4; recorded history dynamic-stable-delay",
    ),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.id: rule for rule in _TABLE}
_NAMES = {rule.name: rule for rule in _TABLE}


def named(word: str) -> Rule | None:
    """The rule with this id or name, in any case."""
    return RULES.get(word.upper()) or _NAMES.get(word.lower())
