"""Who watches the repository: Argo CD's Applications and Flux's Kustomizations of a cluster; whether they do as a rollout needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from real.cluster.api import Api
from real.ports.errors import Forbidden, Gone

__all__ = ["Watcher", "doubts", "watchers"]

_APPLICATIONS = "/apis/argoproj.io/v1alpha1/applications"
_KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations"
_SOURCES = "/apis/source.toolkit.fluxcd.io/v1/gitrepositories"


@dataclass(frozen=True, slots=True)
class Watcher:
    """One of them. `automatic`: it applies without being asked; `prunes`: it removes what is no longer in the repository."""

    name: str
    url: str
    branch: str
    folder: str
    automatic: bool
    prunes: bool


def watchers(api: Api) -> list[Watcher]:
    """All of a cluster; none where neither is installed or may be seen. Raises PortError."""
    return [*_argo(api), *_flux(api)]


def doubts(found: list[Watcher], url: str, branch: str, folder: str) -> list[str]:
    """What would keep commits from arriving; each with its remedy. `url` '' : of any repository."""
    own = [
        one for one in found
        if one.folder.strip("./") == folder.strip("./") and one.branch in (branch, "HEAD") and (not url or _same(one.url, url))
    ]  # fmt: skip
    if not own:
        return [
            f"nobody on this cluster watches {folder or '.'} of branch {branch}; make an Application or a Kustomization for it"
        ]
    said: list[str] = []
    for one in own:
        if not one.automatic:
            said.append(f"{one.name} does not apply commits by itself; turn its automatic sync on")
        if not one.prunes:
            said.append(f"{one.name} does not prune; Deployments of an aborted version would stay: turn prune on")
    return said


def _argo(api: Api) -> Iterator[Watcher]:
    for one in _items(api, _APPLICATIONS):
        spec = one.get("spec", {})
        automated = spec.get("syncPolicy", {}).get("automated")
        on = automated is not None and automated.get("enabled", True)
        for source in spec.get("sources") or [spec.get("source", {})]:
            yield Watcher(
                f"Application {one['metadata']['name']}", source.get("repoURL", ""), source.get("targetRevision") or "HEAD",
                source.get("path", ""), on, on and bool(automated.get("prune")),
            )  # fmt: skip


def _flux(api: Api) -> Iterator[Watcher]:
    sources = {
        (one["metadata"].get("namespace", ""), one["metadata"]["name"]): one.get("spec", {}) for one in _items(api, _SOURCES)
    }  # fmt: skip
    for one in _items(api, _KUSTOMIZATIONS):
        spec, meta = one.get("spec", {}), one["metadata"]
        reference = spec.get("sourceRef", {})
        source = sources.get((reference.get("namespace", meta.get("namespace", "")), reference.get("name", "")), {})
        yield Watcher(
            f"Kustomization {meta['name']}", source.get("url", ""), source.get("ref", {}).get("branch", "master"),
            spec.get("path", ""), not spec.get("suspend", False), bool(spec.get("prune")),
        )  # fmt: skip


def _items(api: Api, path: str) -> list[dict[str, Any]]:
    try:
        return list(api.raw("GET", path).json().get("items", []))
    except (Gone, Forbidden):
        return []


def _same(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)


def _bare(url: str) -> str:
    return url.rstrip("/").removesuffix(".git")
