"""The set of documents under one roof: objects are found by kind and name, as the cluster would find them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.files import Document

__all__ = ["Catalog", "kind_and_name"]


def kind_and_name(value: Any) -> tuple[str, str]:
    """The kind and name of a Kubernetes object; empty where the content does not say."""
    if not isinstance(value, dict):
        return "", ""
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    kind = value.get("kind")
    return str(kind) if isinstance(kind, str) else "", str(name) if name is not None else ""


class Catalog:
    """Finds an object by kind and name: of several the one in the same file, else the last, as if applied in order."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._objects: dict[tuple[str, str], list[Document]] = {}
        self._configs: list[Document] = []  # of Kayenta
        for document in documents:
            if document.kind_hint == "kayenta":
                self._configs.append(document)
            self._objects.setdefault(kind_and_name(document.value), []).append(document)

    def find(self, kind: str, name: str, near: Document | None = None) -> Document | None:
        found = self._objects.get((kind, name), [])
        beside = [document for document in found if near is not None and document.file == near.file]
        return next(iter(reversed(beside or found)), None)

    def config(self, wanted: str) -> Document | None:
        """Kayenta's canary config with this id or name; an id is given by its store, so the only config of a set is meant by any."""
        named = [one for one in self._configs if wanted and wanted in (one.value.get("id"), one.value.get("name"))]
        if named:
            return named[-1]
        unnamed = [one for one in self._configs if "id" not in one.value]
        return unnamed[0] if len(unnamed) == len(self._configs) == 1 else None
