"""Every form of a policy file, what it stands for, and that short forms are what their programs say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.files import FileErrors, read_document
from sim.policy.analysis import Analysis, Conditions, Judged, Limits, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Counts, Match, Mirror, SetWeight
from sim.policy.expr import parse_condition
from sim.policy.judges import JUDGES, BurnRate, EProcessCounts, Kayenta, Threshold
from sim.policy.judges.kayenta_metric import Metric as Series
from sim.policy.rolling import Rolling
from sim.policy.rollout import Rollout
from sim.policy.runbook import Runbook
from sim.policy.steps import Analyse, Experiment, Gate, Pause, ScaleCanary
from sim.scenario import NamedPolicy, describe, load_policy
from sim.scenario.measures import Asked, Measure

FILE = "policy.yaml"
MINUTE: dict[str, Any] = {"interval": 60.0, "count": 5, "initial_delay": 60.0}


def read(text: str) -> NamedPolicy:
    return load_policy(read_document(f"seatrial: policy\n{text}", FILE))


def policy(text: str) -> Any:
    return read(text).policy


def wrong(text: str) -> list[str]:
    with pytest.raises(FileErrors) as caught:
        read(text)
    return str(caught.value).splitlines()


def look(judge: Any, name: str = "threshold", **more: Any) -> Analysis:
    return Analysis((Metric(name, Counts(60.0), Judged(judge), **{**MINUTE, **more}),))


THRESHOLD = look(Threshold(max_error_rate=0.01))


def test_a_batch_judge_looks_at_every_weight() -> None:
    text = "canary: {weights: [5, 50, 100], interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}"
    steps = tuple(step for weight in (5, 50, 100) for step in (SetWeight(weight), Analyse(THRESHOLD)))
    assert policy(text) == Canary(steps=steps)


def test_the_short_form_is_the_program_it_stands_for() -> None:
    program = """
canary:
  analysis: {interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}
  steps: [{setWeight: 5}, {analyse: {}}, {setWeight: 100}, {analyse: {}}]
"""
    short = "canary: {weights: [5, 100], interval: 60s, duration: 5m, judge: {threshold: {max_error_rate: 0.01}}}"
    assert policy(program) == policy(short)


def test_a_sequential_judge_watches_from_beside() -> None:
    beside = look(EProcessCounts(), "eprocess.counts", count=None)
    made = policy("canary: {weights: [5, 50, 100], interval: 60s, count: 5, judge: eprocess.counts}")
    held = (SetWeight(5), Pause(300.0), SetWeight(50), Pause(300.0), SetWeight(100))
    assert made == Canary(steps=held, background=beside, starting_step=1)


def test_the_background_is_the_program_it_stands_for() -> None:
    program = """
canary:
  steps: [{setWeight: 5}, {pause: 5m}, {setWeight: 100}]
  background: {interval: 60s, judge: eprocess.counts}
  starting_step: 1
"""
    assert policy(program) == policy("canary: {weights: [5, 100], interval: 60s, count: 5, judge: eprocess.counts}")


def test_the_guard_may_be_chosen() -> None:
    step = policy("canary: {weights: [100], interval: 60s, count: 5, guard: step, judge: eprocess.counts}")
    assert step == Canary(steps=(SetWeight(100), Analyse(look(EProcessCounts(), "eprocess.counts"))))
    beside = policy("canary: {weights: [5, 100], interval: 60s, count: 5, guard: background, judge: threshold}")
    assert beside.background == look(Threshold(), count=None)


def test_what_the_file_says_about_missing_data_wins() -> None:
    text = "canary: {weights: [5, 100], interval: 60s, count: 5, judge: {eprocess.counts: {on_nodata: fail}}}"
    assert policy(text).background.metrics[0].verdict.judge.on_nodata == "fail"
    text = "canary: {weights: [5, 100], interval: 60s, count: 5, on_nodata: pass, on_nan: fail, judge: eprocess.counts}"
    verdict = policy(text).background.metrics[0].verdict
    assert (verdict.judge.on_nodata, verdict.on_nan, verdict.on_error) == ("pass", "fail", "inconclusive")


def test_options_of_a_canary() -> None:
    text = """
canary:
  weights: [5, 100]
  interval: 1m
  count: 5
  judge: {threshold: {max_error_rate: 1%}}
  router: false
  max_surge: 50%
  max_unavailable: 0
  abort_scale_down_delay: null
  on_inconclusive: abort
"""
    made = policy(text)
    assert (made.router, made.max_surge, made.max_unavailable) == (False, "50%", 0)
    assert (made.abort_scale_down_delay, made.on_inconclusive) == (None, "abort")


def test_every_step() -> None:
    text = """
canary:
  steps:
  - setWeight: 5
  - setCanaryScale: {replicas: 3}
  - setCanaryScale: {weight: 50}
  - setCanaryScale: {matchTrafficWeight: true}
  - pause: 90s
  - pause: {duration: 5m}
  - pause: {}
  - match: [beta, staff]
  - mirror: 7%
  - gate: smoke-test
  - experiment: {duration: 5m, baseline: 2, canary: 2}
  - experiment: {analysis: {interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}}
  - analyse: {interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}
"""
    assert policy(text).steps == (
        SetWeight(5), ScaleCanary(replicas=3), ScaleCanary(weight=50), ScaleCanary(match_weight=True), Pause(90.0),
        Pause(300.0), Pause(None), Match(("beta", "staff")), Mirror(7), Gate("smoke-test"),
        Experiment(300.0, None, 2, 2), Experiment(None, THRESHOLD, required=True), Analyse(THRESHOLD),
    )  # fmt: skip


def test_an_analyse_step_takes_what_it_does_not_say_from_the_policy() -> None:
    text = """
canary:
  analysis: {interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}
  steps: [{analyse: {count: 2, name: short}}]
"""
    assert policy(text).steps == (Analyse(Analysis((
        Metric("short", Counts(60.0), Judged(Threshold(max_error_rate=0.01)), 60.0, 2, 60.0),))),)  # fmt: skip


def test_several_metrics_share_what_stands_beside_them() -> None:
    text = """
canary:
  weights: [100]
  interval: 60s
  count: 5
  failure_limit: 2
  metrics:
  - judge: {threshold: {max_error_rate: 1%}}
  - {name: slow, judge: {threshold: {max_error_rate: null, max_latency: 300ms}}, count: 3, window: 2m}
"""
    errors, slow = policy(text).steps[1].analysis.metrics
    assert errors == Metric("threshold", Counts(60.0), Judged(Threshold(0.01)), 60.0, 5, 60.0, 2)
    assert slow == Metric("slow", Counts(120.0), Judged(Threshold(None, 0.3)), 60.0, 3, 60.0, 2)


def test_conditions_over_a_measure() -> None:
    text = """
canary:
  weights: [100]
  interval: 30s
  count: 2
  window: 2m
  measure: {measure: latency, of: stable, quantile: 95%, unit: ms}
  success: result < 300
  failure: result > 500
  on_nodata: wait
"""
    (metric,) = policy(text).steps[1].analysis.metrics
    measure = Measure("latency", "stable", 0.95, 120.0, "ms")
    conditions = Conditions(parse_condition("result < 300"), parse_condition("result > 500"), vector=False)
    assert (metric.name, metric.query) == ("latency-stable", Counts(120.0))
    assert metric.verdict == Asked(measure, conditions, Limits(on_nodata="wait"))


def test_rolling_recreate_and_all_at_once() -> None:
    text = "rolling: {max_surge: 2, max_unavailable: 10%, min_ready: 5s, progress_deadline: 20m}"
    assert policy(text) == Rolling(max_surge=2, max_unavailable="10%", min_ready=5.0, progress_deadline=1200.0)
    assert policy("recreate: {}") == policy("all-at-once: {}") == Rolling(recreate=True)
    assert (read("recreate: {}").kind, read("all-at-once: {}").kind) == ("recreate", "all-at-once")


def test_blue_green() -> None:
    text = """
blue-green:
  pre: {interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}
  post: {interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}
  auto_promotion: false
  auto_promotion_after: 10m
  preview_replicas: 2
"""
    kept: dict[str, Any] = {"auto_promotion": False, "auto_promotion_after": 600.0, "preview_replicas": 2}
    assert policy(text) == BlueGreen(pre=THRESHOLD, post=THRESHOLD, **kept)


def test_ab_shadow_and_flag() -> None:
    judged = "interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}"
    around = (Match(("beta",)), Analyse(THRESHOLD), Match(()))
    assert policy(f"ab: {{segments: [beta], {judged}}}").steps == (ScaleCanary(weight=100), *around)
    around_copies = (Mirror(10), Analyse(THRESHOLD), Mirror(0))
    made = policy(f"shadow: {{percent: 10%, scale: 10, {judged}}}")
    assert made.steps == (ScaleCanary(weight=10), *around_copies)
    flag = policy(f"flag: {{weights: [1, 100], {judged}}}")
    canary = policy(f"canary: {{weights: [1, 100], {judged}}}")
    assert (flag.steps, flag.pods, canary.pods) == (canary.steps, False, True)


def test_a_shadow_compares_by_the_requests_counted() -> None:
    """Copies come on top of all traffic, so the planned weight says nothing about the split."""
    text = "shadow: {interval: 60s, count: 5, judge: eprocess.counts}"
    assert policy(text).steps[2].analysis.metrics[0].verdict.judge.split == "requests"
    text = "shadow: {interval: 60s, count: 5, judge: {eprocess.counts: {split: equal}}}"
    assert policy(text).steps[2].analysis.metrics[0].verdict.judge.split == "equal"


@pytest.mark.parametrize("name", [name for name in JUDGES if not name.startswith("kayenta")])
def test_every_judge_by_name(name: str) -> None:
    made = policy(f"canary: {{steps: [{{analyse: {{judge: {name}, interval: 60s, count: 5}}}}]}}")
    (metric,) = made.steps[0].analysis.metrics
    assert (metric.name, metric.verdict.judge) == (name, JUDGES[name]())


def test_judges_with_fields_in_units() -> None:
    def judge(text: str) -> Any:
        made = policy(f"canary: {{steps: [{{analyse: {{judge: {text}, interval: 60s, count: 5}}}}]}}")
        return made.steps[0].analysis.metrics[0].verdict.judge

    burn = judge("{burn_rate: {slo: 99.9%, page: [[1h, 5m, 14.4]], hold: 2m}}")
    assert burn == BurnRate(slo=0.999, page=((3600.0, 300.0, 14.4),), hold=120.0)
    kayenta = judge("{kayenta.aca_seeded: {metrics: [{name: latency, groups: [slow]}], weights: {slow: 100}}}")
    assert kayenta == Kayenta(metrics=(Series("latency", groups=("slow",)),), weights=(("slow", 100.0),))
    assert judge("{bake_time: {seconds: 30m, max_error_rate: 2%}}").seconds == 1800.0
    assert judge("{sprt: {p0: null}}").p0 is None
    assert judge("{gst: {margin: 1%}}").margin == 0.01
    assert judge("{eprocess.counts: {margin: 1.25}}").margin == 1.25
    assert judge("{eprocess.cdf: {margin: 50ms}}").margin == 0.05


def test_kayenta_asks_for_the_samples_it_judges() -> None:
    text = (
        "canary: {steps: [{analyse: {judge: {kayenta.aca_seeded: {metrics: [{name: cpu}]}}, interval: 1h, count: 1}}]}"
    )
    assert policy(text).steps[0].analysis.metrics[0].query == Counts(3600.0, ("cpu",))


PYTHON = """
from dataclasses import dataclass
from typing import ClassVar
from sim.policy.canary import Canary
from sim.policy.commands import SetWeight
from sim.policy.judges import Finding

@dataclass(frozen=True)
class Careful:
    hold: float = 60.0
    limit: float | None = 0.01
    weights: tuple = (5, 100)
    def steps(self):
        for weight in self.weights:
            yield SetWeight(weight)

class Plain:
    def machine(self, emit):
        return Canary().machine(emit)

@dataclass(frozen=True)
class Yes:
    share: float = 0.5
    name: ClassVar[str] = "yes"
    sequential: ClassVar[bool] = False
    def start(self, seed, truth):
        return self
    def look(self, window):
        return Finding("pass", "yes")

class Nothing:
    pass

class Broken:
    def __init__(self):
        raise RuntimeError("no")
"""


def python(folder: Path, text: str) -> NamedPolicy:
    (folder / "mine.py").write_text(PYTHON)
    (folder / "policy.yaml").write_text(f"seatrial: policy\n{text}")
    return load_policy(folder / "policy.yaml")


def test_a_python_runbook_with_fields_in_units(tmp_path: Path) -> None:
    made = python(
        tmp_path, "python: ./mine.py:Careful\nwith: {hold: 5m, limit: 2%, weights: [10, 100]}\npatience: 10s\n"
    )
    author: Any = made.policy
    assert isinstance(author, Runbook)
    assert (made.name, made.kind, author.patience) == ("Careful", "python", 10.0)
    assert vars(author.author) == {"hold": 300.0, "limit": 0.02, "weights": (10, 100)}


def test_a_python_policy_and_a_python_judge(tmp_path: Path) -> None:
    assert Rollout(python(tmp_path, "python: ./mine.py:Plain").policy).outcome is None
    text = "canary: {weights: [100], interval: 60s, count: 1, judge: {python: ./mine.py:Yes, with: {share: 10%}}}"
    made: Any = python(tmp_path, text).policy
    (metric,) = made.steps[1].analysis.metrics
    assert (metric.name, metric.verdict.judge.share) == ("yes", 0.1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "python: ./mine.py:Carefull",
            "policy.yaml:2:9 python: ./mine.py has no class Carefull; did you mean Careful?",
        ),
        ("python: ./mine.py:Nothing", "./mine.py:Nothing is neither a runbook nor a policy; give it steps(self)"),
        ("python: ./mine.py:Broken", "Broken cannot be made: RuntimeError: no; correct 'with:'"),
        ("python: ./other.py:X", "there is no file ./other.py; paths are relative to the file that names them"),
        ("python: no.such.module:X", "module no.such.module cannot be loaded: ModuleNotFoundError"),
        ("python: what", "'what' names no class; write ./file.py:Class or module:Class"),
        ("python: ./mine.py:Careful\nwith: {hodl: 3}", "Careful has no field 'hodl'; did you mean hold?"),
        ("python: ./mine.py:Careful\nwith: {hold: 5 mins}", "'5 mins' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("recreate: {}\nwith: {hold: 5m}", "'with' belongs to python; remove it"),
    ],
)
def test_what_can_be_wrong_with_python(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(FileErrors) as caught:
        python(tmp_path, text)
    told = str(caught.value)
    assert problem in told and len(told.splitlines()) == 1


def test_names_and_replicas() -> None:
    assert (read("recreate: {}").name, read("recreate: {}").replicas) == ("policy", None)
    named = read("name: mine\nreplicas: 4\nrecreate: {}")
    assert (named.name, named.replicas, named.source) == ("mine", 4, FILE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "canary: {weights: [5, 50, 20], interval: 60s, count: 5, judge: threshold}",
            "policy.yaml:2:10 canary.weights: weights must rise to 100, got (5, 50, 20); list them in order, the last one 100",
        ),
        (
            "canary: {weights: [5, 50], interval: 60s, count: 5, judge: threshold}",
            "policy.yaml:2:10 canary.weights: weights must rise to 100, got (5, 50); list them in order, the last one 100",
        ),
        (
            "canary: {weights: [], interval: 60s, count: 5, judge: threshold}",
            "policy.yaml:2:10 canary.weights: weights must rise to 100, got (); list them in order, the last one 100",
        ),
        (
            "canary: {weights: [5, 120], interval: 60s, count: 5, judge: threshold}",
            "policy.yaml:2:23 canary.weights.1: 120 is more than 100; use 0 to 100",
        ),
        ("name: x",
         "policy.yaml:1:1: no policy here; add one of: canary, rolling, recreate, all-at-once, blue-green, ab, shadow, flag, python"),
        ("cannary: {}", "policy.yaml:2:1 cannary: unknown key 'cannary'; did you mean canary?"),
        ("rolling: {}\nrecreate: {}", "policy.yaml:1:1: rolling and recreate in one policy; keep one of them"),
        ("canary: {}", "policy.yaml:2:1 canary: a canary has either weights or steps; write e.g. weights: [5, 20, 50, 100]"),
        (
            "canary: {weights: [100], interval: 60s, count: 5}",
            "policy.yaml:2:1 canary: nothing is judged; add judge:, or metrics:, or measure: and success: (a program without any: steps)",
        ),
        (
            "canary: {weights: [100], judge: threshold}",
            "policy.yaml:2:1 canary: 'interval' is missing; add e.g. interval: 60s",
        ),
        (
            "canary: {weights: [100], interval: 60s, judge: threshold}",
            "policy.yaml:2:1 canary: a blocking analysis must end: give threshold a count",
        ),
        (
            "canary: {weights: [5, 100], interval: 60s, judge: sprt}",
            "policy.yaml:2:1 canary: 'count' is missing; it says how many intervals a weight is held",
        ),
        (
            "canary: {weights: [100], interval: 60s, count: 5, judge: sprt}",
            "policy.yaml:2:1 canary: a background guard needs a weight below 100, got (100,); add one",
        ),
        (
            "canary: {weights: [100], interval: 60s, duration: 90s, judge: threshold}",
            "policy.yaml:2:1 canary: a duration of 90 s is not a whole number of intervals of 60 s; make it a multiple",
        ),
        (
            "canary: {weights: [100], interval: 60s, count: 5, judge: threshold, success: result > 1}",
            "policy.yaml:2:1 canary: judge and conditions at once; keep one of them",
        ),
        (
            "canary: {steps: [{setwieght: 5}]}",
            "policy.yaml:2:18 canary.steps.0: unknown step 'setwieght'; did you mean setWeight?",
        ),
        (
            "canary: {steps: [{setWeight: 5, pause: {}}]}",
            "policy.yaml:2:33 canary.steps.0.pause: unknown key 'pause'; use one of: setWeight",
        ),
        ("canary: {steps: [], judge: threshold}", "policy.yaml:2:1 canary: judge beside steps; move it below analysis or background"),
        ("blue-green: {auto_promotion: yes}", "policy.yaml:2:30 blue-green.auto_promotion: 'yes' is text in YAML 1.2; write true"),
        ("rolling: {min_ready: 1:30}", "policy.yaml:2:22 rolling.min_ready: '1:30' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("shadow: {percent: 0%, interval: 60s, count: 1, judge: threshold}",
         "policy.yaml:2:1 shadow: a mirror of 0% shows nothing; write e.g. percent: 10%"),
        (
            "canary: {steps: [{analyse: {interval: 60s, count: 1, judge: {threshold: {max_error_rate: null}}}}]}",
            "policy.yaml:2:62 canary.steps.0.analyse.judge.threshold: "
            "a threshold checks nothing: set max_error_rate, max_latency or max_ratio",
        ),
        (
            "canary: {weights: [100], interval: 60s, count: 1, measure: error-rate, success: result.x <}",
            "policy.yaml:2:81 canary.success: column ",
        ),
    ],
)  # fmt: skip
def test_what_can_be_wrong(text: str, problem: str) -> None:
    (told,) = wrong(text)
    assert told.startswith(problem) and (told == problem or problem[-1] in " ,n")


def test_all_problems_at_once() -> None:
    text = """canary:
  weights: [5, 50, 20]
  interval: 5 mins
  count: 1e3
  jugde: threshold
  guard: both
"""
    assert wrong(text) == [
        "policy.yaml:3:3 canary.weights: weights must rise to 100, got (5, 50, 20); list them in order, the last one 100",
        "policy.yaml:4:13 canary.interval: '5 mins' is not a duration; write e.g. 30s, 5m, 1h30m",
        "policy.yaml:5:10 canary.count: '1e3' is ambiguous; write 1000 or 1000.0",
        "policy.yaml:6:3 canary.jugde: unknown key 'jugde'; did you mean judge?",
        "policy.yaml:7:10 canary.guard: 'both' is not allowed here; use one of: step, background",
    ]


def test_a_description_for_people() -> None:
    text = "canary: {weights: [5, 100], interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}"
    assert describe(read(text)).splitlines() == [
        "policy (canary)",
        "  1. 5% of traffic",
        "  2. analyse threshold",
        "  3. 100% of traffic",
        "  4. analyse threshold",
        "  a step's analysis:",
        "    threshold: threshold (max_error_rate 0.01, quantile 0.99, min_requests 1), every 1m, 5 times",
        "  then everything is promoted",
    ]
    assert describe(Rolling()) == "replaces pods in batches (surge 25%, unavailable 25%); nothing is measured"
