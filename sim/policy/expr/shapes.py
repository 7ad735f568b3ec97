"""What is known about a value before the run: the abstract values of the static check (delivery-systems.md 3.3).

Two shapes are statically unknown. ANY is what Go calls an interface: members of maps, elements of JSON lists, the
return of default(). UNKNOWN is a thing without any type, such as a member of an unknown value. Both are accepted
everywhere; they differ only in what the branches of `?:` and `??` make of them. Nil is a shape of its own, never
unknown. A list has the shape of its elements and the Go element type ("any", "float", "string") that decides which
functions take it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """An abstract value; compared by kind, never by identity of nested parts."""

    kind: str
    item: Shape | None = None
    element: str = "any"

    def __str__(self) -> str:
        if self.kind == "list" and self.item and not self.item.unknown:
            return f"list of {self.item}"
        return {"any": "unknown", "int64": "int"}.get(self.kind, self.kind)

    @property
    def unknown(self) -> bool:
        return self.kind in ("any", "unknown")

    @property
    def number(self) -> bool:
        return self.kind in ("int", "int64", "float")

    @property
    def integer(self) -> bool:
        return self.kind in ("int", "int64")


UNKNOWN = Shape("unknown")
ANY = Shape("any")
NIL = Shape("nil")
BOOL = Shape("bool")
INT = Shape("int")
INT64 = Shape("int64")  # asInt's return: an integer, but not Go's int
FLOAT = Shape("float")
STRING = Shape("string")
LIST = Shape("list", ANY)
FLOATS = Shape("list", FLOAT, "float")
STRINGS = Shape("list", STRING, "string")
MAP = Shape("map", ANY, "string")  # element: the type of the keys
KEYED = Shape("map", ANY, "any")

SCALAR = FLOAT  # a Prometheus scalar (delivery-systems.md 2.3)
VECTOR = FLOATS  # a Prometheus vector or range


def list_of(item: Shape) -> Shape:
    """A list made by the condition itself: Go's []any, whose elements are known to the check only."""
    return Shape("list", item)


def erase(shape: Shape) -> Shape:
    """What is left of a shape when it passes through a Go type: lists forget what only the check knew."""
    if shape.kind == "unknown":
        return ANY
    if shape.kind == "list":
        return {"any": LIST, "float": FLOATS, "string": STRINGS}[shape.element]
    return shape


def infer(value: object) -> Shape:
    """The shape of a measurement's result; a list of floats, also an empty one, counts as a Prometheus vector."""
    kind = type(value)
    if kind is list:
        return FLOATS if {*map(type, value)} <= {float} else LIST  # type: ignore[call-overload]
    shape = BY_TYPE.get(kind)
    if shape is not None:
        return shape
    for known, shape in BY_TYPE.items():  # subclasses, such as numpy's float64
        if isinstance(value, known):
            return shape
    return UNKNOWN


BY_TYPE: dict[type, Shape] = {
    type(None): NIL,
    bool: BOOL,
    int: INT,
    float: FLOAT,
    str: STRING,
    list: LIST,
    dict: MAP,
}


def assignable(shape: Shape, to: Shape) -> bool:
    """Go's assignability, as the check uses it for branches and map keys."""
    if shape.kind == "nil":
        return to.kind in ("any", "map", "list")
    if shape.kind == "unknown" or to.kind == "unknown":
        return False
    if to.kind == "any":
        return True
    return shape.kind == to.kind and (shape.kind not in ("list", "map") or shape.element == to.element)


def comparable(left: Shape, right: Shape) -> bool:
    """Whether == may stand between them."""
    return (
        left.unknown
        or right.unknown
        or "nil" in (left.kind, right.kind)
        or (left.number and right.number)
        or left.kind == right.kind == "list"
        or assignable(left, right)
    )


def together(left: Shape, right: Shape, *kinds: str) -> bool:
    """Whether at least one is unknown and the other is unknown too or one of the kinds ("number", "string", ...)."""
    if left.unknown:
        return right.unknown or _is(right, kinds)
    return right.unknown and _is(left, kinds)


def _is(shape: Shape, kinds: tuple[str, ...]) -> bool:
    return shape.kind in kinds or ("number" in kinds and shape.number) or ("integer" in kinds and shape.integer)
