"""The windows of an alert, and Home, through the wire: what they ask, say and offer, and that a deed is done once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from blocks import ids
from bot import telling
from demo.clock import StageClock
from demo.slack.cast import DATA, FINANCE_GROUP, FINOPS, MARKETING, TEAM_ID
from demo.stage import staged
from finops.audit import AuditRow
from finops.budgets import BudgetOn, BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import FigureState
from finops.crossings import Context, evaluate
from finops.estimates import Spent
from finops.figures import Scope
from finops.incidents import EventKind, Incident
from finops.money import Money
from finops.queries import ScopeKind
from handlers.addresses import BOT
from tests.e2e.stages import EMMA, JIHOON, MINSU, PRICES, Stage, a_trace, easy_slack, words_of
from tests.integration.stop_wire import WAIT, Company, at_six, profile

pytestmark = pytest.mark.asyncio(loop_scope="module")

KST = timedelta(hours=9)
PROJECTS = ("held", "twice")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    """이지훈 is the admin and 김민수 leads 마케팅팀 with two projects; nothing is collected, and nothing held."""
    clock = at_six(StageClock())
    database = f"sqlite:///{tmp_path_factory.mktemp('windows') / 'stage.db'}"
    variables = {"FINOPS_POLL_SECONDS": "3600", "FINOPS_EDIT_EVERY_SECONDS": "1"}
    async with (
        aiohttp.ClientSession() as http,
        staged(
            a_trace(1, PROJECTS), PRICES, database, clock=clock, socket_mode=False, slack=easy_slack(), **variables
        ) as stage,
    ):
        yield await furnished(stage, clock, http)
        assert stage.slack.complaints == []


async def furnished(stage: Stage, clock: StageClock, http: aiohttp.ClientSession) -> Company:
    bot = stage.product[BOT]
    for who, name in ((JIHOON, "이지훈"), (MINSU, "김민수"), (EMMA, "Emma")):
        met = profile(who, name, admin=who == JIHOON)
        await bot.people.meet(TEAM_ID, "한빛소프트", met, asks_setup=True)
    jihoon = await bot.people.present(TEAM_ID, JIHOON)
    marketing = await bot.teams.create(jihoon, "마케팅팀", profile(MINSU, "김민수"), MARKETING)
    async with bot.storage.writing() as store:
        connection = await store.connections.create(
            TEAM_ID, provider="openai", organization_id="org-hanbit", organization_name="한빛소프트", at=clock()
        )
        named = [(f"proj_{name}", name) for name in PROJECTS]
        registered, _ = await store.projects.register(
            TEAM_ID, connection_id=connection.id, team_id=marketing.id, projects=named, registered_by=JIHOON, at=clock()
        )
    projects = {one.name: one for one in registered}
    # Nobody lives next door, and nothing is held.
    return Company(stage, clock, http, bot, marketing, projects, neighbours=None, held=None)


async def an_alert(house: Company, limit: str, channel_id: str = DATA) -> int:
    """An alert of $742 under a new daily budget of 마케팅팀; its id.

    In a channel of its own: Slack takes one message a second in each.
    """
    terms = BudgetTerms(BudgetScope.TEAM, house.marketing.id, BudgetPeriod.DAY, Money.of(limit), channel_id=channel_id)
    [incident_id] = await breached(house, terms, Scope(ScopeKind.TEAM, house.marketing.id, house.marketing.name))
    await house.stage.slack.until(lambda: limit in root(house, limit, channel_id)["text"], WAIT)
    return incident_id


async def breached(house: Company, terms: BudgetTerms, *scopes: Scope) -> list[int]:
    """Alerts of $742 under a new budget, one for each scope, as evaluating would have told them; their ids."""
    now, spent = house.clock(), Money.of("742")
    found = Spent(spent, FigureState.ESTIMATE, now, spent, unpriced=False, drift_margin=Decimal(0))
    told = []
    async with house.bot.storage.writing() as store:
        budget = await store.budgets.create(TEAM_ID, terms, by=JIHOON, at=now)
        for scope in scopes:
            change = evaluate(None, BudgetOn(budget, scope, house.marketing), found, Context(), now)
            assert change is not None
            told.append((await telling.keep(store, change, None, (MINSU,), now)).id or 0)
    house.bot.wake_outbox.set()
    return told


def root(house: Company, limit: str, channel_id: str = DATA) -> dict[str, Any]:
    """The message of the alert under this limit as it stands now; without a text before it stands."""
    every = house.stage.slack.messages(channel_id)
    roots = [one for one in every if one.get("thread_ts", one["ts"]) == one["ts"]]
    return next((one for one in roots if f"일일 한도 ${limit}" in one["text"]), {"text": ""})


async def standing(house: Company, incident_id: int) -> tuple[Incident, list[EventKind], list[AuditRow]]:
    """The incident, what happened to it, and what the trail says of that."""
    async with house.bot.storage.reading() as store:
        incident = await store.incidents.get(TEAM_ID, incident_id)
        events = await store.incidents.events(TEAM_ID, incident_id)
        trail = [row async for row in store.audit.all(TEAM_ID)]
    assert incident is not None
    return (
        incident,
        [one.kind for one in events],
        [one for one in trail if one.entry.subject == f"incident:{incident_id}"],
    )


def chosen(house: Company, who: str, incident_id: int, until: datetime | None, view_id: str) -> dict[str, Any]:
    """The window of a silence, filled in; the length that stands in it anyhow counts for nothing beside a time."""
    filled = {
        ids.SILENCE_FOR: {"type": "radio_buttons", "selected_option": {"value": "1h"}},
        ids.SILENCE_UNTIL: {"type": "datetimepicker", "selected_date_time": until and int(until.timestamp())},
    }
    return house.submission(who, ids.VIEW_SILENCE, {"target": f"incident:{incident_id}"}, view_id=view_id, **filled)


async def test_a_silence_until_a_time_of_ones_own_ends_like_every_other(house: Company) -> None:
    """Asked in a window, kept once however often it is sent, shown to everybody, and ended by the same button."""
    incident_id = await an_alert(house, "500")
    house.clock.advance(timedelta(minutes=7, seconds=3))
    await house.sends(house.click(MINSU, ids.INCIDENT_SILENCE, str(incident_id)))
    view = house.stage.slack.person(MINSU).view
    assert view is not None
    assert view["callback_id"] == ids.VIEW_SILENCE
    length, picker = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    assert (length["initial_option"]["value"], "initial_date_time" in picker) == ("1h", False)
    said = house.cleared(MINSU)
    for words in ("[마케팅팀] 일일 한도 $500", "차단 실패", "기록", "09:00 KST"):
        assert words in said

    now = house.clock()
    for until, words in ((now, "이미 지난"), (now + timedelta(days=7, minutes=1), "최대 7일")):
        answer = await house.sends(chosen(house, MINSU, incident_id, until, "V0SILENT01"))
        assert words in answer["errors"][ids.SILENCE_UNTIL]
    assert (await standing(house, incident_id))[0].silenced_until is None

    until = now.replace(second=0, microsecond=0) + timedelta(days=6, hours=5)
    payload = chosen(house, MINSU, incident_id, until, "V0SILENT01")
    for answer in (await house.sends(payload), await house.sends(payload)):
        assert f"{until + KST:%H:%M} KST까지 알림을 껐습니다" in words_of(answer["view"])
    incident, events, trail = await standing(house, incident_id)
    assert (incident.silenced_by, incident.silenced_until) == (MINSU, until.astimezone(UTC))
    assert events.count(EventKind.SILENCED) == 1
    assert [one.entry.action for one in trail if "silenced" in one.entry.action] == ["incident.silenced"]
    await house.stage.slack.until(lambda: "알림 꺼짐 · 김민수" in words_of(root(house, "500")), WAIT)

    await house.sends(house.click(MINSU, ids.INCIDENT_END_SILENCE, str(incident_id)))
    await house.stage.slack.until(lambda: ids.INCIDENT_SILENCE in str(root(house, "500")["blocks"]), WAIT)


async def test_who_may_not_silence_an_alert_is_told_who_may_before_choosing_a_time(house: Company) -> None:
    """The window says it instead of asking; filled in all the same, it does nothing."""
    incident_id = await an_alert(house, "510", FINOPS)
    # As the menu of an alert sends it that was told before there was a window.
    await house.sends(house.click(EMMA, ids.INCIDENT_SILENCE, f"{incident_id}/1h"))
    assert f"<@{MINSU}>" in house.cleared(EMMA)
    answer = await house.sends(chosen(house, EMMA, incident_id, house.clock() + timedelta(hours=1), "V0SILENT02"))
    assert f"<@{MINSU}>" in words_of(answer["view"])
    incident, events, _ = await standing(house, incident_id)
    assert (incident.silenced_until, EventKind.SILENCED in events) == (None, False)
    assert {row.entry.subject for row in await house.refusals(EMMA)} >= {f"incident:{incident_id}"}


async def test_two_bad_opinions_in_a_row_open_the_budget_and_say_so(house: Company) -> None:
    """Which alerts they were about, that it is a suggestion, and what stands in the window still says so when it is
    drawn anew; a window somebody opens says nothing of the kind."""
    incident_id = await an_alert(house, "520", MARKETING)
    for who in (JIHOON, MINSU):
        await house.sends(house.click(who, ids.INCIDENT_FEEDBACK, f"{incident_id}/bad"))
    minsu = house.stage.slack.person(MINSU)
    view = minsu.view
    assert view is not None
    assert view["callback_id"] == ids.VIEW_BUDGET
    await minsu.clicks(view, ids.BUDGET_PERIOD, BudgetPeriod.WEEK.value)
    await house.quiet()
    again = minsu.view
    assert again is not None
    assert again["hash"] != view["hash"]
    for one in (view, again):
        first = words_of(one["blocks"][0])
        assert "두 분이 이 알림을 ‘아님’으로 평가하셔서" in first
        assert "[마케팅팀] 일일 한도 $520 초과 - 현재 $742 (142%)" in first
        assert "창을 닫으면 아무것도 바뀌지 않습니다" in first
    assert "의견" in house.cleared(JIHOON)
    house.cleared(MINSU)
    await house.sends(house.click(MINSU, ids.INCIDENT_BUDGET, str(incident_id)))
    assert "아님" not in house.cleared(MINSU)


async def test_opinions_on_two_alerts_name_both(house: Company) -> None:
    """The default budget of every project, unhelpful twice: the window makes one for the project alone, and says that
    as well."""
    terms = BudgetTerms(BudgetScope.EVERY_PROJECT, None, BudgetPeriod.DAY, Money.of("530"), channel_id=MARKETING)
    scopes = [Scope(ScopeKind.PROJECT, house.projects[name].id, name) for name in PROJECTS]
    for incident_id in await breached(house, terms, *scopes):
        await house.sends(house.click(MINSU, ids.INCIDENT_FEEDBACK, f"{incident_id}/bad"))
    view = house.stage.slack.person(MINSU).view
    assert view is not None
    first = words_of(view["blocks"][0])
    for words in ("한 예산의 알림에 대한 최근 평가 두 건", "(140%) · held", "(140%) · twice", "*twice* 프로젝트에만"):
        assert words in first
    house.cleared(MINSU)


async def test_an_approver_through_a_user_group_finds_the_settings_on_home(house: Company) -> None:
    """Also where nothing waits for them; Slack is asked for the group once, however often they open it."""
    jihoon = await house.bot.people.present(TEAM_ID, JIHOON)
    assert jihoon is not None
    slack, emma = house.stage.slack, house.stage.slack.person(EMMA)

    def drawn() -> int:
        return [call.method for call in slack.calls].count("views.publish")

    async def offered() -> bool:
        before = drawn()
        await emma.opens_home()
        await slack.until(lambda: drawn() > before, WAIT)
        return ids.KEY_MANAGE in str(emma.home)

    assert not await offered()
    await house.bot.teams.update(jihoon, house.marketing.id, approvers=[FINANCE_GROUP])
    before = len(slack.calls)
    assert [await offered() for _ in range(3)] == [True] * 3
    assert [call.method for call in slack.calls[before:]].count("usergroups.users.list") == 1
