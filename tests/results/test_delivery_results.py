"""What runs of a delivery system say, from rows written by hand: keys, intervals between runs, the document, the table, the plot."""

from __future__ import annotations

import json
import math

import pytest

from sim.pipeline.release import Reason
from sim.pipeline.rows import ChangeRow, DeploymentRow, Outcome, Rows
from sim.policy.errors import HistoryError
from sim.results.delivery import MEASURES, DeliveryCell, DeliveryResult, summary, text
from sim.results.delivery_plot import plot_timeline
from sim.results.drawing import svg

DAY = 86_400.0


def change(id: int, lead: float) -> ChangeRow:
    return ChangeRow(id, 1000.0 * id, 1, False, 0.0, exposed=1000.0 * id + 60.0, served=1000.0 * id + lead)


def deployment(
    id: int, outcome: Outcome = "promoted", *, reason: Reason = "change", lasts: float | None = None, harm: float = 0.0, by: str = "",
) -> DeploymentRow:  # fmt: skip
    """One that ended; with `lasts`, what it broke is whole that much later (infinite: never)."""
    at = 1000.0 * id + 500.0
    since = None if lasts is None else at
    restored = None if lasts is None or math.isinf(lasts) else at + lasts
    return DeploymentRow(
        id, reason, id, 0, 1, 1000.0 * id, at, "webhook", at, at, at + 300.0, outcome, bad=lasts is not None, bad_since=since,
        restored=restored, restored_by=by, harm=harm,
    )  # fmt: skip


def run(lead: float, *deployments: DeploymentRow) -> Rows:
    return Rows((change(1, lead), change(2, lead + 100.0), change(3, lead + 200.0)), deployments, 10 * DAY)


FIRST = run(
    900.0, deployment(0), deployment(1, "aborted", lasts=60.0, harm=12.0, by="abort"), deployment(2, lasts=math.inf, harm=5000.0),
    deployment(3),
)  # fmt: skip
SECOND = run(
    1100.0, deployment(0, lasts=900.0, harm=2000.0, by="rollback"), deployment(1, reason="rollback"), deployment(2, reason="fix"),
    deployment(3, "superseded"),
)  # fmt: skip
CELL = DeliveryCell("canary", (FIRST, SECOND), 1000.0)
RESULT = DeliveryResult(
    "week", "ab" * 32, 1, "checkout", "aggregated", "nobody", "seatrial run week.yaml --seed=1", (CELL,), "How fast?"
)


def test_measures_by_hand() -> None:
    found = {name: interval.estimate for name, interval in summary(CELL).items()}
    assert found["lead_time"] == 1100.0  # medians 1000 and 1200
    assert found["lead_time_p90"] == 1180.0
    assert found["deployment_frequency"] == 0.25  # 3 and 2 in ten days
    assert found["change_fail_rate"] == 2 / 6  # finished: 4 and 2; an abort and a rollback
    assert found["change_fail_rate_user"] == 2 / 6
    assert found["recovery_time"] == 900.0  # 60, 900, never
    assert found["rework_rate"] == 1 / 5
    assert found["escape_rate"] == 2 / 3
    assert found["false_abort_rate"] == 0.0
    assert found["harm"] == (5012.0 + 2000.0) / 2 * 3
    assert list(found) == list(MEASURES)


def test_intervals_are_between_runs() -> None:
    found = summary(CELL)
    assert (found["lead_time"].method, found["lead_time"].n) == ("student", 2)
    assert found["lead_time"].low == 0.0  # of two runs one can say little, but nothing impossible
    assert (found["change_fail_rate"].low, found["change_fail_rate"].high) == (0.0, 1.0)
    assert (found["false_abort_rate"].method, found["false_abort_rate"].n) == ("wilson", 3)
    many = summary(DeliveryCell("canary", (FIRST, SECOND) * 10, 1000.0))
    assert (many["lead_time"].method, many["lead_time"].n) == ("bootstrap-t", 20)
    assert 1030.0 < many["lead_time"].low < 1100.0 < many["lead_time"].high < 1150.0
    assert math.isinf(many["recovery_time"].high) and many["recovery_time"].n == 30


def test_one_run_and_an_empty_one_bound_what_they_can() -> None:
    single = summary(DeliveryCell("canary", (FIRST,), 1000.0))
    assert single["change_fail_rate"].method == "wilson" and math.isinf(single["lead_time"].high)
    nothing = summary(DeliveryCell("canary", (Rows((), (), DAY),), 1000.0))
    assert math.isnan(nothing["lead_time"].estimate) and nothing["deployment_frequency"].estimate == 0.0
    assert text(DeliveryResult("s", "d", 1, "", "", "", "", (DeliveryCell("canary", (Rows((), (), DAY),), 1000.0),)))


def test_the_document_is_json() -> None:
    document = RESULT.document()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    (cell,) = document["cells"]
    assert (document["kind"], cell["policy"], cell["runs"], cell["commits"]) == ("delivery", "canary", 2, 6)
    assert cell["deployments"] == {"aborted": 1, "promoted": 6, "superseded": 1}
    assert cell["measures"]["recovery_time"] == {
        "estimate": 900.0, "low": "-inf", "high": "inf", "level": 0.95, "n": 3, "method": "order statistics"
    }  # fmt: skip


def test_the_table_names_everything() -> None:
    table = text(RESULT)
    for words in (
        "How fast?",
        "18 min",
        "2 runs of 10 days",
        "more than 1,000 requests",
        "reproduce: seatrial run week.yaml",
    ):
        assert words in table
    assert all(len(line) <= 100 for line in table.splitlines())


def test_the_timeline_has_equal_bytes_and_every_ended_deployment() -> None:
    drawn = [svg(plot_timeline(CELL)) for _ in range(2)]
    assert drawn[0] == drawn[1] and "canary" in drawn[0]
    axes = plot_timeline(CELL, run=1)
    assert sum(len(group.get_offsets()) for group in axes.collections) == 4


def test_policies_have_names_of_their_own() -> None:
    with pytest.raises(HistoryError, match="each policy once, got canary, canary"):
        DeliveryResult("s", "d", 1, "", "", "", "", (CELL, CELL))
    with pytest.raises(KeyError, match="policies canary"):
        RESULT.cell("rolling")
