"""Tokens to a syntax tree (delivery-systems.md 3.2).

Precedence climbing. An expression at precedence 0 may also be `let`, `if` or a ternary. Limits: 10,000 nodes as in
the original; nesting of NESTING levels and a tree of DEPTH levels are ours (the original has none), so that neither
parsing nor running can exhaust Python's stack.
"""

from __future__ import annotations

from sim.policy.expr import nodes as tree
from sim.policy.expr.errors import ConditionError
from sim.policy.expr.lexer import Token
from sim.policy.expr.names import callables
from sim.policy.expr.nodes import Node
from sim.policy.expr.operands import WORDS, Operands
from sim.policy.expr.profile import Profile

NESTING = 64
DEPTH = 200

BINARY = {
    "|": 0,
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    **dict.fromkeys(("==", "!=", "<", ">", "<=", ">=", "in", "matches", "contains", "startsWith", "endsWith"), 20),
    "..": 25,
    "+": 30,
    "-": 30,
    "*": 60,
    "/": 60,
    "%": 60,
    "**": 100,
    "^": 100,
    "??": 500,
}
RIGHT_ASSOCIATIVE = frozenset(("**", "^"))
COMPARISONS = frozenset(("<", ">", "<=", ">="))
NEGATABLE = frozenset(("in", "matches", "contains", "startsWith", "endsWith"))


def parse(text: str, profile: Profile) -> tuple[Node, int]:
    """The tree of a condition and the number of its variables; ConditionError with the first problem."""
    if not text.strip():
        raise ConditionError(
            text, 1, "the condition is empty", "leave the field out, or write one, e.g. result[0] < 0.05"
        )
    parser = Parser(text, profile)
    root = parser.sequence()
    if parser.token.kind != "end":
        raise parser.unexpected()
    depth, node = tree.deepest(root)
    if depth > DEPTH:
        raise ConditionError(
            text,
            node.at + 1,
            f"the condition is nested {depth} levels deep",
            f"at most {DEPTH} levels are supported; split it into several metrics",
        )
    return root, parser.slots


class Parser(Operands):
    """One pass over the tokens of one condition."""

    def sequence(self) -> Node:
        parts = [self.expression(0)]
        while self.profile.modern and self.sees(";"):
            self.next()
            if self.token.kind == "end":
                break
            parts.append(self.expression(0))
        return parts[0] if len(parts) == 1 else self.make(tree.Sequence, parts[0].at, tuple(parts))

    def expression(self, floor: int) -> Node:
        self.nesting += 1
        if self.nesting > NESTING:
            raise self.fail(
                self.token.at,
                f"more than {NESTING} levels are nested here",
                "take parentheses away, or split the condition into several metrics",
            )
        node = self._expression(floor)
        self.nesting -= 1
        return node

    def _expression(self, floor: int) -> Node:
        if floor == 0 and self.sees("let"):
            return self.let()
        if floor == 0 and self.sees("if"):
            return self.branch()
        left = self.operations(self.primary(), floor)
        return self.ternary(left) if floor == 0 else left

    def operations(self, left: Node, floor: int) -> Node:
        before = ""
        while self.token.kind == "operator":
            negated = self.sees("not")
            operator = self.tokens[self.place + 1] if negated else self.token
            if negated and operator.value not in (NEGATABLE if self.profile.modern else BINARY):
                self.next()
                raise self.unexpected()
            if BINARY.get(operator.value, -1) < floor:
                if negated and not self.profile.modern:
                    self.next()  # the old engine loses this `not`: `1 + 2 not in x` is `1 + 2 in x`
                break
            if negated:
                self.next()
            self.next()
            left = self.operation(left, operator, before)
            if negated:
                left = self.make(tree.Unary, operator.at, "not", left)
            before = operator.value
        return left

    def operation(self, left: Node, operator: Token, before: str) -> Node:
        sign, floor = operator.value, BINARY[operator.value]
        if sign == "|":
            return self.pipe(left)
        if before == "??" and sign != "??":
            raise self.fail(
                operator.at, f"{sign} may not follow ??", "wrap one of them in parentheses: (a ?? b) " + sign + " c"
            )
        if sign in COMPARISONS and self.profile.modern:
            return self.comparison(left, operator)
        right = self.expression(floor if sign in RIGHT_ASSOCIATIVE else floor + 1)
        if sign in COMPARISONS:
            return self.make(tree.Comparison, operator.at, (sign,), (left, right))
        return self.make(tree.Binary, operator.at, sign, left, right)

    def comparison(self, left: Node, operator: Token) -> Node:
        signs, operands = [operator.value], [left, self.expression(BINARY["<"] + 1)]
        while self.token.kind == "operator" and self.token.value in COMPARISONS:
            signs.append(self.next().value)
            operands.append(self.expression(BINARY["<"] + 1))
        return self.make(tree.Comparison, operator.at, tuple(signs), tuple(operands), count=2 * len(signs) - 1)

    def pipe(self, left: Node) -> Node:
        if self.token.kind != "word":
            raise self.fail(self.token.at, "a function call must follow |", "e.g. result | len()")
        return self.call(self.next(), left)

    def ternary(self, node: Node) -> Node:
        while self.sees("?"):
            at = self.next().at
            if self.sees(":"):
                self.next()
                node = self.make(tree.Elvis, at, node, self.expression(0))
                continue
            then = self.expression(0)
            self.expect(":")
            node = self.make(tree.Conditional, at, node, then, self.expression(0))
        return node

    def branch(self) -> Node:
        at = self.expect("if").at
        condition = self.expression(0)
        then = self.block()
        self.expect("else")
        if not self.sees("if"):
            return self.make(tree.Conditional, at, condition, then, self.block())
        return self.make(tree.Conditional, at, condition, then, self.expression(0))

    def block(self) -> Node:
        self.expect("{")
        node = self.sequence()
        self.expect("}")
        return node

    def let(self) -> Node:
        self.expect("let")
        name = self.next()
        if name.kind != "word" or name.value in WORDS:
            raise self.fail(name.at, f"{name.describe()} cannot be a variable", "write let name = value; …")
        taken = ("result", *callables(self.profile), *(known for known, _ in self.variables))
        if name.value in taken:
            raise self.fail(name.at, f"{name.value} exists already", "choose another name")
        self.expect("=")
        value = self.expression(0)
        self.expect(";")
        slot, self.slots = self.slots, self.slots + 1
        self.variables.append((name.value, slot))
        body = self.sequence()
        self.variables.pop()
        return self.make(tree.Let, name.at, slot, value, body)
