"""Figures in words: an amount never stands without its state, its period and the time it was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from blocks import charts, kit, value
from finops.figures import Breakdown, Figure, Scope, ScopeKind
from finops.money import EXACT, Money, total
from finops.periods import Period
from finops.value import ValueSource
from locales import Translator

_WHOLE_FROM = 100
_NOBODYS = "-"


def scope_name(scope: Scope, t: Translator) -> str:
    """Whose money it is, as plain text."""
    return t.gettext("Everything") if scope.kind is ScopeKind.WORKSPACE else kit.bare(scope.name)


def amount(figure: Figure, t: Translator) -> str:
    """The amount, or in its place why there is none. Never a zero for what we do not know."""
    if figure.amount is not None:
        return t.money(figure.amount)
    if figure.is_not_yet_collected:
        return t.gettext("not yet collected")
    return t.gettext("unknown")


def short(money: Money, t: Translator) -> str:
    """An amount as people say it: whole from a hundred on and where nothing follows the point, else to the cent.

    Cut, not rounded, from a hundred on: $499.60 has not reached $500.
    """
    if abs(money.amount) >= _WHOLE_FROM:
        return t.money(Money(money.amount.to_integral_value(ROUND_FLOOR), money.currency), 0)
    shown = t.money(money)
    return shown.removesuffix(".00")


def decided(money: Money, t: Translator) -> str:
    """An amount that somebody set (a limit, a floor, a target, a cap): to its last digit, for it is judged by that."""
    if money.amount == money.amount.to_integral_value():
        return t.money(money, 0)
    digits = -int(money.amount.normalize(EXACT).as_tuple().exponent)
    return t.money(money, max(digits, t.places(Money.of(1, money.currency))))


def whole(money: Money, t: Translator) -> str:
    """A whole whose parts are told beside it, by `parts_of`: as `short`, but rounded; nothing is reached by it."""
    return t.money(money, _places(money)).removesuffix(".00")


def parts_of(amounts: Sequence[Money], t: Translator) -> list[str]:
    """The parts of a whole as people say them, so rounded that they add up to it as `whole` tells it."""
    places = _places(total(amounts, amounts[0].currency)) if amounts else None
    return [said.removesuffix(".00") for said in t.amounts(amounts, places)]


def _places(money: Money) -> int | None:
    return 0 if abs(money.amount) >= _WHOLE_FROM else None


def trust(figure: Figure, t: Translator) -> str:
    """State, period and time of a figure: the line under every amount."""
    parts = []
    if not figure.is_not_yet_collected:
        parts.append(t.badge(figure.state))
    parts.append(t.span(_covered(figure)))
    if figure.as_of is not None:
        parts.append(as_of(figure, t))
    return " · ".join(parts)


def brief(figure: Figure, t: Translator) -> str:
    """State and charge days, for cells that share one line with the time beneath them."""
    days = t.days(_covered(figure))
    return days if figure.is_not_yet_collected else f"{t.badge(figure.state)} · {days}"


def _covered(figure: Figure) -> Period:
    """The period without the days that are still open, unless it has no others."""
    end = figure.period.end - timedelta(days=figure.open_days)
    return Period(figure.period.start, end) if end > figure.period.start else figure.period


def as_of(figure: Figure, t: Translator) -> str:
    """When the provider last told us, in the reader's zone."""
    if figure.as_of is None:
        return t.gettext("never read")
    return t.gettext("as of {moment} {zone}", moment=t.moment(figure.as_of), zone=t.zone_name(figure.as_of))


def gaps(figure: Figure, t: Translator) -> list[str]:
    """What the amount does not cover, one sentence each; nothing when it covers the whole period."""
    found = []
    if figure.amount is not None and figure.unread_days:
        found.append(
            t.ngettext(
                "△ {count} day could not be read and is not in this amount.",
                "△ {count} days could not be read and are not in this amount.",
                figure.unread_days,
            )
        )
    if figure.amount is not None and figure.open_days:
        found.append(
            t.gettext("The charge day that is still open is not in this amount; it is collected after it ends.")
        )
    if figure.blind_since is not None:
        found.append(
            t.gettext(
                "△ The provider has not been readable since {moment} {zone}.",
                moment=t.moment(figure.blind_since),
                zone=t.zone_name(figure.blind_since),
            )
        )
    return found


def awaited(now: Figure, before: Figure, t: Translator) -> list[str]:
    """That a single unknown day is asked for again: the one before it is known, and nobody is told of an outage."""
    is_gap = now.amount is None and now.period.days == now.unread_days == 1 and now.blind_since is None
    return [charts.asked_again([t.days(now.period)], t)] if is_gap and before.amount is not None else []


def is_partial(figure: Figure) -> bool:
    """Whether the period goes on: half a day is not less than a whole one."""
    return figure.is_not_yet_collected or figure.is_estimated


def comparison(now: Figure, before: Figure, increase: Decimal | None, t: Translator) -> str:
    """How the amount compares with the period before, or why no honest comparison exists."""
    if increase is not None and before.amount is not None:
        rounded = abs(increase)
        places = 0 if rounded >= Decimal("0.1") else 1
        percent = t.percent(rounded, places)
        if percent == t.percent(Decimal(0), places):
            return t.gettext("About the same as the period before ({amount}).", amount=t.money(before.amount))
        if increase > 0:
            return t.gettext(
                "*{percent} more* than the period before ({amount}).", percent=percent, amount=t.money(before.amount)
            )
        return t.gettext(
            "*{percent} less* than the period before ({amount}).", percent=percent, amount=t.money(before.amount)
        )
    if now.amount is None:
        return t.gettext("There is no amount to compare with the period before.")
    if before.amount is not None and not before.unread_days and not before.open_days and not now.unread_days:
        if min(now.amount.amount, before.amount.amount) < 0:
            return t.gettext(
                "Credits came to more than the cost in one of the two periods, so there is no comparison (before: "
                "{amount}).",
                amount=t.money(before.amount),
            )
        return t.gettext("Nothing was charged in the period before, so there is no comparison.")
    return t.gettext("No comparison: not every day of both periods has been read.")


def parts_table(breakdown: Breakdown, t: Translator) -> kit.Either | None:
    """The largest projects with amount and share; the amounts shown add up to the total shown."""
    if not breakdown.shares:
        return None
    head = [t.gettext("Project"), t.gettext("Team"), t.gettext("Cost"), t.pgettext("column", "Share")]
    rows = _rows(breakdown, t)
    values = _values(breakdown, t)
    told = [f" · {kit.escape(words)}" if words else "" for words in values]
    owners = {row[1] for row in rows} - {_NOBODYS}
    teams = [f" · {kit.escape(row[1])}" if len(owners) > 1 and row[1] != _NOBODYS else "" for row in rows]
    lines = [
        f"• {kit.escape(row[0])}{team}  *{kit.escape(row[2])}*  {kit.escape(row[3])}{words}"
        for row, team, words in zip(rows, teams, told, strict=True)
    ]
    plain = [kit.section("\n".join(lines))]
    if not any(values):
        return kit.Either(kit.table([head, *rows], right=(2, 3)), plain)
    # Value stands beside cost also where a narrow screen shows three columns; whose it is may be scrolled to.
    bought = [t.pgettext("column", "Value"), *(words or "-" for words in values)]
    ordered = [
        [name, cost, words, share, team] for (name, team, cost, share), words in zip([head, *rows], bought, strict=True)
    ]
    return kit.Either(kit.table(ordered, right=(1, 3)), plain)


def _values(breakdown: Breakdown, t: Translator) -> list[str]:
    """What each row's money bought; all empty where nothing at all is recorded, which is then said beside the whole."""
    shares = breakdown.shares
    if all(share.value.source is ValueSource.NONE for share in shares):
        told = ["" for _ in shares]
    else:
        told = [value.cell(share.value, t) for share in shares]
    return [*told, *([""] if breakdown.others is not None else []), ""]


def amounts_shown(breakdown: Breakdown, t: Translator) -> list[str]:
    """The amounts of the shares, and of the others last, rounded so that they add up to the total as shown."""
    return t.amounts(breakdown.amounts)


def short_shown(breakdown: Breakdown, t: Translator) -> list[str]:
    """The same as people say them: they add up to the total as `whole` tells it."""
    return parts_of(breakdown.amounts, t)


def shares_shown(breakdown: Breakdown, t: Translator) -> list[str]:
    """What part of the total each of the shares is, and the others last: rounded so that they add up to all of it."""
    ratios = [share.ratio for share in breakdown.shares]
    if breakdown.others is not None:
        ratios.append(breakdown.others.ratio_of(breakdown.total) if breakdown.total.amount > 0 else None)
    return t.shares(ratios)


def unallocated(breakdown: Breakdown, t: Translator) -> str | None:
    """What belongs to no team, as the table shows it; None when everything has an owner."""
    shown = zip(breakdown.shares, amounts_shown(breakdown, t), strict=False)
    return next((amount for share, amount in shown if share.is_unallocated), None)


def _rows(breakdown: Breakdown, t: Translator) -> list[list[str]]:
    shown, parts = amounts_shown(breakdown, t), shares_shown(breakdown, t)
    rows = [
        [kit.bare(charts.share_name(share, t)), kit.bare(share.team_name or _NOBODYS), text, part]
        for share, text, part in zip(breakdown.shares, shown, parts, strict=False)
    ]
    if breakdown.others is not None:
        others = t.ngettext("{count} other", "{count} others", breakdown.others_count)
        rows.append([others, _NOBODYS, shown[-1], parts[-1]])
    total = t.gettext("Total")
    rows.append([total, _NOBODYS, t.money(breakdown.total), t.share(Decimal(1)) if breakdown.total.amount > 0 else "-"])
    return rows


def other_currencies(amounts: Sequence[Money], t: Translator) -> str | None:
    """What was billed in another currency: shown beside, never converted in silence."""
    if not amounts:
        return None
    return t.gettext(
        "Billed in other currencies, not included above: {amounts}.",
        amounts=", ".join(t.money(amount) for amount in amounts),
    )


def top_words(breakdown: Breakdown, t: Translator, *, is_short: bool = False) -> str:
    """The three largest projects in one line, for a notification or a screen reader; `is_short`: beside a `whole`."""
    said = short_shown(breakdown, t) if is_short else amounts_shown(breakdown, t)
    shown = list(zip(breakdown.shares, said, strict=False))[:3]
    return ", ".join(f"{kit.name(charts.share_name(share, t), 30)} {kit.escape(amount)}" for share, amount in shown)
