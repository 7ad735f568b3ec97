"""Reading: scalar rules, positions, merges, kinds, dialects."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.files import FileErrors, kind_of, read_document, read_documents
from sim.files.scalars import dispute, resolve


def test_yaml_12_core_scalars() -> None:
    text = "[~, null, true, False, 0, -7, +3, 0x1F, 0.5, .5, 5., 1.5e3, -2.5E-1, .inf, -.inf, "
    text += "2026-01-01, 5m, 99.9%, '1', a]"
    expected = [None, None, True, False, 0, -7, 3, 31, 0.5, 0.5, 5.0, 1500.0, -0.25, math.inf, -math.inf]
    document = read_document(text)
    assert document.value == [*expected, "2026-01-01", "5m", "99.9%", "1", "a"]
    assert [type(value) for value in document.value[4:9]] == [int, int, int, int, float]
    assert document.ambiguous == ()
    assert math.isnan(read_document("x: .nan").value["x"])


@pytest.mark.parametrize(
    ("text", "kubernetes"),
    [
        ("on", True),
        ("Yes", True),
        ("y", True),
        ("NO", False),
        ("off", False),
        ("1:30", "1:30"),
        ("012", 10),
        ("-012", -10),
        ("089", 89.0),
        ("0o17", 15),
        ("0b11", 3),
        ("1e3", 1000.0),
        ("1_000", 1000),
    ],
)
def test_disputed_scalars_stay_text_in_own_files_and_are_go_values_in_manifests(text: str, kubernetes: object) -> None:
    own = read_document(f"a: {{b: [{text}]}}")
    assert own.value == {"a": {"b": [text]}}
    assert own.ambiguous == ((("a", "b", 0), text),)
    other = read_document(f"a: {{b: [{text}]}}", dialect="kubernetes")
    assert other.value == {"a": {"b": [kubernetes]}}
    assert type(other.value["a"]["b"][0]) is type(kubernetes)
    assert other.ambiguous == own.ambiguous


@pytest.mark.parametrize("text", ["on", "1:30", "012", "1e3", "1_000", "0x1F", "2026-01-01", "~"])
def test_quoted_and_tagged_text_is_text_everywhere(text: str) -> None:
    for written in (f"'{text}'", f'"{text}"', f"!!str {text}", f"! '{text}'"):
        for dialect in ("own", "kubernetes", "json"):
            document = read_document(f"a: {written}", dialect=dialect)
            assert document.value == {"a": text}
            assert document.ambiguous == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("on", ("'on' is text in YAML 1.2", "write true")),
        ("NO", ("'NO' is text in YAML 1.2", "write false")),
        ("1e3", ("'1e3' is ambiguous", "write 1000 or 1000.0")),
        ("1e-3", ("'1e-3' is ambiguous", "write 0.001")),
        ("1e30", ("'1e30' is ambiguous", "write 1.0e+30")),
        ("1e9999999999", ("'1e9999999999' is ambiguous", "write 1.0e+9999999999")),
        ("012", ("'012' may be read as 12 or 10 (octal)", "write 12")),
        ("089", ("'089' may be read as 89 or as text", "write 89")),
        ("1:30", ("'1:30' is text in YAML 1.2 and a base-60 number in YAML 1.1", "write 90")),
        ("-1:00:00.5", ("'-1:00:00.5' is text in YAML 1.2 and a base-60 number in YAML 1.1", "write -3600.5")),
        ("0o17", ("'0o17' is a number to some readers and text to others", "write 15")),
        ("1_000", ("'1_000' is text in YAML 1.2", "write 1000")),
    ],
)
def test_remedies_for_disputed_scalars(text: str, words: tuple[str, str]) -> None:
    assert resolve(text) == (text, True)
    assert dispute(text) == words


def test_positions_of_keys_and_values_count_from_one() -> None:
    document = read_document("# comment\npolicy:\n  steps:\n    - setWeight: 20\n    - {pause: {}}\n")
    assert document.line_of(()) == (2, 1)
    assert document.line_of(("policy",)) == (3, 3)
    assert document.key_of(("policy",)) == (2, 1)
    assert document.line_of(("policy", "steps", 0, "setWeight")) == (4, 18)
    assert document.key_of(("policy", "steps", 0, "setWeight")) == (4, 7)
    assert document.line_of(("policy", "steps", 1)) == document.key_of(("policy", "steps", 1)) == (5, 7)
    assert document.line_of(("policy", "steps", 9, "nowhere")) == (4, 5)  # the nearest value above


def test_aliases_and_merge_keys() -> None:
    text = "base: &b {x: 1, y: 2}\nlist: [*b]\none: {<<: *b, y: 3}\ntwo:\n  z: 0\n  <<: [*b, {x: 9, w: 4}]\n"
    document = read_document(text)
    assert document.value["list"] == [{"x": 1, "y": 2}]
    assert document.value["one"] == {"y": 3, "x": 1}
    assert document.value["two"] == {"z": 0, "x": 1, "y": 2, "w": 4}
    assert document.key_of(("one", "x")) == (1, 11)  # a merged key stands where it was written
    assert read_document("{'<<': 1}").value == {"<<": 1}


def test_json_is_yaml_and_its_exponents_are_numbers_in_a_json_file() -> None:
    text = '{\n\t"a": 1e3, "b": "\\/", "c":[1,2],\n\t"d": 1E-5\n}'
    document = read_document(text, "x.json")
    assert document.value == {"a": 1000.0, "b": "/", "c": [1, 2], "d": 1e-05}
    assert document.ambiguous == ()
    assert document.key_of(("d",)) == (3, 2)


def test_manifests_are_told_by_their_keys_and_their_odd_keys_are_listed() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\ndata: {on: 1, 8080: x, 012: z}\nflag: on\n"
    document = read_document(text)
    assert document.dialect == "kubernetes"
    assert document.value["data"] == {"true": 1, "8080": "x", "10": "z"}
    assert document.ambiguous == ((("data", "true"), "on"), (("data", "10"), "012"), (("flag",), "on"))


def test_streams_leave_out_empty_documents() -> None:
    documents = read_documents("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n", "f.yaml")
    assert [document.value for document in documents] == [{"a": 1}, {"b": 2}]
    assert documents[1].line_of(("b",)) == (7, 4)
    assert read_documents("") == []


def test_a_file_and_a_text_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes("\ufeffname: Grüße\r\nb: [1]\r\n".encode())
    document = read_document(path, "f.yaml")
    assert (document.value, document.line_of(("b", 0))) == ({"name": "Grüße", "b": [1]}, (2, 5))
    assert read_document(path).file == str(path)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("seatrial: scenario", "scenario"),
        ("seatrial: check", "check"),
        ("seatrial: scenarios", "unknown"),
        ("seatrial: [policy]", "unknown"),
        ("apiVersion: argoproj.io/v1alpha1\nkind: Rollout", "kubernetes:argoproj.io/v1alpha1/Rollout"),
        ("apiVersion: v1", "unknown"),
        ("services: {web: {image: a}}", "compose"),
        ("services: [a]", "unknown"),
        ('{"stages": [{"type": "wait"}]}', "spinnaker"),
        ('{"metrics": [], "judge": {"name": "x"}}', "kayenta"),
        ("[1]", "unknown"),
        ("5", "unknown"),
    ],
)
def test_kinds_are_told_by_content(text: str, kind: str) -> None:
    document = read_document(text)
    assert kind_of(document.value) == document.kind_hint == kind


def test_one_document_is_wanted() -> None:
    with pytest.raises(FileErrors) as two:
        read_document("a: 1\n---\nb: 2\n", "f.yaml")
    assert str(two.value) == "f.yaml:3:1: a second document; keep one document in a file of this kind"
    with pytest.raises(FileErrors) as none:
        read_document("# nothing\n", "f.yaml")
    assert str(none.value) == "f.yaml:1:1: holds no value; begin with 'seatrial: scenario'"


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff"),
    max_size=8,
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=12
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(_VALUES)
def test_json_text_reads_as_json_does(value: object) -> None:
    text = json.dumps({"value": value}, ensure_ascii=False)
    assert read_document(text, "x.json").value == json.loads(text)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(alphabet="ab:-[]{}&*!<>|%@'\"#,?\n\t 01.~\\", max_size=40))
def test_any_text_is_a_value_or_a_clean_error(text: str) -> None:
    try:
        documents = read_documents(text, "f.yaml")
    except FileErrors as error:
        lines, rendered = str(error).split("\n"), error.render()
    else:
        lines, rendered = [f"f.yaml:{document.line_of(())[0]}" for document in documents], "fine"
        assert all(isinstance(document.ambiguous, tuple) for document in documents)
    assert all(line.startswith("f.yaml:") for line in lines)
    assert rendered
