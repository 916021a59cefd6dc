"""Unit prices word for word, in three languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import prices
from finops.price_report import Held, Kind, KindPrice, PriceReport
from finops.prices import RateCard
from tests.unit.saying import LANGUAGES, reader
from tests.unit.slack_limits import of_message

ATTO = 10**12  # a dollar for a million tokens, by the token
CHAT = RateCard(
    "genai-prices-0.1 gpt-5",
    input_tokens=5 * ATTO // 4,
    cached_input_tokens=ATTO // 8,
    cache_write_tokens=5 * ATTO // 4,
    output_tokens=10 * ATTO,
    audio_input_tokens=40 * ATTO,
    audio_output_tokens=10 * ATTO,
    image_input_tokens=5 * ATTO // 4,
    image_output_tokens=10 * ATTO,
)
DEARER = replace(CHAT, source="own-prices gpt-5", input_tokens=2 * ATTO, cache_write_tokens=2 * ATTO)
GPT = Kind("completions", "gpt-5")
USED = PriceReport(
    (
        KindPrice(GPT, (Held(CHAT, None),)),
        KindPrice(Kind("completions", "gpt-5", "flex"), (Held(replace(CHAT, output_tokens=5 * ATTO), None),)),
        KindPrice(Kind("completions", "gpt-5", is_batch=True), (Held(replace(CHAT, input_tokens=0), None),)),
        KindPrice(Kind("web_search_calls", ""), (Held(RateCard("own-prices", quantity=10 * 10**15), None),)),
        KindPrice(Kind("audio_transcriptions", "whisper-1"), (Held(RateCard("own-prices", quantity=10**14), None),)),
        KindPrice(Kind("completions", "ft:<!channel>"), (Held(None, None),)),
    ),
)
SAID = {
    "used": USED,
    "nothing": replace(USED, prices=()),
    "one": replace(USED, prices=(KindPrice(GPT, (Held(CHAT, date(2026, 6, 1)), Held(DEARER, None))),), asked="gpt-5"),
    "lost": replace(USED, prices=(KindPrice(GPT, (Held(None, date(2026, 6, 1)), Held(DEARER, None))),), asked="gpt-5"),
    "unknown": replace(USED, prices=(), asked="gtp-5", suggestion="gpt-5"),
    "unheard": replace(USED, prices=(), asked="`<!here>`"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAID)
def test_prices_word_for_word(snapshot: SnapshotAssertion, name: str, language: str) -> None:
    said = prices.message(SAID[name], reader(language))
    assert said.arguments() == snapshot.use_extension(JSONSnapshotExtension)
    assert of_message(said.arguments()) == of_message(said.arguments(plain=True)) == []


def test_a_hundred_models_fit() -> None:
    many = tuple(KindPrice(Kind("completions", f"ft:gpt-5:{n}" * 9), (Held(CHAT, None),)) for n in range(100))
    for asked in ("", "ft"):
        said = prices.message(replace(USED, prices=many, asked=asked), reader("ko"))
        assert of_message(said.arguments()) == of_message(said.arguments(plain=True)) == []
