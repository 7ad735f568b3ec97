"""Objects of Kubernetes as files of a folder: found whatever the files are called, written as the API server would merge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import yaml  # type: ignore[import-untyped]  # as in sim.files.tree

from real.cluster.names import EPOCH, RUN, UNDO, VALUE

__all__ = ["Object", "Objects", "applied", "documents", "file", "merged", "plain", "texts"]

Object = dict[str, Any]
Objects = list[Object]

_MARKS = (RUN, EPOCH, UNDO)
_OURS = (*_MARKS, VALUE, "nginx.ingress.kubernetes.io/canary")  # beginnings of annotations that an apply of ours owns
_WHOLE = ("selector", "rules", "http", "data")  # parts that an apply says whole: what it leaves out goes


def documents(text: str) -> Objects:
    """The objects of one file. Raises ValueError where it is no YAML."""
    try:
        return [one for one in yaml.safe_load_all(text) if isinstance(one, dict)]
    except yaml.YAMLError as error:
        raise ValueError(str(error).replace("\n", " ")[:200]) from None


def texts(objects: list[Object]) -> str:
    """A file's text; '' holds nothing."""
    text: str = yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True, width=120) if objects else ""
    return text


def file(body: Object) -> str:
    """The name of the file of a new object."""
    return f"{body['kind'].lower()}-{body['metadata']['name']}.yaml"


def applied(before: Object, body: Object) -> Object:
    """Server-side apply as far as our bodies need it: maps are merged, containers by name; lists, selectors and data are replaced, and
    annotations of ours that are not said any more are taken away."""
    after = deepcopy(before)
    notes = after["metadata"].get("annotations") or {}
    after["metadata"]["annotations"] = {key: value for key, value in notes.items() if not key.startswith(_OURS)}
    for part in ("spec", "data"):
        if part in after and part in body:
            _drop(after[part] if part == "spec" else after, body[part] if part == "spec" else body)
    _merge(after, body)
    return after


def _drop(after: Object, body: Mapping[str, Any]) -> None:
    for key in _WHOLE:
        if key in body:
            after.pop(key, None)


def merged(before: Object, body: Object) -> Object:
    """A JSON merge patch (RFC 7386): None takes away."""
    after = deepcopy(before)
    for key, value in body.items():
        if value is None:
            after.pop(key, None)
        elif isinstance(value, dict):
            held = after.get(key)
            after[key] = merged(held if isinstance(held, dict) else {}, value)
        else:
            after[key] = value
    return after


def _merge(after: Object, body: Mapping[str, Any]) -> None:
    for key, value in body.items():
        held = after.get(key)
        if isinstance(value, Mapping) and isinstance(held, dict):
            _merge(held, value)
        elif key == "containers" and isinstance(held, list):
            after[key] = list(_containers(held, value))
        else:
            after[key] = deepcopy(value)


def _containers(held: list[Object], said: list[Object]) -> Iterator[Object]:
    news = {one["name"]: one for one in said}
    for one in held:
        if one["name"] in news:
            _merge(one, news.pop(one["name"]))
        yield one
    yield from news.values()


def plain(body: Object | None) -> Object | None:
    """An object without what a run writes on it: what the user sees as desired."""
    if body is None:
        return None
    bare = deepcopy(body)
    meta = bare["metadata"]
    notes = {key: value for key, value in (meta.get("annotations") or {}).items() if key not in _MARKS}
    for key in ("annotations", "resourceVersion", "namespace"):
        meta.pop(key, None)
    if notes:
        meta["annotations"] = notes
    return bare
