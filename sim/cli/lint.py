"""`seatrial lint`: what will hurt, with its place, reason and remedy."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import console, exits, options

if TYPE_CHECKING:
    from sim.files import Problem
    from sim.lint import Finding, Report
    from sim.service.model import Service

app = options.application()


class Format(StrEnum):
    """How findings are written."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


_FILES = typer.Argument(
    metavar="FILES...", help="Files or folders, as one set; '-' for standard input.", show_default=False
)
_SERVICE = typer.Option(
    "--service", help="The service that the policies are for; the default one without it.", show_default=False
)
_REGRESSION = typer.Option(
    "--regression", metavar="SHARE", help="How many more requests may fail before you want the release stopped."
)
_FORMAT = typer.Option("--format", help="Text for people, or a document for programs.")
_RULES = typer.Option("--rules", help="List the rules.")
_STRICT = typer.Option("--strict", help="Any finding is a failure, not errors only.")
_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


@app.command(
    epilog="Exit codes: 0 nothing of severity error, 1 errors (with --strict any finding), 2 a file cannot be read. "
    "A comment `# seatrial: ignore L7` on a line, or alone on the line above, hides a finding."
)
def lint(
    files: Annotated[list[str] | None, _FILES] = None,
    service: Annotated[Path | None, _SERVICE] = None,
    regression: Annotated[str, _REGRESSION] = "2%",
    strict: Annotated[bool, _STRICT] = False,
    format: Annotated[Format, _FORMAT] = Format.text,
    json: options.Json = False,
    profile: options.Profile = None,
    part: options.Part = "",
    quiet: options.Quiet = False,
    rules: Annotated[bool, _RULES] = False,
) -> None:
    """Look for what will hurt in FILES: manifests of Argo Rollouts, Flagger, Kubernetes, Compose, Spinnaker and Kayenta, and our
    own policies and scenarios.

    What depends on traffic is worked out for --service; without one for an assumed service, and is then a note.
    """
    if rules:
        _rules()
        return
    if not files:
        raise exits.Usage("nothing to look at; name files or folders, or '-'")
    from sim.lint import lint as look

    report = look(files, service=_service(service), regression=_share(regression), profile=profile, part=part)
    if not (report.files and (report.known or report.problems or report.findings)):
        raise exits.Usage(
            f"nothing to look at in {', '.join(files)}; name manifests or policies, or a folder that holds some"
        )
    chosen = Format.json if json else format
    if chosen is Format.text:
        _show(report, quiet=quiet)
    elif chosen is Format.json:
        console.document(report.document())
    elif chosen is Format.sarif:
        import sim
        from sim.lint.formats import sarif

        console.document(sarif(report, sim.__version__))
    else:
        from sim.lint.formats import github

        for line in github(report):
            typer.echo(line)
    raise typer.Exit(_code(report, strict=strict))


def _code(report: Report, *, strict: bool) -> int:
    if report.problems:
        return exits.USAGE
    return exits.FAILED if report.errors or (strict and report.findings) else exits.DONE


def _service(path: Path | None) -> Service | None:
    from sim.scenario import load_service

    return load_service(path) if path is not None else None


def _share(text: str) -> float:
    from sim.files import Refused, parse_ratio

    try:
        share = parse_ratio(text)
    except Refused as fault:
        raise exits.Usage(f"--regression: {fault}") from None
    if not 0 < share < 1:
        raise exits.Usage(f"--regression: {text} is no share of requests; write e.g. 2%")
    return share


# ---- text ----


def _show(report: Report, *, quiet: bool) -> None:
    from sim.files import FileErrors

    if report.problems:
        console.err().print(FileErrors(report.problems, report.sources).render(), soft_wrap=True)
    for finding in report.findings:
        _one(finding)
    _sums(report, report.problems)
    if not quiet and any(finding.rule.id in ("L9", "L34", "L35", "L36") for finding in report.findings):
        share = f"{100 * report.question.regression:.3g}%"
        console.pairs(("service", report.question.about()), ("regression", f"{share} more failed requests"))
    if not quiet and report.files and not report.problems:
        console.pairs(("next", f"seatrial plan {report.files[0]}   # what the policy does when"))


def _one(finding: Finding) -> None:
    from sim.files.errors import visible

    head = [
        (f"{finding.file}:{finding.line}:{finding.column} ", "bold"),
        (f"{finding.severity} ", _STYLES[finding.severity]),
    ]
    console.out().print(
        console.styled(*map(_seen, [*head, (f"{finding.rule.id} {finding.rule.name}", "dim")])), soft_wrap=True
    )
    for word, text, style in (("", finding.what, ""), ("why  ", finding.reason, "dim"), ("do   ", finding.remedy, "")):
        _indented(word, visible(text), style)


def _seen(part: tuple[str, str]) -> tuple[str, str]:
    from sim.files.errors import visible

    return visible(part[0]), part[1]


def _indented(word: str, text: str, style: str) -> None:
    from rich.padding import Padding

    console.show(Padding(console.styled((word, "cyan"), (text, style)), (0, 0, 0, 4)))


def _sums(report: Report, problems: tuple[Problem, ...]) -> None:
    counts = {name: sum(one.severity == name for one in report.findings) for name in _STYLES}
    parts = [f"{number} {name}{'s' if number > 1 else ''}" for name, number in counts.items() if number]
    hidden = [f"{report.hidden} hidden by comments"] if report.hidden else []
    unread = [f"{len(problems)} not readable"] if problems else []
    many = len(report.files)
    style = "bold red" if problems or counts["error"] else "yellow" if report.findings else "bold green"
    console.line(
        f"{many} file{'' if many == 1 else 's'}: {', '.join(parts + hidden + unread) or 'nothing found'}", style
    )


def _rules() -> None:
    from rich import box
    from rich.table import Table

    from sim.lint import RULES

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("rule", no_wrap=True)
    table.add_column("name", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("what it finds", overflow="fold")
    for rule in RULES.values():
        table.add_row(rule.id, rule.name, rule.severity, rule.title)
    console.show(table)
