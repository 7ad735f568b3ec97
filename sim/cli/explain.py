"""`seatrial explain`: one replication told as a story."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import console, options
from sim.cli.beside import show_beside
from sim.cli.exits import Usage
from sim.cli.journals import about, is_journal, labelled

if TYPE_CHECKING:
    from sim.cli.told import Told
    from sim.engine.paths import Case
    from sim.scenario import Release, Scenario
    from sim.session import Session

app = options.application()

_PATH = typer.Argument(metavar="SCENARIO | JOURNAL", help="A scenario file, or a recorded journal.", show_default=False)
_POLICY = typer.Option(
    "--policy", "-p", metavar="P", help="A policy of the scenario, or a file; the first without it.", show_default=False
)
_RELEASE = typer.Option(
    "--release", "-r", metavar="R", help="A release of the scenario; the first bad one without it.", show_default=False
)
_REPLICATION = typer.Option("--replication", min=0, metavar="N", help="Which replication.", show_default=False)
_WHY = typer.Option(
    "--why", metavar="aborted|promoted|inconclusive", help="The first replication that ended so.", show_default=False
)
_JOURNAL = typer.Option("--journal", metavar="FILE", help="Write its journal, for replay.", show_default=False)


@app.command()
def explain(
    path: Annotated[Path, _PATH],
    policy: Annotated[str | None, _POLICY] = None,
    release: Annotated[str | None, _RELEASE] = None,
    replication: Annotated[int | None, _REPLICATION] = None,
    why: Annotated[str | None, _WHY] = None,
    seed: options.Seed = None,
    journal: Annotated[Path | None, _JOURNAL] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Tell one rollout from beginning to end: what was measured, why it was rolled back, and what it broke.

    Without --replication and --why the most telling one is taken: a bad release that was promoted, a good one that was
    rolled back, else the first.
    """
    from sim.controlled import is_controlled

    if is_controlled(path):
        show_beside(path, policy, json=json, following="replay")
        return
    if is_journal(path):
        _recorded(path, policy, json=json)
        return
    told = _play(path, policy, release, replication, why, seed)
    if journal is not None:
        told.journal.write(journal)
    if json:
        console.document(told.document())
    else:
        told.show(quiet=quiet, wrote=journal)


def _play(
    path: Path,
    policy: str | None,
    release: str | None,
    replication: int | None,
    why: str | None,
    seed: int | None,
) -> Told:
    from sim.cli.told import Told
    from sim.session import Session
    from sim.story import play, tell

    session = Session.of(path, seed=seed)
    session = _narrowed(session, policy, seed)
    scenario = session.scenario
    chosen, condition = scenario.policies[0], _release(scenario, release)
    case = next(case for _, name, case in scenario.cases() if name == condition.name)
    number, note = _pick(case, scenario.seed, replication, why, condition.truth.bad)
    journal, row = play(case, scenario.seed, number)
    journal = labelled(journal, about(scenario, chosen, condition.name, number))
    return Told(session, chosen, condition, number, journal, row, tell(chosen.policy, journal), note)


def _recorded(path: Path, policy: str | None, *, json: bool) -> None:
    from sim.cli.told import beat_document, timeline
    from sim.journal import Journal
    from sim.single import recorded
    from sim.story import tell

    journal = Journal.read(path)
    chosen = recorded(journal, policy)
    beats = tell(chosen.policy, journal)
    if json:
        console.document({**journal.about, "story": [beat_document(beat) for beat in beats]})
        return
    console.title(
        f"{chosen.name}",
        ", ".join(f"{key} {journal.about[key]}" for key in ("release", "replication", "seed") if key in journal.about),
    )
    timeline(beats)
    console.pairs(("next", f"seatrial replay {path} --policy OTHER"))


def _narrowed(session: Session, policy: str | None, seed: int | None) -> Session:
    """One policy: a name of the scenario, a file, or the scenario's first."""
    from sim.files.words import choose
    from sim.session import Session

    names = [one.name for one in session.scenario.policies]
    wanted = policy or names[0]
    if (
        wanted not in names
        and not Path(wanted.partition("#")[0].rpartition(":")[0] or wanted).exists()
        and not Path(wanted).exists()
    ):
        raise Usage(f"there is no policy {wanted!r}; {choose(wanted, names)} (or name a file)")
    return Session.of(session.scenario, [wanted], seed=seed)


def _release(scenario: Scenario, name: str | None) -> Release:
    from sim.files.words import choose

    if name is None:
        return next((release for release in scenario.releases if release.truth.bad), scenario.releases[0])
    names = [release.name for release in scenario.releases]
    if name not in names:
        raise Usage(f"there is no release {name!r}; {choose(name, names)}")
    return scenario.release(name)


def _pick(case: Case, seed: int, replication: int | None, why: str | None, bad: bool) -> tuple[int, str]:
    """(replication, how it was found)."""
    from sim.engine.rows import OUTCOMES
    from sim.story import find

    if replication is not None:
        if why is not None:
            raise Usage("--replication and --why both choose a replication; keep one of them")
        return replication, ""
    if why is not None:
        if why not in OUTCOMES:
            raise Usage(f"a rollout ends {', '.join(OUTCOMES)}, got --why {why}")
        found = find(case, seed, why)
        if found is None:
            raise Usage(f"no replication among the first 5,000 was {why}; try another --why")
        return found, f"the first that was {why}"
    telling = "promoted" if bad else "aborted"
    found = find(case, seed, telling)
    return (0, "") if found is None else (found, f"the first that was {telling}")
