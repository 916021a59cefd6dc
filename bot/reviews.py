"""Reviews: what is written down when an alert is over, so that it does not happen again."""

from __future__ import annotations

from datetime import date

from bot import telling
from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.incidents import Incidents
from bot.people import lead_of
from bot.stop_facts import lead_name
from bot.stop_scopes import aim_of
from finops.registry import Person
from finops.review import LONGEST_REVIEW, Review
from finops.stop_report import StopTarget


class Reviews:
    """The draft of a review, and what became of it."""

    def __init__(self, desk: Desk, incidents: Incidents) -> None:
        self._desk = desk
        self._incidents = incidents

    async def draft(self, actor: Person, incident_id: int) -> Review:
        """Everything known of an alert that belongs into its review. Refused where there is no such alert, and where
        it is so old that nothing can be put into its thread any more.
        """
        shown = await self._incidents.shown(actor.workspace_id, incident_id)
        async with self._desk.storage.reading() as store:
            await telling.require_root(store, actor.workspace_id, incident_id)
            aim = await aim_of(store, actor.workspace_id, StopTarget(incident_id=incident_id))
            of_project = aim.top.lead_user_id if aim.top is not None else None
            of_team = aim.team.lead_user_id if aim.team is not None else None
            lead = await lead_of(store, actor.workspace_id, of_project, of_team)
            name = "" if lead is None else await lead_name(store, actor.workspace_id, lead)
        return Review(shown, lead, name)

    async def post(self, actor: Person, incident_id: int, text: str, owner: str, due: date) -> None:
        """Put a review into the thread of its alert, in the actor's name."""
        said = text.strip()[:LONGEST_REVIEW]
        if not said or not owner:
            raise Refusal(RefusalCode.TEXT_MISSING)
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        async with desk.storage.writing() as store:
            aim = await aim_of(store, workspace_id, StopTarget(incident_id=incident_id))
            await telling.require_root(store, workspace_id, incident_id)
            await store.outbox.want(
                workspace_id,
                f"{telling.root_key(incident_id)}:review:{now.isoformat()}",
                telling.REVIEW,
                {"text": said, "owner": owner, "due": due.isoformat(), "by": actor.user_id},
                aim.channel_id,
                telling.recipients(aim.top, aim.team, await store.people.admins(workspace_id)),
                thread_key=telling.root_key(incident_id),
                at=now,
                is_prompt=True,
            )
            values = {"owner": owner, "due": due.isoformat()}
            await record(
                desk, store, workspace_id, actor.user_id, "incident.reviewed", f"incident:{incident_id}", values
            )
        desk.wake_outbox.set()
