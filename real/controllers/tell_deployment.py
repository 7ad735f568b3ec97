"""A recording of a Kubernetes Deployment -> entries. Its phase is what its counts and its Progressing condition say."""

from __future__ import annotations

from real.controllers.answers import Given
from real.controllers.case import Object
from real.controllers.recording import Act, Recording, revision_of
from real.controllers.telling import Teller
from real.controllers.watching import Seen

__all__ = ["tell_deployment"]


class _Deployment(Teller):
    def hear(self, item: Seen | Act | Given) -> None:
        at = item.at
        if isinstance(item, Act):
            self._act(item)
        elif isinstance(item, Given):
            return
        elif item.kind == "ReplicaSet" and not item.deleted:
            self.sizes.see(at, item.name, item.object, at >= self.start)
            self.look(at)
        elif item.kind == "Deployment" and at >= self.start:
            self.revision = max(self.revision, 2)
            self._status(at, item.object)

    def _act(self, act: Act) -> None:
        match act.what.kind:
            case "abort":  # an undo: the new revision keeps its role
                self.obey(act.at, act.what.action)
            case "revision":
                self.revision = int(str(act.what.value))
                self.add(act.at, "revision", revision=self.revision)
                self.look(act.at)

    def _status(self, at: float, deployment: Object) -> None:
        status, wanted = deployment["status"], deployment["spec"].get("replicas", 1)
        if status.get("observedGeneration") != deployment["metadata"]["generation"]:
            self.enter(at, "Progressing")  # as `kubectl rollout status`: the controller has yet to see the update
            return
        counts = (status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
        if counts == (wanted, wanted, wanted):
            self.stable_revision = revision_of(deployment)
            self.look(at)
            self.enter(at, "Healthy")
        else:
            late = any(one.get("reason") == "ProgressDeadlineExceeded" for one in status.get("conditions", ()))
            self.enter(at, "Degraded" if late else "Progressing")


def tell_deployment(recording: Recording) -> Teller:
    told = _Deployment(recording)
    for item in recording.merged():
        told.hear(item)
    return told
