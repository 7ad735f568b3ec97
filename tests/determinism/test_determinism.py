"""Two hundred seeds, the same bytes: two hash seeds, one worker and two, spawned processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEEDS = 200
WAYS = (("one", 1), ("one", 2), ("two", 1), ("spawn", 2))  # how, hash seed


def started(how: str, hash_seed: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.determinism.digests", how, str(SEEDS)],
        cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_same_bytes_however_it_is_run() -> None:
    running = [started(*way) for way in WAYS]
    reference, *others = [process.communicate()[0].split() for process in running]
    assert [process.returncode for process in running] == [0] * len(WAYS)
    assert len(reference) == len(set(reference)) == SEEDS  # other seeds, other bytes: else this compares nothing
    for way, found in zip(WAYS[1:], others, strict=True):
        assert found == reference, (
            f"{way} differs at seed {[a == b for a, b in zip(found, reference, strict=True)].index(False) + 1}"
        )
