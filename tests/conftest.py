"""Fixtures that several rooms share. Heavy things are imported by whoever asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.real_cluster.rig import Cluster


@pytest.fixture(scope="session")
def kind_cluster() -> Iterator[Cluster]:
    """The kind cluster of this test run: three nodes, a registry, Prometheus; made by the first test that asks, gone at the end."""
    from tests.real_cluster.rig import cluster

    with cluster() as made:
        yield made
