"""`seatrial explain`: one replication told as a story."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from sim.cli import console, options
from sim.cli.exits import Usage

if TYPE_CHECKING:
    from sim.engine.paths import Case
    from sim.engine.rows import Rows
    from sim.journal import Journal
    from sim.scenario import NamedPolicy, Release, Scenario
    from sim.session import Session
    from sim.story import Beat

app = typer.Typer(pretty_exceptions_enable=False)

_PATH = typer.Argument(metavar="SCENARIO | JOURNAL", help="A scenario file, or a recorded journal.", show_default=False)
_POLICY = typer.Option("--policy", "-p", metavar="P", help="A policy of the scenario, or a file; the first without it.", show_default=False)
_RELEASE = typer.Option("--release", "-r", metavar="R", help="A release of the scenario; the first bad one without it.", show_default=False)
_REPLICATION = typer.Option("--replication", min=0, metavar="N", help="Which replication.", show_default=False)
_WHY = typer.Option("--why", metavar="aborted|promoted|inconclusive", help="The first replication that ended so.", show_default=False)
_JOURNAL = typer.Option("--journal", metavar="FILE", help="Write its journal, for replay.", show_default=False)


@app.command()
def explain(
    path: Annotated[Path, _PATH],
    policy: Annotated[Optional[str], _POLICY] = None,  # noqa: UP045 - typer reads the annotation
    release: Annotated[Optional[str], _RELEASE] = None,  # noqa: UP045
    replication: Annotated[Optional[int], _REPLICATION] = None,  # noqa: UP045
    why: Annotated[Optional[str], _WHY] = None,  # noqa: UP045
    seed: options.Seed = None,
    journal: Annotated[Optional[Path], _JOURNAL] = None,  # noqa: UP045
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Tell one rollout from beginning to end: what was measured, why it was rolled back, and what it broke.

    Without --replication and --why the most telling one is taken: a bad release that was promoted, a good one that was
    rolled back, else the first.
    """
    if _is_journal(path):
        _recorded(path, policy, json=json)
        return
    told = _Told.of(path, policy, release, replication, why, seed)
    if journal is not None:
        told.journal.write(journal)
    if json:
        console.document(told.document())
    else:
        told.show(quiet=quiet, wrote=journal)


def write_journals(session: Session, folder: Path, count: int) -> None:
    """The journals of the first replications of every policy under every release."""
    from sim.story import play

    folder.mkdir(parents=True, exist_ok=True)
    for policy, release, case in session.scenario.cases():
        for number in range(count):
            journal, _ = play(case, session.scenario.seed, number)
            about = _about(session.scenario, session.scenario.policy(policy), release, number)
            _with(journal, about).write(folder / f"{_safe(policy)}--{_safe(release)}--{number}.jsonl")


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def _about(scenario: Scenario, policy: NamedPolicy, release: str, replication: int) -> dict[str, Any]:
    """What the first line of a journal says. No absolute paths: a journal never tells where it was made."""
    from sim.naming import shown

    return {
        "policy": policy.name, "source": shown(policy.source), "scenario": shown(scenario.file or ""), "digest": scenario.digest,
        "release": release, "replication": replication, "seed": scenario.seed,
    }  # fmt: skip


def _with(journal: Journal, about: dict[str, Any]) -> Journal:
    from sim.journal import Journal

    return Journal(journal.entries, about)


def _is_journal(path: Path) -> bool:
    """Journals are told by their first line."""
    try:
        with path.open("rb") as file:
            return file.readline(200).replace(b" ", b"").startswith(b'{"seatrial":"journal"')
    except OSError:
        return False


def _recorded(path: Path, policy: str | None, *, json: bool) -> None:
    from sim.journal import Journal
    from sim.single import recorded
    from sim.story import tell

    journal = Journal.read(path)
    chosen = recorded(journal, policy)
    beats = tell(chosen.policy, journal)
    if json:
        console.document({**journal.about, "story": [_beat(beat) for beat in beats]})
        return
    console.title(f"{chosen.name}", ", ".join(f"{key} {journal.about[key]}" for key in ("release", "replication", "seed") if key in journal.about))
    _timeline(beats)
    console.pairs(("next", f"seatrial replay {path} --policy OTHER"))


@dataclass(frozen=True, slots=True)
class _Told:
    """A replication that was played, and all that is said about it."""

    session: Session
    policy: NamedPolicy
    release: Release
    replication: int
    journal: Journal
    row: Rows
    beats: tuple[Beat, ...]
    note: str

    @classmethod
    def of(
        cls, path: Path, policy: str | None, release: str | None, replication: int | None, why: str | None, seed: int | None
    ) -> _Told:
        from sim.session import Session
        from sim.story import play, tell

        session = Session.of(path, seed=seed)
        session = _narrowed(session, policy, seed)
        scenario = session.scenario
        chosen, condition = scenario.policies[0], _release(scenario, release)
        case = next(case for _, name, case in scenario.cases() if name == condition.name)
        number, note = _pick(case, scenario.seed, replication, why, condition.truth.bad)
        journal, row = play(case, scenario.seed, number)
        journal = _with(journal, _about(scenario, chosen, condition.name, number))
        return cls(session, chosen, condition, number, journal, row, tell(chosen.policy, journal), note)

    # ---- words ----

    def document(self) -> dict[str, Any]:
        row = self.row[0]
        numbers = {name: row[name].item() for name in row.dtype.names}
        return {
            **self.journal.about, "bad": self.release.truth.bad, "outcome": self.outcome,
            "row": {name: value if isfinite(value) else str(value) for name, value in numbers.items()},
            "story": [_beat(beat) for beat in self.beats], "command": self._command(),
        }  # fmt: skip

    @property
    def outcome(self) -> str:
        from sim.engine.rows import OUTCOMES

        return OUTCOMES[int(self.row["outcome"][0])]

    def show(self, *, quiet: bool, wrote: Path | None) -> None:
        scenario = self.session.scenario
        kind = "bad" if self.release.truth.bad else "good"
        console.title(f"{self.policy.name} under {self.release.name}", f"replication {self.replication}{f', {self.note}' if self.note else ''}")
        console.line(f"a {kind} release: {self.release.description}", "dim")
        console.line()
        _timeline(self.beats)
        console.line()
        for text in self._harm():
            console.line(text)
        if not quiet:
            self._small(wrote)

    def _harm(self) -> list[str]:
        row = self.row[0]
        said = []
        if row["harm"]:
            users = f", {round(float(row['users'])):,} of {scenario_users(self.session):,} users" if row["users"] >= 0.5 else ""
            share = f"{row['harm'] / max(1, row['canary_requests']):.2%} of those that the new version got"
            said.append(f"It broke {row['harm']:,} requests ({share}{users}).")
        else:
            said.append(f"It broke nothing: {row['canary_requests']:,} of {row['requests']:,} requests went to the new version.")
        if row["lost"]:
            said.append(f"{row['lost']:,} requests found no pod.")
        said.append(self._when(row))
        return [text for text in said if text]

    def _when(self, row: Any) -> str:
        alerted = f"An alert of the service fired at {_clock(float(row['alerted_at']))}." if isfinite(row["alerted_at"]) else ""
        back = ""
        if self.release.truth.bad and isfinite(row["restored_at"]):
            back = f"The old version served everything again at {_clock(float(row['restored_at']))}."
        elif self.release.truth.bad and self.outcome == "promoted":
            back = f"Nobody noticed until watching ended at {_clock(float(row['ended_at']))}."
        return " ".join(filter(None, (alerted, back)))

    def _small(self, wrote: Path | None) -> None:
        from sim import naming
        from sim.session import RUNG

        scenario = self.session.scenario
        rows = [
            ("scenario", f"{scenario.name}  digest {scenario.digest[:16]}  seed {scenario.seed}  rung {RUNG}"),
            ("people", naming.people(scenario)),
            ("again", self._command()),
        ]
        console.line()
        if wrote is not None:
            rows.append(("wrote", str(wrote)))
            rows.append(("next", f"seatrial replay {shlex.quote(str(wrote))}"))
        else:
            rows.append(("next", self._command(why="promoted" if self.outcome != "promoted" else "aborted")))
        console.pairs(*rows)

    def _command(self, why: str = "") -> str:
        which = ["--why", why] if why else ["--replication", str(self.replication), "--seed", str(self.session.scenario.seed)]
        policy = self.session.asked.get("policies") or [self.policy.name]
        words = ["seatrial", "explain", str(self.session.scenario.file), "--policy", policy[0], "--release", self.release.name]
        return shlex.join([*words, *which])


def scenario_users(session: Session) -> int:
    return session.scenario.service.users


def _narrowed(session: Session, policy: str | None, seed: int | None) -> Session:
    """One policy: a name of the scenario, a file, or the scenario's first."""
    from sim.files.words import choose
    from sim.session import Session

    names = [one.name for one in session.scenario.policies]
    wanted = policy or names[0]
    if wanted not in names and not Path(wanted.partition("#")[0].rpartition(":")[0] or wanted).exists() and not Path(wanted).exists():
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


def _beat(beat: Beat) -> dict[str, Any]:
    return {"at": round(beat.at, 3), "text": beat.text, "tone": beat.tone, "times": beat.times}


_STYLES = {"good": "bold green", "bad": "red", "doubt": "yellow", "quiet": "dim", "": ""}


def _timeline(beats: tuple[Beat, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    before = ""
    for beat in beats:
        clock = _clock(beat.at) if beat.times == 1 else f"{_clock(beat.at)} to {_clock(beat.until)}"
        text = beat.text if beat.times == 1 else f"{beat.times} looks like this: {beat.text}"
        style = "bold red" if beat.tone == "bad" and beat.text[:1].isupper() else _STYLES[beat.tone]
        table.add_row(clock if clock != before else "", Text(text, style))
        before = clock
    console.show(table)


def _clock(seconds: float) -> str:
    """0:00, 12:34, 1:02:03."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
