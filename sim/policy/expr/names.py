"""Which names a condition may use, and what to say about one that it may not."""

from __future__ import annotations

from difflib import get_close_matches

from sim.policy.expr.functions import FUNCTIONS
from sim.policy.expr.profile import ARGO_FUNCTIONS, MISSING_BEFORE_1_10, PREDICATES, REFUSED, Profile


def callables(profile: Profile) -> tuple[str, ...]:
    """Every function of the profile, in a fixed order."""
    names = (*ARGO_FUNCTIONS, *PREDICATES, *FUNCTIONS)
    if profile.modern:
        return names
    return tuple(name for name in names if name not in MISSING_BEFORE_1_10 and name != "sortBy")


def unknown_function(name: str, profile: Profile, variables: tuple[str, ...]) -> tuple[str, str]:
    """Problem and remedy for a call of something that is not a function here."""
    if name in REFUSED:
        return f"{name}() is not supported", REFUSED[name]
    if name == "result" or name in variables:
        return f"{name} is not a function", f"write {name} without parentheses"
    if name in PREDICATES or name in FUNCTIONS:
        return f"{name}() is unknown to {profile.name}", "use the profile argo-rollouts@1.10, or write it without it"
    return f"unknown function {name}", _suggest(name, callables(profile))


def unknown_name(name: str, profile: Profile, variables: tuple[str, ...]) -> tuple[str, str]:
    """Problem and remedy for a word that is no value here."""
    if name == "$env":
        return "$env is not supported", "name result itself"
    if name in callables(profile):
        return f"{name} is a function", f"call it: {name}(…)"
    if name in ("if", "else"):
        return f"{name} is unknown to {profile.name}", "write condition ? a : b"
    known = ("result", *variables, "true", "false", "nil")
    remedy = _suggest(name, (*known, *callables(profile)))
    return f"unknown name {name}", remedy


def _suggest(name: str, known: tuple[str, ...]) -> str:
    aliases = {"null": "nil", "None": "nil", "True": "true", "False": "false", "undefined": "nil", "size": "len"}
    close = [aliases[name]] if name in aliases else get_close_matches(name, known, n=1, cutoff=0.6)
    if not close:  # a difference of case only is far away for difflib in short words
        close = [word for word in known if word.lower() == name.lower()]
    return f"did you mean {close[0]}?" if close else "a condition sees only result; quote text that is meant as text"
