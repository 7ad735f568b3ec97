"""Faults of users: what a generator is asked for, what its counts show, and a real one that is told and told back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from real.chaos.calls import Troubled
from real.chaos.injector import NotEffective
from real.chaos.port import Chaos
from real.load.channel import Channel
from real.load.demand import Demand, Rules, shown
from real.load.generator import Plan, arrivals
from real.load.pod import _length
from real.load.process import Load
from real.load.truth import Truth
from real.ports.errors import Gone
from real.ports.things import Injection, Put, Stamp
from sim.service.traffic import Constant
from tests.real.chaos.world import World

BETA = (("beta", 0.2), ("gold", 0.3))
SPIKE = {"kind": "load.spike", "params": {"factor": 3.0, "shape": "step"}}
LOW = {"kind": "load.low", "params": {"rps": 2.0}}
SHIFT = {"kind": "load.shift", "params": {"segment": "beta", "to": 0.6}}


@pytest.mark.parametrize(
    "rules, rate, shares",
    [
        ((), 100.0, BETA),
        ((SPIKE,), 300.0, BETA),
        ((SPIKE, SPIKE), 900.0, BETA),
        ((LOW,), 2.0, BETA),
        ((SPIKE, LOW), 2.0, BETA),
        ((LOW, SPIKE), 6.0, BETA),
        ((SHIFT,), 100.0, (("beta", 0.6), ("gold", pytest.approx(0.15)))),
    ],
)
def test_what_is_asked_for(rules: tuple[dict[str, Any], ...], rate: float, shares: Any) -> None:
    demand = Demand(Constant(100.0), BETA)
    demand.asked = {f"f{number}": rule for number, rule in enumerate(rules)}
    assert demand.look(7.0) == rate and demand.shares() == shares
    demand.asked = {}
    assert demand.look(8.0) == 100.0 and demand.shares() == BETA and demand.since == {}


def test_a_segment_that_was_everybody_leaves_the_rest_to_none() -> None:
    demand = Demand(Constant(1.0), (("all", 1.0),))
    demand.asked = {"f": {"kind": "load.shift", "params": {"segment": "all", "to": 0.25}}}
    assert demand.shares() == (("all", 0.25),)


def test_arrivals_follow_it_from_the_next_look_on() -> None:
    """100 requests/s, 300 from 10 s to 20 s: within 5 standard deviations (fixed seed)."""
    demand = Demand(Constant(100.0), ())

    def rate(at: float) -> float:
        demand.asked = {"f": SPIKE} if 10.0 <= at < 20.0 else {}
        return demand.look(at)

    moments = [at for at, comes in arrivals(rate, 30.0, Random(1), False) if comes]
    inside = sum(10.0 <= at < 20.0 for at in moments)
    assert abs(inside - 3000) < 5 * 3000**0.5 + 30 and abs(len(moments) - inside - 2000) < 5 * 2000**0.5 + 30


def counted(rate: int, beta: int, since: float | None, until: float) -> Truth:
    """A generator that sent so many requests each second, a part of them of a segment."""
    truth = Truth()
    for second in range(int(until)):
        for number in range(rate):
            truth.sent(second + 0.5, "beta" if number < beta else "")
    truth.rules, truth.until = {} if since is None else {"f": since}, until
    return Truth.of(json.loads(json.dumps(truth.document())))


@pytest.mark.parametrize(
    "rule, rate, beta, since, until, says",
    [
        (SPIKE, 295, 0, 3.4, 6.9, "590 requests in 2 s, where 600 are wanted and 200 were planned"),
        (SPIKE, 100, 0, 3.4, 6.9, ""),  # told, and not obeyed
        (SPIKE, 295, 0, 3.4, 4.9, ""),  # no whole second yet
        (SPIKE, 295, 0, None, 9.0, ""),  # not noticed
        (LOW, 2, 0, 1.0, 5.0, "8 requests in 4 s, where 8 are wanted and 400 were planned"),
        (LOW, 100, 0, 1.0, 5.0, ""),
        (SHIFT, 100, 58, 1.0, 3.0, "116 of 200 requests are beta in 2 s, where 120 are wanted and 40 were planned"),
        (SHIFT, 100, 20, 1.0, 3.0, ""),
        (SHIFT, 0, 0, 1.0, 3.0, ""),  # nobody came: nothing is shown
    ],
)
def test_what_its_counts_show(
    rule: dict[str, Any], rate: int, beta: int, since: float | None, until: float, says: str
) -> None:
    assert shown("f", {"f": rule}, Constant(100.0), BETA, counted(rate, beta, since, until)) == says


# ---- through the port of faults ----


class Generator:
    """One in memory, that sends what it is told; `ended`: it has gone."""

    def __init__(self) -> None:
        self.told: list[Rules] = []
        self.ended = False
        self.channel = Channel(Constant(100.0), BETA, self._tell, self._truth)

    def _tell(self, rules: Rules) -> None:
        if self.ended:
            raise Gone("the load generator has ended")
        self.told.append(rules)

    def _truth(self) -> Truth:
        truth, rules = Truth(), self.told[-1]
        for number in range(300 if "f1" in rules and rules["f1"]["kind"] == "load.spike" else 2):
            truth.sent(1.5, "beta" if number % 5 < 3 else "")
        truth.rules, truth.until = dict.fromkeys(rules, 1.0), 2.0
        return truth


VALUES = {
    "load.spike": (("factor", 3.0), ("shape", "step")),
    "load.low": (("rps", 2.0),),
    "load.shift": (("segment", "beta"), ("to", 0.6)),
}
STAMP = Stamp("run-1", 3, "", Put("fault/f1", None))


@pytest.mark.parametrize("kind", VALUES)
def test_in_proved_and_out_again(kind: str) -> None:
    world, users = World(), Generator()
    before = world.tree()
    chaos = Chaos(world.field(users=users.channel))
    chaos.write(Put("fault/f1", Injection(kind, (), VALUES[kind])), STAMP, 10.0)
    assert list(users.told[-1]) == ["f1"] and "are wanted" in chaos.proof("fault/f1")
    chaos.write(Put("fault/f1", None), Stamp("run-1", 3, chaos.read("fault/f1", 10.0).version), 10.0)
    assert users.told[-1] == {} and world.tree() == before and chaos.names() == ()


def test_the_record_is_there_before_the_generator_is_told() -> None:
    world, users = World(), Generator()
    users.ended = True
    with pytest.raises(Gone, match="has ended"):
        Chaos(world.field(users=users.channel)).write(
            Put("fault/f1", Injection("load.spike", (), VALUES["load.spike"])), STAMP, 10.0
        )
    assert world.lines == ["create v1/ConfigMap web-fault-f1", "delete v1/ConfigMap web-fault-f1"]


def test_one_that_does_not_obey_is_told_back() -> None:
    world, users = World(), Generator()
    users.channel._truth = Truth
    with pytest.raises(NotEffective):
        Chaos(world.field(users=users.channel)).write(
            Put("fault/f1", Injection("load.spike", (), VALUES["load.spike"])), STAMP, 10.0
        )
    assert users.told[-1] == {} and Chaos(world.field()).names() == ()


@pytest.mark.parametrize("kind, more", [("load.spike", {}), ("api.error", {"calls": True})])
def test_after_a_crash_it_is_undone_by_whoever_has_no_generator_and_put_again_by_whoever_goes_on(
    kind: str, more: dict[str, bool]
) -> None:
    """What lived in a process is gone with it: `recover` takes the record away, `resume` finds another value and puts it again."""
    world = World()
    before = world.tree()
    value = Injection(kind, (), VALUES.get(kind, (("code", "503"), ("p", 1.0))))

    def field() -> Any:
        calls = {"calls": Troubled(None)} if more else {}  # type: ignore[arg-type]
        return world.field(users=Generator().channel, **calls)

    Chaos(field()).write(Put("fault/f1", value), STAMP, 10.0)
    live = Chaos(field()).read("fault/f1", 10.0)
    assert live.value != value and live.value is not None  # `Hand.put` writes it again
    going = Chaos(field())
    going.write(Put("fault/f1", value), Stamp("run-1", 4, live.version), 10.0)
    assert going.read("fault/f1", 10.0).value == value
    other = Chaos(world.field())
    live = other.read("fault/f1", 10.0)
    live = other.write(Put("fault/f1", live.value), Stamp("run-1", 5, live.version), 10.0)  # taken over
    other.write(Put("fault/f1", None), Stamp("run-1", 5, live.version), 10.0)
    assert world.tree() == before


# ---- a real generator ----


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """At a port where nobody answers: what is sent is counted all the same."""
    made = Load(Plan("127.0.0.1", 1, Constant(100.0), 60.0, segments=BETA), tmp_path / "truth.json")
    try:
        yield made
    finally:
        made.stop(3.0)


def test_a_generator_is_told_shows_it_and_is_told_back(load: Load) -> None:
    load.channel.trouble("f1", "load.spike", SPIKE["params"])
    limit = time.monotonic() + 20.0
    while not (said := load.channel.shown("f1")):
        assert time.monotonic() < limit, load.truth().document()
        time.sleep(0.1)
    assert "planned" in said
    load.channel.calm("f1")
    while load.truth().rules:
        assert time.monotonic() < limit
        time.sleep(0.1)
    assert load.channel.shown("f1") == ""


def test_a_generator_that_has_ended_is_told_nothing(load: Load) -> None:
    load.stop(3.0)
    load.channel.calm("f1")
    with pytest.raises(Gone, match="has ended"):
        load.channel.trouble("f1", "load.low", LOW["params"])


def test_the_pods_generator_is_told_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    import real.load.pod as pod
    from real.load.plans import told

    monkeypatch.setenv("PLAN", json.dumps(told(Plan("127.0.0.1", 1, Constant(100.0), 60.0))))
    monkeypatch.setattr(pod, "PORT", 0)

    async def ask(port: int, head: str, body: bytes = b"") -> Truth:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head} HTTP/1.1\r\nHost: load\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        return Truth.of(json.loads(answer.partition(b"\r\n\r\n")[2]))

    async def story() -> list[dict[str, float]]:
        served: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        begin = asyncio.start_server

        async def started(*words: Any) -> Any:
            server = await begin(words[0], "127.0.0.1", 0)
            served.set_result(server.sockets[0].getsockname()[1])
            return server

        monkeypatch.setattr(asyncio, "start_server", started)
        running = asyncio.create_task(pod.main())
        port, seen = await served, []
        await ask(port, "PUT /rules", json.dumps({"f1": LOW}).encode())
        await asyncio.sleep(0.5)
        seen.append((await ask(port, "GET /truth")).rules)
        await ask(port, "PUT /rules", b"{}")
        await asyncio.sleep(0.5)
        seen.append((await ask(port, "POST /stop")).rules)
        running.cancel()
        return seen

    first, last = asyncio.run(story())
    assert list(first) == ["f1"] and last == {}


def test_a_body_without_a_length_is_refused() -> None:
    assert _length(b"PUT /rules HTTP/1.1\r\nContent-Length: 12\r\n") == 12
    with pytest.raises(ValueError, match="invalid literal"):
        _length(b"PUT /rules HTTP/1.1\r\nHost: x\r\n")
