"""Keys by name: usage tells only a key's id, so whose calls they are is asked of the provider when somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bot.desk import Desk
from bot.keys import by_any
from bot.picture import Account
from finops.stop_report import AffectedKey
from providers.contract import KeyHolder, ProviderError
from storage.errors import SecretUnreadable


async def holders(
    desk: Desk, workspace_id: str, account: Account, within_seconds: float
) -> tuple[KeyHolder, ...] | None:
    """The keys of a provider project; None where the provider does not tell in time."""
    connection_id, provider_project_id = account
    async with desk.storage.reading() as store:
        connection = await store.connections.get(workspace_id, connection_id)
        try:
            keys = await store.credentials.openable(workspace_id, connection_id)
        except SecretUnreadable:
            return None
    if connection is None or not keys:
        return None
    provider = desk.providers[connection.provider]
    try:
        async with asyncio.timeout(within_seconds):
            return tuple(await by_any(keys, lambda key: provider.holders(key, provider_project_id)))
    except (ProviderError, TimeoutError):
        return None


async def by_id(
    desk: Desk, workspace_id: str, accounts: Iterable[Account], within_seconds: float
) -> dict[str, AffectedKey]:
    """The keys of these provider projects by their ids, as far as the provider tells them in time."""
    asked = await asyncio.gather(*(holders(desk, workspace_id, one, within_seconds) for one in accounts))
    return {one.key_id: affected(one) for found in asked for one in found or ()}


def affected(one: KeyHolder) -> AffectedKey:
    """A key in the words of a window."""
    return AffectedKey(one.name, one.ends_with, one.owner, one.is_service_account, one.last_used_at)
