"""`/finops report`: any week to whoever asks, the settings to who decides, and what stands there afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from blocks import digest_settings, ids
from blocks.digest_parts import DigestKey
from bot.digest_channels import due_week
from bot.errors import Refusal, RefusalCode
from bot.results import Profile
from finops.digest import DigestVersion
from finops.periods import starts_at
from finops.queries import ScopeKind
from handlers import ACTIONS, ONCE, commands, report
from handlers.submitting import Back, Form, Problem
from handlers.visit import Visit
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.digest_world import WEEK, World, a_week
from tests.integration.live_world import JIHOON, MINSU, SEOYEON
from tests.unit import slack_limits
from tests.unit.listening import FakeSlack, a_visit


@pytest.fixture
def database_kind() -> str:
    """Nothing here is decided by the database."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    world = await a_week(storage, clock)
    for one in (MINSU, SEOYEON):
        await world.bot.people.meet(world.admin.workspace_id, "한빛소프트", one)
    return world


def visiting(world: World, who: str = JIHOON.user_id, **more: Any) -> tuple[Visit, FakeSlack]:
    slack = FakeSlack()
    return a_visit(world.bot, slack, who, **more), slack  # type: ignore[arg-type]


def a_form(visit: Visit, place: int, **chosen: Any) -> Form:
    """A submitted window of the settings."""
    held = {
        ids.DIGEST_PLACE: {"selected_conversation": chosen.get("channel", "")},
        ids.DIGEST_VERSION: {"selected_option": {"value": chosen.get("version", "team")}},
        ids.DIGEST_LANGUAGE: {"selected_option": {"value": chosen.get("language", digest_settings.USUAL)}},
        ids.DIGEST_WEEKDAY: {"selected_option": {"value": chosen.get("weekday", "mon")}},
        ids.DIGEST_TIME: {"selected_option": {"value": chosen.get("time", "09:00")}},
        ids.DIGEST_ZONE: {"selected_option": {"value": chosen.get("zone", digest_settings.USUAL)}},
        ids.DIGEST_WAYS: {"selected_options": [{"value": way} for way in chosen.get("ways", [digest_settings.WEEKLY])]},
        ids.DIGEST_OF: {"selected_option": {"value": chosen.get("of", "")}},
    }
    values = {name: {name: value} for name, value in held.items()}
    return Form(visit, {"id": "V1", "state": {"values": values}}, {"place": place})


async def test_whoever_asks_reads_the_week_alone(world: World) -> None:
    """Any week, in three languages, and the card of a day."""
    for words in ("report", "report 지난주", "리포트 마케팅팀 2026-W27", "レポート 先週", "digest", "일일"):
        visit, slack = visiting(world, SEOYEON.user_id)
        await commands.answer(visit, words)
        [told] = slack.told("chat.postEphemeral")
        assert told["user"] == SEOYEON.user_id
        assert ("$77" in told["text"]) is (words != "일일"), words
        assert slack_limits.of_message(told) == []
        assert ids.DIGEST_SETTINGS not in str(told["blocks"])  # a member decides nothing here


async def test_a_button_asks_again_and_shares_with_the_channel(world: World) -> None:
    key = str(DigestKey(ScopeKind.TEAM, world.tenant.team_id, WEEK.start))
    visit, slack = visiting(world)
    await ACTIONS[ids.DIGEST_SHOW](visit, key)
    await ACTIONS[ids.DIGEST_SHARE](visit, key)
    [alone], [shared] = slack.told("chat.postEphemeral"), slack.told("chat.postMessage")
    assert shared["channel"] == "C0MARKET01"
    assert ids.DIGEST_SETTINGS in str(alone["blocks"])
    assert ids.DIGEST_SETTINGS not in str(shared["blocks"])
    assert ids.DIGEST_SHARE in ONCE
    with pytest.raises(Refusal) as refused:
        await ACTIONS[ids.DIGEST_SHOW](visit, "team/DROP TABLE/2026")
    assert refused.value.code is RefusalCode.UNKNOWN_DIGEST


async def test_the_settings_show_and_change_what_one_decides_about(world: World) -> None:
    visit, slack = visiting(world, MINSU.user_id)
    await report.settings(visit)
    listed = slack.told("views.update")[-1]["view"]
    assert slack_limits.of_view(listed) == []
    assert str(listed).count(f"'action_id': '{ids.DIGEST_EDIT}'") == 1
    team = await world.place(ScopeKind.TEAM)
    visit, slack = visiting(world, MINSU.user_id)
    await report.edit(visit, str(team.id))
    window = slack.told("views.update")[-1]["view"]
    assert slack_limits.of_view(window) == []
    labels = {block["block_id"]: block["label"]["text"] for block in window["blocks"] if "label" in block}
    assert labels[ids.DIGEST_WEEKDAY] == "요일", "a Monday is no date"
    form = a_form(
        visit, team.id, channel="C0OTHER001", version="brief", language="ja-JP", weekday="wed", time="14:30",
        ways=[digest_settings.WEEKLY, digest_settings.DAILY, digest_settings.MAIL],
    )  # fmt: skip
    outcome = await report.submit(form)
    assert isinstance(outcome, Back)
    assert slack_limits.of_view(dict(outcome.below)) == []
    kept = await world.place(ScopeKind.TEAM)
    assert (kept.channel_id, kept.version, kept.locale) == ("C0OTHER001", DigestVersion.BRIEF, "ja-JP")
    assert (kept.cron, kept.is_enabled, kept.is_daily, kept.is_mailed) == ("30 14 * * wed", True, True, False)


async def test_a_digest_is_told_at_the_hour_of_its_own_zone_also_when_clocks_change(world: World) -> None:
    """Whoever works elsewhere offers their zone by being here; 09:00 stays 09:00, in UTC it moves."""
    emma = Profile("U0EMMA0001", "Emma Clark", "en-US", "America/New_York")
    nowhere = Profile("U0NOBODY01", "Nobody", "en-US", "Mars/Olympus")
    for one in (emma, nowhere):
        await world.bot.people.meet(world.admin.workspace_id, "한빛소프트", one)
    team, (visit, slack) = await world.place(ScopeKind.TEAM), visiting(world)
    await report.edit(visit, str(team.id))
    window = slack.told("views.update")[-1]["view"]
    assert slack_limits.of_view(window) == []
    assert [zone in str(window) for zone in ("America/New_York", "Mars/Olympus")] == [True, False]
    world.clock.moment = datetime(2026, 10, 28, 12, tzinfo=UTC)
    outcome = await report.submit(a_form(visit, team.id, zone="America/New_York"))
    assert isinstance(outcome, Back)
    assert "America/New_York" in str(outcome.below)
    kept = await world.place(ScopeKind.TEAM)
    assert (kept.cron, kept.timezone) == ("0 9 * * mon", "America/New_York")
    told = []
    for monday in (date(2026, 10, 26), date(2026, 11, 2)):
        asked, hour = replace(kept, last_week=monday - timedelta(days=14)), starts_at(monday)
        while due_week(asked, "Asia/Seoul", hour) is None:
            hour += timedelta(hours=1)
        told.append(hour)
    assert told == [datetime(2026, 10, 26, 13, tzinfo=UTC), datetime(2026, 11, 2, 14, tzinfo=UTC)]
    assert isinstance(await report.submit(a_form(visit, team.id, zone="Mars/Olympus")), Back)
    assert (await world.place(ScopeKind.TEAM)).timezone == "America/New_York"  # nonsense counts as not chosen
    assert isinstance(await report.submit(a_form(visit, team.id)), Back)
    assert (await world.place(ScopeKind.TEAM)).timezone == ""


async def test_the_whole_workspace_is_told_in_one_more_channel(world: World) -> None:
    world.clock.advance(minutes=1)
    visit, slack = visiting(world)
    await report.add(visit)
    assert slack_limits.of_view(slack.told("views.update")[-1]["view"]) == []
    assert isinstance(
        await report.submit(a_form(visit, 0, of="workspace", channel="C0BOSS0001", version="brief")), Back
    )
    assert [(one.scope, one.channel_id) for one in await world.places()][-1] == (ScopeKind.WORKSPACE, "C0BOSS0001")
    for channel in ("C0BOSS0001", ""):  # told there already; told nowhere
        outcome = await report.submit(a_form(visit, 0, of="workspace", channel=channel))
        assert isinstance(outcome, Problem)
        assert list(outcome.errors) == [ids.DIGEST_PLACE]
        assert slack_limits.of_view(dict(outcome.form)) == []
    assert await world.bot.digests.due() == 2  # the new place hears from next Monday on


async def test_what_somebody_else_sends_counts_as_not_chosen_and_a_member_decides_nothing(world: World) -> None:
    visit, _ = visiting(world)
    whole = await world.place(ScopeKind.WORKSPACE)
    form = a_form(visit, whole.id, version="x", language="x", weekday="; rm", time="99:99", ways=["x"])
    assert isinstance(await report.submit(form), Back)
    kept = await world.place(ScopeKind.WORKSPACE)
    assert (kept.version, kept.locale, kept.cron, kept.is_enabled) == (whole.version, "", whole.cron, False)
    visit, _ = visiting(world, SEOYEON.user_id)
    team = await world.place(ScopeKind.TEAM)
    with pytest.raises(Refusal) as refused:
        await report.edit(visit, str(team.id))
    assert refused.value.code is RefusalCode.UNKNOWN_DIGEST
    with pytest.raises(Refusal):
        await report.submit(a_form(visit, team.id))
    assert await world.place(ScopeKind.TEAM) == team
