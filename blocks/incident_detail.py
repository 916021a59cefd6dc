"""The window behind "details": seven days and today by hour, by model and key, and how far the estimate is right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from blocks import charts, figures, ids, incident_acts, kit, value, why
from blocks import incident_words as words
from blocks.incident_thread import closing
from finops.estimates import Correction, CorrectionBasis
from finops.figures import Breakdown
from finops.incident_report import IncidentDetail
from finops.incidents import IncidentState
from finops.stop_report import AffectedKey
from locales import Translator

Parts = list[kit.Block | kit.Either]
_HOURS = 26
_KEY_NAME = 40


def view(detail: IncidentDetail, t: Translator) -> kit.View:
    """Everything we know about one incident, in bars of text that every screen can draw."""
    shown = detail.shown
    is_closed = shown.incident.state is IncidentState.CLOSED
    first = closing(shown, t) if is_closed else words.headline(shown, t)
    parts: Parts = [kit.header(first), kit.section(kit.escape(words.second_line(shown, t)))]
    story = [f"*{kit.escape(found)}*" for found in (words.cause(shown.cause, t),) if found]
    story += [] if is_closed else [kit.escape(words.pace(shown, t))]
    if story:
        parts.append(kit.section("\n".join(story)))
    if shown.cause is not None and words.cause(shown.cause, t):
        head = t.gettext("What moved it")
        told = [f"*{head}*", kit.escape(why.against(shown.cause, t)), why.lines(shown.cause, t)]
        parts.append(kit.section("\n".join(filter(None, told))))
    facts = _facts(detail, t)
    if facts:
        parts.append(kit.fields(facts))
    parts += _days(detail, t)
    parts += _hours(detail, t)
    day = _day(detail, t)
    named = (
        (t.gettext("*By project* · {day}", day=day), detail.projects),
        (t.gettext("*By model* · {day}", day=day), detail.models),
        (t.gettext("*By API key* · {day}", day=day), detail.keys),
    )
    for title, breakdown in named:
        if breakdown is not None and breakdown.shares:
            parts.append(kit.section(f"{title}\n{_parts(breakdown, detail.holders, t)}"))
    parts.append(kit.context("\n".join(_trust(detail, t))))
    parts += incident_acts.row(shown, t)
    # i18n: title of a modal, 24 characters
    title = t.gettext("Spending in detail")
    return kit.modal(title, parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def _facts(detail: IncidentDetail, t: Translator) -> list[str]:
    facts: list[tuple[str, str]] = []
    day = _day(detail, t)
    if detail.requests is not None:
        facts.append((t.gettext("Requests · {day}", day=day), f"*{t.number(detail.requests)}*"))
    if detail.tokens is not None:
        facts.append((t.gettext("Tokens · {day}", day=day), f"*{t.number(detail.tokens)}*"))
    if detail.requests and detail.tokens is not None:
        facts.append((t.gettext("Tokens per request"), f"*{t.number(Decimal(detail.tokens) / detail.requests)}*"))
    if detail.provider_project_id:
        facts.append(("Project ID", f"`{kit.name(detail.provider_project_id)}`"))
    return [f"{name}\n{fact}" for name, fact in facts]


def _days(detail: IncidentDetail, t: Translator) -> Parts:
    trend = detail.shown.trend
    if not trend:
        return []
    title = t.gettext("*By day*") if _is_past(detail) else t.gettext("*Last 7 days and today*")
    return [kit.section(title), kit.preformatted(charts.trend_text(trend, t))]


def _hours(detail: IncidentDetail, t: Translator) -> Parts:
    if not detail.hours:
        return []
    rows = [(t.clock(hour), amount) for hour, amount in detail.hours[-_HOURS:]]
    title = t.gettext(
        "*By hour* · {day}, estimate, from {time} {zone}", day=_day(detail, t), time=rows[0][0], zone=_zone(detail, t)
    )
    return [kit.section(title), kit.preformatted(charts.lines(rows, t))]


def _day(detail: IncidentDetail, t: Translator) -> str:
    """Which day the window is about: the open one, or the last of a period that is over."""
    return t.short_day(detail.day) if _is_past(detail) else t.pgettext("period", "today")


def _is_past(detail: IncidentDetail) -> bool:
    return detail.shown.is_period_over or detail.shown.incident.state is IncidentState.CLOSED


def _zone(detail: IncidentDetail, t: Translator) -> str:
    return t.zone_name(detail.shown.incident.updated_at)


def _parts(breakdown: Breakdown, holders: Mapping[str, AffectedKey], t: Translator) -> str:
    """The parts of today's estimate, largest first; what is shown adds up."""
    amounts = figures.amounts_shown(breakdown, t)
    names = [_key(holders[one.key]) if one.key in holders else charts.share_name(one, t) for one in breakdown.shares]
    if breakdown.others is not None:
        names.append(t.ngettext("{count} other", "{count} others", breakdown.others_count))
    rows: Iterable[tuple[str, str, str]] = zip(names, amounts, figures.shares_shown(breakdown, t), strict=True)
    return "\n".join(f"• {kit.name(name)}  *{kit.escape(amount)}*  {kit.escape(share)}" for name, amount, share in rows)


def _key(key: AffectedKey) -> str:
    """A key as the window of a stop calls it, to find it among the application's."""
    name = kit.bare(key.name, _KEY_NAME)
    return f"{name} ...{key.ends_with}" if key.ends_with else name


def _trust(detail: IncidentDetail, t: Translator) -> list[str]:
    """How far the estimate is right, in sentences."""
    shown = detail.shown
    lines = [kit.escape(" · ".join(f for f in (words.period_line(shown, t), words.usual_line(shown, t)) if f))]
    lines.append(_corrected(detail.correction, t))
    if detail.lateness_seconds is not None:
        lines.append(
            t.ngettext(
                "95% of this provider's usage arrives within {count} minute; the newest minutes may still grow.",
                "95% of this provider's usage arrives within {count} minutes; the newest minutes may still grow.",
                max(1, -(-int(detail.lateness_seconds) // 60)),
            )
        )
    if detail.unpriced:
        named = ", ".join(kit.name(name) for name in detail.unpriced[:10])
        lines.append(t.gettext("△ Without a known price, and not in these amounts: {names}", names=named))
    lines.append(kit.escape(value.line(shown.value, t)))
    return lines


def _corrected(correction: Correction | None, t: Translator) -> str:
    """By what the estimates are corrected, and from what that was learned."""
    if correction is None or correction.basis == CorrectionBasis.NONE:
        return t.gettext("The estimate is not corrected yet: no bill could be compared with it so far.")
    ratio = f"{correction.ratio:.3f}"
    if ratio == "1.000":
        return t.ngettext(
            "Estimates are not corrected: they agree with the bill of {count} day.",
            "Estimates are not corrected: they agree with the bills of the last {count} days.",
            correction.days,
        )
    return t.ngettext(
        "Estimates are corrected by ×{ratio}, learned from the bill of {count} day.",
        "Estimates are corrected by ×{ratio}, learned from the bills of the last {count} days.",
        correction.days,
        ratio=ratio,
    )
