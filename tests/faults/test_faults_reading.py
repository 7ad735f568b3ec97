"""A fault as written: what is accepted, with units; and every refusal with its field and its remedy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.faults.catalogue import KINDS, MODELLED
from sim.faults.fault import Blast, Fault, Repeat, Subset, Target, Trigger
from sim.faults.reading import parse, problems, read
from sim.policy.errors import WorldError

# The least that a modelled kind needs, beside its id.
LEAST: dict[str, dict[str, Any]] = {
    "build.error_rate": {"params": {"p": "2%"}},
    "build.latency": {"params": {"factor": 3}},
    "build.segment_error": {"params": {"segment": "mobile", "p": "5%"}},
    "build.memory_leak": {"params": {"growth_per_s": 0.001}},
    "pod.kill": {"target": {"version": "canary"}, "at_s": "1m"},
    "pod.crash_loop": {},
    "pod.slow_start": {},
    "node.loss": {"target": {"subset": {"fraction": "33%"}}, "at_s": "1m", "duration_s": "10m"},
    "node.reboot": {"target": {"subset": {"fraction": "33%"}}, "at_s": "1m", "duration_s": "30s"},
    "net.delay": {"target": {"version": "all"}, "params": {"delay_s": "20ms"}, "at_s": 0, "duration_s": "5m"},
    "net.loss": {"target": {"version": "canary"}, "params": {"p": "1%"}, "at_s": 0, "duration_s": "5m"},
    "telemetry.gap": {"at_s": "1m", "duration_s": "10m"},
    "telemetry.lag": {"params": {"delay_s": "45s"}, "at_s": "1m", "duration_s": "10m"},
    "telemetry.nan": {"at_s": "1m", "duration_s": "10m"},
    "telemetry.provider_error": {"at_s": "1m", "duration_s": "10m"},
    "telemetry.reset": {"at_s": "1m"},
    "store.outage": {"at_s": "1m", "duration_s": "10m"},
    "trigger.drop": {"at_s": "1m", "duration_s": "10m"},
    "pool.offline": {"params": {"fraction": "50%"}, "at_s": "1m", "duration_s": "10m"},
    "driver.crash": {"at_s": "1m", "duration_s": "30s"},
    "load.spike": {"params": {"factor": 3}, "at_s": "1m", "duration_s": "10m"},
    "load.low": {"at_s": "1m", "duration_s": "10m"},
}


def written(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": "one", "kind": kind, **LEAST.get(kind, {}), **more}


def told(raw: object, **options: Any) -> list[str]:
    return [str(flaw) for flaw in problems(raw, **options)]


@pytest.mark.parametrize("kind", MODELLED)
def test_the_least_of_every_modelled_kind_is_enough(kind: str) -> None:
    assert told(written(kind)) == []
    fault = parse(written(kind))
    assert list(fault.params) == [one.name for one in KINDS[kind].parameters]
    assert fault.seed_stream == "fault/one"


def test_a_build_is_bound_to_the_canary_from_its_first_second_on() -> None:
    fault = parse(written("build.error_rate"))
    assert (fault.target, fault.at_s, fault.duration_s) == (Target(version="canary"), 0.0, None)


def test_units_are_read_and_bare_numbers_are_in_the_unit_of_the_name() -> None:
    leak = {"bytes_per_request": "4Ki", "limit_bytes": "512Mi"}
    assert parse(written("build.memory_leak", params=leak)).params["limit_bytes"] == 512 * 2**20
    assert parse(written("build.latency", params={"add_s": "250ms", "tail_p": 0.01})).params["add_s"] == 0.25
    assert parse(written("build.latency", params={"add_s": 2})).params["add_s"] == 2.0
    assert parse(written("load.low", params={"rps": "6/m"})).params["rps"] == 0.1
    assert parse(written("telemetry.gap", at_s=90)).at_s == 90.0


def test_a_whole_fault_for_real_injection() -> None:
    raw = {
        "id": "slow-net",
        "kind": "net.delay",
        "target": {"selector": {"app": "shop", "app.kubernetes.io/part-of": "demo"}, "subset": {"count": 1}},
        "params": {"delay_s": "100ms", "jitter_s": "10ms", "direction": "both"},
        "trigger": {"on": "weight_at_least", "weight": 20},
        "duration_s": "2m",
        "ramp_s": "10s",
        "repeat": {"every_s": "5m", "jitter_s": "30s", "times": 3},
        "blast": {"max_pods": 2, "max_pct": 50, "namespaces": ["shop"]},
    }
    assert parse(raw, "real") == Fault(
        "slow-net",
        "net.delay",
        Target(subset=Subset(count=1), selector=(("app", "shop"), ("app.kubernetes.io/part-of", "demo"))),
        {"delay_s": 0.1, "jitter_s": 0.01, "correlation": 0.0, "direction": "both"},
        trigger=Trigger("weight_at_least", 20.0),
        duration_s=120.0,
        ramp_s=10.0,
        repeat=Repeat(300.0, 30.0, 3),
        blast=Blast(2, 50.0, ("shop",)),
    )


REFUSED: list[tuple[dict[str, Any], str]] = [
    (written("build.error_rate", id="Bad_Id"), "id: 'Bad_Id' is not an id; use 1 to 40 of a-z, 0-9 and -"),
    ({"kind": "build.error_rate", "params": {"p": 0}}, "id: missing; write e.g. id: bad-build"),
    ({"id": "one"}, "kind: missing; write e.g. kind: build.error_rate"),
    (written("build.eror_rate"), "kind: unknown kind 'build.eror_rate'; did you mean build.error_rate"),
    (written("build.error_rate", duraton_s="5m"), "duraton_s: unknown field duraton_s; did you mean duration_s?"),
    (written("build.error_rate", seed_stream="x"), "seed_stream: not to be written; it is fault/<id>; leave it out"),
    (written("build.error_rate", params={}), "params.p: missing; write p: probability that a request fails"),
    (written("build.error_rate", params={"p": 5}), "params.p: 5 is more than 1; write 5% or a number from 0 to 1"),
    (
        written("build.error_rate", params={"p": 0.1, "stats": 500}),
        "params.stats: unknown parameter of build.error_rate: stats; did you mean status?",
    ),
    (
        written("build.error_rate", params={"p": 0.1, "status": 200}),
        "params.status: 200 is less than 400; use 400 to 599",
    ),
    (
        written("build.error_rate", params={"p": 0.1, "shape": "load"}),
        "params.shape: not yet: shape 'load' of build.error_rate; the simulator carries out 'step', 'ramp', 'delayed'",
    ),
    (written("build.error_rate", params={"p": 0.1, "shape": "ramp"}), "ramp_s: missing; shape ramp needs"),
    (
        written("build.error_rate", params={"p": 0.1, "shape": "delayed"}),
        "params.after_s: missing; shape delayed needs",
    ),
    (
        written("build.error_rate", params={"p": 0.1, "after_s": "1m"}),
        "params.shape: step has no delay; write shape: delayed",
    ),
    (
        written("build.latency", params={"add_s": "1x"}),
        "params.add_s: '1x' is not a duration; write e.g. 30s, 5m, 1h30m",
    ),
    (written("build.latency", params={"add_s": -1}), "params.add_s: -1 is negative; write a duration of 0s or more"),
    (written("build.latency", params={"jitter_s": 1}), "params.jitter_s: not yet: jitter_s 1.0 of build.latency"),
    (written("build.memory_leak", params={}), "params: build.memory_leak needs a size; give bytes_per_request and"),
    (
        written("build.memory_leak", params={"bytes_per_request": 9}),
        "params.limit_bytes: missing; give bytes_per_request",
    ),
    (written("pod.kill", params={"count": 1, "pct": "5%"}), "params.pct: one too many; give count or pct, not both"),
    (written("pod.kill", duration_s="5m"), "duration_s: pod.kill happens in an instant; leave it out"),
    (
        written("pod.kill", target={"version": "7"}),
        "target.version: not yet: revision 7; the simulator knows canary, stable",
    ),
    (written("pod.kill", target={}), "target: it is empty; say what the fault hits, by version"),
    (written("pod.kill", target=None), "target: missing; say what the fault hits, by version"),
    (
        written("build.latency", target={"subset": {"count": 1}}),
        "target.subset: not yet: subset of build.latency; the simulator reads version and segment; leave it out",
    ),
    (written("node.loss", target={"version": "all"}), "target.subset: missing; write a share of the pods"),
    (
        written("node.loss", target={"subset": {"count": 1}}),
        "target.subset: not yet: a count of nodes; write the share",
    ),
    (
        written("node.reboot", target={"subset": {"count": 1}}),
        "target.subset: not yet: a count of nodes; write the share",
    ),
    (written("node.reboot", duration_s=None), "duration_s: missing; write e.g. duration_s: 10m"),
    (written("store.outage", target={"system": "trigger"}), "target.system: store.outage cannot hit trigger; "),
    (written("telemetry.gap", at_s=None), "at_s: missing; write when it starts: at_s: 5m"),
    (written("telemetry.gap", duration_s=None), "duration_s: missing; write e.g. duration_s: 10m"),
    (written("telemetry.gap", duration_s=0), "duration_s: a fault of 0s never is active; write e.g. duration_s: 10m"),
    (written("telemetry.gap", ramp_s=5), "ramp_s: not yet: a ramp of telemetry.gap; leave it out"),
    (written("telemetry.gap", repeat={"every_s": "5m"}), "repeat: every_s is less than duration_s (600 s); let it end"),
    (written("telemetry.gap", repeat={"every_s": 0}), "repeat.every_s: 0 is no time; write e.g. 10m"),
    (written("build.latency", repeat={"every_s": 60}), "repeat: a fault without an end cannot come again; give it"),
    (written("driver.crash", duration_s=None), "duration_s: missing; write how long the controller stays down"),
    (written("pool.offline", params={"count": 2}), "params.count: not yet: count 2 of pool.offline; leave it out"),
    (
        written("load.spike", at_s=None, trigger={"on": "phase", "phase": "Paused"}),
        "trigger: not yet: the simulator starts faults at a time; write at_s in its place",
    ),
    (written("telemetry.gap", trigger={"on": "weight"}), "trigger.on: 'weight' is no trigger; "),
]


@pytest.mark.parametrize(("raw", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_refusals_name_the_field_and_the_remedy(raw: dict[str, Any], message: str) -> None:
    found = told(raw)
    assert len([one for one in found if one.startswith(message)]) == 1, found


def test_a_kind_that_is_not_modelled_is_refused_with_those_that_are() -> None:
    target, params = {"version": "canary"}, {"peer": "db"}
    raw = written("net.partition", target=target, params=params, at_s=60, duration_s=60)
    modelled = ", ".join(MODELLED)
    assert told(raw) == [f"kind: not yet: the simulator does not carry out net.partition; modelled kinds: {modelled}"]
    assert told(raw, mode="real") == []


def test_a_simulated_kind_is_refused_for_real_and_an_irreversible_one_unless_allowed() -> None:
    flaky = {
        "id": "f",
        "kind": "pool.flaky",
        "target": {"system": "ci"},
        "params": {"p": 1},
        "at_s": 0,
        "duration_s": 9,
    }
    assert told(flaky, mode="real") == ["kind: pool.flaky cannot be injected for real; simulate it, or leave it out"]
    schema = {"id": "s", "kind": "db.irreversible", "target": {"system": "db"}, "at_s": 0}
    assert told(schema, mode="real") == [
        "kind: db.irreversible cannot be undone; write allow_irreversible: true in the scenario if that is meant"
    ]
    assert told(schema, mode="real", irreversible=True) == []


def test_all_problems_come_at_once_and_ids_are_unique() -> None:
    bad = {"id": "?", "kind": "net.delay", "target": {"versoin": "canary"}, "params": {"delay": 1}, "ramp_s": "soon"}
    faults, flaws = read([written("build.latency"), bad, written("telemetry.gap")])
    assert [fault.kind for fault in faults] == ["build.latency"]
    assert [flaw.path for flaw in flaws] == [
        (1, "id"),
        (1, "target", "versoin"),
        (1, "target", "version"),
        (1, "params", "delay"),
        (1, "params", "delay_s"),
        (1, "ramp_s"),
        (1, "at_s"),
        (1, "duration_s"),
        (2, "id"),
    ]
    with pytest.raises(WorldError, match="id: '\\?' is not an id(.|\n)*did you mean version"):
        parse(bad)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(sorted(KINDS)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "kind", "target", "params", "at_s", "trigger", "duration_s", "ramp_s", "repeat", "blast")


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(FIELDS), ODD), st.sampled_from(["sim", "real"]))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_whatever_is_written_is_read_or_refused_with_a_remedy(kind: str, more: dict[str, Any], mode: Any) -> None:
    raw = {**written(kind), **more}
    flaws = problems(raw, mode)
    assert all(flaw.problem and flaw.remedy for flaw in flaws)
    if not flaws:
        assert parse(raw, mode).kind == raw["kind"]
