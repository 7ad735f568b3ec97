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


def _document(title: str, doc: str, /, **fields: Any) -> Any:
    """A closed object whose fields are all required."""
    definitions: dict[str, Any] = {key: (one, Field()) for key, one in fields.items()}
    return create_model(title, __base__=Strict, __doc__=doc, **definitions)


_Finding: Any = _document(
    "LintFinding", "One place where a rule applies; line and column count from 1.",
    file=str, line=int, column=int, path=str, rule=str, name=str, severity=Literal["error", "warning", "note"], what=str, reason=str,
    remedy=str,
)  # fmt: skip
_Unread: Any = _document(
    "FileProblem", "A file that cannot be read.", file=str, line=int, column=int, path=str, problem=str, remedy=str
)
_Assumed: Any = _document(
    "LintService", "The service that was looked at.", name=str, given=bool, requests_per_second=float, errors=float
)
# sim/lint/run.py writes it
LintDocument: Any = _document(
    "LintDocument", "What `seatrial lint --json` writes.",
    service=_Assumed, regression=float, files=list[str], policies=int, hidden=int, findings=list[_Finding], errors=list[_Unread],
)  # fmt: skip

_Head: Any = _document("TraceHead", "How a trace ended.", policy=str, profile=str, phase=str, reason=str)
_Row: Any = _document(
    "DiffRow", "An entry of both traces, or of one.", same=bool, a=_AnyEntry | None, b=_AnyEntry | None
)
_First: Any = _document(
    "DiffFirst", "The first entry that is not the same, and what came before.",
    index=int, at=float, a=_AnyEntry | None, b=_AnyEntry | None, before=list[_AnyEntry],
)  # fmt: skip
_Apart: Any = _document("DiffField", "A field of the policies that is not the same.", path=str, a=Any, b=Any)
_Pair: Any = _document(
    "DiffPair", "One policy of each side.", name=str, same=bool, a=_Head, b=_Head, first=_First | None,
    fields=list[_Apart], entries=list[_Row],
)  # fmt: skip
# sim/versus.py writes it
DiffDocument: Any = _document(
    "DiffDocument", "What `seatrial diff --json` writes.", same=bool, pairs=list[_Pair], only_a=list[str], only_b=list[str]
)  # fmt: skip

KINDS: dict[str, Any] = {
    "scenario": ScenarioForm, "policy": PolicyFile, "service": ServiceFile, "script": ScriptForm, "trace": TraceDocument,
    "diff": DiffDocument, "lint": LintDocument,
}  # fmt: skip


def schema(kind: str) -> dict[str, Any]:
    """The schema of one kind of file. KeyError for an unknown kind."""
    return json_schema(KINDS[kind]) | {"title": f"Seatrial {kind}"}


def schemas() -> dict[str, dict[str, Any]]:
    """All of them by kind."""
    return {kind: schema(kind) for kind in KINDS}
