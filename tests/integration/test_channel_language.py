"""The language of a team's channel: who decides it, what is refused, and that what is told there speaks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from blocks import ids, kit
from bot import Bot, Policy
from bot.digest_telling import _language
from bot.errors import Refusal, RefusalCode
from bot.results import Profile
from demo.slack import SimulatedSlack
from finops.digest import DigestChannel
from finops.registry import Person
from handlers import setup, teams
from handlers.submitting import Back, Form, Problem, Show
from jobs.speech import Reader, Speech
from tests.conftest import FakeClock
from tests.integration.bot_world import (
    JIHOON,
    KEY,
    MINSU,
    WORKSPACE,
    Key,
    LittleOpenAI,
    worked,
)
from tests.integration.outbox_world import Office, OneSlack
from tests.unit.listening import FakeSlack, a_visit

MARKETING, DATA, NOBODYS = "C0MARKET01", "C0DATA0001", "C0GENERAL1"
EMMA = Profile("U0EMMA0001", "Emma Clark", "en-US", "America/New_York", is_workspace_admin=True)


@pytest.fixture
def database_kind() -> str:
    """Who decides and what is said does not depend on the database."""
    return "sqlite"


@pytest.fixture
def policy() -> Policy:
    return Policy(backfill_days=1, blind_after_minutes=0)


async def acts(bot: Bot) -> list[dict[str, Any]]:
    """What was recorded about teams, without what every record of one has."""
    rows = [row async for row in bot.audit.everything(WORKSPACE)]
    return [dict(row.entry.details) for row in rows if row.entry.action == "team.changed"]


async def test_a_change_of_language_is_kept_and_recorded_like_any_other(bot: Bot, admin: Person) -> None:
    """What is the same language in another spelling is no change; who says nothing gets the installation's."""
    team = await bot.teams.create(admin, "마케팅팀", MINSU, MARKETING)
    assert team.locale == bot.policy.default_locale == "ko-KR"
    assert await bot.teams.update(admin, team.id, locale="ko") == team
    assert (await bot.teams.update(admin, team.id, locale="ja")).locale == "ja"
    assert await acts(bot) == [{"name": "마케팅팀", "locale_before": "ko-KR", "locale_after": "ja"}]


async def test_a_language_nobody_here_speaks_is_refused_and_nothing_is_changed(bot: Bot, admin: Person) -> None:
    """Neither at the making nor later, and of a change with other news in it nothing is kept."""
    team = await bot.teams.create(admin, "마케팅팀", MINSU, MARKETING, locale="ko")
    for nonsense in ("", "de", "en-US", "<!channel>", "ko\n"):
        with pytest.raises(Refusal) as made:
            await bot.teams.create(admin, "데이터팀", MINSU, DATA, locale=nonsense)
        with pytest.raises(Refusal) as changed:
            await bot.teams.update(admin, team.id, name="다른 이름", locale=nonsense)
        assert {made.value.code, changed.value.code} == {RefusalCode.LANGUAGE_UNKNOWN}
    assert await bot.teams.all(WORKSPACE) == [team]


def submitted(bot: Bot, user: Profile, metadata: dict[str, Any], **chosen: str) -> Form:
    """A window as Slack sends it: a name, a lead, a channel and, where it had the menu, a language."""
    values: dict[str, Any] = {
        ids.TEAM_NAME: {ids.TEAM_NAME: {"value": chosen.get("name", "Tokyo")}},
        ids.TEAM_LEAD: {ids.TEAM_LEAD: {"selected_user": JIHOON.user_id}},
        ids.TEAM_CHANNEL: {ids.TEAM_CHANNEL: {"selected_conversation": DATA}},
    }
    if "language" in chosen:
        values[ids.TEAM_LANGUAGE] = {ids.TEAM_LANGUAGE: {"selected_option": {"value": chosen["language"]}}}
    modal = kit.modal("t", [kit.divider()], close="c", callback_id="x", metadata=metadata)
    visit = a_visit(bot, FakeSlack(), user.user_id)  # type: ignore[arg-type]
    return Form.of(visit, {**modal, "id": "V1", "state": {"values": values}})


async def test_a_window_without_the_menu_takes_the_language_of_who_fills_it_in(bot: Bot) -> None:
    """Emma's first team is told in English, whatever the installation speaks."""
    await bot.people.meet(WORKSPACE, "한빛소프트", EMMA, asks_setup=True)
    assert isinstance(await setup.submit_team(submitted(bot, EMMA, {"setup": True})), Show)
    [team] = await bot.teams.all(WORKSPACE)
    assert team.locale == "en"


async def test_what_the_menu_says_is_taken_and_nonsense_is_said_beside_it(bot: Bot, admin: Person) -> None:
    """A further team, then its edit; after a mistake the window still has its menu, and what was chosen in it."""
    del admin
    further = {"setup": True, "further": True}
    wrong = await setup.submit_team(submitted(bot, JIHOON, further, language="klingon"))
    assert isinstance(wrong, Problem)
    assert list(wrong.errors) == [ids.TEAM_LANGUAGE]
    assert "日本語" in wrong.errors[ids.TEAM_LANGUAGE]
    unnamed = await setup.submit_team(submitted(bot, JIHOON, further, name=" ", language="ja"))
    assert isinstance(unnamed, Problem)
    assert chosen(unnamed.form) == "ja"
    assert isinstance(await setup.submit_team(submitted(bot, JIHOON, further, language="ja")), Show)
    [team] = await bot.teams.all(WORKSPACE)
    assert team.locale == "ja"

    wrong = await teams.submit_edit(submitted(bot, JIHOON, {"team": team.id}, language="klingon"))
    assert isinstance(wrong, Problem)
    assert list(wrong.errors) == [ids.TEAM_LANGUAGE]
    assert isinstance(await teams.submit_edit(submitted(bot, JIHOON, {"team": team.id}, language="en")), Back)
    assert (await bot.teams.get(WORKSPACE, team.id)).locale == "en"


def chosen(view: kit.View) -> str:
    """What stands in the menu of languages when the window opens."""
    [menu] = [block["element"] for block in view["blocks"] if block.get("block_id") == ids.TEAM_LANGUAGE]
    return str(menu["initial_option"]["value"])


async def test_a_channel_is_spoken_to_in_the_language_of_the_team_told_there(bot: Bot, admin: Person) -> None:
    """Of a budget that is told elsewhere too; only where no team is told, the one it is about decides, or nobody."""
    one = await bot.teams.create(admin, "Marketing", MINSU, MARKETING, locale="en")
    await bot.teams.create(admin, "データ", MINSU, DATA, locale="ja")
    shared = await bot.teams.create(admin, "공동", MINSU, MARKETING, locale="ko")
    wanted: Any = SimpleNamespace(workspace_id=WORKSPACE, subject={})

    async def language(reader: Reader, team: Any = None) -> str:
        return (await Speech(bot, wanted, reader).words(team)).language

    assert await language(Reader(MARKETING), one) == "en"
    assert await language(Reader(MARKETING), shared) == "ko"
    assert await language(Reader(DATA), one) == "ja"
    assert await language(Reader(DATA)) == "ja"
    assert await language(Reader(NOBODYS), one) == "en"
    assert await language(Reader(NOBODYS)) == "ko"
    assert await language(Reader(MARKETING, admin.user_id), one) == "ko"
    assert (await Speech(bot, wanted, Reader(MARKETING)).words(one)).zone.key == "Asia/Seoul"  # type: ignore[attr-defined]


async def test_the_question_below_a_digest_speaks_as_the_digest_does(bot: Bot, admin: Person) -> None:
    """In a channel no team has, the digest of a team is in the team's language; in a team's, in that channel's."""
    team = await bot.teams.create(admin, "Marketing", MINSU, MARKETING, locale="en")
    await bot.digests.channels.of(admin)
    rows: list[DigestChannel] = await bot.digests.channels.of(admin)
    [whole] = [row for row in rows if row.scope_id is None]
    [own] = [row for row in rows if row.scope_id == team.id]
    known = {team.id: team, 99: replace(team, id=99, channel_id=DATA, locale="ja")}
    places = [(own, MARKETING), (own, DATA), (own, NOBODYS), (whole, NOBODYS)]
    assert [_language(row, known, channel) for row, channel in places] == ["", "", "en", ""]


async def test_blindness_is_told_in_the_channels_language_and_the_workspaces_time(
    bot: Bot, openai: LittleOpenAI, admin: Person, clock: FakeClock
) -> None:
    """Its end in the language of then. To the lead, where the channel is closed, in the lead's."""
    english = await bot.teams.create(admin, "Marketing", MINSU, MARKETING, locale="en")
    japanese = await bot.teams.create(admin, "データ", MINSU, DATA, locale="ja")
    await bot.people.meet(WORKSPACE, "한빛소프트", MINSU)
    await bot.connections.register_key(admin, english.id, KEY)
    openai.keys[KEY + "2"] = Key(openai.keys[KEY].organization)
    await bot.connections.register_key(admin, japanese.id, KEY + "2")
    await worked(bot)
    async with SimulatedSlack(clock) as slack:
        deliverer = Office(bot, slack, clock, OneSlack(slack)).deliverer()
        clock.moment = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
        openai.status = 503
        await bot.collecting.due(clock())
        slack.world.channels[MARKETING].is_archived = True
        await worked(bot)
        await deliverer.deliver_due()
        posts = [call for call in slack.calls if call.method == "chat.postMessage" and call.ok]
        told = {call.args["channel"]: call.text for call in posts}
        [to_the_lead] = [call.text for call in posts if call.args["channel"] != DATA][:1]
        assert "확인 불가" in to_the_lead
        assert "確認できません" in told[DATA]
        assert "KST" in told[DATA]  # the workspace lives in Seoul

        await bot.teams.update(admin, japanese.id, locale="en")
        openai.status = 200
        clock.advance(hours=1)
        await worked(bot)
        await deliverer.deliver_due()
        edits = {call.args["channel"]: call.text for call in slack.calls if call.method == "chat.update" and call.ok}
        assert "is read again" in edits.pop(DATA)
        assert all("다시" in said for said in edits.values())
        assert edits
