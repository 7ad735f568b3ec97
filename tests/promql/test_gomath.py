"""Mathematics to Go's last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.promql import gomath, trigonometry

ROWS = [
    line.split() for line in Path(__file__).with_name("gomath.txt").read_text().splitlines() if not line.startswith("#")
]


@pytest.mark.parametrize("name", dict.fromkeys(row[0] for row in ROWS))
def test_every_result_is_gos(name: str) -> None:
    function = getattr(gomath, name, None) or getattr(trigonometry, name)
    table = np.array([[float(cell) for cell in row[1:]] for row in ROWS if row[0] == name])
    with np.errstate(all="ignore"):
        found = function(*table[:, :-1].T)
    assert [repr(float(value)) for value in found] == [repr(float(value)) for value in table[:, -1]]
