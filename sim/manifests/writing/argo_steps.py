"""The steps of a canary -> those of an Argo Rollout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sim.manifests.routes import conditions
from sim.manifests.writing.argo_metrics import Templates
from sim.manifests.writing.subject import Losses, Object, duration, seconds
from sim.policy.steps import Analyse, Experiment, Gate, Match, Mirror, Pause, ScaleCanary, SetWeight, Step

__all__ = ["steps"]

_WAYS = ("exact", "regex", "prefix")
ROUTE, MIRROR = "matched", "mirrored"  # the managed routes that are written


def steps(program: tuple[Step, ...], templates: Templates, losses: Losses) -> tuple[list[Object], list[str]]:
    """The steps that can be said, and the names of the routes that they manage."""
    written: list[Object] = []
    routes: list[str] = []
    for index, step in enumerate(program):
        for said in _WRITERS[type(step)](step, f"steps.{index}", templates, losses):
            written.append(said)
            for kind in ("setHeaderRoute", "setMirrorRoute"):
                name = said.get(kind, {}).get("name")
                if name and name not in routes:
                    routes.append(name)
    return written, routes


def _weight(step: SetWeight, place: str, templates: Templates, losses: Losses) -> Iterator[Object]:
    whole = round(step.weight)
    if whole != step.weight:
        losses.near(place, f"weight {step.weight:g} is written as {whole}: Argo Rollouts knows whole weights only")
    yield {"setWeight": whole}


def _pause(step: Pause, place: str, templates: Templates, losses: Losses) -> Iterator[Object]:
    yield {"pause": {} if step.duration is None else {"duration": duration(step.duration)}}


def _scale(step: ScaleCanary, place: str, templates: Templates, losses: Losses) -> Iterator[Object]:
    if step.match_weight:
        yield {"setCanaryScale": {"matchTrafficWeight": True}}
    else:
        name, size = ("replicas", step.replicas) if step.replicas is not None else ("weight", step.weight)
        yield {"setCanaryScale": {name: size}}


def _analyse(step: Analyse, place: str, templates: Templates, losses: Losses) -> Iterator[Object]:
    block = templates.block(step.analysis, place)
    if block is not None:
        yield {"analysis": block}


def _gate(step: Gate, place: str, templates: Templates, losses: Losses) -> Iterator[Object]:
    losses.near(place, f"gate {step.name} is written as a pause until a person promotes; a no must abort by hand")
    yield {"pause": {}}


def _match(step: Match, place: str, templates: Templates, losses: Losses) -> Iterator[Object]:
    matches = [match for segment in step.segments if (match := _header(segment, place, losses)) is not None]
    if matches or not step.segments:
        yield {"setHeaderRoute": {"name": ROUTE} | ({"match": matches} if matches else {})}


def _header(segment: str, place: str, losses: Losses) -> Object | None:
    found = conditions(segment)
    headers: Any = found.get("headers", {}) if found is not None else {}
    if found is None or set(found) != {"headers"} or len(headers) != 1:
        losses.lose(place, f"segment {segment}: Argo Rollouts matches one header; write how these requests are told")
        return None
    ((name, value),) = headers.items()
    if set(value) - set(_WAYS):
        losses.lose(place, f"segment {segment}: Argo Rollouts matches {', '.join(_WAYS)}")
        return None
    return {"headerName": name, "headerValue": value}


def _mirror(step: Mirror, place: str, templates: Templates, losses: Losses) -> Iterator[Object]:
    if not step.percent:
        yield {"setMirrorRoute": {"name": MIRROR}}
        return
    whole = round(step.percent)
    if whole != step.percent:
        losses.near(place, f"{step.percent:g}% is written as {whole}%")
    everything = [{"path": {"prefix": "/"}}]
    yield {"setMirrorRoute": {"name": MIRROR, "percentage": whole, "match": everything}}


def _experiment(step: Experiment, place: str, templates: Templates, losses: Losses) -> Iterator[Object]:
    pods = ((step.names[0], "stable", step.baseline), (step.names[1], "canary", step.canary))
    block: Object = {} if step.duration is None else {"duration": duration(step.duration)}
    block["templates"] = [{"name": name, "specRef": of, "replicas": size} for name, of, size in pods if size]
    if step.analysis is not None:
        run = templates.block(step.analysis, place)
        required = {"requiredForCompletion": True} if step.required else {}
        found = [] if run is None else [{"name": one["templateName"]} | one | required for one in run["templates"]]
        block |= {"analyses": found} if found else {}
        block |= {key: value for key, value in (run or {}).items() if key == "dryRun"}
        if len(found) > 1:
            losses.near(place, "in Argo Rollouts each of its templates is a run of its own")
    if step.scale_down_delay != 30.0:
        block["scaleDownDelaySeconds"] = seconds(step.scale_down_delay, place, losses)
    yield {"experiment": block}


_WRITERS: dict[type, Callable[[Any, str, Templates, Losses], Iterator[Object]]] = {
    SetWeight: _weight, Pause: _pause, ScaleCanary: _scale, Analyse: _analyse, Gate: _gate, Match: _match,
    Mirror: _mirror, Experiment: _experiment,
}  # fmt: skip
