"""`seatrial compare`: policies against each other on the same random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import options
from sim.cli.exits import Usage

if TYPE_CHECKING:
    from sim.scenario import Scenario

app = options.application()

_FILES = typer.Argument(
    metavar="P P... | SCENARIO", help="Policies (files, manifests, file.py:Class), or one scenario.", show_default=False
)
_SCENARIO = typer.Option("--scenario", "-s", help="Take service, releases and budgets from here.", show_default=False)
_REAL = typer.Option("--real", metavar="RUN", help="A recorded run: lay it over its prediction.", show_default=False)
_RELEASE = typer.Option(
    "--release", help="With --real: under this release, not the recorded one's.", show_default=False
)
_SERVICE = typer.Option(
    "--service",
    help="For this service, under the named releases; with --real in place of the scenario's.",
    show_default=False,
)


@app.command()
def compare(
    files: Annotated[list[str] | None, _FILES] = None,
    scenario: Annotated[Path | None, _SCENARIO] = None,
    service: Annotated[Path | None, _SERVICE] = None,
    real: Annotated[Path | None, _REAL] = None,
    release: Annotated[str | None, _RELEASE] = None,
    replications: options.Replications = None,
    seed: options.Seed = None,
    jobs: options.Jobs = None,
    out: options.Out = None,
    resume: options.Resume = None,
    strict: options.Strict = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare policies: the same users, the same noise, the same faults for each, so that differences are paired.

    Without --scenario and --service a stated default service is used: 100 requests/s, 0.1% errors, 5 pods, under a good
    release and six kinds of trouble. The first policy is what the others are compared with.

    With --real RUN: the outcome, the time to the decision, failed requests and weights of a recorded run, over those of
    1,000 simulated rollouts of the same scenario (--service: with the service that `seatrial real calibrate` wrote); says
    where it lies outside, and exits with code 1 if it does.
    A run of a real controller is laid beside its simulation, change by change, and if users came over its prediction
    (with --json: the latter alone; `replay --json` has the former).
    """
    from sim.cli.answers import answer
    from sim.cli.exactness import exactness
    from sim.session import Session

    files = files or []
    if real is not None:
        raise typer.Exit(_over(real, files, scenario, service, release, replications, seed, out, json))
    if release is not None or not files:
        raise Usage(
            "name policies, a scenario, or a recorded run: --real RUN"
            if not files
            else "--release belongs to --real RUN"
        )
    if resume is not None and out not in (None, resume):
        raise Usage("--resume OUT writes into OUT; leave out --out")
    asked, policies = _asked(files, scenario)
    session = Session.of(asked, policies, service=service, replications=replications, seed=seed, verb="compare")
    exactness(session.scenario.policies, strict=strict, quiet=quiet)
    found = answer(
        session, jobs=jobs, out=resume or out, resume=resume is not None, quiet=quiet, json=json, comparing=True,
        following=_following(session.scenario, policies),
    )  # fmt: skip
    raise typer.Exit(found.code)


def _over(
    real: Path, files: list[str], scenario: Path | None, service: Path | None, release: str | None, replications: int | None,
    seed: int | None, out: Path | None, json: bool,
) -> int:  # fmt: skip
    from sim.cli.beside import show_beside
    from sim.cli.overlay import show_overlay
    from sim.controlled import has_users, is_controlled

    scenarios = [Path(file) for file in files if _is_scenario(file)] + ([] if scenario is None else [scenario])
    policies = [file for file in files if not _is_scenario(file)]
    if len(policies) > 1 or len(scenarios) > 1:
        raise Usage("--real RUN takes at most one scenario and one policy: the run's own, if they are not found")
    chosen, policy = next(iter(scenarios), None), next(iter(policies), None)
    differs = 0
    if is_controlled(real):
        if chosen is None and not has_users(real):
            if (release, service, replications, seed, out) != (None,) * 5:
                raise Usage(
                    f"a script answered the controller, so there is no prediction: seatrial compare --real {real}"
                )
            return show_beside(real, policy, json=json, following="replay")
        differs = 0 if json else show_beside(real, policy, json=False, following="replay")
    return max(differs, show_overlay(real, chosen, policy, release, service, replications, seed, out, json))


def _asked(files: list[str], scenario: Path | None) -> tuple[str | Path | None, list[str]]:
    """(scenario, policies): a scenario file stands alone."""
    kinds = [_is_scenario(file) for file in files]
    if any(kinds):
        if len(files) > 1 or scenario is not None:
            which = files[kinds.index(True)]
            raise Usage(f"{which} is a scenario; give it alone to compare its own policies, or as --scenario {which}")
        return files[0], []
    if len(files) == 1:
        raise Usage(
            f"one policy alone is no comparison; name a second one, or: seatrial run SCENARIO --policy {files[0]}"
        )
    return scenario, files


def _is_scenario(file: str) -> bool:
    from sim.files import FileErrors, read_documents

    path = Path(file)
    if not path.is_file() or path.suffix == ".py":
        return False
    try:
        return any(document.kind_hint == "scenario" for document in read_documents(path))
    except FileErrors:
        return False  # whoever reads it as a policy tells what is wrong


def _following(scenario: Scenario, policies: list[str]) -> list[str]:
    """Manifests: what will hurt in them; own policies: what the first does when; a scenario: one of its rollouts."""
    import shlex

    if foreign := [one.source for one in scenario.policies if one.profile and one.source in policies]:
        return [shlex.join(["seatrial", "lint", *foreign])]
    return [shlex.join(["seatrial", "plan", policies[0]] if policies else ["seatrial", "explain", str(scenario.file)])]
