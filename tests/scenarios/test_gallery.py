"""The gallery: every question is told, runs as it is shipped, and is answered as its file expects.

Numbers are those of the file's own seed, so nothing here fails by chance: a tolerance is only how far a change of the simulator may
move an answer. Each file runs once, at its own number of replications; the long ones with fewer here, and as shipped every night.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import sim
from sim import deliveries
from sim.results.delivery import DeliveryResult
from sim.results.result import Result
from sim.scenario import load, load_policy, load_service
from sim.session import Session, expected

GALLERY = Path(__file__).parents[2] / "scenarios"
FILES = sorted(GALLERY.glob("*.yaml"))
DELIVERIES = [path for path in FILES if path.stem in ("delivery", "lost-webhooks")]
QUESTIONS = [path for path in FILES if path not in DELIVERIES]
POLICIES = [
    *(str(path) for path in sorted((GALLERY / "policies").glob("*.yaml"))),
    f"{GALLERY / 'policies' / 'runbook.py'}:Cautious",
]
SERVICES = sorted((GALLERY / "services").glob("*.yaml"))
THREAD = re.compile(r"[\w.-]+/[\w.-]+#\d+")
LONG = {"demo": 200}  # replications
AGAIN = 20


@cache
def answered(path: Path) -> Result:
    return sim.run(path, replications=LONG.get(path.stem))


@cache
def delivered(path: Path, runs: int | None = None) -> DeliveryResult:
    return deliveries.deliver(Session.of(path, replications=runs))


def name(thing: object) -> str:
    return Path(str(thing)).stem


# ---- answers ----


def unexpected(path: Path, result: Result) -> list[str]:
    found = expected(load(path), result)
    assert {(one.measure, one.low, one.high) for one in found} == {
        (one.measure, one.low, one.high) for one in load(path).expectations
    }, "some expectation fits no cell"
    return [str(one) for one in found if not one.holds]


@pytest.mark.parametrize("path", QUESTIONS, ids=name)
def test_the_answer_is_the_expected_one(path: Path) -> None:
    assert not unexpected(path, answered(path))


@pytest.mark.nightly
@pytest.mark.parametrize("stem", LONG)
def test_the_answer_is_the_expected_one_as_shipped(stem: str) -> None:
    path = GALLERY / f"{stem}.yaml"
    assert not unexpected(path, sim.run(path))


@pytest.mark.parametrize("path", QUESTIONS, ids=name)
def test_the_same_question_has_the_same_answer(path: Path) -> None:
    few, many = sim.run(path, replications=AGAIN), answered(path)
    for one, other in zip(few.cells, many.cells, strict=True):
        assert (one.policy, one.release) == (other.policy, other.release)
        assert one.rows.tobytes() == other.rows[:AGAIN].tobytes()


@pytest.mark.parametrize("path", DELIVERIES, ids=name)
def test_the_delivery_is_the_expected_one(path: Path) -> None:
    found = deliveries.expected(load(path), delivered(path))
    assert found
    assert [str(one) for one in found if not one.holds] == []


@pytest.mark.parametrize("path", DELIVERIES, ids=name)
def test_the_same_delivery_happens_again(path: Path) -> None:
    for one, other in zip(delivered(path, 1).cells, delivered(path).cells, strict=True):
        assert (one.policy, one.runs) == (other.policy, other.runs[:1])


# ---- files ----


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_question_is_asked_and_answered(path: Path) -> None:
    scenario = load(path)
    assert scenario.name == path.stem
    assert scenario.question.strip().endswith("?")
    assert scenario.expectations


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "demo"], ids=name)
def test_the_header_names_who_asked(path: Path) -> None:
    header, _, _ = path.read_text(encoding="utf-8").partition("\nseatrial:")
    assert THREAD.search(header), "cite the thread: owner/repository#number"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_index_lists_it(path: Path) -> None:
    assert f"[{path.stem}]({path.name})" in (GALLERY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("policy", POLICIES, ids=name)
def test_every_policy_can_be_used(policy: str) -> None:
    assert load_policy(policy).policy is not None


@pytest.mark.parametrize("path", SERVICES, ids=name)
def test_every_service_can_be_used(path: Path) -> None:
    assert load_service(path).name == path.stem
