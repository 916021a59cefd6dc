"""Which week people mean, and from when on it may be told, in zones on every side of Seoul."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from finops.periods import Period
from finops.queries import UnknownPeriod
from finops.weeks import due_at, last_week, parse_week

WEDNESDAY = date(2026, 7, 8)


def monday(*parts: int) -> Period:
    start = date(*parts)
    return Period(start, date.fromordinal(start.toordinal() + 7))


@pytest.mark.parametrize(
    ("words", "week"),
    [
        ("", monday(2026, 6, 29)),
        ("지난주", monday(2026, 6, 29)),
        ("지난 주", monday(2026, 6, 29)),
        ("last week", monday(2026, 6, 29)),
        ("先週", monday(2026, 6, 29)),
        ("지지난주", monday(2026, 6, 22)),
        ("3주 전", monday(2026, 6, 15)),
        ("2 weeks ago", monday(2026, 6, 22)),
        ("3週間前", monday(2026, 6, 15)),
        ("2026-W01", monday(2025, 12, 29)),
        ("2026w20", monday(2026, 5, 11)),
        ("2026-05-13", monday(2026, 5, 11)),
        ("2026.5.13", monday(2026, 5, 11)),
        ("20260513", monday(2026, 5, 11)),
        ("2026年5月13日", monday(2026, 5, 11)),
        ("2026년 5월 13일", monday(2026, 5, 11)),
        ("3w", monday(2026, 6, 15)),
        ("this week", monday(2026, 7, 6)),
    ],
)
def test_a_week_is_meant(words: str, week: Period):
    assert parse_week(words, WEDNESDAY).week == week
    assert parse_week(words, WEDNESDAY).scope_words is None


@pytest.mark.parametrize("words", ["마케팅팀 지난주", "지난주 마케팅팀", "마케팅팀", "마케팅팀 2026-W27"])
def test_a_team_may_stand_on_either_side(words: str):
    asked = parse_week(words, WEDNESDAY, ["마케팅팀"])
    assert (asked.scope_words, asked.week) == ("마케팅팀", monday(2026, 6, 29))


def test_a_team_that_is_called_like_a_week_is_a_team():
    assert parse_week("last week", WEDNESDAY, ["Last Week"]).scope_words == "last week"
    assert parse_week("last week 2026-W20", WEDNESDAY, ["Last Week"]).week == monday(2026, 5, 11)


@pytest.mark.parametrize("words", ["2026-W60", "2026-13-40", "lats week", "999주 전", "2026-02-30", "9999-12-31"])
def test_what_looks_like_a_week_and_is_none_is_refused_with_a_guess(words: str):
    with pytest.raises(UnknownPeriod) as refused:
        parse_week(words, WEDNESDAY)
    assert refused.value.suggestion == "last week"


@pytest.mark.parametrize(
    ("zone", "slot", "week", "at"),
    [
        # Monday 09:00 in Seoul is the very moment the last charge day ends.
        ("Asia/Seoul", "2026-07-06 00:00", monday(2026, 6, 29), "2026-07-06 00:00"),
        # Monday 09:00 in Auckland is Sunday evening of the charge days: it waits for their end.
        ("Pacific/Auckland", "2026-07-05 21:00", monday(2026, 6, 29), "2026-07-06 00:00"),
        ("America/New_York", "2026-07-06 13:00", monday(2026, 6, 29), "2026-07-06 13:00"),
        # Sunday evening in Seoul still tells the week before.
        ("Asia/Seoul", "2026-07-05 09:00", monday(2026, 6, 22), "2026-07-05 09:00"),
        ("Asia/Seoul", "2026-07-05 15:30", monday(2026, 6, 29), "2026-07-06 00:00"),
    ],
)
def test_a_week_is_told_at_its_hour_but_never_before_it_has_ended(zone: str, slot: str, week: Period, at: str):
    slot_at, told_at = (datetime.fromisoformat(f"{each}Z") for each in (slot, at))
    assert due_at(slot_at, ZoneInfo(zone)) == (week, told_at)


def test_last_week_ends_before_the_open_day():
    assert last_week(date(2026, 7, 6)) == monday(2026, 6, 29)
    assert last_week(date(2026, 7, 5)) == monday(2026, 6, 22)


def test_a_team_called_like_a_week_takes_it_from_nobody() -> None:
    """Beside another team's name it is the week."""
    today, names = date(2026, 11, 18), ["지난주", "마케팅팀"]
    found = parse_week("마케팅팀 지난주", today, names)
    assert (found.scope_words, found.week) == ("마케팅팀", last_week(today))
    assert parse_week("지난주", today, names).scope_words == "지난주"
