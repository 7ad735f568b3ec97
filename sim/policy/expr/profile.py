"""What the expression engine of one Argo Rollouts release understands (delivery-systems.md 2.20 and 3)."""

from __future__ import annotations

from dataclasses import dataclass

from sim.policy.errors import PolicyError

OLD = "argo-rollouts@1.8"
NEW = "argo-rollouts@1.10"


@dataclass(frozen=True, slots=True)
class Profile:
    """One engine: `modern` is expr 1.17 (Argo 1.10), otherwise expr 1.15 (Argo 1.8)."""

    name: str
    modern: bool


PROFILES = {NEW: Profile(NEW, modern=True), OLD: Profile(OLD, modern=False)}

# Arguments after the collection: "predicate", "predicate?" (may be left out), "value?".
PREDICATES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("all", "none", "any", "one", "filter", "map", "find", "findIndex"), ("predicate",)),
    **dict.fromkeys(("findLast", "findLastIndex", "groupBy"), ("predicate",)),
    "count": ("predicate?",),
    "sum": ("predicate?",),
    "sortBy": ("predicate", "value?"),
    "reduce": ("predicate", "value?"),
}

ARGO_FUNCTIONS = ("asInt", "asFloat", "isNaN", "isInf", "isNil", "default")

# Refused on purpose (delivery-systems.md 3.7), with what to do instead.
REFUSED = {
    **dict.fromkeys(
        ("now", "date", "duration", "timezone"),
        "conditions see one result and no clock; put the time range into the query",
    ),
    **dict.fromkeys(("toBase64", "fromBase64"), "decode the value in the provider"),
    **dict.fromkeys(
        ("bitand", "bitor", "bitxor", "bitnand", "bitnot", "bitshl", "bitshr", "bitushr"),
        "compare numbers instead of bits",
    ),
}

MISSING_BEFORE_1_10 = ("uniq", "concat", "flatten", "reverse")


def profile(name: str) -> Profile:
    """The profile with this name."""
    if name not in PROFILES:
        raise PolicyError(f"unknown condition profile {name!r}; use one of {', '.join(PROFILES)}")
    return PROFILES[name]
