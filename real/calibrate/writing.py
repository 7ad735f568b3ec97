"""Calibrated lines as a service file that people read: comments say where each number comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # as in sim.files.tree

from real.calibrate.model import Calibrated, Line
from sim.files import FileErrors, read_documents

__all__ = ["carried", "scenario", "service"]

_INSTEAD = {("latency",): ("sigma",)}  # what a calibrated part says in place of
_PATHS = ("base", "service")  # keys of a scenario that name files


def service(found: Calibrated, name: str, kept: Mapping[str, Any]) -> str:
    """The file's text. `kept`: what the service said before; calibrated numbers take its place."""
    head = [
        "seatrial: service",
        f"# Calibrated from {found.about}: {found.requests:,} requests in {found.seconds:.0f} s.",
        "# In brackets: 95% intervals. The doubt about rates and times is in this model: noise that is drawn once per rollout,",
        "# and lognormals that predict one more time from those that were seen.",
        *(f"# not calibrated: {one}" for one in found.missing),
    ]
    told = dict(kept) | {"name": kept.get("name", name)}
    for line in found.lines:
        told.pop(line.path[0], None) if len(line.path) == 1 else None
    if any(line.path in (("traffic",), ("arrivals",)) for line in found.lines):
        told = {key: value for key, value in told.items() if key not in ("noise", "arrivals")}
    body = [_flow(key, told.pop(key)) for key in ("base", "name", "description") if key in told]
    body += _parts(found.lines, told)
    body += [_flow(key, value) for key, value in told.items()]
    return "\n".join([*head, *body]) + "\n"


def _parts(lines: tuple[Line, ...], told: dict[str, Any]) -> list[str]:
    """Calibrated lines by part; takes out of `told` what it has merged."""
    body: list[str] = []
    for key in dict.fromkeys(line.path[0] for line in lines):
        own = [line for line in lines if line.path[0] == key]
        if len(own[0].path) == 1:
            body.append(f"{key}: {own[0].value}  # {own[0].why}")
            continue
        before = told.pop(key, None)
        rest = before if isinstance(before, Mapping) else {}
        said = {line.path[1] for line in own} | set(_INSTEAD.get((key,), ()))
        body.append(f"{key}:")
        body += [f"  {line.path[1]}: {line.value}  # {line.why}" for line in own]
        body += [f"  {_flow(one, value)}" for one, value in rest.items() if one not in said]
    return body


def _flow(key: str, value: Any) -> str:
    text: str = yaml.safe_dump({key: value}, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return text.strip()[1:-1]


def carried(place: Path | None, out: Path) -> dict[str, Any]:
    """What the service of a scenario (or a service file) says, for a file at `out`: its own words, or a base."""
    if place is None or not place.is_file():
        return {}
    try:
        root = read_documents(place)[0].root.value
    except FileErrors:
        return {}
    if not isinstance(root, Mapping):
        return {}
    said = root.get("service") if root.get("seatrial") == "scenario" else str(place.resolve())
    if isinstance(said, str):
        return {"base": _relative(place.parent, said, out)}
    kept = dict(said) if isinstance(said, Mapping) else {}
    if "base" in kept:
        kept["base"] = _relative(place.parent, str(kept["base"]), out)
    return kept


def scenario(place: Path, service_file: Path, out: Path) -> str:
    """The scenario at `place` with the calibrated service; files that it names are found from `out`."""
    root = dict(read_documents(place)[0].root.value)
    moved: Any = _moved({key: value for key, value in root.items() if key != "service"}, place.parent, out)
    moved["service"] = os.path.relpath(service_file.resolve(), out.resolve().parent)
    text: str = yaml.safe_dump(moved, sort_keys=False, allow_unicode=True, width=120)
    return text


def _moved(value: Any, here: Path, out: Path) -> Any:
    """Words that name a file beside the scenario, as seen from `out`."""
    if isinstance(value, Mapping):
        return {key: _moved(one, here, out) for key, one in value.items()}
    if isinstance(value, list):
        return [_moved(one, here, out) for one in value]
    if isinstance(value, str) and value.endswith((".yaml", ".yml", ".csv", ".json")) and (here / value).is_file():
        return _relative(here, value, out)
    return value


def _relative(here: Path, named: str, out: Path) -> str:
    return os.path.relpath((here / named).resolve(), out.resolve().parent) if (here / named).is_file() else named
