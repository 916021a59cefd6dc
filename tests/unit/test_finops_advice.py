"""Advice: one next step a project, one a week, by the published rule; where there is nothing to do, that is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.advice import advised, of_cause, of_improvable, one_step
from finops.digest import Advice, AdviceKind, DigestProject, Runaway, Unranked
from finops.money import Money
from finops.periods import Period
from finops.value import ValueFigure, ValueSource
from finops.why import Factor, Why, WhyKind, WhyPart
from tests.unit.test_finops_decomposition import SMALL, asked, cost
from tests.unit.test_finops_decomposition import why as explained_by

USD = Money.of
WEEK = Period(date(2026, 6, 29), date(2026, 7, 6))


def project(number: int, cost: str = "100", ratio: str | None = None, success: str | None = None) -> DigestProject:
    ratio_ = None if ratio is None else Decimal(ratio)
    value = ValueFigure(ValueSource.EVENTS, success_ratio=None if success is None else Decimal(success))
    return DigestProject(number, f"app-{number}", "팀", USD(cost), USD(cost), value, ratio=ratio_)


def why(kind: WhyKind, factor: Factor, amount: str) -> Why:
    parts = (WhyPart(factor, USD(amount)), WhyPart(Factor.UNEXPLAINED, USD("1")))
    return Why(WEEK, WEEK.before(), USD("100"), USD("50"), parts, kind)


@pytest.mark.parametrize(
    ("kind", "factor", "step"),
    [
        (WhyKind.RETRY_LOOP, Factor.REQUESTS, AdviceKind.CHECK_RETRIES),
        (WhyKind.LONGER_PROMPTS, Factor.INPUT_LENGTH, AdviceKind.SHORTEN_PROMPTS),
        (WhyKind.DEARER_MODEL, Factor.MODEL_MIX, AdviceKind.CHEAPER_MODEL),
        (WhyKind.LOST_CACHE, Factor.CACHE, AdviceKind.RESTORE_CACHE),
        (WhyKind.BATCH_OFF, Factor.TIER, AdviceKind.BATCH_AGAIN),
    ],
)
def test_each_seeded_cause_has_its_cure_and_is_worth_its_part(kind: WhyKind, factor: Factor, step: AdviceKind):
    one = replace(project(1, ratio="0.5"), why=why(kind, factor, "40"))
    assert of_improvable(one) == of_cause(one) == Advice(step, 1, "app-1", USD("40"))
    # A cause whose part made it cheaper is no reason to do anything about it.
    assert of_cause(replace(one, why=why(kind, factor, "-40"))) is None


def test_no_step_saves_more_a_week_than_the_project_cost_in_it():
    """Ten times the input in each call, and by batch from now on: the input's part alone is more than the bill."""
    now, before = asked(SMALL, each=(2000, 100), batch=True), asked(SMALL, each=(200, 100))
    found, bill = explained_by([now], [before]), cost(now)
    [part] = [one.amount for one in found.parts if one.factor is Factor.INPUT_LENGTH]
    assert part > bill
    step = of_cause(replace(project(1, str(bill.amount)), previous=cost(before), why=found))
    assert step == Advice(AdviceKind.SHORTEN_PROMPTS, 1, "app-1", bill)


def test_without_a_cause_failures_are_looked_at_where_a_tenth_fail():
    assert of_improvable(project(1, ratio="0.6", success="0.90")).kind is AdviceKind.LOOK_AT_FAILURES
    other = of_improvable(project(1, "250", ratio="0.6", success="0.91"))
    assert (other.kind, other.worth) == (AdviceKind.LOOK_WHY, USD("100"))


@pytest.mark.parametrize(
    ("kind", "explains", "success", "step", "worth"),
    [
        (WhyKind.LONGER_PROMPTS, "36", "0.45", AdviceKind.LOOK_AT_FAILURES, "72"),
        (WhyKind.LONGER_PROMPTS, "36.01", "0.45", AdviceKind.SHORTEN_PROMPTS, "36.01"),
        (WhyKind.LONGER_PROMPTS, "9.83", "0.91", AdviceKind.SHORTEN_PROMPTS, "9.83"),
        (WhyKind.LONGER_PROMPTS, "9.83", None, AdviceKind.SHORTEN_PROMPTS, "9.83"),
        (WhyKind.RETRY_LOOP, "9.83", "0.45", AdviceKind.CHECK_RETRIES, "9.83"),
    ],
)
def test_who_lost_twice_what_the_cause_explains_looks_at_the_failures(
    kind: WhyKind, explains: str, success: str | None, step: AdviceKind, worth: str
):
    """72 of 100 dollars bought nothing beside the usual: shorter prompts for ten of them are no answer."""
    factor = Factor.REQUESTS if kind is WhyKind.RETRY_LOOP else Factor.INPUT_LENGTH
    one = replace(project(1, ratio="0.28", success=success), why=why(kind, factor, explains))
    assert of_improvable(one) == Advice(step, 1, "app-1", USD(worth))


def test_what_is_worth_most_comes_first_whoever_it_is_about():
    looping = replace(project(1), why=why(WhyKind.RETRY_LOOP, Factor.REQUESTS, "90"))
    improve, others = advised([project(2, ratio="0.5", success="1")], [looping])
    step = one_step(improve, others, USD("1000"), has_budget=True, increase=None)
    assert (step.kind, step.project_id, step.worth) == (AdviceKind.CHECK_RETRIES, 1, USD("90"))
    # Of a project that is not to improve, less than a hundredth of the whole is no matter.
    step = one_step(improve, others, USD("9001"), has_budget=True, increase=None)
    assert step.project_id == 2


def test_without_a_step_of_a_project_it_is_to_record_then_to_budget_then_to_look_then_nothing():
    silent = replace(project(1, "50"), unranked=Unranked.NO_VALUE)
    dearer = replace(project(2, "60"), unranked=Unranked.NO_VALUE)
    steps = [
        one_step([], [silent, dearer], USD("100"), has_budget=False, increase=Decimal(1)),
        one_step([], [silent], USD("5001"), has_budget=False, increase=Decimal(1)),
        one_step([], [], USD("100"), has_budget=True, increase=Decimal("0.10")),
        one_step([], [], USD("100"), has_budget=True, increase=Decimal("0.09")),
        one_step([], [], USD("0"), has_budget=False, increase=None),
    ]
    assert [step.kind for step in steps] == [
        AdviceKind.CONNECT_EVENTS, AdviceKind.SET_BUDGET, AdviceKind.LOOK_WHY, AdviceKind.NONE, AdviceKind.NONE,
    ]  # fmt: skip
    assert steps[0].project_id == 2


@given(st.lists(st.integers(1, 99), min_size=1, max_size=6, unique=True), st.randoms(use_true_random=False))
def test_the_step_does_not_depend_on_the_order_of_projects(ratios: list[int], chance: object):
    each = [project(number, ratio=str(Decimal(ratio) / 100)) for number, ratio in enumerate(ratios)]
    shuffled = each[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    steps = [
        one_step(advised(some, [])[0], (), USD("600"), has_budget=True, increase=None) for some in (each, shuffled)
    ]
    assert steps[0] == steps[1]
    assert steps[0].worth == USD(100 - min(ratios))


def ran(beyond: str, one: DigestProject) -> DigestProject:
    return replace(one, runaway=Runaway(date(2026, 7, 5), USD(beyond), is_stopped=True, is_restored=True))


def test_what_ran_away_and_was_stopped_is_no_saving_of_every_week():
    """790 of 1,067 dollars were lost on one Sunday that was stopped: what is left is what advice may speak of."""
    few = project(1, "1067", ratio="0.26")
    lost = replace(few, value=replace(few.value, coverage=Decimal(1)))
    assert of_improvable(lost).worth == of_improvable(few).worth == USD("789.58")
    assert of_improvable(ran("690", lost)).worth == USD("99.58")
    assert of_improvable(ran("800", lost)) == Advice(AdviceKind.LOOK_WHY, 1, "app-1")
    # Few calls are recorded: what a dollar bought is known from them alone, and was no worse for the runaway.
    assert of_improvable(ran("690", few)).worth == USD("278.98")
    looping = replace(lost, why=why(WhyKind.RETRY_LOOP, Factor.REQUESTS, "700"))
    assert of_cause(ran("690", looping)) == Advice(AdviceKind.CHECK_RETRIES, 1, "app-1", USD("10"))
    assert of_cause(ran("700", looping)) is None


def test_what_may_go_on_is_worth_something_each_day_and_nothing_each_week():
    """690 dollars of one Sunday that nobody stopped: 690 a day while it goes on, and 99.58 a week besides."""
    few = project(1, "1067", ratio="0.26")
    lost = replace(few, value=replace(few.value, coverage=Decimal(1)))
    burning = Runaway(date(2026, 7, 5), USD("690"))
    assert of_improvable(replace(lost, burning=burning)) == Advice(
        AdviceKind.LOOK_WHY, 1, "app-1", USD("99.58"), burning
    )
    looping = replace(lost, why=why(WhyKind.RETRY_LOOP, Factor.REQUESTS, "690"), burning=burning)
    step = of_cause(looping)
    assert step == Advice(AdviceKind.CHECK_RETRIES, 1, "app-1", None, burning)
    assert Runaway(date(2026, 7, 5), USD("690"), days=3).daily == USD("230")
    # It comes first all the same: what it cost in this week is what it weighs.
    other = Advice(AdviceKind.SHORTEN_PROMPTS, 2, "app-2", USD("680"))
    rest = [replace(looping, advice=step), replace(project(2), advice=other)]
    assert one_step([], rest, USD("1200"), has_budget=True, increase=None) == step


def test_looking_at_failures_is_worth_no_more_than_the_failures_cost():
    """Forty recorded calls of ten cents, thirty of them failed: three dollars, whatever was lost against the usual."""
    one = project(1, "100", ratio="0.28", success="0.25")
    known = replace(one.value, successes=10, outcomes=40, cost_per_success=USD("0.4"), coverage=Decimal("0.5"))
    assert of_improvable(replace(one, value=known)) == Advice(AdviceKind.LOOK_AT_FAILURES, 1, "app-1", USD("3"))
    few = replace(known, coverage=Decimal("0.49"))
    for unknown in (one, replace(one, value=few)):  # what most of the failed calls cost, nobody knows
        assert of_improvable(unknown).worth == USD("72")


@given(st.integers(1, 99), st.integers(0, 20_000), st.integers(0, 900))
def test_advice_is_never_worth_more_than_what_was_lost_nor_less_than_something(ratio: int, cents: int, part: int):
    """With a runaway or without: less of it, or nothing at all, and never below zero."""
    one = project(1, "100", ratio=str(Decimal(ratio) / 100))
    one = replace(one, why=why(WhyKind.RETRY_LOOP, Factor.REQUESTS, str(part)) if part else None)
    whole, left = of_improvable(one).worth, of_improvable(ran(str(Decimal(cents) / 100), one)).worth
    assert left is None or (whole is not None and 0 < left.amount <= max(whole.amount, Decimal(100 - ratio)))
