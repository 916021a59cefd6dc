"""The end of a key: which warning holds at which moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.expiry import EXPIRED, FIRST_WARNING, WARNING_DAYS, days_left, warning_due

END = datetime(2026, 7, 20, 3, 30, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("left", "due"),
    [
        (timedelta(days=14) + INSTANT, None),
        (timedelta(days=14), 14),
        (timedelta(days=3) + INSTANT, 14),
        (timedelta(days=3), 3),
        (timedelta(days=1) + INSTANT, 3),
        (timedelta(days=1), 1),
        (INSTANT, 1),
        (timedelta(), EXPIRED),
        (-INSTANT, EXPIRED),
        (-timedelta(days=400), EXPIRED),
    ],
)
def test_the_nearest_warning_is_due_and_no_other(left: timedelta, due: int | None) -> None:
    """On both sides of every threshold."""
    assert warning_due(END, END - left) == due


def test_a_key_without_an_end_is_never_warned_of() -> None:
    """Or whose end the provider would not tell."""
    assert warning_due(None, END) is None


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=3), 3),
        (timedelta(days=2) + INSTANT, 3),
        (timedelta(days=2), 2),
        (INSTANT, 1),
        (timedelta(), 0),
        (-timedelta(days=9), 0),
    ],
)
def test_a_begun_day_counts(left: timedelta, days: int) -> None:
    """Said at its threshold, a warning names exactly that many days."""
    assert days_left(END, END - left) == days


@given(st.timedeltas(-timedelta(days=40), timedelta(days=40)))
def test_a_warning_never_promises_more_time_than_its_threshold(left: timedelta) -> None:
    """The days named lie within the threshold; nothing is due before the first; only the end is the end."""
    due, named = warning_due(END, END - left), days_left(END, END - left)
    assert (due is None) == (left > FIRST_WARNING)
    assert (due == EXPIRED) == (named == 0) == (left <= timedelta())
    if due:
        assert due in WARNING_DAYS
        assert 1 <= named <= due
