"""Pieces of manifests that the rows fill in. Every line of a piece is one line, so that rows can name lines."""

from __future__ import annotations

__all__ = [
    "GUARDED", "PAUSED", "RATIO", "ROUTED", "STEP", "Row", "canary", "deployment", "flagger", "judged",
    "kruise", "metric", "rollout", "service", "template",
]  # fmt: skip

Row = tuple[str, str, str, str]
GUARDED = "len(result) > 0 and isNaN(result[0]) == false and result[0] < 0.05"
RATIO = 'sum(rate(http_requests_total{code=~"5.."}[1m])) / sum(rate(http_requests_total[1m]))'
STEP = "{analysis: {templates: [{templateName: t}]}}"
PAUSED = "{setWeight: 20}, {pause: {duration: 2m}}"


def rollout(strategy: str, spec: str = "replicas: 10", pod: str = "", meta: str = "") -> str:
    """A Rollout in 7 lines; `strategy` begins at line 8, indented by 2."""
    return f"""apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: shop{meta}}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
  {spec}
  template: {{metadata: {{labels: {{app: shop}}}}, spec: {{containers: [{{name: shop, image: "shop:1"{pod}}}]}}}}
{_indented(strategy)}"""


ROUTED = "trafficRouting: {nginx: {stableIngress: i}}, stableService: s, canaryService: c"


def canary(steps: str, more: str = ROUTED) -> str:
    """The strategy of a canary behind a router; the steps are on line 10 of the Rollout, one line."""
    return f"""strategy:
  canary:
    steps: [{steps}]
    {more.replace(", stableService", f"{chr(10)}    stableService").replace(", canaryService", f"{chr(10)}    canaryService")}"""


def template(metric: str, name: str = "t", args: str = "") -> str:
    """An AnalysisTemplate; the metric begins at line 6."""
    return f"""---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: {name}}}
spec:{f" # {args}" if args else ""}
  metrics:
{_indented(metric)}"""


def metric(
    condition: str = GUARDED, query: str = "sum(rate(http_requests_total[1m]))", more: str = "", provider: str = ""
) -> str:
    """One metric, a field on each line."""
    chosen = provider or f"prometheus: {{address: 'http://p', query: '{query}'}}"
    return f"- name: m\n  successCondition: {condition!r}\n  {more or 'interval: 1m'}\n  provider: {{{chosen}}}"


def judged(steps: str, one: str, *, beside: bool = False, spec: str = "replicas: 10") -> str:
    """A routed canary whose steps stand on one line, and the template t with one metric."""
    analysis = "analysis: {templates: [{templateName: t}]}"
    return rollout(canary(steps) + (f"\n    {analysis}" if beside else "\n    # no background"), spec) + template(one)


def deployment(spec: str = "replicas: 3", pod: str = "", image: str = "shop:1") -> str:
    """A Deployment; `spec` is on line 5, the container on line 9."""
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  {spec}
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec: {{containers: [{{name: shop, image: "{image}"{pod}}}]}}
"""


def flagger(analysis: str, spec: str = "targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}") -> str:
    """A Flagger Canary; `analysis` begins at line 7."""
    return f"""apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {{name: shop}}
spec:
  {spec}
  analysis:
{_indented(analysis, 4)}"""


def kruise(step: str, more: str = "trafficRoutings: [{service: s, ingress: {name: i}}]") -> str:
    """An OpenKruise Rollout of 10 pods with one step, its last one apart, on a line of its own."""
    return f"""apiVersion: rollouts.kruise.io/v1beta1
kind: Rollout
metadata: {{name: shop}}
spec:
  workloadRef: {{apiVersion: apps/v1, kind: Deployment, name: shop}}
  strategy:
    canary:
      {more}
      steps:
      - {{{step}}}
      - {{replicas: 100%}}
---
{deployment("replicas: 10")}"""


def service(text: str) -> str:
    """A Compose file with one service; its fields begin at line 4."""
    return f"""version: "3.8"
services:
  shop:
{_indented(text, 4)}"""


def _indented(text: str, by: int = 2) -> str:
    return "\n".join(" " * by + line for line in text.strip("\n").splitlines()) + "\n"
