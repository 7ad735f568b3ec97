"""The frame: help, usage errors, other packages' commands, internal errors, pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.cli.frame import COMMANDS

Seatrial = Callable[..., "object"]
ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real program, in a process of its own."""
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    command = [sys.executable, "-W", "error", "-c", "from sim.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**clean, **environment}, check=False)


def test_help_lists_every_command(seatrial: Seatrial) -> None:
    said = seatrial("--help")
    assert said.code == 0
    assert all(name in said.out for name in COMMANDS)


def test_every_command_has_help(seatrial: Seatrial) -> None:
    for name in COMMANDS:
        said = seatrial(name, "--help")
        assert said.code == 0 and "Usage: seatrial " + name in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rum"], "Did you mean"),
        (["run", "--nonsense"], "--nonsense"),
        (["run"], "name a scenario file"),
        (["run", "x.yaml", "--seed", "-1"], "--seed"),
        (["run", "x.yaml", "--replications", "0"], "--replications"),
        (["schema", "polcy"], "policy"),
        (["completion", "tcsh"], "bash"),
        (["doctor", "--require", "coffee"], "coffee"),
        (["init", "nothing-like-this"], "gallery"),
        (["compare", "one.yaml"], "second"),
        (["explain", "missing.yaml"], "no such file"),
        (["replay", "missing.jsonl"], "missing.jsonl"),
    ],
)
def test_wrong_usage_is_2(seatrial: Seatrial, arguments: list[str], words: str) -> None:
    said = seatrial(*arguments)
    assert said.code == 2
    assert words in said.err
    assert "Traceback" not in said.err and said.out == ""


def test_errors_are_a_document_with_json(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("seatrial: scenario\npolicyes: 3\n", encoding="utf-8")
    said = seatrial("run", "broken.yaml", "--json")
    assert said.code == 2
    errors = json.loads(said.out)["errors"]
    assert errors[0]["line"] == 2 and "policies" in errors[0]["remedy"]


def test_no_color_is_obeyed() -> None:
    plain = run("--help", NO_COLOR="1", FORCE_COLOR="1")
    assert plain.returncode == 0
    assert "\x1b[3" not in plain.stdout  # no colour; bold and dim are not colours (no-color.org)


def test_text_is_not_coloured_in_a_pipe(seatrial: Seatrial) -> None:
    assert "\x1b" not in seatrial("doctor").out


def test_a_closed_pipe_is_quiet() -> None:
    script = f"{sys.executable} -c 'from sim.cli import main; main()' schema scenario | head -c 1"
    done = subprocess.run(
        ["bash", "-c", script + '; echo "${PIPESTATUS[0]}" >&2'], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stderr.split() == ["0"]


def test_completion_of_commands() -> None:
    said = run(_SEATRIAL_COMPLETE="complete_bash", COMP_WORDS="seatrial ex", COMP_CWORD="1")
    assert said.stdout.split() == ["explain", "export"]
    assert "complete" in run("completion", "zsh").stdout


# ---- commands of other packages ----


def _package(folder: Path, module: str) -> Path:
    """An installed package that registers two commands."""
    info = folder / "other-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[seatrial.commands]\nharbor = other_commands:harbor\ncluster = other_commands:app\n", encoding="utf-8"
    )
    (folder / "other_commands.py").write_text(module, encoding="utf-8")
    return folder


MODULE = """
import typer
app = typer.Typer()

@app.command()
def up(name: str): print("up", name)

@app.command()
def down(): raise typer.Exit(4)

def harbor(count: int = 1):
    "A function becomes a command."
    print("harbor", count)
"""


def test_commands_of_other_packages(tmp_path: Path) -> None:
    path = str(_package(tmp_path, MODULE))
    assert run("harbor", "--count", "3", PYTHONPATH=path).stdout == "harbor 3\n"
    assert run("cluster", "down", PYTHONPATH=path).returncode == 4
    listed = run("--help", PYTHONPATH=path)
    assert "harbor" in listed.stdout and "Registered by other" in listed.stdout


def test_a_broken_package_breaks_no_other_command(tmp_path: Path) -> None:
    path = str(_package(tmp_path, "raise RuntimeError('broken on import')"))
    assert run("--help", PYTHONPATH=path).returncode == 0


def test_an_internal_error_is_70_and_writes_its_traceback(tmp_path: Path) -> None:
    path = str(_package(tmp_path / "site", "def harbor(): raise RuntimeError('oh no')\napp = harbor\n"))
    said = run("harbor", PYTHONPATH=path, TMPDIR=str(tmp_path))
    assert said.returncode == 70
    assert "internal error: RuntimeError: oh no" in said.stderr and "Traceback" not in said.stderr
    assert "RuntimeError: oh no" in next(tmp_path.glob("seatrial-*.txt")).read_text(encoding="utf-8")
    shown = run("--debug", "harbor", PYTHONPATH=path)
    assert shown.returncode == 70 and "Traceback" in shown.stderr


def test_doctor(seatrial: Seatrial) -> None:
    found = json.loads(seatrial("doctor", "--json").out)
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert states["python"] == states["numpy"] == "ok"
    assert {"git", "docker", "kind", "kubectl", "promtool", "app", "real"} <= set(states)
    absent = [name for name, state in states.items() if state != "ok"]
    for name in absent[:1]:
        assert seatrial("doctor", "--require", name).code == 4
    assert seatrial("doctor", "--require", "python").code == 0
