"""`diff`: one script against two sets of files, policy by policy, and what sets the policies apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.files import FileErrors, Problem
from sim.policy.errors import WorldError
from sim.scenario import NamedPolicy, load_script
from sim.scenario.walking import plain
from sim.single import choices
from sim.tracing.difference import Beside, beside
from sim.tracing.run import Trace
from sim.tracing.run import trace as run_trace
from sim.tracing.script import Script

__all__ = ["Field", "Pair", "Versus", "diff"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the policies that is not the same; None where a side does not have it."""

    path: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Pair:
    """One policy of each side: its traces side by side, and where the policies themselves differ."""

    name: str
    traces: Beside
    fields: tuple[Field, ...]

    @property
    def same(self) -> bool:
        return self.traces.first is None

    def document(self) -> dict[str, Any]:
        sides = {name: trace.document() for name, trace in (("a", self.traces.a), ("b", self.traces.b))}
        heads = {name: {key: value for key, value in side.items() if key != "entries"} for name, side in sides.items()}
        first = self.traces.first
        return {
            "name": self.name, "same": self.same, **heads, "first": first.document() if first else None,
            "fields": [{"path": field.path, "a": field.a, "b": field.b} for field in self.fields],
            "entries": [row.document() for row in self.traces.rows],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Versus:
    """All pairs, and the policies that only one side has."""

    pairs: tuple[Pair, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def same(self) -> bool:
        return all(pair.same for pair in self.pairs) and not self.only_a and not self.only_b

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "same": self.same, "pairs": [pair.document() for pair in self.pairs], "only_a": list(self.only_a), "only_b": list(self.only_b)
        }  # fmt: skip


def diff(
    a: str | Path, b: str | Path | None, script: str | Path, *, profiles: Sequence[str] = (), name: str = ""
) -> Versus:
    """Trace `a` and `b` (None: `a` again) against one script. Two profiles: one for each side. Raises FileErrors, WorldError."""
    chosen = [*profiles, *profiles, None, None][:2] if len(profiles) < 2 else list(profiles)
    answers: Script | None = None
    problems, sources = list[Problem](), dict[str, str]()
    sides: list[list[NamedPolicy]] = []
    for place, profile in ((a, chosen[0]), (a if b is None else b, chosen[1])):
        try:
            sides.append(choices([place], profile=profile))
        except FileErrors as errors:
            problems, sources = [*problems, *errors.problems], sources | errors.sources
    try:
        answers = load_script(script)
    except FileErrors as errors:
        problems, sources = [*problems, *errors.problems], sources | errors.sources
    if problems or answers is None:
        raise FileErrors(dict.fromkeys(problems), sources)
    return _paired(sides, answers, name)


def _paired(sides: Sequence[list[NamedPolicy]], script: Script, name: str) -> Versus:
    """By kind and name, then by name; where each side has one policy, these two whatever they are called."""
    a, b = ([one for one in side if name in ("", one.name)] for side in sides)
    if len(a) == len(b) == 1:
        return Versus((_pair(a[0], b[0], script),), (), ())
    pairs: list[tuple[NamedPolicy, NamedPolicy]] = []
    for alike in (_kind_and_name, _name):
        for one in [*a]:
            other = next((other for other in b if alike(one) == alike(other)), None)
            if other is not None:
                a.remove(one)
                b.remove(other)
                pairs.append((one, other))
    made = tuple(_pair(one, other, script) for one, other in pairs)
    return Versus(made, tuple(one.name for one in a), tuple(one.name for one in b))


def _kind_and_name(named: NamedPolicy) -> tuple[str, str]:
    return named.kind, named.name


def _name(named: NamedPolicy) -> str:
    return named.name


def _pair(a: NamedPolicy, b: NamedPolicy, script: Script) -> Pair:
    name = a.name if a.name == b.name else f"{a.name} | {b.name}"
    replicas = [Field("replicas", a.replicas, b.replicas)] if a.replicas != b.replicas else []
    fields = (*replicas, *_fields(plain(a.policy), plain(b.policy), ""))
    return Pair(name, beside(_traced(a, script, "A"), _traced(b, script, "B")), fields)


def _traced(named: NamedPolicy, script: Script, side: str) -> Trace:
    try:
        return run_trace(named.policy, script, replicas=named.replicas or 1, name=named.name, profile=named.profile)
    except WorldError as error:
        raise WorldError(f"{side}, {named.name}: {error}") from None


def _fields(a: Any, b: Any, path: str) -> Iterator[Field]:
    """Every value that is not the same, with its dotted path."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in dict.fromkeys([*a, *b]):
            yield from _fields(a.get(key), b.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _fields(one, other, f"{path}.{index}")
    elif a != b:
        yield Field(path, a, b)
