"""What is asked of a generator at a moment: the traffic of its plan, changed by the faults of users (`load.*`) that are in force.

The arithmetic is that of `sim/service/demand.py`: a spike multiplies the rate, a low replaces it, a shift gives one segment its share and
leaves the others as they are to each other. Pure: the generator says what time it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, sqrt
from typing import Any

from real.load.truth import Truth
from sim.service.traffic import Traffic

__all__ = ["KINDS", "Demand", "Rule", "Rules", "Shares", "shown"]

Shares = tuple[tuple[str, float], ...]
"""Segments with their shares of the requests; the rest belongs to none."""

Rule = Mapping[str, Any]
"""`{"kind": ..., "params": {...}}`, as in `sim/faults`."""

Rules = Mapping[str, Rule]
"""By the id of the fault, in the order in which they came."""

_FAR = 4.0  # standard deviations: a generator that does what it is asked is doubted once in 16,000 looks


def _spike(rate: float, params: Mapping[str, Any]) -> float:
    return rate * float(params["factor"])


def _low(rate: float, params: Mapping[str, Any]) -> float:
    return float(params["rps"])


_RATES: Mapping[str, Callable[[float, Mapping[str, Any]], float]] = {"load.spike": _spike, "load.low": _low}
KINDS = (*_RATES, "load.shift")


class Demand:
    """`asked` may be replaced by any thread; what it holds is in force from the next `look` on."""

    def __init__(self, traffic: Traffic, segments: Shares) -> None:
        self._traffic, self._segments = traffic, segments
        self.asked: Rules = {}
        self.since: dict[str, float] = {}  # when each rule came into force

    def look(self, at: float) -> float:
        """Requests per second from now on."""
        rules = self.asked
        self.since = {id: self.since.get(id, at) for id in rules}
        return _rate(self._traffic.rate(at), rules)

    def shares(self) -> Shares:
        """The mix of the next request."""
        return _mix(self._segments, self.asked)


def _rate(planned: float, rules: Rules) -> float:
    for rule in rules.values():
        change = _RATES.get(rule["kind"])
        planned = planned if change is None else change(planned, rule["params"])
    return planned


def _mix(segments: Shares, rules: Rules) -> Shares:
    for rule in rules.values():
        if rule["kind"] == "load.shift":
            segments = _shifted(segments, str(rule["params"]["segment"]), float(rule["params"]["to"]))
    return segments


def _shifted(segments: Shares, grows: str, to: float) -> Shares:
    """One segment has this share; what is left is shared by the others as before, also by requests of no segment."""
    others = 1.0 - dict(segments)[grows]
    scale = (1.0 - to) / others if others > 0 else 0.0
    return tuple((name, to if name == grows else share * scale) for name, share in segments)


def shown(id: str, rules: Rules, traffic: Traffic, segments: Shares, truth: Truth) -> str:
    """What the generator's own counts say of a rule, over the whole seconds in which it has been in force.

    '' while no second has passed, and when the counts are not those that are wanted, or are nearer to the plan.
    """
    since = truth.rules.get(id)
    seconds = range(ceil(since), int(truth.until)) if since is not None else range(0)
    if not seconds:
        return ""
    sent = sum(truth.arrived[second] for second in seconds)
    if rules[id]["kind"] == "load.shift":
        if not sent:
            return ""
        name = str(rules[id]["params"]["segment"])
        count = sum(truth.mix[second, name] for second in seconds)
        planned, wanted = (sent * dict(mix)[name] for mix in (segments, _mix(segments, rules)))
        spread, what = sqrt(wanted * (1.0 - wanted / sent)), f"{count} of {sent} requests are {name}"
    else:
        planned = sum(traffic.rate(second + 0.5) for second in seconds)
        wanted = sum(_rate(traffic.rate(second + 0.5), rules) for second in seconds)
        count, spread, what = sent, sqrt(wanted), f"{sent} requests"
    told = f"{what} in {len(seconds)} s, where {wanted:.4g} are wanted and {planned:.4g} were planned"
    return told if _as_wanted(count, wanted, planned, spread) else ""


def _as_wanted(count: float, wanted: float, planned: float, spread: float) -> bool:
    """Within the spread of chance (and a request at either end of a second), and no nearer to the plan than to what is wanted."""
    return abs(count - wanted) <= _FAR * spread + 2.0 and abs(count - wanted) <= abs(count - planned)
