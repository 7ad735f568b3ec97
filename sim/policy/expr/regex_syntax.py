"""RE2's pattern syntax to a tree (https://github.com/google/re2/wiki/Syntax), as Go's regexp reads it.

Refused as RE2 refuses them: lookaround, backreferences, atomic groups, possessive and doubled quantifiers. Refused
by us only: Unicode scripts (\\p{Greek}); general categories (\\pL, \\p{Nd}) work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeAlias

from sim.policy.expr.regex_classes import CATEGORIES, LAST, PERL, POSIX, Charset, Ranges, complement

GROUPS = 40  # nesting; RE2 allows 1,000
REPEATS = 1000
COUNT = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}")
GROUP_NAME = re.compile(r"\?P?<([^>]*)>")
FLAGS = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])")
POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
CATEGORY = re.compile(r"([pP])(?:\{(\^?)([^}]*)\}|(.))")
HEX = re.compile(r"x(?:\{([0-9A-Fa-f]{1,8})\}|([0-9A-Fa-f]{2}))")
OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
CONTROL = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
ASSERTIONS = {"A": "start", "z": "end", "b": "word boundary", "B": "no word boundary"}


class PatternError(ValueError):
    """Not a pattern; the text has problem and remedy."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A condition on the place: start, end, line start, line end, word boundary, no word boundary."""

    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    parts: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    parts: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    body: Piece
    least: int
    most: int | None


Piece: TypeAlias = "Charset | Assertion | Row | Alternatives | Repeat"


@dataclass(frozen=True, slots=True)
class Flags:
    """i: fold case, m: ^ and $ at lines, s: . takes a newline too."""

    i: bool = False
    m: bool = False
    s: bool = False


def parse_pattern(pattern: str) -> Piece:
    """The tree of a pattern."""
    reader = _Reader(pattern)
    piece = reader.alternatives()
    if reader.at < len(pattern):
        raise PatternError(f"unexpected ) in the pattern {pattern!r}; escape it: \\)")
    return piece


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = Flags()
        self.depth = 0

    def fail(self, problem: str, remedy: str) -> PatternError:
        return PatternError(f"{problem} in the pattern {self.pattern!r}; {remedy}")

    def sees(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def alternatives(self) -> Piece:
        flags, rows = self.flags, [self.row()]
        while self.sees("|"):
            self.at += 1
            rows.append(self.row())
        self.flags = flags  # flags set inside a group end with it
        return rows[0] if len(rows) == 1 else Alternatives(tuple(rows))

    def row(self) -> Piece:
        parts: list[Piece] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            if self.sees("\\Q"):
                parts.extend(self.quoted())
                continue
            piece = self.atom()
            if piece is not None:
                parts.append(self.repeats(piece))
        return Row(tuple(parts))

    def quoted(self) -> list[Piece]:
        end = self.pattern.find("\\E", self.at + 2)
        text = self.pattern[self.at + 2 : end if end >= 0 else len(self.pattern)]
        self.at = len(self.pattern) if end < 0 else end + 2
        pieces: list[Piece] = [self.single(char) for char in text]
        if pieces:
            pieces[-1] = self.repeats(pieces[-1])
        return pieces

    def repeats(self, piece: Piece) -> Piece:
        bounds = self.bounds()
        if bounds is None:
            return piece
        if self.sees("?"):
            self.at += 1
        start = self.at
        if self.bounds() is not None:
            raise self.fail(f"the doubled quantifier {self.pattern[start - 1 : self.at]!r}", "keep one, or group: (…)")
        return Repeat(piece, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        """The quantifier here, if there is one."""
        char = self.pattern[self.at : self.at + 1]
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if char in simple:
            self.at += 1
            return simple[char]
        match = COUNT.match(self.pattern, self.at)
        if match is None:
            return None  # also a { that is only a character
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if max(least, most or 0) > REPEATS or (most is not None and most < least):
            raise self.fail(f"the repeat count {match[0]}", f"use rising counts up to {REPEATS}")
        self.at = match.end()
        return least, most

    def single(self, char: str) -> Charset:
        return Charset(((ord(char), ord(char)),), folded=self.flags.i)

    def atom(self) -> Piece | None:
        char = self.pattern[self.at]
        if char in "*+?":
            raise self.fail(f"{char} repeats nothing", f"escape it: \\{char}")
        if char == "(":
            return self.group()
        if char == "[":
            return self.bracket()
        if char == "\\":
            return self.escape()
        self.at += 1
        if char == ".":
            return Charset(((0, LAST),) if self.flags.s else complement(((10, 10),)))
        if char in "^$":
            edge = "start" if char == "^" else "end"
            return Assertion(f"line {edge}" if self.flags.m else edge)
        return self.single(char)

    def group(self) -> Piece | None:
        """A group; None for (?i), which only sets flags."""
        outer = self.flags
        self.at += 1
        if self.sees("?"):
            flags, name = FLAGS.match(self.pattern, self.at), GROUP_NAME.match(self.pattern, self.at)
            if flags:
                self.at = flags.end()
                self.flags = _set(_set(outer, flags[1], True), flags[2] or "", False)
                if flags[3] == ")":
                    return None
            elif name and re.fullmatch(r"\w+", name[1]):
                self.at = name.end()
            else:
                raise self.fail(
                    "a group that RE2 does not know (lookaround, atomic group or a bad name)",
                    "use (…), (?:…), (?P<name>…) or (?i)",
                )
        self.depth += 1
        if self.depth > GROUPS:
            raise self.fail(f"groups nested more than {GROUPS} levels", "take parentheses away")
        inside = self.alternatives()
        self.depth -= 1
        if not self.sees(")"):
            raise self.fail("a ( that is not closed", "add ), or escape it: \\(")
        self.at += 1
        self.flags = outer
        return inside

    def escape(self) -> Piece:
        rest = self.pattern[self.at + 1 : self.at + 2]
        if rest in PERL:
            self.at += 2
            return Charset(PERL[rest])
        if rest and rest in "pP":
            return self.category()
        if rest in ASSERTIONS:
            self.at += 2
            return Assertion(ASSERTIONS[rest])
        return self.single(chr(self.code()))

    def category(self) -> Charset:
        match = CATEGORY.match(self.pattern, self.at + 1)
        name = (match[3] or match[4] or "") if match else ""
        if match is None or (name not in CATEGORIES and name != "Any"):
            raise self.fail(
                f"the Unicode class {name!r} is not supported", "use a general category such as \\pL or \\p{Nd}"
            )
        self.at = match.end()
        return Charset(categories=((name, (match[1] == "P") != (match[2] == "^")),))

    def code(self) -> int:
        """The character of an escape that stands for one."""
        self.at += 1
        rest = self.pattern[self.at : self.at + 1]
        hexes, octal = HEX.match(self.pattern, self.at), OCTAL.match(self.pattern, self.at)
        if rest in CONTROL and rest:
            self.at += 1
            return ord(CONTROL[rest])
        if hexes and int(hexes[1] or hexes[2], 16) <= LAST:
            self.at = hexes.end()
            return int(hexes[1] or hexes[2], 16)
        if octal:
            self.at = octal.end()
            return int(octal[0], 8)
        if rest and rest.isascii() and not rest.isalnum():
            self.at += 1
            return ord(rest)
        what = "a backreference" if rest.isdigit() else "an escape"
        raise self.fail(f"\\{rest} is {what} that RE2 does not know", "write the characters themselves")

    def bracket(self) -> Charset:
        """[…]: ranges, escapes, perl and POSIX classes."""
        start = self.at
        self.at += 1
        negated = self.sees("^")
        self.at += negated
        found: list[tuple[int, int]] = []
        categories: list[tuple[str, bool]] = []
        first = True
        while not self.sees("]") or first:
            if self.at >= len(self.pattern):
                raise self.fail(f"[ at {start + 1} is not closed", "add ], or escape it: \\[")
            first = False
            whole = self.bracket_class(categories)
            found.extend(whole if whole is not None else [self.bracket_range()])
        self.at += 1
        return Charset(tuple(found), tuple(categories), negated, self.flags.i)

    def bracket_class(self, categories: list[tuple[str, bool]]) -> Ranges | None:
        posix = POSIX_CLASS.match(self.pattern, self.at)
        if posix:
            if posix[2] not in POSIX:
                raise self.fail(f"the class {posix[0]} is unknown", f"use one of {', '.join(POSIX)}")
            self.at = posix.end()
            return complement(POSIX[posix[2]]) if posix[1] else POSIX[posix[2]]
        after = self.pattern[self.at + 1 : self.at + 2] if self.sees("\\") else ""
        if after in PERL:
            self.at += 2
            return PERL[after]
        if after and after in "pP":
            categories.extend(self.category().categories)
            return ()
        return None

    def bracket_range(self) -> tuple[int, int]:
        start = self.at
        low = high = self.bracket_char()
        if self.sees("-") and not self.sees("-]"):
            self.at += 1
            high = self.bracket_char()
        if high < low:
            raise self.fail(f"the range {self.pattern[start : self.at]}", "write the smaller character first")
        return low, high

    def bracket_char(self) -> int:
        if self.sees("\\"):
            return self.code()
        if self.at >= len(self.pattern):
            raise self.fail("[ is not closed", "add ], or escape it: \\[")
        self.at += 1
        return ord(self.pattern[self.at - 1])


def _set(flags: Flags, letters: str, value: bool) -> Flags:
    """The flags with these letters set; U (greediness) has no meaning for yes or no."""
    return replace(flags, **{letter: value for letter in letters if letter != "U"})
