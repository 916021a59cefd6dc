"""People: who is talking to us, and who may administer a workspace."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.policy import Policy
from bot.results import Profile
from finops.registry import Person, Role, Team, Workspace
from finops.roles import may_belong, may_manage_team, role_now
from storage import Store

log = logging.getLogger(__name__)

REMEMBERED_PEOPLE = 5_000
REMEMBERED_FOR = timedelta(minutes=10)
# Somebody who asks for set-up waits for no admin whom Slack may have deactivated while nobody told us.
UNSEEN_AFTER = timedelta(hours=1)
_FIRST_ADMIN = "first-admin"
_BECAUSE = {Role.ADMIN_NAMED: "named", Role.ADMIN_INSTALLED: "installed", Role.ADMIN_FIRST: "first"}
_LOST = {
    Role.ADMIN: "no_reason",
    Role.ADMIN_NAMED: "unnamed",
    Role.ADMIN_INSTALLED: "no_reason",
    Role.ADMIN_FIRST: "no_slack_admin",
}


class People:
    """Remembers people as Slack describes them, and decides who becomes an admin and who stays one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: OrderedDict[tuple[str, str], tuple[Person, datetime]] = OrderedDict()

    async def meet(
        self, workspace_id: str, workspace_name: str, profile: Profile, *, asks_setup: bool = False
    ) -> Person:
        """Remember a person as Slack describes them now, and give them the role that is theirs now.

        Whom the operator named administers from the first meeting on. Otherwise, as long as the workspace has no
        admin, the one who installed the app becomes it; when nobody is known to have installed it who could, the first
        Slack admin who asks for set-up. Exactly one person wins that race; outsiders never do, and an admin who turns
        into one, or whose reason has ended, is a member from here on (`finops.roles.role_now`).
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
            described = Person(
                workspace_id=workspace_id,
                user_id=profile.user_id,
                name=profile.name,
                role=Role.OUTSIDER if profile.is_outsider else Role.MEMBER,
                locale=profile.locale or workspace.locale,
                timezone=profile.timezone or workspace.timezone,
                is_workspace_admin=profile.is_workspace_admin,
                seen_at=now,
            )
            person = await store.people.remember(workspace_id, described)
            role, why = self._role_of(person, workspace, profile), _ended(profile)
            if role is Role.MEMBER:
                role = await self._appointed(store, workspace, profile, asks_setup, now) or role
            person = await self._given(store, workspace, person, role, why)
        self._remember(person, now)
        return person

    async def present(self, workspace_id: str, user_id: str) -> Person | None:
        """The person, if we met them, with the role that holds this moment: asked of the database, not of memory.

        Slack is not asked: it tells us of changes, and `meet` takes them in.
        """
        now = self._desk.now()
        async with self._desk.storage.reading() as store:
            found = await store.people.get(workspace_id, user_id)
        if found is None:
            return None
        if self._is_in_doubt(found):
            found = await self._settled(found)
        self._remember(found, now)
        return found

    async def settle(self) -> None:
        """Let what the operator decides now hold everywhere: who was named meanwhile, and who is not named any more."""
        async with self._desk.storage.reading() as store:
            touched = await store.people.admins_and(self._desk.policy.first_admins)
        for person in touched:
            if self._is_in_doubt(person):
                await self._settled(person)

    async def unseen_admins(self, workspace_id: str, but: str) -> tuple[str, ...]:
        """The admins, but one person, of whom Slack told us nothing for a while: they may have left unnoticed."""
        now = self._desk.now()
        async with self._desk.storage.reading() as store:
            admins = await store.people.admins(workspace_id)
        return tuple(one.user_id for one in admins if abs(now - one.seen_at) > UNSEEN_AFTER and one.user_id != but)

    def _is_in_doubt(self, person: Person) -> bool:
        return role_now(person, named=self._desk.policy.first_admins) is not person.role

    def _role_of(self, person: Person, workspace: Workspace, profile: Profile | None = None) -> Role:
        return role_now(
            person,
            named=self._desk.policy.first_admins,
            installed_by=workspace.installed_by,
            is_outsider=None if profile is None else profile.is_outsider,
        )

    async def _settled(self, person: Person) -> Person:
        async with self._desk.storage.writing() as store:
            workspace = await store.workspaces.get(person.workspace_id)
            assert workspace is not None
            return await self._given(store, workspace, person, self._role_of(person, workspace))

    async def _given(
        self, store: Store, workspace: Workspace, person: Person, role: Role, why: str | None = None
    ) -> Person:
        """Give a role; that somebody becomes an admin, or is none any more, is written down. `why`: it ended."""
        if role is person.role:
            return person
        # Of two who lose it at once, neither would see that the other does. Held first, as where somebody is met.
        await store.workspaces.hold(workspace.id)
        if not await store.people.set_role(workspace.id, person.user_id, role, person.role):
            return await store.people.get(workspace.id, person.user_id) or person  # another replica was faster
        given = replace(person, role=role)
        if given.is_admin is person.is_admin:
            return given
        details = {"why": _BECAUSE[role] if given.is_admin else why or _LOST[person.role]}
        action = "admin.appointed" if given.is_admin else "admin.removed"
        if not given.is_admin and not await store.people.admins(workspace.id):
            await store.claims.take_back(workspace.id, _FIRST_ADMIN)  # the place is free for somebody else
        await record(self._desk, store, workspace.id, None, action, f"person:{person.user_id}", details)
        log.info(action, extra={"workspace_id": workspace.id, "user_id": person.user_id} | details)
        return given

    async def _appointed(
        self, store: Store, workspace: Workspace, profile: Profile, asks_setup: bool, now: datetime
    ) -> Role | None:
        """The role of somebody whom nothing else makes an admin, where the workspace has none; None: not this one."""
        if self._desk.policy.first_admins:
            return None
        installer = await _installer(store, workspace)
        if installer is not None:
            is_candidate, role = profile.user_id == installer, Role.ADMIN_INSTALLED
        else:
            is_candidate, role = asks_setup and profile.is_workspace_admin, Role.ADMIN_FIRST
        if not is_candidate or await store.people.admins(workspace.id):
            return None
        return role if await store.claims.once(workspace.id, _FIRST_ADMIN, now) else None

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
        async with self._desk.storage.reading() as store:
            await require_admin(store, person)

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


def _ended(profile: Profile) -> str | None:
    """Why this person can have no rights here; None where they can."""
    if profile.is_deactivated:
        return "deactivated"
    if profile.is_bot:
        return "bot"
    return "guest" if profile.is_guest else None


async def _installer(store: Store, workspace: Workspace) -> str | None:
    """Who installed the app, as far as that is known of somebody who could administer it."""
    if not workspace.installed_by:
        return None
    known = await store.people.get(workspace.id, workspace.installed_by)
    return None if known is not None and known.is_outsider else workspace.installed_by


async def takes_first(store: Store, workspace_id: str, policy: Policy) -> bool:
    """Whether the first Slack admin who asks for set-up becomes the admin here: there is none, nor anybody meant to."""
    workspace = await store.workspaces.get(workspace_id)
    if policy.first_admins or workspace is None or await _installer(store, workspace) is not None:
        return False
    return not await store.people.admins(workspace_id)


async def lead_of(store: Store, workspace_id: str, *user_ids: str | None) -> str | None:
    """The first of those named to lead who is one of ours; None where none is, or is any more."""
    for user_id in filter(None, user_ids):
        known = await store.people.get(workspace_id, user_id)
        if known is None or not known.is_outsider:
            return user_id
    return None


async def require_admin(store: Store, person: Person) -> None:
    """`People.require_admin` for whoever reads or writes already: nobody holds one connection and waits for another."""
    if person.is_admin:
        return
    admins = tuple(one.user_id for one in await store.people.admins(person.workspace_id))
    if person.user_id in admins:
        return  # appointed a moment ago, perhaps by another replica
    if not admins:
        raise Refusal(RefusalCode.NO_ADMIN_YET)
    raise Refusal(RefusalCode.NOT_ADMIN, admins=admins)


async def require_manager(store: Store, person: Person, team: Team, groups: Iterable[str] = ()) -> None:
    """Refuse politely, naming who could, unless the person may act for the team: its lead, an approver or an admin.

    A lead who is an outsider by now could not either, and is not named. Where Slack did not say who is in a group that
    approves, it is refused as well, but nobody is told that they may not.
    """
    if may_manage_team(person, team, frozenset(groups)):
        return
    admins = tuple(one.user_id for one in await store.people.admins(team.workspace_id))
    if person.user_id in admins:
        return  # appointed a moment ago, perhaps by another replica
    lead = await lead_of(store, team.workspace_id, team.lead_user_id)
    if may_belong(team, groups):
        raise Refusal(RefusalCode.GROUPS_UNREAD, team=team.name, lead=lead, admins=admins)
    if lead is None and not admins:
        raise Refusal(RefusalCode.NO_ADMIN_YET)
    raise Refusal(RefusalCode.NOT_TEAM_MANAGER, team=team.name, lead=lead, admins=admins)
