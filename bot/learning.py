"""Learning: once a day finds what people did and checks what it saved, once a month tells what was learned."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.behaviour import LOOKED_AT, LOOKED_BACK, Behaviour
from bot.desk import Desk
from bot.effects import Effects
from finops.periods import starts_at
from finops.registry import Workspace

# The morning's collection comes first, and the last usage of the day before.
LEARNS_AFTER = timedelta(hours=2)
TOLD_AT = time(9)
# A note that was missed is told late for this long; who comes later reads `/finops effect`.
CATCH_UP = timedelta(days=6)
# Of a month of which less than a third was seen there is nothing to say.
KNOWN_FOR = timedelta(days=20)
_CLAIM = "learn:"


class Learning:
    """Rung every minute, it learns each charge day once and tells each month once, whoever of all copies is first."""

    def __init__(self, desk: Desk, behaviour: Behaviour, effects: Effects) -> None:
        self._desk = desk
        self._behaviour = behaviour
        self._effects = effects
        self._learned: dict[str, date] = {}

    async def day(self, workspace_id: str) -> bool:
        """Find what was done and check what is settled, once in a charge day; whether anything was found."""
        now, today = self._desk.now(), self._desk.today()
        if self._learned.get(workspace_id) == today or now < starts_at(today) + LEARNS_AFTER:
            return False
        async with self._desk.storage.writing() as store:
            last = await store.claims.newest(workspace_id, _CLAIM)
            connections = await store.connections.all(workspace_id)
            is_ours = await store.claims.once(workspace_id, f"{_CLAIM}{today.isoformat()}", now)
        self._learned[workspace_id] = today
        if not is_ours:
            return False
        # Far back where nobody looked for days, and where a connection is new.
        is_known = last is not None and now - last < LOOKED_AT
        found = await self._behaviour.learn(workspace_id, LOOKED_AT if is_known else LOOKED_BACK)
        new = [one.id for one in connections if last is not None and one.created_at >= last]
        if is_known and new:
            found += await self._behaviour.learn(workspace_id, LOOKED_BACK, new)
        return bool(await self._effects.measure(workspace_id) or found)

    async def month(self, workspace: Workspace) -> bool:
        """Have the note of the last month told, if it is due and was not; whether it was."""
        month = due_month(workspace, self._desk.now())
        return month is not None and await self._effects.tell_month(workspace.id, month)


def due_month(workspace: Workspace, now: datetime) -> date | None:
    """The first day of the month that is to be told now: from the first Monday after it, 09:00 there, for six days.

    East of Seoul that may be before its last charge day has ended: then it is told as soon as that has.
    """
    zone = ZoneInfo(workspace.timezone)
    first = now.astimezone(zone).date().replace(day=1)
    monday = first + timedelta(days=-first.weekday() % 7)
    slot = max(datetime.combine(monday, TOLD_AT, zone).astimezone(UTC), starts_at(first))
    told = (first - timedelta(days=1)).replace(day=1)
    is_new = workspace.created_at > starts_at(told) + KNOWN_FOR
    return told if slot <= now < slot + CATCH_UP and not is_new else None
