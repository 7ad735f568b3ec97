"""Which namespaces are ours: those that Seatrial made, and those that it was told to adopt, both marked with the cluster's identity.

The identity is the uid of `kube-system`, which no other cluster has: a mark that was copied along with a namespace's YAML opens nothing.
`default` and `kube-*` are refused whatever they carry.
"""

from __future__ import annotations

from real.cluster.api import Api, Object
from real.cluster.names import ADOPTED, CLUSTER, OWNED
from real.ports.errors import Forbidden
from sim.cli.exits import Usage

__all__ = ["adopt", "body", "identity", "make", "owned", "remove", "require"]


def identity(api: Api) -> str:
    """The uid of kube-system."""
    found = api.get("v1/Namespace", "kube-system")
    if found is None:
        raise Forbidden(
            "namespace kube-system cannot be seen; this is not a whole cluster, or these credentials see too little"
        )
    return str(found["metadata"]["uid"])


def refused(name: str) -> str:
    """Why a namespace is never ours; '' if it may be."""
    if name == "default" or name.startswith("kube-"):
        return f"namespace {name} is never touched; give one of your own with --namespace"
    return ""


def make(api: Api, name: str) -> None:
    """A namespace of ours; one that is there already must be ours."""
    if refused(name):
        raise Usage(refused(name))
    if api.get("v1/Namespace", name) is not None:
        require(api, name)
        return
    api.create(body(name, identity(api)))


def adopt(api: Api, name: str) -> None:
    """Mark a namespace that is there as ours to work in. Objects in it without our label stay read-only."""
    if refused(name):
        raise Usage(refused(name))
    found = api.get("v1/Namespace", name)
    if found is None:
        raise Usage(f"there is no namespace {name} to adopt; leave --adopt out and it will be made")
    if _ours(found, identity(api)):
        return
    marked: Object = {
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": {CLUSTER: identity(api), ADOPTED: "yes"}},
    }  # fmt: skip
    api.apply(marked)


def require(api: Api, name: str) -> None:
    """Errors: `Usage` unless the namespace is ours, with the remedy."""
    found = api.get("v1/Namespace", name)
    if found is None:
        raise Usage(f"there is no namespace {name}; make it with: seatrial real up --namespace {name}")
    if refused(name) or not _ours(found, identity(api)):
        raise Usage(
            refused(name) or f"namespace {name} is not ours; if it may be used for trials, say so once with --adopt"
        )


def owned(api: Api) -> list[str]:
    """Namespaces that we made (not those that we adopted)."""
    mark = identity(api)
    found = api.list("v1/Namespace", labels=OWNED)
    return [
        one["metadata"]["name"]
        for one in found
        if _mark(one) == mark and ADOPTED not in one["metadata"].get("annotations", {})
    ]


def remove(api: Api, name: str) -> None:
    """Delete a namespace that we made."""
    if name not in owned(api):
        raise Usage(f"namespace {name} was not made by Seatrial; it stays")
    api.delete("v1/Namespace", name)


def body(name: str, mark: str) -> Object:
    """A namespace of ours; `mark` is the identity of its cluster."""
    return {
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(OWNED), "annotations": {CLUSTER: mark}},
    }  # fmt: skip


def _mark(found: Object) -> str:
    return str((found["metadata"].get("annotations") or {}).get(CLUSTER, ""))


def _ours(found: Object, mark: str) -> bool:
    return _mark(found) == mark
