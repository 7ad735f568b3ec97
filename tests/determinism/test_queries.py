"""An imported analysis that asks two PromQL queries: the same bytes with one worker and two, whatever the hash seed and the block."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def ran(out: Path, *, jobs: int, hash_seed: int, count: int = 1200) -> tuple[bytes, bytes]:
    """What `seatrial run --json` prints, and its rows."""
    words = ["run", str(HERE / "queries.yaml"), "--json", "--jobs", str(jobs), "--out", str(out), "-n", str(count)]
    done = subprocess.run(
        [sys.executable, "-c", "from sim.cli import main; main()", *words],
        cwd=HERE, env=os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout, (out / "rows.npy").read_bytes()


def test_the_same_bytes_with_one_worker_and_two(tmp_path: Path) -> None:
    one, two = ran(tmp_path / "1", jobs=1, hash_seed=1), ran(tmp_path / "2", jobs=2, hash_seed=2)
    assert one == two
    outcomes = {outcome for cell in _rows(tmp_path / "1") for outcome in cell["outcome"].tolist()}
    assert len(outcomes) > 1  # some are promoted and some are stopped: else this compares nothing


def test_a_replication_does_not_depend_on_its_block(tmp_path: Path) -> None:
    ran(tmp_path / "few", jobs=1, hash_seed=1, count=9)
    ran(tmp_path / "many", jobs=1, hash_seed=1, count=700)
    for few, many in zip(_rows(tmp_path / "few"), _rows(tmp_path / "many"), strict=True):
        assert few.tobytes() == many[: len(few)].tobytes()


def _rows(folder: Path) -> list[np.ndarray]:
    """The rows of each cell."""
    rows = np.load(folder / "rows.npy", allow_pickle=False)
    cells = len(json.loads((folder / "result.json").read_text(encoding="utf-8"))["cells"])
    return np.split(rows, cells)
