"""Proof: five quiet minutes that can no longer change, and nothing less; calls long after the lever disprove it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.proof import (
    DEADLINE,
    QUIET_MINUTES,
    SPREADING,
    Seen,
    Verdict,
    final_until,
    last_request_at,
    seen_until,
    unread,
    verdict,
)
from finops.usage import Endpoint

SET_AT = datetime(2026, 7, 6, 1, 0, 20, tzinfo=UTC)
MINUTE = int(SET_AT.timestamp()) // 60
LATENESS = timedelta(minutes=1)

minutes = st.integers(-10, 40)
calls = st.dictionaries(minutes.map(lambda one: MINUTE + one), st.integers(0, 3), max_size=12)
latenesses = st.one_of(st.none(), st.integers(0, 40).map(lambda one: timedelta(minutes=one)))


def seen(*at: int, read_until: int = 100, lateness: timedelta | None = LATENESS) -> Seen:
    """Calls in these minutes, counted from the one in which the lever was set."""
    return Seen({MINUTE + one: 1 for one in at}, MINUTE + read_until, lateness)


def after(minutes: float) -> datetime:
    return SET_AT + timedelta(minutes=minutes)


@settings(max_examples=50)
@given(calls, minutes, latenesses, st.integers(0, 60))
def test_what_is_proved_was_quiet_for_five_minutes_that_nothing_can_change_any_more(
    told: dict[int, int], read_until: int, lateness: timedelta | None, passed: int
):
    """And what calls long after it was set is never proved before it is quiet again."""
    now = after(passed)
    usage = Seen(told, MINUTE + read_until, lateness)
    said = verdict(usage, SET_AT, now)
    final = final_until(usage, now)
    under = [minute for minute, count in told.items() if count and minute > MINUTE]
    quiet = [minute for minute in range(MINUTE + 1, final) if all(minute > one for one in under)]
    assert (said is Verdict.PROVED) == (len(quiet) >= QUIET_MINUTES)
    if said in (Verdict.GOES_ON, Verdict.UNSEEN):
        assert now - SET_AT >= DEADLINE, "people are not frightened before its time"
    if said is Verdict.GOES_ON:
        assert any(minute >= int((SET_AT + SPREADING).timestamp()) // 60 for minute in under)
    if said is Verdict.WAITING:
        assert now - SET_AT < DEADLINE, "nobody waits for ever"


@settings(max_examples=50)
@given(calls, minutes, latenesses, st.integers(0, 60))
def test_a_minute_is_final_only_when_it_was_read_and_had_its_time_to_arrive(
    told: dict[int, int], read_until: int, lateness: timedelta | None, passed: int
):
    """Never the minute that still runs, and never one that nobody has read."""
    final = final_until(Seen(told, MINUTE + read_until, lateness), after(passed))
    assert final <= MINUTE + read_until
    assert final * 60 <= after(passed).timestamp() - 60


@pytest.mark.parametrize(
    ("usage", "minutes", "said"),
    [
        (seen(0), 7, Verdict.PROVED),  # minutes 1 to 5, and a minute for the last of them to arrive
        (seen(0), 6.6, Verdict.WAITING),
        (seen(1), 7, Verdict.WAITING),  # the first whole minute under it counts
        (seen(1), 8, Verdict.PROVED),
        (seen(0, 2), 9, Verdict.PROVED),  # the leak ended in the second minute
        (seen(0, 2), 8, Verdict.WAITING),
        (seen(3, 14), 16, Verdict.GOES_ON),
        (seen(0, read_until=2), 16, Verdict.UNSEEN),
        (seen(0, lateness=None), 11, Verdict.PROVED),  # not measured: five minutes
        (seen(0, lateness=None), 10, Verdict.WAITING),
        (seen(0, lateness=timedelta(hours=2)), 14.6, Verdict.WAITING),  # at most nine minutes are waited for
        (seen(0, lateness=timedelta(hours=2)), 14.7, Verdict.PROVED),
    ],
)
def test_a_stop_is_proved_as_soon_as_it_can_be_and_doubted_after_a_quarter(usage: Seen, minutes: float, said: Verdict):
    """Each to the minute."""
    assert verdict(usage, SET_AT, after(minutes)) is said


def test_what_hides_a_proof_is_named_with_since_when():
    """The kinds that were not read to five quiet minutes, least read first; one that never was has no since."""
    enough = dict.fromkeys(Endpoint, MINUTE + 60)
    assert unread(enough, seen(2), SET_AT) == ((), None)
    short = {**enough, Endpoint.IMAGES: MINUTE + 7, Endpoint.EMBEDDINGS: MINUTE + 4, Endpoint.VECTOR_STORES: 0}
    kinds, since = unread(short, seen(2), SET_AT)
    assert kinds == (Endpoint.EMBEDDINGS, Endpoint.IMAGES)
    assert since == SET_AT.replace(second=0, microsecond=0) + timedelta(minutes=4)
    assert unread({**short, Endpoint.IMAGES: MINUTE + 8}, seen(2), SET_AT)[0] == (Endpoint.EMBEDDINGS,)
    del short[Endpoint.IMAGES]
    assert unread(short, seen(2), SET_AT) == ((Endpoint.IMAGES, Endpoint.EMBEDDINGS), None)


def test_the_last_call_is_the_end_of_its_minute():
    """Rather a little late than early."""
    assert last_request_at(seen(-3, 0, 2), SET_AT) == SET_AT.replace(second=0) + timedelta(minutes=3)
    assert last_request_at(seen(0), SET_AT) == SET_AT.replace(second=0) + timedelta(minutes=1)
    assert last_request_at(seen(-3), SET_AT) is None


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(Endpoint), st.integers(1, 60)))
def test_nothing_is_seen_further_than_the_kind_of_call_that_is_seen_least(read: dict[Endpoint, int]):
    """One that was never read hides everything; how far storage was read says nothing about calls."""
    until = seen_until(read)
    assert all(until <= read.get(one, 0) for one in Endpoint if one is not Endpoint.VECTOR_STORES)
    assert until in [read.get(one, 0) for one in Endpoint if one is not Endpoint.VECTOR_STORES]
