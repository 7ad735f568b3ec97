"""Who receives the requests: what a policy has asked of the router, and the shares that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sim.policy.commands import Command, Match, Mirror, Promote, Restore, SetWeight, Switch
from sim.policy.errors import PolicyError

__all__ = ["Class", "Routing"]

Class = tuple[str | None, float, float]
"""(segment, its share of all requests, the part of it that goes to the new version); None is everybody else."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Traffic goes by weight once the policy has spoken of weights, by the active service once it has spoken of services, else by
    the available pods (kube-proxy balances evenly). `weight` and `mirror` are ratios; `weight` is the new version's: all
    of it once that is the stable one."""

    mode: Literal["pods", "weight", "active"] = "pods"
    weight: float = 0.0
    active: int = 1
    matched: tuple[str, ...] = ()
    mirror: float = 0.0

    def asked(self, command: Command, maximum: float, promoted: bool) -> Routing:
        """The routing after a command; `maximum` is the weight that stands for all traffic."""
        match command:
            case SetWeight(weight):
                if not 0 <= weight <= maximum:
                    raise PolicyError(f"a weight lies between 0 and {maximum:g}, got {weight:g}")
                return replace(self, mode="weight", weight=1.0 if promoted else weight / maximum)
            case Switch(active):
                return replace(self, mode="active", active=active)
            case Match(segments):
                return replace(self, matched=segments)
            case Mirror(percent):
                return replace(self, mirror=percent / 100)
            case Promote():  # what went to the stable version by weight goes to this one from now on
                return replace(self, weight=1.0) if self.mode == "weight" else self
            case Restore():
                return replace(self, weight=1.0 if promoted else 0.0, active=1, matched=(), mirror=0.0)
        return self

    def part(self, promoted: bool, old: int, new: int, beside: int = 0) -> float:
        """The part of unmatched requests that goes to the new version, given available pods.

        `beside` pods of the new version are the canary's own while the stable workload takes the new version over (Flagger): what
        does not go to the canary is shared by the pods of that workload, old and new.
        """
        if self.mode == "weight":
            taken = max(0, new - beside) if beside else 0
            return self.weight + (1.0 - self.weight) * taken / (taken + old) if taken else self.weight
        if self.mode == "active":
            return 1.0 if self.active == 2 else 0.0
        return new / (new + old) if new + old else (1.0 if promoted else 0.0)

    def classes(self, segments: Sequence[tuple[str, float]], part: float) -> tuple[Class, ...]:
        """Every segment, then everybody else."""
        named = [(name, share, 1.0 if name in self.matched else part) for name, share in segments]
        rest = 1.0 - sum(share for _, share, _ in named)
        return (*named, (None, rest, part))
