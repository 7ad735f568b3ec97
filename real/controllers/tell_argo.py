"""A recording of Argo Rollouts -> entries."""

from __future__ import annotations

import re
from typing import Any

from real.controllers.answers import Given
from real.controllers.case import Object
from real.controllers.recording import Act, Recording, revision_of
from real.controllers.telling import Teller
from real.controllers.watching import Seen

__all__ = ["tell_argo"]

_RUNS = {"Step": "step", "Background": "background", "PrePromotion": "pre", "PostPromotion": "post"}
_HASH = "rollouts-pod-template-hash"
_WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
_REPLICA_SET = re.compile(r'ReplicaSet "[^"]*-([0-9a-z]+)"')
_DONE = ("Successful", "Failed", "Inconclusive", "Error")


class _Argo(Teller):
    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        canary = recording.case.workload["spec"]["strategy"].get("canary") or {}
        strategy = recording.case.workload["spec"]["strategy"].get("blueGreen", {})
        self._canary = canary.get("canaryService", "")
        self._services = (strategy.get("activeService"), strategy.get("previewService"))
        self._hashes: dict[str, int] = {}
        self._current = ""  # the pod hash of the status
        self._points: dict[str, int] = {}
        self._switch: tuple[int, int] | None = None
        self._measured: dict[tuple[str, str], str] = {}  # start of the last measurement that was told
        self._phases: dict[tuple[str, str], str] = {}

    def hear(self, item: Seen | Act | Given) -> None:
        at = item.at
        if isinstance(item, Given):  # its own objects show what was measured
            return
        if isinstance(item, Act):
            self._act(item)
            return
        match item.kind:
            case "ReplicaSet" if not item.deleted:
                self._hashes[item.object["metadata"]["labels"][_HASH]] = revision_of(item.object)
                self.sizes.see(at, item.name, item.object, at >= self.start)
                self.look(at)
            case "Rollout":
                self._rollout(at, item.object)
            case "AnalysisRun" if not item.deleted:
                self._run(at, item.object["metadata"].get("uid", item.name), item.object)  # names come again
            case "Service" if item.name in self._services:
                self._points[item.name] = self._hashes.get(item.object["spec"]["selector"].get(_HASH, ""), 1)
                self._point(at)
            case "Ingress" if _WEIGHT in item.object["metadata"].get("annotations", {}):
                self.weigh(at, float(item.object["metadata"]["annotations"][_WEIGHT]))
            case "VirtualService" if not item.deleted:
                self.weigh(at, self._routed(item.object))

    def _act(self, act: Act) -> None:
        match act.what.kind:
            case "promote" | "abort" | "retry" | "pause":
                self.obey(act.at, act.what.action)
            case "revision":
                self.add(act.at, "revision", revision=int(str(act.what.value)))

    def _rollout(self, at: float, rollout: Object) -> None:
        status = rollout.get("status", {})
        self.revision = revision_of(rollout)
        self.stable_revision = self._hashes.get(status.get("stableRS", ""), self.stable_revision)
        # Until the controller has seen a new template the status is about the one before.
        known = self._hashes.get(status.get("currentPodHash", "")) == self.revision
        if known and at >= self.start:
            self.go(at, status.get("currentStepIndex", 0))
        self.look(at)
        if known and at >= self.start:
            self.enter(at, status.get("phase", ""), self._plain(status.get("message", "")))

    def _plain(self, message: str) -> str:
        """A message that names ReplicaSets by their revision, as a trace does."""
        return _REPLICA_SET.sub(lambda found: f'ReplicaSet "revision {self._hashes.get(found[1], 0)}"', message)

    def _point(self, at: float) -> None:
        active, preview = self._services
        if active not in self._points or (preview and preview not in self._points):
            return
        switch = (self._points[active], self._points[preview or active])
        if switch != self._switch:
            self._switch = switch
            self.add(at, "switch", active=switch[0], preview=switch[1])

    def _routed(self, virtual: Object) -> float:
        """The canary's weight; Argo writes the same into each route that it manages."""
        routes = [one for http in virtual["spec"].get("http", ()) for one in http.get("route", ())]
        hosts = [(one["destination"]["host"].partition(".")[0], one.get("weight", 0)) for one in routes]
        return float(next((weight for host, weight in hosts if host == self._canary), 0))

    # ---- analysis ----

    def _run(self, at: float, name: str, found: Object) -> None:
        labels, status = found["metadata"].get("labels", {}), found.get("status", {})
        kind = _RUNS[labels.get("rollout-type", "Step")]  # an experiment's run has no labels
        phase = status.get("phase", "")
        index = {"index": int(labels["step-index"])} if "step-index" in labels else {}
        if phase == "Running":
            self._become(at, (name, ""), phase, "analysis", run=kind, **index)
        names = [metric["name"] for metric in found["spec"]["metrics"]]
        for result in sorted(status.get("metricResults", ()), key=lambda one: names.index(one["name"])):
            self._metric(at, name, kind, result)
        if phase != "Running":
            self._become(at, (name, ""), phase, "analysis", run=kind, **index)

    def _metric(self, at: float, name: str, kind: str, result: Object) -> None:
        metric = result["name"]
        told = self._measured.get((name, metric), "")
        for one in result.get("measurements", ()):
            if one.get("phase") in _DONE and one["startedAt"] > told:
                self._measured[(name, metric)] = one["startedAt"]
                self.add(at, "measurement", run=kind, metric=metric, **_value(one), verdict=one["phase"])
        self._become(at, (name, metric), result.get("phase", ""), "metric", run=kind, metric=metric)

    def _become(self, at: float, key: tuple[str, str], phase: str, entry: str, **more: Any) -> None:
        if phase and phase != self._phases.get(key):
            self._phases[key] = phase
            self.add(at, entry, **more, phase=phase)


def _value(measurement: Object) -> dict[str, Any]:
    """The value of a measurement; one that ended as Error shows none."""
    text = measurement.get("value")
    if text is None:
        return {}
    items = [item.strip() for item in text.strip("[]").split(",") if item.strip()]
    return {"value": [item if item in ("NaN", "+Inf", "-Inf") else float(item) for item in items]}


def tell_argo(recording: Recording) -> _Argo:
    told = _Argo(recording)
    for item in recording.merged():
        told.hear(item)
    return told
