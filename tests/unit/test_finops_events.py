"""Recorded calls: each once, whatever the order in which their events arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from finops.events import Call, RecordedCall, is_token, token_hash, told
from finops.value import Outcome, ValueSums

NOON = datetime(2026, 7, 6, 12, tzinfo=UTC)
CALL = RecordedCall(
    "1", "r", NOON, task="summary", model="gpt-5.4", input_tokens=10, output_tokens=3, cost_nano=7, cost_rest=5
)
END = RecordedCall("2", "r", NOON + timedelta(minutes=5), outcome=Outcome.SUCCESS)
OPINION = RecordedCall("3", "r", NOON + timedelta(hours=20), score=750, user_key="u")


def together(*events: RecordedCall) -> Call:
    call = reduce(told, events, None)
    assert call is not None
    return call


def test_the_events_of_a_call_say_the_same_in_every_order() -> None:
    """Its end may be known before the call itself is told of."""
    ways = {together(*order) for order in permutations((CALL, END, OPINION))}
    assert len(ways) == 1
    [call] = ways
    assert call.at == NOON
    assert call.sums() == ValueSums(
        calls=1, successes=1, scored=1, score_sum=750, input_tokens=10, output_tokens=3,
        priced=1, cost_nano=7, cost_rest=5,
    )  # fmt: skip


@given(st.permutations([CALL, END, OPINION, replace(END, event_id="4", outcome=Outcome.FAILURE, at=NOON)]))
def test_the_latest_outcome_counts_however_late_an_earlier_one_arrives(order: list[RecordedCall]) -> None:
    """A retry of an old word must not undo a newer one."""
    assert together(*order).outcome is Outcome.SUCCESS


def test_what_was_told_first_of_a_call_stays() -> None:
    """Tokens count once, with the cost that belongs to them, though two events tell of them."""
    other = replace(CALL, event_id="9", task="other", input_tokens=99, cost_nano=99)
    call = together(CALL, other)
    assert (call.task, call.input_tokens, call.cost) == ("summary", 10, (7, 5))


def test_a_call_without_an_outcome_is_a_call_and_nothing_else() -> None:
    """Unknown is not failed."""
    assert together(
        replace(CALL, input_tokens=None, output_tokens=None, cost_nano=None, cost_rest=None)
    ).sums() == ValueSums(calls=1)


@st.composite
def happenings(draw: st.DrawFn) -> list[RecordedCall]:
    """Events of one call, or of many alike, that do not contradict each other: each kind of word is told once."""
    many = draw(st.integers(1, 10**6))
    whole = draw(st.integers(0, 10**12))
    call = replace(CALL, calls=many, latency_ms=draw(st.none() | st.integers(0, 10**11)), cost_rest=whole)
    ends = [replace(END, outcome=draw(st.sampled_from(Outcome))), replace(OPINION, score=draw(st.integers(0, 1000)))]
    told_of = [call, *(one for one in ends if draw(st.booleans()))]
    return draw(st.permutations([*told_of, *(replace(one, calls=draw(st.integers(1, many))) for one in told_of[1:])]))


@given(happenings())
def test_an_event_of_many_calls_counts_as_many_events_and_costs_what_it_told(events: list[RecordedCall]) -> None:
    """Counts are those of each call; what was told as a sum is not multiplied; the larger count holds."""
    call = together(*events)
    [whole] = [event for event in events if event.input_tokens is not None]
    outcomes = [event.outcome for event in events if event.outcome is not None]
    scores = [event.score for event in events if event.score is not None]
    many, of_one = whole.calls, whole.calls * call.cost_of_one[1] + whole.calls * call.cost_of_one[0] * 10**9
    assert call.sums() == ValueSums(
        calls=many,
        successes=many if outcomes[:1] == [Outcome.SUCCESS] else 0,
        failures=many if outcomes[:1] == [Outcome.FAILURE] else 0,
        scored=many if scores else 0,
        score_sum=many * scores[0] if scores else 0,
        timed=0 if whole.latency_ms is None else many,
        latency_ms=whole.latency_ms or 0,
        input_tokens=10,
        output_tokens=3,
        priced=many,
        cost_nano=7,
        cost_rest=whole.cost_rest or 0,
    )
    assert 0 <= 7 * 10**9 + (whole.cost_rest or 0) - of_one < many


def test_a_token_has_one_form_and_its_hash_another() -> None:
    """Anything else is refused before the database is asked."""
    token = "fin_" + "a1_-" * 10 + "xyz"
    assert is_token(token)
    assert not any(map(is_token, (token + "a", token[:-1], token.replace("fin_", "fix_"), token[:-1] + "é", "")))
    assert token not in token_hash(token)
    assert len(token_hash(token)) == 64
