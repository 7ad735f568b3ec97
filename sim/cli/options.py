"""Options that several commands share, with one meaning each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Jobs", "Json", "Out", "Part", "Profile", "Quiet", "Replications", "Resume", "Seed", "Strict", "application"]


def application() -> typer.Typer:
    """The app of one command: paragraphs of its docstring flow, and the shell is the business of the whole program."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Part = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="KIND",
        help="What fragments are part of, e.g. rollout-strategy; by their content without it.",
        show_default=False,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", help="Version to read manifests by, e.g. argo-rollouts@1.8.", show_default=False),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no small print.")]
Strict = Annotated[bool, typer.Option("--strict", help="What is approximated or not read yet is an error.")]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, metavar="N", help="Seed; else the scenario's own.", show_default=False)
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        metavar="N",
        help="Worker processes; all cores without it. Changes no result.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="Folder for result.json, rows.npy, report.html and the chunks of a run.", show_default=False
    ),
]
Replications = Annotated[
    int | None,
    typer.Option(
        "--replications",
        "-n",
        min=1,
        metavar="N",
        help="Exactly this many rollouts per policy and release.",
        show_default=False,
    ),
]
Resume = Annotated[
    Path | None, typer.Option("--resume", help="Continue the interrupted run of this folder.", show_default=False)
]
