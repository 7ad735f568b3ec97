"""`seatrial compare --real RUN`: a recorded rollout over the simulated ones of the same scenario, policy and release.

Nobody is called by an alert here: in the recorded run a person who acted is in the journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import floor, inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.driver import drive
from sim.engine.ledger import Forecast, Ledger
from sim.engine.paths import Case, draws_for, gathered, solo
from sim.exchange import with_service
from sim.journal import Journal
from sim.policy.commands import Finish
from sim.policy.errors import HistoryError, WorldError
from sim.results.overlay import ALARM, GRAIN, Overlay, Shape, overlay
from sim.results.recorded import Recorded, Tally
from sim.scenario import NamedPolicy, Release, Scenario, load, load_policy
from sim.scenario.conditions import release as predicted
from sim.service.mix import layout
from sim.service.site import PersonNeeded, Site
from sim.single import found
from sim.tracing.exposure import decided_at, shares
from sim.tracing.history import History

__all__ = ["Compared", "compared", "seen", "simulated"]

REPLICATIONS = 1000  # enough for four checks at 1% together: each needs 2 / (N + 1) <= 0.0025
_WATCHED = 3600.0  # seconds: a simulated rollout that takes four times as long as the recorded one and more than this has not decided
_POINTS = 40  # of measured shares that are shown, each of whole seconds


class Compared:
    """A recorded run, what it is compared with, and what came out."""

    __slots__ = ("found", "policy", "recorded", "release", "scenario", "seen")

    def __init__(self, recorded: Recorded, scenario: Scenario, policy: NamedPolicy, release: Release) -> None:
        self.recorded, self.scenario, self.policy, self.release = recorded, scenario, policy, release
        self.seen = seen(recorded)
        self.found: Overlay | None = None

    def judge(self, replications: int, seed: int, alarm: float, grain: float) -> Overlay:
        """Simulate and compare."""
        metrics = self.scenario.metrics_of(self.policy)
        last = self.seen.until
        service = replace(self.scenario.service, horizon=min(self.scenario.service.horizon, max(_WATCHED, 4 * last)))
        if about := self.recorded.about.get("testers"):
            service = replace(service, testers=float(about["rate"]))
        if self.policy.replicas is not None:
            service = replace(service, pods=replace(service.pods, count=self.policy.replicas))
        history = History.of(self.recorded.journal)
        policy = self.policy.policy if history is None else history.timed(self.policy.policy)
        if history is not None:  # `serial` is our own driver's way, which a service may be calibrated from
            service = replace(service, serial=False)
        case = Case(policy, service, self.release.effects, self.release.truth, metrics)
        shapes = simulated(case, seed, replications)
        measured = tuple(_measured(self.recorded.load, _revision(self.recorded.journal), self.seen.until))
        found = overlay(self.seen, shapes, alarm=alarm, grain=grain, measured=measured)
        self.found = (
            replace(found, notes=(*found.notes, *self._called())) if self.recorded.about.get("testers") else found
        )
        return self.found

    def _called(self) -> Iterator[str]:
        """Who called what no user sees, in both worlds."""
        about = self.recorded.about["testers"]
        yield f"testers called {', '.join(about['services'])} at {about['rate']:g} requests/s, recorded and simulated; they are no users"


def compared(
    run: Path | str,
    scenario: Path | str | Scenario | None = None,
    *,
    policy: str | None = None,
    release: str | None = None,
    service: Path | str | None = None,
    replications: int | None = None,
    seed: int | None = None,
    alarm: float = ALARM,
    grain: float = GRAIN,
) -> Compared:
    """Lay a recorded run over its prediction. `scenario` in place of the one it was recorded from, `service` (a calibrated
    one) in place of the scenario's.

    Raises HistoryError, FileErrors and WorldError.
    """
    recorded = Recorded.read(Path(run))
    known = _scenario(recorded, scenario)
    known = with_service(known, service) if service is not None else known
    manifests = Path(run) / "manifests"
    named = found([manifests]) if policy is None and manifests.is_dir() else _policy(recorded, known, policy)
    chosen = Compared(recorded, known, named, _release(recorded, known, release))
    chosen.judge(replications or REPLICATIONS, known.seed if seed is None else seed, alarm, grain)
    return chosen


# ---- what was recorded ----


def seen(recorded: Recorded) -> Shape:
    """A recorded run as a shape."""
    journal = recorded.journal
    if (history := History.of(journal)) is not None:
        return _controlled(history, recorded.load)
    finish = [(entry.at, c) for entry in journal.entries for c in entry.commands if isinstance(c, Finish)]
    decided, outcome = (finish[-1][0], finish[-1][1].outcome) if finish else (inf, "inconclusive")
    steps = tuple((float(act["at"]), float(act["share"])) for act in journal.acts if "share" in act)
    end = max([entry.at for entry in journal.entries] + [float(act["at"]) for act in journal.acts], default=0.0)
    target = 1.0 if outcome == "promoted" else 0.0
    until = next((at for at, share in _after(steps, decided) if share == target), end)
    exposed = next((at for at, share in steps if share > 0), inf)
    return Shape(outcome, exposed, decided, until, _counted(recorded.load, until), ((0.0, 0.0), *steps))


def _controlled(history: History, load: tuple[Tally, ...]) -> Shape:
    """What a real controller did, as a shape."""
    outcome, decided, steps = history.ended[0], decided_at(history), shares(history)
    target = 1.0 if outcome == "promoted" else 0.0
    until = next((at for at, share in _after(steps, decided) if share == target), history.entries[-1]["at"])
    exposed = next((at for at, share in steps if share > 0), inf)
    return Shape(outcome, exposed, decided, until, _counted(load, until), ((0.0, 0.0), *steps))


def _after(steps: tuple[tuple[float, float], ...], moment: float) -> Iterator[tuple[float, float]]:
    """The step in force at a moment, as of then, and all later ones."""
    before = [share for at, share in steps if at <= moment]
    if moment < inf:
        yield moment, before[-1] if before else 0.0
    yield from ((at, share) for at, share in steps if at > moment)


def _counted(load: tuple[Tally, ...], until: float) -> int | None:
    """Errors and lost requests in [0, until); a window that is cut there counts in proportion."""
    if not load:
        return None
    total = 0.0
    for tally in load:
        part = (min(tally.end, until) - max(tally.start, 0.0)) / (tally.end - tally.start)
        total += max(0.0, part) * (tally.bad + tally.lost)
    return round(total)


def _revision(journal: Journal) -> int:
    return next((int(act["opened"]["revision"]) for act in journal.acts if "opened" in act), 2)


def _measured(load: tuple[Tally, ...], revision: int, until: float) -> Iterator[tuple[float, float, int]]:
    """Shares of the answers that the new version gave, in pieces of some seconds."""
    width = max(1.0, floor(until / _POINTS))
    pieces: dict[int, list[int]] = {}
    for tally in load:
        if tally.revision and 0 <= tally.start < until:
            piece = pieces.setdefault(int(tally.start // width), [0, 0])
            piece[0] += tally.sent if tally.revision == revision else 0
            piece[1] += tally.sent
    for index in sorted(pieces):
        new, total = pieces[index]
        if total:
            yield (index + 0.5) * width, new / total, total


# ---- what is predicted ----


def simulated(case: Case, seed: int, count: int) -> list[Shape]:
    """Shapes of replications [0, count): those on one path together, those that chance leads on paths of their own one by one."""
    draws = draws_for(case.service, seed, 0, count)
    chance = np.random.Generator(np.random.PCG64([seed, count]))  # for windows that are cut where counting ends
    shapes: dict[int, Shape] = {}
    groups: list[tuple[NDArray[np.intp], Forecast | None]] = [(np.arange(count), None)] if case.shared else []
    alone: list[int] = [] if case.shared else list(range(count))
    lenders: list[Ledger] = []
    while groups:
        rows, forecast = groups.pop()
        ledger, site, crowd, rollout = gathered(case, draws, rows, forecast)
        lenders.append(ledger)
        try:
            drive(rollout, site)
        except PersonNeeded:
            alone += rows[crowd.here].tolist()
        else:
            shapes.update(
                zip(rows[crowd.here].tolist(), _shapes(case, site, ledger, list(crowd.here), chance), strict=True)
            )
        groups += ((rows[gone], Forecast(ledger, np.array(gone, np.intp))) for gone in crowd.left)
    for ledger in lenders:
        ledger.close()
    for row in alone:
        ledger, site, _ = solo(case, draws, row)
        (shapes[row],) = _shapes(case, site, ledger, [0], chance)
        ledger.close()
    draws.close()
    return [shapes[row] for row in range(count)]


def _shapes(case: Case, site: Site, ledger: Ledger, here: list[int], chance: np.random.Generator) -> Iterator[Shape]:
    """The shapes of the replications at these positions of one path."""
    story, cells = site.story, layout(case.service)
    back = story.full_at if story.outcome == "promoted" else story.restored_at
    until = min(max(back, story.decided_at), story.ended_at) if back < inf else story.ended_at
    counts = _until(ledger, until, chance, site.known(until))
    site.close()
    if (tested := site.copied(until, counts)) is not None:
        counts = counts - tested
    failed = (
        counts[:, cells.buckets]
        + counts[:, cells.errors]
        + counts[:, cells.errors + 1]
        + counts[:, cells.width :].sum(axis=1)
    )
    for position in here:
        yield Shape(story.outcome, story.exposed_at, story.decided_at, until, int(failed[position]), tuple(story.steps))


def _until(
    ledger: Ledger, until: float, chance: np.random.Generator, known: tuple[float, NDArray[np.int64]] | None = None
) -> NDArray[np.int64]:
    """int64[rows, cells]: requests before a moment that may lie inside a scrape window; `known` are the counts of an earlier moment.

    Given its count, the requests of a window are spread as the rates are, each by itself: so its part before the moment is binomial.
    """
    ledger.settle(until)
    before = min(ledger.scraped, max(0, floor((until - ledger.base) / ledger.scrape)))
    counts = ledger.cumulative[before].astype(np.int64)
    if ledger.time(before) >= until or before == ledger.scraped:
        return counts if before < ledger.scraped else ledger.total(until)
    since = ledger.time(before)
    if known is not None and since < known[0]:
        since, counts = known
    whole = ledger.expected(since, ledger.time(before + 1))
    part = ledger.expected(since, until)
    shares = np.clip(np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0), 0.0, 1.0)
    window = (ledger.cumulative[before + 1] - counts).astype(np.int64)
    return np.asarray(counts + chance.binomial(window, shares), np.int64)


# ---- which scenario, policy, release ----


def _scenario(recorded: Recorded, scenario: Path | str | Scenario | None) -> Scenario:
    if isinstance(scenario, Scenario):
        return scenario
    place = scenario or recorded.about.get("scenario")
    if not place or not Path(place).is_file():
        raise HistoryError(f"the run is of {place or 'no scenario'}, which is not here; name it: --scenario FILE")
    return load(place, "real")  # other releases may hold faults that only a cluster can do


def _policy(recorded: Recorded, scenario: Scenario, given: str | None) -> NamedPolicy:
    if given is not None:
        return load_policy(given)
    name = str(recorded.about.get("policy", ""))
    try:
        return scenario.policy(name)
    except KeyError as error:
        source = recorded.about.get("source")
        if source and Path(str(source)).is_file():
            return load_policy(str(source))
        raise HistoryError(f"{error.args[0]}; name the run's policy: --policy FILE") from None


def _release(recorded: Recorded, scenario: Scenario, given: str | None) -> Release:
    """The release with its simulated effects."""
    try:
        chosen = scenario.release(given or str(recorded.about.get("release", "")))
    except KeyError as error:
        if given is not None or len(scenario.releases) != 1:
            raise HistoryError(f"{error.args[0]}; name the run's release: --release NAME") from None
        (chosen,) = scenario.releases
    unknown = [
        f"{fault.id} ({fault.kind})" for fault in chosen.faults if not fault.about.modelled or fault.at_s is None
    ]
    if unknown:
        raise WorldError(
            f"there is no prediction of release {chosen.name}: the simulator cannot carry out {', '.join(unknown)}"
        )
    truth = chosen.truth.bad
    return predicted(
        chosen.name, chosen.faults, (), (), scenario.service, scenario.seed, bad=truth, description=chosen.description
    )
