"""Which artifacts a retention policy would delete (goharbor/harbor src/pkg/retention: rules joined by OR).

Rules of the same repository: an artifact stays when any rule keeps it. A repository that no rule's scope matches is left alone,
and so is an artifact with an immutable tag.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from real.registry.harbor.values import Artifact, Rule, Selector

DAY_S = 86_400.0

Kept = Callable[[Sequence[Artifact], int, float], list[Artifact]]


def _newest(at: Callable[[Artifact], float]) -> Kept:
    return lambda all, most, now: sorted(all, key=at, reverse=True)[:most]


def _within(at: Callable[[Artifact], float]) -> Kept:
    return lambda all, days, now: [one for one in all if at(one) >= now - days * DAY_S]


def _pushed(one: Artifact) -> float:
    return one.pushed_at


def _pulled(one: Artifact) -> float:
    return one.pulled_at or 0.0


def _active(one: Artifact) -> float:
    return max(_pushed(one), _pulled(one))


# Template -> what it keeps of the selected artifacts, and Harbor's number where the rule gives none (src/pkg/retention/policy/rule).
_TEMPLATES: dict[str, tuple[Kept, int]] = {
    "always": (lambda all, most, now: list(all), 0),
    "nothing": (lambda all, most, now: [], 0),
    "latestPushedK": (_newest(_pushed), 10),
    "latestPulledN": (_newest(_pulled), 10),
    "latestActiveK": (_newest(_active), 10),
    "nDaysSinceLastPush": (_within(_pushed), 30),
    "nDaysSinceLastPull": (_within(_pulled), 30),
    "lastXDays": (_within(_pushed), 10),
}


def doomed(rules: Sequence[Rule], repository: str, artifacts: Sequence[Artifact], now: float) -> tuple[str, ...]:
    """Digests that the next run of the policy would delete. `repository` without its project; `now` in seconds since 1970.

    A rule of a kind that is not known here keeps nothing, so that the answer errs to the side of caution.
    """
    scoped = [rule for rule in rules if not rule.disabled and _scope(rule, repository)]
    if not scoped:
        return ()
    kept = {one.digest for rule in scoped for one in _keeps(rule, artifacts, now)}
    frozen = {one.digest for one in artifacts if any(tag.immutable for tag in one.tags)}
    return tuple(one.digest for one in artifacts if one.digest not in kept | frozen)


def covers(rule: Rule, repository: str, tag: str) -> bool:
    """Whether a rule (of immutability) speaks of this tag."""
    return _scope(rule, repository) and all(
        matches(one.pattern, tag) == (one.decoration == "matches") for one in rule.tags
    )


def _keeps(rule: Rule, artifacts: Sequence[Artifact], now: float) -> list[Artifact]:
    chosen = [one for one in artifacts if all(_selects(selector, one) for selector in rule.tags)]
    keep, usual = _TEMPLATES.get(rule.template, _TEMPLATES["nothing"])
    return keep(chosen, dict(rule.params).get(rule.template, usual), now)


def _scope(rule: Rule, repository: str) -> bool:
    return all(matches(one.pattern, repository) == (one.decoration == "repoMatches") for one in rule.repositories)


def _selects(selector: Selector, one: Artifact) -> bool:
    if selector.kind == "label":
        wanted = set(filter(None, selector.pattern.split(",")))
        return wanted <= set(one.labels) if selector.decoration == "withLabels" else not wanted & set(one.labels)
    including = selector.decoration == "matches"
    if not one.tags:
        return _untagged(selector, including) == including
    return any(matches(selector.pattern, tag.name) == including for tag in one.tags)


def _untagged(selector: Selector, usual: bool) -> bool:
    """Whether untagged artifacts count: from `extras`, else they do for matches and do not for excludes."""
    try:
        return bool(json.loads(selector.extras)["untagged"])
    except (ValueError, KeyError, TypeError):
        return usual


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    """Doublestar (bmatcuk/doublestar v1): ** crosses slashes, * and ? do not; {a,b} alternatives; [a-z], [!a] classes."""
    parts = re.findall(r"\*\*/|\*\*|\*|\?|\{|\}|,|\[[!^]?[^\]]+\]|\\.|.", pattern)
    depth, out = 0, []
    for one in parts:
        depth += (one == "{") - (one == "}")
        out.append(_piece(one, depth))
    return re.compile("".join(out))


_PIECES = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}


def _piece(one: str, depth: int) -> str:
    if one in _PIECES:
        return _PIECES[one]
    if one == "," and depth > 0:
        return "|"
    if one.startswith("[") and len(one) > 2:
        return "[" + one[1:].replace("!", "^", 1) if one[1] == "!" else one
    return re.escape(one[-1] if one.startswith("\\") else one)


def matches(pattern: str, text: str) -> bool:
    """An empty pattern matches everything."""
    return not pattern or _expression(pattern).fullmatch(text) is not None
