"""How the program ends: the codes of contracts.md section 2, and errors that mean one of them."""

from __future__ import annotations

from sim.policy.errors import SeatrialError

__all__ = ["DONE", "FAILED", "INTERNAL", "INTERRUPTED", "MISSING", "UNDECIDED", "USAGE", "Missing", "Usage"]

DONE = 0  # or pass
FAILED = 1  # a budget or a regression
USAGE = 2  # wrong usage, or a file is at fault
UNDECIDED = 3
MISSING = 4  # something of the environment
INTERNAL = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130  # 128 + SIGINT


class Usage(SeatrialError):
    """The command was called in a way that makes no sense; the text names the remedy."""


class Missing(SeatrialError):
    """Something that the command needs is not installed; the text says how to get it."""
