"""The weight a canary's router is to have (delivery-systems.md sections 2.11 and 2.13; Argo: rollout/trafficrouting.go)."""

from __future__ import annotations

from sim.policy.sizes import backwards, enough, reached
from sim.policy.standing import Standing

__all__ = ["allowed", "managed", "wanted"]


def wanted(s: Standing) -> float:
    """The weight of this pass; of Argo's rules the first that matches."""
    policy = s.policy
    if s.aborted is not None or s.returning:
        return _back(s)
    if not s.updating or (policy.pods and s.canary.available == 0):
        return 0.0
    if s.full and policy.pods:
        return _served(s, s.canary.available) if policy.dynamic_stable_scale else s.weight
    if reached(s):
        return s.planned(s.index)
    return s.planned(s.index - 1) if s.index > 0 else 0.0


def allowed(s: Standing, weight: float) -> bool:
    """Argo's guard: nothing changes while stable could not carry its share."""
    maximum = s.policy.max_weight
    parts = maximum if s.modern else 100
    desired = int((maximum - weight) * s.replicas // parts)
    return not s.policy.pods or s.stable.available >= desired or enough(s, s.stable, desired)


def managed(s: Standing) -> bool:
    """Whether header and mirror routes may stand; they go with an abort, the end, and the last available canary pod."""
    if s.aborted is not None or s.full or not s.updating:
        return False
    return not s.policy.pods or s.canary.available > 0


def _back(s: Standing) -> float:
    """The weight after an abort; with a dynamically scaled stable it walks back through the steps as stable's pods return."""
    policy, replicas, maximum = s.policy, s.replicas, s.policy.max_weight
    if not policy.dynamic_stable_scale or replicas == 0:
        return 0.0
    served = _served(s, s.stable.available)
    if not s.modern:
        return min(s.weight, max(0, maximum - served))
    desired = backwards(s)
    if desired <= 0:
        return min(max(0, maximum - served), s.weight)
    return s.weight if served < maximum - desired else min(desired, s.weight)


def _served(s: Standing, pods: int) -> int:
    """The weight that so many pods can carry, in whole parts."""
    maximum = s.policy.max_weight
    return min(maximum, maximum * pods // s.replicas) if s.replicas else 0
