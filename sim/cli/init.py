"""`seatrial init`: a copy of something that works, to change."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from sim.cli import console, options
from sim.cli.exits import Usage

app = options.application()

_NAME = typer.Argument(
    metavar="NAME", help="A scenario of the gallery; without it the gallery is listed.", show_default=False
)
_FOLDER = typer.Argument(metavar="FOLDER", help="Where to put it; a folder of its name without it.", show_default=False)
_FORCE = typer.Option("--force", help="Overwrite files that are there.")

_REFERENCE = re.compile(r"[\w./-]+\.(?:ya?ml|json|csv|py)")


@app.command()
def init(
    name: Annotated[str | None, _NAME] = None,
    folder: Annotated[Path | None, _FOLDER] = None,
    force: Annotated[bool, _FORCE] = False,
    json: options.Json = False,
) -> None:
    """Copy a scenario of the gallery with its policies, its service and the schemas for editors into FOLDER.

    Without a NAME the gallery is listed: each scenario is one question.
    """
    from sim.cli import gallery

    if name is None:
        _list(json)
        return
    source = gallery.shipped(name)
    target = folder or Path(name)
    written = copy(source, target, force=force)
    if json:
        console.document({"scenario": str(target / source.name), "files": list(map(str, written))})
        return
    console.title(str(target), f"{len(written)} files")
    for path in written:
        console.line(f"  {path.relative_to(target)}", "dim" if ".schema" in path.parts else "")
    console.pairs(
        ("next", f"seatrial run {target / source.name}"),
        ("then", "change one number in it and run it again; your editor knows the schema from the first lines"),
    )  # fmt: skip


def copy(source: Path, target: Path, *, force: bool = False) -> list[Path]:
    """The scenario, every file that it names (and that those name), and the schemas. Raises Usage rather than overwriting."""
    from sim.cli.schema import write

    files = _closure(source)
    taken = [target / name for name in files if (target / name).exists()]
    if taken and not force:
        raise Usage(f"{taken[0]} is there already; name another folder, or add --force")
    for name, path in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
        _editor(target / name, target)
    return [target / name for name in files] + write(target / ".schema")


def _closure(source: Path) -> dict[str, Path]:
    """Relative name -> file, the scenario first."""
    found = {source.name: source}
    queue = [source]
    root = source.parent.resolve()
    while queue:
        path = queue.pop(0)
        if path.suffix not in (".yaml", ".yml"):
            continue
        for reference in dict.fromkeys(_REFERENCE.findall(path.read_text(encoding="utf-8"))):
            near = (path.parent / reference).resolve()
            if near.is_file() and near.is_relative_to(root) and ".schema" not in near.parts:
                name = str(near.relative_to(root))
                if name not in found:
                    found[name] = near
                    queue.append(near)
    return found


_EDITOR = re.compile(r"^# (?:yaml-language-server: )?\$schema[=:].*\n", re.MULTILINE)
_KIND = re.compile(r"^seatrial: (\w+)", re.MULTILINE)


def _editor(path: Path, root: Path) -> None:
    """The two lines by which editors (VS Code and others; JetBrains) find the schema, for where the file lies now."""
    text = path.read_text(encoding="utf-8") if path.suffix in (".yaml", ".yml") else ""
    kind = _KIND.search(text)
    if kind is None:
        return
    place = "/".join([".."] * len(path.relative_to(root).parent.parts) + [".schema", f"{kind[1]}.json"])
    lines = f"# yaml-language-server: $schema={place}\n# $schema: {place}\n"
    path.write_text(lines + _EDITOR.sub("", text), encoding="utf-8")


def _list(json: bool) -> None:
    from sim.cli import gallery

    entries = [(name, _question(gallery.shipped(name))) for name in gallery.names()]
    if json:
        console.document({"gallery": [{"name": name, "question": question} for name, question in entries]})
        return
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column()
    for name, question in entries:
        table.add_row(name, question)
    console.show(table)
    console.pairs(("next", f"seatrial init {entries[0][0] if len(entries) == 1 else 'NAME'} my-folder"))


def _question(path: Path) -> str:
    """The first line of a scenario's question."""
    from sim.files import read_document

    value = read_document(path).value
    question = str(value.get("question", "")).strip() if isinstance(value, dict) else ""
    return question.partition("\n")[0]
