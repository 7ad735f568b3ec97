"""How many pods a canary wants, and how far one pass moves towards that (delivery-systems.md sections 2.8 to 2.10, 2.13).

Behind a router the canary follows its weight in one step and stable keeps its size; without one the ratio of pods is the
weight, and both move within surge and unavailable.
"""

from __future__ import annotations

from sim.policy.commands import SetWeight
from sim.policy.scale import Bounds, Pods, bounds, move, move_older, routed, shared
from sim.policy.standing import Standing, gone
from sim.policy.steps import ScaleCanary

__all__ = ["backwards", "drained", "enough", "following", "reached", "target"]


def target(s: Standing) -> tuple[int, int]:
    """Wanted (canary, stable) pods for the current step."""
    policy, replicas, maximum = s.policy, s.replicas, s.policy.max_weight
    if not policy.pods or not s.updating:
        return 0, replicas
    weight = s.planned(s.index)
    if not policy.router:
        return shared(replicas, weight, _allowed(s).surge, maximum)
    least = min(policy.min_pods, replicas) if s.modern else policy.min_pods
    scale = _scale(s)
    if scale is not None and scale.replicas is not None:
        canary, weight = scale.replicas, 0.0
    else:
        if scale is not None and scale.weight is not None:
            weight = scale.weight
        elif s.aborted is not None and s.modern and policy.dynamic_stable_scale:
            weight = backwards(s)
        canary = _at_least(routed(replicas, weight, maximum), least)
    if not policy.dynamic_stable_scale:
        return canary, replicas
    if s.aborted is not None:  # pods go only after their traffic
        canary = max(canary, routed(replicas, s.weight, maximum))
    stable = max(routed(replicas, maximum - weight, maximum), routed(replicas, maximum - s.recorded, maximum))
    return _at_least(canary, least), _at_least(stable, least)


def backwards(s: Standing) -> float:
    """After an abort under a dynamic stable: the last weight of the steps that needs fewer pods than stable lacks, or than the
    canary still has (Argo: GetDesiredCanaryWeight)."""
    policy, replicas = s.policy, s.replicas
    need = max(replicas - s.stable.available, s.canary.available if s.updating else 0)
    falling = (step.weight for step in reversed(s.plan.steps) if isinstance(step, SetWeight))
    return next((weight for weight in falling if routed(replicas, weight, policy.max_weight) < need), 0.0)


def _scale(s: Standing) -> ScaleCanary | None:
    """The `ScaleCanary` in force. After an abort, at the first step, only if its pods are to stay (Argo: UseSetCanaryScale)."""
    dropped = s.aborted is not None and s.policy.abort_scale_down_delay is not None
    return None if s.full or dropped or s.index >= s.plan.last else s.plan.scales[s.index]


def following(s: Standing, at: float) -> tuple[int, int]:
    """Wanted (canary, stable) pods after one more pass."""
    if s.policy.router:
        canary, stable = target(s)
        return (canary if s.aborted is None else _kept(s, at, canary)), stable
    allowed = _allowed(s)
    older = _older(s)
    if not s.updating:
        room = s.replicas + allowed.surge - (s.stable.wanted + older.wanted)
        return 0, min(s.replicas, s.stable.wanted + max(0, room))
    return move(s.stable, s.canary, older, target(s), s.replicas, allowed)


def reached(s: Standing) -> bool:
    """Whether the sizes of the current step stand; without a router the surplus of stable must be gone as well."""
    if not s.policy.pods:
        return True
    if s.policy.router:
        canary, stable = target(s)
        return enough(s, s.canary, canary) and (s.policy.dynamic_stable_scale or s.stable.wanted == stable)
    canary, stable = following(s, 0.0)
    if not enough(s, s.canary, canary) or s.stable.available > s.stable.wanted:
        return False
    return not _older(s).available and stable == s.stable.wanted


def enough(s: Standing, pods: Pods, desired: int) -> bool:
    """Whether so many of the desired pods are available that the rollout may get on (Argo: ReplicaProgressThresholdMet)."""
    match s.policy.progress_threshold:
        case None:
            return pods.available == desired == pods.wanted
        case int(number):
            return pods.available >= number
        case share:
            return 100 * pods.available >= int(share.removesuffix("%")) * desired


def drained(s: Standing, at: float) -> tuple[int, ...]:
    """Wanted pods of the older revisions after one more pass, newest first."""
    if s.policy.router:
        # The newest may still have the router's weight; it is dropped only without.
        dropped = gone(s.older, at, s.policy.scale_down_delay_revisions, s.older[0].revision if s.behind else None)
        return tuple(0 if drop else entry.pods.wanted for entry, drop in zip(s.older, dropped, strict=True))
    available = s.stable.staying + s.canary.staying + sum(entry.pods.staying for entry in s.older)
    return move_older(tuple(entry.pods for entry in s.older), available, s.replicas - _allowed(s).unavailable)


def _kept(s: Standing, at: float, wanted: int) -> int:
    """After an abort the canary's pods stay until a deadline that starts once stable is complete; without a delay they go at once."""
    policy, delay = s.policy, s.policy.abort_scale_down_delay
    if delay is None or s.canary.wanted == 0 or (policy.dynamic_stable_scale and policy.pods_follow_abort):
        return wanted
    if s.canary_deadline is None and s.stable.available >= s.replicas:
        s.canary_deadline = at + delay
    if s.canary_deadline is None or at < s.canary_deadline:
        return s.canary.wanted
    return wanted


def _allowed(s: Standing) -> Bounds:
    return bounds(s.replicas, s.policy.max_surge, s.policy.max_unavailable)


def _older(s: Standing) -> Pods:
    wanted = available = 0
    for entry in s.older:
        wanted += entry.pods.wanted
        available += entry.pods.available
    return Pods(wanted, available)


def _at_least(count: int, least: int) -> int:
    return max(count, least) if count else 0
