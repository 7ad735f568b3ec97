"""Every row of conformance: what the real systems do, from the reference, against ours."""

from __future__ import annotations

import pytest

from tests.conformance.harness import Row, check, rows

_ALL = list(rows())


def test_rules_are_named_once() -> None:
    assert len({row.id for row in _ALL}) == len(_ALL)


@pytest.mark.parametrize("row", _ALL, ids=lambda row: row.id)
def test_row(row: Row) -> None:
    check(row)
