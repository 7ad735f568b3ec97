"""Who watches the repository, and what would keep commits from arriving."""

from __future__ import annotations

from typing import Any

import pytest

from real.cli.run import _repository
from real.gitops.watchers import doubts, watchers
from real.lab.desired import Repository
from real.ports.errors import Gone
from sim.cli.exits import Usage

SOURCE = {"repoURL": "https://git.example.org/shop.git", "path": "apps/web", "targetRevision": "main"}
AUTOMATIC = {"automated": {"prune": True}}
FLUX = {
    "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations": [
        {"metadata": {"name": "web", "namespace": "flux"}, "spec": {"path": "./apps/web", "prune": False, "sourceRef": {"name": "shop"}}}
    ],
    "/apis/source.toolkit.fluxcd.io/v1/gitrepositories": [
        {"metadata": {"name": "shop", "namespace": "flux"}, "spec": {"url": "https://git.example.org/shop", "ref": {"branch": "main"}}}
    ],
}  # fmt: skip


class Server:
    """Answers `raw` with lists; what it has not is not installed."""

    def __init__(self, lists: dict[str, Any]) -> None:
        self.lists = lists

    def raw(self, method: str, path: str) -> Server:
        if path not in self.lists:
            raise Gone(path)
        self.found = self.lists[path]
        return self

    def json(self) -> dict[str, Any]:
        return {"items": self.found}


def argo(policy: dict[str, Any], **source: str) -> dict[str, Any]:
    spec = {"source": {**SOURCE, **source}, "syncPolicy": policy}
    return {"/apis/argoproj.io/v1alpha1/applications": [{"metadata": {"name": "web"}, "spec": spec}]}


@pytest.mark.parametrize(
    ("lists", "says"),
    [
        ({}, ["nobody on this cluster watches apps/web of branch main"]),
        (argo(AUTOMATIC), []),
        (argo({}), ["does not apply commits by itself", "does not prune"]),
        (argo({"automated": {}}), ["does not prune"]),
        (argo({"automated": {"enabled": False, "prune": True}}), ["does not apply", "does not prune"]),
        (argo(AUTOMATIC, path="apps/other"), ["nobody"]),
        (argo(AUTOMATIC, targetRevision="v1"), ["nobody"]),
        (FLUX, ["Kustomization web does not prune"]),
    ],
)
def test_doubts(lists: dict[str, Any], says: list[str]) -> None:
    found = doubts(watchers(Server(lists)), "https://git.example.org/shop.git/", "main", "apps/web")  # type: ignore[arg-type]
    assert len(found) == len(says), found
    assert all(word in one for word, one in zip(says, found, strict=True))


def test_a_repository_is_told_and_read_back(tmp_path: Any) -> None:
    found = _repository(tmp_path, "main", "apps/web", "origin", "A Person <a@example.org>")
    assert found == Repository(str(tmp_path), "main", "apps/web", "origin", "A Person", "a@example.org")
    assert Repository.of({"gitops": found.told()}) == found
    assert Repository.of({}) is None
    with pytest.raises(Usage, match="NAME <EMAIL>"):
        _repository(tmp_path, "main", "", "", "nobody")
    with pytest.raises(Usage, match="belong to --gitops"):
        _repository(None, "main", "apps", "", "Seatrial <seatrial@localhost>")
