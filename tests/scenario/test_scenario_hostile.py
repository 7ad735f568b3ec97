"""Bad scenarios: all problems of all files at once, in their places, and never anything but FileErrors."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.files import FileErrors, read_document
from sim.scenario import load

SEVERAL = """seatrial: scenario
nmae: x
service: ./srvice.yaml
policies:
  a: ./broken.yaml
  b: ./nothing-like-it.txt
  c: ./shop.yaml
  d: {cannary: {}}
  e: null
releases:
  x: eror-small
  y: {preset: leak, release: slow}
  z: {faults: [{id: Bad, kind: build.eror_rate}, {id: u, kind: build.error_rate, params: {p: 200%}}, 3]}
faults: [{id: n, kind: node.loss, at_s: 1m, duration_s: 5m, targt: {}}]
replications: {min: 5, max: 3}
seed: -1
horizon: 0s
budgets: [{measure: abort_rate, fail: "< 3"}]
expect: [{measure: Harm, between: [3, 1]}, {measure: harm.mean, between: [3, 1]}]
metrics: {x: {measure: latency, unit: percent}}
pipeline: {integration: {workers: 0}, alerting: {foo: 3}}
commits: {from_git: ./nowhere}
"""


def wrong(folder: Path, text: str) -> list[str]:
    path = folder / "shop.yaml"
    path.write_text(text)
    with pytest.raises(FileErrors) as caught:
        load(path)
    return [line.replace(f"{folder}/", "") for line in str(caught.value).splitlines()]


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "service.yaml").write_text("seatrial: service\n")
    (tmp_path / "broken.yaml").write_text("seatrial: policy\nrolling: {max_surge: NO, min_redy: 3s}\n")
    assert wrong(tmp_path, SEVERAL) == [
        "broken.yaml:2:22 rolling.max_surge: 'NO' is not a number of pods; write e.g. 2 or 25%",
        "broken.yaml:2:26 rolling.min_redy: unknown key 'min_redy'; did you mean min_ready?",
        "shop.yaml:2:1 nmae: unknown key 'nmae'; did you mean name?",
        "shop.yaml:3:10 service: there is no file ./srvice.yaml; did you mean service.yaml?",
        "shop.yaml:6:6 policies.b: there is no file ./nothing-like-it.txt; paths are relative to the file that names them",
        "shop.yaml:7:6 policies.c: files name each other in a circle: shop.yaml -> shop.yaml; remove one of the references",
        "shop.yaml:8:7 policies.d.cannary: unknown key 'cannary'; did you mean canary?",
        "shop.yaml:9:6 policies.e: null is not text; write a value, or remove the line",
        "shop.yaml:11:6 releases.x: unknown release 'eror-small'; did you mean errors-small?",
        "shop.yaml:12:3 releases.y: release: belongs to preset: metrics-outage, not to leak; remove it",
        "shop.yaml:13:21 releases.z.faults.0.id: 'Bad' is not an id; use 1 to 40 of a-z, 0-9 and -",
        "shop.yaml:13:26 releases.z.faults.0.kind: unknown kind 'build.eror_rate'; "
        "did you mean build.error_rate or build.memory_leak or build.wrong_result?",
        "shop.yaml:13:94 releases.z.faults.1.params.p: 200% is more than 100%; use 0% to 100%",
        "shop.yaml:13:102 releases.z.faults.2: 3 is not a fault; write id, kind, target, params, at_s and duration_s",
        "shop.yaml:14:10 faults.0.target: missing; say what the fault hits, by version and subset",
        "shop.yaml:14:61 faults.0.targt: unknown field targt; did you mean target?",
        "shop.yaml:15:1 replications: min must not exceed max, got 5 and 3; swap them",
        "shop.yaml:16:7 seed: -1 is less than 0; use 0 to 1000000000000",
        "shop.yaml:18:39 budgets.0.fail: '< 3' is not a requirement; write e.g. \"<= 2%\" or \">= 99%\"",
        "shop.yaml:19:20 expect.0.measure: unknown measure 'Harm'; did you mean harm?",
        "shop.yaml:19:44 expect.1: between must rise, got 3 and 1; swap them",
        "shop.yaml:20:11 metrics.x: latency is not measured in percent; use seconds or ms",
        "shop.yaml:21:35 pipeline.integration.workers: 0 is not more than 0; use more than 0",
        "shop.yaml:21:50 pipeline.alerting.foo: unknown key 'foo'; "
        "use one of: sample, evaluate, pending, group_wait, lookback, visible, reports",
        "shop.yaml:22:1 commits: there is no file ./nowhere; paths are relative to the file that names them",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("policies: {}", "shop.yaml:2:1 policies: a mapping is empty; write 1 entry or more"),
        ("name: x", "shop.yaml:1:1: a scenario has either policy or policies; add policies: {name: PATH}"),
        ("policy: {recreate: {}}\nhorizon: 0s", "shop.yaml:1:1: a horizon of 0 s shows nothing; write e.g. horizon: 24h"),
        ("policy: {recreate: {}}\nseed: 1e3", "shop.yaml:3:7 seed: '1e3' is ambiguous; write 1000 or 1000.0"),
        ("policy: {recreate: {}}\nseed: .nan", "shop.yaml:3:7 seed: .nan is not a whole number; write e.g. 3"),
        ("policy: {recreate: {}}\nreplications: 0", "shop.yaml:3:15 replications: 0 is not more than 0; use more than 0"),
        ("policy: {recreate: {}}\nreplications: 1.5", "shop.yaml:3:15 replications: 1.5 is not a whole number; write e.g. 3"),
        ("policy: {recreate: {}}\nseed: 1\nseed: 2", "shop.yaml:4:1 seed: key 'seed' appears twice, first at 3:1; remove one of the two"),
        (
            "policy: {recreate: {}}\nbudgets: [{measure: abort_rate, fail: '<= 1%', when: {release: god}}]\nreleases: {good: {}}",
            "shop.yaml:3:64 budgets.0.when.release: there is no release 'god'; did you mean good?",
        ),
        (
            "policy: {recreate: {}}\nexpect: [{measure: abort_rate.p95, between: [0, 1]}]",
            "shop.yaml:3:20 expect.0.measure: 'abort_rate.p95' asks for 'p95' of a rate; write abort_rate alone",
        ),
        (
            "policies: {a: {recreate: {}}}\nexpect: [{measure: abort_rate, between: [0, 1], policy: b}]",
            "shop.yaml:3:57 expect.0.policy: there is no policy 'b'; use one of: a",
        ),
        (
            "policy: {recreate: {}}\nreleases: {a: {preset: leak, faults: [{id: leaking-build, kind: build.error_rate, params: {p: 1%}}]}}",
            "shop.yaml:3:12 releases.a: two faults with the id leaking-build; give each fault its own id",
        ),
        (
            "policy: {recreate: {}}\nreleases: {a: {}}\n"
            "faults: [{id: s, kind: load.spike, at_s: 0s, duration_s: 10ms, repeat: {every_s: 10ms}, params: {factor: 2}}]",
            "shop.yaml:3:12 releases.a: fault s occurs more than 100000 times before 86400 s; raise repeat.every_s",
        ),
        ("policy: ./sub", "shop.yaml:2:9 policy: there is no file ./sub; paths are relative to the file that names them"),
        ('policy: "a\\0b"', "shop.yaml:2:9 policy: this is no path; write e.g. ./policies/canary.yaml"),
        ("policy: /dev/null", "/dev/null:1:1: is not a regular file; name a file"),
        ("expect: 3\npolicy: {recreate: {}}", "shop.yaml:2:9 expect: 3 is not a list; write it as '- item' lines, or [a, b]"),
        ("policy: {recreate: {}}\nfaults: {}", "shop.yaml:3:1 faults: a mapping is not a list; write it as '- item' lines, or [a, b]"),
        ("policy: {recreate: {}}\nreleases: [good]", "shop.yaml:3:1 releases: a list is not a mapping; write it as 'key: value' lines"),
    ],
)  # fmt: skip
def test_what_can_be_wrong(tmp_path: Path, text: str, problem: str) -> None:
    assert wrong(tmp_path, f"seatrial: scenario\n{text}\n") == [problem]


def test_a_missing_scenario(tmp_path: Path) -> None:
    with pytest.raises(FileErrors, match=r"shop.yaml:1:1: does not exist|no such file|cannot be read|is missing"):
        load(tmp_path / "shop.yaml")


def test_another_kind_of_file(tmp_path: Path) -> None:
    (told,) = wrong(tmp_path, "seatrial: service\n")
    assert told == "shop.yaml:1:11 seatrial: this is a service, not a scenario; begin with 'seatrial: scenario'"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seatrial: policy\nrecreate: {}\n", "shop.yaml:1:11 seatrial: this is a policy, not a scenario"),
        (
            "apiVersion: v1\nkind: Service\n---\napiVersion: v1\nkind: Service\n",
            "shop.yaml:1:1: this is a kubernetes:v1/Service",
        ),
    ],
)
def test_a_policy_or_manifest_is_told_where_to_go(tmp_path: Path, text: str, told: str) -> None:
    (found,) = wrong(tmp_path, text)
    assert found.startswith(told) and "try it on the default service: seatrial compare" in found


@pytest.mark.parametrize("value", ["[" * 50_000, "&a [*a]", "!!python/object:os.system x", "{" * 300])
def test_bombs(tmp_path: Path, value: str) -> None:
    assert len(wrong(tmp_path, f"seatrial: scenario\npolicies: {value}\n")) >= 1


_SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from(["on", "1:30", "5m", "5%", "100/s", "../x", "a:b", ""]),
)
_VALUE = st.recursive(
    _SCALAR,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "preset", "canary", "p"]), inner, max_size=3)
    ),
    max_leaves=5,
)
_KEYS = [
    "service",
    "policies",
    "policy",
    "releases",
    "faults",
    "people",
    "metrics",
    "replications",
    "budgets",
    "expect",
    "pipeline",
    "commits",
    "x",
]


@given(st.dictionaries(st.sampled_from(_KEYS), _VALUE, min_size=1, max_size=5))
@settings(derandomize=True, deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_written_is_told_in_file_errors(written: dict[str, object]) -> None:
    import yaml

    text = yaml.safe_dump({"seatrial": "scenario", **written}, sort_keys=False)
    try:
        load(read_document(text, "fuzz.yaml"))
    except FileErrors as errors:
        assert errors.problems
