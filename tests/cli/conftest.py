"""Running the command line in this process, and a scenario that takes no time."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.cli.frame import start

SMALL = """
seatrial: scenario
name: small
question: Does a canary stop a bad release?
policies:
  canary:
    canary: {weights: [10, 100], interval: 30s, count: 2, judge: {threshold: {max_error_rate: 5%}}}
  rolling:
    rolling: {}
releases:
  good: {}
  bad: errors-large
replications: 40
seed: 3
"""


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class _Text(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode("utf-8")


@pytest.fixture
def seatrial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def run(*arguments: object, given: str | bytes = "") -> Said:
        out, err = _Text(), _Text()
        with monkeypatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
            data = given if isinstance(given, bytes) else given.encode()
            patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
            with pytest.raises(SystemExit) as end:
                start([str(one) for one in arguments])
        assert isinstance(end.value.code, int)
        return Said(end.value.code, out.text(), err.text())

    return run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A scenario of two policies under two releases."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path
