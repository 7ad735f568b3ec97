"""From a document to a checked object: every error of a pydantic model with its place, problem and remedy.

How a location of pydantic is walked down the document (ecosystem.md section 5.2): a part that the document does not
have is the tag of a union and is skipped. The place is the key where the value is a mapping or a list, or where the
key itself is at fault; else the value. A missing key is told at the mapping that lacks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, overload

from pydantic import BaseModel, TypeAdapter, ValidationError

from sim.files.complaints import explain, missing, unknown_key
from sim.files.document import Document
from sim.files.errors import FileErrors, Problem
from sim.files.nodes import Node, Place, find
from sim.files.schema import Shape
from sim.files.words import Path, dotted

T = TypeVar("T")

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_GUESSES = 50  # a guess costs about 0.1 ms per name; beyond this many unknown keys the file is another kind of file


@overload
def validate(model: type[T], document: Document, *, at: Path = ()) -> T: ...
@overload
def validate(model: TypeAdapter[T], document: Document, *, at: Path = ()) -> T: ...
def validate(model: Any, document: Document, *, at: Path = ()) -> Any:
    """The object that `model` (a pydantic model, a dataclass, a TypeAdapter) makes of the document's value at `at`.

    Raises FileErrors with every problem, in reading order.
    """
    node = find(document.root, at)
    if node is None:
        raise document.errors(document.problem(at[:-1], *missing(str(at[-1]))))
    try:
        if isinstance(model, type) and issubclass(model, BaseModel):
            made = model.model_validate(node.value)
        else:
            made = _adapter(model).validate_python(node.value)
    except ValidationError as error:
        raise _errors(error, model, document, at) from None
    if document.faults:
        raise document.errors()
    return made


def _adapter(model: Any) -> TypeAdapter[Any]:
    return model if isinstance(model, TypeAdapter) else TypeAdapter(model)


def _errors(error: ValidationError, model: Any, document: Document, at: Path) -> FileErrors:
    shape = Shape(_adapter(model))
    problems: list[Problem] = []
    told: set[tuple[Path, str | int]] = set()
    for entry in error.errors(include_url=False):
        spot = _Spot(document.root, (*at, *entry["loc"]), entry["type"])
        if spot.untold in told:
            continue  # the branches of a plain union complain about one value in turn: the first complaint is enough
        if spot.untold is not None:
            told.add(spot.untold)
        words = _words(cast("Mapping[str, Any]", entry), spot, shape, guess=len(problems) < _GUESSES)
        problems.append(Problem(document.file, *spot.place, dotted(spot.path), *words))
    return document.errors(*problems)


def _words(entry: Mapping[str, Any], spot: _Spot, shape: Shape, *, guess: bool) -> tuple[str, str]:
    location, kind = entry["loc"], entry["type"]
    if kind == "missing":
        return missing(str(location[-1]))
    if kind in _UNKNOWN_KEY:
        return unknown_key(str(location[-1]), shape.names(location[:-1]) if guess else [])
    return explain(entry, spot.node.plain, shape.bounds(location))


class _Spot:
    """Where a pydantic location ends in the document. `untold` names it if it lies in a branch of a plain union."""

    def __init__(self, root: Node, location: Path, kind: str) -> None:
        self.node = root
        self.path: Path = ()
        self.place: Place = root.place
        walked = location[:-1] if kind == "missing" else location
        key_at_fault = kind in _UNKNOWN_KEY or "[key]" in walked[-1:]
        plain_union = False
        for part in walked:
            child = self.node.child(part)
            if child is None:
                plain_union = plain_union or not str(part).startswith(("<", "["))
                continue
            key = self.node.keys.get(part) if isinstance(part, str) else None
            self.place = key if key is not None and (key_at_fault or child.children is not None) else child.place
            self.path = (*self.path, part)
            self.node = child
        self.untold = (self.path, location[-1] if kind == "missing" else "") if plain_union else None
