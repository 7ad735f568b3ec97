"""What a script's events are on a real cluster: the same patches as the people's own tools send.

Argo's are those of `kubectl argo rollouts` 1.10: promote clears pause conditions; without any it skips the current step, and an
inconclusive step analysis is skipped with its pause (pkg/kubectl-argo-rollouts/cmd/promote).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lightkube import AsyncClient
from lightkube.types import PatchType

from real.controllers.case import Case, Object
from real.controllers.kinds import ANALYSIS_RUN, DEPLOYMENT, WORKLOADS
from real.controllers.prepare import revised
from sim.policy.errors import WorldError
from sim.tracing.script import Happening

__all__ = ["Acts"]

_RUNS = {"Step": "step", "Background": "background", "PrePromotion": "pre", "PostPromotion": "post"}


class _Patch(NamedTuple):
    resource: Any
    name: str
    change: Object


class Acts:
    """Carries events out in the namespace of one case."""

    def __init__(self, client: AsyncClient, case: Case, namespace: str, objects: list[Object]) -> None:
        self._client, self._case, self._namespace = client, case, namespace
        self._kind, self._resource = WORKLOADS[case.system]
        self._name = case.workload["metadata"]["name"]
        self._templated = next(one for one in objects if one["kind"] == _templated(self._kind))

    async def carry(self, happening: Happening) -> None:
        """Errors: WorldError for an event that this system does not know."""
        for patch in await self._patches(happening):
            await self._client.patch(
                patch.resource, patch.name, patch.change, namespace=self._namespace, patch_type=PatchType.MERGE
            )

    async def _patches(self, happening: Happening) -> list[_Patch]:
        match happening.kind:
            case "approve" | "deny":  # the answers know
                return []
            case "revision":
                return [self._revise(int(str(happening.value)))]
            case "replicas":
                resource = self._resource if self._kind == "Rollout" else DEPLOYMENT
                return [_Patch(resource, self._templated["metadata"]["name"], {"spec": {"replicas": happening.value}})]
            case "terminate":
                return [await self._terminate(str(happening.value))]
        match self._kind, happening.action:
            case "Rollout", "promote":
                return await self._promote()
            case "Rollout", "promote-full":
                return [self._spec(paused=False), self._status(promoteFull=True)]
            case "Rollout", ("abort" | "retry") as action:
                return [self._status(abort=action == "abort")]
            case (("Rollout" | "Deployment"), ("pause" | "resume") as action):
                return [self._spec(paused=action == "pause")]
            case "Canary", ("pause" | "resume") as action:
                return [self._spec(suspend=action == "pause")]
            case "Deployment", "abort":  # kubectl rollout undo
                return [self._revise(1)]
        raise WorldError(f"{self._kind} knows no {happening.action}; leave it out of the script")

    def _revise(self, revision: int) -> _Patch:
        """A new pod template: only annotation and image differ between revisions."""
        template = revised(self._templated, self._case, revision)
        resource = self._resource if self._kind != "Canary" else DEPLOYMENT
        return _Patch(resource, self._templated["metadata"]["name"], {"spec": {"template": template}})

    def _spec(self, **fields: object) -> _Patch:
        return _Patch(self._resource, self._name, {"spec": fields})

    def _status(self, **fields: object) -> _Patch:
        return _Patch(self._resource.Status, self._name, {"status": fields})

    async def _promote(self) -> list[_Patch]:
        rollout = await self._client.get(self._resource, self._name, namespace=self._namespace)
        spec, status = rollout["spec"], rollout.get("status", {})
        patches = [self._spec(paused=False)] if spec.get("paused") else []
        canary = spec["strategy"].get("canary")
        index = min(status.get("currentStepIndex", 0) + 1, len((canary or {}).get("steps", ())))
        run = status.get("canary", {}).get("currentStepAnalysisRunStatus", {})
        if not status.get("pauseConditions"):
            return [*patches, self._status(pauseConditions=None, currentStepIndex=index)] if canary else patches
        if run.get("status") == "Inconclusive" and status.get("controllerPause"):
            return [*patches, self._status(pauseConditions=None, controllerPause=False, currentStepIndex=index)]
        return [*patches, self._status(pauseConditions=None)]

    async def _terminate(self, run: str) -> _Patch:
        async for found in self._client.list(ANALYSIS_RUN, namespace=self._namespace):
            label = found["metadata"].get("labels", {}).get("rollout-type", "")
            if _RUNS.get(label) == run and found.get("status", {}).get("phase", "") in ("", "Pending", "Running"):
                return _Patch(ANALYSIS_RUN, found["metadata"]["name"], {"spec": {"terminate": True}})
        raise WorldError(f"{self._case.name}: no {run} analysis is under way to be terminated")


def _templated(kind: str) -> str:
    """The kind whose pod template makes revisions: of a Canary its target."""
    return "Deployment" if kind == "Canary" else kind
