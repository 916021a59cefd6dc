"""Teams: who owns projects and keys, who leads and approves, and in which channel they are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.acts import changes_of, team_facts
from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.people import People, require_manager
from bot.results import Profile
from finops.incidents import Fact
from finops.registry import LONGEST_TEAM_NAME, Person, Team
from finops.roles import may_belong, may_manage_team
from storage import Store
from storage.errors import AlreadyExists, NotFound

# What a channel can be spoken to in: the languages of locales/, which this room does not know.
LANGUAGES = ("ko", "en", "ja")


class Teams:
    """Creates and changes teams. Money questions need a person to answer them: never a bot, never a guest."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    async def create(
        self,
        actor: Person,
        name: str,
        lead: Profile,
        channel_id: str,
        approvers: Sequence[Profile | str] = (),
        locale: str | None = None,
    ) -> Team:
        """Make a team. `approvers` are people, or ids of user groups (S…).

        `locale` is the language its channel is told in, one of LANGUAGES; None is that of the installation.
        """
        await self._people.require_admin(actor)
        name, ids = _checked_name(name), _approver_ids(approvers)
        check_lead(lead)
        if not channel_id:
            raise Refusal(RefusalCode.CHANNEL_MISSING)
        _check_language(locale)
        desk = self._desk
        try:
            async with desk.storage.writing() as store:
                await store.workspaces.hold(actor.workspace_id)
                team = await store.teams.create(
                    actor.workspace_id,
                    name=name,
                    lead_user_id=lead.user_id,
                    channel_id=channel_id,
                    locale=locale or desk.policy.default_locale,
                    approvers=ids,
                    created_by=actor.user_id,
                    at=desk.now(),
                )
                await self._recorded(store, actor, "team.created", team, team_facts(team))
                return team
        except AlreadyExists as error:
            raise Refusal(RefusalCode.TEAM_NAME_TAKEN, team=error.name) from error

    async def update(
        self,
        actor: Person,
        team_id: int,
        *,
        name: str | None = None,
        lead: Profile | None = None,
        channel_id: str | None = None,
        approvers: Sequence[Profile | str] | None = None,
        locale: str | None = None,
    ) -> Team:
        """Change what is given, keep the rest. Only admins decide who leads and approves.

        `locale` is one of LANGUAGES; what was posted before is in it from its next edit on.
        """
        await self._people.require_admin(actor)
        _check_language(locale)
        if lead is not None:
            check_lead(lead)
        try:
            async with self._desk.storage.writing() as store:
                # One after another: by what was before, changes are told, and names are told apart.
                await store.workspaces.hold(actor.workspace_id)
                before = await store.teams.get(actor.workspace_id, team_id)
                if before is not None and locale is not None and _speaks(before, locale):
                    locale = None  # "ko-KR" and "ko" are one language: nobody changed anything
                team = await store.teams.update(
                    actor.workspace_id,
                    team_id,
                    name=None if name is None else _checked_name(name),
                    lead_user_id=None if lead is None else lead.user_id,
                    channel_id=channel_id or None,
                    locale=locale,
                    approvers=None if approvers is None else _approver_ids(approvers),
                )
                changes = changes_of(team_facts(before), team_facts(team)) if before is not None else {}
                if changes:
                    await self._recorded(store, actor, "team.changed", team, {"name": team.name, **changes})
                return team
        except NotFound as error:
            raise Refusal(RefusalCode.UNKNOWN_TEAM) from error
        except AlreadyExists as error:
            raise Refusal(RefusalCode.TEAM_NAME_TAKEN, team=error.name) from error

    async def _recorded(self, store: Store, actor: Person, action: str, team: Team, facts: Mapping[str, Fact]) -> None:
        await record(self._desk, store, actor.workspace_id, actor.user_id, action, f"team:{team.id}", facts)

    async def all(self, workspace_id: str) -> list[Team]:
        async with self._desk.storage.reading() as store:
            return await store.teams.all(workspace_id)

    async def get(self, workspace_id: str, team_id: int) -> Team:
        """The team, or a refusal when somebody removed it meanwhile."""
        async with self._desk.storage.reading() as store:
            team = await store.teams.get(workspace_id, team_id)
        if team is None:
            raise Refusal(RefusalCode.UNKNOWN_TEAM)
        return team

    async def managed_by(self, actor: Person, groups: Iterable[str] = ()) -> list[Team]:
        """The teams whose keys and projects this person may change."""
        held = frozenset(groups)
        return [team for team in await self.all(actor.workspace_id) if may_manage_team(actor, team, held)]

    async def require_any(self, actor: Person, groups: Iterable[str] = ()) -> None:
        """Refuse, naming who could, unless this person may act for some team, or is an admin (there may be no team)."""
        async with self._desk.storage.reading() as store:
            teams = await store.teams.all(actor.workspace_id)
            if any(may_manage_team(actor, team, frozenset(groups)) for team in teams):
                return
            for team in teams:
                if may_belong(team, groups):
                    await require_manager(store, actor, team, groups)
        await self._people.require_admin(actor)

    async def require_manager(self, actor: Person, team_id: int, groups: Iterable[str] = ()) -> Team:
        """The team, if this person may change its keys and projects; a polite refusal otherwise."""
        team = await self.get(actor.workspace_id, team_id)
        async with self._desk.storage.reading() as store:
            await require_manager(store, actor, team, groups)
        return team


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refusal(RefusalCode.TEAM_NAME_MISSING)
    if len(name) > LONGEST_TEAM_NAME:
        raise Refusal(RefusalCode.TEAM_NAME_TOO_LONG, limit=LONGEST_TEAM_NAME)
    return name


def _check_language(locale: str | None) -> None:
    if locale is not None and locale not in LANGUAGES:
        raise Refusal(RefusalCode.LANGUAGE_UNKNOWN)


def _speaks(team: Team, language: str) -> bool:
    return team.locale.replace("_", "-").partition("-")[0].lower() == language


def check_lead(lead: Profile) -> None:
    if lead.is_bot:
        raise Refusal(RefusalCode.LEAD_IS_BOT, user_id=lead.user_id)
    if lead.is_guest:
        raise Refusal(RefusalCode.LEAD_IS_GUEST, user_id=lead.user_id)


def _approver_ids(approvers: Sequence[Profile | str]) -> tuple[str, ...]:
    ids: dict[str, None] = {}
    for approver in approvers:
        if isinstance(approver, Profile):
            if approver.is_bot:
                raise Refusal(RefusalCode.APPROVER_IS_BOT, user_id=approver.user_id)
            if approver.is_guest:
                raise Refusal(RefusalCode.APPROVER_IS_GUEST, user_id=approver.user_id)
            ids[approver.user_id] = None
        else:
            ids[approver] = None
    return tuple(ids)
