"""Every rule: a bad manifest -> a finding at this line, the nearest good one -> none of this rule."""

from __future__ import annotations

import pytest

from sim.lint import RULES
from sim.service.model import Service
from sim.service.traffic import Constant
from tests.lint.conftest import Found
from tests.lint.manifests import GUARDED, RATIO, STEP, Row, judged, metric, template
from tests.lint.rows_asked import ASKED, OWN, QUIET
from tests.lint.rows_metrics import METRICS
from tests.lint.rows_objects import JSON, OBJECTS


def flat(rows: dict[str, list[Row]]) -> list[object]:
    return [
        pytest.param(rule, *row, id=f"{rule}-{index}") for rule, many in rows.items() for index, row in enumerate(many)
    ]


def expect(found: Found, rule: str, text: str, at: str, words: str, **options: object) -> None:
    mine = [finding for finding in found(text, **options) if finding.rule.id == rule]
    assert mine, [str(finding) for finding in found(text, **options)]
    assert at in text.splitlines()[mine[0].line - 1], str(mine[0])
    assert words in mine[0].what


@pytest.mark.parametrize(("rule", "bad", "at", "words", "good"), flat({**METRICS, **OBJECTS}))
def test_rule(found: Found, rule: str, bad: str, at: str, words: str, good: str) -> None:
    expect(found, rule, bad, at, words)
    assert [str(finding) for finding in found(good) if finding.rule.id == rule] == []


@pytest.mark.parametrize(("rule", "bad", "at", "words", "good"), flat(JSON))
def test_rule_in_json(found: Found, rule: str, bad: str, at: str, words: str, good: str) -> None:
    expect(found, rule, bad, at, words, name="m{}.json")
    assert [str(finding) for finding in found(good, name="m{}.json") if finding.rule.id == rule] == []


@pytest.mark.parametrize(
    ("rule", "bad", "at", "words", "good", "asked"),
    [pytest.param(rule, *row, id=f"{rule}-{index}") for rule, many in ASKED.items() for index, row in enumerate(many)],
)
def test_rule_for_a_service(
    found: Found, rule: str, bad: str, at: str, words: str, good: str, asked: dict[str, object]
) -> None:
    expect(found, rule, bad, at, words, **asked)
    easier = asked | ({"regression": 0.4} if rule == "L35" else {})
    assert [str(finding) for finding in found(good, **easier) if finding.rule.id == rule] == []


def test_every_rule_has_rows() -> None:
    assert sorted({*METRICS, *OBJECTS, *JSON, *ASKED}, key=lambda rule: int(rule[1:])) == list(RULES)


def test_what_follows_from_an_assumed_service_is_a_note(found: Found) -> None:
    text = OWN.format(count=3, judge="{threshold: {max_error_rate: 30%}}")
    for given, severity in ((None, "note"), (QUIET, "warning")):
        assert {finding.severity for finding in found(text, service=given) if finding.rule.id == "L35"} == {severity}


def test_a_latency_is_tried_where_the_service_is_given(found: Found) -> None:
    """No formula says how often a healthy p99 crosses a limit: 200 releases of a service whose p99 is 0.41 s do."""
    query = "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket[1m])) by (le))"
    steps = "{setWeight: 20}, {pause: {duration: 2m}}, " + STEP
    for limit, tells in ((0.1, True), (5, False)):
        one = metric(f"len(result) > 0 && result[0] < {limit}", query, "interval: 1m\n  count: 3")
        told = [finding for finding in found(judged(steps, one), service=QUIET) if finding.rule.id == "L34"]
        assert bool(told) == tells
        assert all("(95%:" in finding.what and finding.severity == "warning" for finding in told)
        assert [finding for finding in found(judged(steps, one)) if finding.rule.id == "L34"] == []


def ids(findings: object) -> list[str]:
    return [finding.rule.id for finding in findings]  # type: ignore[attr-defined]


def test_a_regression_that_one_metric_sees_is_not_blind(found: Found) -> None:
    lax = metric(GUARDED.replace("0.05", "0.3"), RATIO, "interval: 1m\n  count: 3")
    strict = metric(GUARDED.replace("0.05", "0.001"), RATIO, "interval: 1m\n  count: 3").replace("name: m", "name: n")
    steps = "{setWeight: 50}, {pause: {duration: 2m}}, " + STEP
    assert "L35" in ids(found(judged(steps, lax), service=QUIET))
    assert "L35" not in ids(found(judged(steps, lax + "\n" + strict), service=QUIET))


def test_how_long_a_person_looks_on_is_not_known(found: Found) -> None:
    lax = metric(GUARDED.replace("0.05", "0.3"), RATIO)
    for pause, tells in (("{duration: 5m}", True), ("{}", False)):
        text = judged(f"{{setWeight: 50}}, {{pause: {pause}}}", lax, beside=True)
        assert ("L35" in ids(found(text, service=QUIET))) == tells


def test_two_runs_at_one_weight_forgive_apart(found: Found) -> None:
    """4 looks of which 2 may fail, twice: not 8 looks of which 2 may."""
    one = metric(GUARDED.replace("0.05", "0.015"), RATIO, "interval: 1m\n  count: 4\n  failureLimit: 2")
    text = judged("{setWeight: 20}, {pause: {duration: 2m}}, " + STEP + ", {pause: {duration: 1m}}, " + STEP, one)
    joined = judged("{setWeight: 20}, {pause: {duration: 2m}}, " + STEP, one.replace("count: 4", "count: 8"))
    service = Service(name="flaky", traffic=Constant(20.0), errors=0.012)
    apart, together = (
        [finding.what for finding in found(one, service=service) if finding.rule.id == "L34"] for one in (text, joined)
    )
    assert [what.split()[0] for what in apart] == ["20"] and [what.split()[0] for what in together] == ["51"]


def test_conditions_are_read_as_the_profile_reads_them(found: Found) -> None:
    """Comparison chains came with Argo Rollouts 1.10."""
    text = template(metric("len(result) > 0 && 0 <= result[0] < 0.05"))
    assert "L1" not in ids(found(text))
    assert "L1" in ids(found(text, profile="argo-rollouts@1.8"))


def test_what_only_seatrial_refuses_is_no_fault_of_the_author(found: Found) -> None:
    assert ids(found(template(metric("now().Year() > 2000 && result[0] < 1")))) == []
