"""`seatrial completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options
from sim.cli.exits import Usage

app = options.application()

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
_SHELL = typer.Argument(metavar="SHELL", help="The shell; the one that runs without it.", show_default=False)


@app.command()
def completion(shell: Annotated[str | None, _SHELL] = None) -> None:
    """Print the completion script of a shell. To use it: eval "$(seatrial completion bash)" in ~/.bashrc.

    Or let it be installed: seatrial --install-completion
    """
    from typer import completion as scripts

    chosen = shell or Path(os.environ.get("SHELL", "bash")).name
    if chosen not in SHELLS:
        raise Usage(f"there is no completion for {chosen}; name one of {', '.join(SHELLS)}")
    make = vars(scripts)[
        "get_completion_script"
    ]  # where older and newer versions of typer have it, though neither exports it
    typer.echo(make(prog_name="seatrial", complete_var="_SEATRIAL_COMPLETE", shell=chosen))
