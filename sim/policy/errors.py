"""Errors by whose fault they are: the policy, the world, the history. (The file's faults: `sim.files`.)"""

from __future__ import annotations


class SeatrialError(Exception):
    """Root of every error that Seatrial raises on purpose; its text is meant for the person who reads it."""


class PolicyError(SeatrialError):
    """The policy is wrong: an impossible configuration, or a command that is not one."""


class WorldError(SeatrialError):
    """The world was asked for something it does not model or cannot do."""


class HistoryError(SeatrialError):
    """A recorded history is damaged, or it and the policy disagree."""
