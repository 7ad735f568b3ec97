"""Policies of ours, exported and read again, do the same wherever the report says that all is said exactly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.files import read_documents
from sim.manifests import load
from sim.manifests.export import write
from sim.policy.analysis import Analysis, Conditions, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Text
from sim.policy.events import Absent, NotANumber, Value
from sim.policy.expr import parse_condition
from sim.policy.flagger import HOOKS, Check, Flagger, Hook
from sim.policy.kruise import Kruise, KruiseStep
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.policy.steps import Analyse, Match, Mirror, Pause, ScaleCanary, SetWeight
from sim.policy.swarm import Batches, Swarm
from sim.tracing.run import trace
from sim.tracing.script import Happening, Script

_seconds = st.sampled_from((0.0, 1.0, 7.0, 60.0, 90.0, 3600.0))
_amount = st.sampled_from((0, 1, 3, "25%", "50%", "100%"))
_conditions = st.sampled_from(("result[0] >= 0.95", "len(result) == 0 || result[0] > 0.9", None)).map(
    lambda text: Conditions(parse_condition(text) if text else None)
)
_metric = st.builds(
    Metric, st.just("rate"), st.just(Text("prometheus", "up")), _conditions, interval=st.sampled_from((5.0, 20.0)),
    count=st.integers(1, 4), initial_delay=st.sampled_from((0.0, 5.0)), failure_limit=st.integers(0, 1),
    inconclusive_limit=st.integers(0, 1), dry_run=st.booleans(),
)  # fmt: skip
_analysis = st.builds(lambda metric: Analysis((metric,)), _metric)
_pause = st.builds(Pause, st.one_of(st.none(), _seconds))
_plain = st.one_of(
    st.integers(0, 100).map(SetWeight), _pause, _analysis.map(Analyse), st.sampled_from((1.5, 33.4)).map(SetWeight)
)
_routed = st.one_of(
    _plain, st.integers(0, 4).map(ScaleCanary), st.just(ScaleCanary(match_weight=True)),
    st.sampled_from((Match(("header:agent=robot",)), Match(()), Match(("staff",)), Mirror(10.0), Mirror(0.0))),
)  # fmt: skip


@st.composite
def canaries(draw: st.DrawFn) -> Canary:
    router = draw(st.booleans())
    surge, unavailable = draw(_amount), draw(_amount)
    both = str(surge).rstrip("%") == str(unavailable).rstrip("%") == "0"
    options: dict[str, Any] = {
        "steps": tuple(draw(st.lists(_routed if router else _plain, max_size=6))), "router": router,
        "background": draw(st.one_of(st.none(), _analysis)), "starting_step": draw(st.integers(0, 2)),
        "max_surge": 1 if both else surge, "max_unavailable": unavailable,
        "progress_deadline": draw(st.sampled_from((600.0, 30.0))), "progress_deadline_abort": draw(st.booleans()),
        "paused": draw(st.booleans()), "min_ready": draw(st.sampled_from((0.0, 5.0, 2.5))),
        "progress_threshold": draw(st.sampled_from((None, None, 2, "60%"))),
    }  # fmt: skip
    if router:
        options |= {
            "dynamic_stable_scale": draw(st.booleans()), "min_pods": draw(st.integers(0, 3)),
            "abort_scale_down_delay": draw(st.sampled_from((30.0, 0.0, 5.0, None))),
            "scale_down_delay": draw(st.sampled_from((30.0, 3.0))), "scale_down_delay_revisions": draw(st.sampled_from((None, 0, 1))),
        }  # fmt: skip
    return Canary(**options)


_blue_greens = st.builds(
    BlueGreen, pre=st.one_of(st.none(), _analysis), post=st.one_of(st.none(), _analysis), auto_promotion=st.booleans(),
    auto_promotion_after=_seconds, preview_replicas=st.sampled_from((None, 1, 2)),
    scale_down_delay=st.sampled_from((None, 5.0)), abort_scale_down_delay=st.sampled_from((30.0, 4.0, None)),
    preview=st.booleans(), on_inconclusive=st.sampled_from(("pause", "abort")), min_ready=st.sampled_from((0.0, 4.0)),
    scale_down_delay_revisions=st.sampled_from((None, 0, 1)),
)  # fmt: skip
_rolls = st.builds(
    Rolling, max_surge=st.sampled_from((1, 2, "25%")), max_unavailable=_amount, min_ready=st.sampled_from((0.0, 5.0, 2.5)),
    recreate=st.booleans(), progress_deadline=st.sampled_from((600.0, 30.0)), paused=st.booleans(),
)  # fmt: skip
_flaggers = st.builds(
    Flagger, interval=st.sampled_from((10.0, 15.0)), threshold=st.integers(1, 3), ceiling=st.sampled_from((50, 100)),
    step_weight=st.sampled_from((0, 20, 50)), step_weights=st.sampled_from(((), (10, 50), (1, 2, 80))),
    step_weight_promotion=st.sampled_from((0, 50)), iterations=st.sampled_from((0, 2)), mirror=st.booleans(),
    match=st.sampled_from(((), ("header:agent~robot.*",))), canary_replicas=st.sampled_from((None, 2)),
    checks=st.lists(
        st.sampled_from((
            Check("rate", Text("prometheus", "up"), low=0.95), Check("rate", Text("prometheus", "up"), 0.1, 2.0, template="t"),
            Check("request-success-rate", Text("flagger-builtin", "request-success-rate[1m]"), low=0.9),
        )), max_size=1,
    ).map(tuple),
    hooks=st.lists(st.sampled_from([Hook(f"h-{kind}", kind) for kind in HOOKS]), max_size=2, unique=True).map(tuple),
    skip_analysis=st.booleans(),
)  # fmt: skip

_batches = st.builds(
    Batches, parallelism=st.integers(0, 3), delay=st.sampled_from((0.0, 7.0)), max_failure_ratio=st.sampled_from((0.0, 0.3)),
    failure_action=st.sampled_from(("pause", "continue")), monitor=st.sampled_from((5.0, 20.0, 0.0)),
    order=st.sampled_from(("stop-first", "start-first")),
)  # fmt: skip
_swarms = st.builds(Swarm, update=_batches, rollback=_batches)
_kruises = st.builds(
    Kruise, style=st.sampled_from(("partition", "canary", "blueGreen")), grace=st.sampled_from((0.0, 3.0)), paused=st.booleans(),
    steps=st.sampled_from((
        (KruiseStep(replicas=1, traffic=5.0, pause=10.0), KruiseStep(replicas="60%", matches=("header:a=b",), pause=None)),
        (KruiseStep(replicas="20%"), KruiseStep(replicas="100%", traffic=100.0)), (KruiseStep(replicas="100%", pause=5.5),),
    )), routing=st.just(True),
    failure_threshold=st.sampled_from((0, 1, "30%")), max_unavailable=_amount, min_ready=st.sampled_from((0.0, 4.0)),
)  # fmt: skip

_ANSWERS = (Value([1.0]), Value([0.97]), Absent(), Value([0.5]), NotANumber(), Value([0.99]))
_SCRIPTS = [
    Script(
        dict.fromkeys(("rate", "request-success-rate"), _ANSWERS), ready={2: (2.0, 3.0)}, until=1800.0,
        events=(Happening(40.0, "promote"), Happening(200.0, "promote"), *more),
    )
    for more in ((), (Happening(65.0, "abort"), Happening(120.0, "retry")), (Happening(50.0, "revision", 3),))
]  # fmt: skip


def seen(policy: Policy, script: Script, replicas: int) -> list[dict[str, Any]]:
    """The entries of a trace, without the names of templates, which are the target's own."""
    entries = trace(policy, script, replicas=replicas).entries
    return [{key: value for key, value in entry.items() if key != "template"} for entry in entries]


@pytest.mark.parametrize(
    ("to", "policies", "shares"),
    [
        ("argo-rollouts", canaries(), 0.2), ("argo-rollouts", _blue_greens, 0.2), ("deployment", _rolls, 0.3),
        ("flagger", _flaggers, 0.6), ("compose", _swarms, 0.4), ("openkruise", _kruises, 0.5),
    ],
    ids=["canary", "blue-green", "rolling", "flagger", "swarm", "openkruise"],
)  # fmt: skip
def test_exact_means_the_same_trace(to: str, policies: st.SearchStrategy[Policy], shares: float) -> None:
    tried, exact = 0, 0

    @settings(derandomize=True, deadline=None, max_examples=120)
    @given(policies, st.integers(1, 6), st.sampled_from(_SCRIPTS))
    def one(policy: Policy, replicas: int, script: Script) -> None:
        nonlocal tried, exact
        exported = write([("ours", policy, replicas)], to)
        tried += 1
        if not exported.exact:
            return
        exact += 1
        (back, *_) = load(read_documents(exported.text, "back.yaml")).policies
        assert back.policy is not None and back.replicas == replicas
        assert seen(back.policy, script, replicas) == seen(policy, script, replicas), exported.text

    one()
    assert exact >= shares * tried, f"only {exact} of {tried} are said exactly: the test says little"
