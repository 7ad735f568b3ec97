"""One of several forms: a single value, or a mapping that is named by its only key (`{lognormal: {...}}`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Discriminator, Field, create_model

from sim.files import branch
from sim.files.unions import UNKNOWN
from sim.scenario.derive import Form

__all__ = ["Single", "choice", "either", "single"]


class Single(Form):
    """A mapping with one key."""

    model_config = ConfigDict(populate_by_name=False)

    key: ClassVar[str]

    @property
    def body(self) -> Any:
        return self.inner  # type: ignore[attr-defined]

    @cached_property
    def made(self) -> Any:
        return self.body.made if isinstance(self.body, Form) else self.body


def single(key: str, body: Any, base: type[Single] = Single) -> type[Single]:
    """The form of a mapping whose only key is `key`."""
    name = f"{body.__name__ if isinstance(body, type) else ''}By{''.join(part.title() for part in key.replace('-', '.').split('.'))}"
    definitions: dict[str, Any] = {"inner": (body, Field(alias=key))}
    form: type[Single] = create_model(name, __base__=base, __doc__=f"`{key}:`", **definitions)
    form.key = key
    return form


def choice(what: str, models: Mapping[str, type], *, text: bool = False) -> Discriminator:
    """Tells mappings by their key; with `text`, a single value belongs to the branch of that name."""

    def tell(value: Any) -> str | None:
        if isinstance(value, Mapping):
            return next((f"<{key}>" for key in value if key in models), None)
        named = next((f"<{name}>" for name, model in models.items() if type(value) is model), None)
        return named or ("<text>" if text and isinstance(value, str | int | float) else None)

    return Discriminator(
        tell, custom_error_type=UNKNOWN, custom_error_message=f"not a {what}",
        custom_error_context={"what": what, "field": "", "names": " ".join(models)},
    )  # fmt: skip


def either(text: Any, form: type) -> Any:
    """A type that is a mapping of this form, or else a single value."""

    def tell(value: Any) -> str:
        return "<mapping>" if isinstance(value, Mapping | form) else "<text>"

    return Annotated[Annotated[text, branch("text")] | Annotated[form, branch("mapping")], Discriminator(tell)]
