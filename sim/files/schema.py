"""The JSON Schema of a file model: for editors, and to know what was allowed at the place of an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import WithDefaultSchema

Schema = dict[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"  # what the YAML language server reads (ecosystem.md section 5.3)
_BRANCHES = ("anyOf", "oneOf", "allOf")


class _Schema(GenerateJsonSchema):
    """Defaults as a file would write them: `30s` where pydantic would put 30.0."""

    def default_schema(self, schema: WithDefaultSchema) -> Schema:
        made = super().default_schema(schema)
        written: Any = schema["schema"].get("serialization", {})
        if "default" in made and written.get("type") == "function-plain" and not written.get("info_arg"):
            made["default"] = written["function"](schema["default"])
        return made


def json_schema(model: Any) -> Schema:
    """The schema of a model, type or TypeAdapter in draft 7: `definitions` for `$defs`, nothing newer inside."""
    adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    schema = adapter.json_schema(ref_template="#/definitions/{model}", schema_generator=_Schema)
    definitions = schema.pop("$defs", None)
    return {"$schema": _DRAFT, **schema, **({"definitions": definitions} if definitions else {})}


class Shape:
    """What a model allows at each place, read from its schema. Only built when there is an error to explain."""

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        try:
            self._root = json_schema(adapter)
        except PydanticUserError:  # a type without a schema has no names to suggest, but its errors are still told
            self._root = {}

    def names(self, location: Sequence[str | int]) -> list[str]:
        """The keys allowed at a location of a pydantic error, in the order of the model."""
        schemas = self._at(location)
        return list(dict.fromkeys(key for schema in schemas for key in schema.get("properties", {})))

    def bounds(self, location: Sequence[str | int]) -> dict[str, Any]:
        """`minimum`, `exclusiveMaximum` and so on at a location."""
        wanted = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        return {key: schema[key] for schema in self._at(location) for key in wanted if key in schema}

    def _at(self, location: Sequence[str | int]) -> list[Schema]:
        schemas = list(self._leaves(self._root))
        for part in location:
            if isinstance(part, str) and part.startswith("<"):  # a branch of `unions`: keep the one that has the key
                schemas = [schema for schema in schemas if _is_branch(schema, part[1:-1])] or schemas
                continue
            below = [child for schema in schemas if (child := _child(schema, part)) is not None]
            schemas = [leaf for child in below for leaf in self._leaves(child)] if below else schemas
        return schemas

    def _leaves(self, schema: Schema) -> Iterator[Schema]:
        """The schema without references and alternatives. A model that refers to itself is cut at its properties."""
        pending, seen = [schema], []
        while pending:
            one = pending.pop(0)
            reference = one.get("$ref")
            if reference is not None and reference not in seen:
                seen.append(reference)
                pending.insert(0, self._root.get("definitions", {}).get(reference.rpartition("/")[2], {}))
            for word in _BRANCHES:
                pending.extend(one.get(word, ()))
            yield one


def _child(schema: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        child = schema.get("items")
    else:
        child = schema.get("properties", {}).get(part, schema.get("additionalProperties"))
    return child if isinstance(child, dict) else None


def _is_branch(schema: Schema, name: str) -> bool:
    properties = schema.get("properties", {})
    return name in properties or any(name in (one.get("const"), *one.get("enum", ())) for one in properties.values())
