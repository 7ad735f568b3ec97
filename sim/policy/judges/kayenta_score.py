"""Kayenta's score: from classified metrics to group scores to one number. Source: judges.md section 4.4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from sim.policy.judges.kayenta_classify import Classified

__all__ = ["GroupScore", "Score", "grade", "score"]


@dataclass(frozen=True, slots=True)
class GroupScore:
    """Score of one group in [0, 100]; `nodata` when nothing in it could be scored (then 100 in the summary)."""

    name: str
    score: float
    nodata: bool


@dataclass(frozen=True, slots=True)
class Score:
    """The summary in [0, 100] (outside only by odd weights), its groups, and why it is 0 if a rule forced that."""

    summary: float
    groups: tuple[GroupScore, ...]
    reason: str = ""


def score(results: Sequence[Classified], weights: Mapping[str, float]) -> Score:
    """The score of one judgement; `weights` are percent per group, groups without one share what is left."""
    counted = [r for r in results if not r.metric.muted]
    groups = tuple(_group(name, counted) for name in dict.fromkeys(g for r in counted for g in r.metric.groups))
    critical = next((r for r in counted if r.critical and r.label != "Pass"), None)
    if critical is not None:
        return Score(0.0, groups, f"critical metric {critical.metric.name} is {critical.label}")
    empty = sum(r.label == "Nodata" for r in counted)
    if counted and 100.0 * empty / len(counted) >= 50.0:
        return Score(0.0, groups, f"{empty} of {len(counted)} metrics have no data")
    return Score(_round(_summary(groups, weights)), groups)


def _group(name: str, results: Sequence[Classified]) -> GroupScore:
    labels = [r.label for r in results if name in r.metric.groups]
    passed = labels.count("Pass")
    scored = passed + labels.count("High") + labels.count("Low") + labels.count("NodataFailMetric")
    return GroupScore(name, 100.0 * passed / scored if scored else 0.0, scored == 0)


def _summary(groups: Sequence[GroupScore], weights: Mapping[str, float]) -> float:
    free = sum(g.name not in weights for g in groups)
    rest = (100.0 - sum(weights.values())) / free if free else 0.0
    return sum((100.0 if g.nodata else g.score) * weights.get(g.name, rest) / 100.0 for g in groups)


def _round(value: float) -> float:
    """Two decimals, half up, on the shortest decimal form."""
    return float(Decimal(repr(float(value))).quantize(Decimal("0.01"), ROUND_HALF_UP))


def grade(summary: float, pass_score: float, marginal_score: float) -> Literal["Pass", "Marginal", "Fail"]:
    """The class of a score; a score equal to a limit has reached it.

    >>> grade(75.0, 95.0, 75.0)
    'Marginal'
    """
    return "Pass" if summary >= pass_score else "Marginal" if summary >= marginal_score else "Fail"
