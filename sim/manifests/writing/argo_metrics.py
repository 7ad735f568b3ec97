"""Analyses -> AnalysisTemplates of Argo Rollouts, and the blocks that name them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from sim.manifests.writing.subject import Losses, Object, Subject, duration
from sim.policy.analysis import Analysis, Conditions, JobState, Judged, Limits, Metric
from sim.policy.commands import Text
from sim.policy.judges.threshold import Threshold

__all__ = ["Templates"]

_RESULT = re.compile(r"\bresult\b(?!\s*\[)")
_DEFAULTS: tuple[tuple[str, str, int], ...] = (
    ("failureLimit", "failure_limit", 0), ("inconclusiveLimit", "inconclusive_limit", 0),
    ("consecutiveErrorLimit", "consecutive_error_limit", 4), ("consecutiveSuccessLimit", "consecutive_success_limit", 0),
)  # fmt: skip


class Templates:
    """Collects the templates that a Rollout needs; equal ones are written once."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._specs: dict[str, Object] = {}

    @property
    def objects(self) -> list[Object]:
        version = "argoproj.io/v1alpha1"
        return [self._subject.thing(version, "AnalysisTemplate", name, spec) for name, spec in self._specs.items()]

    def block(self, analysis: Analysis, place: str) -> Object | None:
        """The block that runs an analysis; None (and a loss) when no metric of it can be said."""
        groups: dict[str, list[Object]] = {}
        for metric in analysis.metrics:
            written = _metric(metric, f"{place}.{metric.name}", self._subject.losses)
            if written is not None:
                groups.setdefault(metric.template, []).append(written)
        if not groups:
            self._subject.losses.lose(place, "the whole analysis: Argo Rollouts can say none of its metrics")
            return None
        names = [self._name(template, metrics) for template, metrics in groups.items()]
        block: Object = {"templates": [{"templateName": name} for name in names]}
        dry = [{"metricName": f"^{re.escape(one.name)}$"} for one in analysis.metrics if one.dry_run]
        return block | ({"dryRun": dry} if dry else {})

    def _name(self, wanted: str, metrics: list[Object]) -> str:
        """The name of the template with these metrics; a new one if they are new."""
        spec, base = {"metrics": metrics}, wanted or f"{self._subject.name}-analysis"
        name, number = base, 1
        while self._specs.get(name, spec) != spec:
            number += 1
            name = f"{base}-{number}"
        if wanted and name != wanted:
            self._subject.losses.near(f"template {wanted}", f"used with different arguments: also written as {name}")
        self._specs[name] = spec
        return name


def _metric(metric: Metric, place: str, losses: Losses) -> Object | None:
    said = _said(metric, place, losses)
    if said is None:
        return None
    metric, provider = said
    written: Object = {"name": metric.name}
    if metric.interval is not None:
        written["interval"] = duration(metric.interval)
    if metric.initial_delay:
        written["initialDelay"] = duration(metric.initial_delay)
    if metric.count:
        written["count"] = metric.count
    written |= {key: getattr(metric, name) for key, name, usual in _DEFAULTS if getattr(metric, name) != usual}
    if metric.retry != 10.0:
        losses.near(place, "after an error Argo Rollouts tries again after 10 s")
    if isinstance(metric.verdict, Conditions):
        for key, condition in (
            ("successCondition", metric.verdict.success),
            ("failureCondition", metric.verdict.failure),
        ):
            if condition is not None:
                written[key] = condition.text
    return written | {"provider": provider}


def _said(metric: Metric, place: str, losses: Losses) -> tuple[Metric, Object] | None:
    """The metric with conditions that Argo knows, and its provider."""
    query, verdict = metric.query, metric.verdict
    if isinstance(query, Text) and isinstance(verdict, Conditions | JobState):
        return metric, _provider(query)
    if isinstance(query, Text) and isinstance(verdict, Limits):
        losses.near(place, "what is unknown fails or is an Error in Argo Rollouts")
        return replace(metric, verdict=_within(verdict.low, verdict.high)), _provider(query)
    counted = _counted(metric)
    if counted is None:
        name = verdict.judge.name if isinstance(verdict, Judged) else type(verdict).__name__
        losses.lose(place, f"{name}: Argo Rollouts judges single values only, by conditions")
        return None
    losses.near(place, "written as a query over http_requests_total and its like: put in your own metric names")
    text, conditions = counted
    return replace(metric, verdict=conditions), _provider(Text("prometheus", text))


def _provider(query: Text) -> Object:
    if query.provider == "prometheus":
        return {"prometheus": {"address": "http://prometheus:9090", "query": query.text}}
    return {query.provider: json.loads(query.text)}


def _within(low: float | None, high: float | None) -> Conditions:
    from sim.policy.expr import parse_condition

    parts = ["len(result) > 0"]
    parts += [f"result[0] >= {low!r}"] if low is not None else []
    parts += [f"result[0] <= {high!r}"] if high is not None else []
    return Conditions(parse_condition(" && ".join(parts)))


def _counted(metric: Metric) -> tuple[str, Conditions] | None:
    """A measure of counts as a query, with its conditions; None for what no single value tells."""
    from sim.scenario.measures import Asked, Measure

    verdict: Any = metric.verdict
    if isinstance(verdict, Judged) and isinstance(verdict.judge, Threshold):
        judge = verdict.judge
        if judge.max_error_rate is None or judge.max_latency is not None or judge.max_ratio is not None:
            return None
        window = getattr(metric.query, "window", 60.0)
        return _query(Measure("error-rate", window=window)), _within(None, judge.max_error_rate)
    if not isinstance(verdict, Asked) or verdict.measure.kind == "error-ratio":
        return None
    return _query(verdict.measure), Conditions(_vector(verdict.conditions.success), _vector(verdict.conditions.failure))


def _vector(condition: Any) -> Any:
    from sim.policy.expr import parse_condition

    return None if condition is None else parse_condition(_RESULT.sub("result[0]", condition.text), condition.profile)


def _query(measure: Any) -> str:
    """PromQL for one of our measures, over metrics with the usual names and a label `version`."""
    span, version = duration(measure.window), measure.of
    of = f'version="{version}"'
    total = f"sum(rate(http_requests_total{{{of}}}[{span}]))"
    bad = f'sum(rate(http_requests_total{{{of},code=~"5.."}}[{span}]))'
    good = f'sum(rate(http_requests_total{{{of},code!~"5.."}}[{span}]))'
    bucket = f"sum(rate(http_request_duration_seconds_bucket{{{of}}}[{span}])) by (le)"
    text = {
        "success-rate": f"{good} / {total}",
        "error-rate": f"{bad} / {total}",
        "latency": f"histogram_quantile({measure.quantile:g}, {bucket})",
        "requests": f"sum(increase(http_requests_total{{{of}}}[{span}]))",
    }[measure.kind]
    scale = {"percent": 100, "ms": 1000}.get(measure.unit)
    return f"{scale} * {text}" if scale else text
