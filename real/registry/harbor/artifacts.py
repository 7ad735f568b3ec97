"""Repositories, artifacts, tags and scans."""

from __future__ import annotations

from collections.abc import Iterator

from real.registry.errors import ArtifactMissing, Conflict, ScanTimeout
from real.registry.harbor.api import Api, part
from real.registry.harbor.values import Artifact, Repository, Scan, Tag

SCAN_LIMIT_S = 1800.0  # goharbor/harbor src/pkg/scan/job.go: checkTimeout 30 minutes
SCAN_EVERY_S = 10.0
_WHOLE = {"with_tag": "true", "with_label": "true", "with_scan_overview": "true", "with_immutable_status": "true"}


def repositories(api: Api, project: str) -> Iterator[Repository]:
    return (Repository.of(one) for one in api.pages(f"/projects/{part(project)}/repositories"))


def artifacts(api: Api, project: str, repository: str) -> Iterator[Artifact]:
    """Newest first."""
    return (Artifact.of(one) for one in api.pages(f"{_at(project, repository)}/artifacts", **_WHOLE))


def artifact(api: Api, project: str, repository: str, reference: str) -> Artifact:
    """By digest or tag. Raises ArtifactMissing."""
    return Artifact.of(api.get(_one(project, repository, reference), **_WHOLE))


def tags(api: Api, project: str, repository: str, reference: str) -> tuple[Tag, ...]:
    path = f"{_one(project, repository, reference)}/tags"
    return tuple(Tag.of(one) for one in api.pages(path, with_immutable_status="true"))


def tag(api: Api, project: str, repository: str, reference: str, name: str) -> None:
    """Give it one more tag; one that it has already is success. Raises Conflict for a tag of another artifact."""
    try:
        api.send("POST", f"{_one(project, repository, reference)}/tags", {"name": name})
    except Conflict:
        if name not in {one.name for one in tags(api, project, repository, reference)}:
            raise


def untag(api: Api, project: str, repository: str, reference: str, name: str) -> None:
    """Raises ImmutableTag. One that is gone already is success."""
    _gone(api, f"{_one(project, repository, reference)}/tags/{part(name)}")


def delete(api: Api, project: str, repository: str, reference: str) -> None:
    """Raises ImmutableTag. One that is gone already is success."""
    _gone(api, _one(project, repository, reference))


def scan(api: Api, project: str, repository: str, reference: str) -> None:
    """Start a scan. Raises NoScanner."""
    api.send("POST", f"{_one(project, repository, reference)}/scan", {"scan_type": "vulnerability"})


def scanned(api: Api, project: str, repository: str, reference: str, limit_s: float = SCAN_LIMIT_S) -> Scan:
    """Start a scan where there is no report, and wait for it. Raises ScanTimeout and NoScanner."""

    def look() -> Scan | None:
        found = artifact(api, project, repository, reference).scan
        return found if found and found.status.lower() in ("success", "error", "stopped") else None

    found = look()
    if found is None:
        scan(api, project, repository, reference)
        found = api.wire.patience.until(look, limit_s, SCAN_EVERY_S)
    if found is None:
        raise ScanTimeout(f"{project}/{repository}@{reference}: no report after {limit_s:g} s")
    return found


def _gone(api: Api, path: str) -> None:
    try:
        api.send("DELETE", path)
    except ArtifactMissing:
        return


def _at(project: str, repository: str) -> str:
    return f"/projects/{part(project)}/repositories/{part(repository)}"


def _one(project: str, repository: str, reference: str) -> str:
    return f"{_at(project, repository)}/artifacts/{reference}"
