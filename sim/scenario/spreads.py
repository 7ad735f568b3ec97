"""How long things take, as a file writes it: `10s`, or a distribution `{lognormal: {median: 10s, p99: 40s}}`."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, Field, create_model

from sim.durations import Constant, Exponential, Lognormal, Uniform
from sim.files import Duration, PositiveNumber, Ratio, branch
from sim.policy.errors import WorldError
from sim.scenario.choices import choice, single
from sim.scenario.derive import Form, unsaid

__all__ = ["Amount", "Share", "Spread"]


class _Skewed(Form):
    @cached_property
    def made(self) -> Lognormal:
        told = {name: getattr(self, name) for name in ("median", "p99", "mean") if self.said(name)}
        if len(told) != 2:
            raise WorldError("a lognormal needs its median and one of p99 and mean; write e.g. {median: 10s, p99: 40s}")
        return Lognormal(**told) if "p99" in told else Lognormal.of(**told)


class _Even(Form):
    @cached_property
    def made(self) -> Uniform:
        return Uniform(getattr(self, "low"), getattr(self, "high"))  # noqa: B009 - the fields are made below


class _Waiting(Form):
    @cached_property
    def made(self) -> Exponential:
        return Exponential(getattr(self, "mean"))  # noqa: B009


def _family(unit: Any, suffix: str, what: str) -> Any:
    """The type of a distribution whose numbers are written in `unit`."""
    extra: Any = (unit, unsaid())
    needed: Any = (unit, Field())
    bodies: dict[str, type[Form]] = {
        "lognormal": create_model(f"Lognormal{suffix}", __base__=_Skewed, median=needed, p99=extra, mean=extra),
        "uniform": create_model(f"Uniform{suffix}", __base__=_Even, low=needed, high=needed),
        "exponential": create_model(f"Exponential{suffix}", __base__=_Waiting, mean=needed),
    }
    forms = {key: single(key, body) for key, body in bodies.items()}
    lognormal, uniform, exponential = forms.values()
    return Annotated[
        Annotated[unit, AfterValidator(Constant), branch("text")]
        | Annotated[lognormal, branch("lognormal")]
        | Annotated[uniform, branch("uniform")]
        | Annotated[exponential, branch("exponential")],
        choice(what, forms, text=True),
    ]


Spread = _family(Duration, "", "duration")
"""A duration, or a distribution of durations."""

Amount = _family(PositiveNumber, "OfNumbers", "number")
"""A number, or a distribution of numbers."""

Share = _family(Ratio, "OfRatios", "ratio")
"""A ratio, or a distribution of ratios."""
