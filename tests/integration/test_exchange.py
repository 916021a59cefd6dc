"""A currency beside dollars: decided by admins, once, written down, and told with the figures of its time."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal

import pytest

from blocks import exchange, ids, incidents
from bot import Bot, Policy
from bot.errors import Refusal, RefusalCode
from bot.exchange import SHOWN, RateWish, converter_at
from finops.digest import DigestVersion
from finops.exchange import Beside, Rate, RateMistake
from finops.queries import ScopeKind
from handlers import ACTIONS, VIEWS
from handlers.submitting import Form, Problem, Show
from handlers.visit import Visit
from locales import translator_for
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, a_tenant, on_both_databases
from tests.integration.digest_world import WEEK, World, a_week
from tests.integration.live_world import JIHOON, SEOYEON, a_runaway
from tests.unit import slack_limits
from tests.unit.listening import FakeSlack, a_visit

FRIDAY = date(2026, 7, 3)
WON = Rate(Beside.KRW, Decimal("1375.5"), FRIDAY, "하나은행")
WISH = RateWish("KRW", "1,375.50", FRIDAY, "하나은행")


@pytest.fixture
def database_kind() -> str:
    """Nothing here is decided by the database."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    """A workspace without a bill: what is decided does not wait for one."""
    tenant, bot = await a_tenant(storage), Bot(storage, {}, clock, Policy())
    admin = await bot.people.meet(WORKSPACE, "한빛소프트", JIHOON, asks_setup=True)
    return World(bot, clock, storage, tenant, admin, {})


async def trail(world: World) -> list[object]:
    async with world.storage.reading() as store:
        return [row.entry.details async for row in store.audit.all(WORKSPACE) if row.entry.action == "currency.changed"]


async def test_a_decision_is_made_once_and_written_down(world: World) -> None:
    """Two clicks are one decision; before and after stand in the trail, and who decided what stays known."""
    bot, admin = world.bot, world.admin
    assert list(await bot.exchange.decided(admin)) == []
    assert await bot.exchange.choose(admin, RateWish("")) is None  # what holds already
    assert [await bot.exchange.choose(admin, WISH) for _ in range(2)] == [WON, WON]
    world.clock.advance(minutes=1)
    assert await bot.exchange.choose(admin, RateWish("")) is None
    facts = {"currency": "KRW", "per_dollar": "1375.5", "day": "2026-07-03", "source": "하나은행"}
    assert await trail(world) == [
        {"currency_before": None, **{f"{name}_after": fact for name, fact in facts.items()}},
        {"currency_after": None, **{f"{name}_before": fact for name, fact in facts.items()}},
    ]
    decided = await bot.exchange.decided(admin)
    assert [(one.rate, one.set_by) for one in decided] == [(None, admin.user_id), (WON, admin.user_id)]
    for number in range(SHOWN):
        await bot.exchange.choose(admin, RateWish("JPY", str(150 + number), FRIDAY))
    assert len(await bot.exchange.decided(admin)) == SHOWN


@on_both_databases
async def test_administrators_who_decide_at_once_take_turns(world: World) -> None:
    """Two clicks at once are one decision, and each entry begins where the one before it ended."""
    bot, admin = world.bot, world.admin
    await asyncio.gather(*(bot.exchange.choose(admin, WISH) for _ in range(4)))
    assert len(await trail(world)) == 1
    wishes = [RateWish("KRW", str(1400 + number), FRIDAY) for number in range(4)]
    await asyncio.gather(*(bot.exchange.choose(admin, wish) for wish in wishes))
    told = [one for one in await trail(world) if isinstance(one, dict)]
    assert [one["per_dollar_after"] for one in told[:-1]] == [one["per_dollar_before"] for one in told[1:]]


async def test_a_decision_made_after_a_clock_was_set_back_holds(world: World) -> None:
    """What a clock an hour ahead kept is the last that was decided, and whoever decides anew is obeyed at once."""
    bot, admin, clock = world.bot, world.admin, world.clock
    await bot.exchange.choose(admin, WISH)
    clock.moment -= timedelta(hours=1)
    await bot.exchange.choose(admin, RateWish(""))
    clock.advance(hours=2)
    async with world.storage.reading() as store:
        assert await converter_at(store, WORKSPACE, clock()) is None
    await bot.exchange.choose(admin, WISH)
    clock.moment -= timedelta(minutes=30)
    await bot.exchange.choose(admin, WISH)
    async with world.storage.reading() as store:
        held = await converter_at(store, WORKSPACE, clock())
    assert held is not None
    assert held.rate == WON


async def test_what_is_no_rate_changes_nothing(world: World) -> None:
    """Refused with its reason; nothing is kept, nothing written down."""
    for wish, mistake in (
        (RateWish("KRW", "13.75", FRIDAY), RateMistake.IMPLAUSIBLE),
        (RateWish("KRW", "1375.5", FRIDAY + timedelta(days=4)), RateMistake.DAY_AHEAD),
        (RateWish("-"), RateMistake.CURRENCY),
    ):
        with pytest.raises(Refusal) as refused:
            await world.bot.exchange.choose(world.admin, wish)
        assert (refused.value.code, refused.value.values["mistake"]) == (RefusalCode.EXCHANGE_RATE, mistake.value)
    assert list(await world.bot.exchange.decided(world.admin)) == []
    assert await trail(world) == []


async def test_today_is_the_administrators_own_day(world: World) -> None:
    """At eight in the evening of London it is the next day in Seoul, and its rate is known there."""
    world.clock.moment = world.clock.moment.replace(hour=20)
    tomorrow = world.clock.moment.date() + timedelta(days=1)
    held = await world.bot.exchange.choose(world.admin, RateWish("KRW", "1375.5", tomorrow))
    assert held is not None
    report = await world.bot.reports.status(WORKSPACE, world.admin, "last week")
    assert report.exchange is not None
    assert (report.exchange.age_days, report.exchange.is_old) == (0, False)


async def test_a_member_neither_sees_nor_decides(world: World) -> None:
    """The window of an admin, or a payload somebody made up: refused both."""
    person = await world.bot.people.meet(WORKSPACE, "한빛소프트", SEOYEON)
    for attempt in (world.bot.exchange.decided(person), world.bot.exchange.choose(person, WISH)):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.code is RefusalCode.NOT_ADMIN
    assert await trail(world) == []


async def test_a_week_keeps_the_rate_it_was_told_at(storage: Storage, clock: FakeClock) -> None:
    """Whoever asks for it later reads the same won, at the rate of then, whatever was decided since."""
    world = await a_week(storage, clock, with_value=False)
    bot, admin = world.bot, world.admin
    await bot.exchange.choose(admin, WISH)
    world.clock.advance(minutes=20)
    assert await bot.digests.due() > 0
    world.clock.advance(minutes=1)
    await bot.exchange.choose(admin, RateWish("JPY", "155", FRIDAY))
    shown = await bot.digests.report_of(WORKSPACE, ScopeKind.WORKSPACE, None, WEEK.start, DigestVersion.TEAM)
    assert shown.is_kept
    assert shown.digest.exchange is not None
    assert shown.digest.exchange.rate == WON
    assert shown.now is None  # another currency is no news of the week
    report = await bot.reports.home(WORKSPACE, admin)
    assert report.exchange is not None
    assert report.exchange.rate.currency is Beside.JPY
    card = await bot.digests.daily(WORKSPACE, ScopeKind.WORKSPACE, None)
    assert card is not None
    assert card.exchange == report.exchange


# --- the window ------------------------------------------------------------------------------------------------------


def visiting(world: World) -> tuple[Visit, FakeSlack]:
    slack = FakeSlack()
    return a_visit(world.bot, slack, JIHOON.user_id), slack  # type: ignore[arg-type]


def a_form(visit: Visit, currency: str, rate: str = "", day: date | None = FRIDAY, source: str = "") -> Form:
    held = {
        ids.CURRENCY_BESIDE: {"selected_option": {"value": currency}},
        ids.CURRENCY_RATE: {"value": rate},
        ids.CURRENCY_DAY: {"selected_date": None if day is None else day.isoformat()},
        ids.CURRENCY_SOURCE: {"value": source},
    }
    values = {name: {name: value} for name, value in held.items()}
    return Form(visit, {"id": "V1", "state": {"values": values}})


async def test_a_mistake_stands_at_its_input(world: World) -> None:
    """And what was typed is still there in the window that says so."""
    visit, _ = visiting(world)
    for currency, rate, day, field in (
        ("KRW", "", FRIDAY, ids.CURRENCY_RATE),
        ("KRW", "13.75", FRIDAY, ids.CURRENCY_RATE),
        ("KRW", "1375.5", None, ids.CURRENCY_DAY),
        ("KRW", "1375.5", date(2027, 1, 1), ids.CURRENCY_DAY),
        ("EUR", "0.9", FRIDAY, ids.CURRENCY_BESIDE),
    ):
        outcome = await VIEWS[ids.VIEW_CURRENCY](a_form(visit, currency, rate, day))
        assert isinstance(outcome, Problem)
        assert list(outcome.errors) == [field]
        assert slack_limits.of_view(dict(outcome.form)) == []
        inputs = {one["block_id"]: one["element"] for one in outcome.form["blocks"] if one["type"] == "input"}
        assert inputs[ids.CURRENCY_RATE].get("initial_value", "") == rate


async def test_the_window_saves_and_opens_with_what_holds(world: World) -> None:
    """A key somebody pastes as the source is not shown to everybody."""
    visit, slack = visiting(world)
    secret = "sk-" + "admin-" + "Xq7" * 9
    outcome = await VIEWS[ids.VIEW_CURRENCY](a_form(visit, "KRW", "₩1,375.5", source=f"은행 {secret}"))
    assert isinstance(outcome, Show)
    assert slack_limits.of_view(dict(outcome.view)) == []
    assert "1달러 = 1,375.5원" in str(outcome.view)
    assert secret not in str(outcome.view)
    await ACTIONS[ids.CURRENCY_MANAGE](visit, "")
    opened = slack.told("views.update")[-1]["view"]
    inputs = {one["block_id"]: one["element"] for one in opened["blocks"] if one["type"] == "input"}
    assert inputs[ids.CURRENCY_BESIDE]["initial_option"]["value"] == "KRW"
    assert inputs[ids.CURRENCY_RATE]["initial_value"] == "1375.5"
    outcome = await VIEWS[ids.VIEW_CURRENCY](a_form(visit, exchange.NONE, "nonsense", None))
    assert isinstance(outcome, Show)
    assert (await world.bot.exchange.decided(world.admin))[0].rate is None


async def test_an_alert_tells_the_rate_of_now_and_once_it_is_over_that_of_its_end(
    storage: Storage, clock: FakeClock
) -> None:
    """From usage rows to the small print; the two golden lines stay in dollars, to the letter."""
    running = await a_runaway(storage, clock)
    admin = await running.bot.people.meet(WORKSPACE, "한빛소프트", JIHOON, asks_setup=True)
    [incident] = await running.evaluate()
    t = translator_for("ko-KR", "Asia/Seoul")
    before = incidents.root(await running.bot.incidents.shown(WORKSPACE, incident.id or 0), t)
    await running.bot.exchange.choose(admin, WISH)
    shown = await running.bot.incidents.shown(WORKSPACE, incident.id or 0)
    after = incidents.root(shown, t)
    assert (after.text, after.blocks[:2]) == (before.text, before.blocks[:2])
    assert "$742.00 (약 1,020,621원) · 환율 1달러 = 1,375.5원, 2026-07-03 (하나은행) 기준" in str(after.blocks)
    clock.advance(days=2)
    await running.evaluate()
    clock.advance(minutes=1)
    await running.bot.exchange.choose(admin, RateWish("JPY", "155", FRIDAY))
    shown = await running.bot.incidents.shown(WORKSPACE, incident.id or 0)
    assert shown.incident.closed_at is not None
    assert shown.exchange is not None
    assert shown.exchange.rate == WON
