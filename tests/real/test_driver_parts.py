"""The parts of the driver, each by itself: what commands mean, the folder on disk, secrets, the clock, people, what reality cannot do."""

from __future__ import annotations

import base64
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from real.driver.counting import Counting
from real.driver.effects import Facts, puts
from real.driver.fitness import unfit
from real.driver.folder import Folder
from real.driver.people import Steward
from real.driver.plan import Ending, Plan
from real.driver.recover import recover, status
from real.driver.redaction import Redaction
from real.driver.run import run
from real.driver.stopwatch import Stopwatch
from real.driver.wall import WallClock
from real.driver.watch import Sight
from real.ports.errors import Refused
from real.ports.ports import Stop
from real.ports.things import (
    ACTIVE,
    HOME,
    PREVIEW,
    ROUTES,
    STABLE,
    Put,
    Routes,
    Seen,
    Selector,
    Stable,
    Thing,
    Workload,
    told,
    understood,
)
from sim.journal import Journal, replay
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Apply, Command, Counts, Match, Mirror, Promote, Restore, SetScale, SetWeight, Switch
from sim.policy.errors import WorldError
from sim.policy.events import Answered, Human, PodsReady, WeightIs
from sim.policy.flagger import Flagger
from sim.policy.judges.controls import Oracle
from sim.policy.notes import Measurement, PhaseIs
from sim.policy.rolling import Rolling
from sim.policy.steps import Analyse, Pause
from sim.policy.swarm import Swarm
from tests.real.fake import LIMITS, SECRET, Behaviour, Log, Yard, ended

# ---- commands as values ----

OLD, NEW = "app@sha256:01", "app@sha256:02"
HOME_3 = Workload(1, OLD, 3)
EVEN = Routes(((1, 100.0), (2, 0.0)))


def facts(**things: Thing | None) -> Facts:
    known = {HOME: HOME_3, **{name.replace("_", "/"): value for name, value in things.items()}}
    return Facts(HOME, 1, 2, 3, {1: OLD, 2: NEW}, things=known)


MEANINGS: list[tuple[str, Command, Facts, tuple[Put, ...]]] = [
    ("a weight", SetWeight(20), facts(), (Put(ROUTES, Routes(((1, 80.0), (2, 20.0)))),)),
    ("a weight keeps what is matched", SetWeight(20), facts(routes=replace(EVEN, matches=(("beta", 2),))),
     (Put(ROUTES, Routes(((1, 80.0), (2, 20.0)), (("beta", 2),))),)),
    ("a first size is made empty", SetScale(3, 1), facts(),
     (Put(HOME, HOME_3), Put("workload/r2", Workload(2, NEW, 0)), Put("workload/r2", Workload(2, NEW, 1)))),
    ("a size", SetScale(2, 3), facts(workload_r2=Workload(2, NEW, 1)),
     (Put(HOME, replace(HOME_3, pods=2)), Put("workload/r2", Workload(2, NEW, 3)))),
    ("pods that count later", SetScale(3, 1, min_ready=5.0), facts(),
     (Put(HOME, replace(HOME_3, min_ready=5.0)), Put("workload/r2", Workload(2, NEW, 0, min_ready=5.0)),
      Put("workload/r2", Workload(2, NEW, 1, min_ready=5.0)))),
    ("no pods need no workload", SetScale(3, 0), facts(), (Put(HOME, HOME_3),)),
    ("the Deployment's own arithmetic", Apply(2, 1, 0, 5.0), facts(), (Put(HOME, Workload(2, NEW, 3, 1, 0, 5.0)),)),
    ("a match", Match(("beta",)), facts(routes=EVEN), (Put(ROUTES, replace(EVEN, matches=(("beta", 2),))),)),
    ("copies", Mirror(20), facts(routes=EVEN), (Put(ROUTES, replace(EVEN, mirror=(2, 20.0))),)),
    ("no more copies", Mirror(0), facts(routes=replace(EVEN, mirror=(2, 20.0))), (Put(ROUTES, EVEN),)),
    ("a switch", Switch(2, 2), facts(), (Put(ACTIVE, Selector(2)), Put(PREVIEW, Selector(2)))),
    ("a promotion moves the rest of the traffic", Promote(2), facts(routes=EVEN),
     (Put(ROUTES, Routes(((2, 100.0),))), Put(STABLE, Stable(2, 1)))),
    ("a promotion without a router", Promote(2), facts(), (Put(STABLE, Stable(2, 1)),)),
    ("restore", Restore(), facts(routes=Routes(((1, 40.0), (2, 60.0)), (("beta", 2),), (2, 5.0)), service_active=Selector(2)),
     (Put(ROUTES, Routes(((1, 100.0),))), Put(ACTIVE, Selector(1)))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "known", "expected"), [row[1:] for row in MEANINGS], ids=[row[0] for row in MEANINGS]
)
def test_a_command_is_absolute_values(command: Command, known: Facts, expected: tuple[Put, ...]) -> None:
    assert puts(command, known) == expected
    for put in expected:
        known.given(put)
    assert [put for put in puts(command, known) if known.things.get(put.name) != put.value] == []
    assert all(understood(json.loads(json.dumps(told(put)))) == put for put in expected)


def test_older_revisions_drain_the_newest_first() -> None:
    made: dict[str, Thing | None] = {
        f"workload/r{revision}": Workload(revision, NEW, pods) for revision, pods in ((2, 2), (3, 2), (4, 1))
    }
    known = Facts(HOME, 1, 4, 3, {4: "x@sha256:4"}, things={HOME: HOME_3, **made})
    drained = [put for put in puts(SetScale(3, 1, 1), known) if put.name in ("workload/r2", "workload/r3")]
    assert drained == [Put("workload/r3", Workload(3, NEW, 0)), Put("workload/r2", Workload(2, NEW, 1))]


def test_pods_count_once_they_were_ready_for_long_enough() -> None:
    counting = Counting()
    looks = [
        (0.0, {1: 3}),
        (2.0, {1: 3, 2: 1}),
        (4.0, {1: 3, 2: 2}),
        (6.0, {1: 2, 2: 2}),
        (7.0, {1: 3, 2: 2}),
        (9.0, {1: 3, 2: 1}),
    ]
    counted = [counting(at, 4.0, ready) for at, ready in looks]
    assert counted == [{1: 3}, {1: 3, 2: 0}, {1: 3, 2: 0}, {1: 2, 2: 1}, {1: 2, 2: 1}, {1: 2, 2: 1}]
    assert [Counting()(0.0, 0.0, {1: 2}), Counting()(5.0, 30.0, {1: 2, 2: 1})] == [{1: 2}, {1: 2, 2: 1}]
    assert facts().event({1: 2, 2: 1, 4: 1}, ready=7) == PodsReady(2, 1, 1, settling=3)
    assert facts(workload_r2=Workload(2, NEW, 1, min_ready=8.0)).min_ready == 8.0


def test_what_has_no_meaning_is_said() -> None:
    with pytest.raises(WorldError, match="partition"):
        puts(Apply(2, 1, 0, upto=1), facts())


def test_all_events_of_a_look_are_of_that_look() -> None:
    """What the first one leads to (here a promotion) must not change what the second one says that was read."""
    known = facts(routes=Routes(((1, 50.0), (2, 50.0))))
    seen = Seen(((1, 3), (2, 3)), ((1, 0.5), (2, 0.5)))
    hand = SimpleNamespace(
        limits=LIMITS, log=SimpleNamespace(act=lambda act: None), world=SimpleNamespace(cluster=SimpleNamespace(look=lambda deadline: seen))
    )  # fmt: skip
    told = []
    for event in Sight(hand, known).look(1.0):  # type: ignore[arg-type]
        told.append(event)
        known.given(Put(STABLE, Stable(2, 1)))
    assert told == [PodsReady(3, 3), WeightIs(50.0)]


def test_the_weight_that_traffic_has_is_read_back() -> None:
    known = facts(routes=Routes(((1, 80.0), (2, 20.0))))
    assert known.weight(Seen(((1, 3), (2, 1)), ((1, 0.81), (2, 0.19)))) == 19.0
    assert known.weight(Seen(((1, 3),))) is None
    assert facts().share(Seen(((1, 3), (2, 1)))) == 0.25


# ---- the folder ----


def folder_of(place: Path, secrets: tuple[str, ...] = ()) -> Folder:
    return Folder.created(place / "run", {"run": "run-1", "policy": "canary"}, Redaction(secrets))


POLICY = Canary(steps=(SetWeight(20), Pause(5.0)))


def test_a_run_on_disk_replays_and_recovers(tmp_path: Path) -> None:
    yard, folder = Yard(), folder_of(tmp_path, (SECRET,))
    assert run(Plan("run-1", POLICY, NEW, limits=LIMITS), yard.world(), folder).state == "promoted"
    folder.close()
    journal = Journal.read(tmp_path / "run")
    assert replay(POLICY, journal) is None
    assert status(journal).state == "promoted" and not status(journal).unfinished
    again = Folder.opened(tmp_path / "run")
    assert recover(again.journal(), yard.world(), again).state == "promoted"
    again.close()


def test_a_torn_line_is_cut_off_before_more_is_written(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.act({"at": 0.0, "remark": "whole"})
    os.write(folder._journal, b'{"at": 1.0, "rem')
    folder.close()
    again = Folder.opened(tmp_path / "run")
    again.act({"at": 2.0, "remark": "after"})
    again.close()
    assert [act["remark"] for act in Journal.read(tmp_path / "run").acts] == ["whole", "after"]


def test_a_journal_that_never_began_says_what_it_is_when_opened(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.close()
    (tmp_path / "run" / "journal.jsonl").write_text('{"seatr')
    Folder.opened(tmp_path / "run").close()
    assert Journal.read(tmp_path / "run").about["run"] == "run-1"


def test_a_folder_holds_one_run(tmp_path: Path) -> None:
    folder_of(tmp_path).close()
    with pytest.raises(Refused, match="holds a run already"):
        folder_of(tmp_path)
    with pytest.raises(Refused, match="no recorded run"):
        Folder.opened(tmp_path)


def test_no_secret_reaches_the_disk(tmp_path: Path) -> None:
    """A cluster whose errors tell a token, in every form that it may take."""
    folder = folder_of(tmp_path, (SECRET,))
    yard = Yard(Behaviour(answers=("failed",)))
    yard.log = None
    query = Metric("x", Counts(30.0), Judged(Oracle()), interval=5.0, count=1)
    ending = run(
        Plan("run-1", Canary(steps=(SetWeight(20), Analyse(Analysis((query,))))), NEW, limits=LIMITS),
        yard.world(),
        folder,
    )
    folder.act({"at": 9e9, "remark": base64.b64encode(f"user:{SECRET}".encode()).decode()})
    folder.finish(replace(ending, reason=SECRET))
    folder.close()
    for file in (tmp_path / "run").iterdir():
        text = file.read_text()
        assert SECRET not in text and base64.b64encode(SECRET.encode()).decode()[4:-4] not in text, file.name
    assert "***" in (tmp_path / "run" / "journal.jsonl").read_text()


def test_a_halt_is_kept_with_the_run(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    assert folder.halted() == ""
    folder.halt("enough")
    assert folder.halted() == "enough"
    yard = Yard()
    ending = run(Plan("run-1", POLICY, NEW, limits=LIMITS), yard.world(), folder)
    assert (ending.state, ending.interrupted, ending.reason, ending.code) == ("restored", True, "enough", 130)
    assert ended(yard) == []
    folder.close()


# ---- recovery from the cluster alone ----


def test_a_lost_folder_loses_nothing_but_the_story() -> None:
    """The undo stands on the objects too: an empty journal that knows only the run's name restores."""
    for stop in range(12, 60):
        yard = Yard()
        yard.trouble.crash_at = stop
        yard.log = Log(yard)
        try:
            run(Plan("run-1", POLICY, NEW, limits=LIMITS), yard.world(), yard.log)
        except BaseException as crash:
            assert type(crash).__name__ == "Crash"
        yard.log, yard.trouble.crash_at = Log(yard), -1
        assert recover(Journal((), {"run": "run-1"}), yard.world(), yard.log, limits=LIMITS).state in (
            "promoted",
            "restored",
        )
        left = [problem for problem in ended(yard) if "ready" not in problem]
        assert left == [], stop


# ---- clock and people ----


def test_signals_are_words_in_the_inbox() -> None:
    clock = WallClock()
    before = signal.getsignal(signal.SIGINT)
    with clock.signals():
        for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), kind)
        said = [clock.wait(1.0) for _ in range(3)]
    assert said == [Stop("stopped by SIGINT"), Stop("stopped by SIGTERM"), Stop("stopped by SIGINT")]
    assert signal.getsignal(signal.SIGINT) is before
    assert clock.wait(0.0) is None


def test_moments_follow_the_monotonic_clock_and_after_a_crash_the_wall() -> None:
    yard = Yard()
    watch = Stopwatch(yard)
    yard.sleep(5.0)
    yard.jump = -3600.0
    assert watch.at() == 5.0
    assert Stopwatch(yard, watch.started, last=5.0).at() == 5.0  # the wall clock went back: never decreasing
    yard.jump = 0.0
    yard.sleep(7.0)
    assert Stopwatch(yard, watch.started, last=5.0).at() == 12.0


@pytest.mark.parametrize(
    ("rule", "verdict", "action"),
    [
        ("promote", "Failed", "promote"),
        ("abort", "Successful", "abort"),
        ("by-alert", "Failed", "abort"),
        ("by-alert", "Successful", "promote"),
    ],
)  # fmt: skip
def test_a_steward_answers_as_simulated_people_do(rule: str, verdict: str, action: str) -> None:
    said: list[object] = []
    steward = Steward(rule, "approve", 5.0, lambda seconds, act: act())
    steward.heard(1.0, Measurement("step", "errors", 1, verdict), said.append)
    steward.heard(2.0, PhaseIs("Paused", "", waits=True), said.append)
    assert said == [Human(action)]  # type: ignore[arg-type]


def test_a_steward_never_says_yes_to_a_rollback() -> None:
    from sim.policy.commands import AskGate

    said: list[object] = []
    for gate in ("release", "rollback"):
        Steward("promote", "approve", 0.0).ask(AskGate(gate), said.append)
    assert said == [Answered("release", True), Answered("rollback", False)]


@pytest.mark.parametrize(
    ("ending", "code"),
    [(Ending("promoted", "promoted"), 0), (Ending("restored", "aborted"), 1), (Ending("restored", "inconclusive"), 3),
     (Ending("restored", "aborted", interrupted=True), 130), (Ending("unrestored", interrupted=True), 4), (Ending("fenced"), 4)],
)  # fmt: skip
def test_exit_codes(ending: Ending, code: int) -> None:
    assert ending.code == code


# ---- what reality cannot do ----

UNFIT = [
    (Canary(steps=(Analyse(Analysis((Metric("x", Counts(60.0), Judged(Oracle()), count=1),))),)), "oracle"),
    (Canary(pods=False, steps=(SetWeight(50),)), "a flag moves a switch"),
    (Flagger(step_weight=10), "--controller flagger"),
    (Swarm(), "Docker Swarm"),
]


@pytest.mark.parametrize(("policy", "words"), UNFIT)
def test_what_cannot_be_carried_out_is_refused_beforehand(policy: object, words: str) -> None:
    (first,) = [one for one in unfit(policy) if one.says == "refused"]  # type: ignore[arg-type]
    assert words in str(first)


@pytest.mark.parametrize("policy", [Canary(steps=(SetWeight(20),)), Rolling(), Flagger(router=False, iterations=2)])
def test_other_policies_run_unchanged(policy: object) -> None:
    assert unfit(policy) == ()  # type: ignore[arg-type]
