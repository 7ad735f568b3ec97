"""How often and how long something is tried again. Time and chance come from outside, so that tests need not wait."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from real.registry.errors import RegistryError

T = TypeVar("T")


class Clock(Protocol):
    """Monotonic seconds, and a sleep that moves them."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class WallClock:
    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """A bounded retry with full jitter: wait U(0, min(`most_s`, `first_s` 2^k)) (faults.md section 5.3: 5 tries, 60 s).

    `Retry-After` is honoured as long as the whole stays within `total_s`.
    """

    tries: int = 5
    total_s: float = 60.0
    first_s: float = 0.5
    most_s: float = 16.0
    clock: Clock = WallClock()
    uniform: Callable[[], float] = random.Random().random

    def persist(self, attempt: Callable[[], T], again: Callable[[RegistryError], bool] = lambda error: True) -> T:
        """The attempt's value. A passing error is tried again within the bound, then raised; any other at once.

        `again` may forbid the repetition of an error that passes.
        """
        began = self.clock.now()
        tried = 0
        while True:
            tried += 1
            try:
                return attempt()
            except RegistryError as error:
                wait = self._wait(error, tried)
                spent = tried >= min(self.tries, error.tries or self.tries)
                spent = spent or self.clock.now() - began + wait > self.total_s
                if spent or not error.passing or not again(error):
                    if tried > 1:
                        error.add_note(f"tried {tried} times in {self.clock.now() - began:.1f} s")
                    raise
            self.clock.sleep(wait)

    def _wait(self, error: RegistryError, tried: int) -> float:
        if error.retry_after_s is not None:
            return error.retry_after_s
        return self.uniform() * min(self.most_s, self.first_s * 2.0 ** (tried - 1))

    def until(self, look: Callable[[], T | None], limit_s: float, every_s: float) -> T | None:
        """Look every `every_s` seconds until there is something; None after `limit_s`."""
        ends = self.clock.now() + limit_s
        while (found := look()) is None and self.clock.now() + every_s <= ends:
            self.clock.sleep(every_s)
        return found
