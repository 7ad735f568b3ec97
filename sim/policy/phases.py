"""Phase and reason of a rollout in Argo's words and order (delivery-systems.md sections 2.17 and 2.19; utils/rollout/rolloututil.go)."""

from __future__ import annotations

from sim.policy.scale import Pods
from sim.policy.standing import Standing

__all__ = ["Phase", "canary_phase", "paused", "swap_phase", "waits"]

Phase = tuple[str, str]

HEALTHY: Phase = ("Healthy", "")
MORE: Phase = ("Progressing", "more replicas need to be updated")
BECOMING: Phase = ("Progressing", "updated replicas are still becoming available")
DRAINING: Phase = ("Progressing", "old replicas are pending termination")
STEPS: Phase = ("Progressing", "waiting for all steps to complete")
CUTOVER: Phase = ("Progressing", "active service cutover pending")
ANALYSIS: Phase = ("Progressing", "waiting for analysis to complete")
VERIFICATION: Phase = ("Progressing", "waiting for post-promotion verification to complete")


def paused(suspended: bool, step: str, inconclusive: bool) -> Phase | None:
    """The pause that a rollout stands in: a person's own first, then the first condition (`step` names it, or is empty)."""
    if suspended:
        return "Paused", "manually paused"
    if step:
        return "Paused", step
    return ("Paused", "InconclusiveAnalysisRun") if inconclusive else None


def progressing(updated: int, available: int, replicas: int) -> Phase | None:
    """What pods are missing: created of the new revision, or available."""
    if updated < replicas:
        return MORE
    return BECOMING if available < updated else None


def canary_phase(s: Standing, late: str) -> Phase:
    """The phase of a canary; `late` is the message of a passed deadline, or empty."""
    if s.aborted is not None or late:
        return "Degraded", s.aborted or late
    step = "CanaryPauseStep" if s.paused_at is not None else "InconclusiveExperiment" if s.unsure else ""
    pause = paused(s.suspended, step, s.inconclusive)
    if pause is not None:
        return pause
    if s.policy.pods:
        # What a pass sends away still counts in the phase of that pass, and what it makes not yet (seen: canary-no-steps).
        created = s.stable.wanted + s.canary.wanted + s.leaving - s.coming
        available = s.stable.staying + s.canary.staying + s.leaving
        for entry in s.older:
            created += entry.pods.wanted
            available += entry.pods.staying
        updated = (s.canary.wanted if s.updating else s.stable.wanted) - s.coming
        missing = progressing(updated, available, s.replicas)
        if missing is not None:
            return missing
        if not s.policy.router and created > updated:
            return DRAINING
    return STEPS if s.updating else HEALTHY


def swap_phase(stable: Pods, new: Pods, replicas: int, updating: bool, switched: bool, judged: bool) -> Phase:
    """The phase of a blue-green update that neither failed nor pauses; what counts as available is the active revision's.

    `judged`: the post-promotion run has ended, or there is none.
    """
    active = new if updating and switched else stable
    missing = progressing((new if updating else stable).wanted, active.available, replicas)
    if missing is not None:
        return missing
    if not switched:
        return CUTOVER
    if updating:
        return VERIFICATION if judged else ANALYSIS
    return HEALTHY


def waits(s: Standing, timed: bool) -> bool:
    """Whether nothing but a person gets the rollout on; `timed`: the pause ends by itself."""
    if s.aborted is not None:
        return False
    if s.paused_at is not None and not s.suspended:
        return not timed
    return s.suspended or s.inconclusive or s.unsure
