"""A case: manifests and a trace script, to be played on a real controller."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from real.controllers.kinds import VIRTUAL_SERVICE, WATCHED, WORKLOADS
from sim.policy.errors import WorldError
from sim.scenario import load_script
from sim.tracing.script import Script

__all__ = ["Build", "Case"]

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Build:
    """What stands for the user's container under real load: the image of each revision, by digest, and the sample's environment.

    `router`: images of HAProxy and Python, for the pod that obeys the route object.
    """

    images: tuple[str, str]
    environment: tuple[Object, ...]
    router: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Case:
    """`documents` as they are in the manifest; `script` says what is measured, how pods start, and what people do.

    With `build` the pods serve, and what is measured is not the script's.
    """

    name: str
    documents: tuple[Object, ...]
    script: Script
    build: Build | None = None

    @classmethod
    def read(cls, folder: Path) -> Case:
        """The case of a folder with manifest.yaml and script.yaml. Errors: FileErrors, OSError."""
        documents = [one for one in yaml.safe_load_all((folder / "manifest.yaml").read_text()) if one]
        return cls(folder.name, tuple(documents), load_script(folder / "script.yaml"))

    @property
    def system(self) -> str:
        """argo-rollouts, flagger or kubernetes. Errors: WorldError."""
        for system, (kind, _) in WORKLOADS.items():
            if any(document.get("kind") == kind for document in self.documents):
                return system
        raise WorldError(f"{self.name}: no Rollout, Canary or Deployment among the manifests; a controller needs one")

    @property
    def watched(self) -> tuple[Any, ...]:
        """The kinds of object that its controller changes. Istio's is there only where somebody has brought it."""
        routing = self.workload["spec"].get("strategy", {}).get("canary", {}) or {}
        more = (VIRTUAL_SERVICE,) if "istio" in (routing.get("trafficRouting") or {}) else ()
        return (*WATCHED[self.system], *more)

    @property
    def workload(self) -> Object:
        """The object that the manifests are about."""
        kind = WORKLOADS[self.system][0]
        return next(document for document in self.documents if document.get("kind") == kind)
