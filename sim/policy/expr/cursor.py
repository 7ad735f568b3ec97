"""A cursor over the tokens of one condition, with its limits and its complaints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sim.policy.expr.errors import ConditionError
from sim.policy.expr.lexer import Lexer, Token
from sim.policy.expr.nodes import Node
from sim.policy.expr.profile import Profile

NODES = 10_000  # expr: conf.DefaultMaxNodes
MODERN_SYNTAX = {";": "sequences are", "if": "if … else is"}
N = TypeVar("N", bound=Node)


class Cursor:
    """Where the parser is, and what it has met so far."""

    def __init__(self, text: str, profile: Profile) -> None:
        self.text = text
        self.profile = profile
        self.tokens = Lexer(text, profile).tokens()
        self.place = 0
        self.token = self.tokens[0]
        self.count = 0
        self.nesting = 0
        self.predicates = 0
        self.variables: list[tuple[str, int]] = []
        self.slots = 0

    def fail(self, at: int, problem: str, remedy: str = "") -> ConditionError:
        return ConditionError(self.text, at + 1, problem, remedy)

    def unexpected(self) -> ConditionError:
        value = self.token.value
        if not self.profile.modern and value in MODERN_SYNTAX:
            return self.fail(
                self.token.at,
                f"{MODERN_SYNTAX[value]} unknown to {self.profile.name}",
                "use the profile argo-rollouts@1.10",
            )
        remedies = {"=": "compare with ==", "&": "write and, or &&", "#": "# stands only inside a predicate"}
        remedies["end"] = "the condition stops too early"
        remedies["string"] = "put an operator before the text"
        return self.fail(
            self.token.at,
            f"{self.token.describe()} was not expected here",
            remedies.get(value, remedies.get(self.token.kind, "")),
        )

    def next(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.place += 1
            self.token = self.tokens[self.place]
        return token

    def sees(self, value: str) -> bool:
        return self.token.value == value and self.token.kind in ("operator", "bracket")

    def expect(self, value: str) -> Token:
        if not self.sees(value):
            raise self.fail(self.token.at, f"{self.token.describe()} was not expected here", f"{value} is missing")
        return self.next()

    def make(self, node: Callable[..., N], at: int, *parts: object, count: int = 1) -> N:
        self.count += count
        if self.count > NODES:
            raise self.fail(at, f"the condition has more than {NODES} nodes", "split it into several metrics")
        return node(at, *parts)
