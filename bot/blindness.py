"""Blindness: what cannot be read is said once in each channel it concerns, and the same message says when it is over.

Both are put in the outbox in the transaction that found it out, so neither is lost nor told twice, whoever dies.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot import moved
from bot.audience import teams_of
from bot.desk import Desk
from bot.errors import OutageCode
from bot.telling import BLIND, ROUTINE, URGENT, recipients
from finops.frozen import frozen
from finops.registry import Connection, Team
from storage import Store
from storage.records_live import OutboxMessage


@frozen
class BlindAlert:
    """A connection that cannot be read though somebody expects it, and whom that concerns."""

    workspace_id: str
    connection: Connection
    since: datetime
    code: str
    teams: tuple[Team, ...]


class Blindness:
    """Knows what cannot be read, and sees to it that everybody concerned is told."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def alerts(self) -> list[BlindAlert]:
        """Every connection of every workspace that cannot be read though somebody expects it.

        Disabled keys do not count: that was somebody's wish, and they were told at once.
        """
        async with self._desk.storage.reading() as store:
            found = [await _alert(store, one) for one in await store.connections.everywhere()]
        return [one for one in found if one is not None]

    async def everywhere(self) -> int:
        """Tell whom a blindness has come to concern since it was told; how many messages that makes.

        A team may have joined, or moved to another channel: what was not told yet is told there instead. Who finds out
        tells the others, so mostly there are none.
        """
        wanted = await self._moved()
        for alert in await self.alerts():
            async with self._desk.storage.reading() as store:
                if not await _unsaid(store, alert):
                    continue
            async with self._desk.storage.writing() as store:
                wanted += await tell(store, alert.workspace_id, alert.connection.id, self._desk.now())
        if wanted:
            self._desk.wake_outbox.set()
        return wanted

    async def _moved(self) -> int:
        """Of a blindness that is over as well, for its message may wait still."""
        count, found = 0, list[moved.Move]()
        async with self._desk.storage.reading() as store:
            for workspace in await store.workspaces.all():
                found += await _moves(store, workspace.id)
        concerned = {(one.message.workspace_id, int(one.message.subject["connection_id"])) for one in found}
        for workspace_id, connection_id in sorted(concerned):
            async with self._desk.storage.writing() as store:
                await store.connections.held(workspace_id, connection_id)  # as `tell`
                for move in await _moves(store, workspace_id):
                    if move.message.subject["connection_id"] == connection_id:
                        await moved.keep(store, move, self._desk.now())
                        count += 1
        return count


async def tell(store: Store, workspace_id: str, connection_id: int, at: datetime) -> int:
    """Have it said wherever it concerns somebody that a connection cannot be read, as that stands in this transaction.

    What is said already is left alone, and changed where the reason is another by now; a wish of somebody is no alarm.
    How many messages are new or changed: wake the outbox when there are any.
    """
    connection = await store.connections.held(workspace_id, connection_id)
    alert = None if connection is None else await _alert(store, connection)
    if alert is None:
        return 0
    places = await _unsaid(store, alert)
    said = await store.outbox.beginning(workspace_id, _prefix(alert.connection, alert.since)) if places else []
    keys, told = {one.key for one in said}, {one.channel_id: one.key for one in said}
    admins = await store.people.admins(workspace_id) if places else []
    for channel_id, (team, *others) in sorted(places.items()):
        leads = [each.lead_user_id for each in others]
        await store.outbox.want(
            workspace_id,
            told.get(channel_id) or moved.free_key(_key(alert.connection, alert.since, channel_id), keys),
            BLIND,
            _subject(alert),
            channel_id,
            tuple(dict.fromkeys([team.lead_user_id, *leads, *recipients(None, None, admins)])),
            urgency=URGENT,
            at=at,
            detected_at=at,
        )
    return len(places)


async def tell_over(store: Store, connection: Connection, since: datetime, at: datetime) -> int:
    """Have every message about the blindness that began at `since` say that it is over; how many there are.

    Call it in the transaction that saw again. What nobody was told of yet is then told as what it was: over.
    """
    said = await store.outbox.beginning(connection.workspace_id, _prefix(connection, since))
    for one in sorted(said, key=lambda message: message.key):
        await store.outbox.want(
            one.workspace_id,
            one.key,
            BLIND,
            {**one.subject, "until": at.isoformat()},
            one.channel_id,
            one.recipients,
            urgency=ROUTINE,
            at=at,
            # Between going blind and seeing again lie minutes: nothing would be told together by waiting.
            is_prompt=True,
        )
    return len(said)


async def _alert(store: Store, one: Connection) -> BlindAlert | None:
    if one.blind_since is None or one.blind_reason == OutageCode.KEYS_DISABLED:
        return None
    code = one.blind_reason or OutageCode.UNAVAILABLE.value
    return BlindAlert(one.workspace_id, one, one.blind_since, code, await teams_of(store, one.workspace_id, one.id))


async def _unsaid(store: Store, alert: BlindAlert) -> dict[str, list[Team]]:
    """The channels in which the blindness is not said as it is, each with its teams."""
    places: dict[str, list[Team]] = {}
    for team in alert.teams:
        places.setdefault(team.channel_id, []).append(team)
    said: Mapping[str | None, OutboxMessage] = {
        one.channel_id: one
        for one in await store.outbox.beginning(alert.workspace_id, _prefix(alert.connection, alert.since))
    }
    subject = _subject(alert)
    return {
        channel_id: teams
        for channel_id, teams in places.items()
        if (known := said.get(channel_id)) is None or known.subject != subject
    }


async def _moves(store: Store, workspace_id: str) -> list[moved.Move]:
    """What waits to be told in a channel in which no team is that it concerns."""
    said, found = await store.outbox.beginning(workspace_id, f"{BLIND}:"), list[moved.Move]()
    for one in [one for one in said if moved.waits(one)]:
        about = (one.subject["connection_id"], one.subject["since"])
        alike = [each for each in said if (each.subject["connection_id"], each.subject["since"]) == about]
        places: dict[str | None, list[Team]] = {}
        for team in await teams_of(store, workspace_id, int(one.subject["connection_id"])):
            places.setdefault(team.channel_id, []).append(team)
        new = moved.moves(one, alike, places, {each.key for each in said})
        keys = {move.key for move in new}
        said = [*(each for each in said if each.key not in keys), *(move.moved for move in new)]
        found += new
    return found


def _subject(alert: BlindAlert) -> dict[str, object]:
    return {"connection_id": alert.connection.id, "since": alert.since.isoformat(), "code": alert.code}


def _prefix(connection: Connection, since: datetime) -> str:
    return f"{BLIND}:{connection.id}:{since.isoformat()}:"


def _key(connection: Connection, since: datetime, channel_id: str) -> str:
    """The name of one blindness in one channel: whatever is said about it there is said in this message.

    It keeps its name where it moves to another channel before it was told.
    """
    return f"{_prefix(connection, since)}{channel_id}"
