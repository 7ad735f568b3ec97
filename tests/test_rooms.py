"""The rooms and who may enter which, read from the source (design.md section 1)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CLOCKS_AND_CHANCE = ("time", "random", "datetime", "os", "threading")
NEVER_IN_REAL = ("sim.engine", "sim.pipeline", "simpy")


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports directly, wherever in it, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import; write the whole name"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def inside(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def found(room: str) -> list[tuple[str, str]]:
    return [(f"{path.relative_to(ROOT)}:{line}", module) for path in sources(room) for line, module in imports(path)]


def test_policies_import_the_standard_library_and_themselves_only() -> None:
    wrong = [
        entry for entry in found("sim/policy")
        if not inside(entry[1], ("sim.policy",)) and entry[1].split(".")[0] not in sys.stdlib_module_names
    ]  # fmt: skip
    assert wrong == []


def test_policies_know_no_clock_no_generator_and_no_thread() -> None:
    assert [entry for entry in found("sim/policy") if inside(entry[1], CLOCKS_AND_CHANCE)] == []


def test_sim_never_imports_real() -> None:
    assert [entry for entry in found("sim") if inside(entry[1], ("real",))] == []


def test_real_never_imports_the_engine() -> None:
    assert [entry for entry in found("real") if inside(entry[1], NEVER_IN_REAL)] == []


def folders() -> list[str]:
    below = {path.parent for path in sources("sim")}
    return sorted(str(path.relative_to(ROOT)) for path in below if path != ROOT / "sim")


@pytest.mark.parametrize("folder", folders())
def test_every_folder_tells_newcomers_what_lives_there(folder: str) -> None:
    readme = ROOT / folder / "README.md"
    assert readme.is_file(), f"{folder} has no README.md"
    assert len(readme.read_text(encoding="utf-8").splitlines()) >= 3


_POLICIES = """
import sys
import sim.policy.bluegreen, sim.policy.canary, sim.policy.codec, sim.policy.flagger, sim.policy.judges, sim.policy.rolling
import sim.policy.rollout, sim.policy.runbook
print(*sorted({name.split(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""


def test_policies_load_nothing_but_the_standard_library() -> None:
    """All that comes with them, whoever asks for it; no numpy among it."""
    shown = subprocess.run(
        [sys.executable, "-S", "-c", _POLICIES], cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [name for name in shown.stdout.split() if not name.startswith("_")] == ["sim"]


def test_driver_journal_and_trace_load_no_numpy() -> None:
    code = "import sys, sim.driver, sim.journal, sim.tracing.run; print('numpy' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "False"
