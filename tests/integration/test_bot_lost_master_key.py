"""A lost master key: said as blindness, nobody else suffers, and a key typed again mends it."""

from __future__ import annotations

from datetime import date

from bot import Policy
from bot.errors import OutageCode
from bot.results import Failed, Finished
from storage import KeyRing, Storage, open_storage
from tests.conftest import FakeClock
from tests.databases import on_sqlite
from tests.integration.bot_world import (
    JIHOON,
    KEY,
    MINSU,
    OTHER_KEY,
    SECOND_KEY,
    WORKSPACE,
    Key,
    LittleOpenAI,
    a_bot,
    a_company,
    a_team,
    an_admin,
    blind_told,
    worked,
)

TODAY = date(2026, 7, 6)
NEIGHBOUR = "T0OTHER001"
NINE_DAYS = Policy(backfill_days=9)


@on_sqlite
async def test_a_lost_master_key_is_blindness_that_a_new_key_mends(
    database_url: str, storage: Storage, clock: FakeClock
) -> None:
    """The morning goes on for everybody else; the team is told; old keys can be deleted, a new one registered."""
    async with LittleOpenAI().running() as openai:
        for key in (KEY, SECOND_KEY, OTHER_KEY):
            openai.keys[key] = Key(a_company(TODAY, 12))
        async with a_bot(storage, openai, clock, NINE_DAYS) as bot:
            admin = await an_admin(bot)
            team = await a_team(bot, admin)
            lost = [await bot.connections.register_key(admin, team.id, key) for key in (KEY, SECOND_KEY)]
            await bot.projects.register(admin, team.id, ["proj_chat"])
            await worked(bot)
        async with open_storage(database_url, KeyRing.generate("new")) as reopened, a_bot(
            reopened, openai, clock, NINE_DAYS
        ) as bot:  # fmt: skip
            neighbour = await bot.people.meet(NEIGHBOUR, "옆집", JIHOON, asks_setup=True)
            their_team = await bot.teams.create(neighbour, "이웃팀", MINSU, "C0OTHER001")
            await bot.connections.register_key(neighbour, their_team.id, OTHER_KEY)
            await bot.projects.register(neighbour, their_team.id, ["proj_chat"])
            clock.advance(days=1)
            assert await bot.collecting.due(clock()) >= 2
            told = await worked(bot)
            assert {event.told.workspace_id for event in told if isinstance(event, Finished)} == {NEIGHBOUR}
            [failed] = {event.told.workspace_id: event for event in told if isinstance(event, Failed)}.values()
            assert (failed.told.workspace_id, failed.news.code) == (WORKSPACE, OutageCode.INTERNAL)
            assert failed.newly_blind
            assert failed.news.reference
            assert [alert.workspace_id for alert in await bot.blindness.alerts()] == [WORKSPACE]
            polled = {one.connection.workspace_id: one for one in await bot.watching.poll_due()}
            assert polled[WORKSPACE].result == OutageCode.INTERNAL
            assert polled[NEIGHBOUR].result == "read"
            admin = await an_admin(bot)
            assert (await bot.connections.delete(admin, lost[0].credential.id)).still_collected
            mended = await bot.connections.register_key(admin, team.id, KEY)
            assert mended.is_shared
            await worked(bot)
            clock.advance(minutes=5)
            assert {one.result for one in await bot.watching.poll_due()} == {"read"}
            assert ["until" in one.subject for one in await blind_told(bot)] == [True]
            assert await bot.blindness.alerts() == []
