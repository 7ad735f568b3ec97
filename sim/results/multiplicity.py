"""Many questions at once: Holm's adjustment, and levels for cells (judges.md sections 17.1 item 8 and 17.2)."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjusted p-values in the order given (Holm 1979); compare each with alpha.

    For fixed-n p-values only: under sequential stopping use `cell_level` and confidence sequences.
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values must lie in [0, 1], got {tuple(p_values)}")
    m, largest = len(p_values), 0.0
    adjusted = [0.0] * m
    for step, i in enumerate(sorted(range(m), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (m - step) * p_values[i]))
        adjusted[i] = largest
    return tuple(adjusted)


def cell_level(cells: int, level: float = 0.95) -> float:
    """Bonferroni's level for each of `cells` intervals that must all hold at once: 1 - alpha / cells."""
    if cells < 1:
        raise ValueError(f"there must be at least one cell, got {cells}")
    return 1 - (1 - level) / cells
