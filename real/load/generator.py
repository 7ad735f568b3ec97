"""Requests at given moments, whatever becomes of those before: an open loop, so nothing is omitted when the service is slow.

Arrivals are a Poisson process (or evenly spaced) with the rate of a traffic shape. Raw HTTP/1.1 over kept connections: 200 requests/s
cost a few percent of a core. A latency counts from the moment at which the request was due, not from when a connection was free.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from real.load.demand import Demand, Shares
from real.load.truth import Truth
from sim.service.traffic import Traffic

__all__ = ["Plan", "arrivals", "generate"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to and how much. `reuse`: requests per connection before it is replaced (1: a connection each); `limit`: seconds until
    a good answer is slow; `timeout`: seconds until a request is lost."""

    host: str
    port: int
    traffic: Traffic
    seconds: float
    seed: int = 0
    fixed: bool = False
    reuse: int = 100
    limit: float = 0.5
    timeout: float = 15.0
    path: str = "/"
    segments: Shares = ()


_LOOK = 0.1  # seconds between two looks at the rate, which a fault may change at any moment


def arrivals(
    rate: Callable[[float], float], seconds: float, rng: random.Random, fixed: bool
) -> Iterator[tuple[float, bool]]:
    """Moments in [0, seconds) up to which to wait, and whether a request is due then: the next unit (or exponential) of the integral."""
    at, due = 0.0, 1.0 if fixed else rng.expovariate(1.0)
    while at < seconds:
        now = rate(at)
        step = min(_LOOK, seconds - at)
        if now * step < due:
            due -= now * step
            at += step
            yield at, False
            continue
        at += due / now
        yield at, True
        due = 1.0 if fixed else rng.expovariate(1.0)


class _Pool:
    """Idle connections, the last used first; each replaced after `reuse` requests."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, int]] = []

    async def take(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
        while self._idle:
            reader, writer, used = self._idle.pop()
            if not (reader.at_eof() or writer.is_closing()):
                return reader, writer, used
            writer.close()
        reader, writer = await asyncio.open_connection(self._plan.host, self._plan.port)
        return reader, writer, 0

    def give(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, used: int) -> None:
        if used < self._plan.reuse:
            self._idle.append((reader, writer, used))
        else:
            writer.close()

    def close(self) -> None:
        for _, writer, _ in self._idle:
            writer.close()


@dataclass(frozen=True, slots=True)
class _Answer:
    code: int
    revision: str
    close: bool


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> _Answer:
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    await reader.readexactly(int(fields.get("content-length", "0")))
    return _Answer(int(lines[0].split(" ")[1]), fields.get("x-revision", ""), fields.get("connection", "") == "close")


def _request(plan: Plan, segment: str) -> bytes:
    extra = f"X-Segment: {segment}\r\n" if segment else ""
    close = "Connection: close\r\n" if plan.reuse == 1 else ""
    return f"GET {plan.path} HTTP/1.1\r\nHost: {plan.host}\r\n{extra}{close}\r\n".encode("latin-1")


async def generate(
    plan: Plan,
    truth: Truth,
    stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    demand: Demand | None = None,
) -> None:
    """Send until the plan's seconds are over or `stopped`; every request ends in `truth`. `demand` is how others change it meanwhile."""
    rng, demand = random.Random(plan.seed), demand or Demand(plan.traffic, plan.segments)
    pool, tasks = _Pool(plan), set[asyncio.Task[None]]()
    requests = {name: _request(plan, name) for name in ("", *(name for name, _ in plan.segments))}
    begun, truth.begun = clock(), time.time()

    async def one(due: float, segment: str) -> None:
        try:
            async with asyncio.timeout(plan.timeout):
                reader, writer, used = await pool.take()
                answer = await _exchange(reader, writer, requests[segment])
        except (
            OSError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            TimeoutError,
            ValueError,
            IndexError,
        ) as error:
            truth.lost(due, segment, type(error).__name__)
            return
        took = clock() - begun - due
        truth.answered(due, segment, answer.revision, answer.code, took, plan.limit)
        if answer.close:
            writer.close()
        else:
            pool.give(reader, writer, used + 1)

    async for due, comes in _paced(arrivals(demand.look, plan.seconds, rng, plan.fixed), begun, clock, stopped):
        truth.until, truth.rules = due, demand.since
        if not comes:
            continue
        segment = _segment(demand.shares(), rng.random()) if plan.segments else ""
        truth.sent(due, segment)
        task = asyncio.create_task(one(due, segment))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks, timeout=plan.timeout + 1.0)
    pool.close()


async def _paced(
    moments: Iterator[tuple[float, bool]], begun: float, clock: Callable[[], float], stopped: Callable[[], bool]
) -> AsyncIterator[tuple[float, bool]]:
    for due, comes in moments:
        ahead = begun + due - clock()
        while ahead > 0 and not stopped():
            await asyncio.sleep(min(ahead, 0.2))
            ahead = begun + due - clock()
        if stopped():
            return
        yield due, comes


def _segment(segments: Shares, drawn: float) -> str:
    for name, share in segments:
        if drawn < share:
            return name
        drawn -= share
    return ""
