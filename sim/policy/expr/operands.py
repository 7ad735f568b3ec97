"""Operands of a condition: literals, names, lists, maps, calls, predicates, and what may follow them."""

from __future__ import annotations

from sim.policy.expr import nodes as tree
from sim.policy.expr.cursor import Cursor
from sim.policy.expr.lexer import Token, wordlike
from sim.policy.expr.literals import number_literal
from sim.policy.expr.names import callables, unknown_function, unknown_name
from sim.policy.expr.nodes import Node
from sim.policy.expr.profile import PREDICATES

UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
WORDS: dict[str, bool | None] = {"true": True, "false": False, "nil": None}


class Operands(Cursor):
    """The half of the parser below the operators; the other half is `Parser`."""

    def expression(self, floor: int) -> Node:
        raise NotImplementedError

    def sequence(self) -> Node:
        raise NotImplementedError

    def primary(self) -> Node:
        token = self.token
        if token.kind == "operator" and token.value in UNARY:
            self.next()
            operand = self.expression(UNARY[token.value])
            return self.postfix(self.make(tree.Unary, token.at, token.value, operand))
        if self.sees("("):
            self.next()
            inside = self.sequence()
            self.expect(")")
            return self.postfix(inside)
        if self.predicates and (self.sees("#") or self.sees(".")):
            return self.postfix(self.pointer())
        if self.sees("::"):
            self.next()
            if self.token.kind != "word":
                raise self.unexpected()
            return self.postfix(self.call(self.next(), None))
        return self.operand(token)

    def pointer(self) -> Node:
        token, name = self.token, ""
        if self.sees("#"):
            self.next()
            if self.token.kind == "word":
                name = self.next().value
        if name not in ("", "index", "acc"):
            raise self.fail(token.at, f"#{name} is unknown", f"write #.{name} for a member, #index or #acc")
        return self.make(tree.Pointer, token.at, name)

    def operand(self, token: Token) -> Node:
        """A literal, a name, a call, a list or a map. Numbers and true, false, nil take no postfix."""
        if token.kind == "word":
            return self.name(self.next())
        if token.kind == "number":
            self.next()
            try:
                return self.make(tree.Literal, token.at, number_literal(token.value, self.profile.modern))
            except ValueError as error:
                raise self.fail(token.at, str(error), "write a number such as 42, 0x2A, 0.5 or 1e-3") from None
        if token.kind == "string":
            self.next()
            node: Node = self.make(tree.Literal, token.at, token.value)
            return self.postfix(node) if self.profile.modern else node
        if self.sees("["):
            return self.postfix(self.list_of())
        if self.sees("{"):
            return self.postfix(self.map_of())
        raise self.unexpected()

    def name(self, token: Token) -> Node:
        if token.value in WORDS:
            return self.make(tree.Literal, token.at, WORDS[token.value])
        if self.sees("("):
            return self.postfix(self.call(token, None))
        if token.value == "result":
            return self.postfix(self.make(tree.Result, token.at))
        for name, slot in self.variables:
            if name == token.value:
                return self.postfix(self.make(tree.Variable, token.at, name, slot))
        names = tuple(name for name, _ in self.variables)
        problem, remedy = unknown_name(token.value, self.profile, names)
        raise self.fail(token.at, problem, remedy)

    def list_of(self) -> Node:
        at, items = self.expect("[").at, []
        while not self.sees("]"):
            items.append(self.expression(0))
            if not self.sees("]"):
                self.expect(",")
        self.expect("]")
        return self.make(tree.ListOf, at, tuple(items))

    def map_of(self) -> Node:
        at, items = self.expect("{").at, []
        while not self.sees("}"):
            items.append(self.map_key())
            self.expect(":")
            items.append(self.expression(0))
            if not self.sees("}"):
                self.expect(",")
        self.expect("}")
        self.count += len(items) // 2
        return self.make(tree.MapOf, at, tuple(items))

    def map_key(self) -> Node:
        if self.token.kind in ("number", "string", "word"):
            token = self.next()
            return self.make(tree.Literal, token.at, token.value)
        if self.sees("("):
            return self.expression(0)
        raise self.fail(
            self.token.at,
            f"{self.token.describe()} cannot be a map key",
            "use a name, a string, a number or (an expression)",
        )

    # -- calls ----------------------------------------------------------------------------------------------------

    def call(self, token: Token, first: Node | None) -> Node:
        """The call of the function named by `token`; `first` is the left side of a pipe."""
        if token.value not in callables(self.profile):
            names = tuple(name for name, _ in self.variables)
            problem, remedy = unknown_function(token.value, self.profile, names)
            raise self.fail(token.at, problem, remedy)
        if token.value in PREDICATES and (self.profile.modern or token.value != "sum"):
            return self.loop(token, first)
        arguments = [first] if first else []
        self.expect("(")
        while not self.sees(")"):
            arguments.append(self.expression(0))
            if not self.sees(")"):
                self.expect(",")
                if self.sees(")") and not self.profile.modern:
                    raise self.unexpected()
        self.expect(")")
        return self.make(tree.Call, token.at, token.value, tuple(arguments))

    def loop(self, token: Token, first: Node | None) -> Node:
        self.expect("(")
        collection = first or self.expression(0)
        parts: list[Node | None] = []
        for position, wanted in enumerate(PREDICATES[token.value]):
            if self.sees(")"):
                if not wanted.endswith("?") or (token.value == "count" and not self.profile.modern):
                    raise self.fail(
                        self.token.at, f"{token.value}() lacks its predicate", f"write {token.value}(list, # > 1)"
                    )
                break
            if first is None or position > 0:
                self.expect(",")
            parts.append(self.predicate() if wanted.startswith("predicate") else self.expression(0))
        if self.sees(",") and self.profile.modern:
            self.next()
        self.expect(")")
        predicate, extra = (*parts, None, None)[:2]
        return self.make(tree.Loop, token.at, token.value, collection, predicate, extra)

    def predicate(self) -> Node:
        self.predicates += 1
        if self.sees("{"):
            self.next()
            node = self.sequence()
            self.expect("}")
        else:
            node = self.expression(0)
            if self.sees(";"):
                raise self.fail(self.token.at, "; ends the predicate too early", "wrap the predicate in { and }")
        self.predicates -= 1
        self.count += 1
        return node

    # -- postfix --------------------------------------------------------------------------------------------------

    def postfix(self, node: Node) -> Node:
        while True:
            if self.sees(".") or self.sees("?."):
                optional = self.next().value == "?."
                if optional and self.sees("[") and self.profile.modern:
                    node = self.index(node, optional=True)
                else:
                    node = self.member(node, optional)
            elif self.sees("["):
                node = self.index(node, optional=False)
            else:
                return node

    def member(self, node: Node, optional: bool) -> Node:
        token = self.next()
        if token.kind != "word" and not (token.kind == "operator" and wordlike(token.value[:1])):
            raise self.fail(token.at, f"{token.describe()} cannot be a member's name", 'write .name or ["any text"]')
        if self.sees("("):
            raise self.fail(
                token.at,
                f"the method call .{token.value}() is not supported",
                f"values have members but no methods; write {token.value}(…) or .{token.value}",
            )
        linked = isinstance(node, tree.Link)
        base = node.body if isinstance(node, tree.Link) else node
        key = self.make(tree.Literal, token.at, token.value)
        node = self.make(tree.Member, token.at, base, key, optional)
        return self.make(tree.Link, token.at, node) if linked or optional else node

    def index(self, node: Node, optional: bool) -> Node:
        at, low, high = self.expect("[").at, None, None
        if not self.sees(":"):
            low = self.expression(0)
            if not self.sees(":"):
                self.expect("]")
                member = self.make(tree.Member, at, node, low, optional)
                return self.make(tree.Link, at, member) if optional else member
        self.expect(":")
        if not self.sees("]"):
            high = self.expression(0)
        self.expect("]")
        return self.make(tree.Slice, at, node, low, high)
