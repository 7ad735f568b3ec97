"""The contract of a policy. A test class inherits `PolicyContract` and says which policy it is about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.journal import Journal, replay
from sim.policy.errors import PolicyError
from sim.policy.events import Human, Started, Woke
from sim.policy.rollout import Policy, Rollout
from tests.contract.yard import KNOWN, UNKNOWN, Limits, Plan, Yard, anything, nobody_promotes, plans


class PolicyContract:
    """What holds for every policy, whatever happens."""

    policy: Policy
    limits = Limits()
    judged = True  # promotion needs an answer, or a person
    patient = False  # where all is well it waits for a person

    def test_whatever_happens(self) -> None:
        """Sizes and weights stay within bounds, it never wakes in the past, never gets stuck in one instant, never breaks."""

        def holds(plan: Plan) -> None:
            Yard(self.policy, plan, self.limits).run()

        _always(plans(KNOWN + UNKNOWN, anything), holds)

    def test_the_same_history_asks_the_same(self) -> None:
        def holds(plan: Plan) -> None:
            yard = Yard(self.policy, plan).run()
            journal = Journal(tuple(yard.rollout.journal))
            written = Journal.parse([line + "\n" for line in journal.lines()])
            assert written == journal
            assert replay(self.policy, written) is None

        _always(plans(KNOWN + UNKNOWN, anything), holds)

    def test_the_unknown_never_promotes(self) -> None:
        def holds(plan: Plan) -> None:
            assert Yard(self.policy, plan, self.limits).run().promoted == []

        if self.judged:
            _always(plans(UNKNOWN, nobody_promotes), holds)

    def test_what_was_aborted_is_not_promoted(self) -> None:
        def holds(plan: Plan) -> None:
            yard = Yard(self.policy, plan, self.limits).run()
            if yard.rollout.outcome == "aborted":
                assert yard.promoted == []
                assert yard.weight == 0 or yard.available[0] < plan.replicas

        _always(plans(KNOWN, st.just(Human("abort"))), holds)

    @pytest.mark.parametrize("replicas", [1, 2, 5, 10])
    def test_where_all_is_well_it_ends_at_its_target(self, replicas: int) -> None:
        happenings = ((200.0, Human("promote")), (200.0, Human("promote"))) if self.patient else ()
        yard = Yard(self.policy, Plan(replicas, happenings=happenings), self.limits).run()
        assert yard.rollout.outcome == "promoted"
        assert yard.promoted == [2] and yard.weight == 0
        assert yard.available == (replicas, 0) and yard.wanted == (replicas, 0, 0)
        assert yard.rollout.wakes_at is None

    def test_the_first_event_is_started(self) -> None:
        with pytest.raises(PolicyError, match="the first event is Started"):
            Rollout(self.policy).handle(0.0, Woke())

    def test_two_rollouts_of_one_policy_know_nothing_of_each_other(self) -> None:
        first, second = Rollout(self.policy), Rollout(self.policy)
        asked = first.handle(0.0, Started(3))
        first.handle(1.0, Human("abort"))
        assert second.handle(0.0, Started(3)) == asked


def _always(plan: st.SearchStrategy[Plan], holds: Callable[[Plan], None]) -> None:
    settings(derandomize=True, deadline=None, max_examples=40)(given(plan)(holds))()
