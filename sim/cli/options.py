"""Options that several commands share, with one meaning each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = ["Jobs", "Json", "Out", "Quiet", "Replications", "Resume", "Seed", "Strict"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no small print.")]
Strict = Annotated[bool, typer.Option("--strict", help="What is approximated or not read yet is an error.")]
Seed = Annotated[Optional[int], typer.Option("--seed", min=0, max=2**63 - 1, help="Seed; the scenario's own without it.", show_default=False)]  # noqa: UP045
Jobs = Annotated[Optional[int], typer.Option("--jobs", "-j", min=1, max=1024, help="Worker processes; all cores without it. Changes no result.", show_default=False)]  # noqa: UP045, E501
Out = Annotated[Optional[Path], typer.Option("--out", "-o", help="Folder for result.json, rows.npy, report.html and the chunks of a run.", show_default=False)]  # noqa: UP045, E501
Replications = Annotated[Optional[int], typer.Option("--replications", "-n", min=1, max=10**9, help="Exactly this many rollouts per policy and release.", show_default=False)]  # noqa: UP045, E501
Resume = Annotated[Optional[Path], typer.Option("--resume", help="Continue the interrupted run of this folder.", show_default=False)]  # noqa: UP045, E501
