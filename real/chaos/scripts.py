"""Programs of ours that run on nodes: Perl files beside this one, since every Debian has perl-base and no node has Python."""

from __future__ import annotations

from pathlib import Path

from real.chaos.field import Nodes

__all__ = ["FOLDER", "installed", "running", "stopped"]

FOLDER = "/run/seatrial"


def installed(nodes: Nodes, node: str, name: str) -> str:
    """The program on the node; its path there."""
    path = f"{FOLDER}/{name}"
    nodes.file(node, path, Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return path


# $1: an argument that the process was started with. Read from /proc, so that no tool is needed; perl, so that it is not this search.
_FIND = """for d in /proc/[0-9]*; do
  if grep -qs perl "$d/comm" && tr '\\0' '\\n' 2>/dev/null < "$d/cmdline" | grep -qxF -- "$1"; then echo "${d#/proc/}"; fi
done"""
_STOP = f"""found() {{ {_FIND}
}}
for pid in $(found "$1"); do kill -TERM "$pid"; done
for _ in $(seq 60); do if [ -z "$(found "$1")" ]; then exit 0; fi; sleep 0.1; done
for pid in $(found "$1"); do kill -KILL "$pid"; done"""


def running(nodes: Nodes, node: str, tag: str) -> list[int]:
    """Process ids of our programs on the node that carry `tag=TAG`."""
    return [int(word) for word in nodes.run(node, "sh", "-c", _FIND, "sh", f"tag={tag}").split()]


def stopped(nodes: Nodes, node: str, tag: str) -> None:
    """They end, at the latest after six seconds."""
    nodes.do(node, "sh", "-c", _STOP, "sh", f"tag={tag}")
