"""`load` a scenario, `load_policy`, `load_service`, and `assemble` a scenario for policies that come without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sim.faults.flaws import Mode
from sim.faults.presets import condition
from sim.files import Document, FileErrors, Problem, Refused, validate
from sim.files.words import Path as Place
from sim.files.words import choose, show
from sim.pipeline.model import PipelineModel
from sim.policy.errors import SeatrialError
from sim.scenario.authors import is_python
from sim.scenario.conditions import DEFAULT, WrittenFaults, named, release
from sim.scenario.derive import Form
from sim.scenario.digests import sealed
from sim.scenario.fitting import misfits
from sim.scenario.forms import ReleaseForm, ScenarioForm
from sim.scenario.measures import MetricTable
from sim.scenario.policies import PolicyForm
from sim.scenario.reader import Reader
from sim.scenario.references import first_document, from_class, kind_is, policy_at, policy_in, service_at
from sim.scenario.references import named as name_policy
from sim.scenario.values import NamedPolicy, Release, Replications, Scenario
from sim.service.model import Service

__all__ = ["assemble", "load", "load_policy", "load_service"]

T = TypeVar("T")

RUN = 28 * 86_400.0  # seconds: how long a delivery lasts, so how far its faults are worked out


def load(source: Path | str | Document, mode: Mode = "sim") -> Scenario:
    """The scenario of a file (or a document). Raises FileErrors with everything that is wrong with it and with the files it names.

    `mode` 'real': faults may be those that only a cluster can do, and the releases have no simulated effects.
    """
    path = Path(source.file) if isinstance(source, Document) else Path(source)
    reader = Reader()
    with reader.charge(), reader.opened(path):
        document = source if isinstance(source, Document) else first_document(path)
        kind_is(document, "scenario")
        form = _validated(document, reader)
        faults = WrittenFaults(document, mode)
        reader.add(document, *faults.problems)
        scenario = None if form is None else _Building(document, form, faults, reader).scenario(path)
        reader.check()
        assert scenario is not None
        return sealed(scenario, reader.contents)


def load_policy(source: Path | str | Document, *, name: str = "") -> NamedPolicy:
    """The policy of an own file, of a manifest (`PATH#name` for one of several), or of a Python class. Raises FileErrors."""
    if isinstance(source, Document):
        document = source
        return _alone(Path(document.file), lambda path: policy_in(document))
    if isinstance(source, str) and is_python(source):
        with Reader().charge():
            return _class(source)
    place, _, part = str(source).partition("#")
    return _alone(Path(place), lambda path: policy_at(path, name or part))


def load_service(source: Path | str) -> Service:
    """The service of a file. Raises FileErrors."""
    return _alone(Path(source), service_at)


def assemble(
    policies: Iterable[Path | str | NamedPolicy], *, service: Path | str | Service | None = None, releases: Sequence[str] = DEFAULT,
    seed: int = 1, replications: Replications | None = None, name: str = "compare", question: str = "",
) -> Scenario:  # fmt: skip
    """A scenario for policies without one: the named conditions, and the default service unless one is given. Raises FileErrors."""
    reader = Reader()
    with reader.charge():
        found = [_taken(reader, policy) for policy in policies]
        ready = _apart([policy for policy in found if policy is not None])
        own = (
            service
            if isinstance(service, Service)
            else None
            if service is None
            else reader.follow(Path(service), service_at)
        )
        world = own or Service()
        table = MetricTable()
        for policy in ready:
            reader.problems += misfits(policy, table, world, None)
        reader.check()
        conditions = tuple(named(one, world, seed) for one in releases)
        scenario = Scenario(
            name, question, world, ready, conditions, table, replications or Replications(), seed, default_service=service is None
        )  # fmt: skip
        return sealed(scenario, reader.contents)


def _taken(reader: Reader, policy: Path | str | NamedPolicy) -> NamedPolicy | None:
    if isinstance(policy, NamedPolicy):
        return policy
    if isinstance(policy, str) and is_python(policy):
        return _class(policy)
    place, _, part = str(policy).partition("#")
    return reader.follow(Path(place), lambda path: policy_at(path, part))


def _class(reference: str) -> NamedPolicy:
    """A policy class named on the command line."""
    try:
        return from_class(reference)
    except Refused as refused:
        raise FileErrors([Problem(reference, 1, 1, "", refused.problem, refused.remedy)]) from None


def _apart(policies: list[NamedPolicy]) -> tuple[NamedPolicy, ...]:
    """Different names for all."""
    taken: dict[str, NamedPolicy] = {}
    for policy in policies:
        name, number = policy.name, 2
        while name in taken:
            name, number = f"{policy.name}-{number}", number + 1
        taken[name] = policy.named(name)
    return tuple(taken.values())


def _alone(path: Path, read: Callable[[Path], T]) -> T:
    """Read one file and what it names."""
    reader = Reader()
    with reader.charge():
        found = reader.follow(path, read)
        reader.check()
        assert found is not None
        return found


def _validated(document: Document, reader: Reader) -> ScenarioForm | None:
    try:
        return validate(ScenarioForm, document)
    except FileErrors as errors:
        reader.take(errors)
        return None


class _Building:
    """From a valid form to the scenario; what does not fit together is noted with the reader."""

    def __init__(self, document: Document, form: ScenarioForm, faults: WrittenFaults, reader: Reader) -> None:
        self._document, self._form, self._faults, self._reader = document, form, faults, reader

    def scenario(self, path: Path) -> Scenario:
        form = self._form
        service = self._service()
        policies = self._policies()
        lasting = replace(service, horizon=max(service.horizon, RUN)) if self._delivers else service
        releases = tuple(found for one in self._written() if (found := self._release(*one, lasting)) is not None)
        table = MetricTable(form.table())
        for at, policy in policies:
            self._reader.problems += misfits(policy, table, service, self._document.problem(at, "", ""))
        budgets = tuple(budget.made for budget in form.budgets)
        expectations = tuple(expectation.made for expectation in form.expect)
        self._names([policy.name for _, policy in policies], [name for name, _, _ in self._written()])
        pipeline, changes = self._delivery()
        self._measures(pipeline is not None)
        replications = form.replications.made if isinstance(form.replications, Form) else form.replications
        return Scenario(
            form.name or path.stem, form.question, service, tuple(policy for _, policy in policies), releases, table,
            replications if isinstance(replications, Replications) else Replications(), form.seed, budgets, expectations, pipeline, changes,
            file=path, default_service=not form.said("service"),
        )  # fmt: skip

    def _service(self) -> Service:
        form = self._form
        given = form.service if form.said("service") else Service()
        service: Service = given.made if isinstance(given, Form) else given or Service()
        changes: dict[str, Any] = {}
        if form.said("people"):
            changes["people"] = form.people.upon(service.people)  # type: ignore[attr-defined]
        if form.said("horizon"):
            changes["horizon"] = form.horizon
        return replace(service, **changes)

    def _policies(self) -> list[tuple[Place, NamedPolicy]]:
        form = self._form
        if form.said("policies"):
            written: list[tuple[Place, str, Any]] = [
                (("policies", name), name, one) for name, one in form.policies.items()
            ]
        else:
            written = [(("policy",), "", form.policy)]
        return [(at, self._policy(name, one)) for at, name, one in written if one is not None]

    def _policy(self, name: str, one: NamedPolicy | PolicyForm) -> NamedPolicy:
        if isinstance(one, PolicyForm):
            return name_policy(one, name or one.name or one.kind, self._document.file)
        return one.named(name) if name else one

    def _written(self) -> list[tuple[str, Place, ReleaseForm]]:
        """(name, place, form) of every release; the default ones where there are none."""
        form = self._form
        if form.said("releases"):
            return [(name, ("releases", name), one) for name, one in form.releases.items()]
        if self._delivers:  # which changes are bad is said under commits
            return [("as-it-comes", (), ReleaseForm())]
        return [(name, (), ReleaseForm(preset=name)) for name in DEFAULT]

    def _release(self, name: str, at: Place, form: ReleaseForm, service: Service) -> Release | None:
        own, around = self._faults.of.get(name, ()) if at else (), self._faults.everywhere
        bad = form.bad if form.said("bad") else None
        try:
            preset = condition(form.preset, form.release)
            mode, seed, said = self._faults.mode, self._form.seed, form.description
            return release(name, preset, own, around, service, seed, bad=bad, description=said, mode=mode)
        except SeatrialError as error:
            problem, _, remedy = str(error).rpartition("; ")
            self._reader.add(self._document, self._document.problem(at, problem or str(error), remedy, key=True))
            return None

    @property
    def _delivers(self) -> bool:
        """Whether commits go through a pipeline."""
        return bool(self._form.said("pipeline") or self._form.said("commits"))

    def _delivery(self) -> tuple[PipelineModel | None, Any]:
        form = self._form
        if not self._delivers:
            return None, None
        if len(self._written()) > 1:
            names = ", ".join(name for name, _, _ in self._written())
            remedy = "name one; which changes are bad is said under commits"
            self._reader.add(
                self._document,
                self._document.problem(
                    ("releases",), f"a delivery has one stream of commits, got {names}", remedy, key=True
                ),
            )
        model: PipelineModel = form.pipeline.made if form.said("pipeline") else PipelineModel()
        if not form.said("commits"):
            return model, None
        commits, changes = form.commits.made
        return replace(model, commits=commits), changes

    def _names(self, policies: list[str], releases: list[str]) -> None:
        """Budgets and expectations may only name what is there."""
        form = self._form
        for index, budget in enumerate(form.budgets):
            for key, names, known in (
                ("policy", budget.made.policies, policies),
                ("release", budget.made.releases, releases),
            ):
                for name in names:
                    self._known(("budgets", index, "when", key), key, name, known)
        for index, expectation in enumerate(form.expect):
            for key, name, known in (
                ("policy", expectation.policy, policies),
                ("release", expectation.release, releases),
            ):
                if name:
                    self._known(("expect", index, key), key, name, known)

    def _measures(self, delivered: bool) -> None:
        """Budgets and expectations are about what the run measures: deliveries, or rollouts."""
        from sim.results.delivery import MEASURES as DELIVERED
        from sim.results.measures import ALIASES, MEASURES

        known = list(DELIVERED if delivered else (*MEASURES, *ALIASES))
        what = "measure of a delivery" if delivered else "measure of rollouts without a pipeline"
        for part in ("budgets", "expect"):
            for index, one in enumerate(getattr(self._form, part)):
                name = one.measure if delivered else one.measure.partition(".")[0]
                self._known((part, index, "measure"), what, name, known)

    def _known(self, at: Place, what: str, name: str, known: list[str]) -> None:
        if name not in known:
            self._reader.add(
                self._document, self._document.problem(at, f"there is no {what} {show(name)}", choose(name, known))
            )
