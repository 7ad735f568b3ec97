"""A plain registry behind the port: the distribution API and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from real.registry.distribution import Distribution
from real.registry.errors import ArtifactMissing, RegistryError
from real.registry.image import Image, complete, push
from real.registry.port import Finding, Planned
from real.registry.reference import Pinned

ROLLBACK = "rollback image"
EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class PlainRegistry:
    """`host`: the name by which the nodes know it, where that differs from ours."""

    distribution: Distribution
    host: str = ""

    def resolve(self, repository: str, tag: str) -> Pinned:
        return self._pinned(repository, self.distribution.resolve(repository, tag))

    def push(self, repository: str, image: Image, tag: str) -> Pinned:
        return self._pinned(repository, push(self.distribution, repository, image, tag))

    def preflight(self, rollback: Pinned, planned: Planned) -> tuple[Finding, ...]:
        return tuple(pull_and_push(self.distribution, rollback, planned))

    def still(self, rollback: Pinned) -> Finding:
        def look() -> str:
            return f"{self.distribution.manifest(rollback.repository, rollback.digest).digest} can be pulled"

        return attempt(ROLLBACK, look)

    def await_(self, image: Pinned, limit_s: float) -> None:
        registry, last = self.distribution, list[ArtifactMissing]()

        def look() -> bool | None:
            try:
                return bool(registry.manifest(image.repository, image.digest))
            except ArtifactMissing as error:
                last[:] = [error]
                return None

        if registry.wire.patience.until(look, limit_s, EVERY_S) is None:
            raise last[0]

    def _pinned(self, repository: str, digest: str) -> Pinned:
        return Pinned(self.host or self.distribution.wire.host, repository, digest)


def pull_and_push(registry: Distribution, rollback: Pinned, planned: Planned) -> Iterator[Finding]:
    """What every registry can be asked: the old image is whole and may be pulled; the new one may be pushed."""

    def pull() -> str:
        found = complete(registry, rollback.repository, rollback.digest, planned.platform)
        return f"{rollback.digest} can be pulled whole ({found.media_type})"

    yield attempt(ROLLBACK, pull)

    def store() -> str:
        registry.may_push(rollback.repository)
        return "the account may push"

    if planned.tag is not None:
        yield attempt("push", store)


def attempt(check: str, act: Callable[[], str]) -> Finding:
    """A finding from something that raises a RegistryError where it cannot be done."""
    try:
        return Finding(check, "ok", act())
    except RegistryError as error:
        return Finding(check, "refuse", f"{type(error).__name__}: {error.problem}", error.remedy)
