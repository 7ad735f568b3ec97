"""What every injector is: five small acts. The port (`port.py`) calls them in this order and keeps the record in between.

1. `record` reads what the undo will need. It changes nothing; the record is stored before anything else happens.
2. `inject` brings the effect about; repeating it changes nothing.
3. `proof` looks whether it bites, by a probe of its own, and says what it saw; '' means that it does not (yet).
4. `undo` takes it away, by name and from the record; repeating it changes nothing, also when `inject` never ran.
5. `left` looks whether something is left over; '' means nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from real.chaos.field import Field
from real.ports.errors import Refused
from real.ports.things import Injection

__all__ = ["Injector", "Job", "NotEffective", "Record"]

Record = dict[str, Any]
"""What the undo needs, as JSON."""


class NotEffective(Refused):
    """The fault was injected and did not bite; it is taken back, and no policy is judged by it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One injection: where, its id in the scenario, what, and the record (empty while it is being made)."""

    field: Field
    id: str
    injection: Injection
    record: Record

    @property
    def params(self) -> Mapping[str, Any]:
        return dict(self.injection.params)

    @property
    def targets(self) -> tuple[str, ...]:
        return self.injection.targets

    def number(self, name: str) -> float:
        value = self.params.get(name)
        return float(value) if isinstance(value, (int, float)) else 0.0


class Injector(ABC):
    """Does nothing, and leaves nothing. `aims` says what a target is: pods, nodes, or nothing of its own.

    `needs`: parts of the field that it cannot do without.
    """

    aims: ClassVar[str] = "pods"
    needs: ClassVar[tuple[str, ...]] = ()

    def refuses(self, params: Mapping[str, Any], field: Field) -> str:
        """Why these parameters cannot be injected there; '' if they can."""
        return ""

    def record(self, job: Job) -> Record:
        return {}

    @abstractmethod
    def inject(self, job: Job) -> None: ...

    @abstractmethod
    def proof(self, job: Job) -> str: ...

    def stands(self, job: Job) -> bool:
        """Whether what was proved once can still be there: what lives in a process is gone with it."""
        return True

    def undo(self, job: Job) -> None:
        return

    def left(self, job: Job) -> str:
        return ""
