"""Rows of the rules about everything but metrics."""

from __future__ import annotations

from tests.lint.manifests import (
    ROUTED,
    STEP,
    Row,
    canary,
    deployment,
    flagger,
    kruise,
    metric,
    rollout,
    service,
    template,
)

__all__ = ["JSON", "OBJECTS"]

FLAGGER = "interval: 1m\nthreshold: 5\nmaxWeight: 50\nstepWeight: 10\n"
RANGE = "thresholdRange: {min: 99}, interval: 1m"
BUILT_IN = f"metrics: [{{name: request-success-rate, {RANGE}}}]"
KAYENTA = '{"name": "c", "judge": {"name": "NetflixACAJudge-v1.0"}, "metrics": [%s],\n'
KAYENTA += ' "classifier": {"scoreThresholds": {"pass": %s, "marginal": %s}}}'
STAGE = '{"stages": [{"type": "kayentaCanary", "canaryConfig": {"lifetimeDuration": "%s",\n'
STAGE += ' "canaryAnalysisIntervalMins": "%s", "scoreThresholds": {"pass": "75", "marginal": "50"}}}]}'
INIT = ", initContainers: [{name: schema, image: 'shop:1', command: [shop, %s]}]"
SCENARIO = """seatrial: scenario
policies: {roll: {rolling: {}}}
pipeline:
  artifacts: {keep: %s}
"""

LATENCY = "---\napiVersion: flagger.app/v1beta1\nkind: MetricTemplate\nmetadata: {name: l}\nspec: {query: up}\n"
HEALTH = "healthcheck: {interval: 10s, retries: 3, start_period: 15s}"
HOST = "ports: [{target: 80, published: 80, mode: host}]"
# rule: (bad manifest, what stands on the line of the finding, what it says, the nearest good manifest)
DYNAMIC = ROUTED + "\n    dynamicStableScale: true"
TARGET = "---\n" + deployment("minReadySeconds: 60")
SHORT = "targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}\n  progressDeadlineSeconds: "
OBJECTS: dict[str, list[Row]] = {
    "L14": [
        (
            rollout(canary("{setWeight: 10}", "#"), "replicas: 2"),
            "setWeight",
            "33.3%",
            rollout(canary("{setWeight: 10}", "#"), "replicas: 10"),
        ),
        (
            rollout(canary("{setWeight: 1}", "#"), "replicas: 10"),
            "setWeight",
            "9.09%",
            rollout(canary("{setWeight: 1}"), "replicas: 10"),
        ),
    ],
    "L15": [
        (
            kruise("replicas: 1, traffic: 50%"),
            "replicas: 1",
            "1 of 10 pods for 50%",
            kruise("replicas: 5, traffic: 50%"),
        ),
        (
            rollout(canary("{setCanaryScale: {replicas: 1}}, {setWeight: 80}")),
            "setWeight",
            "1 pod for 80 of 100",
            rollout(
                canary(
                    "{setCanaryScale: {replicas: 1}}, {setWeight: 10}, {setCanaryScale: {matchTrafficWeight: true}}, {setWeight: 80}"
                )
            ),
        ),
    ],
    "L17": [
        (
            flagger(FLAGGER, SHORT + "30") + TARGET,
            "progressDeadlineSeconds",
            "every release rolls back",
            flagger(FLAGGER, SHORT + "120") + TARGET,
        ),
        (
            deployment("progressDeadlineSeconds: 20", ", readinessProbe: {initialDelaySeconds: 30}"),
            "progressDeadlineSeconds",
            "a deadline of 20s",
            deployment("progressDeadlineSeconds: 60", ", readinessProbe: {initialDelaySeconds: 30}"),
        ),
        (
            rollout(canary("{setWeight: 5}"), "progressDeadlineSeconds: 300"),
            "progressDeadlineSeconds",
            "Degraded",
            rollout(canary("{setWeight: 5}"), "progressDeadlineSeconds: 300\n  progressDeadlineAbort: true"),
        ),
        (
            rollout(canary("{setWeight: 5}"), "progressDeadlineSeconds: 300"),
            "progressDeadlineSeconds",
            "",
            rollout(canary("{setWeight: 5}")),
        ),
    ],
    "L18": [
        (kruise("replicas: 1"), "replicas: 1", "without pause.duration", kruise("replicas: 1, pause: {duration: 60}")),
        (
            rollout(canary("{setWeight: 5}, {pause: {}}")),
            "pause",
            "without duration",
            rollout(
                canary("{setWeight: 5}, {pause: {}}"),
                meta=", annotations: {notifications.argoproj.io/subscribe.on-rollout-paused.slack: ops}",
            ),
        ),
        (
            rollout(canary("{setWeight: 5}, {pause: {}}")),
            "pause",
            "",
            rollout(canary("{setWeight: 5}, {pause: {duration: 1h}}")),
        ),
        (
            rollout("strategy:\n  blueGreen:\n    activeService: a\n    autoPromotionEnabled: false"),
            "autoPromotionEnabled",
            "autoPromotionEnabled",
            rollout("strategy:\n  blueGreen:\n    activeService: a\n    autoPromotionEnabled: true"),
        ),
    ],
    "L19": [
        (
            rollout(canary("{setCanaryScale: {replicas: 1}}, {setWeight: 5}") + "\n    abortScaleDownDelaySeconds: 0"),
            "abortScaleDownDelaySeconds",
            "for ever",
            rollout(canary("{setCanaryScale: {replicas: 1}}, {setWeight: 5}") + "\n    abortScaleDownDelaySeconds: 9"),
        ),
        (
            rollout(canary("{setWeight: 5}") + "\n    abortScaleDownDelaySeconds: 0"),
            "abortScaleDownDelaySeconds",
            "away under the requests",
            rollout(canary("{setWeight: 5}") + "\n    abortScaleDownDelaySeconds: 30"),
        ),
        (
            rollout(canary("{setWeight: 5}") + "\n    abortScaleDownDelaySeconds: 7200"),
            "abortScaleDownDelaySeconds",
            "2 h",
            rollout(canary("{setWeight: 5}") + "\n    abortScaleDownDelaySeconds: 600"),
        ),
    ],
    "L47": [
        (
            rollout(canary("{setWeight: 10}, {setWeight: 50}", DYNAMIC + "\n    abortScaleDownDelaySeconds: 30")),
            "abortScaleDownDelaySeconds",
            "an abort at weight 50 leaves 10% of the traffic to the canary for ever",
            rollout(canary("{setWeight: 10}, {setWeight: 50}", DYNAMIC)),
        ),
        (  # the first weight comes back, so a plan of one weight does
            rollout(
                canary("{setWeight: 25}, {setWeight: 75}", DYNAMIC + "\n    abortScaleDownDelaySeconds: 30"),
                "replicas: 4",
            ),
            "abortScaleDownDelaySeconds",
            "at weight 75 leaves 25%",
            rollout(canary("{setWeight: 75}", DYNAMIC + "\n    abortScaleDownDelaySeconds: 30"), "replicas: 4"),
        ),
        (  # an explicit 0 lets the pods go
            rollout(canary("{setWeight: 20}, {setWeight: 60}", DYNAMIC + "\n    abortScaleDownDelaySeconds: 1")),
            "abortScaleDownDelaySeconds",
            "at weight 60 leaves 20%",
            rollout(canary("{setWeight: 20}, {setWeight: 60}", DYNAMIC + "\n    abortScaleDownDelaySeconds: 0")),
        ),
    ],
    "L20": [
        (
            rollout("strategy:\n  blueGreen:\n    activeService: a\n    scaleDownDelaySeconds: 5"),
            "scaleDownDelaySeconds",
            "5s after",
            rollout("strategy:\n  blueGreen:\n    activeService: a\n    scaleDownDelaySeconds: 30"),
        ),
    ],
    "L21": [
        (
            flagger("interval: 1m\nthreshold: 5\nmaxWeight: 50\nstepWeight: 20"),
            "maxWeight",
            "reach 60",
            flagger("interval: 1m\nthreshold: 5\nmaxWeight: 60\nstepWeight: 20"),
        ),
        (
            flagger("interval: 1m\nthreshold: 5\nstepWeights: [10, 30, 20]"),
            "stepWeights",
            "do not rise",
            flagger("interval: 1m\nthreshold: 5\nstepWeights: [10, 20, 30]"),
        ),
        (
            flagger("interval: 1m\nthreshold: 5\nstepWeights: [10, 200]"),
            "stepWeights",
            "200",
            flagger("interval: 1m\nthreshold: 5\nstepWeights: [10, 100]"),
        ),
    ],
    "L22": [
        (
            flagger(FLAGGER.replace("threshold: 5", "threshold: 1") + BUILT_IN),
            "threshold",
            "4.9 of 100",
            flagger(FLAGGER + BUILT_IN),
        ),
    ],
    "L23": [
        (
            flagger("interval: 1m\nthreshold: 5\nmaxWeight: 50\nstepWeight: 0"),
            "stepWeight",
            "nothing ever advances",
            flagger(FLAGGER),
        ),
        (flagger(FLAGGER.replace("1m", "5s")), "interval", "counts as 10s", flagger(FLAGGER.replace("1m", "10s"))),
        (
            flagger(FLAGGER + "metrics:\n- name: sucess-rate"),
            "name",
            "none of request-success-rate",
            flagger(FLAGGER + "metrics:\n- name: request-success-rate"),
        ),
    ],
    "L24": [
        (
            flagger(
                FLAGGER.replace("threshold: 5", "threshold: 2").replace("1m", "20s")
                + "metrics:\n- name: request-success-rate\n  interval: 1m"
            ),
            "interval",
            "fails 3 checks in a row",
            flagger(
                FLAGGER.replace("threshold: 5", "threshold: 2")
                + "metrics:\n- name: request-success-rate\n  interval: 1m"
            ),
        ),
    ],
    "L25": [
        (
            flagger(FLAGGER + "metrics:\n- name: l\n  templateRef: {name: l}"),
            "name",
            "every value above 0",
            flagger(FLAGGER + "metrics:\n- name: l\n  thresholdRange: {max: 5}\n  templateRef: {name: l}"),
        ),
    ],
    "L26": [
        (
            flagger(FLAGGER + "webhooks:\n- {name: gate, type: confirm-promotion, url: u}"),
            "type",
            "gate",
            flagger(FLAGGER + BUILT_IN + "\nwebhooks:\n- {name: gate, type: confirm-promotion, url: u}"),
        ),
        (
            flagger(FLAGGER + "webhooks:\n- {name: gate, type: confirm-traffic-increase, url: u}"),
            "type",
            "gate",
            flagger(FLAGGER + "webhooks:\n- {name: gate, type: confirm-rollout, url: u}"),
        ),
    ],
    "L27": [
        (
            service("deploy:\n  update_config:\n    failure_action: rollback\n" + HEALTH),
            "update_config",
            "the health check needs 45s",
            service("deploy:\n  update_config:\n    monitor: 60s\n    failure_action: rollback\n" + HEALTH),
        ),
        (
            service("deploy:\n  update_config:\n    parallelism: 2"),
            "update_config",
            "half-way",
            service("deploy:\n  update_config:\n    failure_action: rollback"),
        ),
        (
            service("deploy:\n  update_config:\n    failure_action: continue\n    monitor: 9s"),
            "failure_action",
            "monitor do nothing",
            service("deploy:\n  update_config:\n    failure_action: rollback\n    monitor: 9s"),
        ),
        (
            service("deploy:\n  update_config:\n    order: start-first\n    failure_action: rollback\n" + HOST),
            "order",
            "still holds the port",
            service("deploy:\n  update_config:\n    order: stop-first\n    failure_action: rollback\n" + HOST),
        ),
    ],
    "L28": [
        (deployment(), "spec", "crashes 5s later", deployment("minReadySeconds: 10")),
        (deployment(), "spec", "", deployment(pod=", readinessProbe: {periodSeconds: 5}")),
        (
            deployment("minReadySeconds: 10\n  revisionHistoryLimit: 0"),
            "revisionHistoryLimit",
            "nothing to undo to",
            deployment("minReadySeconds: 10\n  revisionHistoryLimit: 2"),
        ),
    ],
    "L29": [
        (
            rollout(canary("{setWeight: 5}"), "revisionHistoryLimit: 2\n  rollbackWindow: {revisions: 5}"),
            "revisions",
            "a history of 2",
            rollout(canary("{setWeight: 5}"), "revisionHistoryLimit: 5\n  rollbackWindow: {revisions: 5}"),
        ),
    ],
    "L31": [
        (
            rollout(canary("{setWeight: 5}, " + STEP)) + template(metric(more="count: 1"), "tt"),
            "templateName",
            "AnalysisTemplate t is not",
            rollout(canary("{setWeight: 5}, " + STEP)) + template(metric(more="count: 1"), "t"),
        ),
        (
            rollout(canary("{setWeight: 5}")) + "---\napiVersion: v1\nkind: Service\nmetadata: {name: c}\n",
            "stableService",
            "Service s is not",
            rollout(canary("{setWeight: 5}")),
        ),
        (
            flagger(FLAGGER + "metrics:\n- name: l\n  thresholdRange: {max: 5}\n  templateRef: {name: l}"),
            "name",
            "MetricTemplate l",
            flagger(FLAGGER + "metrics:\n- name: l\n  thresholdRange: {max: 5}\n  templateRef: {name: l}") + LATENCY,
        ),
    ],
    "L32": [
        (
            rollout(canary("{setWeight: 5}"), "replica: 3"),
            "replica",
            "replica",
            rollout(canary("{setWeight: 5}"), "replicas: 3"),
        ),
    ],
    "L33": [
        (kruise("replicas: 0, traffic: 5%"), "replicas: 0", "no pod", kruise("replicas: 1, traffic: 5%")),
        (
            rollout(canary("{setWeight: 20}", "maxSurge: 0\n    maxUnavailable: 1"), "replicas: 1"),
            "setWeight",
            "no canary pod",
            rollout(canary("{setWeight: 20}", "maxSurge: 1\n    maxUnavailable: 0"), "replicas: 4"),
        ),
        (
            rollout(canary("{setCanaryScale: {replicas: 0}}, {setWeight: 20}")),
            "setWeight",
            "at no pod",
            rollout(canary("{setCanaryScale: {replicas: 2}}, {setWeight: 20}")),
        ),
    ],
    "L40": [
        (
            deployment("minReadySeconds: 5 # seatrial: ignore L28"),
            "# seatrial",
            "not found on line 5",
            deployment("revisionHistoryLimit: 0 # seatrial: ignore L28\n  minReadySeconds: 9"),
        ),
        (
            deployment("minReadySeconds: 5 # seatrial: ignore L99"),
            "# seatrial",
            "no rule L99",
            deployment("minReadySeconds: 5 # ignore L99"),
        ),
    ],
    "L41": [
        (
            deployment("minReadySeconds: 5", image="shop"),
            "image",
            "no tag",
            deployment("minReadySeconds: 5", image="shop")
            + "---\nresources: [m.yaml]\nimages: [{name: shop, newTag: v7}]\n",
        ),
        (
            deployment("minReadySeconds: 5", image="shop:latest"),
            "image",
            "moving tag latest",
            deployment("minReadySeconds: 5", image="shop:1.2.3"),
        ),
        (
            deployment("minReadySeconds: 5", image="r.example.com:5000/shop"),
            "image",
            "no tag",
            deployment("minReadySeconds: 5", image="r.example.com:5000/shop@sha256:ab"),
        ),
    ],
    "L42": [
        (
            deployment("minReadySeconds: 5").replace("}]}", "}]" + INIT % "migrate" + "}", 1),
            "name",
            "'migrate'",
            deployment("minReadySeconds: 5").replace("}]}", "}]" + INIT % "warm" + "}", 1),
        ),
    ],
    "L43": [
        (SCENARIO % 1, "keep", "keep: 1", SCENARIO % 50),
        (SCENARIO % 3, "keep", "a person may need", SCENARIO % 50),
    ],
}
WAIT = '{"stages": [{"type": "wait", "waitTime": 600,\n "stageTimeoutMs": %s}]}'
JSON: dict[str, list[Row]] = {
    "L46": [(WAIT % 300000, "stageTimeoutMs", "may take 5m and waits 10m", WAIT % 3600000)],
    "L30": [
        (KAYENTA % ("", 75, 75), "pass", "both 75", KAYENTA % ("", 75, 50)),
        (
            KAYENTA % ('{"name": "errors", "analysisConfigurations": {"canary": {"critical": true}}}', 75, 50),
            "name",
            "errors is critical",
            KAYENTA
            % (
                '{"name": "errors", "analysisConfigurations": {"canary": {"critical": true, "mustHaveData": true}}}',
                75,
                50,
            ),
        ),
        (STAGE % ("PT2H", "30"), "canaryAnalysisIntervalMins", "30 points", STAGE % ("PT2H", "60")),
    ],
}
