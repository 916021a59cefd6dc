"""The published share of prevented dollars is what the provider's own bills say, and doing nothing earns nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from benchmarks.prevented.playing import Hand, Played, played
from benchmarks.prevented.reckoning import Row, median_of, share_of, table
from benchmarks.prevented.spikes import FIRST, Kind, Spike, breach, drawn, over, untouched
from benchmarks.storms.world import CHATBOT, PRICES, WrittenPrices, a_trace
from demo.prices import FilePrices
from storage import Storage

CHARGED = FilePrices("a test", PRICES)
EVENING = datetime(2026, 7, 8, 23, 30, tzinfo=UTC)
SPIKE = Spike(Kind.PLAIN, CHATBOT, 40, EVENING, Decimal(26))


def a_row(without: str, alone: str, person: str, minutes: int | None = 5) -> Row:
    at = None if minutes is None else EVENING + timedelta(minutes=minutes)
    hands = {Hand.POLICY: Played(Decimal(alone), at), Hand.PERSON: Played(Decimal(person), at)}
    return Row(SPIKE, EVENING, Decimal(without), hands)


def test_every_dollar_counts_the_same_in_the_share_and_every_spike_in_the_median() -> None:
    rows = [a_row("900", "9", "90"), a_row("90", "81", "90"), a_row("10", "1", "2", None)]
    assert share_of(rows, Hand.POLICY) == Decimal("0.909")
    assert [share_of([row], Hand.POLICY) for row in rows] == [Decimal("0.99"), Decimal("0.1"), Decimal("0.9")]
    assert (median_of(rows, Hand.POLICY), median_of(rows, Hand.PERSON)) == (Decimal("0.9"), Decimal("0.8"))
    told = table(rows)
    assert "by itself: 90.9% of the dollars over the limit prevented; median spike 90.0%" in told
    assert "never" in told


def test_a_share_of_nothing_is_not_told() -> None:
    with pytest.raises(ValueError, match="no share"):
        share_of([a_row("0", "0", "0")], Hand.POLICY)


def test_dollars_over_the_limit_are_the_providers_own_bill_of_the_day_less_the_limit() -> None:
    """Forty times a dollar's worth of calls for an hour; nothing is rounded, and the minutes add up."""
    spike = replace(SPIKE, begins=datetime(2026, 7, 8, 23, 0, tzinfo=UTC))
    openai = untouched(spike, a_trace(), CHARGED)
    hour = Decimal("0.09") * Decimal("2.5") + Decimal("0.01") * Decimal("0.25") + Decimal("0.05") * 15
    hour += Decimal("0.09") * Decimal("0.25") + Decimal("0.05") * 1
    assert over(openai, spike) == 23 * hour + 40 * hour - spike.limit
    spent_at = breach(openai, spike)
    assert spent_at is not None
    assert spike.begins < spent_at < spike.ends


def test_the_same_seed_draws_the_same_spikes_and_the_first_six_are_of_every_kind() -> None:
    spikes = drawn(5, 6, a_trace(), CHARGED)
    assert spikes == drawn(5, 6, a_trace(), CHARGED) != drawn(6, 6, a_trace(), CHARGED)
    assert {one.kind for one in spikes} == set(Kind)
    assert all(FIRST < one.set_up_at < one.begins < one.ends for one in spikes)
    [late] = [one for one in spikes if one.kind is Kind.MIDNIGHT]
    assert late.begins.hour == 23
    assert late.ends - late.begins > timedelta(hours=24)


@pytest.mark.parametrize("hand", [Hand.POLICY, Hand.NOBODY])
async def test_a_budget_that_stops_prevents_most_of_it_and_a_product_that_never_stops_nothing(
    quick_storage: Storage, hand: Hand
) -> None:
    alone = untouched(SPIKE, a_trace(), CHARGED)
    without, spent_at = over(alone, SPIKE), breach(alone, SPIKE)
    assert spent_at is not None
    found = await played(SPIKE, hand, quick_storage, a_trace(), CHARGED, WrittenPrices())
    row = Row(SPIKE, spent_at, without, {hand: found})
    if hand is Hand.NOBODY:
        assert (found.over, found.limited_at, share_of([row], hand)) == (without, None, 0)
        return
    minutes = row.minutes(hand)
    assert minutes is not None
    assert 0 <= minutes <= 10
    # What is left is what ran until a minute after the limit was set.
    assert Decimal("0.7") < share_of([row], hand) < 1
