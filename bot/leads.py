"""Leads: telling whoever leads a project what happens to it, and keeping what they say about why."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bot import telling
from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.incidents import Incidents
from bot.people import lead_of
from bot.spending import Spending
from bot.stop_facts import lead_name
from bot.stop_keeping import keep
from bot.stop_scopes import Aim, aim_of, stopped_of
from finops.budgets import percent_floor
from finops.charges import FigureState
from finops.figures import Scope
from finops.incidents import EventKind, IncidentState, pinned
from finops.money import Money
from finops.queries import ScopeKind
from finops.registry import Person
from finops.stop_report import LONGEST_CAUSE, LONGEST_LETTER, LeadDraft, StopTarget
from finops.stopping import cause_pinned
from finops.stops import UNDER_WAY, StopState
from storage import Store
from storage.errors import Conflict

log = logging.getLogger(__name__)

_ATTEMPTS = 4
_LETTERS = 100
_ANSWERED_WITHIN = timedelta(days=1)


class Leads:
    """The way from an incident to the person who can mend it, and back."""

    def __init__(self, desk: Desk, incidents: Incidents, spending: Spending) -> None:
        self._desk = desk
        self._incidents = incidents
        self._spending = spending

    async def draft(self, actor: Person, target: StopTarget) -> LeadDraft:
        """Facts for a message to whoever leads the project. Refused where nobody does, or the reader."""
        async with self._desk.storage.reading() as store:
            aim = await aim_of(store, actor.workspace_id, target)
            lead = await _lead_of(store, actor, aim)
            name = await lead_name(store, actor.workspace_id, lead)
            is_stopped = aim.stop is not None and aim.stop.state in UNDER_WAY
            if aim.top is not None and not is_stopped:  # maybe within another alert
                is_stopped = bool(await stopped_of(store, actor.workspace_id, [aim.top]))
            spent = await self._spent(store, aim)
        incident = aim.incident
        scope, whole = _around(aim)
        increase = cause = state = as_of = None
        if incident is not None and incident.id is not None:
            shown = await self._incidents.shown(actor.workspace_id, incident.id)
            increase, state, as_of = shown.increase, shown.spent.state, shown.spent.as_of or incident.as_of
            spender = shown.headline_project.id if shown.headline_project is not None else None
            # The cause is told of who spends most: of somebody else it says nothing.
            if aim.top is None or aim.top.id == spender:
                cause = shown.cause
        same = incident is not None and incident.spent.currency == incident.limit.currency
        return LeadDraft(
            target=target,
            lead_user_id=lead,
            lead_name=name,
            project=aim.top.name if aim.top is not None else aim.scope.name,
            spent=spent,
            limit=incident.limit if incident is not None else None,
            percent=percent_floor(incident.spent, incident.limit) if incident is not None and same else None,
            increase=increase,
            cause=cause,
            is_stopped=is_stopped,
            period=incident.period if incident is not None else None,
            window=incident.window if incident is not None else None,
            is_over=incident is not None and incident.is_over(self._desk.now()),
            scope=scope,
            whole=whole,
            state=state,
            as_of=as_of,
        )

    async def _spent(self, store: Store, aim: Aim) -> Money | None:
        """What the project alone spent in the alert's period; None where nobody can tell, or there is no alert."""
        incident = aim.incident
        if incident is None or aim.top is None or incident.scope_kind is ScopeKind.PROJECT:
            return None if incident is None else incident.spent
        picture = await self._spending.picture(store, incident.workspace_id, [incident.window])
        found = picture.spent(ScopeKind.PROJECT, aim.top.id, incident.window)
        return None if found.state is FigureState.BLIND else found.amount

    async def tell(self, actor: Person, target: StopTarget, text: str) -> None:
        """Send the text to the lead directly, through the outbox, in the actor's name."""
        said = text.strip()[:LONGEST_LETTER]
        if not said:
            raise Refusal(RefusalCode.TEXT_MISSING)
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        async with desk.storage.writing() as store:
            aim = await aim_of(store, workspace_id, target)
            lead = await _lead_of(store, actor, aim)
            await store.outbox.want(
                workspace_id,
                f"lead:{target}:{now.isoformat()}",
                telling.STOP_LEAD,
                {"target": str(target), "text": said, "by": actor.user_id},
                None,
                [lead],
                urgency=telling.URGENT,
                at=now,
                is_prompt=True,
            )
            await record(desk, store, workspace_id, actor.user_id, "lead.told", str(target), {"lead": lead})
        desk.wake_outbox.set()

    async def asked(self, workspace_id: str, user_id: str, thread_ts: str = "") -> StopTarget | None:
        """What somebody was asked about who answers in words: below the message that asked, in the thread of
        `thread_ts`, else the newest one of a day to which nobody told a cause yet. None where nobody asked.
        """
        async with self._desk.storage.reading() as store:
            told = await store.outbox.newest_of(workspace_id, telling.STOP_LEAD, _LETTERS)
            mine = [one for one in told if user_id in one.recipients and one.ts is not None]
            if thread_ts:
                mine = [one for one in mine if one.ts == thread_ts]
            else:
                mine = [one for one in mine if one.wanted_at > self._desk.now() - _ANSWERED_WITHIN]
            target = StopTarget.read(str(mine[0].subject["target"])) if mine else None
            if target is None or (not thread_ts and await _is_explained(store, workspace_id, target)):
                return None
            return target

    async def pin_cause(self, actor: Person, target: StopTarget, text: str) -> None:
        """Keep somebody's explanation with the stop, else with the incident. For everybody who can see it.

        Also where it is over: who knows why may read of it the morning after.
        """
        said = " ".join(text.split())[:LONGEST_CAUSE]
        if not said:
            raise Refusal(RefusalCode.TEXT_MISSING)
        for attempt in range(_ATTEMPTS):
            try:
                async with self._desk.storage.writing() as store:
                    await self._pinned(store, actor, target, said, self._desk.now())
                break
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
        self._desk.wake_outbox.set()

    async def _pinned(self, store: Store, actor: Person, target: StopTarget, text: str, now: datetime) -> None:
        aim = await aim_of(store, actor.workspace_id, target)
        is_alert_over = aim.incident is None or aim.incident.state is IncidentState.CLOSED
        is_stop_over = aim.stop is None or aim.stop.state is StopState.CLOSED
        if is_alert_over and is_stop_over and not await _is_told(store, actor.workspace_id, aim):
            raise Refusal(RefusalCode.INCIDENT_CLOSED)  # so long ago that its message would be posted anew
        if aim.stop is not None and (is_alert_over or not is_stop_over):
            await keep(self._desk, store, cause_pinned(aim.stop, actor.user_id, text, now), aim.stop)
            return
        assert aim.incident is not None, "its message stands"
        change = pinned(aim.incident, actor.user_id, text, now)
        people = telling.recipients(aim.top, aim.team, await store.people.admins(actor.workspace_id))
        await telling.keep(store, change, aim.incident, people, now, is_prompt=True)
        subject = f"incident:{aim.incident.id}"
        await record(
            self._desk, store, actor.workspace_id, actor.user_id, "incident.cause_pinned", subject, {"text": text}
        )


async def _is_told(store: Store, workspace_id: str, aim: Aim) -> bool:
    """Whether the message of what is over is still known, so that it can be drawn anew."""
    incident, stop = aim.incident, aim.stop
    if incident is not None and incident.id is not None and incident.has_root:
        key = telling.root_key(incident.id)
    elif stop is not None and stop.id is not None:
        key = telling.stop_key(stop.id)
    else:
        return False
    return await store.outbox.get(workspace_id, key) is not None


async def _is_explained(store: Store, workspace_id: str, target: StopTarget) -> bool:
    """Whether somebody told the cause already, of the stop or of the alert."""
    try:
        aim = await aim_of(store, workspace_id, target)
    except Refusal:
        return True  # it is gone: nothing is left to explain
    if aim.stop is not None and aim.stop.cause is not None:
        return True
    if aim.incident is None or aim.incident.id is None:
        return False
    events = await store.incidents.events(workspace_id, aim.incident.id)
    return any(event.kind is EventKind.CAUSE_PINNED for event in events)


def _around(aim: Aim) -> tuple[Scope | None, Money | None]:
    """Whose limit it is and what that spent, where it is not the project's own."""
    incident = aim.incident
    if incident is None or aim.top is None or incident.scope_kind is ScopeKind.PROJECT:
        return None, None
    name = aim.team.name if incident.scope_kind is ScopeKind.TEAM and aim.team is not None else ""
    return Scope(incident.scope_kind, incident.scope_id, name), incident.spent


async def _lead_of(store: Store, actor: Person, aim: Aim) -> str:
    """Who leads the project, else the team; refused where that is nobody, nobody any more, or whoever asks."""
    of_project = aim.top.lead_user_id if aim.top is not None else None
    lead = await lead_of(store, actor.workspace_id, of_project, aim.team.lead_user_id if aim.team is not None else None)
    if lead is None:
        raise Refusal(RefusalCode.LEAD_MISSING, project=aim.scope.name)
    if lead == actor.user_id:
        raise Refusal(RefusalCode.LEAD_IS_YOU, project=aim.top.name if aim.top is not None else aim.scope.name)
    return lead
