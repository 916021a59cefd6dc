"""Connections: Admin keys that teams register, checked live, kept sealed, and collected once per organization."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot import discovery, expiring
from bot.acts import key_facts
from bot.audience import has_enabled_key
from bot.audit import record
from bot.collecting import Collecting
from bot.desk import Desk
from bot.errors import OutageCode, Refusal, RefusalCode
from bot.keys import owner_name, pasted_key, require_costs
from bot.results import KeyChanged, KeyRegistered
from bot.teams import Teams
from finops.frozen import frozen
from finops.incidents import Fact
from finops.registry import Connection, Credential, CredentialState, Person, Team
from finops.secret import Secret
from providers.contract import MANAGEMENT_READ, Identity, ProviderProject
from storage import Store
from storage.errors import AlreadyExists, SecretUnreadable

log = logging.getLogger(__name__)

_DISCOVERY_SECONDS = 8.0


@frozen
class _Added:
    """What storing a key came to."""

    credential: Credential
    connection: Connection
    is_shared: bool
    others: tuple[str, ...] = ()


class Connections:
    """Registers, replaces and switches keys. Nothing here stops spending, whatever becomes of a key."""

    def __init__(self, desk: Desk, teams: Teams, collecting: Collecting) -> None:
        self._desk = desk
        self._teams = teams
        self._collecting = collecting

    async def register_key(self, actor: Person, team_id: int, pasted: str, groups: Iterable[str] = ()) -> KeyRegistered:
        """Check a pasted Admin key at the provider and keep it sealed for the team.

        A key of an organization we know already joins its connection. Provider errors pass through: nothing is stored.
        """
        team = await self._teams.require_manager(actor, team_id, groups)
        key = pasted_key(pasted)
        desk = self._desk
        provider = desk.policy.provider
        identity = await desk.providers[provider].identify(key)
        require_costs(identity)
        added = await self._added(actor, team, key, identity)
        log.info(
            "key registered",
            extra={
                "workspace_id": actor.workspace_id,
                "team_id": team.id,
                "connection_id": added.connection.id,
                "credential_id": added.credential.id,
                "user_id": actor.user_id,
            },
        )
        desk.wake_watch.set()
        found = await self._discovered(added.connection, added.credential, key)
        if added.is_shared:
            await self._collecting.after_key_change(added.connection, actor)
        return _registered(added, identity, found)

    async def replace_key(
        self, actor: Person, credential_id: int, pasted: str, groups: Iterable[str] = ()
    ) -> KeyRegistered:
        """Put a new key in the place of an old one. It has to belong to the same organization."""
        old = await self._managed(actor, credential_id, groups)
        key = pasted_key(pasted)
        desk = self._desk
        identity = await desk.providers[desk.policy.provider].identify(key)
        require_costs(identity)
        async with desk.storage.writing() as store:
            old = await self._standing(store, old)
            connection = await self._connection(store, old)
            await self._require_same_organization(store, connection, identity)
            is_same = await self._is_same(store, old, key)
            credential = await self._replaced(store, actor, old, key, identity)
            await expiring.settle(store, old, credential, desk.now())
            await self._tell_organization(store, connection, identity)
            replaced: dict[str, Fact] = {"ends_with_before": old.ends_with}
            await self._recorded(store, actor, "key.replaced", credential, replaced)
        log.info("key replaced", extra={"credential_id": credential.id, "user_id": actor.user_id})
        desk.wake_watch.set()
        desk.wake_outbox.set()
        found = await self._discovered(connection, credential, key)
        await self._collecting.after_key_change(connection, actor)
        return replace(_registered(_Added(credential, connection, is_shared=False), identity, found), is_same=is_same)

    async def disable(self, actor: Person, credential_id: int, groups: Iterable[str] = ()) -> KeyChanged:
        """Stop collecting with a key. Applications keep spending with their own keys."""
        old = await self._managed(actor, credential_id, groups)
        async with self._desk.storage.writing() as store:
            await self._standing(store, old)
            credential = await store.credentials.set_state(actor.workspace_id, old.id, CredentialState.DISABLED)
            changed = await self._after_loss(store, credential)
            await self._recorded(store, actor, "key.disabled", credential)
        log.info("key disabled", extra={"credential_id": credential.id, "user_id": actor.user_id})
        return changed

    async def enable(self, actor: Person, credential_id: int, groups: Iterable[str] = ()) -> KeyChanged:
        """Collect with a key again; what was missed meanwhile is read at once."""
        old = await self._managed(actor, credential_id, groups)
        async with self._desk.storage.writing() as store:
            await self._standing(store, old)
            credential = await store.credentials.set_state(actor.workspace_id, old.id, CredentialState.ENABLED)
            connection = await self._connection(store, credential)
            await self._recorded(store, actor, "key.enabled", credential)
        started = await self._collecting.after_key_change(connection, actor)
        log.info("key enabled", extra={"credential_id": credential.id, "user_id": actor.user_id})
        self._desk.wake_watch.set()
        return KeyChanged(credential, connection, still_collected=True, collection_started=started)

    async def delete(self, actor: Person, credential_id: int, groups: Iterable[str] = ()) -> KeyChanged:
        """Forget a key for good. The costs it read stay; at the provider the key lives on until revoked there."""
        old = await self._managed(actor, credential_id, groups)
        async with self._desk.storage.writing() as store:
            old = await self._standing(store, old)
            await store.credentials.delete(actor.workspace_id, old.id)
            changed = await self._after_loss(store, old)
            await self._recorded(store, actor, "key.deleted", old)
        log.info("key deleted", extra={"credential_id": old.id, "user_id": actor.user_id})
        return changed

    async def of_team(self, workspace_id: str, team_id: int) -> list[Credential]:
        async with self._desk.storage.reading() as store:
            return await store.credentials.of_team(workspace_id, team_id)

    async def credential(self, workspace_id: str, credential_id: int) -> Credential:
        """What may be told about a key, or a refusal when somebody deleted it meanwhile."""
        async with self._desk.storage.reading() as store:
            found = await store.credentials.get(workspace_id, credential_id)
        if found is None:
            raise Refusal(RefusalCode.UNKNOWN_CREDENTIAL)
        return found

    async def all(self, workspace_id: str) -> list[Connection]:
        async with self._desk.storage.reading() as store:
            return await store.connections.all(workspace_id)

    async def _managed(self, actor: Person, credential_id: int, groups: Iterable[str]) -> Credential:
        credential = await self.credential(actor.workspace_id, credential_id)
        await self._teams.require_manager(actor, credential.team_id, groups)
        return credential

    async def _standing(self, store: Store, seen: Credential) -> Credential:
        """The key as it stands; no other key of the workspace comes, goes, or is switched before our transaction ends.

        Whether any is left to look with is decided by all of them. Refused when somebody deleted it meanwhile.
        """
        await store.workspaces.hold(seen.workspace_id)
        found = await store.credentials.get(seen.workspace_id, seen.id)
        if found is None:
            raise Refusal(RefusalCode.UNKNOWN_CREDENTIAL)
        return found

    async def _added(self, actor: Person, team: Team, key: Secret, identity: Identity) -> _Added:
        for _ in range(2):
            try:
                return await self._add(actor, team.id, key, identity)
            except AlreadyExists:
                # Another replica may have connected the same organization in this very moment: then it is there to
                # join now. If not, the team has this very key already, disabled.
                continue
        raise Refusal(RefusalCode.KEY_ALREADY_REGISTERED, team=team.name, ends_with=key.ends_with)

    async def _add(self, actor: Person, team_id: int, key: Secret, identity: Identity) -> _Added:
        desk, workspace_id, provider = self._desk, actor.workspace_id, self._desk.policy.provider
        async with desk.storage.writing() as store:
            await store.workspaces.hold(workspace_id)
            connection = await store.connections.matching(
                workspace_id, provider, identity.organization_id, identity.project_ids
            )
            is_shared = connection is not None
            if connection is None:
                connection = await store.connections.create(
                    workspace_id,
                    provider=provider,
                    organization_id=identity.organization_id,
                    organization_name=identity.organization_name,
                    at=desk.now(),
                )
                if identity.organization_id is None:
                    # Without an organization id, sharing a project is all that tells the next key belongs here too.
                    seen = [ProviderProject(id=one, name=one) for one in sorted(identity.project_ids)]
                    await store.known_projects.remember(workspace_id, connection.id, seen, desk.now())
            else:
                await self._require_new_key(store, connection, key)
                await self._tell_organization(store, connection, identity)
            credential = await store.credentials.add(
                workspace_id,
                connection_id=connection.id,
                team_id=team_id,
                secret=key,
                rights=sorted(identity.rights),
                registered_by=actor.user_id,
                at=desk.now(),
                expires_at=identity.expires_at,
            )
            connection = await store.connections.get(workspace_id, connection.id) or connection
            await self._recorded(store, actor, "key.registered", credential, {"is_shared": is_shared})
            others = await self._other_organizations(store, team_id, connection)
        return _Added(credential, connection, is_shared, others)

    async def _other_organizations(self, store: Store, team_id: int, connection: Connection) -> tuple[str, ...]:
        """What the team's other keys are of, where that is known to be another organization: maybe it was a slip."""
        keys = await store.credentials.of_team(connection.workspace_id, team_id)
        held = {one.connection_id for one in keys}
        return tuple(
            owner_name(one.organization_name, one.organization_id) or ""
            for one in await store.connections.all(connection.workspace_id)
            if one.id in held and one.id != connection.id and one.organization_id and connection.organization_id
        )

    async def _replaced(
        self, store: Store, actor: Person, old: Credential, key: Secret, identity: Identity
    ) -> Credential:
        try:
            return await store.credentials.replace(
                actor.workspace_id,
                old.id,
                secret=key,
                rights=sorted(identity.rights),
                registered_by=actor.user_id,
                at=self._desk.now(),
                expires_at=identity.expires_at,
            )
        except AlreadyExists as error:
            team = await store.teams.get(actor.workspace_id, old.team_id)
            raise Refusal(
                RefusalCode.KEY_ALREADY_REGISTERED, team=team.name if team else "", ends_with=key.ends_with
            ) from error

    async def _is_same(self, store: Store, old: Credential, key: Secret) -> bool:
        """Whether a key is put in its own place: its rights are read anew, and nothing is replaced."""
        try:
            known_keys = await store.credentials.usable(old.workspace_id, old.connection_id)
        except SecretUnreadable:
            return False
        return any(credential.id == old.id and known == key for credential, known in known_keys)

    async def _require_new_key(self, store: Store, connection: Connection, key: Secret) -> None:
        try:
            known_keys = await store.credentials.usable(connection.workspace_id, connection.id)
        except SecretUnreadable:
            return  # the master key was lost: a key typed again is how collecting begins again
        for credential, known in known_keys:
            if known == key:
                team = await store.teams.get(connection.workspace_id, credential.team_id)
                raise Refusal(
                    RefusalCode.KEY_ALREADY_REGISTERED,
                    team=team.name if team is not None else "",
                    ends_with=credential.ends_with,
                )

    async def _require_same_organization(self, store: Store, connection: Connection, identity: Identity) -> None:
        matching = await store.connections.matching(
            connection.workspace_id, connection.provider, identity.organization_id, identity.project_ids
        )
        if matching is not None and matching.id == connection.id:
            return
        both_named = connection.organization_id is not None and identity.organization_id is not None
        both_have_projects = bool(
            identity.project_ids and await store.known_projects.count(connection.workspace_id, connection.id)
        )
        if matching is not None or both_named or both_have_projects:
            raise Refusal(
                RefusalCode.KEY_OF_OTHER_ORGANIZATION,
                registered=owner_name(connection.organization_name, connection.organization_id),
                pasted=owner_name(identity.organization_name, identity.organization_id),
            )

    async def _tell_organization(self, store: Store, connection: Connection, identity: Identity) -> None:
        organization_id = identity.organization_id or connection.organization_id
        if organization_id is None:
            return
        await store.connections.tell_organization(
            connection.workspace_id,
            connection.id,
            organization_id,
            identity.organization_name,
        )

    async def _after_loss(self, store: Store, credential: Credential) -> KeyChanged:
        """When the last usable key is gone, nobody looks any more, and every figure has to say so."""
        workspace_id, connection_id = credential.workspace_id, credential.connection_id
        still = await has_enabled_key(store, workspace_id, connection_id)
        if not still:
            reason = OutageCode.KEYS_DISABLED.value
            await store.connections.mark_blind(workspace_id, connection_id, self._desk.now(), reason)
        return KeyChanged(credential, await self._connection(store, credential), still_collected=still)

    async def _recorded(
        self, store: Store, actor: Person, action: str, credential: Credential, more: Mapping[str, Fact] | None = None
    ) -> None:
        workspace_id = actor.workspace_id
        team = await store.teams.get(workspace_id, credential.team_id)
        connection = await store.connections.get(workspace_id, credential.connection_id)
        facts = {**key_facts(credential, team, connection), **(more or {})}
        await record(self._desk, store, workspace_id, actor.user_id, action, f"key:{credential.id}", facts)

    async def _connection(self, store: Store, credential: Credential) -> Connection:
        connection = await store.connections.get(credential.workspace_id, credential.connection_id)
        assert connection is not None, "a credential names its connection by a foreign key"
        return connection

    async def _discovered(self, connection: Connection, credential: Credential, key: Secret) -> int | None:
        if MANAGEMENT_READ not in credential.rights:
            return None
        complete = await discovery.discover(
            self._desk, connection, [(credential, key)], within_seconds=_DISCOVERY_SECONDS
        )
        if not complete:
            return None
        async with self._desk.storage.reading() as store:
            return await store.known_projects.count(connection.workspace_id, connection.id)


def _registered(added: _Added, identity: Identity, projects_found: int | None) -> KeyRegistered:
    return KeyRegistered(
        credential=added.credential,
        connection=added.connection,
        rights=identity.rights,
        organization_name=added.connection.organization_name or identity.organization_name,
        key_name=identity.key_name,
        expires_at=identity.expires_at,
        is_shared=added.is_shared,
        other_organizations=added.others,
        projects_found=projects_found,
    )
