"""A file's text, or a clean error: everything that can be told before the YAML parser sees a byte."""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
from pathlib import Path

from sim.files.errors import BREAKS, FileErrors, Problem
from sim.files.words import nearest

STDIN = "<stdin>"
MAX_BYTES = 1 << 20  # 1 MiB: contracts.md section 1 and ecosystem.md section 5.1

# What YAML forbids in a stream (section 5.1 of the specification), plus a byte-order mark that is not at the start.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# libyaml compares each %TAG line with all before it: a megabyte of them takes 11 s, and no tag of theirs is accepted.
_TAG_LINE, _MAX_TAG_LINES = "%TAG", 100
_FOREIGN_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def read_text(path: Path, name: str, max_bytes: int = MAX_BYTES) -> str:
    """The text of a file, without byte-order mark. Raises FileErrors; `name` is what errors call the file."""
    return _decoded(_read_bytes(path, name, max_bytes), name, max_bytes)


def standard_input(max_bytes: int = MAX_BYTES) -> str:
    """The text of standard input, as `read_text` reads a file's; errors call it <stdin>."""
    data = sys.stdin.buffer.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise _fault(STDIN, f"more than {max_bytes} bytes", "split the input")
    return _decoded(data, STDIN, max_bytes)


def _decoded(data: bytes, name: str, max_bytes: int) -> str:
    if data.startswith(_FOREIGN_MARKS):
        raise _fault(name, "the text is UTF-16 or UTF-32", "save the file as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode("utf-8"))
        problem = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise _fault(name, problem, "save the file as UTF-8", line, column) from None
    return check_text(text, name, max_bytes)


def check_text(text: str, name: str, max_bytes: int = MAX_BYTES) -> str:
    """The text without byte-order mark, if it is small enough and holds nothing that YAML forbids."""
    if len(text) > max_bytes:
        raise _too_large(name, len(text), max_bytes)
    text = text.removeprefix("\ufeff")
    if bad := _FORBIDDEN.search(text):
        line, column = _place(text[: bad.start()])
        problem = f"a character that YAML does not allow (U+{ord(bad[0]):04X})"
        raise FileErrors([Problem(name, line, column, "", problem, "remove it")], {name: text})
    if text.count(_TAG_LINE) > _MAX_TAG_LINES:
        place = _place(text[: text.index(_TAG_LINE)])
        raise _fault(name, f"more than {_MAX_TAG_LINES} {_TAG_LINE} lines", "remove them; tags are not read", *place)
    return text


def _read_bytes(path: Path, name: str, max_bytes: int) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise _fault(name, "is a directory", "name a file in it")
        if not stat.S_ISREG(mode):  # a pipe would block, /dev/zero never ends
            raise _fault(name, "is not a regular file", "name a file")
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise _fault(name, "no such file", _neighbor(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _fault(name, f"cannot be read ({reason.lower()})", "check the path and its permissions") from None
    if len(data) > max_bytes:
        raise _too_large(name, path.stat().st_size, max_bytes)
    return data


def _neighbor(path: Path) -> str:
    try:
        names = sorted(os.listdir(path.parent))
    except OSError:
        return "check the path"
    guess = nearest(path.name, names)
    return f"did you mean {guess}?" if guess else "check the path"


def _too_large(name: str, size: int, limit: int) -> FileErrors:
    return _fault(name, f"{size} bytes are more than {limit}", "split the file, or keep bulk data in a CSV file")


def _fault(name: str, problem: str, remedy: str, line: int = 1, column: int = 1) -> FileErrors:
    return FileErrors([Problem(name, line, column, "", problem, remedy)])


def _place(before: str) -> tuple[int, int]:
    lines = BREAKS.split(before)
    return len(lines), len(lines[-1]) + 1
