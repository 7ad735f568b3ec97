"""A real history as changes: read from a git repository through the git program.

Only times, sizes and hashes are taken; authors are hashed. Paths and messages are never read into a change, nor into
the digest (contracts.md section 1). Which changes were bad is not in a history: see `sim.pipeline.commits.mark`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from sim.pipeline.commits import Change
from sim.policy.errors import WorldError

Moment = int | str
"""Seconds since 1970, or ISO 8601; without an offset it is UTC, whatever the machine's time zone."""

# What the person's own git configuration must not change about sizes.
_FIXED = (
    "--no-pager", "--no-replace-objects", "-c", "log.showSignature=false", "-c", "log.showRoot=true",
    "-c", "diff.algorithm=myers", "-c", "diff.renameLimit=1000", "-c", "diff.ignoreSubmodules=none",
)  # fmt: skip
_NUMBERS = ("--numstat", "--find-renames=50%", "--no-ext-diff", "--no-textconv", "--no-color")


def read_history(
    path: str | os.PathLike[str],
    *,
    limit: int | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    merges: bool = False,
) -> tuple[Change, ...]:
    """The commits reachable from HEAD of the repository at ``path``, oldest first, numbered from 1.

    ``at`` is seconds after the first commit taken; nights and weekends stay as they were. ``size`` is insertions plus
    deletions, binary files count 0. ``since`` <= commit time < ``until``; of what is left the newest ``limit``.
    Merges are skipped unless asked for, and then have size 0. Errors: WorldError when there is no git, no repository,
    a shallow one, or nothing to read.
    """
    if limit is not None and limit < 1:
        raise WorldError(f"limit must be at least 1, got {limit}")
    root = Path(path)
    if not root.is_dir():
        raise WorldError(f"{root} is no folder; give the top folder of a git repository")
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise WorldError(f"{root} is a shallow clone, whose oldest commit looks huge; run: git fetch --unshallow")
    start, end = _epoch(since), _epoch(until)
    times = [
        (hash, at)
        for hash, at in _times(root, merges)
        if (start is None or at >= start) and (end is None or at < end)
    ]  # fmt: skip
    if not times:
        raise WorldError(f"{root} has no commits to read; widen since and until, or commit something first")
    # Newest first from git; sorting is stable, so commits of one second keep the order of the history.
    times.reverse()
    times.sort(key=lambda entry: entry[1])
    taken = times[-limit:] if limit is not None else times
    details = dict(_details(root, [hash for hash, _ in taken]))
    return tuple(
        Change(number, float(at - taken[0][1]), size, author, files=files, source=hash.decode())
        for number, (hash, at) in enumerate(taken, start=1)
        for size, files, author in [details[hash]]
    )


def shorten(changes: Sequence[Change], *, longest: float) -> tuple[tuple[Change, ...], float]:
    """The changes with no gap longer than ``longest`` seconds, and how many seconds that cut out: tell the reader."""
    if not longest > 0:
        raise WorldError(f"the longest gap must be above 0, got {longest}")
    cut, before, shortened = 0.0, 0.0, []
    for change in changes:
        cut += max(0.0, change.at - before - longest)
        before = change.at
        shortened.append(replace(change, at=change.at - cut))
    return tuple(shortened), cut


def digest(changes: Sequence[Change]) -> str:
    """A digest over commit hashes and the extracted rows; equal for equal histories wherever they lie on disk."""
    hasher = blake2b(digest_size=16)
    for change in changes:
        hasher.update(f"{change.source} {change.at:.0f} {change.size} {change.files} {change.author}\n".encode())
    return hasher.hexdigest()


def _times(root: Path, merges: bool) -> Iterator[tuple[bytes, int]]:
    """Hash and commit time of every commit, newest first."""
    # The window is cut by the caller: git's own --since stops early where a clock ran backwards.
    if not _git(root, "rev-list", "--all", "--max-count=1").strip():
        return
    for line in _git(root, "log", "--format=%H %ct", *(() if merges else ("--no-merges",)), "HEAD").splitlines():
        hash, at = line.split()
        yield hash, int(at)


def _details(root: Path, hashes: Sequence[bytes]) -> Iterator[tuple[bytes, tuple[int, int, str]]]:
    """Size, number of files and hashed author of each commit."""
    text = _git(
        root,
        "log",
        "--no-walk=unsorted",
        "--stdin",
        "--format=%x1e%H%x1f%ae",
        *_NUMBERS,
        stdin=b"\n".join(hashes) + b"\n",
    )
    for record in text.split(b"\x1e")[1:]:
        head, _, rest = record.partition(b"\n")
        hash, _, author = head.partition(b"\x1f")
        counts = [line.split(b"\t", 2)[:2] for line in rest.splitlines() if line]
        size = sum(int(count) for pair in counts for count in pair if count != b"-")
        yield hash, (size, len(counts), blake2b(author, digest_size=8).hexdigest())


def _git(root: Path, *words: str, stdin: bytes = b"") -> bytes:
    # Variables such as GIT_DIR would point elsewhere; the ceiling keeps git from finding a repository above PATH.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"LC_ALL": "C", "TZ": "UTC", "GIT_CEILING_DIRECTORIES": str(root.resolve().parent)}
    try:
        command = ["git", *_FIXED, "-C", str(root), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, env=env, check=False)
    except FileNotFoundError:
        raise WorldError("git is not installed; install it, or use synthetic commits") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit code {done.returncode}"
        raise WorldError(f"{root} cannot be read as a git repository: {reason}; give the top folder of one")
    return done.stdout


def _epoch(moment: Moment | None) -> int | None:
    if moment is None or isinstance(moment, int):
        return moment
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise WorldError(f"a moment is ISO 8601 (2024-05-01) or seconds since 1970, got {moment!r}") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
