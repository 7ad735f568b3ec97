"""Rollouts whose desired state is a repository: commits, reverts, other people's commits, recovery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from real.driver.plan import Ending, Plan
from real.driver.recover import recover
from real.driver.run import run
from real.gitops.adoption import adopt
from real.gitops.git import Author, Branch
from real.gitops.manifests import documents
from real.ports.errors import Conflict, Refused, Unavailable
from real.ports.things import HOME, ROUTES, Put, Routes, Stamp, Workload
from sim.policy.canary import Canary
from sim.scenario import load_policy
from tests.real.fake import LIMITS, Behaviour, Crash, Log, ended
from tests.real.gitops.world import FOLDER, GitYard, git, repository
from tests.real.kubeyard import PLACE

POLICIES = Path(__file__).parents[3] / "scenarios" / "policies"
CANARY = load_policy(str(POLICIES / "canary-thresholds.yaml")).policy
assert isinstance(CANARY, Canary)


def driven(yard: GitYard, run_id: str = "run-1") -> tuple[Ending, Log]:
    yard.log = log = Log(yard, run_id)
    plan = Plan(run_id, CANARY, "app@sha256:02", limits=replace(LIMITS, horizon=20_000.0))
    return run(plan, yard.world(), log), log


@pytest.fixture
def aborted(tmp_path: Path) -> GitYard:
    yard = GitYard(tmp_path, Behaviour(answers=("bad",)))
    ending, _ = driven(yard)
    assert (ending.state, ending.outcome) == ("restored", "aborted")
    return yard


def test_a_promotion_is_a_row_of_commits(tmp_path: Path) -> None:
    yard = GitYard(tmp_path)
    ending, _ = driven(yard)
    assert ending.state == "promoted", ending
    assert ended(yard) == []
    subjects = yard.history()
    assert "Deployment web-r2" in subjects
    assert "VirtualService web" in subjects
    assert set(yard.history("%an <%ae>")) == {"Ship <ship@example.org>"}
    assert any(line.startswith("Seatrial-Run: run-1") for line in yard.history("%b"))
    files = yard.branch.files(yard.branch.head(), FOLDER)
    kept = [one for text in files.values() for one in documents(text) if one["kind"] == "Deployment"]
    assert [one["metadata"]["name"] for one in kept] == ["web-r2"]
    assert "lease" not in "".join(files.values())


def test_a_rollback_is_a_revert(aborted: GitYard) -> None:
    """The branch ends with the bytes that it began with, but for who ran last; the messages name the commits they take back."""
    assert ended(aborted) == []
    subjects, made = aborted.history(), aborted.history("%H")
    assert 'Revert "VirtualService web"' in subjects
    assert 'Revert "Deployment web-r2"' in subjects
    first = made[subjects.index("VirtualService web")]
    assert any(line == f"This reverts commit {first}." for line in aborted.history("%b"))
    begun = git(aborted.bare, "rev-list", "--max-parents=0", "main")
    there = aborted.branch.files(begun, FOLDER)
    assert aborted.branch.files(aborted.branch.head(), FOLDER).keys() == there.keys()


def test_repeating_a_write_makes_no_commit(aborted: GitYard) -> None:
    before = aborted.read(HOME, 10.0)
    assert isinstance(before.value, Workload)
    stamp = Stamp("run-9", 9, before.version)
    first = aborted.write(Put(HOME, replace(before.value, pods=5)), stamp, 10.0)
    head = aborted.branch.head()
    again = aborted.write(Put(HOME, replace(before.value, pods=5)), replace(stamp, version=first.version), 10.0)
    assert (aborted.branch.head(), again.version) == (head, first.version)
    with pytest.raises(Conflict):  # what was read is not what is there, although it may say the same
        aborted.write(Put(HOME, before.value), stamp, 10.0)


def test_others_commits_stay(tmp_path: Path) -> None:
    """Somebody wants more pods, in the very file, in mid-run: the way back takes back what was ours alone."""
    yard = GitYard(tmp_path, Behaviour(answers=("bad",)))
    there = yard.read(ROUTES, 10.0)
    stamp = Stamp("run-1", 1, there.version)
    yard.write(Put(ROUTES, Routes(((1, 80.0), (2, 20.0)))), stamp, 10.0)
    head = yard.branch.head()
    text = yard.branch.text(head, f"{FOLDER}/all.yaml")
    assert text is not None
    yard.branch.commit(head, {f"{FOLDER}/all.yaml": text.replace("replicas: 3", "replicas: 4")}, "More pods")
    yard.sync()
    with pytest.raises(Conflict):
        yard.write(Put(ROUTES, None), stamp, 10.0)
    yard.write(Put(ROUTES, None), replace(stamp, version=yard.read(ROUTES, 10.0).version), 10.0)
    home = yard.read(HOME, 10.0).value
    assert isinstance(home, Workload)
    assert home.pods == 4
    assert "VirtualService web" in yard.history()[-3:]
    assert 'Revert "VirtualService web"' not in yard.history()  # more than ours would have been taken back


@pytest.mark.parametrize("step", [25, 45])
def test_recovery_converges(tmp_path: Path, step: int) -> None:
    yard = GitYard(tmp_path, Behaviour(answers=("bad",)))
    yard.trouble.crash_at = step
    with pytest.raises(Crash):
        driven(yard)
    yard.trouble.crash_at = -1
    assert yard.log is not None
    ending = recover(yard.log.journal(), yard.world(), yard.log, limits=replace(LIMITS, horizon=20_000.0))
    assert ending.state == "restored", ending
    assert ended(yard) == []
    head = yard.branch.head()
    recover(yard.log.journal(), yard.world(), yard.log, limits=replace(LIMITS, horizon=20_000.0))
    assert yard.branch.head() == head


def test_an_app_that_runs_is_committed_as_it_is(tmp_path: Path) -> None:
    """Into a folder that does not hold it; then there is nothing more to commit, and its things read the same."""
    yard = GitYard(tmp_path)
    head = yard.branch.head()
    assert adopt(yard.desired, yard.server.api("trial"), PLACE, yard.router) == []
    assert yard.branch.head() == head
    yard.branch.commit(head, {f"{FOLDER}/all.yaml": None}, "Empty")
    said = adopt(yard.desired, yard.server.api("trial"), PLACE, yard.router)
    assert said == [
        "Deployment web",
        "Service web",
        "Service web-preview",
        "ConfigMap web-stable",
        "VirtualService web",
    ]
    assert yard.ops.read(HOME, 10.0).value == yard.kube.read(HOME, 10.0).value
    assert "clusterIP" not in "".join(yard.branch.files(yard.branch.head(), FOLDER).values())


# ---- the branch ----


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return repository(tmp_path, {"a/one.yaml": "kind: A\n", "b.txt": "x"})


def test_a_branch_moves_only_from_where_it_was_read(bare: Path) -> None:
    branch = Branch(bare, "main")
    head = branch.head()
    made = branch.commit(head, {"a/two.yaml": "kind: B\n", "a/one.yaml": None}, "Two")
    assert branch.files(made, "a") == {"a/two.yaml": "kind: B\n"}
    assert branch.text(made, "b.txt") == "x"
    with pytest.raises(Conflict):
        branch.commit(head, {"c": "1"}, "Late")
    assert branch.commit(made, {"a/two.yaml": "kind: B\n"}, "Nothing") == made == branch.head()


def test_nothing_is_pushed_without_a_remote_and_by_force_never(bare: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(bare), "mine.git")
    quiet = Branch(tmp_path / "mine.git", "main")
    quiet.commit(quiet.head(), {"x": "1"}, "Here only")
    theirs = Branch(bare, "main", Author("B", "b@example.org"))
    assert theirs.text(theirs.head(), "x") is None
    pushing = Branch(tmp_path / "mine.git", "main", remote=str(bare))
    pushing.fetch()  # ours of which nobody knew are brought there
    assert theirs.text(theirs.head(), "x") == "1"
    theirs.commit(theirs.head(), {"y": "1"}, "Somebody else")
    before = pushing.head()
    with pytest.raises(Unavailable, match="pushed before"):
        pushing.commit(before, {"x": "2"}, "Too late")
    assert pushing.head() == before
    pushing.fetch()
    pushing.commit(pushing.head(), {"x": "2"}, "In time")
    assert theirs.text(theirs.head(), "x") == "2"
    theirs.commit(theirs.head(), {"x": "3"}, "Theirs")
    quiet.commit(quiet.head(), {"x": "4"}, "Ours")
    with pytest.raises(Refused, match="by hand"):
        pushing.fetch()


def test_what_it_cannot_work_with_is_refused(bare: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no git repository"):
        Branch(tmp_path, "main")
    with pytest.raises(Refused, match="no branch other"):
        Branch(bare, "other")
    with pytest.raises(Refused, match="checked out"):
        Branch(tmp_path / "work", "main")
