"""Durations, ratios, rates and sizes as people write them, and back.

Inside, seconds and ratios in [0, 1] as floats; units live at the edge, here. All arithmetic is decimal until the last
step, so that `99.9%` is 0.999 and not 0.9990000000000001 (ecosystem.md section 5.3). Every error is a Refused (a
ValueError) that names the value and the remedy; nothing else escapes, whatever the input.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from sim.files.errors import Refused
from sim.files.words import show

MAX_SECONDS = 10 * 365 * 86_400  # ten years; a longer wait is a typing error
MAX_RATE = 1e12  # per second
MAX_BYTES = 10**15

_LONGEST = 400  # characters; longer text is no unit, and Decimal need not see it
# Go: time.ParseDuration (time/format.go). `d` is ours, Go has none.
_SECONDS: dict[str, Decimal] = {
    "d": Decimal(86_400),
    "h": Decimal(3_600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),  # U+00B5, micro sign
    "μs": Decimal("1e-6"),  # U+03BC, Greek mu
    "ns": Decimal("1e-9"),
}
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_PART = re.compile(rf"({_NUMBER})(ns|us|µs|μs|ms|[smhd])")
_GO = re.compile(rf"([-+]?)((?:{_NUMBER}(?:ns|us|µs|μs|ms|[smhd]))+)")
# Prometheus: common/model/time.go `durationRE`; a year has 365 days, a week 7, a day 24 hours.
_PROM = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_PROM_MILLISECONDS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
_BARE = re.compile(rf"[-+]?{_NUMBER}")
_RATIO = re.compile(rf"([-+]?{_NUMBER})(%?)")
_RATE = re.compile(rf"([-+]?{_NUMBER})/([smhd])")
# Kubernetes: apimachinery/pkg/api/resource/quantity.go; no milli-bytes.
_SIZE = re.compile(rf"([-+]?{_NUMBER})([KMGTPE]i|[kMGTPE]|)")
_MULTIPLES = {"": 1, "k": 10**3, **{unit: 10 ** (3 * n) for n, unit in enumerate("MGTPE", 2)}}
_MULTIPLES |= {f"{unit}i": 1 << (10 * n) for n, unit in enumerate("KMGTPE", 1)}

_DURATION_HELP = "write e.g. 30s, 5m, 1h30m"
_PROM_HELP = "write e.g. 30s, 5m, 1h30m, with units falling and whole numbers"
_RATIO_HELP = "write e.g. 5% or 0.05"
_RATE_HELP = "write e.g. 200/s, 12000/m, 3/h"
_SIZE_HELP = "write e.g. 512Mi, 1G, 1048576"


def parse_duration(value: object, *, bare: bool = False, negative: bool = False, days: bool = True) -> float:
    """Seconds of a Go duration (`90s`, `1h30m`, `1.5h`, `250ms`; `0` needs no unit).

    `bare` takes a number without unit as seconds, `negative` a leading minus, `days` our unit `d`.
    """
    text = _text(value, "a duration", _DURATION_HELP)
    match = _GO.fullmatch(text)
    if match and (days or "d" not in text):
        seconds = sum((Decimal(number) * _SECONDS[unit] for number, unit in _PART.findall(match[2])), Decimal(0))
        seconds = -seconds if match[1] == "-" else seconds
    elif _BARE.fullmatch(text) and (bare or Decimal(text) == 0):
        seconds = Decimal(text)
    elif _BARE.fullmatch(text):
        raise Refused(f"{show(value)} is a duration without a unit", f"write e.g. {text}s or {text}m")
    else:
        raise Refused(f"{show(value)} is not a duration", _DURATION_HELP)
    return _seconds(value, seconds, negative)


def parse_prom_duration(value: object) -> float:
    """Seconds of a PromQL duration: whole numbers with `y w d h m s ms`, each once, in falling order; or `0`."""
    text = _text(value, "a PromQL duration", _PROM_HELP)
    match = _PROM.fullmatch(text)
    if text != "0" and (not text or match is None):
        raise Refused(f"{show(value)} is not a PromQL duration", _PROM_HELP)
    counts = match.groups("0") if match is not None else ()
    milliseconds = sum(int(count) * unit for count, unit in zip(counts, _PROM_MILLISECONDS, strict=False))
    return _seconds(value, Decimal(milliseconds) / 1000, False)


def format_duration(seconds: float, *, days: bool = True) -> str:
    """The canonical text, which parses back to an equal number: largest units first, no zero parts.

    Seconds of two digits stay seconds (`90s`, not `1m30s`). `days=False` for tools that read Go's units only.
    """
    if not math.isfinite(seconds) or abs(seconds) > MAX_SECONDS:
        raise Refused(f"{show(seconds)} seconds are not a duration", f"use at most {MAX_SECONDS}")
    sign, rest = ("-" if seconds < 0 else ""), abs(Decimal(repr(float(seconds))))
    if rest == 0:
        return "0s"
    if 60 < rest < 100 and rest == int(rest):
        return f"{sign}{int(rest)}s"
    parts = []
    for unit in ("d", "h", "m") if days else ("h", "m"):
        count, rest = divmod(rest, _SECONDS[unit])
        parts.append(f"{int(count)}{unit}" if count else "")
    return sign + "".join(parts) + _fraction(rest)


def parse_ratio(value: object) -> float:
    """A ratio in [0, 1] from `5%`, `99.9%` or a number."""
    match = _RATIO.fullmatch(_text(value, "a ratio", _RATIO_HELP))
    if match is None:
        raise Refused(f"{show(value)} is not a ratio", _RATIO_HELP)
    ratio = Decimal(match[1]) / (100 if match[2] else 1)
    if ratio < 0:
        raise Refused(f"{_shown(value)} is negative", "use 0% to 100%")
    if ratio > 1:
        hint = "use 0% to 100%" if match[2] or ratio > 100 else f"write {match[1]}% or a number from 0 to 1"
        raise Refused(f"{_shown(value)} is more than {'100%' if match[2] else '1'}", hint)
    return float(ratio)


def parse_rate(value: object) -> float:
    """Per second, from `200/s`, `12000/m`, `3/h`, `5/d`."""
    text = _text(value, "a rate", _RATE_HELP)
    match = _RATE.fullmatch(text)
    if match is None:
        if _BARE.fullmatch(text):
            raise Refused(f"{show(value)} is a rate without a unit", f"write e.g. {text}/s or {text}/m")
        raise Refused(f"{show(value)} is not a rate", _RATE_HELP)
    rate = Decimal(match[1]) / _SECONDS[match[2]]
    if rate < 0:
        raise Refused(f"{_shown(value)} is negative", "use 0/s or more")
    if rate > Decimal(MAX_RATE):
        raise Refused(f"{_shown(value)} is more than {MAX_RATE:.0f} per second", "check the number and its unit")
    return float(rate)


def format_rate(rate: float) -> str:
    """A rate per second as text that `parse_rate` reads back as the same number."""
    return f"{_plain(Decimal(repr(float(rate))))}/s"


def parse_bytes(value: object) -> int:
    """Bytes from a Kubernetes quantity: `512Mi`, `1.5Gi`, `1G`, `1048576`."""
    match = _SIZE.fullmatch(_text(value, "a size", _SIZE_HELP))
    if match is None:
        raise Refused(f"{show(value)} is not a size", _SIZE_HELP)
    size = Decimal(match[1]) * _MULTIPLES[match[2]]
    if size < 0:
        raise Refused(f"{_shown(value)} is negative", "use 0 or more")
    if size > MAX_BYTES:
        raise Refused(f"{_shown(value)} is more than 1000T", "check the number and its unit")
    if size != int(size):
        raise Refused(f"{_shown(value)} is not a whole number of bytes", _SIZE_HELP)
    return int(size)


def _text(value: object, what: str, remedy: str) -> str:
    """The value as text to be matched; numbers as their shortest decimal form. Refuses everything else."""
    if isinstance(value, str) and len(value) <= _LONGEST:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_LONGEST:
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return _plain(Decimal(repr(value)))
    raise Refused(f"{show(value)} is not {what}", remedy)


def _seconds(value: object, seconds: Decimal, negative: bool) -> float:
    if seconds < 0 and not negative:
        raise Refused(f"{_shown(value)} is negative", "write a duration of 0s or more")
    if abs(seconds) > MAX_SECONDS:
        raise Refused(f"{_shown(value)} is longer than 10 years", "check the number and its unit")
    return float(seconds)


def _fraction(rest: Decimal) -> str:
    """What is left below a minute, in the largest unit that makes it whole, else in the largest that makes it >= 1."""
    if rest == 0:
        return ""
    units = ("s", "ms", "us", "ns")
    whole = (unit for unit in units if rest % _SECONDS[unit] == 0)
    large = (unit for unit in units if rest >= _SECONDS[unit])
    unit = next(whole, None) if rest < 1 else None
    unit = unit or next(large, "ns")
    return f"{_plain(rest / _SECONDS[unit])}{unit}"


def _plain(number: Decimal) -> str:
    """Digits without an exponent and without zeros at the end of a fraction."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shown(value: object) -> str:
    """A value that is well formed but out of range: as written, without quotes."""
    return value if isinstance(value, str) and len(value) <= 40 else show(value)
