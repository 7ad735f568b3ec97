"""Judges: windows of counts in, verdicts with evidence out. `JUDGES` lists the built-in ones by registry name."""

from __future__ import annotations

from sim.policy.judges.bake_time import BakeTime
from sim.policy.judges.base import Arm, Finding, Judge, Look, Truth, Verdict, Window, conclude
from sim.policy.judges.burn_rate import BurnRate
from sim.policy.judges.controls import AlwaysPromote, AlwaysRollback, Oracle, Random
from sim.policy.judges.eprocess import EProcessCounts
from sim.policy.judges.eprocess_cdf import EProcessCdf
from sim.policy.judges.fixed import FixedExact
from sim.policy.judges.gst import GroupSequential
from sim.policy.judges.kayenta import Kayenta, KayentaMargin
from sim.policy.judges.kayenta_metric import Metric
from sim.policy.judges.mean_inequality import MeanInequality
from sim.policy.judges.peeking import PeekingT
from sim.policy.judges.sprt import Sprt
from sim.policy.judges.threshold import Threshold

__all__ = [
    "JUDGES", "AlwaysPromote", "AlwaysRollback", "Arm", "BakeTime", "BurnRate", "EProcessCdf", "EProcessCounts",
    "Finding", "FixedExact", "GroupSequential", "Judge", "Kayenta", "KayentaMargin", "Look", "MeanInequality", "Metric",
    "Oracle", "PeekingT", "Random", "Sprt", "Threshold", "Truth", "Verdict", "Window", "conclude",
]  # fmt: skip

JUDGES: dict[str, type[Judge]] = {
    "threshold": Threshold,
    "kayenta.aca_seeded": Kayenta,
    "kayenta.aca_margin": KayentaMargin,
    "eprocess.counts": EProcessCounts,
    "eprocess.cdf": EProcessCdf,
    "sprt": Sprt,
    "burn_rate": BurnRate,
    "bake_time": BakeTime,
    "gst": GroupSequential,
    "fixed.exact": FixedExact,
    "peeking_t": PeekingT,
    "mean_inequality": MeanInequality,
    "always_promote": AlwaysPromote,
    "always_rollback": AlwaysRollback,
    "random": Random,
    "oracle": Oracle,
}
