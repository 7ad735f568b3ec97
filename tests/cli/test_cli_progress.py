"""Progress: a plain line now and then where there is no terminal."""

from __future__ import annotations

import pytest

from sim.cli.progress import _Lines, progress


def test_lines_come_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    tell = _Lines("simulating")
    tell(10, 1000)
    assert capsys.readouterr().err == ""  # under five seconds: silence
    tell._next -= 10
    tell(500, 1000)
    said = capsys.readouterr().err
    assert said.startswith("simulating: 500 of 1,000 rollouts, 50%, about ") and said.count("\n") == 1
    tell(600, 1000)
    assert capsys.readouterr().err == ""


def test_quiet_hears_nothing() -> None:
    with progress("simulating", quiet=True) as tell:
        assert tell is None
    with progress("simulating") as tell:
        assert tell is not None
