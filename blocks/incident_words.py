"""An incident in words: who, how much, against what, how unusual, since when, why; each said once for all places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from blocks import figures, kit, stop_state, why_words
from blocks import stop_words as stopped
from blocks.incident_held import speaking
from blocks.stop_state import Look
from finops.budget_report import OPERATOR
from finops.budgets import FIRST_LOUD_LEVEL, WHOLE, BudgetOn, BudgetPeriod, UsualMethod
from finops.figures import ScopeKind
from finops.incident_report import IncidentShown
from finops.incidents import IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.periods import starts_at
from finops.why import Why, WhyKind
from locales import Translator

# Said elsewhere in the message, or nothing that explains more spending.
_NO_CAUSE = (WhyKind.BEGUN, WhyKind.ENDED, WhyKind.UNCHANGED, WhyKind.UNKNOWN)
_MINUTES_PER_HOUR = 60
_DAYS_PER_WEEK = 7
# Stops under which the speed measured before says nothing. Where usage goes on in spite of one, it says a lot.
_WITHOUT_PACE = (Look.HELD, Look.PARTIAL, Look.PROVED, Look.RESTORING, Look.RESTORED)


def two_lines(shown: IncidentShown, t: Translator) -> tuple[str, str]:
    """The first two lines, as plain text: who, how much, against what; and how unusual, how sure, of when.

    Where something was done about the spending itself, the second one says how that stands.
    """
    held = stop_line(shown, t)
    if held is None:
        held = " · ".join(said for said in (second_line(shown, t), _beside(shown, t)) if said)
    return headline(shown, t), held


def stop_line(shown: IncidentShown, t: Translator) -> str | None:
    """How a stop stands that speaks for its incident, as plain text; None where there is none."""
    spoken = speaking(shown)
    return stop_state.state_line(spoken, t) if spoken is not None else None


def _beside(shown: IncidentShown, t: Translator) -> str:
    """What another alert holds without ending this one, as plain text: `ad-copy-writer: Stopped`."""
    if shown.elsewhere is None:
        return ""
    held = shown.elsewhere.whole
    return f"{stop_state.sign(held)} {stopped.what(held, t)}: {stop_state.label(held, t)}"


def headline(shown: IncidentShown, t: Translator) -> str:
    """Who spent how much of what, as plain text."""
    given = _amounts(shown, t) | {"when": of_when(shown, t)}
    spoken = speaking(shown)
    if spoken is not None:
        sign, state, what = stop_state.sign(spoken), stop_state.label(spoken, t), stopped.what(spoken, t)
        return t.gettext(
            "{sign} [{scope}] {state} - {what} · {limit_name} {limit}, {when} {spent} ({percent}%)",
            sign=sign, state=state, what=what, **given,
        )  # fmt: skip
    level = shown.level_now
    if shown.is_exceeded:
        return t.gettext("🚨 [{scope}] {limit_name} {limit} exceeded - {when} {spent} ({percent}%)", **given)
    if level is not None and level >= WHOLE:
        return t.gettext("🚨 [{scope}] {limit_name} {limit} reached - {when} {spent} ({percent}%)", **given)
    if level is not None:
        level_text = t.number(level)
        return t.gettext(
            "⚠️ [{scope}] {limit_name} {limit}: {level}% reached - {when} {spent} ({percent}%)",
            level=level_text,
            **given,
        )
    return t.gettext("ℹ️ [{scope}] {limit_name} {limit} - {when} {spent} ({percent}%)", **given)


def sign(percent: int) -> str:
    """What stands before how much of a limit is spent; '' below what is loud."""
    return "🚨 " if percent >= WHOLE else "⚠️ " if percent >= FIRST_LOUD_LEVEL else ""


def of_when(shown: IncidentShown, t: Translator) -> str:
    """Of when the amount is, before it: now, or the day or days of a period that is over."""
    if not shown.is_period_over:
        # i18n: before an amount: "now $742 (148%)"
        return t.pgettext("amount", "now")
    window = shown.incident.window
    return t.day(window.start) if window.days == 1 else t.days(window)


def closing_line(shown: IncidentShown, t: Translator, *, is_period_over: bool) -> str:
    """How it ended, as plain text: the last amount we knew, calmly."""
    given = _amounts(shown, t)
    if is_period_over:
        return t.gettext("✅ [{scope}] {limit_name} {limit} - period ended at {spent} ({percent}%)", **given)
    return t.gettext("✅ [{scope}] {limit_name} {limit} - alert closed at {spent} ({percent}%)", **given)


def _amounts(shown: IncidentShown, t: Translator) -> dict[str, object]:
    """Who spent how much of what."""
    return {
        "scope": who(shown, t),
        "limit_name": limit_name(shown.budget.period, t),
        "limit": figures.decided(shown.limit, t),
        "spent": figures.short(shown.spent.amount, t),
        "percent": t.number(shown.percent),
    }


def second_line(shown: IncidentShown, t: Translator) -> str:
    """Which project, how unusual, how sure and of when, as plain text."""
    parts = [whose(shown), comparison(shown, t), t.state(shown.spent.state), as_of(shown, t)]
    return " · ".join(part for part in parts if part)


def who(shown: IncidentShown, t: Translator) -> str:
    """Who is addressed, as plain text: the team, also for the limit of one of its projects."""
    if shown.scope.kind is ScopeKind.PROJECT and shown.team is not None:
        return kit.bare(shown.team.name)
    return figures.scope_name(shown.scope, t)


def whose(shown: IncidentShown) -> str:
    """The project that spends: its own limit, or the largest spender of a wider one."""
    if shown.scope.kind is ScopeKind.PROJECT:
        return kit.bare(shown.scope.name) if shown.team is not None else ""
    return kit.bare(shown.headline_project.name) if shown.headline_project else ""


def comparison(shown: IncidentShown, t: Translator) -> str:
    """How this differs from usual, or why that cannot be said."""
    usual = shown.usual.amount
    if usual is None:
        return t.gettext("no history to compare with yet")
    if shown.increase is None or usual.amount <= 0:
        return t.gettext("usually nothing is spent")
    known, percent = figures.short(usual, t), t.percent(shown.increase)
    if shown.increase > 0 and percent != t.percent(Decimal(0)):
        return t.gettext("up {percent} from usual ({usual})", percent=percent, usual=known)
    # The period is not over: less than usual is no fall yet.
    return t.gettext("usually {usual}", usual=known)


def as_of(shown: IncidentShown, t: Translator) -> str:
    """Of when the amount is; the zone stands at the foot of the message."""
    told = shown.spent.as_of or shown.incident.as_of
    return t.gettext("as of {time}", time=when(told, shown, t))


def when(moment: datetime, shown: IncidentShown, t: Translator) -> str:
    """The time of day; with its date unless it is of the one day on which the message was begun and last told.

    One that is over stays as it is and is read on any day: with its date, always.
    """
    incident = shown.incident
    days = {at.astimezone(t.zone).date() for at in (moment, incident.opened_at, incident.updated_at)}
    is_of_today = len(days) == 1 and incident.state is not IncidentState.CLOSED
    return t.clock(moment) if is_of_today else t.moment(moment)


def limit_name(period: BudgetPeriod, t: Translator) -> str:
    """What a limit is called, as a noun that may begin a sentence."""
    return _LIMITS[period](t)


def budget_words(on: BudgetOn, t: Translator) -> str:
    """A budget by whose it is, its period and its amount; harmless in mrkdwn."""
    return t.gettext(
        "{scope} · {limit_name} {limit}",
        scope=kit.escape(figures.scope_name(on.scope, t)),
        limit_name=limit_name(on.budget.period, t),
        limit=figures.decided(on.budget.amount, t),
    )


def pace(shown: IncidentShown, t: Translator) -> str:
    """Since when, how fast, and what that leads to: one line of facts.

    While any of it is stopped, and when the period is over, since when alone.
    """
    since = when(shown.since, shown, t)
    is_unusual = shown.since != shown.incident.opened_at
    facts = [
        t.gettext("surging since {time}", time=since)
        if is_unusual
        else t.gettext("first level reached at {time}", time=since)
    ]
    burn = shown.incident.burn_per_minute
    if burn is not None and burn.amount > 0 and not _is_past(shown):
        hourly = Money(burn.amount * _MINUTES_PER_HOUR, burn.currency)
        facts.append(t.gettext("now {amount} an hour", amount=figures.short(hourly, t)))
    facts.append(forecast(shown, t))
    return " · ".join(fact for fact in facts if fact)


def forecast(shown: IncidentShown, t: Translator) -> str:
    """When the limit falls at this speed; beyond it, when the next level does.

    '' while any of it is stopped, and when the period is over.
    """
    if _is_past(shown):
        return ""
    if shown.percent < WHOLE:
        if shown.breach_at is not None:
            return t.gettext("limit expected at {time}", time=when(shown.breach_at, shown, t))
        is_measured = shown.incident.burn_per_minute is not None
        return t.gettext("at this speed the limit holds until the period ends") if is_measured else ""
    if shown.next_level is None or shown.next_at is None:
        return ""
    return t.gettext(
        "{level}% ({amount}) expected at {time}",
        level=t.number(shown.next_level),
        amount=figures.short(amount_of_level(shown.limit, shown.next_level), t),
        time=when(shown.next_at, shown, t),
    )


def _is_past(shown: IncidentShown) -> bool:
    """Whether the speed is one from before a stop, or of a period that is over: nothing is foretold from it."""
    if shown.is_period_over:
        return True
    stop = speaking(shown)
    return stop is not None and stop.stop.lever is Lever.STOP and stop_state.look(stop) in _WITHOUT_PACE


def cause(found: Why | None, t: Translator) -> str | None:
    """Why, in one sentence of plain text; None when we cannot tell. A suspicion is called one."""
    return None if found is None or found.kind in _NO_CAUSE else why_words.sentence(found, t)


def period_line(shown: IncidentShown, t: Translator) -> str:
    """Which period the limit is for, in the reader's zone."""
    start, end = starts_at(shown.incident.window.start), starts_at(shown.incident.window.end)
    name = limit_name(shown.budget.period, t)
    if shown.scope.kind is ScopeKind.PROJECT:
        # The headline addresses the team: whose limit spoke is said here.
        name = f"{kit.name(shown.scope.name)} · {name}"
    return t.gettext(
        "{limit_name} {start} to {end} {zone}",
        limit_name=name,
        start=t.moment(start),
        end=t.moment(end),
        zone=t.zone_name(start),
    )


def usual_line(shown: IncidentShown, t: Translator) -> str:
    """What "usual" means in this message."""
    if shown.usual.amount is None:
        return ""
    return _USUAL[shown.usual.method](shown.usual.days, t)


def actor(user_id: str | None, shown: IncidentShown, t: Translator) -> str:
    """Who did something, by name: a mention would ring them about their own click."""
    if user_id is None:
        return t.gettext("somebody")
    if user_id == OPERATOR:
        return t.gettext("an operator")
    return kit.name(shown.names.get(user_id, "")) if shown.names.get(user_id) else kit.mention(user_id)


def amount_of_level(limit: Money, level: int) -> Money:
    """What a level of a limit comes to."""
    return Money((limit.amount * level / 100).quantize(Decimal("0.01"), ROUND_DOWN), limit.currency)


def _weeks(days: int, t: Translator) -> str:
    return t.ngettext(
        "usual: median of the last {count} week", "usual: median of the last {count} weeks", days // _DAYS_PER_WEEK
    )


_LIMITS: dict[BudgetPeriod, Callable[[Translator], str]] = {
    BudgetPeriod.DAY: lambda t: t.gettext("Daily limit"),
    BudgetPeriod.WEEK: lambda t: t.gettext("Weekly limit"),
    BudgetPeriod.MONTH: lambda t: t.gettext("Monthly limit"),
}
_USUAL: dict[UsualMethod, Callable[[int, Translator], str]] = {
    UsualMethod.DAYS: lambda days, t: (
        _weeks(days, t)
        if days >= 4 * _DAYS_PER_WEEK
        else t.ngettext(
            "usual: median of {count} day of the last 4 weeks",
            "usual: median of {count} days of the last 4 weeks",
            days,
        )
    ),
    UsualMethod.WEEKS: lambda days, t: _weeks(days, t),
    UsualMethod.MONTHS: lambda days, t: t.ngettext(
        "usual: median of the last months ({count} day)", "usual: median of the last months ({count} days)", days
    ),
}
