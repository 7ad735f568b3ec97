"""`seatrial promql`: outcomes, exit codes, and faults of a file with their places."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

GOOD = """
evaluation_interval: 1m
tests:
- name: counters
  interval: 1m
  input_series:
  - {series: 'x{job="a"}', values: '0+60x10'}
  - {series: y, values: 0x10}
  - {series: z, values: '1 stale _x2 5'}
  promql_expr_test:
  - expr: rate(x[5m])
    eval_time: 5m
    exp_samples:
    - {labels: '{job="a"}', value: 1}
  - expr: y
    eval_time: 10m
    exp_samples: [{labels: y, value: 0}]
  - expr: z
    eval_time: 2m
  - expr: sum_over_time(z[10m])
    eval_time: 4m
    exp_samples: [{value: 6e0}]
"""


def written(tmp_path: Any, text: str) -> str:
    (tmp_path / "test.yml").write_text(text, encoding="utf-8")
    return "test.yml"


def test_all_pass(seatrial: Callable[..., Any], tmp_path: Any) -> None:
    said = seatrial("promql", written(tmp_path, GOOD))
    assert (said.code, said.err) == (0, "")
    assert "4 of 4 expressions pass (prometheus@2.42)" in said.out


def test_standard_input_and_quiet(seatrial: Callable[..., Any]) -> None:
    said = seatrial("promql", "-", "--quiet", given=GOOD)
    assert (said.code, said.out) == (0, "")


def test_a_last_bit_is_a_failure(seatrial: Callable[..., Any], tmp_path: Any) -> None:
    said = seatrial("promql", written(tmp_path, GOOD.replace("value: 1}", "value: 1.0000000000000002}")))
    assert said.code == 1
    assert "test.yml:11: counters: rate(x[5m]) at 300s" in said.out
    assert 'exp: {job="a"} 1.0000000000000002E+00' in said.out
    assert 'got: {job="a"} 1E+00' in said.out


def test_the_profile_decides_about_the_edge_of_a_range(seatrial: Callable[..., Any], tmp_path: Any) -> None:
    text = GOOD.replace("expr: rate(x[5m])", "expr: count_over_time(x[5m])").replace("value: 1}", "value: 6}")
    assert seatrial("promql", written(tmp_path, text)).code == 0
    said = seatrial("promql", "test.yml", "--profile", "prometheus@3")
    assert said.code == 1
    assert 'got: {job="a"} 5E+00' in said.out


def test_an_evaluation_that_fails(seatrial: Callable[..., Any], tmp_path: Any) -> None:
    said = seatrial("promql", written(tmp_path, GOOD.replace("expr: y\n", "expr: '{__name__=~\"x|y\"} + on() x'\n")))
    assert said.code == 1
    assert "got: error: multiple matches for labels: many-to-one matching must be explicit" in said.out


def test_json(seatrial: Callable[..., Any], tmp_path: Any) -> None:
    said = seatrial("promql", written(tmp_path, GOOD.replace("expr: y\n", "expr: y / 0\n")), "--json")
    found = json.loads(said.out)
    assert (said.code, found["ok"], found["profile"]) == (1, False, "prometheus@2.42")
    one = found["files"][0]["tests"][1]
    assert (one["expr"], one["at"], one["ok"], one["got"]) == ("y / 0", 600.0, False, [{"labels": {}, "value": "NaN"}])


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ("rate(x[5m])", "rate(x)", "test.yml:11:11 ", "expected type matrix"),
        ("expr: y\n", "expr: 1 + nosuch(y)\n", "test.yml:15:15 ", "unknown function"),
        ("expr: y\n", "expr: 'histogram_sum(y)'\n", "test.yml:15:12 ", "native histograms"),
        (
            "expr: y\n",
            "expr: |\n      1 +\n      nosuch(y)\n",
            "test.yml:15:11 ",
            "column 5 of the query: unknown function",
        ),
        ("0+60x10", "0+60y", "test.yml:7:36 ", "'0+60y' is no series value"),
        ("0+60x10", "{{schema:1}}", "test.yml:7:36 ", "native histograms are not supported"),
        ("series: y", "series: 'y{'", "test.yml:8:14 ", "is no series"),
        ("series: y", "series: 'y{a!=\"b\"}'", "test.yml:8:14 ", "is no series"),
        ("labels: y,", "labels: 'y +',", "test.yml:17:28 ", "is no series"),
        ("eval_time: 5m", "eval_time: 5 minutes", "test.yml:12:16 ", "not a PromQL duration"),
        ("  interval: 1m", "  intervall: 1m", "test.yml:5:3 ", "interval"),
        ("series: y", "series: 'x{job=\"a\"}'", "test.yml:8:14 ", "already given"),
        ("  interval: 1m", "  interval: 0s", "test.yml:5:13 ", "interval of 0"),
    ],
)
def test_faults_have_their_place(
    seatrial: Callable[..., Any], tmp_path: Any, old: str, new: str, place: str, problem: str
) -> None:
    assert old in GOOD
    said = seatrial("promql", written(tmp_path, GOOD.replace(old, new, 1)))
    assert said.code == 2, said.out
    assert place in said.err
    assert problem in said.err


def test_all_faults_at_once(seatrial: Callable[..., Any], tmp_path: Any) -> None:
    said = seatrial(
        "promql", written(tmp_path, GOOD.replace("rate(x[5m])", "rate(x)").replace("0+60x10", "no")), "--json"
    )
    assert said.code == 2
    assert len(json.loads(said.out)["errors"]) == 2


def test_rules_and_alerts_are_not_run_and_it_says_so(seatrial: Callable[..., Any], tmp_path: Any) -> None:
    text = "rule_files: [rules.yml]" + GOOD.replace(
        "- name: counters", "- alert_rule_test: [{alertname: Up, eval_time: 1m}]"
    )
    said = seatrial("promql", written(tmp_path, text))
    assert said.code == 0
    assert "rule_files are not read" in said.err
    assert "1 alert_rule_test entry is not run" in said.err
    assert seatrial("promql", "test.yml", "--strict").code == 2


def test_usage(seatrial: Callable[..., Any], tmp_path: Any) -> None:
    said = seatrial("promql", written(tmp_path, GOOD), "--profile", "prometheus@1")
    assert said.code == 2
    assert "there are prometheus@2.42 and prometheus@3" in said.err
    assert "(prometheus@2.42)" in seatrial("promql", written(tmp_path, GOOD), "--profile", "prometheus").out
    assert seatrial("promql", "missing.yml").code == 2
