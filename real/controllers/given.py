"""The user's manifests, read to be handed to a controller; and what is said of each change that was made to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from real.controllers.case import Case, Object
from real.controllers.kinds import WORKLOADS
from sim.cli.exits import Usage
from sim.policy.errors import WorldError
from sim.tracing.script import Script

__all__ = ["changes", "files", "given"]

_HANDED = (
    "Rollout",
    "AnalysisTemplate",
    "Canary",
    "MetricTemplate",
    "Deployment",
    "Service",
    "Ingress",
    "VirtualService",
)
_ENDS = (".yaml", ".yml", ".json")


def files(paths: Sequence[Path]) -> list[Path]:
    """The manifests of files and folders, in order."""
    found = [
        one
        for path in paths
        for one in (sorted(p for p in path.rglob("*") if p.suffix in _ENDS) if path.is_dir() else [path])
    ]
    if not found:
        raise Usage(f"no manifest in {', '.join(map(str, paths))}; name files that end in {', '.join(_ENDS)}")
    return found


def given(paths: Sequence[Path], controller: str, name: str, script: Script) -> Case:
    """The case of these files, for this controller. Errors: Usage, WorldError with all that cannot be handed over."""
    documents = [one for path in files(paths) for one in _documents(path)]
    kind = WORKLOADS[controller][0]
    about = [one for one in documents if one.get("kind") == kind]
    if len(about) != 1:
        raise Usage(f"{controller} is given one {kind}; these manifests hold {len(about)}")
    if problems := [said for one in documents if (said := _unfit(one))]:
        raise WorldError("\n".join(problems))
    return Case(name, tuple(documents), script)


def _documents(path: Path) -> Iterator[Object]:
    for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        if isinstance(one, dict):
            yield from one["items"] if one.get("kind") == "List" else [one]


def _unfit(document: Object) -> str:
    """Why an object is not handed over; '' if it is. It would reach beyond a namespace of ours, or needs what is not there."""
    kind, name = document.get("kind"), document.get("metadata", {}).get("name")
    if kind == "ClusterAnalysisTemplate":
        return f"{kind} {name} belongs to the whole cluster; make it an AnalysisTemplate (and leave out clusterScope)"
    if kind not in _HANDED:
        return f"{kind} {name} is not handed over (only {', '.join(_HANDED)}); leave it out"
    return ""


# ---- what was changed ----


def changes(case: Case, applied: Sequence[Object]) -> tuple[str, ...]:
    """Every place where what is applied is not what the user wrote, and every object that was made besides; the namespace once."""
    written = {_name(one): one for one in case.documents}
    lines = (line for one in applied for line in _changed(written.get(_name(one)), one))
    return ("every object is in a namespace made for the run", *lines)


def _name(one: Object) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def _changed(written: Object | None, applied: Object) -> Iterator[str]:
    name = _name(applied)
    if written is None:
        yield f"{name}: made, since it is named and was not brought along"
        return
    for path, before, after in _places(written, applied, ""):
        if path == "metadata.namespace":
            continue
        yield f"{name} {path}: {_said(before)} -> {_said(after)}"


class _Nothing:
    """What is not there."""


def _places(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, before, after) of what differs, as deep as both sides have the same shape."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            place = f"{path}.{key}" if path else str(key)
            yield from _places(before.get(key, _Nothing), after.get(key, _Nothing), place)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _places(one, other, f"{path}[{number}]")
    elif before != after:
        yield path, before, after


def _said(value: Any) -> str:
    if value is _Nothing:
        return "nothing"
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()
    return text if len(text) <= 80 else f"{text[:77]}..."
