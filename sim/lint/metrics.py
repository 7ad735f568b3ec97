"""The metrics of Argo's templates, each as it is used: with the arguments of the rollouts that name it, else with its own defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache

from sim.lint.files import Files
from sim.lint.queries import Facts, facts
from sim.lint.spot import Spot
from sim.manifests.argo_metrics import fill
from sim.policy.analysis import Conditions, Metric
from sim.policy.commands import Text
from sim.policy.expr import NEW, PROFILES, Condition, ConditionError, parse_condition
from sim.policy.expr.profile import REFUSED

__all__ = ["TEMPLATES", "Limits", "Use", "metrics_of", "parsed", "uses", "written"]

_REFUSED = re.compile(rf"\b(?:{'|'.join(REFUSED)})\s*\(")
TEMPLATES = ("AnalysisTemplate", "ClusterAnalysisTemplate")


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a metric is measured (None: until it is ended) and what it forgives."""

    count: int | None
    failures: int
    errors: int
    successes: int
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """A metric in one use; `success` and `failure` are the texts of its conditions, '' for none; `limits` None: not filled in."""

    spot: Spot
    provider: str
    query: str
    success: str
    failure: str
    limits: Limits | None = None
    engine: str = NEW

    @property
    def facts(self) -> Facts:
        """What its PromQL says; nothing for another provider."""
        return facts(self.query) if self.provider == "prometheus" else Facts(known=False)

    @property
    def open(self) -> bool:
        """Whether an argument without a value stands in a condition: then nothing can be said about it."""
        return "{{" in self.success + self.failure

    def conditions(self) -> Iterator[tuple[str, str]]:
        """(field, text) of each condition."""
        yield from (
            (name, text)
            for name, text in (("successCondition", self.success), ("failureCondition", self.failure))
            if text
        )


@lru_cache(maxsize=4096)
def parsed(text: str, engine: str = NEW) -> Condition | ConditionError | None:
    """The condition of a text, or why it is none; None for no text, and for one that Argo reads and `sim.policy.expr` refuses."""
    if not text:
        return None
    try:
        return parse_condition(text, engine)
    except ConditionError as error:
        return None if _REFUSED.search(text) else error


def written(files_objects: list[Spot]) -> dict[tuple[str, str], Spot]:
    """(template, metric) -> where it is written."""
    return {
        (template.child("metadata").text("name"), entry.text("name")): entry
        for template in files_objects
        for entry in template.child("spec").items("metrics")
    }


def uses(files: Files) -> Iterator[Use]:
    """Every metric of every template, once for each different use."""
    used: dict[tuple[str, str], list[Metric]] = {}
    for subject in files.subjects:
        for metric in metrics_of(subject.policy):
            used.setdefault((metric.template, metric.name), []).append(metric)
    engine = files.profile if files.profile in PROFILES else NEW
    for template in files.objects(*TEMPLATES):
        name, spec = template.child("metadata").text("name"), template.child("spec")
        defaults = {entry.text("name"): entry.text("value") for entry in spec.items("args") if entry.has("value")}
        for entry in spec.items("metrics"):
            filled, _ = fill(entry.value, defaults)
            spot = Spot(entry.document, entry.path, filled)
            named = [
                one for metric in used.get((name, entry.text("name")), ()) if (one := _of(spot, metric)) is not None
            ]
            apart = {(one.query, one.success, one.failure, one.limits): one for one in named or [_plain(spot)]}
            yield from (replace(one, engine=engine) for one in apart.values())


def metrics_of(value: object) -> Iterator[Metric]:
    if isinstance(value, Metric):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from metrics_of(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from metrics_of(getattr(value, field.name))


def _plain(spot: Spot) -> Use:
    provider = spot.child("provider")
    name = next(iter(provider.names()), "")
    query = provider.child(name).text("query")
    return Use(spot, name, query, spot.text("successCondition"), spot.text("failureCondition"), _limits(spot))


def _limits(spot: Spot) -> Limits | None:
    """As written, with Argo's defaults; None where an argument is not filled in."""
    names = ("count", "failureLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit")
    if any("{{" in spot.text(name) for name in names):
        return None
    count = spot.whole("count", 0) or (None if spot.has("interval") else 1)
    failures, errors, successes = (
        spot.whole(name, default) for name, default in zip(names[1:], (0, 4, 0), strict=True)
    )
    return Limits(count, failures, errors, successes)


def _of(spot: Spot, metric: Metric) -> Use | None:
    """The use that a policy makes of it."""
    if not isinstance(metric.query, Text):
        return None
    verdict, plain_use = metric.verdict, _plain(spot)
    limits = Limits(
        metric.effective_count, metric.failure_limit, metric.consecutive_error_limit, metric.consecutive_success_limit, metric.dry_run
    )  # fmt: skip
    if not isinstance(verdict, Conditions):
        return replace(plain_use, limits=limits)
    success, failure = (one.text if one is not None else "" for one in (verdict.success, verdict.failure))
    query = metric.query.text if metric.query.provider == "prometheus" else plain_use.query
    return Use(spot, metric.query.provider, query, success, failure, limits)
