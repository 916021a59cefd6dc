"""The words of stops that several places share: who and when, what is held, what went wrong, what was saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from blocks import figures, kit
from blocks.stop_gone import denied_words, gone_words, is_denied
from blocks.stop_unseen import unseen_words
from finops.budget_report import OPERATOR
from finops.figures import Scope
from finops.holds import FINAL, Hold, HoldTrouble
from finops.incidents import IncidentState, instant_of
from finops.levers import Lever
from finops.losses import Saved
from finops.money import Money
from finops.queries import ScopeKind
from finops.stop_report import StopShown
from finops.stops import ApprovalWay, Pending, StopEvent, StopEventKind, StopState
from locales import Translator

REASON = 300
# What the event of an unproved stop holds when usage could not be seen at all.
UNSEEN = "usage_unseen"
_CENTS = Decimal(100)


def trouble_of(hold: Hold, t: Translator) -> str:
    """`failed (OpenAI does not answer, trying again)`, as plain text."""
    if hold.trouble is None:
        return t.gettext("failed")
    if is_denied(hold):
        return denied_words(t, is_wanted=hold.is_wanted)
    why = trouble_words(hold.trouble, t)
    if hold.is_active and (hold.trouble not in FINAL or not hold.is_wanted):
        why = t.gettext("{why}, trying again", why=why)
    if hold.is_active and not hold.is_wanted:
        return t.gettext("not put back yet ({why})", why=why)
    return t.gettext("failed ({why})", why=why)


def trouble_words(trouble: HoldTrouble, t: Translator) -> str:
    """Why a lever does not come on, in a few words."""
    return _TROUBLES[trouble](t)


def help_with(trouble: HoldTrouble, t: Translator) -> str | None:
    """What a person can do about it; None where nothing but waiting helps."""
    if trouble is HoldTrouble.NO_RIGHT:
        return t.gettext(
            "The team's lead or an admin registers an Admin key with the permission `api.management.write` "
            "(`/finops key`), then try again."
        )
    if trouble in (HoldTrouble.NO_KEY, HoldTrouble.KEY_REJECTED):
        return t.gettext("The team's lead or an admin registers a valid Admin key (`/finops key`), then try again.")
    return None


def zero_words(
    lever: Lever, leak: Money | None, last: datetime | None, shown: StopShown, t: Translator, unpriced: int = 0
) -> list[str]:
    """`$1.84 more after the request · 0 since 14:09`. Under a gentler lever only what it refuses has ended."""
    if lever is Lever.STOP:
        if last is None and leak is not None and not leak.amount and not unpriced:
            return [leak_words(leak, t)]  # that there was none since the request is the same
        zero = t.gettext("0 since {time}", time=when(last, shown, t)) if last else t.gettext("0 since the request")
        return [leak_words(leak, t, unpriced), zero]
    since = last or shown.stop.requested_at
    ended = _ENDED[lever](when(since, shown, t), t)
    return [ended, t.gettext("other spending goes on")]


def leak_words(leak: Money | None, t: Translator, unpriced: int = 0) -> str:
    """What was spent all the same, and how many calls of it (`unpriced`) have no known price. Unknown is no zero."""
    if leak is None:
        return t.gettext("spending after the request unknown")
    if not leak.amount and unpriced > 0:
        return t.ngettext(
            "spending after the request unknown: nobody knows the price of {count} call",
            "spending after the request unknown: nobody knows the price of {count} calls",
            unpriced,
        )
    if not leak.amount:
        return t.gettext("nothing more spent after the request")
    said = t.gettext("{amount} more spent after the request", amount=figures.short(leak, t))
    if unpriced <= 0:
        return said
    return t.ngettext(
        "{leak} (without {count} call whose price is unknown)",
        "{leak} (without {count} calls whose price is unknown)",
        unpriced, leak=said,
    )  # fmt: skip


def unpriced_of(values: Mapping[str, object]) -> int:
    """How many calls without a known price an event tells of."""
    found = values.get("unpriced")
    return found if isinstance(found, int) else 0


def usage_words(
    values: Mapping[str, object], time: Callable[[datetime], str], t: Translator, lever: Lever = Lever.STOP
) -> str:
    """What usage says against a lever; `values` are those of an UNPROVED event, `time` says an instant among them."""
    if values.get("reason") == UNSEEN:
        return unseen_words(values, time, t)
    return _GOES_ON[lever](t)


def unproved_label(lever: Lever, reason: str, t: Translator) -> str:
    """That a lever did not end the spending, or that nobody can tell."""
    return t.gettext("Stop not confirmed") if reason == UNSEEN else UNPROVED[lever](t)


def changed_by(event: StopEvent, shown: StopShown, t: Translator) -> str:
    """Who changed it elsewhere and when, or that the provider does not record who; plain text.

    Nobody, where the project itself is gone.
    """
    if event.values.get("trouble") == HoldTrouble.PROJECT_GONE:
        return gone_words(t)
    at = instant_of(event.values.get("at"))
    by = event.values.get("by")
    if by:
        who = kit.bare(str(by))
        if at is not None:
            return t.gettext("{person} changed the setting at OpenAI · {time}", person=who, time=when(at, shown, t))
        return t.gettext("{person} changed the setting at OpenAI", person=who)
    return t.gettext("the setting was changed at OpenAI, which does not record by whom")


def former_words(hold: Hold, t: Translator, *, is_kept: bool = False) -> str:
    """What stands at the provider again: `the former limit $1,000 as it was`; plain text."""
    if is_kept:
        return t.gettext("what somebody changed at OpenAI meanwhile was left as it is")
    if hold.former is None:  # let go of before anything was written: what stood there, nobody has read
        return t.gettext("nothing had been changed at OpenAI yet")
    if hold.lever is Lever.SLOW:
        return t.gettext("the former rate limits as they were")
    if hold.lever is Lever.CHEAP:
        return t.gettext("the former choice of models as it was")
    limit = former_limit(hold)
    if limit is None:
        return t.gettext("no limit, as before")
    return t.gettext("the former limit {amount} as it was", amount=figures.decided(limit, t))


def former_limit(hold: Hold) -> Money | None:
    """The project's own limit before the stop; None: it had none. The provider counts in cents."""
    former = (hold.former or {}).get("spend_limit")
    cents = former.get("threshold_amount") if isinstance(former, dict) else None
    if not isinstance(former, dict) or not isinstance(cents, int):
        return None
    return Money(Decimal(cents) / _CENTS, str(former.get("currency") or "USD"))


def allowance(until: datetime | None, ceiling: Money | None, shown: StopShown, t: Translator) -> list[str]:
    """Until when and up to which amount; plain text."""
    found = []
    if ceiling is not None:
        found.append(t.gettext("up to {amount}", amount=figures.short(ceiling, t)))
    if until is not None:
        found.append(t.gettext("until {time} {zone}", time=when(until, shown, t), zone=t.zone_name(until)))
    return found


def end_words(until: datetime | None, shown: StopShown, t: Translator) -> str:
    """What comes after an allowance that ends in a stop; plain text.

    Where nothing was stopped before, nothing is at the end of the period: the next one has a limit of its own.
    """
    if not shown.stop.turn and until is not None and until == shown.window_end:
        return t.gettext("stopped by itself if that is spent before")
    return t.gettext("then stopped again by itself")


def pending_words(pending: Pending, shown: StopShown, t: Translator) -> str:
    """`Waiting for approval · asked by 이지훈 · another approver has to agree`, as mrkdwn."""
    wish = [way_name(pending.way, t), *allowance(pending.until, pending.amount, shown, t)]
    return t.gettext(
        "*⏳ Waiting for approval* · asked by {person} · {wish} · another approver has to agree",
        person=kit.escape(actor(pending.by, shown, t)),
        wish=kit.escape(", ".join(wish)),
    )


def way_name(way: ApprovalWay, t: Translator) -> str:
    """How somebody lets spending go on, as a noun."""
    return _WAYS[way](t)


def lever_name(lever: Lever, t: Translator) -> str:
    """What a lever is called where it is chosen."""
    return _LEVERS[lever](t)


def saved_words(saved: Saved | None, t: Translator) -> str | None:
    """`Loss avoided, estimated: $180 to $260`, of what still holds so far and ahead; None where it cannot be said."""
    if saved is None or saved.high.amount <= 0:
        return None
    if saved.is_over:
        return range_words(saved.low, saved.high, t)
    return t.gettext(
        "Loss avoided, estimated: at least {low} so far, up to {high} if it stays stopped until {time}",
        low=figures.short(saved.low, t),
        high=figures.short(saved.high, t),
        time=t.moment(saved.until),
    )


def range_words(low: Money, high: Money, t: Translator) -> str:
    """A loss avoided is a range: one number would pretend to know."""
    first, last = figures.short(low, t), figures.short(high, t)
    if first == last:
        return t.gettext("Loss avoided, estimated: about {amount}", amount=last)
    return t.gettext("Loss avoided, estimated: {low} to {high}", low=first, high=last)


def request_line(shown: StopShown, t: Translator) -> str:
    """Who asked for it when, and why, as mrkdwn."""
    stop = shown.stop
    by = actor(stop.requested_by, shown, t)
    if stop.requested_by is None and _is_of_allowance(shown):
        by = t.gettext("the end of an allowance")
    said = t.gettext(
        "Requested: {person} · {time}",
        person=kit.escape(by),
        time=exact(stop.requested_at, shown, t),
    )
    if not stop.reason.strip():
        return said
    return f"{said} · {reason_words(stop.reason, t)}"


def _is_of_allowance(shown: StopShown) -> bool:
    """Whether it is stopped because what somebody allowed is over: its budget may stop nothing by itself."""
    begun = [one.kind for one in shown.events if one.kind in (StopEventKind.REQUESTED, StopEventKind.ALLOWANCE_ENDED)]
    return begun[-1:] == [StopEventKind.ALLOWANCE_ENDED]


def reason_words(reason: str, t: Translator) -> str:
    """Why somebody asked for it, as typed, on one line; as mrkdwn."""
    return t.gettext("Reason: {reason}", reason=kit.name(reason, REASON))


def over_line(shown: StopShown, t: Translator) -> str:
    """That it is over, and when; as mrkdwn."""
    ended = shown.stop.closed_at or shown.stop.updated_at
    return t.gettext("✅ The stop is over · {time}", time=when(ended, shown, t))


def cause_line(text: str, by: str | None, shown: StopShown, t: Translator) -> str:
    """The pinned explanation, as mrkdwn."""
    cause = kit.name(text, REASON)
    if by is None:
        return t.gettext("Cause: {cause}", cause=cause)
    return t.gettext("Cause: {cause} · {person}", cause=cause, person=kit.escape(actor(by, shown, t)))


def what(shown: StopShown, t: Translator) -> str:
    """Which projects, as plain text: the name of one, the number of several."""
    holds = shown.current
    if len(holds) == 1:
        return kit.bare(holds[0].name)
    if holds:
        return projects_count(len(holds), t)
    if shown.scope.kind is not ScopeKind.PROJECT:
        return t.gettext("all projects")  # whose they are is said beside it
    return figures.scope_name(shown.scope, t)


def who(shown: StopShown, t: Translator) -> str:
    """Who is addressed, as plain text: the team, else the scope itself."""
    return kit.bare(shown.team.name) if shown.team is not None else figures.scope_name(shown.scope, t)


def projects_count(count: int, t: Translator) -> str:
    return t.ngettext("{count} project", "{count} projects", count)


def stranger_words(name: str, t: Translator) -> str:
    """That who spends most is out of reach, and the way to reach them; as mrkdwn."""
    return t.gettext(
        "Most of it is spent by *{project}*, which is not registered here or is left out of collecting, so it cannot "
        "be stopped from here. Register or include it first: `/finops project`.",
        project=kit.name(name),
    )


def unreached_words(name: str, t: Translator) -> str:
    """The same of a project beside those that are held; as mrkdwn."""
    return t.gettext(
        "• *{project}*  🚨 goes on and cannot be stopped from here: not registered, or left out of collecting "
        "(`/finops project`)",
        project=kit.name(name),
    )


def target_of(scope: Scope) -> str | None:
    """What a button carries to stop this scope (again); None where only an incident can."""
    return f"{scope.kind.value}:{scope.id}" if scope.kind is not ScopeKind.WORKSPACE and scope.id else None


def actor(user_id: str | None, shown: StopShown, t: Translator) -> str:
    """Who did something, by name, as plain text: a mention would ring them about their own click.

    None is the budget's own rule.
    """
    if user_id is None:
        return t.gettext("the budget's rule")
    if user_id == OPERATOR:
        return t.gettext("an operator")
    found = shown.names.get(user_id)
    return kit.bare(found) if found else t.gettext("somebody")


def approvers(shown: StopShown, t: Translator) -> str | None:
    """Who let spending go on, by name, as plain text: both where one asked and another agreed. None: nobody yet."""
    if shown.stop.approved_by is None:
        return None
    second = actor(shown.stop.approved_by, shown, t)
    given = next((one for one in reversed(shown.events) if one.kind is StopEventKind.APPROVED), None)
    asked_by = given.values.get("asked_by") if given is not None else None
    if not asked_by:
        return second
    return t.gettext("asked by {first}, agreed by {second}", first=actor(str(asked_by), shown, t), second=second)


def people(user_ids: Sequence[str], t: Translator) -> str:
    """Whom to ask, as mentions, at most five: for a window or an answer that one person reads."""
    return kit.mentions(user_ids) or t.gettext("an admin")


def when(instant: datetime, shown: StopShown, t: Translator) -> str:
    """The time of day; with its date unless it is of the one day on which the message was begun and last told."""
    return t.clock(instant) if _is_today(instant, shown, t) else t.moment(instant)


def exact(instant: datetime, shown: StopShown, t: Translator) -> str:
    """The same to the second: for what somebody did, and what it did at once."""
    return t.exact_clock(instant) if _is_today(instant, shown, t) else t.moment(instant)


def _is_today(instant: datetime, shown: StopShown, t: Translator) -> bool:
    """Not where it is over, for what is over stays as it is and is read on any day."""
    stop, incident = shown.stop, shown.incident
    told = [instant, stop.requested_at, stop.updated_at, *([shown.told_at] if shown.told_at is not None else [])]
    if incident is not None:
        told += [incident.opened_at, incident.updated_at]
    is_over = stop.state is StopState.CLOSED or (incident is not None and incident.state is IncidentState.CLOSED)
    return not is_over and len({at.astimezone(t.zone).date() for at in told}) == 1


REQUESTED: dict[Lever, Callable[[Translator], str]] = {
    Lever.STOP: lambda t: t.gettext("Stop requested"),
    Lever.SLOW: lambda t: t.gettext("Slow-down requested"),
    Lever.CHEAP: lambda t: t.gettext("Cheap models only: requested"),
}
HELD: dict[Lever, Callable[[Translator], str]] = {
    Lever.STOP: lambda t: t.gettext("Stopped"),
    Lever.SLOW: lambda t: t.gettext("Slowed down"),
    Lever.CHEAP: lambda t: t.gettext("On cheap models only"),
}
PROVED: dict[Lever, Callable[[Translator], str]] = {
    Lever.STOP: lambda t: t.gettext("Stop confirmed"),
    Lever.SLOW: lambda t: t.gettext("Slow-down confirmed"),
    Lever.CHEAP: lambda t: t.gettext("Cheap models only: confirmed"),
}
UNPROVED: dict[Lever, Callable[[Translator], str]] = {
    Lever.STOP: lambda t: t.gettext("Not stopped"),
    Lever.SLOW: lambda t: t.gettext("Not slowed down"),
    Lever.CHEAP: lambda t: t.gettext("Not limited to cheap models"),
}
FAILED: dict[Lever, Callable[[Translator], str]] = {
    Lever.STOP: lambda t: t.gettext("Could not be stopped"),
    Lever.SLOW: lambda t: t.gettext("Could not be slowed down"),
    Lever.CHEAP: lambda t: t.gettext("Could not be limited to cheap models"),
}
SET: dict[Lever, Callable[[str, Translator], str]] = {
    Lever.STOP: lambda time, t: t.gettext("limit of one cent set {time}", time=time),
    Lever.SLOW: lambda time, t: t.gettext("limit of calls set {time}", time=time),
    Lever.CHEAP: lambda time, t: t.gettext("choice of models set {time}", time=time),
}
_ENDED: dict[Lever, Callable[[str, Translator], str]] = {
    Lever.SLOW: lambda time, t: t.gettext("no calls above the usual pace since {time}", time=time),
    Lever.CHEAP: lambda time, t: t.gettext("no calls of other models since {time}", time=time),
}
_GOES_ON: dict[Lever, Callable[[Translator], str]] = {
    Lever.STOP: lambda t: t.gettext("usage goes on"),
    Lever.SLOW: lambda t: t.gettext("calls above the usual pace go on"),
    Lever.CHEAP: lambda t: t.gettext("calls of other models go on"),
}
_LEVERS: dict[Lever, Callable[[Translator], str]] = {
    Lever.STOP: lambda t: t.gettext("Stop spending"),
    Lever.SLOW: lambda t: t.gettext("Slow down"),
    Lever.CHEAP: lambda t: t.gettext("Cheap models only"),
}
_WAYS: dict[ApprovalWay, Callable[[Translator], str]] = {
    ApprovalWay.END_OF_DAY: lambda t: t.gettext("allow until the end of the day"),
    ApprovalWay.AMOUNT: lambda t: t.gettext("allow an amount"),
    ApprovalWay.BUDGET: lambda t: t.gettext("change the budget"),
    ApprovalWay.RESTORE: lambda t: t.gettext("restore without condition"),
}
_TROUBLES: dict[HoldTrouble, Callable[[Translator], str]] = {
    HoldTrouble.NO_RIGHT: lambda t: t.gettext("no right to stop"),
    HoldTrouble.NO_KEY: lambda t: t.gettext("no usable Admin key"),
    HoldTrouble.KEY_REJECTED: lambda t: t.gettext("OpenAI rejects the Admin key"),
    HoldTrouble.PROJECT_GONE: lambda t: t.gettext("OpenAI says that there is no such project"),
    HoldTrouble.REFUSED: lambda t: t.gettext("OpenAI refused the change"),
    HoldTrouble.UNAVAILABLE: lambda t: t.gettext("OpenAI does not answer"),
    HoldTrouble.RATE_LIMITED: lambda t: t.gettext("OpenAI asks us to slow down"),
    HoldTrouble.UNEXPECTED: lambda t: t.gettext("OpenAI's answer is not understood"),
}
