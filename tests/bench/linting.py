"""Importing and linting manifests, and importing them alone, in an interpreter of its own: `python -m tests.bench.linting COUNT`.

No two files are alike (weights, limits, queries, names), so that nothing that is remembered by text helps: half of them Rollouts with an
AnalysisTemplate of two Prometheus metrics, a quarter Flagger Canaries, the others Deployments and Compose files. Every rule runs; as no
service is given, what depends on traffic is computed exactly for the assumed one (false rollbacks, what is blind), and nothing is
simulated: that is for judges of our own and for `--service`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

_ROLLOUT = """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: shop-{n}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: shop-{n}}}}}
  template:
    metadata: {{labels: {{app: shop-{n}}}}}
    spec: {{containers: [{{name: shop, image: "registry.example.com/shop:{n}", readinessProbe: {{periodSeconds: 5}}}}]}}
  strategy:
    canary:
      stableService: stable-{n}
      canaryService: canary-{n}
      trafficRouting: {{nginx: {{stableIngress: shop-{n}}}}}
      analysis:
        templates: [{{templateName: shop-{n}}}]
        startingStep: 1
      steps:
      - setWeight: {low}
      - pause: {{duration: {pause}s}}
      - setWeight: {high}
      - pause: {{duration: {pause}s}}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: shop-{n}}}
spec:
  metrics:
  - name: success-rate
    interval: 60s
    failureLimit: 2
    successCondition: len(result) > 0 && result[0] >= 0.9{n}
    provider:
      prometheus:
        address: http://prometheus:9090
        query: |
          sum(rate(http_requests_total{{service="canary-{n}",code!~"5.."}}[2m]))
          / sum(rate(http_requests_total{{service="canary-{n}"}}[2m]))
  - name: latency
    interval: 60s
    failureLimit: 2
    successCondition: len(result) == 0 || isNaN(result[0]) || result[0] < 0.5{n}
    provider:
      prometheus:
        address: http://prometheus:9090
        query: histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{{service="canary-{n}"}}[2m])) by (le))
"""
_CANARY = """apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {{name: shop-{n}}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: shop-{n}}}
  service: {{port: 80}}
  analysis:
    interval: 1m
    threshold: {threshold}
    maxWeight: {high}
    stepWeight: {low}
    metrics:
    - {{name: request-success-rate, thresholdRange: {{min: 9{digit}.{n}}}, interval: 1m}}
    - {{name: request-duration, thresholdRange: {{max: 5{n}}}, interval: 30s}}
    webhooks:
    - {{name: load, url: "http://loadtester/", metadata: {{cmd: "hey -z 1m http://shop-{n}/"}}}}
"""
_DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop-{n}}}
spec:
  replicas: {replicas}
  progressDeadlineSeconds: {pause}
  selector: {{matchLabels: {{app: shop-{n}}}}}
  template:
    metadata: {{labels: {{app: shop-{n}}}}}
    spec: {{containers: [{{name: shop, image: "registry.example.com/shop:{n}"}}]}}
"""
_COMPOSE = """services:
  shop-{n}:
    image: registry.example.com/shop:{n}
    deploy:
      replicas: {replicas}
      update_config: {{parallelism: {digit}, monitor: {pause}s}}
    healthcheck: {{interval: 10s, retries: 3}}
"""
_KINDS = (_ROLLOUT, _CANARY, _ROLLOUT, _DEPLOYMENT, _ROLLOUT, _CANARY, _ROLLOUT, _COMPOSE)


def _text(n: int) -> str:
    values = {
        "replicas": 3 + n % 9,
        "low": 1 + n % 19,
        "high": 40 + n % 50,
        "pause": 120 + n,
        "threshold": 1 + n % 5,
        "digit": 1 + n % 9,
    }
    return _KINDS[n % len(_KINDS)].format(n=n, **values)


def main() -> None:
    count = int(sys.argv[1])
    with TemporaryDirectory() as folder:
        for n in range(count):
            (Path(folder) / f"m{n:04}.yaml").write_text(_text(n), encoding="utf-8")
        start = process_time()
        from sim.lint import lint

        report = lint(folder)
        seconds = process_time() - start
        start = process_time()
        from sim.manifests import load

        load(folder)
        imported = process_time() - start
    rules = {finding.rule.id for finding in report.findings}
    json.dump(
        {
            "seconds": seconds,
            "import": imported,
            "policies": report.policies,
            "findings": len(report.findings),
            "rules": sorted(rules),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
