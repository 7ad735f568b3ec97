"""What a scenario names by a path: policies (own files, manifests, Python classes) and services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sim.files import Document, FileErrors, Problem, read_document, read_documents, validate
from sim.files.kinds import OWN
from sim.files.words import choose, show
from sim.scenario.authors import is_python
from sim.scenario.policies import PolicyFile, PolicyForm, author
from sim.scenario.reader import reading
from sim.scenario.services import ServiceFile
from sim.scenario.values import NamedPolicy
from sim.service.model import Service

__all__ = [
    "from_class",
    "kind_is",
    "named",
    "policy_at",
    "policy_in",
    "policy_reference",
    "service_at",
    "service_reference",
]


def policy_reference(reference: str) -> NamedPolicy | None:
    """`PATH`, `PATH#name` for one of several in a manifest, `./file.py:Class` or `module:Class`; None after noting what is wrong."""
    if is_python(reference):
        return from_class(reference)
    place, _, name = reference.partition("#")
    path = reading().locate(place)
    return reading().follow(path, lambda found: policy_at(found, name))


def service_reference(reference: str) -> Service | None:
    return reading().follow(reading().locate(reference), service_at)


def from_class(reference: str) -> NamedPolicy:
    """A policy class without fields of its own in the file. Raises Refused."""
    return NamedPolicy(_class_name(reference), author(reference, {}), reference, None, "python")


def policy_at(path: Path, name: str = "") -> NamedPolicy:
    """The policy of an own file, or the one of this name in a manifest or a folder of manifests. Raises FileErrors."""
    documents = [] if path.is_dir() else read_documents(path, defer=True)
    own = next((document for document in documents if document.kind_hint in OWN or _declares(document)), None)
    if own is None:
        return _imported(path, name)
    if len(documents) > 1:
        raise documents[1].errors(
            documents[1].problem((), "a second document", "keep one document in a file of this kind")
        )
    return policy_in(own)


def _declares(document: Document) -> bool:
    return isinstance(document.value, Mapping) and "seatrial" in document.value


def policy_in(document: Document) -> NamedPolicy:
    """The policy of an own document. Raises FileErrors."""
    kind_is(document, "policy")
    form = validate(PolicyFile, document)
    name = form.name or (_class_name(form.python) if form.kind == "python" else Path(document.file).stem)
    return named(form, name, document.file)


def named(form: PolicyForm, name: str, source: str) -> NamedPolicy:
    return NamedPolicy(name, form.made, source, form.replicas if form.said("replicas") else None, form.kind)


def service_at(path: Path) -> Service:
    """The service of a file. Raises FileErrors."""
    document = read_document(path, defer=True)
    kind_is(document, "service")
    form = validate(ServiceFile, document)
    service: Service = form.made
    if not form.said("name") and not form.said("base"):
        return replace(service, name=path.stem)
    return service


def kind_is(document: Document, wanted: str) -> None:
    """Raise FileErrors unless the document says that it is this kind of own file."""
    hint = document.kind_hint
    if hint == wanted:
        return
    value = document.value
    if isinstance(value, Mapping) and "seatrial" in value and hint == "unknown":
        raise document.errors(
            document.problem(("seatrial",), f"unknown kind {show(value['seatrial'])}", choose(value["seatrial"], OWN))
        )
    if not isinstance(value, Mapping):
        raise document.errors(
            document.problem((), f"{show(value)} is not a {wanted}", f"begin with 'seatrial: {wanted}'")
        )
    what = "this file says not what it is" if hint == "unknown" else f"this is a {hint}, not a {wanted}"
    remedy = f"begin with 'seatrial: {wanted}'"
    if wanted == "scenario" and hint not in ("service", "script", "check", "unknown"):  # it holds a policy
        file = document.file
        remedy = f"try it on the default service: seatrial compare {file}; or on a scenario: seatrial run SCENARIO --policy {file}"
    raise document.errors(document.problem(("seatrial",) if hint in OWN else (), what, remedy))


def first_document(path: Path) -> Document:
    """The only document of an own file; of other people's file, which may hold several, the first: to say what it is."""
    documents = read_documents(path, defer=True)
    if len(documents) > 1 and documents[0].kind_hint not in (*OWN, "unknown"):
        return documents[0]
    return read_document(path, defer=True)


def _imported(path: Path, name: str) -> NamedPolicy:
    """A policy of other people's manifests, with the report of its reading."""
    from sim.manifests import load
    from sim.manifests.identity import identity

    imported = load([path])
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.suffix in (".yaml", ".yml", ".json") and file.is_file():
            reading().cover(file.read_bytes())
    ready = [policy for policy in imported.policies if policy.policy is not None and name in ("", policy.name)]
    if len(ready) == 1 and ready[0].policy is not None:
        one = ready[0]
        return NamedPolicy(
            one.name, ready[0].policy, str(path), one.replicas, one.kind, imported.report, one.profile,
            identity(one, imported.objects),
        )  # fmt: skip
    names = [policy.name for policy in imported.policies if policy.policy is not None]
    if len(ready) > 1:
        raise _at_top(
            path, f"holds {len(ready)} policies", f"name one: {path.name}#{names[0]} (there are {', '.join(names)})"
        )
    if name and names:
        raise _at_top(path, f"has no policy {show(name)}", choose(name, names))
    reasons = [
        Problem(
            remark.file,
            remark.line,
            remark.column,
            remark.path,
            f"not yet: {remark.text}",
            "leave it out, or simulate another policy",
        )
        for remark in imported.of("not yet", "rejected")
    ]
    raise (
        FileErrors(reasons)
        if reasons
        else _at_top(path, "holds no policy", "name a file that says 'seatrial: policy', or a Rollout")
    )


def _at_top(path: Path, problem: str, remedy: str) -> FileErrors:
    return FileErrors([Problem(str(path), 1, 1, "", problem, remedy)])


def _class_name(reference: str) -> str:
    return reference.rpartition(":")[2]
