"""One rollout, without statistics: a policy against a script (`trace`), and a recorded rollout again (`replay`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.files import Document, FileErrors, Problem, read_documents
from sim.files.source import STDIN, standard_input
from sim.files.words import choose, show
from sim.journal import Journal, Mismatch
from sim.journal import replay as feed
from sim.policy.errors import HistoryError
from sim.scenario import NamedPolicy, load, load_policy, load_script
from sim.scenario.authors import is_python
from sim.tracing.run import Trace
from sim.tracing.run import trace as run_trace

__all__ = ["choices", "found", "own", "recorded", "replay", "trace"]

Place = str | Path


def trace(paths: Place | Sequence[Place], script: Place, *, profile: str | None = None, name: str = "") -> Trace:
    """`sim.trace`: the policy of these files (a folder, several files, '-') against a script. Raises FileErrors, all at once.

    `name` chooses one of several policies; `profile` a version of a system, such as argo-rollouts@1.8.
    """
    places = [paths] if isinstance(paths, str | Path) else list(paths)
    policy, answers, problems, sources = None, None, list[Problem](), dict[str, str]()
    try:
        policy = found(places, profile=profile, name=name)
    except FileErrors as errors:
        problems, sources = [*errors.problems], errors.sources
    try:
        answers = load_script(script)
    except FileErrors as errors:
        problems, sources = [*problems, *errors.problems], sources | errors.sources
    if policy is None or answers is None:
        raise FileErrors(problems, sources)
    return run_trace(policy.policy, answers, replicas=policy.replicas or 1, name=policy.name, profile=policy.profile)


def found(places: Sequence[Place], *, profile: str | None = None, name: str = "") -> NamedPolicy:
    """The policy of a set of files: one of ours, or that of manifests. Raises FileErrors."""
    policies = choices(places, profile=profile)
    ready = [policy for policy in policies if name in ("", policy.name)]
    if len(ready) == 1:
        return ready[0]
    names = [policy.name for policy in policies]
    if ready:
        raise _problem(places, f"{len(ready)} policies: {', '.join(names)}", f"name one: --name {names[0]}")
    raise _problem(places, f"no policy {show(name)}", choose(name, names))


def choices(places: Sequence[Place], *, profile: str | None = None) -> list[NamedPolicy]:
    """Every policy of a set of files. Raises FileErrors."""
    if len(places) == 1 and is_python(str(places[0])):
        return [load_policy(str(places[0]))]
    documents = own(places)
    return [load_policy(document) for document in documents] if documents else _imported(places, profile)


def own(places: Sequence[Place]) -> list[Document]:
    """Policies in our own form among the files; none when the files hold manifests only, or cannot be read (the import tells)."""
    documents: list[Document] = []
    for place in places:
        if place != "-" and not Path(place).is_dir():
            try:
                documents += [document for document in read_documents(Path(place)) if document.kind_hint == "policy"]
            except FileErrors:
                continue
    return documents


def _imported(places: Sequence[Place], profile: str | None) -> list[NamedPolicy]:
    from sim.manifests import load as load_manifests

    sources = _stdin() if list(places) == ["-"] else list(places)
    imported = load_manifests(sources, profile=profile)
    ready = [
        NamedPolicy(one.name, one.policy, one.source, one.replicas, one.kind, imported.report, one.profile)
        for one in imported.policies
        if one.policy is not None
    ]
    if ready:
        return ready
    reasons = [
        Problem(
            remark.file,
            remark.line,
            remark.column,
            remark.path,
            f"not yet: {remark.text}",
            "this policy cannot run yet",
        )
        for remark in imported.of("not yet", "rejected")
    ]
    raise (
        FileErrors(reasons)
        if reasons
        else _problem(places, "no policy", "name a Rollout, a Deployment or a 'seatrial: policy'")
    )


def _stdin() -> list[Document]:
    return read_documents(standard_input(), STDIN)


def _problem(places: Sequence[Place], problem: str, remedy: str) -> FileErrors:
    return FileErrors([Problem(str(places[0]), 1, 1, "", problem, remedy)])


# ---- journals ----


def replay(journal: Place | Journal, policy: Place | NamedPolicy | None = None) -> Mismatch | None:
    """`sim.replay`: feed a recorded rollout to a policy; None if it asks for the same, else the first difference.

    Without `policy` it is the one that the journal names. Raises HistoryError and FileErrors.
    """
    story = journal if isinstance(journal, Journal) else Journal.read(Path(journal))
    return feed(recorded(story, policy).policy, story)


def recorded(journal: Journal, policy: Place | NamedPolicy | None = None) -> NamedPolicy:
    """The policy that is asked for, else the one of the journal: a file, or a name in the scenario that it was recorded from."""
    if isinstance(policy, NamedPolicy):
        return policy
    if policy is not None:
        return load_policy(policy)
    scenario, name, source = (journal.about.get(key) for key in ("scenario", "policy", "source"))
    if isinstance(scenario, str) and Path(scenario).is_file():
        try:
            return load(scenario, "real" if "run" in journal.about else "sim").policy(str(name))
        except KeyError:
            pass
    if isinstance(source, str) and source and source != scenario:
        return load_policy(source)
    told = f"is of {name} in {scenario}, which is not here" if scenario else "does not say which policy it is of"
    raise HistoryError(f"the journal {told}; name the policy: --policy FILE")
