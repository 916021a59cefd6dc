"""Estimates: line items are taken apart, the bill teaches, corrections stay within bounds, sums tie."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.charges import Charge, FigureState
from finops.estimates import (
    LEAST_RATIO,
    MOST_RATIO,
    UNCORRECTED,
    Correction,
    CorrectionBasis,
    Drift,
    DriftSample,
    LineItem,
    Spent,
    compare,
    corrections,
    drift,
    drift_margin,
    model_key,
    split_line_item,
)
from finops.money import Money

TODAY = date(2026, 7, 3)
YESTERDAY = TODAY - timedelta(days=1)
KNOWN = Path(__file__).parents[1] / "data" / "openai_line_items.csv"
dollars = st.decimals("0", "1000", places=12)


def dec(text: str | int) -> Decimal:
    return Decimal(text)


# --- line items ------------------------------------------------------------------------------------------------------


def known_line_items() -> list[dict[str, str]]:
    with KNOWN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_line_item_ever_seen_is_taken_apart():
    """Model, kind, prefix and suffix, as people read them out of it."""
    rows = known_line_items()
    assert len(rows) > 30
    for row in rows:
        expected = LineItem(row["model"], row["kind"], row["prefix"], row["suffix"])
        assert split_line_item(row["line_item"] or None) == expected, row["line_item"]


@pytest.mark.parametrize(
    ("line_item", "parts"),
    [
        ("batch | gpt-5, input", ("gpt-5", "input", "batch", "")),
        ("Batch|gpt-5 , Cached_Input_Tokens", ("gpt-5", "cached input", "batch", "")),
        ("batch | evals | gpt-5, output", ("gpt-5", "output", "batch | evals", "")),
        ("ft:gpt-4o:acme, inc::x1, output", ("ft:gpt-4o:acme, inc::x1", "output", "", "")),
        ("gpt-9, thoughts, Long Context", ("gpt-9", "thoughts", "", "long context")),
        ("omni-moderation-latest", ("omni-moderation-latest", "", "", "")),
        ("Fine-tuning", ("", "product", "", "")),
        ("", ("", "", "", "")),
    ],
)
def test_line_items_nobody_has_seen_yet(line_item: str, parts: tuple[str, str, str, str]):
    """Unknown kinds are kept as spelled, unknown words are a product, never a model."""
    assert split_line_item(line_item) == LineItem(*parts)


@given(st.text(max_size=60))
def test_no_line_item_is_too_strange(line_item: str):
    """Whatever a provider writes, the answer has four parts and no blanks around them."""
    found = split_line_item(line_item)
    for part in (found.model, found.kind, found.prefix, found.suffix):
        assert part == part.strip()


def test_tunings_of_one_model_go_by_the_name_of_the_bill():
    """Usage says which tuning, the bill says of which model."""
    assert model_key("ft:gpt-4o-2024-08-06:acme::id") == model_key("ft-gpt-4o-2024-08-06") == "ft-gpt-4o-2024-08-06"
    assert model_key(" GPT-4o ") == "gpt-4o"


# --- comparing with the bill -----------------------------------------------------------------------------------------


def a_charge(line_item: str | None, cost: str, project: str | None = "p1", **rest: Any) -> Charge:
    facts: dict[str, Any] = {"charge_day": YESTERDAY, "sub_account_id": project, "sku_id": line_item}
    return Charge(**facts, billed_cost=Decimal(cost), **rest)


def compared(estimates: dict[tuple[str, str], str], *charges: Charge) -> dict[tuple[str, str], tuple[str, str]]:
    samples = compare({key: Decimal(value) for key, value in estimates.items()}, charges, YESTERDAY)
    assert all(sample.day == YESTERDAY for sample in samples)
    return {(each.sub_account_id, each.model): (f"{each.estimated:f}", f"{each.billed:f}") for each in samples}


def test_estimates_are_held_against_all_lines_of_a_model():
    """Input, cached, output, batch and tiers of one model are one bill; nobody's project is one too."""
    assert compared(
        {("p1", "gpt-5"): "10", ("", "gpt-4o"): "1"},
        a_charge("gpt-5, input", "4"),
        a_charge("gpt-5, cached input", "1"),
        a_charge("batch | gpt-5, output", "2"),
        a_charge("priority | gpt-5, output, long context", "4.5"),
        a_charge("GPT-4o, input", "1.1", None),
    ) == {("p1", "gpt-5"): ("10", "11.5"), ("", "gpt-4o"): ("1", "1.1")}


def test_what_has_no_model_on_both_sides_is_put_together():
    """Tools, evaluations (never seen in usage), unknown names; credits, other days and currencies are left out."""
    assert compared(
        {("p1", "gpt-5"): "10", ("p1", ""): "0.5", ("p1", "mystery"): "2", ("p2", "gpt-5"): "1"},
        a_charge("gpt-5, input", "10"),
        a_charge("web search tool calls", "0.6"),
        a_charge("evals | gpt-5, input", "3"),
        a_charge("Promotional credit", "-100"),
        a_charge("gpt-5, input", "7", billing_currency="EUR"),
        a_charge("gpt-5, input", "7")._replace(charge_day=TODAY),
        a_charge(None, "0.25", "p3"),
    ) == {("p1", "gpt-5"): ("10", "10"), ("p1", ""): ("2.5", "3.6"), ("p2", ""): ("1", "0"), ("p3", ""): ("0", "0.25")}


def test_a_dated_name_is_found_under_its_short_one_where_there_is_only_one():
    """With two it could be, it is a guess, and guesses teach nothing."""
    one = {("p1", "gpt-4o-2024-08-06"): "10"}
    assert compared(one, a_charge("gpt-4o, input", "9")) == {("p1", "gpt-4o-2024-08-06"): ("10", "9")}
    two = one | {("p1", "gpt-4o-2024-11-20"): "1"}
    assert compared(two, a_charge("gpt-4o, input", "9")) == {("p1", ""): ("11", "9")}
    exact = compared(two, a_charge("gpt-4o-2024-08-06, input", "9"), a_charge("gpt-4o, input", "2"))
    assert exact == {("p1", "gpt-4o-2024-08-06"): ("10", "9"), ("p1", "gpt-4o-2024-11-20"): ("1", "2")}
    assert compared(
        {("p1", "ft:gpt-4o:a::1"): "1", ("p1", "ft:gpt-4o:b::2"): "2"}, a_charge("ft-gpt-4o, output", "4")
    ) == {("p1", "ft-gpt-4o"): ("3", "4")}


models = st.sampled_from(["gpt-5", "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "whisper-1", "", "mystery"])
projects = st.sampled_from(["p1", "p2", ""])


@given(
    st.dictionaries(st.tuples(projects, models), dollars, max_size=12),
    st.lists(st.tuples(projects, models, st.sampled_from(["", "batch | ", "evals | "]), dollars), max_size=20),
)
def test_no_cent_is_lost_in_the_comparison(
    estimates: dict[tuple[str, str], Decimal], lines: list[tuple[str, str, str, Decimal]]
):
    """Per project, estimates and bill add up to what was given; each project and model appears once."""
    charges = [
        Charge(YESTERDAY, project or None, f"{tier}{model}, input", cost) for project, model, tier, cost in lines
    ]
    samples = compare(estimates, charges, YESTERDAY)
    assert len({(each.sub_account_id, each.model) for each in samples}) == len(samples)
    for project in ("p1", "p2", ""):
        ours = sum((each.estimated for each in samples if each.sub_account_id == project), Decimal(0))
        theirs = sum((each.billed for each in samples if each.sub_account_id == project), Decimal(0))
        assert ours == sum((each for (name, _), each in estimates.items() if name == project), Decimal(0))
        assert theirs == sum((cost for name, _, _, cost in lines if name == project), Decimal(0))


# --- corrections -----------------------------------------------------------------------------------------------------


def a_sample(ago: int, estimated: str, billed: str, project: str = "p1", model: str = "gpt-5") -> DriftSample:
    return DriftSample(TODAY - timedelta(days=ago), project, model, Decimal(estimated), Decimal(billed))


def test_a_correction_is_what_was_billed_by_what_was_estimated():
    """Of sums, not the mean of days; the project's own before the model's, and without data 1."""
    taught = corrections([a_sample(1, "10", "12"), a_sample(2, "30", "30"), a_sample(1, "60", "30", "p2")], TODAY)
    assert taught.of("p1", "gpt-5") == Correction(dec("1.05"), 2, CorrectionBasis.PROJECT)
    assert taught.of("p2", "GPT-5") == Correction(dec("0.5"), 1, CorrectionBasis.PROJECT)
    assert taught.of("p3", "gpt-5") == Correction(dec("0.72"), 2, CorrectionBasis.MODEL)
    assert taught.of("p1", "gpt-4o") == UNCORRECTED == Correction(Decimal(1), 0, CorrectionBasis.NONE)
    assert corrections([], TODAY).of("p1", "gpt-5") is UNCORRECTED


def test_only_the_fourteen_days_before_today_teach():
    """Neither today nor the fifteenth day back."""
    assert corrections([a_sample(0, "1", "2"), a_sample(15, "1", "2")], TODAY).of("p1", "gpt-5") is UNCORRECTED
    both = corrections([a_sample(1, "1", "1.5"), a_sample(14, "1", "1.5")], TODAY)
    assert both.of("p1", "gpt-5") == Correction(dec("1.5"), 2, CorrectionBasis.PROJECT)


def test_a_mixture_and_the_never_estimated_teach_nothing():
    """'' holds tools and unknown names; a bill without an estimate has no ratio."""
    taught = corrections([a_sample(1, "1", "9", model=""), a_sample(1, "0", "9", model="new")], TODAY)
    assert (taught.of("p1", ""), taught.of("p1", "new")) == (UNCORRECTED, UNCORRECTED)


@given(st.lists(st.tuples(st.integers(0, 20), dollars, st.decimals("-1000", "1000", places=12)), max_size=20))
def test_a_correction_is_never_below_half_nor_above_double(days: list[tuple[int, Decimal, Decimal]]):
    """Whatever the bill says, credits included; a wilder one cannot even be born."""
    samples = [DriftSample(TODAY - timedelta(days=ago), "p1", "gpt-5", *amounts) for ago, *amounts in days]
    found = corrections(samples, TODAY).of("p1", "gpt-5")
    assert LEAST_RATIO <= found.ratio <= MOST_RATIO
    seen = [each for each in samples if 1 <= (TODAY - each.day).days <= 14]
    assert (found is UNCORRECTED) == (sum((each.estimated for each in seen), Decimal(0)) <= 0)
    for wild in ("0.499", "2.001"):
        with pytest.raises(ValueError, match="correction"):
            Correction(Decimal(wild), 1, CorrectionBasis.MODEL)


def test_a_corrected_estimate_is_kept_to_eighteen_decimals():
    """As every amount, half-even."""
    third = corrections([a_sample(1, "3", "4")], TODAY).of("p1", "gpt-5")
    assert third.ratio == dec("1.333333333")
    assert third.apply(dec("0.000000000000000001")) == dec("0.000000000000000001")
    assert third.apply(dec(300)) == dec("399.9999999")


# --- drift -----------------------------------------------------------------------------------------------------------


def test_drift_tells_before_and_after_correction():
    """Estimates a tenth too low every day: corrected by yesterday's lesson they tie; the first day had no lesson."""
    always = [a_sample(ago, "100", "110") for ago in range(1, 29)]
    found = drift(always, TODAY)
    assert found == Drift(14, dec(1400), dec(1540), dec(1540), dec(0))
    assert found.ratio is not None
    assert (round(found.ratio, 6), found.corrected_ratio) == (dec("-0.090909"), 0)
    young = drift([a_sample(ago, "100", "110") for ago in (1, 2)], TODAY)
    assert young is not None
    assert (young.days, young.corrected, young.billed) == (2, dec(210), dec(220))
    assert round(young.worst_ratio, 6) == dec("0.090909")


def test_a_day_is_corrected_by_the_days_before_it_only():
    """No estimate knows its own bill: the jump of the last day is its whole drift."""
    found = drift([*(a_sample(ago, "100", "100") for ago in range(2, 29)), a_sample(1, "100", "125")], TODAY)
    assert found is not None
    assert (found.worst_ratio, found.corrected) == (dec("0.2"), dec(1400))


def test_lessons_older_than_fourteen_days_are_forgotten():
    """A change of price three weeks ago no longer corrects."""
    old = [a_sample(ago, "100", "200") for ago in range(16, 29)]
    found = drift([*old, a_sample(1, "100", "100")], TODAY)
    assert found == Drift(1, dec(100), dec(100), dec(100), dec(0))
    recent = drift([*old, a_sample(2, "100", "100")], TODAY)
    assert recent is not None
    assert recent.corrected == dec(200)


def test_tools_drift_uncorrected_and_other_projects_lend_their_lesson():
    """'' counts in the whole; a new project is corrected by its model."""
    found = drift(
        [a_sample(2, "100", "50", "p1"), a_sample(1, "100", "50", "p9"), a_sample(1, "8", "10", model="")], TODAY
    )
    assert found is not None
    assert (found.estimated, found.corrected, found.billed) == (dec(208), dec(158), dec(110))


def test_without_samples_there_is_no_drift():
    """Nor with samples of today or of last month only."""
    assert drift([], TODAY) is None
    assert drift([a_sample(0, "1", "1"), a_sample(15, "1", "1")], TODAY) is None
    unbilled = drift([a_sample(1, "1", "0")], TODAY)
    assert unbilled is not None
    assert (unbilled.ratio, unbilled.corrected_ratio, unbilled.worst_ratio) == (None, None, 0)


@pytest.mark.parametrize(("worst", "margin"), [("0", "0.01"), ("0.03", "0.03"), ("7", "0.5")])
def test_the_margin_is_the_worst_day_within_bounds(worst: str, margin: str):
    """One per cent at best, a half at worst, a fifth while nothing was measured."""
    measured = Drift(14, dec(1), dec(1), dec(1), dec(worst))
    assert drift_margin(measured) == dec(margin)
    assert drift_margin(None) == dec("0.2")


# --- what is spent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"estimated": Money.of(1, "KRW")},
        {"drift_margin": dec("-0.1")},
        {"as_of": datetime(2026, 7, 3)},  # noqa: DTZ001 - the mistake itself
    ],
)
def test_what_is_spent_is_of_one_currency_and_of_an_aware_time(wrong: dict[str, Any]):
    """At birth."""
    right: dict[str, Any] = {
        "amount": Money.of(742),
        "state": FigureState.ESTIMATE,
        "as_of": datetime(2026, 7, 3, 5, tzinfo=UTC),
        "estimated": Money.of(700),
        "unpriced": False,
        "drift_margin": dec("0.02"),
    }
    assert Spent(**right).amount == Money.of(742)
    with pytest.raises(ValueError, match=r"\w"):
        Spent(**right | wrong)
