"""Usage without a known price: shown and told the same day, because it is not zero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from blocks import ids, kit
from locales import Translator

_SHOWN = 10


def message(connection: str, names: Sequence[str], day: date, t: Translator) -> kit.Message:
    """Models or line items that were used on a charge day and that no price list knows; told once for each day."""
    headline = t.ngettext(
        "△ {count} model without a known price · {connection}",
        "△ {count} models without a known price · {connection}",
        len(names),
        connection=kit.name(connection),
    )
    body = t.gettext(
        "Used on {day}: {names}. The estimates and alerts of that day leave this usage out; it is not free, we only do "
        "not know its price.",
        day=t.day(day),
        names=listed(names, t),
    )
    step = t.gettext(
        "The bill itself is complete and arrives as always. To see it in the estimate, an operator adds the price to "
        "the price file (`FINOPS_PRICES`)."
    )
    parts = [kit.section(f"*{headline}*\n{body}"), kit.context(step)]
    parts.append(kit.actions(kit.button(t.gettext("Check-up"), ids.DOCTOR_SHOW)))
    return kit.message(f"{headline} | {body}", parts)


def note(names: Sequence[str], t: Translator) -> str:
    """The same beside a figure, in one sentence."""
    return t.gettext("△ Not in this estimate, because no price is known: {names}", names=listed(names, t))


def listed(names: Sequence[str], t: Translator) -> str:
    """The first names as code, and how many more there are."""
    shown = ", ".join(f"`{kit.name(name).replace('`', '')}`" for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    if more <= 0:
        return shown
    return t.ngettext("{names} and {count} more", "{names} and {count} more", more, names=shown)
