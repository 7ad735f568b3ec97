"""Trigger: webhooks are lost, news is not."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import simpy

from sim.durations import Constant, Uniforms
from sim.pipeline.disruptions import Disruption, Track
from sim.pipeline.model import Poll, Wakeups, Webhook
from sim.pipeline.trigger import Trigger
from sim.policy.errors import WorldError

HOOK = Webhook(Constant(2.0), 0.0)
POLL = Poll(100.0, 0.0)  # with every number one half: 50, 150, 250...
LOST = Disruption("trigger.drop", 0.0, 1e6)


def seen(
    wakeups: Wakeups, uniform: Uniforms, news: list[float], *faults: Disruption, until: float = 1e4
) -> list[tuple[float, str] | None]:
    """When and by what each piece of ``news`` is seen; None when it is not."""
    env = simpy.Environment()
    drop = Track(fault for fault in faults if fault.kind == "trigger.drop")
    down = Track(fault for fault in faults if fault.kind == "driver.crash")
    trigger = Trigger(env, wakeups, uniform, "deploy", drop, down)
    result: list[tuple[float, str] | None] = [None] * len(news)

    def wait(number: int, at: float) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(at)
        cause = yield trigger.notice(number)
        result[number] = (env.now, cause)

    for number, at in enumerate(news):
        env.process(wait(number, at))
    env.run(until=until)
    return result


def test_a_webhook_comes_before_the_poll(half: Uniforms) -> None:
    assert seen(Wakeups(HOOK, POLL), half, [10.0, 49.0]) == [(12.0, "webhook"), (50.0, "poll")]


def test_a_lost_webhook_is_healed_by_the_poll(half: Uniforms) -> None:
    assert seen(Wakeups(HOOK, POLL), half, [10.0, 50.0, 51.0], LOST) == [
        (50.0, "poll"),
        (50.0, "poll"),
        (150.0, "poll"),
    ]


def test_without_a_poll_a_lost_webhook_waits_for_the_next_one(half: Uniforms) -> None:
    lost = Disruption("trigger.drop", 0.0, 100.0)
    assert seen(Wakeups(HOOK, None), half, [10.0, 500.0], lost) == [(502.0, "webhook"), (502.0, "webhook")]
    assert seen(Wakeups(HOOK, None), half, [10.0], lost) == [None]


def test_only_a_share_is_lost() -> None:
    hook = Webhook(Constant(0.0), 0.2)
    fault = Disruption("trigger.drop", 0.0, 1e6, 0.5)

    def uniform(purpose: str, entity: int, index: int) -> float:
        return (entity + 0.5) / 100 if purpose.endswith("webhook.drop") else 0.5

    news = [float(1000 * i) for i in range(100)]
    causes = [entry[1] for entry in seen(Wakeups(hook, POLL), uniform, news, fault, until=2e5) if entry]
    assert (causes.count("poll"), causes.count("webhook")) == (60, 40)  # 1 - (1 - 0.2)(1 - 0.5)


def test_a_stage_that_is_down_hears_nothing_and_reads_all_when_it_is_back(half: Uniforms) -> None:
    down = Disruption("driver.crash", 40.0, 400.0)
    assert seen(Wakeups(HOOK, POLL), half, [39.0, 60.0, 399.0], down) == [
        (400.0, "restart"),
        (400.0, "restart"),
        (400.0, "restart"),
    ]
    assert seen(Wakeups(HOOK, None), half, [60.0], down) == [(400.0, "restart")]


def test_the_quiet_period_joins_what_comes_within_it(half: Uniforms) -> None:
    wakeups = Wakeups(HOOK, None, coalesce=5.0)
    assert seen(wakeups, half, [10.0, 14.0, 30.0]) == [(17.0, "webhook"), (17.0, "webhook"), (37.0, "webhook")]


def test_news_at_the_very_tick_is_seen_then(half: Uniforms) -> None:
    assert seen(Wakeups(None, POLL), half, [50.0, 150.0, 150.0]) == [(50.0, "poll"), (150.0, "poll"), (150.0, "poll")]


def test_a_stage_that_never_starts_is_refused() -> None:
    with pytest.raises(WorldError, match="give it one of them"):
        Wakeups(None, None)
