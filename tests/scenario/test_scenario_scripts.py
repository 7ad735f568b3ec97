"""Scripts of a trace: every value and event of contracts section 8, and every error in its place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sim.files import FileErrors
from sim.policy.events import Absent, Failed, NotANumber, Value
from sim.scenario import load_script
from sim.tracing.script import HANG, Happening, Script

CONTRACT = """seatrial: script
measurements:
  success-rate: [0.99, [0.9, 0.95], absent, nan, error, hang, null, 0.97]
  template/job: [Successful, true, .nan, []]
ready: 2s
query: 0s
events:
- {at: 130s, promote: true}
- {at: 131s, promote: true, full: true}
- {at: 140s, approve: smoke-test}
- {at: 141s, deny: smoke-test}
- {at: 150s, abort: true}
- {at: 2m35s, retry: true}
- {at: 160s, revision: 3}
- {at: 170s, replicas: 10}
- {at: 180s, pause: true}
- {at: 190s, pause: false}
- {at: 200s, terminate: background}
until: 2h
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "script.yaml"
    path.write_text(text)
    return path


def wrong(folder: Path, text: str) -> list[str]:
    with pytest.raises(FileErrors) as caught:
        load_script(write(folder, f"seatrial: script\n{text}"))
    return [line.replace(f"{folder}/", "") for line in str(caught.value).splitlines()]


def test_the_script_of_the_contract(tmp_path: Path) -> None:
    script = load_script(write(tmp_path, CONTRACT))
    rate, job = script.measurements["success-rate"], script.measurements["template/job"]
    failed = rate[4]
    assert isinstance(failed, Failed)
    assert rate == (Value(0.99), Value([0.9, 0.95]), Absent(), NotANumber(), failed, HANG, Value(None), Value(0.97))
    assert job == (Value("Successful"), Value(True), NotANumber(), Value([]))
    assert (script.ready, script.query, script.until) == (2.0, 0.0, 7200.0)
    assert script.events == (
        Happening(130.0, "promote"), Happening(131.0, "promote", full=True), Happening(140.0, "approve", "smoke-test"),
        Happening(141.0, "deny", "smoke-test"), Happening(150.0, "abort"), Happening(155.0, "retry"),
        Happening(160.0, "revision", 3), Happening(170.0, "replicas", 10), Happening(180.0, "pause", True),
        Happening(190.0, "pause", False), Happening(200.0, "terminate", "background"),
    )  # fmt: skip
    people = [
        happening.action for happening in script.events if happening.kind in ("promote", "abort", "retry", "pause")
    ]
    assert people == ["promote", "promote-full", "abort", "retry", "pause", "resume"]


def test_an_empty_script_has_the_defaults(tmp_path: Path) -> None:
    assert load_script(write(tmp_path, "seatrial: script")) == Script()


def test_readiness_per_revision_and_per_pod(tmp_path: Path) -> None:
    script = load_script(write(tmp_path, 'seatrial: script\nready: {1: 0s, 2: [1s, never], "3": never}'))
    assert script.ready == {1: 0.0, 2: (1.0, math.inf), 3: math.inf}
    assert load_script(write(tmp_path, "seatrial: script\nready: never")).ready == math.inf


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("measurements: {a: [absnt]}", "script.yaml:2:20 measurements.a.0: 'absnt' is no answer; did you mean absent?"),
        ("measurements: {a: []}", "script.yaml:2:16 measurements.a: a list is empty; write 1 entry or more"),
        ("measurements: {a: 0.9}", "script.yaml:2:19 measurements.a: 0.9 is not a list; write it as '- item' lines, or [a, b]"),
        ("measurements: {a: [[0.9, x]]}",
         "script.yaml:2:20 measurements.a.0: 'x' is not a number; a list holds numbers only; write e.g. [0.9, 0.95]"),
        ("measurements: {a: [{b: 1}]}", "script.yaml:2:20 measurements.a.0: a mapping is no answer; write a number, a list or a word"),
        ("measurements: {a: [1e3]}", "script.yaml:2:20 measurements.a.0: '1e3' is ambiguous; write 1000 or 1000.0"),
        ("measurements: {a: [on]}", "script.yaml:2:20 measurements.a.0: 'on' is text in YAML 1.2; write true"),
        ("ready: 2", "script.yaml:2:8 ready: 2 is a duration without a unit; write e.g. 2s or 2m"),
        ("ready: {one: 2s}", "script.yaml:2:1 ready: 'one' is not a revision; write e.g. {1: 0s, 2: never}"),
        ("ready: {1: []}", "script.yaml:2:1 ready: a list of no pods; write one time per pod, e.g. [1s, 1s, never]"),
        ("ready: {1: 1:30}", "script.yaml:2:12 ready.1: '1:30' is text in YAML 1.2 and a base-60 number in YAML 1.1; write 90"),
        ("events: [{promote: true}]", "script.yaml:2:10 events.0: 'at' is missing; add 'at: ...'"),
        ("events: [{at: 3s}]",
         "script.yaml:2:10 events.0: nothing happens; "
         "add one of: promote, approve, deny, abort, retry, revision, replicas, pause, fail, terminate"),
        ("events: [{at: 3s, abort: true, retry: true}]", "script.yaml:2:10 events.0: abort and retry in one event; write two events"),
        ("events: [{at: 3s, abort: true, full: true}]", "script.yaml:2:10 events.0: full belongs to promote, not to abort; remove it"),
        ("events: [{at: 3s, abort: false}]", "script.yaml:2:26 events.0.abort: false is not allowed here; use one of: True"),
        ("events: [{at: -3s, abort: true}]", "script.yaml:2:15 events.0.at: -3s is negative; write a duration of 0s or more"),
        ("events: [{at: 3s, terminate: foreground}]",
         "script.yaml:2:30 events.0.terminate: 'foreground' is not allowed here; did you mean background?"),
        ("events: [{at: 3s, revision: 0}]", "script.yaml:2:29 events.0.revision: 0 is not more than 0; use more than 0"),
        ("untill: 3h", "script.yaml:2:1 untill: unknown key 'untill'; did you mean until?"),
        ("until: soon", "script.yaml:2:8 until: 'soon' is not a duration; write e.g. 30s, 5m, 1h30m"),
    ],
)  # fmt: skip
def test_what_can_be_wrong(tmp_path: Path, text: str, problem: str) -> None:
    assert wrong(tmp_path, text) == [problem]


def test_another_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(FileErrors, match="this is a service, not a script; begin with 'seatrial: script'"):
        load_script(write(tmp_path, "seatrial: service"))
