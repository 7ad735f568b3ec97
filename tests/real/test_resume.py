"""What goes on after a crash and what does not, and what is kept of the life before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from real.chaos.mischief import Mischief
from real.cli.resume import _asked, stood
from real.driver.folder import Folder
from real.driver.plan import Ending
from real.driver.resume import able
from real.lab.trial import _counted
from real.load.truth import Truth, joined
from real.ports.errors import Refused
from real.ports.things import Injection, Lease, Put, Stable, Thing
from sim.cli.exits import Usage
from sim.faults.fault import Blast, Fault, Target, Trigger
from sim.journal import Journal
from sim.policy.canary import Canary
from sim.policy.commands import SetWeight
from sim.policy.events import PodsReady, Started, Woke
from sim.policy.rollout import Rollout
from sim.policy.steps import Pause
from sim.scenario import load
from tests.real.chaos.world import World

POLICY = Canary(steps=(SetWeight(20), Pause(5.0), SetWeight(60), Pause(5.0)))
HELD = Lease("run-1", "here:7", 3, until=1060.0)


def journal(*acts: dict[str, Any], entries: int = 2) -> Journal:
    rollout = Rollout(POLICY)
    rollout.handle(0.0, Started(3, 2, 1, 1))
    rollout.handle(1.0, PodsReady(3, 1))
    return Journal(tuple(rollout.journal[:entries]), {"run": "run-1"}, acts=({"at": 0.0, "opened": {}}, *acts))


@pytest.mark.parametrize(
    "story, policy, held, why",
    [
        (journal(), POLICY, HELD, ""),
        (journal(), POLICY, replace(HELD, holder="elsewhere:7", until=999.0), ""),
        (
            journal(),
            POLICY,
            replace(HELD, holder="elsewhere:7"),
            "elsewhere:7 may still drive run run-1.* ends in 60 s",
        ),
        (journal(), POLICY, replace(HELD, holder=""), "nobody drives here any more"),
        (journal(), POLICY, None, "nobody drives here any more"),
        (journal(), POLICY, Stable(1), "nobody drives here any more"),
        (journal({"at": 9.0, "ended": "unrestored"}), POLICY, HELD, "the run is over .unrestored."),
        (journal(entries=0), POLICY, HELD, "died before it began"),
        (Journal((), {"run": "run-1"}), POLICY, HELD, "died before it began"),
        (journal(), Canary(steps=(SetWeight(30),)), HELD, "entry 1 of the journal is not what this policy does"),
    ],
)
def test_what_can_go_on(story: Journal, policy: Canary, held: Thing | None, why: str) -> None:
    if not why:
        able(story, policy, held, "here", 1000.0)
        return
    with pytest.raises(Refused, match=why):
        able(story, policy, held, "here", 1000.0)


def test_only_one_process_holds_the_folder_of_a_run(tmp_path: Path) -> None:
    first = Folder.created(tmp_path / "run", {"run": "run-1"})
    second = Folder.opened(tmp_path / "run")
    with pytest.raises(Refused, match="only one drives at a time"):
        second.hold()
    first.close()  # or dies
    second.hold()
    second.finish(Ending("restored"))
    second.close()


# ---- what users saw in both lives ----


def life(begun: float, *seconds: int) -> Truth:
    truth = Truth(begun)
    for second in seconds:
        truth.sent(second + 0.5, "beta")
        truth.answered(second + 0.5, "beta", "2", 200, 0.01, 0.5)
    truth.sent(0.2)
    truth.lost(0.2, "", "TimeoutError")
    return truth


def test_the_counts_of_both_lives_are_one_truth() -> None:
    whole = joined([Truth(), life(1000.0, 0, 1, 2), life(1030.4, 0, 5)])
    assert whole.begun == 1000.0 and whole.totals() == {
        "sent": 7, "good": 5, "slow": 0, "bad": 0, "lost": 2, "in_flight": 0,
    }  # fmt: skip
    assert sorted(second for second, _ in whole.cells) == [0, 1, 2, 30, 35] and whole.missing[30] == 1
    assert joined([Truth()]).totals()["sent"] == 0


def test_they_are_written_down_once(tmp_path: Path) -> None:
    folder = Folder.created(tmp_path / "run", {"run": "run-1"})
    folder.act({"at": 0.0, "opened": {"started": 1002.0}})
    for number, one in enumerate((life(1000.0, 0, 1), life(1030.0, 0)), 1):
        (folder.path / f"counts-{number}.json").write_text(json.dumps(one.document()))
    whole = _counted(folder, life(1030.0, 0))  # the last one has written its file as well
    assert whole.totals()["sent"] == 5
    starts = [json.loads(line)["start"] for line in (folder.path / "load.jsonl").read_text().splitlines()]
    assert sorted(set(starts)) == [-2.0, -1.0, 28.0]
    assert sorted(one.name for one in folder.path.iterdir()) == [
        "journal.jsonl", "load.jsonl", "run.json", "truth.json",
    ]  # fmt: skip
    folder.close()


# ---- faults that began in the life before ----

ALL = Blast(max_pods=9, max_pct=100.0)
DELAY = Fault("f1", "net.delay", Target("stable"), {"delay_s": 0.1}, at_s=10.0, duration_s=20.0, blast=ALL)
KILL = Fault("f2", "pod.kill", Target("stable"), {"count": 1}, at_s=10.0, blast=ALL)
LATE = Fault("f3", "api.error", Target(), {"p": 1.0}, trigger=Trigger("weight_at_least", 20), duration_s=30.0)
PARAMS = (("delay_s", 0.1), ("lasts_s", 20.0))


@pytest.mark.parametrize(
    "at, there, wanted",
    [
        (9.0, {}, ()),
        (15.0, {"fault/f1": Injection("net.delay", ("gone",), PARAMS)},
         (Put("fault/f1", Injection("net.delay", ("gone",), PARAMS)), Put("fault/f2", None))),
        (15.0, {}, (Put("fault/f1", Injection("net.delay", ("web-a", "web-b", "web-c"), PARAMS)), Put("fault/f2", None))),
        (31.0, {}, (Put("fault/f1", None), Put("fault/f2", None))),
    ],
)  # fmt: skip
def test_a_fault_is_what_it_would_be_by_now(at: float, there: dict[str, Injection], wanted: tuple[Put, ...]) -> None:
    plan = Mischief((DELAY, KILL), World().field(), seed=3)
    assert sorted(plan.missed(at, there), key=lambda put: put.name) == list(wanted)
    assert plan.wakes_at == (30.0 if at == 15.0 else 10.0 if at == 9.0 else None)


def test_one_that_was_triggered_is_known_from_the_journal() -> None:
    plan = Mischief((LATE,), World().field(), seed=3)
    plan.heard(12.0, Woke(), (SetWeight(20),))
    assert [put.value is not None for put in plan.missed(20.0, {})] == [True]
    assert plan.wakes_at == 42.0


# ---- what the command asks for ----

SCENARIO = """seatrial: scenario
name: small
service: {traffic: 10/s}
policy: {name: small, canary: {weights: [50, 100], interval: 10s, count: 2, judge: {threshold: {max_error_rate: 5%}}}}
releases: {good: {}}
"""


def test_a_scenario_that_has_changed_or_is_not_here_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SCENARIO)
    read = load(file, "real")
    said = {"scenario": "nowhere.yaml", "digest": read.digest, "policy": "small", "source": "", "release": "good"}
    run = tmp_path / "run"
    with pytest.raises(Usage, match=r"a run of nowhere.yaml, which is not here; name it: --scenario"):
        _asked(said, run, None, None)
    found = _asked(said, run, file, None)
    assert found.policy is not None and found.policy.name == "small" and found.release is not None
    file.write_text(SCENARIO.replace("10/s", "20/s"))
    with pytest.raises(Usage, match="has changed since the run began; end the run: seatrial real recover"):
        _asked(said, run, file, None)


def test_a_record_that_does_not_say_where_is_refused(tmp_path: Path) -> None:
    from real.cli.options import Target

    with pytest.raises(Usage, match="does not say where the run was"):
        stood(tmp_path, {"run": "r", "cluster": "c"}, Target("c"))
