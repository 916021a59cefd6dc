"""Suggestions: the word a person most likely meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The choice a typo was most likely meant to be, or None when none is near.

    Compared without case and in single jamo (지난주 and 지닌주 differ by one vowel). About one slip in four letters is
    forgiven; a swap of neighbours is one slip. Among equals the earlier choice wins.
    """
    typed = letters(word)
    best: tuple[int, str] | None = None
    for choice in choices:
        meant = letters(choice)
        allowed = max(1, max(len(typed), len(meant)) // 4)
        found = distance(typed, meant, allowed)
        # A single letter is "near" everything: half of it must be right at least.
        if found is not None and 2 * found <= min(len(typed), len(meant)) and (best is None or found < best[0]):
            best = (found, choice)
    return best[1] if best else None


def letters(word: str) -> str:
    """The word as compared: one form of every letter, no case, Hangul syllables taken apart into jamo."""
    return unicodedata.normalize("NFKD", word.strip()).casefold()


def distance(one: str, other: str, at_most: int) -> int | None:
    """How many slips (insert, drop, replace, swap neighbours) lie between two words; None when more than `at_most`."""
    if abs(len(one) - len(other)) > at_most:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > at_most:
            return None
    return row[-1] if row[-1] <= at_most else None
