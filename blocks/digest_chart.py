"""The week in a picture: each of its days beside the same weekday of the week before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from blocks import charts, kit
from finops.digest import Digest
from finops.frozen import frozen
from finops.money import Money
from locales import Translator

_WEEK = timedelta(days=7)
_BAR_WIDTH = 12


@frozen
class Pair:
    """A day and the same weekday a week before; None where it is not known, `before` also where a part of it is not."""

    day: date
    now: Money | None
    before: Money | None


def pairs(digest: Digest) -> list[Pair]:
    """The days of the week in order, whether known or not."""
    days = [point for point in digest.trend if point.span_days == 1]
    known, whole = (
        {one.day: one.amount for one in days if is_told or not one.unread_days} for is_told in (True, False)
    )
    currency = digest.total.amount.currency if digest.total.amount is not None else None
    return [Pair(day, _of(known, day, currency), _of(whole, day - _WEEK, currency)) for day in digest.week]


def has_before(days: Sequence[Pair]) -> bool:
    """Whether the week before can stand beside this one: every day wholly known that is known now."""
    return all(pair.before is not None for pair in days if pair.now is not None)


def peak(days: Sequence[Pair]) -> Decimal:
    """The largest amount of both weeks."""
    known = [each.amount for pair in days for each in (pair.now, pair.before) if each is not None]
    return max(known, default=Decimal(0))


def title(digest: Digest, days: Sequence[Pair], t: Translator) -> str:
    """What the picture shows, in at most 50 characters."""
    currency = digest.total.amount.currency if digest.total.amount is not None else "USD"
    if has_before(days):
        # i18n: title of a chart, 50 characters
        return t.gettext("Cost by day and a week before ({currency})", currency=currency)
    return t.gettext("Cost by day ({currency})", currency=currency)


def drawn(digest: Digest, t: Translator) -> kit.Either | None:
    """The picture, or the same in aligned text; None when fewer than two days are known, or nothing was spent.

    A day that could not be read is left out of the picture: an empty bar would read as zero.
    """
    days = pairs(digest)
    known = [pair for pair in days if pair.now is not None]
    if len(known) < 2 or peak(days) <= 0:
        return None
    said = title(digest, days, t)
    labels = [t.weekday(pair.day) for pair in known]
    now = charts.heights([pair.now for pair in known if pair.now is not None], t)
    series = [(t.days(digest.week), list(zip(labels, now, strict=True)))]
    if has_before(days):
        compared = [pair for pair in days if pair.before is not None]
        before = charts.heights([pair.before for pair in compared if pair.before is not None], t)
        beside = [amount for pair, amount in zip(compared, before, strict=True) if pair.now is not None]
        series.append((t.days(digest.week.before()), list(zip(labels, beside, strict=True))))
    return kit.Either(
        charts.compared(said, series), [kit.section(f"*{said}*"), kit.preformatted(text(digest, days, t))]
    )


def text(digest: Digest, days: Sequence[Pair], t: Translator) -> str:
    """Day by day as aligned lines: weekday, bar, amount, and the amount a week before."""
    highest = peak(days)
    said, olds = amounts(days, t), amounts_before(days, t)
    wide, wide_old = max(map(len, said), default=0), max(map(len, olds), default=0)
    lines = []
    for pair, amount, old in zip(days, said, olds, strict=True):
        bar = charts.bar(pair.now.amount, highest, _BAR_WIDTH) if pair.now is not None else ""
        line = f"{t.weekday(pair.day)}  {bar:<{_BAR_WIDTH}}  {amount:>{wide}}"
        lines.append(f"{line}  ({old:>{wide_old}})" if old else line)
    if any(olds):
        lines.append(t.gettext("in brackets: {days}", days=t.days(digest.week.before())))
    return "\n".join(lines)


def amounts(days: Sequence[Pair], t: Translator) -> list[str]:
    """What each day cost, so rounded that the days add up to the week as shown; that it is unknown where it is."""
    known = iter(t.amounts([pair.now for pair in days if pair.now is not None]))
    return [next(known) if pair.now is not None else t.gettext("unknown") for pair in days]


def amounts_before(days: Sequence[Pair], t: Translator) -> list[str]:
    """What the same weekdays cost a week before, rounded as that week's own digest had them; '' where not compared."""
    if not has_before(days):
        return ["" for _ in days]
    known = iter(t.amounts([pair.before for pair in days if pair.before is not None]))
    return [next(known) if pair.before is not None else "" for pair in days]


def missing(digest: Digest, t: Translator) -> str | None:
    """A sentence for the days of the week that the picture leaves out, and those that it draws too short."""
    return charts.missing_days([point for point in digest.trend if point.day in digest.week], t)


def partly_read(digest: Digest, t: Translator) -> str | None:
    """A sentence for the days that it draws too short alone, where the others stand there as unknown."""
    return charts.partly_read([point for point in digest.trend if point.day in digest.week], t)


def _of(known: dict[date, Money | None], day: date, currency: str | None) -> Money | None:
    amount = known.get(day)
    return amount if amount is not None and (currency is None or amount.currency == currency) else None
