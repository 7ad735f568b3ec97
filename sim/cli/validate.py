"""`seatrial validate`: check files of every kind, ours and other people's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import console, exits, options
from sim.cli.guard import problem_document
from sim.files import Document, FileErrors, Problem, read_documents
from sim.files.kinds import OWN
from sim.files.source import STDIN, standard_input

if TYPE_CHECKING:
    from sim.manifests.report import Imported, Remark

app = options.application()

_FILES = typer.Argument(metavar="FILE...", help="Files or folders; '-' for standard input.", show_default=False)
_FIELDS = typer.Option("--fields", help="How every field of a manifest was read, not only what is notable.")
_VALIDATED = tuple(kind for kind in OWN if kind != "check")
_ENDINGS = (".yaml", ".yml", ".json")
_SHOWN = 20  # remarks of one file that are printed


@dataclass(slots=True)
class Checked:
    """One file: what it is, and what there is to say about it."""

    file: str
    kinds: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    fields: list[Remark] = field(default_factory=list)
    about: str = ""

    def document(self) -> dict[str, Any]:
        return {
            "file": self.file, "kinds": self.kinds, "ok": not self.problems, "about": self.about,
            "problems": [problem_document(problem) for problem in self.problems],
            "remarks": [_remark(one) for one in self.remarks],
            **({"fields": [_remark(one) for one in self.fields]} if self.fields else {}),
        }  # fmt: skip


def _remark(one: Remark) -> dict[str, Any]:
    return {"line": one.line, "column": one.column, "path": one.path, "status": one.status, "text": one.text}


@app.command(epilog="Exit codes: 0 valid (also when something is not read yet), 2 there are errors.")
def validate(
    files: Annotated[list[str], _FILES],
    strict: options.Strict = False,
    profile: options.Profile = None,
    part: options.Part = "",
    fields: Annotated[bool, _FIELDS] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Check FILES by content: scenarios, policies, services and scripts of ours; manifests of Argo Rollouts, Flagger, Kubernetes,
    OpenKruise and Docker Swarm (Compose); pipelines of Spinnaker and canary configs of Kayenta.

    All manifests together are one set, so that references between them resolve. For each object it says whether it is
    read exactly, nearly, or not yet; errors come all at once, with their place and a remedy.
    """
    checking = _Checking(profile, part, fields)
    found = checking.run(files)
    if strict:
        _make_strict(found)
    bad = [problem for one in found.values() for problem in one.problems]
    if json:
        console.document({"ok": not bad, "files": [one.document() for one in found.values()]})
    else:
        _show(list(found.values()), bad, checking.sources, quiet=quiet)
    raise typer.Exit(exits.USAGE if bad else exits.DONE)


class _Checking:
    """Reads every file once, sorts it by what it is, and collects what is said about it."""

    def __init__(self, profile: str | None, part: str, fields: bool) -> None:
        self._profile, self._part, self._fields = profile, part, fields
        self.found: dict[str, Checked] = {}
        self.sources: dict[str, str] = {}

    def run(self, files: list[str]) -> dict[str, Checked]:
        manifests: list[Document] = []
        for name in dict.fromkeys(place for file in files for place in _places(file)):
            one = self.found.setdefault(name, Checked(name))
            documents = self._try(lambda name=name: _checked(name, _read(name))) or []  # type: ignore[misc]
            for document in documents:
                one.kinds.append(document.kind_hint)
                if document.kind_hint in OWN or (isinstance(document.value, dict) and "seatrial" in document.value):
                    self._own(document, one)
                else:
                    manifests.append(document)
        if manifests:
            self._manifests(manifests)
        return self.found

    def _own(self, document: Document, one: Checked) -> None:
        if document.kind_hint == "check":
            from sim.manifests.report import Remark

            one.remarks.append(Remark(one.file, 1, 1, "", "not yet", "a file of checks"))
            return
        about = self._try(lambda: _check(document))
        if about is not None:
            one.about = about

    def _manifests(self, documents: list[Document]) -> None:
        from sim.manifests import load

        imported: Imported | None = self._try(lambda: load(documents, profile=self._profile, part=self._part))
        for remark in imported.report if imported is not None else ():
            self.found.setdefault(remark.file, Checked(remark.file)).remarks.append(remark)
        for one in imported.fields if imported is not None and self._fields else ():
            self.found[one.file].fields.append(one)

    def _try(self, read: Callable[[], Any]) -> Any:
        """What `read` gives, or None after noting the problems with their files."""
        try:
            return read()
        except FileErrors as errors:
            for problem in errors.problems:
                one = self.found.setdefault(problem.file, Checked(problem.file))
                if problem not in one.problems:
                    one.problems.append(problem)
            self.sources |= errors.sources
            return None


def _places(file: str) -> Iterator[str]:
    path = Path(file)
    if file != "-" and path.is_dir():
        inside = sorted(one for one in path.rglob("*") if one.suffix in _ENDINGS and one.is_file())
        yield from (str(one) for one in inside if not any(part.startswith(".") for part in one.relative_to(path).parts))
    else:
        yield STDIN if file == "-" else file


def _read(name: str) -> list[Document]:
    """What the file holds. Faults of writing wait only for what `validate` will say of our own files."""
    if name == STDIN:
        documents = read_documents(standard_input(), name, defer=True)
    else:
        documents = read_documents(Path(name), defer=True)
    if any(document.faults and document.kind_hint not in _VALIDATED for document in documents):
        raise documents[0].errors()
    return documents


def _checked(name: str, documents: list[Document]) -> list[Document]:
    """The documents, if the file holds something that can be told. Raises FileErrors."""
    if not documents:
        raise FileErrors(
            [Problem(name, 1, 1, "", "holds no value", f"begin with 'seatrial: {OWN[0]}', or write a manifest")]
        )
    own = [document for document in documents if document.kind_hint in OWN]
    if own and len(documents) > 1:
        raise documents[1].errors(
            documents[1].problem((), "a second document", "keep one document in a file of this kind")
        )
    for document in documents:
        value = document.value
        if not isinstance(value, dict) and not (
            isinstance(value, list) and any(isinstance(item, dict) for item in value)
        ):
            raise document.errors(
                document.problem((), "neither a file of ours nor a manifest", f"begin with 'seatrial: {OWN[0]}'")
            )
    return documents


def _check(document: Document) -> str:
    """Read a file of ours with everything that it names; a line about what it is."""
    from sim import scenario as room

    match document.kind_hint:
        case "scenario":
            made = room.load(document)
            sizes = f"{_count(len(made.policies), 'policy', 'policies')}, {_count(len(made.releases), 'release', 'releases')}"
            return f"{made.name}: {sizes}; digest {made.digest[:16]}"
        case "policy":
            policy = room.load_policy(document)
            return f"{policy.name}: {policy.kind}"
        case "service":
            service = room.load_service(Path(document.file))
            return f"{service.name}: {service.traffic.rate(0.0):,.4g} requests/s, {service.pods.count} pods"
        case "script":
            script = room.load_script(document)
            return f"{_count(len(script.measurements), 'metric', 'metrics')}, {_count(len(script.events), 'event', 'events')}"
    from sim.scenario.references import kind_is

    kind_is(document, "scenario")
    return ""


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _make_strict(found: dict[str, Checked]) -> None:
    """What is not read exactly becomes an error."""
    for one in found.values():
        for remark in one.remarks:
            if remark.status in ("approximated", "not yet"):
                said = f"{remark.status}: {remark.text}"
                one.problems.append(
                    Problem(
                        one.file, remark.line, remark.column, remark.path, said, "--strict allows exact readings only"
                    )
                )


_MARKS = {"approximated": "yellow", "not yet": "yellow", "rejected": "red"}


def _show(found: list[Checked], bad: list[Problem], known: dict[str, str], *, quiet: bool) -> None:
    for one in found:
        if one.problems or not quiet:
            _file(one)
    if bad:
        console.err().print(FileErrors(bad, _texts(bad, known)).render(), soft_wrap=True)
    files = _count(len(found), "file", "files")
    if bad:
        console.err().print(f"{files}, {_count(len(bad), 'problem', 'problems')}", style="bold red")
    elif not quiet:
        console.line(f"{files}, no problems", "bold green")
        console.pairs(*(("next", text) for text in _following(found)))


def _texts(bad: list[Problem], known: dict[str, str]) -> dict[str, str]:
    """The text of files, for the lines with carets."""
    texts = dict(known)
    for name in {problem.file for problem in bad} - set(texts):
        try:
            texts[name] = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return texts


def _file(one: Checked) -> None:
    mark, style = ("✗", "bold red") if one.problems else ("✓", "green")
    kinds = ", ".join(
        f"{number} x {kind}" if number > 1 else kind for kind, number in Counter(map(_kind, one.kinds)).items()
    )
    parts = [
        (f"{mark} ", style),
        (one.file, "bold"),
        (f"  {kinds}", "cyan"),
        (f"  {one.about or _reading(one)}", "dim"),
    ]
    console.out().print(console.styled(*parts), soft_wrap=True)
    if one.fields:
        for remark in one.fields:
            _line(remark)
        return
    told = [remark for remark in one.remarks if remark.status in _MARKS]
    for remark in told[:_SHOWN]:
        _line(remark)
    if len(told) > _SHOWN:
        console.line(f"    and {len(told) - _SHOWN} more (--json lists all)", "dim")


def _line(remark: Remark) -> None:
    where = f"{remark.line}:{remark.column} {remark.path}".strip()
    style = _MARKS.get(remark.status, "dim")
    said = console.styled((f"    {remark.status:<13}", style), (where, ""), (f"  {remark.text}", "dim"))
    console.out().print(said, soft_wrap=True)


def _reading(one: Checked) -> str:
    """How a manifest was read, in a word."""
    counts = Counter[str](remark.status for remark in one.remarks)
    exact = "read exactly" if counts["exact"] and not any(counts[status] for status in _MARKS) else ""
    kept = (
        f"{_count(counts['ignored'], 'part', 'parts')} kept, without meaning for a rollout" if counts["ignored"] else ""
    )
    return "; ".join(filter(None, (exact, kept)))


def _kind(hint: str) -> str:
    return hint.rpartition("/")[2] if hint.startswith("kubernetes:") else hint


def _following(found: list[Checked]) -> list[str]:
    for one in (one for one in found if one.file != STDIN):
        if "scenario" in one.kinds:
            return [f"seatrial run {one.file}"]
        if "policy" in one.kinds or any(_kind(kind) in ("Rollout", "Canary", "Deployment") for kind in one.kinds):
            return [f"seatrial plan {one.file}"]
    return []
