"""Who reaches the new version where no weight says it: users that match a route, and load tests (L34)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.lint.spot import Spot
from sim.policy.canary import Canary
from sim.policy.commands import Match
from sim.policy.flagger import Flagger
from sim.service.model import Service

__all__ = ["MATCHED", "assumed", "check", "load", "unreached"]

MATCHED = 0.05  # of the assumed service's requests match a route; a given service says it itself
_BEFORE = ("rollout", "pre-rollout")  # hooks that can send requests to the canary before users do
_NO_VALUE = "without requests a rate is 0/0, and Flagger takes no value for a failed check"
_LOAD = "add a load test (a webhook of type rollout), or mirror: true"


def assumed(subject: Subject) -> Service:
    """The service of the question; an assumed one has users that match the routes of the policy."""
    service, names = subject.question.service, _matched(subject)
    if subject.question.given or not names or any(name in names for name, _ in service.segments):
        return service
    return replace(service, segments=(*service.segments, (names[0], MATCHED)))


def load(subject: Subject) -> float:
    """Requests/s of the load tests of a Canary, or of a service that is given."""
    return subject.question.service.called(subject.policy)


def unreached(subject: Subject) -> bool:
    """Whether the simulation sends no request to a version that somebody may well send some in reality."""
    policy = subject.policy
    if not isinstance(policy, Flagger):
        return False
    if policy.kind == "a/b":
        return not any(name in policy.match for name, _ in assumed(subject).segments)
    return policy.kind == "blue/green" and not policy.mirror and not load(subject)


def check(subject: Subject) -> Iterator[Finding]:
    """Checks that have nothing to look at: Flagger counts no value as a failed check (DS 4.4)."""
    policy = subject.policy
    if not isinstance(policy, Flagger) or policy.skip_analysis or not unreached(subject) or _hooks(subject):
        return
    asked = next((one.name for one in policy.checks if one.query is not None and not one.template), None)
    if asked is None:
        return
    end = f"and {asked} without a value is a failed check"
    if policy.kind == "blue/green":
        words = f"100 of 100 good releases roll back: nothing sends requests to the canary before the switch, {end}"
        yield subject.analysis().found("L34", words, "iterations", reason=_NO_VALUE, remedy=_LOAD)
        return
    name = policy.match[0]
    words = f"100 of 100 good releases roll back: nobody of {subject.question.service.name} matches {name}, {end}"
    remedy = f"add to the service: segments: {{'{name}': 5%}}"
    yield subject.analysis().found("L34", words, "match", reason=_NO_VALUE, remedy=remedy)


def _matched(subject: Subject) -> tuple[str, ...]:
    policy = subject.policy
    if isinstance(policy, Flagger):
        return policy.match if policy.kind == "a/b" else ()
    steps = policy.steps if isinstance(policy, Canary) else ()
    return tuple(name for step in steps if isinstance(step, Match) for name in step.segments)


def _hooks(subject: Subject) -> list[Spot]:
    if subject.kind != "Canary":  # a policy of ours names its hooks and no commands
        return [subject.root] if any(hook.type in _BEFORE for hook in getattr(subject.policy, "hooks", ())) else []
    return [hook for hook in subject.analysis().items("webhooks") if (hook.text("type") or "rollout") in _BEFORE]
