"""The monitor port: each question is asked in a thread of its own, so that a slow Prometheus holds up nothing."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from real.measure.counts import Names, window
from real.measure.prometheus import Ask, answer
from real.ports.errors import PortError
from real.ports.ports import Look, Tell
from sim.policy.commands import Counts, Measure, Text
from sim.policy.events import Answer, Failed, Measured

__all__ = ["Prometheus"]

_PROVIDERS = ("prometheus", "")


class Prometheus:
    """Answers `Counts` from the service's own metrics, and `Text` in PromQL. `also`: other providers by name, at their own addresses."""

    def __init__(
        self, ask: Ask, names: Names, stable: int, revision: int, also: Mapping[str, Ask] | None = None
    ) -> None:
        self._ask, self._names, self._also = ask, names, dict(also or {})
        self._stable, self._revision = stable, revision

    def ask(self, question: Measure, look: Look, tell: Tell) -> None:
        def work() -> None:
            tell(Measured(question.id, self.answer(question, look)))

        threading.Thread(target=work, name=f"measure {question.metric}", daemon=True).start()

    def answer(self, question: Measure, look: Look) -> Answer:
        """The answer, now; whatever breaks is `Failed`."""
        try:
            match question.query:
                case Counts() as counts:
                    return window(self._ask, self._names, counts, look, self._stable, self._revision)
                case Text(provider, text):
                    ask = self._also.get(provider) or (self._ask if provider in _PROVIDERS else None)
                    if ask is None:
                        return Failed(f"this run has no provider {provider}; there is prometheus")
                    return answer(ask, text, look.started + look.at)
        except PortError as error:
            return Failed(str(error))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            return Failed(f"the answer of the provider cannot be read: {type(error).__name__}: {error}")
