"""The price list: real days tie to the bill, an operator's word wins, and a mistake changes nothing."""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.money import from_units
from finops.prices import RateCard, price, priced
from finops.usage import Endpoint, UsageRow, Width
from providers.openai_pages import Bucket
from providers.openai_usage_wire import rows_of
from providers.price_files import PriceFileError, parse_prices
from providers.price_list import ListPrices
from providers.price_rates import TOKENS, attos, counted_card, token_card

DATA = Path(__file__).parent.parent / "data"
DAY = date(2026, 11, 20)
DOLLARS = st.decimals(min_value=0, max_value=1000, places=6, allow_nan=False, allow_infinity=False)


@pytest.fixture(scope="module")
def listed() -> ListPrices:
    return ListPrices()


def card_of(prices: ListPrices, model: str, tier: str = "default", *, batch: bool = False, day: date = DAY) -> RateCard:
    card = prices.card("completions", model, tier, batch, day)
    assert card is not None, model
    return card


def per_million(card: RateCard) -> tuple[Decimal, Decimal, Decimal]:
    """Input, cached input and output in dollars for a million tokens."""
    return tuple(
        Decimal(rate).scaleb(-12).normalize()
        for rate in (card.input_tokens, card.cached_input_tokens, card.output_tokens)
    )  # type: ignore[return-value]


# --- real days -------------------------------------------------------------------------------------------------------


def exported(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_three_real_days_tie_to_the_bill_to_the_last_digit(listed: ListPrices):
    """Tokens as the provider reported them, counts spelled 59200.0 and all, times the list price of that day.

    On the two days before, the bill is more one day and less the other: the provider says itself that usage and costs
    may not reconcile, which is why the bill, and not the estimate, is right in the end.
    """
    billed = {int(row["start_time"]): row["amount_value"] for row in exported("openai_export_costs.csv")}
    rows_by_day: dict[int, list[dict[str, str]]] = defaultdict(list)
    for row in exported("openai_export_usage.csv"):
        rows_by_day[int(row["start_time"])].append(row)
    tied, estimates = [], {}
    for start, told in rows_by_day.items():
        wire = Bucket(start, results=msgspec.Raw(_as_json(told)))
        rows = rows_of(wire, Endpoint.COMPLETIONS, Width.DAY, start // 60, "", None)
        attos_of_day = sum(atto for _, atto, _ in priced(rows, listed))
        assert all(is_priced for _, _, is_priced in priced(rows, listed))
        day = datetime.fromtimestamp(start, UTC).date()
        estimates[day] = from_units(*divmod(attos_of_day, 10**9))
        if billed[start] and estimates[day] == Decimal(billed[start]):
            tied.append(day.isoformat())
    assert tied == ["2025-10-07", "2025-10-10", "2025-10-11"]
    assert estimates[date(2025, 10, 5)] == Decimal("0.24726")
    assert estimates[date(2025, 10, 6)] == Decimal("0.81584275")


def _as_json(told: list[dict[str, str]]) -> bytes:
    """The rows of the export as the wire would spell them: numbers bare, blanks null, FALSE a word of JSON."""
    numbers = {"num_model_requests", *(name for name in told[0] if name.endswith("_tokens"))}
    rows = []
    for row in told:
        cells = []
        for name, text in row.items():
            if not text:
                cells.append(f'"{name}": null')
            elif name in numbers or name in ("start_time", "end_time"):
                cells.append(f'"{name}": {text}')
            else:
                cells.append(f'"{name}": {text.lower() if name == "batch" else json.dumps(text)}')
        rows.append("{" + ", ".join(cells) + "}")
    return ("[" + ", ".join(rows) + "]").encode()


# --- the list --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "tier", "batch", "expected"),
    [
        ("gpt-5-2025-08-07", "default", False, ("1.25", "0.125", "10")),
        ("GPT-5", "", False, ("1.25", "0.125", "10")),
        ("gpt-5", "auto", False, ("1.25", "0.125", "10")),
        ("gpt-5", "scale", False, ("1.25", "0.125", "10")),
        ("gpt-5", "flex", False, ("0.625", "0.0625", "5")),
        ("gpt-5", "priority", False, ("2.5", "0.25", "20")),
        ("gpt-5", "priority", True, ("0.625", "0.0625", "5")),
        ("gpt-4.1", "default", True, ("1", "0.25", "4")),
        ("gpt-3.5-turbo-1106", "default", True, ("1", "1", "2")),
        ("gpt-5.1-codex-mini", "default", True, ("0.125", "0.0125", "1")),
        ("gpt-5.1-codex-mini", "flex", False, ("0.125", "0.0125", "1")),
        ("gpt-5.1-codex-mini", "priority", False, ("0.25", "0.025", "2")),
        ("gpt-5.6-sol", "default", False, ("4", "0.4", "20")),
        ("ft:gpt-4o-2024-08-06:acme::x", "default", False, ("3.75", "3.75", "15")),
    ],
)
def test_each_tier_has_its_price(
    listed: ListPrices, model: str, tier: str, batch: bool, expected: tuple[str, str, str]
):
    """A listed tier at its word, an unlisted batch or flex at half, an unlisted priority at the standard price."""
    assert per_million(card_of(listed, model, tier, batch=batch)) == tuple(map(Decimal, expected))


def test_half_is_half_also_before_the_list_knew_of_batches(listed: ListPrices):
    """The list dates its batch prices from October 2026; before, the package would silently say the full price."""
    assert per_million(card_of(listed, "gpt-5", batch=True, day=date(2026, 1, 5)))[0] == Decimal("0.625")


def test_a_sum_of_small_requests_never_has_the_price_of_one_long_one(listed: ListPrices):
    """A thousand requests of a thousand tokens are 17.50 dollars, where the package says 27.50 for their sum."""
    row = UsageRow(
        0, "completions", "", "gpt-5.4", "", "", is_batch=False, requests=1000, input_tokens=10**6, output_tokens=10**6
    )
    assert price(row, card_of(listed, "gpt-5.4")) == 175 * 10**17


def test_a_day_has_the_price_of_that_day(listed: ListPrices):
    """o3 became cheaper on 10 June 2025; May still costs what it cost."""
    before, after = card_of(listed, "o3", day=date(2025, 5, 1)), card_of(listed, "o3", day=date(2025, 7, 1))
    assert per_million(before)[2] > per_million(after)[2] == 8


@pytest.mark.parametrize(
    ("endpoint", "model", "dollars"),
    [
        (Endpoint.AUDIO_TRANSCRIPTIONS, "whisper-1", "0.0001"),
        (Endpoint.AUDIO_TRANSCRIPTIONS, "gpt-4o-mini-transcribe-2025-12-15", "0.00005"),
        (Endpoint.AUDIO_SPEECHES, "tts-1", "0.000015"),
        (Endpoint.IMAGES, "dall-e-3", "0.04"),
        (Endpoint.WEB_SEARCH_CALLS, "gpt-5", "0.01"),
        (Endpoint.WEB_SEARCH_CALLS, "", "0.01"),
        (Endpoint.FILE_SEARCH_CALLS, "", "0.0025"),
        (Endpoint.CODE_INTERPRETER_SESSIONS, "", "0.03"),
    ],
)
def test_what_has_no_tokens_is_priced_by_what_it_counts(
    listed: ListPrices, endpoint: Endpoint, model: str, dollars: str
):
    """Seconds, characters, images, calls and sessions: never zero because somebody looked for tokens."""
    card = listed.card(endpoint, model, "", is_batch=False, day=DAY)
    assert card is not None
    assert card.quantity == attos(Decimal(dollars))


def test_a_gib_for_a_day_is_ten_cents(listed: ListPrices):
    """Counted in mebibyte-minutes, to the trillionth of a dollar."""
    card = listed.card(Endpoint.VECTOR_STORES, "", "", is_batch=False, day=DAY)
    assert card is not None
    row = UsageRow(0, "vector_stores", "p", "", "", "", is_batch=False, quantity=1024 * 1440)
    assert abs(price(row, card) - 10**17) < 10**6


def test_free_is_a_price_and_unknown_is_none(listed: ListPrices):
    """Moderation costs nothing, which we know; a model nobody lists may cost anything."""
    free = listed.card(Endpoint.MODERATIONS, "omni-moderation-latest", "", is_batch=False, day=DAY)
    assert free is not None
    assert free.input_tokens == 0
    for endpoint, model in [
        (Endpoint.COMPLETIONS, "gpt-77-nova"),
        (Endpoint.COMPLETIONS, ""),
        (Endpoint.COMPLETIONS, "whisper-1"),
        (Endpoint.COMPLETIONS, "text-embedding-3-small"),
        (Endpoint.EMBEDDINGS, "whisper-1"),
        (Endpoint.IMAGES, "gpt-image-1"),
        (Endpoint.AUDIO_TRANSCRIPTIONS, "gpt-5"),
    ]:
        assert listed.card(endpoint, model, "default", is_batch=False, day=DAY) is None, (endpoint, model)
    assert listed.card("an endpoint of tomorrow", "gpt-5", "", is_batch=False, day=DAY) is None


def test_audio_costs_more_than_text_only_where_it_is_listed(listed: ListPrices):
    """A missing audio or image rate is the text rate of the same direction."""
    spoken, written = card_of(listed, "gpt-audio-mini-2025-12-15"), card_of(listed, "gpt-5")
    assert (spoken.audio_input_tokens, spoken.audio_output_tokens) == (10**13, 2 * 10**13)
    assert spoken.cached_audio_input_tokens == spoken.audio_input_tokens
    assert (written.audio_input_tokens, written.image_output_tokens) == (written.input_tokens, written.output_tokens)
    assert written.cached_image_input_tokens == written.cached_input_tokens


@given(st.dictionaries(st.sampled_from(TOKENS), DOLLARS).map(lambda rates: {"input": Decimal(1), **rates}))
def test_a_card_is_exact_for_prices_people_write(rates: dict[str, Decimal]):
    """A price for a million tokens with six decimals is a whole number of attos a token."""
    card = token_card(rates, "test")
    for kind, rate in rates.items():
        assert Fraction(getattr(card, f"{kind}_tokens"), 10**18) * 10**6 == Fraction(rate)


@given(DOLLARS, st.integers(1, 10**7))
def test_a_rate_is_rounded_once_and_by_half_an_atto_at_most(dollars: Decimal, per: int):
    """A third of a dollar has no last digit; the rate has, and is as near as can be."""
    assert abs(Fraction(counted_card(dollars, per, "test").quantity, 10**18) - Fraction(dollars) / per) <= Fraction(
        1, 2 * 10**18
    )


# --- an operator's own prices ----------------------------------------------------------------------------------------

OURS = """
# dollars
- model: gpt-5
  from: 2026-11-01
  input_per_mtok: 1
  output_per_mtok: "8.00"
- model: gpt-5
  from: 2026-12-01
  input_per_mtok: 0.5
  output_per_mtok: 4
- model: "ft:gpt-4.1-2025-04-14:acme::abc"
  input_per_mtok: 3.10
  cached_input_per_mtok: 0.75
  output_per_mtok: 12
  batch: {input_per_mtok: 1.6, output_per_mtok: 6}
  priority: 1.75
- model: gpt-4o
  aliases: [m-large, Chat-Default]
- model: gpt-image-1
  per_image: 0.042
- endpoint: web_search_calls
  per_1k_calls: 7.5
"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    path = tmp_path / "prices.yaml"

    def write(text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        # Two writes within one tick of the clock still differ.
        write.ticks += 1  # type: ignore[attr-defined]
        os.utime(path, ns=(write.ticks, write.ticks))  # type: ignore[attr-defined]
        return path

    write.ticks = 10**18  # type: ignore[attr-defined]
    return write


def test_an_operators_price_wins_from_its_day_on(file: Callable[[str], Path]):
    """Before that day, and for every model it does not name, the list still counts."""
    prices = ListPrices(file(OURS))
    assert [
        per_million(card_of(prices, "gpt-5-2025-08-07", day=day))[2]
        for day in (date(2026, 10, 31), date(2026, 11, 1), date(2026, 12, 24))
    ] == [10, 8, 4]
    assert per_million(card_of(prices, "gpt-5-mini")) == (Decimal("0.25"), Decimal("0.025"), 2)
    assert per_million(card_of(prices, "gpt-4o-2024-05-13"))[0] == 5


def test_an_operator_tells_tiers_aliases_and_counts(file: Callable[[str], Path]):
    """Everything docs/prices.md promises, once."""
    prices = ListPrices(file(OURS))
    tuned = "ft:gpt-4.1-2025-04-14:acme::abc"
    assert per_million(card_of(prices, tuned)) == (Decimal("3.1"), Decimal("0.75"), 12)
    assert per_million(card_of(prices, tuned, batch=True)) == (Decimal("1.6"), Decimal("0.375"), 6)
    assert per_million(card_of(prices, tuned, "flex")) == (Decimal("1.55"), Decimal("0.375"), 6)
    assert per_million(card_of(prices, tuned, "priority")) == (Decimal("5.425"), Decimal("1.3125"), 21)
    for alias in ("m-large", "chat-default"):
        assert per_million(card_of(prices, alias)) == (Decimal("2.5"), Decimal("1.25"), 10)
    image = prices.card(Endpoint.IMAGES, "gpt-image-1", "", is_batch=False, day=DAY)
    search = prices.card(Endpoint.WEB_SEARCH_CALLS, "gpt-5", "", is_batch=False, day=DAY)
    assert image is not None
    assert search is not None
    assert (image.quantity, search.quantity) == (42 * 10**15, 75 * 10**14)


def test_the_example_of_the_documentation_is_a_price_file():
    """Whoever copies it starts."""
    text = (Path(__file__).parents[2] / "docs" / "prices.md").read_text("utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    assert len(parse_prices(example, "docs")) == 5


def test_every_mistake_of_a_file_is_told_with_its_line():
    """All at once, and nothing of the file is used."""
    wrong = """\
- model: gpt-5
  input_per_mtok: free
  output_per_mtok: -1
- modell: gpt-6
- input_per_mtok: 1
  output_per_mtok: 2
- model: gpt-7
  from: yesterday
- model: gpt-8
  input_per_mtok: 1.5
- model: gpt-9
- endpoint: chat
  per_image: 1
- gpt-10
- model: gpt-11
  output_per_mtok: 1
  input_per_mtok: 1
  output_per_mtok: 2
- endpoint: images
  per_image: 1
- endpoint: images
  per_image: 2
- aliases: some
  endpoint: images
- model: gpt-12
  per_image: 1
  batch: 0.5
"""
    with pytest.raises(PriceFileError) as caught:
        parse_prices(wrong, "ours.yaml")
    told = [mistake.removeprefix("ours.yaml, line ") for mistake in caught.value.mistakes]
    assert [int(sentence.split(":")[0]) for sentence in told] == [2, 3, 4, 5, 8, 9, 11, 12, 14, 18, 21, 23, 25]
    assert all(mistake.startswith("ours.yaml, line ") and mistake.endswith(".") for mistake in caught.value.mistakes)


@pytest.mark.parametrize(
    "text", ["model: gpt-5", "- [", "- &a {model: *a}", "just words", "- model: !!python/object:x y"]
)
def test_what_is_no_list_of_prices_is_refused(text: str):
    """A sentence, never a traceback, and nothing in a file is ever run."""
    with pytest.raises(PriceFileError):
        parse_prices(text, "ours.yaml")


def test_no_prices_is_a_price_file_too():
    """Everything commented out: nothing of one's own."""
    assert parse_prices("# nothing yet\n", "ours.yaml") == ()


def test_a_changed_file_is_read_again_and_a_broken_one_is_not(
    file: Callable[[str], Path], caplog: pytest.LogCaptureFixture
):
    """The prices of before stay, the mistake is told once, and the version tells estimates apart."""
    path = file("- model: nova\n  input_per_mtok: 1\n  output_per_mtok: 1\n")
    prices = ListPrices(path)
    first = prices.version
    assert per_million(card_of(prices, "nova"))[0] == 1
    assert prices.refresh() == ()

    file("- model: nova\n  input_per_mtok: 2\n")
    assert [mistake.partition(", line ")[2] for mistake in prices.refresh()] == [
        "1: tokens need input_per_mtok and output_per_mtok (0 where they are free), or the endpoint of a model that "
        "puts out none."
    ]
    assert prices.refresh() == ()
    assert "prices were not read again" in caplog.text
    assert (prices.version, per_million(card_of(prices, "nova"))[0]) == (first, 1)

    file("- model: nova\n  input_per_mtok: 2\n  output_per_mtok: 1\n")
    assert prices.refresh() == ()
    assert prices.version != first
    assert per_million(card_of(prices, "nova"))[0] == 2

    path.unlink()
    assert "cannot be read" in prices.refresh()[0]
    assert per_million(card_of(prices, "nova"))[0] == 2


def test_a_bot_does_not_start_with_a_broken_price_file(file: Callable[[str], Path]):
    """An operator who wrote prices down wants them used."""
    with pytest.raises(PriceFileError):
        ListPrices(file("- model: nova\n"))


# --- newer data of the package ---------------------------------------------------------------------------------------

NOVA = [
    {
        "id": "openai",
        "name": "OpenAI",
        "api_pattern": "https://api\\.openai\\.com",
        "models": [
            {
                "id": "gpt-77-nova",
                "match": {"starts_with": "gpt-77-nova"},
                "prices": {"input_mtok": 7, "output_mtok": {"base": 70, "tiers": [{"start": 1000, "price": 99}]}},
            }
        ],
    }
]


def test_a_newer_data_file_is_used_instead_of_the_packages_own(tmp_path: Path, listed: ListPrices):
    """A model of tomorrow has its price without a new release of ours."""
    data = tmp_path / "data.json"
    data.write_text(json.dumps(NOVA), encoding="utf-8")
    prices = ListPrices(data=data)
    assert per_million(card_of(prices, "gpt-77-nova-2027-01-01")) == (7, 7, 70)
    assert prices.card("completions", "gpt-5", "", is_batch=False, day=DAY) is None
    assert prices.version != listed.version
    assert listed.card("completions", "gpt-77-nova", "", is_batch=False, day=DAY) is None


@pytest.mark.parametrize("text", ["", "{}", "[", '[{"id": 5}]', '[{"id": "openai", "models": 3}]', "[" * 100_000])
def test_a_data_file_that_is_none_is_refused_with_a_sentence(tmp_path: Path, text: str):
    """Whatever the package says about it."""
    data = tmp_path / "data.json"
    data.write_text(text, encoding="utf-8")
    with pytest.raises(PriceFileError, match=r"data\.json: .*\.$"):
        ListPrices(data=data)
