"""`trace` equals what the real controllers did (contracts section 10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.compare import HISTORIES, compare

CASES = sorted(folder.name for folder in HISTORIES.iterdir())


@pytest.mark.parametrize("name", CASES)
def test_the_trace_equals_the_history(name: str) -> None:
    assert compare(HISTORIES / name) == []


def test_there_are_enough() -> None:
    assert len(CASES) >= 30


def test_histories_are_small() -> None:
    def size(folder: Path) -> int:
        return sum(file.stat().st_size for file in folder.iterdir())

    assert max(size(folder) for folder in HISTORIES.iterdir()) < 20_000
