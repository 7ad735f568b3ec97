"""What is printed: text through rich to a terminal, one JSON document to a program. rich is loaded with the first line."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = ["document", "err", "line", "listed", "out", "pairs", "show", "title"]

WIDTH = 100  # columns where there is no terminal to ask


def out() -> Console:
    """Standard output."""
    return _console(sys.stdout)


def err() -> Console:
    """Standard error."""
    return _console(sys.stderr)


@cache
def _console(stream: Any) -> Console:
    from rich.console import Console

    wide = None if stream.isatty() or "COLUMNS" in os.environ else WIDTH
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=wide, legacy_windows=False)


def show(*renderables: RenderableType) -> None:
    """Print to standard output."""
    for renderable in renderables:
        out().print(renderable)


def line(text: str = "", style: str = "", *, wrap: bool = True) -> None:
    """One line of plain text."""
    out().print(text, style=style or None, soft_wrap=not wrap)


def title(name: str, about: str = "") -> None:
    """A heading and what it is about."""
    out().print(styled((name, "bold"), (f"  {about}" if about else "", "dim")))


def styled(*parts: tuple[str, str]) -> Text:
    """Text of (words, style) parts."""
    from rich.text import Text

    return Text.assemble(*parts)


def pairs(*rows: tuple[str, str], style: str = "dim") -> None:
    """Small print: a name and what it is, one pair a line."""
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        if text:
            out().print(styled((f"{name:<{width}}  ", "cyan"), (text, style)), soft_wrap=name in ("again", "next"))


def listed(items: list[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"


def dumped(value: Any) -> str:
    """JSON as it is written to files and to standard output."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def document(value: Any) -> None:
    """One JSON document in UTF-8, whatever the locale is."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(dumped(value))
    sys.stdout.flush()
