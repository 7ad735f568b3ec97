"""Sets of characters in RE2 patterns: perl and POSIX classes, Unicode categories, ranges, case folding."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

Ranges = tuple[tuple[int, int], ...]
LAST = 0x10FFFF


def ranges(*pairs: str) -> Ranges:
    """Ranges from texts such as "az" or "__"."""
    return tuple((ord(pair[0]), ord(pair[1])) for pair in pairs)


def complement(given: Ranges) -> Ranges:
    out: list[tuple[int, int]] = []
    low = 0
    for start, end in sorted(given):
        if start > low:
            out.append((low, start - 1))
        low = max(low, end + 1)
    if low <= LAST:
        out.append((low, LAST))
    return tuple(out)


DIGIT, SPACE = ranges("09"), ranges("\t\n", "\f\r", "  ")
WORD = ranges("09", "AZ", "__", "az")
PERL = {"d": DIGIT, "D": complement(DIGIT), "s": SPACE, "S": complement(SPACE), "w": WORD, "W": complement(WORD)}
POSIX = {
    "alnum": ranges("09", "AZ", "az"),
    "alpha": ranges("AZ", "az"),
    "ascii": ((0, 0x7F),),
    "blank": ranges("\t\t", "  "),
    "cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "digit": DIGIT,
    "graph": ranges("!~"),
    "lower": ranges("az"),
    "print": ranges(" ~"),
    "punct": ranges("!/", ":@", "[`", "{~"),
    "space": ranges("\t\r", "  "),
    "upper": ranges("AZ"),
    "word": WORD,
    "xdigit": ranges("09", "AF", "af"),
}
CATEGORIES = {  # general categories by their first letter
    letter + rest: True
    for letter, second in {
        "C": "cfos",
        "L": "lmotu",
        "M": "cen",
        "N": "dlo",
        "P": "cdefios",
        "S": "ckmo",
        "Z": "lps",
    }.items()
    for rest in ("", *second)
}


@dataclass(frozen=True, slots=True)
class Charset:
    """A set of characters: ranges, Unicode categories (name, negated), the whole negated, case folded."""

    ranges: Ranges = ()
    categories: tuple[tuple[str, bool], ...] = ()
    negated: bool = False
    folded: bool = False

    def has(self, char: str) -> bool:
        if self.folded:
            return self._folded(char) != self.negated
        return self._plain(char) != self.negated

    def _folded(self, char: str) -> bool:
        if any(map(self._plain, (char, char.lower(), char.upper(), char.upper().lower()))):
            return True
        fold = char.casefold()
        return any(low == high and chr(low).casefold() == fold for low, high in self.ranges)

    def _plain(self, char: str) -> bool:
        if len(char) != 1:
            return False
        code = ord(char)
        for low, high in self.ranges:
            if low <= code <= high:
                return True
        if not self.categories:
            return False
        category = unicodedata.category(char)
        return any((name == "Any" or category.startswith(name)) != negated for name, negated in self.categories)
