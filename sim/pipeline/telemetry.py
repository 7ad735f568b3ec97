"""Telemetry: when an alert on a regression reaches people, computed ahead from the grids of sampling and evaluating.

Without gaps the delay is U(0, sample) + U(0, evaluate) + ceil(pending / evaluate) * evaluate + group_wait
(pipeline-systems.md section 2). A missing sample is absent, never zero: the last one counts until it is older than
``lookback``; after that the rule is silent and its pending time starts again.
"""

from __future__ import annotations

import math

from sim.durations import Uniforms
from sim.pipeline.disruptions import Track
from sim.pipeline.hops import tick
from sim.pipeline.model import Alerting


class Alarm:
    """One alert rule of one instance; its two grids have phases of their own. Fault: ``telemetry.gap``."""

    def __init__(self, alerting: Alerting, uniform: Uniforms, gap: Track | None = None, instance: int = 0) -> None:
        self._alerting, self._uniform, self._gap, self._instance = alerting, uniform, gap or Track(), instance
        self._sampled = alerting.sample * uniform("alert.sample.phase", instance, 0)
        self._evaluated = alerting.evaluate * uniform("alert.evaluate.phase", instance, 0)

    def fires(self, since: float) -> float:
        """When people are notified of a regression that shows from ``since`` on, if it lasts that long."""
        rule = self._alerting
        pending_since: float | None = None
        evaluation = tick(since, self._evaluated, rule.evaluate)
        first = round((evaluation - self._evaluated) / rule.evaluate)
        for k in range(first, first + 2**40):
            at = self._evaluated + k * rule.evaluate
            if not self._shows(at, since):
                pending_since = None
            elif pending_since is None:
                pending_since = at
            # The tolerance is of float grids: k * evaluate need not be exact where pending is a multiple of it.
            if pending_since is not None and at - pending_since >= rule.pending - 1e-6:
                return at + rule.group_wait
        raise AssertionError("disruptions are finite, so a sample shows at last")

    def _shows(self, at: float, since: float) -> bool:
        """Whether the newest sample within the look-back of ``at`` was taken at or after ``since``."""
        k = math.floor((at - self._sampled) / self._alerting.sample)
        while True:
            sampled = self._sampled + k * self._alerting.sample
            if sampled < since or at - sampled > self._alerting.lookback:
                return False
            if not self._missing(sampled, k):
                return True
            k -= 1

    def _missing(self, sampled: float, k: int) -> bool:
        share = self._gap.intensity(sampled)
        return share > 0.0 and self._uniform("telemetry.gap", self._instance, k) < share
