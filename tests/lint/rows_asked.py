"""Rows of the rules whose answer depends on the service."""

from __future__ import annotations

from sim.durations import Constant as Fixed
from sim.service.model import Monitoring, Pods, Service
from sim.service.traffic import Constant
from tests.lint.manifests import GUARDED, RATIO, STEP, canary, flagger, judged, metric, rollout, template

__all__ = ["ASKED", "OWN", "QUIET"]

QUIET = Service(name="quiet", traffic=Constant(20.0), errors=0.001, pods=Pods(count=10, start=Fixed(1.0)))
SLOW = Service(name="slow", pods=Pods(count=10, start=Fixed(30.0)), horizon=3600.0)
EXPERIMENT = (
    "{experiment: {duration: %ss, templates: [{name: a, specRef: canary}], analyses: [{name: t, templateName: t}]}}"
)
OWN = """seatrial: policy
canary:
  weights: [5, 100]
  interval: 60s
  count: {count}
  judge: {judge}
"""

MATCHING = Service(name="matching", traffic=Constant(20.0), errors=0.001, segments=(("header:x=me", 0.5),))
LOAD = "webhooks: [{name: l, url: 'http://l', metadata: {cmd: 'hey -z 1m -q %d -c %d http://shop-canary'}}]"
MATCH = "match: [{headers: {x: {exact: me}}}]"


def tested(low: float, more: str, threshold: int = 1) -> str:
    """A Flagger analysis of 5 iterations; its metric is on line 10."""
    metric = f"metrics: [{{name: request-success-rate, thresholdRange: {{min: {low}}}, interval: 1m}}]"
    return flagger(f"interval: 1m\nthreshold: {threshold}\niterations: 5\n{metric}\n{more}")


# rule: (bad, good, the question); answers that depend on the service
ASKED: dict[str, list[tuple[str, str, str, str, dict[str, object]]]] = {
    "L8": [
        (
            rollout(canary(EXPERIMENT % 60)) + template(metric(more="initialDelay: 5m")),
            "experiment",
            "comes after 5m, the experiment lasts 1m",
            rollout(canary(EXPERIMENT % 600)) + template(metric(more="initialDelay: 5m")),
            {},
        ),
    ],
    "L9": [
        (
            judged(
                "{setWeight: 5}, " + STEP,
                metric(GUARDED.replace("0.05", "0.015"), RATIO, "interval: 1m\n  count: 4\n  failureLimit: 2"),
            ),
            "successCondition",
            "one failed",
            judged(
                "{setWeight: 50}, " + STEP,
                metric(GUARDED.replace("0.05", "0.015"), RATIO, "interval: 1m\n  count: 4\n  failureLimit: 2"),
            ),
            {"service": QUIET},
        ),
    ],
    "L7": [
        (
            rollout(canary(EXPERIMENT % 60)) + template(metric(more="interval: 1m\n  count: 5")),
            "experiment",
            "lasts 1m, its analysis needs 4m",
            rollout(canary(EXPERIMENT % 600)) + template(metric(more="interval: 1m\n  count: 5")),
            {},
        ),
    ],
    "L17": [
        (
            rollout(canary("{setWeight: 5}"), "progressDeadlineSeconds: 20\n  progressDeadlineAbort: true"),
            "progressDeadlineSeconds",
            "half of the pods of slow take 30s or more",
            rollout(canary("{setWeight: 5}"), "progressDeadlineSeconds: 60\n  progressDeadlineAbort: true"),
            {"service": SLOW},
        ),
    ],
    "L46": [
        (
            rollout(canary("{setWeight: 5}, {pause: {duration: 2h}}")),
            "steps",
            "the horizon is 1h",
            rollout(canary("{setWeight: 5}, {pause: {duration: 20m}}")),
            {"service": SLOW},
        ),
    ],
    "L16": [
        (
            rollout(canary("{setCanaryScale: {replicas: 1}}, {setWeight: 50}")),
            "setWeight",
            "1 pod of 5 requests/s each for 10",
            rollout(canary("{setWeight: 50}")),
            {"service": Service(traffic=Constant(20.0), pods=Pods(count=10, capacity=5.0))},
        ),
    ],
    "L34": [
        (tested(99, ""), "iterations", "nothing sends requests to the canary", tested(99, LOAD % (10, 2)), {}),
        (tested(99, ""), "iterations", "nothing sends requests", tested(99, "mirror: true"), {"service": QUIET}),
        (  # 1,200 requests a look, of which 2 may fail
            tested(99.8, LOAD % (10, 2)),
            "metrics",
            "requests (quiet, 20 requests/s, 0.1% errors, 20 requests/s of a load test)",
            tested(99, LOAD % (10, 2)),
            {"service": QUIET},
        ),
        (
            tested(99, MATCH),
            "match",
            "nobody of quiet matches header:x=me",
            tested(99, MATCH + "\n" + LOAD % (10, 2)),
            {"service": QUIET},
        ),
        (tested(99.8, MATCH), "metrics", "the smallest 600 requests", tested(99, MATCH), {"service": MATCHING}),
        (tested(99.8, MATCH), "metrics", "5% of them matched", tested(98, MATCH), {}),
        (
            OWN.format(count=3, judge="{threshold: {max_error_rate: 0.5%}}"),
            "judge",
            "roll back",
            OWN.format(count=3, judge="{threshold: {max_error_rate: 6%}}"),
            {"service": QUIET},
        ),
        (
            OWN.format(count=3, judge="{peeking_t: {}}"),
            "judge",
            "(95%:",
            OWN.format(count=3, judge="eprocess.counts"),
            {"service": QUIET, "regression": 0.5},
        ),
    ],
    "L35": [
        (
            tested(85, LOAD % (1, 1), 3),
            "metrics",
            "cannot see less than",
            tested(85, LOAD % (1, 1), 3),
            {"service": QUIET},
        ),
        (tested(85, MATCH, 3), "metrics", "cannot see less than", tested(85, MATCH, 3), {"service": MATCHING}),
        (tested(85, MATCH, 3), "metrics", "5% of them matched", tested(85, MATCH, 3), {}),
        (
            judged(
                "{setWeight: 5}, " + STEP, metric(GUARDED.replace("0.05", "0.08"), RATIO, "interval: 1m\n  count: 3")
            ),
            "successCondition",
            "cannot see less than 8.2%",
            judged(
                "{setWeight: 5}, " + STEP, metric(GUARDED.replace("0.05", "0.08"), RATIO, "interval: 1m\n  count: 3")
            ),
            {"service": QUIET},
        ),
        (
            OWN.format(count=3, judge="eprocess.counts"),
            "judge",
            "stops",
            OWN.format(count=3, judge="eprocess.counts"),
            {"service": QUIET},
        ),
    ],
    "L36": [
        (
            template(metric(query="sum(rate(x_total[1m]))")),
            "query",
            "a scrape every 60s",
            template(metric(query="sum(rate(x_total[2m]))")),
            {"service": Service(monitoring=Monitoring(scrape=60.0))},
        ),
    ],
    "L45": [
        (
            template(metric(query="sum(rate(http_request_total[1m]))", more="count: 1"))
            + rollout(canary("{setWeight: 5}, " + STEP)).replace("apiVersion", "---\napiVersion", 1),
            "provider",
            "no metric http_request_total",
            template(metric(query="sum(rate(http_requests_total[1m]))", more="count: 1"))
            + rollout(canary("{setWeight: 5}, " + STEP)).replace("apiVersion", "---\napiVersion", 1),
            {"service": QUIET},
        ),
    ],
}
