"""What people did, found in usage: on the demo's trace with seeded actions, and at the edges of every rule."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks import effects as stage
from finops.audit import AuditEntry
from finops.behaviour import ActionKind, Habit, Preceded, Told, moment, of_trail, preceding, sightings

DAY = 1440
NOON = datetime(2026, 7, 6, 12, tzinfo=UTC)


@cache
def told() -> dict[str, stage.Hours]:
    return stage.trace()


def test_nothing_is_found_where_nobody_did_anything() -> None:
    """Seventy days of ten real clients: busy Mondays, quiet weekends, a project whose mix swings by itself."""
    assert {name: stage.seen(hours) for name, hours in told().items()} == {name: [] for name in told()}


@pytest.mark.parametrize("kind", stage.KINDS)
@pytest.mark.parametrize("hour", [30 * 24 + 3, 41 * 24 + 20])
def test_a_seeded_action_is_found_on_its_day_at_any_hour(kind: ActionKind, hour: int) -> None:
    for number, name in enumerate(("voc-classifier", "code-review-bot")):
        found = stage.seen(stage.seeded(told()[name], kind, hour, random.Random(number)))
        assert found == [(kind, hour // 24)], name


def days(*tokens: int, start: int = 0) -> list[Habit]:
    return [Habit(start + n * DAY, {"a": each}, each, 0, each, 0) for n, each in enumerate(tokens) if each]


def mixed(share: int, start: int) -> Habit:
    """A day with some percent of its tokens on another model, in a batch and cached."""
    return Habit(start, {"a": 100 - share, "b": share}, 100, share, 100, share)


def test_silence_is_three_days_after_seven_and_not_a_weekend() -> None:
    assert [one.kind for one in sightings(days(*[5] * 7), 0, 10 * DAY)] == [ActionKind.WENT_SILENT]
    assert sightings(days(*[5] * 7), 0, 9 * DAY) == []
    assert sightings(days(*[5] * 6), 0, 12 * DAY) == []
    weekdays = days(*([5] * 4 + [0] * 3) * 4)
    assert sightings(weekdays, 0, 28 * DAY) == []


def test_a_habit_has_to_move_far_enough_and_to_stay() -> None:
    before = [mixed(10, n * DAY) for n in range(14)]
    for share, count, is_found in ((45, 2, True), (45, 1, False), (35, 2, False)):
        after = [mixed(share if n < count else 10, (14 + n) * DAY) for n in range(3)]
        kinds = {one.kind for one in sightings([*before, *after], 0, 17 * DAY)}
        assert (ActionKind.MODEL_CHANGED in kinds) == is_found, (share, count)
    after = [mixed(35, (14 + n) * DAY) for n in range(3)]
    assert {one.kind for one in sightings([*before, *after], 0, 17 * DAY)} == {
        ActionKind.BATCH_ADOPTED,
        ActionKind.CACHE_ADOPTED,
    }


def test_where_a_model_only_rests_nobody_changed_models() -> None:
    both = [Habit(n * DAY, {"a": 50, "b": 50}, 100, 0, 100, 0) for n in range(14)]
    alone = [Habit((14 + n) * DAY, {"a": 50}, 50, 0, 50, 0) for n in range(3)]
    assert sightings([*both, *alone], 0, 17 * DAY) == []


def test_the_hours_say_on_which_day_it_was_and_without_them_it_is_the_day_it_was_seen() -> None:
    before = [mixed(0, n * DAY) for n in range(14)]
    # From the last hour of day 14 on; that day itself hardly shows it.
    [seen] = [
        one
        for one in sightings([*before, mixed(4, 14 * DAY), *(mixed(90, n * DAY) for n in (15, 16))], 0, 17 * DAY)
        if one.kind is ActionKind.BATCH_ADOPTED
    ]
    assert seen.start == 15 * DAY
    hours = [mixed(90 if n >= 23 else 0, 14 * DAY + n * 60) for n in range(72)]
    assert moment(seen, hours) == 14 * DAY + 23 * 60
    assert moment(seen, []) == 15 * DAY


# Stretches of days in which one habit held: some percent on another model, or nothing used at all.
STRETCHES = st.lists(st.tuples(st.sampled_from([None, 0, 10, 50, 90, 100]), st.integers(1, 15)), max_size=6)


@example([(10, 14), (90, 3), (None, 4)])
@given(STRETCHES)
def test_whatever_was_used_only_whole_days_and_past_ones_are_told(stretches: list[tuple[int | None, int]]) -> None:
    shares = [share for share, count in stretches for _ in range(count)]
    used = [mixed(share, n * DAY) for n, share in enumerate(shares) if share is not None]
    end = len(shares) * DAY
    for one in sightings(used, 0, end):
        assert 0 < one.start < end
        assert one.start % DAY == 0


def test_only_what_somebody_did_about_spending_counts_of_the_trail() -> None:
    assert of_trail(AuditEntry(NOON, "U1", "stop.requested", "stop:1")) is ActionKind.STOPPED
    assert of_trail(AuditEntry(NOON, None, "budget.changed", "budget:1")) is None
    assert of_trail(AuditEntry(NOON, "U1", "budget.changed", "budget:1", "refused")) is None
    assert of_trail(AuditEntry(NOON, "U1", "audit.exported")) is None


def test_an_action_answers_the_last_alert_of_its_project_within_seven_days() -> None:
    def alert(days_ago: int, project: int, kind: Preceded = Preceded.ALERT) -> Told:
        return Told(kind, days_ago, NOON - timedelta(days=days_ago), frozenset({project}))

    assert preceding(NOON, 1, 9, [alert(8, 1), alert(3, 2)]) is None
    assert preceding(NOON, 1, 9, [alert(5, 1), alert(2, 1)]) == alert(2, 1)
    assert preceding(NOON, 1, 9, [alert(5, 1), alert(2, 1, Preceded.DIGEST)]) == alert(5, 1)
    of_team = Told(Preceded.ALERT, 1, NOON, frozenset(), frozenset({9}))
    assert preceding(NOON, 1, 9, [of_team]) == of_team
    assert preceding(NOON - timedelta(seconds=1), 1, 9, [of_team]) is None
