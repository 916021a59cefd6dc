"""Crossings: what the present amount does to an incident. Each level speaks once in a period, whatever amounts do.

- Only a level above the highest one recorded (`Incident.level`) is ever new: amounts that fall and rise again, a lower
  limit and other levels never make a level speak twice. More spending never means fewer crossings. A higher limit is a
  new agreement: its levels that are not reached yet speak, each once, as those of any limit do.
- Several levels reached at once are one crossing, which names the highest and lists all.
- Levels below 75 per cent are quiet (`budgets.is_loud`): their lines wait for the root message, which the first loud
  crossing posts. From then on the root always shows the present.
- While silenced, crossings are recorded and not said. When silence ends and a loud level rose meanwhile, one loud
  summary says it.
- A period that is over keeps the limit and the levels it ended with: what is changed afterwards is of the next one.
- A budget that comes back within the period it was closed in goes on with the same incident: at once where it was
  closed for nothing but the budget's absence and a level is reached, else at a level it has not told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from finops.budgets import WHOLE, BudgetOn, is_loud, period_of, reached
from finops.estimates import Spent
from finops.frozen import frozen
from finops.incidents import (
    Change,
    EventKind,
    Fact,
    Incident,
    IncidentEvent,
    IncidentState,
    budget_changed,
    change_of,
    end_silence,
    facts_of,
    seen,
    speaking_state,
)
from finops.money import Money
from finops.periods import charge_day, starts_at


@frozen
class Context:
    """What is known around an amount when it is looked at.

    `since` is when unusual burning began, None when it is not unusual. `detected_at` is when we saw the amount (None:
    now), `available_at` when the provider could first have told it. `channel_id` is for scopes without a channel.
    `comes_back`: a closed incident was closed because its budget did not work, and it works again.
    """

    usual: Money | None = None
    burn_per_minute: Money | None = None
    since: datetime | None = None
    detected_at: datetime | None = None
    available_at: datetime | None = None
    channel_id: str | None = None
    comes_back: bool = False


def evaluate(incident: Incident | None, on: BudgetOn, spent: Spent, context: Context, now: datetime) -> Change | None:
    """What the present amount changes, or None when nothing does: the same facts twice change nothing twice.

    `incident` is the one of this budget and scope in the period of `now`, whatever its state, and None when there is
    none; or one whose period is over, for a last look before `close`. `spent` is of its period. Without a root message
    an incident is left as of its last crossing: there is nothing to show the present in.
    """
    if incident is None:
        return _opened(on, spent, context, now) if reached(on.budget, spent.amount) else None
    place = (incident.budget_id, incident.period, incident.scope_kind, incident.scope_id)
    if place != (on.budget.id, on.budget.period, on.scope.kind, on.scope.id):
        raise ValueError(
            f"incident {incident.id} is not of budget {on.budget.id} by the {on.budget.period} on {on.scope}"
        )
    if incident.is_over(now):
        on = _as_it_ended(incident, on)
    levels = _news(incident, on, spent, now)
    if incident.state is not IncidentState.CLOSED:
        return _moved(incident, on, spent, context, levels, now)
    if incident.is_over(now):
        return None
    state = speaking_state(incident, incident.silenced_until)
    again = replace(incident, state=state, closed_at=None, updated_at=now)
    change = _moved(again, on, spent, context, levels, now)
    if change is not None and any(event.kind is EventKind.CROSSED for event in change.events):
        return change
    goes_on = context.comes_back and incident.has_root and reached(on.budget, spent.amount)
    return (change or change_of(incident, again)) if goes_on else None


def _as_it_ended(incident: Incident, on: BudgetOn) -> BudgetOn:
    """The budget by the limit its period ended with: another one is agreed for what comes, and says nothing of it."""
    if not _is_changed_since(incident, on):
        return on
    return replace(on, budget=replace(on.budget, amount=incident.limit))


def _is_changed_since(incident: Incident, on: BudgetOn) -> bool:
    return on.budget.updated_at >= starts_at(incident.window.end)


def _news(incident: Incident, on: BudgetOn, spent: Spent, now: datetime) -> tuple[int, ...]:
    """The levels that are reached and have to be recorded, ascending.

    One that was kept for the thread is news where the budget's levels have come to make it loud: nobody heard of it.
    After the period news is what its last minutes reached; levels that were chosen since are of the next one.
    """
    found = reached(on.budget, spent.amount)
    fresh = tuple(level for level in found if level > incident.level)
    if incident.is_over(now) and _is_changed_since(incident, on):
        known = reached(on.budget, incident.spent)
        return tuple(level for level in fresh if level not in known)
    is_unheard = not incident.has_root and incident.silenced_until is None
    if not fresh and is_unheard and found and is_loud(on.budget, found[-1]):
        return found[-1:]
    return fresh


def _opened(on: BudgetOn, spent: Spent, context: Context, now: datetime) -> Change:
    before = Incident(
        id=None,
        workspace_id=on.budget.workspace_id,
        budget_id=on.budget.id,
        scope_kind=on.scope.kind,
        scope_id=on.scope.id,
        period=on.budget.period,
        window=period_of(on.budget.period, charge_day(now)),
        state=IncidentState.OPEN,
        level=0,
        spoken_level=0,
        limit=on.budget.amount,
        spent=spent.amount,
        spent_state=spent.state,
        usual=context.usual,
        burn_per_minute=context.burn_per_minute,
        since=context.since or now,
        opened_at=now,
        updated_at=now,
        as_of=spent.as_of or now,
        detected_at=context.detected_at or now,
        available_at=context.available_at,
        channel_id=_channel(on, context),
    )
    after, crossed = _crossed(before, on, context, reached(on.budget, spent.amount), now)
    return change_of(before, after, crossed)


def _moved(
    incident: Incident, on: BudgetOn, spent: Spent, context: Context, levels: tuple[int, ...], now: datetime
) -> Change | None:
    present = _present(incident, on, spent, context)
    same_limit = incident.limit == on.budget.amount
    has_run_out = incident.silenced_until is not None and not incident.is_silent(now)
    if same_limit and not levels and not has_run_out:
        is_shown = all(getattr(incident, name) == value for name, value in present.items())
        if is_shown or not incident.has_root:
            return None
    after = replace(incident, **present, updated_at=now)
    events: list[IncidentEvent] = []
    if not same_limit:
        changed = budget_changed(after, on, now, incident.spent)
        after = changed.incident
        events.extend(changed.events)
        levels = _news(after, on, spent, now)
    if levels:
        after, crossed = _crossed(after, on, context, levels, now)
        events.append(crossed)
    if has_run_out:
        # After the crossing, which was still kept back: one summary tells all of it.
        ended = end_silence(after, on, now)
        after = ended.incident
        events.extend(ended.events)
    return change_of(incident, after, *events)


def _present(incident: Incident, on: BudgetOn, spent: Spent, context: Context) -> dict[str, Any]:
    """What the root message shows, by field of the incident."""
    return {
        **seen(incident, spent),
        "usual": context.usual,
        "burn_per_minute": context.burn_per_minute,
        "since": context.since or incident.since,
        "channel_id": _channel(on, context),
    }


def _crossed(
    incident: Incident, on: BudgetOn, context: Context, levels: tuple[int, ...], now: datetime
) -> tuple[Incident, IncidentEvent]:
    is_said = incident.silenced_until is None
    level = levels[-1]
    loud = is_said and is_loud(on.budget, level)
    after = replace(
        incident,
        level=level,
        spoken_level=level if loud else incident.spoken_level,
        detected_at=context.detected_at or now,
        available_at=context.available_at,
    )
    values: dict[str, Fact] = {"level": level, "levels": list(levels), **facts_of(after)}
    # One word for each level of each limit, whoever looks and however often a limit goes up and down.
    key = f"crossed:{level}:{on.budget.amount.amount.normalize():f}"
    return after, IncidentEvent(EventKind.CROSSED, now, key, values, loud, is_said)


def _channel(on: BudgetOn, context: Context) -> str | None:
    return on.budget.channel_id or (on.team.channel_id if on.team else None) or context.channel_id


def reached_at(events: Iterable[IncidentEvent], limit: Money) -> datetime | None:
    """When the whole of this limit was reached, as far as an event of its incident says so."""
    for one in events:
        level = one.values.get("level")
        if one.kind is not EventKind.CROSSED or not isinstance(level, int) or level < WHOLE:
            continue
        if Money(Decimal(str(one.values["limit"])), str(one.values["currency"])) == limit:
            return one.at
    return None
