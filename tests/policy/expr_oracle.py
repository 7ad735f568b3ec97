"""Conditions whose answer is known before they are asked: made as trees, written as text, computed by rules of their own.

An oracle apart from `sim.policy.expr` for what matters most: which operator binds tighter, and that nothing is silently something else: no
text is a number, no number a truth, nil is no zero. Rules: delivery-systems.md 3.2 (precedence) and 3.3 (types).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import numpy as np

__all__ = ["WORLDS", "Refused", "answer", "made", "written"]

WORLDS: tuple[Any, ...] = (
    [0.5],
    [0.25, math.nan],
    {"f": 0.75, "z": math.nan, "n": None, "s": "1", "t": True, "i": 3, "l": [1, "x"]},
    {"f": 1.0, "z": math.inf, "n": None, "s": "", "t": False, "i": 0, "l": []},
)
TIGHT = {
    **dict.fromkeys(("or", "||"), 10),
    **dict.fromkeys(("and", "&&"), 15),
    **dict.fromkeys(("==", "!=", "<", ">", "<=", ">=", "in", "contains", "startsWith", "endsWith"), 20),
    **dict.fromkeys(("+", "-"), 30),
    **dict.fromkeys(("*", "/", "%"), 60),
    **dict.fromkeys(("**", "^"), 100),
}
LOOSE, NOT, MINUS, TIGHTEST = 0, 50, 90, 1000  # ternary; prefix operators; what stands in brackets or alone


class Refused(Exception):
    """The condition must be an error."""


@dataclass(frozen=True, slots=True)
class Tree:
    """op: 'literal', 'member', 'first', 'not', 'minus', 'choice', 'len', 'isNil', 'type', or one of TIGHT. parts: trees, or one value."""

    op: str
    parts: tuple[Any, ...]


def made(random: Random, depth: int, world: object, want: str = "bool") -> Tree:
    """A random tree of at most this depth about a result like `world`; mostly of the wanted kind, with operands that it takes."""
    if random.random() < 0.1:
        want = random.choice(tuple(WAYS))
    if depth <= 0 or random.random() < 0.15:
        return _leaf(random, world, want)
    op, takes = random.choice(WAYS[want])
    if takes == ("alike", "alike"):
        takes = (random.choice(tuple(WAYS)),) * 2
    return Tree(op, tuple(made(random, depth - 1, world, kind) for kind in takes))


WAYS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {  # what gives a kind, and what it takes
    "bool": (
        *((op, ("number", "number")) for op in ("<", ">", "<=", ">=")),
        *((op, ("alike", "alike")) for op in ("==", "!=")),
        *((op, ("bool", "bool")) for op in ("or", "||", "and", "&&")),
        *((op, ("string", "string")) for op in ("contains", "startsWith", "endsWith", "<")),
        ("in", ("number", "list")),
        ("in", ("string", "list")),
        ("not", ("bool",)),
        ("isNil", ("number",)),
        ("choice", ("bool", "bool", "bool")),
    ),
    "number": (
        *((op, ("number", "number")) for op in ("+", "-", "*", "/", "%", "**", "^")),
        ("minus", ("number",)),
        ("len", ("string",)),
        ("len", ("list",)),
        ("choice", ("bool", "number", "number")),
    ),
    "string": (("+", ("string", "string")), ("type", ("number",)), ("choice", ("bool", "string", "string"))),
    "list": (("choice", ("bool", "list", "list")),),
    "nil": (("choice", ("bool", "nil", "nil")),),
}
LEAVES: dict[str, tuple[tuple[Any, ...], tuple[str, ...]]] = {  # literals and members of a kind
    "bool": ((True, False), ("t",)),
    "number": ((0, 1, 3, 0.5, 2.0), ("f", "z", "i")),
    "string": (("1", "x", "", "true"), ("s",)),
    "list": ((), ("l",)),
    "nil": ((None,), ("n", "missing")),
}


def _leaf(random: Random, world: object, want: str) -> Tree:
    literals, members = LEAVES[want]
    if literals and random.random() < 0.5:
        return Tree("literal", (random.choice(literals),))
    return Tree("member", (random.choice(members),)) if isinstance(world, dict) else Tree("first", ())


# ---- text ----


def written(random: Random, tree: Tree, floor: int = LOOSE) -> str:
    """The text of a tree, with the brackets that it needs and now and then some that it does not."""
    text, binds = _plain(random, tree)
    return f"({text})" if binds < floor or random.random() < 0.1 else text


def _plain(random: Random, tree: Tree) -> tuple[str, int]:
    match tree:
        case Tree("literal", (value,)):
            return _literal(value), TIGHTEST
        case Tree("member", (name,)):
            return f"result.{name}", TIGHTEST
        case Tree("first"):
            return "result[0]", TIGHTEST
        case Tree("not", (one,)):
            return f"{random.choice(('not ', '!'))}{written(random, one, NOT)}", NOT
        case Tree("minus", (one,)):
            return f"-{written(random, one, MINUS + 1)}", MINUS
        case Tree("choice", (test, yes, no)):
            sides = [written(random, part, LOOSE + 1) for part in (test, yes, no)]
            return f"{sides[0]} ? {sides[1]} : {sides[2]}", LOOSE
        case Tree("len" | "isNil" | "type", (one,)):
            return f"{tree.op}({written(random, one)})", TIGHTEST
    return _pair(random, tree), TIGHT[tree.op]


def _pair(random: Random, tree: Tree) -> str:
    """Left-associative but for powers; comparisons of sizes and ?? chain in a way of their own, so they stand in brackets."""
    left, right = tree.parts
    binds = TIGHT[tree.op]
    power = tree.op in ("**", "^")
    chained = binds == 20
    return " ".join(
        (
            written(random, left, binds + (power or chained)),
            tree.op,
            written(random, right, binds + (not power)),
        )
    )


def _literal(value: object) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return "nil" if value is None else repr(value).lower()


# ---- answer ----

Known = tuple[str, Callable[[], Any]]  # what is known before the run, and the run
SIZES: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
TEXTS: dict[str, Callable[[Any, Any], Any]] = {
    "contains": operator.contains,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}


def answer(tree: Tree, world: Any) -> bool | None:
    """What the condition says of this result; None if it must be an error."""
    try:
        with np.errstate(all="ignore"):
            value = _known(tree, world)[1]()
    except Refused:
        return None
    return value if isinstance(value, bool) else None


def _known(tree: Tree, world: Any) -> Known:
    if tree.op == "literal":
        return _kind(tree.parts[0]), lambda: tree.parts[0]
    if tree.op == "member":
        return "any", lambda: world.get(tree.parts[0])
    if tree.op == "first":
        return "float", lambda: world[0]
    sides = [_known(part, world) for part in tree.parts]
    if len(sides) == 1:
        return _single(tree.op, *sides[0])
    if tree.op == "choice":
        return _choice(*sides)
    if tree.op in ("or", "||", "and", "&&"):
        return _logic(tree, *sides)
    if tree.op in ("==", "!="):
        return _equality(tree.op, *sides)
    if tree.op in SIZES:
        return _pairwise(SIZES[tree.op], sides, ("number", "string"), "bool")
    if tree.op in TEXTS:
        return _textual(TEXTS[tree.op], sides)
    return _inside(*sides) if tree.op == "in" else _arithmetic(tree, sides)


def _kind(value: object) -> str:
    names = {
        type(None): "nil",
        bool: "bool",
        int: "int",
        float: "float",
        np.float64: "float",
        str: "string",
        list: "list",
    }
    return names[type(value)]


def _family(kind: str) -> str:
    return "number" if kind in ("int", "float") else "any" if kind == "unknown" else kind


def _demand(holds: bool) -> None:
    if not holds:
        raise Refused


def _single(op: str, kind: str, run: Callable[[], Any]) -> Known:
    takes = {"not": ("bool",), "minus": ("number",), "len": ("string", "list")}.get(op)
    _demand(takes is None or _family(kind) in (*takes, "any"))

    def value() -> Any:
        found = run()
        _demand(takes is None or _family(_kind(found)) in takes)
        if op == "type":
            return {"list": "array"}.get(_kind(found), _kind(found))
        return {"not": operator.not_, "minus": operator.neg, "len": len, "isNil": lambda _: False}[op](found)

    gives = {"not": "bool", "len": "int", "isNil": "bool", "type": "string"}
    return gives.get(op, "unknown" if kind == "any" else kind), value


def _choice(test: Known, yes: Known, no: Known) -> Known:
    """Known of both branches: nil gives way; the first, if the second may stand for it; else nothing."""
    _demand(_family(test[0]) in ("bool", "any"))
    kind = yes[0] if yes[0] != "unknown" and no[0] in (yes[0], "any") else "unknown"
    if "nil" in (yes[0], no[0]):
        kind = no[0] if yes[0] == "nil" else yes[0]

    def value() -> Any:
        found = test[1]()
        _demand(isinstance(found, bool))
        return yes[1]() if found else no[1]()

    return kind, value


def _logic(tree: Tree, left: Known, right: Known) -> Known:
    """A constant on the right that decides alone is not asked after the left, as in the original."""
    _demand(all(_family(kind) in ("bool", "any") for kind, _ in (left, right)))
    stop = tree.op in ("or", "||")
    if _constant(tree.parts[1]) is stop:
        return "bool", lambda: stop

    def value() -> Any:
        first = left[1]()
        _demand(isinstance(first, bool))
        if first is stop:
            return stop
        second = right[1]()
        _demand(isinstance(second, bool))
        return second

    return "bool", value


def _constant(tree: Tree) -> Any:
    """What the original computes before the run."""
    match tree:
        case Tree("literal", (value,)):
            return value
        case Tree("not", (one,)) if isinstance(found := _constant(one), bool):
            return not found
        case Tree("minus", (one,)) if type(found := _constant(one)) in (int, float):
            return -found
        case Tree("==", (one, two)):
            left, right = _constant(one), _constant(two)
            return left == right if type(left) is type(right) in (int, bool, str) else None
    return None


def _equality(op: str, left: Known, right: Known) -> Known:
    one, two = _family(left[0]), _family(right[0])
    _demand(one == two or "any" in (one, two) or "nil" in (one, two))
    sure = left[0] if left[0] == right[0] and left[0] in ("int", "string") else ""

    def value() -> Any:
        a, b = left[1](), right[1]()
        _demand(not sure or _kind(a) == _kind(b) == sure)
        return (_family(_kind(a)) == _family(_kind(b)) and bool(a == b)) is (op == "==")

    return "bool", value


def _pairwise(act: Callable[[Any, Any], Any], sides: list[Known], takes: tuple[str, ...], gives: str) -> Known:
    """Two of one family, one of `takes`; what is not known before the run is looked at in it."""
    one, two = (_family(kind) for kind, _ in sides)
    _demand(one in (*takes, "any") and two in (*takes, "any") and (one == two or "any" in (one, two)))

    def value() -> Any:
        a, b = (run() for _, run in sides)
        _demand(_family(_kind(a)) == _family(_kind(b)) in takes)
        found = act(a, b)
        return bool(found) if gives == "bool" else found

    return gives, value


def _textual(act: Callable[[Any, Any], Any], sides: list[Known]) -> Known:
    """nil has and is no part of a text: false."""
    _, asked = _pairwise(act, sides, ("string",), "bool")

    def value() -> Any:
        return False if None in (sides[0][1](), sides[1][1]()) else asked()

    return "bool", value


def _inside(left: Known, right: Known) -> Known:
    """Only members can be lists here: a list has it, nil has nothing, and nothing else can have anything."""
    _demand(_family(right[0]) == "any" or (_family(left[0]) == "any" and right[0] == "string"))

    def value() -> Any:
        needle, stack = left[1](), right[1]()
        _demand(stack is None or isinstance(stack, list))
        return any(_family(_kind(one)) == _family(_kind(needle)) and one == needle for one in stack or ())

    return "bool", value


def _arithmetic(tree: Tree, sides: list[Known]) -> Known:
    op = tree.op
    one, two = (kind for kind, _ in sides)
    if op == "%":
        _demand(_family(one) == "any" or one == "int")
        _demand(_family(two) == "any" or two == "int")
        _demand(not (_constant(tree.parts[1]) == 0 and isinstance(_constant(tree.parts[0]), int)))
    takes = ("number", "string") if op == "+" else ("number",)
    gives = "unknown" if "any" in (_family(one), _family(two)) else "float" if "float" in (one, two) else one
    gives = {"/": "float", "**": "float", "^": "float", "%": "int"}.get(op, gives)
    return _pairwise(partial(_number, op), sides, takes, gives)


def _number(op: str, a: Any, b: Any) -> Any:
    """Division and powers are always floats, of IEEE 754; a remainder has the sign of the left side."""
    if op in ("/", "**", "^"):
        return float((np.divide if op == "/" else np.power)(np.float64(a), np.float64(b)))
    if op == "%":
        _demand(type(a) is type(b) is int and b != 0)
        return int(math.fmod(a, b))
    return {"+": operator.add, "-": operator.sub, "*": operator.mul}[op](a, b)
