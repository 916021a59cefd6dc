"""The price list: the operator's own prices first, then genai-prices' dated list, then what that list lacks.

genai-prices is used as data: models and their dated rates are looked up there, the arithmetic is ours, exact and of
base rates only. Nothing is ever downloaded. It takes a third of a second to import and is imported when first asked.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finops.frozen import frozen
from finops.periods import starts_at
from finops.prices import RateCard
from finops.usage import Endpoint
from providers.price_files import PriceFileError, read_price_file
from providers.price_rates import NEEDED, SHARE, counted_card, tier_of, token_card

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo

OWN_PRICES = Path(__file__).parent / "data" / "prices.yaml"
PACKAGE = "genai-prices"
LARGEST_DATA = 64 * 1024 * 1024
# How the package calls our kinds of token.
_TOKEN_KEYS = {
    "input": "input_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "output": "output_mtok",
    "audio_input": "input_audio_mtok",
    "cached_audio_input": "cache_audio_read_mtok",
    "audio_output": "output_audio_mtok",
    "image_input": "input_image_mtok",
    "cached_image_input": "cache_image_read_mtok",
    "image_output": "output_image_mtok",
}
# … and what an endpoint counts, with how many of it the price is for.
_COUNT_KEYS = {
    Endpoint.AUDIO_SPEECHES: ("input_mchars", 1_000_000),
    Endpoint.AUDIO_TRANSCRIPTIONS: ("audio_hours", 3600),
    Endpoint.FILE_SEARCH_CALLS: ("storage_searches_kcount", 1000),
    Endpoint.WEB_SEARCH_CALLS: ("web_searches_kcount", 1000),
}
_CONTEXTS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast"},
}
_ENDPOINTS = frozenset(Endpoint)
log = logging.getLogger(__name__)


class ListPrices:
    """Rates by kind of usage and day. Cards are kept, so that asking again costs nothing.

    `prices` is the operator's own price file, `data` a newer data file of genai-prices. Both are read now, and raise
    PriceFileError; after that `refresh` reads them again when they changed, and what it cannot read it leaves as it is.
    Reading is slow (half a second): do it on a thread.
    """

    def __init__(self, prices: Path | None = None, data: Path | None = None, provider: str = "openai") -> None:
        self._provider = provider
        self._prices_path, self._data_path = prices, data
        self._seen = self._stamps()
        self._own = read_price_file(OWN_PRICES)
        self._override = read_price_file(prices) if prices else None
        self._package = _read_package(data)
        self._cards: dict[tuple[str, str, str, bool, date], RateCard | None] = {}

    @property
    def version(self) -> str:
        """Which prices these are: the package's version, and a digest of every file that was read beside it."""
        override = f"+prices-{self._override.digest}" if self._override else ""
        return f"{self._package.version}+own-{self._own.digest}{override}"

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        """The rates of one kind of usage on a UTC day; None when no price is known."""
        key = (endpoint, model, service_tier, is_batch, day)
        try:
            return self._cards[key]
        except KeyError:
            if len(self._cards) > 200_000:
                self._cards.clear()
        known = endpoint in _ENDPOINTS
        found = self._found(Endpoint(endpoint), model, service_tier, is_batch, day) if known else None
        self._cards[key] = found
        return found

    def refresh(self) -> tuple[str, ...]:
        """Read again what changed since the last look; says what is wrong with it, and then all stays as it was.

        One sentence for each mistake, once, not at every look.
        """
        stamps = self._stamps()
        if stamps == self._seen:
            return ()
        self._seen = stamps
        try:
            override = read_price_file(self._prices_path) if self._prices_path else None
            package = _read_package(self._data_path)
        except PriceFileError as error:
            for mistake in error.mistakes:
                log.warning("prices were not read again: %s", mistake)
            return error.mistakes
        self._override, self._package = override, package
        self._cards = {}
        return ()

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in (self._prices_path, self._data_path))

    def _found(
        self,
        endpoint: Endpoint,
        model: str,
        service_tier: str,
        is_batch: bool,
        day: date,
    ) -> RateCard | None:
        if self._override:
            card = self._override.card(endpoint, model, service_tier, is_batch, day)
            if card is not None:
                return card
            model = self._override.real_name(model, day)
        tier = tier_of(service_tier, is_batch=is_batch)
        return self._package.card(self._provider, endpoint, model, tier, day) or self._own.card(
            endpoint, model, service_tier, is_batch, day
        )


@frozen
class _Package:
    """genai-prices, with its own data or newer data in a file."""

    version: str
    snapshot: DataSnapshot

    def card(self, provider: str, endpoint: Endpoint, model: str, tier: str, day: date) -> RateCard | None:
        """What the package knows of a model. A part it lists no tier price for follows the tier's own rule."""
        if not model:
            return None
        try:
            _, found = self.snapshot.find_provider_model(model, None, provider, None)
        except LookupError:
            return None
        moment = starts_at(day)
        listed = _listed(found.get_prices(moment))
        source = f"{self.version} {found.id}"
        if endpoint in _COUNT_KEYS:
            key, per = _COUNT_KEYS[endpoint]
            return counted_card(listed[key], per, source) if key in listed else None
        if endpoint in NEEDED and all(_TOKEN_KEYS[kind] in listed for kind in NEEDED[endpoint]):
            return token_card(_in_tier(found, listed, tier, moment), source)
        return None


def _in_tier(model: ModelInfo, listed: Mapping[str, Decimal], tier: str, moment: datetime) -> dict[str, Decimal]:
    """Dollars for a million tokens by kind in a tier.

    A tier the package lists as it is (even with nothing in it: that says "as standard") is taken at its word. Where
    it lists none, its answer is the standard price, and batch and flex are half of it.
    """
    standard = {kind: listed[key] for kind, key in _TOKEN_KEYS.items() if key in listed}
    if tier == "standard":
        return standard
    context = _CONTEXTS[tier]
    variants = [
        variant
        for variant in model.price_variants or ()
        if all(context.get(key) == value for key, value in variant.when.items())
        and (variant.constraint is None or variant.constraint.active(moment))
    ]
    special: dict[str, Decimal] = {}
    for variant in variants:
        for key, rate in _listed(variant.prices).items():
            special.setdefault(key, rate)
    share = SHARE["standard"] if variants and not special else SHARE[tier]
    return {kind: special.get(_TOKEN_KEYS[kind], rate * share) for kind, rate in standard.items()}


def _listed(prices: Any) -> dict[str, Decimal]:
    """The rates of a ModelPrice by the package's names, of tiered ones the base: a tier is decided by one request."""
    found: dict[str, Decimal] = {}
    for key, value in vars(prices).items():
        rate = getattr(value, "base", value)
        if isinstance(rate, Decimal):
            found[key] = rate
    return found


def _read_package(data: Path | None) -> _Package:
    # Imports late: a third of a second, and a copy of httpx that is never used.
    from genai_prices import data_snapshot

    version = f"{PACKAGE}-{importlib.metadata.version(PACKAGE)}"
    if data is None:
        return _Package(version, data_snapshot.get_snapshot())
    try:
        raw = data.read_bytes()
    except OSError as error:
        raise PriceFileError([f"{data}: the file cannot be read ({error.strerror})."]) from None
    if len(raw) > LARGEST_DATA:
        raise PriceFileError([f"{data}: too large to be price data."])
    digest = hashlib.sha256(raw).hexdigest()[:8]
    return _Package(f"{version}+data-{digest}", _snapshot_of(raw, data))


def _snapshot_of(raw: bytes, data: Path) -> DataSnapshot:
    """Newer data of genai-prices, through the same door its own update uses."""
    from genai_prices import data_snapshot, types

    advice = f"Update the package instead: pip install -U {PACKAGE}."
    try:
        read = types._providers_from_raw  # not public: another version of the package may not have it
    except AttributeError:
        raise PriceFileError([f"{data}: this {PACKAGE} reads no data files. {advice}"]) from None
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        raise PriceFileError([f"{data}: not JSON."]) from None
    if not isinstance(told, list):
        raise PriceFileError([f"{data}: should be a list of providers (prices/new_data/v2/data.json)."])
    try:
        return data_snapshot.DataSnapshot(read(told), from_auto_update=False)
    except (ValueError, TypeError) as error:
        raise PriceFileError(
            [f"{data}: not the data this {PACKAGE} reads ({type(error).__name__}). {advice}"]
        ) from None


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        told = path.stat() if path else None
    except OSError:
        return None
    return (told.st_mtime_ns, told.st_size, told.st_ino) if told else None
