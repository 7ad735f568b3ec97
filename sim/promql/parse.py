"""From text to the tree that is evaluated: `promql-parser` reads the grammar and checks the types, this module the rest."""

from __future__ import annotations

import re
from typing import Any

from sim.promql.errors import PromqlError
from sim.promql.lexer import Token, tokens
from sim.promql.profiles import Profile
from sim.promql.reader import Reader
from sim.promql.refusals import foreign
from sim.promql.standins import put_aside
from sim.promql.tree import Node

__all__ = ["parse"]


def parse(text: str, profile: Profile, step: int) -> Node:
    """The tree of a query.

    `step`: of subqueries without one, ms. PromqlError with the column; nothing else, whatever the text.
    """
    found = tokens(text)
    for token, problem in foreign(found, profile):
        raise PromqlError(text, token.column, problem)
    aside = put_aside(text, found, profile.modern)
    return Reader(text, found, aside, profile, step).read(_parsed(text, aside.text, found))


def _parsed(text: str, plain: str, found: tuple[Token, ...]) -> Any:
    import promql_parser

    _extend(promql_parser)
    try:
        return promql_parser.parse(plain)
    except ValueError as error:
        raise _located(text, found, str(error)) from None
    except BaseException as error:  # a panic of the parser is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise PromqlError(text, 1, f"the parser cannot read this query ({error})") from None


def _extend(promql_parser: Any) -> None:
    """Prometheus 2 has one function that the parser, being of 3, has under another name."""
    kind = promql_parser.ValueType
    arguments = [kind.Matrix, kind.Scalar, kind.Scalar]
    promql_parser.register_extra_functions([promql_parser.Function("holt_winters", arguments, kind.Vector)])


# ---- where an error is: the parser does not say ----

_QUOTED = re.compile(r"'([^']+)'")
_SAID = re.compile(r": (\S+)$")


def _located(text: str, found: tuple[Token, ...], problem: str) -> PromqlError:
    if problem == "invalid promql query":
        token = _unexpected(found)
        if token is None:
            return PromqlError(text, len(text.rstrip()) + 1, "unexpected end of the query")
        return PromqlError(text, token.column, f"unexpected {token.text!r}")
    if problem.startswith("unexpected right"):
        return PromqlError(text, _unopened(found), problem)
    if problem.endswith("may not be set multiple times"):
        last = [token.column for token in found if token.text.lower() in ("offset", "@")][-1:]
        return PromqlError(text, last[0] if last else 1, problem)
    if problem.startswith("metric name must not be set twice"):
        problem = "metric name must not be set twice"
    for name in _QUOTED.findall(problem):
        for token in found:
            if name in (token.text, token.text.strip("\"'`")):
                return PromqlError(text, token.column, problem)
    for name in _SAID.findall(problem):
        for token in found:
            if token.text.startswith(name):
                return PromqlError(text, token.column, problem)
    if "end of input" in problem or "unclosed" in problem or "unterminated" in problem:
        return PromqlError(text, _unclosed(found) or len(text.rstrip()) + 1, problem)
    return PromqlError(text, found[0].column if found else 1, problem)


def _unexpected(found: tuple[Token, ...]) -> Token | None:
    """The first word with which no query can go on, None if only its end is missing; found by halving."""
    low, high = 0, len(found)  # the first `low` words can be completed
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _viable(found[:middle]) else (low, middle - 1)
    return found[low] if low < len(found) else None


_ENDINGS = (
    "",
    "x",
    "(x)",
    " x(x)",
    "1",
    '"x"',
    '="x"',
    '"x"}',
    '="x"}',
    "}",
    "]",
    "1m]",
    "1m",
    "start()",
    "()",
    "x(x))",
)


def _viable(found: tuple[Token, ...]) -> bool:
    import promql_parser

    start = " ".join(token.text for token in found)
    closing = "".join(_CLOSING[bracket] for bracket in reversed(_unclosed_brackets(found)))
    for ending in _ENDINGS:
        try:
            promql_parser.parse(f"{start} {ending}{'' if ending[-1:] in '}]' and ending else closing}")
        except ValueError as error:
            if str(error) == "invalid promql query" or str(error).startswith("unexpected"):
                continue
        return True
    return False


_CLOSING = {"(": ")", "[": "]", "{": "}"}


def _unclosed_brackets(found: tuple[Token, ...]) -> list[str]:
    return [token.text for token in _unclosed_tokens(found)]


def _unclosed_tokens(found: tuple[Token, ...]) -> list[Token]:
    opened: list[Token] = []
    for token in found:
        if token.text in _CLOSING:
            opened.append(token)
        elif token.text in ")]}" and opened:
            opened.pop()
    return opened


def _unclosed(found: tuple[Token, ...]) -> int:
    opened = _unclosed_tokens(found)
    return opened[-1].column if opened else 0


def _unopened(found: tuple[Token, ...]) -> int:
    """Column of the first bracket that closes nothing."""
    depth = 0
    for token in found:
        depth += (token.text in _CLOSING) - (token.text in tuple(_CLOSING.values()))
        if depth < 0:
            return token.column
    return 1
