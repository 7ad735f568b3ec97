"""`burn_rate`: pairs, scope, tickets, short history, partial windows."""

from __future__ import annotations

from sim.policy.judges import Arm, BurnRate, Window
from sim.policy.judges.burn_rate import TICKET, BurnRateLook

MINUTE = 60.0


def feed(look: BurnRateLook, bad: list[int], requests: int = 1000, step: float = MINUTE, at: float = 0.0) -> list[str]:
    return [
        look.look(Window(at + i * step, at + (i + 1) * step, 0.1, Arm(requests, b), Arm(9000, 0))).verdict
        for i, b in enumerate(bad)
    ]


def test_fires_only_when_both_windows_burn() -> None:
    look = BurnRate(page=((600.0, 120.0, 10.0),)).start(0, None)  # limit 1 %
    verdicts = feed(look, [0] * 10 + [40, 40, 40, 0, 0, 0])
    # Ten-minute rate above 1 % needs 100 bad of 10,000: the third bad minute. Two clean minutes empty the short window.
    assert verdicts[:12] == ["continue"] + ["pass"] * 11
    assert verdicts[12:] == ["fail", "fail", "pass", "pass"]


def test_the_limit_itself_does_not_fire() -> None:
    look = BurnRate(page=((600.0, 60.0, 10.0),)).start(0, None)
    assert set(feed(look, [10] * 20)) == {"pass"}
    assert feed(BurnRate(page=((600.0, 60.0, 10.0),)).start(0, None), [11])[0] == "fail"


def test_a_ticket_is_inconclusive_and_a_page_wins() -> None:
    ticket = BurnRate(page=(), ticket=((600.0, 60.0, 1.0),)).start(0, None)
    assert feed(ticket, [5] * 3) == ["inconclusive"] * 3
    both = BurnRate(page=((600.0, 60.0, 10.0),), ticket=((600.0, 60.0, 1.0),)).start(0, None)
    assert feed(both, [5, 500]) == ["inconclusive", "fail"]
    assert BurnRate(ticket=TICKET).ticket[0] == (86400.0, 7200.0, 3.0)


def test_less_history_than_the_short_window_continues() -> None:
    look = BurnRate().start(0, None)  # short window 5 minutes
    assert feed(look, [1000] * 6) == ["continue"] * 4 + ["fail"] * 2


def test_scope_service_adds_the_baseline() -> None:
    def run(scope: str) -> str:
        look = BurnRate(page=((60.0, 60.0, 10.0),), scope=scope).start(0, None)  # type: ignore[arg-type]
        return look.look(Window(0, 60, 0.1, Arm(1000, 0), Arm(9000, 900))).verdict

    assert (run("canary"), run("service")) == ("pass", "fail")


def test_a_window_that_starts_before_counts_in_part() -> None:
    look = BurnRate(page=((90.0, 30.0, 10.0),)).start(0, None)  # limit 1 %
    feed(look, [20, 0])
    rate = look._rate(90.0, 120.0)
    assert rate == 10 / 1500  # half of the first minute


def test_an_alert_stays_without_requests_until_the_short_window_is_clean() -> None:
    look = BurnRate(page=((600.0, 120.0, 10.0),)).start(0, None)
    feed(look, [500, 500])
    empty = [look.look(Window(120 + 60 * i, 180 + 60 * i, 0.1, Arm(0, 0))).verdict for i in range(3)]
    assert empty == ["fail", "inconclusive", "inconclusive"]


def test_hold_starts_again_after_a_clean_look() -> None:
    look = BurnRate(page=((60.0, 60.0, 1.0),), hold=120.0).start(0, None)
    assert feed(look, [9, 9, 9, 0, 9, 9, 9]) == ["pass", "pass", "fail", "pass", "pass", "pass", "fail"]


def test_history_is_only_as_long_as_needed() -> None:
    look = BurnRate(page=((300.0, 60.0, 1.0),)).start(0, None)
    feed(look, [0] * 50)
    assert len(look.history) == 5
