"""Files in promtool's unit-test format, as far as they test expressions. Source: cmd/promtool/unittest.go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from sim.files import Document, FileErrors, Problem, Refused, parse_prom_duration, validate
from sim.files.fields import Strict
from sim.promql.errors import PromqlError
from sim.promql.floats import number
from sim.promql.labels import NAME, Labels, get
from sim.promql.notation import metric, sequence
from sim.promql.query import Query, compile
from sim.promql.trials import Case, Group, Suite

__all__ = ["read"]

Span = Annotated[float, BeforeValidator(parse_prom_duration)]
Text = Annotated[
    str, BeforeValidator(lambda value: value if isinstance(value, str) else "" if value is None else str(value))
]
Number = Annotated[float, BeforeValidator(lambda value: _number(value))]


def _number(value: Any) -> Any:
    """YAML 1.1 reads `1e3` as a number, and so does promtool."""
    if type(value) is int:
        return float(value)
    found = number(value) if isinstance(value, str) else None
    return value if found is None else found


class _Sample(Strict):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=True)

    labels: Text = ""
    value: Number = 0.0
    histogram: Text = ""


class _Case(Strict):
    expr: Text
    eval_time: Span = 0.0
    exp_samples: list[_Sample] | None = None


class _Series(Strict):
    series: Text
    values: Any = ""


class _Group(Strict):
    name: Text = ""
    interval: Span | None = None
    input_series: list[_Series] | None = None
    promql_expr_test: list[_Case] | None = None
    alert_rule_test: list[Any] | None = None
    external_labels: dict[str, Any] | None = None
    external_url: Text = ""


class _File(Strict):
    rule_files: list[Any] | None = None
    evaluation_interval: Span = Field(default=60.0)
    group_eval_order: list[Any] | None = None
    fuzzy_compare: bool = False
    tests: list[_Group] | None = None


@dataclass(slots=True)
class _Reading:
    """One file being read; problems are collected, so that all are told at once."""

    document: Document
    profile: str
    problems: list[Problem]

    def blame(self, path: tuple[str | int, ...], problem: str, remedy: str = "", shift: int = 0) -> None:
        found = self.document.problem(path, problem, remedy)
        self.problems.append(Problem(found.file, found.line, found.column + shift, found.path, problem, remedy))


def read(document: Document, profile: str) -> Suite:
    """The tests of a file. FileErrors with everything that is wrong, queries included."""
    file = validate(_File, document)
    reading = _Reading(document, profile, [])
    step = file.evaluation_interval or 60.0
    groups = [_group(reading, index, group, step) for index, group in enumerate(file.tests or ())]
    if reading.problems:
        raise FileErrors(reading.problems, {document.file: document.text})
    return Suite(document.file, step, tuple(one for one in groups if one is not None), tuple(_remarks(file)))


def _remarks(file: _File) -> list[str]:
    alerts = sum(len(group.alert_rule_test or ()) for group in file.tests or ())
    remarks = []
    if file.rule_files:
        remarks.append("rule_files are not read: recording and alerting rules are not evaluated")
    if alerts:
        remarks.append(f"{alerts} alert_rule_test {'entry is' if alerts == 1 else 'entries are'} not run")
    return remarks


def _group(reading: _Reading, index: int, group: _Group, step: float) -> Group | None:
    path = ("tests", index)
    interval = group.interval or 0.0
    if not interval and (group.interval is None or reading.profile != "prometheus@2.42"):
        interval = step
    series = [
        one for position, written in enumerate(group.input_series or ())
        if (one := _series(reading, (*path, "input_series", position), written)) is not None
    ]  # fmt: skip
    if not interval and any(len(values) > 1 for _, values, _ in series):
        reading.blame((*path, "interval"), "an interval of 0 puts all values at one time", "write e.g. 1m")
    cases = [
        one for position, case in enumerate(group.promql_expr_test or ())
        if (one := _case(reading, (*path, "promql_expr_test", position), case, step)) is not None
    ]  # fmt: skip
    seen: dict[Labels, int] = {}
    for position, (labels, _, _) in enumerate(series):
        if seen.setdefault(labels, position) != position:
            reading.blame(
                (*path, "input_series", position, "series"), "this series is already given", "give its values once"
            )
    return Group(group.name or f"tests[{index}]", interval, tuple(series), tuple(cases))


def _series(reading: _Reading, path: tuple[str | int, ...], written: _Series) -> Any:
    try:
        labels = metric(written.series)
        if not get(labels, NAME) and not labels:
            raise Refused(f"'{written.series}' is no series", """write it like up{job="api"}""")
    except Refused as error:
        reading.blame((*path, "series"), error.problem, error.remedy)
        return None
    try:
        return labels, *sequence(_raw(reading, (*path, "values"), written.values))
    except Refused as error:
        reading.blame((*path, "values"), error.problem, error.remedy)
        return None


_PLAIN = re.compile(r"[^\s#,\]}]+")


def _raw(reading: _Reading, path: tuple[str | int, ...], value: Any) -> str:
    """What is written: `0x3` without quotes is four zeros here, and no number of YAML's."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        line, column = reading.document.line_of(path)
        match = _PLAIN.match(reading.document.text.splitlines()[line - 1], column - 1)
        return match.group() if match else str(value)
    raise Refused("not a series of values", "write them as text, like '1 2 3'")


def _case(reading: _Reading, path: tuple[str | int, ...], case: _Case, step: float) -> Case | None:
    query: Query | None = None
    try:
        query = compile(case.expr, reading.profile, step=step)
    except PromqlError as error:
        place, shift = _in_text(reading, (*path, "expr"), error.column)
        reading.blame((*path, "expr"), f"{place}{error.problem}", "", shift)
    expected = []
    for position, sample in enumerate(case.exp_samples or ()):
        where = (*path, "exp_samples", position)
        if sample.histogram:
            reading.blame((*where, "histogram"), "native histograms are not supported", "expect a value")
        try:
            expected.append((metric(sample.labels), sample.value))
        except Refused as error:
            reading.blame((*where, "labels"), error.problem, error.remedy)
    return (
        None
        if query is None
        else Case(query, case.eval_time, tuple(expected), reading.document.line_of((*path, "expr"))[0])
    )


def _in_text(reading: _Reading, path: tuple[str | int, ...], column: int) -> tuple[str, int]:
    """An expression on one line is pointed into; of any other the column is told in words."""
    line, start = reading.document.line_of(path)
    text = reading.document.text.splitlines()[line - 1][start - 1 :]
    query = str(_value(reading.document, path)).strip("\n")
    quote = 1 if text[:1] in "\"'" else 0
    if text[quote : quote + len(query)] == query:
        return "", quote + column - 1
    return f"column {column} of the query: ", 0


def _value(document: Document, path: tuple[str | int, ...]) -> Any:
    value = document.value
    for part in path:
        value = value[part]
    return value
