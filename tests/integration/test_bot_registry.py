"""People, teams, keys and projects: who may, who owns, and how politely the rest is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot import Bot, Policy
from bot.errors import Refusal, RefusalCode
from bot.results import Profile
from finops.figures import SetupStep
from finops.registry import Person, Team
from providers.contract import CredentialReason, CredentialRejected, Unavailable
from storage import Storage
from storage.records import CollectionKind
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import (
    JIHOON,
    KEY,
    MINSU,
    OTHER_KEY,
    SECOND_KEY,
    SEOYEON,
    WORKSPACE,
    Key,
    LittleOpenAI,
    Organization,
    a_bot,
    a_team,
    worked,
)

TODAY = date(2026, 7, 6)
NAME = "한빛소프트"


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


async def refused_code(call: object) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await call  # type: ignore[misc]
    return refused.value


# --- the first admin -------------------------------------------------------------------------------------------------


async def test_the_first_slack_admin_who_asks_for_setup_administers(bot: Bot):
    """Looking is not asking; a member who asks is told that a Slack admin is needed; the first admin wins."""
    assert not (await bot.people.meet(WORKSPACE, NAME, JIHOON)).is_admin
    member = await bot.people.meet(WORKSPACE, NAME, SEOYEON, asks_setup=True)
    assert not member.is_admin
    assert (await refused_code(bot.people.require_admin(member))).code is RefusalCode.NO_ADMIN_YET
    assert (await bot.people.meet(WORKSPACE, NAME, JIHOON, asks_setup=True)).is_admin
    second = await bot.people.meet(WORKSPACE, NAME, replace(MINSU, is_workspace_admin=True), asks_setup=True)
    assert not second.is_admin
    refusal = await refused_code(bot.people.require_admin(member))
    assert (refusal.code, refusal.values) == (RefusalCode.NOT_ADMIN, {"admins": (JIHOON.user_id,)})


async def test_home_offers_the_set_up_to_whom_asking_for_it_makes_the_admin(bot: Bot):
    """Without that, nobody could begin; to others it would only be refused."""

    async def may_begin(profile: Profile) -> bool:
        return (await bot.reports.home(WORKSPACE, await bot.people.meet(WORKSPACE, NAME, profile))).may_begin

    other = replace(MINSU, is_workspace_admin=True)
    assert [await may_begin(one) for one in (JIHOON, SEOYEON, other)] == [True, False, True]
    await bot.people.meet(WORKSPACE, NAME, JIHOON, asks_setup=True)
    assert [await may_begin(one) for one in (JIHOON, SEOYEON, other)] == [True, False, False]


async def test_the_installer_comes_before_any_slack_admin(bot: Bot):
    async with bot.storage.writing() as store:
        await store.workspaces.ensure(
            WORKSPACE, name=NAME, locale="ko", timezone="Asia/Seoul", installed_by=MINSU.user_id, at=bot.clock()
        )
    refused = await bot.people.meet(WORKSPACE, NAME, JIHOON, asks_setup=True)
    assert not refused.is_admin
    assert not (await bot.reports.home(WORKSPACE, refused)).may_begin
    assert (await bot.people.meet(WORKSPACE, NAME, MINSU)).is_admin


async def test_whom_the_operator_named_administers_and_nobody_else_is_appointed(
    storage: Storage, openai: LittleOpenAI, clock: FakeClock
):
    async with a_bot(storage, openai, clock, Policy(first_admins=frozenset({SEOYEON.user_id}))) as bot:
        refused = await bot.people.meet(WORKSPACE, NAME, JIHOON, asks_setup=True)
        assert not refused.is_admin
        assert not (await bot.reports.home(WORKSPACE, refused)).may_begin
        assert (await bot.people.meet(WORKSPACE, NAME, SEOYEON)).is_admin


async def test_guests_and_bots_never_administer(bot: Bot):
    for profile in (replace(JIHOON, is_guest=True), replace(JIHOON, is_bot=True)):
        assert not (await bot.people.meet(WORKSPACE, NAME, profile, asks_setup=True)).is_admin


@on_both_databases
async def test_of_several_slack_admins_at_once_exactly_one_is_appointed(bot: Bot):
    profiles = [replace(JIHOON, user_id=f"U0ADMIN00{n}") for n in range(5)]
    met = await asyncio.gather(*(bot.people.meet(WORKSPACE, NAME, one, asks_setup=True) for one in profiles))
    assert sum(person.is_admin for person in met) == 1


async def test_a_role_is_kept_when_slack_describes_the_person_anew(bot: Bot, admin: Person, clock: FakeClock):
    again = await bot.people.meet(WORKSPACE, NAME, replace(JIHOON, name="Jihoon"))
    assert again.is_admin
    assert again.name == "Jihoon"
    assert await bot.people.known(WORKSPACE, JIHOON.user_id) == again
    clock.advance(hours=1)
    assert (await bot.people.known(WORKSPACE, JIHOON.user_id)) == again
    assert await bot.people.known(WORKSPACE, "U0NOBODY01") is None


# --- teams -----------------------------------------------------------------------------------------------------------


@on_both_databases
async def test_a_second_team_of_the_same_name_is_refused(bot: Bot, admin: Person, team: Team):
    """Blanks, case and Unicode forms do not make another name."""
    for name in ("  마케팅팀 ", "마케팅 팀"):
        refusal = await refused_code(bot.teams.create(admin, name, MINSU, "C0DATA0001"))
        assert (refusal.code, refusal.values) == (RefusalCode.TEAM_NAME_TAKEN, {"team": "마케팅팀"})


IMPOSSIBLE_TEAMS: list[tuple[str, Profile, str, list[Profile], RefusalCode]] = [
    ("   ", MINSU, "C1", [], RefusalCode.TEAM_NAME_MISSING),
    ("팀" * 51, MINSU, "C1", [], RefusalCode.TEAM_NAME_TOO_LONG),
    ("데이터팀", replace(MINSU, is_bot=True), "C1", [], RefusalCode.LEAD_IS_BOT),
    ("데이터팀", replace(MINSU, is_guest=True), "C1", [], RefusalCode.LEAD_IS_GUEST),
    ("데이터팀", MINSU, "", [], RefusalCode.CHANNEL_MISSING),
    ("데이터팀", MINSU, "C1", [replace(SEOYEON, is_bot=True)], RefusalCode.APPROVER_IS_BOT),
    ("데이터팀", MINSU, "C1", [replace(SEOYEON, is_guest=True)], RefusalCode.APPROVER_IS_GUEST),
]


async def test_a_team_that_cannot_be_is_refused_with_its_reason(bot: Bot, admin: Person):
    for name, lead, channel, approvers, code in IMPOSSIBLE_TEAMS:
        assert (await refused_code(bot.teams.create(admin, name, lead, channel, approvers))).code is code
    assert await bot.teams.all(WORKSPACE) == []


async def test_only_admins_make_teams_and_only_managers_touch_them(bot: Bot, admin: Person, team: Team):
    """The lead, approvers and members of an approving group manage; others learn who can."""
    member = await bot.people.meet(WORKSPACE, NAME, SEOYEON)
    lead = await bot.people.meet(WORKSPACE, NAME, MINSU)
    assert (await refused_code(bot.teams.create(member, "새 팀", MINSU, "C1"))).code is RefusalCode.NOT_ADMIN
    refusal = await refused_code(bot.connections.register_key(member, team.id, KEY))
    assert refusal.code is RefusalCode.NOT_TEAM_MANAGER
    assert refusal.values == {"team": "마케팅팀", "lead": lead.user_id, "admins": (admin.user_id,)}
    assert await bot.teams.require_manager(lead, team.id) == team
    updated = await bot.teams.update(admin, team.id, approvers=["S0FINANCE1", SEOYEON])
    assert updated.approvers == ("S0FINANCE1", SEOYEON.user_id)
    assert (await bot.teams.require_manager(member, team.id)).id == team.id
    await bot.teams.update(admin, team.id, approvers=["S0FINANCE1"])
    assert await bot.teams.managed_by(member, ["S0FINANCE1"]) != []
    assert await bot.teams.managed_by(member) == []


async def test_a_team_of_another_workspace_does_not_exist(bot: Bot, admin: Person, team: Team):
    stranger = await bot.people.meet("T0OTHER001", "다른 회사", JIHOON, asks_setup=True)
    assert stranger.is_admin
    refusal = await refused_code(bot.connections.register_key(stranger, team.id, KEY))
    assert refusal.code is RefusalCode.UNKNOWN_TEAM


# --- keys ------------------------------------------------------------------------------------------------------------


async def test_a_key_is_checked_named_and_sealed(bot: Bot, admin: Person, team: Team):
    registered = await bot.connections.register_key(admin, team.id, f' "{KEY}" ')
    assert registered.credential.ends_with == "abc1"
    assert registered.rights == {"usage.read", "management.read", "management.write"}
    assert registered.connection.organization_id == "org-hanbit"
    assert registered.projects_found == 3
    assert not registered.is_shared
    assert KEY not in repr(registered)


async def test_a_rejected_or_unreachable_check_stores_nothing(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team
):
    with pytest.raises(CredentialRejected) as rejected:
        await bot.connections.register_key(admin, team.id, OTHER_KEY)
    assert rejected.value.reason is CredentialReason.INVALID
    openai.status = 503
    with pytest.raises(Unavailable):
        await bot.connections.register_key(admin, team.id, KEY)
    assert await bot.connections.of_team(WORKSPACE, team.id) == []
    assert await bot.connections.all(WORKSPACE) == []


async def test_the_same_key_twice_is_refused_naming_who_has_it(bot: Bot, admin: Person, team: Team):
    await bot.connections.register_key(admin, team.id, KEY)
    data = await a_team(bot, admin, "데이터팀", "C0DATA0001")
    for one in (team, data):
        refusal = await refused_code(bot.connections.register_key(admin, one.id, KEY))
        assert refusal.code is RefusalCode.KEY_ALREADY_REGISTERED
        assert refusal.values == {"team": "마케팅팀", "ends_with": "abc1"}


async def test_a_disabled_key_pasted_again_is_refused_too(bot: Bot, admin: Person, team: Team):
    registered = await bot.connections.register_key(admin, team.id, KEY)
    await bot.connections.disable(admin, registered.credential.id)
    refusal = await refused_code(bot.connections.register_key(admin, team.id, KEY))
    assert refusal.code is RefusalCode.KEY_ALREADY_REGISTERED


async def test_a_key_of_another_organization_cannot_take_an_old_ones_place(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team
):
    registered = await bot.connections.register_key(admin, team.id, KEY)
    openai.keys[OTHER_KEY] = Key(Organization("org-other", None, {"proj_x": "x"}))
    refusal = await refused_code(bot.connections.replace_key(admin, registered.credential.id, OTHER_KEY))
    assert refusal.code is RefusalCode.KEY_OF_OTHER_ORGANIZATION
    assert refusal.values == {"registered": "org-hanbit", "pasted": "org-other"}
    openai.keys[OTHER_KEY] = Key(Organization(None, None, {"proj_x": "x"}))
    refusal = await refused_code(bot.connections.replace_key(admin, registered.credential.id, OTHER_KEY))
    assert refusal.code is RefusalCode.KEY_OF_OTHER_ORGANIZATION
    assert [one.ends_with for one in await bot.connections.of_team(WORKSPACE, team.id)] == ["abc1"]


async def test_a_teams_key_of_another_organization_is_taken_and_named_as_one(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team
):
    """A slip of the clipboard or a second company: the first key says nothing, a second one of the same neither."""
    openai.keys[OTHER_KEY] = Key(Organization("org-other", None, {"proj_x": "x"}))
    told = [await bot.connections.register_key(admin, team.id, key) for key in (KEY, SECOND_KEY, OTHER_KEY)]
    assert [(one.is_shared, one.other_organizations) for one in told] == [
        (False, ()), (True, ()), (False, ("org-hanbit",)),
    ]  # fmt: skip


@on_both_databases
async def test_two_keys_of_one_organization_registered_at_once_share_a_connection(bot: Bot, admin: Person, team: Team):
    data = await a_team(bot, admin, "데이터팀", "C0DATA0001")
    one, two = await asyncio.gather(
        bot.connections.register_key(admin, team.id, KEY), bot.connections.register_key(admin, data.id, SECOND_KEY)
    )
    assert one.connection.id == two.connection.id
    assert sorted([one.is_shared, two.is_shared]) == [False, True]


async def test_a_deleted_key_is_gone_and_its_costs_stay(bot: Bot, admin: Person, team: Team):
    registered = await bot.connections.register_key(admin, team.id, KEY)
    await bot.projects.register(admin, team.id, ["proj_chat"])
    await worked(bot)
    changed = await bot.connections.delete(admin, registered.credential.id)
    assert not changed.still_collected
    assert await bot.connections.of_team(WORKSPACE, team.id) == []
    refusal = await refused_code(bot.connections.enable(admin, registered.credential.id))
    assert refusal.code is RefusalCode.UNKNOWN_CREDENTIAL
    report = await bot.reports.status(WORKSPACE, admin, "30d")
    assert report.figure.amount is not None
    assert report.figure.amount.amount > 0


# --- projects --------------------------------------------------------------------------------------------------------


async def test_projects_are_offered_by_name_without_archived_ones(bot: Bot, admin: Person, team: Team):
    assert (await refused_code(bot.projects.search(admin, team.id, ""))).code is RefusalCode.NO_KEY
    await bot.connections.register_key(admin, team.id, KEY)
    assert [one.name for one in await bot.projects.search(admin, team.id, "")] == [
        "batch",
        "chatbot-experiment",
        "검색",
    ]
    assert [one.provider_project_id for one in await bot.projects.search(admin, team.id, "검")] == ["proj_search"]


async def test_the_list_is_refreshed_after_an_hour(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    await bot.connections.register_key(admin, team.id, KEY)
    openai.keys[KEY].organization.projects["proj_new"] = "새 프로젝트"
    assert await bot.projects.search(admin, team.id, "새") == []
    clock.advance(hours=1)
    assert [one.name for one in await bot.projects.search(admin, team.id, "새")] == ["새 프로젝트"]


async def test_thousands_of_projects_are_all_listed(bot: Bot, openai: LittleOpenAI, admin: Person, team: Team):
    openai.keys[KEY].organization.projects = {f"proj_{n:04d}": f"service {n}" for n in range(350)}
    registered = await bot.connections.register_key(admin, team.id, KEY)
    assert registered.projects_found == 350
    assert len(await bot.projects.search(admin, team.id, "")) == 100
    assert [one.name for one in await bot.projects.search(admin, team.id, "proj_0349")] == ["service 349"]


async def test_every_project_is_every_one_there_is_now(bot: Bot, openai: LittleOpenAI, admin: Person, team: Team):
    """The list of a moment ago may have been cut off: of six thousand 1,200 were known, and no others given."""
    await bot.connections.register_key(admin, team.id, KEY)
    openai.keys[KEY].organization.projects |= {f"proj_{n:04d}": f"service {n}" for n in range(350)}
    given = (await bot.projects.register_all(admin, team.id)).registered
    assert {one.provider_project_id for one in given} >= {f"proj_{n:04d}" for n in range(350)}


@on_both_databases
async def test_a_second_claim_is_refused_naming_the_owner(bot: Bot, admin: Person, team: Team):
    await bot.connections.register_key(admin, team.id, KEY)
    await bot.projects.register(admin, team.id, ["proj_chat"])
    data = await a_team(bot, admin, "데이터팀", "C0DATA0001")
    await bot.connections.register_key(admin, data.id, SECOND_KEY)
    result = await bot.projects.register(admin, data.id, ["proj_chat", "proj_search"])
    assert [one.provider_project_id for one in result.registered] == ["proj_search"]
    assert [(one.provider_project_id, one.team_name) for one in result.taken] == [("proj_chat", "마케팅팀")]
    assert [one.team_name for one in await bot.projects.search(admin, data.id, "chatbot")] == ["마케팅팀"]


async def test_a_typed_id_is_verified_at_the_provider(bot: Bot, admin: Person, team: Team):
    """Unknown and archived ids are refused with their reason; a good one is registered under its real name."""
    await bot.connections.register_key(admin, team.id, KEY)
    refusal = await refused_code(bot.projects.register_typed(admin, team.id, "proj_nowhere"))
    assert (refusal.code, refusal.values) == (RefusalCode.UNKNOWN_PROJECT, {"project_id": "proj_nowhere"})
    refusal = await refused_code(bot.projects.register_typed(admin, team.id, "proj_old"))
    assert refusal.code is RefusalCode.ARCHIVED_PROJECT
    result = await bot.projects.register_typed(admin, team.id, " proj_batch ")
    assert [one.name for one in result.registered] == ["batch"]


async def test_a_key_that_may_only_read_costs_learns_projects_from_the_bill(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    openai.keys[KEY].may_manage = False
    registered = await bot.connections.register_key(admin, team.id, KEY)
    assert registered.projects_found is None
    assert not registered.may_manage
    assert [one.name for one in await bot.projects.search(admin, team.id, "")] == [
        "proj_batch",
        "proj_chat",
        "proj_search",
    ]
    refusal = await refused_code(bot.projects.register_typed(admin, team.id, "proj_nowhere"))
    assert refusal.code is RefusalCode.PROJECT_NOT_VERIFIABLE
    result = await bot.projects.register_typed(admin, team.id, "proj_chat")
    assert len(result.registered) == 1


async def test_whoever_registers_and_dies_before_the_past_is_asked_for_leaves_it_queued(
    bot: Bot, admin: Person, team: Team, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    """Set-up called itself done, and 172 of 180 days were never read: they came in a transaction of their own."""

    async def killed(*_: object) -> None:
        raise asyncio.CancelledError

    credential = (await bot.connections.register_key(admin, team.id, KEY)).credential
    monkeypatch.setattr(bot.collecting, "start_backfill", killed)
    with pytest.raises(asyncio.CancelledError):
        await bot.projects.register(admin, team.id, ["proj_chat"])
    async with storage.reading() as store:
        [waiting] = await store.collections.active(team.workspace_id)
    assert (waiting.kind, waiting.connection_id) == (CollectionKind.BACKFILL, credential.connection_id)


async def test_the_second_registration_finds_history_and_starts_nothing(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team
):
    await bot.connections.register_key(admin, team.id, KEY)
    await bot.projects.register(admin, team.id, ["proj_chat"])
    await worked(bot)
    second = await bot.projects.register(admin, team.id, ["proj_search"])
    assert (second.collection_started, second.has_history) == (False, True)
    openai.keys[KEY].organization.projects["proj_fresh"] = "fresh"
    third = await bot.projects.register_typed(admin, team.id, "proj_fresh")
    assert (third.collection_started, third.has_history) == (False, False)


@on_both_databases
async def test_an_excluded_project_counts_as_unallocated_and_the_whole_stays_the_bill(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team
):
    await bot.connections.register_key(admin, team.id, KEY)
    [project] = (await bot.projects.register(admin, team.id, ["proj_chat"])).registered
    await worked(bot)
    whole = openai.keys[KEY].organization.total(TODAY - timedelta(days=7), TODAY)
    for change in (bot.projects.exclude, bot.projects.include, bot.projects.unregister):
        await change(admin, project.id)
        report = await bot.reports.status(WORKSPACE, admin, "7d")
        assert report.breakdown.total.amount == whole
        assert len(report.breakdown.shares) == (2 if change == bot.projects.include else 1)
    assert (await refused_code(bot.projects.exclude(admin, project.id))).code is RefusalCode.UNKNOWN_PROJECT


async def test_a_project_keeps_what_it_is_for(bot: Bot, admin: Person, team: Team):
    await bot.connections.register_key(admin, team.id, KEY)
    [project] = (await bot.projects.register(admin, team.id, ["proj_chat"])).registered
    changed = await bot.projects.update(
        admin, project.id, environment=" prod ", service="", cost_center=None, lead=MINSU
    )
    assert (changed.environment, changed.service, changed.cost_center) == ("prod", None, None)
    assert changed.lead_user_id == MINSU.user_id


# --- set-up ----------------------------------------------------------------------------------------------------------


@on_both_databases
async def test_setup_goes_step_by_step_to_its_end(bot: Bot, admin: Person):
    async def step() -> SetupStep:
        return (await bot.reports.setup(WORKSPACE, admin)).next_step

    assert await step() is SetupStep.TEAM
    team = await a_team(bot, admin)
    assert await step() is SetupStep.KEY
    await bot.connections.register_key(admin, team.id, KEY)
    assert await step() is SetupStep.PROJECTS
    assert (await bot.reports.setup(WORKSPACE, admin)).team_id == team.id
    await bot.projects.register(admin, team.id, ["proj_chat"])
    assert await step() is SetupStep.TRIAL
    tried = await bot.trials.send(admin, team.id)
    await bot.trials.press(WORKSPACE, MINSU.user_id, tried.key, None)
    assert await step() is SetupStep.WAIT
    await worked(bot)
    assert await step() is SetupStep.DONE
