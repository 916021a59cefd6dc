"""Periods: one calendar of UTC days that tile without gap or overlap."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.periods import Period, charge_day, starts_at

days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
lengths = st.integers(0, 800)


def test_a_period_does_not_run_backwards() -> None:
    """It may be empty, though."""
    with pytest.raises(ValueError, match="before it starts"):
        Period(date(2026, 7, 2), date(2026, 7, 1))
    assert Period(date(2026, 7, 1), date(2026, 7, 1)).days == 0


@given(days, lengths)
def test_a_period_holds_exactly_its_days(start: date, length: int) -> None:
    """Half open: the first day is in, the end is out."""
    period = Period(start, start + timedelta(days=length))
    listed = list(period)
    assert len(listed) == period.days == length
    assert all(day in period for day in listed)
    assert listed == sorted(set(listed))
    assert period.end not in period
    assert start - timedelta(days=1) not in period


@given(days, lengths)
def test_the_period_before_tiles_with_this_one(start: date, length: int) -> None:
    """As long, ending where this one starts."""
    period = Period(start, start + timedelta(days=length))
    before = period.before()
    assert (before.end, before.days) == (period.start, period.days)
    assert [*before, *period] == list(Period(before.start, period.end))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 7, 3, 8, 59, 59, tzinfo=ZoneInfo("Asia/Seoul")), date(2026, 7, 2)),
        (datetime(2026, 7, 3, 9, 0, tzinfo=ZoneInfo("Asia/Seoul")), date(2026, 7, 3)),
        (datetime(2026, 7, 3, 20, 0, tzinfo=ZoneInfo("America/New_York")), date(2026, 7, 4)),
        (datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Berlin")), date(2026, 3, 29)),
        (datetime(2026, 7, 3, 23, 59, 59, 999999, tzinfo=UTC), date(2026, 7, 3)),
    ],
)
def test_the_charge_day_is_the_utc_day(moment: datetime, day: date) -> None:
    """In Seoul it begins at nine in the morning."""
    assert charge_day(moment) == day


def test_a_time_without_a_zone_is_nobodys_day() -> None:
    """Naive times are refused."""
    with pytest.raises(ValueError, match="aware"):
        charge_day(datetime(2026, 7, 3))  # noqa: DTZ001 - that is the point


@given(days)
def test_a_day_begins_in_itself_and_not_before(day: date) -> None:
    """The first instant belongs to the day, the one before to the day before."""
    start = starts_at(day)
    assert charge_day(start) == day
    assert charge_day(start - timedelta(microseconds=1)) == day - timedelta(days=1)
