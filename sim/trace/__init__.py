"""A policy against a script instead of a world. The package is callable: `sim.trace(paths, script)` is `sim.single.trace`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """`sim.trace` is a public function (contracts section 2) and the room that holds it."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        from sim.single import trace

        return trace(*args, **named)


sys.modules[__name__].__class__ = _Callable
