"""The command line: `seatrial`. See README.md."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """The entry point of the command; exits with a code of contracts.md section 2."""
    from sim.cli.frame import start

    start()
