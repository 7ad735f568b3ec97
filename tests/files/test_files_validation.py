"""Validation: every fault of a model with its place, path, problem and remedy; field types; the schema."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field, TypeAdapter, model_validator

from sim.files import (
    Bytes,
    Duration,
    FileErrors,
    Name,
    Number,
    Percent,
    PositiveInt,
    Rate,
    Ratio,
    Seconds,
    Strict,
    branch,
    by_field,
    by_key,
    json_schema,
    read_document,
    validate,
)


class Hold(Strict):
    duration: Duration = 30.0


class SetWeight(Strict):
    setWeight: Percent  # noqa: N815  # the file's word


class Pause(Strict):
    pause: Hold


Step = Annotated[
    Annotated[SetWeight, branch("setWeight")] | Annotated[Pause, branch("pause")],
    by_key("step", {"setWeight": SetWeight, "pause": Pause}),
]


class Latency(Strict):
    type: Literal["latency"]
    by: Duration


class Failing(Strict):
    type: Literal["errors"]
    share: Ratio


Fault = Annotated[
    Annotated[Latency, branch("latency")] | Annotated[Failing, branch("errors")],
    by_field("type", "fault", {"latency": Latency, "errors": Failing}),
]


class Policy(Strict):
    mode: Literal["canary", "blue-green"] = "canary"
    steps: list[Step]
    surge: int | str = 1

    @model_validator(mode="after")
    def rising(self) -> Policy:
        weights = [step.setWeight for step in self.steps if isinstance(step, SetWeight)]
        if weights != sorted(weights):
            raise ValueError(f"weights must rise, got {weights}; sort them")
        return self


class Scenario(Strict):
    seatrial: Literal["scenario"]
    name: Name = "unnamed"
    policy: Policy
    faults: list[Fault] = Field(default_factory=list)
    rate: Rate = 100.0
    budget: Ratio = 0.1
    count: PositiveInt = 1
    number: Number = 0.0
    flag: bool = False
    table: dict[str, PositiveInt] = Field(default_factory=dict)
    memory: Bytes = 1024
    wait: Seconds = 5.0


_HEAD = "seatrial: scenario\npolicy: {steps: [{setWeight: 50}]}\n"


def problems(text: str, model: Any = Scenario, at: tuple[str | int, ...] = ()) -> list[str]:
    document = read_document(text, "f.yaml")
    with pytest.raises(FileErrors) as caught:
        validate(model, document, at=at)
    return str(caught.value).split("\n")


def test_a_good_file() -> None:
    text = "seatrial: scenario\npolicy:\n  steps:\n    - setWeight: 20\n    - pause: {duration: 5m}\nrate: 12000/m\n"
    text += "budget: 99.9%\nmemory: 512Mi\nwait: 30\nnumber: 3\nfaults:\n  - {type: latency, by: 250ms}\n"
    scenario = validate(Scenario, read_document(text))
    assert scenario.policy.steps == [
        SetWeight(setWeight=20),
        Pause.model_construct(pause=Hold.model_construct(duration=300.0)),
    ]
    assert (scenario.rate, scenario.budget, scenario.memory, scenario.wait) == (200.0, 0.999, 512 << 20, 30.0)
    written = scenario.model_dump(mode="json")
    assert (written["rate"], written["wait"]) == ("200/s", "30s")
    assert written["policy"]["steps"] == [{"setWeight": 20}, {"pause": {"duration": "5m"}}]
    assert written["faults"] == [{"type": "latency", "by": "250ms"}]


def test_every_step_that_can_be_wrong() -> None:
    text = """seatrial: scenario
policy:
  steps:
    - setWeight: 120
    - pause: {duration: 5 mins}
    - setwieght: 10
    - pause
    - {}
    - [1]
    - setWeight: 5
      pause: {}
    - setWeight: 5.0
    - setWeight: '5'
    - setWeight:
    - setWeight: -1
  mode: canari
  surge: [1]
  stepz: 1
"""
    path = "f.yaml:{} policy.{}: {}; {}".format
    write = "write a mapping with one of: setWeight, pause"
    assert problems(text) == [
        path("4:18", "steps.0.setWeight", "120 is more than 100", "use 0 to 100"),
        path("5:25", "steps.1.pause.duration", "'5 mins' is not a duration", "write e.g. 30s, 5m, 1h30m"),
        path("6:7", "steps.2", "unknown step 'setwieght'", "did you mean setWeight?"),
        path("7:7", "steps.3", "'pause' is not a step", write),
        path("8:7", "steps.4", "an empty step", "use one of: setWeight, pause"),
        path("9:7", "steps.5", "a list is not a step", write),
        path("11:7", "steps.6.pause", "unknown key 'pause'", "use one of: setWeight"),
        path("12:18", "steps.7.setWeight", "5.0 is not a whole number", "write 5"),
        path("13:18", "steps.8.setWeight", "'5' is text, not a whole number", "write 5, without quotes"),
        path("14:17", "steps.9.setWeight", "null is not a whole number", "write a value, or remove the line"),
        path("15:18", "steps.10.setWeight", "-1 is less than 0", "use 0 to 100"),
        path("16:9", "mode", "'canari' is not allowed here", "did you mean canary?"),
        path("17:3", "surge", "a list is not a whole number", "write e.g. 3"),
        path("18:3", "stepz", "unknown key 'stepz'", "did you mean steps?"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("count: 012", "3:8 count: '012' may be read as 12 or 10 (octal); write 12"),
        ("count: 1e3", "3:8 count: '1e3' is ambiguous; write 1000 or 1000.0"),
        ("count: on", "3:8 count: 'on' is text, not a whole number; write e.g. 3"),
        ("count: 0", "3:8 count: 0 is not more than 0; use more than 0"),
        ("count: -3", "3:8 count: -3 is not more than 0; use more than 0"),
        ("count: true", "3:8 count: true is not a whole number; write e.g. 3"),
        (f"count: 1{'0' * 15}", f"3:8 count: 1{'0' * 15} is more than 1000000000000; use 1000000000000 or less"),
        ("number: .nan", "3:9 number: .nan is not a finite number; write a number"),
        ("number: -.inf", "3:9 number: -.inf is not a finite number; write a number"),
        ("number: 1.0e400", "3:9 number: .inf is not a finite number; write a number"),
        ("number: 1_000", "3:9 number: '1_000' is text in YAML 1.2; write 1000"),
        ("number: '3%'", "3:9 number: '3%' is text, not a number; write 3"),
        ("flag: on", "3:7 flag: 'on' is text in YAML 1.2; write true"),
        ("flag: 1", "3:7 flag: 1 is not true or false; write true or false, without quotes"),
        ("flag: 012", "3:7 flag: '012' is text, not true or false; write true or false, without quotes"),
        ("rate: 200", "3:7 rate: 200 is a rate without a unit; write e.g. 200/s or 200/m"),
        ("rate: 200 rps", "3:7 rate: '200 rps' is not a rate; write e.g. 200/s, 12000/m, 3/h"),
        ("rate: .nan", "3:7 rate: .nan is not a rate; write e.g. 200/s, 12000/m, 3/h"),
        ("budget: 5", "3:9 budget: 5 is more than 1; write 5% or a number from 0 to 1"),
        ("budget: -5%", "3:9 budget: -5% is negative; use 0% to 100%"),
        ("wait: 11y", "3:7 wait: '11y' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("wait: 99999h", "3:7 wait: 99999h is longer than 10 years; check the number and its unit"),
        ("wait: 1:30", "3:7 wait: '1:30' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("memory: 5MB", "3:9 memory: '5MB' is not a size; write e.g. 512Mi, 1G, 1048576"),
        ("name: ''", "3:7 name: '' is empty; write 1 character or more"),
        ("name: 5", "3:7 name: 5 is not text; put it in quotes"),
        ("name: [a]", "3:1 name: a list is not text; write a single value"),
        ("nmae: x", "3:1 nmae: unknown key 'nmae'; did you mean name?"),
        ("Name: x", "3:1 Name: unknown key 'Name'; did you mean name?"),
        ("table: {a: 1, b: x}", "3:18 table.b: 'x' is text, not a whole number; write e.g. 3"),
        ("table: [1]", "3:1 table: a list is not a mapping; write it as 'key: value' lines"),
        ("faults: {}", "3:1 faults: a mapping is not a list; write it as '- item' lines, or [a, b]"),
        ("faults: [{type: latnecy}]", "3:10 faults.0: unknown fault 'latnecy'; did you mean latency?"),
        ("faults: [{type: 5}]", "3:10 faults.0: unknown fault 5; use one of: latency, errors"),
        ("faults: [{by: 5s}]", "3:10 faults.0: 'type' is missing; add 'type:' with one of: latency, errors"),
        ("faults: [x]", "3:10 faults.0: 'x' is not a fault; write a mapping with type: and one of: latency, errors"),
        ("faults: [{type: latency}]", "3:10 faults.0: 'by' is missing; add 'by: ...'"),
        (
            "faults: [{type: errors, share: 2, by: 1}]",
            "3:32 faults.0.share: 2 is more than 1; write 2% or a number from 0 to 1",
        ),
    ],
)
def test_one_wrong_line(line: str, expected: str) -> None:
    assert problems(_HEAD + line)[0] == f"f.yaml:{expected}"


def test_problems_of_the_whole_and_of_a_part() -> None:
    assert problems("# x\n\n seatrial: scenari\n") == [
        "f.yaml:3:2: 'policy' is missing; add 'policy: ...'",
        "f.yaml:3:12 seatrial: 'scenari' is not allowed here; did you mean scenario?",
    ]
    assert problems("- 1") == ["f.yaml:1:1: a list is not a mapping; write it as 'key: value' lines"]
    falling = "seatrial: scenario\npolicy:\n  steps: [{setWeight: 50}, {setWeight: 5}]\n"
    assert problems(falling) == ["f.yaml:2:1 policy: weights must rise, got [50, 5]; sort them"]
    numbers = TypeAdapter(list[int])
    assert problems("a: {b: [1, x]}", numbers, ("a", "b")) == [
        "f.yaml:1:12 a.b.1: 'x' is text, not a whole number; write e.g. 3"
    ]
    assert problems("a: {b: 1}", numbers, ("a", "c")) == ["f.yaml:1:4 a: 'c' is missing; add 'c: ...'"]
    assert validate(numbers, read_document("a: {b: [1]}"), at=("a", "b")) == [1]


def test_values_behind_anchors_are_told_where_they_stand() -> None:
    text = "seatrial: scenario\npolicy:\n  steps:\n    - &s {setWeight: 120}\n    - *s\n    - {<<: *s}\n"
    assert problems(text) == [
        f"f.yaml:4:22 policy.steps.{index}.setWeight: 120 is more than 100; use 0 to 100" for index in range(3)
    ]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plain dataclass, as `sim.policy` has them."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    weights: list[int] = field(default_factory=list)
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count must be positive, got {self.count}")


def test_dataclasses_validate_too() -> None:
    assert validate(Plan, read_document("weights: [1, 2]")) == Plan([1, 2])
    assert problems("weigths: [1]", Plan) == ["f.yaml:1:1 weigths: unknown key 'weigths'; did you mean weights?"]
    assert problems("a: {count: 0}", Plan, ("a",)) == ["f.yaml:1:1 a: count must be positive, got 0"]


def test_thousands_of_unknown_keys_do_not_hang() -> None:
    text = _HEAD + "".join(f"nme{index}: 1\n" for index in range(3_000))
    lines = problems(text)
    assert len(lines) == 3_000
    assert lines[0] == "f.yaml:3:1 nme0: unknown key 'nme0'; did you mean name?"


def test_the_schema_is_draft_7() -> None:
    schema = json_schema(Scenario)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert set(schema["definitions"]) == {"Failing", "Hold", "Latency", "Pause", "Policy", "SetWeight"}
    text = repr(schema)
    assert not any(word in text for word in ("$defs", "prefixItems", "unevaluatedProperties", "dependentRequired"))
    assert schema["properties"]["rate"]["type"] == "string"
    assert schema["properties"]["rate"]["default"] == "100/s"
    assert schema["definitions"]["Policy"]["properties"]["steps"]["items"]["oneOf"] == [
        {"$ref": "#/definitions/SetWeight"},
        {"$ref": "#/definitions/Pause"},
    ]
    assert schema["definitions"]["SetWeight"]["properties"]["setWeight"]["maximum"] == 100


def test_pydantic_comes_only_with_validation() -> None:
    code = (
        "import sys, sim.files as f; f.read_document('a: 1');"
        "assert 'pydantic' not in sys.modules and 'numpy' not in sys.modules; f.validate;"
        "assert 'pydantic' in sys.modules; assert callable(f.validate)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_that_do_not_exist() -> None:
    import sim.files

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sim.files.nothing
    assert all(getattr(sim.files, name) for name in sim.files.__all__)
