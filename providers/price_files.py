"""Price files: what a person, or we, wrote down about prices, read whole or refused whole.

The form is in docs/prices.md. Numbers are read as the digits that stand there and never pass through a float.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import yaml

from finops.frozen import frozen
from finops.prices import RateCard
from finops.usage import Endpoint
from providers.price_rates import COUNTED, NEEDED, SHARE, TOKENS, counted_card, tier_of, token_card

LARGEST_FILE = 1024 * 1024
TOKEN_FIELDS = {f"{kind}_per_mtok": kind for kind in TOKENS}
COUNT_FIELDS = {name for name, _ in COUNTED.values()}
TIERS = ("batch", "flex", "priority")
_FIELDS = {"model", "endpoint", "from", "aliases", *TOKEN_FIELDS, *COUNT_FIELDS, *TIERS}
_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,18})?")
_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_ALWAYS = date.min


class PriceFileError(ValueError):
    """The file cannot be used: every mistake in a sentence of its own that says where it is."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


@frozen
class Entry:
    """One entry: the rates of a model (None: of every model of its endpoint) from a day on."""

    line: int
    model: str | None
    endpoint: Endpoint | None
    since: date
    aliases: tuple[str, ...]
    tokens: Mapping[str, Decimal]
    counts: Mapping[str, Decimal]
    tiers: Mapping[str, Decimal | Mapping[str, Decimal]]

    @property
    def names(self) -> tuple[str, ...]:
        """Whose price this is, lower case; '' for every model."""
        return tuple(name.lower() for name in (self.model or "", *self.aliases))

    def tells(self, endpoint: Endpoint) -> bool:
        """Whether it has a price for this kind of usage."""
        if self.endpoint not in (None, endpoint):
            return False
        if endpoint in COUNTED:
            return COUNTED[endpoint][0] in self.counts
        return all(kind in self.tokens for kind in NEEDED[endpoint])

    @property
    def tells_all_tokens(self) -> bool:
        """Whether every kind of token that its models use has a rate, where they use tokens."""
        without_output = (Endpoint.EMBEDDINGS, Endpoint.MODERATIONS)
        return self.tells(self.endpoint if self.endpoint in without_output else Endpoint.COMPLETIONS)

    def card(self, endpoint: Endpoint, tier: str, source: str) -> RateCard:
        """The rates for a kind of usage it tells of, in a tier."""
        told = f"{source}, line {self.line}"
        if endpoint in COUNTED:
            name, per = COUNTED[endpoint]
            return counted_card(self.counts[name], per, told)
        change = self.tiers.get(tier, SHARE[tier])
        if isinstance(change, Decimal):
            return token_card({kind: rate * change for kind, rate in self.tokens.items()}, told)
        share = SHARE[tier]
        return token_card({kind: rate * share for kind, rate in self.tokens.items()} | dict(change), told)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every entry of one file. `digest` changes with its text."""

    source: str
    digest: str
    entries: tuple[Entry, ...]
    _by_name: dict[str, list[Entry]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, list[Entry]] = {}
        for entry in sorted(self.entries, key=lambda entry: (entry.since, entry.endpoint is not None), reverse=True):
            for name in entry.names:
                found.setdefault(name, []).append(entry)
        object.__setattr__(self, "_by_name", found)

    def card(self, endpoint: Endpoint, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        """The rates this file tells; the newest entry that has begun, for this very model before for any."""
        for name in (*_spellings(model), ""):
            for entry in self._by_name.get(name, ()):
                if entry.since <= day and entry.tells(endpoint):
                    return entry.card(endpoint, tier_of(service_tier, is_batch=is_batch), self.source)
        return None

    def real_name(self, model: str, day: date) -> str:
        """The model whose price another name has, as this file says; the name itself where it says nothing."""
        name = model.lower()
        for entry in self._by_name.get(name, ()):
            if entry.since <= day and entry.model is not None and name != entry.model.lower():
                return entry.model
        return model


def _spellings(model: str) -> tuple[str, ...]:
    """A model's name, then the one without the date of its release."""
    name = model.lower()
    plain = _DATED.sub("", name)
    return (name, plain) if plain != name and plain else (name,) if name else ()


def read_price_file(path: Path) -> PriceBook:
    """Read a price file. Raises PriceFileError with a sentence for each mistake; then nothing of it counts."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PriceFileError([f"{path}: the file cannot be read ({error.strerror})."]) from None
    if len(raw) > LARGEST_FILE:
        raise PriceFileError([f"{path}: a price file of more than 1 MB is none."])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PriceFileError([f"{path}: the file is not UTF-8 text."]) from None
    entries = parse_prices(text, str(path))
    return PriceBook(path.name, hashlib.sha256(raw).hexdigest()[:8], entries)


def parse_prices(text: str, source: str) -> tuple[Entry, ...]:
    """The entries of a price file's text. Raises PriceFileError."""
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PriceFileError([f"{source}, line {line}: not YAML ({error.problem})."]) from None
    except (yaml.YAMLError, RecursionError):
        raise PriceFileError([f"{source}: not YAML."]) from None
    if root is None:
        return ()
    if not isinstance(root, yaml.SequenceNode):
        raise PriceFileError([f"{source}, line 1: should be a list of prices, each beginning with a dash."])
    mistakes: list[tuple[int, str]] = []
    entries: list[Entry] = []
    for node in root.value:
        reader = _Reader()
        entry = reader.entry(node)
        mistakes += reader.mistakes
        if entry is not None:
            entries.append(entry)
    mistakes += _repeated(entries)
    if mistakes:
        raise PriceFileError(f"{source}, line {line}: {said}." for line, said in sorted(mistakes))
    return tuple(entries)


def _repeated(entries: list[Entry]) -> Iterator[tuple[int, str]]:
    """Two entries for the same name, kind of usage and day: one of them is a mistake, and we cannot know which."""
    seen: dict[tuple[str, Endpoint, date], int] = {}
    for entry in entries:
        for name in entry.names:
            twice = {
                first
                for endpoint in Endpoint
                if entry.tells(endpoint)
                for first in [seen.setdefault((name, endpoint, entry.since), entry.line)]
                if first != entry.line
            }
            if twice:
                yield entry.line, f"{name or 'every model'} already has a price from that day, in line {min(twice)}"


class _Reader:
    """Reads one entry and collects what is wrong with it."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[int, str]] = []

    def entry(self, node: yaml.Node) -> Entry | None:
        line = _line(node)
        told = self._fields(node, _FIELDS)
        if told is None:
            return None
        entry = Entry(
            line,
            self._text(told["model"]) if "model" in told else None,
            self._endpoint(told["endpoint"]) if "endpoint" in told else None,
            self._day(told["from"]) if "from" in told else _ALWAYS,
            self._names(told["aliases"]) if "aliases" in told else (),
            {kind: self._amount(told[name]) for name, kind in TOKEN_FIELDS.items() if name in told},
            {name: self._amount(told[name]) for name in sorted(COUNT_FIELDS) if name in told},
            {name: self._tier(told[name]) for name in TIERS if name in told},
        )
        self._weigh(entry, line)
        return entry if not self.mistakes else None

    def _weigh(self, entry: Entry, line: int) -> None:
        """What no single field can be wrong about."""
        if self.mistakes:
            return
        if entry.model is None and entry.endpoint is None:
            self.mistakes.append((line, "a price needs a model, or an endpoint to be the price of all its models"))
        elif entry.tokens and not entry.tells_all_tokens:
            said = "tokens need input_per_mtok and output_per_mtok (0 where they are free)"
            self.mistakes.append((line, f"{said}, or the endpoint of a model that puts out none"))
        elif not any(entry.tells(endpoint) for endpoint in Endpoint) and not entry.aliases:
            self.mistakes.append((line, "there is no price here for that"))
        elif entry.aliases and entry.model is None:
            self.mistakes.append((line, "aliases need the model they are other names of"))
        elif entry.tiers and not entry.tokens:
            self.mistakes.append((line, "batch, flex and priority change the price of tokens, and there is none here"))

    def _fields(self, node: yaml.Node, known: Iterable[str]) -> dict[str, yaml.Node] | None:
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, "should be fields and values, such as model: gpt-5")
            return None
        told: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if name not in known:
                self._wrong(key, f"{name[:40]!r} is not a field; known are {', '.join(sorted(known))}")
            elif name in told:
                self._wrong(key, f"{name} is told twice")
            else:
                told[name] = value
        return told

    def _text(self, node: yaml.Node) -> str:
        text = node.value.strip() if isinstance(node, yaml.ScalarNode) else ""
        if not 0 < len(text) <= 200:
            self._wrong(node, "should be a name")
        return text

    def _names(self, node: yaml.Node) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node, "aliases should be a list of names")
            return ()
        return tuple(self._text(one) for one in node.value)

    def _endpoint(self, node: yaml.Node) -> Endpoint | None:
        text = self._text(node)
        if text in list(Endpoint):
            return Endpoint(text)
        self._wrong(node, f"endpoint should be one of {', '.join(Endpoint)}")
        return None

    def _day(self, node: yaml.Node) -> date:
        try:
            return date.fromisoformat(self._text(node))
        except ValueError:
            self._wrong(node, "from should be a day such as 2026-11-01")
            return _ALWAYS

    def _amount(self, node: yaml.Node) -> Decimal:
        text = self._text(node)
        if _AMOUNT.fullmatch(text):
            return Decimal(text)
        self._wrong(node, f"should be dollars such as 2.50, not {text[:40]!r}")
        return Decimal(0)

    def _tier(self, node: yaml.Node) -> Decimal | dict[str, Decimal]:
        if not isinstance(node, yaml.MappingNode):
            return self._amount(node)
        told = self._fields(node, TOKEN_FIELDS) or {}
        return {TOKEN_FIELDS[name]: self._amount(value) for name, value in told.items()}

    def _wrong(self, node: yaml.Node, said: str) -> None:
        self.mistakes.append((_line(node), said))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
