"""Prices are read as documented, bills are tokens x price to the last digit, the demo's data is as described."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.billing import bill, cost, require_countable, spent
from demo.prices import (
    ListPrices,
    PriceError,
    Rates,
    UnpricedModels,
    for_the_product,
    parse_prices,
    read_aliases,
    read_prices,
    require_prices,
)
from demo.trace import TraceError, Usage, parse_trace, read_trace

HEADER = "model,input_usd_per_mtok,cached_input_usd_per_mtok,output_usd_per_mtok"
DATA = Path(__file__).parent.parent.parent / "demo" / "data"
DAY = date(2026, 11, 1)


def test_prices_are_read_from_a_file_in_any_column_order(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    text = "\ufeffoutput_usd_per_mtok,model,cached_input_usd_per_mtok,input_usd_per_mtok\r\n10,big,1.25,2.50\r\n"
    path.write_text(text, encoding="utf-8")
    assert read_prices(path).rates("big", DAY) == Rates(Decimal("2.50"), Decimal("1.25"), Decimal(10))


def test_without_a_cached_price_cached_tokens_cost_as_much_as_others() -> None:
    rates = parse_prices([HEADER, "big,2.50,,10"]).rates("big", DAY)
    assert rates is not None
    assert rates.cached_input == Decimal("2.50")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            "big,cheap,1,1",
            "line 2: input_usd_per_mtok must be dollars for a million tokens, such as 2.50, not 'cheap'.",
        ),
        ("big,1,1,-1", "line 2: output_usd_per_mtok must be dollars"),
        ("big,1,NaN,1", "line 2: cached_input_usd_per_mtok must be dollars"),
        ("big,1,1,Infinity", "line 2: output_usd_per_mtok must be dollars"),
        ("big,1,1_0,1", "line 2: cached_input_usd_per_mtok must be dollars"),
        ("big,1,1,-0", "line 2: output_usd_per_mtok must be dollars"),
        ("big,1e99,1,1", "line 2: input_usd_per_mtok has at most 9 digits before its point and 18 behind it"),
        ("big,0.3333333333333333333,1,1", "line 2: input_usd_per_mtok has at most 9 digits before its point and 18"),
        (f"{'b' * 201},1,1,1", "line 2: the model is longer than 200 letters."),
        (",1,1,1", "line 2: the model is empty."),
        ("big,1,1", "line 2: 3 columns where the header has 4."),
    ],
)
def test_every_mistake_in_a_price_file_is_told_with_its_line(row: str, sentence: str) -> None:
    with pytest.raises(PriceError) as refusal:
        parse_prices([HEADER, row])
    assert sentence in str(refusal.value)


def test_one_model_has_one_price() -> None:
    with pytest.raises(PriceError, match="line 3: big has a second, different price"):
        parse_prices([HEADER, "big,1,1,1", "big,1,1,2"])
    assert parse_prices([HEADER, "big,1,1,1", "big,1,1,1"]).rates("big", DAY)


def test_names_alike_but_for_case_are_one_model() -> None:
    """So the product reads them, whose own price file ours becomes: it refused the two lines by a file nobody wrote."""
    with pytest.raises(PriceError, match="line 3: big has a second, different price as BIG"):
        parse_prices([HEADER, "BIG,1,1,1", "big,1,1,2"])
    prices = parse_prices([HEADER, "BIG,1,1,1", "big,1,1,1"])
    assert prices.rates("BIG", DAY) == prices.rates("big", DAY)
    assert len(for_the_product(prices)) == 1


def test_an_empty_price_file_is_refused() -> None:
    with pytest.raises(PriceError, match="the header has no model, or twice"):
        parse_prices([f"{HEADER},model", "big,1,1,1,huge"])
    with pytest.raises(PriceError, match="no price below the header"):
        parse_prices([HEADER])
    with pytest.raises(PriceError, match="the header has no model"):
        parse_prices([])


def test_models_without_a_price_are_named_with_what_to_do() -> None:
    prices = parse_prices([HEADER, "big,1,1,1"], "mine.csv")
    with pytest.raises(UnpricedModels) as refusal:
        require_prices(prices, ["big", "tiny", "odd"], DAY)
    assert str(refusal.value) == (
        "No price for odd, tiny in mine.csv. Give one line for each in a price file "
        f"({HEADER}) and start again with --prices FILE."
    )


def test_list_prices_are_those_of_the_day_in_their_base_tier() -> None:
    """Aggregated rows are far beyond any long-context tier, which is decided by one request, never by a sum."""
    prices = ListPrices()
    assert prices.rates("gpt-4o", DAY) == Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10))
    assert prices.rates("gpt-5.4-2026-03-05", DAY) == Rates(Decimal("2.5"), Decimal("0.25"), Decimal(15))
    assert "genai-prices" in prices.source


@pytest.mark.parametrize("model", ["whisper-1", "claude-sonnet-4-5", "no-such-model"])
def test_a_model_that_is_not_sold_by_the_token_has_no_list_price(model: str) -> None:
    assert ListPrices().rates(model, DAY) is None


def test_aliases_lend_a_price_to_models_known_by_size_only() -> None:
    prices = ListPrices()
    assert read_aliases() == {"m-large": "gpt-4o", "m-small": "gpt-4o-mini"}
    assert prices.rates("m-large", DAY) == prices.rates("gpt-4o", DAY)


def test_a_bill_has_a_line_for_each_kind_of_token() -> None:
    lines = bill("big", Usage(3, 700, 300, 50), Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10)), tells_cached=True)
    assert [(line.line_item, line.quantity, line.amount) for line in lines] == [
        ("big, input", 700, Decimal("0.00175")),
        ("big, cached input", 300, Decimal("0.000375")),
        ("big, output", 50, Decimal("0.0005")),
    ]


prices = st.decimals(min_value=0, max_value=10_000, places=9, allow_nan=False)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**18), prices)
def test_tokens_times_price_loses_nothing(tokens: int, price: Decimal) -> None:
    assert Fraction(cost(tokens, price)) == Fraction(price) * tokens / 1_000_000


@settings(deadline=None, max_examples=25)
@given(st.builds(Usage, *[st.integers(0, 10**15)] * 4), st.builds(Rates, prices, prices, prices))
def test_the_lines_of_a_bill_add_up_to_what_was_spent(usage: Usage, rates: Rates) -> None:
    lines = bill("m", usage, rates, tells_cached=False)
    assert sum(Fraction(line.amount) for line in lines) == Fraction(spent(usage, rates))


@pytest.mark.parametrize(("tokens", "price"), [(10**18 - 1, "2.5"), (10**18 - 1, "0")])
def test_more_than_any_ledger_adds_up_is_said_before_it_is_played(tokens: int, price: str) -> None:
    """The product called it beyond any real bill, which its team was told and whoever gave the trace was not."""
    prices = parse_prices([HEADER, f"big,{price},,1", "small,1,,1"])
    header = "hour,application,model,requests,input_tokens,output_tokens"
    usual = [header, "0,chat,small,1,10,1", "0,search,big,1,1000000,0"]
    require_countable(parse_trace(usual), prices, DAY)
    with pytest.raises(TraceError, match="Most of it is search with big: look at its requests, input_tokens"):
        require_countable(parse_trace([*usual, *[f"1,search,big,1,{tokens},0"] * 10]), prices, DAY)


def test_the_demo_trace_is_small_and_costs_what_its_attribution_says() -> None:
    path = DATA / "trace.csv.gz"
    assert path.stat().st_size <= 300_000
    trace, known = read_trace(path), ListPrices()
    days = (trace.last_hour - trace.first_hour + 1) // 24
    daily: dict[str, Decimal] = {}
    for series in trace.series:
        rates = known.rates(series.model, DAY)
        assert rates is not None
        for usage in series.hours.values():
            daily[series.application] = daily.get(series.application, Decimal(0)) + spent(usage, rates) / days
    assert days == 70
    assert len(daily) == 9
    assert 300 < sum(daily.values()) < 900
    assert 49 < daily["chatbot-experiment"] < 51


def test_the_demo_data_says_where_it_comes_from() -> None:
    text = (DATA / "ATTRIBUTION.md").read_text("utf-8")
    for word in ("ServeGen", "Apache-2.0", "synthetic", "repeated five times", "derive.py"):
        assert word in text
    with (DATA / "aliases.csv").open(newline="") as file:
        assert all(f"`{row['alias']}`" in text for row in csv.DictReader(file))
