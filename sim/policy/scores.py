"""A score of 0 to 100 against two thresholds: where its callers draw the line (delivery-systems.md sections 8 and 9).

A score equal to the marginal one is Marginal to Kayenta's judge, Inconclusive to Argo Rollouts, and the end to orca (quirk Q40).

orca (orca-kayenta: MonitorKayentaCanaryTask, and its result task): a score at or below the marginal one ends the stage at once; only the
last score passes or fails it: below pass it fails. Without a pass score all above marginal passes, without thresholds everything does.
A judgement without a score counts as 0. Argo: the whole part of the score; at or above pass is Successful, at or above marginal
Inconclusive, else Failed; no score is an Error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from sim.policy.analysis import Assessment, Verdict
from sim.policy.chance import Key, derive
from sim.policy.errors import PolicyError
from sim.policy.events import Answer, Failed, Value
from sim.policy.judges.base import AtEnd, Finding, Truth, Window, arms
from sim.policy.judges.kayenta import Kayenta, KayentaLook

__all__ = ["Scored"]

_WORDS: tuple[Verdict, ...] = ("Successful", "Failed", "Inconclusive")


@dataclass(frozen=True, slots=True)
class Scored:
    """A verdict function over scores. `judge` gives the score of a window of counts; a number is the score itself, and a verdict word
    the verdict. `intervals`: how many judgements orca makes."""

    caller: Literal["orca", "argo"]
    pass_score: float | None = None
    marginal_score: float | None = None
    judge: Kayenta | None = None
    intervals: int = 1

    sequential: ClassVar[bool] = False
    at_end: ClassVar[AtEnd] = "inconclusive"

    def __post_init__(self) -> None:
        if self.intervals < 1:
            raise PolicyError(
                f"a canary stage judges once or more, got {self.intervals} intervals; its lifetime is too short"
            )
        for name in ("pass_score", "marginal_score"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 100:
                raise PolicyError(f"{name} lies in 0..100, got {value:g}")

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> _Scoring:
        return _Scoring(self, None if self.judge is None else self.judge.start(derive(seed, *key), truth))


@dataclass(slots=True)
class _Scoring:
    rule: Scored
    look: KayentaLook | None
    done: int = 0

    def assess(self, at: float, answer: Answer) -> Assessment:
        if isinstance(answer, Value) and answer.value in _WORDS:
            return Assessment(answer.value, answer.value)
        self.done += 1
        score, why = self._score(answer)
        verdict = self._orca(score) if self.rule.caller == "orca" else self._argo(score)
        limits = f"(pass {_shown(self.rule.pass_score)}, marginal {_shown(self.rule.marginal_score)})"
        shown = "no score" if score is None else f"score {score:g}"
        evidence = () if score is None else (("statistic", score),)
        return Assessment(score, verdict, f"{shown} {limits}{why and ': '}{why}", evidence)

    def _score(self, answer: Answer) -> tuple[float | None, str]:
        match answer:
            case Value(bool()):
                return None, "true or false is no score"
            case Value(int() | float() as score) if not math.isnan(score):
                return float(score), ""
            case Value(Window() as window) if self.look is not None:
                return self._judged(window, self.look)
            case Failed(reason):
                return None, reason
        return None, "the judgement gave no score"

    def _judged(self, window: Window, look: KayentaLook) -> tuple[float | None, str]:
        pair = arms(window, "fail")
        if isinstance(pair, Finding):
            return None, pair.reason
        try:
            return look.judgement(*pair)[1].summary, ""
        except ArithmeticError as problem:
            return None, str(problem)

    def _orca(self, score: float | None) -> Verdict:
        rule, score = self.rule, 0.0 if score is None else score
        if rule.marginal_score is not None and score <= rule.marginal_score:
            return "Failed"
        if self.done < rule.intervals:
            return "Undecided"
        return "Failed" if rule.pass_score is not None and score < rule.pass_score else "Successful"

    def _argo(self, score: float | None) -> Verdict:
        if score is None:
            return "Error"
        whole, rule = math.floor(score), self.rule
        if whole >= (rule.pass_score or 0.0):
            return "Successful"
        return "Inconclusive" if whole >= (rule.marginal_score or 0.0) else "Failed"


def _shown(threshold: float | None) -> str:
    return "-" if threshold is None else f"{threshold:g}"
