"""The registry: workspaces, people, teams, connections and projects, as people know them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import update

from finops.registry import Person, Role, Team
from storage import Storage
from storage.errors import AlreadyExists, NotFound
from storage.tables import teams
from tests.databases import MOMENT, WORKSPACE, Tenant, statements

LATER = MOMENT + timedelta(hours=1)
JIHOON = Person(
    WORKSPACE,
    "U0JIHOON01",
    "이지훈",
    Role.MEMBER,
    "ko-KR",
    "Asia/Seoul",
    is_workspace_admin=True,
    seen_at=MOMENT,
)


@dataclass(frozen=True)
class Discovered:
    id: str
    name: str
    is_archived: bool = False


async def a_team(storage: Storage, name: str) -> Team:
    async with storage.writing() as store:
        return await store.teams.create(
            WORKSPACE,
            name=name,
            lead_user_id="U0MINSU001",
            channel_id="C0DATA0001",
            locale="ko",
            approvers=("U0SEOYEON1", "S0FINANCE1"),
            created_by="U0JIHOON01",
            at=MOMENT,
        )


async def test_meeting_a_workspace_again_refreshes_its_name_and_nothing_else(storage: Storage) -> None:
    """Its settings are ours; who installed it is filled in once it is known."""
    async with storage.writing() as store:
        first = await store.workspaces.ensure(
            WORKSPACE, name="한빛", locale="ko", timezone="Asia/Seoul", installed_by=None, at=MOMENT
        )
        second = await store.workspaces.ensure(
            WORKSPACE, name="한빛소프트", locale="en", timezone="UTC", installed_by="U1", at=LATER
        )
        third = await store.workspaces.ensure(
            WORKSPACE, name="한빛소프트", locale="en", timezone="UTC", installed_by="U2", at=LATER
        )
        assert second == third == replace(first, name="한빛소프트", installed_by="U1")
        assert await store.workspaces.set_installer(WORKSPACE, "U3")
        assert not await store.workspaces.set_installer("T0NOBODY01", "U3")
        assert await store.workspaces.all() == [replace(third, installed_by="U3")]


async def test_slack_describes_a_person_and_we_decide_the_role(storage: Storage, tenant: Tenant) -> None:
    """A changed name arrives; a role given here is not taken by the next visit."""
    async with storage.writing() as store:
        assert await store.people.remember(WORKSPACE, JIHOON) == JIHOON
        assert await store.people.set_role(WORKSPACE, JIHOON.user_id, Role.ADMIN)
        assert not await store.people.set_role(WORKSPACE, "U0NOBODY01", Role.ADMIN)
        seen = await store.people.remember(WORKSPACE, replace(JIHOON, name="지훈", locale="en-US", seen_at=LATER))
        assert seen == replace(JIHOON, name="지훈", locale="en-US", role=Role.ADMIN, seen_at=LATER)
        assert await store.people.admins(WORKSPACE) == [seen]
        assert await store.people.get(WORKSPACE, JIHOON.user_id) == seen


async def test_a_role_is_changed_once_and_admins_are_found_whatever_made_them_one(
    storage: Storage, tenant: Tenant
) -> None:
    """Of two who saw the same role, one changes it; an outsider is no admin; who is named is found as a member, too."""
    async with storage.writing() as store:
        await store.people.remember(WORKSPACE, JIHOON)
        assert await store.people.set_role(WORKSPACE, JIHOON.user_id, Role.ADMIN_NAMED, Role.MEMBER)
        assert not await store.people.set_role(WORKSPACE, JIHOON.user_id, Role.OUTSIDER, Role.MEMBER)
        [admin] = await store.people.admins(WORKSPACE)
        assert admin.is_admin
        assert admin in await store.people.admins_and(())
        assert await store.people.set_role(WORKSPACE, JIHOON.user_id, Role.OUTSIDER, Role.ADMIN_NAMED)
        assert await store.people.admins(WORKSPACE) == []
        assert await store.people.admins_and(()) == []
        assert [one.role for one in await store.people.admins_and({JIHOON.user_id})] == [Role.OUTSIDER]


async def test_times_come_back_as_the_moment_they_were(storage: Storage, tenant: Tenant) -> None:
    """Given in Seoul's time, kept and answered in UTC, to the microsecond; a naive time is refused."""
    seoul = datetime(2026, 7, 6, 4, 28, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    async with storage.writing() as store:
        person = await store.people.remember(WORKSPACE, replace(JIHOON, seen_at=seoul))
        assert person.seen_at == seoul
        assert person.seen_at.tzinfo is UTC
    with pytest.raises(Exception, match="aware times only"):
        await store_naive(storage)


async def store_naive(storage: Storage) -> None:
    async with storage.writing() as store:
        await store.people.remember(WORKSPACE, replace(JIHOON, seen_at=MOMENT.replace(tzinfo=None)))


@pytest.mark.parametrize("name", ["Data Team", " data team ", "ＤＡＴＡ team", "데이터"])
async def test_names_that_read_the_same_are_the_same_team(storage: Storage, tenant: Tenant, name: str) -> None:
    """Case, width, spaces and the way a syllable is encoded do not make a second team."""
    first = await a_team(storage, "데이터" if name == "데이터" else "Data team")
    with pytest.raises(AlreadyExists) as refusal:
        await a_team(storage, name)
    assert (refusal.value.existing_id, refusal.value.name) == (first.id, first.name)
    async with storage.reading() as store:
        assert await store.teams.by_name(WORKSPACE, name) == first


async def test_a_blank_more_or_less_makes_no_second_team(storage: Storage, tenant: Tenant) -> None:
    """ "마케팅 팀" and "마케팅팀" are one team to whoever reads an alert, when it is made and when one is renamed."""
    data = await a_team(storage, "데이터팀")
    for name in ("마케팅 팀", "마 케 팅팀"):
        with pytest.raises(AlreadyExists) as refusal:
            await a_team(storage, name)
        assert (refusal.value.existing_id, refusal.value.name) == (tenant.team_id, "마케팅팀")
        async with storage.writing() as store:
            with pytest.raises(AlreadyExists):
                await store.teams.update(WORKSPACE, data.id, name=name)
            assert (await store.teams.update(WORKSPACE, tenant.team_id, name=name)).name == name
            await store.teams.update(WORKSPACE, tenant.team_id, name="마케팅팀")


async def test_two_teams_that_were_called_alike_before_live_on(storage: Storage, tenant: Tenant) -> None:
    """Each keeps its name and everything else can be changed; a third of that name there will not be."""
    other = await a_team(storage, "데이터팀")
    async with storage.writing() as store:
        renamed = {"name": "마케팅 팀", "name_key": "마케팅 팀"}
        await store.teams._db.execute(update(teams).where(teams.c.id == other.id).values(renamed))
        for id_, name in ((other.id, "마케팅 팀"), (tenant.team_id, "마케팅팀")):
            changed = await store.teams.update(WORKSPACE, id_, name=name, lead_user_id="U0SEOYEON1")
            assert (changed.name, changed.lead_user_id) == (name, "U0SEOYEON1")
            with pytest.raises(AlreadyExists):
                await store.teams.update(WORKSPACE, id_, name="마케 팅팀")


async def test_a_team_changes_what_is_given_and_keeps_the_rest(storage: Storage, tenant: Tenant) -> None:
    """A new lead does not lose the approvers; another team's name is refused; its own in other letters is not."""
    team = await a_team(storage, "Data")
    async with storage.writing() as store:
        changed = await store.teams.update(WORKSPACE, team.id, name="DATA", lead_user_id="U0SEOYEON1")
        assert changed == replace(team, name="DATA", lead_user_id="U0SEOYEON1")
        emptied = await store.teams.update(WORKSPACE, team.id, approvers=())
        assert emptied.approvers == ()
        assert [each.name for each in await store.teams.all(WORKSPACE)] == ["DATA", "마케팅팀"]
        with pytest.raises(AlreadyExists):
            await store.teams.update(WORKSPACE, team.id, name="마케팅팀")
        with pytest.raises(NotFound):
            await store.teams.update(WORKSPACE, 999, name="없는 팀")


async def test_two_keys_of_one_organization_find_one_connection(storage: Storage, tenant: Tenant) -> None:
    """The organization id decides where there is one; else a shared project does; different ids never match."""
    async with storage.writing() as store:
        nameless = await store.connections.create(
            WORKSPACE, provider="openai", organization_id=None, organization_name=None, at=MOMENT
        )
        await store.known_projects.remember(WORKSPACE, tenant.connection.id, [Discovered("proj_a", "a")], MOMENT)
        await store.known_projects.remember(WORKSPACE, nameless.id, [Discovered("proj_b", "b")], MOMENT)
        find = store.connections.matching
        assert await find(WORKSPACE, "openai", "org-1", ()) == tenant.connection
        assert await find(WORKSPACE, "openai", None, {"proj_a", "proj_new"}) == tenant.connection
        assert await find(WORKSPACE, "openai", "org-9", {"proj_a"}) is None
        assert await find(WORKSPACE, "openai", "org-9", {"proj_b"}) == nameless
        assert await find(WORKSPACE, "openai", None, ()) is None
        assert await find(WORKSPACE, "anthropic", "org-1", {"proj_a"}) is None
        with pytest.raises(AlreadyExists) as refusal:
            await store.connections.create(
                WORKSPACE, provider="openai", organization_id="org-1", organization_name="다시", at=MOMENT
            )
        assert refusal.value.existing_id == tenant.connection.id


async def test_being_blind_is_news_once_and_so_is_seeing_again(storage: Storage, tenant: Tenant) -> None:
    """One message when we go blind, one edit when we see; the first moment is kept in between."""
    key = (WORKSPACE, tenant.connection.id)
    async with storage.writing() as store:
        assert await store.connections.mark_blind(*key, MOMENT, "unavailable")
        assert not await store.connections.mark_blind(*key, LATER, "rejected")
        blind = await store.connections.get(*key)
        assert blind is not None
        assert (blind.blind_since, blind.blind_reason) == (MOMENT, "rejected")
        assert await store.connections.mark_seen(*key, LATER) == MOMENT
        assert await store.connections.mark_seen(*key, LATER) is None
        await store.connections.tell_organization(*key, "org-1", "한빛 AI")
        await store.connections.tell_organization(*key, "org-1", None)
        seen = await store.connections.get(*key)
        assert seen is not None
        assert (seen.blind_since, seen.blind_reason, seen.collected_at) == (None, None, LATER)
        assert seen.organization_name == "한빛 AI"
        assert await store.connections.everywhere() == [seen]


async def test_a_connection_sees_again_when_both_of_its_senses_do(storage: Storage, tenant: Tenant) -> None:
    """Bills and usage fail apart: one message for both, and one recovery when the last of them is back."""
    key = (WORKSPACE, tenant.connection.id)
    async with storage.writing() as store:
        assert await store.connections.mark_blind(*key, MOMENT, "rejected", "costs")
        assert not await store.connections.mark_blind(*key, LATER, "usage_late", "usage")
        assert await store.connections.mark_seen(*key, LATER, "usage") is None
        half = await store.connections.get(*key)
        assert half is not None
        assert (half.costs_blind, half.usage_blind) == (True, False)
        assert (half.blind_since, half.blind_reason, half.collected_at) == (MOMENT, "rejected", None)
        assert await store.connections.mark_seen(*key, LATER, "costs") == MOMENT
        whole = await store.connections.get(*key)
        assert whole is not None
        assert (whole.costs_blind, whole.blind_since, whole.blind_reason) == (False, None, None)


async def test_a_thousand_projects_are_registered_while_slack_waits(storage: Storage, tenant: Tenant) -> None:
    """All of a big organization in one press: two statements for each took longer than a window waits."""
    wanted = [(f"proj_{number:04}", f"project {number}") for number in range(1001)]
    async with storage.writing() as store:
        with statements() as asked:
            ours, taken = await store.projects.register(
                WORKSPACE,
                connection_id=tenant.connection.id,
                team_id=tenant.team_id,
                projects=wanted,
                registered_by="U1",
                at=MOMENT,
            )
        assert [(one.provider_project_id, one.name) for one in ours] == wanted
        assert not taken
        assert len(asked) <= 8


async def test_a_project_belongs_to_one_team_and_the_second_is_told_whose(storage: Storage, tenant: Tenant) -> None:
    """Also through another connection of the same provider; asking again for one's own changes nothing."""
    other_team = await a_team(storage, "데이터팀")
    async with storage.writing() as store:
        second = await store.connections.create(
            WORKSPACE, provider="openai", organization_id="org-2", organization_name=None, at=MOMENT
        )

        async def register(connection_id: int, team_id: int, *ids: str) -> tuple[list[str], list[str | None]]:
            ours, taken = await store.projects.register(
                WORKSPACE,
                connection_id=connection_id,
                team_id=team_id,
                projects=[(each, f"name of {each}") for each in ids],
                registered_by="U1",
                at=MOMENT,
            )
            return [each.provider_project_id for each in ours], [each.team_name for each in taken]

        first = tenant.connection.id
        assert await register(first, tenant.team_id, "proj_a", "proj_b", "proj_a") == (["proj_a", "proj_b"], [])
        assert await register(first, tenant.team_id, "proj_a") == (["proj_a"], [])
        assert await register(first, other_team.id, "proj_a", "proj_c") == (["proj_c"], ["마케팅팀"])
        assert await register(second.id, other_team.id, "proj_b") == ([], ["마케팅팀"])
        assert len(await store.projects.all(WORKSPACE)) == 3
        [project] = await store.projects.of_team(WORKSPACE, other_team.id)
        assert await store.projects.unregister(WORKSPACE, project.id)
        assert not await store.projects.unregister(WORKSPACE, project.id)
        assert await register(first, tenant.team_id, "proj_c") == (["proj_c"], [])


async def test_a_projects_fields_are_set_kept_and_emptied(storage: Storage, tenant: Tenant) -> None:
    """Not mentioned means unchanged; None means empty."""
    async with storage.writing() as store:
        [project], _ = await store.projects.register(
            WORKSPACE,
            connection_id=tenant.connection.id,
            team_id=tenant.team_id,
            projects=[("proj_a", "chatbot")],
            registered_by="U1",
            at=MOMENT,
        )
        changed = await store.projects.update(WORKSPACE, project.id, environment="prod", lead_user_id="U2")
        assert changed == replace(project, environment="prod", lead_user_id="U2")
        changed = await store.projects.update(WORKSPACE, project.id, environment=None, excluded=True)
        assert changed == replace(project, environment=None, lead_user_id="U2", excluded=True)
        assert await store.projects.get(WORKSPACE, project.id) == changed
        with pytest.raises(NotFound):
            await store.projects.update(WORKSPACE, 999, excluded=True)


async def test_discovered_projects_are_found_by_words_of_their_name_or_id(storage: Storage, tenant: Tenant) -> None:
    """Any case, any order, Korean too, with a percent sign meaning itself; archived ones only when asked."""
    key = (WORKSPACE, tenant.connection.id)
    async with storage.writing() as store:
        assert await store.known_projects.refreshed_at(*key) is None
        told = [
            Discovered("proj_1", "Chatbot Experiment"),
            Discovered("proj_2", "챗봇 운영"),
            Discovered("proj_3", "100% search"),
            Discovered("proj_4", "old chatbot", is_archived=True),
        ]
        assert await store.known_projects.remember(*key, told, MOMENT) == 4
        await store.projects.register(
            WORKSPACE,
            connection_id=tenant.connection.id,
            team_id=tenant.team_id,
            projects=[("proj_2", "챗봇 운영")],
            registered_by="U1",
            at=MOMENT,
        )

        async def found(words: str, *, include_archived: bool = False) -> list[str]:
            hits = await store.known_projects.search(*key, words, include_archived=include_archived)
            return [each.provider_project_id for each in hits]

        assert await found("experiment CHAT") == ["proj_1"]
        assert await found("챗봇") == ["proj_2"]
        assert await found("%") == ["proj_3"]
        assert await found("PROJ_3") == ["proj_3"]
        assert await found("chatbot", include_archived=True) == ["proj_1", "proj_4"]
        assert await found("") == ["proj_3", "proj_1", "proj_2"]
        assert len(await store.known_projects.search(*key, "", limit=2)) == 2
        owned = await store.known_projects.get(*key, "proj_2")
        assert owned is not None
        assert owned.team_name == "마케팅팀"
        assert await store.known_projects.count(*key) == 3
        assert await store.known_projects.refreshed_at(*key) == MOMENT


async def test_a_project_renamed_at_the_provider_is_renamed_here(storage: Storage, tenant: Tenant) -> None:
    """People look for the name their console shows."""
    key = (WORKSPACE, tenant.connection.id)
    async with storage.writing() as store:
        await store.projects.register(
            WORKSPACE,
            connection_id=tenant.connection.id,
            team_id=tenant.team_id,
            projects=[("proj_a", "old"), ("proj_b", "typed")],
            registered_by="U1",
            at=MOMENT,
        )
        await store.known_projects.remember(*key, [Discovered("proj_a", "new")], MOMENT)
        assert [each.name for each in await store.projects.all(WORKSPACE)] == ["new", "typed"]
        await store.known_projects.remember(*key, [Discovered("proj_a", "newer", is_archived=True)], LATER)
        [known] = await store.known_projects.all(WORKSPACE)
        assert (known.name, known.is_archived) == ("newer", True)
        assert await store.known_projects.remember(*key, [], LATER) == 0
