"""Charges: repeated lines are money too, and a figure's state is earned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.charges import Charge, DayReading, FigureState, day_state, merged, weakest
from finops.money import EXACT

DAY = date(2026, 7, 1)


def a_charge(
    cost: str = "1.00", project: str | None = "proj_a", item: str | None = "gpt-5, input", **rest: object
) -> Charge:
    """A charge of one dollar, unless told otherwise."""
    return Charge(DAY, project, item, Decimal(cost))._replace(**rest)


charges = st.builds(
    Charge,
    st.sampled_from([DAY, DAY + timedelta(days=1)]),
    st.sampled_from([None, "", "proj_a", "proj_b"]),
    st.sampled_from([None, "", "gpt-5, input", "gpt-5, output"]),
    st.decimals(-1000, 1000, places=18),
    st.sampled_from(["USD", "JPY"]),
    st.none() | st.decimals(0, 10**6, places=3),
    st.sampled_from([None, "tokens", "images"]),
)


@given(st.lists(charges, max_size=60))
def test_merging_loses_no_money_and_leaves_no_key_twice(lines: list[Charge]) -> None:
    """The result is sorted by the ledger's key, unique by it, and sums to the same per currency."""
    result = merged(lines)
    keys = [(c.charge_day, c.sub_account_id or "", c.sku_id or "", c.billing_currency) for c in result]
    assert keys == sorted(set(keys))
    for currency in ("USD", "JPY"):
        before = EXACT.create_decimal(0)
        after = EXACT.create_decimal(0)
        for line in lines:
            before = EXACT.add(before, line.billed_cost if line.billing_currency == currency else Decimal(0))
        for line in result:
            after = EXACT.add(after, line.billed_cost if line.billing_currency == currency else Decimal(0))
        assert before == after
    assert merged(result) == result


def test_the_same_line_twice_is_both_its_money_and_its_quantity() -> None:
    """25 cents and 5 cents are 30 cents for 3,000 tokens."""
    one = a_charge("0.25", consumed_quantity=Decimal(1000), consumed_unit="tokens")
    other = a_charge("0.05", consumed_quantity=Decimal(2000), consumed_unit="tokens")
    assert merged([one, other]) == [a_charge("0.30", consumed_quantity=Decimal(3000), consumed_unit="tokens")]


@pytest.mark.parametrize(
    ("quantity", "unit"), [(Decimal(3), "images"), (Decimal(3), None), (None, "tokens"), (None, None)]
)
def test_unlike_quantities_are_not_added(quantity: Decimal | None, unit: str | None) -> None:
    """Five tokens and three images are eight of nothing; and an unknown quantity makes the sum unknown."""
    one = a_charge(consumed_quantity=Decimal(5), consumed_unit="tokens")
    other = a_charge(consumed_quantity=quantity, consumed_unit=unit)
    assert merged([one, other]) == [a_charge("2.00")]


def test_a_charge_is_compared_and_changed_like_a_value() -> None:
    """Two equal lines are equal; a changed one leaves the original alone."""
    charge = a_charge()
    assert charge == a_charge()
    assert charge._replace(billed_cost=Decimal(2)) != charge
    with pytest.raises(AttributeError):
        charge.billed_cost = Decimal(3)  # type: ignore[misc]


# --- states ----------------------------------------------------------------------------------------------------------

CLOSED = datetime(2026, 7, 2, tzinfo=UTC)
LONG_AFTER = CLOSED + timedelta(days=30)


def a_reading(after_close: timedelta, unchanged_reads: int) -> DayReading:
    moment = CLOSED + after_close
    return DayReading(DAY, moment, moment, unchanged_reads)


@pytest.mark.parametrize(
    ("after_close", "unchanged_reads", "state"),
    [
        (timedelta(hours=1), 0, FigureState.PROVISIONAL),
        (timedelta(hours=1), 9, FigureState.PROVISIONAL),
        (timedelta(hours=72), 2, FigureState.PROVISIONAL),
        (timedelta(hours=72, seconds=1), 1, FigureState.PROVISIONAL),
        (timedelta(hours=72, seconds=1), 2, FigureState.SETTLED),
        (timedelta(days=20), 3, FigureState.SETTLED),
    ],
)
def test_a_day_settles_by_age_and_by_standing_still(
    after_close: timedelta, unchanged_reads: int, state: FigureState
) -> None:
    """More than 72 hours old and unchanged in two reads; either alone is not enough."""
    assert day_state(a_reading(after_close, unchanged_reads), LONG_AFTER) is state


def test_a_day_never_read_is_blind() -> None:
    """Unknown is never zero and never settled."""
    assert day_state(None, LONG_AFTER) is FigureState.BLIND


def test_a_reading_from_the_future_settles_nothing() -> None:
    """A clock that ran ahead and was set back must not freeze a moving figure."""
    assert day_state(a_reading(timedelta(days=9), 5), CLOSED + timedelta(hours=1)) is FigureState.PROVISIONAL


@given(st.lists(st.sampled_from(FigureState)))
def test_a_figure_is_trusted_no_more_than_its_weakest_part(states: list[FigureState]) -> None:
    """Blind, estimate, provisional, settled: in this order, and of nothing: blind."""
    order = [FigureState.BLIND, FigureState.ESTIMATE, FigureState.PROVISIONAL, FigureState.SETTLED]
    assert sorted(FigureState, key=lambda state: state.trust) == order
    assert weakest(states) is next((state for state in order if state in states), FigureState.BLIND)
