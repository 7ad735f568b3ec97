"""Plain values -> YAML that readers of YAML 1.1 and 1.2 read alike: whatever might be something else stands in quotes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml  # type: ignore[import-untyped]  # the stubs are a package of their own, and we use one class

from sim.files import Refused
from sim.files.scalars import resolve

__all__ = ["dump"]


class _Dumper(yaml.CSafeDumper):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> Any:
    style = "|" if "\n" in value and value.isprintable() is False and _blocky(value) else None
    if style is None and _doubtful(value):
        style = "'" if value.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _blocky(value: str) -> bool:
    """Text of several lines that a block shows as it is."""
    lines = value.split("\n")
    return all(line.isprintable() and line == line.rstrip() for line in lines) and not lines[0].startswith(" ")


def _doubtful(value: str) -> bool:
    """Text that some reader would take for a number, a truth value or nothing."""
    try:
        found, disputed = resolve(value, "kubernetes")
    except Refused:
        return True
    return disputed or not isinstance(found, str)


_Dumper.add_representer(str, _text)


def dump(documents: Iterable[Any]) -> str:
    """Documents in order, keys as they come.

    >>> print(dump([{"a": "on", "b": "1e3", "c": "x"}]), end="")
    a: 'on'
    b: '1e3'
    c: x
    """
    texts = [
        yaml.dump(one, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False)
        for one in documents
    ]
    return "---\n".join(texts)
