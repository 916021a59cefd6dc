"""Prices: what a million tokens of a model cost on a day, from a CSV file or from dated list prices."""

from __future__ import annotations

import csv
import importlib.metadata
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from demo.trace import Rows
from finops.money import EXACT
from finops.periods import starts_at

HEADER = ("model", "input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok")
# What the product's own price file takes: ours becomes one.
LONGEST_MODEL, TOO_DEAR, FINEST = 200, Decimal(10**9), Decimal(1).scaleb(-18)
_DOLLARS = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
ALIASES = Path(__file__).parent / "data" / "aliases.csv"


class PriceError(ValueError):
    """The price file cannot be used; the text says which line is wrong and why."""


class UnpricedModels(PriceError):
    """Some models have no price, so nothing can be billed honestly."""

    def __init__(self, models: Iterable[str], source: str) -> None:
        self.models = tuple(sorted(models))
        super().__init__(
            f"No price for {', '.join(self.models)} in {source}. Give one line for each in a price file "
            f"({','.join(HEADER)}) and start again with --prices FILE."
        )


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars for one million tokens of a model."""

    input: Decimal
    cached_input: Decimal
    output: Decimal

    def of_batch(self) -> Rates:
        """What the same tokens cost in a batch: half (OpenAI's batch API)."""
        return Rates(*(EXACT.divide(rate, Decimal(2)) for rate in (self.input, self.cached_input, self.output)))


class Prices(Protocol):
    """Anything that knows the rates of a model on a charge day; None when it does not know the model."""

    @property
    def source(self) -> str: ...

    def rates(self, model: str, day: date) -> Rates | None: ...


@dataclass(frozen=True, slots=True)
class FilePrices:
    """Prices a person wrote down; the same on every day and for exactly the models they name."""

    source: str
    by_model: Mapping[str, Rates]

    def rates(self, model: str, day: date) -> Rates | None:  # noqa: ARG002 - a file has one price for all days
        return self.by_model.get(model)


class ListPrices:
    """OpenAI's list prices as of each day (genai-prices data, nothing is downloaded), in their base tier.

    The base tier on purpose: long-context tiers are decided by one request, never by the sum of a day.
    """

    def __init__(self, aliases: Mapping[str, str] | None = None) -> None:
        self.aliases = dict(read_aliases() if aliases is None else aliases)
        self.source = f"the OpenAI list prices of genai-prices {importlib.metadata.version('genai-prices')}"

    def rates(self, model: str, day: date) -> Rates | None:
        return _listed(self.aliases.get(model, model), day)


@lru_cache(maxsize=100_000)
def _listed(model: str, day: date) -> Rates | None:
    from genai_prices import data_snapshot, types  # a third of a second to import, and a price file needs none of it

    try:
        _, found = data_snapshot.get_snapshot().find_provider_model(model, None, "openai", None)
    except LookupError:
        return None
    price = found.get_prices(starts_at(day))

    def base(listed: Decimal | types.TieredPrices | None) -> Decimal | None:
        return listed.base if isinstance(listed, types.TieredPrices) else listed

    per_input, per_output = base(price.input_mtok), base(price.output_mtok)
    if per_input is None or per_output is None:
        return None  # priced by the second or by the image: tokens of it have no price
    cached = base(price.cache_read_mtok)
    return Rates(per_input, per_input if cached is None else cached, per_output)


def read_aliases(path: Path = ALIASES) -> dict[str, str]:
    """The list price to use for models that a trace names by size only (see demo/data/ATTRIBUTION.md)."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["alias"]: row["model"] for row in csv.DictReader(file)}


def read_prices(path: Path) -> FilePrices:
    """Read a price file. Raises PriceError with a line number and a sentence for each mistake."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PriceError(f"{path}: the file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PriceError(f"{path}: the file is not UTF-8 text. Save it as UTF-8.") from error
    return parse_prices(io.StringIO(text, newline=""), str(path))


def parse_prices(lines: Iterable[str], source: str = "prices") -> FilePrices:
    """Read prices from lines of CSV; an empty cached price means that cached tokens cost as much as others."""
    rows = Rows(lines)
    by_model: dict[str, Rates] = {}
    first: dict[str, tuple[str, Rates]] = {}  # the product reads names without case
    mistakes: list[str] = []
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if wrong := [name for name in HEADER if header.count(name) != 1]:
            raise PriceError(
                f"{source} line {rows.line}: the header has no {', '.join(wrong)}, or twice. "
                f"It must name: {','.join(HEADER)}"
            )
        for row in rows:
            try:
                model, rates = _priced(header, row)
                by_model[model] = rates
                like, its_rates = first.setdefault(model.lower(), (model, rates))
                if its_rates != rates:
                    raise PriceError(f"{model} has a second, different price{f' as {like}' * (like != model)}.")
            except PriceError as error:
                mistakes.append(f"{source} line {rows.line}: {error}")
    except csv.Error as error:
        mistakes.append(f"{source} line {rows.line}: this is not CSV: {error}. Look at its quotation marks.")
    if mistakes:
        raise PriceError("\n".join(mistakes))
    if not by_model:
        raise PriceError(f"{source}: there is no price below the header.")
    return FilePrices(source, by_model)


def _priced(header: list[str], row: list[str]) -> tuple[str, Rates]:
    if len(row) != len(header):
        raise PriceError(f"{len(row)} columns where the header has {len(header)}.")
    cells = dict(zip(header, row, strict=True))
    model = cells["model"].strip()
    if not 0 < len(model) <= LONGEST_MODEL:
        raise PriceError(f"the model is {f'longer than {LONGEST_MODEL} letters' if model else 'empty'}.")
    per_input = _price(cells, "input_usd_per_mtok")
    cached = "cached_input_usd_per_mtok"
    per_cached = _price(cells, cached) if cells[cached].strip() else per_input
    return model, Rates(per_input, per_cached, _price(cells, "output_usd_per_mtok"))


def _price(cells: dict[str, str], name: str) -> Decimal:
    cell = cells[name].strip()
    if not _DOLLARS.fullmatch(cell):
        raise PriceError(f"{name} must be dollars for a million tokens, such as 2.50, not {cell[:40]!r}.")
    price = Decimal(cell)
    if price >= TOO_DEAR or price != price.quantize(FINEST, context=EXACT):
        raise PriceError(f"{name} has at most 9 digits before its point and 18 behind it, not {cell[:40]!r}.")
    return price


def for_the_product(prices: Prices) -> list[dict[str, object]]:
    """The same prices as the product's own price file has them (docs/prices.md): as an operator would write them down.

    What the product's list knows already is left out; the provider and the product then price alike.
    """
    if isinstance(prices, FilePrices):
        return [
            {
                "model": model,
                "input_per_mtok": f"{rates.input:f}",
                "cached_input_per_mtok": f"{rates.cached_input:f}",
                "output_per_mtok": f"{rates.output:f}",
            }
            for model, rates in {name.lower(): (name, rates) for name, rates in prices.by_model.items()}.values()
        ]
    if isinstance(prices, ListPrices):
        return [{"model": model, "aliases": [alias]} for alias, model in prices.aliases.items()]
    return []


def require_prices(prices: Prices, models: Iterable[str], day: date) -> None:
    """Raise UnpricedModels when any of `models` has no price on `day`."""
    if missing := [model for model in models if prices.rates(model, day) is None]:
        raise UnpricedModels(missing, prices.source)
