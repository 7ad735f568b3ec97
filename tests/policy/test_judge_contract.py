"""The contract that every judge in the registry keeps."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import math
import pathlib
import sys
from typing import Any, get_args

import pytest

import sim.policy.judges as judges
from sim.policy.errors import PolicyError, WorldError
from sim.policy.judges import JUDGES, Arm, Finding, Metric, Truth, Verdict, Window, conclude
from sim.policy.judges.base import finding

NEEDED: dict[str, dict[str, Any]] = {
    "kayenta.aca_seeded": {"metrics": (Metric("latency", groups=("g",)),)},
    "kayenta.aca_margin": {"metrics": (Metric("latency", groups=("g",)),)},
}
COMPARES = {
    "kayenta.aca_seeded", "kayenta.aca_margin", "eprocess.counts", "eprocess.cdf", "gst", "fixed.exact", "peeking_t",
    "mean_inequality",
}  # fmt: skip
BOUNDS = (0.1, 0.3, 1.0)
TRUTH = Truth(bad=False)


def make(name: str, **fields: Any) -> Any:
    return JUDGES[name](**NEEDED.get(name, {}), **fields)


def arm(requests: int, bad: int, step: int) -> Arm:
    latency = (requests // 2, requests // 4, requests - requests // 2 - requests // 4 - 1, 1) if requests else ()
    samples = tuple(math.sin(i * (step + 1)) + 5.0 for i in range(12))
    return Arm(requests, bad, latency, (("latency", samples),) if requests else ())


def windows(count: int = 8, requests: int = 400) -> list[Window]:
    return [
        Window(60.0 * i, 60.0 * i + 60.0, 0.5, arm(requests, 3 + i % 3, i), arm(requests, 4, i + 100), BOUNDS)
        for i in range(count)
    ]


def run(judge: Any, seen: list[Window], seed: int = 11) -> list[Finding]:
    look = judge.start(seed=seed, truth=TRUTH)
    return [look.look(window) for window in seen]


@pytest.mark.parametrize("name", JUDGES)
def test_is_a_frozen_slotted_dataclass_with_its_registry_name(name: str) -> None:
    judge = make(name)
    assert judge.name == name
    assert isinstance(judge.sequential, bool)
    assert not hasattr(judge, "__dict__")
    field = dataclasses.fields(judge)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(judge, field, None)
    assert dataclasses.replace(judge) == judge
    assert hash(judge) == hash(make(name))


@pytest.mark.parametrize("name", JUDGES)
def test_shows_a_runnable_example(name: str) -> None:
    assert ">>> " in (JUDGES[name].__doc__ or "")


@pytest.mark.parametrize("name", JUDGES)
def test_same_seed_same_answers_and_runs_do_not_share_state(name: str) -> None:
    judge, seen = make(name), windows()
    first = run(judge, seen)
    interleaved = [judge.start(11, TRUTH), judge.start(11, TRUTH)]
    both = [[look.look(w) for look in interleaved] for w in seen]
    assert first == run(judge, seen) == [a for a, _ in both] == [b for _, b in both]


@pytest.mark.parametrize("name", JUDGES)
def test_findings_are_sentences_and_finite_numbers(name: str) -> None:
    bad = [Window(0.0, 60.0, 0.5, arm(400, 400, 0), arm(400, 0, 1), BOUNDS)]
    clean = [Window(0.0, 60.0, 0.5, arm(400, 0, 0), arm(400, 0, 1), BOUNDS)]
    for found in [*run(make(name), windows()), *run(make(name), bad), *run(make(name), clean)]:
        assert found.verdict in get_args(Verdict)
        assert found.reason
        assert json.loads(json.dumps(dict(found.evidence), allow_nan=False)) == dict(found.evidence)
        assert "requests" in dict(found.evidence)


@pytest.mark.parametrize("rule", ["fail", "inconclusive", "wait", "pass"])
@pytest.mark.parametrize("name", JUDGES)
def test_no_canary_requests_is_answered_by_on_nodata(name: str, rule: str) -> None:
    empty = Window(0.0, 60.0, 0.5, Arm(0, 0), arm(400, 4, 1), BOUNDS)
    found = run(make(name, on_nodata=rule), [empty])[0]
    assert found.verdict == ("continue" if rule == "wait" else rule)


@pytest.mark.parametrize("name", JUDGES)
def test_by_default_the_unknown_never_passes(name: str) -> None:
    empty, judge = Arm(0, 0), make(name)
    unknown = [
        Window(0.0, 60.0, 0.5, empty, arm(400, 4, 1), BOUNDS),
        Window(60.0, 120.0, 0.5, empty, None, BOUNDS),
        Window(120.0, 180.0, 0.0, empty, empty),
    ]
    assert all(found.verdict in ("inconclusive", "continue") for found in run(judge, unknown))
    assert all(conclude(judge, found).verdict == "inconclusive" for found in run(judge, unknown))


@pytest.mark.parametrize("name", sorted(COMPARES))
def test_a_judge_that_compares_is_inconclusive_without_a_baseline(name: str) -> None:
    for baseline in (None, Arm(0, 0)):
        found = run(make(name), [Window(0.0, 60.0, 0.5, arm(400, 4, 0), baseline, BOUNDS)])[0]
        assert found.verdict == "inconclusive"
        assert "baseline" in found.reason


@pytest.mark.parametrize("name", JUDGES)
def test_bad_configuration_names_the_value(name: str) -> None:
    with pytest.raises(PolicyError, match="got 'maybe'"):
        make(name, on_nodata="maybe")


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("threshold", {"max_error_rate": 5.0}, "got 5.0; write 5% as 0.05"),
        ("threshold", {"max_error_rate": None}, "checks nothing"),
        ("threshold", {"max_ratio": -1.0}, "max_ratio must be positive, got -1.0"),
        ("threshold", {"min_requests": 0}, "got 0"),
        ("eprocess.counts", {"alpha": 1.5}, "alpha must lie in"),
        ("eprocess.counts", {"k": 0.0}, "k must be positive"),
        ("eprocess.counts", {"margin": 0.9}, "ratio above 1, got 0.9"),
        ("eprocess.counts", {"split": "half"}, "got 'half'"),
        ("eprocess.counts", {"at_end": "fail"}, "at_end must be one of"),
        ("eprocess.cdf", {"min_samples": 0}, "min_samples"),
        ("eprocess.cdf", {"margin": 0.0}, "margin must be positive"),
        ("sprt", {"ratio": 1.0}, "ratio must be above 1"),
        ("sprt", {"alpha": 0.6, "beta": 0.6}, "alpha \\+ beta"),
        ("sprt", {"p0": 0.9995}, "below 0.999"),
        ("sprt", {"max_requests": 0}, "max_requests"),
        ("burn_rate", {"page": ((300.0, 3600.0, 14.4),)}, "short <= long"),
        ("burn_rate", {"page": ()}, "at least one pair"),
        ("burn_rate", {"hold": -1.0}, "hold must be 0 or more"),
        ("bake_time", {"seconds": 0.0}, "seconds must be positive"),
        ("bake_time", {"max_seconds": 10.0}, "must not be below seconds"),
        ("bake_time", {"min_requests": -1}, "min_requests"),
        ("gst", {"looks": 0}, "looks must lie in 1..100"),
        ("gst", {"planned_requests": 0}, "planned_requests"),
        ("gst", {"spending": "linear"}, "got 'linear'"),
        ("gst", {"margin": 2.0}, "margin must lie in"),
        ("fixed.exact", {"requests": 0}, "requests must be at least 1"),
        ("random", {"probability": 2.0}, "probability must lie in"),
        ("mean_inequality", {"direction": "up"}, "got 'up'"),
        ("kayenta.aca_seeded", {"metrics": ()}, "no metrics"),
        ("kayenta.aca_seeded", {"metrics": (Metric("a"), Metric("a"))}, "must differ"),
        ("kayenta.aca_seeded", {"pass_score": 50.0, "marginal_score": 75.0}, "swap them"),
        ("kayenta.aca_margin", {"error_policy": "pass"}, "got 'pass'"),
        ("kayenta.aca_margin", {"expected_points": -1}, "expected_points"),
    ],
)
def test_impossible_configurations(name: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        JUDGES[name](**{**NEEDED.get(name, {}), **fields})


def test_a_metric_validates_itself() -> None:
    for fields in ({"name": ""}, {"outlier_factor": 0.0}, {"critical": "true"}, {"direction": "up"}, {"nan": "keep"}):
        with pytest.raises(PolicyError):
            Metric(**{"name": "m", **fields})  # type: ignore[arg-type]


def test_only_the_oracle_reads_the_truth() -> None:
    for name in JUDGES:
        if name == "oracle":
            with pytest.raises(PolicyError, match="got None"):
                make(name).start(seed=0, truth=None)
            continue
        seen = windows(3)
        answers = [[make(name).start(1, truth)] for truth in (None, Truth(bad=True), Truth(bad=False))]
        assert len({str([looks[0].look(w) for w in seen]) for looks in answers}) == 1


def test_counts_that_cannot_be_are_the_worlds_fault() -> None:
    with pytest.raises(WorldError, match="bad=7, requests=5"):
        Arm(5, 7)
    with pytest.raises(WorldError, match="divide percent by 100"):
        Window(0.0, 60.0, 5.0, Arm(1, 0))


def test_conclude_reads_at_end() -> None:
    going = finding("continue", "more to see", requests=1)
    assert conclude(make("eprocess.counts", at_end="pass"), going).verdict == "pass"
    assert conclude(make("eprocess.counts"), going).verdict == "inconclusive"
    assert conclude(make("sprt"), going).verdict == "inconclusive"
    done = finding("fail", "seen enough", requests=1)
    assert conclude(make("eprocess.counts", at_end="pass"), done) is done


def test_judges_import_only_the_standard_library_and_sim_policy() -> None:
    folder = pathlib.Path(inspect.getfile(judges)).parent
    for path in [*folder.glob("*.py"), folder.parent / "special.py", folder.parent / "chance.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                assert name.startswith("sim.policy") or top in sys.stdlib_module_names, f"{path.name} imports {name}"
                assert top not in {"time", "random", "datetime", "os", "threading"}, f"{path.name} imports {name}"
