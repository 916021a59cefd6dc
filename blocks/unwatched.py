"""While nobody looked: a stretch in which the bot itself was away, told once, with what was spent meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from blocks import ids, kit, unpriced
from blocks.spans import between
from finops.charges import FigureState
from finops.money import Money
from locales import Translator

_NAMED = 5


def message(
    since: datetime,
    until: datetime,
    connections: Sequence[str],
    amount: Money | None,
    names: Sequence[str],
    t: Translator,
) -> kit.Message:
    """Nobody looked at these connections in [since, until), and what was used then has been read by now.

    `amount` is the estimate of it (None: not known for this channel), `names` the models it lacks for want of a price.
    """
    told = {"since": _when(since, until, t), "until": _when(until, since, t), "zone": t.zone_name(until)}
    told["duration"] = between(since, until, t)
    headline = t.gettext("From {since} to {until} {zone}, for {duration}, we did not see your spending.", **told)
    body = _found(amount, t, is_whole=not names)
    parts = [kit.section(f"*{headline}*\n{body}")]
    if names:
        parts.append(kit.context(unpriced.note(names, t)))
    why = t.gettext(
        "FinOps itself was not running, or could not look. A limit that was reached meanwhile is told in an alert of "
        "its own."
    )
    if connections:
        why += "\n" + t.gettext("Concerned: {connections}", connections=_listed(connections, t))
    parts.append(kit.context(why))
    parts.append(kit.actions(kit.button(t.gettext("Check-up"), ids.DOCTOR_SHOW)))
    return kit.message(f"{headline} | {body}", parts)


def _found(amount: Money | None, t: Translator, *, is_whole: bool) -> str:
    """What was found; nothing found is said as no cost only where everything that was used has a price."""
    if amount is None or not (amount.amount or is_whole):
        return t.gettext("The usage of that time has been read now.")
    if not amount.amount:
        return t.gettext("The usage of that time has been read now, and no cost is known of it.")
    return t.gettext(
        "The usage of that time has been read now: it cost *{amount}* ({state}).",
        amount=t.money(amount),
        state=t.badge(FigureState.ESTIMATE),
    )


def _when(moment: datetime, other: datetime, t: Translator) -> str:
    """The time alone within one day of the reader, else with its day."""
    is_same_day = moment.astimezone(t.zone).date() == other.astimezone(t.zone).date()
    return t.clock(moment) if is_same_day else t.moment(moment)


def _listed(names: Sequence[str], t: Translator) -> str:
    shown = ", ".join(kit.name(name) for name in names[:_NAMED])
    more = len(names) - _NAMED
    return shown if more <= 0 else t.ngettext("{names} and {count} more", "{names} and {count} more", more, names=shown)
