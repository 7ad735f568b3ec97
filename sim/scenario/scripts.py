"""Scripts of a trace (contracts section 8) -> `sim.tracing.script.Script`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from sim.files import Document, Duration, Name, PositiveInt, Refused, parse_duration, read_document, validate
from sim.files.scalars import dispute
from sim.files.words import show
from sim.policy.errors import WorldError
from sim.policy.events import Answer
from sim.scenario.answers import AnswerType
from sim.scenario.derive import Form, given, unsaid
from sim.scenario.references import kind_is
from sim.tracing.script import Ends, Happening, Script

__all__ = ["ScriptForm", "load_script"]


def load_script(source: Path | str | Document) -> Script:
    """The script of a file (or a document). Raises FileErrors."""
    document = source if isinstance(source, Document) else _read(Path(source))
    kind_is(document, "script")
    script: Script = validate(ScriptForm, document).made
    return script


def _read(path: Path) -> Document:
    """Revisions and pods are numbered, so keys may be whole numbers here, which the dialect of own files refuses.

    The dialect of manifests takes them; whatever readers of YAML disagree about (`on`, `1:30`, `1e3`) is refused all the same.
    """
    document = read_document(path, dialect="kubernetes", defer=True)
    problems = [document.problem(place, *dispute(text)) for place, text in document.ambiguous]
    if problems:
        raise document.errors(*problems)
    return document


def _patience(value: object) -> float | Ends:
    """A duration, `never`, or `fails` with the time after which the pod ends."""
    if isinstance(value, str) and (value == "fails" or value.startswith("fails ")):
        return Ends(parse_duration(value.removeprefix("fails").strip() or "0s"))
    return math.inf if value == "never" else parse_duration(value)


def _ready(value: object) -> Any:
    if isinstance(value, Mapping):
        return {_revision(key): _pods(one) for key, one in value.items()}
    return _patience(value)


def _revision(key: object) -> int:
    text = str(key)
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 10**6:
        raise Refused(f"{show(key)} is not a revision", "write e.g. {1: 0s, 2: never}")
    return int(text)


def _pods(value: object) -> float | Ends | tuple[float | Ends, ...]:
    if not isinstance(value, list):
        return _patience(value)
    if not value:
        raise Refused("a list of no pods", "write one time per pod, e.g. [1s, 1s, never]")
    return tuple(_patience(one) for one in value)


_READY_SCHEMA = {
    "description": "2s, never or fails 3s; per revision {1: 0s, 2: never}; or per pod {2: [1s, 1s, fails]}",
    "anyOf": [{"type": "string"}, {"type": "object"}],
}

if TYPE_CHECKING:
    _Ready = Any
else:
    _Ready = Annotated[Any, BeforeValidator(_ready), WithJsonSchema(_READY_SCHEMA)]

_ACTIONS = ("promote", "approve", "deny", "abort", "retry", "revision", "replicas", "pause", "fail", "terminate")


class EventForm(Form):
    """One event: when, and exactly one thing that happens."""

    at: Duration
    promote: Literal[True] = unsaid()
    full: bool = False
    approve: Name = unsaid()
    deny: Name = unsaid()
    abort: Literal[True] = unsaid()
    retry: Literal[True] = unsaid()
    revision: PositiveInt = unsaid()
    replicas: Annotated[int, Field(ge=0, le=10**6)] = unsaid()
    pause: bool = unsaid()
    fail: PositiveInt = unsaid()
    terminate: Literal["step", "background", "pre", "post"] = unsaid()

    @cached_property
    def made(self) -> Happening:
        said = [action for action in _ACTIONS if self.said(action)]
        if len(said) != 1:
            what = (
                f"{' and '.join(said)} in one event; write two events"
                if said
                else f"nothing happens; add one of: {', '.join(_ACTIONS)}"
            )
            raise WorldError(what)
        if self.said("full") and said != ["promote"]:
            raise WorldError(f"full belongs to promote, not to {said[0]}; remove it")
        return Happening(self.at, said[0], getattr(self, said[0]), self.full)


def _some(value: list[Any]) -> tuple[Answer, ...]:
    return tuple(value)


class ScriptForm(Form):
    """What monitoring, pods and people answer, in place of a world."""

    seatrial: Literal["script"]
    name: str = ""
    description: str = ""
    measurements: dict[
        Name, Annotated[list[AnswerType], Field(min_length=1, max_length=100_000), AfterValidator(_some)]
    ] = Field(default_factory=dict)
    ready: _Ready = "0s"
    query: Duration = 0.0
    events: list[EventForm] = Field(default_factory=list)
    until: Duration = 7200.0

    @cached_property
    def made(self) -> Script:
        return Script(**given(self, "measurements", "ready", "query", "events", "until"))
