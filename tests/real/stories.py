"""A story by number: a policy, a world, what goes wrong in it. `tell` plays it, with a crash at any step and a recovery after it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from real.driver.plan import Ending, Plan
from real.driver.recover import recover
from real.driver.resume import resume
from real.driver.run import run
from real.ports.errors import PortError, Refused
from real.ports.ports import Stop
from real.ports.things import LEASE, Lease
from sim.journal import replay
from sim.policy.analysis import Analysis, Limits, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Match, Mirror, SetWeight, Text
from sim.policy.flagger import Check, Flagger
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.policy.steps import Analyse, Gate, Pause, ScaleCanary
from tests.real.fake import LIMITS, SECRET, Behaviour, Crash, FakeChaos, FakeMischief, Log, Trouble, Yard, ended, leaks

ANSWERS = (
    ("good",),
    ("good",),
    ("bad",),
    ("good", "bad"),
    ("failed",),
    ("nan",),
    ("absent",),
    ("hang",),
    ("good", "failed", "good"),
)
READY = ({}, {}, {2: 0.0}, {2: 30.0}, {2: float("inf")}, {1: 5.0, 2: 5.0})


def looks(count: int | None = 1, **more: Any) -> Analysis:
    query = Text("prometheus", "rate(good[1m]) / rate(all[1m])")
    return Analysis((Metric("success", query, Limits(low=0.9), interval=10.0, count=count, **more),))


POLICIES: tuple[Policy, ...] = (
    Canary(steps=(SetWeight(20), Analyse(looks()), SetWeight(60), Pause(5.0))),
    Canary(steps=(SetWeight(50), Pause(20.0)), background=looks(None, failure_limit=1), abort_scale_down_delay=5.0),
    Canary(steps=(SetWeight(34), Pause(), Analyse(looks())), router=False),
    Canary(steps=(SetWeight(50), Analyse(looks(2)), SetWeight(100), Pause(10.0)), dynamic_stable_scale=True),
    Canary(steps=(ScaleCanary(replicas=1), Match(("beta",)), Mirror(20.0), Pause(5.0), Mirror(0.0), Gate("release"), SetWeight(40))),
    BlueGreen(pre=looks(), post=looks(), scale_down_delay=10.0, abort_scale_down_delay=5.0),
    BlueGreen(preview_replicas=1, auto_promotion=False, scale_down_delay=0.0, on_inconclusive="abort"),
    Rolling(max_surge=1, max_unavailable=0, progress_deadline=60.0),
    Rolling(max_surge=0, max_unavailable=1, progress_deadline=60.0),
    Rolling(recreate=True),
    Flagger(router=False, iterations=2, interval=10.0, checks=(Check("success", Text("prometheus", "up"), low=0.9),)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is drawn for one number."""

    seed: int
    policy: Policy
    behaviour: Behaviour
    rate: float
    drop_watch: float
    replicas: int
    mischief: tuple[float, float] | None
    stops: tuple[float, ...]  # Ctrl-C, in seconds
    halt: float | None
    jumps: tuple[tuple[float, float], ...]  # of the wall clock: (when, by how much)


def story(seed: int) -> Story:
    chance = random.Random(seed)
    policy = POLICIES[seed % len(POLICIES)]
    behaviour = Behaviour(
        ready=dict(chance.choice(READY)), answers=chance.choice(ANSWERS), query=chance.choice((0.0, 0.0, 3.0)),
        people=chance.choice((("promote",), ("abort",), ("promote-full",), ("promote", "abort"))), gate=chance.random() < 0.8,
    )  # fmt: skip
    stops = chance.choice(((), (), (), (), (chance.uniform(0, 40),), (chance.uniform(0, 20), chance.uniform(20, 30))))
    return Story(
        seed, policy, behaviour, chance.choice((0.0, 0.0, 0.05, 0.15)), chance.choice((0.0, 0.3, 1.0)), chance.choice((1, 2, 3)),
        (chance.uniform(0, 10), chance.uniform(10, 40)) if chance.random() < 0.3 else None, stops,
        chance.uniform(0, 40) if chance.random() < 0.1 else None,
        ((chance.uniform(0, 30), chance.choice((-3600.0, 3600.0))),) if chance.random() < 0.2 else (),
    )  # fmt: skip


@dataclass(slots=True)
class Told:
    """What became of a story. `ending` None: the driver crashed."""

    yard: Yard
    log: Log
    ending: Ending | None = None
    wrong: list[str] = field(default_factory=list)


def plan(told: Story) -> Plan:
    return Plan("run-1", told.policy, "app@sha256:02", seed=told.seed, holder="driver", limits=LIMITS)


def staged(
    told: Story, crash_at: int = -1, at_step: Callable[[Yard, Log], None] | None = None
) -> tuple[Yard, Log, dict[str, Any]]:
    trouble = Trouble(told.rate, crash_at, None, told.drop_watch, random.Random(told.seed))
    yard = Yard(told.behaviour, trouble, told.replicas)
    yard.log = log = Log(yard)
    if at_step is not None:
        trouble.at_step = lambda: at_step(yard, log)
    for moment in told.stops:
        yard.later(moment, lambda: yard.tell(Stop("stopped by SIGINT")))
    for moment, jump in told.jumps:
        yard.later(moment, lambda jump=jump: setattr(yard, "jump", jump))  # type: ignore[misc]
    if told.halt is not None:
        yard.later(told.halt, lambda: setattr(log, "halt", "halted by a test"))
    more: dict[str, Any] = {}
    if told.mischief is not None:
        more = {"chaos": FakeChaos(yard), "mischief": FakeMischief(*told.mischief)}
    return yard, log, more


def first(told: Story, crash_at: int = -1, at_step: Callable[[Yard, Log], None] | None = None) -> Told:
    """The run itself, up to its end or the crash."""
    yard, log, more = staged(told, crash_at, at_step)
    result = Told(yard, log)
    try:
        result.ending = run(plan(told), yard.world(**more), log)
    except Crash:
        pass
    except Refused as error:  # it could not begin, so it changed nothing
        result.ending = Ending("restored", reason=str(error))
    except PortError as error:  # nor here; but it may still hold the lease
        result.ending = Ending("unrestored", reason=log.redact(str(error)))
    return result


def healed(result: Told, chaos: bool = True) -> Ending:
    """`recover` once nothing goes wrong any more."""
    mend(result)
    yard, log = result.yard, result.log
    return recover(log.journal(), yard.world(chaos=FakeChaos(yard) if chaos else None), log, limits=LIMITS)


def mend(result: Told) -> None:
    """Nothing goes wrong any more."""
    yard = result.yard
    yard.trouble = Trouble()
    yard.process += 1
    yard._ears.clear()
    yard._inbox.clear()
    yard.behaviour = replace(yard.behaviour, ready={1: 2.0, 2: 2.0})
    for pods in yard.pods.values():  # pods that would never come do come, now that all is well
        for ready in pods.values():
            ready[:] = [min(at, yard.now + 2.0) for at in ready]
    for name in list(yard.pods):
        yard._deploy(name)


def twice(told: Story, step: int) -> list[str]:
    """A crash before this step, then one before every step of its recovery, each followed by a recovery that is let be."""
    wrong: list[str] = []
    again, steps = 0, 1
    while again < steps:
        again += 1
        result = first(told, step)
        mend(result)
        yard, log = result.yard, result.log
        yard.steps, yard.trouble.crash_at = 0, again
        try:
            recover(log.journal(), yard.world(chaos=FakeChaos(yard)), log, limits=LIMITS)
        except Crash:
            steps = again + 1
        ending = healed(result)
        if ending.state not in ("promoted", "restored"):
            result.wrong.append(f"not recovered: {ending}")
        wrong += [f"and {again}: {problem}" for problem in verdict(result)]
    return wrong


def resumed(told: Story, step: int) -> Told:
    """A run whose driver dies before this step, and goes on from its journal once all is well."""
    result = first(told, step)
    if result.ending is not None:
        return result
    mend(result)
    yard, log = result.yard, result.log
    more: dict[str, Any] = {"chaos": FakeChaos(yard)}
    if told.mischief is not None:
        more["mischief"] = FakeMischief(*told.mischief)
    yard.contested = True  # the journal's clock goes on by the wall
    try:
        result.ending = resume(log.journal(), plan(told), yard.world(**more), log)
    except Refused:
        result.ending = healed(result)
    else:
        if replay(told.policy, log.journal()) is not None:
            result.wrong.append("the journal does not replay")
    if result.ending.state not in ("promoted", "restored"):
        result.wrong.append(f"not brought to an end: {result.ending}")
    result.wrong = verdict(result)
    return result


def contested(told: Story, step: int) -> Told:
    """While the driver stands still before this step, another run is refused, and a recovery takes over; then the old driver goes on."""
    found: list[str] = []

    def rivals(yard: Yard, log: Log) -> None:
        trouble, yard.trouble, yard.contested = yard.trouble, Trouble(), True
        before, inbox = yard.log, list(yard._inbox)
        held = yard.objects[LEASE].value
        other = Log(yard, "run-2")
        yard.log = other
        try:
            if isinstance(held, Lease) and held.holder:
                run(replace(plan(told), run="run-2", holder="rival"), yard.world(), other)
                found.append("a second run was let in")
        except Refused:
            pass
        yard.log = rescue = Log(yard)
        rescue.entries = log.entries  # the same journal; what recovery adds is its own
        result = recover(log.journal(), yard.world(chaos=FakeChaos(yard)), rescue, holder="rescue", limits=LIMITS)
        if result.state not in ("promoted", "restored", "unrestored"):
            found.append(f"recovery while the driver stood still: {result}")
        yard.log, yard.trouble, yard._inbox[:] = before, trouble, inbox

    result = first(told, step, rivals)
    again = healed(result)
    if again.state not in ("promoted", "restored"):
        result.wrong.append(f"not recovered: {again}")
    result.wrong += found
    result.wrong = verdict(result)
    return result


def verdict(result: Told) -> list[str]:
    """Everything that is wrong with a story that has ended."""
    wrong = list(result.wrong) + result.yard.violations + ended(result.yard)
    if leaks(result.log) or SECRET in repr(result.ending):
        wrong.append("the secret stands in the journal, or in what the person is told")
    return wrong


def undisturbed(told: Story) -> Told:
    """A run without a crash: it ends by itself, or is recovered if its own troubles were too much for it."""
    result = first(told)
    assert result.ending is not None
    if replay(told.policy, result.log.journal()) is not None:
        result.wrong.append("the journal does not replay")
    if result.ending.state == "unrestored":
        if told.rate == 0.0 and float("inf") not in told.behaviour.ready.values():
            result.wrong.append(f"it could not be restored: {result.ending}")
        again = healed(result)
        if again.state not in ("promoted", "restored"):
            result.wrong.append(f"not recovered: {again}")
    elif result.ending.state == "fenced":
        result.wrong.append("fenced, though there was no other driver")
    result.wrong = verdict(result)
    return result


def crashed(told: Story, step: int) -> Told:
    """A run whose driver dies before this step; then `recover`."""
    result = first(told, step)
    ending = healed(result)
    if ending.state not in ("promoted", "restored"):
        result.wrong.append(f"not recovered: {ending}")
    if step % 5 == 0:  # and once more, which changes nothing
        before = result.yard.writes
        healed(result)
        if result.yard.writes > before:
            result.wrong.append("a second recovery changed something")
    result.ending = ending
    result.wrong = verdict(result)
    return result
