"""Stopping: a stop is where its holds are, says each thing once, and lets go only on the terms somebody agreed to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.charges import FigureState
from finops.estimates import Spent
from finops.holds import STANDING, Hold, HoldState, HoldTrouble, judged, reopened, saved, troubled
from finops.levers import Lever
from finops.losses import Saved
from finops.money import Money
from finops.proof import Verdict
from finops.queries import ScopeKind
from finops.stop_second import declined, has_lapsed, lapsed, second_asked, second_of
from finops.stopping import (
    WATCHED,
    Allowance,
    StopMistake,
    StopRefused,
    allowance_ended,
    allowance_is_over,
    approved,
    asked,
    cause_pinned,
    closed,
    extended,
    incident_state,
    is_firmer,
    is_to_be_closed,
    latest,
    may_stop_by_itself,
    part_of,
    period_over,
    progressed,
    taken_again,
    tried_again,
)
from finops.stops import UNDER_WAY, ApprovalWay, Pending, Stop, StopChange, StopEvent, StopEventKind, StopState
from tests.unit.stopping_kit import CENT, LIMIT, NOW, a_held, a_project, a_stop, an_ask

LATER = NOW + timedelta(minutes=5)
RESTORE = Allowance(ApprovalWay.RESTORE)


def set_(hold: Hold, now: datetime = LATER) -> Hold:
    """The hold as it stands once it was read back."""
    known = saved(hold, {"spend_limit": LIMIT}, {"spend_limit": CENT}, now)
    return replace(known, state=HoldState.SET, set_at=now, next_at=now)


def kept(holds: list[Hold], change: StopChange) -> list[Hold]:
    """All holds after a change is kept: changed ones in their place, new ones with the next ids."""
    changed = {one.id: one for one in change.holds if one.id is not None}
    new = [one for one in change.holds if one.id is None]
    return [changed.get(one.id, one) for one in holds] + [
        replace(one, id=len(holds) + 1 + number) for number, one in enumerate(new)
    ]


def all_set(count: int = 1) -> tuple[Stop, list[Hold]]:
    stop, holds = a_stop(count)
    for hold in list(holds):
        change = progressed(stop, holds, *_moved(holds, hold.id, set_), LATER)
        stop, holds = change.stop, kept(holds, change)
    return stop, holds


def _moved(holds: list[Hold], number: int | None, move: object) -> tuple[Hold, Hold]:
    [before] = [one for one in holds if one.id == number]
    return before, move(before)  # type: ignore[operator]


# --- where a stop stands ---------------------------------------------------------------------------------------------


def test_a_stop_is_stopped_when_nothing_is_under_way_but_what_is_in_trouble():
    """One of two is set: stopping; the other one fails for a while: stopped, and it says so."""
    stop, holds = a_stop(2)
    first = progressed(stop, holds, *_moved(holds, 1, set_), LATER)
    assert (first.stop.state, first.stop.stopped_at) == (StopState.STOPPING, None)
    holds = kept(holds, first)
    hindered = troubled(holds[1], HoldTrouble.UNAVAILABLE, LATER, timedelta(seconds=1))
    second = progressed(first.stop, holds, holds[1], hindered, LATER)
    assert (second.stop.state, second.stop.stopped_at) == (StopState.STOPPED, LATER)
    failed = troubled(holds[1], HoldTrouble.NO_RIGHT, LATER, timedelta(seconds=1))
    third = progressed(first.stop, holds, holds[1], failed, LATER)
    assert (third.stop.state, third.events[0].kind) == (StopState.STOPPED, StopEventKind.FAILED)


def test_a_stop_of_which_nothing_is_left_has_failed():
    """Nothing could be set, or somebody changed all of it elsewhere: the incident speaks as before."""
    stop, holds = a_stop()
    failed = troubled(holds[0], HoldTrouble.NO_RIGHT, LATER, timedelta(seconds=1))
    assert progressed(stop, holds, holds[0], failed, LATER).stop.state is StopState.FAILED
    stop, holds = all_set()
    lost = progressed(stop, holds, *_moved(holds, 1, lambda one: replace(one, state=HoldState.LOST)), LATER)
    assert (lost.stop.state, incident_state(lost.stop)) == (StopState.FAILED, None)


@pytest.mark.parametrize(
    ("terms", "state"),
    [
        (RESTORE, StopState.RESTORED),
        (Allowance(ApprovalWay.AMOUNT, ceiling=Money.of(5)), StopState.ALLOWED),
        (Allowance(ApprovalWay.END_OF_DAY, until=NOW + WATCHED), StopState.ALLOWED),
    ],
)
def test_letting_go_ends_where_it_was_meant_to(terms: Allowance, state: StopState):
    """Put back for good, or allowed until an end; and only when all of it is back."""
    stop, holds = all_set(2)
    holds[0] = replace(holds[0], trouble=HoldTrouble.PROJECT_GONE, trouble_since=NOW, told_at=NOW, attempts=9)
    change = approved(stop, holds, "U2", terms, LATER)
    assert (change.stop.state, {one.is_wanted for one in change.holds}) == (StopState.RESTORING, {False})
    assert {(one.next_at, one.trouble, one.told_at, one.attempts) for one in change.holds} == {(LATER, None, None, 0)}
    stop, holds = change.stop, kept(holds, change)
    for number, expected in ((1, StopState.RESTORING), (2, state)):
        back = progressed(
            stop, holds, *_moved(holds, number, lambda one: replace(one, state=HoldState.RELEASED)), LATER
        )
        stop, holds = back.stop, kept(holds, back)
        assert (stop.state, stop.restored_at) == (expected, None if expected is StopState.RESTORING else LATER)
    called = progressed(stop, holds, *_moved(holds, 1, lambda one: replace(one, first_traffic_at=NOW)), NOW + WATCHED)
    assert (called.stop.state, called.stop.restored_at) == (state, LATER), "what happens afterwards begins no new day"


def test_what_an_earlier_turn_held_ends_in_silence_unless_it_cannot():
    """A firmer lever took its place: only that something of ours cannot be put back is worth a word."""
    stop, holds = all_set(2)
    holds[1] = replace(holds[1], state=HoldState.LOST)
    change = taken_again(stop, holds, an_ask(lever=Lever.STOP, scope_id=7), [a_project()], LATER)
    assert [(one.id, one.is_wanted) for one in change.holds] == [(1, False), (None, True)], "2 is somebody else's"
    assert (change.stop.scope_id, change.stop.turn, change.events[0].key) == (7, 2, "requested:2")
    stop, holds = change.stop, kept(holds, change)
    assert [one.id for one in latest(holds)] == [3, 2]
    stuck = troubled(holds[0], HoldTrouble.NO_RIGHT, LATER, timedelta(seconds=1))
    told = progressed(stop, holds, holds[0], stuck, LATER)
    assert [one.kind for one in told.events] == [StopEventKind.TROUBLE]
    released = progressed(stop, holds, holds[0], replace(holds[0], state=HoldState.RELEASED), LATER)
    assert (released.events, released.stop.state) == ((), StopState.STOPPING)


def test_what_is_taken_hold_of_within_a_stop_is_under_way_and_ends_what_a_second_person_was_asked_for():
    """They were asked to let go of less. What is held stays held, and the request is told beside the first one."""
    stop, _ = all_set()
    waiting = second_asked(stop, Pending("U1", NOW, ApprovalWay.RESTORE)).stop
    change = extended(waiting, an_ask(scope_kind=ScopeKind.TEAM, scope_id=7), [a_project(2)], LATER)
    assert change.stop == replace(
        stop, state=StopState.STOPPING, scope_kind=ScopeKind.TEAM, scope_id=7, updated_at=LATER
    )
    assert [(one.project_id, one.stop_id) for one in change.holds] == [(2, 1)]
    assert change.events[0].key not in ("requested:1", extended(stop, an_ask(), [a_project(3)], NOW).events[0].key)


# --- who may let go, and on which terms ------------------------------------------------------------------------------


def test_nothing_is_let_go_of_where_nothing_is_held():
    """A second restore, and a restore of what failed."""
    stop, holds = all_set()
    change = approved(stop, holds, "U2", RESTORE, LATER)
    for one, its in ((change.stop, kept(holds, change)), (replace(stop, state=StopState.FAILED), [])):
        with pytest.raises(StopRefused) as refused:
            approved(one, its, "U2", RESTORE, LATER)
        assert refused.value.code is StopMistake.NOT_HELD
    limited = Allowance(ApprovalWay.AMOUNT, ceiling=Money.of(5))
    with pytest.raises(StopRefused):
        approved(change.stop, kept(holds, change), "U2", limited, LATER)
    given = approved(asked(an_ask(), NOW), [], "U2", limited, LATER)
    assert (given.stop.state, given.stop.approved_by, given.stop.approved_at) == (StopState.ALLOWED, "U2", LATER)
    values = given.events[0].values
    assert (values["by"], values["amount"], values["currency"], values["until"]) == ("U2", "5", "USD", None)


def test_a_second_person_is_another_person():
    """Whoever asked cannot agree; whoever declines leaves everything as it is."""
    stop, _ = all_set()
    waiting = second_asked(stop, Pending("U1", LATER, ApprovalWay.RESTORE)).stop
    assert second_of(waiting, "U2").by == "U1"
    with pytest.raises(StopRefused) as refused:
        second_of(waiting, "U1")
    assert refused.value.code is StopMistake.SAME_PERSON
    assert declined(waiting, "U2", LATER).stop == replace(stop, updated_at=LATER)
    with pytest.raises(StopRefused):
        declined(stop, "U2", LATER)
    with pytest.raises(StopRefused):
        second_of(stop, "U2")
    nothing = second_asked(asked(an_ask(), NOW), Pending("U1", NOW, ApprovalWay.END_OF_DAY)).stop
    assert declined(nothing, "U2", LATER).stop.state is StopState.CLOSED


def test_a_wish_lapses_at_its_moment_and_changes_nothing_else():
    """One without a time waits as long as it takes; what was only asked for is over, what is held stays held."""
    stop, holds = all_set()
    wish = Pending("U1", NOW, ApprovalWay.END_OF_DAY, LATER)
    assert not has_lapsed(stop, LATER)
    assert not has_lapsed(replace(stop, pending=replace(wish, until=None)), LATER + WATCHED)
    for held in (stop, asked(an_ask(), NOW)):
        waiting = second_asked(held, wish).stop
        with pytest.raises(StopRefused):
            lapsed(waiting, LATER - timedelta(seconds=1))
        change = lapsed(waiting, LATER)
        is_asked = held.state is StopState.ASKED
        assert (change.stop.state, change.stop.pending) == (StopState.CLOSED if is_asked else held.state, None)
        [event] = change.events
        assert (event.key, event.is_loud, "by" in event.values) == (f"lapsed:{NOW.isoformat()}", False, False)
        with pytest.raises(StopRefused):
            lapsed(change.stop, LATER)
    # Where all of it was changed elsewhere, or it ends by itself, there is nothing to agree to any more.
    waiting = second_asked(stop, wish).stop
    gone = progressed(waiting, holds, *_moved(holds, 1, lambda hold: replace(hold, state=HoldState.LOST)), LATER)
    assert (gone.stop.state, gone.stop.pending) == (StopState.FAILED, None)
    allowed = replace(waiting, state=StopState.ALLOWED, allowed_until=NOW, approved_at=NOW)
    ended = closed(waiting, None, None, LATER), period_over(allowed, LATER)
    assert {one.stop.pending for one in ended} == {None}
    # Where only the terms before it ended, it waits on.
    after = allowance_ended(allowed, "time", [], LATER).stop
    assert (after.state, after.pending) == (StopState.ASKED, wish)


amounts = st.decimals(0, 1000, places=2)


@given(amounts, amounts, amounts, st.decimals(0, 2, places=3))
def test_a_policy_stops_only_what_is_over_its_limit_whatever_the_estimate_is_worth(
    limit: Decimal, billed: Decimal, estimated: Decimal, margin: Decimal
):
    """Even if the estimated part is wrong by all of its margin, whatever else cannot be looked at; never in another
    currency."""
    spent = _spent(billed, estimated, margin)
    is_reached = billed + estimated - estimated * margin >= limit
    for state in FigureState:
        assert may_stop_by_itself(Money(limit, "USD"), replace(spent, state=state)) == is_reached
    assert not may_stop_by_itself(Money(Decimal(0), "EUR"), spent)


@given(st.integers(-100, 100), st.integers(-100, 100))
def test_an_allowance_ends_with_its_time_or_its_amount_whatever_comes_first(minutes: int, cents: int):
    """And not a moment or a cent earlier."""
    stop, _ = a_stop()
    allowed = replace(stop, state=StopState.ALLOWED, allowed_until=NOW, allowed_ceiling=Money.of(5))
    spent = Money(Decimal(500 + cents) / 100, "USD")
    over = allowance_is_over(allowed, spent, NOW + timedelta(minutes=minutes))
    assert over == ("time" if minutes >= 0 else "amount" if cents >= 0 else None)
    assert allowance_is_over(allowed, None, NOW - timedelta(seconds=1)) is None
    assert allowance_is_over(replace(allowed, state=StopState.RESTORED), spent, NOW + WATCHED) is None
    euros = Money.of(10**6, "EUR")
    assert allowance_is_over(replace(allowed, allowed_until=None), euros, NOW) is None, "another currency says nothing"


def test_an_allowance_that_ends_takes_hold_again_only_where_that_was_agreed():
    """A new turn by nobody's click; else the stop is over."""
    stop, _ = all_set()
    allowed = replace(stop, state=StopState.ALLOWED, allowed_until=NOW, allowed_ceiling=Money.of(5), restops=True)
    allowed = replace(allowed, approved_at=NOW, restored_at=NOW)
    again = allowance_ended(allowed, "time", [a_project()], LATER)
    assert (again.stop.state, again.stop.turn, again.stop.requested_by) == (StopState.STOPPING, 2, None)
    assert (again.stop.requested_at, again.holds[0].state) == (LATER, HoldState.REQUESTED)
    assert {again.stop.allowed_until, again.stop.allowed_ceiling, again.stop.restored_at} == {None}
    assert (again.events[0].is_loud, again.events[0].values.get("instead")) == (True, None)
    for plain, projects, is_held, instead in (
        (replace(allowed, restops=False), [a_project()], False, None),
        (allowed, [], False, "nothing"),
        (allowed, [], True, "held"),
    ):
        over = allowance_ended(plain, "amount", projects, LATER, is_held=is_held)
        assert (over.stop.state, over.holds) == (StopState.CLOSED, ())
        assert over.events[0].values.get("instead") == instead
    assert period_over(allowed, LATER).stop.state is StopState.CLOSED


def test_a_stop_is_closed_a_day_after_its_restore_and_says_what_it_kept():
    """Not before; and what cannot be said is unknown, not zero."""
    stop, _ = all_set()
    restored = replace(stop, state=StopState.RESTORED, restored_at=NOW)
    assert not is_to_be_closed(restored, NOW + WATCHED - timedelta(seconds=1))
    assert is_to_be_closed(restored, NOW + WATCHED)
    told = closed(restored, None, None, LATER).events[0].values
    assert (told["saved_low"], told["leak"], told["currency"]) == (None, None, None)
    money = Money.of("2.5")
    told = closed(restored, Saved(money, money, LATER), money, LATER).events[0].values
    assert (told["saved_low"], told["leak"], told["currency"]) == ("2.5", "2.5", "USD")


def test_only_a_firmer_lever_is_firmer():
    """Gentlest first, and none is firmer than itself."""
    order = list(Lever)
    for number, lever in enumerate(order):
        assert [is_firmer(one, lever) for one in order] == [place > number for place in range(len(order))]


def test_trying_again_touches_only_what_is_stuck():
    """What stands, stands."""
    stop, holds = all_set(2)
    stuck = troubled(holds[0], HoldTrouble.NO_RIGHT, LATER, timedelta(minutes=5))
    [again] = tried_again(stop, [stuck, holds[1]], LATER).holds
    assert (again.id, again.next_at, again.attempts) == (1, LATER, 0)
    pinned = cause_pinned(stop, "U1", "왜", LATER).stop
    assert (pinned.cause, pinned.cause_by) == ("왜", "U1")


# --- what is said ----------------------------------------------------------------------------------------------------

MOVES = (
    "saved", "set", "proved", "goes_on", "calls", "enforced", "let_go", "released", "first_call", "hindered", "refused",
)  # fmt: skip


def _after(hold: Hold, move: str, now: datetime) -> Hold | None:
    """The hold after a move; None where it cannot make it."""
    match move:
        case "hindered" if hold.is_active:
            return troubled(hold, HoldTrouble.UNAVAILABLE, now, timedelta(seconds=1))
        case "refused" if hold.is_active and hold.state not in STANDING:
            return troubled(hold, HoldTrouble.NO_RIGHT, now, timedelta(seconds=1))
        case "saved" if hold.state is HoldState.REQUESTED and hold.is_wanted:
            return saved(hold, {"spend_limit": LIMIT}, {"spend_limit": CENT}, now)
        case "set" if hold.state is HoldState.SAVED and hold.is_wanted:
            return replace(hold, state=HoldState.SET, set_at=now, trouble=None, trouble_since=None)
        case "proved" | "goes_on" if hold.state in STANDING:
            verdict = Verdict.PROVED if move == "proved" else Verdict.GOES_ON
            return judged(hold, verdict, Money.of(1), now, now)
        case "calls" if hold.state is HoldState.PROVED:
            return reopened(hold, now)
        case "enforced" if hold.state in STANDING and hold.enforced_at is None:
            return replace(hold, enforced_at=now)
        case "let_go" if hold.is_active and hold.is_wanted:
            return replace(hold, is_wanted=False, release_at=now, told_at=None, trouble=None, trouble_since=None)
        case "released" if hold.is_active and not hold.is_wanted:
            return replace(hold, state=HoldState.RELEASED, released_at=now)
        case "first_call" if hold.state is HoldState.RELEASED and hold.first_traffic_at is None:
            return replace(hold, first_traffic_at=now)
    return None


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 59), st.integers(1, 1000)), min_size=10, max_size=40))
def test_every_event_has_a_key_of_its_own_and_every_state_a_word(walk: list[tuple[int, int, int]]):
    """However often a hold goes to and fro: no two facts share a key, so none is swallowed as said before."""
    stop, holds = a_stop(2)
    events: list[StopEvent] = []
    now = NOW
    for number, chosen, seconds in walk:
        now += timedelta(seconds=seconds)
        [before] = [one for one in holds if one.id == number]
        # One of the moves it can make: most are not open to it, and a walk of any would hardly leave its beginning.
        ways = [one for move in MOVES if (one := _after(before, move, now)) is not None and one != before]
        if not ways:
            continue
        after = ways[chosen % len(ways)]
        change = progressed(stop, holds, before, after, now)
        stop, holds = change.stop, kept(holds, change)
        events += change.events
        told = {one.kind for one in change.events}
        if before.state is not after.state:
            said = {
                HoldState.SET: {StopEventKind.SET, StopEventKind.REOPENED},
                HoldState.PROVED: {StopEventKind.PROVED},
                HoldState.UNPROVED: {StopEventKind.UNPROVED},
                HoldState.FAILED: {StopEventKind.FAILED},
                HoldState.RELEASED: {StopEventKind.RESTORED},
            }.get(after.state)
            assert said is None or told & said, (before.state, after.state, told)
        if after.told_at != before.told_at and after.told_at is not None:
            assert told & {StopEventKind.TROUBLE, StopEventKind.FAILED}
        assert (stop.state in UNDER_WAY) == any(one.is_active for one in holds)
    keys = [one.key for one in events]
    assert len(keys) == len(set(keys))
    assert all(one.is_said or not one.is_loud for one in events)


@pytest.mark.parametrize("lever", list(Lever))
def test_only_of_a_spend_limit_a_month_s_turn_says_why_there_are_calls_again(lever: Lever):
    """It counts from zero then; of any other lever calls again are an alarm, whatever month they are in."""
    stop, _ = a_stop()
    proved = a_held(1, HoldState.PROVED, lever=lever, proved_at=NOW)
    for days, is_turn in ((1, False), (30, lever is Lever.STOP)):
        now = NOW + timedelta(days=days)
        [event] = progressed(stop, [proved], proved, reopened(proved, now), now).events
        assert (event.values["is_month_turn"], event.is_loud) == (is_turn, not is_turn)


def _spent(billed: Decimal, estimated: Decimal, margin: Decimal) -> Spent:
    return Spent(
        amount=Money(billed + estimated, "USD"),
        state=FigureState.ESTIMATE,
        estimated=Money(estimated, "USD"),
        drift_margin=margin,
        unpriced=False,
        as_of=NOW,
    )


def test_a_part_of_a_stop_stands_as_its_own_projects_do():
    """One of two is held, the other not yet: to whom it is about one of them alone, it is the one or the other."""
    stop, (first, second) = a_stop(2)
    held = replace(a_held(1), stop_id=1)
    let_go = replace(held, is_wanted=False, release_at=NOW)
    released = replace(let_go, state=HoldState.RELEASED, released_at=NOW)
    assert part_of(stop, [held, second]).state is StopState.STOPPING
    given_up = replace(held, state=HoldState.SAVED, is_wanted=False)
    assert [part_of(stop, [one]).state for one in (first, held, let_go, released, given_up)] == [
        StopState.STOPPING, StopState.STOPPED, StopState.RESTORING, StopState.RESTORED, StopState.STOPPING,
    ]  # fmt: skip
    assert part_of(stop, [let_go, replace(given_up, id=2, project_id=2)]).state is StopState.RESTORING
    over = period_over(stop, NOW).stop
    assert part_of(over, [released]).state is StopState.CLOSED, "nothing opens it again"
