"""An `Api` whose objects are files in git: what the adapter writes becomes a commit, and Argo CD or Flux carries it to the cluster.

Everything else of the cluster adapter stays as it is. Pods, the lease and whatever is not desired state are read and written live. The
resourceVersion of an object is the last commit that changed its file, so that a write is conditional as on the API server.

A write that brings an object back to what it was before the run is a revert: the very bytes from before, and a message that names the
commits it takes back. If somebody else changed the file in between it is a commit like any other, which keeps their change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lightkube.config.kubeconfig import SingleConfig

from real.cluster.api import Api
from real.cluster.names import EPOCH, RUN
from real.cluster.transport import Guard
from real.gitops.git import Branch
from real.gitops.manifests import Object, Objects, applied, documents, file, merged, plain, texts
from real.ports.errors import Conflict, Gone, Refused

__all__ = ["Desired"]

_KINDS = ("Deployment", "Service", "HTTPRoute", "VirtualService", "Ingress", "ConfigMap")
_LIVE = ("-lease",)  # ConfigMaps that change all the time and are nobody's desired state


@dataclass(frozen=True, slots=True)
class _Found:
    """An object in the repository: the commit that was looked at, its file, all objects of that file, and its place among them."""

    commit: str
    path: str
    objects: Objects
    place: int

    @property
    def body(self) -> Object:
        return self.objects[self.place]


class Desired(Api):
    """The API server, but for objects of the kinds that a rollout changes: these are below `folder` of a branch."""

    def __init__(self, config: SingleConfig, guard: Guard, branch: Branch, folder: str = "") -> None:
        super().__init__(config, guard)
        self._branch, self._folder = branch, folder.strip("/")
        branch.fetch()
        if any(name.rpartition("/")[2] == "kustomization.yaml" for name in branch.files(branch.head(), self._folder)):
            raise Refused(
                f"{self._folder or '.'} holds a kustomization.yaml, whose list of resources a rollout would have to change; "
                "give a folder of plain manifests"
            )

    # ---- reading ----

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        if not _desired(kind, name):
            return super().get(kind, name, namespace)
        found = self._find(kind, name, namespace)
        return None if found is None else self._shown(found, namespace)

    def list(self, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None) -> Objects:
        if not _desired(kind, ""):
            return super().list(kind, namespace, labels)
        commit, wanted = self._branch.head(), dict(labels or {})
        found = [
            self._shown(_Found(commit, path, objects, place), namespace)
            for path, objects in self._all(commit).items()
            for place, one in enumerate(objects)
            if _is(one, kind, None, namespace) and wanted.items() <= (one["metadata"].get("labels") or {}).items()
        ]
        return sorted(found, key=lambda one: str(one["metadata"]["name"]))

    # ---- writing ----

    def create(self, body: Object) -> Object:
        kind, name, namespace = _key(body)
        if not _desired(kind, name):
            return super().create(body)
        if self._find(kind, name, namespace) is not None:
            raise Conflict(f"{kind} {name} is in the repository already")
        return self._written(body, None, self._branch.head())

    def apply(self, body: Object) -> Object:
        kind, name, namespace = _key(body)
        if not _desired(kind, name):
            return super().apply(body)
        found = self._current(kind, name, namespace, str(body["metadata"].get("resourceVersion", "")))
        if found is None:
            return self._written(body, None, self._branch.head())
        return self._written(applied(found.body, body), found, found.commit)

    def merge(self, kind: str, name: str, namespace: str, body: Object) -> Object:
        if not _desired(kind, name):
            return super().merge(kind, name, namespace, body)
        found = self._current(kind, name, namespace, str(body.get("metadata", {}).get("resourceVersion", "")))
        if found is None:
            raise Gone(f"{kind} {name} is not in the repository")
        return self._written(merged(found.body, body), found, found.commit)

    def delete(
        self, kind: str, name: str, namespace: str | None = None, version: str = "", grace: int | None = None
    ) -> None:
        if not _desired(kind, name):
            return super().delete(kind, name, namespace, version, grace)
        found = self._current(kind, name, namespace, version)
        if found is None:
            raise Gone(f"{kind} {name} is not in the repository")
        rest = [one for place, one in enumerate(found.objects) if place != found.place]
        changes = {found.path: texts(rest) or None}
        self._branch.commit(found.commit, changes, self._message(found.body, found, None))
        return None

    # ---- files ----

    def _written(self, body: Object, found: _Found | None, commit: str) -> Object:
        """The object as it is in the repository now."""
        body = {**body, "metadata": {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}}
        if found is None:
            path = f"{self._folder}/{file(body)}".lstrip("/")
            found = _Found(commit, path, [*self._all(commit).get(path, []), body], -1)
        reverted = self._before(body, found)
        objects = [*found.objects]
        objects[found.place] = body
        text = texts(objects) if reverted is None else reverted
        made = self._branch.commit(commit, {found.path: text}, self._message(body, found, body))
        kept = documents(text)[found.place]
        return self._shown(_Found(made, found.path, [kept], 0), body["metadata"].get("namespace"))

    def _before(self, body: Object, found: _Found) -> str | None:
        """The file's text from before this run, if that is what the object goes back to."""
        commits = self._commits(body, found)
        text = self._branch.text(f"{commits[-1]}^", found.path) if commits else None
        if text is None:
            return None
        old, new = documents(text), [*found.objects]
        new[found.place] = body
        return text if [*map(plain, old)] == [*map(plain, new)] else None

    def _commits(self, body: Object, found: _Found) -> Sequence[str]:
        """What this run did to a file, newest first."""
        run = (body["metadata"].get("annotations") or {}).get(RUN, "")
        return self._branch.commits(found.commit, found.path, f"Seatrial-Run: {run}") if run else []

    def _message(self, body: Object, found: _Found, after: Object | None) -> str:
        notes = body["metadata"].get("annotations") or {}
        what = f"{body['kind']} {body['metadata']['name']}"
        commits = self._commits(body, found)
        back = commits and (
            self._before(body, found) is not None
            if after is not None
            else self._branch.text(f"{commits[-1]}^", found.path) is None
        )
        head = f'Revert "{what}"' if back else what if after is not None else f"{what} is not needed any more"
        reverts = "".join(f"This reverts commit {one}.\n" for one in commits) + "\n" if back else ""
        said = (("Seatrial-Run", notes.get(RUN)), ("Seatrial-Epoch", notes.get(EPOCH)))
        trailers = "".join(f"{name}: {value}\n" for name, value in said if value)
        return f"{head}\n\n{reverts}{trailers}"

    def _current(self, kind: str, name: str, namespace: str | None, version: str) -> _Found | None:
        """What is there, if it is what was read. Others' commits to other files do no harm."""
        self._branch.fetch()
        found = self._find(kind, name, namespace)
        if version and (found is None or self._branch.touched(found.commit, found.path) != version):
            raise Conflict(f"{kind} {name} has changed in the repository since it was read")
        return found

    def _find(self, kind: str, name: str, namespace: str | None) -> _Found | None:
        commit = self._branch.head()
        for path, objects in self._all(commit).items():
            for place, one in enumerate(objects):
                if _is(one, kind, name, namespace):
                    return _Found(commit, path, objects, place)
        return None

    def _all(self, commit: str) -> dict[str, Objects]:
        found: dict[str, Objects] = {}
        for path, text in self._branch.files(commit, self._folder).items():
            try:
                found[path] = documents(text)
            except ValueError as error:
                raise Refused(f"{path} in the repository is no YAML: {error}") from None
        return found

    def _shown(self, found: _Found, namespace: str | None) -> Object:
        meta = {**found.body["metadata"], "resourceVersion": self._branch.touched(found.commit, found.path)}
        return {**found.body, "metadata": {"namespace": namespace, **meta}}


def _desired(kind: str, name: str) -> bool:
    return kind.rpartition("/")[2] in _KINDS and not name.endswith(_LIVE)


def _key(body: Object) -> tuple[str, str, str | None]:
    return f"{body['apiVersion']}/{body['kind']}", str(body["metadata"]["name"]), body["metadata"].get("namespace")


def _is(one: Object, kind: str, name: str | None, namespace: str | None) -> bool:
    """Whether a manifest is of this kind and name; one without a namespace is in that of whoever applies it."""
    meta = one.get("metadata") or {}
    group, _, word = kind.rpartition("/")
    named = name is None or meta.get("name") == name
    return (
        one.get("kind") == word
        and one.get("apiVersion") == group
        and named
        and meta.get("namespace") in (None, namespace)
    )
