"""What becomes of errors: one message on standard error, one exit code, never a traceback unless asked for."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from sim.cli import exits
from sim.policy.errors import SeatrialError

if TYPE_CHECKING:
    from sim.files.errors import Problem

__all__ = ["guarded", "problem_document"]


@contextmanager
def guarded(*, debug: bool = False, json: bool = False) -> Iterator[None]:
    """Turn errors into exit codes. With `json` the faults of files and usage are a document on standard output."""
    try:
        yield
    except SeatrialError as error:
        raise typer.Exit(_refused(error, json)) from None
    except KeyboardInterrupt:
        _say("interrupted")
        raise typer.Exit(exits.INTERRUPTED) from None
    except BrokenPipeError:
        raise typer.Exit(exits.DONE) from None  # the reader has seen enough; `frame.start` keeps Python quiet about it
    except OSError as error:
        _say(f"error: {error.filename}: {error.strerror}" if error.filename else f"error: {error}")
        _document(json, [{"problem": str(error.strerror or error)}])
        raise typer.Exit(exits.USAGE) from None
    except Exception as error:
        if _is_framework(error):
            raise
        _internal(error, debug)
        raise typer.Exit(exits.INTERNAL) from None


def _refused(error: SeatrialError, json: bool) -> int:
    """Say what a person can change, and return the exit code."""
    from sim.files.errors import FileErrors  # YAML comes with it, which `--help` does not need

    if isinstance(error, FileErrors):
        _say(error.render(), f"{_count(len(error.problems))}.")
        _document(json, [problem_document(problem) for problem in error.problems])
        return exits.USAGE
    missing = isinstance(error, exits.Missing)
    _say(f"{'missing' if missing else 'error'}: {error}")
    _document(json, [{"problem": str(error)}])
    return exits.MISSING if missing else exits.USAGE


def problem_document(problem: Problem) -> dict[str, Any]:
    """One fault of a file as JSON."""
    return {
        "file": problem.file, "line": problem.line, "column": problem.column, "path": problem.path, "problem": problem.problem,
        "remedy": problem.remedy,
    }  # fmt: skip


def _document(wanted: bool, errors: list[dict[str, Any]]) -> None:
    if wanted:
        from sim.cli.console import document

        document({"errors": errors})


def _is_framework(error: Exception) -> bool:
    """Usage errors and exits of the framework, which prints and ends by itself (click's classes, wherever typer keeps them)."""
    return any(kind.__name__ in ("ClickException", "Exit", "Abort") for kind in type(error).__mro__)


def _internal(error: Exception, debug: bool) -> None:
    text = "".join(traceback.format_exception(error))
    if debug:
        _say(text)
    else:
        with tempfile.NamedTemporaryFile(
            "w", prefix="seatrial-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        _say(
            f"internal error: {type(error).__name__}: {str(error)[:300]}",
            f"This is a fault of Seatrial. The traceback is in {file.name}; `seatrial --debug ...` shows it.",
        )


def _say(*lines: str) -> None:
    try:
        for line in lines:
            print(line, file=sys.stderr)
    except BrokenPipeError:
        pass


def _count(number: int) -> str:
    return f"{number:,} problem{'' if number == 1 else 's'}"
