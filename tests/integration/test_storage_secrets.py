"""Keys and tokens at rest: usable by us, unreadable in the database, bound to their rows, rotated without a pause."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from finops.registry import Credential, CredentialState
from finops.secret import Secret
from storage import KeyRing, Storage
from storage.engine import migration_engine, normalised, open_engines
from storage.errors import AlreadyExists, NotFound, SecretUnreadable
from storage.records import Installation
from tests.databases import MOMENT, Tenant, a_copy

CANARY = "sk-" + "admin-" + "canary0123456789abc1"
OTHER = "sk-" + "admin-" + "other00123456789xyz2"
BOT_TOKEN = "xo" + "xb-" + "1-canary0123456789-bot"


async def registered(storage: Storage, tenant: Tenant, plain: str = CANARY) -> Credential:
    async with storage.writing() as store:
        return await store.credentials.add(
            tenant.workspace_id,
            connection_id=tenant.connection.id,
            team_id=tenant.team_id,
            secret=Secret(plain),
            rights={"usage.read", "management.read"},
            registered_by="U0JIHOON01",
            at=MOMENT,
        )


async def usable(storage: Storage, tenant: Tenant) -> list[str]:
    async with storage.reading() as store:
        found = await store.credentials.usable(tenant.workspace_id, tenant.connection.id)
    return [secret.reveal() for _, secret in found]


def an_installation(**changes: Any) -> Installation:
    values: dict[str, Any] = {
        "app_id": "A0FINOPS01",
        "enterprise_id": None,
        "enterprise_name": None,
        "team_id": "T0FINOPS01",
        "team_name": "한빛소프트",
        "is_enterprise_install": False,
        "user_id": "U0JIHOON01",
        "bot_token": Secret(BOT_TOKEN),
        "bot_id": "B0FINOPSBT",
        "bot_user_id": "U0FINOPSBT",
        "bot_scopes": ("chat:write", "commands"),
        "installed_at": MOMENT,
        "bot_refresh_token": Secret(BOT_TOKEN + "-refresh"),
        "bot_token_expires_at": MOMENT + timedelta(hours=12),
        "token_type": "bot",
    }
    return Installation(**(values | changes))


async def run(url: str, statement: str) -> list[Any]:
    """What somebody with access to the database could do."""
    engine = migration_engine(normalised(url))
    async with engine.begin() as connection:
        result = await connection.execute(text(statement))
        rows = list(result) if result.returns_rows else []
    await engine.dispose()
    return rows


async def test_a_key_is_told_by_its_ending_and_opened_for_the_caller_only(storage: Storage, tenant: Tenant) -> None:
    """What screens show holds no secret; what calls the provider gets it."""
    credential = await registered(storage, tenant)
    assert (credential.ends_with, credential.state) == ("abc1", CredentialState.ENABLED)
    assert credential.rights == ("management.read", "usage.read")
    assert CANARY not in repr(credential)
    assert await usable(storage, tenant) == [CANARY]


async def test_the_newest_enabled_key_comes_first_and_disabled_ones_not_at_all(
    storage: Storage, tenant: Tenant
) -> None:
    """Disabling stops our collecting; enabling resumes it; deleting forgets."""
    first = await registered(storage, tenant)
    second = await registered(storage, tenant, OTHER)
    assert await usable(storage, tenant) == [OTHER, CANARY]
    async with storage.writing() as store:
        changed = await store.credentials.set_state(tenant.workspace_id, second.id, CredentialState.DISABLED)
        assert changed.state is CredentialState.DISABLED
    assert await usable(storage, tenant) == [CANARY]
    async with storage.writing() as store:
        assert await store.credentials.delete(tenant.workspace_id, first.id)
        assert not await store.credentials.delete(tenant.workspace_id, first.id)
        await store.credentials.set_state(tenant.workspace_id, second.id, CredentialState.ENABLED)
        assert [each.id for each in await store.credentials.of_team(tenant.workspace_id, tenant.team_id)] == [second.id]
        of_connection = await store.credentials.of_connection(tenant.workspace_id, tenant.connection.id)
        assert [each.id for each in of_connection] == [second.id]
    assert await usable(storage, tenant) == [OTHER]


async def test_the_same_key_is_not_registered_twice_by_a_team(storage: Storage, tenant: Tenant) -> None:
    """Pasting again is answered with the one we have."""
    credential = await registered(storage, tenant)
    with pytest.raises(AlreadyExists) as refusal:
        await registered(storage, tenant)
    assert refusal.value.existing_id == credential.id
    assert CANARY not in str(refusal.value)


async def test_a_replaced_key_leaves_nothing_of_the_old_one(storage: Storage, tenant: Tenant) -> None:
    """Same row, new key, enabled; an unknown row is said to be unknown."""
    credential = await registered(storage, tenant)

    async def replace(credential_id: int) -> Credential:
        async with storage.writing() as store:
            return await store.credentials.replace(
                tenant.workspace_id,
                credential_id,
                secret=Secret(OTHER),
                rights=("usage.read",),
                registered_by="U0MINSU001",
                at=MOMENT + timedelta(days=1),
            )

    replaced = await replace(credential.id)
    assert (replaced.id, replaced.ends_with, replaced.rights) == (credential.id, "xyz2", ("usage.read",))
    assert await usable(storage, tenant) == [OTHER]
    with pytest.raises(NotFound):
        await replace(999)


async def test_a_sealed_key_copied_to_another_row_is_refused(
    database_url: str, storage: Storage, tenant: Tenant
) -> None:
    """Somebody who can write the database cannot make us use one key as another."""
    first, second = await registered(storage, tenant), await registered(storage, tenant, OTHER)
    await run(
        database_url,
        f"UPDATE credentials SET sealed = (SELECT c.sealed FROM credentials c WHERE c.id = {first.id})"
        f" WHERE id = {second.id}",
    )
    assert await usable(storage, tenant) == [CANARY]
    async with storage.writing() as store:
        await store.credentials.set_state(tenant.workspace_id, first.id, CredentialState.DISABLED)
    with pytest.raises(SecretUnreadable, match="altered or moved"):
        await usable(storage, tenant)


async def test_a_database_opened_with_the_wrong_master_key_says_so(
    database_url: str, storage: Storage, tenant: Tenant
) -> None:
    """The operator reads which key is missing, not a stack of cryptography."""
    await registered(storage, tenant)
    async with a_copy(database_url, KeyRing.generate("another")) as other:
        with pytest.raises(SecretUnreadable, match="'k1', which is not configured"):
            await usable(other, tenant)


async def test_a_key_whose_collecting_is_off_is_good_for_stopping_but_the_last_to_be_tried(
    database_url: str, storage: Storage, tenant: Tenant
) -> None:
    """Enabled ones first; whoever collects never sees it; and without the master key it is said that none opens."""
    enabled = await registered(storage, tenant)
    disabled = await registered(storage, tenant, OTHER)
    async with storage.writing() as store:
        await store.credentials.set_state(tenant.workspace_id, disabled.id, CredentialState.DISABLED)
    async with storage.reading() as store:
        found = await store.credentials.openable(tenant.workspace_id, tenant.connection.id)
    assert [(key.id, secret.reveal()) for key, secret in found] == [(enabled.id, CANARY), (disabled.id, OTHER)]
    assert await usable(storage, tenant) == [CANARY]
    async with a_copy(database_url, KeyRing.generate("another")) as other, other.reading() as store:
        with pytest.raises(SecretUnreadable):
            await store.credentials.openable(tenant.workspace_id, tenant.connection.id)


async def test_rotating_the_master_key_reseals_everything_once_and_the_old_key_can_go(
    database_url: str, storage: Storage, tenant: Tenant, ring: KeyRing
) -> None:
    """New first, old second, rotate, drop the old: no pause, nothing lost."""
    await registered(storage, tenant)
    await registered(storage, tenant, OTHER)
    async with storage.writing() as store:
        await store.installations.save(an_installation())
    fresh = KeyRing.generate("k2")
    async with a_copy(database_url, KeyRing.from_text(f"{fresh.to_text()},{ring.to_text()}")) as both:
        assert sorted(await usable(both, tenant)) == sorted([CANARY, OTHER])
        async with both.writing() as store:
            assert await store.reseal_all() == 4
        async with both.writing() as store:
            assert await store.reseal_all() == 0
    async with a_copy(database_url, fresh) as rotated:
        assert sorted(await usable(rotated, tenant)) == sorted([CANARY, OTHER])
        async with rotated.reading() as store:
            found = await store.installations.find(None, "T0FINOPS01", is_enterprise_install=False)
    assert found == an_installation()


async def test_an_installation_comes_back_whole_and_the_newest_one_speaks(storage: Storage) -> None:
    """The bot uses the newest token of a workspace; a person's own can be asked for."""
    newer = an_installation(
        user_id="U0MINSU001",
        bot_token=Secret(BOT_TOKEN + "-2"),
        user_token=Secret(BOT_TOKEN + "-user"),
        user_scopes=("users:read",),
        installed_at=MOMENT + timedelta(days=1),
    )
    async with storage.writing() as store:
        await store.installations.save(an_installation())
        await store.installations.save(newer)
        await store.installations.save(newer)
        assert await store.installations.find(None, "T0FINOPS01", is_enterprise_install=False) == newer
        assert (
            await store.installations.find(None, "T0FINOPS01", is_enterprise_install=False, user_id="U0JIHOON01")
            == an_installation()
        )
        assert await store.installations.all() == [newer]
        assert await store.installations.find(None, "T0OTHER001", is_enterprise_install=False) is None
        assert await store.installations.delete(None, "T0FINOPS01", "U0MINSU001") == 1
        assert await store.installations.delete(None, "T0FINOPS01") == 1
        assert await store.installations.all() == []


async def test_an_organization_wide_installation_serves_its_workspaces(storage: Storage) -> None:
    """Slack names the workspace of the event; the token belongs to the organization."""
    wide = an_installation(enterprise_id="E0HANBIT01", team_id=None, team_name=None, is_enterprise_install=True)
    async with storage.writing() as store:
        await store.installations.save(wide)
        assert await store.installations.find("E0HANBIT01", "T0FINOPS01", is_enterprise_install=True) == wide
        assert await store.installations.find("E0HANBIT01", "T0FINOPS01", is_enterprise_install=False) is None


async def test_an_oauth_state_is_good_once_and_not_for_long(storage: Storage) -> None:
    """A replayed or stale install link is refused."""
    async with storage.writing() as store:
        await store.oauth_states.issue("state-1", MOMENT, MOMENT + timedelta(minutes=5))
        await store.oauth_states.issue("state-2", MOMENT, MOMENT + timedelta(minutes=5))
        assert await store.oauth_states.consume("state-1", MOMENT)
        assert not await store.oauth_states.consume("state-1", MOMENT)
        assert not await store.oauth_states.consume("never issued", MOMENT)
        assert not await store.oauth_states.consume("state-2", MOMENT + timedelta(minutes=5))


async def test_no_secret_stands_in_the_bytes_of_the_database(
    database_url: str, storage: Storage, tenant: Tenant, tmp_path: Path
) -> None:
    """A thief of the file, its log or a dump finds names and sums, and not one key, token or state."""
    await registered(storage, tenant)
    async with storage.writing() as store:
        await store.installations.save(an_installation())
        await store.oauth_states.issue("canary-state", MOMENT, MOMENT)
    everything = _bytes_of(database_url, tmp_path)
    assert "한빛소프트".encode() in everything
    for secret in (CANARY, CANARY[9:], BOT_TOKEN, "canary0123456789", "canary-state"):
        assert secret.encode() not in everything


def _bytes_of(database_url: str, folder: Path) -> bytes:
    if database_url.startswith("sqlite"):
        files = sorted(folder.glob("finops.db*"))
        assert any(file.name.endswith("-wal") for file in files)
        return b"".join(file.read_bytes() for file in files)
    found = []
    with psycopg.connect(database_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
                found += [bytes(chunk) for chunk in copy]
    dump = b"".join(found)
    # Binary columns leave as hexadecimal: look at what it stands for as well.
    return dump + b"".join(bytes.fromhex(digits.decode()) for digits in re.findall(rb"\\\\x([0-9a-f]+)", dump))


async def test_a_failing_statement_is_told_without_its_values(database_url: str) -> None:
    """Errors of the database end in logs: they say which statement failed, never with what."""
    async with open_engines(normalised(database_url)) as engines:
        for engine in (engines.reading, engines.writing):
            with pytest.raises(SQLAlchemyError) as failure:
                async with engine.connect() as connection:
                    await connection.execute(text("SELECT :secret FROM no_such_table"), {"secret": CANARY})
            assert "no_such_table" in str(failure.value)
            assert CANARY not in str(failure.value)
