"""What a metric tolerates: the share of failed requests above which a look fails, found by asking the policy's own verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.files import Refused, parse_prom_duration
from sim.lint.queries import facts
from sim.policy.analysis import Conditions, Judged, Metric
from sim.policy.commands import Counts, Text
from sim.policy.events import Value
from sim.policy.flagger import Check
from sim.policy.judges.threshold import Threshold
from sim.scenario.measures import UNITS, Asked

__all__ = ["Bar", "bar", "bar_of_check"]

_STEPS = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """A look fails when more than `rate` of its requests failed; it sees the last `window` seconds (0: the last two scrapes)."""

    rate: float
    window: float


def bar(metric: Metric) -> Bar | None:
    """The bar of an analysis' metric; None for what is not a share of failed requests."""
    rule, query = metric.verdict, metric.query
    if isinstance(rule, Judged) and isinstance(rule.judge, Threshold) and isinstance(query, Counts):
        rate = rule.judge.max_error_rate
        return Bar(rate, query.window) if rate is not None else None
    if isinstance(rule, Asked) and rule.measure.kind in ("success-rate", "error-rate") and rule.measure.of == "canary":
        scale = 100.0 if (rule.measure.unit or UNITS[rule.measure.kind][0]) == "percent" else 1.0
        return _bar(_fails(rule.conditions), scale, rule.measure.window)
    if isinstance(rule, Conditions) and isinstance(query, Text) and query.provider == "prometheus":
        known = facts(query.text)
        return _bar(_fails(rule), known.scale, _window(query.text)) if known.ratio else None
    return None


def bar_of_check(check: Check) -> Bar | None:
    """The bar of one of Flagger's metrics."""
    if not isinstance(check.query, Text):
        return None
    if check.query.provider == "flagger-builtin":
        if check.name != "request-success-rate" or check.low is None:
            return None
        return Bar(max(0.0, 1 - check.low / 100), _builtin_window(check.query.text))
    known = facts(check.query.text)
    if not known.ratio:
        return None
    return _bar(lambda value: not check.assess(Value(value))[1], known.scale, _window(check.query.text))


def _fails(rule: Conditions) -> Callable[[float], bool]:
    return lambda value: rule.assess(0.0, Value(value)).verdict == "Failed"


def _bar(fails: Callable[[float], bool], scale: float, window: float) -> Bar | None:
    """Where the verdict turns between no failed request and all of them; one turn only is looked for."""
    none, whole = fails(0.0), fails(scale)
    if none == whole:
        return None
    low, high = 0.0, scale
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if fails(middle) == none else (low, middle)
    edge = (low + high) / 2 / scale
    return Bar(round(1 - edge if none else edge, 9), window)  # failing at 0: it is a success rate


def _window(query: str) -> float:
    looks = facts(query).looks
    return max((look.range for look in looks if look.mixes), default=0.0)


def _builtin_window(text: str) -> float:
    try:
        return parse_prom_duration(text.rpartition("[")[2].rstrip("]"))
    except Refused:
        return 60.0
