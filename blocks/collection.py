"""Collecting, told while it happens: progress, the first chart, going blind, and seeing again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import unescape

from blocks import charts, figures, ids, kit, value
from blocks.outages import provider_words
from finops.charges import FigureState
from finops.figures import CollectionProgress, StatusReport
from finops.queries import PeriodName
from locales import Translator

_BAR = 12


def line(progress: CollectionProgress, t: Translator) -> str:
    """One collection on one line, for Home and modals."""
    bar, ratio = _bar(progress.days_done, progress.days_total)
    return t.gettext(
        "Collecting *{connection}* {bar} {done} of {total} days ({percent}%)",
        connection=kit.name(progress.connection_name),
        bar=bar,
        done=t.number(progress.days_done),
        total=t.number(progress.days_total),
        percent=ratio,
    )


def progress(progress: CollectionProgress, t: Translator) -> kit.Message:
    """The message that grows while a collection runs; edited in place, so it never rings twice."""
    bar, ratio = _bar(progress.days_done, progress.days_total)
    headline = t.gettext(
        "Collecting the costs of {connection}: {done} of {total} days",
        connection=kit.name(progress.connection_name),
        done=t.number(progress.days_done),
        total=t.number(progress.days_total),
    )
    parts = [kit.section(f"*{headline}*\n{bar}  {ratio}%")]
    if progress.total is not None:
        parts.append(kit.context(t.gettext("Collected so far: {amount}", amount=t.money(progress.total))))
    parts.append(
        kit.context(t.gettext("This message shows the result when it is done. You may close Slack meanwhile."))
    )
    return kit.message(f"{headline} ({ratio}%)", parts)


def started(collections: tuple[CollectionProgress, ...], without_key: tuple[str, ...], t: Translator) -> kit.Message:
    """The answer to "collect now": what runs, and what cannot."""
    headline = t.ngettext(
        "Collecting from {count} connection now.", "Collecting from {count} connections now.", len(collections)
    )
    parts = [kit.section(f"*{headline}*")]
    if collections:
        # This message stands still: a bar in it would say 0% for ever.
        days = [
            t.ngettext(
                "• *{connection}* · {count} day",
                "• *{connection}* · {count} days",
                one.days_total,
                connection=kit.name(one.connection_name),
            )
            for one in collections[:10]
        ]
        parts.append(kit.section("\n".join(days)))
    if without_key:
        names = ", ".join(kit.name(name) for name in without_key[:10])
        parts.append(
            kit.section(t.gettext("△ Not collected, because every key is disabled: {connections}", connections=names))
        )
    parts.append(
        kit.context(t.gettext("The result arrives as a direct message. Days are replaced whole, never added twice."))
    )
    return kit.message(headline, parts)


def first_chart(
    progress: CollectionProgress, report: StatusReport, t: Translator, unread: Sequence[date] = ()
) -> kit.Message:
    """A back-fill is done: what was found, drawn at once. `unread`: the days that were left out of the answer."""
    headline = t.gettext(
        "The first chart is here · {period} · {amount}",
        period=t.period(report.query),
        amount=figures.amount(report.figure, t),
    )
    parts: list[kit.Block | kit.Either] = [kit.header(headline), kit.section(_collected(progress, t))]
    parts += _lacking(unread, t)
    parts.append(
        kit.context(
            figures.trust(report.figure, t), *figures.gaps(report.figure, t), kit.escape(value.line(report.value, t))
        )
    )
    parts += charts.trend(report.trend, t, whole=report.figure.amount)
    table = figures.parts_table(report.breakdown, t)
    parts += [table] if table is not None else []
    parts.append(
        kit.section(t.gettext("From now on costs are collected every morning. Ask any time: `/finops status`"))
    )
    parts.append(kit.actions(_week(t)))
    return kit.message(f"{headline} | {_collected(progress, t).replace('*', '')}", parts)


def finished(
    progress: CollectionProgress, t: Translator, *, is_empty: bool = False, restated_days: int = 0,
    unread: Sequence[date] = (),
) -> kit.Message:  # fmt: skip
    """A collection is done. Nothing found is said as such: it is not a zero. `unread`: the days that were left out."""
    if is_empty:
        headline = t.gettext("Collection finished: the provider knows no cost yet")
        body = t.gettext(
            "{connection} answered for {days} days and named no charge. Costs are collected from tomorrow on.",
            connection=kit.name(progress.connection_name),
            days=t.number(progress.days_total),
        )
        return kit.message(headline, [kit.section(f"*{headline}*"), kit.section(body)])
    headline = t.gettext("Collection finished · {connection}", connection=kit.name(progress.connection_name))
    parts = [kit.section(f"*{headline}*"), kit.section(_collected(progress, t)), *_lacking(unread, t)]
    if restated_days:
        parts.append(
            kit.context(
                t.ngettext(
                    "The provider revised {count} earlier day; the new amounts stand, the old ones are on record.",
                    "The provider revised {count} earlier days; the new amounts stand, the old ones are on record.",
                    restated_days,
                )
            )
        )
    parts.append(kit.actions(_week(t)))
    return kit.message(headline, parts)


def failed(
    progress: CollectionProgress, code: str, values: Mapping[str, object], reference: str | None, t: Translator,
    *, retry_at: datetime | None = None,
) -> kit.Message:  # fmt: skip
    """A collection stopped half-way: what happened, what still holds, what to do."""
    headline = t.gettext(
        "Collection stopped at {done} of {total} days · {connection}",
        done=t.number(progress.days_done),
        total=t.number(progress.days_total),
        connection=kit.name(progress.connection_name),
    )
    lines = [provider_words(code, values, t), t.gettext("Every day collected so far is kept whole.")]
    if retry_at is not None:
        # One promise of when: the provider's own wish is part of ours.
        lines[0] = provider_words(code, {**values, "retry_after": None}, t)
        zone = t.zone_name(retry_at)
        lines[1] += " " + t.gettext("The next attempt is at {moment} {zone}.", moment=t.moment(retry_at), zone=zone)
    parts = [kit.section(f"*{headline}*"), kit.section("\n".join(lines))]
    if retry_at is None:
        parts.append(kit.actions(kit.button(t.gettext("Manage keys"), ids.KEY_MANAGE)))
    if reference:
        parts.append(kit.context(t.gettext("Reference {reference}", reference=f"`{reference}`")))
    return kit.message(headline, parts)


def blind(connection: str, since: datetime, code: str, values: Mapping[str, object], t: Translator) -> kit.Message:
    """A connection cannot be read any more: said once, in the team's channel."""
    headline, body = _blind_headline(kit.name(connection), code, t), _blind_since(since, code, values, t)
    kept = t.gettext(
        "What was collected before is kept. Spending itself goes on; this message changes when we can see again."
    )
    buttons = kit.actions(kit.button(t.gettext("Check-up"), ids.DOCTOR_SHOW))
    return kit.message(f"{headline} | {body}", [kit.section(f"*{headline}*\n{body}"), kit.context(kept), buttons])


def blind_mail(
    connection: str, since: datetime, until: datetime | None, code: str, t: Translator, link: str | None = None
) -> tuple[str, str]:
    """The same as a mail: subject and plain text. `until`: it is over already. `link` opens the message in Slack."""
    if until is not None:
        headline, body = _recovered_words(kit.bare(connection), since, until, t)
        told = [headline, body, ""]
    else:
        headline = _blind_headline(kit.bare(connection), code, t)
        kept = t.gettext(
            "What was collected before is kept. Spending itself goes on; the message in Slack says when we can see "
            "again."
        )
        told = [headline, _blind_since(since, code, {}, t), "", kept, ""]
    if link:
        told += [t.gettext("Open the message in Slack: {link}", link=link), ""]
    told.append(t.gettext("You get this by mail because the message could not be delivered in Slack in time."))
    return headline, unescape("\n".join(told)) + "\n"


def _blind_since(since: datetime, code: str, values: Mapping[str, object], t: Translator) -> str:
    return t.gettext(
        "Since {moment} {zone} we do not know what is being spent there. {reason}",
        moment=t.moment(since),
        zone=t.zone_name(since),
        reason=provider_words(code, values, t),
    )


def _blind_headline(connection: str, code: str, t: Translator) -> str:
    state = t.badge(FigureState.BLIND)
    match code:
        case "usage_unreadable":
            return t.gettext(
                "{state} · today's usage of {connection} cannot be read", state=state, connection=connection
            )
        case "usage_late":
            return t.gettext("{state} · the usage of {connection} is late", state=state, connection=connection)
        case "clock_skew":
            return t.gettext("{state} · our clock disagrees with {connection}", state=state, connection=connection)
        case _:
            return t.gettext("{state} · {connection} cannot be read", state=state, connection=connection)


def recovered(connection: str, since: datetime, until: datetime, t: Translator) -> kit.Message:
    """The same message, edited when the connection is read again."""
    headline, body = _recovered_words(kit.name(connection), since, until, t)
    return kit.message(f"{headline} | {body}", [kit.section(f":white_check_mark: *{headline}*"), kit.context(body)])


def _recovered_words(connection: str, since: datetime, until: datetime, t: Translator) -> tuple[str, str]:
    headline = t.gettext("{connection} is read again", connection=connection)
    if t.moment(since) == t.moment(until):
        return headline, t.gettext(
            "It could not be read for less than a minute, at {moment} {zone}. Nothing is missing.",
            moment=t.moment(since),
            zone=t.zone_name(since),
        )
    return headline, t.gettext(
        "It could not be read from {since} to {until} {zone}. The days in between are collected as well.",
        since=t.moment(since),
        until=t.moment(until),
        zone=t.zone_name(until),
    )


def _collected(progress: CollectionProgress, t: Translator) -> str:
    if progress.total is None:
        return t.gettext("*{days} days* were read.", days=t.number(progress.days_done))
    return t.gettext(
        "*{days} days* were read; together they come to *{amount}*.",
        days=t.number(progress.days_done),
        amount=t.money(progress.total),
    )


def _lacking(unread: Sequence[date], t: Translator) -> list[kit.Block]:
    return [kit.context(charts.asked_again([t.short_day(day) for day in unread], t))] if unread else []


def _week(t: Translator) -> kit.Block:
    return kit.button(t.gettext("Last 7 days"), ids.STATUS_SHOW, f"workspace//{PeriodName.LAST_7_DAYS}")


def _bar(done: int, whole: int) -> tuple[str, int]:
    filled = min(_BAR, done * _BAR // whole) if whole else 0
    percent = min(100, done * 100 // whole) if whole else 0
    return "▰" * filled + "▱" * (_BAR - filled), percent
