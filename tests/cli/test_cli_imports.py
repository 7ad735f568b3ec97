"""What is loaded when: the start-up budget of ecosystem.md section 3."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("pandas", "scipy", "matplotlib", "streamlit", "joblib", "pyarrow", "numba")


def loaded(code: str, names: tuple[str, ...]) -> list[str]:
    """Which of `names` are loaded in a fresh interpreter after `code`; `run([...])` runs commands."""
    script = (
        "import sys, io\n"
        "said, sys.stdout = sys.stdout, io.StringIO()\n"
        "def run(commands):\n"
        "    from sim.cli.frame import start\n"
        "    for arguments in commands:\n"
        "        try:\n            start(arguments)\n"
        "        except SystemExit as end:\n            assert not end.code, (arguments, end.code)\n"
        f"{code}\n"
        f"said.write(','.join(name for name in {names!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split(",") if name]


def test_import_sim_loads_nothing() -> None:
    assert loaded("import sim", (*HEAVY, "pydantic", "numpy", "typer", "rich", "yaml", "simpy")) == []


def test_light_commands_stay_light() -> None:
    commands = [
        ["--help"],
        ["validate", "--help"],
        ["validate", "scenarios/demo.yaml"],
        ["schema", "scenario"],
        ["completion", "bash"],
    ]
    assert loaded(f"run({commands!r})", HEAVY) == []


def test_listing_the_commands_loads_none_of_them() -> None:
    assert (
        loaded("run([['--help'], ['--version']])", ("sim.cli.run", "sim.scenario", "numpy", "pydantic", "yaml")) == []
    )


def test_importing_is_quick() -> None:
    """`python -X importtime` counts microseconds of imports alone, so a busy machine matters less than with a clock."""
    command = [sys.executable, "-X", "importtime", "-c", "import sim"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    total = next(int(line.split("|")[1]) for line in lines if line.rsplit("|", 1)[-1].strip() == "sim")
    assert total < 300_000


def test_public_names() -> None:
    import sim

    assert [name for name in sim.__all__ if not name.startswith("_")] == [
        "Result",
        "compare",
        "load",
        "replay",
        "run",
        "trace",
    ]
    for name in sim.__all__:
        assert getattr(sim, name)
    assert callable(sim.trace)
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = sim.walk  # type: ignore[attr-defined]
