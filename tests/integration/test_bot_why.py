"""Why, end to end: the production trace with five causes seeded, stored, priced by the real list, and told by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial, reduce
from pathlib import Path

import pytest

from blocks import why as words
from bot import Bot, Policy
from bot.axes import axes_of_scope
from bot.errors import Refusal
from bot.results import Profile
from demo.trace import Trace, Usage, read_trace
from finops.axes import Axis
from finops.charges import Charge, ChargedDay
from finops.figures import Scope
from finops.money import ATTO_PLACES, EXACT, total
from finops.periods import Period, starts_at
from finops.prices import priced
from finops.queries import ScopeKind
from finops.registry import Project
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from finops.why import Factor, Why, WhyKind
from locales import translator_for
from providers.price_list import ListPrices
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, Tenant, a_tenant, on_sqlite, statements
from tests.integration.beginnings import begun

# A Monday in Seoul, ten in the morning.
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TODAY = NOW.date()
JIHOON = Profile("U0JIHOON01", "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True)
WEEK = Period(TODAY - timedelta(days=7), TODAY)
TRACE = Path(__file__).parents[2] / "demo" / "data" / "trace.csv.gz"
LARGE = "gpt-4o-2024-08-06"
Seed = Callable[[Usage, bool, str], list[tuple[Usage, str, bool]]]


def as_it_was(used: Usage, is_after: bool, model: str) -> list[tuple[Usage, str, bool]]:
    del is_after
    return [(used, model, False)]


def retry_loop(used: Usage, is_after: bool, model: str) -> list[tuple[Usage, str, bool]]:
    return [(used.scaled(15, 1) if is_after else used, model, False)]


def longer_prompts(used: Usage, is_after: bool, model: str) -> list[tuple[Usage, str, bool]]:
    return [(used._replace(uncached=used.uncached * 3, cached=used.cached * 3) if is_after else used, model, False)]


def dearer_model(used: Usage, is_after: bool, model: str) -> list[tuple[Usage, str, bool]]:
    half = used.scaled(1, 2)
    return [(half, model, False), (half, LARGE, False)] if is_after else [(used, model, False)]


def lost_cache(used: Usage, is_after: bool, model: str) -> list[tuple[Usage, str, bool]]:
    cached = 0 if is_after else used.input * 4 // 5
    return [(used._replace(uncached=used.input - cached, cached=cached), model, False)]


def batch_turned_off(used: Usage, is_after: bool, model: str) -> list[tuple[Usage, str, bool]]:
    return [(used, model, not is_after)]


SEEDED: dict[str, tuple[Seed, WhyKind, Factor]] = {
    "chatbot-experiment": (retry_loop, WhyKind.RETRY_LOOP, Factor.REQUESTS),
    "doc-summary": (longer_prompts, WhyKind.LONGER_PROMPTS, Factor.INPUT_LENGTH),
    "translation-api": (dearer_model, WhyKind.DEARER_MODEL, Factor.MODEL_MIX),
    "code-review-bot": (lost_cache, WhyKind.LOST_CACHE, Factor.CACHE),
    "voc-classifier": (batch_turned_off, WhyKind.BATCH_OFF, Factor.TIER),
}


def rows_of(trace: Trace) -> list[UsageRow]:
    """The last two weeks of the trace as usage by the hour, seeded in the second."""
    first = int(starts_at(WEEK.start).timestamp()) // 60 - 7 * 1440
    start = trace.last_hour - 14 * 24 + 1
    rows = []
    for series in trace.series:
        seed = SEEDED.get(series.application, (as_it_was,))[0]
        for hour in range(14 * 24):
            used = series.hours.get(start + hour)
            for each, model, is_batch in seed(used, hour >= 7 * 24, series.model) if used is not None else ():
                counts = {"requests": each.requests, "input_tokens": each.input, "output_tokens": each.output}
                key = (first + hour * 60, "completions", f"proj_{series.application}", model, "key", "default")
                rows.append(UsageRow(*key, is_batch=is_batch, **counts, cached_input_tokens=each.cached))
    return [row for row in rows if row.requests]


def bills_of(rows: list[UsageRow], prices: ListPrices) -> Iterator[ChargedDay]:
    """What the provider charges for it: a line for input, cached input and output of each model."""
    lines: dict[date, dict[tuple[str, str], int]] = {}
    for row in rows:
        alone = row._replace(input_tokens=0, cached_input_tokens=0, output_tokens=0)
        kinds = {
            "input": alone._replace(input_tokens=row.input_tokens - row.cached_input_tokens),
            "cached input": alone._replace(
                input_tokens=row.cached_input_tokens, cached_input_tokens=row.cached_input_tokens
            ),
            "output": alone._replace(output_tokens=row.output_tokens),
        }
        day = lines.setdefault(date(1970, 1, 1) + timedelta(days=row.start // 1440), {})
        for kind, (_, atto, _) in zip(kinds, priced(kinds.values(), prices), strict=True):
            key = (row.sub_account_id, f"{row.model}, {kind}")
            day[key] = day.get(key, 0) + atto
    for charged, amounts in lines.items():
        yield ChargedDay(
            charged,
            tuple(Charge(charged, *key, Decimal(atto).scaleb(-ATTO_PLACES, EXACT)) for key, atto in amounts.items()),
        )


@dataclass
class World:
    """Two weeks of ten applications, billed and priced; today's first hour has a loop of its own."""

    bot: Bot
    storage: Storage
    tenant: Tenant
    projects: dict[str, Project]
    prices: ListPrices

    def scope(self, name: str) -> Scope:
        return Scope(ScopeKind.PROJECT, self.projects[name].id, name)


@pytest.fixture
async def world(storage: Storage, clock: FakeClock, prices: ListPrices) -> World:
    clock.moment = NOW
    tenant, registered = await begun(storage, "two weeks of ten applications", partial(two_weeks, storage, prices))
    bot = Bot(storage, {}, clock, Policy(), prices)
    return World(bot, storage, tenant, {one.name: one for one in registered}, prices)


async def two_weeks(storage: Storage, prices: ListPrices) -> tuple[Tenant, tuple[Project, ...]]:
    tenant = await a_tenant(storage)
    trace = read_trace(TRACE)
    rows = rows_of(trace)
    async with storage.writing() as store:
        registered, _ = await store.projects.register(
            WORKSPACE, connection_id=tenant.connection.id, team_id=tenant.team_id,
            projects=[(f"proj_{name}", name) for name in trace.applications], registered_by="U0JIHOON01", at=MOMENT,
        )  # fmt: skip
        for bill in bills_of(rows, prices):
            await store.charges.replace_day(WORKSPACE, tenant.connection.id, bill, NOW)
    await used(storage, tenant, prices, rows, Width.HOUR)
    midnight = int(starts_at(TODAY).timestamp()) // 60
    # Fifteen times the mean of the same hour of the seven days before, spread over its minutes.
    same_hours = {midnight - number * 1440 for number in range(1, 8)}
    usual = [row for row in rows if row.sub_account_id == "proj_meeting-notes" and row.start in same_hours]
    names = ("requests", "input_tokens", "cached_input_tokens", "output_tokens")
    mean = {name: sum(getattr(row, name) for row in usual) * 15 // (7 * 60) for name in names}
    loop = [usual[0]._replace(start=midnight + minute, **mean) for minute in range(60)]
    await used(storage, tenant, prices, loop, Width.MINUTE)
    async with storage.writing() as store:
        await store.healths.mark_read(WORKSPACE, tenant.connection.id, NOW)
    return tenant, tuple(registered)


@pytest.fixture(scope="module")
def prices() -> ListPrices:
    return ListPrices()


async def used(storage: Storage, tenant: Tenant, prices: ListPrices, rows: list[UsageRow], width: Width) -> None:
    by_start: dict[int, list[UsageRow]] = {}
    for row in rows:
        by_start.setdefault(row.start, []).append(row)
    buckets = tuple(UsageBucket(start, tuple(each)) for start, each in sorted(by_start.items()))
    reading = UsageReading(Endpoint.COMPLETIONS, width, min(by_start), max(by_start) + width, buckets)
    told = priced([row for bucket in buckets for row in bucket.rows], prices)
    async with storage.writing() as store:
        await store.usage.replace(WORKSPACE, tenant.connection.id, reading, told, NOW, reading.end)


def added(why: Why) -> Decimal:
    return reduce(EXACT.add, (part.amount.amount for part in why.parts))


@on_sqlite
async def test_each_of_five_seeded_causes_is_named(world: World) -> None:
    """A retry loop, longer prompts, a dearer model, a lost cache, batch turned off; each on top of a real week's noise.

    Asked for all at once in a handful of queries; the parts add up to the difference of the bills to the last digit.
    """
    ids = {project.id: name for name, project in world.projects.items()}
    async with world.storage.reading() as store:
        with statements() as seen:
            whys = await world.bot.why.of_projects(store, WORKSPACE, ids, WEEK, WEEK.before())
        billed = await store.charges.project_totals(WORKSPACE, WEEK)
    assert len(seen) <= 20
    found = {ids[id_]: why for id_, why in whys.items()}
    for name, (_, kind, factor) in SEEDED.items():
        why = found[name]
        assert (why.kind, why.parts[0].factor) == (kind, factor), name
        assert added(why) == why.difference.amount
        assert part(why, Factor.UNEXPLAINED) == 0
        assert why.covered == 1
    # Nothing was seeded there.
    assert {found[name].kind for name in ("meeting-notes", "fraud-check", "ad-copy-writer")} <= {
        WhyKind.MORE_TRAFFIC, WhyKind.LESS_TRAFFIC, WhyKind.UNCHANGED, WhyKind.LONGER_PROMPTS, WhyKind.SHORTER_PROMPTS,
        WhyKind.LONGER_ANSWERS, WhyKind.SHORTER_ANSWERS,
    }  # fmt: skip
    assert total(why.now for why in found.values()) == total(each.amount for each in billed)
    t = translator_for("ko-KR")
    said = {name: words.sentence(found[name], t) for name in SEEDED}
    assert said["chatbot-experiment"].endswith("호출당 토큰 동일 → 재시도 루프 의심")
    assert said["doc-summary"].startswith("호출당 입력 토큰 3배")
    assert said["translation-api"].startswith(f"{LARGE} 호출 비중 0%→50%")
    assert said["code-review-bot"].startswith("캐시된 입력")
    assert said["voc-classifier"].startswith("배치 비중 100%→0%")


def part(why: Why, factor: Factor) -> Decimal:
    return next(each.amount.amount for each in why.parts if each.factor is factor)


@on_sqlite
async def test_the_whole_is_its_projects_each_taken_apart(world: World) -> None:
    """`/finops why` of everything: it adds up, and names who moved most; asked in words, by a button, of a team."""
    person = await world.bot.people.meet(WORKSPACE, "한빛소프트", JIHOON, asks_setup=True)
    with statements() as seen:
        report = await world.bot.why.asked(WORKSPACE, person, "지난주")
    assert len(seen) <= 45
    assert (report.scope.kind, report.query.period, report.is_usual) == (ScopeKind.WORKSPACE, WEEK, False)
    assert added(report.why) == report.why.difference.amount == (report.why.now - report.why.before).amount
    assert report.why.now == report.figure.amount
    assert len(report.movers) == 5
    moved = [abs(mover.why.difference.amount) for mover in report.movers]
    assert moved == sorted(moved, reverse=True)
    again = await world.bot.why.asked_again(WORKSPACE, ScopeKind.WORKSPACE, None, "last_week")
    assert again.why == report.why
    async with world.storage.reading() as store:
        team = await world.bot.why.of_scope(store, WORKSPACE, Scope(ScopeKind.TEAM, world.tenant.team_id, ""), WEEK)
    assert team.parts == report.why.parts
    one = await world.bot.why.asked(WORKSPACE, person, "chatbot-experiment 지난주")
    assert (one.why.kind, one.movers) == (WhyKind.RETRY_LOOP, ())
    with pytest.raises(Refusal):
        await world.bot.why.asked(WORKSPACE, person, "nobody-knows-this")


@on_sqlite
async def test_today_is_set_beside_the_usual(world: World) -> None:
    """The first hour of the day against the first hours of the seven days before: fifteen times the calls."""
    person = await world.bot.people.meet(WORKSPACE, "한빛소프트", JIHOON, asks_setup=True)
    report = await world.bot.why.asked(WORKSPACE, person, "meeting-notes today")
    assert report.is_usual
    assert (report.why.kind, report.why.now) == (WhyKind.RETRY_LOOP, report.figure.amount)
    everything = await world.bot.why.asked(WORKSPACE, person, "today")
    assert added(everything.why) == everything.why.difference.amount


@on_sqlite
async def test_what_was_paid_for_is_read_out_of_the_bill(world: World) -> None:
    """Input and output by axis; the whole is the bill's, of everything, a team and a project alike."""
    async with world.storage.reading() as store:
        everything = await axes_of_scope(store, WORKSPACE, Scope(ScopeKind.WORKSPACE, None, ""), WEEK)
        team = await axes_of_scope(store, WORKSPACE, Scope(ScopeKind.TEAM, world.tenant.team_id, ""), WEEK)
        one = await axes_of_scope(store, WORKSPACE, world.scope("doc-summary"), WEEK)
        none = await axes_of_scope(store, WORKSPACE, world.scope("doc-summary"), Period(TODAY, TODAY))
        billed = await store.charges.project_totals(WORKSPACE, WEEK)
    assert everything is not None
    assert everything == team
    assert one is not None
    assert none is None
    assert everything.total == total(each.amount for each in billed)
    assert {share.axis for share in one.shares if share.amount} == {Axis.INPUT, Axis.OUTPUT}
    report = await world.bot.reports.status_of(WORKSPACE, ScopeKind.WORKSPACE, None, "last_week")
    assert report.axes == everything
