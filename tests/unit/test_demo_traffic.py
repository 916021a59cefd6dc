"""Simulated traffic: minutes, hours and days add up to each other, and the live tail repeats the last week."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.openai.behaviour import BadSetting, Behaviour
from demo.openai.traffic import DAY, HOUR, Traffic
from demo.trace import NOTHING, Series, Trace, Usage
from finops.periods import minute_of

ANCHOR = datetime(2026, 11, 18, tzinfo=UTC)
LIVE = minute_of(ANCHOR)
KEY = ("chat", "big")
usages = st.tuples(*[st.integers(0, 5000)] * 4).map(lambda counts: Usage(*counts))


def traffic(hours: dict[int, Usage], last_hour: int, behaviour: Behaviour | None = None) -> Traffic:
    trace = Trace((Series(*KEY, hours, tells_cached=True),), 0, last_hour)
    return Traffic(trace, ANCHOR, behaviour or Behaviour())


def total(parts: list[Usage]) -> Usage:
    found = NOTHING
    for part in parts:
        found = found.plus(part)
    return found


def numbered(hours: int) -> Traffic:
    """Every hour has its own number of requests."""
    return traffic({hour: Usage(1000 + hour, 10 * hour, hour, 7) for hour in range(hours)}, hours - 1)


@settings(deadline=None, max_examples=25)
@given(usages)
def test_an_hour_is_exactly_its_sixty_minutes(usage: Usage) -> None:
    one = traffic({0: usage}, 0)
    minutes = [one.between(KEY, LIVE - HOUR + n, LIVE - HOUR + n + 1, LIVE) for n in range(HOUR)]
    assert total(minutes) == usage
    assert all(part.requests or not any(part) for part in minutes) or not usage.requests


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 40 * HOUR), min_size=2, max_size=6).map(sorted))
def test_consecutive_stretches_tile_without_gap_or_overlap(cuts: list[int]) -> None:
    one = numbered(48)
    start = LIVE - 20 * HOUR
    now = LIVE + 30 * HOUR
    parts = [one.between(KEY, start + a, start + b, now) for a, b in itertools.pairwise(cuts)]
    assert total(parts) == one.between(KEY, start + cuts[0], start + cuts[-1], now)


def test_the_live_tail_repeats_the_same_hour_of_the_last_week() -> None:
    one = numbered(14 * 24)
    for ahead in (0, 1, 167, 168, 500):
        requests = one.between(KEY, LIVE + ahead * HOUR, LIVE + (ahead + 1) * HOUR, LIVE + 10**6).requests
        assert requests == 1000 + 7 * 24 + ahead % 168


@pytest.mark.parametrize(("hours", "period"), [(30, 24), (71, 48), (168, 168), (400, 168)])
def test_a_short_trace_repeats_its_whole_days(hours: int, period: int) -> None:
    one = numbered(hours)
    assert one.planned_hour(KEY, LIVE // 60 + period) == one.planned_hour(KEY, LIVE // 60)
    assert one.planned_hour(KEY, LIVE // 60 + period - 1).requests == 1000 + hours - 1


def test_nothing_happens_before_the_trace_or_after_now() -> None:
    one = numbered(48)
    assert one.between(KEY, LIVE - 10 * DAY, LIVE - 2 * DAY, LIVE) == NOTHING
    assert one.between(KEY, LIVE + 5, LIVE + 10, LIVE + 5) == NOTHING


def test_a_boost_multiplies_requests_from_its_instant_and_never_the_past() -> None:
    one = numbered(14 * 24)
    now = LIVE + 3 * HOUR
    before = one.between(KEY, LIVE - DAY, LIVE + HOUR, now)
    plain = one.between(KEY, LIVE + HOUR, LIVE + 2 * HOUR, now)
    one.boost("chat", Fraction(15), LIVE + HOUR)
    one.boost("chat", Fraction(1), LIVE + 2 * HOUR)
    assert one.between(KEY, LIVE - DAY, LIVE + HOUR, now) == before
    assert one.between(KEY, LIVE + HOUR, LIVE + 2 * HOUR, now) == plain.scaled(15, 1)
    assert one.between(KEY, LIVE + 2 * HOUR, now, now) == numbered(14 * 24).between(KEY, LIVE + 2 * HOUR, now, now)


def test_a_boost_never_rewrites_the_trace() -> None:
    one = numbered(48)
    before = one.between(KEY, LIVE - DAY, LIVE, LIVE)
    one.boost("chat", Fraction(2), LIVE - 2 * DAY)
    assert one.between(KEY, LIVE - DAY, LIVE, LIVE) == before


def test_closed_days_with_interference_still_add_up() -> None:
    one = numbered(14 * 24)
    one.boost("chat", Fraction(3, 2), LIVE + 100)
    now = LIVE + 3 * DAY
    first = one.between(KEY, LIVE, now, now)
    one.record(KEY, LIVE + DAY + 3, Usage(1, 2, 3, 4))
    minutes = [one.between(KEY, minute, minute + 1, now) for minute in range(LIVE, now)]
    assert one.between(KEY, LIVE, now, now) == total(minutes) == first.plus(Usage(1, 2, 3, 4))


def test_fresh_minutes_fill_up_and_then_stand() -> None:
    behaviour = Behaviour()
    one = traffic({hour: Usage(6000, 60_000, 0, 6000) for hour in range(168)}, 167, behaviour)
    behaviour.set({"fresh_minutes": 4})
    seen = [one.between(KEY, LIVE, LIVE + 1, LIVE + age).requests for age in range(1, 8)]
    assert sorted(seen) == seen
    assert len(set(seen[:5])) == 5
    assert set(seen[4:]) == {one.happened(KEY, LIVE, LIVE + 1).requests}


def test_late_hours_hide_the_newest() -> None:
    behaviour = Behaviour(late_hours=2)
    one = traffic({hour: Usage(60, 60, 0, 60) for hour in range(168)}, 167, behaviour)
    assert one.between(KEY, LIVE - 2 * HOUR, LIVE, LIVE) == NOTHING
    assert one.between(KEY, LIVE - 3 * HOUR, LIVE, LIVE) == Usage(60, 60, 0, 60)


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "red"},
        {"numbers": "roman"},
        {"bucket_key": "rows"},
        {"late_hours": -1},
        {"late_hours": True},
        {"split_rows": 1},
        {"organization_daily_usd": "much"},
    ],
)
def test_a_wrong_setting_is_refused_and_changes_nothing(wrong: dict[str, object]) -> None:
    behaviour = Behaviour()
    with pytest.raises(BadSetting):
        behaviour.set({"split_rows": True, **wrong})
    assert behaviour == Behaviour()


def test_a_reset_brings_back_the_plain_answers() -> None:
    behaviour = Behaviour()
    behaviour.set({"numbers": "string", "late_hours": 3, "organization_daily_usd": "1.5"})
    assert behaviour != Behaviour()
    behaviour.reset()
    assert behaviour == Behaviour()
