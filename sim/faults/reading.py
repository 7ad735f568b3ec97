"""A fault as written in a file, checked as a whole: every problem at once, each with its field and its remedy.

In mode 'sim' a fault is refused when the simulator would not carry it out in every detail ("not yet: ..."), in mode
'real' when there is no real injection; nothing is ever passed over in silence (faults.md section 1, `capability`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sim.faults import params as values
from sim.faults.aiming import target
from sim.faults.aims import AIMS
from sim.faults.catalogue import KINDS, MODELLED, guess
from sim.faults.fault import Blast, Fault, Repeat, Trigger
from sim.faults.flaws import Flaw, Flaws, Mode
from sim.faults.kind import Kind
from sim.faults.settings import settings
from sim.files.errors import Refused
from sim.files.units import parse_duration
from sim.files.words import choose, show
from sim.policy.errors import WorldError

_FIELDS = ("id", "kind", "target", "params", "at_s", "trigger", "duration_s", "ramp_s", "repeat", "blast")
_DERIVED = {  # fields of faults.md section 1 that a file does not write, and who says them
    "seed_stream": "it is fault/<id>",
    "reversible": "the kind says it",
    "capability": "the kind says it",
}
_ID = re.compile(r"[a-z0-9-]{1,40}")
_TRIGGERS = {"step_entered": "step", "weight_at_least": "weight", "phase": "phase", "event": "name"}
_READERS: dict[str, Callable[[object], int | float | str]] = {
    "step": values.whole,
    "weight": values.number,
    "phase": values.text,
    "name": values.text,
}
# Instant, because all is lost at once; yet the controller is down until somebody starts it again, and that takes time.
_DOWN = ("driver.crash",)


def problems(raw: object, mode: Mode = "sim", *, irreversible: bool = False) -> list[Flaw]:
    """Everything that is wrong with one fault; `irreversible` is the scenario's `allow_irreversible`."""
    return _read(raw, mode, irreversible)[1]


def parse(raw: object, mode: Mode = "sim", *, irreversible: bool = False) -> Fault:
    """The fault. Raises WorldError with every problem in it."""
    fault, flaws = _read(raw, mode, irreversible)
    if fault is None:
        raise WorldError("\n".join(map(str, flaws)))
    return fault


def read(raw: object, mode: Mode = "sim", *, irreversible: bool = False) -> tuple[tuple[Fault, ...], list[Flaw]]:
    """A scenario's list of faults: those that are right, and the problems of the others, paths with the index."""
    if not isinstance(raw, Sequence) or isinstance(raw, (str, bytes)):
        return (), [Flaw((), f"{show(raw)} is not a list of faults", "write '- id: ...' for each")]
    faults: dict[str, Fault] = {}
    flaws: list[Flaw] = []
    for index, one in enumerate(raw):
        fault, found = _read(one, mode, irreversible)
        flaws += [flaw._replace(path=(index, *flaw.path)) for flaw in found]
        if fault is not None and fault.id in faults:
            flaws.append(Flaw((index, "id"), f"{fault.id} is the id of an earlier fault", "give each fault its own id"))
        elif fault is not None:
            faults[fault.id] = fault
    return tuple(faults.values()), flaws


def _read(raw: object, mode: Mode, irreversible: bool) -> tuple[Fault | None, list[Flaw]]:
    flaws = Flaws()
    if not isinstance(raw, Mapping):
        return None, [Flaw((), f"{show(raw)} is not a fault", "write id, kind, target, params, at_s and duration_s")]
    _fields(raw, flaws)
    name = flaws.get(raw, "id", _name)
    if raw.get("id") is None:
        flaws.add("id", "missing", "write e.g. id: bad-build")
    kind = _kind(raw.get("kind"), mode, irreversible, flaws)
    if kind is None:
        return None, flaws.found
    fault = Fault(
        name or "",
        kind.name,
        target(raw.get("target"), kind, mode, flaws.below("target")),
        settings(raw.get("params"), kind, mode, flaws.below("params")),
        flaws.get(raw, "at_s", _seconds),
        _trigger(raw.get("trigger"), flaws.below("trigger")),
        flaws.get(raw, "duration_s", _seconds),
        flaws.get(raw, "ramp_s", _seconds) or 0.0,
        _repeat(raw.get("repeat"), flaws.below("repeat")),
        _blast(raw.get("blast"), flaws.below("blast")),
    )
    if kind.bound and raw.get("at_s") is None and raw.get("trigger") is None:
        fault = replace(fault, at_s=0.0)  # the version brings it along from its first second on
    _times(raw, fault, mode, flaws)
    _shape(fault, mode, flaws)
    return (None if flaws.found else fault), flaws.found


def _fields(raw: Mapping[object, object], flaws: Flaws) -> None:
    for field, who in _DERIVED.items():
        if field in raw:
            flaws.add(field, "not to be written", f"{who}; leave it out")
    flaws.keys(raw, (*_FIELDS, *_DERIVED), "field")


def _kind(word: object, mode: Mode, irreversible: bool, flaws: Flaws) -> Kind | None:
    if not isinstance(word, str):
        flaws.add(
            "kind", "missing" if word is None else f"{show(word)} is no kind", "write e.g. kind: build.error_rate"
        )
        return None
    kind = KINDS.get(word)
    if kind is None:
        flaws.add("kind", f"unknown kind {show(word)}", guess(word))
        return None
    if mode == "sim" and not kind.modelled:
        flaws.add("kind", f"not yet: the simulator does not carry out {word}", f"modelled kinds: {', '.join(MODELLED)}")
    if mode == "real" and kind.capability == "sim":
        flaws.add("kind", f"{word} cannot be injected for real", "simulate it, or leave it out")
    if not (kind.reversible or irreversible):
        flaws.add("kind", f"{word} cannot be undone", "write allow_irreversible: true in the scenario if that is meant")
    return kind


def _times(raw: Mapping[str, object], fault: Fault, mode: Mode, flaws: Flaws) -> None:
    """at_s or trigger, duration, ramp and repeat, against each other and against the kind."""
    kind = fault.about
    aim = AIMS.get(fault.kind)
    given = [field for field in ("at_s", "trigger") if raw.get(field) is not None]
    if not given and not kind.bound:
        flaws.add("at_s", "missing", "write when it starts: at_s: 5m")
    elif len(given) == 2:
        flaws.add("trigger", "at_s is given as well", "keep one of the two")
    if fault.trigger is not None and mode == "sim" and kind.modelled:
        flaws.add("trigger", "not yet: the simulator starts faults at a time", "write at_s in its place")
    _duration(raw, fault, mode, flaws)
    if fault.ramp_s > 0 and mode == "sim" and aim is not None and not aim.ramps:
        flaws.add("ramp_s", f"not yet: a ramp of {fault.kind}", "leave it out: it is at full strength at once")
    if fault.repeat is None:
        return
    if fault.duration_s is None and not kind.instant:
        flaws.add("repeat", "a fault without an end cannot come again", "give it a duration_s, or leave repeat out")
    elif (fault.duration_s or 0.0) > fault.repeat.every_s:
        flaws.add(
            "repeat", f"every_s is less than duration_s ({fault.duration_s:g} s)", "let it end before it comes again"
        )


def _duration(raw: Mapping[str, object], fault: Fault, mode: Mode, flaws: Flaws) -> None:
    kind, given = fault.about, raw.get("duration_s") is not None
    endless = kind.instant or kind.bound or not kind.reversible
    if fault.kind in _DOWN and mode == "sim" and not given:
        flaws.add("duration_s", "missing", "write how long the controller stays down: duration_s: 30s")
    elif not given and not endless:
        flaws.add("duration_s", "missing", "write e.g. duration_s: 10m")
    elif given and kind.instant and fault.kind not in _DOWN:
        flaws.add("duration_s", f"{fault.kind} happens in an instant", "leave it out")
    elif fault.duration_s == 0.0:
        flaws.add("duration_s", "a fault of 0s never is active", "write e.g. duration_s: 10m")


def _shape(fault: Fault, mode: Mode, flaws: Flaws) -> None:
    """`build.error_rate`: the shape and the numbers that only one shape reads."""
    if fault.kind != "build.error_rate":
        return
    if "after_s" not in fault.params:  # params could not be read at all, which is said already
        return
    shape, below = fault.params.get("shape"), flaws.below("params")
    late = fault.number("after_s") > 0 or fault.number("after_n") > 0
    if shape == "ramp" and fault.ramp_s == 0:
        flaws.add("ramp_s", "missing", "shape ramp needs the time to full strength: ramp_s: 5m")
    if shape == "delayed" and not late:
        below.add("after_s", "missing", "shape delayed needs an age: after_s: 2m")
    if shape != "delayed" and late:
        below.add("shape", f"{shape} has no delay", "write shape: delayed, or leave after_s and after_n out")
    if shape == "load" and mode == "real" and fault.params.get("load_rps") is None:
        below.add("load_rps", "missing", "shape load needs a limit: load_rps: 200/s")


def _trigger(raw: object, flaws: Flaws) -> Trigger | None:
    if raw is None:
        return None
    on = raw.get("on") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or on not in _TRIGGERS:
        flaws.add(
            "on" if isinstance(raw, Mapping) else "", f"{show(on or raw)} is no trigger", choose(on, tuple(_TRIGGERS))
        )
        return None
    field = _TRIGGERS[on]
    flaws.keys(raw, ("on", field), "field")
    value = flaws.get(raw, field, _READERS[field])
    if raw.get(field) is None:
        flaws.add(field, "missing", f"{on} needs {field}")
    return None if value is None else Trigger(on, value)


def _repeat(raw: object, flaws: Flaws) -> Repeat | None:
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        flaws.add("", f"{show(raw)} is no repetition", "write e.g. {every_s: 10m, times: 3}")
        return None
    flaws.keys(raw, ("every_s", "jitter_s", "times"), "field")
    every = flaws.get(raw, "every_s", _positive)
    if raw.get("every_s") is None:
        flaws.add("every_s", "missing", "write e.g. every_s: 10m")
    times = flaws.get(raw, "times", values.whole)
    if times == 0:
        flaws.add("times", "0 starts are none", "count the first one too, or leave the fault out")
    return None if every is None else Repeat(every, flaws.get(raw, "jitter_s", _seconds) or 0.0, times)


def _blast(raw: object, flaws: Flaws) -> Blast:
    if raw is None:
        return Blast()
    if not isinstance(raw, Mapping):
        flaws.add("", f"{show(raw)} limits nothing", "write e.g. {max_pods: 2, max_pct: 25}")
        return Blast()
    flaws.keys(raw, ("max_pods", "max_pct", "namespaces"), "field")
    pods, percent = flaws.get(raw, "max_pods", values.whole), flaws.get(raw, "max_pct", _percent)
    named = flaws.get(raw, "namespaces", values.texts)
    return Blast(1 if pods is None else pods, 25.0 if percent is None else percent, named or ())


def _name(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Refused(f"{show(value)} is not an id", "use 1 to 40 of a-z, 0-9 and -")
    return value


def _seconds(value: object) -> float:
    return parse_duration(value, bare=True)


def _positive(value: object) -> float:
    if (seconds := _seconds(value)) <= 0:
        raise Refused(f"{show(value)} is no time", "write e.g. 10m")
    return seconds


def _percent(value: object) -> float:
    if not 0 <= (percent := values.number(value)) <= 100:
        raise Refused(f"{show(value)} is not a percentage", "use 0 to 100")
    return percent
