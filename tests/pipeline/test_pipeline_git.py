"""A history read from a repository that the test makes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sim.pipeline import Change, digest, read_history, shorten
from sim.policy.errors import WorldError

START = 1_700_000_000


def git(root: Path, *words: str, at: int = START, zone: str = "+0000", author: str = "ada") -> None:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": author,
        "GIT_AUTHOR_EMAIL": f"{author}@example.org",
        "GIT_COMMITTER_NAME": "machine",
        "GIT_COMMITTER_EMAIL": "machine@example.org",
        "GIT_AUTHOR_DATE": f"{at} {zone}",
        "GIT_COMMITTER_DATE": f"{at} {zone}",
    }
    subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, env=env)


def make(root: Path) -> Path:
    """Five commits, one of them a merge, in several time zones, one with a binary file."""
    root.mkdir()
    git(root, "init", "-b", "main")

    def commit(name: str, content: bytes, at: int, zone: str, author: str) -> None:
        (root / name).write_bytes(content)
        git(root, "add", "-A")
        git(root, "commit", "-m", f"change {name}", at=at, zone=zone, author=author)

    commit("a.txt", b"1\n2\n3\n", START, "+0000", "ada")
    commit("a.txt", b"1\n2\nthree\nfour\n", START + 3600, "-1100", "bob")
    git(root, "checkout", "-b", "side")
    commit("name with\ttab.bin", b"\0\1\2", START + 7200, "+1345", "ada")
    git(root, "checkout", "main")
    commit("b.txt", b"x\n" * 10, START + 7000, "+0530", "ada")
    git(root, "merge", "--no-ff", "-m", "join", "side", at=START + 90_000)
    return root


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make(tmp_path / "service")


def facts(changes: Sequence[Change]) -> list[tuple[int, float, int, int]]:
    return [(change.id, change.at, change.size, change.files) for change in changes]


def test_a_history_becomes_changes(repository: Path) -> None:
    changes = read_history(repository)
    assert facts(changes) == [(1, 0.0, 3, 1), (2, 3600.0, 3, 1), (3, 7000.0, 10, 1), (4, 7200.0, 0, 1)]
    assert changes[0].author == changes[2].author == changes[3].author != changes[1].author
    assert all("@" not in change.author and len(change.author) == 16 for change in changes)
    assert not any(change.bad for change in changes)


def test_merges_can_be_kept(repository: Path) -> None:
    assert facts(read_history(repository, merges=True))[4] == (5, 90_000.0, 0, 0)


@pytest.mark.parametrize(
    ("options", "sources"),
    [
        ({"limit": 2}, [2, 3]),
        ({"since": START + 3600}, [1, 2, 3]),
        ({"until": START + 3600}, [0]),
        ({"since": "2023-11-14T23:13:20Z", "until": "2023-11-15T02:13:20+02:00"}, [1, 2]),
        ({"since": "2023-11-14T23:13:21", "limit": 1}, [3]),
    ],
)
def test_a_part_of_the_history(repository: Path, options: dict[str, int | str], sources: list[int]) -> None:
    everything = read_history(repository)
    part = read_history(repository, **options)  # type: ignore[arg-type]  # one dict for options of two types
    assert [change.source for change in part] == [everything[i].source for i in sources]
    assert part[0].at == 0.0


def test_the_time_zone_of_the_machine_changes_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_history(repository, since="2023-11-14T23:00")
    monkeypatch.setenv("TZ", "Pacific/Apia")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert read_history(repository, since="2023-11-14T23:00") == before


def test_the_digest_is_of_the_content_and_never_of_the_path(repository: Path, tmp_path: Path) -> None:
    elsewhere = make(tmp_path / "copy")
    assert digest(read_history(elsewhere)) == digest(read_history(repository))
    assert digest(read_history(elsewhere, limit=3)) != digest(read_history(repository))


def test_dead_time_is_cut_only_on_demand_and_told(repository: Path) -> None:
    changes, cut = shorten(read_history(repository), longest=1000.0)
    assert [change.at for change in changes] == [0.0, 1000.0, 2000.0, 2200.0]
    assert cut == 7200.0 - 2200.0


def no_folder(tmp_path: Path) -> Path:
    return tmp_path / "missing"


def no_repository(tmp_path: Path) -> Path:
    return tmp_path


def below_a_repository(tmp_path: Path) -> Path:
    (make(tmp_path / "service") / "docs").mkdir()
    return tmp_path / "service" / "docs"


def empty(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    return tmp_path


def shallow(tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--depth", "1", f"file://{make(tmp_path / 'service')}", "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (no_folder, "is no folder; give"),
        (no_repository, "cannot be read as a git repository"),
        (below_a_repository, "cannot be read as a git repository"),
        (empty, "no commits to read"),
        (shallow, "git fetch --unshallow"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, place: Callable[[Path], Path], said: str) -> None:
    with pytest.raises(WorldError, match=said):
        read_history(place(tmp_path))


def test_wrong_options_say_why(repository: Path) -> None:
    with pytest.raises(WorldError, match="at least 1, got 0"):
        read_history(repository, limit=0)
    with pytest.raises(WorldError, match="got 'yesterday'"):
        read_history(repository, since="yesterday")
    with pytest.raises(WorldError, match="widen since and until"):
        read_history(repository, since=START + 10**8)
    with pytest.raises(WorldError, match="above 0, got 0"):
        shorten((), longest=0.0)


def test_without_git_it_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(WorldError, match="git is not installed"):
        read_history(repository)
