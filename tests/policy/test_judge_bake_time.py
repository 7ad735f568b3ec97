"""`bake_time`: waiting, alarms, and requests that stay away."""

from __future__ import annotations

from sim.policy.judges import Arm, BakeTime, Window


def run(judge: BakeTime, requests: list[int], bad: list[int] | None = None) -> list[str]:
    look = judge.start(0, None)
    counts = zip(requests, bad or [0] * len(requests), strict=True)
    return [look.look(Window(1000 + 60 * i, 1060 + 60 * i, 0.1, Arm(n, b))).verdict for i, (n, b) in enumerate(counts)]


def test_passes_at_the_time_when_the_requests_are_there() -> None:
    assert run(BakeTime(seconds=180, min_requests=100), [50] * 3) == ["continue", "continue", "pass"]


def test_waits_for_requests_up_to_three_times_as_long() -> None:
    assert run(BakeTime(seconds=120, min_requests=100), [20, 20, 20, 20, 20]) == ["continue"] * 4 + ["pass"]
    assert run(BakeTime(seconds=60, min_requests=100), [10, 10, 10]) == ["continue", "continue", "inconclusive"]
    assert run(BakeTime(seconds=60, min_requests=0), [0, 0, 0]) == ["continue", "continue", "inconclusive"]
    assert run(BakeTime(seconds=60, min_requests=9, max_seconds=60), [5]) == ["inconclusive"]


def test_an_alarm_fails_at_once_unless_switched_off() -> None:
    assert run(BakeTime(seconds=180), [100, 100], [0, 2])[1] == "fail"
    assert run(BakeTime(seconds=120, max_error_rate=None), [100, 100], [0, 100])[1] == "pass"
