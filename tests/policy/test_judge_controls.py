"""The controls: constants, chance, the truth, and the naive comparison of means."""

from __future__ import annotations

import scipy.stats

from sim.policy.judges import AlwaysPromote, AlwaysRollback, Arm, MeanInequality, Oracle, Random, Truth, Window

SEEN = Window(0, 60, 0.1, Arm(100, 50), Arm(900, 0))
EMPTY = Window(0, 60, 0.1, Arm(0, 0), Arm(900, 0))


def test_constants_answer_from_the_first_request_on() -> None:
    for judge, verdict in ((AlwaysPromote(), "pass"), (AlwaysRollback(), "fail")):
        look = judge.start(0, None)
        assert [look.look(w).verdict for w in (EMPTY, SEEN, EMPTY, SEEN)] == ["continue", verdict, "continue", verdict]


def test_the_oracle_answers_the_truth() -> None:
    for bad, verdict in ((True, "fail"), (False, "pass")):
        look = Oracle().start(0, Truth(bad=bad))
        assert [look.look(w).verdict for w in (EMPTY, SEEN)] == ["continue", verdict]


def test_random_fails_at_its_rate_by_seed_and_look() -> None:
    """2000 looks: outside the exact 99.9 % interval has chance < 0.001, and the seeds are fixed."""
    looks = [Random(probability=0.2).start(seed, None) for seed in range(20)]
    verdicts = [[look.look(SEEN).verdict for _ in range(100)] for look in looks]
    failed = sum(v.count("fail") for v in verdicts)
    low, high = scipy.stats.binom.interval(0.999, 2000, 0.2)
    assert low <= failed <= high
    assert len({tuple(v) for v in verdicts}) == 20
    assert {Random(probability=p).start(0, None).look(SEEN).verdict for p in (0.0,)} == {"pass"}
    assert Random(probability=1.0).start(0, None).look(SEEN).verdict == "fail"


def test_random_counts_empty_windows_so_that_the_same_look_draws_the_same() -> None:
    plain, gappy = (Random(probability=0.5).start(4, None) for _ in range(2))
    expected = [plain.look(SEEN).verdict for _ in range(9)]
    got = [gappy.look(EMPTY if i == 3 else SEEN).verdict for i in range(9)]
    assert got[:3] + got[4:] == expected[:3] + expected[4:]


def test_mean_inequality_by_direction_metric_and_gap() -> None:
    def run(c: float, b: float, **fields: object) -> str:
        arms = (Arm(10, 0, points=(("lat", (v, float("nan"), v)),)) for v in (c, b))
        return MeanInequality(metric="lat", **fields).start(0, None).look(Window(0, 1, 0.5, *arms)).verdict  # type: ignore[arg-type]

    assert [run(2, 1), run(1, 2), run(1, 1)] == ["fail", "pass", "pass"]
    assert [run(2, 1, direction="decrease"), run(1, 2, direction="decrease")] == ["pass", "fail"]
    assert [run(2, 1, direction="either"), run(1, 2, direction="either")] == ["fail", "fail"]
    nothing = Window(0, 1, 0.5, Arm(10, 0), Arm(10, 0))
    assert MeanInequality(metric="lat").start(0, None).look(nothing).verdict == "inconclusive"
    rates = [Window(0, 1, 0.5, Arm(10, b), Arm(10, 1)) for b in (1, 2)]
    assert [MeanInequality().start(0, None).look(w).verdict for w in rates] == ["pass", "fail"]
