"""Installations: what Slack gave us when the app was installed, tokens sealed; and the states of OAuth on its way."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.secret import Secret
from storage.records import Installation
from storage.repository import Repository, across_workspaces
from storage.secrets import KeyRing
from storage.tables import installations, oauth_states

_SEALED = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token")
_KEY = ("enterprise_id", "team_id", "user_id")


class Installations(Repository):
    """Slack tokens. The workspace is the key itself: Slack's enterprise and team ids."""

    def __init__(self, connection: AsyncConnection, ring: KeyRing) -> None:
        super().__init__(connection)
        self._ring = ring

    async def save(self, installation: Installation) -> None:
        """Keep an installation; the same person's earlier one is replaced."""
        values = self._values(installation)
        statement = self._insert(installations).values(values)
        news = {name: statement.excluded[name] for name in values if name not in _KEY}
        await self._db.execute(statement.on_conflict_do_update(index_elements=list(_KEY), set_=news))

    async def renew(self, installation: Installation, made_at: datetime) -> bool:
        """Keep the new tokens of the one made then; False where it is gone by now, or another has taken its place."""
        values = self._values(installation)
        mine = [installations.c[name] == values[name] for name in _KEY]
        tokens = {name: values[name] for name in (*_SEALED, "bot_token_expires_at", "user_token_expires_at")}
        changed = update(installations).where(*mine, installations.c.installed_at == made_at).values(tokens)
        return (await self._db.execute(changed)).rowcount == 1

    async def find(
        self, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool, user_id: str | None = None
    ) -> Installation | None:
        """The newest installation of a workspace (of one person when named), or of the whole organization."""
        conditions = [
            installations.c.enterprise_id == (enterprise_id or ""),
            installations.c.team_id == ("" if is_enterprise_install else team_id or ""),
        ]
        if user_id is not None:
            conditions.append(installations.c.user_id == user_id)
        row = (
            await self._db.execute(
                select(installations)
                .where(*conditions)
                .order_by(installations.c.installed_at.desc(), installations.c.user_id)
                .limit(1)
            )
        ).one_or_none()
        return None if row is None else self._opened(row)

    async def delete(
        self,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        *,
        made_until: datetime | None = None,
    ) -> int:
        """Forget a workspace's tokens, or one person's; tells how many rows went.

        With `made_until` only what was installed until then: word of an end says nothing of a later beginning.
        """
        conditions = [
            installations.c.enterprise_id == (enterprise_id or ""),
            installations.c.team_id == (team_id or ""),
        ]
        if user_id is not None:
            conditions.append(installations.c.user_id == user_id)
        if made_until is not None:
            conditions.append(installations.c.installed_at <= made_until)
        return (await self._db.execute(delete(installations).where(*conditions))).rowcount

    @across_workspaces("start-up and the doctor look at every installation")
    async def all(self) -> list[Installation]:
        """The newest installation of each workspace or organization."""
        rows = await self._db.execute(
            select(installations).order_by(installations.c.installed_at, installations.c.user_id.desc())
        )
        newest = {(row.enterprise_id, row.team_id): row for row in rows}
        return [self._opened(row) for row in newest.values()]

    async def sealed_by_older_keys(self, workspace_id: str) -> int:
        """How many of a workspace's tokens are sealed with a master key that is no longer the first of the ring.

        Those of whole organizations count for each workspace: it may be one of theirs.
        """
        whose = installations.c.team_id.in_((workspace_id, ""))
        mine = select(*(installations.c[name] for name in _SEALED)).where(whose)
        tokens = [token for row in await self._db.execute(mine) for token in row if token is not None]
        return sum(not self._ring.is_current(token) for token in tokens)

    @across_workspaces("rotating the master key concerns every sealed row")
    async def reseal_all(self) -> int:
        """Seal again, with the ring's first key, whatever an older key sealed. Tells how many tokens."""
        count = 0
        for row in (await self._db.execute(select(installations).with_for_update())).all():
            news = {}
            for name in _SEALED:
                token = getattr(row, name)
                if token is not None and not self._ring.is_current(token):
                    identity = _identity(row._mapping, name)
                    news[name] = self._ring.seal(self._ring.open(token, *identity), *identity)
            if news:
                mine = [installations.c[name] == getattr(row, name) for name in _KEY]
                await self._db.execute(update(installations).where(*mine).values(news))
                count += len(news)
        return count

    def _values(self, installation: Installation) -> dict[str, Any]:
        values: dict[str, Any] = {each.name: getattr(installation, each.name) for each in fields(installation)}
        values |= {name: values[name] or "" for name in _KEY}
        values |= {name: list(values[name]) for name in ("bot_scopes", "user_scopes")}
        for name in _SEALED:
            secret: Secret | None = values[name]
            values[name] = None if secret is None else self._ring.seal(secret, *_identity(values, name))
        return values

    def _opened(self, row: Any) -> Installation:
        told = dict(row._mapping)
        for name in _SEALED:
            if told[name] is not None:
                told[name] = self._ring.open(told[name], *_identity(row._mapping, name))
        told |= {name: tuple(told[name]) for name in ("bot_scopes", "user_scopes")}
        told |= {name: told[name] or None for name in ("enterprise_id", "team_id")}
        return Installation(**told)


class OAuthStates(Repository):
    """One-time states of the install link; only their hash is kept."""

    @across_workspaces("an installation begins before its workspace is known")
    async def issue(self, state: str, at: datetime, expires_at: datetime) -> None:
        """Remember a state until `expires_at`; expired ones are swept: most are begun and left lying."""
        await self._db.execute(delete(oauth_states).where(oauth_states.c.expires_at <= at))
        await self._db.execute(insert(oauth_states).values(state_hash=_hashed(state), expires_at=expires_at))

    @across_workspaces("an installation begins before its workspace is known")
    async def consume(self, state: str, at: datetime) -> bool:
        """True once, for a state we issued that has not expired."""
        result = await self._db.execute(
            delete(oauth_states).where(oauth_states.c.state_hash == _hashed(state), oauth_states.c.expires_at > at)
        )
        return result.rowcount == 1


def _identity(row: Any, column: str) -> tuple[str, ...]:
    return "installations", f"{row['enterprise_id']}/{row['team_id']}", column, row["user_id"]


def _hashed(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
