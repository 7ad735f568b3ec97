"""The folder of a recorded run: written line by line while it is driven, read by `seatrial replay` and `compare --real`. See README.md.

Every line of the journal is on disk (fsync) before the next thing is done. What is read afterwards holds no secret: lines pass the
redaction, and no path or host is in them.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from real.driver.log import Act
from real.driver.plan import Ending
from real.driver.redaction import Redaction
from real.ports.errors import Refused
from sim.journal import Journal, entry_line, head_line
from sim.policy.rollout import Entry
from sim.results.recorded import FORMAT, Tally

__all__ = ["Folder"]


_TAKEN = "{0} holds a run already; choose another folder, or: seatrial real status {0}"


class Folder:
    """A `Log` on disk. `Folder.created` begins a run, `Folder.opened` is one that exists (resume, recover, halt, status)."""

    def __init__(self, path: Path, redaction: Redaction) -> None:
        self.path, self.redaction = path, redaction
        self._journal = os.open(path / "journal.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)

    @classmethod
    def created(cls, path: Path, about: Mapping[str, Any], redaction: Redaction | None = None) -> Folder:
        """A new folder; Refused if there is a run in it already."""
        redaction = redaction or Redaction()
        cls.vacant(path)
        path.mkdir(parents=True, exist_ok=True)
        try:
            with (path / "run.json").open("x", encoding="utf-8") as file:
                file.write(redaction(json.dumps({"seatrial": "real-run", "format": FORMAT, **about}, indent=1)) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:  # somebody was faster
            raise Refused(_TAKEN.format(path)) from None
        folder = cls(path, redaction)
        folder.hold()
        folder._line(head_line(dict(about)))
        _sync(path)
        return folder

    @staticmethod
    def vacant(path: Path) -> None:
        """Refused if there is a run in the folder already: looked at before anything is made for a new one."""
        if (path / "run.json").exists():
            raise Refused(_TAKEN.format(path))

    @classmethod
    def opened(cls, path: Path, redaction: Redaction | None = None) -> Folder:
        """A run that exists. A torn last line is cut off, so that what follows begins on a line of its own."""
        if not (path / "run.json").is_file():
            raise Refused(f"{path} holds no recorded run; name the folder that seatrial real run wrote")
        folder = cls(path, redaction or Redaction())
        data = (path / "journal.jsonl").read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path / "journal.jsonl", whole)
        if not whole:  # it died before it said what it was
            folder._line(head_line({k: v for k, v in folder.about().items() if k not in ("seatrial", "format")}))
        return folder

    def hold(self) -> None:
        """Be the one that drives from here, until this process closes the folder or dies. Refused while another one does."""
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"{self.path} is being driven by another process; only one drives at a time") from None

    def close(self) -> None:
        os.close(self._journal)

    # ---- the journal ----

    def entry(self, entry: Entry) -> None:
        self._line(entry_line(entry))

    def act(self, act: Act) -> None:
        self._line(json.dumps(act, separators=(",", ":"), allow_nan=False))

    def redact(self, text: str) -> str:
        return self.redaction(text)

    def halted(self) -> str:
        try:
            return (self.path / "halt").read_text(encoding="utf-8").strip() or "halted"
        except FileNotFoundError:
            return ""

    def halt(self, reason: str) -> None:
        """From now on the run only restores. It cannot be taken back for the same run."""
        (self.path / "halt").write_text(reason + "\n", encoding="utf-8")
        _sync(self.path)

    def journal(self) -> Journal:
        return Journal.read(self.path)

    # ---- beside it ----

    def about(self) -> dict[str, Any]:
        return dict(json.loads((self.path / "run.json").read_text(encoding="utf-8")))

    def tallies(self, tallies: Iterable[Tally]) -> None:
        """Append what the load generator counted."""
        with (self.path / "load.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(tally.line() + "\n" for tally in tallies)

    def finish(self, ending: Ending) -> None:
        """Say in run.json how it ended."""
        said = {
            "state": ending.state,
            "outcome": ending.outcome,
            "reason": ending.reason,
            "interrupted": ending.interrupted,
        }
        text = self.redaction(json.dumps(self.about() | {"ended": said}, indent=1)) + "\n"
        new = self.path / "run.json.new"
        new.write_text(text, encoding="utf-8")
        new.replace(self.path / "run.json")
        _sync(self.path)

    def _line(self, line: str) -> None:
        data = (self.redaction(line) + "\n").encode()
        while data:
            data = data[os.write(self._journal, data) :]
        os.fsync(self._journal)


def _sync(path: Path) -> None:
    """A new name in a folder is on disk once the folder is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
