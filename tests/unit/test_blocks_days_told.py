"""A time of day alone is of the day on which it is read; any other has its date, and so has all that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from blocks import incident_words as words
from blocks import incidents, stop_list
from blocks import stop_words as stopped
from finops.incidents import IncidentState
from finops.stop_report import StopsListed
from finops.stops import StopState
from tests.unit import saying_live, stopping_said
from tests.unit.saying import LANGUAGES, reader

DAY = timedelta(days=1)


def test_an_alert_that_is_over_tells_every_time_with_its_date() -> None:
    """It is closed in the morning, below the date of the evening before, and nobody edits it any more."""
    over = saying_live.over()
    ended = replace(over.incident, opened_at=over.incident.updated_at, since=over.incident.updated_at)
    for shown in (over, replace(over, incident=ended)):
        assert words.as_of(shown, reader("ko")) == "7월 7일 09:00 기준"
        assert incidents.closed(shown, reader("ko")).text.endswith("7월 7일 09:00 기준")


def test_an_alert_of_yesterday_tells_todays_times_with_their_date() -> None:
    """Its message stands below yesterday's date: 14:00 alone would be read as of then."""
    t, golden = reader("ko"), saying_live.shown()
    assert words.as_of(golden, t) == "14:00 기준"
    begun = replace(golden.incident, opened_at=golden.incident.opened_at - DAY)
    assert words.as_of(replace(golden, incident=begun), t) == "7월 6일 14:00 기준"
    assert words.pace(replace(golden, incident=begun), t).startswith("7월 6일 13:40")


def test_a_stop_tells_its_times_as_the_alert_around_it_does() -> None:
    """One of the day before yesterday stood with its hours alone beside the hour of now."""
    t, proved = reader("ko"), stopping_said.proved()
    assert proved.incident is not None
    assert "14:03:22" in stopped.request_line(proved, t)
    assert "7월" not in stopped.request_line(proved, t)
    later = proved.incident.updated_at + DAY
    around = (
        replace(proved.incident, opened_at=proved.incident.opened_at - DAY),
        replace(proved.incident, updated_at=later),
        replace(proved.incident, state=IncidentState.CLOSED, closed_at=proved.incident.updated_at),
    )
    for incident in around:
        assert "7월 6일 14:03" in stopped.request_line(replace(proved, incident=incident), t)
    ended = replace(proved.stop, state=StopState.CLOSED, closed_at=proved.stop.updated_at)
    closed = replace(proved, stop=ended, incident=None)
    assert "7월 6일 14:03" in stopped.request_line(closed, t)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_held_since_yesterday_says_so_in_the_list(language: str) -> None:
    t, proved = reader(language), replace(stopping_said.proved(), incident=None)
    today, tomorrow = (
        str(stop_list.listed(StopsListed((), (replace(proved, told_at=proved.stop.updated_at + days),)), t))
        for days in (timedelta(0), DAY)
    )
    last = proved.holds[0].last_request_at
    assert last is not None
    assert t.moment(last) not in today
    assert t.moment(last) in tomorrow
