"""How far back a question in a provider's language looks, without a service to ask."""

from __future__ import annotations

import json
from functools import lru_cache

from sim.policy.commands import Text

__all__ = ["span"]

_USUAL = 60.0  # seconds: of a provider whose language is not read


@lru_cache(maxsize=1000)
def span(query: Text) -> float:
    """Seconds: the longest range of a PromQL query (with its offset), the interval of Flagger's own metrics, else a minute."""
    from sim.files.units import parse_prom_duration
    from sim.promql import PromqlError, compile

    match query.provider:
        case "flagger-builtin":
            return float(parse_prom_duration(query.text.rpartition("[")[2].rstrip("]")))
        case "prometheus-range":
            said = json.loads(query.text)
            return max(_USUAL, float(said["end"]) - float(said["start"]))
        case "prometheus":
            try:
                return max((-selector.span[0] for selector in compile(query.text).selectors), default=_USUAL)
            except PromqlError:
                return _USUAL
    return _USUAL
