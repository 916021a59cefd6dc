"""The collecting hour, in any zone, is one moment in UTC; a missed one is found again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.learning import due_month
from bot.schedule import latest_slot
from finops.registry import Workspace


def test_nine_in_seoul_is_midnight_utc():
    """Reaching the minute counts; a second before it does not."""
    at = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
    assert latest_slot("0 9 * * *", "Asia/Seoul", at) == at
    assert latest_slot("0 9 * * *", "Asia/Seoul", datetime(2026, 7, 6, 23, 59, 59, tzinfo=UTC)) == datetime(
        2026, 7, 6, 0, 0, tzinfo=UTC
    )


def test_the_slot_is_stored_in_utc_across_daylight_saving():
    """Nine in New York moves by an hour; the slot says which."""
    winter = latest_slot("0 9 * * *", "America/New_York", datetime(2026, 3, 7, 20, 0, tzinfo=UTC))
    summer = latest_slot("0 9 * * *", "America/New_York", datetime(2026, 3, 8, 20, 0, tzinfo=UTC))
    assert winter == datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
    assert summer == datetime(2026, 3, 8, 13, 0, tzinfo=UTC)


def test_a_weekly_line_finds_its_monday():
    found = latest_slot("0 9 * * mon", "Asia/Seoul", datetime(2026, 7, 10, 12, 0, tzinfo=UTC))
    assert found == datetime(2026, 7, 6, 0, 0, tzinfo=UTC)


def test_a_line_that_rings_every_minute_is_answered_without_counting_a_month_of_them():
    at = datetime(2026, 7, 10, 12, 0, 30, tzinfo=UTC)
    assert latest_slot("* * * * *", "UTC", at) == datetime(2026, 7, 10, 12, 0, tzinfo=UTC)


def test_a_time_that_comes_twice_when_clocks_are_put_back_is_found():
    """02:30 in Berlin on 25 October 2026 is 00:30 UTC, and an hour later 01:30 UTC: whichever, the answer comes."""
    for hour in range(24):
        at = datetime(2026, 10, 25, hour, 45, tzinfo=UTC)
        found = latest_slot("30 2 * * *", "Europe/Berlin", at)
        assert found is not None
        assert found <= at
        if hour >= 1:
            assert found.date() == at.date()


@pytest.mark.parametrize(
    ("zone", "told_at"),
    [
        ("America/New_York", datetime(2026, 6, 1, 13, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 6, 1, 3, 15, tzinfo=UTC)),
        ("Asia/Seoul", datetime(2026, 6, 1, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 6, 1, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 6, 1, tzinfo=UTC)),
    ],
)
def test_a_month_is_told_on_its_first_monday_and_never_before_it_is_over(zone: str, told_at: datetime):
    """The first is a Monday: nine o'clock on Lord Howe is half past ten in the evening of the last charge day."""
    workspace = Workspace("T1", "한빛소프트", "ko-KR", zone, None, datetime(2025, 1, 1, tzinfo=UTC))
    assert due_month(workspace, told_at - timedelta(seconds=1)) is None
    assert due_month(workspace, told_at) == date(2026, 5, 1)
