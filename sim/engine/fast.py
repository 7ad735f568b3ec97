"""The compiled forms of `streams.py` and `cells.py`, if the extra `fast` is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


def compiled() -> ModuleType | None:
    """`sim.engine.compiled`, or None without numba. Loaded here and not on import: numba takes about a second."""
    return import_module("sim.engine.compiled") if find_spec("numba") else None
