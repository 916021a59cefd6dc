"""Won or yen beside dollars: the amount, the rate it was made with, and the window in which an admin sets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from blocks import ids, kit
from finops.exchange import LONGEST_SOURCE, PLAUSIBLE, Beside, Converter, Rate, RateChange, RateMistake
from finops.money import Money
from locales import Translator

# What the menu carries for dollars alone.
NONE = "none"
_LONGEST_RATE = 40


def beside(said: str, money: Money | None, at: Converter | None, t: Translator) -> str:
    """`said`, an amount in dollars, and in brackets what it is in the other currency; as it is where nobody asked.

    Plain text. Of an old rate the brackets tell the day as well.
    """
    told = about(money, at, t)
    if told is None or at is None:
        return said
    if at.is_old:
        # i18n: $742.00 (≈ ₩1,020,621, rate of 2026-10-20)
        return t.gettext("{amount} ({converted}, rate of {day})", amount=said, converted=told, day=_day(at.rate.day))
    return f"{said} ({told})"


def about(money: Money | None, at: Converter | None, t: Translator) -> str | None:
    """What an amount is in the other currency: `≈ ₩1,020,621`; None where there is nothing to say."""
    found = at.of(money) if at is not None else None
    if found is None:
        return None
    currency = Beside(found.currency)
    if not found.amount:
        return t.gettext("less than {amount}", amount=_UNITS[currency](t, t.number(1)))
    sign = "-" if found.amount < 0 else ""
    return t.gettext("≈ {amount}", amount=sign + _UNITS[currency](t, t.number(abs(found.amount))))


def line(at: Converter | None, amounts: Iterable[Money | None], t: Translator) -> str | None:
    """The rate these amounts were told at, and its day, as mrkdwn; None where none of them was converted.

    An old rate comes first with its age: whoever reads the amount should not have to look for it.
    """
    if at is None or all(at.of(amount) is None for amount in amounts):
        return None
    said = {"rate": _per_dollar(at.rate, t), "day": kit.escape(_of(at.rate))}
    if at.is_old:
        return t.ngettext(
            "△ *The exchange rate is {count} day old*: $1 = {rate}, as of {day}, for reference only",
            "△ *The exchange rate is {count} days old*: $1 = {rate}, as of {day}, for reference only",
            at.age_days,
            **said,
        )
    return t.gettext("Exchange rate $1 = {rate}, as of {day}, for reference only", **said)


def lines(at: Converter | None, amounts: Iterable[Money | None], t: Translator) -> list[str]:
    """`line` for a list of facts: one, or none."""
    told = line(at, amounts, t)
    return [told] if told else []


def settings(
    decided: Sequence[RateChange],
    typed: Mapping[str, str],
    t: Translator,
    *,
    notice: str | None = None,
    problem: str | None = None,
) -> kit.View:
    """The window. `decided` is newest first, and its first holds; `typed` is what stands in the inputs, by id."""
    held = decided[0].rate if decided else None
    parts: list[kit.Block] = [kit.alert(problem)] if problem else []
    parts += [kit.alert(notice, "success")] if notice else []
    parts += [
        kit.section(t.gettext("Now: *{rate}*", rate=kit.escape(_said(held, t)))),
        _currency_input(typed.get(ids.CURRENCY_BESIDE) or NONE, t),
        kit.text_input(
            ids.CURRENCY_RATE,
            t.gettext("One US dollar is"),
            hint=t.gettext("For example {won} or {yen}", won="1,375.50 (KRW)", yen="155.20 (JPY)"),
            initial=typed.get(ids.CURRENCY_RATE),
            max_length=_LONGEST_RATE,
            is_optional=True,
        ),
        _day_input(typed.get(ids.CURRENCY_DAY, ""), t),
        kit.text_input(
            ids.CURRENCY_SOURCE,
            t.gettext("Where the rate is from"),
            hint=t.gettext("For example the name of a bank. It is shown beside the date."),
            initial=typed.get(ids.CURRENCY_SOURCE),
            max_length=LONGEST_SOURCE,
            is_optional=True,
        ),
        kit.context(
            t.gettext(
                "Status, Home, alerts, the digest and the daily card show their main amount in it, for everybody. "
                "Bills, budgets, tables and exports stay in dollars."
            )
        ),
        *_history(decided, t),
    ]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Currency beside dollars"), parts, submit=t.gettext("Save"), close=t.gettext("Close"),
        callback_id=ids.VIEW_CURRENCY,
    )  # fmt: skip


def inputs(rate: Rate | None, today: date) -> dict[str, str]:
    """What stands in the window when it opens: the rate that holds, else dollars alone and today."""
    if rate is None:
        return {ids.CURRENCY_BESIDE: NONE, ids.CURRENCY_DAY: today.isoformat()}
    return {
        ids.CURRENCY_BESIDE: rate.currency.value,
        ids.CURRENCY_RATE: _digits(rate.per_dollar, str),
        ids.CURRENCY_DAY: rate.day.isoformat(),
        ids.CURRENCY_SOURCE: rate.source,
    }


def saved_words(rate: Rate | None, t: Translator) -> str:
    """That a choice holds, as mrkdwn."""
    if rate is None:
        return t.gettext("Saved: amounts are shown in dollars alone.")
    return t.gettext("Saved: {rate}", rate=kit.escape(_said(rate, t)))


def mistake_words(mistake: object, currency: object, t: Translator) -> str:
    """Why what was typed is no rate, and what would be."""
    if mistake not in set(RateMistake):
        return _MISTAKES[RateMistake.UNREADABLE](t)
    if mistake == RateMistake.IMPLAUSIBLE and currency in set(Beside):
        low, high = PLAUSIBLE[Beside(str(currency))]
        return t.gettext(
            "One dollar is between {low} and {high}. Type how much of it one dollar is, with its point.",
            low=_UNITS[Beside(str(currency))](t, _digits(low, t.number)),
            high=_UNITS[Beside(str(currency))](t, _digits(high, t.number)),
        )
    return _MISTAKES[RateMistake(str(mistake))](t)


def kept_words(currency: object, per_dollar: object, day: object, t: Translator) -> str:
    """A rate as the audit trail keeps it, as mrkdwn; '-' where that is none, and its word where there was none."""
    if currency is None:
        return t.gettext("dollars alone")
    try:
        rate = Rate(Beside(str(currency)), Decimal(str(per_dollar)), date.fromisoformat(str(day)))
    except (InvalidOperation, ValueError):
        return "-"
    return kit.escape(_said(rate, t))


def _said(rate: Rate | None, t: Translator) -> str:
    if rate is None:
        return t.gettext("dollars alone")
    return t.gettext("$1 = {rate}, as of {day}", rate=_per_dollar(rate, t), day=_of(rate))


def _per_dollar(rate: Rate, t: Translator) -> str:
    return _UNITS[rate.currency](t, _digits(rate.per_dollar, t.number))


def _digits(number: Decimal, whole: Callable[[Decimal], str]) -> str:
    """Every digit of a rate, none rounded away; `whole` writes those before the point."""
    before, point, behind = f"{number:f}".partition(".")
    return whole(Decimal(before)) + point + behind


def _of(rate: Rate) -> str:
    """The rate's day, and who says so where that is known."""
    return f"{_day(rate.day)} ({kit.bare(rate.source)})" if rate.source else _day(rate.day)


def _day(day: date) -> str:
    """With its year, and the same in every language: rates are compared with lists of banks."""
    return day.isoformat()


def _currency_input(chosen: str, t: Translator) -> kit.Block:
    names = [(NONE, t.gettext("dollars alone")), *((one.value, _NAMES[one](t)) for one in Beside)]
    options = [kit.option(name, value) for value, name in names]
    label = t.gettext("Shown beside dollars")
    return kit.input_block(ids.CURRENCY_BESIDE, label, kit.select(ids.CURRENCY_BESIDE, label, options, chosen))


def _day_input(day: str, t: Translator) -> kit.Block:
    element: kit.Block = {"type": "datepicker"}
    if day:
        element["initial_date"] = day
    hint = t.gettext("It is told beside the main amounts; after a week the rate's age is told as well.")
    return kit.input_block(ids.CURRENCY_DAY, t.gettext("Day of the rate"), element, hint=hint, is_optional=True)


def _history(decided: Sequence[RateChange], t: Translator) -> list[kit.Block]:
    told = [
        f"• {kit.escape(_said(one.rate, t))} · {kit.mention(one.set_by)} · "
        f"{t.moment(one.set_at)} {t.zone_name(one.set_at)}"
        for one in decided
    ]
    return [kit.section("\n".join([t.gettext("*Decided last*"), *told]))] if told else []


_UNITS: dict[Beside, Callable[[Translator, str], str]] = {
    Beside.KRW: lambda t, amount: t.gettext("₩{amount}", amount=amount),
    Beside.JPY: lambda t, amount: t.gettext("¥{amount}", amount=amount),
}
_NAMES: dict[Beside, Callable[[Translator], str]] = {
    Beside.KRW: lambda t: t.gettext("South Korean won (KRW)"),
    Beside.JPY: lambda t: t.gettext("Japanese yen (JPY)"),
}
_MISTAKES: dict[RateMistake, Callable[[Translator], str]] = {
    RateMistake.CURRENCY: lambda t: t.gettext("Choose won, yen, or dollars alone."),
    RateMistake.MISSING: lambda t: t.gettext("Type what one dollar is, for example 1,375.50."),
    RateMistake.UNREADABLE: lambda t: t.gettext("Type one number, for example 1,375.50."),
    RateMistake.NOT_POSITIVE: lambda t: t.gettext("A rate is more than zero, for example 1,375.50."),
    RateMistake.IMPLAUSIBLE: lambda t: t.gettext("Type one number, for example 1,375.50."),
    RateMistake.TOO_FINE: lambda t: t.gettext("Six digits behind the point are enough."),
    RateMistake.DAY_MISSING: lambda t: t.gettext("Choose the day the rate is of."),
    RateMistake.DAY_AHEAD: lambda t: t.gettext("The day of the rate has not come yet. Choose today or an earlier one."),
}
