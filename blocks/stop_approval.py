"""The window in which spending is let go on: for the day, for an amount, or under a new limit; and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from blocks import figures, ids, kit
from blocks.incident_words import whose
from finops.charges import FigureState
from finops.figures import Scope
from finops.frozen import frozen
from finops.incident_report import IncidentShown
from finops.money import Money
from finops.periods import charge_day, starts_at
from finops.queries import ScopeKind
from finops.stop_report import StopShown, StopTarget, decided_at
from finops.stops import UNDER_WAY, ApprovalWay
from locales import Translator

Parts = list[kit.Block | kit.Either]
_RESTOPS = "restops"


@frozen
class ApprovalDraft:
    """What stands in the approval window. `way` '' is what suits best; `until` None the end of the charge day."""

    way: str = ""
    amount: str = ""
    limit: str = ""
    until: datetime | None = None
    restops: bool = True


@frozen
class ApprovalFacts:
    """What the approval window says. `day_end` and `period_end` are instants; None amounts are unknown, and a period
    that is over has no end to wait for.

    `seen_at` and `decided_at` are handed back with the answer: what somebody changed since is not approved unseen.
    Without `limit` there is no budget behind it, and only a time can be allowed. `state` and `spent_at` are how sure
    and of when `spent` is.
    """

    target: StopTarget
    scope: Scope
    team: str
    what: str
    spent: Money | None
    limit: Money | None
    percent: int | None
    day_end: datetime
    period_end: datetime | None
    requires_second: bool
    is_stopped: bool
    seen_at: datetime
    decided_at: tuple[datetime, ...] = ()
    state: FigureState | None = None
    spent_at: datetime | None = None


def approval_of(shown: IncidentShown | StopShown, now: datetime) -> ApprovalFacts:
    """The facts of the approval window, from an incident (with or without a stop) or from a stop outside of any."""
    day_end = starts_at(charge_day(now) + timedelta(days=1))
    if isinstance(shown, StopShown):
        return ApprovalFacts(
            target=StopTarget(stop_id=shown.stop.id),
            scope=shown.scope,
            team=shown.team.name if shown.team else "",
            what=shown.current[0].name if len(shown.current) == 1 else "",
            spent=None,
            limit=None,
            percent=None,
            day_end=day_end,
            period_end=shown.window_end,
            requires_second=shown.requires_second,
            is_stopped=shown.stop.state in UNDER_WAY,
            seen_at=now,
            decided_at=decided_at(None, shown.stop),
        )
    stop = shown.stop
    is_known = shown.spent.as_of is not None
    return ApprovalFacts(
        target=StopTarget(incident_id=shown.incident.id),
        scope=shown.scope,
        team=shown.team.name if shown.team else "",
        what=whose(shown),
        spent=shown.spent.amount if is_known else None,
        limit=shown.limit,
        percent=shown.percent if is_known else None,
        day_end=day_end,
        period_end=None if shown.is_period_over else starts_at(shown.incident.window.end),
        requires_second=shown.budget.needs_two or (stop is not None and stop.requires_second),
        is_stopped=stop is not None and stop.stop.state in UNDER_WAY,
        seen_at=now,
        decided_at=decided_at(shown.budget, stop.stop if stop is not None else None),
        state=shown.spent.state,
        spent_at=shown.spent.as_of,
    )


def approve(
    facts: ApprovalFacts, t: Translator, draft: ApprovalDraft | None = None, problem: str | None = None
) -> kit.View:
    """The window in which spending is let go on (VIEW_APPROVE). Metadata: target, seen and decided (ISO times)."""
    given = draft or ApprovalDraft()
    parts: Parts = [kit.alert(problem)] if problem else []
    parts.append(kit.section(_facts(facts, t)))
    if facts.is_stopped:
        said = t.gettext("The former limits are put back exactly as they were. Spending begins again.")
        parts.append(kit.context(said))
    if facts.requires_second:
        said = t.gettext("This budget needs two people: it takes effect once another approver agrees.")
        parts.append(kit.alert(said, "info"))
    parts.append(_way(facts, given, t))
    if facts.limit is not None:
        parts.append(_amount(given, t))
    parts.append(_until(facts, given, t))
    if facts.limit is not None:
        parts.append(_limit(given, t))
    parts.append(_restops(given, t))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Restore on terms") if facts.is_stopped else t.gettext("Approve spending"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.pgettext("button", "Approve"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_APPROVE,
        metadata={
            "target": str(facts.target),
            "seen": facts.seen_at.isoformat(),
            "decided": [moment.isoformat() for moment in facts.decided_at],
        },
    )


def _facts(facts: ApprovalFacts, t: Translator) -> str:
    """Whose spending, how much of what, and when the period ends."""
    scope = t.gettext("Everything") if facts.scope.kind is ScopeKind.WORKSPACE else kit.name(facts.scope.name)
    named = list(
        dict.fromkeys([kit.name(facts.team) if facts.team else scope, kit.name(facts.what or facts.scope.name)])
    )
    lines = [f"*{' · '.join(named)}*"]
    if facts.limit is not None:
        limit = figures.decided(facts.limit, t)
        if facts.spent is None or facts.percent is None:
            lines.append(t.gettext("Spent: unknown · limit {limit}", limit=limit))
        else:
            spent = t.gettext(
                "Spent: {spent} · limit {limit} ({percent}%)",
                spent=figures.short(facts.spent, t),
                limit=limit,
                percent=t.number(facts.percent),
            )
            sure = [t.state(facts.state)] if facts.state is not None else []
            known = [t.gettext("as of {time}", time=t.moment(facts.spent_at))] if facts.spent_at is not None else []
            lines.append(" · ".join([spent, *sure, *known]))
    if facts.period_end is not None:
        lines.append(t.gettext("The period ends {time} {zone}", time=t.moment(facts.period_end), zone=_zone(facts, t)))
    return "\n".join(lines)


def _way(facts: ApprovalFacts, draft: ApprovalDraft, t: Translator) -> kit.Block:
    until = t.gettext(
        "Until {time} {zone}, when the charge day ends", time=t.moment(facts.day_end), zone=_zone(facts, t)
    )
    options = [kit.option(t.gettext("Allow until the end of the day"), ApprovalWay.END_OF_DAY.value, until)]
    if facts.limit is None:
        options.append(kit.option(t.gettext("Allow until a time"), ApprovalWay.AMOUNT.value))
    else:
        said = t.gettext("Until the amount or the time below, whichever comes first")
        options.append(kit.option(t.gettext("Allow a further amount"), ApprovalWay.AMOUNT.value, said))
        said = t.gettext("The new limit below holds from now on")
        options.append(kit.option(t.gettext("Change the budget"), ApprovalWay.BUDGET.value, said))
    chosen = next((entry for entry in options if entry["value"] == draft.way), options[0])
    element: kit.Block = {"type": "radio_buttons", "options": options, "initial_option": chosen}
    return kit.input_block(ids.APPROVE_WAY, t.gettext("How it may go on"), element)


def _amount(draft: ApprovalDraft, t: Translator) -> kit.Block:
    hint = t.gettext("Only for a further amount: US dollars on top of what is spent now.")
    element = kit.typed(kit.AMOUNT, draft.amount, t.gettext("for example: 100"))
    return kit.input_block(ids.APPROVE_AMOUNT, t.gettext("Further amount"), element, hint=hint, is_optional=True)


def _until(facts: ApprovalFacts, draft: ApprovalDraft, t: Translator) -> kit.Block:
    initial = int((draft.until or facts.day_end).timestamp())
    element: kit.Block = {"type": "datetimepicker", "initial_date_time": initial}
    if facts.limit is None or facts.period_end is None:
        hint = t.gettext("Only if a time is chosen above.")
    else:
        hint = t.gettext("Only for a further amount: no later than the end of the period.")
    return kit.input_block(ids.APPROVE_UNTIL, t.gettext("Until"), element, hint=hint, is_optional=True)


def _limit(draft: ApprovalDraft, t: Translator) -> kit.Block:
    hint = t.gettext("Only for changing the budget: the whole limit, in US dollars.")
    element = kit.typed(kit.AMOUNT, draft.limit, t.gettext("for example: 800"))
    return kit.input_block(ids.APPROVE_LIMIT, t.gettext("New limit"), element, hint=hint, is_optional=True)


def _restops(draft: ApprovalDraft, t: Translator) -> kit.Block:
    said = t.gettext("Not for a changed budget, nor at a period's end where nothing was stopped.")
    option = kit.option(t.gettext("Stop again by itself when it ends"), _RESTOPS, said)
    element: kit.Block = {"type": "checkboxes", "options": [option]}
    if draft.restops:
        element["initial_options"] = [option]
    return kit.input_block(ids.APPROVE_RESTOPS, t.gettext("When it ends"), element, is_optional=True)


def _zone(facts: ApprovalFacts, t: Translator) -> str:
    return t.zone_name(facts.day_end)
