"""Lateness: no news is believed for a while, and only where there was no news on other days either."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finops.lateness import expects_traffic, is_late, p95, patience, seconds_late

NOW = datetime(2026, 7, 3, 14, 40, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // 60
DAY = 1440


def at(hour: int, minute: int, days_ago: int = 0) -> int:
    """The epoch minute of a time of day."""
    return MINUTE - (14 * 60 + 40) + hour * 60 + minute - days_ago * DAY


def minutes(*times: tuple[int, int], days: int = 7) -> list[tuple[int, int]]:
    """Minute buckets with usage at those times on each of the days before."""
    return [(at(hour, minute, ago), 1) for ago in range(1, days + 1) for hour, minute in times]


CONSTANT = [(at(hour, 0, ago), 60) for ago in range(1, 8) for hour in range(24)]
EVERY_MINUTE = minutes(*[(hour, minute) for hour in range(24) for minute in range(60)])


def test_lateness_counts_from_the_end_of_the_minute():
    """What happened at 14:30 can be told from 14:31 on; a clock that runs ahead is not early news."""
    assert seconds_late(at(14, 30), NOW) == 9 * 60
    assert seconds_late(at(14, 30), NOW + timedelta(seconds=1.5)) == 541
    assert seconds_late(at(14, 45), NOW) == 0
    with pytest.raises(ValueError, match="aware"):
        seconds_late(MINUTE, NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("samples", "seconds"),
    [([], None), ([7], 7), (range(1, 101), 95), (range(1, 21), 19), ([5] * 19 + [900], 5), ([5] * 18 + [900] * 2, 900)],
)
def test_the_95th_percentile_is_one_of_the_samples(samples: list[int], seconds: int | None):
    """Nearest rank: 95 of 100 are no later."""
    assert p95(list(samples)) == (None if seconds is None else timedelta(seconds=seconds))


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=200))
def test_at_least_95_per_cent_arrive_within_it_and_fewer_within_less(samples: list[int]):
    """Whatever the order."""
    found = p95(samples)
    assert found is not None
    assert sum(timedelta(seconds=each) <= found for each in samples) * 100 >= 95 * len(samples)
    assert sum(timedelta(seconds=each) < found for each in samples) * 100 < 95 * len(samples)
    assert p95(samples[::-1]) == found


def test_patience_is_a_quarter_of_an_hour_or_what_was_measured():
    """Twice the 95th percentile and one poll."""
    assert patience(None) == patience(timedelta(minutes=5)) == timedelta(minutes=15)
    assert patience(timedelta(minutes=6)) == timedelta(minutes=17)
    assert patience(timedelta(minutes=10), timedelta(seconds=5)) == timedelta(minutes=20, seconds=5)


@pytest.mark.parametrize(
    ("newest", "late"), [(at(14, 39), False), (at(14, 24), False), (at(14, 23), True), (None, True), (at(15, 0), False)]
)
def test_usage_is_late_beyond_patience_where_it_is_expected(newest: int | None, late: bool):
    """The minute 14:23 ended at 14:24; at 14:40 that is sixteen minutes ago."""
    assert is_late(newest, NOW, None, expected=True) is late
    assert not is_late(newest, NOW, None, expected=False)
    assert not is_late(newest, NOW, timedelta(hours=12), expected=True) or newest is None


def test_constant_traffic_is_missed_soon():
    """Twenty minutes of silence where every minute of the last week had usage; five minutes are nothing."""
    assert expects_traffic(at(14, 19), NOW, None, EVERY_MINUTE)
    assert not expects_traffic(at(14, 35), NOW, None, EVERY_MINUTE)
    assert not expects_traffic(at(14, 19), NOW, timedelta(minutes=30), EVERY_MINUTE)


def test_hours_alone_take_a_whole_hour_of_silence():
    """The roll-up does not say when within the hour."""
    assert not expects_traffic(at(14, 5), NOW, None, CONSTANT)
    assert expects_traffic(at(12, 59), NOW, None, CONSTANT)


def test_an_hourly_job_is_not_missed_between_its_runs():
    """It ran at 14:00 and runs again at 15:00; when that run is not seen, it is missed."""
    hourly = minutes(*[(hour, 0) for hour in range(24)])
    assert not expects_traffic(at(14, 0), NOW, None, hourly)
    assert not expects_traffic(at(14, 0), NOW + timedelta(minutes=34), None, hourly)
    assert expects_traffic(at(14, 0), NOW + timedelta(minutes=36), None, hourly)


def test_one_quiet_day_of_seven_is_enough_to_expect_nothing():
    """A weekend without traffic, or a connection that is too young."""
    assert not expects_traffic(at(14, 19), NOW, None, minutes((14, 22), days=6))
    assert expects_traffic(at(14, 19), NOW, None, minutes((14, 22)))
    assert not expects_traffic(at(14, 19), NOW, None, [])


def test_a_silence_of_days_is_looked_at_over_its_last_day():
    """And when we never held any usage, over the last day too."""
    for newest in (None, at(3, 0, 5)):
        assert expects_traffic(newest, NOW, None, minutes((3, 0)))
        assert is_late(newest, NOW, None, expected=True)


@example(60, [(30, 1)])
@given(st.integers(0, 3 * DAY), st.lists(st.tuples(st.integers(0, DAY), st.sampled_from([1, 60])), max_size=4))
def test_what_is_expected_and_missing_is_late(silent: int, usual: list[tuple[int, int]]):
    """The stretch lies before patience begins, so there is no second opinion."""
    newest = MINUTE - silent
    busy = [(MINUTE - back - ago * DAY, width) for ago in range(1, 8) for back, width in usual]
    if expects_traffic(newest, NOW, None, busy):
        assert is_late(newest, NOW, None, expected=True)
