"""A generator in a process of its own, so that it keeps its time while the driver works; it ends when we do, however that comes."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from real.load.channel import Channel
from real.load.demand import Rules
from real.load.generator import Plan
from real.load.plans import told
from real.load.truth import Truth
from real.ports.errors import Gone

__all__ = ["Load"]


class Load:
    """Load that has started; the counts are in `path`, written anew every second."""

    def __init__(self, plan: Plan, path: Path) -> None:
        self.path = path
        # A session of its own: Ctrl-C is for the driver, and users go on while it restores.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "real.load", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._write(told(plan))
        self.channel = Channel(plan.traffic, plan.segments, self._tell, self.truth)

    def _tell(self, rules: Rules) -> None:
        gone = not self.running
        try:
            if not gone:
                self._write(rules)
        except OSError:
            gone = True
        if gone:
            raise Gone("the load generator has ended")

    def _write(self, document: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()

    def truth(self) -> Truth:
        """The counts so far."""
        return Truth.of(json.loads(self.path.read_text(encoding="utf-8"))) if self.path.exists() else Truth()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self, timeout: float = 10.0) -> Truth:
        """No more requests; those in flight may end; the final counts."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended already
            self._process.stdin.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self.truth()
