"""Which connections our keys may stop: as it was seen when they were registered, or when somebody was about to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable

from bot.desk import Desk
from finops.registry import Credential
from providers.contract import MANAGEMENT_WRITE, ProviderError
from storage.errors import NotFound, SecretUnreadable

log = logging.getLogger(__name__)


def within_reach(keys: Iterable[Credential]) -> frozenset[int]:
    """The connections of which one of these keys was seen to have the right to stop.

    A key whose collecting is off counts: it stays good for stopping.
    """
    return frozenset(one.connection_id for one in keys if MANAGEMENT_WRITE in one.rights)


async def asked_again(
    desk: Desk, workspace_id: str, connection_ids: Collection[int], *, within_seconds: float
) -> frozenset[int]:
    """Ask what the keys of these connections may do now, and keep it; tells which connections can be stopped.

    A right that an owner of the organization gave since the key was registered is seen so. What is not told in time
    stays as it was.
    """
    found = await asyncio.gather(*(_asked(desk, workspace_id, one, within_seconds) for one in sorted(connection_ids)))
    return frozenset(connection_id for connection_id, may_stop in found if may_stop)


async def _asked(desk: Desk, workspace_id: str, connection_id: int, within_seconds: float) -> tuple[int, bool]:
    """The connection, and whether one of its keys may stop its spending."""
    async with desk.storage.reading() as store:
        connection = await store.connections.get(workspace_id, connection_id)
        if connection is None:
            return connection_id, False
        try:
            keys = await store.credentials.openable(workspace_id, connection_id)
        except SecretUnreadable:
            keys = []
    may_stop = False
    for credential, key in keys:
        try:
            async with asyncio.timeout(within_seconds):
                identity = await desk.providers[connection.provider].identify(key)
        except (ProviderError, TimeoutError) as error:
            log.info("rights not told", extra={"credential_id": credential.id, "reason": type(error).__name__})
            continue
        may_stop |= MANAGEMENT_WRITE in identity.rights
        if identity.rights != set(credential.rights):
            try:
                async with desk.storage.writing() as store:
                    await store.credentials.tell_rights(workspace_id, credential.id, sorted(identity.rights))
            except NotFound:
                continue  # deleted meanwhile
    return connection_id, may_stop
