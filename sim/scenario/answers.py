"""What a metric answers once, as a file writes it: in scripts of a trace, and in a scenario's `metrics:`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from sim.files import Refused
from sim.files.words import choose, show
from sim.policy.events import Absent, Failed, NotANumber, Value
from sim.tracing.script import HANG

__all__ = ["AnswerType"]

# The words that stand for an answer; the verdict words are what a job or another judge answers.
_WORDS: dict[str, Any] = {
    "absent": Absent(), "nan": NotANumber(), "error": Failed("the provider failed"), "hang": HANG,
    **{word: Value(word) for word in ("Successful", "Failed", "Inconclusive")},
}  # fmt: skip
_PLAIN = ("absent", "nan", "error", "hang", "null")


def _answer(value: object) -> Any:
    """What a metric answers once: a number, a list of numbers (a vector), true or false, or one of the words."""
    if value is None or isinstance(value, bool):
        return Value(value)
    if isinstance(value, int | float):
        return NotANumber() if isinstance(value, float) and math.isnan(value) else Value(value)
    if isinstance(value, list):
        return Value([_number(item) for item in value])
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    raise Refused(
        f"{show(value)} is no answer",
        choose(value, (*_PLAIN, *_WORDS)) if isinstance(value, str) else "write a number, a list or a word",
    )


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{show(value)} is not a number", "a list holds numbers only; write e.g. [0.9, 0.95]")
    return value


_ANSWER_SCHEMA = {
    "description": "A number, a list of numbers, true, false, null, absent, nan, error, hang, or the verdict of a job",
    "anyOf": [
        {"type": ["number", "boolean", "null"]}, {"type": "array", "items": {"type": "number"}}, {"type": "string", "enum": list(_WORDS)},
    ],
}  # fmt: skip

if TYPE_CHECKING:
    AnswerType = Any
else:
    AnswerType = Annotated[Any, BeforeValidator(_answer), WithJsonSchema(_ANSWER_SCHEMA)]
