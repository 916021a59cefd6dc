"""From list prices, as people and packages write them, to rate cards in whole atto-dollars."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from finops.prices import ATTOS_PER_DOLLAR, RateCard
from finops.usage import Endpoint

MTOK = 1_000_000
_MEBIBYTE_MINUTES_PER_GIB_DAY = 1024 * 1440
_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)
_ONE, _HALF = Decimal(1), Decimal("0.5")

# The kinds of token a price list can tell apart; each is `…_tokens` of a rate card and `…_per_mtok` of a price file.
TOKENS = (
    "input",
    "cached_input",
    "cache_write",
    "output",
    "audio_input",
    "cached_audio_input",
    "audio_output",
    "image_input",
    "cached_image_input",
    "image_output",
)
# A kind without a rate of its own costs what this kind costs: there is no discount and no surcharge that we know of.
_OTHERWISE = {
    "cached_input": "input",
    "cache_write": "input",
    "audio_input": "input",
    "image_input": "input",
    "audio_output": "output",
    "image_output": "output",
}
# Which tokens an endpoint uses and must have a rate for; the others are priced by what they count.
NEEDED = {
    Endpoint.COMPLETIONS: ("input", "output"),
    Endpoint.EMBEDDINGS: ("input",),
    Endpoint.MODERATIONS: ("input",),
}
# How a price file calls the price of what an endpoint counts, and how many of it that price buys.
COUNTED = {
    Endpoint.IMAGES: ("per_image", 1),
    Endpoint.AUDIO_SPEECHES: ("per_character", 1),
    Endpoint.AUDIO_TRANSCRIPTIONS: ("per_second", 1),
    Endpoint.VECTOR_STORES: ("per_gib_day", _MEBIBYTE_MINUTES_PER_GIB_DAY),
    Endpoint.CODE_INTERPRETER_SESSIONS: ("per_session", 1),
    Endpoint.FILE_SEARCH_CALLS: ("per_1k_calls", 1000),
    Endpoint.WEB_SEARCH_CALLS: ("per_1k_calls", 1000),
}
# OpenAI's rule for batch and flex where nothing more exact is listed. Priority has no such rule.
SHARE = {"batch": _HALF, "flex": _HALF, "priority": _ONE, "fast": _ONE, "standard": _ONE}


def tier_of(service_tier: str, *, is_batch: bool) -> str:
    """What a row is billed as: batch whatever its tier, else flex, priority or fast, else standard."""
    if is_batch:
        return "batch"
    tier = service_tier.lower()
    return tier if tier in SHARE else "standard"


def attos(dollars: Decimal, per: int = 1) -> int:
    """The price of one unit when `per` of them cost so many dollars; rounded once, to the atto-dollar (1e-18)."""
    return int(_WIDE.divide(_WIDE.multiply(dollars, Decimal(ATTOS_PER_DOLLAR)), Decimal(per)).to_integral_value())


def token_card(rates: Mapping[str, Decimal], source: str) -> RateCard:
    """A card from dollars for a million tokens by kind; "input" must be there, "output" where any comes out."""
    full = dict(rates)
    full.setdefault("output", Decimal(0))
    for kind, otherwise in _OTHERWISE.items():
        full.setdefault(kind, full[otherwise])
    for kind in ("audio", "image"):
        # Where audio has its own price, no cheaper one for cached audio is known; else it is cached text.
        own = full[f"{kind}_input"] if f"{kind}_input" in rates else full["cached_input"]
        full.setdefault(f"cached_{kind}_input", own)
    unit = {kind: attos(full[kind], MTOK) for kind in TOKENS}
    return RateCard(
        source,
        input_tokens=unit["input"],
        cached_input_tokens=unit["cached_input"],
        cache_write_tokens=unit["cache_write"],
        output_tokens=unit["output"],
        audio_input_tokens=unit["audio_input"],
        cached_audio_input_tokens=unit["cached_audio_input"],
        audio_output_tokens=unit["audio_output"],
        image_input_tokens=unit["image_input"],
        cached_image_input_tokens=unit["cached_image_input"],
        image_output_tokens=unit["image_output"],
    )


def counted_card(dollars: Decimal, per: int, source: str) -> RateCard:
    """A card for what is counted otherwise than in tokens."""
    return RateCard(source, quantity=attos(dollars, per))
