"""Every policy keeps the contract."""

from __future__ import annotations

from sim.policy.analysis import Analysis, Conditions, Metric
from sim.policy.analysis import Limits as Within
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Counts, Finish, SetWeight, Text
from sim.policy.events import Absent, Failed, NotANumber
from sim.policy.expr import parse_condition
from sim.policy.kruise import Kruise, KruiseStep
from sim.policy.redblack import RedBlack
from sim.policy.rolling import Rolling
from sim.policy.runbook import Look, Runbook, Steps, Wait
from sim.policy.scale import bounds
from sim.policy.steps import Analyse, Experiment, Gate, Match, Mirror, Pause, ScaleCanary
from sim.policy.swarm import Batches, Swarm
from tests.contract.policies import PolicyContract
from tests.contract.yard import Limits

ERRORS = Metric("errors", Counts(60.0), Within(high=1.0), interval=5.0, count=3)
ARGO = Metric("rate", Text("prometheus", "q"), Conditions(parse_condition("result[0] < 1")), interval=5.0, count=3)
LOOK = Analyse(Analysis((ERRORS,)))
WATCH = Analysis((Metric("errors", Counts(60.0), Within(high=1.0), interval=5.0),))


class TestCanaryBehindARouter(PolicyContract):
    policy = Canary(
        steps=(SetWeight(20), LOOK, ScaleCanary(replicas=3), SetWeight(60), Pause(10.0), ScaleCanary(match_weight=True)),
        background=WATCH, starting_step=1,
    )  # fmt: skip
    limits = Limits(weight=100)


class TestCanaryWithoutRouter(PolicyContract):
    policy = Canary(steps=(SetWeight(20), LOOK, SetWeight(60), Pause(10.0)), router=False)
    limits = Limits(
        most=lambda replicas: replicas + bounds(replicas, "25%", "25%").surge,
        least=lambda replicas: replicas - bounds(replicas, "25%", "25%").unavailable,
    )


class TestCanaryWithNothingToSpare(PolicyContract):
    policy = Canary(steps=(SetWeight(50), LOOK), router=False, max_surge=1, max_unavailable=0)
    limits = Limits(most=lambda replicas: replicas + 1, least=lambda replicas: replicas)


class TestCanaryOfArgoConditions(PolicyContract):
    policy = Canary(steps=(SetWeight(20), Analyse(Analysis((ARGO,))), Pause()), max_weight=50, min_pods=2)
    limits = Limits(weight=50)
    patient = True


class TestCanaryWithDynamicStableScale(PolicyContract):
    policy = Canary(steps=(SetWeight(25), LOOK, SetWeight(75), Pause(10.0)), dynamic_stable_scale=True)
    limits = Limits(most=lambda replicas: 4 * replicas + 4)


class TestCanaryOf18(PolicyContract):
    policy = Canary(
        steps=(SetWeight(25), LOOK, SetWeight(75)), dynamic_stable_scale=True, profile="argo-rollouts@1.8",
        progress_deadline=60.0, progress_deadline_abort=True,
    )  # fmt: skip


class TestCanaryWithGatesAndRoutes(PolicyContract):
    policy = Canary(
        steps=(
            ScaleCanary(weight=50), Match(("beta",)), Gate("smoke"), Mirror(10.0), LOOK, Mirror(0.0), Match(()),
            Experiment(20.0, Analysis((ERRORS,))),
        ),
        pods_follow_abort=False, abort_scale_down_delay=None,
    )  # fmt: skip


class TestFlag(PolicyContract):
    policy = Canary(steps=(SetWeight(10), LOOK, SetWeight(100)), pods=False)

    def test_where_all_is_well_it_ends_at_its_target(self, replicas: int = 3) -> None:
        """A flag has no pods of its own: the world that knows that is `ScriptWorld` (tests/trace)."""


class TestBlueGreen(PolicyContract):
    policy = BlueGreen(pre=Analysis((ERRORS,)), post=Analysis((ARGO,)), auto_promotion_after=10.0)


class TestBlueGreenWithASmallPreview(PolicyContract):
    policy = BlueGreen(
        pre=Analysis((ERRORS,)), preview_replicas=1, auto_promotion=False, scale_down_delay=5.0,
        progress_deadline=60.0, progress_deadline_abort=True,
    )  # fmt: skip
    patient = True


class TestRolling(PolicyContract):
    policy = Rolling()
    judged = False


class TestRecreate(PolicyContract):
    policy = Rolling(recreate=True, min_ready=5.0, progress_deadline=60.0)
    judged = False


class Careful:
    """A runbook that promotes only on a number."""

    def steps(self) -> Steps:
        for weight in (25, 100):
            yield SetWeight(weight)
            yield Wait(5.0)
            seen = yield Look(10.0)
            if isinstance(seen, Absent | Failed | NotANumber) or not isinstance(seen, float):
                return Finish("inconclusive", f"no number: {seen!r}")
            if seen > 1:
                return Finish("aborted", f"{seen:g} errors")
        return None


class TestRunbook(PolicyContract):
    policy = Runbook(Careful())


class TestSwarm(PolicyContract):
    policy = Swarm(
        update=Batches(parallelism=2, failure_action="rollback", monitor=7.0, delay=3.0),
        rollback=Batches(parallelism=0, order="start-first"),
    )
    judged = False


_THREE = (
    KruiseStep(replicas=1, traffic=5.0, pause=5.0),
    KruiseStep(replicas="50%", matches=("beta",), pause=3.0),
    KruiseStep(replicas="100%", traffic=100.0),
)


class TestKruisePartition(PolicyContract):
    policy = Kruise(steps=(KruiseStep(replicas=1, pause=5.0), KruiseStep(replicas="50%"), KruiseStep(replicas="100%")))
    judged = False
    patient = True


class TestKruiseCanary(PolicyContract):
    policy = Kruise(steps=_THREE, style="canary", routing=True, max_unavailable=0, max_surge=1)
    limits = Limits(weight=100)
    judged = False


class TestKruiseBlueGreen(PolicyContract):
    policy = Kruise(steps=_THREE, style="blueGreen", routing=True, failure_threshold="20%")
    limits = Limits(most=lambda replicas: 2 * replicas, weight=100)
    judged = False


class TestRedBlack(PolicyContract):
    policy = RedBlack(delay_before_disable=5.0, scale_down=True, rollback_on_failure=True)
    limits = Limits(weight=100)
    judged = False


class TestRollingRedBlack(PolicyContract):
    policy = RedBlack(percentages=(25, 50), healthy=80, scale_down=True, delay_before_scale_down=30.0)
    limits = Limits(weight=100)
    judged = False
