"""A delivery system at work: a long run of many commits, in which every deployment is a real rollout (`releases.Rollouts`).

Run r of a seed has a seed of its own, derive(seed, "delivery", r). All its numbers are keyed: those of the pipeline by (purpose, entity,
index), those of a rollout by what is released (`releases.key`). So two policies meet the same commits, the same CI, the same flaws, the
same users and the same people, as far as what they do lets them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol, cast

from sim.durations import Uniforms
from sim.engine.releases import ROLLBACK, Rollouts
from sim.engine.streams import Stream
from sim.faults.effects import DriverEffect, Effect, PipelineEffect
from sim.pipeline.commits import Change, mark, synthesize
from sim.pipeline.disruptions import Disruption
from sim.pipeline.model import PipelineModel
from sim.pipeline.pipeline import Pipeline
from sim.pipeline.rows import Rows
from sim.policy.chance import derive
from sim.policy.errors import WorldError
from sim.policy.rollout import Policy
from sim.service.model import Service
from sim.service.monitoring import Metrics
from sim.service.traffic import Constant, Diurnal

__all__ = ["Interrupted", "Store", "deliver", "delivery_runs", "run_delivery", "run_seed", "uniforms"]

WEEKS_4 = 28 * 86_400.0  # synthetic commits: how long a run is unless told otherwise
_AFTER = 86_400.0  # a replayed history: how long a run goes on after its last commit

Progress = Callable[[int, int], None]
"""Hears (finished, planned) runs, over all policies."""


class Store(Protocol):
    """Keeps finished runs of one policy."""

    def get(self, run: int) -> Rows | None: ...

    def put(self, run: int, rows: Rows) -> None: ...


class Interrupted(KeyboardInterrupt):
    """A person stopped the runs; `runs` holds what was finished of each policy."""

    def __init__(self, runs: dict[str, tuple[Rows, ...]]) -> None:
        super().__init__("interrupted")
        self.runs = runs


def run_delivery(
    model: PipelineModel,
    changes: Iterable[Change],
    policy: Policy,
    service: Service,
    seed: int = 1,
    disruptions: Iterable[Disruption] = (),
    until: float = WEEKS_4,
    *,
    effects: Iterable[Effect] = (),
    metrics: Metrics | None = None,
    rollback: Policy = ROLLBACK,
    ahead: bool = True,
) -> Rows:
    """One run up to `until` seconds: `changes` go through `model`, and `policy` rolls them out to `service`.

    `effects` are faults of the service and its surroundings on the clock of the run. A `driver.crash` without a target takes the
    controller of the rollout under way down too; with target `delivery` only the reconciler. `ahead`: see `Rollouts`.
    """
    outages, around = _sorted(disruptions, effects)
    roll = Rollouts(policy, service, seed, effects=around, metrics=metrics, rollback=rollback, ahead=ahead)
    numbers = uniforms(seed)

    def requests(start: float, end: float) -> float:
        """Of users, answered well if nothing is broken."""
        level = service.traffic.levels((start, end))[0] if end > start else 0.0
        return level * (end - start) * (1.0 - service.errors)

    return Pipeline(model, changes, roll, numbers, disruptions=outages, requests=requests).run(until)


def delivery_runs(
    model: PipelineModel,
    changes: Sequence[Change] | None,
    policy: Policy,
    service: Service,
    seed: int = 1,
    disruptions: Iterable[Disruption] = (),
    until: float | None = None,
    *,
    replications: int = 20,
    workers: int = 1,
    progress: Progress | None = None,
    store: Store | None = None,
    **more: Any,
) -> tuple[Rows, ...]:
    """The rows of runs 0 to `replications` - 1; see `deliver` for `changes` and `until`, `run_delivery` for `more`."""
    disruptions = tuple(disruptions)
    known = {run: store.get(run) for run in range(replications)} if store is not None else {}
    open_runs = [run for run in range(replications) if known.get(run) is None]
    fresh = _work(
        [(model, changes, policy, service, seed, run, disruptions, until, more) for run in open_runs], workers
    )
    done: list[Rows] = []
    try:
        for run in range(replications):
            rows = known.get(run)
            if rows is None:
                rows = next(fresh)
                if store is not None:
                    store.put(run, rows)
            done.append(rows)
            if progress is not None:
                progress(len(done), replications)
    except KeyboardInterrupt:
        raise Interrupted({"": tuple(done)}) from None
    return tuple(done)


def deliver(
    model: PipelineModel,
    policies: Mapping[str, Policy],
    service: Service,
    *,
    changes: Sequence[Change] | None = None,
    seed: int = 1,
    replications: int = 20,
    until: float | None = None,
    disruptions: Iterable[Disruption] = (),
    effects: Iterable[Effect] = (),
    metrics: Mapping[str, Metrics | None] | None = None,
    rollback: Policy = ROLLBACK,
    workers: int = 1,
    progress: Progress | None = None,
    stores: Mapping[str, Store] | None = None,
) -> dict[str, tuple[Rows, ...]]:
    """Every policy through the same runs: rows by policy and run.

    `changes` None: synthetic ones (`model.commits`), new in each run, for `until` seconds (default 28 days); second 0 is then Monday
    00:00, for diurnal traffic too. A history (`read_history`) is replayed in each run, up to a day after its last commit unless `until`
    says otherwise; `model.commits.risk` says which of its changes are bad, unless it says so itself. `metrics` and `stores` by policy.
    """
    disruptions, effects = tuple(disruptions), tuple(effects)
    runs: dict[str, tuple[Rows, ...]] = {}
    finished, planned = 0, replications * len(policies)

    def heard(done: int, _: int) -> None:
        if progress is not None:
            progress(finished + done, planned)

    for name, policy in policies.items():
        try:
            runs[name] = delivery_runs(
                model, changes, policy, service, seed, disruptions, until, replications=replications, workers=workers, progress=heard,
                effects=effects, metrics=metrics.get(name) if metrics else None, rollback=rollback,
                store=stores.get(name) if stores else None,
            )  # fmt: skip
        except Interrupted as stopped:
            raise Interrupted(runs | {name: stopped.runs[""]}) from None
        finished += replications
    return runs


def uniforms(seed: int) -> Uniforms:
    """Keyed numbers for a pipeline: a stream per purpose, in it the entity as replication and the index as block."""
    streams: dict[str, Stream] = {}

    def uniform(purpose: str, entity: int, index: int) -> float:
        stream = streams.get(purpose)
        if stream is None:
            stream = streams[purpose] = Stream(seed, purpose, 1)
        return (int(stream.raw(entity, index, 1)[0]) >> 11) * 2.0**-53

    return uniform


def run_seed(seed: int, run: int) -> int:
    """The seed of one run."""
    return derive(seed, "delivery", run)


Task = tuple[
    PipelineModel, Sequence[Change] | None, Policy, Service, int, int, tuple[Disruption, ...], float | None, dict[str, Any]
]  # fmt: skip


def _work(tasks: Sequence[Task], workers: int) -> Iterator[Rows]:
    if workers == 1 or len(tasks) < 2:
        yield from (_run(*task) for task in tasks)
        return
    from joblib import Parallel, delayed  # heavy, and only needed for several workers

    yield from Parallel(n_jobs=workers, return_as="generator")(delayed(_run)(*task) for task in tasks)


def _run(
    model: PipelineModel,
    changes: Sequence[Change] | None,
    policy: Policy,
    service: Service,
    seed: int,
    run: int,
    disruptions: tuple[Disruption, ...],
    until: float | None,
    more: dict[str, Any],
) -> Rows:
    own = run_seed(seed, run)
    if changes is None:
        until = WEEKS_4 if until is None else until
        service = replace(service, traffic=_from_monday(service.traffic))
        changes = synthesize(model.commits, uniforms(own), until=until)
    else:
        if not changes:
            raise WorldError("there are no commits to deliver; give some, or leave them out for synthetic ones")
        until = changes[-1].at + _AFTER if until is None else until
        changes = changes if any(change.bad for change in changes) else mark(changes, model.commits.risk, uniforms(own))
        changes = [change for change in changes if change.at < until]
    return run_delivery(model, changes, policy, service, own, disruptions, until, **more)


def _sorted(
    disruptions: Iterable[Disruption], effects: Iterable[Effect]
) -> tuple[list[Disruption], tuple[Effect, ...]]:
    """What hits the pipeline, and what hits rollouts."""
    outages, around = list(disruptions), []
    for effect in effects:
        if isinstance(effect, PipelineEffect):
            outages.append(Disruption(effect.kind, effect.start, effect.end, effect.intensity, effect.target))
        else:
            around.append(effect)
    crashes = (w for w in outages if w.kind == "driver.crash" and not w.target and w.intensity)
    return outages, (*around, *(DriverEffect(crash.start, crash.end) for crash in crashes))


def _from_monday(traffic: Any) -> Any:
    """The same shape with second 0 on Monday 00:00, as for synthetic commits."""
    if isinstance(traffic, Diurnal):
        return replace(traffic, start=0.0)
    if not is_dataclass(traffic) or isinstance(traffic, Constant):
        return traffic
    told = {field.name: getattr(traffic, field.name) for field in fields(traffic) if field.name == "base"}
    return replace(cast(Any, traffic), **{name: _from_monday(base) for name, base in told.items()}) if told else traffic
