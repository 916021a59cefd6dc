"""What a success cost: everything spent on the calls by the successes among them, with the range it lies in."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.money import Money, to_units
from finops.value import NO_VALUE, Part, ValueSource, ValueSums, added, figure, named, together, wilson


def sums(successes: int = 0, failures: int = 0, calls: int | None = None, cost: str | None = None) -> ValueSums:
    """Recorded calls; `cost` is the estimate of all of them together."""
    made = successes + failures if calls is None else calls
    nano, rest = to_units(Decimal(cost or 0))
    return ValueSums(
        calls=made, successes=successes, failures=failures, priced=made if cost is not None else 0,
        cost_nano=nano, cost_rest=rest,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("successes", "outcomes", "low", "high"),
    [
        (8, 10, "0.4902", "0.9433"),  # as R's prop.test(8, 10, correct = FALSE) and Wilson's own formula have it
        (0, 10, "0", "0.2775"),
        (10, 10, "0.7225", "1"),
        (500, 1000, "0.4691", "0.5309"),
        (1, 1, "0.2065", "1"),
    ],
)
def test_the_share_of_successes_lies_where_wilson_says(successes: int, outcomes: int, low: str, high: str) -> None:
    found = wilson(successes, outcomes)
    assert found is not None
    assert found.high is not None
    assert (round(found.low, 4), round(found.high, 4)) == (Decimal(low), Decimal(high))


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_a_share(given_: tuple[int, int]) -> None:
    successes, outcomes = given_
    found = wilson(successes, outcomes)
    assert found is not None
    assert found.high is not None
    assert 0 <= found.low <= Decimal(successes) / outcomes <= found.high <= 1


def test_no_outcome_has_no_interval() -> None:
    assert wilson(0, 0) is None


def test_ten_dollars_for_a_hundred_successes_are_ten_cents_each() -> None:
    """All calls recorded: the bill by the successes, failures included in what they cost."""
    found = figure(sums(100, 25), Money.of("10"), 125)
    assert found.cost_per_success == Money.of("0.1")
    assert found.coverage == 1
    assert found.success_ratio == Decimal("0.8")
    between = found.cost_per_success_interval
    assert between is not None
    assert between.high is not None
    assert between.low < Money.of("0.1") < between.high


def test_half_of_the_calls_speak_for_the_others_and_less_does_not() -> None:
    """From one half on successes are scaled up by the coverage; below it the calls' own estimates count."""
    assert figure(sums(50, 10, cost="3"), Money.of("10"), 120).cost_per_success == Money.of("0.1")
    assert figure(sums(50, 9, cost="3"), Money.of("10"), 120).cost_per_success == Money.of("0.06")


def test_more_recorded_than_the_provider_told_of_yet_never_costs_more_than_the_bill() -> None:
    """Usage is late: coverage above one counts as one."""
    found = figure(sums(100), Money.of("10"), 80)
    assert found.cost_per_success == Money.of("0.1")
    assert found.coverage == Decimal("1.25")


def test_no_success_costs_less_than_nothing_where_credits_turned_the_bill_around() -> None:
    """What was estimated of the calls themselves tells it then, as where nobody knows the bill."""
    told = figure(sums(80, 20, cost="4"), Money.of("-20"), 100)
    assert told == figure(sums(80, 20, cost="4"), None, 100)
    assert told.cost_per_success == Money.of("0.05")
    assert figure(sums(80, 20), Money.of("-20"), 100).cost_per_success is None
    assert figure(sums(80, 20), Money.of("0"), 100).cost_per_success == Money.zero()


def test_without_bill_or_price_a_success_has_no_cost() -> None:
    """Unknown is never zero."""
    found = figure(sums(100))
    assert (found.source, found.successes, found.cost_per_success) == (ValueSource.EVENTS, 100, None)
    assert found.cost_per_success_interval is None


def test_calls_without_a_known_price_are_taken_to_be_as_dear_as_the_others() -> None:
    half = sums(50, cost="1")._replace(calls=100, successes=100)
    assert figure(half).cost_per_success == Money.of("0.02")


def test_no_success_has_no_cost_of_one_but_its_outcomes_are_told() -> None:
    found = figure(sums(0, 12, cost="3"), Money.of("3"), 12)
    assert (found.outcomes, found.success_ratio, found.cost_per_success) == (12, 0, None)


def test_together_each_project_counts_at_its_own_cost() -> None:
    """A dear project that records everything and a cheap one that records little: dollars by successes, exactly."""
    dear, cheap = Part(sums(10), Money.of("100"), 10), Part(sums(90, cost="0.9"), Money.of("50"), 9000)
    found = together([dear, cheap], 9010)
    assert found.cost_per_success == Money.of("1.009")
    assert found.coverage is not None
    assert round(found.coverage, 4) == Decimal("0.0111")


def test_a_project_that_tells_no_outcome_makes_nobody_elses_success_dearer() -> None:
    silent = Part(sums(calls=500), Money.of("100"), 500)
    found = together([Part(sums(100), Money.of("10"), 100), silent], 600)
    assert found.cost_per_success == Money.of("0.1")
    assert found.calls == 600


def test_a_few_known_ends_of_very_many_calls_are_no_cost_of_a_success() -> None:
    """Six successes known of a thousand calls: what the other 994 bought for the $200 nobody knows."""
    found = figure(sums(6, calls=1000, cost="200"), Money.of("200"), 1000)
    assert (found.successes, found.outcomes, found.cost_per_success) == (6, 6, None)
    assert figure(sums(400, 100, calls=1000), Money.of("200"), 1000).cost_per_success == Money.of("0.5")
    assert figure(sums(399, 100, calls=1000), Money.of("200"), 1000).cost_per_success is None
    beside = together([Part(sums(6, calls=1000), Money.of("200"), 1000), Part(sums(10), Money.of("1"), 10)], 1010)
    assert (beside.successes, beside.cost_per_success) == (16, Money.of("0.1"))


def test_ratings_speak_only_where_nothing_is_recorded() -> None:
    answers = [("U1", 1000), ("U2", 500), ("U1", 0)]
    rated = figure(ValueSums(), ratings=answers)
    assert (rated.source, rated.raters, rated.feedback) == (ValueSource.RATINGS, 2, Decimal("0.5"))
    assert figure(sums(1), ratings=answers).source is ValueSource.EVENTS
    assert figure(ValueSums()) == NO_VALUE


counts = st.integers(0, 10**6)
some_sums = st.builds(
    lambda good, bad, more, nano: ValueSums(
        calls=good + bad + more, successes=good, failures=bad, priced=good + bad + more, cost_nano=nano
    ),
    counts, counts, counts, st.integers(0, 10**15),
)  # fmt: skip


@given(st.lists(some_sums, max_size=6))
def test_a_whole_by_name_adds_up(parts: list[ValueSums]) -> None:
    """Tasks and experiments are the project's own calls, each once."""
    found = named((str(n % 3), each) for n, each in enumerate(parts))
    assert sum(one.value.calls for one in found) == added(parts).calls
    costs = [one.cost.amount for one in found if one.cost is not None]
    assert costs == sorted(costs, reverse=True)


@given(some_sums, st.integers(1, 10**15), st.integers(1, 10**7))
def test_a_cost_per_success_lies_within_its_own_interval(each: ValueSums, nano: int, asked: int) -> None:
    found = figure(each, Money(Decimal(nano).scaleb(-9)), asked)
    between = found.cost_per_success_interval
    if found.cost_per_success is None:
        assert between is None
        return
    assert between is not None
    slack = Money(abs(found.cost_per_success.amount) * Decimal("1e-20"))
    assert between.low <= found.cost_per_success + slack
    assert between.high is None or found.cost_per_success <= between.high + slack
