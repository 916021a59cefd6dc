"""Days, weeks and months as people write them: 2026-06-29, 2026년 6월 29일, 2026-W27, 3 weeks ago, 6月, June 2026."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from finops.periods import Period, week_of

# Further back nobody keeps bills.
MOST_WEEKS_BACK = 260

BEFORE_LAST = ("week before last", "지지난 주", "저저번 주", "전전주", "先々週", "前々週")

# Slack has no escape for its marks: in messages these stand for them, which look alike.
MARKS = {0x2217: "*", 0x02CD: "_", 0x223C: "~", 0x02CB: "`"}
_UNSEEN = dict.fromkeys((0xAD, 0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF))
_BACK = re.compile(r"(\d{1,4})(?:w|weeks?ago|주전|週間前|週前)")
_BACK_IN_WORDS = re.compile(r"(\d{1,4})(?:weeks?ago|주전|週間前|週前)")
_ISO = re.compile(r"(\d{4})w(\d{1,2})")
_DATE = re.compile(
    r"(\d{4})[./年년](\d{1,2})[./月월](\d{1,2})[日일]?|(\d{4})-(\d{1,2})-(\d{1,2})|(\d{4})(\d{2})(\d{2})"
)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = re.compile(r"(?:(\d{4})[년年])?(\d{1,2})[월月]|(\d{4})[-./](\d{1,2})")
_MONTH_IN_WORDS = re.compile(rf"({'|'.join(_MONTHS)}),?(\d{{4}})?|(\d{{4}})({'|'.join(_MONTHS)})")


def squeezed(words: str) -> str:
    """Words as they are compared: without case, blanks, hyphens and underscores; wide letters are narrow ones.

    Both sides are compared by what is `visible` of them: whoever writes Korean may type as a tilde the very letter that
    stands for one.
    """
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", visible(words))).casefold()


def visible(words: str) -> str:
    """Words without what nobody sees and pasting brings along: blanks of no width, marks of direction.

    The joiners stay: without them emoji, and words of some languages, fall apart. What stands in a message for one of
    the marks of Slack is that mark again.
    """
    return words.translate(_UNSEEN | MARKS)


def compared(name: str) -> str:
    """A name as it is compared: without case; wide letters are narrow ones, any blank between words is one; and as
    `squeezed` by what is visible of it."""
    return " ".join(unicodedata.normalize("NFKC", visible(name)).casefold().split())


def weeks_back(words: str, *, is_short_known: bool = False) -> int | None:
    """How many weeks ago is meant: 2 for "지지난 주", 3 for "3 weeks ago"; None where no such thing is written.

    `3w` is that as well with `is_short_known`; elsewhere it is three weeks together.
    """
    said = squeezed(words)
    if said in {squeezed(name) for name in BEFORE_LAST}:
        return 2
    found = (_BACK if is_short_known else _BACK_IN_WORDS).fullmatch(said)
    return int(found[1]) if found else None


def iso_week(words: str) -> Period | None:
    """The week that is written as 2026-W27; None for anything else. Raises ValueError for a week no year has."""
    found = _ISO.fullmatch(squeezed(words))
    return None if found is None else week_of(in_calendar(date.fromisocalendar(int(found[1]), int(found[2]), 1)))


def day(words: str) -> date | None:
    """The day that is written as a date with its year; None for anything else. Raises ValueError for 30 February."""
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", words).replace(" ", ""))
    if found is None:
        return None
    year, month, day_ = (int(part) for part in found.groups() if part is not None)
    return in_calendar(date(year, month, day_))


def month(words: str, today: date) -> date | None:
    """The first day of the month that is written by its name or number; None for anything else.

    Without a year it is the latest that has begun on day `today`. Raises ValueError for a 13th month.
    """
    said = unicodedata.normalize("NFKC", words).casefold().replace(" ", "")
    if (found := _MONTH.fullmatch(said)) is not None:
        year, number = found[1] or found[3], int(found[2] or found[4])
    elif (found := _MONTH_IN_WORDS.fullmatch(said)) is not None:
        year, number = found[2] or found[3], _MONTHS.index(found[1] or found[4]) + 1
    else:
        return None
    if year is None:
        first = date(today.year, number, 1)
        return first if first <= today else date(today.year - 1, number, 1)
    return in_calendar(date(int(year), number, 1))


def in_calendar(day_: date) -> date:
    """A day whose week lies in the calendar, as do the weeks it is compared with. Raises ValueError for any other."""
    if not 1900 <= day_.year <= 9000:
        raise ValueError(f"nobody was billed in {day_.year}")
    return day_
