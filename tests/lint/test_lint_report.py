"""Suppressions, reading, and the formats for other programs."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from sim.files import read_documents
from sim.lint import RULES, lint
from sim.lint.formats import github, sarif
from sim.lint.rules import named
from sim.policy.errors import PolicyError
from tests.lint.conftest import Found
from tests.lint.manifests import canary, deployment, rollout
from tests.manifests.test_spinnaker_import import CONFIG, STAGE

BARE = deployment()  # L28 on line 4
MOVING = deployment("minReadySeconds: 5", image="shop:latest")  # L41 on line 9
MISSING = rollout(canary("{analysis: {templates: [{templateName: t}]}}"))  # L31, an error

# What SARIF 2.1.0 requires of the objects that are written here (sections 3.13, 3.14, 3.18, 3.19, 3.20, 3.27 to 3.30, 3.49, 3.50).
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "properties": {"uri": {"type": "string", "format": "uri-reference"}},
                },
                "region": {
                    "type": "object",
                    "required": ["startLine"],
                    "properties": {
                        "startLine": {"type": "integer", "minimum": 1},
                        "startColumn": {"type": "integer", "minimum": 1},
                    },
                },
            },
        },
        "logicalLocations": {"type": "array", "items": {"type": "object", "required": ["fullyQualifiedName"]}},
    },
}
_RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
    "properties": {
        "id": {"type": "string"}, "name": {"type": "string", "pattern": "^[A-Za-z0-9]+$"}, "shortDescription": _TEXT,
        "fullDescription": _TEXT, "help": _TEXT, "defaultConfiguration": {"type": "object", "properties": {"level": _LEVEL}},
    },
}  # fmt: skip
_RESULT = {
    "type": "object",
    "required": ["message", "ruleId", "level", "locations"],
    "properties": {
        "message": _TEXT, "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": 0}, "level": _LEVEL,
        "locations": {"type": "array", "minItems": 1, "items": _LOCATION},
    },
}  # fmt: skip
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"rules": {"type": "array", "items": _RULE}},
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": _RESULT},
                    "invocations": {"type": "array", "items": {"type": "object", "required": ["executionSuccessful"]}},
                },
            },
        },
    },
}


def rules_of(found: Found, text: str) -> list[str]:
    return [finding.rule.id for finding in found(text)]


# ---- suppressions ----


@pytest.mark.parametrize("word", ["L28", "l28", "no-way-back", "L28, L41", "L41 no-way-back"])
def test_a_comment_on_the_line_hides_the_finding(found: Found, word: str) -> None:
    text = BARE.replace("spec:\n", f"spec: # seatrial: ignore {word}\n", 1)
    assert "L28" in rules_of(found, BARE) and "L28" not in rules_of(found, text)


def test_a_comment_alone_speaks_for_the_next_line(found: Found) -> None:
    assert rules_of(found, BARE.replace("spec:\n", "# seatrial: ignore L28\n# because it is a test\nspec:\n", 1)) == []


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("# seatrial: ignore L41", "L41 is not found on line 4"),
        ("# seatrial: ignore L4", "L4 is not found on line 4"),
        ("# seatrial: ignore nonsense", "there is no rule nonsense"),
        ("# seatrial: ignore", "names no rule"),
    ],
)
def test_a_comment_that_hides_nothing_is_told(found: Found, comment: str, says: str) -> None:
    findings = found(BARE.replace("spec:\n", f"spec: {comment}\n", 1))
    useless = [finding for finding in findings if finding.rule.id == "L40"]
    assert [(one.line, one.what) for one in useless] == [(4, says)]
    assert useless[0].column == len("spec: ") + 1


def test_a_comment_hides_in_its_own_file_only(found: Found) -> None:
    hidden = BARE.replace("spec:\n", "spec: # seatrial: ignore L28\n", 1)
    assert [finding.file for finding in found(hidden, BARE.replace("shop}", "other}", 1))] == ["m1.yaml"]


# ---- reading ----


def test_what_cannot_be_read_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [")
    (tmp_path / "b.yaml").write_text(MOVING)
    report = lint(tmp_path)
    assert [Path(problem.file).name for problem in report.problems] == ["a.yaml"]
    assert [finding.rule.id for finding in report.findings] == ["L41"]


def test_what_the_validators_refuse_does_not_stop_the_rest(found: Found) -> None:
    refused = rollout(canary("{setWeight: 500}"))
    assert [(one.file, one.rule.id) for one in found(refused, MOVING)] == [("m0.yaml", "L13"), ("m1.yaml", "L41")]


def test_a_broken_file_of_ours_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("seatrial: policy\nrollin: {}\n")
    assert [problem.line for problem in lint(tmp_path / "p.yaml").problems] == [2]


def test_the_scenarios_of_the_repository_have_no_errors() -> None:
    root = Path(__file__).parents[2] / "scenarios"
    report = lint([root / "policies", root / "demo.yaml", root / "argo-manifest.yaml"])
    assert report.problems == () and report.errors == 0 and report.policies > 10


def test_rules_have_words() -> None:
    assert [rule for rule in RULES.values() if not (rule.title and rule.why and rule.remedy and rule.source)] == []
    assert all(named(rule.id) is named(rule.name) is rule for rule in RULES.values())


def test_a_pipeline_and_its_config() -> None:
    """Imported stages have their places, and a judge that only a given service could try is not tried without one."""
    config, stages = (read_documents(text, f"f{index}.json")[0] for index, text in enumerate((CONFIG, STAGE)))
    report = lint([config, stages])
    assert report.policies == 3 and report.problems == ()
    assert [(finding.rule.id, finding.path) for finding in report.findings] == [
        ("L30", "stages.2.canaryConfig.lookbackMins")
    ]


FRAGMENTS = (  # text, --as, the rule that is found, its line
    ("steps: [{setWeight: 10}]\n", "", "L14", 1),
    ("strategy: {canary: {steps: [{setWeight: 10}]}}\n", "", "L14", 1),
    ("canary:\n  steps:\n  - setWeight: 10\n", "rollout-strategy", "L14", 3),
    ("interval: 1m\nthreshold: 5\nstepWeight: 20\nmaxWeight: 50\n", "", "L21", 4),
    ("stepWeight: 20\nmaxWeight: 50\n", "canary-analysis", "L21", 2),
    ("metrics: [{name: m, provider: {prometheus: {query: 'x['}}, successCondition: 'true'}]\n", "", "L38", 1),
    ("parallelism: 1\nupdate_config: {monitor: 1s}\n", "compose-deploy", "L27", 2),
)


@pytest.mark.parametrize(("text", "part", "rule", "line"), FRAGMENTS)
def test_a_fragment_is_looked_at_as_part_of_its_object(text: str, part: str, rule: str, line: int) -> None:
    report = lint(read_documents(text, "part.yaml"), part=part)
    assert (rule, line) in [(finding.rule.id, finding.line) for finding in report.findings]


def test_a_part_that_nobody_knows(found: Found) -> None:
    with pytest.raises(PolicyError, match="no part of an object is called 'nonsense'; use one of: canary-spec"):
        lint(read_documents("steps: []", "part.yaml"), part="nonsense")


# ---- formats ----


def test_sarif(tmp_path: Path) -> None:
    (tmp_path / "a b.yaml").write_text(MISSING)
    (tmp_path / "bad.yaml").write_text("a: [")
    document = sarif(lint(tmp_path), "1.2.3")
    jsonschema.validate(document, SARIF)
    run = document["runs"][0]
    result = run["results"][0]
    assert result["ruleId"] == "L31" == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("a%20b.yaml")
    assert run["invocations"][0]["executionSuccessful"] is False
    assert [note["level"] for note in run["invocations"][0]["toolExecutionNotifications"]] == ["error"]


def test_the_schema_for_sarif_can_fail(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MISSING)
    document = sarif(lint(tmp_path), "1.2.3")
    document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SARIF)


def test_github(tmp_path: Path) -> None:
    (tmp_path / "a,b.yaml").write_text(MISSING)
    lines = github(lint(tmp_path))
    assert len(lines) == 1 and "\n" not in lines[0]
    head, _, text = lines[0].removeprefix("::").partition("::")
    assert head.startswith(f"error file={tmp_path}/a%2Cb.yaml,line=10,col=") and head.endswith(",title=L31 unresolved")
    assert text.startswith("AnalysisTemplate t is not in the files given%0A")
