"""Whether policies of other people are read exactly: told in a line, or with --strict refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.cli import console
from sim.files import FileErrors, Problem

if TYPE_CHECKING:
    from sim.scenario import NamedPolicy

__all__ = ["exactness"]


def exactness(policies: Sequence[NamedPolicy], *, strict: bool, quiet: bool) -> None:
    """Say on standard error what is approximated or not read yet. Raises FileErrors for it with `strict`."""
    inexact = [
        (policy, [one for one in policy.report if one.status in ("approximated", "not yet")]) for policy in policies
    ]
    if strict and any(remarks for _, remarks in inexact):
        raise FileErrors(
            Problem(
                one.file,
                one.line,
                one.column,
                one.path,
                f"{one.status}: {one.text}",
                "--strict allows exact readings only",
            )
            for _, remarks in inexact
            for one in remarks
        )
    for policy, remarks in inexact:
        if remarks and not quiet:
            parts = "1 part is" if len(remarks) == 1 else f"{len(remarks)} parts are"
            said = f"{policy.name}: {parts} not read exactly; see: seatrial validate {policy.source}"
            console.err().print(said, style="yellow", soft_wrap=True)
