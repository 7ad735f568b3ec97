"""Text to tokens (delivery-systems.md 3.1): numbers, strings, words, operators, brackets, comments."""

from __future__ import annotations

from dataclasses import dataclass

from sim.policy.expr.errors import ConditionError
from sim.policy.expr.literals import string_escapes
from sim.policy.expr.profile import Profile

WORD_OPERATORS = frozenset(("not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let"))
MODERN_WORDS = frozenset(("if", "else"))
DIGITS = {"x": "0123456789abcdefABCDEF_", "o": "01234567_", "b": "01_"}
DECIMAL = "0123456789_"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: kind is number, string, word, operator, bracket or end; `at` is a 0-based offset."""

    kind: str
    value: str
    at: int

    def describe(self) -> str:
        return "the end" if self.kind == "end" else f"{self.value!r}"


def letter(char: str) -> bool:
    return char in "_$" or char.isalpha()


def wordlike(char: str) -> bool:
    return letter(char) or char.isdecimal()


class Lexer:
    """Reads one condition; `tokens()` is the whole list, ending with an `end` token."""

    def __init__(self, text: str, profile: Profile) -> None:
        self.text = text
        self.profile = profile
        self.at = 0

    def tokens(self) -> list[Token]:
        found: list[Token] = []
        while self._skip_blank():
            found.append(self._token())
        found.append(Token("end", "", max(len(self.text) - 1, 0)))
        return found

    def _fail(self, at: int, problem: str, remedy: str = "") -> ConditionError:
        return ConditionError(self.text, at + 1, problem, remedy)

    def _peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.text[place] if place < len(self.text) else "\0"

    def _skip_blank(self) -> bool:
        """Step over blanks and comments; False at the end of the text."""
        while self.at < len(self.text):
            if self._peek().isspace() and self._peek() not in "\x1c\x1d\x1e\x1f":
                self.at += 1
            elif self.text.startswith("//", self.at):
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end + 1
            elif self.text.startswith("/*", self.at):
                end = self.text.find("*/", self.at + 2)
                if end < 0:
                    raise self._fail(self.at, "the comment is not closed", "end it with */")
                self.at = end + 2
            else:
                return True
        return False

    def _token(self) -> Token:
        char, start = self._peek(), self.at
        if char in "'\"":
            return self._string(char)
        if char == "`":
            return self._raw_string()
        if char in "bB" and self._peek(1) in "'\"":
            raise self._fail(start, "bytes literals are not supported", "use a string")
        if char in "0123456789" or (char == "." and self._peek(1) in "0123456789"):
            return self._number()
        if wordlike(char):
            return self._word()
        if char in "([{)]}":
            self.at += 1
            return Token("bracket", char, start)
        return self._operator(char)

    def _operator(self, char: str) -> Token:
        start = self.at
        followers = {"?": ".?", "|": "|", ".": ".", **dict.fromkeys("&!=*<>", "&=*"), **dict.fromkeys(",;%+-^/#", "")}
        followers[":"] = ":" if self.profile.modern else ""
        followers["#"] = "#" if self.profile.modern else ""
        if char not in followers:
            raise self._fail(start, f"the character {char!r} means nothing here", "remove it or quote it")
        self.at += 1
        if self._peek() in followers[char] and self.at < len(self.text):
            self.at += 1
        return Token("operator", self.text[start : self.at], start)

    def _word(self) -> Token:
        start = self.at
        while self.at < len(self.text) and wordlike(self.text[self.at]):
            self.at += 1
        word = self.text[start : self.at]
        operator = word in WORD_OPERATORS or (self.profile.modern and word in MODERN_WORDS)
        return Token("operator" if operator else "word", word, start)

    def _run(self, allowed: str) -> None:
        while self.at < len(self.text) and self.text[self.at] in allowed:
            self.at += 1

    def _number(self) -> Token:
        start, digits = self.at, DECIMAL
        if self._peek() == "0" and self._peek(1).lower() in DIGITS:
            digits = DIGITS[self._peek(1).lower()]
            self.at += 2
        self._run(digits)
        if self._peek() == "." and self._peek(1) == ".":  # 1..3 is a range
            return Token("number", self.text[start : self.at], start)
        if self._peek() == ".":
            self.at += 1
            self._run(digits)
        if self._peek() in "eE":
            self.at += 1
            if self._peek() in "+-":
                self.at += 1
            self._run(digits)
        if self.at < len(self.text) and wordlike(self.text[self.at]):
            raise self._fail(self.at, f"bad number {self.text[start : self.at + 1]!r}", "write 42, 0x2A, 0.5 or 1e-3")
        return Token("number", self.text[start : self.at], start)

    def _string(self, quote: str) -> Token:
        start = self.at
        self.at += 1
        while self._peek() != quote or self.at >= len(self.text):
            if self.at >= len(self.text) or self._peek() == "\n":
                raise self._fail(start, "the string is not closed", f"end it with {quote}")
            self.at += 2 if self._peek() == "\\" else 1
        self.at += 1
        body = self.text[start + 1 : self.at - 1]
        if "\\u{" in body and not self.profile.modern:
            raise self._fail(start, f"\\u{{…}} is unknown to {self.profile.name}", r"use \uXXXX or \UXXXXXXXX")
        try:
            return Token("string", string_escapes(body, quote), start)
        except ValueError as error:
            raise self._fail(start, str(error), r"use \n \t \\ \" \' \xNN \uXXXX, or double the backslash") from None

    def _raw_string(self) -> Token:
        start, parts = self.at, [""]
        if not self.profile.modern:
            raise self._fail(start, f"raw strings are unknown to {self.profile.name}", "use '…' or \"…\"")
        self.at += 1
        while True:
            end = self.text.find("`", self.at)
            if end < 0:
                raise self._fail(start, "the raw string is not closed", "end it with `")
            parts.append(self.text[self.at : end])
            self.at = end + 1
            if self._peek() != "`" or self.at >= len(self.text):
                return Token("string", "".join(parts), start)
            parts.append("`")  # a doubled back-tick is one back-tick
            self.at += 1
