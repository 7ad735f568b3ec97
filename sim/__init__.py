"""Seatrial: a sea trial for rollout policies, before they meet production.

    import sim
    result = sim.run("scenarios/demo.yaml", jobs=2)
    result.frame()

The public names are loaded when they are used, so that `import sim` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.results.result import Result
    from sim.scenario import load
    from sim.session import compare, run
    from sim.single import replay, trace

__version__ = "0.1.0"
__all__ = ["Result", "__version__", "compare", "load", "replay", "run", "trace"]

_HOMES = {
    "Result": "sim.results.result", "compare": "sim.session", "load": "sim.scenario", "replay": "sim.single", "run": "sim.session",
    "trace": "sim.single",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
