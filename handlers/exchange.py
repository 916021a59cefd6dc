"""The currency beside dollars: seen and chosen by admins in one window."""

from __future__ import annotations

from blocks import bad_news, exchange, ids
from bot.errors import Refusal, RefusalCode, explain
from bot.exchange import RateWish
from finops.exchange import RateMistake
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.visit import Visit

_FIELDS = {
    RateMistake.CURRENCY.value: ids.CURRENCY_BESIDE,
    RateMistake.DAY_MISSING.value: ids.CURRENCY_DAY,
    RateMistake.DAY_AHEAD.value: ids.CURRENCY_DAY,
}


async def manage(visit: Visit) -> None:
    """`/finops currency`, and the button on Home."""
    await visit.loading()
    person = await visit.person()
    decided = await visit.bot.exchange.decided(person)
    held = decided[0].rate if decided else None
    typed = exchange.inputs(held, visit.bot.exchange.today(person))
    await visit.show(exchange.settings(decided, typed, await visit.words()))


async def submit(form: Form) -> Outcome:
    """A currency, or none, was chosen."""
    visit = form.visit
    person, t = await visit.person(), await visit.words()
    chosen, day = form.selected(ids.CURRENCY_BESIDE), form.day(ids.CURRENCY_DAY)
    typed = {
        ids.CURRENCY_BESIDE: chosen,
        ids.CURRENCY_RATE: form.text(ids.CURRENCY_RATE),
        ids.CURRENCY_DAY: "" if day is None else day.isoformat(),
        ids.CURRENCY_SOURCE: form.text(ids.CURRENCY_SOURCE),
    }
    wish = RateWish(
        currency="" if chosen == exchange.NONE else chosen or "-",
        per_dollar=typed[ids.CURRENCY_RATE],
        day=day,
        source=typed[ids.CURRENCY_SOURCE],
    )
    try:
        held = await visit.bot.exchange.choose(person, wish)
    except Refusal as refusal:
        if refusal.code is not RefusalCode.EXCHANGE_RATE:
            raise
        said = bad_news.sentence(explain(refusal), t)
        field = _FIELDS.get(str(refusal.values["mistake"]), ids.CURRENCY_RATE)
        decided = await visit.bot.exchange.decided(person)
        return Problem({field: said}, exchange.settings(decided, typed, t, problem=said))
    decided = await visit.bot.exchange.decided(person)
    typed = exchange.inputs(held, visit.bot.exchange.today(person))
    return Show(exchange.settings(decided, typed, t, notice=exchange.saved_words(held, t)))
