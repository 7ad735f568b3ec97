"""Services as a file writes them -> `sim.service.model.Service`. What is not said keeps the value of the service it is based on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, WithJsonSchema

from sim.durations import Z99
from sim.files import (
    Duration,
    FileErrors,
    Name,
    NonNegativeInt,
    NonNegativeNumber,
    PositiveInt,
    PositiveNumber,
    Rate,
    Ratio,
    Refused,
    branch,
    parse_rate,
)
from sim.files.words import choose, show
from sim.policy.errors import WorldError
from sim.scenario.choices import Single, choice, either, single
from sim.scenario.derive import Derived, Form, derive, given, unsaid
from sim.scenario.judges import Bounds
from sim.scenario.reader import reading
from sim.scenario.spreads import Spread
from sim.service.model import Alerts, Latency, Monitoring, People, Pods, Recovery, Service
from sim.service.noise import PRESETS, Drift, Gamma, Noise, Outbreaks
from sim.service.recordings import After, from_csv, from_prometheus
from sim.service.telemetry.dialects import DIALECTS
from sim.service.telemetry.settings import Telemetry
from sim.service.traffic import Bursts, Constant, Diurnal, Ramp, Recorded, Traffic

__all__ = ["PeopleForm", "ServiceFile", "ServiceForm", "TrafficType"]


# ---- traffic ----


def _constant(value: object) -> Constant:
    return Constant(parse_rate(value))


class _Level(Single):
    @cached_property
    def made(self) -> Constant:
        return Constant(self.body)


class _Data(NamedTuple):
    """A data file that was found."""

    text: str
    name: str


def _data(reference: str) -> _Data:
    return _Data(*reading().data(reference))


if TYPE_CHECKING:
    DataFile = Any
else:
    DataFile = Annotated[Name, AfterValidator(_data)]


class RecordingBody(Form):
    """A recording and what comes after its end."""

    path: DataFile
    after: After = "repeat"


class _Recording(Single):
    @cached_property
    def made(self) -> Traffic:
        body = self.body
        after: After = body.after if isinstance(body, RecordingBody) else "repeat"
        data: _Data = body.path if isinstance(body, RecordingBody) else body
        read: Callable[[str, str, After], Recorded] = from_csv if self.key == "csv" else from_prometheus
        try:
            return read(data.text, data.name, after)
        except FileErrors as errors:
            reading().take(errors)
            return Constant(0.0)  # never used: the errors stop the reading


_RECORDING = either(DataFile, RecordingBody)
_WEEK: dict[str, Any] = {
    "week": Annotated[list[NonNegativeNumber], Field(min_length=7, max_length=7)],
    "second": NonNegativeNumber,
}
_SIMPLE: dict[str, type[Single]] = {
    "constant": single("constant", Rate, _Level),
    "diurnal": single("diurnal", derive(Diurnal, types=_WEEK)),
    "ramp": single("ramp", derive(Ramp)),
    "csv": single("csv", _RECORDING, _Recording),
    "prometheus": single("prometheus", _RECORDING, _Recording),
}


_RATE = {"type": "string", "description": "A rate: 100/s", "pattern": r"^[0-9]+(\.[0-9]*)?/[smhd]$"}


def _traffic(forms: dict[str, type[Single]]) -> Any:
    branches = [Annotated[form, branch(name)] for name, form in forms.items()]
    text: Any = Annotated[Any, AfterValidator(_constant), WithJsonSchema(_RATE), branch("text")]
    return Annotated[reduce(or_, branches, text), choice("traffic", forms, text=True)]


_BURSTS = single(
    "bursts", derive(Bursts, types={"base": _traffic(_SIMPLE), "every": Duration, "factor": PositiveNumber})
)
if TYPE_CHECKING:
    TrafficType = Any
else:
    TrafficType = _traffic({**_SIMPLE, "bursts": _BURSTS})


# ---- parts ----

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]  # of labels and of metrics


class LatencyForm(Form):
    """Latency of good answers; `p99` in place of `sigma`."""

    median: Duration = 0.08
    sigma: PositiveNumber = 0.7
    p99: Duration = unsaid()
    limit: Duration = 0.5
    bounds: Annotated[list[Duration], Field(min_length=1, max_length=100)] = Field(default_factory=list)

    def upon(self, base: Latency) -> Latency:
        told = given(self)
        p99 = told.pop("p99", None)
        if p99 is not None:
            if "sigma" in told:
                raise WorldError("sigma and p99 say the same; keep one of them")
            median = told.get("median", base.median)
            if not p99 > median:
                raise WorldError(f"p99 must be above the median, got {p99:g} s and {median:g} s; see median")
            told["sigma"] = math.log(p99 / median) / Z99
        if "limit" in told and "bounds" not in told:  # the objective is always a bound of the histogram
            told["bounds"] = tuple(sorted({*base.bounds, told["limit"]}))
        return replace(base, **told)

    @cached_property
    def made(self) -> Latency:
        return self.upon(Latency())


def _pairs(value: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(value.items())


if TYPE_CHECKING:
    Pairs = OwnMetrics = Dialects = Any
else:
    Dialects = list[Literal[tuple(DIALECTS)]]
    Pairs = Annotated[dict[LabelName, str], AfterValidator(_pairs)]
    OwnMetrics = Annotated[dict[LabelName, Pairs], AfterValidator(_pairs)]
PodsForm = derive(Pods, "PodsForm", types={"cold_factor": PositiveNumber})
MonitoringForm = derive(Monitoring, "MonitoringForm")
TelemetryForm = derive(
    Telemetry,
    "TelemetryForm",
    types={
        "dialects": Dialects, "labels": Pairs, "counters": OwnMetrics, "histograms": OwnMetrics,
    },
)  # fmt: skip
AlertsForm = derive(Alerts, "AlertsForm", types={"pairs": Bounds, "every": Duration})
PeopleForm = derive(People, "PeopleForm")
RecoveryForm = derive(Recovery, "RecoveryForm")


def _noise(name: str) -> Noise:
    if name not in PRESETS:
        raise Refused(f"unknown noise {show(name)}", choose(name, tuple(PRESETS)))
    return PRESETS[name]


_NOISES: dict[str, type[Single]] = {
    "drift": single("drift", derive(Drift)), "gamma": single("gamma", derive(Gamma, types={"every": Duration})),
    "outbreaks": single("outbreaks", derive(Outbreaks, types={"every": Duration})),
}  # fmt: skip
if TYPE_CHECKING:
    NoiseType = Any
else:
    _BRANCHES = [Annotated[form, branch(name)] for name, form in _NOISES.items()]
    NoiseType = Annotated[
        reduce(or_, _BRANCHES, Annotated[str, AfterValidator(_noise), branch("text")]),
        choice("noise", _NOISES, text=True),
    ]


def _base(reference: str) -> Service:
    from sim.scenario.references import service_at

    return reading().follow(reading().locate(reference), service_at) or Service()  # a broken one stops the reading


if TYPE_CHECKING:
    BaseService = Any
else:
    BaseService = Annotated[Name, AfterValidator(_base)]


class ServiceForm(Form):
    """A service. `base` is another service file, from which everything comes that is not said here."""

    base: BaseService = unsaid()
    name: Name = unsaid()
    description: str = ""
    traffic: TrafficType = unsaid()
    errors: Ratio = 0.001
    latency: LatencyForm | None = None
    pods: PodsForm = unsaid()  # type: ignore[valid-type]
    monitoring: MonitoringForm = unsaid()  # type: ignore[valid-type]
    telemetry: TelemetryForm = unsaid()  # type: ignore[valid-type]
    alerts: AlertsForm = unsaid()  # type: ignore[valid-type]
    people: PeopleForm = unsaid()  # type: ignore[valid-type]
    recovery: RecoveryForm = unsaid()  # type: ignore[valid-type]
    segments: Annotated[dict[Name, Ratio], AfterValidator(_pairs)] = Field(default_factory=dict)
    testers: Rate = 0.0
    users: PositiveInt = 10_000
    sticky: bool = False
    propagation: Spread = unsaid()
    serial: bool = False
    retries: NonNegativeInt = 0
    arrivals: Literal["poisson", "fixed"] = "poisson"
    noise: NoiseType = "iid"
    error_noise: NoiseType = "iid"
    horizon: Duration = 86_400.0

    @cached_property
    def made(self) -> Service:
        base = self.base if self.said("base") else Service(name="service")
        told: dict[str, Any] = {"name": self.name if self.said("name") else base.name}
        for name in type(self).model_fields:
            if name in ("base", "description", "name", "seatrial") or not self.said(name):
                continue
            value = getattr(self, name)
            if isinstance(value, Derived | LatencyForm):
                told[name] = value.upon(getattr(base, name) or Latency())
            else:
                told[name] = value.made if isinstance(value, Form) else value
        if told.get("horizon", 1.0) <= 0:
            raise WorldError("a horizon of 0 s shows nothing; write e.g. horizon: 24h")
        return replace(base, **told)


class ServiceFile(ServiceForm):
    """A service in a file of its own."""

    seatrial: Literal["service"]
