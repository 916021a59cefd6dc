"""The day that is still open, wherever figures are shown: open incidents, what was spent so far, how right that is."""

from __future__ import annotations

from blocks import exchange, ids, kit, unpriced, value
from blocks import incident_words as words
from blocks.doctor_live import signed
from blocks.incident_held import is_held
from finops.charges import FigureState
from finops.estimates import Drift, Spent
from finops.exchange import Converter
from finops.incident_report import IncidentShown, LiveReport
from finops.periods import charge_day, starts_at
from finops.value import NO_VALUE, ValueFigure, ValueSource
from locales import Translator

Parts = list[kit.Block | kit.Either]


def incidents(report: LiveReport, t: Translator) -> Parts:
    """Open incidents, each with the way to its details: what is stopped first, then the worst; nothing without any."""
    if not report.incidents:
        return []
    count = report.incident_count
    ordered = sorted(report.incidents, key=lambda shown: not is_held(shown))
    head = [t.ngettext("{count} open alert", "{count} open alerts", count)]
    held = sum(map(is_held, ordered))
    if held and count == len(ordered):
        head.insert(0, t.ngettext("{count} stopped", "{count} stopped", held))
    parts: Parts = [kit.header(" · ".join(head))]
    parts += [_incident(shown, t) for shown in ordered]
    more = count - len(report.incidents)
    if more > 0:
        parts.append(kit.context(t.ngettext("and {count} more alert", "and {count} more alerts", more)))
    return [*parts, kit.divider()]


def today(
    spent: Spent | None,
    t: Translator,
    bought: ValueFigure = NO_VALUE,
    at: Converter | None = None,
    *,
    is_valued: bool = True,
) -> str | None:
    """What was spent so far today, how sure and of when, and what it bought; None before any usage was read.

    `is_valued` is whether the amounts beside it bought anything: where none did, that is said once for all of them.
    """
    if spent is None or spent.as_of is None:
        return None
    start = starts_at(charge_day(spent.as_of))
    facts = t.gettext(
        "{state} · from {start} · as of {moment} {zone}",
        state=t.badge(spent.state),
        start=t.clock(start),
        # Who has not been able to look may have looked last on another day.
        moment=t.moment(spent.as_of) if spent.state is FigureState.BLIND else t.clock(spent.as_of),
        zone=t.zone_name(spent.as_of),
    )
    is_unknown = spent.state is FigureState.BLIND and not spent.amount
    amount = t.gettext("unknown") if is_unknown else t.money(spent.amount)
    told = exchange.about(None if is_unknown else spent.amount, at, t)
    if bought.source is not ValueSource.NONE or (is_valued and not is_unknown):
        seen = value.coverage(bought, t)  # `line` says it only where it is too little
        facts = f"{kit.escape(value.line(bought, t))}\n{facts}" + (f" · {kit.escape(seen)}" if seen else "")
    if told is not None:
        facts = f"{told}\n{facts}"
    return t.gettext("Today so far  *{amount}*\n{facts}", amount=amount, facts=facts)


def notes(report: LiveReport, t: Translator) -> list[str]:
    """How right estimates have been, and what they leave out."""
    found = []
    if report.drift is not None:
        line = drift(report.drift, t)
        if line:
            found.append(line)
    if report.unpriced:
        found.append(unpriced.note(report.unpriced, t))
    return found


def drift(measured: Drift, t: Translator) -> str | None:
    """How far corrected estimates lay from the bills."""
    if measured.corrected_ratio is None:
        return None
    return t.ngettext(
        "Estimate error, {count} day: {error}",
        "Estimate error, {count} days: {error}",
        measured.days,
        error=signed(measured.corrected_ratio, t),
    )


def _incident(shown: IncidentShown, t: Translator) -> kit.Block:
    first, second = words.two_lines(shown, t)
    button = kit.button(t.gettext("See details"), ids.INCIDENT_DETAIL, str(shown.incident.id))
    return kit.section(f"*{kit.escape(first)}*\n{kit.escape(second)}", button)
