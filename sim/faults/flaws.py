"""What is wrong with a fault as written: a list that grows while reading goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, TypeVar

from sim.files.errors import Refused
from sim.files.words import Path, choose

Mode = Literal["sim", "real"]
T = TypeVar("T")


class Flaw(NamedTuple):
    """One problem at a field of the fault's mapping; a loader adds file, line and column (`Document.problem`)."""

    path: Path
    problem: str
    remedy: str

    def __str__(self) -> str:
        head = f"{'.'.join(map(str, self.path))}: " if self.path else ""
        return f"{head}{self.problem}; {self.remedy}"


class Flaws:
    """The problems found below one field."""

    def __init__(self, found: list[Flaw] | None = None, path: Path = ()) -> None:
        self.found = [] if found is None else found
        self.path = path

    def below(self, *path: str | int) -> Flaws:
        """The same list, for a field further down."""
        return Flaws(self.found, (*self.path, *path))

    def add(self, field: str, problem: str, remedy: str) -> None:
        """Note a problem of a field; '' is the mapping itself."""
        self.found.append(Flaw((*self.path, field) if field else self.path, problem, remedy))

    def get(self, raw: Mapping[str, object], field: str, read: Callable[[object], T]) -> T | None:
        """The value of a field, or None where it is missing, null or wrong."""
        if raw.get(field) is None:
            return None
        try:
            return read(raw[field])
        except Refused as refused:
            self.add(field, refused.problem, refused.remedy)
            return None

    def keys(self, raw: Mapping[object, object], known: Iterable[str], what: str) -> None:
        """Note every key that is not known."""
        names = tuple(known)
        for key in raw:
            if key not in names:
                self.add(str(key), f"unknown {what} {key!s:.60}", choose(key, names))
