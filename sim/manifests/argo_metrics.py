"""One metric of an Argo analysis, arguments filled in -> our `Metric` (delivery-systems.md 2.2, 2.3, 2.6, 2.18)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sim.manifests.fields import Reader
from sim.manifests.ranges import range_query
from sim.manifests.scores import thresholds
from sim.policy.analysis import Conditions, JobState, Metric
from sim.policy.commands import Text
from sim.policy.errors import PolicyError
from sim.policy.expr import Condition, ConditionError, parse_condition
from sim.policy.scores import Scored

__all__ = ["TAG", "canonical", "fill", "read_metric"]

TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PROVIDERS = (
    "prometheus", "kayenta", "web", "datadog", "wavefront", "newRelic", "job", "cloudWatch", "graphite", "influxdb",
    "skywalking", "plugin",
)  # fmt: skip


def canonical(value: object) -> str:
    """JSON with sorted keys: equal settings of a provider are equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fill(value: Any, args: Mapping[str, str]) -> tuple[Any, tuple[str, ...]]:
    """`value` with `{{args.x}}` replaced in its JSON form, and the tags that name nothing (Argo: utils/template)."""
    unknown: list[str] = []

    def put(match: re.Match[str]) -> str:
        tag = match[1].strip()
        name = tag.removeprefix("args.")
        if name == tag or name not in args:
            unknown.append(tag)
            return match[0]
        return json.dumps(args[name], ensure_ascii=False)[1:-1]

    text = TAG.sub(put, json.dumps(value, ensure_ascii=False))
    return json.loads(text), tuple(dict.fromkeys(unknown))


def read_metric(fields: Reader, template: str, dry_run: bool, engine: str) -> Metric | None:
    """The metric; None with a remark or a rejection that says why there is none."""
    provider = _provider(fields)
    if provider is None:
        return None
    verdict = _verdict(fields, provider, engine)
    query = _query(fields, provider)
    _check(fields)
    if verdict is None or query is None:
        return None
    try:
        return Metric(
            name=fields.text("name"),
            query=query,
            verdict=verdict,
            interval=fields.duration("interval"),
            count=fields.int_or_text("count", None),
            initial_delay=fields.duration("initialDelay") or 0.0,
            failure_limit=fields.int_or_text("failureLimit", 0) or 0,
            inconclusive_limit=fields.int_or_text("inconclusiveLimit", 0) or 0,
            consecutive_error_limit=_or(fields.int_or_text("consecutiveErrorLimit", 4), 4),
            consecutive_success_limit=fields.int_or_text("consecutiveSuccessLimit", 0) or 0,
            dry_run=dry_run,
            template=template,
        )
    except PolicyError as error:
        fields.refuse(error)
        return None


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _provider(fields: Reader) -> str | None:
    """The name of the only provider."""
    named = [name for name in _PROVIDERS if fields.child("provider").has(name)]
    if len(named) != 1:
        fields.reject(f"{len(named)} providers", f"give exactly one of {', '.join(_PROVIDERS)}", "provider")
        return None
    return named[0]


def _verdict(fields: Reader, provider: str, engine: str) -> Conditions | JobState | Scored | None:
    if provider == "job":
        return JobState()
    if provider == "kayenta":
        return Scored("argo", *thresholds(fields.child("provider").child("kayenta").child("threshold")))
    conditions: dict[str, Condition | None] = {}
    for name in ("successCondition", "failureCondition"):
        try:
            text = fields.text(name)
            conditions[name] = parse_condition(text, engine) if text else None
        except ConditionError as error:
            fields.block(f"a condition that does not parse makes every measurement an Error: {error}", name)
            return None
    listed = provider == "prometheus" and not _scalar(fields.child("provider").child(provider))
    return Conditions(conditions["successCondition"], conditions["failureCondition"], vector=listed)


def _scalar(block: Reader) -> bool:
    """Whether Prometheus answers with a number instead of a vector (`scalar(...)`, `1 + 1`)."""
    from sim.promql import PromqlError, compile

    if block.has("rangeQuery"):
        return False
    try:
        return compile(block.text("query")).kind == "scalar"
    except PromqlError:
        return False


def _query(fields: Reader, provider: str) -> Text | None:
    block = fields.child("provider").child(provider)
    if provider != "prometheus":
        return Text(provider, canonical(fields.child("provider").raw(provider)))
    if block.has("rangeQuery"):
        return range_query(block)
    return Text("prometheus", block.text("query"))


def _check(fields: Reader) -> None:
    """Argo's own checks of limits and count (section 2.18)."""
    count = fields.int_or_text("count", 0) or 0
    failures = fields.int_or_text("failureLimit", 0) or 0
    successes = fields.int_or_text("consecutiveSuccessLimit", 0) or 0
    for name in ("inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit"):
        if (fields.int_or_text(name, 0) or 0) < 0:
            fields.reject(f"{name} is negative", "use 0 or more", name)
    if successes == 0 and failures == -1:
        fields.reject(
            "failureLimit -1 and consecutiveSuccessLimit 0 switch both limits off", "set one of them", "failureLimit"
        )
    least = successes + max(0, failures)
    if 0 < count < least:
        fields.reject(
            f"count {count} is below failureLimit + consecutiveSuccessLimit = {least}", f"use {least} or more", "count"
        )
    inconclusive = fields.int_or_text("inconclusiveLimit", 0) or 0
    if 0 < count < inconclusive:
        fields.reject(
            f"count {count} is below inconclusiveLimit {inconclusive}", f"use {inconclusive} or more", "count"
        )
