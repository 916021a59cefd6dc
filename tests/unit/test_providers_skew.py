"""How far two clocks are apart, judged by a header of whole seconds that was written while we waited."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from httpx import Headers

from providers.http import Answer
from providers.openai_usage import skew_of

SENT = datetime(2026, 7, 6, 5, 0, 0, 400_000, tzinfo=UTC)


def answered(told: datetime) -> Answer:
    return Answer(200, Headers({"date": format_datetime(told, usegmt=True)}), b"", None)


@pytest.mark.parametrize(
    ("told", "received", "expected"),
    [
        (SENT, SENT + timedelta(seconds=2), timedelta(0)),
        (SENT, SENT + timedelta(hours=2), timedelta(0)),
        (SENT + timedelta(minutes=10), SENT, timedelta(minutes=10) - timedelta(microseconds=400_000)),
        (SENT - timedelta(minutes=10), SENT, -timedelta(minutes=10) + timedelta(microseconds=600_000)),
    ],
    ids=["in time", "we slept while waiting", "ahead of us", "behind us"],
)
def test_a_slow_answer_is_no_wrong_clock(told: datetime, received: datetime, expected: timedelta) -> None:
    assert skew_of(answered(told), SENT, received, None) == expected


def test_an_answer_without_a_date_leaves_what_was_known() -> None:
    known = timedelta(minutes=1)
    assert skew_of(Answer(200, Headers(), b"", None), SENT, SENT, known) == known
