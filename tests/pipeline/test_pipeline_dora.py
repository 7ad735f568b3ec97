"""DORA's keys on hand-made rows."""

from __future__ import annotations

import math

import pytest

from sim.pipeline import ChangeRow, DeploymentRow, Rows, Share, Times, dora
from sim.pipeline.dora import DAY, quantile
from sim.pipeline.release import Reason
from sim.pipeline.rows import Outcome
from sim.policy.errors import WorldError


def change(id: int, committed: float, exposed: float | None = None, served: float | None = None) -> ChangeRow:
    return ChangeRow(id, committed, 10, False, 0.0, exposed=exposed, served=served)


def deployment(
    id: int,
    outcome: Outcome,
    reason: Reason = "change",
    *,
    broke: float | None = None,
    restored: float | None = None,
    by: str = "",
    harm: float = 0.0,
) -> DeploymentRow:
    return DeploymentRow(
        id, reason, id, 0, 1, 0.0, 0.0, "webhook", 0.0, outcome=outcome,
        bad_since=broke, restored=restored, restored_by=by, harm=harm,
    )  # fmt: skip


ROWS = Rows(
    changes=(
        change(1, 0.0, 50.0, 100.0),
        change(2, 40.0, 50.0, 100.0),  # the same deployment: lead time is per commit
        change(3, 100.0, 400.0, 500.0),
        change(4, 600.0, 700.0),  # exposed, then stopped
        change(5, 900.0),
    ),
    deployments=(
        deployment(0, "promoted"),
        deployment(1, "promoted", broke=1000.0, restored=2000.0, by="rollback", harm=5000.0),
        deployment(2, "promoted", "rollback"),
        deployment(3, "aborted", broke=3000.0, restored=3100.0, by="abort", harm=20.0),
        deployment(4, "promoted", broke=4000.0, restored=9000.0, by="fix", harm=800.0),
        deployment(5, "promoted", "fix"),
        deployment(6, "promoted", broke=9500.0, harm=30.0),  # an escape nobody notices
        deployment(7, "inconclusive"),
        deployment(8, "aborted"),  # a false rollback
        deployment(9, "superseded"),
        deployment(10, "missing", "rollback"),
        deployment(11, "unfinished"),
    ),
    span=2 * DAY,
)


def test_the_keys_by_hand() -> None:
    keys = dora(ROWS, harm_above=100.0)
    assert keys.lead == Times(100.0, keys.lead.p90, count=3, open=2)  # 60, 100, 400
    assert keys.lead.p90 == pytest.approx(100.0 + 0.8 * 300.0)
    assert keys.exposure == Times(75.0, keys.exposure.p90, count=4, open=1)  # 10, 50, 100, 300
    assert keys.exposure.p90 == pytest.approx(100.0 + 0.7 * 200.0)
    assert (keys.deployments, keys.per_day) == (5, 2.5)
    assert keys.fail_any == Share(4, 8)  # 1 rolled back, 3 and 8 aborted, 4 hot-fixed; of 0 1 3 4 5 6 7 8
    assert keys.fail_user == Share(2, 8)
    assert keys.recovery == Times(median=3000.0, p90=math.inf, count=4, open=1)
    assert keys.rework == Share(1, 5)
    assert (keys.fail_any.rate, keys.rework.rate) == (0.5, 0.2)


def test_nothing_happened() -> None:
    keys = dora(Rows((), (), DAY), harm_above=0.0)
    assert (keys.deployments, keys.per_day, keys.fail_any) == (0, 0.0, Share(0, 0))
    assert math.isnan(keys.lead.median)
    assert math.isnan(keys.fail_any.rate)


def test_a_span_is_needed() -> None:
    with pytest.raises(WorldError, match="span above 0, got 0"):
        dora(Rows((), (), 0.0), harm_above=0.0)


def test_quantiles_with_infinity_as_largest() -> None:
    assert quantile([1.0, 2.0, 3.0, math.inf], 0.5) == 2.5
    assert quantile([1.0, math.inf], 0.5) == math.inf
    assert quantile([math.inf, math.inf], 0.5) == math.inf
    assert quantile([1.0, math.inf], 0.0) == 1.0
