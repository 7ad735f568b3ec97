"""`lint` and `diff` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from sim.lint import RULES
from sim.scenario import schema
from tests.cli.conftest import Said
from tests.lint.manifests import canary, deployment, rollout, template

Seatrial = Callable[..., Said]

FINE = deployment("minReadySeconds: 5")
MOVING = deployment("minReadySeconds: 5", image="shop:latest")  # L41 on line 9
MISSING = rollout(canary("{analysis: {templates: [{templateName: t}]}}"))  # L31, an error


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (FINE, [], 0),
        (MOVING, [], 0),
        (MOVING, ["--strict"], 1),
        (FINE, ["--strict"], 0),
        (MISSING, [], 1),
        ("a: [", [], 2),
        ("# nothing\n", [], 2),
        (MOVING, ["--regression", "much"], 2),
        (MOVING, ["--profile", "argo-rollouts@0.1"], 2),
        (MOVING, ["--profile", "argo-rollouts"], 0),
        ("steps: []\n", ["--as", "rollout-canary"], 0),
        ("steps: []\n", ["--as", "nonsense"], 2),
        (MOVING, ["--service", "nowhere.yaml"], 2),
    ],
)
def test_exit_codes(seatrial: Seatrial, tmp_path: Path, text: str, options: list[str], code: int) -> None:
    (tmp_path / "m.yaml").write_text(text)
    assert seatrial("lint", str(tmp_path / "m.yaml"), *options).code == code


BOM, CRLF = b"\xef\xbb\xbf" + FINE.encode(), FINE.replace("\n", "\r\n").encode()
LATIN, WIDE = FINE.replace("shop", "sh\xf6p").encode("latin-1"), FINE.encode("utf-16")


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (BOM, 0, "nothing found"),
        (CRLF, 0, "nothing found"),
        (LATIN, 2, ":3:20: byte 0xf6 is not UTF-8"),
        (WIDE, 2, ":1:1: the text is UTF-16 or UTF-32"),
        (b"a: \0", 2, ":1:4: a character that YAML does not allow (U+0000)"),
        (b"x" * (1 << 20) + b"x", 2, "more"),
        (b"hello\n", 2, "nothing to look at"),
        (b"- 1\n", 2, "nothing to look at"),
        (b"foo: 1\n", 2, "nothing to look at"),
        (b"apiVersion: v1\nkind: Nothing\n", 0, "nothing found"),
        (b"", 2, "nothing to look at"),
    ],
)
def test_bytes_of_a_file_and_of_standard_input(
    seatrial: Seatrial, tmp_path: Path, data: bytes, code: int, says: str
) -> None:
    (tmp_path / "m.yaml").write_bytes(data)
    for said in (seatrial("lint", "m.yaml"), seatrial("lint", "-", given=data)):
        assert said.code == code and says in said.out + said.err
    assert seatrial("validate", "-", given=data).code == seatrial("validate", "m.yaml").code != 70


def test_json_follows_its_schema(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(MISSING)
    (tmp_path / "bad.yaml").write_text("a: [")
    for flag in (["--json"], ["--format", "json"]):
        said = seatrial("lint", str(tmp_path), *flag)
        document = json.loads(said.out)
        jsonschema.validate(document, schema("lint"))
        assert said.code == 2 and document["findings"][0]["rule"] == "L31" and len(document["errors"]) == 1


def test_text_says_all_of_it_within_100_columns(
    seatrial: Seatrial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_text(MISSING + "---\n" + MOVING)
    said = seatrial("lint", "m.yaml")
    assert "m.yaml:10:" in said.out and "error L31 unresolved" in said.out and "    do   give the file" in said.out
    assert "1 file: 1 error, 1 warning" in said.out
    assert max(map(len, said.out.splitlines())) <= 100 and "\x1b" not in said.out


def test_rules_are_listed(seatrial: Seatrial) -> None:
    said = seatrial("lint", "--rules")
    assert said.code == 0 and all(rule.name in said.out for rule in RULES.values())


def test_nothing_named_is_wrong_usage(seatrial: Seatrial) -> None:
    assert seatrial("lint").code == 2


# ---- diff ----

METRIC = """- name: ok
  interval: 60s
  count: 3
  failureLimit: {limit}
  successCondition: result[0] >= 0.95
  provider: {{prometheus: {{address: "http://p", query: up}}}}"""
SCRIPT = "seatrial: script\nmeasurements: {ok: [0.99, 0.9, 0.99]}\n"


def storefront(limit: int, name: str = "shop") -> str:
    steps = canary(
        "{setWeight: 20}, {analysis: {templates: [{templateName: t}]}}, {setWeight: 60}, {pause: {duration: 30s}}"
    )
    return rollout(steps).replace("name: shop}", f"name: {name}}}", 1) + template(METRIC.format(limit=limit))


@pytest.fixture
def files(tmp_path: Path) -> None:
    for name, text in {
        "a.yaml": storefront(0), "b.yaml": storefront(1), "other.yaml": storefront(0, "other"), "script.yaml": SCRIPT,
        "lacks.yaml": "seatrial: script\nmeasurements: {other: [1]}\n",
        "two.yaml": storefront(0) + "---\n" + FINE,
        "three.yaml": storefront(1) + "---\n" + FINE + "---\n" + FINE.replace("shop}", "more}", 1),
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("a.yaml", "a.yaml"), 0),
        (("a.yaml", "other.yaml"), 0),
        (("a.yaml", "b.yaml"), 1),
        (("two.yaml", "three.yaml"), 1),
        (("two.yaml", "two.yaml"), 0),
        (("two.yaml", "three.yaml", "--name", "nobody"), 2),
        (("a.yaml", "--profile", "argo-rollouts@1.8", "--profile", "argo-rollouts@1.10"), 0),
        (("a.yaml",), 2),
        (("a.yaml", "--profile", "argo-rollouts@1.8"), 2),
        (("a.yaml", "nowhere.yaml"), 2),
    ],
)
def test_diff_exit_codes(seatrial: Seatrial, arguments: tuple[str, ...], code: int) -> None:
    assert seatrial("diff", *arguments, "--script", "script.yaml").code == code


@pytest.mark.usefixtures("files")
def test_diff_names_the_first_difference_and_what_leads_to_it(seatrial: Seatrial) -> None:
    """The second measurement fails: limit 0 ends there, limit 1 goes on."""
    said = seatrial("diff", "a.yaml", "b.yaml", "--script", "script.yaml", "--json")
    document = json.loads(said.out)
    jsonschema.validate(document, schema("diff"))
    pair = document["pairs"][0]
    first = pair["first"]
    assert (first["at"], first["a"]["kind"], first["a"]["phase"]) == (60.0, "metric", "Failed")
    assert (first["b"]["kind"], first["b"]["at"], first["b"]["verdict"]) == ("measurement", 120.0, "Successful")
    assert first["before"][-1]["value"] == [0.9]
    assert pair["fields"] == [{"path": "steps.1.analysis.metrics.0.failure_limit", "a": 0, "b": 1}]
    assert [pair["a"]["phase"], pair["b"]["phase"]] == ["Degraded", "Healthy"]
    entries = pair["entries"]
    for side in "ab":
        own = json.loads(seatrial("trace", f"{side}.yaml", "--script", "script.yaml", "--json").out)["entries"]
        assert [row[side] for row in entries if row[side] is not None] == own
    assert all((row["a"] == row["b"]) == row["same"] for row in entries)


@pytest.mark.usefixtures("files")
def test_diff_is_read_in_100_columns_without_colour(seatrial: Seatrial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    said = seatrial("diff", "a.yaml", "b.yaml", "--script", "script.yaml")
    assert max(map(len, said.out.splitlines())) <= 100 and "\x1b" not in said.out
    assert (
        "first difference at 60s, entry" in said.out
        and "failure_limit: 0 | 1" in said.out
        and "equal entries" in said.out
    )
    everything = seatrial("diff", "a.yaml", "b.yaml", "--script", "script.yaml", "--all")
    assert "equal entries" not in everything.out and len(everything.out) > len(said.out)


@pytest.mark.usefixtures("files")
def test_diff_pairs_by_name(seatrial: Seatrial) -> None:
    document = json.loads(seatrial("diff", "two.yaml", "three.yaml", "--script", "script.yaml", "--json").out)
    assert [(pair["name"], pair["a"]["profile"]) for pair in document["pairs"]] == [
        ("shop", "argo-rollouts@1.10"),
        ("shop", "kubernetes@1.32"),
    ]
    assert (document["only_a"], document["only_b"]) == ([], ["more"])


@pytest.mark.usefixtures("files")
def test_diff_says_which_side_asks_for_a_metric_that_the_script_lacks(seatrial: Seatrial) -> None:
    said = seatrial("diff", "a.yaml", "b.yaml", "--script", "lacks.yaml")
    assert said.code == 2 and "A, shop: the script has no measurements for metric t/ok" in said.err
