"""`seatrial real ...`: the commands that touch a cluster. Loaded when one of them is asked for."""

from __future__ import annotations

import typer

from real.cli.calibrate import calibrate
from real.cli.down import down
from real.cli.look import doctor, plan, status
from real.cli.resume import resume
from real.cli.run import halt, recover, run
from real.cli.up import up

__all__ = ["app"]

_CODES = "Exit codes: 0 promoted or done, 1 rolled back, 2 wrong usage or refused, 3 no decision, 4 missing or not restored, 130 stopped."

app = typer.Typer(
    name="real",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="The same policies in wall-clock time, on a kind cluster of our own or one that you name.",
    epilog=_CODES,
)
app.command()(doctor)
app.command()(up)
app.command()(plan)
app.command()(run)
app.command()(status)
app.command()(halt)
app.command()(resume)
app.command()(recover)
app.command()(down)
app.command()(calibrate)
