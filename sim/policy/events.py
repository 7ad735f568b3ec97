"""What a policy may know: the events that a driver hands to `Rollout.handle`.

Events are frozen values. A driver never interprets them; a policy never learns anything in another way. Times are not part
of an event: `Rollout.handle(at, event)` carries the moment, in seconds since `Started`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.policy.judges.base import Truth

__all__ = [
    "Absent", "Answer", "Answered", "BatchesDone", "Event", "ExperimentReady", "Failed", "Human", "HumanAction", "Interrupted", "Measured",
    "NewRevision", "NotANumber", "PodsEnded", "PodsReady", "Resized", "Started", "Terminated", "Value", "WeightIs", "Woke",
]  # fmt: skip


# Four kinds of answer to a measurement. They are different things, and every policy says what each of them means.
@dataclass(frozen=True, slots=True)
class Value:
    """An answer: a number, a list of numbers (a vector), any JSON value, or a `Window` of counts. None is the provider's nil."""

    value: object


@dataclass(frozen=True, slots=True)
class Absent:
    """The question was answered, and there is nothing: no series, no sample, no request."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class NotANumber:
    """The answer is not a number (0/0 in a ratio, say)."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The question could not be answered: the provider refused, broke or took too long."""

    reason: str = ""


Answer = Value | Absent | NotANumber | Failed


@dataclass(frozen=True, slots=True)
class Started:
    """The rollout of `revision` over `stable` begins; the first event, once."""

    replicas: int = 1
    revision: int = 2
    stable: int = 1
    seed: int = 0
    truth: Truth | None = None  # only the simulator fills it, only the oracle reads it


@dataclass(frozen=True, slots=True)
class Woke:
    """`Rollout.wakes_at` came, and nothing else happened."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The answer to the `Measure` command with this id."""

    id: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class PodsReady:
    """Available pods of the stable, the new and all older revisions, and pods of any that are ready and do not count yet
    (`min_ready`), whenever one of the four changes."""

    stable: int
    canary: int
    older: int = 0
    settling: int = 0

    @property
    def ready(self) -> int:
        """Pods that take traffic."""
        return self.stable + self.canary + self.older + self.settling


@dataclass(frozen=True, slots=True)
class ExperimentReady:
    """Available pods of an experiment (`SetExperiment`), whenever one of the two changes."""

    baseline: int
    canary: int


@dataclass(frozen=True, slots=True)
class PodsEnded:
    """A pod that an `Update` made has ended by itself, `ran` seconds after it became available (None: it never did).

    `slots`: how many the update found to replace. What replaced it is not the update's, and its end is not told.
    """

    revision: int
    ran: float | None
    slots: int


@dataclass(frozen=True, slots=True)
class BatchesDone:
    """An `Update` has taken every one of its `slots`, and the last delay is over; or an `Apply` has renewed its pods."""

    revision: int
    slots: int


@dataclass(frozen=True, slots=True)
class WeightIs:
    """The weight that traffic really has now."""

    weight: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A gate, asked by `AskGate`, said yes or no."""

    gate: str
    approved: bool


HumanAction = Literal["promote", "promote-full", "abort", "retry", "pause", "resume"]


@dataclass(frozen=True, slots=True)
class Human:
    """A person acts on the rollout itself."""

    action: HumanAction


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Someone or something stops the rollout from outside: a page, an operator, the end of the horizon."""

    cause: str


@dataclass(frozen=True, slots=True)
class Terminated:
    """An analysis run (step, background, pre, post) is ended from outside."""

    run: str


@dataclass(frozen=True, slots=True)
class NewRevision:
    """A newer revision was applied while this rollout was under way."""

    revision: int


@dataclass(frozen=True, slots=True)
class Resized:
    """The wanted number of pods of the whole service changed."""

    replicas: int


Event = (
    Started
    | Woke
    | Measured
    | PodsReady
    | ExperimentReady
    | PodsEnded
    | BatchesDone
    | WeightIs
    | Answered
    | Human
    | Interrupted
    | Terminated
    | NewRevision
    | Resized
)
