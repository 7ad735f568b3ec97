"""JSON Schemas (draft 7) of our files, for editors: `seatrial schema`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from sim.files import Strict, json_schema
from sim.scenario.forms import ScenarioForm
from sim.scenario.policies import PolicyFile
from sim.scenario.scripts import ScriptForm
from sim.scenario.services import ServiceFile

__all__ = ["KINDS", "schema", "schemas"]

Number = int | float


class _Entry(Strict):
    at: Annotated[float, Field(description="Seconds since the change, 3 decimals")]
    step: int
    weight: Number
    stable: int
    canary: int


def _entry(kind: str, **fields: Any) -> type[_Entry]:
    definitions: dict[str, Any] = {name: (one, Field()) for name, one in fields.items()}
    definitions["kind"] = (Literal.__getitem__(kind), Field())
    return create_model(f"{kind.title()}Entry", __base__=_Entry, **definitions)


_Run = Literal["step", "background", "pre", "post"]
# contracts section 8; sim/tracing/tracer.py writes them
_ENTRIES = (
    _entry("phase", phase=str, reason=str), _entry("step", index=int), _entry("weight"), _entry("scale", older=int), _entry("available"),
    _entry("measurement", run=_Run, metric=str, value=Any, verdict=str), _entry("metric", run=_Run, metric=str, phase=str),
    _entry("analysis", run=_Run, index=int, template=str, phase=str), _entry("switch", active=int, preview=int),
    _entry("tick", failedChecks=int, iterations=int), _entry("human", action=str), _entry("revision", revision=int),
)  # fmt: skip
_AnyEntry: Any = _ENTRIES[0]
for _one in _ENTRIES[1:]:
    _AnyEntry = _AnyEntry | _one

_Entries: Any = list[Annotated[_AnyEntry, Field(discriminator="kind")]]

TraceDocument = create_model(
    "TraceDocument", __base__=Strict, __doc__="What `seatrial trace --json` writes.",
    policy=(str, Field()), profile=(str, Field()), phase=(str, Field()), reason=(str, Field()),
    entries=(_Entries, Field()),
)  # fmt: skip

KINDS: dict[str, Any] = {
    "scenario": ScenarioForm, "policy": PolicyFile, "service": ServiceFile, "script": ScriptForm, "trace": TraceDocument,
}  # fmt: skip


def schema(kind: str) -> dict[str, Any]:
    """The schema of one kind of file. KeyError for an unknown kind."""
    return json_schema(KINDS[kind]) | {"title": f"Seatrial {kind}"}


def schemas() -> dict[str, dict[str, Any]]:
    """All of them by kind."""
    return {kind: schema(kind) for kind in KINDS}
