"""`seatrial run`: answer a scenario file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sim.cli import options
from sim.cli.exits import Usage

app = options.application()

_PATH = typer.Argument(metavar="SCENARIO", help="A scenario file (may be left out with --resume).", show_default=False)
_POLICY = typer.Option(
    "--policy", "-p", metavar="P", help="One policy: a name in the scenario, a file, file.py:Class.", show_default=False
)
_JOURNAL = typer.Option(
    "--journal",
    min=1,
    max=10_000,
    metavar="N",
    help="Write the journals of the first N replications into OUT/journals.",
    show_default=False,
)


@app.command(
    epilog="Exit codes: 0 done or every budget met, 1 a budget failed or an answer is not the expected one, 3 undecided, "
    "2 wrong usage or file, 130 interrupted."
)
def run(
    scenario: Annotated[Path | None, _PATH] = None,
    policy: Annotated[str | None, _POLICY] = None,
    replications: options.Replications = None,
    seed: options.Seed = None,
    jobs: options.Jobs = None,
    out: options.Out = None,
    resume: options.Resume = None,
    journal: Annotated[int | None, _JOURNAL] = None,
    strict: options.Strict = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run every policy of a SCENARIO under every release, and say what happened to users, with intervals.

    Budgets of the scenario decide the exit code, so that a pipeline can stop on it. The result depends on scenario and
    seed only, never on the number of workers; an interrupted run goes on with --resume and ends with the same bytes.
    """
    from sim.cli.answers import answer
    from sim.cli.exactness import exactness
    from sim.session import Session

    asked: dict[str, Any] = {
        "scenario": scenario,
        "policies": [policy] if policy else [],
        "replications": replications,
        "seed": seed,
    }
    if resume is not None:
        asked, out = _resumed(asked, resume, out), resume
    if asked["scenario"] is None:
        raise Usage("name a scenario file, e.g.: seatrial run scenarios/demo.yaml (or continue a run: --resume OUT)")
    if journal is not None and out is None:
        raise Usage("--journal needs a folder: add --out DIR")
    session = Session.of(asked["scenario"], asked["policies"], replications=asked["replications"], seed=asked["seed"])
    exactness(session.scenario.policies, strict=strict, quiet=quiet)
    if session.scenario.pipeline is not None:
        from sim.cli import deliveries

        raise typer.Exit(
            deliveries.answer(session, jobs=jobs, out=out, resume=resume is not None, quiet=quiet, json=json)
        )
    found = answer(
        session, jobs=jobs, out=out, resume=resume is not None, quiet=quiet, json=json, following=_following(session)
    )
    if journal is not None and out is not None:
        from sim.cli import journals

        journals.write(session, out / "journals", journal)
    raise typer.Exit(found.code)


def _resumed(asked: dict[str, Any], folder: Path, out: Path | None) -> dict[str, Any]:
    """What was asked when the run began, where nothing else is asked now."""
    from sim.folder import described

    if out is not None and out != folder:
        raise Usage("--resume OUT writes into OUT; leave out --out")
    known = described(folder).get("asked") or {}
    return {key: value if value not in (None, []) else known.get(key) for key, value in asked.items()}


def _following(session: Any) -> list[str]:
    import shlex

    scenario = session.scenario
    bad = next((release.name for release in scenario.releases if release.truth.bad), scenario.releases[0].name)
    words = ["seatrial", "explain", str(scenario.file), "--policy", scenario.policies[0].name, "--release", bad]
    return [shlex.join(words)]
