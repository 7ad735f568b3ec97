"""A Kayenta canary config -> the judge of its metrics (delivery-systems.md section 9, judges.md section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from sim.files import Document
from sim.manifests.catalog import Catalog
from sim.manifests.fields import Reader, Scope
from sim.manifests.profiles import Profile
from sim.manifests.report import ImportedPolicy
from sim.manifests.scores import thresholds
from sim.policy.analysis import Analysis
from sim.policy.analysis import Metric as AnalysisMetric
from sim.policy.canary import Canary
from sim.policy.commands import Counts
from sim.policy.errors import PolicyError
from sim.policy.judges.kayenta import Kayenta
from sim.policy.judges.kayenta_metric import Metric
from sim.policy.scores import Scored
from sim.policy.steps import Analyse, ScaleCanary, SetWeight

__all__ = ["config_of", "read_configs", "series", "stage"]

T = TypeVar("T", bound=str)
_JUDGE = "NetflixACAJudge-v1.0"
# What the simulated service measures in samples, by what a metric is called (`sim.service.monitoring`).
_SERIES = (
    (re.compile(r"error|5xx|fail|exception", re.I), re.compile(r"rate|ratio|percent|%", re.I), "error-rate", "errors"),
    (re.compile(r"request|rps|qps|throughput|traffic|calls", re.I), re.compile(r"$^"), "", "requests"),
)
_UNCHANGED = "unchanged"
_LIFETIME, _INTERVAL = 10800.0, 3600.0  # of a config alone: Spinnaker's canary best practices
_CANARY_WEIGHT = 10  # percent


def read_configs(document: Document, catalog: Catalog, scope: Scope, profile: Profile) -> list[ImportedPolicy]:
    """A config alone, read as the standalone analysis that Spinnaker's documentation starts from."""
    top = Reader(scope, document, document.value)
    judge = config_of(document, scope)
    name = top.text("name") or document.file
    policy: Canary | None = None
    if judge is not None and not scope.faulty:
        said = f"a config says how to judge, not when: read as {_CANARY_WEIGHT}% for 3 hours, judged every hour"
        top.remark("approximated", said, "name" if top.has("name") else "")
        limits = thresholds(top.child("classifier").child("scoreThresholds"))
        policy = stage(judge, limits, lifetime=_LIFETIME, interval=_INTERVAL, weight=_CANARY_WEIGHT)
    return [ImportedPolicy(name, "CanaryConfig", policy, 1, profile.name, document.file, document.value)]


def config_of(document: Document, scope: Scope) -> Kayenta | None:
    """The judge of a canary config; None with a rejection that says why there is none."""
    top = Reader(scope, document, document.value)
    named = top.child("judge").text("name", _JUDGE)
    if named not in (_JUDGE, "dredd-v1.0"):
        top.child("judge").block(f"judge {named}: only {_JUDGE} is known", "name")
        return None
    metrics = [_metric(one) for one in top.items("metrics")]
    weights = top.child("classifier").child("groupWeights")
    limits = thresholds(top.child("classifier").child("scoreThresholds"))
    if None in metrics or scope.faulty:
        return None
    try:
        return Kayenta(
            metrics=tuple(metric for metric in metrics if metric is not None),
            weights=tuple((group, weights.number(group) or 0.0) for group in weights.value),
            pass_score=100.0 if limits[0] is None else limits[0], marginal_score=limits[1] or 0.0,
        )  # fmt: skip
    except PolicyError as error:
        top.refuse(error, "metrics")
        return None


def stage(
    judge: Kayenta, limits: tuple[float | None, float | None], *, lifetime: float, interval: float, weight: float,
    warm_up: float = 0.0, lookback: float = 0.0, pods: int | None = None, gates: bool = True,
) -> Canary:  # fmt: skip
    """A canary that is judged once every `interval` for `lifetime` seconds; then everything follows it."""
    count = int(lifetime // interval)
    rule = Scored("orca", *limits, judge, count)
    query = Counts(lookback or lifetime, series(judge.metrics))
    metric = AnalysisMetric(
        "canary-score", query, rule, interval=interval, count=count, initial_delay=warm_up + interval, dry_run=not gates
    )
    size = () if pods is None else (ScaleCanary(replicas=pods),)
    return Canary(steps=(*size, SetWeight(weight), Analyse(Analysis((metric,)))))


def series(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """`name=series` for each metric; what the simulated service does not have is the same for both versions."""
    return tuple(f"{metric.name}={_series(metric.name)}" for metric in metrics)


def _series(name: str) -> str:
    for kind, share, as_share, plain in _SERIES:
        if kind.search(name):
            return as_share if as_share and share.search(name) else plain
    return _UNCHANGED


def _metric(entry: Reader) -> Metric | None:
    """Kayenta's parsing: other words count as the default, a wrong type fails the whole judgement (judges.md 4.1)."""
    canary = entry.child("analysisConfigurations").child("canary")
    outliers, effect = canary.child("outliers"), canary.child("effectSize")
    name = entry.text("name")
    found = _series(name)
    if found == _UNCHANGED:
        entry.remark(
            "approximated", "the simulated service has no such thing: there it is the same for both versions", "name"
        )
    else:
        entry.remark("approximated", f"by its name: in the simulated service its samples are {found}", "name")
    try:
        return Metric(
            name,
            groups=entry.texts("groups"),
            direction=_word(canary, "direction", ("increase", "decrease", "either"), "either"),
            nan=_word(canary, "nanStrategy", ("remove", "replace"), "remove"),
            outliers=_word(outliers, "strategy", ("keep", "remove"), "keep"),
            outlier_factor=outliers.number("outlierFactor") if outliers.has("outlierFactor") else 3.0,  # type: ignore[arg-type]
            critical=canary.flag("critical"),
            must_have_data=canary.flag("mustHaveData"),
            muted=canary.flag("muted"),
            effect="cles" if effect.text("measure") == "cles" else "meanRatio",
            allowed_increase=effect.number("allowedIncrease"),
            allowed_decrease=effect.number("allowedDecrease"),
            critical_increase=effect.number("criticalIncrease"),
            critical_decrease=effect.number("criticalDecrease"),
        )
    except PolicyError as error:
        entry.refuse(error)
        return None


def _word(block: Reader, name: str, words: tuple[T, ...], usual: T) -> T:
    text = block.text(name, usual)
    for word in words:
        if word == text:
            return word
    block.remark("exact", f"{text!r} is none of Kayenta's words: it takes {usual}", name)
    return usual
