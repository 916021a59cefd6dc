"""Digests: each week as it was told, and where, how and when weeks are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select, update

from finops.digest import DigestChannel, DigestVersion
from finops.frozen import frozen
from finops.queries import ScopeKind
from storage.errors import AlreadyExists, NotFound
from storage.repository import Repository, across_workspaces
from storage.tables import teams, workspaces
from storage.tables_value import digest_channels, digests

# Asked at every ring of the clock, and put together once: that takes longer than answering them.
_EVERYWHERE = (
    select(digest_channels)
    .where(or_(digest_channels.c.is_enabled, digest_channels.c.is_daily))
    .order_by(digest_channels.c.workspace_id, digest_channels.c.id)
)
_USUAL = digest_channels.alias("usual")
_WORKSPACES_WITHOUT = (
    select(workspaces.c.id)
    .outerjoin(_USUAL, and_(_USUAL.c.workspace_id == workspaces.c.id, _USUAL.c.scope_kind == ScopeKind.WORKSPACE.value))
    .where(_USUAL.c.id.is_(None))
    .order_by(workspaces.c.id)
)
_OF_TEAM = and_(_USUAL.c.scope_kind == ScopeKind.TEAM.value, _USUAL.c.scope_id == teams.c.id)
_TEAMS_WITHOUT = (
    select(teams.c.workspace_id, teams.c.id)
    .outerjoin(_USUAL, and_(_USUAL.c.workspace_id == teams.c.workspace_id, _OF_TEAM))
    .where(_USUAL.c.id.is_(None))
    .order_by(teams.c.workspace_id, teams.c.id)
)


@frozen
class KeptDigest:
    """One scope's week as it was told; `facts` is what bot.digest_codec reads."""

    id: int
    workspace_id: str
    scope: ScopeKind
    scope_id: int | None
    week: date
    computed_at: datetime
    facts: Mapping[str, Any]


class Digests(Repository):
    """Weeks as they were told. One that is kept never changes: what it became since is computed anew."""

    async def keep(
        self,
        workspace_id: str,
        scope: ScopeKind,
        scope_id: int | None,
        week: date,
        facts: Mapping[str, Any],
        at: datetime,
    ) -> int:
        """Keep a week, unless it is kept already: then the first stays. Tells the id of the one that stands.

        NotFound when this workspace has no such team.
        """
        await _prove_team(self, workspace_id, scope, scope_id)
        values = _scope(workspace_id, scope, scope_id) | {"week": week, "computed_at": at, "facts": dict(facts)}
        statement = (
            self._insert(digests)
            .values(values)
            .on_conflict_do_nothing(index_elements=["workspace_id", "scope_kind", "scope_id", "week"])
            .returning(digests.c.id)
        )
        found = await self._db.scalar(statement)
        if found is None:
            mine = and_(*(digests.c[name] == values[name] for name in ("scope_kind", "scope_id", "week")))
            found = await self._db.scalar(select(digests.c.id).where(digests.c.workspace_id == workspace_id, mine))
        assert found is not None, "kept by us or by another"
        return int(found)

    async def get(self, workspace_id: str, digest_id: int) -> KeptDigest | None:
        """The digest of that id, if it is this workspace's."""
        return await self._one(workspace_id, digests.c.id == digest_id)

    async def of_week(self, workspace_id: str, scope: ScopeKind, scope_id: int | None, week: date) -> KeptDigest | None:
        """A scope's week as it was told; None when it never was. `week` is its Monday."""
        return await self._one(
            workspace_id,
            digests.c.scope_kind == scope.value,
            digests.c.scope_id == (scope_id or 0),
            digests.c.week == week,
        )

    async def since(self, workspace_id: str, week: date) -> list[KeptDigest]:
        """Every scope's weeks from that one (by its Monday) on, oldest first."""
        query = select(digests).where(digests.c.workspace_id == workspace_id, digests.c.week >= week)
        return [_kept(row) for row in await self._db.execute(query.order_by(digests.c.week, digests.c.id))]

    async def _one(self, workspace_id: str, *conditions: Any) -> KeptDigest | None:
        row = (
            await self._db.execute(select(digests).where(digests.c.workspace_id == workspace_id, *conditions))
        ).one_or_none()
        return None if row is None else _kept(row)


class DigestChannels(Repository):
    """Where weeks are told: at most one row for each channel and scope, '' being the scope's usual place."""

    async def of_workspace(self, workspace_id: str) -> list[DigestChannel]:
        """Every row of a workspace, in the order they were made."""
        rows = await self._db.execute(
            select(digest_channels).where(digest_channels.c.workspace_id == workspace_id).order_by(digest_channels.c.id)
        )
        return [_channel(row) for row in rows]

    async def get(self, workspace_id: str, channel_row_id: int) -> DigestChannel | None:
        """One of them, by its own id."""
        row = (
            await self._db.execute(
                select(digest_channels).where(
                    digest_channels.c.workspace_id == workspace_id, digest_channels.c.id == channel_row_id
                )
            )
        ).one_or_none()
        return None if row is None else _channel(row)

    @across_workspaces("the alarm clock rings for every workspace; the row says whose it is")
    async def everywhere(self) -> list[DigestChannel]:
        """Every row that is not switched off, of all workspaces."""
        rows = await self._db.execute(_EVERYWHERE)
        return [_channel(row) for row in rows]

    @across_workspaces("the usual places are made for every workspace; the answer says for whose")
    async def without_usual_place(self) -> list[tuple[str, ScopeKind, int | None]]:
        """Workspaces and teams for which no place was ever decided."""
        found: list[tuple[str, ScopeKind, int | None]] = [
            (name, ScopeKind.WORKSPACE, None) for name in await self._db.scalars(_WORKSPACES_WITHOUT)
        ]
        rows = await self._db.execute(_TEAMS_WITHOUT)
        return found + [(row.workspace_id, ScopeKind.TEAM, row.id) for row in rows]

    async def add(self, workspace_id: str, channel: DigestChannel) -> DigestChannel | None:
        """Make a row (its id is given here); None when the channel has one for that scope already.

        NotFound when this workspace has no such team.
        """
        await _prove_team(self, workspace_id, channel.scope, channel.scope_id)
        statement = (
            self._insert(digest_channels)
            .values(
                {
                    "workspace_id": workspace_id,
                    **_values(channel),
                    "created_by": channel.created_by,
                    "created_at": channel.created_at,
                    "last_week": channel.last_week,
                    "last_day": channel.last_day,
                }
            )
            .on_conflict_do_nothing(index_elements=["workspace_id", "channel_id", "scope_kind", "scope_id"])
            .returning(*digest_channels.c)
        )
        row = (await self._db.execute(statement)).one_or_none()
        return None if row is None else _channel(row)

    async def change(self, workspace_id: str, channel: DigestChannel) -> DigestChannel:
        """Change what a row says; what was told there last stays. NotFound; AlreadyExists as `add`."""
        mine = (digest_channels.c.workspace_id == workspace_id, digest_channels.c.id == channel.id)
        other = await self._db.scalar(
            select(digest_channels.c.id).where(
                digest_channels.c.workspace_id == workspace_id,
                digest_channels.c.channel_id == channel.channel_id,
                digest_channels.c.scope_kind == channel.scope.value,
                digest_channels.c.scope_id == (channel.scope_id or 0),
                digest_channels.c.id != channel.id,
            )
        )
        if other is not None:
            raise AlreadyExists("digest channel", channel.channel_id, int(other))
        row = (
            await self._db.execute(
                update(digest_channels).where(*mine).values(_values(channel)).returning(*digest_channels.c)
            )
        ).one_or_none()
        if row is None:
            raise NotFound("digest channel", channel.id)
        return _channel(row)

    async def take_week(self, workspace_id: str, channel_row_id: int, week: date) -> bool:
        """Whether the week is still to be told there: True for exactly one of all who ask, never for an older one."""
        return await self._take(workspace_id, channel_row_id, "last_week", week)

    async def take_day(self, workspace_id: str, channel_row_id: int, day: date) -> bool:
        """The same of a day."""
        return await self._take(workspace_id, channel_row_id, "last_day", day)

    async def _take(self, workspace_id: str, channel_row_id: int, name: str, value: date) -> bool:
        column = digest_channels.c[name]
        result = await self._db.execute(
            update(digest_channels)
            .where(digest_channels.c.workspace_id == workspace_id, digest_channels.c.id == channel_row_id)
            .where(or_(column.is_(None), column < value))
            .values({name: value})
        )
        return result.rowcount == 1


def _kept(row: Any) -> KeptDigest:
    kind, id_ = ScopeKind(row.scope_kind), row.scope_id or None
    return KeptDigest(row.id, row.workspace_id, kind, id_, row.week, row.computed_at, row.facts)


async def _prove_team(repository: Repository, workspace_id: str, scope: ScopeKind, scope_id: int | None) -> None:
    if scope is ScopeKind.WORKSPACE:
        return
    mine = select(teams.c.id).where(teams.c.workspace_id == workspace_id, teams.c.id == scope_id)
    if (await repository._db.execute(mine)).one_or_none() is None:
        raise NotFound("team", scope_id or 0)


def _scope(workspace_id: str, scope: ScopeKind, scope_id: int | None) -> dict[str, Any]:
    return {"workspace_id": workspace_id, "scope_kind": scope.value, "scope_id": scope_id or 0}


def _values(channel: DigestChannel) -> dict[str, Any]:
    return {
        "channel_id": channel.channel_id,
        "scope_kind": channel.scope.value,
        "scope_id": channel.scope_id or 0,
        "version": channel.version.value,
        "locale": channel.locale,
        "cron": channel.cron,
        "timezone": channel.timezone,
        "is_enabled": channel.is_enabled,
        "is_mailed": channel.is_mailed,
        "is_daily": channel.is_daily,
    }


def _channel(row: Any) -> DigestChannel:
    told = dict(row._mapping)
    kind = told.pop("scope_kind")
    told |= {"scope": ScopeKind(kind), "scope_id": row.scope_id or None, "version": DigestVersion(row.version)}
    return DigestChannel(**told)
