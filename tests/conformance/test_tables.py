"""Rows of arithmetic, each naming its rule; add a row, not a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.conformance.tables import answer, rows

ROWS = list(rows())


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table}-{number}" for number, (table, _) in enumerate(ROWS)])
def test_row(table: str, row: Mapping[str, Any]) -> None:
    assert answer(table, row) == row["to"], row["rule"]


def test_every_row_names_a_rule() -> None:
    assert all(str(row["rule"]).strip() for _, row in ROWS)
    assert len(ROWS) >= 400
