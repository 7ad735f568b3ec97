"""The YAML parser's complaints in words that say what to do."""

from __future__ import annotations

from sim.files.errors import BREAKS, Problem

# libyaml 0.2.5, scanner.c and parser.c: the start of the message -> our problem and remedy.
# These are told where the thing was opened, not where the parser gave up.
_UNCLOSED: dict[str, tuple[str, str]] = {
    "did not find expected ',' or ']'": ("a '[' that is not closed", "add ',' or ']'"),
    "did not find expected ',' or '}'": ("a '{' that is not closed", "add ',' or '}'"),
    "found unexpected end of stream": ("a quote that is not closed", "close the quote"),
    "found unexpected document indicator": ("a quote that is not closed", "close the quote before '---' or '...'"),
}
_COMPLAINTS: dict[str, tuple[str, str]] = {
    **_UNCLOSED,
    "mapping values are not allowed": (
        "a ': ' where no key can stand",
        "check the indentation, or put text that holds ': ' in quotes",
    ),
    "did not find expected key": ("this line does not fit the lines above", "check the indentation and the quotes"),
    "did not find expected '-' indicator": ("a list item was expected here", "start it with '- ' in the list's column"),
    "block sequence entries are not allowed": ("a '- ' where no list can stand", "put the list on its own lines"),
    "could not find expected ':'": ("a key without ':'", "write 'key: value'"),
    "found unknown escape character": ("an unknown escape in double quotes", r"write \\, or use single quotes"),
    "found invalid Unicode character escape": ("an escape that is no character", "write the character itself"),
    "did not find expected alphabetic or numeric": ("a '*' or '&' without a name", "put the text in quotes"),
    "found undefined tag handle": ("an unknown tag handle", "remove the tag"),
    "found a tab character": ("a tab in the indentation", "indent with spaces"),
    "found incompatible YAML document": ("a YAML version other than 1.2", "remove the %YAML line"),
    "found duplicate %YAML directive": ("a second %YAML line", "remove it"),
    "could not find expected directive name": ("a line that starts with '%'", "remove it, or put the text in quotes"),
    "found unknown directive name": ("an unknown directive", "remove the line that starts with '%'"),
    "did not find expected <document start>": ("text after the end of the document", "separate documents by '---'"),
    # from libyaml 0.2.6 on the scanner gives up by itself at 1,000 brackets, before we hear of the first one
    "exceeded maximum nesting depth": ("nested more than 100 deep", "flatten the structure"),
    "did not find expected node content": ("a value was expected here", "add the value or remove the line"),
}
_STRANGE_START = "found character that cannot start any token"


def explain(error: Exception, name: str, text: str) -> Problem:
    """The parser's error as a problem. `error` is yaml.MarkedYAMLError; without a mark it is put at 1:1."""
    complaint = str(getattr(error, "problem", None) or error)
    marks = [getattr(error, "problem_mark", None), getattr(error, "context_mark", None)]
    if complaint.startswith(tuple(_UNCLOSED)):
        marks.reverse()
    line, column = next(((mark.line, mark.column) for mark in marks if mark is not None), (0, 0))
    lines = BREAKS.split(text)
    if line >= len(lines):  # libyaml puts the end of a text without a last newline on a line of its own
        line, column = len(lines) - 1, len(lines[-1])
    problem, remedy = _translate(complaint, lines[line][column : column + 1])
    return Problem(name, line + 1, column + 1, "", problem, remedy)


def _translate(complaint: str, char: str) -> tuple[str, str]:
    if complaint.startswith(_STRANGE_START):
        if char == "\t":
            return "a tab where YAML wants spaces", "indent with spaces"
        return f"text cannot start with {char!r}", "put the text in quotes"
    for start, words in _COMPLAINTS.items():
        if complaint.startswith(start):
            return words
    return f"not YAML ({complaint})", "check the indentation, quotes and brackets here"
