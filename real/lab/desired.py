"""A trial whose desired state is a repository: told on the command line, kept in run.json for `recover`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from httpx2 import BaseTransport

from real.cluster.adapter import Kubernetes
from real.cluster.transport import Owned
from real.gitops.adoption import adopt
from real.gitops.cluster import GitOps
from real.gitops.desired import Desired
from real.gitops.git import Author, Branch
from real.gitops.watchers import doubts, watchers
from real.lab.ground import Ground
from real.lab.stage import Stage
from real.ports.errors import Refused
from real.ports.ports import Cluster

__all__ = ["Repository", "over", "unwatched"]

_OBJECTS = ("gateway", "istio", "ingress-nginx", "service")


@dataclass(frozen=True, slots=True)
class Repository:
    """A clone (bare), the branch and folder that are watched, and the remote to which commits are pushed ('' : nowhere)."""

    place: str
    branch: str = "main"
    folder: str = ""
    remote: str = ""
    author: str = "Seatrial"
    email: str = "seatrial@localhost"

    def told(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Repository | None:
        """What a run.json says of it."""
        said = about.get("gitops")
        return cls(**said) if said else None


def unwatched(repository: Repository, ground: Ground) -> list[str]:
    """What would keep the commits from arriving on this cluster; each with its remedy."""
    api = ground.reads()
    try:
        return doubts(watchers(api), "", repository.branch, repository.folder)
    finally:
        api.close()


def over(repository: Repository | None, ground: Ground, stage: Stage, live: Kubernetes, wire: BaseTransport) -> Cluster:
    """The cluster port of a trial. Raises Refused where the router's rule is nothing that a repository could hold."""
    if repository is None:
        return live
    if stage.router.name not in _OBJECTS:
        raise Refused(
            f"the router {stage.router.name} is told by the driver, not by objects; with --gitops choose --router {', '.join(_OBJECTS)}"
        )
    author = Author(repository.author, repository.email)
    branch = Branch(Path(repository.place), repository.branch, author, repository.remote)
    desired = Desired(ground.config, Owned(wire, (stage.place.namespace,)), branch, repository.folder)
    looking = ground.reads()
    try:
        adopt(desired, looking, stage.place, stage.router)
    finally:
        looking.close()
    return GitOps(Kubernetes(desired, stage.place, stage.router), live)
