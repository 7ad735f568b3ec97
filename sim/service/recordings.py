"""Recorded traffic from files: CSV with `time,rate`, or the answer of a Prometheus range query.

Times are seconds or, in CSV, ISO 8601 (UTC where no zone is written); the first known one becomes 0. Rates are
requests/s. A sample that is `NaN` (or empty in CSV) is a gap: the rate before it holds until the next known sample.
Every fault of a file is reported at once, as `sim.files` FileErrors.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from sim.files.errors import FileErrors, Problem
from sim.service.traffic import Recorded

After = Literal["repeat", "hold"]
# place of a sample in the file: line, column, path
Place = tuple[int, int, str]
Sample = tuple[Place, float, float]

_SAVE = "save the answer of /api/v1/query_range"
_SUM = "aggregate in the query, e.g. sum(rate(http_requests_total[1m]))"


def from_csv(text: str, name: str, after: After = "repeat") -> Recorded:
    """A recording from a table with the columns `time` and `rate`, in any order; other columns are not read."""
    report = _Report(name, text)
    return _recorded(list(_rows(text, report)), report, after)


def from_prometheus(text: str, name: str, after: After = "repeat") -> Recorded:
    """A recording from the JSON of `/api/v1/query_range`: one series, in requests/s."""
    report = _Report(name, text)
    return _recorded(list(_series(text, report)), report, after)


class _Report:
    """Collects what is wrong."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.problems: list[Problem] = []

    def add(self, place: Place, problem: str, remedy: str) -> None:
        self.problems.append(Problem(self.name, *place, problem, remedy))

    def fail(self, place: Place, problem: str, remedy: str) -> FileErrors:
        """Everything found, when this fault makes the rest unreadable."""
        self.add(place, problem, remedy)
        return self.errors()

    def errors(self) -> FileErrors:
        return FileErrors(self.problems, {self.name: self.text})


def _recorded(samples: list[Sample], report: _Report, after: After) -> Recorded:
    known, latest = [], -math.inf
    for place, time, rate in samples:
        if not latest < time < math.inf:
            report.add(
                place, f"time {time:.15g} does not come after {latest:.15g}", "sort by time and drop repetitions"
            )
        latest = max(latest, time)
        if rate < 0.0 or rate == math.inf:
            report.add(place, f"{rate:g} is not a rate", "rates are requests/s of at least 0; NaN marks a gap")
        if not math.isnan(rate):
            known.append((time, rate))
    if not known and not report.problems:
        report.add((1, 1, ""), "there is no sample with a rate", "record at least one")
    if report.problems:
        raise report.errors()
    return Recorded(tuple(time for time, _ in known), tuple(rate for _, rate in known), after)


def _rows(text: str, report: _Report) -> Iterator[Sample]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        missing = [column for column in ("time", "rate") if header.count(column) != 1]
        if missing:
            wanted = " and ".join(missing)
            raise report.fail(
                (1, 1, ""), f"the header must name {wanted} once, got {','.join(header)!r}", "write time,rate"
            )
        at = (header.index("time"), header.index("rate"))
        for row in reader:
            if row:
                yield from _row(row, reader.line_num, at, report)
    except csv.Error as error:
        raise report.fail(
            (max(1, reader.line_num), 1, ""), f"not CSV: {error}", "write one time,rate per line"
        ) from None


def _row(row: list[str], line: int, at: tuple[int, int], report: _Report) -> Iterator[Sample]:
    if len(row) <= max(at):
        report.add((line, 1, ""), f"the row has {len(row)} of {max(at) + 1} columns", "write one time,rate per line")
        return
    # The place of a cell, as long as no earlier cell is quoted.
    places = [
        (line, 1 + sum(len(cell) + 1 for cell in row[:index]), name)
        for index, name in zip(at, ("time", "rate"), strict=True)
    ]
    time = _read(_time, row[at[0]], places[0], "seconds or ISO 8601, e.g. 90 or 2026-11-23T09:00:00Z", report)
    rate = _read(_rate, row[at[1]], places[1], "requests/s, e.g. 120.5; NaN or nothing for a gap", report)
    if time is not None and rate is not None:
        yield places[0], time, rate


def _read(parse: Callable[[str], float], cell: str, place: Place, remedy: str, report: _Report) -> float | None:
    try:
        return parse(cell.strip())
    except ValueError:
        report.add(place, f"{cell.strip()!r} is not a number", f"write {remedy}")
        return None


def _time(cell: str) -> float:
    try:
        seconds = float(cell)
    except ValueError:
        moment = datetime.fromisoformat(cell)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds):
        raise ValueError(cell)
    return seconds


def _rate(cell: str) -> float:
    return float(cell) if cell else math.nan


def _series(text: str, report: _Report) -> Iterator[Sample]:
    try:
        answer = json.loads(text)
    except json.JSONDecodeError as error:
        raise report.fail((error.lineno, error.colno, ""), f"not JSON: {error.msg}", _SAVE) from None
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        raise report.fail((1, 1, ""), "nested too deeply, or a number is too long", _SAVE) from None
    values = _one(answer, report).get("values")
    if not isinstance(values, list):
        raise report.fail(
            (1, 1, "data.result.0.values"), "there is no list of samples", "histogram samples are not rates; use rate()"
        )
    for index, pair in enumerate(values):
        place = (1, 1, f"data.result.0.values.{index}")
        try:
            time, value = map(float, pair if isinstance(pair, list) else ())
        except (TypeError, ValueError, OverflowError):
            report.add(place, f"{str(pair)[:60]} is not a sample", 'a sample is [seconds, "value"]')
        else:
            yield place, time, value


def _one(answer: Any, report: _Report) -> dict[str, Any]:
    """The only series of an answer; Prometheus: HTTP API, "Range queries" and "Expression query result formats"."""
    top: Place = (1, 1, "")
    data = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(answer, dict) and answer.get("status") == "error":
        cause = f"{answer.get('errorType', 'error')}: {answer.get('error', 'no text')}"
        raise report.fail(
            (1, 1, "status"), f"the query failed ({cause})", "correct the query and save its answer again"
        )
    if not isinstance(data, dict) or answer.get("status") != "success":
        raise report.fail(top, "not an answer of the Prometheus API", _SAVE)
    if data.get("resultType") != "matrix":
        raise report.fail(
            (1, 1, "data.resultType"),
            f"{data.get('resultType')!r} is not a range",
            "use /api/v1/query_range: it answers a matrix",
        )
    result = data.get("result")
    if not isinstance(result, list) or not all(isinstance(series, dict) for series in result):
        raise report.fail((1, 1, "data.result"), "not a list of series", _SAVE)
    if len(result) != 1:
        problem = f"there are {len(result)} series, one is needed" if result else "the query found no series"
        raise report.fail(
            (1, 1, "data.result"), problem, _SUM if result else "check the metric, its labels and the range"
        )
    series: dict[str, Any] = result[0]
    return series
