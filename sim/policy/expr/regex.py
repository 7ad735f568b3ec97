"""`matches`: an unanchored search with RE2's syntax, in time linear in the text.

Patterns become a small program that is run on all alternatives at once (Thompson's construction), so no pattern can
make a run hang, as backtracking engines can. Only yes or no is asked, so captures and greediness have no meaning here.
Limits: repeat counts up to 1,000 as in RE2, programs up to PROGRAM instructions.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policy.expr.regex_classes import WORD, Charset
from sim.policy.expr.regex_syntax import (
    Alternatives,
    Assertion,
    PatternError,
    Piece,
    Repeat,
    Row,
    parse_pattern,
)
from sim.policy.expr.state import State

PROGRAM = 10_000
STEP_COST = 8  # one step takes about as long as this many evaluations
WORD_SET = Charset(WORD)


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: take a character, check a place, or go on at several steps; none of these: a match."""

    take: Charset | None = None
    check: str = ""
    to: tuple[int, ...] = ()


class Pattern:
    """A compiled pattern. PatternError if it is not one in RE2's syntax."""

    def __init__(self, pattern: str) -> None:
        self.steps: list[Step] = []
        start = self._compile(parse_pattern(pattern), self._add(Step()))
        self.start = start

    def _add(self, step: Step) -> int:
        if len(self.steps) >= PROGRAM:
            raise PatternError("the pattern is too large; use smaller repeat counts")
        self.steps.append(step)
        return len(self.steps) - 1

    def _compile(self, piece: Piece, then: int) -> int:
        """The step where the piece begins, built backwards from the step that follows it."""
        if isinstance(piece, Charset):
            return self._add(Step(take=piece, to=(then,)))
        if isinstance(piece, Assertion):
            return self._add(Step(check=piece.kind, to=(then,)))
        if isinstance(piece, Row):
            for part in reversed(piece.parts):
                then = self._compile(part, then)
            return then
        if isinstance(piece, Alternatives):
            return self._add(Step(check="any", to=tuple(self._compile(part, then) for part in piece.parts)))
        return self._repeat(piece, then)

    def _repeat(self, piece: Repeat, then: int) -> int:
        if piece.most is None:
            loop = self._add(Step())
            body = self._compile(piece.body, loop)
            self.steps[loop] = Step(check="any", to=(body, then))
            start = loop
        else:
            start = then
            for _ in range(piece.most - piece.least):
                start = self._add(Step(check="any", to=(self._compile(piece.body, start), then)))
        for _ in range(piece.least):
            start = self._compile(piece.body, start)
        return start

    def search(self, text: str, state: State) -> bool:
        """Whether any part of the text matches."""
        waiting: list[int] = []
        for place in range(len(text) + 1):
            ready, matched = self._closure([*waiting, self.start], text, place, state)
            if matched:
                return True
            if place == len(text):
                return False
            char = text[place]
            waiting = [step.to[0] for step in ready if step.take is not None and step.take.has(char)]
        return False

    def _closure(self, begin: list[int], text: str, place: int, state: State) -> tuple[list[Step], bool]:
        """The steps that take a character, reachable from here without taking one; and whether a match is."""
        seen = bytearray(len(self.steps))
        ready: list[Step] = []
        stack = begin
        while stack:
            number = stack.pop()
            if seen[number]:
                continue
            seen[number] = 1
            state.work += STEP_COST
            step = self.steps[number]
            if step.take is not None:
                ready.append(step)
            elif not step.to:
                return ready, True
            elif step.check == "any" or holds(step.check, text, place):
                stack.extend(step.to)
        state.spend(len(self.steps) // 100)  # the table of what was seen
        return ready, False


def holds(check: str, text: str, place: int) -> bool:
    """Whether an empty-width assertion holds at this place."""
    if check == "start":
        return place == 0
    if check == "end":
        return place == len(text)
    if check == "line start":
        return place == 0 or text[place - 1] == "\n"
    if check == "line end":
        return place == len(text) or text[place] == "\n"
    before = place > 0 and WORD_SET.has(text[place - 1])
    after = place < len(text) and WORD_SET.has(text[place])
    return (before != after) == (check == "word boundary")
