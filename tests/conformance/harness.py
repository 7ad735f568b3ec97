"""What a row of conformance holds, and how it is checked: see README.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml  # type: ignore[import-untyped]

from sim.files import FileErrors, read_documents
from sim.manifests import Imported, load
from sim.scenario import load_policy, load_script
from sim.tracing.run import Trace, trace
from sim.tracing.script import Script

__all__ = ["ROWS", "Row", "check", "rows"]

ROWS = Path(__file__).parent / "rows"
_INPUT = {"manifest", "policy", "name", "profile", "replicas", "script"}
_EXPECTED = {"entries", "never", "kinds", "phase", "reason", "refused", "line", "remark"}
_KEYS = {"rule"} | _INPUT | _EXPECTED


@dataclass(frozen=True, slots=True)
class Row:
    file: str
    said: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{Path(self.file).stem}: {self.said['rule']}"

    def get(self, key: str, default: Any = None) -> Any:
        return self.said.get(key, default)


def rows() -> Iterator[Row]:
    """All rows of all files."""
    for path in sorted(ROWS.glob("*.yaml")):
        for said in yaml.safe_load(path.read_text(encoding="utf-8")):
            strange = said.keys() - _KEYS
            assert not strange, f"{path.name}: {said.get('rule')}: {strange} is no part of a row"
            yield Row(path.name, said)


def check(row: Row) -> None:
    """Raises AssertionError when the row does not hold."""
    if row.get("refused") is not None:
        _refused(row)
    elif row.get("remark") is not None:
        _remarked(row)
    else:
        _traced(row)


def _refused(row: Row) -> None:
    try:
        _imported(row)
    except FileErrors as errors:
        found = [one for one in errors.problems if row.get("refused") in f"{one.path}: {one.problem}"]
        assert found, f"refused, but for {[str(one) for one in errors.problems]}"
        assert row.get("line") in (None, *(one.line for one in found)), [str(one) for one in found]
    else:
        raise AssertionError("it is not refused")


def _remarked(row: Row) -> None:
    wanted, report = row.get("remark"), _imported(row).report
    found = [one for one in report if one.path == wanted["path"] and one.status == wanted["status"]]
    assert found, [str(one) for one in report]


def _traced(row: Row) -> None:
    found = _trace(row)
    entries: Sequence[Mapping[str, Any]] = found.entries
    for wanted in row.get("never", ()):
        assert not any(_holds(entry, wanted) for entry in entries), f"{wanted} is found in {_shown(entries)}"
    if row.get("kinds"):
        entries = [entry for entry in entries if entry["kind"] in row.get("kinds")]
        assert len(entries) == len(row.get("entries")), _shown(entries)
    rest = iter(entries)
    for wanted in row.get("entries", ()):
        assert any(_holds(entry, wanted) for entry in rest), (
            f"{wanted} is not found, in this order, in {_shown(entries)}"
        )
    for key in ("phase", "reason"):
        assert row.get(key) in (None, getattr(found, key)), f"ends {found.phase} ({found.reason}): {_shown(entries)}"


def _trace(row: Row) -> Trace:
    script = _script(row)
    if row.get("policy") is not None:
        own = yaml.safe_dump({"seatrial": "policy", **row.get("policy")}, sort_keys=False)
        named = load_policy(read_documents(own, f"{row.id}.yaml")[0])
        return trace(named.policy, script, replicas=row.get("replicas") or named.replicas or 1)
    imported = _imported(row)
    policies = [one for one in imported.policies if row.get("name") in (None, one.name)]
    assert len(policies) == 1 and policies[0].policy is not None, [str(one) for one in imported.report]
    one = policies[0]
    assert one.policy is not None
    return trace(one.policy, script, replicas=row.get("replicas") or one.replicas)


def _imported(row: Row) -> Imported:
    documents = read_documents(dedent(row.get("manifest")), f"{row.file}.yaml")
    return load(documents, profile=row.get("profile"))


def _script(row: Row) -> Script:
    text = yaml.safe_dump({"seatrial": "script", **row.get("script", {})}, sort_keys=False)
    return load_script(read_documents(text, "script.yaml", dialect="kubernetes")[0])


def _holds(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(key in entry and entry[key] == value for key, value in wanted.items())


def _shown(entries: Sequence[Mapping[str, Any]]) -> str:
    return "\n" + "\n".join(str(dict(entry)) for entry in entries)
