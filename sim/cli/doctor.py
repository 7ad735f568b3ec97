"""`seatrial doctor`: what is installed, what is missing, and how to get it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from sim.cli import console, exits, options

app = options.application()

_REQUIRE = typer.Option(
    "--require",
    metavar="NAME",
    help="Exit with 4 unless this is there (repeatable): kind, app, real...",
    show_default=False,
)

_NEEDED = ("simpy", "numpy", "pandas", "matplotlib", "pydantic", "PyYAML", "typer", "rich", "joblib")
_EXTRAS = {
    "app": (("streamlit",), "the explorer"),
    "real": (("docker",), "real rollouts on a cluster"),
    "fast": (("numba",), "compiled kernels"),
    "learn": (("ipykernel", "nbclient"), "notebooks"),
    "parquet": (("pyarrow",), "rows as Parquet"),
}
# program -> (arguments that print its version, what for, remedy)
_PROGRAMS = {
    "git": (("--version",), "commits: {from_git: ...}", "apt install git"),
    "docker": (("--version",), "images, kind", "https://docs.docker.com/engine/install"),
    "kind": (("version",), "real rollouts on a cluster of your own", "https://kind.sigs.k8s.io/docs/user/quick-start"),
    "kubectl": (("version", "--client"), "looking at the cluster", "https://kubernetes.io/docs/tasks/tools"),
    "promtool": (("--version",), "checking PromQL against the real thing", "https://prometheus.io/download"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing: `state` is ok, missing (it is needed) or optional (it is not there, and only some things need it)."""

    name: str
    state: str
    found: str
    purpose: str
    remedy: str = ""


@app.command(epilog="Exit codes: 0, or 4 when something that --require names is missing.")
def doctor(require: Annotated[list[str], _REQUIRE] = [], json: options.Json = False) -> None:  # noqa: B006 - typer copies it
    """Look at Python, packages, optional extras and the programs that real mode uses; say how to get what is missing."""
    checks = list(_checks())
    names = [check.name for check in checks]
    for name in require:
        if name not in names:
            raise exits.Usage(f"doctor does not know {name!r}; it looks at {', '.join(names)}")
    missing = [check for check in checks if check.name in require and check.state != "ok"]
    if json:
        console.document({"checks": [asdict(check) for check in checks], "missing": [check.name for check in missing]})
    else:
        _show(checks)
    if missing:
        if not json:
            console.err().print(f"missing: {', '.join(check.name for check in missing)}", style="bold red")
        raise typer.Exit(exits.MISSING)


def _checks() -> Iterator[Check]:
    ready = sys.version_info >= (3, 11)
    yield Check(
        "python",
        "ok" if ready else "missing",
        platform.python_version(),
        "3.11 or newer",
        "" if ready else "install Python 3.11",
    )
    for name in _NEEDED:
        found = _version(name)
        yield Check(
            name.lower(), "ok" if found else "missing", found, "needed", "" if found else "pip install seatrial"
        )
    for extra, (packages, purpose) in _EXTRAS.items():
        known = [_version(package) for package in packages]
        state, remedy = ("ok", "") if all(known) else ("optional", f"pip install 'seatrial[{extra}]'")
        told = " ".join(f"{package} {found}" for package, found in zip(packages, known, strict=True) if found)
        yield Check(extra, state, told, purpose, remedy)
    for name, (arguments, purpose, remedy) in _PROGRAMS.items():
        found = _program(name, arguments)
        yield Check(name, "ok" if found else "optional", found, purpose, "" if found else remedy)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _program(name: str, arguments: tuple[str, ...]) -> str:
    """The first line that a program says about its version; '' when it is not there or does not answer."""
    path = shutil.which(name)
    if path is None:
        return ""
    try:
        said = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    lines = (said.stdout or said.stderr).strip().splitlines()
    return lines[0][:60] if lines else "present"


def _show(checks: list[Check]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    marks = {"ok": ("ok", "green"), "missing": ("missing", "bold red"), "optional": ("-", "dim")}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in ("", "what", "found", "for", "how to get it"):
        table.add_column(column, overflow="fold")
    for check in checks:
        table.add_row(
            Text(*marks[check.state]), check.name, check.found, Text(check.purpose, "dim"), Text(check.remedy, "yellow")
        )
    console.show(table)
    console.pairs(("next", "seatrial demo"))
