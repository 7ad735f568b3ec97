"""The frame of the command line: which commands there are, found when needed, and how the program ends.

Commands are a table of names to modules, and whatever other packages register under the entry-point group `seatrial.commands`.
A module is imported when its command is run; listing commands imports none of them.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sim.cli import exits
from sim.cli.guard import guarded

__all__ = ["app", "start"]

GROUP = "seatrial.commands"

_FIRST, _ASK, _LOOK, _TOOLS = "First steps", "Questions", "One rollout, closely", "Around it"

# name -> (panel, one line)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (_FIRST, "Five policies, seven releases, one table, ten seconds."),
    "init": (_FIRST, "Copy something that works, to change it."),
    "validate": (_FIRST, "Check files: ours, Argo Rollouts, Flagger, Kubernetes..."),
    "lint": (_FIRST, "What will hurt: file, line, reason and remedy."),
    "run": (_ASK, "Answer a scenario: what does a bad release break?"),
    "compare": (_ASK, "Policies on the same users, noise and faults."),
    "plan": (_LOOK, "The timeline: steps, requests per look, earliest end."),
    "explain": (_LOOK, "One replication as a story: why did it roll back?"),
    "replay": (_LOOK, "A recorded rollout again, or with another policy."),
    "trace": (_LOOK, "A policy against a script: a unit test of a manifest."),
    "diff": (_LOOK, "The same script against two policies, side by side."),
    "export": (_TOOLS, "A policy as Argo Rollouts, Flagger, Deployment..."),
    "promql": (_TOOLS, "PromQL unit tests in promtool's format."),
    "schema": (_TOOLS, "JSON Schema of a kind of file, for editors."),
    "doctor": (_TOOLS, "What is installed, what is missing, how to get it."),
    "completion": (_TOOLS, "Shell completion for bash, zsh, fish, PowerShell."),
}

# Registered commands that come with Seatrial itself: entry point -> (panel, one line)
_SHIPPED = {
    "real.cli:app": ("On a real cluster", "The same policies on kind, or on a cluster that you name."),
}


class Commands(TyperGroup):
    """The group of all commands, each loaded when it is asked for."""

    listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *(name for name in _registered() if name not in COMMANDS)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS:
            return _placeholder(cmd_name, *COMMANDS[cmd_name]) if self.listing else _own(cmd_name)
        registered = _registered()
        if cmd_name not in registered:
            return None
        entry = registered[cmd_name]
        return (
            _placeholder(
                cmd_name, *_SHIPPED.get(entry.value, ("From other packages", f"Registered by {_package(entry)}."))
            )
            if self.listing
            else _foreign(entry)
        )

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self.listing = False

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        self.listing = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self.listing = False

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = dict.fromkeys(self.list_commands(ctx))  # type: ignore[assignment]  # names to suggest from
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        rest = [*getattr(ctx, "_protected_args", ()), *ctx.args]
        with guarded(debug=bool(ctx.params.get("debug")), json="--json" in rest):
            return super().invoke(ctx)


app = typer.Typer(
    name="seatrial",
    cls=Commands,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(value: bool) -> None:
    if value:
        import sim

        typer.echo(f"seatrial {sim.__version__}")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done or pass, 1 a budget failed, 2 usage or file error, 3 undecided, 4 environment missing."
)
def _seatrial(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")] = False,
) -> None:
    """Sea trials for rollout policies: what a canary, blue-green or rolling update would do to your users, before it does.

    New here? Try [bold]seatrial demo[/bold], then [bold]seatrial init[/bold].
    """


def start(args: list[str] | None = None) -> None:
    """Run the program and exit."""
    try:
        _lenient()
        code = _run(args)
    except KeyboardInterrupt:
        code = exits.INTERRUPTED
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _hush()
    sys.exit(code)


def _run(args: list[str] | None) -> int:
    try:
        app(args=args, prog_name="seatrial")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exits.DONE if end.code is None else exits.USAGE
    return exits.DONE


def _lenient() -> None:
    """A terminal that cannot show a character shows a question mark; that is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _hush() -> None:
    """The reader has gone: what Python still holds back goes nowhere, silently (Python documentation, signal: SIGPIPE)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# ---- commands ----


def _own(name: str) -> Any:
    return _command(importlib.import_module(f"sim.cli.{name}").app, name)


def _registered() -> dict[str, EntryPoint]:
    """Entry points by name, sorted; reading them imports nothing."""
    return {
        entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))
    }


def _foreign(entry: EntryPoint) -> Any:
    """A typer app, or a function that becomes a command."""
    loaded = entry.load()
    if not isinstance(loaded, typer.Typer):
        loaded, function = typer.Typer(pretty_exceptions_enable=False), loaded
        loaded.command(entry.name)(function)
    return _command(loaded, entry.name)


def _command(one: typer.Typer, name: str) -> Any:
    command = typer.main.get_command(one)
    command.name = name
    return command


def _placeholder(name: str, panel: str, line: str) -> Any:
    """A command that can only be listed."""
    one = typer.Typer(pretty_exceptions_enable=False)
    one.command(name, help=line, rich_help_panel=panel)(lambda: None)
    return _command(one, name)


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module
