"""The Home tab: what was spent and by whom, what is wrong, what comes next. Drawn from figures computed before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from blocks import actions, charts, checklist, collection, exchange, figures, home_value, ids, kit, live, value
from blocks.home_approvals import approvals
from blocks.home_settings import doors
from blocks.home_unowned import unowned
from blocks.outages import provider_words
from finops.approvals import HomeReader
from finops.charges import FigureState
from finops.figures import BlindConnection, Figure, HomeReport
from finops.periods import starts_at
from finops.queries import PeriodName
from finops.value import ValueSource
from locales import Translator

Parts = list[kit.Block | kit.Either]
_BLIND_SHOWN = 5
_COLLECTIONS_SHOWN = 3
_SAME_READ = timedelta(hours=1)
_TOP = 5
_NOBODY = HomeReader()


def view(report: HomeReport, t: Translator, reader: HomeReader = _NOBODY) -> kit.View:
    """The Home tab of one person."""
    parts: Parts = live.incidents(report.live, t) if report.live else []
    parts += approvals(reader, t)
    parts.append(kit.header(_headline(report, t)))
    parts += _blind(report.blind, t, is_admin=report.is_admin)
    parts += _collections(report, t)
    if not checklist.is_over(report.setup, is_admin=report.is_admin):
        is_collecting = bool(report.collections)
        parts += checklist.parts(
            report.setup, t, is_admin=report.is_admin, may_begin=report.may_begin, is_collecting=is_collecting
        )
    if report.setup.has_charges:
        parts += _spending(report, t)
        parts += unowned(reader, t)
    parts += actions.timeline(report.actions, t)
    if parts[-1] != kit.divider():
        parts.append(kit.divider())
    parts += doors(report, reader, t)
    return kit.home(parts)


def trouble(sentence: str, t: Translator) -> kit.View:
    """The Home tab when its figures could not be read: true, calm, and with a way on."""
    return kit.home(
        [
            kit.header(t.gettext("AI cost")),
            kit.section(sentence),
            kit.actions(kit.button(t.gettext("Help"), ids.HELP_SHOW)),
        ]
    )


def _headline(report: HomeReport, t: Translator) -> str:
    if report.setup.has_projects and not report.setup.has_charges and report.collections:
        return t.gettext("AI cost: the first figures are on their way")
    if not report.setup.has_charges:
        return t.gettext("AI cost: set up in five minutes")
    amount = exchange.beside(figures.amount(report.yesterday, t), report.yesterday.amount, report.exchange, t)
    return t.gettext("Yesterday · {amount}", amount=amount)


def _blind(blind: Sequence[BlindConnection], t: Translator, *, is_admin: bool) -> Parts:
    if not blind:
        return []
    lines = [
        t.gettext(
            "△ *{connection}* has not been readable since {moment} {zone}. {reason}",
            connection=kit.name(connection.name),
            moment=t.moment(connection.since),
            zone=t.zone_name(connection.since),
            reason=provider_words(connection.reason or "", {}, t),
        )
        for connection in blind[:_BLIND_SHOWN]
    ]
    more = len(blind) - _BLIND_SHOWN
    if more > 0:
        lines.append(t.ngettext("and {count} more connection", "and {count} more connections", more))
    lines.append(t.gettext("What was collected before is kept."))
    if is_admin and all((connection.reason or "").startswith("key") for connection in blind):
        button = kit.button(t.gettext("Manage keys"), ids.KEY_MANAGE)
    else:
        button = kit.button(t.gettext("Check-up"), ids.DOCTOR_SHOW)
    return [kit.section("\n".join(lines)), kit.actions(button), kit.divider()]


def _collections(report: HomeReport, t: Translator) -> Parts:
    lines = [collection.line(progress, t) for progress in report.collections[:_COLLECTIONS_SHOWN]]
    more = len(report.collections) - _COLLECTIONS_SHOWN
    if more > 0:
        lines.append(t.ngettext("and {count} more collection", "and {count} more collections", more))
    return [kit.section("\n".join(lines)), kit.divider()] if lines else []


def _spending(report: HomeReport, t: Translator) -> Parts:
    named = [
        (t.pgettext("period", "yesterday"), report.yesterday),
        (t.pgettext("period", "last week"), report.last_week),
        (t.gettext("this month so far"), report.month_to_date),
        (t.pgettext("period", "last month"), report.last_month),
    ]
    told = (report.value.yesterday, report.value.last_week, report.value.month_to_date, report.value.last_month)
    today = [report.live.value] if report.live else []
    has_value = any(one.source is not ValueSource.NONE for one in [*told, *today])
    so_far = (
        live.today(report.live.today, t, report.live.value, report.exchange, is_valued=has_value)
        if report.live
        else None
    )
    parts: Parts = [kit.section(so_far)] if so_far else []
    bought = [home_value.lines(one, t) if has_value else [] for one in told]
    near = [exchange.about(figure.amount, report.exchange, t) for _, figure in named]
    bought = [[converted, *words] if converted else words for converted, words in zip(near, bought, strict=True)]
    parts.append(
        kit.fields([_figure(name, figure, words, t) for (name, figure), words in zip(named, bought, strict=True)])
    )
    notes = _told(named, t)
    # What cannot be read stands at the top of the page.
    notes += figures.gaps(replace(report.yesterday, blind_since=None) if report.blind else report.yesterday, t)
    if not has_value:
        notes.append(value.none(t))
    others = figures.other_currencies(report.other_currencies, t)
    if others:
        notes.append(others)
    if report.live:
        notes += live.notes(report.live, t)
    notes += exchange.lines(report.exchange, [figure.amount for _, figure in named], t)
    parts.append(kit.context(" · ".join(notes)))
    if report.trend:
        parts.append(kit.section(t.gettext("*Last 14 days*")))
        parts.append(kit.preformatted(charts.trend_text(report.trend, t)))
        unread = charts.unread(report.trend, t)
        if unread and not report.blind:
            parts.append(kit.context(charts.asked_again(unread, t)))
    table = figures.parts_table(report.top, t)
    if table:
        parts += [kit.section(_largest(report, t), _details(report, t)), table]
    parts.append(kit.context(_legend(report.yesterday, t)))
    return parts


def _largest(report: HomeReport, t: Translator) -> str:
    """What the table lists, of which days and how sure that is.

    A sixth project has a line of its own rather than be "1 other", and is counted then.
    """
    named = sum(not share.is_unallocated for share in report.top.shares)
    listed = t.gettext("*Top {count} projects · last 7 days*", count=max(_TOP, named))
    return f"{listed}\n{figures.brief(report.last_7_days, t)}"


def _details(report: HomeReport, t: Translator) -> kit.Block | None:
    """The way from the largest projects to each one's own window."""
    own = [share for share in report.top.shares if share.project_id is not None]
    options = [kit.option(share.name, f"{share.project_id}/{PeriodName.LAST_7_DAYS}") for share in own]
    return kit.select(ids.PROJECT_DETAIL, t.gettext("A project in detail"), options) if options else None


def _told(named: Sequence[tuple[str, Figure]], t: Translator) -> list[str]:
    """When the provider told us: once for all, or which figure is of which time when they lie apart."""
    known = [(name, figure, figure.as_of) for name, figure in named if figure.as_of is not None]
    if not known:
        return []
    moments = [moment for _, _, moment in known]
    if max(moments) - min(moments) <= _SAME_READ:
        return [figures.as_of(min(known, key=lambda each: each[2])[1], t)]
    names: dict[str, list[str]] = {}
    for name, figure, _ in known:
        names.setdefault(figures.as_of(figure, t), []).append(name)
    return [f"{', '.join(of)}: {told}" for told, of in names.items()]


def _figure(name: str, figure: Figure, bought: Sequence[str], t: Translator) -> str:
    # It begins a line here: where languages have capitals, with one.
    lines = [name[:1].upper() + name[1:], f"*{figures.amount(figure, t)}*"]
    if figure.amount is not None:
        lines += [kit.escape(words) for words in bought]
    lines.append(figures.brief(figure, t))
    if figure.amount is not None and figure.unread_days:
        lines.append(t.ngettext("△ without {count} unread day", "△ without {count} unread days", figure.unread_days))
    return "\n".join(lines)


def _legend(figure: Figure, t: Translator) -> str:
    states = t.gettext(
        "{settled}: will not move · {provisional}: may be 8 to 24 hours late, and revised by the provider · "
        "{estimate}: computed from usage, the bill follows · {blind}: we could not read it",
        estimate=t.badge(FigureState.ESTIMATE),
        settled=t.badge(FigureState.SETTLED),
        provisional=t.badge(FigureState.PROVISIONAL),
        blind=t.badge(FigureState.BLIND),
    )
    calendar = t.gettext(
        "A day is the provider's charge day (UTC) and begins at {time} {zone}.",
        time=t.clock(starts_at(figure.period.start)),
        zone=t.zone_name(starts_at(figure.period.start)),
    )
    return f"{states}\n{calendar}"
