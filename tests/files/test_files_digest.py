"""Canonical bytes and digests: content alone decides."""

from __future__ import annotations

import hashlib

import pytest

from sim.files import canonical, digest, read_document


def test_one_value_one_text() -> None:
    assert canonical({"b": [1, 2.5, None, True], "a": "ü"}) == b'{"a":"\\u00fc","b":[1,2.5,null,true]}'
    assert canonical(read_document("b: 1\na: 2").value) == canonical(read_document('{"a": 2, "b": 1}').value)
    assert canonical((1, 2)) == canonical([1, 2])
    assert canonical(1) != canonical(1.0)
    assert canonical(0.1 + 0.2) == b"0.30000000000000004"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, float("nan")]}, "a.1: .nan has no canonical form; use text, numbers, lists and mappings"),
        (float("inf"), "the value: .inf has no canonical form; use text, numbers, lists and mappings"),
        (
            {1: 2},
            "the value: a mapping with keys that are not text has no canonical form; "
            "use text, numbers, lists and mappings",
        ),
        ({"a": {1}}, "a: {1} has no canonical form; use text, numbers, lists and mappings"),
    ],
)
def test_values_without_canonical_form(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        canonical(value)
    assert str(caught.value) == message


def test_digests_depend_on_parts_and_their_boundaries() -> None:
    assert digest(b"ab") == hashlib.sha256((2).to_bytes(8, "big") + b"ab").hexdigest()
    assert len({digest(), digest(b""), digest(b"ab"), digest(b"a", b"b"), digest(b"b", b"a")}) == 5
