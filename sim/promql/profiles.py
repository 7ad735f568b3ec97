"""Which Prometheus is reproduced: a table of switched rules per version."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "LOOKBACK", "PROFILES", "Profile", "profile"]


LOOKBACK = 300_000  # ms: how old an instant vector's sample may be (flag --query.lookback-delta, its default)


@dataclass(frozen=True, slots=True)
class Profile:
    """One version. Sources: prometheus/prometheus v2.42.0 (what promtool of Debian 12 is) and v3.5.1, `promql/` of each."""

    name: str
    left_open: bool  # ranges, subqueries and look-back leave their earliest instant out (3.0)
    modern: bool  # what else 3.x computes differently: see README.md, "Profiles"
    functions: frozenset[str]


_BOTH = frozenset((
    "abs", "absent", "absent_over_time", "acos", "acosh", "asin", "asinh", "atan", "atanh", "avg_over_time", "ceil", "changes",
    "clamp", "clamp_max", "clamp_min", "cos", "cosh", "count_over_time", "day_of_month", "day_of_week", "day_of_year",
    "days_in_month", "deg", "delta", "deriv", "exp", "floor", "histogram_quantile", "hour", "idelta", "increase", "irate",
    "label_join", "label_replace", "last_over_time", "ln", "log10", "log2", "max_over_time", "min_over_time", "minute", "month",
    "pi", "predict_linear", "present_over_time", "quantile_over_time", "rad", "rate", "resets", "round", "scalar", "sgn", "sin",
    "sinh", "sort", "sort_desc", "sqrt", "stddev_over_time", "stdvar_over_time", "sum_over_time", "tan", "tanh", "time",
    "timestamp", "vector", "year",
))  # fmt: skip

PROFILES = {
    "prometheus@2.42": Profile("prometheus@2.42", False, False, _BOTH | {"holt_winters"}),
    "prometheus@3": Profile("prometheus@3", True, True, _BOTH),
}


DEFAULT = "prometheus@2.42"  # of promtool's files: what Debian's promtool is


def profile(name: str) -> Profile:
    """KeyError for a name that is not in PROFILES."""
    return PROFILES[name]
