"""What the parser would read in its own way is put aside, and a stand-in parsed: times after `@`, which it rounds to what a datetime
holds, and regular expressions, which it checks with Rust's engine and not with RE2."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sim.files.units import parse_prom_duration
from sim.promql import regex
from sim.promql.errors import PromqlError
from sim.promql.lexer import Token

__all__ = ["Aside", "put_aside"]

# Go reads \xff and \377 as a byte, the parser as a character; below 0x80 they are the same.
_BYTE = re.compile(r"(?:[^\\]|^)(?:\\\\)*\\(?:x[89a-fA-F][0-9a-fA-F]|[2-3][0-7][0-7])")


@dataclass(frozen=True, slots=True)
class Aside:
    """text: for the parser. stamps: seconds, by the number that stands for each. patterns: text and meaning, likewise."""

    text: str
    stamps: tuple[float, ...]
    patterns: tuple[tuple[str, regex.Pattern], ...]


def put_aside(text: str, found: tuple[Token, ...], modern: bool) -> Aside:
    """PromqlError for a regular expression that RE2 refuses. `modern`: 3.x, where
    `.` matches a newline and numbers may have underscores."""
    out: list[str] = []
    stamps: list[float] = []
    patterns: list[tuple[str, regex.Pattern]] = []
    done = 0
    for index, token in enumerate(found):
        if token.kind == "string" and token.text[0] != "`" and _BYTE.search(token.text):
            raise PromqlError(
                text, token.column, "escapes of single bytes above 0x7f are not supported; write the character"
            )
        if token.text == "@" and (number := _number(found, index + 1, modern)) is not None:
            value, end = number
            out += [text[done : token.start + 1], f" {len(stamps)} "]
            stamps.append(value)
            done = end
        elif token.text in ("=~", "!~") and index + 1 < len(found) and found[index + 1].kind == "string":
            literal = found[index + 1]
            pattern = _pattern(text, literal, modern)
            if pattern is None:
                continue
            empty = "|" if pattern[1].matches("") else ""  # the parser wants to know whether nothing would match
            out += [text[done : literal.start], f'"{len(patterns)}{empty}"']
            patterns.append(pattern)
            done = literal.start + len(literal.text)
        elif modern and token.start >= done and (plain := _grouped(text, token)):
            out += [text[done : token.start], plain]
            done = token.start + len(token.text)
    return Aside("".join([*out, text[done:]]), tuple(stamps), tuple(patterns))


def _number(found: tuple[Token, ...], at: int, modern: bool) -> tuple[float, int] | None:
    """The signed number that begins here, and where it ends."""
    sign = 1.0
    if at < len(found) and found[at].text in ("-", "+"):
        sign = -1.0 if found[at].text == "-" else 1.0
        at += 1
    if at == len(found) or found[at].kind not in ("number", "duration"):
        return None
    text = found[at].text
    if "_" in text and (not modern or _MISPLACED.search(text)):
        return None
    try:
        value = parse_prom_duration(text) if found[at].kind == "duration" else _float(text.replace("_", ""))
    except ValueError:
        return None  # the parser will say it
    return sign * value, found[at].start + len(text)


def _float(text: str) -> float:
    return float(int(text, 16)) if text[:2].lower() == "0x" else float(text)


_MISPLACED = re.compile(r"_(?:[._eE]|$)|\._|^[^_]*$")


def _grouped(text: str, token: Token) -> str:
    """`1_000` without its underscores, '' for anything else. Source: scanNumber, promql/parser/lex.go v3.5.1."""
    after = text[token.start + len(token.text) :][:1]
    if token.kind != "number" or _MISPLACED.search(token.text) or after.isalnum():
        return ""
    return token.text.replace("_", "")


def _pattern(text: str, literal: Token, newline: bool) -> tuple[str, regex.Pattern] | None:
    import promql_parser

    try:
        tree: Any = promql_parser.parse(literal.text)
    except ValueError:
        return None  # the parser will say it of the whole
    try:
        return tree.val, regex.compile(tree.val, newline)
    except ValueError as error:
        raise PromqlError(text, literal.column, f"error parsing regexp: {error}: `{tree.val}`") from None
