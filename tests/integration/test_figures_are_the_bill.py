"""Every surface tells what the provider told last, to the last digit: reports, Home, the file, why, the digest."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest

from finops.figures import Figure, StatusReport
from finops.queries import ScopeKind
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.eventful_world import AT_HOME, PERIODS, Owned, World, an_eventful_month

SEEDS, STEPS = (7,), 4


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_surface_tells_what_the_provider_told_last(
    quick_storage: Storage, clock: FakeClock, seed: int
) -> None:
    async with an_eventful_month(quick_storage, clock, seed) as world:
        for _ in range(STEPS):
            await world.goes_on()
            await assert_everywhere(world)


async def assert_everywhere(world: World) -> None:
    bot, home = world.bot, await world.bot.reports.home(WORKSPACE, world.admin)
    scopes: dict[str, Owned] = {"": lambda _: True}
    for team in world.teams:
        scopes[team.name] = lambda owner, id_=team.id: owner is not None and owner.team_id == id_  # type: ignore[misc]
    for words, is_meant in scopes.items():
        for period in world.chance.sample(PERIODS, 2):
            asked = f"{words} {period}".strip()
            report = await bot.reports.status(WORKSPACE, world.admin, asked)
            told = await world.told(report.query.period, is_meant)
            assert (asked, parts_of(report)) == (asked, told)
            file, figure = await bot.exporting.bill(world.admin, asked)
            assert (asked, figure) == (asked, report.figure)
            assert (asked, in_file(file.content)) == (asked, sum(told.values()))
            if not words and period in AT_HOME:
                assert (asked, getattr(home, AT_HOME[period])) == (asked, report.figure)
            await assert_explained(world, asked, report)
        await assert_digest(world, words, is_meant)


def parts_of(report: StatusReport) -> dict[int | None, Decimal]:
    """The parts of a report, after whatever else it tells was found to be their sum."""
    shares = report.breakdown.shares
    assert report.breakdown.others is None
    whole = sum((one.amount.amount for one in shares), Decimal(0))
    assert whole == report.breakdown.total.amount == amount_of(report.figure)
    assert whole == sum(one.amount.amount for one in report.trend if one.amount is not None)
    if report.axes is not None:
        assert whole == report.axes.total.amount == sum(one.amount.amount for one in report.axes.shares)
    return {one.project_id: one.amount.amount for one in shares}


def in_file(content: bytes | None) -> Decimal:
    rows = csv.DictReader(io.StringIO((content or b"").decode("utf-8-sig")))
    return sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0))


async def assert_explained(world: World, asked: str, report: StatusReport) -> None:
    why = (await world.bot.why.asked(WORKSPACE, world.admin, asked)).why
    if report.figure.unread_days or report.previous.unread_days:
        return  # of what was never read nothing is explained
    assert (asked, why.now.amount) == (asked, amount_of(report.figure))
    assert (asked, why.before.amount) == (asked, amount_of(report.previous))
    assert why.difference.amount == sum(one.amount.amount for one in why.parts)


async def assert_digest(world: World, words: str, is_meant: Owned) -> None:
    """Last week, as the report of the same week has it."""
    monday = world.clock().date() - timedelta(days=world.clock().weekday() + 7)
    team = next((one for one in world.teams if one.name == words), None)
    kind, id_ = (ScopeKind.TEAM, team.id) if team else (ScopeKind.WORKSPACE, None)
    digest = (await world.bot.digests.report_of(WORKSPACE, kind, id_, monday)).digest
    report = await world.bot.reports.status(WORKSPACE, world.admin, f"{words} last week".strip())
    assert (digest.total, digest.previous, digest.increase) == (report.figure, report.previous, report.increase)
    told = await world.told(digest.week, is_meant)
    said = {one.project_id: one.cost.amount for one in digest.projects if one.cost}
    assert said == {project: amount for project, amount in told.items() if project is not None}
    assert digest.unallocated is None or digest.unallocated.amount == told.get(None, 0)


def amount_of(figure: Figure) -> Decimal:
    return Decimal(0) if figure.amount is None else figure.amount.amount
