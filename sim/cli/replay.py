"""`seatrial replay`: a recorded rollout again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import console, exits, options
from sim.cli.beside import show_beside

if TYPE_CHECKING:
    from sim.journal import Journal, Mismatch

app = options.application()

_JOURNAL = typer.Argument(
    metavar="JOURNAL", help="A journal: of run --journal, explain --journal or a real rollout.", show_default=False
)
_POLICY = typer.Option(
    "--policy", "-p", metavar="P", help="Another policy: what would it have done?", show_default=False
)


@app.command(epilog="Exit codes: 0 the same commands, 1 they differ, 2 wrong usage or file.")
def replay(
    journal: Annotated[Path, _JOURNAL],
    policy: Annotated[str | None, _POLICY] = None,
    json: options.Json = False,
) -> None:
    """Feed the events of a JOURNAL to its policy again, or to another one.

    The same policy must ask for the same commands. Another one shows where it would have decided differently: up to that
    moment the recorded world is exact, afterwards it is no longer its own.

    The folder of a real controller's run shows that controller beside its simulation under the same circumstances.
    """
    from sim.controlled import is_controlled
    from sim.journal import Journal
    from sim.journal import replay as feed
    from sim.single import recorded

    if is_controlled(journal):
        raise typer.Exit(show_beside(journal, policy, json=json))
    story = Journal.read(journal)
    chosen = recorded(story, policy)
    mismatch = feed(chosen.policy, story)
    document = _document(story, chosen.name, mismatch)
    if json:
        console.document(document)
    else:
        _show(story, journal, chosen.name, mismatch, what_if=policy is not None)
    raise typer.Exit(exits.DONE if mismatch is None else exits.FAILED)


def _document(story: Journal, policy: str, mismatch: Mismatch | None) -> dict[str, Any]:
    from sim.policy.codec import encode

    difference = None
    if mismatch is not None:
        difference = {
            "entry": mismatch.entry, "at": mismatch.at, "event": encode(mismatch.event),
            "recorded": [encode(command) for command in mismatch.recorded], "asked": [encode(command) for command in mismatch.asked],
        }  # fmt: skip
    return {
        "policy": policy,
        "entries": len(story.entries),
        "torn": story.torn,
        "same": mismatch is None,
        "difference": difference,
    }


def _show(story: Journal, path: Path, policy: str, mismatch: Mismatch | None, *, what_if: bool) -> None:
    about = ", ".join(
        f"{key} {story.about[key]}" for key in ("policy", "release", "replication", "seed") if key in story.about
    )
    console.title(str(path), about)
    if story.torn:
        console.line("the last line is torn (a crash while writing); everything before it was read", "yellow")
    if mismatch is None:
        console.line(f"the same: {policy} asks for the same commands at all {len(story.entries):,} events", "green")
    else:
        from sim.files import format_duration

        word = "differs" if what_if else "DIFFERS"
        console.line(
            f"{policy} {word} at {format_duration(round(mismatch.at, 3))} (entry {mismatch.entry})",
            "yellow" if what_if else "bold red",
        )
        console.pairs(
            ("event", str(mismatch.event)), ("recorded", _asked(mismatch.recorded)), ("asked now", _asked(mismatch.asked)), style=""
        )  # fmt: skip
        if what_if:
            console.line("Up to here the recorded world is exact; what follows would have been another world.", "dim")
    console.pairs(("next", f"seatrial explain {path}"))


def _asked(commands: Any) -> str:
    return ", ".join(map(str, commands)) or "nothing"
