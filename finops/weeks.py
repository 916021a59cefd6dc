"""Weeks: which one a person means by "지난주", "last week", "2026-W46" or any date of it, and when one is told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta, tzinfo
from typing import NoReturn

from finops import written
from finops.frozen import frozen
from finops.periods import Period, starts_at, week_of
from finops.queries import UnknownPeriod, readings
from finops.suggest import closest
from finops.written import BEFORE_LAST, MOST_WEEKS_BACK, squeezed

LAST_WEEK = "last week"

_THIS = ("this week", "이번 주", "금주", "今週")
_LAST = (LAST_WEEK, "previous week", "지난 주", "저번 주", "전주", "先週", "前週")


@frozen
class WeekQuery:
    """Whose week (None: the workspace's) and which."""

    scope_words: str | None
    week: Period


def last_week(today: date) -> Period:
    """The newest week that has ended, seen from the open charge day."""
    return week_of(today).before()


def parse_week(text: str, today: date, names: Collection[str] = ()) -> WeekQuery:
    """Read `[team] [week]`; nothing is last week. The week stands first or last, all other words are the team.

    Raises UnknownPeriod for words that look like a week and are none. `names` of teams are never taken for one.
    """
    words = text.split()
    known = {squeezed(name) for name in names}
    if not words or squeezed(text) in known:
        return WeekQuery(" ".join(words) or None, last_week(today))
    for inside, outside in readings(words):
        said = " ".join(inside)
        is_name = squeezed(said) in known and squeezed(" ".join(outside)) not in known
        week = None if is_name else _week(said, today)
        if week is not None:
            return WeekQuery(" ".join(outside) or None, week)
    for inside, _ in readings(words):
        _refuse_a_typo(" ".join(inside))
    return WeekQuery(" ".join(words), last_week(today))


def due_at(slot: datetime, zone: tzinfo) -> tuple[Period, datetime]:
    """Which week is told at a slot, and from when on: the week before the slot's own, as the zone's calendar has it.

    East of Seoul Monday 09:00 comes before the last charge day has ended: then it is told as soon as that has.
    """
    local = slot.astimezone(zone).date()
    week = week_of(local).before()
    return week, max(slot, starts_at(week.end))


def _week(words: str, today: date) -> Period | None:
    said, this = squeezed(words), week_of(today)
    for back, names in enumerate((_THIS, _LAST)):
        if said in {squeezed(name) for name in names}:
            return _back(this, back)
    if (weeks := written.weeks_back(words, is_short_known=True)) is not None:
        return _back(this, weeks) if weeks <= MOST_WEEKS_BACK else _refuse(words)
    try:
        day = written.day(words)
        return written.iso_week(words) if day is None else week_of(day)
    except ValueError:
        _refuse(words)


def _refuse(words: str) -> NoReturn:
    raise UnknownPeriod(words, LAST_WEEK)


def _back(week: Period, weeks: int) -> Period:
    return Period(week.start - timedelta(days=7 * weeks), week.end - timedelta(days=7 * weeks))


def _refuse_a_typo(words: str) -> None:
    said = squeezed(words)
    names = (*_THIS, *_LAST, *BEFORE_LAST)
    meant = closest(said, [squeezed(name) for name in names]) if len(said) >= 3 else None
    if meant is not None:
        raise UnknownPeriod(words, next(name for name in names if squeezed(name) == meant))
