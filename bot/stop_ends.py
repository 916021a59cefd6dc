"""Ends: allowances that run out, wishes that nobody agreed to in time, and stops whose day after the restore is over.

Whichever replica looks first ends them, once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot import telling
from bot.desk import Desk
from bot.incident_scopes import whose
from bot.picture import Account, account_of, money_of
from bot.spending import Spending
from bot.stop_keeping import audience, keep
from bot.stop_savings import saved_by
from finops.holds import Hold, leaked
from finops.incidents import CloseReason, Incident, IncidentState, change_of, close
from finops.money import Money
from finops.periods import minute_of
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stop_second import has_lapsed, lapsed, unanswered
from finops.stopping import allowance_ended, allowance_is_over, closed, is_to_be_closed, latest, outlives, period_over
from finops.stops import Stop, StopState
from storage import Store
from storage.errors import Conflict

log = logging.getLogger(__name__)


class StopEnds:
    """Ends what ends by itself: by the clock, or by the amount that was agreed on."""

    def __init__(self, desk: Desk, spending: Spending) -> None:
        self._desk = desk
        self._spending = spending

    async def everywhere(self) -> int:
        """Look in every workspace."""
        async with self._desk.storage.reading() as store:
            workspaces = await store.workspaces.all()
        return sum([await self.look(one.id) for one in workspaces])

    async def look(self, workspace_id: str) -> int:
        """End what has come to its end in a workspace; how many stops changed. Looking twice changes nothing twice."""
        async with self._desk.storage.reading() as store:
            active = await store.stops.active(workspace_id)
            ending = [one for one in active if await self._is_ending(store, one)]
        done = 0
        for one in ending:
            try:
                async with self._desk.storage.writing() as store:
                    done += await self._ended(store, one)
            except Conflict:
                continue  # somebody was first: the next look sees what they decided
        if done:
            self._desk.wake_stops.set()
            self._desk.wake_outbox.set()
            log.info("stops ended", extra={"workspace_id": workspace_id, "count": done})
        return done

    async def _is_ending(self, store: Store, stop: Stop) -> bool:
        now = self._desk.now()
        if has_lapsed(stop, now) or is_to_be_closed(stop, now):
            return True
        incident = await _incident_of(store, stop)
        if incident is not None and _is_past(stop, incident, now):
            return True
        if stop.state is not StopState.ALLOWED:
            return False
        return allowance_is_over(stop, await self._spent(store, stop, incident, now), now) is not None

    async def _ended(self, store: Store, seen: Stop) -> bool:
        """Decide anew within the transaction, on the stop as it stands now."""
        desk, now = self._desk, self._desk.now()
        stop = await store.stops.get(seen.workspace_id, seen.id or 0)
        if stop is None or not await self._is_ending(store, stop):
            return False
        if has_lapsed(stop, now):
            stop = await keep(desk, store, lapsed(stop, now), stop)
            if not await self._is_ending(store, stop):
                return True  # else its allowance, or its day, is over at the same moment
        incident = await _incident_of(store, stop)
        is_past = incident is not None and (_is_past(stop, incident, now) or _ends_with(stop, incident, now))
        if stop.pending is not None and (is_past or is_to_be_closed(stop, now)):
            stop = await keep(desk, store, unanswered(stop, now), stop)
        if stop.state is StopState.CLOSED:
            return True  # it was no more than the wish
        if is_to_be_closed(stop, now):
            await self._close(store, stop, incident)
        elif is_past:
            await keep(desk, store, period_over(stop, now), stop)
        else:
            return await self._after_allowance(store, stop, incident, now)
        return True

    async def _after_allowance(self, store: Store, stop: Stop, incident: Incident | None, now: datetime) -> bool:
        """What was allowed is over: what was to be stopped again is, as far as nobody else holds it."""
        reason = allowance_is_over(stop, await self._spent(store, stop, incident, now), now)
        assert reason is not None, "it is ending"
        projects, holders = await _free(store, stop) if stop.restops else ((), ())
        if not projects and any(not one.is_wanted for one in holders):
            return False  # somebody else's is just being put back: then it is taken hold of
        if projects and incident is not None and incident.state is IncidentState.CLOSED:
            # Its budget speaks no more, but what is held is shown, and put back, by its alert.
            spent, as_of = await self._seen(store, incident, await _held(store, stop))
            again = replace(
                incident, state=IncidentState.STOPPING, spent=spent, as_of=as_of, closed_at=None, updated_at=now
            )
            await telling.keep(store, change_of(incident, again), incident, await audience(store, stop), now)
        await keep(self._desk, store, allowance_ended(stop, reason, projects, now, is_held=bool(holders)), stop)
        return True

    async def _spent(self, store: Store, stop: Stop, incident: Incident | None, now: datetime) -> Money | None:
        """What an allowance is measured by: the incident's amount while its period runs, else what was used since."""
        if stop.allowed_ceiling is None:
            return None
        held = await _held(store, stop)
        if incident is not None and not outlives(stop, incident):
            return await self._spent_within(store, incident, held)
        if stop.approved_at is None:
            return None
        accounts = held or [account_of(one) for one in await _projects(store, stop)]
        rows = await store.usage.activity(stop.workspace_id, minute_of(stop.approved_at), minute_of(now), accounts)
        return money_of(sum(row.atto for row in rows))

    async def _spent_within(self, store: Store, incident: Incident, held: Sequence[Account]) -> Money:
        """The incident's amount; with that of what was held where the incident does not count it, or no longer counts.

        A budget that was switched off, or a project that was left out, ends what is told of it, not what was agreed.
        """
        scope = (await whose(store, incident.workspace_id, incident.scope_kind, incident.scope_id)).accounts
        if incident.state is not IncidentState.CLOSED and (scope is None or set(scope).issuperset(held)):
            return incident.spent
        return (await self._seen(store, incident, held))[0]

    async def _seen(self, store: Store, incident: Incident, held: Sequence[Account]) -> tuple[Money, datetime]:
        """What an incident's scope and what was held have spent in its period, and as of when that was told."""
        scope = (await whose(store, incident.workspace_id, incident.scope_kind, incident.scope_id)).accounts
        sums = (await self._spending.picture(store, incident.workspace_id, [incident.window])).sums(incident.window)
        chosen = set(sums.totals) if scope is None else {*scope, *held}
        looks = [sums.looks[one] for one in {connection_id for connection_id, _ in chosen} if one in sums.looks]
        as_of = min((look.as_of for look in looks if look.as_of is not None), default=incident.as_of)
        return money_of(sum(sums.totals.get(one, 0) for one in chosen)), max(as_of, incident.as_of)

    async def _close(self, store: Store, stop: Stop, incident: Incident | None) -> None:
        """The next day's note, and the end of its incident."""
        desk, now = self._desk, self._desk.now()
        holds = await store.stops.holds(stop.workspace_id, stop.id or 0)
        kept = await saved_by(store, stop, holds)
        leak, unpriced = leaked(holds)
        await keep(desk, store, closed(stop, kept, leak, now, unpriced), stop)
        if incident is None or incident.id is None:
            return
        present = await store.incidents.get(stop.workspace_id, incident.id)
        if present is not None and present.state is not IncidentState.CLOSED:
            change = close(present, CloseReason.RESOLVED, now)
            await telling.keep(store, change, present, await audience(store, stop), now, is_prompt=True)


async def _incident_of(store: Store, stop: Stop) -> Incident | None:
    return None if stop.incident_id is None else await store.incidents.get(stop.workspace_id, stop.incident_id)


def _is_past(stop: Stop, incident: Incident, now: datetime) -> bool:
    """Whether the period is over for which somebody let spending go on, or the alert before anybody agreed to it."""
    if incident.state is not IncidentState.CLOSED:
        return False
    return stop.state is StopState.ASKED or _ends_with(stop, incident, now)


def _ends_with(stop: Stop, incident: Incident, now: datetime) -> bool:
    """Whether an allowance ends without a word because the period does in which it was given: a new one has a new
    limit. What was stopped before, and is to be stopped again, is."""
    is_coming_back = stop.restops and stop.turn > 0
    is_within = incident.is_over(now) and not outlives(stop, incident)
    return stop.state is StopState.ALLOWED and is_within and not is_coming_back


async def outliving(store: Store, incidents: Iterable[Incident], now: datetime) -> set[int | None]:
    """Those of the incidents whose period is over while an allowance of after it runs: it is theirs to tell."""
    found: set[int | None] = set()
    for incident in incidents:
        if incident.state is IncidentState.ALLOWED and incident.id is not None and incident.is_over(now):
            stop = await store.stops.of_incident(incident.workspace_id, incident.id)
            if stop is not None and stop.state is StopState.ALLOWED and outlives(stop, incident):
                found.add(incident.id)
    return found


async def _free(store: Store, stop: Stop) -> tuple[Sequence[Project], Sequence[Hold]]:
    """The projects to take hold of again, and what somebody else holds of them by now."""
    free, holders = list[Project](), list[Hold]()
    for one in await _projects(store, stop):
        held = await store.stops.active_hold(stop.workspace_id, one.connection_id, one.provider_project_id, stop.lever)
        if held is None:
            free.append(one)
        else:
            holders.append(held)
    return free, holders


async def _held(store: Store, stop: Stop) -> list[Account]:
    """What a stop held at the provider, whoever has it by now."""
    holds = latest(await store.stops.holds(stop.workspace_id, stop.id or 0))
    return list(dict.fromkeys(map(account_of, holds)))


async def comes_back(store: Store, project: Project) -> Stop | None:
    """The stop that lets a project spend for now and was agreed to take hold of it again; None where none does."""
    for stop in await store.stops.active(project.workspace_id):
        is_agreed = stop.state is StopState.ALLOWED and stop.restops
        if is_agreed and _is_about(stop, project, await _held(store, stop)):
            return stop
    return None


async def _projects(store: Store, stop: Stop) -> Sequence[Project]:
    """The projects a stop is about, of those that are registered."""
    held = await _held(store, stop)
    return [one for one in await store.projects.all(stop.workspace_id) if _is_about(stop, one, held)]


def _is_about(stop: Stop, project: Project, held: Sequence[Account]) -> bool:
    """Whether a project is one that a stop held, another team's too; else whether it is of its scope now.

    Nobody who speaks of a team or of everything means a project that is left out of collecting.
    """
    if held:
        return account_of(project) in held
    match stop.scope_kind:
        case ScopeKind.PROJECT:
            return project.id == stop.scope_id
        case ScopeKind.TEAM:
            return project.team_id == stop.scope_id and not project.excluded
    return not project.excluded
