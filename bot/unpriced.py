"""Unpriced: what was used and has no known price is told the same day, once, to those whose estimate lacks it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from bot.desk import Desk
from bot.telling import ROUTINE, UNPRICED, recipients
from finops.registry import Connection, Team
from storage import Store

_DIGEST = 12


async def announce(
    desk: Desk, connection: Connection, day: date, used: Mapping[tuple[str, str], Collection[str]]
) -> int:
    """Keep what had no price on a day, and want it told where it is new; how many messages that makes.

    `used` are the accounts by endpoint ('' for a line item of the bill) and model. Each team that owns one of them is
    told in its channel; of what nobody owns, the administrators are told.
    """
    workspace_id = connection.workspace_id
    async with desk.storage.writing() as store:
        new = await store.unpriced.note(workspace_id, connection.id, day, used, desk.now())
        if not new:
            return 0
        by_channel = await _by_channel(store, connection, {name: used[name] for name in new})
        admins = await store.people.admins(workspace_id)
        for (channel_id, team), names in by_channel.items():
            told = sorted(names)
            await store.outbox.want(
                workspace_id,
                f"{UNPRICED}:{connection.id}:{day.isoformat()}:{channel_id or 'admins'}:{_digest(told)}",
                UNPRICED,
                {"connection_id": connection.id, "day": day.isoformat(), "names": told},
                channel_id,
                recipients(None, team, admins),
                urgency=ROUTINE,
                at=desk.now(),
            )
    desk.wake_outbox.set()
    return len(by_channel)


async def _by_channel(
    store: Store, connection: Connection, used: Mapping[tuple[str, str], Collection[str]]
) -> dict[tuple[str | None, Team | None], set[str]]:
    """The names by the channel to tell them in; two teams of one channel are told once."""
    teams = {team.id: team for team in await store.teams.all(connection.workspace_id)}
    owners = {
        one.provider_project_id: teams.get(one.team_id)
        for one in await store.projects.all(connection.workspace_id)
        if one.connection_id == connection.id and not one.excluded
    }
    found: dict[str | None, set[str]] = defaultdict(set)
    speaking: dict[str | None, Team | None] = {}
    for (endpoint, model), accounts in used.items():
        for account in accounts:
            team = owners.get(account)
            channel_id = team.channel_id if team is not None else None
            speaking.setdefault(channel_id, team)
            found[channel_id].add(model or endpoint)
    return {(channel_id, speaking[channel_id]): names for channel_id, names in found.items()}


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:_DIGEST]
