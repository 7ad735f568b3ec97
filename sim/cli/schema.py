"""`seatrial schema`: JSON Schemas for editors and tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import console, options
from sim.cli.exits import Usage

app = options.application()

KINDS = ("scenario", "policy", "service", "script", "trace", "diff", "lint")


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


_KIND = typer.Argument(
    metavar="KIND",
    help="The kind of file.",
    show_default=False,
    autocompletion=_kinds,
)


@app.command()
def schema(kind: Annotated[str | None, _KIND] = None, out: options.Out = None) -> None:
    """Print the JSON Schema of a kind of file, or write all of them into a folder with --out.

    Editors use it through the first line of a file: # yaml-language-server: $schema=.schema/scenario.json
    """
    from sim.scenario import schema as make

    if kind is not None and kind not in KINDS:
        from sim.files.words import choose

        raise Usage(f"there is no schema of {kind!r}; {choose(kind, KINDS)}")
    if out is not None:
        written = write(out, KINDS if kind is None else (kind,))
        console.pairs(
            ("wrote", ", ".join(map(str, written))), ("next", "seatrial init   # scenarios that name these schemas")
        )
    elif kind is None:
        raise Usage(f"which schema? name one of {', '.join(KINDS)}, or write all: seatrial schema --out .schema")
    else:
        console.document(make(kind))


def write(folder: Path, kinds: tuple[str, ...] = KINDS) -> list[Path]:
    """A file for each kind."""
    import json

    from sim.scenario import schema as make

    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / f"{kind}.json" for kind in kinds]
    for kind, path in zip(kinds, written, strict=True):
        path.write_text(json.dumps(make(kind), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return written
