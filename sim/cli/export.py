"""`seatrial export`: a policy as the manifests of another system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import console, exits, options

if TYPE_CHECKING:
    from sim.manifests.export import Exported

app = options.application()

_PATHS = typer.Argument(
    metavar="FILE...",
    help="A policy, or manifests: files, a folder, '-' for standard input.",
    show_default=False,
)
_TO = typer.Option("--to", help="argo-rollouts, flagger, deployment, compose or openkruise.", show_default=False)
_OUT = typer.Option("--out", "-o", help="Write to this file, not to standard output.", show_default=False)
_STYLES = {"approximated": "yellow", "lost": "red", "placeholder": "cyan"}


@app.command(epilog="Exit codes: 0 written, 2 usage or file error, and with --strict whatever is not said exactly.")
def export(
    paths: Annotated[list[str], _PATHS],
    to: Annotated[str, _TO],
    part: options.Part = "",
    out: Annotated[Path | None, _OUT] = None,
    strict: options.Strict = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the policies of FILE as manifests of another system, or of their own.

    YAML goes to standard output; what the other system says differently, not at all, or asks for besides goes to standard error.
    What belongs to that system already, and everything around it (Service, Ingress, Secret, ...), stays as it is.
    """
    found = _exported(paths, to, part)
    if strict and not found.exact:
        raise _strict(paths, found)
    if json:
        console.document(_document(to, found))
        return
    if out is not None:
        out.write_text(found.text, encoding="utf-8")
    else:
        typer.echo(found.text, nl=False)
    if not quiet:
        _report(found)
        if out is not None:
            console.pairs(("next", f"seatrial validate {out}"))


def _exported(paths: list[str], to: str, part: str) -> Exported:
    from sim.files import Document
    from sim.manifests import load
    from sim.manifests.export import export as convert
    from sim.manifests.export import target, write
    from sim.policy.errors import PolicyError
    from sim.scenario import load_policy
    from sim.scenario.authors import is_python
    from sim.single import own

    try:
        target(to)
    except PolicyError as error:
        raise exits.Usage(str(error)) from None
    sources: list[str | Document] = [path for path in paths if is_python(path)] or list(own(paths))
    if not sources:
        return convert(load(paths, part=part), to)
    named = [load_policy(source) for source in sources]
    return write([(one.name, one.policy, one.replicas or 1) for one in named], to)


def _strict(paths: list[str], found: Exported) -> Exception:
    from sim.files import FileErrors, Problem

    told = [loss for loss in found.losses if loss.status != "placeholder"]
    remedy = "--strict allows what is said exactly only"
    return FileErrors(
        Problem(paths[0], 1, 1, f"{loss.policy} {loss.place}".strip(), f"{loss.status}: {loss.text}", remedy)
        for loss in told
    )


def _document(to: str, found: Exported) -> dict[str, Any]:
    losses = [
        {"policy": one.policy, "place": one.place, "status": one.status, "text": one.text} for one in found.losses
    ]
    return {"to": to, "exact": found.exact, "documents": list(found.documents), "losses": losses}


def _report(found: Exported) -> None:
    for loss in found.losses:
        where = f"{loss.policy} {loss.place}".strip()
        said = console.styled((f"{loss.status:<13}", _STYLES[loss.status]), (where, ""), (f"  {loss.text}", "dim"))
        console.err().print(said, soft_wrap=True)
    if found.exact:
        console.err().print("everything is said exactly", style="green")
