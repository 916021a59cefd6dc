"""What is asked of usage: everything since the last reading, once, and no finer than it has to be."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.usage_steps import FILLED_IN_DAYS, LONGEST_GAP, REREAD_TAIL, Step, silence, steps
from finops.usage import Width

DAY = 1440
NOW = 29_722_500 // DAY * DAY + 754  # 12:34 of some day
MINUTES = st.integers(min_value=0, max_value=60 * DAY)


def test_the_next_poll_reads_what_is_new_and_the_tail_that_may_have_moved():
    assert steps(NOW - 5, NOW) == [Step(Width.MINUTE, NOW - 5 - REREAD_TAIL, NOW)]


def test_the_first_reading_is_wide_and_only_the_last_two_hours_are_minutes():
    """Four weeks of days for what is usual, eight days of hours for the window, two hours of minutes to begin with."""
    today = NOW // DAY * DAY
    assert steps(None, NOW) == [
        Step(Width.DAY, today - FILLED_IN_DAYS * DAY, today - 7 * DAY),
        Step(Width.HOUR, today - 7 * DAY, today + 600),
        Step(Width.MINUTE, today + 600, NOW),
    ]


def test_after_a_night_without_us_the_hour_that_was_begun_is_finished_by_the_minute():
    """Of an hour of which twenty minutes are stored, the rest is not asked for as an hour: it would not fit."""
    today = NOW // DAY * DAY
    before = today - DAY + 20 * 60 + 20
    assert steps(before, NOW) == [
        Step(Width.MINUTE, before - REREAD_TAIL, today - DAY + 21 * 60),
        Step(Width.HOUR, today - DAY + 21 * 60, today + 600),
        Step(Width.MINUTE, today + 600, NOW),
    ]


def test_a_provider_that_is_behind_is_asked_again_for_everything_after_the_newest_usage():
    """Its minutes were told as empty, and they may fill up an hour later; a quiet night is not asked for for ever."""
    assert steps(NOW - 5, NOW, NOW - 71) == [Step(Width.MINUTE, NOW - 70 - REREAD_TAIL, NOW)]
    assert steps(NOW - 5, NOW, NOW - 6) == steps(NOW - 5, NOW)
    assert steps(NOW - 5, NOW, NOW - LONGEST_GAP - 1) == steps(NOW - 5, NOW)


def test_a_silence_of_hours_is_asked_for_again_once_an_hour_after_a_gap_and_when_it_ends():
    """It may be a quiet night, or a provider that is hours behind and stays behind by one."""
    newest = NOW - 10 * 60
    asked = [steps(NOW + minute - 5, NOW + minute, newest)[0].start for minute in range(0, 120, 5)]
    assert [start for start in asked if start == newest + 1 - REREAD_TAIL] == [newest + 1 - REREAD_TAIL] * 2
    assert steps(NOW - 5 - LONGEST_GAP, NOW, newest)[0].start == newest + 1 - REREAD_TAIL
    assert steps(NOW - 5, NOW, NOW - 2 * DAY) == steps(NOW - 5, NOW) == steps(NOW - 5, NOW, None)
    asked_now = Step(Width.MINUTE, NOW - 25, NOW)
    assert silence(asked_now, newest) == Step(Width.MINUTE, newest + 1 - REREAD_TAIL, NOW - 25)
    assert silence(asked_now, NOW - 9 * DAY) == Step(Width.MINUTE, NOW - 25 - DAY, NOW - 25)
    assert silence(asked_now, None) == silence(asked_now, NOW - 9 * DAY)
    assert silence(asked_now, NOW - 26) is None


@given(gap=MINUTES, offset=st.integers(min_value=0, max_value=2 * DAY))
def test_whatever_the_gap_everything_is_asked_for_once_in_whole_buckets(gap: int, offset: int):
    now = NOW + offset
    asked = steps(now - gap, now)
    assert asked[0].start == now - gap - REREAD_TAIL
    assert asked[-1].end == now
    assert all(one.end == other.start for one, other in pairwise(asked))
    assert all(step.start < step.end for step in asked)
    for step in asked:
        if step.width is not Width.MINUTE:
            assert step.start % step.width == step.end % step.width == 0
            assert step.start >= now - gap
    assert sum(step.end - step.start for step in asked if step.width is Width.MINUTE) <= LONGEST_GAP + 2 * REREAD_TAIL


def test_a_clock_that_was_set_back_still_reads_its_tail():
    assert steps(NOW + DAY, NOW) == [Step(Width.MINUTE, NOW - REREAD_TAIL, NOW)]
