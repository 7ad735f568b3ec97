"""One of several mappings, told apart so that a fault gives one error and not one for each branch.

By key, as a rollout's steps (`- setWeight: 20`), or by a field (`type: latency`). Use:

    Step = Annotated[
        Annotated[SetWeight, branch("setWeight")] | Annotated[Pause, branch("pause")],
        by_key("step", {"setWeight": SetWeight, "pause": Pause}),
    ]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Discriminator, Tag

UNKNOWN = "unknown_variant"  # our pydantic error type; `complaints` writes the message from its context


def branch(name: str) -> Tag:
    """The tag of one branch. Angle brackets keep it from ever being a key of the file (see `positions`)."""
    return Tag(f"<{name}>")


def by_key(what: str, models: Mapping[str, type]) -> Discriminator:
    """The branch is named by a key of the mapping; `what` is the word for one of them ("step").

    With two known keys in one mapping the first decides, and the other is an unknown key of its model.
    """

    def tell(value: Any) -> str | None:
        if isinstance(value, Mapping):
            return next((f"<{key}>" for key in value if key in models), None)
        return _of_instance(value, models)

    return _discriminator(tell, what, "", models)


def by_field(field: str, what: str, models: Mapping[str, type]) -> Discriminator:
    """The branch is named by the text under `field`."""

    def tell(value: Any) -> str | None:
        if isinstance(value, Mapping):
            name = value.get(field)
            return f"<{name}>" if isinstance(name, str) and name in models else None
        return _of_instance(value, models)

    return _discriminator(tell, what, field, models)


def _of_instance(value: object, models: Mapping[str, type]) -> str | None:
    # pydantic asks again when it serializes; a list or a number has no branch and must not raise.
    return next((f"<{name}>" for name, model in models.items() if type(value) is model), None)


def _discriminator(tell: Any, what: str, field: str, models: Mapping[str, type]) -> Discriminator:
    return Discriminator(
        tell,
        custom_error_type=UNKNOWN,
        custom_error_message=f"not a {what}",
        custom_error_context={"what": what, "field": field, "names": " ".join(models)},
    )
