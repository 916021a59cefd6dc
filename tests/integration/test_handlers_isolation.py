"""Ids of another workspace, pressed, submitted or searched with: nothing is done there and nothing of it is shown."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from blocks import ids
from bot import Bot, Policy
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.feedback import FeedbackCategory, FeedbackDraft
from finops.figures import ScopeKind
from finops.incidents import Change, RootAction
from finops.interviews import OfferWish
from finops.levers import Lever
from finops.money import Money
from finops.registry import Project, Team
from finops.stopping import Ask, requested
from handlers import ACTIONS, OPTIONS, VIEWS, status
from handlers.guard import Gone, Work, attempt, guarded
from handlers.submitting import Form, Submitting
from handlers.visit import Visit
from storage import Storage
from storage.engine import normalised, open_engines
from storage.tables import metadata
from tests.conftest import FakeClock
from tests.integration.beginnings import begun
from tests.integration.bot_world import (
    JIHOON,
    KEY,
    MINSU,
    OTHER_KEY,
    WORKSPACE,
    Key,
    LittleOpenAI,
    Organization,
    a_bot,
    a_company,
    an_admin,
    worked,
)
from tests.unit.listening import FakeRespond, FakeSlack
from tests.unit.saying_live import an_incident

TODAY = date(2026, 7, 6)
NEIGHBOUR = "T0OTHER001"
# Everything somebody of the other workspace might recognise in an answer.
THEIRS = ("옆집연구팀", "secret-project", "proj_secret", "xyz9", "C0SECRET01")


@dataclass(frozen=True)
class House:
    """Two workspaces in one database. `forged` are ids of the neighbour's team, key and project."""

    bot: Bot
    database_url: str
    forged: dict[str, int]

    async def of_the_neighbour(self) -> dict[str, list[Any]]:
        """Every row of the neighbour, table by table."""
        async with open_engines(normalised(self.database_url)) as engines, engines.reading.connect() as connection:
            tables = [table.name for table in metadata.sorted_tables if "workspace_id" in table.c]
            rows = {}
            for name in tables:
                asked = text(f"SELECT * FROM {name} WHERE workspace_id = :which")
                rows[name] = sorted(map(repr, (await connection.execute(asked, {"which": NEIGHBOUR})).all()))
        return rows


@pytest.fixture
def database_kind() -> str:
    """That each query asks for one workspace only is tested in test_storage_isolation, on both."""
    return "sqlite"


@pytest.fixture
async def house(storage: Storage, database_url: str, clock: FakeClock) -> AsyncIterator[House]:
    async with LittleOpenAI().running() as openai, a_bot(storage, openai, clock, Policy(backfill_days=9)) as bot:
        openai.keys[KEY] = Key(a_company(TODAY, 9))
        theirs = Organization("org-secret", "옆집연구소", {"proj_secret": "secret-project"})
        theirs.charge(date(2026, 7, 4), "proj_secret", "77.77")
        openai.keys[OTHER_KEY] = Key(theirs)
        yield House(bot, database_url, dict(await begun(storage, "two workspaces", partial(moved_in, bot, clock))))


async def moved_in(bot: Bot, clock: FakeClock) -> tuple[tuple[str, int], ...]:
    """The neighbour has something of everything, and we are there: the neighbour's ids, by what they are of."""
    neighbour = await bot.people.meet(NEIGHBOUR, "옆집", JIHOON, asks_setup=True)
    team = await bot.teams.create(neighbour, THEIRS[0], MINSU, THEIRS[4])
    key = await bot.connections.register_key(neighbour, team.id, OTHER_KEY)
    projects = await bot.projects.register(neighbour, team.id, ["proj_secret"])
    await an_admin(bot)
    await worked(bot)
    forged = {"team": team.id, "key": key.credential.id, "project": projects.registered[0].id}
    forged["incident"] = await an_incident_of(bot.storage, team, clock)
    forged["stop"] = await a_stop_of(bot.storage, projects.registered[0], clock)
    said = await bot.feedback.give(neighbour, FeedbackDraft(FeedbackCategory.BUG, THEIRS[1], may_contact=True), "V1")
    assert said is not None
    wish = OfferWish(JIHOON.user_id, TODAY + timedelta(days=1), "10:00 11:00", 30, THEIRS[1], "Asia/Seoul")
    slots = await bot.interviews.offer(neighbour, wish)
    guest = await bot.people.meet(NEIGHBOUR, "옆집", MINSU)
    booked = await bot.interviews.book(guest, slots[0].id, THEIRS[1])
    forged |= {"feedback": said.id, "slot": slots[1].id, "booking": booked.meeting.booking.id}
    return tuple(forged.items())


async def an_incident_of(storage: Storage, team: Team, clock: FakeClock) -> int:
    """An alert about $77.77 of the neighbour's team, and the budget it is about; the incident's id."""
    terms = BudgetTerms(BudgetScope.TEAM, team.id, BudgetPeriod.DAY, Money.of("50"))
    async with storage.writing() as store:
        budget = await store.budgets.create(NEIGHBOUR, terms, by=JIHOON.user_id, at=clock())
        told = an_incident("77.77", "50", id=None, workspace_id=NEIGHBOUR, budget_id=budget.id, scope_id=team.id)
        kept = await store.incidents.save(NEIGHBOUR, Change(told, (), RootAction.POST), None)
    assert kept.id is not None
    return kept.id


async def a_stop_of(storage: Storage, project: Project, clock: FakeClock) -> int:
    """A stop in force of the neighbour's project; its id."""
    ask = Ask(NEIGHBOUR, None, ScopeKind.PROJECT, project.id, THEIRS[4], Lever.STOP, THEIRS[1], JIHOON.user_id)
    change = requested(ask, [project], clock())
    async with storage.writing() as store:
        stop, _ = await store.stops.open(NEIGHBOUR, change.stop, change.holds, change.events)
    assert stop.id is not None
    return stop.id


def a_stranger(bot: Bot, **more: Any) -> tuple[Visit, FakeSlack, FakeRespond]:
    """An administrator, but of another workspace."""
    slack, respond = FakeSlack(), FakeRespond()
    given: dict[str, Any] = {"channel_id": "C0MARKET01", "trigger_id": "1.2.3", "respond": respond}
    visit = Visit(bot, slack, WORKSPACE, "한빛소프트", JIHOON.user_id, **(given | more))  # type: ignore[arg-type]
    return visit, slack, respond


def targets(house: House) -> list[str]:
    """What buttons and windows of stops would carry about the neighbour."""
    return [f"{kind}:{house.forged[kind]}" for kind in ("team", "project", "incident", "stop")]


def values_of(action_id: str, house: House) -> list[str]:
    """What such a button would carry about the neighbour, the simplest first and the richest last."""
    team, project, incident = (str(house.forged[kind]) for kind in ("team", "project", "incident"))
    ids_of_theirs = sorted({str(number) for number in house.forged.values()})
    match action_id.split(".")[0]:
        case "incident":
            choices = ("1h", "good", ids.MORE_ACKNOWLEDGE, ids.MORE_STOP, ids.MORE_LEAD)
            return [incident, *(f"{incident}/{choice}" for choice in choices), *targets(house)]
        case "stop":
            return [*ids_of_theirs, *targets(house)]
        case "interview":
            return [*ids_of_theirs, f"{house.forged['booking']}/{house.forged['slot']}"]
        case "status" | "why" | "digest":
            return [team, *(f"{kind}/{house.forged.get(kind, team)}/last_7_days" for kind in ScopeKind)]
        case "budget":
            return [team, f"team:{team}", f"project:{project}/day"]
        case "project" | "token" | "value" | "rate":
            return [project, f"{project}/last_7_days", f"{project}/last_7_days/{house.forged['key']}"]
    return [team, f"{team}/{project}/planned"]


def assert_nothing_shown(*told: Any) -> None:
    said = json.dumps(told, ensure_ascii=False, default=str)
    assert not [word for word in (*THEIRS, "77.77") if word in said]


async def test_no_button_reaches_another_workspace(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Every button and menu with every id of the neighbour's, from a message or from a window; a mistake of ours, too,
    would show nothing, but is no answer."""
    before = await house.of_the_neighbour()
    window = {"id": "V9", "type": "modal", "private_metadata": json.dumps(house.forged)}
    for action_id, click in ACTIONS.items():
        values = values_of(action_id, house)
        for value in values:
            # The simplest and the richest value in both places: some look for it among what their window is about.
            places = (None, window) if value in (values[0], values[-1]) else (None,)
            for view in (window,) if action_id == ids.PROJECT_FIND else places:
                visit, slack, respond = a_stranger(house.bot, view=view)

                async def work(visit: Visit, click: Any = click, value: str = value) -> None:
                    await click(visit, value)

                await guarded(visit, work)
                assert_nothing_shown(slack.calls, respond.said)
                assert slack.calls or respond.said, f"{action_id} was left without an answer"
    assert [one.exc_info for one in caplog.records if one.levelno >= logging.ERROR] == []
    assert await house.of_the_neighbour() == before


async def test_no_window_reaches_another_workspace(house: House) -> None:
    """Every form, carrying ids of the neighbour's, filled in as one would to do harm."""
    before = await house.of_the_neighbour()
    values = {
        ids.TEAM_NAME: {"value": "훔친팀"},
        ids.TEAM_LEAD: {"selected_user": JIHOON.user_id},
        ids.TEAM_CHANNEL: {"selected_conversation": "C0MARKET01"},
        ids.KEY: {"value": KEY},
        ids.PROJECTS: {"selected_options": [{"value": "proj_secret"}]},
        ids.PROJECT_TYPED: {"value": "proj_secret"},
        ids.STOP_WHAT: {"selected_option": {"value": "stop"}},
        ids.STOP_REASON: {"value": "옆집"},
        ids.APPROVE_WAY: {"selected_option": {"value": "end_of_day"}},
        ids.LEAD_TEXT: {"value": "옆집"},
        ids.CAUSE_TEXT: {"value": "옆집"},
        ids.FEEDBACK_ANSWER_TEXT: {"value": "옆집"},
        ids.INTERVIEW_SLOT: {"selected_option": {"value": str(house.forged["slot"])}},
    }
    state = {"values": {name: {name: value} for name, value in values.items()}}
    about_stops = {ids.VIEW_STOP, ids.VIEW_APPROVE, ids.VIEW_STOP_LEAD, ids.VIEW_STOP_CAUSE}
    seen = house.bot.clock().isoformat()
    carried = [(callback_id, house.forged) for callback_id in VIEWS]
    fresh = {"seen": seen, "decided": []}
    carried += [(one, fresh | {"target": target}) for one in about_stops for target in targets(house)]
    for callback_id, carries in carried:
        handler = VIEWS[callback_id]
        view = {
            "id": "V9", "callback_id": callback_id, "private_metadata": json.dumps(carries), "state": state
        }  # fmt: skip
        visit, slack, respond = a_stranger(house.bot, view=view)
        acks: list[dict[str, Any]] = []

        async def ack(acks: list[dict[str, Any]] = acks, **answer: Any) -> None:
            acks.append(answer)

        work = Work()
        await Submitting(work, within_seconds=20).answer(Form.of(visit, view), handler, ack)  # type: ignore[arg-type]
        await work.drain()
        assert_nothing_shown(acks, slack.calls, respond.said)
    assert await house.of_the_neighbour() == before


async def test_no_menu_offers_what_belongs_to_another_workspace(house: House) -> None:
    """A menu opened in a window that names the neighbour's team finds nothing."""
    view = {"id": "V9", "type": "modal", "private_metadata": json.dumps(house.forged)}
    for search in OPTIONS.values():
        for words in ("", "secret"):
            visit, slack, respond = a_stranger(house.bot, view=view)
            try:
                found = await asyncio.wait_for(attempt(search(visit, words)), 20)
            except Gone:
                continue
            assert_nothing_shown(found, slack.calls, respond.said)


async def test_no_words_reach_another_workspace(house: House) -> None:
    """Names and ids of the neighbour's are as unknown as names nobody ever used; to themselves they are known."""
    for words in (THEIRS[0], "secret-project", "proj_secret"):
        for workspace_id, is_known in ((WORKSPACE, False), (NEIGHBOUR, True)):
            visit, slack, respond = a_stranger(house.bot)
            visit.workspace_id = workspace_id
            await guarded(visit, partial(status.ask, words=words))
            assert ("77.77" in json.dumps([slack.calls, respond.said], ensure_ascii=False)) is is_known
