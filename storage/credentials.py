"""Credentials: Admin keys of providers, sealed; opened for the one who is about to call, and for nobody else."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, case, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.registry import Credential, CredentialState
from finops.secret import Secret
from storage.errors import AlreadyExists, NotFound, SecretUnreadable
from storage.repository import Repository, across_workspaces
from storage.secrets import KeyRing
from storage.tables import credentials

log = logging.getLogger(__name__)

_TOLD = [column for column in credentials.c if column.name != "sealed"]
# Asked all the time, and put together once: that takes longer than answering them.
_MINE = credentials.c.workspace_id == bindparam("of_workspace")
_THIS = _MINE, credentials.c.id == bindparam("this")
_ALL = select(*_TOLD).where(_MINE).order_by(credentials.c.id)
_OF_TEAM = _ALL.where(credentials.c.team_id == bindparam("of_team"))
_OF_CONNECTION = _ALL.where(credentials.c.connection_id == bindparam("of_connection"))
_ONE = select(*_TOLD).where(*_THIS)
_CHANGE = update(credentials).where(*_THIS)
_SEALED = select(credentials).where(_MINE, credentials.c.connection_id == bindparam("of_connection"))
_NEWEST_FIRST = credentials.c.registered_at.desc(), credentials.c.id.desc()
_USABLE = _SEALED.where(credentials.c.state == CredentialState.ENABLED).order_by(*_NEWEST_FIRST)
_OPENABLE = _SEALED.order_by(case((credentials.c.state == CredentialState.ENABLED, 0), else_=1), *_NEWEST_FIRST)
_SEALED_OF_TEAM = select(credentials.c.id, credentials.c.sealed).where(
    _MINE, credentials.c.team_id == bindparam("of_team")
)


class Credentials(Repository):
    """Registered keys. What is told of a key is its last four characters."""

    def __init__(self, connection: AsyncConnection, ring: KeyRing) -> None:
        super().__init__(connection)
        self._ring = ring

    async def add(
        self,
        workspace_id: str,
        *,
        connection_id: int,
        team_id: int,
        secret: Secret,
        rights: Iterable[str],
        registered_by: str,
        at: datetime,
        expires_at: datetime | None = None,
    ) -> Credential:
        """Seal and keep a key; AlreadyExists when this team registered the same key before."""
        await self._refuse_twice(workspace_id, team_id, secret)
        row = await self._db.execute(
            insert(credentials)
            .values(
                workspace_id=workspace_id,
                connection_id=connection_id,
                team_id=team_id,
                sealed=b"",  # the seal names the row, so the row comes first; one transaction, nobody sees this
                ends_with=secret.ends_with,
                rights=sorted(rights),
                state=CredentialState.ENABLED,
                registered_by=registered_by,
                registered_at=at,
                expires_at=expires_at,
            )
            .returning(*_TOLD)
        )
        credential = _credential(row.one())
        await self._seal(workspace_id, credential.id, secret)
        return credential

    async def get(self, workspace_id: str, credential_id: int) -> Credential | None:
        """What may be told of a key, or None."""
        row = (await self._db.execute(_ONE, _asked(workspace_id, credential_id))).one_or_none()
        return None if row is None else _credential(row)

    async def all(self, workspace_id: str) -> list[Credential]:
        """Every key of the workspace, oldest first."""
        return await self._many(_ALL, workspace_id)

    async def of_team(self, workspace_id: str, team_id: int) -> list[Credential]:
        """A team's keys, oldest first."""
        return await self._many(_OF_TEAM, workspace_id, of_team=team_id)

    async def of_connection(self, workspace_id: str, connection_id: int) -> list[Credential]:
        """Every team's keys of one organization, oldest first."""
        return await self._many(_OF_CONNECTION, workspace_id, of_connection=connection_id)

    @across_workspaces("warnings of keys about to expire go out to every workspace")
    async def expiring_everywhere(self, until: datetime) -> list[Credential]:
        """Enabled keys of every workspace that expire by `until`, expired ones too; the soonest first."""
        rows = await self._db.execute(
            select(*_TOLD)
            .where(credentials.c.state == CredentialState.ENABLED, credentials.c.expires_at <= until)
            .order_by(credentials.c.expires_at, credentials.c.id)
        )
        return [_credential(row) for row in rows]

    async def usable(self, workspace_id: str, connection_id: int) -> list[tuple[Credential, Secret]]:
        """Enabled keys with their plain values, newest first; those that cannot be opened are left out.

        Raises SecretUnreadable when there are enabled keys and none of them can be opened.
        """
        return await self._opened(_USABLE, workspace_id, connection_id)

    async def openable(self, workspace_id: str, connection_id: int) -> list[tuple[Credential, Secret]]:
        """Like `usable`, and after the enabled keys the disabled ones, newest first.

        A key whose collecting is off stays good for stopping and for putting back what was stopped with it. Raises
        SecretUnreadable when there are keys and none of them can be opened.
        """
        return await self._opened(_OPENABLE, workspace_id, connection_id)

    async def replace(
        self,
        workspace_id: str,
        credential_id: int,
        *,
        secret: Secret,
        rights: Iterable[str],
        registered_by: str,
        at: datetime,
        expires_at: datetime | None = None,
        connection_id: int | None = None,
    ) -> Credential:
        """Put a new key in an old one's place, enabled; the old value is gone. NotFound, or AlreadyExists as `add`."""
        old = await self.get(workspace_id, credential_id)
        if old is None:
            raise NotFound("credential", credential_id)
        await self._refuse_twice(workspace_id, old.team_id, secret, besides=credential_id)
        values = {
            "connection_id": old.connection_id if connection_id is None else connection_id,
            "ends_with": secret.ends_with,
            "rights": sorted(rights),
            "state": CredentialState.ENABLED,
            "registered_by": registered_by,
            "registered_at": at,
            "expires_at": expires_at,
        }
        await self._db.execute(_CHANGE, values | _asked(workspace_id, credential_id))
        await self._seal(workspace_id, credential_id, secret)
        return await self._existing(workspace_id, credential_id)

    async def set_state(self, workspace_id: str, credential_id: int, state: CredentialState) -> Credential:
        """Enable or disable: this stops or resumes our collecting and nothing else. NotFound."""
        await self._db.execute(_CHANGE, {"state": state} | _asked(workspace_id, credential_id))
        return await self._existing(workspace_id, credential_id)

    async def tell_rights(self, workspace_id: str, credential_id: int, rights: list[str]) -> Credential:
        """Keep what the provider says now that this key may do. NotFound."""
        await self._db.execute(_CHANGE, {"rights": rights} | _asked(workspace_id, credential_id))
        return await self._existing(workspace_id, credential_id)

    async def delete(self, workspace_id: str, credential_id: int) -> bool:
        """Forget a key for good; what was collected with it stays. False when there is none."""
        result = await self._db.execute(delete(credentials).where(*_THIS), _asked(workspace_id, credential_id))
        return result.rowcount == 1

    async def sealed_by_older_keys(self, workspace_id: str) -> int:
        """How many keys are sealed with a master key that is no longer the first of the ring."""
        sealed = await self._db.scalars(select(credentials.c.sealed).where(credentials.c.workspace_id == workspace_id))
        return sum(not self._ring.is_current(token) for token in sealed)

    @across_workspaces("rotating the master key concerns every sealed row")
    async def reseal_all(self) -> int:
        """Seal again, with the ring's first key, whatever an older key sealed. Tells how many; a second run: none."""
        rows = await self._db.execute(
            select(credentials.c.workspace_id, credentials.c.id, credentials.c.sealed).with_for_update()
        )
        stale = [row for row in rows if not self._ring.is_current(row.sealed)]
        for row in stale:
            await self._seal(
                row.workspace_id, row.id, self._ring.open(row.sealed, *_identity(row.workspace_id, row.id))
            )
        return len(stale)

    async def _opened(
        self, query: Select[Any], workspace_id: str, connection_id: int
    ) -> list[tuple[Credential, Secret]]:
        rows = await self._db.execute(query, {"of_workspace": workspace_id, "of_connection": connection_id})
        found: list[tuple[Credential, Secret]] = []
        unreadable: SecretUnreadable | None = None
        for row in rows:
            try:
                found.append((_credential(row), self._ring.open(row.sealed, *_identity(workspace_id, row.id))))
            except SecretUnreadable as error:
                log.warning("key cannot be opened", extra={"credential_id": row.id})
                unreadable = error
        if unreadable is not None and not found:
            raise unreadable
        return found

    async def _seal(self, workspace_id: str, credential_id: int, secret: Secret) -> None:
        sealed = self._ring.seal(secret, *_identity(workspace_id, credential_id))
        await self._db.execute(_CHANGE, {"sealed": sealed} | _asked(workspace_id, credential_id))

    async def _refuse_twice(self, workspace_id: str, team_id: int, secret: Secret, besides: int | None = None) -> None:
        rows = await self._db.execute(_SEALED_OF_TEAM, {"of_workspace": workspace_id, "of_team": team_id})
        for row in rows:
            if row.id != besides and self._holds(row.sealed, _identity(workspace_id, row.id), secret):
                raise AlreadyExists("key", f"…{secret.ends_with}", row.id)

    def _holds(self, sealed: bytes, identity: tuple[str, ...], secret: Secret) -> bool:
        """Whether this is that secret; what cannot be opened is not: a new key must find its way in beside it."""
        try:
            return self._ring.open(sealed, *identity) == secret
        except SecretUnreadable:
            return False

    async def _existing(self, workspace_id: str, credential_id: int) -> Credential:
        credential = await self.get(workspace_id, credential_id)
        if credential is None:
            raise NotFound("credential", credential_id)
        return credential

    async def _many(self, query: Select[Any], workspace_id: str, **asked: Any) -> list[Credential]:
        rows = await self._db.execute(query, {"of_workspace": workspace_id, **asked})
        return [_credential(row) for row in rows]


def _asked(workspace_id: str, credential_id: int) -> dict[str, Any]:
    return {"of_workspace": workspace_id, "this": credential_id}


def _identity(workspace_id: str, credential_id: int) -> tuple[str, str, str, str]:
    return "credentials", workspace_id, "sealed", str(credential_id)


def _credential(row: Any) -> Credential:
    told = {column.name: row._mapping[column] for column in _TOLD}
    return Credential(**(told | {"rights": tuple(row.rights), "state": CredentialState(row.state)}))
