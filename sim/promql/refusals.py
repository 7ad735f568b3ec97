"""Functions and forms of PromQL that are refused by name, and why; and what a version does not know yet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.promql.lexer import LONGEST, Token
from sim.promql.profiles import Profile

__all__ = ["foreign", "refusal"]

_BARE_STEP = re.compile(r":[0-9_]+")  # of `[5m:60]`, which the lexer takes for a name
_NATIVE = "works on native histograms, which are not supported; use histogram_quantile over classic _bucket series"
_EXPERIMENTAL = "is experimental in Prometheus (--enable-feature=promql-experimental-functions) and not supported"

_REFUSED = {
    **dict.fromkeys(("histogram_avg", "histogram_count", "histogram_fraction", "histogram_quantiles"), _NATIVE),
    **dict.fromkeys(("histogram_stddev", "histogram_stdvar", "histogram_sum"), _NATIVE),
    **dict.fromkeys(
        ("sort_by_label", "sort_by_label_desc", "mad_over_time", "info", "limitk", "limit_ratio"), _EXPERIMENTAL
    ),
    **dict.fromkeys(("ts_of_max_over_time", "ts_of_min_over_time", "ts_of_last_over_time"), _EXPERIMENTAL),
    **dict.fromkeys(("ts_of_first_over_time", "first_over_time", "double_exponential_smoothing"), _EXPERIMENTAL),
    "holt_winters": "was renamed to double_exponential_smoothing in Prometheus 3, where it is experimental; not supported",
}


def refusal(name: str, profile: Profile) -> str:
    """What is wrong with calling a function or aggregation of this name; '' if nothing."""
    if name in profile.functions:
        return ""
    return f"{name} {_REFUSED[name]}" if name in _REFUSED else f"unknown function with name '{name}'"


def foreign(found: tuple[Token, ...], profile: Profile) -> Iterator[tuple[Token, str]]:
    """Forms that the parser takes and this version does not (Prometheus 2.x: `promql/parser/lex.go` of v2.42.0)."""
    braces = brackets = 0
    before = Token("sign", "", 0)
    for index, token in enumerate(found):
        if token.kind == "sign":
            braces += (token.text == "{") - (token.text == "}")
            brackets += (token.text == "[") - (token.text == "]")
        timed = brackets > 0 or _after_offset(found, index)
        if token.kind == "word" and braces and token.text == "or":
            yield token, "'or' between label matchers is not PromQL"
        if token.kind == "word" and token.text in ("fill", "fill_left", "fill_right") and _called(found, token):
            yield token, f"{token.text} is experimental in Prometheus and not supported"
        if timed and token.kind in ("number", "word") and _too_long(token.text):
            yield token, "duration out of range"
        if not profile.modern:
            if token.kind == "duration" and not timed:
                yield token, f"bad number or duration syntax: {token.text!r}"
            elif timed and (token.kind == "number" or (brackets and _BARE_STEP.fullmatch(token.text))):
                yield token, f"bad duration syntax: {token.text!r}; a duration needs a unit before Prometheus 3"
            elif token.kind == "string" and braces and before.text in ("{", ","):
                yield token, f"unexpected {token.text} in label matching, expected identifier or right brace"
        before = token


def _too_long(text: str) -> bool:
    """Whether a bare number is no duration: the parser would panic. A step has its colon with it."""
    try:
        seconds = float(int(text, 16)) if text[:2].lower() == "0x" else float(text.lstrip(":"))
    except ValueError:
        return False
    return not seconds <= LONGEST / 1000


def _after_offset(found: tuple[Token, ...], index: int) -> bool:
    """Whether a word is what `offset` (the modifier, not a metric of that name) asks for, with a sign or without."""
    at = index - 1 - (index > 0 and found[index - 1].text in ("+", "-"))
    if at < 1 or found[at].text.lower() != "offset":
        return False
    before = found[at - 1]
    return before.kind != "sign" or before.text in (")", "]", "}")


def _called(found: tuple[Token, ...], token: Token) -> bool:
    at = found.index(token)
    return (
        at + 1 < len(found) and found[at + 1].text == "(" and at > 0 and found[at - 1].text in (")", "+", "-", "*", "/")
    )
