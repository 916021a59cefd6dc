"""What people did, found once in usage, trail and the provider's log, and checked against settled bills."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from blocks import learning as words
from blocks.actions import line
from bot import Bot, Policy
from bot.actions import recent
from bot.digest_channels import usual_channel
from bot.digest_codec import encoded
from bot.learning import due_month
from bot.results import Profile
from finops.audit import AuditEntry
from finops.behaviour import Action, ActionKind, ActionSource, Preceded
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import Charge, ChargedDay, FigureState
from finops.digest import Advice, AdviceKind
from finops.effects import EffectState, Saving, SavingState
from finops.events import RecordedCall
from finops.holds import Hold, HoldState
from finops.hypotheses import Hypothesis, Tally, Verdict
from finops.incidents import Change, EventKind, Fact, Incident, IncidentEvent, IncidentState, RootAction
from finops.learning import ActionShown
from finops.levers import Lever
from finops.money import Money
from finops.periods import Period, charge_day, starts_at
from finops.queries import ScopeKind
from finops.registry import Person, Project
from finops.secret import Secret
from finops.stops import Stop, StopChange, StopEvent, StopEventKind, StopState
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from finops.value import Outcome
from jobs.learner import Learner
from jobs.rendering import Rendering
from jobs.speech import Reader
from locales import translator_for
from providers.contract import ProviderChange, Unavailable
from storage import KeyRing, Storage
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, Tenant, a_copy, a_tenant, on_both_databases
from tests.integration.beginnings import begun
from tests.unit import digesting

# A Monday, half past eleven in Seoul: the morning's collection is through.
NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
CHANGED = date(2026, 11, 19)
FIRST = date(2026, 10, 19)
NAMES = ("chatbot", "search", "notes", "review", "voc", "copy", "fraud")
JIHOON = Profile("U0JIHOON01", "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True)
ATTO = 10**18


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@dataclass
class Log:
    """A provider of which nobody asks anything but what its log tells."""

    told: list[ProviderChange] = field(default_factory=list)
    asked_since: list[datetime] = field(default_factory=list)
    is_down: bool = False

    async def changes(self, key: Secret, since: datetime) -> tuple[ProviderChange, ...]:
        self.asked_since.append(since)
        if self.is_down:
            raise Unavailable("no answer")
        return tuple(one for one in self.told if one.at > since)


@dataclass
class World:
    """Seven applications; the chatbot goes to a small model at six in the morning (UTC) of one day."""

    bot: Bot
    storage: Storage
    tenant: Tenant
    projects: dict[str, Project]
    log: Log

    async def recent(self, project_id: int | None = None) -> tuple[ActionShown, ...]:
        """The last actions, as they are shown."""
        async with self.storage.reading() as store:
            return await recent(store, WORKSPACE, project_id)


def cost_of(name: str, day: date) -> Decimal:
    """Dollars of a day: weekdays, a little of a wave for each, and a third less of the chatbot from the change on."""
    number = NAMES.index(name)
    wave = 1 + 0.05 * math.sin(day.toordinal() * (number + 2)) - (0.3 if day.weekday() >= 5 else 0)
    fall = 0.65 if name == "chatbot" and day > CHANGED else 1.0
    return Decimal(repr(round((20 + 10 * number) * wave * fall, 4)))


def rows_of(days: list[date]) -> list[UsageRow]:
    """Four buckets a day of each application."""
    rows = []
    for day in days:
        midnight = int(starts_at(day).timestamp()) // 60
        for name in NAMES:
            for hour in (0, 6, 12, 18):
                is_new = name == "chatbot" and (day > CHANGED or (day == CHANGED and hour >= 6))
                for model, tokens in (("gpt-4o-mini", 90 if is_new else 0), ("gpt-4o", 10 if is_new else 100)):
                    key = (midnight + hour * 60, "completions", f"proj_{name}", model, "key", "default")
                    rows.append(UsageRow(*key, is_batch=False, requests=tokens, input_tokens=tokens * 1000))
    return [row for row in rows if row.requests]


async def lived(
    storage: Storage, tenant: Tenant, first: date, end: date, now: datetime, *, is_settled: bool = False
) -> None:
    """Usage and bills of the days from one to another, read until now; the bills until nothing moves any more."""
    days = [first + timedelta(days=n) for n in range((end - first).days)]
    by_start: dict[int, list[UsageRow]] = {}
    for row in rows_of(days):
        by_start.setdefault(row.start, []).append(row)
    buckets = tuple(UsageBucket(start, tuple(each)) for start, each in sorted(by_start.items()))
    reading = UsageReading(Endpoint.COMPLETIONS, Width.HOUR, min(by_start), max(by_start) + 60, buckets)
    priced = [(row, ATTO, True) for bucket in buckets for row in bucket.rows]
    async with storage.writing() as store:
        connection_id = tenant.connection.id
        await store.usage.replace(WORKSPACE, connection_id, reading, priced, now, reading.end)
        await store.healths.mark_read(WORKSPACE, connection_id, now)
        for day in days:
            charges = tuple(Charge(day, f"proj_{name}", "gpt-4o, input", cost_of(name, day)) for name in NAMES)
            for hours in (2, 80, 90) if is_settled else (2,):
                await store.charges.replace_day(
                    WORKSPACE, connection_id, ChargedDay(day, charges), starts_at(day) + timedelta(days=1, hours=hours)
                )


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    clock.moment = NOW
    tenant, registered = await begun(storage, "seven applications", partial(five_weeks, storage))
    log = Log()
    bot = Bot(storage, {"openai": log}, clock, Policy())
    return World(bot, storage, tenant, {one.name: one for one in registered}, log)


async def five_weeks(storage: Storage) -> tuple[Tenant, tuple[Project, ...]]:
    """The seven applications registered, and their days up to now."""
    tenant = await a_tenant(storage)
    async with storage.writing() as store:
        registered, _ = await store.projects.register(
            WORKSPACE, connection_id=tenant.connection.id, team_id=tenant.team_id,
            projects=[(f"proj_{name}", name) for name in NAMES], registered_by="U0JIHOON01", at=MOMENT,
        )  # fmt: skip
        await store.credentials.add(
            WORKSPACE, connection_id=tenant.connection.id, team_id=tenant.team_id,
            secret=Secret("sk-" + "admin-0123456789"), rights=(), registered_by="U0JIHOON01", at=MOMENT,
        )  # fmt: skip
    await lived(storage, tenant, FIRST, charge_day(NOW), NOW)
    return tenant, tuple(registered)


async def alerted(world: World, project: str | None, at: datetime) -> int:
    """The daily budget of a project (None: of the whole workspace) was reached, and it was said aloud."""
    async with world.storage.writing() as store:
        project_id = None if project is None else world.projects[project].id
        kind = BudgetScope.WORKSPACE if project is None else BudgetScope.PROJECT
        terms = BudgetTerms(kind, project_id, BudgetPeriod.DAY, Money.of("15"))
        budget = await store.budgets.create(WORKSPACE, terms, by="U1", at=MOMENT)
        day = charge_day(at)
        incident = Incident(
            id=None, workspace_id=WORKSPACE, budget_id=budget.id, scope_kind=ScopeKind(kind), scope_id=project_id,
            period=BudgetPeriod.DAY, window=Period(day, day + timedelta(days=1)), state=IncidentState.OPEN,
            level=100, spoken_level=100, limit=Money.of("15"), spent=Money.of("20"),
            spent_state=FigureState.ESTIMATE, usual=None, burn_per_minute=None, since=at, opened_at=at, updated_at=at,
            as_of=at, detected_at=at, available_at=None, channel_id="C1",
        )  # fmt: skip
        crossed = IncidentEvent(EventKind.CROSSED, at, "crossed:100:15", {"level": 100, "levels": [100]}, is_loud=True)
        kept = await store.incidents.save(WORKSPACE, Change(incident, (crossed,), RootAction.POST), None)
    assert kept.id is not None
    return kept.id


@on_both_databases
async def test_a_changed_model_is_found_once_on_its_day_and_joined_to_the_alert_before_it(world: World) -> None:
    alert = await alerted(world, "chatbot", NOW - timedelta(days=6))
    assert await world.bot.behaviour.learn(WORKSPACE) == 1
    [shown] = await world.recent()
    action = shown.action
    assert (shown.project, action.kind, action.source) == ("chatbot", ActionKind.MODEL_CHANGED, ActionSource.USAGE)
    assert action.at == datetime(2026, 11, 19, 6, tzinfo=UTC)
    assert (action.details["from_model"], action.details["to_model"]) == ("gpt-4o", "gpt-4o-mini")
    assert action.preceded is not None
    assert (action.preceded.kind, action.preceded.id) == (Preceded.ALERT, alert)
    world.bot.clock.advance(hours=20)  # type: ignore[attr-defined]
    assert await world.bot.behaviour.learn(WORKSPACE) == 0


async def test_the_trail_and_the_providers_log_tell_what_was_done_and_by_whom(world: World) -> None:
    async with world.storage.writing() as store:
        budget = await store.budgets.create(
            WORKSPACE,
            BudgetTerms(BudgetScope.TEAM, world.tenant.team_id, BudgetPeriod.DAY, Money.of("500")),
            by="U1",
            at=NOW,
        )
        yesterday = NOW - timedelta(days=1)
        await store.audit.append(WORKSPACE, AuditEntry(yesterday, "U1", "budget.created", f"budget:{budget.id}"))
        refused = AuditEntry(yesterday, "U1", "budget.changed", f"budget:{budget.id}", "refused")
        await store.audit.append(WORKSPACE, refused)
    search = frozenset({"proj_search"})
    world.log.told = [
        ProviderChange("a1", "api_key.deleted", NOW - timedelta(days=2), "user-1", search),
        ProviderChange("a2", "api_key.created", NOW - timedelta(days=2), "user-1", frozenset({"proj_of_others"})),
        ProviderChange("a3", "login.succeeded", NOW - timedelta(days=2), "user-1"),
    ]
    assert await world.bot.behaviour.learn(WORKSPACE) == 3
    async with world.storage.writing() as store:
        await store.audit.append(WORKSPACE, AuditEntry(NOW, "U1", "budget.disabled", f"budget:{budget.id}"))
    assert [await world.bot.behaviour.follow(WORKSPACE) for _ in range(2)] == [1, 0]
    [newest, *_] = await world.recent()
    assert (newest.action.kind, newest.action.at) == (ActionKind.BUDGET_CHANGED, NOW)
    assert await world.bot.behaviour.learn(WORKSPACE) == 0
    found = {one.action.kind: one for one in (await world.recent())[1:]}
    assert set(found) == {ActionKind.BUDGET_MADE, ActionKind.KEY_DELETED, ActionKind.MODEL_CHANGED}
    assert found[ActionKind.BUDGET_MADE].team == "마케팅팀"
    assert found[ActionKind.BUDGET_MADE].action.actor == "U1"
    assert found[ActionKind.KEY_DELETED].project == "search"
    assert [one.action.kind for one in await world.recent(world.projects["search"].id)] == [ActionKind.KEY_DELETED]


async def test_a_key_is_told_with_its_team_and_never_as_the_answer_to_its_alerts(world: World) -> None:
    """Two teams were set up on one day: two lines that are alike would say it twice."""
    await alerted(world, None, NOW - timedelta(hours=2))
    entry = AuditEntry(NOW, "U1", "key.registered", "key:1", details={"team_id": world.tenant.team_id})
    async with world.storage.writing() as store:
        await store.audit.append(WORKSPACE, entry)
    await world.bot.behaviour.follow(WORKSPACE)
    [shown, *_] = await world.recent()
    assert (shown.team, shown.action.team_id, shown.action.preceded) == ("마케팅팀", None, None)


async def test_what_was_done_before_a_pause_is_seen_at_the_next_look(world: World, clock: FakeClock) -> None:
    """A bot that was away over the weekend, or whose Monday came at one press, shows Friday's act and not nothing."""
    async with world.storage.writing() as store:
        await store.audit.append(WORKSPACE, AuditEntry(NOW, "U1", "key.deleted", "key:1"))
    clock.advance(days=3)
    assert [await world.bot.behaviour.follow(WORKSPACE) for _ in range(2)] == [1, 0]
    [shown] = await world.recent()
    assert (shown.action.kind, shown.action.at) == (ActionKind.KEY_DELETED, NOW)


async def test_a_provider_that_does_not_answer_and_days_nobody_read_are_no_actions(world: World) -> None:
    """Blind for four days: that is no silence. What the other sources tell is found all the same."""
    world.log.is_down = True
    world.bot.clock.advance(days=4)  # type: ignore[attr-defined]
    assert await world.bot.behaviour.learn(WORKSPACE) == 1
    [shown] = await world.recent()
    assert shown.action.kind is ActionKind.MODEL_CHANGED


async def test_a_key_that_cannot_be_read_hides_the_providers_log_alone(world: World, database_url: str) -> None:
    world.log.told = [ProviderChange("a1", "api_key.deleted", NOW, "user-1", frozenset({"proj_search"}))]
    async with a_copy(database_url, KeyRing.generate()) as storage:
        bot = Bot(storage, {"openai": world.log}, world.bot.clock, Policy())
        assert await bot.behaviour.learn(WORKSPACE) == 1
    assert [one.action.kind for one in await world.recent()] == [ActionKind.MODEL_CHANGED]


async def test_the_first_look_reaches_far_back_and_so_does_one_after_a_silence(world: World, clock: FakeClock) -> None:
    """What was done before anybody looked is told once; from then on the last days are enough."""
    clock.advance(days=24)
    async with world.storage.writing() as store:  # Monday's usage was read to its end, and nothing after it
        await store.healths.mark_read(WORKSPACE, world.tenant.connection.id, NOW)
    assert await world.bot.learning.day(WORKSPACE)
    [shown] = await world.recent()
    assert (shown.action.kind, shown.action.day) == (ActionKind.MODEL_CHANGED, CHANGED)
    assert not await world.bot.learning.day(WORKSPACE), "once a day"

    clock.advance(days=1)
    await world.bot.learning.day(WORKSPACE)
    clock.advance(days=12)
    await Bot(world.storage, {"openai": world.log}, clock, Policy()).learning.day(WORKSPACE)
    async with world.storage.writing() as store:
        new = await store.connections.create(
            WORKSPACE, provider="openai", organization_id="org-new", organization_name="", at=clock()
        )
        await store.credentials.add(
            WORKSPACE, connection_id=new.id, team_id=world.tenant.team_id,
            secret=Secret("sk-" + "admin-9876543210"), rights=(), registered_by="U0JIHOON01", at=clock(),
        )  # fmt: skip
    clock.advance(days=1)
    await world.bot.learning.day(WORKSPACE)
    looked = [(since - NOW).days for since in world.log.asked_since]
    assert looked == [24 - 90, 25 - 10, 37 - 90, 38 - 10, 38 - 10, 38 - 90], "the new connection alone far back"


async def test_no_dollar_is_saved_twice(world: World, clock: FakeClock) -> None:
    """Of what was done to one project in the same fortnight one line of the ledger tells, however late it is found."""
    chatbot, search = (frozenset({f"proj_{name}"}) for name in ("chatbot", "search"))
    world.log.told = [
        ProviderChange("a1", "api_key.deleted", NOW - timedelta(days=5), "user-1", chatbot),
        ProviderChange("a2", "rate_limit.updated", NOW - timedelta(days=2), "user-1", chatbot),
        ProviderChange("a3", "api_key.deleted", NOW - timedelta(days=2), "user-1", search),
    ]
    assert await world.bot.behaviour.learn(WORKSPACE) == 4
    await world.bot.effects.measure(WORKSPACE)
    clock.advance(hours=1)
    world.log.told = [ProviderChange("a4", "project.archived", NOW - timedelta(days=1), "user-1", chatbot)]
    assert await world.bot.behaviour.learn(WORKSPACE) == 1
    await world.bot.effects.measure(WORKSPACE)
    async with world.storage.reading() as store:
        lines = {one.action_id for one in await store.savings.open_ones(WORKSPACE)}
        done = [one for one in await store.actions.newest(WORKSPACE, 10) if one.id in lines]
    assert sorted(one.key.split(":")[2] for one in done) == ["a1", "a3"]


@pytest.mark.parametrize("is_first", [True, False], ids=["the stop first", "the key first"])
async def test_a_stop_that_still_holds_saves_no_dollar_that_another_line_saves(
    world: World, clock: FakeClock, is_first: bool
) -> None:
    """Held for ten days it has no note of its own, and is measured by its project's bills: as is the key that went."""
    chatbot, at = world.projects["chatbot"], NOW - timedelta(days=10)
    stop = Stop(
        id=None, workspace_id=WORKSPACE, incident_id=None, scope_kind=ScopeKind.PROJECT, scope_id=chatbot.id,
        channel_id="C1", lever=Lever.STOP, state=StopState.STOPPED, reason="a loop", requested_by="U1",
        requested_at=at, updated_at=at, stopped_at=at,
    )  # fmt: skip
    gone = at + timedelta(days=2 if is_first else -2)
    world.log.told = [ProviderChange("a1", "api_key.deleted", gone, "user-1", frozenset({"proj_chatbot"}))]
    async with world.storage.writing() as store:
        made, _ = await store.stops.open(WORKSPACE, stop, [], [])
        await store.audit.append(WORKSPACE, AuditEntry(at, "U1", "stop.requested", f"stop:{made.id}"))
    await world.bot.behaviour.learn(WORKSPACE, timedelta(days=20))
    for _ in range(2):
        await world.bot.effects.measure(WORKSPACE)
        clock.advance(hours=1)
    async with world.storage.reading() as store:
        lines = {one.action_id for one in await store.savings.open_ones(WORKSPACE)}
        done = [one for one in await store.actions.newest(WORKSPACE, 10) if one.id in lines]
    assert [one.kind for one in done] == [ActionKind.STOPPED if is_first else ActionKind.KEY_DELETED]


async def test_a_stop_that_never_held_saved_nothing_whatever_the_bills_say(world: World) -> None:
    """Its provider refused it: a quiet fortnight is not its doing, and what was done is that it was asked for."""
    at = NOW - timedelta(days=9)
    stop = Stop(
        id=None, workspace_id=WORKSPACE, incident_id=None, scope_kind=ScopeKind.PROJECT,
        scope_id=world.projects["search"].id, channel_id="C1", lever=Lever.STOP, state=StopState.FAILED,
        reason="a loop", requested_by="U1", requested_at=at, updated_at=at,
    )  # fmt: skip
    async with world.storage.writing() as store:
        made, _ = await store.stops.open(WORKSPACE, stop, [], [])
        await store.audit.append(WORKSPACE, AuditEntry(at, "U1", "stop.requested", f"stop:{made.id}"))
    await world.bot.behaviour.learn(WORKSPACE)
    await world.bot.effects.measure(WORKSPACE)
    [shown] = await world.recent(world.projects["search"].id)
    assert shown.saving is None
    assert "지출 차단 요청" in line(shown, translator_for("ko", "Asia/Seoul"))


async def test_what_it_saved_waits_for_settled_bills_and_is_told_with_its_range(world: World, clock: FakeClock) -> None:
    await world.bot.behaviour.learn(WORKSPACE)
    assert await world.bot.effects.measure(WORKSPACE) == 0
    [shown] = await world.recent()
    assert shown.saving is not None
    assert shown.saving.state is SavingState.EXPECTED
    assert shown.saving.period == Period(date(2026, 11, 20), date(2026, 12, 4))
    later = clock.advance(days=20)
    await lived(world.storage, world.tenant, CHANGED, charge_day(later), later, is_settled=True)
    assert await world.bot.effects.measure(WORKSPACE) == 1
    assert await world.bot.effects.measure(WORKSPACE) == 0
    [shown] = await world.recent()
    saving = shown.saving
    assert saving is not None
    assert saving.state is SavingState.VERIFIED
    days = Period(date(2026, 11, 20), date(2026, 12, 4))
    truth = sum((cost_of("chatbot", day) * (Decimal(1) / Decimal("0.65") - 1) for day in days), Decimal(0))
    assert saving.verified is not None
    assert saving.low is not None
    assert saving.high is not None
    assert saving.low.amount < truth < saving.high.amount
    assert abs(saving.verified.amount - truth) < truth / 10

    actor = await world.bot.people.meet(WORKSPACE, "U0JIHOON01", JIHOON)
    report = await world.bot.effects.report(actor)
    assert report.ledger.verified == saving.verified
    assert [one.verdict for one in report.hypotheses if one.hypothesis is Hypothesis.MORE_CLOUDS] == [
        Verdict.NOT_MEASURABLE
    ]
    said = words.message(report, translator_for("ko", "Asia/Seoul"))
    assert "모델 변경: gpt-4o → gpt-4o-mini" in str(said.blocks)
    assert "절감 확인" in str(said.blocks)
    assert "잴 수 없음" in str(said.blocks)


async def test_two_months_notes_tell_a_saving_once(world: World, clock: FakeClock) -> None:
    """Done on 18 November and checked on 6 December, a day before November is told: it is December's."""
    saved = Money.of("120")
    done = Action(
        datetime(2026, 11, 18, tzinfo=UTC), date(2026, 11, 18), ActionKind.KEY_DELETED, ActionSource.PROVIDER, "p:1",
        project_id=world.projects["chatbot"].id,
    )  # fmt: skip
    async with world.storage.writing() as store:
        [kept] = await store.actions.add(WORKSPACE, [done])
        assert kept.id is not None
        line = Saving(kept.id, SavingState.EXPECTED, Period(date(2026, 11, 19), date(2026, 12, 3)))
        await store.savings.expect(WORKSPACE, [line])
    clock.moment = datetime(2026, 12, 1, tzinfo=UTC)
    waiting = (await world.bot.effects.of_month(WORKSPACE, date(2026, 11, 1))).ledger
    assert (waiting.open_count, waiting.verified) == (1, Money.zero())
    clock.moment = datetime(2026, 12, 7, tzinfo=UTC)
    async with world.storage.writing() as store:
        await store.savings.change(WORKSPACE, replace(line, state=SavingState.VERIFIED, verified=saved))
    ledgers = [(await world.bot.effects.of_month(WORKSPACE, date(2026, month, 1))).ledger for month in (11, 12)]
    assert [one.verified for one in ledgers] == [Money.zero(), saved]
    actor = await world.bot.people.meet(WORKSPACE, "U0JIHOON01", JIHOON)
    assert (await world.bot.effects.report(actor)).ledger.verified == saved


async def test_what_a_stop_kept_is_expected_at_once_and_lessened_by_what_the_bill_has_more(
    world: World, clock: FakeClock
) -> None:
    """Of 40 to 60 dollars; the settled bills of the day have some dollars more than usage told."""
    alert, at = await alerted(world, "search", NOW - timedelta(hours=30)), NOW - timedelta(hours=29)
    search = world.projects["search"]
    stop = Stop(
        id=None, workspace_id=WORKSPACE, incident_id=alert, scope_kind=ScopeKind.PROJECT, scope_id=search.id,
        channel_id="C1", lever=Lever.STOP, state=StopState.STOPPING, reason="a loop", requested_by="U1",
        requested_at=at, updated_at=at,
    )  # fmt: skip
    hold = Hold(
        id=None, workspace_id=WORKSPACE, stop_id=0, project_id=search.id, connection_id=search.connection_id,
        provider_project_id=search.provider_project_id, name="search", lever=Lever.STOP, state=HoldState.REQUESTED,
        is_wanted=True, requested_at=at, updated_at=at, next_at=None,
    )  # fmt: skip
    kept: dict[str, Fact] = {"saved_low": "40", "saved_high": "60", "currency": "USD"}
    async with world.storage.writing() as store:
        made, _ = await store.stops.open(WORKSPACE, stop, [hold], [])
        assert made.id is not None
        await store.audit.append(WORKSPACE, AuditEntry(at, None, "stop.requested", f"stop:{made.id}"))
    await world.bot.behaviour.learn(WORKSPACE)
    await world.bot.effects.measure(WORKSPACE)
    found = {one.action.kind: one for one in await world.recent()}
    shown = found[ActionKind.STOPPED]
    assert shown.saving is None  # its day is not over
    assert shown.action.preceded is not None
    assert shown.action.preceded.id == alert
    async with world.storage.writing() as store:
        await store.stops.add_event(WORKSPACE, made.id, StopEvent(StopEventKind.CLOSED, NOW, "closed", kept))
    await world.bot.effects.measure(WORKSPACE)
    [shown] = await world.recent(search.id)
    assert shown.saving is not None
    assert (shown.saving.state, shown.saving.expected) == (SavingState.EXPECTED, Money.of("40"))

    later = clock.advance(days=6)
    await lived(world.storage, world.tenant, charge_day(at), charge_day(later), later, is_settled=True)
    await world.bot.effects.measure(WORKSPACE)
    [shown] = await world.recent(search.id)
    # Four buckets at a dollar each is what usage told of the day.
    more = cost_of("search", charge_day(at)) - 4
    assert shown.saving is not None
    assert shown.saving.state is SavingState.VERIFIED
    assert shown.saving.verified == Money(Decimal(40) - more)
    actor = await world.bot.people.meet(WORKSPACE, "U0JIHOON01", JIHOON)
    report = await world.bot.effects.report(actor)
    assert report.prevented.prevented == Money.of("40")
    assert report.prevented.leaked == Money.of("5")
    assert (report.quality.alerts, report.quality.acted_on) == (1, 1)


async def test_an_alert_of_everything_is_acted_on_where_an_action_answers_it(world: World, clock: FakeClock) -> None:
    """It names no project, and three weeks later it is not "of the last seven days" all the same."""
    await alerted(world, None, NOW - timedelta(days=21))
    alert = await alerted(world, None, NOW - timedelta(days=20))
    await alerted(world, None, NOW - timedelta(days=2))
    actor = await world.bot.people.meet(WORKSPACE, "U0JIHOON01", JIHOON)
    quality = (await world.bot.effects.report(actor)).quality
    assert (quality.alerts, quality.too_early, quality.acted_on) == (3, 1, 0)
    search, gone = world.projects["search"], NOW - timedelta(days=19)
    world.log.told = [ProviderChange("a1", "api_key.deleted", gone, "user-1", frozenset({search.provider_project_id}))]
    await world.bot.behaviour.learn(WORKSPACE, timedelta(days=30))
    [done] = [one.action for one in await world.recent(search.id)]
    assert done.preceded is not None
    assert done.preceded.id == alert
    quality = (await world.bot.effects.report(actor)).quality
    assert (quality.alerts, quality.too_early, quality.acted_on) == (3, 1, 1)


async def test_a_stop_that_ended_without_a_note_is_not_waited_for(world: World, clock: FakeClock) -> None:
    """What nobody let stop, or no provider did, was spent; what one kept that ended untold is known to nobody."""
    at = NOW - timedelta(hours=29)
    actor = await world.bot.people.meet(WORKSPACE, "U0JIHOON01", JIHOON)
    alert = await alerted(world, "search", at - timedelta(hours=1))
    ends = (
        (StopState.STOPPED, at, None, (Money.zero(), 1)),
        (StopState.CLOSED, at, at, (Money.zero(), 0)),
        (StopState.CLOSED, None, at, (Money.of("5"), 0)),
        (StopState.FAILED, None, None, (Money.of("5"), 0)),
    )
    for state, stopped_at, closed_at, told in ends:
        stop = Stop(
            id=None, workspace_id=WORKSPACE, incident_id=alert, scope_kind=ScopeKind.PROJECT,
            scope_id=world.projects["search"].id, channel_id="C1", lever=Lever.STOP, state=state, reason="a loop",
            requested_by="U1", requested_at=at, updated_at=at, stopped_at=stopped_at, closed_at=closed_at,
        )  # fmt: skip
        async with world.storage.writing() as store:
            made, _ = await store.stops.open(WORKSPACE, stop, [], [])
        prevented = (await world.bot.effects.report(actor)).prevented
        assert (prevented.prevented, prevented.leaked, prevented.unfinished) == (Money.zero(), *told), state
        async with world.storage.writing() as store:
            over = replace(made, state=StopState.FAILED, closed_at=None)
            if made.state is StopState.STOPPED:
                await store.stops.save(WORKSPACE, StopChange(over), made, [])


async def test_who_is_told_at_the_end_of_a_month_has_a_week_to_act(world: World, clock: FakeClock) -> None:
    """Alerted on 29 November, answered on 2 December: the note of the first Monday in December knows both."""
    await alerted(world, "search", datetime(2026, 11, 29, 12, tzinfo=UTC))
    done, clock.moment = datetime(2026, 12, 2, tzinfo=UTC), datetime(2026, 12, 7, tzinfo=UTC)
    world.log.told = [ProviderChange("a1", "api_key.deleted", done, "user-1", frozenset({"proj_search"}))]
    await world.bot.behaviour.learn(WORKSPACE)
    report = await world.bot.effects.of_month(WORKSPACE, date(2026, 11, 1))
    [act] = [one for one in report.hypotheses if one.hypothesis is Hypothesis.PEOPLE_ACT]
    assert (act.share, act.other, report.quality.acted_on) == (Tally(1, 1), Tally(0, 1), 1)


async def test_what_another_provider_saved_counts_also_where_it_was_done_the_month_before(world: World) -> None:
    async with world.storage.writing() as store:
        other = await store.connections.create(
            WORKSPACE, provider="aws", organization_id="o-2", organization_name="AWS", at=MOMENT
        )
        [bedrock], _ = await store.projects.register(
            WORKSPACE, connection_id=other.id, team_id=world.tenant.team_id, projects=[("p1", "bedrock")],
            registered_by="U0", at=MOMENT,
        )  # fmt: skip
        done = Action(
            datetime(2026, 10, 20, tzinfo=UTC), date(2026, 10, 20), ActionKind.KEY_DELETED, ActionSource.PROVIDER,
            "p:1", project_id=bedrock.id,
        )  # fmt: skip
        later = replace(done, at=done.at + timedelta(days=20), day=date(2026, 11, 9), key="p:2")
        kept, waits = await store.actions.add(WORKSPACE, [done, later])
        assert kept.id is not None
        assert waits.id is not None
        days = Period(date(2026, 10, 21), date(2026, 11, 4))
        open_ = Saving(waits.id, SavingState.EXPECTED, Period(date(2026, 11, 10), date(2026, 11, 24)))
        await store.savings.expect(WORKSPACE, [Saving(kept.id, SavingState.EXPECTED, days), open_])
        line = Saving(kept.id, SavingState.VERIFIED, days, verified=Money.of("9"))
        await store.savings.change(WORKSPACE, line)
    report = await world.bot.effects.of_month(WORKSPACE, date(2026, 11, 1))
    [clouds] = [one for one in report.hypotheses if one.hypothesis is Hypothesis.MORE_CLOUDS]
    assert clouds.share == Tally(1, 1)


async def test_calls_without_an_outcome_are_no_outcomes_beside_the_cost(world: World) -> None:
    """Of two that were told of, one recorded that it called and the other what came of it."""
    at = NOW - timedelta(days=9)
    for name, outcome in (("search", None), ("notes", Outcome.SUCCESS)):
        await alerted(world, name, at)
        call = RecordedCall(event_id=name, request_id=name, at=at, task="answer", model="gpt-4o", outcome=outcome)
        async with world.storage.writing() as store:
            await store.value.record(WORKSPACE, world.projects[name].id, [call])
    report = await world.bot.effects.report(await person_of(world))
    [told] = [one for one in report.hypotheses if one.hypothesis is Hypothesis.COST_VALUE]
    assert (told.share, told.other) == (Tally(0, 1), Tally(0, 1))


async def test_a_dollar_over_two_limits_is_over_once(world: World) -> None:
    """Five over its project's limit and the same five over that of everything; another day is another five."""
    for days in (3, 2):
        await alerted(world, "search", NOW - timedelta(days=days, hours=1))
        await alerted(world, None, NOW - timedelta(days=days))
    await alerted(world, "notes", NOW - timedelta(days=4))
    prevented = (await world.bot.effects.report(await person_of(world))).prevented
    assert (prevented.prevented, prevented.leaked) == (Money.zero(), Money.of("15"))


async def test_what_a_digest_asked_for_is_expected_and_its_effect_measured(world: World, clock: FakeClock) -> None:
    """It named the chatbot for 50 dollars a week; three days later its model was changed."""
    told = datetime(2026, 11, 16, 0, 10, tzinfo=UTC)
    number = world.projects["chatbot"].id
    advice = Advice(AdviceKind.CHEAPER_MODEL, number, "chatbot", Money.of("50"))
    named = digesting.a_project(number, "chatbot", "140", "120", advice=advice)
    digest = digesting.a_digest(improve=(named,), best=(), others=(), advice=advice, computed_at=told)
    earlier = told - timedelta(days=7)
    before = digesting.a_digest(improve=(named,), best=(), others=(), advice=advice, computed_at=earlier)
    async with world.storage.writing() as store:
        await store.digests.keep(WORKSPACE, ScopeKind.WORKSPACE, None, date(2026, 11, 2), encoded(before), earlier)
        await store.digests.keep(WORKSPACE, ScopeKind.WORKSPACE, None, date(2026, 11, 9), encoded(digest), told)
    await world.bot.behaviour.learn(WORKSPACE)
    await world.bot.effects.measure(WORKSPACE)
    [shown] = await world.recent()
    assert shown.action.preceded is not None
    assert shown.action.preceded.kind is Preceded.DIGEST
    assert shown.saving is not None
    assert shown.saving.expected == Money.of("100")
    later = clock.advance(days=20)
    await lived(world.storage, world.tenant, CHANGED, charge_day(later), later, is_settled=True)
    actor = await world.bot.people.meet(WORKSPACE, "U0JIHOON01", JIHOON)
    report = await world.bot.effects.report(actor)
    assert report.ledger.expected == Money.of("100")
    newest, oldest = report.digests
    assert (newest.day, oldest.day) == (told.date(), earlier.date())
    # Three of the fourteen days came before the change: lower, and perhaps not for certain.
    assert newest.effect.state in {EffectState.LOWER, EffectState.INDISTINCT}
    assert newest.effect.change is not None
    assert newest.effect.change < Decimal("-0.1")
    [act] = [one for one in report.hypotheses if one.hypothesis is Hypothesis.PEOPLE_ACT]
    assert (act.share, act.other) == (Tally(1, 2), Tally(0, 2))


async def test_days_over_the_limit_of_which_nobody_was_told_are_named(world: World) -> None:
    """Every day of search is above its 15 dollars and one was told; notes has a limit it never sees."""
    await alerted(world, "search", NOW - timedelta(days=3))
    terms = BudgetTerms(BudgetScope.PROJECT, world.projects["notes"].id, BudgetPeriod.DAY, Money.of("1000"))
    async with world.storage.writing() as store:
        budget = await store.budgets.create(WORKSPACE, terms, by="U1", at=MOMENT)
    # Bills that were read two hours after their days are not written to their end.
    early = (await world.bot.effects.of_month(WORKSPACE, date(2026, 11, 1))).misses
    assert (early.judged, early.early, early.blind) == (0, 6, 38)
    await lived(world.storage, world.tenant, FIRST, charge_day(NOW), NOW, is_settled=True)
    november = (await world.bot.effects.of_month(WORKSPACE, date(2026, 11, 1))).misses
    told = charge_day(NOW - timedelta(days=3))
    days = [date(2026, 11, day) for day in range(22, 0, -1) if day != told.day]
    assert [(one.scope.name, one.window.start) for one in november.missed] == [("search", day) for day in days]
    assert (november.judged, november.blind, november.changed) == (44, 0, 0)
    # The days before the first that was read are blind, and those before a change cannot be judged.
    async with world.storage.writing() as store:
        await store.budgets.update(WORKSPACE, budget.id, is_enabled=True, by="U1", at=starts_at(date(2026, 10, 25)))
    october = (await world.bot.effects.of_month(WORKSPACE, date(2026, 10, 1))).misses
    assert (len(october.missed), october.judged, october.blind, october.changed) == (13, 13 + 6, 18, 25)


async def test_what_a_digest_changed_is_not_told_from_days_nobody_read(world: World, clock: FakeClock) -> None:
    """The key died on the day of the digest: three weeks later nobody says that everything costs next to nothing."""
    told = datetime(2026, 11, 23, 0, 10, tzinfo=UTC)
    number = world.projects["chatbot"].id
    digest = digesting.a_digest(
        improve=(digesting.a_project(number, "chatbot", "140", "120"),), best=(), others=(), computed_at=told
    )
    async with world.storage.writing() as store:
        await store.digests.keep(WORKSPACE, ScopeKind.WORKSPACE, None, date(2026, 11, 16), encoded(digest), told)
    for name in NAMES[1:]:
        await world.bot.projects.exclude(await person_of(world), world.projects[name].id)
    clock.advance(days=20)
    report = await world.bot.effects.report(await person_of(world))
    said = words.digests(report, translator_for("en", "Asia/Seoul"))
    assert said == ["• Nov 23 (chatbot): It cannot be measured: bills of the days after it could not be read."]


async def person_of(world: World) -> Person:
    return await world.bot.people.meet(WORKSPACE, "U0JIHOON01", JIHOON, asks_setup=True)


async def test_two_learners_learn_once_a_day_and_tell_a_month_once(world: World, clock: FakeClock) -> None:
    clock.moment = datetime(2026, 12, 7, 1, 0, tzinfo=UTC)  # the first Monday, ten in Seoul
    await world.bot.people.meet(WORKSPACE, "U0JIHOON01", JIHOON)
    first, second = Learner(world.bot), Learner(world.bot)
    assert await first.look()
    assert not await second.look()
    async with world.storage.reading() as store:
        assert await store.actions.newest(WORKSPACE, 9) == []  # before two hours of the day are over nothing is learned
        note = await store.outbox.get(WORKSPACE, "monthly:2026-11-01")
    assert note is not None
    said = await Rendering(world.bot).message(note, Reader("C1"))
    assert said.text.startswith("월간 보고")
    clock.advance(hours=2)
    workspace = (await world.bot.people.workspaces())[0]
    assert due_month(workspace, clock.moment) == date(2026, 11, 1)
    assert due_month(workspace, clock.moment + timedelta(days=7)) is None
    assert due_month(workspace, clock.moment - timedelta(days=7)) is None
    young = replace(workspace, created_at=datetime(2026, 11, 25, tzinfo=UTC))
    assert due_month(young, clock.moment) is None
    await first.look()
    assert not await second.look()


async def test_a_months_note_stands_where_the_digest_stands_and_speaks_as_it_does(world: World) -> None:
    """Not in a channel where the digest was switched off, nor in another language than the digest there."""
    clock_at = world.bot.clock()
    usual = usual_channel(WORKSPACE, ScopeKind.WORKSPACE, None, clock_at)
    off = replace(usual, channel_id="C0BOARD01", is_enabled=False)
    board = replace(usual, channel_id="C0BOARD02", locale="en-US")
    async with world.storage.writing() as store:
        await store.digest_channels.add(WORKSPACE, off)
    assert await world.bot.effects.tell_month(WORKSPACE, date(2026, 9, 1))
    async with world.storage.writing() as store:
        await store.digest_channels.add(WORKSPACE, board)
    assert await world.bot.effects.tell_month(WORKSPACE, date(2026, 10, 1))
    async with world.storage.reading() as store:
        notes = [await store.outbox.get(WORKSPACE, f"monthly:2026-{month}-01") for month in ("09", "10")]
    assert [one.channel_id for one in notes if one is not None] == [None, "C0BOARD02"]
    assert notes[1] is not None
    said = await Rendering(world.bot).message(notes[1], Reader("C0BOARD02"))
    assert said.text.startswith("Monthly note")
