"""The learner: once a day finds what people did and checks what it saved, once a month tells what was learned."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot import Bot
from finops.periods import charge_day, starts_at
from finops.registry import Workspace
from jobs.rounds import Rounds
from jobs.worker import guarded

LOOK_EVERY_SECONDS = 60.0
# The morning's collection comes first, and the last usage of the day before.
LEARNS_AFTER = timedelta(hours=2)
TOLD_AT = time(9)
# A note that was missed is told late for this long; who comes later reads `/finops effect`.
CATCH_UP = timedelta(days=6)
# Of a month of which less than a third was seen there is nothing to say.
KNOWN_FOR = timedelta(days=20)


class Learner(Rounds):
    """Trouble with one workspace keeps no other from learning."""

    def __init__(self, bot: Bot, look_every_seconds: float = LOOK_EVERY_SECONDS) -> None:
        super().__init__(look_every_seconds)
        self._bot = bot
        self._learned: dict[str, date] = {}

    async def look(self) -> bool:
        """Learn and tell what is due now; whether anything was."""
        now, found = self._bot.clock(), False
        for workspace in await self._bot.people.workspaces():
            if self.is_stopping:
                break
            found = await guarded(partial(self._learn, workspace.id, now)) or found
            found = await guarded(partial(self._follow, workspace.id)) or found
            month = due_month(workspace, now)
            if month is not None:
                found = await guarded(partial(self._bot.effects.tell_month, workspace.id, month)) or found
        return found

    async def _follow(self, workspace_id: str) -> bool:
        return bool(await self._bot.behaviour.follow(workspace_id))

    async def _learn(self, workspace_id: str, now: datetime) -> bool:
        today = charge_day(now)
        if self._learned.get(workspace_id) == today or now < starts_at(today) + LEARNS_AFTER:
            return False
        async with self._bot.storage.writing() as store:
            is_ours = await store.claims.once(workspace_id, f"learn:{today.isoformat()}", now)
        self._learned[workspace_id] = today
        if not is_ours:
            return False
        found = await self._bot.behaviour.learn(workspace_id)
        return bool(await self._bot.effects.measure(workspace_id) or found)


def due_month(workspace: Workspace, now: datetime) -> date | None:
    """The first day of the month that is to be told now: from the first Monday after it, 09:00 there, for six days."""
    zone = ZoneInfo(workspace.timezone)
    first = now.astimezone(zone).date().replace(day=1)
    monday = first + timedelta(days=-first.weekday() % 7)
    slot = datetime.combine(monday, TOLD_AT, zone).astimezone(UTC)
    told = (first - timedelta(days=1)).replace(day=1)
    is_new = workspace.created_at > starts_at(told) + KNOWN_FOR
    return told if slot <= now < slot + CATCH_UP and not is_new else None
