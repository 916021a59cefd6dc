"""Reminding: who acknowledged an alert is asked once, then it opens by itself; whichever replica looks first."""

from __future__ import annotations

import logging
from datetime import datetime

from bot import telling
from bot.desk import Desk
from bot.incident_scopes import Whose, recipients_of, whose
from bot.incidents_held import held_elsewhere
from bot.people import lead_of
from finops.incidents import Change, EventKind, Incident
from finops.periods import minute_of, moment_of
from finops.reminding import GOES_ON, Beside, follow_up, is_waited_out
from finops.stops import StopState
from storage import Store
from storage.errors import Conflict

log = logging.getLogger(__name__)


class Reminding:
    """Looks after incidents that somebody acknowledged and whose spending goes on all the same."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def everywhere(self) -> int:
        """Look in every workspace; how many incidents changed."""
        if not self._desk.policy.remind_after:
            return 0
        async with self._desk.storage.reading() as store:
            workspaces = await store.workspaces.all()
        return sum([await self.look(one.id) for one in workspaces])

    async def look(self, workspace_id: str) -> int:
        """Remind of what is due in a workspace, or open it again; how many incidents changed.

        Decided within the transaction that keeps it, on the incident as it stands then: looking twice, or twice at
        once, says nothing twice.
        """
        wait, now = self._desk.policy.remind_after, self._desk.now()
        if not wait:
            return 0
        async with self._desk.storage.reading() as store:
            open_ones = await store.incidents.open_ones(workspace_id)
            waited = [one for one in open_ones if is_waited_out(one, wait, now)]
            due = [one for one in waited if await self._decided(store, one, now) is not None]
        done = 0
        for one in due:
            try:
                async with self._desk.storage.writing() as store:
                    done += await self._followed_up(store, one)
            except Conflict:
                continue  # somebody was first: the next look sees what they decided
        if done:
            self._desk.wake_outbox.set()
        return done

    async def _followed_up(self, store: Store, seen: Incident) -> bool:
        now = self._desk.now()
        incident = await store.incidents.get(seen.workspace_id, seen.id or 0)
        change = None if incident is None else await self._decided(store, incident, now)
        if incident is None or incident.id is None or change is None:
            return False
        # The row alone does not tell two who look in one moment apart: the name of what happened does.
        if not all([await store.incidents.add_event(seen.workspace_id, incident.id, one) for one in change.events]):
            return False
        found = await whose(store, incident.workspace_id, incident.scope_kind, incident.scope_id)
        people = await recipients_of(store, incident.workspace_id, found)
        is_open_again = any(event.kind is EventKind.UNACKNOWLEDGED for event in change.events)
        # Its buttons return at once, with the line that says so.
        await telling.keep(store, change, incident, people, now, is_prompt=is_open_again)
        log.info("acknowledgement followed up", extra={"incident_id": incident.id, "is_open_again": is_open_again})
        return True

    async def _decided(self, store: Store, incident: Incident, now: datetime) -> Change | None:
        wait, workspace_id = self._desk.policy.remind_after, incident.workspace_id
        if incident.id is None or not is_waited_out(incident, wait, now):
            return None
        found = await whose(store, workspace_id, incident.scope_kind, incident.scope_id)
        beside = await _beside(store, incident, found)
        return follow_up(incident, await store.incidents.events(workspace_id, incident.id), beside, wait, now)


async def _beside(store: Store, incident: Incident, found: Whose) -> Beside:
    """What is known beside the incident; who is held by another alert is no more to be acted on than its own."""
    assert incident.id is not None
    stop = await store.stops.of_incident(incident.workspace_id, incident.id)
    is_asked = stop is not None and stop.state is StopState.ASKED
    elsewhere = await held_elsewhere(store, incident, found)
    return Beside(
        last_spent=await _last_spent(store, incident, found),
        acted_at=None if stop is None else stop.updated_at,
        is_held=is_asked or (elsewhere is not None and elsewhere.speaks),
        lead=await lead_of(store, incident.workspace_id, None if found.team is None else found.team.lead_user_id),
    )


async def _last_spent(store: Store, incident: Incident, found: Whose) -> datetime | None:
    """When the newest minute began that cost something, or whose price nobody knows; as far back as it matters."""
    if found.accounts is not None and not found.accounts:
        return None
    since = minute_of(incident.as_of - GOES_ON)
    newest = await store.usage.newest_spent(incident.workspace_id, since, found.accounts)
    return None if newest is None else moment_of(newest)
