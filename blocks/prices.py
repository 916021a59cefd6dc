"""Unit prices in words: a table of what was used, or one model with what it cost before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from blocks import figures, kit, unpriced
from blocks.why_words import endpoint_name
from finops.money import EXACT, Money
from finops.price_report import Held, Kind, KindPrice, PriceReport
from finops.prices import RateCard
from finops.usage import Endpoint
from locales import Translator

_ATTOS = Decimal(10) ** 18
_MILLION = 1_000_000
_SHOWN = 40
_FORMER = 10


def message(report: PriceReport, t: Translator) -> kit.Message:
    """The answer to `/finops price`."""
    parts: list[kit.Block | kit.Either]
    if report.asked and not report.prices:
        return kit.line(_unknown(report, t))
    if not report.prices:
        return kit.line(t.gettext("Nothing was used in the last 30 days, so there is no price to tell."))
    known = [one for one in report.prices if one.card is not None]
    missing = [_name(one.kind, t) for one in report.prices if one.card is None]
    if report.asked:
        head = t.gettext("Price of {model}", model=kit.name(report.asked))
        parts = _former(report.prices, t)
    else:
        head = t.gettext("Prices of what was used in the last 30 days")
        parts = [kit.section(f"*{head}*"), *_table(known, t)]
        parts += [kit.section(unpriced.note(missing, t))] if missing else []
    parts.append(kit.context(_basis(known, t)))
    said = " | ".join(f"{_name(one.kind, t)}: {_rates(one.kind, one.card, t)}" for one in report.prices)
    return kit.message(f"{head} | {kit.escape(said)}", parts)


def _rates(kind: Kind, card: RateCard | None, t: Translator) -> str:
    """What one kind of usage costs, as plain text: for a million tokens, or for what the endpoint counts."""
    if card is None:
        return t.pgettext("price", "no price known")
    per = _COUNTED.get(kind.endpoint)
    if per is not None and card.quantity:
        many, unit = per
        return t.gettext("{amount} for {unit}", amount=_amount(card.quantity * many, card, t), unit=unit(t))
    told = [
        (t.pgettext("tokens", "input"), card.input_tokens),
        (t.pgettext("tokens", "cached input"), card.cached_input_tokens),
        (t.pgettext("tokens", "output"), card.output_tokens),
    ]
    for name, rate, whole in (
        (t.pgettext("tokens", "written to the cache"), card.cache_write_tokens, card.input_tokens),
        (t.pgettext("tokens", "audio input"), card.audio_input_tokens, card.input_tokens),
        (t.pgettext("tokens", "audio output"), card.audio_output_tokens, card.output_tokens),
        (t.pgettext("tokens", "image input"), card.image_input_tokens, card.input_tokens),
        (t.pgettext("tokens", "image output"), card.image_output_tokens, card.output_tokens),
    ):
        if rate != whole:
            told.append((name, rate))
    return " · ".join(f"{name} {_amount(rate * _MILLION, card, t)}" for name, rate in told)


def _table(known: Sequence[KindPrice], t: Translator) -> list[kit.Block | kit.Either]:
    """What has tokens as a table, what has none in lines."""
    head = [
        t.pgettext("column", "Model"),
        t.pgettext("column", "Input"),
        t.pgettext("column", "Cached input"),
        t.pgettext("column", "Output"),
    ]
    rows, lines = [], []
    for kind, card in [(one.kind, one.card) for one in known if one.card is not None][:_SHOWN]:
        if kind.endpoint in _COUNTED and card.quantity:
            lines.append(f"• {kit.escape(_name(kind, t))}  {kit.escape(_rates(kind, card, t))}")
        else:
            units = card.input_tokens, card.cached_input_tokens, card.output_tokens
            rows.append([_name(kind, t), *(_amount(unit * _MILLION, card, t) for unit in units)])
    parts: list[kit.Block | kit.Either] = []
    if rows:
        plain = "\n".join(f"• {kit.escape(row[0])}  {kit.escape(' · '.join(row[1:]))}" for row in rows)
        parts.append(kit.Either(kit.table([head, *rows], right=(1, 2, 3)), [kit.section(plain)]))
    if lines:
        parts.append(kit.section("\n".join(lines)))
    if more := len(known) - _SHOWN:
        parts += [kit.context(t.ngettext("and {count} more", "and {count} more", more))] if more > 0 else []
    return parts


def _former(priced: Sequence[KindPrice], t: Translator) -> list[kit.Block | kit.Either]:
    """Each way of using the model, with what it costs and what it cost before."""
    return [
        kit.section("\n".join([f"*{kit.name(_name(one.kind, t))}*", *_stretches(one, t)])) for one in priced[:_SHOWN]
    ]


def _stretches(one: KindPrice, t: Translator) -> list[str]:
    told = []
    for number, each in enumerate(one.prices[:_FORMER]):
        since, said = _since(each, t, is_now=number == 0), _rates(one.kind, each.card, t)
        told.append(f"• {kit.escape(since)}  {kit.escape(said)}")
    return told


def _since(each: Held, t: Translator, *, is_now: bool) -> str:
    if each.since is not None:
        return t.gettext("from {day}", day=t.day(each.since, with_year=True))
    return t.pgettext("price", "now") if is_now else t.pgettext("price", "before")


def _basis(known: Iterable[KindPrice], t: Translator) -> str:
    """What the amounts are for, where they stand, and what they are not."""
    sources = sorted({one.card.source.split(" ")[0].rstrip(",") for one in known if one.card is not None})
    told = [t.gettext("Dollars for a million tokens, by the day's list price"), *map(kit.name, sources)]
    return (
        " · ".join(told)
        + "\n"
        + t.gettext(
            "Estimates are made with these prices and corrected by your bills. Negotiated prices stand in the "
            "operator's price file (`FINOPS_PRICES`)."
        )
    )


def _unknown(report: PriceReport, t: Translator) -> str:
    name = kit.name(report.asked).replace("`", "")
    said = t.gettext("No price is known for `{model}`, and nobody used it in the last 30 days.", model=name)
    if report.suggestion:
        said += " " + t.gettext("Did you mean `/finops price {model}`?", model=kit.name(report.suggestion))
    return said


def _name(kind: Kind, t: Translator) -> str:
    """The model and how it is served, as plain text."""
    name = kind.model or endpoint_name(kind.endpoint, t)
    how = [kind.service_tier] if kind.service_tier not in ("", "default", "standard", "auto") else []
    how += [t.pgettext("price", "batch")] if kind.is_batch else []
    return f"{name} ({', '.join(how)})" if how else name


def _amount(attos: int, card: RateCard, t: Translator) -> str:
    """To the last digit of the list price."""
    return figures.decided(Money(EXACT.divide(Decimal(attos), _ATTOS), card.currency), t)


# How many of what an endpoint counts people are told the price of, and what they call that.
_COUNTED: dict[str, tuple[int, Callable[[Translator], str]]] = {
    Endpoint.IMAGES: (1, lambda t: t.pgettext("priced", "an image")),
    Endpoint.AUDIO_SPEECHES: (_MILLION, lambda t: t.pgettext("priced", "a million characters")),
    Endpoint.AUDIO_TRANSCRIPTIONS: (60, lambda t: t.pgettext("priced", "a minute")),
    Endpoint.VECTOR_STORES: (1024 * 1440, lambda t: t.pgettext("priced", "a GiB and day")),
    Endpoint.CODE_INTERPRETER_SESSIONS: (1, lambda t: t.pgettext("priced", "a session")),
    Endpoint.FILE_SEARCH_CALLS: (1000, lambda t: t.pgettext("priced", "a thousand calls")),
    Endpoint.WEB_SEARCH_CALLS: (1000, lambda t: t.pgettext("priced", "a thousand calls")),
}
