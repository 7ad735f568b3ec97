"""Findings for other programs: SARIF 2.1.0 (OASIS), and annotations of GitHub's workflow commands."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sim.files import Problem
from sim.lint.finding import Finding, Rule
from sim.lint.rules import RULES
from sim.lint.run import Report

__all__ = ["github", "sarif"]

_LEVELS = {"error": "error", "warning": "warning", "note": "note"}  # SARIF 3.27.10
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}  # GitHub: workflow commands


def sarif(report: Report, version: str) -> dict[str, Any]:
    """One run of SARIF 2.1.0. What cannot be read is a notification of the tool, and the run was not successful."""
    rules = list(RULES.values())
    places = {rule.id: index for index, rule in enumerate(rules)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "seatrial", "version": version, "rules": [_described(rule) for rule in rules]}
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, places) for finding in report.findings],
                "invocations": [
                    {
                        "executionSuccessful": not report.problems,
                        "toolExecutionNotifications": [_notification(problem) for problem in report.problems],
                    }
                ],
            }
        ],
    }


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id, "name": "".join(word.title() for word in rule.name.split("-")), "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title}: {rule.why}."}, "help": {"text": f"{rule.remedy}. Source: {rule.source}."},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }  # fmt: skip


def _result(finding: Finding, places: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.id, "ruleIndex": places[finding.rule.id], "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.what}. Why: {finding.reason}. Remedy: {finding.remedy}."},
        "locations": [_location(finding.file, finding.line, finding.column, finding.path)],
    }  # fmt: skip


def _location(file: str, line: int, column: int, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(file.replace("\\", "/"))},
            "region": {"startLine": line, "startColumn": column},
        }
    }
    return found | ({"logicalLocations": [{"fullyQualifiedName": path}]} if path else {})


def _notification(problem: Problem) -> dict[str, Any]:
    return {
        "level": "error", "message": {"text": f"{problem.problem}; {problem.remedy}"},
        "locations": [_location(problem.file, problem.line, problem.column, problem.path)],
    }  # fmt: skip


def github(report: Report) -> list[str]:
    """`::error file=,line=,col=,title=::message`, one line each."""
    lines = [
        _command(
            "error", problem.file, problem.line, problem.column, "unreadable", f"{problem.problem}; {problem.remedy}"
        )
        for problem in report.problems
    ]
    return lines + [
        _command(
            _COMMANDS[finding.severity], finding.file, finding.line, finding.column, f"{finding.rule.id} {finding.rule.name}",
            f"{finding.what}\n{finding.reason}\n{finding.remedy}",
        )
        for finding in report.findings
    ]  # fmt: skip


def _command(word: str, file: str, line: int, column: int, title: str, text: str) -> str:
    return f"::{word} file={_property(file)},line={line},col={column},title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
