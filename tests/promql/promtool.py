"""The real promtool: what it says of expressions, value by value.

promtool prints what it got only where that is not what a test expects, so every test here expects a sample that no expression gives.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Samples = dict[tuple[tuple[str, str], ...], float]

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seatrial" / "promtool" / "promtool"
_NEVER = {"labels": "promtool_prints_what_it_got", "value": 1}
_ENTRY = re.compile(
    r'^    expr: (".*?[^\\]"), time: (\S+?),(?: err: (.*)|\n        exp: .*\n        got: (.*))$', re.MULTILINE
)
_SAMPLE = re.compile(r"\{((?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*)\} (\S+?)(?:, |$)")
_LABEL = re.compile(r"([A-Za-z0-9_]+)=(\"(?:[^\"\\]|\\.)*\")")


@dataclass(frozen=True)
class Said:
    """Of one expression: its samples, or the error."""

    samples: Samples
    error: str = ""


def program() -> str:
    found = str(_CACHE) if _CACHE.is_file() else shutil.which("promtool")
    assert found, "promtool is missing: sh tests/need_promtool.sh"
    return found


def passes(folder: Path, document: dict[str, Any]) -> tuple[bool, str]:
    """Whether promtool is content with a test file, and what it prints."""
    file = folder / "promtool.yml"
    file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    done = subprocess.run([program(), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def ask(
    folder: Path, step: str, interval: str, series: list[dict[str, str]], cases: Iterable[tuple[str, str]]
) -> list[Said]:
    """What it says of each (expression, time), in order."""
    asked = list(cases)
    tests = [{"expr": text, "eval_time": at, "exp_samples": [_NEVER]} for text, at in asked]
    group = {"interval": interval, "input_series": series, "promql_expr_test": tests}
    _, printed = passes(folder, {"evaluation_interval": step, "tests": [group]})
    found = _ENTRY.findall(printed)
    assert len(found) == len(asked), f"{len(found)} answers to {len(asked)} questions:\n{printed[:2000]}"
    return [Said(_samples(got), error) for _, _, error, got in found]


def _samples(text: str) -> Samples:
    if text == "nil":
        return {}
    found = {_labels(inner): float(value) for inner, value in _SAMPLE.findall(text)}
    assert len(found) == len(_SAMPLE.findall(text)), text
    return found


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, _unquoted(value)) for name, value in _LABEL.findall(text))


def _unquoted(text: str) -> str:
    return str(yaml.safe_load(text))  # Go's escapes are among those of YAML's double quotes
