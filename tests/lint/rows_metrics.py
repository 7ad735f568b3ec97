"""Rows of the rules about metrics of Argo's templates."""

from __future__ import annotations

from tests.lint.manifests import GUARDED, PAUSED, RATIO, STEP, Row, canary, judged, kruise, metric, rollout, template

__all__ = ["METRICS"]

TEMPLATE = "apiVersion: flagger.app/v1beta1\nkind: MetricTemplate\nmetadata: {name: l}\nspec:\n  query: "
# rule: (bad manifest, what stands on the line of the finding, what it says, the nearest good manifest)
METRICS: dict[str, list[Row]] = {
    "L1": [
        (template(metric("result < 0.05")), "successCondition", "result < 0.05", template(metric("result[0] < 0.05"))),
        (template(metric("result[0] <")), "successCondition", "column", template(metric("result[0] < 1"))),
        (template(metric("result[0]")), "successCondition", "not true or false", template(metric("result[0] == 1.0"))),
        (
            template(metric("(result ?? 0) < 0.05")),
            "successCondition",
            "",
            template(metric("len(result) == 0 || result[0] < 0.05")),
        ),
    ],
    "L2": [
        (
            template(metric("result[0] < 0.05")),
            "successCondition",
            "no data: Error",
            template(metric("len(result) > 0 && result[0] < 0.05")),
        ),
        (
            template(metric("result[0] < 0.05")),
            "successCondition",
            "",
            template(metric("result[0] < 0.05", "sum(rate(x_total[1m])) or vector(0)")),
        ),
        (
            template(metric("result[0] < 0.05")),
            "successCondition",
            "",
            template(metric("result < 0.05", "scalar(x_total)")),
        ),
    ],
    "L3": [
        (
            template(metric("all(result, # < 0.05)")),
            "successCondition",
            "no data passes",
            template(metric("len(result) == 0 || result[0] < 0.05")),
        ),
        (
            template(metric("mean(result) < 0.05")),
            "successCondition",
            "no data passes",
            template(metric("len(result) > 0 && mean(result) < 0.05")),
        ),
        (
            template(metric("len(result) > 0 && result[0] < 0.05", RATIO)),
            "successCondition",
            "0/0",
            template(metric(GUARDED, RATIO)),
        ),
        (
            template(metric("isNil(result) || result < 5", provider="datadog: {query: q}")),
            "successCondition",
            "nil: Error",
            template(metric("default(result, 0) < 5", provider="datadog: {query: q}")),
        ),
    ],
    "L4": [
        (
            template(metric("default(result.errors, 0) < 5", provider="web: {url: u}")),
            "successCondition",
            "default",
            template(metric("(result.errors ?? 0) < 5", provider="web: {url: u}")),
        ),
        (template(metric("isNil(result[0])")), "successCondition", "isNil", template(metric("isNil(result)"))),
    ],
    "L5": [
        (
            template(metric("not result[0] == 1.0")),
            "successCondition",
            "negates",
            template(metric("not (result[0] == 1.0)")),
        ),
        (
            template(metric("!result.a in [1]", provider="web: {url: u}")),
            "successCondition",
            "",
            template(metric("!(result.a in [1])", provider="web: {url: u}")),
        ),
        (
            template(metric("!result.a == true", provider="web: {url: u}")),
            "successCondition",
            "",
            template(metric("(!result.a) == true", provider="web: {url: u}")),
        ),
        (
            template(metric("not result.a in [1]", provider="web: {url: u}")),
            "successCondition",
            "",
            template(metric("result.a not in [1]", provider="web: {url: u}")),
        ),
    ],
    "L6": [
        (
            template("- name: m\n  provider: {prometheus: {query: up}}"),
            "- name: m",
            "no condition",
            template("- name: m\n  successCondition: len(result) > 0\n  provider: {prometheus: {query: up}}"),
        ),
        (
            template("- name: m\n  provider: {web: {url: u}}"),
            "- name: m",
            "no condition",
            template("- name: m\n  provider: {job: {spec: {}}}"),
        ),
    ],
    "L7": [
        (
            judged(PAUSED, metric(more="interval: 1m\n  count: 20"), beside=True),
            "count",
            "19m (20 looks every 1m)",
            judged("{setWeight: 20}, {pause: {duration: 19m}}", metric(more="interval: 1m\n  count: 20"), beside=True),
        ),
        (
            judged(PAUSED, metric(more="interval: 1m\n  count: 20"), beside=True),
            "count",
            "needs",
            judged("{setWeight: 20}, {pause: {}}", metric(more="interval: 1m\n  count: 20"), beside=True),
        ),
    ],
    "L8": [
        (
            judged(PAUSED, metric(more="interval: 1m\n  initialDelay: 30m"), beside=True),
            "initialDelay",
            "after 30m",
            judged(PAUSED, metric(more="interval: 1m\n  initialDelay: 1m"), beside=True),
        ),
        (
            rollout(canary(PAUSED) + "\n    analysis:\n      templates: [{templateName: t}]\n      startingStep: 2")
            + template(metric()),
            "startingStep",
            "the last step is step 1",
            rollout(canary(PAUSED) + "\n    analysis:\n      templates: [{templateName: t}]\n      startingStep: 1")
            + template(metric()),
        ),
    ],
    "L10": [
        (
            judged(PAUSED, metric(query="sum(rate(x_total[5m]))"), beside=True),
            "provider",
            "looks back 5m",
            judged(PAUSED, metric(query="sum(rate(x_total[2m]))"), beside=True),
        ),
        (
            judged(PAUSED, metric(query="sum(rate(x_total[5m]))"), beside=True),
            "provider",
            "",
            judged(PAUSED, metric(query="sum(irate(x_total[5m]))"), beside=True),
        ),
        (
            judged("{setWeight: 20}, " + STEP, metric(query="sum(rate(x_total[5m]))", more="interval: 1m\n  count: 2")),
            "provider",
            "1m after",
            judged("{setWeight: 20}, " + STEP, metric(query="sum(rate(x_total[5m]))", more="interval: 1m\n  count: 6")),
        ),
    ],
    "L11": [
        (
            template(metric(more="consecutiveErrorLimit: 1")),
            "consecutiveErrorLimit",
            "2 Errors in a row",
            template(metric(more="consecutiveErrorLimit: 4")),
        ),
    ],
    "L12": [
        (
            template(metric(more="interval: 1m\n  count: 20")),
            "count",
            "18 of 100",
            template(metric(more="interval: 1m\n  count: 20\n  failureLimit: 1")),
        ),
        (
            template(metric(more="interval: 1m\n  count: 20")),
            "count",
            "",
            template(metric(more="interval: 1m\n  count: 10")),
        ),
    ],
    "L13": [
        (
            judged(PAUSED, metric(more="count: 3"), beside=True),
            "- name: m",
            "needs an interval",
            judged(PAUSED, metric(more="count: 1"), beside=True),
        ),
        (
            judged(PAUSED, metric(more="interval: 1m\n  count: 2\n  failureLimit: 3"), beside=True),
            "count",
            "below failureLimit",
            judged(PAUSED, metric(more="interval: 1m\n  count: 4\n  failureLimit: 3"), beside=True),
        ),
        (
            judged("{setWeight: 20}, " + STEP, metric()),
            "analysis",
            "never ends",
            judged("{setWeight: 20}, " + STEP, metric(more="interval: 1m\n  count: 5")),
        ),
    ],
    "L37": [
        (
            template(metric(query="rate(node_memory_free_bytes[5m])")),
            "query",
            "gauge",
            template(metric(query="rate(node_network_receive_bytes_total[5m])")),
        ),
        (
            template(metric(query="rate(queue_in_flight[5m])")),
            "query",
            "",
            template(metric(query="avg_over_time(queue_in_flight[5m])")),
        ),
    ],
    "L38": [
        (template(metric(query="")), "query", "there is no query", template(metric(query="up"))),
        (
            template(metric(query="sum(rate(x_total[5m])")),
            "query",
            "does not parse",
            template(metric(query="sum(rate(x_total[5m]))")),
        ),
        (
            TEMPLATE + "'sum(x{a=\"{{ target }}\"}[{{ interval }}]'\n",
            "query",
            "",
            TEMPLATE + "'sum(rate(x{a=\"{{ target }}\"}[{{ interval }}]))'\n",
        ),
    ],
    "L39": [
        (
            template(metric("result[0] < 0.05", RATIO + " or vector(0)".replace("'", ""))),
            "successCondition",
            "which passes",
            template(metric("result[0] < 0.05", RATIO)),
        ),
        (
            template(metric("result[0] < 0.05", RATIO + " or vector(0)")),
            "successCondition",
            "",
            template(metric("result[0] > 0.95", RATIO + " or vector(0)")),
        ),
    ],
    "L44": [
        (
            kruise("replicas: 1", "failureThreshold: 100%"),
            "failureThreshold",
            "however many",
            kruise("replicas: 1", "failureThreshold: 10%"),
        ),
        (
            template(metric(more="failureLimit: 1")),
            "failureLimit",
            "measured 1 time",
            template(metric(more="failureLimit: 0")),
        ),
        (
            template(metric(more="interval: 1m\n  count: 3\n  failureLimit: 3")),
            "failureLimit",
            "3 times",
            template(metric(more="interval: 1m\n  count: 3\n  failureLimit: 2")),
        ),
    ],
}
