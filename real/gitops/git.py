"""A branch of a git repository as files under compare-and-swap, through the `git` program's plumbing.

Nothing is checked out and no index of the user's is touched: a commit is made of objects, and the branch moves only if it is where it was
read (`git update-ref` with the old value). Pushed only to a remote that was named, never by force.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from real.ports.errors import Conflict, Refused, Unavailable, Unclear

__all__ = ["Author", "Branch"]

_LIMIT = 60.0  # seconds for one call of git; a push may take long


@dataclass(frozen=True, slots=True)
class Author:
    """Who commits."""

    name: str = "Seatrial"
    email: str = "seatrial@localhost"


class Branch:
    """One branch of the repository at `place` (a bare one, or one in which another branch is checked out).

    `remote`: where commits are pushed to, and others' are fetched from; '' for nowhere. Raises Refused where it cannot work.
    """

    def __init__(self, place: Path, branch: str, author: Author | None = None, remote: str = "") -> None:
        self.place, self.branch, self.author, self.remote = place, branch, author or Author(), remote
        self._ref = f"refs/heads/{branch}"
        self._files: dict[tuple[str, str], dict[str, str]] = {}
        if self._maybe("rev-parse", "--git-dir") is None:
            raise Refused(f"{place} is no git repository; clone the one that is watched: git clone --bare URL {place}")
        bare = self._git("rev-parse", "--is-bare-repository").strip() == "true"
        if not bare and self._maybe("symbolic-ref", "-q", "HEAD") == f"{self._ref}\n":
            raise Refused(f"branch {branch} is checked out in {place}; use a clone of its own: git clone --bare")
        if not self.head():
            raise Refused(f"there is no branch {branch} in {place}; make its first commit, then try again")

    # ---- reading ----

    def head(self) -> str:
        """The branch's commit; '' if there is no such branch."""
        return (self._maybe("rev-parse", "-q", "--verify", f"{self._ref}^{{commit}}") or "").strip()

    def files(self, commit: str, folder: str) -> dict[str, str]:
        """Texts of the files below a folder at a commit, by path; of YAML and JSON only."""
        if (commit, folder) not in self._files:
            listed = self._git("ls-tree", "-r", "-z", "--name-only", commit, "--", f"{folder}/" if folder else ".")
            names = [name for name in listed.split("\0") if name.endswith((".yaml", ".yml", ".json"))]
            found = {name: self._git("cat-file", "blob", f"{commit}:{name}") for name in names}
            self._files = {(commit, folder): found}  # of the newest commit alone
        return self._files[commit, folder]

    def text(self, commit: str, path: str) -> str | None:
        """One file at a commit; None if it is not there."""
        return self._maybe("cat-file", "blob", f"{commit}:{path}")

    def touched(self, commit: str, path: str) -> str:
        """The last commit that changed a file: its version, which never comes back."""
        return self._git("rev-list", "-1", commit, "--", path).strip()

    def commits(self, commit: str, path: str, line: str) -> list[str]:
        """Commits that changed a file and have this line in their message, newest first."""
        told = self._git("log", "--format=%H%x00%B%x01", commit, "--", path)
        split = [one.strip("\n").split("\0", 1) for one in told.split("\x01") if "\0" in one]
        return [name for name, body in split if line in body.splitlines()]

    # ---- writing ----

    def commit(self, parent: str, changes: Mapping[str, str | None], message: str) -> str:
        """Files with these texts (None: removed) on top of `parent`; returns the new commit, or `parent` if nothing changes.

        Raises Conflict if the branch, here or at the remote, is not at `parent` any more: nothing was changed.
        """
        tree = self._tree(parent, changes)
        if tree == self._git("rev-parse", f"{parent}^{{tree}}").strip():
            return parent
        made = self._git("commit-tree", tree, "-p", parent, "-F", "-", given=message).strip()
        if self._maybe("update-ref", "-m", "seatrial", self._ref, made, parent) is None:
            raise Conflict(f"branch {self.branch} has moved since it was read")
        if self.remote:
            self._push(made, parent)
        return made

    def fetch(self) -> None:
        """Take over what others pushed. Commits of ours that the remote does not have are an error: somebody rewrote the branch."""
        if not self.remote:
            return
        self._far("fetch", "-q", self.remote, self._ref)
        there, here = self._git("rev-parse", "FETCH_HEAD").strip(), self.head()
        if there == here:
            return
        if self._maybe("merge-base", "--is-ancestor", there, here) is not None:
            self._far("push", "-q", self.remote, f"{here}:{self._ref}")  # a push of which nobody knew how it ended
            return
        if self._maybe("merge-base", "--is-ancestor", here, there) is None:
            raise Refused(
                f"branch {self.branch} here has commits that {self.remote} has not; bring them together by hand"
            )
        if self._maybe("update-ref", "-m", "seatrial: fetched", self._ref, there, here) is None:
            raise Conflict(f"branch {self.branch} has moved since it was read")

    def _push(self, made: str, parent: str) -> None:
        try:
            self._far("push", "-q", self.remote, f"{made}:{self._ref}")
        except Unavailable:
            self._maybe("update-ref", self._ref, parent, made)  # as if it had not been made
            raise

    def _tree(self, parent: str, changes: Mapping[str, str | None]) -> str:
        with tempfile.TemporaryDirectory() as place:
            index = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            self._git("read-tree", parent, env=index)
            lines = ""
            for path, text in sorted(changes.items()):
                blob = "" if text is None else self._git("hash-object", "-w", "--stdin", given=text).strip()
                lines += f"100644 {blob}\t{path}\n" if blob else f"0 {'0' * 40}\t{path}\n"
            self._git("update-index", "--index-info", given=lines, env=index)
            return self._git("write-tree", env=index).strip()

    # ---- the program ----

    def _far(self, *words: str) -> None:
        """A call over the network. Rejected: nothing was changed there. No answer in time: perhaps."""
        try:
            done = self._run(words, "", {})
        except subprocess.TimeoutExpired:
            raise Unclear(f"git {words[0]} {self.remote}: no answer in {_LIMIT:.0f} s") from None
        if done.returncode:
            if "[rejected]" in done.stderr or "non-fast-forward" in done.stderr:
                raise Unavailable(f"git {words[0]} {self.remote}: somebody pushed before; it is read again")
            raise Unavailable(f"git {words[0]} {self.remote} failed (exit code {done.returncode})")

    def _git(self, *words: str, given: str = "", env: Mapping[str, str] | None = None) -> str:
        """What git says; it must not fail."""
        done = self._run(words, given, env or {})
        if done.returncode:
            raise Unavailable(f"git {words[0]} in {self.place}: {done.stderr.strip()[:200]}")
        return done.stdout

    def _maybe(self, *words: str) -> str | None:
        """What git says, or None where it fails and that is an answer."""
        done = self._run(words, "", {})
        return None if done.returncode else done.stdout

    def _run(self, words: tuple[str, ...], given: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        who = self.author
        said = {
            "GIT_AUTHOR_NAME": who.name, "GIT_AUTHOR_EMAIL": who.email, "GIT_COMMITTER_NAME": who.name,
            "GIT_COMMITTER_EMAIL": who.email, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
        }  # fmt: skip
        kept = {
            key: value for key, value in os.environ.items() if key not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
        }
        try:
            return subprocess.run(
                ["git", "-C", str(self.place), *words], input=given, capture_output=True, text=True, timeout=_LIMIT, check=False,
                env={**kept, **said, **env},
            )  # fmt: skip
        except FileNotFoundError:
            raise Refused("the program git is not installed; install it: apt-get install git") from None
