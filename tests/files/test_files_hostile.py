"""Hostile and broken files: each a clean error with the exact text, none a traceback, a hang or a dead process."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from sim.files import FileErrors, read_document, read_documents
from sim.files.errors import Problem, render

_ZEROS = ".".join("0" * 20)
_DEEP = "nested more than 100 deep; flatten the structure"


def errors(text: str, **options: int) -> list[str]:
    with pytest.raises(FileErrors) as caught:
        read_documents(text, "f.yaml", **options)
    return str(caught.value).split("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[" * 50_000, f"f.yaml:1:101 {_ZEROS}: {_DEEP}", id="brackets"),
        pytest.param("[" * 50_000 + "]" * 50_000, f"f.yaml:1:101 {_ZEROS}: {_DEEP}", id="closed brackets"),
        pytest.param("{" * 50_000, f"f.yaml:1:101: {_DEEP}", id="braces"),
        pytest.param("{a: " * 50_000, f"f.yaml:1:401 {'.'.join('a' * 20)}: {_DEEP}", id="flow mappings"),
        pytest.param("- " * 50_000, f"f.yaml:1:201 {_ZEROS}: {_DEEP}", id="dashes"),
        pytest.param("? " * 50_000, f"f.yaml:1:201: {_DEEP}", id="complex keys"),
        pytest.param(
            "\n".join(" " * depth + "a:" for depth in range(1_400)),
            f"f.yaml:101:101 {'.'.join('a' * 20)}: {_DEEP}",
            id="indentation",
        ),
    ],
)
def test_deep_nesting(text: str, expected: str) -> None:
    by_the_scanner = f"f.yaml:1:1001: {_DEEP}"  # newer libyaml: where it gives up, without a path
    assert errors(text) in ([expected], [by_the_scanner])


def test_a_hundred_levels_are_enough_for_anyone() -> None:
    assert read_document("[" * 100 + "]" * 100).value
    assert read_document("'" + "[" * 50_000 + "'").value == "[" * 50_000


def test_ten_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a: 1\n" * 2_000_000)
    expected = "10000000 bytes are more than 1048576; split the file, or keep bulk data in a CSV file"
    with pytest.raises(FileErrors) as caught:
        read_documents(path, "f.yaml")
    assert str(caught.value) == f"f.yaml:1:1: {expected}"
    assert errors("a: 1\n" * 2_000_000) == [f"f.yaml:1:1: {expected}"]
    assert errors("a: 1\nb: 2\n", max_bytes=9)[0].startswith("f.yaml:1:1: 10 bytes are more than 9;")


def test_alias_bombs() -> None:
    lists = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lists += [f"{name}: &{name} [{','.join([f'*{chr(ord(name) - 1)}'] * 9)}]" for name in "bcdefghi"]
    expected = "more than 100000 values, counting every alias as all it stands for; write less, or fewer aliases"
    assert errors("\n".join(lists)) == [f"f.yaml:6:8 f.0: {expected}"]
    merges = "a: &a {" + ",".join(f"k{i}: 1" for i in range(1_000)) + "}\n"
    merges += "".join(f"m{i}: {{<<: *a}}\n" for i in range(1_000))
    assert errors(merges) == [f"f.yaml:99:11 m97: {expected}"]
    assert errors("[" + "1," * 200_000 + "]", max_nodes=1_000)[0].endswith("write less, or fewer aliases")


def test_quadratic_directives_and_endless_names() -> None:
    directives = "".join(f"%TAG !{index}! x\n" for index in range(60_000)) + "---\na"
    assert errors(directives) == ["f.yaml:1:1: more than 100 %TAG lines; remove them; tags are not read"]
    name = "x" * 100_000
    texts = (f"a: !{name} 1", f"a: *{name}", f"'{name}': 1\n'{name}': 2", f"a: !!int {name}", f"'{name}': [")
    assert all(len(error) < 300 for text in texts for error in errors(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &a [1, *a]", ["f.yaml:1:11 a.1: *a contains itself; write the value out"]),
        ("a: &a\n  b: *a", ["f.yaml:2:6 a.b: *a contains itself; write the value out"]),
        ("a: &a\n  <<: *a", ["f.yaml:2:7 a: *a contains itself; write the value out"]),
        ("a: *b", ["f.yaml:1:4 a: no anchor &b above; define &b first, or quote the text"]),
        ("a: {<<: 3}", ["f.yaml:1:9 a.<<: << merges mappings, not 3; write <<: *anchor of a mapping"]),
        (
            "a: 1\nb:\n  c: 1\n  c: 2\na: 3",
            [
                "f.yaml:4:3 b.c: key 'c' appears twice, first at 3:3; remove one of the two",
                "f.yaml:5:1 a: key 'a' appears twice, first at 1:1; remove one of the two",
            ],
        ),
        (
            "a: !!python/object:os.system {x: 1}\nb: !foo 1\nc: !!int x\nd: !!timestamp 2026-01-01",
            [
                "f.yaml:1:4 a: unknown tag !!python/object:os.system; "
                "remove the tag; only values are read here, never objects",
                "f.yaml:2:4 b: unknown tag !foo; remove the tag; only values are read here, never objects",
                "f.yaml:3:4 c: 'x' is not a !!int; correct the value or remove the tag",
                "f.yaml:4:4 d: unknown tag !!timestamp; remove the tag; only values are read here, never objects",
            ],
        ),
        (
            "1: a\ntrue: b\n~: c\n[x]: d\n{{ x }}: e",
            [
                'f.yaml:1:1: key 1 is not text; write "1"',
                'f.yaml:2:1: key true is not text; write "true"',
                'f.yaml:3:1: key null is not text; write "null"',
                "f.yaml:4:1: key a list is not text; write a plain name (a {{ template }} must be rendered first)",
                "f.yaml:5:1: key a mapping is not text; write a plain name (a {{ template }} must be rendered first)",
                "f.yaml:5:2: key a mapping is not text; write a plain name (a {{ template }} must be rendered first)",
            ],
        ),
        ("%YAML 1.1\n---\na: on", ["f.yaml:1:1: YAML version 1.1; remove the %YAML line; files are read as YAML 1.2"]),
        ("%YAML 1.3\n---\na: on", ["f.yaml:1:1: a YAML version other than 1.2; remove the %YAML line"]),
        ("%FOO\n---\n", ["f.yaml:1:5: an unknown directive; remove the line that starts with '%'"]),
        ("a: " + "9" * 5_000, ["f.yaml:1:4 a: a number of 5000 characters; write at most 300, or put text in quotes"]),
        ("a: x\x00y", ["f.yaml:1:5: a character that YAML does not allow (U+0000); remove it"]),
        ("a: 1\nb: \x1b[31m", ["f.yaml:2:4: a character that YAML does not allow (U+001B); remove it"]),
        ("a: \ufeffb", ["f.yaml:1:4: a character that YAML does not allow (U+FEFF); remove it"]),
        ("a: \ud800", ["f.yaml:1:4: a character that YAML does not allow (U+D800); remove it"]),
        ("a: b\n\tc: d", ["f.yaml:2:1: a tab in the indentation; indent with spaces"]),
        ("\ta: 1", ["f.yaml:1:1: a tab where YAML wants spaces; indent with spaces"]),
        ("a: @x", ["f.yaml:1:4: text cannot start with '@'; put the text in quotes"]),
        ("a: * * *", ["f.yaml:1:5: a '*' or '&' without a name; put the text in quotes"]),
        ("x: [\na: 1", ["f.yaml:1:4: a '[' that is not closed; add ',' or ']'"]),
        ("x: {a: 1", ["f.yaml:1:4: a '{' that is not closed; add ',' or '}'"]),
        ("a: 1\nb: 'x\nc: 2", ["f.yaml:2:4: a quote that is not closed; close the quote"]),
        ('a: "\\q"', ["f.yaml:1:5: an unknown escape in double quotes; write \\\\, or use single quotes"]),
        ("- a\nb: 1", ["f.yaml:2:1: a list item was expected here; start it with '- ' in the list's column"]),
        ("[1]]", ["f.yaml:1:4: text after the end of the document; separate documents by '---'"]),
        (
            "a: b: c",
            ["f.yaml:1:5: a ': ' where no key can stand; check the indentation, or put text that holds ': ' in quotes"],
        ),
        (
            "a: 1\na: 2\nb: [",  # what was found before the syntax error is told, too
            [
                "f.yaml:2:1 a: key 'a' appears twice, first at 1:1; remove one of the two",
                "f.yaml:3:5: a value was expected here; add the value or remove the line",
            ],
        ),
    ],
)
def test_broken_text(text: str, expected: list[str]) -> None:
    assert errors(text) == expected


def test_version_12_is_welcome() -> None:
    assert read_document("%YAML 1.2\n---\na: on").value == {"a": "on"}


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("canary.yaml").write_text("a: 1")
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    Path("latin.yaml").write_bytes(b"a: 1\nb: gr\xfc\xdf")
    Path("wide.yaml").write_bytes("a: 1".encode("utf-16"))
    for name, expected in {
        "canry.yaml": "canry.yaml:1:1: no such file; did you mean canary.yaml?",
        "nowhere/x.yaml": "nowhere/x.yaml:1:1: no such file; check the path",
        "folder": "folder:1:1: is a directory; name a file in it",
        "pipe": "pipe:1:1: is not a regular file; name a file",
        "loop": "loop:1:1: cannot be read (too many levels of symbolic links); check the path and its permissions",
        "a\0b": "a\\x00b:1:1: cannot be read (embedded null byte); check the path and its permissions",
        "latin.yaml": "latin.yaml:2:6: byte 0xfc is not UTF-8; save the file as UTF-8",
        "wide.yaml": "wide.yaml:1:1: the text is UTF-16 or UTF-32; save the file as UTF-8",
    }.items():
        with pytest.raises(FileErrors) as caught:
            read_documents(Path(name))
        assert str(caught.value) == expected


def test_rendering_shows_line_and_caret() -> None:
    with pytest.raises(FileErrors) as caught:
        read_documents("a: 1\nb: {c: 1, c: 2}\n", "f.yaml")
    assert caught.value.render() == (
        "f.yaml:2:11 b.c: key 'c' appears twice, first at 2:5; remove one of the two\n"
        "    2 | b: {c: 1, c: 2}\n"
        "      |           ^"
    )
    long = Problem("f", 1, 501, "", "wrong", "right")
    assert render(long, "x" * 500 + "Y" + "z" * 500).split("\n")[2].index("^") == 8 + 50
    assert "Y" in render(long, "x" * 500 + "Y" + "z" * 500)
    assert render(long, "") == "f:1:501: wrong; right"
    assert render(Problem("f", 1, 2, "", "p", "r"), "\t\x1bx").split("\n")[1:] == ["    1 | \t\ufffdx", "      | \t^"]


def test_errors_are_one_a_line_sorted_and_travel_between_processes() -> None:
    late, early = Problem("f", 9, 1, "b\n\x1b", "p", "r"), Problem("f", 2, 5, "", "p", "")
    error = FileErrors([late, early], {"f": "text"})
    assert error.problems == (early, late)
    assert str(error) == "f:2:5: p\nf:9:1 b\\n\\x1b: p; r"
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.problems, copy.sources) == (error.problems, error.sources)
