"""Noise for many replications at once: the same grid steps as `sim.service.noise`, as arrays.

The scalar models are the meaning. Here the same tables are read and the same sums and products are made in the same
order, one window after the other and all replications together, so every step is equal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.policy.errors import WorldError
from sim.service.noise import LOWEST, QUANTILES, Drift, Gamma, Iid, Noise, Outbreaks, gamma_steps, normals

Uniforms = NDArray[np.float64]
Steps = NDArray[np.int64]


def steps(noise: Noise, u: Uniforms, window: float = 60.0) -> Steps:
    """int64[R, windows]: row r is `noise.steps(u[r], window)`; `u` is `[R, windows * per_window]`."""
    if u.shape[1] % noise.per_window:
        raise WorldError(f"this noise needs {noise.per_window} uniforms per window, got {u.shape[1]} in all")
    match noise:
        case Iid():
            return np.zeros(u.shape, np.int64)
        case Gamma():
            return _gamma(noise, u, window)
        case Outbreaks():
            return _outbreaks(noise, u, window)
        case Drift():
            return _drift(noise, u, window)
    raise WorldError(f"{type(noise).__name__} has no form for many replications; call its steps row by row")


def _gamma(noise: Gamma, u: Uniforms, window: float) -> Steps:
    span = noise.span(window)
    drawn = LOWEST + np.searchsorted(np.array(gamma_steps(noise.k)), u[:, ::span], "right")
    return np.repeat(drawn, span, axis=1)[:, : u.shape[1]]


def _outbreaks(noise: Outbreaks, u: Uniforms, window: float) -> Steps:
    first, after_calm, after_burst = noise.bounds(window)
    found, bound = np.empty(u.shape, np.bool_), np.full(len(u), first)
    for i in range(u.shape[1]):
        found[:, i] = u[:, i] >= bound
        bound = np.where(found[:, i], after_burst, after_calm)
    return found * np.int64(noise.step)


def _drift(noise: Drift, u: Uniforms, window: float) -> Steps:
    z = np.array(normals())[(u * QUANTILES).astype(np.intp)].reshape(len(u), -1, 2)
    paths = np.empty(z.shape)
    for offset, (scale, keep, push) in enumerate(noise.processes(window)):
        state = np.zeros(len(u))
        for i in range(z.shape[1]):
            state = keep * state + push * z[:, i, offset] if i else scale * z[:, i, offset]
            paths[:, i, offset] = state
    return np.rint(paths[:, :, 0] + paths[:, :, 1] + noise.center).astype(np.int64)
