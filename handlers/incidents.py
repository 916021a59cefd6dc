"""Incidents: the buttons of an alert. What a click changes shows in the message itself, to everybody at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from blocks import ids, incidents
from bot.errors import Refusal, RefusalCode
from finops.stop_report import StopTarget
from handlers import approving, budgets, runbooks, stops
from handlers.teams import number
from handlers.visit import Visit

Click = Callable[[Visit, str], Awaitable[None]]


async def acknowledge(visit: Visit, value: str) -> None:
    """Somebody of the channel takes care of it."""
    await visit.bot.incidents.acknowledge(await visit.person(), number(value))


async def end_silence(visit: Visit, value: str) -> None:
    """Alerts about it again, before the chosen time is over."""
    await visit.bot.incidents.end_silence(await visit.person(), number(value), await visit.groups())


async def detail(visit: Visit, value: str) -> None:
    """The window behind the message: it opens at once and is filled with what is known now."""
    await visit.loading()
    await visit.person()
    found = await visit.bot.incidents.detail(visit.workspace_id, number(value))
    await visit.show(incidents.detail(found, await visit.words()))


async def budget(visit: Visit, value: str) -> None:
    """The window of the budget that spoke."""
    await visit.loading()
    await visit.person()
    await budgets.open_for(visit, *await visit.bot.incidents.budget_of(visit.workspace_id, number(value)))


async def feedback(visit: Visit, value: str) -> None:
    """Helpful or not: of each person the last word counts. Twice not helpful asks for better levels at once."""
    incident_id, opinion = _parted(value, incidents.OPINIONS)
    person, groups = await visit.person(), await visit.groups()
    is_helpful = opinion == incidents.OPINIONS[0]
    taken = await visit.bot.incidents.feedback(person, incident_id, groups, is_helpful=is_helpful)
    if taken.budget_id is not None:
        await budgets.open_for(visit, taken.budget_id, taken.project_id, taken.unhelpful)
    else:
        await visit.answer(incidents.thanks(await visit.words()))


# What the menu of rarer actions offers: those about the incident itself, and those about its spending.
_ITSELF: Mapping[str, Click] = {
    ids.MORE_ACKNOWLEDGE: acknowledge,
    ids.MORE_BUDGET: budget,
    ids.MORE_RUNBOOK: runbooks.put,
}
_ITS_SPENDING: Mapping[str, Click] = {
    ids.MORE_STOP: stops.ask,
    ids.MORE_APPROVE: approving.ask,
    ids.MORE_LEAD: stops.lead,
    ids.MORE_CAUSE: stops.cause,
}


async def more(visit: Visit, value: str) -> None:
    """The menu of rarer actions: the same as a button for what was chosen."""
    incident_id, choice = _parted(value, (*_ITSELF, *_ITS_SPENDING))
    if choice in _ITSELF:
        await _ITSELF[choice](visit, str(incident_id))
    else:
        await _ITS_SPENDING[choice](visit, str(StopTarget(incident_id=incident_id)))


def _parted(value: str, choices: tuple[str, ...]) -> tuple[int, str]:
    """The id and the choice of a button's value; refused when somebody sent something else."""
    incident_id, _, choice = value.partition("/")
    if choice not in choices:
        raise Refusal(RefusalCode.UNKNOWN_INCIDENT)
    return number(incident_id), choice
