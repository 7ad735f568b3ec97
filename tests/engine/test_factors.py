"""Noise as arrays is the scalar noise, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from sim.engine.factors import steps
from sim.engine.streams import Stream
from sim.policy.errors import WorldError
from sim.service.noise import PRESETS, Gamma, Noise, Outbreaks

NOISES = [*PRESETS.values(), Gamma(0.9, every=45.0), Outbreaks(60.0, 90.0, 7.0)]


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("window", [15.0, 60.0, 700.0])
def test_rows_are_the_scalar_paths(noise: Noise, window: float) -> None:
    u = Stream(1, "noise", 160).uniforms_block(0, 40, 0, 77 * noise.per_window)
    found = steps(noise, u, window)
    assert found.shape == (40, 77) and found.dtype == np.int64
    assert found.tolist() == [noise.steps(row, window) for row in u.tolist()]


def test_ends_and_nothing() -> None:
    for noise in NOISES:
        ends = np.array([[0.0] * 4, [1.0 - 2.0**-53] * 4])
        assert steps(noise, ends).tolist() == [noise.steps(row) for row in ends.tolist()]
        assert steps(noise, ends[:, :0]).shape == (2, 0)


def test_refusals() -> None:
    class Other:
        per_window = 1

    with pytest.raises(WorldError, match="needs 2 uniforms per window, got 3 in all"):
        steps(PRESETS["drift"], np.zeros((1, 3)))
    with pytest.raises(WorldError, match="Other has no form for many replications"):
        steps(Other(), np.zeros((1, 3)))  # type: ignore[arg-type]
