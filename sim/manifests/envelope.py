"""What the API server refuses of an object before it looks at the spec: kind, version, metadata (Kubernetes: apimachinery/pkg/api)."""

from __future__ import annotations

from collections.abc import Mapping

from sim.files import Document
from sim.manifests.fields import Reader, Scope

__all__ = ["check", "check_kind"]

_SERVED = {  # kind -> versions, by the controllers of the default profiles
    **dict.fromkeys(("AnalysisTemplate", "ClusterAnalysisTemplate", "Experiment"), ("argoproj.io/v1alpha1",)),
    "Rollout": ("argoproj.io/v1alpha1", "rollouts.kruise.io/v1beta1", "rollouts.kruise.io/v1alpha1"),
    **dict.fromkeys(("Canary", "MetricTemplate"), ("flagger.app/v1beta1",)),
    "Deployment": ("apps/v1",),
}  # fmt: skip
_GONE = ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")  # until Kubernetes 1.16
_GROUPS = {version.partition("/")[0] for versions in _SERVED.values() for version in versions}


def check_kind(document: Document, scope: Scope) -> None:
    """An object that does not say what it is; a document that is no object at all is none of this module's business."""
    value = document.value
    if not isinstance(value, Mapping):
        return
    for name, other in (("kind", "apiVersion"), ("apiVersion", "kind")):
        said = value.get(name)
        if other in value and not (isinstance(said, str) and said) and (other == "apiVersion" or "metadata" in value):
            at = (name,) if name in value else ()
            scope.reject(document, at, f"the object has no {name}", f"write {name} as text", key=bool(at))


def check(document: Document, scope: Scope, system: str) -> None:
    """Version and metadata of an object; the names and versions of those only that a `system` reads."""
    if document.below:
        return
    fields = Reader(scope, document, document.value)
    version, kind = fields.text("apiVersion"), fields.text("kind")
    _version(fields, version, kind)
    metadata = fields.child("metadata")
    _texts(metadata)
    _texts(
        fields.child("spec").child("template").child("metadata")
        if isinstance(fields.raw("spec"), Mapping)
        else metadata
    )
    if system:
        _name(metadata)


def _version(fields: Reader, version: str, kind: str) -> None:
    known = {name.lower(): name for name in _SERVED}.get(kind.lower())
    if known is None or (version.partition("/")[0] not in _GROUPS and version not in _GONE):
        return
    groups = {served.partition("/")[0] for served in _SERVED[known]}
    if version.partition("/")[0] not in groups and version not in _GONE:
        return  # a kind of the same name in a group that has others
    if kind != known:
        fields.reject(f"there is no kind {kind!r}", f"did you mean {known}?", "kind")
    elif version not in _SERVED[known]:
        fields.reject(f"no {kind} in version {version!r}", f"use {' or '.join(_SERVED[known])}", "apiVersion")


def _name(metadata: Reader) -> None:
    """Any text is a name here: what stands for one in a template that is filled in later is no fault of its author."""
    metadata.text("name")
    if not metadata.has("name") and not metadata.has("generateName"):
        metadata.reject("the object has no name", "add metadata: {name: ...}")


def _texts(metadata: Reader) -> None:
    """Labels and annotations are texts."""
    for name in ("labels", "annotations"):
        entries = metadata.child(name)
        for key in entries.value:
            entries.text(key)
