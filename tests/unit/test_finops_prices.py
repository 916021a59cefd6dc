"""Prices: every token is paid for once, exactly, and what has no price is not free."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from finops.prices import RateCard, price, priced
from finops.usage import COUNTS, MINUTES_PER_DAY, UsageRow, keeping_everything, merged

ATTOS = st.integers(0, 10**14)
COUNT = st.integers(0, 10**9)
CARDS = st.builds(RateCard, st.just("test"), *[ATTOS] * (len(COUNTS) - 1))
KEYS = st.tuples(
    st.integers(0, 5).map(lambda n: 29_000_000 + n * 700),
    st.sampled_from(["completions", "embeddings"]),
    st.sampled_from(["proj_a", "proj_b", ""]),
    st.sampled_from(["gpt-5", "unheard-of", ""]),
    st.sampled_from(["key_a", ""]),
    st.sampled_from(["default", "flex"]),
    st.booleans(),
)
# Whatever a provider might tell: parts that add up to more than their whole among them.
ANY_ROWS = st.builds(lambda key, counts: UsageRow(*key, *counts), KEYS, st.tuples(*[COUNT] * len(COUNTS)))


@st.composite
def sound_rows(draw: st.DrawFn) -> UsageRow:
    """A row as providers should tell it: cached, written, audio and image tokens are parts of the whole."""
    cached_text, cached_audio, cached_image, written, audio, image, text = (draw(COUNT) for _ in range(7))
    audio_out, image_out, text_out = (draw(COUNT) for _ in range(3))
    return UsageRow(
        *draw(KEYS),
        requests=draw(COUNT),
        input_tokens=cached_text + cached_audio + cached_image + written + audio + image + text,
        cached_input_tokens=cached_text + cached_audio + cached_image,
        cache_write_tokens=written,
        output_tokens=audio_out + image_out + text_out,
        audio_input_tokens=audio,
        cached_audio_input_tokens=cached_audio,
        audio_output_tokens=audio_out,
        image_input_tokens=image,
        cached_image_input_tokens=cached_image,
        image_output_tokens=image_out,
        quantity=draw(COUNT),
    )


# What is no text: nearly every row has none of it, and is priced the short way.
OTHER = [name for name in COUNTS if "audio" in name or "image" in name]


@st.composite
def rows_of_text(draw: st.DrawFn) -> UsageRow:
    """A row without anything but text, or with one thing besides."""
    beside = draw(st.sampled_from(["", *OTHER]))
    return draw(ANY_ROWS | sound_rows())._replace(**{name: 0 for name in OTHER if name != beside})


class SomePrices:
    """Knows every model but one, and counts how often it was asked."""

    version = "test"

    def __init__(self, card: RateCard) -> None:
        self._card = card
        self.asked: Counter[tuple[str, str, str, bool, date]] = Counter()

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        self.asked[endpoint, model, service_tier, is_batch, day] += 1
        return None if model == "unheard-of" else self._card


def test_a_million_tokens_cost_what_the_list_says():
    """gpt-5 at 1.25, 0.125 and 10 dollars: a million in, half of it cached, a million out, is 10.6875 dollars."""
    card = RateCard("test", input_tokens=125 * 10**10, cached_input_tokens=125 * 10**9, output_tokens=10**13)
    row = UsageRow(
        0,
        *("completions", "p", "gpt-5", "k", "default"),
        is_batch=False,
        input_tokens=10**6,
        cached_input_tokens=10**6 // 2,
        output_tokens=10**6,
    )
    assert price(row, card) == 106875 * 10**14


@given(sound_rows(), sound_rows(), CARDS)
def test_two_rows_cost_what_their_sum_costs(one: UsageRow, other: UsageRow, card: RateCard):
    """Minutes add up to hours and hours to days, to the last digit."""
    both = one._replace(**{name: getattr(one, name) + getattr(other, name) for name in COUNTS})
    assert price(one, card) + price(other, card) == price(both, card)


@given(ANY_ROWS, ATTOS)
def test_every_token_is_paid_for_once(row: UsageRow, rate: int):
    """With one rate for everything, the price is that rate times what went in, came out and was counted."""
    card = RateCard("test", *[rate] * (len(COUNTS) - 1))
    assert price(row, card) == rate * (row.input_tokens + row.output_tokens + row.quantity)


@given(ANY_ROWS, CARDS)
def test_no_row_costs_less_than_nothing(row: UsageRow, card: RateCard):
    """However odd the counts are, a price is never negative."""
    assert price(row, card) >= 0


@given(st.lists(rows_of_text() | ANY_ROWS, max_size=20), CARDS)
def test_pricing_many_rows_is_pricing_each(rows: list[UsageRow], card: RateCard):
    """The short cut for many rows gives the same amounts, in the same order; what is unknown is no price, not zero."""
    prices = SomePrices(card)
    assert priced(rows, prices) == [
        (row, 0, False) if row.model == "unheard-of" else (row, price(row, card), True) for row in rows
    ]
    kinds = {(row.endpoint, row.model, row.service_tier, row.is_batch, row.start // MINUTES_PER_DAY) for row in rows}
    assert len(prices.asked) == len(kinds)
    assert set(prices.asked.values()) <= {1}


def test_a_row_is_priced_by_its_own_utc_day():
    """The last minute of a day still has that day's price."""
    prices = SomePrices(RateCard("test"))
    midnight = (date(2026, 11, 1) - date(1970, 1, 1)).days * MINUTES_PER_DAY
    priced(
        [UsageRow(minute, "completions", "", "m", "", "", is_batch=False) for minute in (midnight - 1, midnight)],
        prices,
    )
    assert [day for *_, day in prices.asked] == [date(2026, 10, 31), date(2026, 11, 1)]


@given(st.lists(ANY_ROWS, max_size=12))
def test_rows_of_one_group_add_up(rows: list[UsageRow]):
    """Afterwards every group is there once, and no count is lost."""
    found = merged(rows)
    keys = [row[:7] for row in found]
    assert len(set(keys)) == len(keys)
    assert keys == list(dict.fromkeys(row[:7] for row in rows))
    for name in COUNTS:
        assert sum(getattr(row, name) for row in found) == sum(getattr(row, name) for row in rows)


def test_a_card_has_a_rate_for_every_count_but_requests():
    """A count without a rate would be used and never paid for."""
    assert {name for name in COUNTS if name != "requests"} == set(RateCard.__slots__) - {"source", "currency"}


def test_the_search_for_garbage_is_on_again_after_making_rows():
    """Also when making them failed, and when two did it at once."""
    import gc

    assert gc.isenabled()
    first, second = keeping_everything(), keeping_everything()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.isenabled()
