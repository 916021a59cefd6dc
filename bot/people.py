"""People: who is talking to us, and who may administer a workspace."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.results import Profile
from finops.registry import Person, Role, Workspace
from storage import Store

log = logging.getLogger(__name__)

REMEMBERED_PEOPLE = 5_000
REMEMBERED_FOR = timedelta(minutes=10)
_FIRST_ADMIN = "first-admin"


class People:
    """Remembers people as Slack describes them and decides who the first admin is."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: OrderedDict[tuple[str, str], tuple[Person, datetime]] = OrderedDict()

    async def meet(
        self, workspace_id: str, workspace_name: str, profile: Profile, *, asks_setup: bool = False
    ) -> Person:
        """Remember a person and give them their role.

        Whom the operator named administers from the first meeting on. Otherwise, as long as the workspace has no
        admin, the one who installed the app becomes it; when nobody is known to have installed it, the first Slack
        admin who asks for set-up. Exactly one person wins that race; guests and bots never do.
        """
        desk = self._desk
        now = desk.now()
        async with desk.storage.writing() as store:
            workspace = await store.workspaces.ensure(
                workspace_id,
                name=workspace_name,
                locale=desk.policy.default_locale,
                timezone=desk.policy.default_timezone,
                installed_by=None,
                at=now,
            )
            person = await store.people.remember(
                workspace_id,
                Person(
                    workspace_id=workspace_id,
                    user_id=profile.user_id,
                    name=profile.name,
                    role=Role.MEMBER,
                    locale=profile.locale or workspace.locale,
                    timezone=profile.timezone or workspace.timezone,
                    is_workspace_admin=profile.is_workspace_admin,
                    seen_at=now,
                ),
            )
            if not person.is_admin and await self._becomes_admin(store, workspace, profile, asks_setup, now):
                await store.people.set_role(workspace_id, profile.user_id, Role.ADMIN)
                person = replace(person, role=Role.ADMIN)
                why = "named" if desk.policy.first_admins else "installed" if workspace.installed_by else "first"
                subject = f"person:{profile.user_id}"
                await record(desk, store, workspace_id, None, "admin.appointed", subject, {"why": why})
                log.info("admin appointed", extra={"workspace_id": workspace_id, "user_id": profile.user_id})
        self._remember(person, now)
        return person

    async def _becomes_admin(
        self, store: Store, workspace: Workspace, profile: Profile, asks_setup: bool, now: datetime
    ) -> bool:
        if profile.is_bot or profile.is_guest:
            return False
        named = self._desk.policy.first_admins
        if named:
            return profile.user_id in named
        if workspace.installed_by:
            is_candidate = profile.user_id == workspace.installed_by
        else:
            is_candidate = asks_setup and profile.is_workspace_admin
        if not is_candidate or await store.people.admins(workspace.id):
            return False
        return await store.claims.once(workspace.id, _FIRST_ADMIN, now)

    async def known(self, workspace_id: str, user_id: str) -> Person | None:
        """The person, if we met them; answered from memory for some minutes."""
        key, now = (workspace_id, user_id), self._desk.now()
        if key in self._known:
            person, until = self._known[key]
            if now < until:
                self._known.move_to_end(key)
                return person
            del self._known[key]
        async with self._desk.storage.reading() as store:
            found = await store.people.get(workspace_id, user_id)
        if found is not None:
            self._remember(found, now)
        return found

    async def admins(self, workspace_id: str) -> tuple[str, ...]:
        """The user ids of everyone who administers the workspace."""
        async with self._desk.storage.reading() as store:
            return tuple(person.user_id for person in await store.people.admins(workspace_id))

    async def require_admin(self, person: Person) -> None:
        """Refuse politely, naming who could help, unless the person is an admin."""
        if person.is_admin:
            return
        admins = await self.admins(person.workspace_id)
        if person.user_id in admins:
            return  # appointed a moment ago, perhaps by another replica
        if not admins:
            raise Refusal(RefusalCode.NO_ADMIN_YET)
        raise Refusal(RefusalCode.NOT_ADMIN, admins=admins)

    async def workspace(self, workspace_id: str) -> Workspace | None:
        async with self._desk.storage.reading() as store:
            return await store.workspaces.get(workspace_id)

    async def workspaces(self) -> list[Workspace]:
        """Every workspace there is: for the operator, and nobody else."""
        async with self._desk.storage.reading() as store:
            return await store.workspaces.all()

    def forget(self) -> None:
        """Drop what is kept in memory, so that a change made elsewhere shows at once."""
        self._known.clear()

    def _remember(self, person: Person, now: datetime) -> None:
        self._known[person.workspace_id, person.user_id] = (person, now + REMEMBERED_FOR)
        self._known.move_to_end((person.workspace_id, person.user_id))
        while len(self._known) > REMEMBERED_PEOPLE:
            self._known.popitem(last=False)
