"""What follows a rollout, and the rows: alerts, the person they call, the return to the old version, and what all this broke.

Alerts are evaluated over what monitoring counted for the whole service, with a healthy past before the rollout. They are worked out
where something is wrong (some effect is in force). A person called by an alert stops a rollout that is still under way; after a
promotion the old version comes back `recovery.rollback` seconds later. Harm is counted until then, at most `recovery.watch`
seconds beyond the end, in whole scrape windows.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.engine.draws import Draws
from sim.engine.ledger import Ledger
from sim.engine.rows import OUTCOMES, Rows
from sim.faults.effects import TelemetryEffect, VersionEffect
from sim.policy.errors import WorldError
from sim.service.mix import layout
from sim.service.site import Site

if TYPE_CHECKING:
    from sim.engine.paths import Case

__all__ = ["settle_rows"]


def settle_rows(
    case: Case,
    draws: Draws,
    site: Site,
    batch: NDArray[np.intp],
    here: NDArray[np.intp],
    rows: Rows,
    *,
    stopped: bool = False,
) -> dict[int, float]:
    """Fill the rows of the replications at positions `here` of a path; `batch` are their rows in the batch.

    Returns {row: moment} for rollouts that a person, called by an alert, stops before they have decided: they are to run again.
    """
    site.close()
    story, ledger = site.story, site.ledger
    watched = story.outcome == "promoted" and _harmful(case)
    until = story.ended_at + (case.service.recovery.watch if watched else 0.0)
    ledger.settle(until)
    alerted, acted = _alerts(case, draws, ledger, batch[here], until) if case.effects else _never(len(here))
    if stopped:
        acted = np.full(len(here), inf)
    early = acted < min(story.decided_at, case.service.horizon)
    stops = {int(row): float(at) for row, at in zip(batch[here][early], acted[early], strict=True)}
    keep = ~early
    restored = (
        np.minimum(acted + case.service.recovery.rollback, inf) if watched else np.full(len(here), story.restored_at)
    )
    counts, ended = (
        _counted(site, here, restored, until) if watched else (ledger.total(until)[here], np.full(len(here), until))
    )
    if site.copies is not None:
        counts = counts - site.copies[here]
    out = rows[batch[here[keep]]]
    _tell(out, case, site)
    out["called"] = stopped
    out["alerted_at"], out["restored_at"], out["ended_at"] = alerted[keep], restored[keep], ended[keep]
    _count(out, case, site, counts[keep])
    _check(out)
    rows[batch[here[keep]]] = out
    return stops


def _check(rows: Rows) -> None:
    """Contracts section 11, in every run: every request is counted once."""
    sound = (rows["harm"] >= 0) & (rows["harm"] + rows["lost"] <= rows["bad"]) & (rows["bad"] <= rows["requests"])
    sound &= (rows["canary_requests"] >= 0) & (rows["canary_requests"] <= rows["requests"])
    if not sound.all():
        raise WorldError(
            f"counts do not add up in replication {int(rows['replication'][~sound][0])}: {rows[~sound][0]}"
        )


def _harmful(case: Case) -> bool:
    return any(isinstance(effect, VersionEffect) and effect.version == "canary" for effect in case.effects)


def _never(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.full(size, inf), np.full(size, inf)


def _tell(out: Rows, case: Case, site: Site) -> None:
    story = site.story
    out["outcome"], out["person"], out["looks"] = OUTCOMES.index(story.outcome), story.person, story.looks
    out["exposed_at"], out["decided_at"], out["full_at"] = story.exposed_at, story.decided_at, story.full_at
    out["pod_seconds"] = story.extra_pod_seconds


def _counted(
    site: Site, here: NDArray[np.intp], restored: NDArray[np.float64], until: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts of each replication up to its own end: the first scrape at or after its restoration."""
    ledger = site.ledger
    stops = np.minimum(np.maximum(restored, site.story.ended_at), until)
    scrapes = np.minimum(np.ceil((stops - ledger.base) / ledger.scrape - 1e-9).astype(np.int64), ledger.scraped)
    counts = np.empty((len(here), ledger.cumulative[0].shape[1]), np.int64)
    for scrape in np.unique(scrapes).tolist():
        mine = scrapes == scrape
        counts[mine] = ledger.cumulative[scrape][here[mine]]
    return counts, ledger.base + scrapes * ledger.scrape


def _count(out: Rows, case: Case, site: Site, counts: NDArray[np.int64]) -> None:
    shape = layout(case.service)
    harm = counts[:, shape.slow : shape.errors].sum(axis=1) + counts[:, shape.errors + 1]
    lost = counts[:, shape.width :].sum(axis=1)
    out["requests"] = counts.sum(axis=1)
    out["canary_requests"] = counts[:, shape.new : shape.width].sum(axis=1) + counts[:, shape.width + 1]
    out["bad"] = counts[:, shape.buckets] + counts[:, shape.errors] + harm + lost
    out["harm"], out["lost"] = harm, lost
    reach = case.service.users * (max(share for _, share in site.story.steps) if case.service.sticky else 1.0)
    number, which = np.unique(harm, return_inverse=True)
    users = [reach * -float(np.expm1(-much / reach)) if reach > 0 else 0.0 for much in number.tolist()]
    out["users"] = np.array(users)[which]


# ---- alerts (judges.md section 11) ----


def _alerts(
    case: Case, draws: Draws, ledger: Ledger, batch: NDArray[np.intp], until: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(first alert, moment at which the person it calls acts) of each replication, infinite: never."""
    alerts = case.service.alerts
    if not alerts.pairs:
        return _never(len(batch))
    position = {row: index for index, row in enumerate(ledger.rows.tolist())}
    here = np.array([position[row] for row in batch.tolist()], np.intp)
    ticks = alerts.every * np.arange(1, int(until / alerts.every) + 1)
    ticks = ticks[np.array([not _blind(case, at) for at in ticks.tolist()], bool)]
    if not len(ticks):
        return _never(len(batch))
    history = _History(case, ledger, here)
    burning = np.zeros((len(ticks), len(batch)), bool)
    for long, short, factor in alerts.pairs:
        limit = factor * (1.0 - alerts.slo)
        burning |= (history.rates(ticks, long) > limit) & (history.rates(ticks, short) > limit)
    first = np.full(len(batch), inf)
    fired = burning.any(axis=0)
    first[fired] = ticks[burning[:, fired].argmax(axis=0)]
    acted = first.copy()
    for index in np.flatnonzero(fired).tolist():
        acted[index] += case.service.people.response.draw(float(draws.responses[batch[index]]))
    return first, acted


def _blind(case: Case, at: float) -> bool:
    return any(
        isinstance(e, TelemetryEffect) and e.kind in ("gap", "nan", "error") and e.start <= at < e.end
        for e in case.effects
    )


class _History:
    """Requests and bad requests that monitoring counted before each scrape (a slow answer is not an error), as far as somebody asks."""

    def __init__(self, case: Case, ledger: Ledger, here: NDArray[np.intp]) -> None:
        shape = layout(case.service)
        self._case, self._ledger, self._here = case, ledger, here
        self._bad = [shape.buckets, shape.errors, shape.errors + 1, shape.width, shape.width + 1]
        self._known: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    def rates(self, ticks: NDArray[np.float64], span: float) -> NDArray[np.float64]:
        """Bad over all requests in the last `span` seconds before each tick, float64[ticks, n].

        Before the rollout the service was as healthy as it is said to be.
        """
        ledger, service = self._ledger, self._case.service
        at = ticks - service.monitoring.lag
        last = np.clip(((at - ledger.base) / ledger.scrape + 1e-9).astype(np.int64), 0, ledger.scraped)
        first = np.maximum(0, ((at - span - ledger.base) / ledger.scrape + 1e-9).astype(np.int64))
        before = service.traffic.rate(0.0) * np.maximum(0.0, span - at)[:, None]
        (requests, errors), (requests_before, errors_before) = self._at(last), self._at(first)
        total = requests - requests_before + before
        bad = errors - errors_before + before * service.errors
        rates: NDArray[np.float64] = np.divide(bad, total, out=np.zeros(total.shape), where=total > 0)
        return rates

    def _at(self, scrapes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        counted = [self._before(scrape) for scrape in scrapes.tolist()]
        return np.stack([total for total, _ in counted]), np.stack([bad for _, bad in counted])

    def _before(self, scrape: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if scrape not in self._known:
            counts = self._ledger.cumulative[scrape][self._here]
            self._known[scrape] = counts.sum(axis=1), counts[:, self._bad].sum(axis=1)
        return self._known[scrape]
