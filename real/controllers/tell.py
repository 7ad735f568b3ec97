"""A recording -> the history that is kept."""

from __future__ import annotations

from real.controllers.recording import Recording
from real.controllers.tell_argo import tell_argo
from real.controllers.tell_deployment import tell_deployment
from real.controllers.tell_flagger import tell_flagger
from sim.tracing.history import History

__all__ = ["CONTROLLERS", "tell"]

# What `../shared/cluster` installs; a recording on another release says so by these two.
CONTROLLERS = {"argo-rollouts": "argo-rollouts 1.10.1", "flagger": "flagger 1.41.0", "kubernetes": "kubernetes 1.32.2"}
_TELL = {"argo-rollouts": tell_argo, "flagger": tell_flagger, "kubernetes": tell_deployment}


def tell(recording: Recording) -> History:
    """The history of a recording, in the words of a trace."""
    system = recording.case.system
    told = _TELL[system](recording)
    pods = {revision: tuple(starts) for revision, starts in sorted(told.sizes.starts.items()) if starts}
    acts = tuple(round(act.at - recording.start, 3) for act in recording.acts)
    return History(
        CONTROLLERS[system], CONTROLLERS["kubernetes"], recording.began, tuple(told.entries), acts, pods, told.tick,
        round(recording.ended - recording.start, 3),
    )  # fmt: skip
