"""A period nobody knows: what was meant instead, in words that may be typed as they stand."""

from __future__ import annotations

import re

from locales import Translator

# Somebody types English who types a word of it; the W of 2026-W60 and the x of 7x are none.
_ENGLISH = re.compile(r"[A-Za-z]{2,}")
_DATED = re.compile(r"\s*(\d{4}\s*[-./年년]|\d{8}\s*$)")
_DAYS = re.compile(r"(\d{1,4})d")


def in_reply(words: str, suggestion: str | None, t: Translator) -> str | None:
    """What to suggest to who typed `words`, in the language they typed or else in the reader's; None for nothing.

    A date that no bill can tell of (2020-01-01, 30 February) is no slip of the pen for another: nothing is suggested.
    """
    if suggestion is None or _DATED.match(words):
        return None
    if _ENGLISH.search(words):
        return suggestion
    days = _DAYS.fullmatch(suggestion)
    if days is not None:
        # i18n: days, as one types them behind a number: 7d
        return days[1] + t.pgettext("typed", "d")
    match suggestion:
        case "today":
            return t.pgettext("typed", "today")
        case "last week":
            return t.pgettext("typed", "last week")
        case "last month":
            return t.pgettext("typed", "last month")
        case _:
            return suggestion
