"""User groups, for Home: who belongs to those that approve, as Slack said within the last minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta

from bot.desk import Desk
from finops.frozen import frozen
from finops.roles import Belonging

# So long what Slack said of a group holds on Home. Every click asks Slack again: nobody may do more by it.
HOLDS_FOR = timedelta(minutes=5)
# Where Slack did not say, everybody who opens Home would wait for it once more.
ASKED_AGAIN_AFTER = timedelta(minutes=1)

# Who is in a user group, by its id: None where Slack does not say.
Members = Callable[[str], Awaitable[frozenset[str] | None]]
_Key = tuple[str, str]


@frozen
class _Told:
    members: frozenset[str] | None
    until: datetime


class HomeGroups:
    """Knows for HOLDS_FOR who is in a group: however many open Home, Slack is asked once for each group and process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: dict[_Key, _Told] = {}
        self._asking: dict[_Key, asyncio.Task[frozenset[str] | None]] = {}

    async def of(self, workspace_id: str, user_id: str, groups: Collection[str], members: Members) -> Belonging:
        """Which of these groups somebody is in; `members` asks Slack, for all of them at once."""
        names = sorted(set(groups))
        found = await asyncio.gather(*(self._members((workspace_id, name), members) for name in names))
        return belonging(user_id, dict(zip(names, found, strict=True)))

    async def _members(self, key: _Key, members: Members) -> frozenset[str] | None:
        told = self._told.get(key)
        if told is not None and self._desk.now() < told.until:
            return told.members
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key, members), name=f"members of {key[1]}")
        # One reader giving up must not turn the others back.
        return await asyncio.shield(asking)

    async def _ask(self, key: _Key, members: Members) -> frozenset[str] | None:
        try:
            found = await members(key[1])
        finally:
            del self._asking[key]
        now = self._desk.now()
        # What is over is let go of: a group that no team names any more is never asked for again.
        self._told = {each: told for each, told in self._told.items() if now < told.until}
        self._told[key] = _Told(found, now + (ASKED_AGAIN_AFTER if found is None else HOLDS_FOR))
        return found


def belonging(user_id: str, told: Mapping[str, frozenset[str] | None]) -> Belonging:
    """What Slack's answers, by group, say of one person."""
    held = frozenset(name for name, who in told.items() if who is not None and user_id in who)
    return Belonging(held, frozenset(name for name, who in told.items() if who is None))
