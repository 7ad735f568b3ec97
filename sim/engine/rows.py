"""One flat row per rollout, in typed columns (79 bytes): what became of it, when, and what it cost. Truth is stored once per condition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "OUTCOMES", "ROW", "Rows", "empty"]

OUTCOMES = ("promoted", "aborted", "inconclusive")

ROW = np.dtype(
    [
        ("replication", "<i4"),
        ("outcome", "i1"),  # position in OUTCOMES
        ("person", "i1"),  # 1: the rollout waited for a person
        ("called", "i1"),  # 1: a person, called by an alert of the whole service, stopped it
        ("looks", "<i2"),  # measurements judged
        ("exposed_at", "<f4"),  # s: first requests that the new version could get; infinite: never
        ("decided_at", "<f4"),  # s: promoted, aborted or given up
        ("full_at", "<f4"),  # s: the new version serves everything; infinite: never
        ("alerted_at", "<f4"),  # s: the first alert of the service; infinite: none
        ("restored_at", "<f4"),  # s: the old version serves everything again; infinite: never
        ("ended_at", "<f4"),  # s: counting ends
        ("requests", "<i8"),  # of users, both versions
        ("canary_requests", "<i8"),  # of users, sent to the new version
        ("bad", "<i8"),  # errors, lost requests and slow answers because of the change
        ("harm", "<i8"),  # bad because of the change: the blast radius
        ("lost", "<i8"),  # lost because no pod could take them
        ("users", "<f4"),  # users that met harm at least once (expected)
        ("pod_seconds", "<f4"),  # pods beyond the service's size
    ]
)
COLUMNS = ROW.names or ()
Rows = NDArray[np.void]


def empty(count: int) -> Rows:
    """`count` rows, to be filled."""
    return np.zeros(count, ROW)
