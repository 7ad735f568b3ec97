"""The printed table: blocks in a terminal, 100 columns wide by default, in colour unless NO_COLOR says otherwise."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.results.blocks import Block, Shown, blocks, changes, footer
from sim.results.difference import difference
from sim.results.result import Result
from sim.results.wording import count

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

WIDTH = 100
_STYLES = {"": "", "best": "bold green", "alarm": "bold red", "open": "bold yellow"}


def text(result: Result, width: int = WIDTH) -> str:
    """The table as plain text, without a colour or a trailing blank."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    show(result, console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def show(result: Result, console: Console | None = None) -> None:
    """Print the question, the blocks, and what names the result."""
    from rich.console import Console
    from rich.text import Text

    out = console if console is not None else Console(width=WIDTH)
    if result.question:
        out.print(Text(result.question, style="bold"))
    for block in blocks(result):
        for part in render(block, out.width):
            out.print(part)
    for line in footer(result):
        out.print(Text(line, style="dim"), soft_wrap=True)


def render(block: Block, width: int = WIDTH) -> list[RenderableType]:
    """A block as renderables: title, note, and as many tables below each other as the width asks for."""
    from rich.text import Text

    heading = Text.assemble(("\n" + block.title, "bold"), "\n", (block.note, "dim"))
    return [heading, *(_table(block, columns) for columns in fitting(block, width))]


def fitting(block: Block, width: int) -> list[list[int]]:
    """The columns in groups that fit the width side by side."""
    groups: list[list[int]] = []
    left = 0
    label = max([len(block.corner), *(len(name) for name, _ in block.rows)]) + 2
    for index, name in enumerate(block.columns):
        needed = max([_words(name), *(_width(cells[index]) for _, cells in block.rows)]) + 2
        if not groups or needed > left:
            groups.append([])
            left = width - label
        groups[-1].append(index)
        left -= needed
    return groups


def _table(block: Block, columns: Sequence[int]) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False, header_style="bold")
    table.add_column(block.corner, overflow="fold")
    for index in columns:
        table.add_column(block.columns[index], justify="right", overflow="fold")
    for label, cells in block.rows:
        table.add_row(label, *(_lines(cells[index]) for index in columns))
    return table


def _lines(shown: Shown) -> Text:
    from rich.text import Text

    return Text.assemble((shown.text, _STYLES[shown.tone]), *(("\n" + line, "dim") for line in shown.lines))


def _width(shown: Shown) -> int:
    return max(len(line) for line in (shown.text, *shown.lines))


def _words(name: str) -> int:
    return max(len(word) for word in name.split())


def show_difference(old: Result, new: Result, console: Console | None = None) -> None:
    """Print what two results differ in: what they were made from, and each measure that changed beyond chance."""
    from rich.console import Console
    from rich.text import Text

    out = console if console is not None else Console(width=WIDTH)
    found = difference(old, new)
    for name, before, after in found.origins:
        out.print(Text.assemble((f"{name}: ", "bold"), f"{before}  ->  {after}"))
    for title, places in (("only in the old result", found.only_old), ("only in the new result", found.only_new)):
        if places:
            out.print(Text(f"{title}: {', '.join(f'{policy} / {release}' for policy, release in places)}"))
    if found.clear:
        for part in render(changes(found.clear), out.width):
            out.print(part)
    within = len(found.changes) - len(found.clear)
    out.print(
        Text(
            f"{count(len(found.clear), 'change')} beyond chance, {within} within it, of single comparisons at 95%.",
            style="dim",
        )
    )
