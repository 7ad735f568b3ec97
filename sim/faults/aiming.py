"""The target of a fault as written in a file."""

from __future__ import annotations

from collections.abc import Mapping

from sim.faults.aims import AIMS, VERSIONS, Aim
from sim.faults.fault import Subset, Target
from sim.faults.flaws import Flaws, Mode
from sim.faults.kind import Kind
from sim.faults.params import text, whole
from sim.files.errors import Refused
from sim.files.units import parse_ratio
from sim.files.words import choose, show

_FIELDS = ("version", "segment", "system", "subset", "selector")
_NOTHING = Target()


def target(raw: object, kind: Kind, mode: Mode, flaws: Flaws) -> Target:
    """The target of a fault of this kind; empty when it is wrong. `raw` None: the kind's default, if any."""
    if raw is None:
        return _default(kind, mode, flaws)
    if not isinstance(raw, Mapping) or not raw:
        flaws.add("", f"{'it is empty' if raw == {} else show(raw) + ' is no target'}", _remedy(kind, mode))
        return _NOTHING
    flaws.keys(raw, _FIELDS, "field")
    found = Target(
        flaws.get(raw, "version", _version),
        flaws.get(raw, "segment", text),
        flaws.get(raw, "system", text),
        flaws.get(raw, "subset", _subset),
        flaws.get(raw, "selector", _selector) or (),
    )
    if mode == "sim" and kind.name in AIMS:
        _aimed(found, kind, AIMS[kind.name], flaws)
    return found


def _default(kind: Kind, mode: Mode, flaws: Flaws) -> Target:
    if kind.bound:
        return Target(version="canary")
    systems = tuple(AIMS[kind.name].systems) if mode == "sim" and kind.name in AIMS else ()
    if systems:
        return Target(system=systems[0])
    flaws.add("", "missing", _remedy(kind, mode))
    return _NOTHING


def _remedy(kind: Kind, mode: Mode) -> str:
    fields = AIMS[kind.name].reads if mode == "sim" and kind.name in AIMS else _FIELDS
    return f"say what the fault hits, by {' and '.join(fields) if len(fields) < 3 else ', '.join(fields)}"


def _aimed(found: Target, kind: Kind, aim: Aim, flaws: Flaws) -> None:
    """Whether the simulator reads every field that is given and finds every field that it needs."""
    for field in _FIELDS:
        given = getattr(found, field)
        if given and field not in aim.reads:
            flaws.add(
                field,
                f"not yet: {field} of {kind.name}",
                f"the simulator reads {' and '.join(aim.reads)}; leave it out",
            )
        elif not given and field in aim.needs:
            flaws.add(
                field,
                "missing",
                "write a share of the pods: {fraction: 33%}" if field == "subset" else f"write {_words()}",
            )
    if found.version is not None and found.version not in VERSIONS:
        flaws.add("version", f"not yet: revision {found.version}", f"the simulator knows {_words()}")
    if found.system is not None and aim.systems and found.system not in aim.systems:
        flaws.add("system", f"{kind.name} cannot hit {found.system}", choose(found.system, tuple(aim.systems)))
    if kind.name in ("node.loss", "node.reboot") and found.subset is not None and found.subset.fraction is None:
        # A simulated node is nothing but the share of the pods that run on it.
        flaws.add("subset", "not yet: a count of nodes", "write the share of the pods on them: {fraction: 33%}")


def _words() -> str:
    return f"{', '.join(VERSIONS[:-1])} or {VERSIONS[-1]}"


def _version(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    return text(value)


def _subset(value: object) -> Subset:
    if not isinstance(value, Mapping) or len(value) != 1 or next(iter(value)) not in ("count", "fraction"):
        raise Refused(f"{show(value)} is no subset", "write {count: 1} or {fraction: 25%}")
    return Subset(whole(value["count"]), None) if "count" in value else Subset(None, parse_ratio(value["fraction"]))


def _selector(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not value:
        raise Refused(f"{show(value)} selects nothing", "write labels, e.g. {app: shop}")
    return tuple(sorted((text(key), text(label)) for key, label in value.items()))
