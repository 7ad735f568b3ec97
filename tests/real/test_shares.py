"""What the weights said, beside what users saw."""

from __future__ import annotations

import pytest

from real.load.shares import Stretch, stretches
from sim.results.recorded import Tally

ACTS = [
    {"at": 0.0, "opened": {"revision": 7}},
    {"at": 4.0, "put": {"name": "routes"}},
    {"at": 4.2, "share": 0.2},
    {"at": 10.0, "put": {"name": "routes"}},
    {"at": 10.5, "share": 1.0},
    {"at": 10.9, "ended": "promoted"},
]


def test_a_stretch_is_what_lies_between_a_change_and_the_next_effect() -> None:
    load = [Tally(float(at), at + 1.0, revision, sent) for at in range(12) for revision, sent in ((6, 80), (7, 20))]
    load.append(Tally(6.0, 7.0, 0, 5, lost=5))  # nobody answered: no share of anybody's
    assert list(stretches(ACTS, load)) == [Stretch(4.2, 10.0, 0.2, pytest.approx(0.2), 400)]


def test_without_load_there_is_nothing_to_tell() -> None:
    assert list(stretches(ACTS, [])) == []
    assert list(stretches([], [])) == []
