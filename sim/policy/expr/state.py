"""One run of a condition: the result it looks at, its variables, and what it may still spend.

Limits: MEMORY elements as in the original (conf.DefaultMemoryBudget, a run stops when it reaches it), also for the
characters of a text that is put together; WORK node evaluations inside predicates, which the original does not limit.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.policy.expr.errors import EvaluationError

MEMORY = 1_000_000
WORK = 10_000_000


class State:
    """Mutable, one per run; never shared."""

    __slots__ = ("acc", "index", "item", "memory", "result", "variables", "work")

    def __init__(self, result: object, slots: int) -> None:
        self.result = result
        self.variables: list[object] = [None] * slots
        self.item: object = None
        self.index = 0
        self.acc: object = None
        self.memory = 0
        self.work = 0

    def grow(self, elements: int) -> None:
        """Account for new elements."""
        self.memory += elements
        if self.memory >= MEMORY:
            raise EvaluationError(f"the run needs {MEMORY} elements or more; shorten the range or the list")

    def spend(self, evaluations: int) -> None:
        """Account for work that grows with the data."""
        self.work += evaluations
        if self.work > WORK:
            raise EvaluationError(
                f"the run needs more than {WORK} evaluations; shorten the lists or nest fewer predicates"
            )


Run = Callable[[State], object]
