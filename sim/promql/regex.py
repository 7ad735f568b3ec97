"""Regular expressions as Prometheus reads them: RE2, by Google's own library, anchored at both ends.

Python's `re` is another language (lookaround, backreferences, possessive repetition; `$` before a last newline; `\\d` beyond ASCII;
exponential time); RE2 is what Go's `regexp` follows, to the letter but for `\\C`, and takes linear time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

__all__ = ["Pattern", "compile"]


class Pattern:
    """One anchored expression. Not for comparing: the text is what tells two of them apart."""

    __slots__ = ("_regex",)

    def __init__(self, regex: Any) -> None:
        self._regex = regex

    def matches(self, text: str) -> bool:
        return self._regex.search(text) is not None

    def expand(self, text: str, template: str) -> str | None:
        """`template` with its `$1`, `${1}`, `$name` filled from the match (Go: Regexp.Expand), None without a match."""
        found = self._regex.search(text)
        if found is None:
            return None
        groups = {str(number): found.group(number) for number in range(self._regex.groups + 1)}
        groups |= {name: found.group(name) for name in self._regex.groupindex}
        return _filled(template, groups)


@lru_cache(maxsize=4096)
def compile(text: str, newline: bool) -> Pattern:
    """ValueError with RE2's reason. `newline`: whether `.` matches one (since Prometheus 3.0)."""
    import re2

    options = re2.Options()
    options.log_errors = False
    inner = f"(?s:{text})" if newline else f"(?:{text})"
    try:
        if "\\C" in text.replace("\\\\", ""):
            raise ValueError("invalid escape sequence: \\C")
        re2.compile(text, options)  # alone, so that `a)(b` cannot borrow our parentheses
        return Pattern(re2.compile(f"^{inner}$", options))
    except re2.error as error:
        reason = error.args[0] if error.args else "it is not valid"
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None


def _filled(template: str, groups: dict[str, str | None]) -> str:
    out, rest = [], template
    while rest:
        before, dollar, rest = rest.partition("$")
        out.append(before)
        if not dollar:
            break
        if rest.startswith("$"):
            out.append("$")
            rest = rest[1:]
            continue
        name, rest_after = _name(rest)
        if not name:
            out.append("$")  # malformed: the dollar stands for itself (Go: Regexp.expand)
            continue
        out.append(groups.get(name) or "")
        rest = rest_after
    return "".join(out)


def _name(text: str) -> tuple[str, str]:
    """The reference after a dollar and what follows it; ('', ...) if there is none."""
    brace = text.startswith("{")
    body = text[1:] if brace else text
    end = 0
    while end < len(body) and (body[end] == "_" or body[end].isalnum()):
        end += 1
    if not end or (brace and body[end : end + 1] != "}"):
        return "", text
    return body[:end], body[end + brace :]
