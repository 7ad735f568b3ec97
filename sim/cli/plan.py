"""`seatrial plan`: the timeline of a policy."""

from __future__ import annotations

from dataclasses import asdict
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import console, options
from sim.cli.gallery import folder

if TYPE_CHECKING:
    from sim.scenario import NamedPolicy
    from sim.service.model import Service
    from sim.timeline import Leg, Plan

app = options.application()

_POLICY = typer.Argument(
    metavar="POLICY", help="A policy file, a manifest (FILE#name), a folder, or file.py:Class.", show_default=False
)
_SERVICE = typer.Option(
    "--service", help="The service it is planned for; the default one without it.", show_default=False
)


@app.command()
def plan(
    policy: Annotated[str, _POLICY],
    service: Annotated[Path | None, _SERVICE] = None,
    strict: options.Strict = False,
    json: options.Json = False,
) -> None:
    """Show what a POLICY does when all goes well: weights, looks, requests per look, earliest and latest end.

    Earliest: every look passes, people answer at once, pods start as in the median. Latest: judges use all their looks,
    people and pods take as long as they do once in a hundred.
    """
    from sim.cli.exactness import exactness
    from sim.scenario import load_policy, load_service
    from sim.service.model import Service
    from sim.timeline import plan as make

    named = load_policy(policy)
    world = load_service(service) if service is not None else Service()
    exactness([named], strict=strict, quiet=json)
    made = make(named.policy, world, named.replicas)
    if json:
        console.document(_document(named, world, made))
    else:
        _show(named, world, made, str(service) if service is not None else "")
        console.pairs(("next", f"seatrial compare {folder() / 'policies' / 'all-at-once.yaml'} {policy}"))


def _document(named: NamedPolicy, world: Service, made: Plan) -> dict[str, Any]:
    def legs(found: tuple[Leg, ...]) -> list[dict[str, Any]]:
        return [asdict(leg) | {"looks": dict(leg.looks), "requests": dict(_requests(leg, world))} for leg in found]

    ends = [None if value == inf else value for value in made.decided]
    return {
        "policy": named.name, "profile": named.profile, "service": world.name, "earliest": legs(made.earliest), "latest": legs(made.latest),
        "ends": {"earliest": ends[0], "latest": ends[1], "outcome": list(made.outcome)}, "waits": [asdict(wait) for wait in made.waits],
    }  # fmt: skip


def _requests(leg: Leg, world: Service) -> list[tuple[str, int]]:
    """Requests of the new version in one look, by metric."""
    middle = (leg.start + leg.end) / 2
    rate = world.traffic.rate(middle) * leg.share
    return [(name, round(rate * window)) for name, window in leg.windows]


def _show(named: NamedPolicy, world: Service, made: Plan, service: str) -> None:
    from rich import box
    from rich.table import Table

    rate = world.traffic.rate(0.0)
    about = f"{named.profile or named.kind} for {world.name}: {rate:,.4g} requests/s, {_pods(named.replicas or world.pods.count)}"
    console.title(named.name, about + ("" if service else " (the default service)"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("traffic", overflow="fold")
    table.add_column("from", justify="right")
    table.add_column("to, earliest", justify="right", no_wrap=True)
    table.add_column("latest", justify="right", no_wrap=True)
    table.add_column("looks", no_wrap=True)
    table.add_column("new requests per look", justify="right")
    table.add_column("blind below", justify="right")
    same = len(made.earliest) == len(made.latest)
    for index, leg in enumerate(made.latest):
        early = made.earliest[index] if same else None
        start = _time(early.start if early else leg.start)
        table.add_row(_weight(leg), start, _time(early.end) if early else "", _time(leg.end), *_looks(leg, world))
    console.show(table)
    console.pairs(*_ends(made, world), style="")
    console.line(
        "blind below: with a lower error rate, 1 look in 20 or more meets no error at all (3 / requests).", "dim"
    )


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _weight(leg: Leg) -> str:
    return ", ".join(filter(None, (f"{leg.weight:.3g}%" if leg.weight or not leg.also else "", leg.also)))


def _looks(leg: Leg, world: Service) -> tuple[str, str, str]:
    requests = dict(_requests(leg, world))
    names = [f"{count} x {name}" for name, count in leg.looks]
    numbers = [f"{requests[name]:,}" for name, _ in leg.looks]
    blind = [
        "everything" if requests[name] == 0 else f"{min(100.0, 300 / requests[name]):.2g}%" for name, _ in leg.looks
    ]
    return "\n".join(names), "\n".join(numbers), "\n".join(blind)


def _ends(made: Plan, world: Service) -> list[tuple[str, str]]:
    earliest, latest = made.decided
    if isfinite(earliest):
        rows = [("ends", f"{made.outcome[0]} after {_time(earliest)} at the earliest, {_time(latest)} at the latest")]
    else:
        rows = [("ends", f"not within the horizon of {_time(world.horizon)}")]
    if not made.waits:
        return [*rows, ("people", "nobody is needed")]
    return rows + [
        ("people", f"waits for a person at {_time(wait.start)}{f' ({wait.reason})' if wait.reason else ''}: 0s to {_time(wait.longest)} "
                   "(1 in 100 takes longer)")
        for wait in made.waits
    ]  # fmt: skip


def _time(seconds: float) -> str:
    from sim.files import format_duration

    return format_duration(float(round(seconds))) if isfinite(seconds) else "never"
