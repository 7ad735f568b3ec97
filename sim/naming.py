"""What names a result, in words: its service, the rule for people, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from sim.durations import Constant, Duration, Exponential, Lognormal, Uniform
from sim.files import format_duration
from sim.scenario.values import NamedPolicy, Scenario

__all__ = ["command", "people", "service", "shown"]

_PEOPLE = {
    "promote": "asked, they promote",
    "abort": "asked, they abort",
    "by-alert": "asked, they promote unless an alert fired or a metric failed",
}


def service(scenario: Scenario) -> str:
    """The service in one line; contracts section 2 wants the default one to be named."""
    about = scenario.service
    level = about.traffic.levels((0.0, 3600.0))[0]
    shape = type(about.traffic).__name__.lower()
    rate = f"{level:,.4g} requests/s" + ("" if shape == "constant" else f" in its first hour ({shape})")
    name = "default (none is given)" if scenario.default_service else about.name
    return f"{name}: {rate}, {100 * about.errors:.3g}% errors, {about.pods.count} pods"


def people(scenario: Scenario) -> str:
    """Who answers, and how fast (contracts section 7)."""
    about = scenario.service.people
    return f"{_PEOPLE[about.rule]}; after {duration(about.response)}; gates {about.gates}"


def duration(spread: Duration) -> str:
    """A distribution of times in words.

    >>> duration(Lognormal(900.0, 14400.0))
    '15m (median; 1 in 100 after 4h)'
    """
    match spread:
        case Constant(value):
            return format_duration(value)
        case Lognormal(median, p99):
            return f"{format_duration(median)} (median; 1 in 100 after {format_duration(p99)})"
        case Uniform(low, high):
            return f"{format_duration(low)} to {format_duration(high)}"
        case Exponential(mean):
            return f"{format_duration(mean)} (mean)"


def command(
    verb: str, scenario: Scenario, policies: Sequence[str | Path | NamedPolicy], replications: int | None,
    service: Path | str | None = None, place: Callable[[str | Path], str] | None = None,
) -> str:  # fmt: skip
    """The command that makes the result again, without what changes none of its bytes (contracts section 2).

    `place` writes a path: by default as a result may hold it; `str` for a person who is to type it again here.
    """
    write = place or shown
    words = ["seatrial", verb]
    named = [one.source or one.name if isinstance(one, NamedPolicy) else write(one) for one in policies]
    if verb == "compare" and named:
        words += named + ([f"--scenario={write(scenario.file)}"] if scenario.file is not None else [])
        words += [f"--service={write(service)}"] if service is not None else []
    else:
        words += [
            write(scenario.file) if scenario.file is not None else scenario.name,
            *(f"--policy={name}" for name in named),
        ]
    if replications is not None:
        words.append(f"--replications={replications}")
    return shlex.join([*words, f"--seed={scenario.seed}"])


def shown(path: str | Path) -> str:
    """A path as a result may hold it: below the working folder, else the name alone. A result never tells where it was made."""
    place, here = Path(path), Path.cwd()
    if not place.is_absolute():
        return str(path)
    return str(place.relative_to(here)) if place.is_relative_to(here) else place.name
