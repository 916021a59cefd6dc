"""The daily card: yesterday beside what it bought, the dearest of it, and today so far."""

from __future__ import annotations

from decimal import Decimal

from blocks import charts, exchange, figures, ids, kit, live, value
from blocks import digest_parts as parts
from finops.charges import FigureState
from finops.digest import DailyCard
from finops.figures import ScopeKind
from finops.queries import day_named
from locales import Translator

_SHOWN = 3


def daily(card: DailyCard, t: Translator) -> kit.Message:
    """Yesterday in one look; details are a button away."""
    head = _title(card, t)
    made: list[kit.Block | kit.Either] = [kit.header(f"☀️ {head}")]
    bought = value.line(card.value, t)
    if card.figure.amount is None or card.figure.amount.amount > 0:
        made.append(kit.section(kit.escape(bought)))
    largest = _largest(card, t)
    if largest:
        made.append(kit.section("\n".join(largest)))
    so_far = live.today(card.today, t, card.today_value, card.exchange)
    if so_far:
        made.append(kit.section(so_far))
    made += charts.trend(card.trend, t)
    rate = exchange.lines(card.exchange, [card.figure.amount], t)
    late = [] if card.figure.state is FigureState.SETTLED else [t.gettext("Bills may be 8 to 24 hours late.")]
    others = figures.other_currencies(card.other_currencies, t)
    lacking = [*figures.gaps(card.figure, t), *figures.awaited(card.figure, card.previous, t)]
    beside = [*lacking, *late, *([kit.escape(others)] if others else []), *rate]
    made.append(kit.context(figures.trust(card.figure, t), *beside))
    made.append(kit.actions(kit.button(t.gettext("See details"), ids.STATUS_SHOW, _question(card))))
    spoken = [kit.escape(head), kit.escape(bought)]
    top = figures.top_words(card.breakdown, t, is_short=True)
    return kit.message(" | ".join([*spoken, t.gettext("Largest: {projects}", projects=top)] if top else spoken), made)


def _title(card: DailyCard, t: Translator) -> str:
    amount = exchange.beside(_amount(card, t), card.figure.amount, card.exchange, t)
    cost = t.gettext("Yesterday's AI cost {amount}", amount=amount)
    said = " · ".join(filter(None, (cost, _change(card, t)))) + f" ({t.days(card.figure.period)})"
    return said if card.scope.kind is ScopeKind.WORKSPACE else f"[{kit.bare(card.scope.name)}] {said}"


def _amount(card: DailyCard, t: Translator) -> str:
    known = card.figure.amount
    return figures.whole(known, t) if known is not None else figures.amount(card.figure, t)


def _change(card: DailyCard, t: Translator) -> str:
    """Against the day before; '' where no honest comparison exists."""
    if card.increase is None:
        return ""
    if parts.is_same(card.increase, t):
        return t.gettext("about the same as the day before")
    size = abs(card.increase)
    percent = t.percent(size, 0 if size >= Decimal("0.1") else 1)
    if card.increase > 0:
        return t.gettext("up {percent} on the day before", percent=percent)
    return t.gettext("down {percent} on the day before", percent=percent)


def _largest(card: DailyCard, t: Translator) -> list[str]:
    """The dearest projects with their value beside the cost."""
    whole = card.breakdown
    shown = zip(whole.shares, figures.short_shown(whole, t), figures.shares_shown(whole, t), strict=False)
    lines = []
    for share, amount, part in list(shown)[:_SHOWN]:
        cost = f"{amount} ({part})" if share.ratio is not None else amount
        name = kit.name(charts.share_name(share, t), 40)
        lines.append(f"• *{name}*  {kit.escape(f'{cost} · {value.cell(share.value, t)}')}")
    return lines


def _question(card: DailyCard) -> str:
    """The card's own day, whenever the button is pressed."""
    return f"{card.scope.kind}/{card.scope.id or ''}/{day_named(card.figure.period.start)}"
