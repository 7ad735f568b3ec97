"""`seatrial promql`: promtool's unit tests of expressions, run by the evaluator that the simulation uses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import console, exits, options

if TYPE_CHECKING:
    from sim.files import Problem
    from sim.promql.trials import Outcome, Suite

app = options.application()

_FILES = typer.Argument(
    metavar="TESTFILE...", help="Files in promtool's unit-test format; '-' for standard input.", show_default=False
)
_PROFILE = typer.Option("--profile", help="Version to reproduce: prometheus@2.42 (also as prometheus) or prometheus@3.")


@app.command(epilog="Exit codes: 0 all pass, 1 an expression gave something else, 2 a file is at fault.")
def promql(
    files: Annotated[list[str], _FILES],
    profile: Annotated[str, _PROFILE] = "prometheus",
    strict: options.Strict = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run the expression tests of TESTFILEs: `input_series`, and `promql_expr_test` with `expr`, `eval_time`, `exp_samples`.

    Values are compared to the last bit, as promtool does. Rules and alerts are not evaluated, and it says so.
    """
    from sim.promql.profiles import DEFAULT, PROFILES
    from sim.promql.trials import run

    profile = DEFAULT if profile == DEFAULT.partition("@")[0] else profile
    if profile not in PROFILES:
        raise exits.Usage(f"no profile '{profile}'; there are {console.listed(list(PROFILES))}")
    suites = _read(files, profile)
    remarks = [f"{suite.file}: {remark}" for suite in suites for remark in suite.remarks]
    if strict and remarks:
        raise exits.Usage("; ".join(remarks))
    for remark in remarks:
        print(f"note: {remark}", file=sys.stderr)
    done = [(suite, list(run(suite))) for suite in suites]
    failed = sum(not one.passed for _, outcomes in done for one in outcomes)
    if json:
        console.document(_document(profile, done, failed))
    else:
        _show(done, failed, profile, quiet)
    raise typer.Exit(exits.FAILED if failed else exits.DONE)


def _read(files: list[str], profile: str) -> list[Suite]:
    """Every file, or FileErrors with what is wrong in any of them."""
    from sim.files import FileErrors, read_document
    from sim.files.source import STDIN, standard_input
    from sim.promql.testfile import read

    suites: list[Suite] = []
    problems: list[Problem] = []
    sources: dict[str, str] = {}
    for file in dict.fromkeys(files):
        try:
            text, name = (standard_input(), STDIN) if file == "-" else (Path(file), file)
            suites.append(read(read_document(text, name, dialect="own"), profile))
        except FileErrors as errors:
            problems += errors.problems
            sources |= errors.sources
    if problems:
        raise FileErrors(problems, sources)
    return suites


def _document(profile: str, done: list[tuple[Suite, list[Outcome]]], failed: int) -> dict[str, Any]:
    return {
        "profile": profile,
        "ok": not failed,
        "files": [
            {"file": suite.file, "remarks": list(suite.remarks), "tests": [_entry(one) for one in outcomes]}
            for suite, outcomes in done
        ],
    }


def _entry(one: Outcome) -> dict[str, Any]:
    return {
        "group": one.group, "line": one.case.line, "expr": one.case.query.text, "at": one.case.at, "ok": one.passed,
        "error": one.error, "expected": _samples(one.case.expected), "got": _samples(one.got),
    }  # fmt: skip


def _samples(samples: Any) -> list[dict[str, Any]]:
    """Numbers that JSON lacks are text: "NaN", "+Inf", "-Inf"."""
    from math import isfinite

    from sim.promql.floats import decimal

    return [
        {"labels": dict(labels), "value": value if isfinite(value) else decimal(value)} for labels, value in samples
    ]


def _show(done: list[tuple[Suite, list[Outcome]]], failed: int, profile: str, quiet: bool) -> None:
    from sim.promql.trials import told

    for suite, outcomes in done:
        for one in outcomes:
            if one.passed:
                continue
            console.line(
                f"{suite.file}:{one.case.line}: {one.group}: {one.case.query.text} at {one.case.at:g}s", wrap=False
            )
            console.line(f"  exp: {told(one.case.expected)}", wrap=False)
            console.line(f"  got: {(one.error and 'error: ' + one.error) or told(one.got)}", "red", wrap=False)
    total = sum(len(outcomes) for _, outcomes in done)
    if not quiet:
        console.line(f"{total - failed} of {total} expressions pass ({profile})", "red" if failed else "green")
