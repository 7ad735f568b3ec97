"""`seatrial completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from sim.cli.exits import Usage

app = typer.Typer(pretty_exceptions_enable=False)

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
_SHELL = typer.Argument(metavar="[bash|zsh|fish|powershell]", help="The shell; the one that runs without it.", show_default=False)


@app.command()
def completion(shell: Annotated[Optional[str], _SHELL] = None) -> None:  # noqa: UP045 - typer reads the annotation
    """Print the completion script of a shell. To use it: eval "$(seatrial completion bash)" in ~/.bashrc.

    Or let it be installed: seatrial --install-completion
    """
    from typer.completion import get_completion_script

    chosen = shell or Path(os.environ.get("SHELL", "bash")).name
    if chosen not in SHELLS:
        raise Usage(f"there is no completion for {chosen}; name one of {', '.join(SHELLS)}")
    typer.echo(get_completion_script(prog_name="seatrial", complete_var="_SEATRIAL_COMPLETE", shell=chosen))
