"""A scenario with other policies, another service or another seed in place of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sim.scenario import NamedPolicy, Scenario, load_policy, load_service

__all__ = ["Given", "with_policies", "with_seed", "with_service"]

Given = str | Path | NamedPolicy
"""A policy: a name in the scenario, a file, `file.py:Class`, or a policy."""


def with_policies(scenario: Scenario, given: Sequence[Given]) -> Scenario:
    """The scenario with these policies in place of its own: names of its own, files, or policies. Raises FileErrors."""
    from sim.files import canonical, digest
    from sim.scenario.walking import plain

    own = {policy.name: policy for policy in scenario.policies}
    ready = _apart(_taken(given, own))
    known = {policy.name for policy in ready}
    budgets = tuple(budget for budget in scenario.budgets if not budget.policies or known & set(budget.policies))
    chosen = replace(scenario, policies=ready, budgets=budgets)
    foreign = [policy for policy in ready if policy.name not in own or own[policy.name].policy is not policy.policy]
    if not foreign:
        return chosen  # the scenario's own: nothing new goes into the digest
    _known(foreign, scenario)
    said = [{"name": policy.name, "policy": plain(policy.policy), "replicas": policy.replicas} for policy in ready]
    return replace(chosen, digest=digest(scenario.digest.encode(), canonical(said), *map(_content, ready)))


def _taken(given: Sequence[Given], own: dict[str, NamedPolicy]) -> list[NamedPolicy]:
    """The policies that are meant; what is wrong with their files comes all at once."""
    from sim.files import FileErrors

    found: list[NamedPolicy] = []
    wrong: list[FileErrors] = []
    for one in given:
        try:
            if isinstance(one, NamedPolicy):
                found.append(one)
            else:
                found.append(own[one] if isinstance(one, str) and one in own else load_policy(one))
        except FileErrors as errors:
            wrong.append(errors)
    if wrong:
        sources = {name: text for errors in wrong for name, text in errors.sources.items()}
        raise FileErrors([problem for errors in wrong for problem in errors.problems], sources)
    return found


def _apart(policies: Sequence[NamedPolicy]) -> tuple[NamedPolicy, ...]:
    """Different names for all."""
    taken: dict[str, NamedPolicy] = {}
    for policy in policies:
        name, number = policy.name, 2
        while name in taken:
            name, number = f"{policy.name}-{number}", number + 1
        taken[name] = policy.named(name)
    return tuple(taken.values())


def _known(policies: Sequence[NamedPolicy], scenario: Scenario) -> None:
    """Raise FileErrors when a metric in a provider's language cannot be answered, or a segment is not there."""
    from sim.files import FileErrors
    from sim.scenario.fitting import misfits

    problems = [problem for policy in policies for problem in misfits(policy, scenario.metrics, scenario.service, None)]
    if problems:
        raise FileErrors(problems)


def _content(policy: NamedPolicy) -> bytes:
    """What the file of a policy holds: a class of a workshop is more than its fields."""
    path = Path(policy.source.rpartition(":")[0] if policy.kind == "python" else policy.source)
    return path.read_bytes() if path.is_file() else b""


def with_service(scenario: Scenario, service: Path | str) -> Scenario:
    """The scenario with another service. Raises FileErrors."""
    from sim.files import canonical, digest
    from sim.scenario.walking import plain

    other = load_service(service)
    said = digest(scenario.digest.encode(), canonical(plain(other)))
    return _met(replace(scenario, service=other, default_service=False, digest=said))


def with_seed(scenario: Scenario, seed: int) -> Scenario:
    """The scenario with another seed: other requests, and faults that repeat with jitter at other times."""
    return _met(replace(scenario, seed=seed))


def _met(scenario: Scenario) -> Scenario:
    """Its faults met anew: what they do depends on the service, and when they come on the seed."""
    from sim.scenario.conditions import release

    return replace(
        scenario,
        releases=tuple(
            one if not one.faults else release(
                one.name, one.faults, (), (), scenario.service, scenario.seed,
                bad=one.truth.bad, description=one.description,
            )
            for one in scenario.releases
        ),
    )  # fmt: skip
