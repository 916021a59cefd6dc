"""Two alerts about one project: what one of them stopped, the other tells, and neither promises what is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from blocks import ids, incidents, live
from bot import Policy
from bot.errors import Refusal, RefusalCode
from bot.incidents import open_incidents
from bot.telling import root_key
from finops.budgets import BudgetScope
from finops.incident_report import LiveReport
from finops.incidents import Incident, IncidentState
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.stop_report import StopShown
from finops.stops import ApprovalWay
from storage import Storage
from storage.records_live import OutboxMessage, OutboxState
from tests.conftest import FakeClock
from tests.databases import statements
from tests.integration.stopping_world import CHATBOT, WORKSPACE, WRITER, World, a_stopping_world, about
from tests.integration.watch_world import a_steady_trace
from tests.unit.saying import reader

ENGLISH = reader("en")


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    policy, trace, limited = Policy(backfill_days=1), a_steady_trace(2), (CHATBOT, WRITER)
    async with a_stopping_world(quick_storage, clock, limited=limited, policy=policy, trace=trace) as made:
        yield made


async def two_alerts(world: World, **terms: object) -> tuple[Incident, Incident]:
    """The writer runs away: its own budget is reached, and its team's; both are told."""
    await world.a_budget(BudgetScope.PROJECT, (await world.project(WRITER)).id, "30")
    await world.a_budget(BudgetScope.TEAM, world.team.id, "30", **terms)
    return await world.story.chapter("two alerts", partial(both_told, world))


async def both_told(world: World) -> tuple[Incident, Incident]:
    await world.polled()
    world.openai.boost(WRITER, 60, world.clock())
    await world.polled(35)
    own, of_team = sorted(await world.incidents(), key=lambda one: one.scope_kind is ScopeKind.TEAM)
    await delivered(world)
    return own, of_team


async def delivered(world: World) -> list[str]:
    """Slack takes everything that waits and is not held back; the keys, in order."""
    keys = []
    while True:
        async with world.bot.storage.writing() as store:
            found = await store.outbox.lease("test", world.clock(), timedelta(minutes=1), 10, [], timedelta(seconds=30))
            for one in found:
                place = one.channel_id or "C0MARKET01"
                await store.outbox.sent(WORKSPACE, one.key, "test", one.version, place, f"{one.id}.0", world.clock())
        if not found:
            return keys
        keys += [one.key for one in found]


async def text(world: World, incident: Incident) -> str:
    """All of its root message."""
    message = incidents.root(await world.alert(incident), ENGLISH)
    return f"{message.text}\n{message.blocks}"


async def at_home(world: World) -> str:
    """What the Home tab says of alerts."""
    async with world.bot.storage.reading() as store:
        found, count = await open_incidents(store, WORKSPACE, 5, world.clock())
    return str(live.incidents(LiveReport(incidents=found, incident_count=count), ENGLISH))


async def buttons(world: World, incident: Incident) -> list[str]:
    blocks = incidents.root(await world.alert(incident), ENGLISH).blocks
    return [one["action_id"] for block in blocks if block["type"] == "actions" for one in block["elements"]]


async def root(world: World, incident: Incident) -> OutboxMessage:
    found = await world.root(incident)
    assert found is not None
    return found


async def test_what_the_teams_alert_stopped_the_projects_own_tells_and_offers_no_stop(world: World) -> None:
    """Who, when, why, and the way to where it is restored, in one edit that rings nobody; then the truth is back."""
    own, of_team = await two_alerts(world)
    before, key = await root(world, own), root_key(own.id or 0)
    world.clock.advance(seconds=40)
    found = await world.bot.stopping.request(world.admin, about(of_team), Lever.STOP, "재시도 루프")
    wanted = await root(world, own)
    assert (wanted.state, wanted.is_prompt, wanted.urgency) == (OutboxState.WAITING, True, 0)
    assert wanted.version == before.version + 1
    # One edit at once, and no line of its thread; what the provider says afterwards waits for the next edit.
    assert [one for one in await delivered(world) if one.startswith(key)] == [key]
    await world.acted()
    assert key not in await delivered(world)
    world.clock.advance(seconds=30)
    assert [one for one in await delivered(world) if one.startswith(key)] == [key]
    assert (await root(world, own)).ts == before.ts

    said = await text(world, own)
    assert said.startswith("⛔ [마케팅팀] Stopped - ad-copy-writer · Daily limit $30, now")
    assert f"Requested: {world.admin.name} · " in said
    assert "Reason: 재시도 루프" in said
    there = await root(world, of_team)
    assert f"channel={there.channel_id}&message_ts={there.ts}|마케팅팀 · Daily limit $30>" in said
    assert {ids.INCIDENT_STOP, ids.INCIDENT_APPROVE}.isdisjoint(await buttons(world, own))
    with pytest.raises(Refusal) as stale:  # a click on what was drawn before
        await world.window(own)
    assert (stale.value.code, stale.value.values["person"]) == (RefusalCode.STOP_UNDER_WAY, world.admin.user_id)
    home = await at_home(world)
    assert "2 stopped · 2 open alerts" in home
    assert home.count("⛔ [마케팅팀] Stopped - ad-copy-writer") == 2

    await world.restore(found)
    await world.acted()
    world.clock.advance(seconds=30)
    assert key in await delivered(world)
    assert (await world.alert(own)).elsewhere is None
    assert (await text(world, own)).startswith("🚨 [마케팅팀] Daily limit $30 exceeded - now")
    assert ids.INCIDENT_STOP in await buttons(world, own)


async def test_an_alert_of_everything_speaks_for_itself_while_who_spends_most_is_out_of_reach(world: World) -> None:
    """All that is registered is held, outside of any alert; the writer, left out of collecting, goes on."""
    writer, chatbot = await world.project(WRITER), await world.project(CHATBOT)
    await world.bot.projects.exclude(world.admin, writer.id)
    await world.a_budget(BudgetScope.WORKSPACE, None, "30")
    await world.polled()
    world.openai.boost(WRITER, 60, world.clock())
    await world.polled(35)
    [incident] = await world.incidents()
    await delivered(world)
    await world.bot.stopping.request(world.admin, about(chatbot), Lever.STOP, "먼저")
    for _ in range(2):  # asked for, and in force
        found = (await world.alert(incident)).elsewhere
        assert found is not None
        assert (found.is_all, found.speaks) == (True, False)
        said = await text(world, incident)
        assert said.startswith("🚨 [Everything] Daily limit $30 exceeded"), said[:80]
        assert f"Most of it is spent by *{writer.provider_project_id}*" in said
        assert ids.INCIDENT_STOP not in await buttons(world, incident)
        await world.acted()


async def test_a_teams_alert_stops_who_is_not_stopped_yet_and_gives_way_when_nobody_is_left(world: World) -> None:
    """The writer is held by its own alert, then the other one outside of any; nothing is agreed to of either."""
    own, of_team = await two_alerts(world, needs_two=True)
    writer, chatbot = await world.project(WRITER), await world.project(CHATBOT)
    asked = await world.approve(of_team, ApprovalWay.END_OF_DAY)
    assert asked is not None
    await world.stopped(own)
    said = await text(world, of_team)
    assert said.startswith("⛔ [마케팅팀] Stopped - ad-copy-writer · Daily limit $30")
    radius = await world.window(of_team)
    assert ([one.name for one in radius.projects], radius.held) == ([CHATBOT], None)
    draft = await world.bot.leads.draft(world.admin, about(of_team))  # who is to be talked to is who ran away
    assert (draft.project, draft.is_stopped) == (WRITER, True)

    outside = await world.stopped(chatbot)
    found = await world.alert(of_team)
    assert found.elsewhere is not None
    assert (found.elsewhere.is_all, [one.on is None for one in found.elsewhere.parts]) == (True, [False, True])
    said = await text(world, of_team)
    assert said.startswith("⛔ [마케팅팀] Stopped - 2 projects · Daily limit $30")
    assert "Held outside of any alert: " in said
    assert ids.INCIDENT_STOP not in await buttons(world, of_team)
    assert await refusal(world.bot.stopping.request(world.admin, about(of_team), Lever.STOP, "루프"))
    lead = replace(world.admin, user_id=world.team.lead_user_id)
    assert await refusal(world.bot.stopping.agree(lead, asked.stop.id or 0))
    assert (world.cents(WRITER), world.cents(CHATBOT)) == (1, 1)

    await world.restore(outside)
    await world.acted()
    assert ids.INCIDENT_STOP in await buttons(world, of_team)
    await world.bot.projects.exclude(world.admin, writer.id)  # and then it is none of the team's any more
    assert (await world.alert(of_team)).elsewhere is None
    assert (await text(world, own)).startswith("⛔")


async def test_stopped_in_both_at_once_it_is_stopped_once_and_called_so_in_both_until_the_day_turns(
    world: World,
) -> None:
    """It was allowed in its own alert. The day after, the one that holds it stays, and tells yesterday's amount."""
    own, of_team = await two_alerts(world)
    await world.approve(own, ApprovalWay.END_OF_DAY)
    assert (await text(world, own)).startswith("▶️ [마케팅팀] Allowed")
    seen = [(await world.project(WRITER)).id]
    answers = await asyncio.gather(
        *(world.bot.stopping.request(world.admin, about(one), Lever.STOP, "루프", seen=seen) for one in (of_team, own)),
        return_exceptions=True,
    )
    [done] = [one for one in answers if isinstance(one, StopShown)]
    [late] = [one for one in answers if isinstance(one, Refusal)]
    assert late.code is RefusalCode.STOP_UNDER_WAY
    await world.acted()
    for one in (own, of_team):
        assert (await text(world, one)).startswith("⛔ [마케팅팀] Stopped - ad-copy-writer")
    if done.stop.incident_id == of_team.id:
        assert await refusal(world.approve(own, ApprovalWay.END_OF_DAY))
    assert world.cents(WRITER) == 1

    world.clock.advance(days=1, hours=7)
    await world.bot.evaluating.everywhere()
    states = {one.id: one.state for one in await world.incidents() if one.window == own.window}
    held = own if done.stop.incident_id == own.id else of_team
    assert sorted(states.values()) == [IncidentState.CLOSED, IncidentState.STOPPED]
    assert states[held.id] is IncidentState.STOPPED
    detail = await world.bot.incidents.detail(WORKSPACE, held.id or 0)
    for said in (await text(world, held), await at_home(world)):
        assert f"Daily limit $30, {ENGLISH.day(own.window.start)} $" in said
        assert "now $" not in said
    assert "today" not in str(incidents.detail(detail, ENGLISH))
    # "Stop again" means what was held, although nothing of its day is estimated any more.
    await world.restore(done)
    await world.acted()
    radius = await world.window(held)
    assert [one.name for one in radius.projects] == [WRITER]


async def refusal(attempt: Awaitable[object]) -> bool:
    """Whether somebody is told that it is stopped already."""
    with pytest.raises(Refusal) as found:
        await attempt
    return found.value.code is RefusalCode.STOP_UNDER_WAY


async def test_who_holds_a_teams_projects_is_asked_for_all_of_them_at_once(world: World) -> None:
    """In the window as at the click: one question, however many projects there are."""
    wanted = about(world.team)
    with statements() as seen:
        await world.bot.stopping.preview(world.admin, wanted)
        await world.bot.stopping.request(world.admin, wanted, Lever.STOP, "재시도 루프", is_wide=True)
    asked = [text for text in seen if "FROM holds" in text]
    assert any("holds.connection_id = " in text for text in asked)
    assert [text for text in asked if "holds.provider_project_id = " in text] == []
