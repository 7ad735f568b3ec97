"""Random PromQL: expressions that are right, and texts that were.

`Maker(random, tame=True)` makes only what does not depend on the order of series, which promtool draws at random: at most two series
per metric and aggregations that commute.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

__all__ = ["Maker", "mutated"]

METRICS = {"a": ("i",), "b": ("i", "j"), "h_bucket": ("le", "i")}
RANGES = ("15s", "1m", "2m30s", "5m", "1h")
NUMBERS = ("0", "1", "2", "0.5", "-1", "3.7", "1e3", "-0.25", "NaN", "Inf", "-Inf", "0x1F", "1e-9", "100")
PLAIN = (
    "rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets", "avg_over_time", "sum_over_time", "min_over_time",
    "max_over_time", "count_over_time", "last_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time",
    "absent_over_time",
)  # fmt: skip
UNARY = (
    "abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "round", "sort", "sort_desc", "timestamp", "sin", "cos", "tan",
    "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad", "day_of_month", "day_of_week", "day_of_year",
    "days_in_month", "hour", "minute", "month", "year", "absent",
)  # fmt: skip
COMMUTING = ("sum", "min", "max", "count", "group")
OTHERS = ("avg", "stddev", "stdvar")
ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
LABELS = ("i", "j", "le", "none")


class Maker:
    def __init__(self, random: Random, *, tame: bool = False) -> None:
        self._r, self._tame = random, tame

    def make(self, depth: int = 3) -> str:
        return self.vector(depth) if self._r.random() < 0.85 else self.scalar(depth)

    # ---- leaves ----

    def selector(self) -> str:
        name = self._r.choice(tuple(METRICS))
        matchers = [self._matcher() for _ in range(self._r.choice((0, 0, 0, 1, 2)))]
        if not self._tame and self._r.random() < 0.05:
            return self._r.choice(('{__name__=~"a|b"}', '{__name__="a"}', '{i="1"}', "nosuch", "up:x"))
        return name + (f"{{{', '.join(matchers)}}}" if matchers else "")

    def _matcher(self) -> str:
        label, op = self._r.choice(LABELS), self._r.choice(("=", "!=", "=~", "!~"))
        return f'{label}{op}"{self._r.choice(("", "1", "2", ".*", "1|2", "[12]", ".+", "(?i)A"))}"'

    def _modified(self, text: str) -> str:
        if self._r.random() < 0.2:
            text += f" offset {self._r.choice(('', '-'))}{self._r.choice(('7s', '1m', '3m15s'))}"
        if self._r.random() < 0.1:
            text += f" @ {self._r.choice(('start()', 'end()', '100', '275.25', '0', '600'))}"
        return text

    def number(self) -> str:
        return self._r.choice(NUMBERS)

    # ---- types ----

    def scalar(self, depth: int) -> str:
        if depth <= 0:
            return self.number()
        choices: tuple[Callable[[], str], ...] = (
            self.number,
            lambda: "time()",
            lambda: "pi()",
            lambda: f"scalar({self.vector(depth - 1)})",
            lambda: f"{self.scalar(depth - 1)} {self._r.choice(ARITHMETIC)} {self.scalar(depth - 1)}",
            lambda: f"{self.scalar(depth - 1)} {self._r.choice(COMPARISONS)} bool {self.scalar(depth - 1)}",
            lambda: f"-({self.scalar(depth - 1)})",
        )
        return self._r.choice(choices)()

    def matrix(self, depth: int) -> str:
        if depth <= 1 or self._r.random() < 0.7:
            return self._modified(f"{self.selector()}[{self._r.choice(RANGES)}]")
        step = self._r.choice(("", "15s", "40s", "1m"))
        return self._modified(f"({self.vector(depth - 1)})[{self._r.choice(RANGES[:4])}:{step}]")

    def vector(self, depth: int) -> str:
        if depth <= 0:
            return self._modified(self.selector())
        made: tuple[Callable[[int], str], ...] = (
            self._ranged, self._ranged, self._ranged, self._unary, self._aggregate, self._aggregate, self._binary, self._binary,
            self._with_scalar, self._special,
        )  # fmt: skip
        return self._r.choice(made)(depth)

    def _ranged(self, depth: int) -> str:
        kind = self._r.random()
        if kind < 0.8:
            return f"{self._r.choice(PLAIN)}({self.matrix(depth)})"
        if kind < 0.9:
            return f"quantile_over_time({self.scalar(depth - 2)}, {self.matrix(depth)})"
        return f"predict_linear({self.matrix(depth)}, {self.scalar(depth - 2)})"

    def _unary(self, depth: int) -> str:
        return f"{self._r.choice(UNARY)}({self.vector(depth - 1)})"

    def _aggregate(self, depth: int) -> str:
        by = self._r.choice(("", " by (i)", " by (i, j)", " without (j)", " by ()", " without (le, none)", " by (le)"))
        inner = self.vector(depth - 1)
        kind = self._r.random()
        if kind < 0.1:
            return f"quantile{by} ({self.scalar(depth - 2)}, {inner})"
        if kind < 0.2:
            return f'count_values{by} ("{self._r.choice(("v", "i", "none"))}", {inner})'
        if kind < 0.3 and not self._tame:
            return f"{self._r.choice(('topk', 'bottomk'))}{by} ({self.scalar(depth - 2)}, {inner})"
        return f"{self._r.choice(COMMUTING if self._tame else COMMUTING + OTHERS)}{by} ({inner})"

    def _binary(self, depth: int) -> str:
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        how = self._r.choice(("", "", " on (i)", " ignoring (j, le)", " on ()"))
        if self._r.random() < 0.25:
            return f"({left}) {self._r.choice(('and', 'unless') if self._tame else ('and', 'or', 'unless'))}{how} ({right})"
        side = self._r.choice((" group_left", " group_right", " group_left (j)", "")) if how else ""
        if self._r.random() < 0.3:
            op = f"{self._r.choice(COMPARISONS)}{self._r.choice(('', ' bool'))}"
            return f"({left}) {op}{how}{side} ({right})"
        return f"({left}) {self._r.choice(ARITHMETIC)}{how}{side} ({right})"

    def _with_scalar(self, depth: int) -> str:
        sides = [f"({self.vector(depth - 1)})", f"({self.scalar(depth - 2)})"]
        self._r.shuffle(sides)
        op = self._r.choice((*ARITHMETIC, *COMPARISONS, *(f"{one} bool" for one in COMPARISONS)))
        return f"{sides[0]} {op} {sides[1]}"

    def _special(self, depth: int) -> str:
        inner = self.vector(depth - 1)
        choices = (
            f"histogram_quantile({self.scalar(depth - 2)}, {self._r.choice((inner, 'h_bucket', 'rate(h_bucket[2m])'))})",
            f"clamp({inner}, {self.scalar(depth - 2)}, {self.scalar(depth - 2)})",
            f"clamp_min({inner}, {self.scalar(depth - 2)})",
            f"clamp_max({inner}, {self.scalar(depth - 2)})",
            f"round({inner}, {self.scalar(depth - 2)})",
            f'label_replace({inner}, "{self._r.choice(("j", "new", "i"))}", "$1-x", "i", "(.*)")',
            f'label_join({inner}, "new", "-", "i", "j")',
            f"vector({self.scalar(depth - 1)})",
            f"-({inner})",
            f"({inner})",
        )
        return self._r.choice(choices)


_PIECES = (
    *"(){}[],:@^%=!~<>'\"`$#\\.\n\t", "é", "\ud800", "\0", "offset", " by ", "bool", "1e", "0x", "9999999999y", "5m", "[1y:1ms]",
    "[2999999y]", "[999999999y15s]", "[1e300]", ":1e30]",
    "offset NaN", "group_left", "-" * 50, "(" * 50, "x{", '=~"(?=a)"', "__name__", "histogram_sum(", "limitk(", "start()", "@ -1e300",
    "offset -99999y", "offset 2999999y", "info(", "fill(0)", "1_000",
)  # fmt: skip


def mutated(random: Random, text: str) -> str:
    """A few characters dropped, doubled, exchanged, or something odd put in."""
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(text) + 1)
        end = min(len(text), at + random.choice((1, 1, 2, 5, 20)))
        match random.randrange(5):
            case 0:
                text = text[:at] + text[end:]
            case 1:
                text = text[:at] + random.choice(_PIECES) + text[at:]
            case 2:
                text = text[:at] + text[at:end] * 2 + text[end:]
            case 3:
                text = text[:at] + text[at:end][::-1] + text[end:]
            case _:
                other = random.randrange(len(text) + 1)
                text = text[:at] + text[other : other + 8] + text[end:]
    return text
