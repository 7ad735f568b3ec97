"""What HAProxy is told so that its slots carry these weights: lines of its runtime API. Text only; also runs in the router's pod.

A server of the backend `revisions` is a slot; slots start in maintenance, without an address. `all` takes what is routed nowhere.
Weights are whole numbers up to 256 (HAProxy's configuration manual, section 5.2, `weight`); `parts` finds those nearest to a ratio.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import TypeVar

__all__ = ["MAP", "SLOTS", "neutral", "parts", "said"]

SLOTS = 8
MAP = "/etc/router/segments.map"
_MOST = 256

Key = TypeVar("Key", bound=Hashable)


def parts(weights: Mapping[Key, float]) -> dict[Key, int]:
    """Whole weights of at most 256 nearest to the given ratio. Errors: ValueError where there is nothing to share.

    >>> parts({1: 80.0, 2: 20.0})
    {1: 4, 2: 1}
    >>> parts({1: 99.5, 2: 0.5})
    {1: 199, 2: 1}
    """
    if sum(weights.values()) <= 0:
        raise ValueError(f"weights add up to more than 0, got {list(weights.items())}")
    exact = {key: Fraction(weight).limit_denominator(10_000) for key, weight in weights.items()}
    whole = lcm(*(fraction.denominator for fraction in exact.values()))
    numbers = {key: int(fraction * whole) for key, fraction in exact.items()}
    shared = gcd(*numbers.values())
    numbers = {key: number // shared for key, number in numbers.items()}
    if max(numbers.values()) <= _MOST:
        return numbers
    top = max(weights.values())
    return {key: max(1, round(_MOST * weight / top)) if weight else 0 for key, weight in weights.items()}


def said(numbers: Mapping[str, int], addresses: Mapping[str, tuple[str, int]], segments: Mapping[str, str]) -> str:
    """Lines that bring this about from any state, with somebody to serve at every moment.

    `numbers`: weight of each slot; `addresses`: host and port of each slot that is weighed or matched; `segments`: value of the header
    x-segment -> slot.
    """
    lines: list[str] = []
    for slot, (host, port) in addresses.items():
        for backend in ("revisions", slot):
            lines += [
                f"set server {backend}/{slot} addr {host} port {port}",
                f"set server {backend}/{slot} state ready",
            ]
        lines.append(f"set weight revisions/{slot} {numbers.get(slot, 0)}")
    lines += ["set weight revisions/all 0", "set server revisions/all state maint", *_silenced(numbers)]
    lines += [f"clear map {MAP}", *(f"add map {MAP} {segment} {slot}" for segment, slot in segments.items())]
    return "\n".join(lines)


def neutral() -> str:
    """Lines after which everything goes to `all`."""
    first = ["set server revisions/all state ready", "set weight revisions/all 1"]
    return "\n".join([*first, *_silenced({}), f"clear map {MAP}"])


def _silenced(used: Mapping[str, int]) -> list[str]:
    idle = [f"slot{n}" for n in range(SLOTS) if f"slot{n}" not in used]
    return [
        line for slot in idle for line in (f"set weight revisions/{slot} 0", f"set server revisions/{slot} state maint")
    ]
