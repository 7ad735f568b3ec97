"""Reading an object field by field: typed values, remarks and rejections, each with its place in the file.

A wrong type is rejected, as the API server does. A null counts as absent, as it does there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.files import Document, FileErrors, Problem, Refused, parse_duration
from sim.files.words import Path, show
from sim.manifests.report import Remark, Status
from sim.policy.errors import PolicyError

__all__ = ["Findings", "Reader", "Scope"]

_INT32 = 2**31 - 1  # what Kubernetes keeps a whole number in
_INTEGER = re.compile(r"-?[0-9]+")
_FRACTION = re.compile(r"-?[0-9]*\.[0-9]*")
_SHARE = re.compile(r"[0-9]+%?")


@dataclass(slots=True)
class Findings:
    """All that was found in a set of files."""

    remarks: list[Remark] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    def errors(self) -> FileErrors:
        return FileErrors(self.problems, self.sources)

    def report(self) -> tuple[Remark, ...]:
        """Remarks in reading order, each once (one template may be read for several rollouts)."""
        order = {remark: (remark.file, remark.line, remark.column, remark.path) for remark in self.remarks}
        return tuple(sorted(order, key=order.__getitem__))


@dataclass(slots=True)
class Scope:
    """The reading of one object: `blocked`: it cannot become a policy; `near`: something was approximated."""

    findings: Findings
    blocked: bool = False
    near: bool = False
    faulty: bool = False

    def remark(self, document: Document, path: Path, status: Status, text: str, *, key: bool = False) -> None:
        line, column = document.key_of(path) if key else document.line_of(path)
        self.near = self.near or status == "approximated"
        self.findings.remarks.append(Remark(document.file, line, column, document.named(path), status, text))

    def reject(self, document: Document, path: Path, problem: str, remedy: str, *, key: bool = False) -> None:
        self.faulty = True
        found = document.problem(path, problem, remedy, key=key)
        if found not in self.findings.problems:
            self.findings.problems.append(found)


class Reader:
    """One mapping of a document. Every reading names the field; what is absent gives the default."""

    __slots__ = ("document", "path", "scope", "value")

    def __init__(self, scope: Scope, document: Document, value: object, path: Path = ()) -> None:
        self.scope, self.document, self.path = scope, document, path
        self.value: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        if value is not None and not isinstance(value, Mapping):
            self.reject(f"{show(value)} is not an object", "write fields below it")

    def has(self, name: str) -> bool:
        return self.value.get(name) is not None

    def raw(self, name: str) -> Any:
        return self.value.get(name)

    def child(self, name: str) -> Reader:
        """The object in a field; an empty one if it is absent."""
        return Reader(self.scope, self.document, self.value.get(name), (*self.path, name))

    def items(self, name: str) -> list[Reader]:
        """The objects of a list in a field."""
        return [Reader(self.scope, self.document, value, path) for value, path in self._list(name)]

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(str(value) for value, _ in self._list(name))

    def wholes(self, name: str) -> tuple[int, ...]:
        """The integers of a list in a field."""
        found = []
        for value, path in self._list(name):
            if isinstance(value, int) and not isinstance(value, bool):
                found.append(value)
            else:
                self.scope.reject(self.document, path, f"{show(value)} is not a whole number", "write e.g. 10")
        return tuple(found)

    def whole(self, name: str, default: int, least: int | None = None, most: int | None = None) -> int:
        """An integer within [least, most]."""
        value = self.value.get(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            self.reject(f"{show(value)} is not a whole number", f"write e.g. {default}", name)
            return default
        if (least is not None and value < least) or (most is not None and value > most) or abs(value) > _INT32:
            most = _INT32 if most is None and value > _INT32 else most
            limits = f"{least} to {most}" if most is not None else f"{least} or more"
            self.reject(f"{value} is out of range", f"use {limits}", name)
            return default
        return value

    def number(self, name: str) -> float | None:
        value = self.value.get(name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return None if value is None else float(value)
        self.reject(f"{show(value)} is not a number", "write e.g. 99", name)
        return None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.value.get(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.reject(f"{show(value)} is not true or false", "write true or false", name)
        return default

    def text(self, name: str, default: str = "") -> str:
        value = self.value.get(name)
        if value is None or isinstance(value, str):
            return default if value is None else value
        self.reject(f"{show(value)} is not text", f'put it in quotes: "{value}"', name)
        return default

    def duration(self, name: str, default: float | None = None) -> float | None:
        """Seconds of a Go duration in text."""
        if not self.text(name):
            return default
        return self._seconds(name, default, bare=False)

    def seconds_or_duration(self, name: str) -> float | None:
        """A whole number of seconds, the same in quotes, or a Go duration (Argo's pause)."""
        value = self.value.get(name)
        if isinstance(value, float) or (isinstance(value, str) and _FRACTION.fullmatch(value)):
            self.reject(f"{show(value)} is not a whole number of seconds", "write e.g. 90 or 1m30s", name)
            return None
        return None if value is None or value == "" else self._seconds(name, None, bare=True)

    def share(self, name: str, default: int | str) -> int | str:
        """A count or a percentage (maxSurge)."""
        value = self.value.get(name)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        if isinstance(value, str) and _SHARE.fullmatch(value):
            return value
        self.reject(f"{show(value)} is not a count or a percentage", "write e.g. 1 or 25%", name)
        return default

    def int_or_text(self, name: str, default: int | None) -> int | None:
        """An integer, or one in quotes (Argo's int-or-string)."""
        value = self.value.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        self.reject(f"{show(value)} is not a whole number", "write e.g. 3", name)
        return default

    def remark(self, status: Status, text: str, name: str = "") -> None:
        path = (*self.path, name) if name else self.path
        self.scope.remark(self.document, path, status, text, key=bool(name))

    def block(self, text: str, name: str = "") -> None:
        """Say what is not read yet; without it there is no policy."""
        self.scope.blocked = True
        self.remark("not yet", text, name)

    def reject(self, problem: str, remedy: str, name: str = "") -> None:
        path = (*self.path, name) if name else self.path
        block = not name or isinstance(self.value.get(name), Mapping | list)  # its value may begin on a later line
        self.scope.reject(self.document, path, problem, remedy, key=block)

    def refuse(self, error: PolicyError, name: str = "") -> None:
        """A policy's own complaint, told about this place."""
        problem, _, remedy = str(error).partition("; ")
        self.reject(problem, remedy, name)

    def _seconds(self, name: str, default: float | None, *, bare: bool) -> float | None:
        try:
            return parse_duration(self.value[name], bare=bare, days=False)
        except Refused as fault:
            self.reject(fault.problem, fault.remedy, name)
            return default

    def _list(self, name: str) -> Iterator[tuple[Any, Path]]:
        value = self.value.get(name)
        if value is not None and not isinstance(value, list):
            self.reject(f"{show(value)} is not a list", "write - before every item", name)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield item, (*self.path, name, index)
