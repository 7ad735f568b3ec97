"""One metric of a Kayenta configuration, and how its series are paired. Source: judges.md sections 4.1 and 4.2.

Kayenta lets a wrong type fail the whole judgement while it runs; here a wrong field is a `PolicyError` when the file is
read.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Literal

from sim.policy.judges.base import require, require_one_of

__all__ = ["Metric", "Pair", "Series", "pair"]

Series = tuple[str, tuple[float, ...]]  # name, with labels as in `latency{pod=a}`, and samples
Pair = tuple[tuple[float, ...], tuple[float, ...]]  # experiment, control


@dataclass(frozen=True, slots=True)
class Metric:
    """What `analysisConfigurations.canary` says about one metric.

    Effect limits of None are Kayenta's defaults: 1.0, or 0.5 when `effect` is "cles". Tolerance (0.25) and confidence
    (0.98) are constants of the judge, not fields: upstream never reads the configured ones.
    """

    name: str
    groups: tuple[str, ...] = ()
    direction: Literal["increase", "decrease", "either"] = "either"
    nan: Literal["remove", "replace"] = "remove"
    outliers: Literal["keep", "remove"] = "keep"
    outlier_factor: float = 3.0
    critical: bool = False
    must_have_data: bool = False
    muted: bool = False
    effect: Literal["meanRatio", "cles"] = "meanRatio"
    allowed_increase: float | None = None
    allowed_decrease: float | None = None
    critical_increase: float | None = None
    critical_decrease: float | None = None

    def __post_init__(self) -> None:
        require(bool(self.name), "a metric needs a name, got ''")
        require_one_of("direction", self.direction, "increase", "decrease", "either")
        require_one_of("nan", self.nan, "remove", "replace")
        require_one_of("outliers", self.outliers, "keep", "remove")
        require_one_of("effect", self.effect, "meanRatio", "cles")
        require(
            self.outlier_factor > 0,
            f"outlier_factor must be positive, got {self.outlier_factor}; Kayenta's default is 3",
        )
        for flag in ("critical", "must_have_data", "muted"):
            value = getattr(self, flag)
            require(
                isinstance(value, bool),
                f"{flag} of {self.name} must be true or false, got {value!r}; write it unquoted",
            )

    def limit(self, field: str) -> float:
        """The effect limit `field`, or Kayenta's default for this effect measure."""
        value: float | None = getattr(self, field)
        return value if value is not None else 0.5 if self.effect == "cles" else 1.0


def _tags(name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`latency{pod=a,zone=b}` -> ("latency", (("pod", "a"), ("zone", "b")))."""
    base, _, labels = name.partition("{")
    items = (item.partition("=") for item in labels.rstrip("}").split(",") if item)
    return base.strip(), tuple(sorted((key.strip(), value.strip().strip('"')) for key, _, value in items))


def _pad(values: tuple[float, ...], size: int) -> tuple[float, ...]:
    return values + (nan,) * (size - len(values))


def pair(metric: str, experiment: tuple[Series, ...], control: tuple[Series, ...], expected: int) -> tuple[Pair, ...]:
    """The (experiment, control) pairs of `metric`, matched by equal labels and padded with NaN to `expected` points.

    A side without labels stands, as NaN only, against every labelled series of the other side. Label keys that differ
    are an `ArithmeticError`: upstream fails the whole judgement. A metric without any series is one pair of missing
    sides.
    """
    sides = []
    for points in (experiment, control):
        named = [(_tags(name), values) for name, values in points]
        sides.append({tags: values for (base, tags), values in named if base == metric})
    exp, ctl = sides
    bare = ((),)
    if tuple(exp) in (bare, ()) and any(ctl):
        exp = {}
    if tuple(ctl) in (bare, ()) and any(exp):
        ctl = {}
    keys = sorted({tuple(key for key, _ in tags) for tags in (*exp, *ctl)})
    if len(keys) > 1:
        raise ArithmeticError(
            f"series of {metric} carry different labels: {keys}; query both arms with the same labels"
        )
    every = list(dict.fromkeys((*exp, *ctl))) or [()]
    return tuple((_pad(exp.get(tags, ()), expected), _pad(ctl.get(tags, ()), expected)) for tags in every)
