"""The windows of an alert, through the wire: what they ask and say, and that what is asked for is done once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from blocks import ids
from bot import telling
from demo.slack.cast import DATA, FINOPS, TEAM_ID
from finops.audit import AuditRow
from finops.budgets import BudgetOn, BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import FigureState
from finops.crossings import Context, evaluate
from finops.estimates import Spent
from finops.figures import Scope
from finops.incidents import EventKind, Incident
from finops.money import Money
from finops.queries import ScopeKind
from tests.e2e.stages import EMMA, JIHOON, MINSU, words_of
from tests.integration.stop_wire import WAIT, Company, company

pytestmark = pytest.mark.asyncio(loop_scope="module")

KST = timedelta(hours=9)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    async with company(tmp_path_factory.mktemp("windows")) as running:
        yield running
        assert running.stage.slack.complaints == []


async def an_alert(house: Company, limit: str, channel_id: str = DATA) -> int:
    """An alert of $742 under a new daily budget of 마케팅팀, as evaluating would have told it; its id.

    In a channel of its own: Slack takes one message a second in each.
    """
    now, spent, team = house.clock(), Money.of("742"), house.marketing
    terms = BudgetTerms(BudgetScope.TEAM, team.id, BudgetPeriod.DAY, Money.of(limit), channel_id=channel_id)
    async with house.bot.storage.writing() as store:
        budget = await store.budgets.create(TEAM_ID, terms, by=JIHOON, at=now)
        on = BudgetOn(budget, Scope(ScopeKind.TEAM, team.id, team.name), team)
        found = Spent(spent, FigureState.ESTIMATE, now, spent, unpriced=False, drift_margin=Decimal(0))
        change = evaluate(None, on, found, Context(), now)
        assert change is not None
        incident = await telling.keep(store, change, None, (MINSU,), now)
    house.bot.wake_outbox.set()
    await house.stage.slack.until(lambda: limit in root(house, limit, channel_id)["text"], WAIT)
    return incident.id or 0


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


def chosen(house: Company, who: str, incident_id: int, until: datetime, view_id: str) -> dict[str, Any]:
    """The window of a silence, filled in."""
    picked = {"type": "datetimepicker", "selected_date_time": int(until.timestamp())}
    return house.submission(
        who, ids.VIEW_SILENCE, {"target": f"incident:{incident_id}"}, view_id=view_id, **{ids.SILENCE_UNTIL: picked}
    )


async def test_a_silence_until_a_time_of_ones_own_ends_like_every_other(house: Company) -> None:
    """Asked in a window, kept once however often it is sent, shown to everybody, and ended by the same button."""
    incident_id = await an_alert(house, "500")
    house.clock.advance(timedelta(minutes=7, seconds=3))
    await house.sends(house.click(MINSU, ids.INCIDENT_SILENCE, f"{incident_id}/custom"))
    view = house.stage.slack.person(MINSU).view
    assert view is not None
    assert view["callback_id"] == ids.VIEW_SILENCE
    [picker] = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    # 06:07 and two hours, rounded up to a quarter.
    usual = house.clock().replace(hour=8, minute=15, second=0, microsecond=0)
    assert picker["initial_date_time"] == int(usual.timestamp())
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
    await house.sends(house.click(EMMA, ids.INCIDENT_SILENCE, f"{incident_id}/custom"))
    assert f"<@{MINSU}>" in house.cleared(EMMA)
    answer = await house.sends(chosen(house, EMMA, incident_id, house.clock() + timedelta(hours=1), "V0SILENT02"))
    assert f"<@{MINSU}>" in words_of(answer["view"])
    incident, events, _ = await standing(house, incident_id)
    assert (incident.silenced_until, EventKind.SILENCED in events) == (None, False)
    assert {row.entry.subject for row in await house.refusals(EMMA)} >= {f"incident:{incident_id}"}
