"""A parsed condition, and its judgement of results (delivery-systems.md 2.2, 3)."""

from __future__ import annotations

from sim.policy.expr.build_calls import CALLS
from sim.policy.expr.build_loops import LOOPS
from sim.policy.expr.build_members import MEMBERS
from sim.policy.expr.build_operators import OPERATORS
from sim.policy.expr.builder import RULES, Builder, Built
from sim.policy.expr.errors import ConditionError, EvaluationError, shorten
from sim.policy.expr.nodes import Node
from sim.policy.expr.parser import parse
from sim.policy.expr.patterns import check_patterns
from sim.policy.expr.profile import NEW, Profile
from sim.policy.expr.profile import profile as find_profile
from sim.policy.expr.shapes import Shape, infer
from sim.policy.expr.state import State
from sim.policy.expr.values import kind

ALL_RULES = {**RULES, **OPERATORS, **MEMBERS, **CALLS, **LOOPS}


class Condition:
    """One condition of a metric; equal text and profile make equal conditions.

    >>> parse_condition("result[0] < 0.05").judge([0.01])
    True
    """

    __slots__ = ("_programs", "_slots", "profile", "root", "text")

    def __init__(self, text: str, chosen: Profile, root: Node, slots: int) -> None:
        self.text = text
        self.profile = chosen.name
        self.root = root
        self._slots = slots
        self._programs: dict[Shape, Built | ConditionError] = {}

    def __repr__(self) -> str:
        return f"parse_condition({self.text!r}, profile={self.profile!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and (self.text, self.profile) == (other.text, other.profile)

    def __hash__(self) -> int:
        return hash((self.text, self.profile))

    def check(self, shape: Shape) -> ConditionError | None:
        """The static check against the shape that a provider's results have; None if it passes.

        A shape that is known never to give true or false is a problem too, because every measurement would be an Error.
        """
        program = self._program(shape)
        if isinstance(program, ConditionError):
            return program
        found = program[0]
        if found.kind == "bool" or found.unknown:
            return None
        return ConditionError(
            self.text, 1, f"the condition gives {found}, not true or false", "compare it with something"
        )

    def judge(self, result: object, shape: Shape | None = None) -> bool:
        """Whether the condition holds for this result; EvaluationError if that cannot be said.

        The static check uses the result's own shape, where a list of floats only (also an empty one) counts as a
        Prometheus vector. Give `shape` where the provider tells more: a JSON list of numbers is `LIST`.
        """
        program = self._program(shape or infer(result))
        if isinstance(program, ConditionError):
            raise self._error(result, str(program))
        try:
            value = program[1](State(result, self._slots))
            if value is True or value is False:
                return value
            reason = f"it gives {kind(value)}, not true or false; compare it with something"
        except EvaluationError as error:
            reason = str(error)
        raise self._error(result, reason)

    def _program(self, shape: Shape) -> Built | ConditionError:
        program = self._programs.get(shape)
        if program is None:
            builder = Builder(self.text, find_profile(self.profile), shape, self._slots, ALL_RULES)
            try:
                program = builder.build(self.root)
            except ConditionError as error:
                program = error
            self._programs[shape] = program
        return program

    def _error(self, result: object, reason: str) -> EvaluationError:
        subject = f"could not evaluate {shorten(self.text)!r}"
        if result is None or (isinstance(result, list) and not result):
            empty = "nil" if result is None else "an empty list"
            return EvaluationError(f"{subject}: no data came back (the result is {empty}): {reason}")
        return EvaluationError(f"{subject}: {reason}")


def parse_condition(text: str, profile: str = NEW) -> Condition:
    """The condition of a text; ConditionError with column, problem and remedy if it is not one."""
    chosen = find_profile(profile)
    root, slots = parse(text, chosen)
    check_patterns(text, root)
    return Condition(text, chosen, root, slots)


def measure_verdict(
    result: object, success: Condition | None, failure: Condition | None, shape: Shape | None = None
) -> tuple[str, str]:
    """Verdict and message of one measurement (delivery-systems.md 2.2).

    Both conditions are evaluated even if the first decides; failure wins where both hold; an error of either is Error.
    """
    verdicts: list[bool | None] = []
    for name, condition in (("successCondition", success), ("failureCondition", failure)):
        try:
            verdicts.append(None if condition is None else condition.judge(result, shape))
        except EvaluationError as error:
            return "Error", f"{name}: {error}"
    good, bad = verdicts
    if bad or (good is False and bad is None):
        return "Failed", "failureCondition holds" if bad else "successCondition does not hold"
    if good is False:
        return "Inconclusive", "neither successCondition nor failureCondition holds"
    return "Successful", ""
