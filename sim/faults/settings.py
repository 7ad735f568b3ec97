"""The parameters of a fault as written in a file, checked against the kind."""

from __future__ import annotations

from collections.abc import Mapping

from sim.faults.flaws import Flaws, Mode
from sim.faults.kind import Kind, Parameter, Value
from sim.faults.params import read
from sim.files.words import show


def settings(raw: object, kind: Kind, mode: Mode, flaws: Flaws) -> dict[str, Value]:
    """Every parameter of the kind by name, in the kind's order, with defaults where nothing is written."""
    given = {} if raw is None else raw
    if not isinstance(given, Mapping):
        flaws.add("", f"{show(raw)} is not a mapping", "write e.g. {p: 5%}")
        return {}
    flaws.keys(given, [one.name for one in kind.parameters], f"parameter of {kind.name}:")
    found = {one.name: _value(given, one, flaws) for one in kind.parameters}
    _alternatives(given, kind, found, flaws)
    if mode == "sim" and kind.modelled:
        for one in kind.parameters:
            _simulated(kind, one, found[one.name], flaws)
    return found


def _value(given: Mapping[str, object], parameter: Parameter, flaws: Flaws) -> Value:
    if given.get(parameter.name) is not None:
        return flaws.get(given, parameter.name, lambda value: read(parameter, value))
    if parameter.required:
        flaws.add(parameter.name, "missing", f"write {parameter.name}: {parameter.doc}")
    return parameter.default


def _alternatives(given: Mapping[str, object], kind: Kind, found: dict[str, Value], flaws: Flaws) -> None:
    """One group of the alternatives is given, in full; without any, the defaults decide if there are any."""
    named = [group for group in kind.alternatives if any(given.get(name) is not None for name in group)]
    shown = " or ".join(" and ".join(group) for group in kind.alternatives)
    if len(named) > 1:
        flaws.add(next(name for name in named[1] if name in given), "one too many", f"give {shown}, not both")
    elif named:
        for name in named[0]:
            if given.get(name) is None:
                flaws.add(name, "missing", f"give {shown}")
        found.update({name: None for group in kind.alternatives if group != named[0] for name in group})
    elif kind.alternatives and all(found[name] is None for group in kind.alternatives for name in group):
        flaws.add("", f"{kind.name} needs a size", f"give {shown}")


def _simulated(kind: Kind, parameter: Parameter, value: Value, flaws: Flaws) -> None:
    if parameter.simulates is None or value in parameter.simulates:
        return
    known = [show(one) for one in parameter.simulates if one is not None]
    remedy = f"the simulator carries out {', '.join(known)}" if known else "leave it out"
    flaws.add(parameter.name, f"not yet: {parameter.name} {show(value)} of {kind.name}", remedy)
