"""Scenarios as a whole: what they resolve to, the files they name, digests, and everything wrong at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from sim.engine.paths import follow
from sim.exchange import with_seed, with_service
from sim.faults.effects import LoadEffect, VersionEffect
from sim.files import FileErrors
from sim.pipeline.model import Poll, Wakeups
from sim.policy.canary import Canary
from sim.policy.judges.base import Truth
from sim.policy.rolling import Rolling
from sim.scenario import Budget, Expectation, Measure, Release, Replications, Scenario, assemble, load, load_policy
from sim.service.model import Service

ROOT = Path(__file__).parents[2]
Write = Callable[..., Path]

POLICY = "seatrial: policy\ncanary: {weights: [10, 100], interval: 60s, count: 2, judge: {threshold: {max_error_rate: 1%}}}\n"
SCENARIO = """seatrial: scenario
name: shop
question: Which one?
service: ./service.yaml
policies:
  canary: ./canary.yaml
  inline: {rolling: {max_surge: 1}}
  coded: ./mine.py:Two
releases:
  good: {}
  bad: errors-large
  both: {preset: metrics-outage, release: slow}
  own:
    description: A burst on top of a bad build.
    faults: [{id: bad-build, kind: build.error_rate, params: {p: 3%}}]
faults:
- {id: burst, kind: load.spike, at_s: 1m, duration_s: 5m, params: {factor: 3}}
people: {rule: promote}
replications: {min: 200, max: 5000, half_width: 1%}
seed: 7
horizon: 4h
budgets:
- {measure: escape_rate, fail: "<= 2%", when: {policy: canary, release: [bad, own]}}
- {measure: detection_delay.median, fail: "<= 6m", band: 30s}
expect:
- {policy: canary, release: bad, measure: abort_rate, between: [99%, 1]}
- {measure: harm.mean, between: [0, 500]}
"""
CODE = """
from sim.policy.commands import SetWeight

class Two:
    def steps(self):
        yield SetWeight(50)
"""


def fill(folder: Path, scenario: str = SCENARIO) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "service.yaml").write_text("seatrial: service\nname: shop\ntraffic: {csv: rates.csv}\n")
    (folder / "rates.csv").write_text("time,rate\n0,100\n60,120\n")
    (folder / "canary.yaml").write_text(POLICY)
    (folder / "mine.py").write_text(CODE)
    (folder / "shop.yaml").write_text(scenario)
    return folder / "shop.yaml"


def wrong(path: Path) -> list[str]:
    with pytest.raises(FileErrors) as caught:
        load(path)
    return [line.replace(f"{path.parent}/", "") for line in str(caught.value).splitlines()]


def test_what_a_scenario_says(tmp_path: Path) -> None:
    made = load(fill(tmp_path))
    assert (made.name, made.question, made.seed, made.default_service) == ("shop", "Which one?", 7, False)
    assert (made.service.name, made.service.horizon, made.service.people.rule) == ("shop", 14400.0, "promote")
    assert [(policy.name, policy.kind) for policy in made.policies] == [
        ("canary", "canary"),
        ("inline", "rolling"),
        ("coded", "python"),
    ]
    assert made.policy("inline").policy == Rolling(max_surge=1)
    assert made.replications == Replications(200, 5000, half_width=0.01)
    assert made.budgets == (
        Budget("escape_rate", 0.02, "<=", 0.0, ("canary",), ("bad", "own")), Budget("detection_delay.median", 360.0, "<=", 30.0),
    )  # fmt: skip
    assert made.expectations == (
        Expectation("abort_rate", 0.99, 1.0, "canary", "bad"),
        Expectation("harm.mean", 0.0, 500.0),
    )
    assert (made.pipeline, made.changes, made.file) == (None, None, tmp_path / "shop.yaml")


def test_releases(tmp_path: Path) -> None:
    made = load(fill(tmp_path))
    burst = LoadEffect(60.0, 360.0, factor=3.0)
    assert [(one.name, one.truth.bad) for one in made.releases] == [
        ("good", False),
        ("bad", True),
        ("both", True),
        ("own", True),
    ]
    assert made.release("good").effects == (burst,)
    bad = made.release("bad").effects[0]
    assert isinstance(bad, VersionEffect) and bad.error_add == 0.2
    assert [fault.id for fault in made.release("both").faults] == ["metrics-outage", "slow-build", "burst"]
    assert made.release("own").description == "A burst on top of a bad build."
    assert made.release("good").description == "load.spike (factor 3) at 60 s for 300 s"


def test_truth_may_be_said(tmp_path: Path) -> None:
    text = (
        "seatrial: scenario\npolicy: canary.yaml\nreleases: {a: {preset: errors-small, bad: false}, b: {bad: true}}\n"
    )
    assert [one.truth for one in load(fill(tmp_path, text)).releases] == [Truth(False), Truth(True)]


def test_cases_are_every_policy_under_every_release(tmp_path: Path) -> None:
    made = load(fill(tmp_path))
    cases = made.cases()
    assert [(policy, release) for policy, release, _ in cases][:5] == [
        ("canary", "good"), ("canary", "bad"), ("canary", "both"), ("canary", "own"), ("inline", "good"),
    ]  # fmt: skip
    case = cases[1][2]
    assert (case.policy, case.truth, case.metrics) == (made.policy("canary").policy, Truth(True), None)
    assert follow(case, made.seed, 0, 3)["outcome"].tolist() == [1, 1, 1]


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    made = load(fill(tmp_path, "seatrial: scenario\npolicy: canary.yaml\n"))
    assert (made.name, made.service, made.default_service) == ("shop", Service(), True)
    assert [one.name for one in made.releases] == [
        "good",
        "errors-small",
        "errors-medium",
        "errors-large",
        "slow",
        "leak",
        "metrics-outage",
    ]
    assert (made.replications, made.seed) == (Replications(1000, 1000), 1)
    assert [one.name for one in made.policies] == ["canary"]


def test_assemble_a_scenario_for_policies_alone(tmp_path: Path) -> None:
    path = fill(tmp_path)
    made = assemble([tmp_path / "canary.yaml", tmp_path / "canary.yaml", load_policy(f"{tmp_path}/mine.py:Two")])
    assert [one.name for one in made.policies] == ["canary", "canary-2", "Two"]
    assert (made.service, made.default_service, len(made.releases)) == (Service(), True, 7)
    own = assemble([tmp_path / "canary.yaml"], service=tmp_path / "service.yaml", releases=["good"], seed=3)
    assert (own.service.name, own.seed, own.releases) == (
        "shop",
        3,
        (Release("good", description="nothing goes wrong"),),
    )
    with pytest.raises(FileErrors, match="this is a scenario, not a policy"):
        assemble([path])


def test_jitter_is_drawn_once_from_the_seed(tmp_path: Path) -> None:
    fault = "{id: spikes, kind: load.spike, at_s: 1m, duration_s: 1m, repeat: {every_s: 10m, jitter_s: 5m}, params: {factor: 3}}"
    text = f"seatrial: scenario\npolicy: canary.yaml\nreleases: {{a: {{}}, b: {{}}}}\nfaults: [{fault}]\nhorizon: 1h\nseed: "
    one, again, other = (load(fill(tmp_path, f"{text}{seed}\n")) for seed in (1, 1, 2))
    starts = [effect.start for effect in one.releases[0].effects if isinstance(effect, LoadEffect)]
    assert one.releases[0].effects == one.releases[1].effects == again.releases[0].effects
    assert one.releases[0].effects != other.releases[0].effects
    assert starts[0] == 60.0 and len(starts) >= 4 and all(600.0 <= b - a <= 900.0 for a, b in pairwise(starts))
    assert with_seed(one, 2).releases == other.releases and with_seed(other, 1).releases == one.releases


def test_another_service_meets_the_same_faults_in_its_own_way(tmp_path: Path) -> None:
    """A leak in bytes per request grows with the requests of a pod."""
    fault = "{id: leak, kind: build.memory_leak, params: {bytes_per_request: 100, limit_bytes: 1000000}}"
    text = f"seatrial: scenario\npolicy: canary.yaml\nreleases: {{leak: {{faults: [{fault}]}}}}\nservice: {{traffic: %s}}\n"
    slow, fast = (load(fill(tmp_path, text % rate)) for rate in ("10/s", "1000/s"))
    service = tmp_path / "fast.yaml"
    service.write_text("seatrial: service\ntraffic: 1000/s\n", encoding="utf-8")
    assert slow.releases != fast.releases
    assert with_service(slow, service).releases == fast.releases


# ---- metrics in a provider's language ----

ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop}]}
  strategy:
    canary:
      steps:
      - setWeight: 20
      - analysis: {templates: [{templateName: rates}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rates}
spec:
  metrics:
  - name: success
    interval: 60s
    count: 3
    successCondition: result[0] >= 0.95
    provider: {prometheus: {address: "http://prometheus", query: up}}
"""


def argo(folder: Path, metrics: str) -> Path:
    (folder / "rollout.yaml").write_text(ROLLOUT)
    (folder / "shop.yaml").write_text(
        f"seatrial: scenario\npolicies: {{argo: rollout.yaml}}\nreleases: {{good: {{}}, bad: errors-large}}\n{metrics}"
    )
    return folder / "shop.yaml"


def test_a_metric_of_a_manifest_gets_its_meaning_from_the_scenario(tmp_path: Path) -> None:
    made = load(argo(tmp_path, "metrics: {rates/success: {measure: success-rate, window: 2m}}\n"))
    assert isinstance(made.policy("argo").policy, Canary)
    assert made.policy("argo").replicas == 4 and made.policy("argo").report
    assert made.metrics.entries == (("rates/success", Measure("success-rate", window=120.0)),)
    outcomes = [follow(case, 1, 0, 3)["outcome"].tolist() for _, _, case in made.cases()]
    assert outcomes == [[0, 0, 0], [1, 1, 1]]


def asking(folder: Path, provider: str) -> Path:
    path = argo(folder, "")
    (folder / "rollout.yaml").write_text(
        ROLLOUT.replace('{prometheus: {address: "http://prometheus", query: up}}', provider)
    )
    return path


PROMQL = "rollout.yaml:26:36 spec.metrics.0.provider.prometheus.query: the query of metric success, column"
MEANING = "or say in the scenario what it measures: metrics: {success: success-rate}"


@pytest.mark.parametrize(
    ("provider", "problem"),
    [
        (
            "{datadog: {query: 'avg:requests{*}'}}",
            "rollout.yaml:22:11 spec.metrics.0.name: metric success asks datadog, whose answers are not simulated; say in the "
            "scenario what it measures: metrics: {success: success-rate}",
        ),
        (
            "{prometheus: {query: 'sum(rate(http_request_total[1m]))'}}",
            f"{PROMQL} 10: the service shows no metric http_request_total; did you mean http_requests_total? Or add it to the "
            f"service: telemetry: {{counters: {{http_request_total: {{}}}}}}; {MEANING}",
        ),
        (
            "{prometheus: {query: 'sum(rate(http_requests_total{sevice=\"shop\"}[1m]))'}}",
            f"{PROMQL} 10: http_requests_total has no label sevice; did you mean service? Or add it to the service: telemetry: "
            f"{{labels: {{sevice: ...}}}}; {MEANING}",
        ),
        (
            "{prometheus: {query: 'sum(rate(http_requests_total{code=\"404\"}[1m]))'}}",
            f'{PROMQL} 10: no http_requests_total has code="404"; label code has the values 200, 500; {MEANING}',
        ),
        (
            "{prometheus: {query: 'sum(rate(http_requests_total{code=\"200\",status=\"500\"}[1m]))'}}",
            f"{PROMQL} 10: no series of http_requests_total has all of these labels; there are "
            f'{{code="200", status="200"}}; {{code="500", status="500"}}; {MEANING}',
        ),
        ("{prometheus: {query: 'sum(rate(http_requests_total[1m])'}}", f"{PROMQL} 4: no PromQL: "),
        ("{prometheus: {query: 'http_requests_total @ 100'}}", f"{PROMQL} 1: @ names a date, and virtual time has none; use offset"),
    ],
)  # fmt: skip
def test_a_question_that_nobody_can_answer_is_told_where_it_is_written(
    tmp_path: Path, provider: str, problem: str
) -> None:
    (found,) = wrong(asking(tmp_path, provider))
    assert found.startswith(problem)
    with pytest.raises(FileErrors, match="metric success"):
        assemble([tmp_path / "rollout.yaml"])
    assert load_policy(tmp_path / "rollout.yaml").name == "shop"


def test_a_query_of_a_metric_template_is_told_in_the_template(tmp_path: Path) -> None:
    canary = """apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis:
    interval: 1m
    threshold: 1
    stepWeight: 10
    metrics: [{name: ratio, interval: 1m, templateRef: {name: errors}, thresholdRange: {max: 1}}]
---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {name: errors}
spec: {provider: {type: prometheus}, query: "sum(rate(istio_request_total[{{ interval }}]))"}
"""
    (tmp_path / "canary.yaml").write_text(canary)
    with pytest.raises(FileErrors) as caught:
        assemble([tmp_path / "canary.yaml"])
    found = str(caught.value)
    assert "canary.yaml:16:45 spec.query: the query of metric ratio, column 10: the service shows no metric" in found
    assert "did you mean istio_requests_total?" in found


def test_a_query_needs_no_meaning(tmp_path: Path) -> None:
    query = 'sum(rate(http_requests_total{code="200"}[1m])) / sum(rate(http_requests_total[1m]))'
    made = load(asking(tmp_path, f"{{prometheus: {{query: '{query}'}}}}"))
    outcomes = [follow(case, 1, 0, 3)["outcome"].tolist() for _, _, case in made.cases()]
    assert outcomes == [[0, 0, 0], [0, 0, 0]]  # of both versions together: a fifth of the traffic hides the errors


@pytest.mark.parametrize(
    ("meaning", "good", "bad"),
    [
        ("success-rate", 0, 1),
        ("{measure: success-rate, window: 2m}", 0, 1),
        ("{answer: 0.99}", 0, 0),
        ("{answer: 0.5}", 1, 1),
        ("{answer: null}", 0, 0),  # default(result, 1), as at the first look, when nothing is measured yet
    ],
)
def test_what_a_metric_of_another_provider_answers(tmp_path: Path, meaning: str, good: int, bad: int) -> None:
    path = asking(tmp_path, "{datadog: {query: 'avg:requests{*}'}}")
    manifest = (tmp_path / "rollout.yaml").read_text()
    (tmp_path / "rollout.yaml").write_text(manifest.replace("result[0] >=", "default(result, 1) >="))
    path.write_text(path.read_text() + f"metrics: {{success: {meaning}}}\n")
    outcomes = [follow(case, 1, 0, 3)["outcome"].tolist() for _, _, case in load(path).cases()]
    assert outcomes == [[good] * 3, [bad] * 3]


JOB = "{job: {spec: {template: {spec: {containers: []}}}}}"


@pytest.mark.parametrize(
    ("meaning", "good", "bad"),
    [
        ("{answer: Successful}", 0, 0),
        ("{answer: Failed}", 1, 1),
        ("{measure: error-rate, most: 5%}", 0, 1),
        ("{measure: success-rate, least: 95%}", 0, 1),
        ("{measure: requests, least: 1000000}", 1, 1),
    ],
)
def test_a_job_gets_its_verdict_from_the_scenario(tmp_path: Path, meaning: str, good: int, bad: int) -> None:
    path = asking(tmp_path, JOB)
    path.write_text(path.read_text() + f"metrics: {{success: {meaning}}}\n")
    outcomes = [follow(case, 1, 0, 3)["outcome"].tolist() for _, _, case in load(path).cases()]
    assert outcomes == [[good] * 3, [bad] * 3]


def test_a_metric_that_never_answers_is_a_fault(tmp_path: Path) -> None:
    path = asking(tmp_path, JOB)
    path.write_text(path.read_text() + "metrics: {success: {answer: hang}}\n")
    assert "a metric that never answers is a fault" in wrong(path)[0]


def test_a_manifest_with_several_policies_needs_a_name(tmp_path: Path) -> None:
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s}\nspec: {replicas: 2, selector: {}, template: {}}\n"
    )
    (tmp_path / "all.yaml").write_text("---\n".join(deployment % name for name in ("one", "two")))
    with pytest.raises(FileErrors, match=r"holds 2 policies; name one: all.yaml#one \(there are one, two\)"):
        load_policy(tmp_path / "all.yaml")
    assert load_policy(f"{tmp_path}/all.yaml#two").name == "two"
    with pytest.raises(FileErrors, match="has no policy 'tow'; did you mean two?"):
        load_policy(f"{tmp_path}/all.yaml#tow")


def test_segments_must_exist(tmp_path: Path) -> None:
    (tmp_path / "ab.yaml").write_text(
        "seatrial: policy\nab: {segments: [betta], interval: 1m, count: 1, judge: threshold}\n"
    )
    text = "seatrial: scenario\nservice: {segments: {beta: 5%}}\npolicies: {ab: ab.yaml}\n"
    assert wrong(fill(tmp_path, text)) == [
        "shop.yaml:3:16 policies.ab: service service has no segment 'betta'; did you mean beta?"
    ]
    with pytest.raises(FileErrors, match="add to the service: segments: {betta: 5%}"):
        assemble([tmp_path / "ab.yaml"])


# ---- pipeline and commits ----


def test_pipeline_and_synthetic_commits(tmp_path: Path) -> None:
    text = """seatrial: scenario
policy: canary.yaml
pipeline:
  integration: {workers: 2, build: {lognormal: {median: 3m, mean: 12m}}, p_flaky: 5%}
  delivery: {wakeups: {webhook: null, poll: {period: 3m}}, supersede: replace}
  propagation: {hops: [{delay: 2s}, {period: 10s}], receivers: 20}
commits: {per_hour: 4, hours: [8, 20], risk: {p_bad: 10%, severity: {lognormal: {median: 1%, p99: 50%}}}}
"""
    pipeline = load(fill(tmp_path, text)).pipeline
    assert pipeline is not None
    assert (pipeline.integration.workers, pipeline.integration.p_flaky, pipeline.integration.retries) == (2, 0.05, 1)
    assert pipeline.delivery.wakeups == Wakeups(webhook=None, poll=Poll(period=180.0))
    assert [hop.period for hop in pipeline.propagation.hops] == [None, 10.0]
    assert (pipeline.commits.per_hour, pipeline.commits.hours, pipeline.commits.risk.p_bad) == (4.0, (8.0, 20.0), 0.1)


def test_commits_from_a_repository(tmp_path: Path) -> None:
    def history(folder: Path) -> Scenario:
        path = fill(
            folder,
            "seatrial: scenario\npolicy: canary.yaml\ncommits: {from_git: ./repo, limit: 5, risk: {p_bad: 20%}}\n",
        )
        (folder / "repo").mkdir()
        for index in range(3):
            (folder / "repo" / "file").write_text("x\n" * (index + 1))
            for words in (
                (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]) if index == 0 else (["commit", "-qam", "b"],)
            ):
                when = f"2024-05-0{index + 1}T10:00:00Z"
                own = {
                    "GIT_AUTHOR_DATE": when,
                    "GIT_COMMITTER_DATE": when,
                    "HOME": str(folder),
                    "PATH": "/usr/bin:/bin",
                }
                who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
                subprocess.run(["git", *who, *words], cwd=folder / "repo", check=True, env=own)
        return load(path)

    made, moved = history(tmp_path / "a"), history(tmp_path / "elsewhere" / "b")
    assert made.changes is not None and made.pipeline is not None
    assert [change.at for change in made.changes] == [0.0, 86400.0, 172800.0]
    assert made.pipeline.commits.risk.p_bad == 0.2
    assert made.digest == moved.digest


# ---- digests ----


def test_a_digest_is_about_content_never_about_places(tmp_path: Path) -> None:
    here = load(fill(tmp_path / "here"))
    shutil.copytree(tmp_path / "here", tmp_path / "far" / "away")
    assert load(tmp_path / "far" / "away" / "shop.yaml").digest == here.digest
    assert len(here.digest) == 64 and set(here.digest) <= set("0123456789abcdef")


def test_comments_spelling_and_inlining_do_not_count(tmp_path: Path) -> None:
    digest = load(fill(tmp_path)).digest
    spelled = SCENARIO.replace("half_width: 1%", "half_width: 0.01").replace(
        "horizon: 4h", "horizon: 240m  # four hours"
    )
    assert load(fill(tmp_path, spelled)).digest == digest
    inline = SCENARIO.replace("./canary.yaml", POLICY.splitlines()[1].join("{}"))
    assert load(fill(tmp_path, inline)).digest == digest


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("shop.yaml", "seed: 7", "seed: 8"), ("shop.yaml", "p: 3%", "p: 4%"), ("shop.yaml", "<= 2%", "<= 3%"),
        ("shop.yaml", "between: [0, 500]", "between: [0, 501]"), ("canary.yaml", "10, 100", "11, 100"),
        ("canary.yaml", "1%", "1.1%"), ("rates.csv", "120", "121"), ("mine.py", "50", "51"), ("service.yaml", "shop", "shops"),
    ],
)  # fmt: skip
def test_one_number_changes_the_digest(tmp_path: Path, name: str, old: str, new: str) -> None:
    path = fill(tmp_path)
    digest = load(path).digest
    changed = (tmp_path / name).read_text().replace(old, new, 1)
    (tmp_path / name).write_text(changed)
    assert load(path).digest != digest


def test_a_digest_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    path = fill(tmp_path)
    code = f"from sim.scenario import load; print(load({str(path)!r}).digest)"
    other = {"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", code], env=other, capture_output=True, text=True, check=True).stdout
    assert found == load(path).digest + "\n"


# ---- the example content ----


def test_the_demo() -> None:
    made = load(ROOT / "scenarios" / "demo.yaml")
    assert [policy.name for policy in made.policies] == [
        "all-at-once",
        "rolling",
        "canary-thresholds",
        "canary-sequential",
        "blue-green",
    ]
    assert len(made.cases()) == 35
    assert replace(made.service, name="default") == Service()


EXAMPLES = ("ab", "all-at-once", "blue-green", "canary-sequential", "canary-thresholds", "flag", "rolling", "shadow")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_policy(name: str) -> None:
    path = ROOT / "scenarios" / "policies" / f"{name}.yaml"
    service = Service(segments=(("beta", 0.05),))
    assert assemble([path], service=service, releases=["good"]).policies[0].name == name


def test_the_default_service_is_the_default_service() -> None:
    assert load_policy(f"{ROOT}/scenarios/policies/runbook.py:Cautious").kind == "python"
    assert assemble([], service=ROOT / "scenarios" / "services" / "default.yaml").service == Service()


def deliver(folder: Path, *lines: str) -> Path:
    path = folder / "delivery.yaml"
    path.write_text("\n".join(("seatrial: scenario", "policies: {r: {rolling: {}}}", "pipeline: {}", *lines)) + "\n")
    return path


def test_a_delivery_has_one_stream_of_commits(tmp_path: Path) -> None:
    assert [release.name for release in load(deliver(tmp_path)).releases] == ["as-it-comes"]
    (problem,) = wrong(deliver(tmp_path, "releases: {a: {}, b: {}}"))
    assert "4:1 releases: a delivery has one stream of commits, got a, b; name one" in problem


def test_a_late_fault_of_a_delivery_is_not_lost(tmp_path: Path) -> None:
    late = "faults: [{id: out, kind: store.outage, target: {system: store}, at_s: 3d, duration_s: 1h}]"
    (release,) = load(deliver(tmp_path, late)).releases
    assert [(effect.start, effect.end) for effect in release.effects] == [(259_200.0, 262_800.0)]  # type: ignore[union-attr]


def test_a_delivery_is_measured_by_its_own_measures(tmp_path: Path) -> None:
    (problem,) = wrong(deliver(tmp_path, "expect: [{policy: r, measure: harm.mean, between: [0, 1]}]"))
    assert "harm" in problem
    assert load(deliver(tmp_path, "expect: [{policy: r, measure: deployment_frequency, between: [0, 9]}]")).expectations


def test_a_duplicate_key_hides_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("seatrial: scenario\nseed: 1\nseed: 2\nservice: {traffic: 20}\nreleases: {good: gut}\n")
    with pytest.raises(FileErrors) as caught:
        load(file)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (3, "seed"),
        (4, "service.traffic"),
        (5, "releases.good"),
    ]
