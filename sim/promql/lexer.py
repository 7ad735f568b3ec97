"""A light reading of the text before the parser's: columns and nesting.

`promql-parser` gives no positions, and its own stack is bounded by the machine's; so the text is cut into tokens here. Nothing is
decided about grammar: what is not understood is left to the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sim.promql.errors import PromqlError

__all__ = ["LONGEST", "MAX_DEPTH", "MAX_LENGTH", "Token", "selectors", "tokens"]

MAX_LENGTH = 100_000  # characters
MAX_DEPTH = 100  # of nested parentheses, and of unary signs and operators in a row
MAX_TOKENS = 5_000
LONGEST = 9_223_372_036_854  # ms: Go keeps durations as nanoseconds in 64 bits

_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\r]+|\#[^\r\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+(?![0-9A-Za-z_]))
    |(?P<number>0[xX]_?[0-9a-fA-F][0-9a-fA-F_]*|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9][0-9_]*)?)
    |(?P<word>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<sign>=~|!~|==|!=|<=|>=|.)""",
    re.VERBOSE | re.DOTALL,
)
_OPEN, _CLOSE = "([{", ")]}"
_BEFORE_LABELS = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))
_OPERATORS = frozenset(("and", "or", "unless", "atan2", "offset"))
_NUMBERS = frozenset(("inf", "nan"))


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    start: int  # from 0

    @property
    def column(self) -> int:
        return self.start + 1


def tokens(text: str) -> tuple[Token, ...]:
    """PromqlError for what no reader could take: too long, too deep, no Unicode text."""
    if len(text) > MAX_LENGTH:
        raise PromqlError(text, 1, f"query is longer than {MAX_LENGTH} characters")
    for at, char in enumerate(text):
        if "\ud800" <= char <= "\udfff" or char == "\0":
            raise PromqlError(text, at + 1, f"query holds {char!r}, which is not text")
    found = tuple(
        Token(str(m.lastgroup), m.group(), m.start()) for m in _TOKEN.finditer(text) if m.lastgroup != "space"
    )
    if len(found) > MAX_TOKENS:
        raise PromqlError(text, found[MAX_TOKENS].column, f"query has more than {MAX_TOKENS} words")
    _check_depth(text, found)
    for token in found:
        if token.kind == "duration" and _milliseconds(token.text) > LONGEST:
            raise PromqlError(text, token.column, "duration out of range")
    return found


_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}


def _milliseconds(text: str) -> int:
    return sum(int(count[:20]) * _UNITS[unit] for count, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", text))


def _check_depth(text: str, found: tuple[Token, ...]) -> None:
    depth = row = 0
    for token in found:
        depth += (token.text in _OPEN) - (token.text in _CLOSE)
        row = row + 1 if token.text in ("-", "+", "^") else 0 if token.kind == "string" or token.text in "([{," else row
        if depth > MAX_DEPTH or row > 10 * MAX_DEPTH:
            raise PromqlError(text, token.column, f"query is nested deeper than {MAX_DEPTH}")


def selectors(found: tuple[Token, ...]) -> Iterator[Token]:
    """Where vector selectors begin, in reading order. `by`, `offset` and others are metrics where no keyword can stand."""
    depth = 0  # inside the braces of a selector, or inside a list of label names
    ended = False  # whether the words so far end a value, so that an operator must follow
    before = Token("sign", "", 0)
    for token, after in zip(found, (*found[1:], before), strict=False):
        word = token.text.lower()
        if depth:
            depth += (word in ("{", "(")) - (word in ("}", ")"))
            ended = True
        elif word == "{":
            depth = 1
            if not ended:
                yield token
        elif word == "(" and before.text.lower() in _BEFORE_LABELS:
            depth = 1
        elif token.kind != "word":
            ended = token.kind != "sign" or word in (")", "]", "}")
        elif word in _NUMBERS or after.text.lower() in ("by", "without"):  # an aggregation, if not a number
            ended = True
        elif after.text == "(" or word == "bool" or (ended and word in _OPERATORS):
            ended = False
        elif not _is_step(token):
            ended = True
            yield token
        before = token


def _is_step(token: Token) -> bool:
    """`:` or `:1m` of a subquery."""
    return token.text == ":" or (token.text[0] == ":" and token.text[1].isdigit())
