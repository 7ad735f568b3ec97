"""Journals that are written: what their first line says, and where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.journal import Journal
    from sim.scenario import NamedPolicy, Scenario
    from sim.session import Session

__all__ = ["about", "is_journal", "labelled", "write"]


def write(session: Session, folder: Path, count: int) -> None:
    """The journals of the first replications of every policy under every release."""
    from sim.story import play

    folder.mkdir(parents=True, exist_ok=True)
    for policy, release, case in session.scenario.cases():
        for number in range(count):
            journal, _ = play(case, session.scenario.seed, number)
            said = about(session.scenario, session.scenario.policy(policy), release, number)
            labelled(journal, said).write(folder / f"{_safe(policy)}--{_safe(release)}--{number}.jsonl")


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def about(scenario: Scenario, policy: NamedPolicy, release: str, replication: int) -> dict[str, Any]:
    """What the first line of a journal says. No absolute paths: a journal never tells where it was made."""
    from sim.naming import shown

    return {
        "policy": policy.name, "source": shown(policy.source), "scenario": shown(scenario.file or ""), "digest": scenario.digest,
        "release": release, "replication": replication, "seed": scenario.seed,
    }  # fmt: skip


def labelled(journal: Journal, said: dict[str, Any]) -> Journal:
    from sim.journal import Journal

    return Journal(journal.entries, said)


def is_journal(path: Path) -> bool:
    """Journals are told by their first line; so is the folder of a recorded run."""
    try:
        with (path / "journal.jsonl" if path.is_dir() else path).open("rb") as file:
            return file.readline(200).replace(b" ", b"").startswith(b'{"seatrial":"journal"')
    except OSError:
        return False
