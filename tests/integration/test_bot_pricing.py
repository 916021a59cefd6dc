"""Unit prices of what was used, by the real price list and an operator's own file; and of one model, since when."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot import Bot, Policy
from finops.price_report import Kind, PriceReport
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from providers.price_list import ListPrices
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, Tenant, a_tenant

DOLLAR = 10**18
PRICES = """
- model: ft:gpt-4o-mini:acme
  input_per_mtok: 3
  output_per_mtok: 12
- model: ft:gpt-4o-mini:acme
  from: {since}
  input_per_mtok: 2
  output_per_mtok: 8
"""


@pytest.fixture
async def tenant(quick_storage: Storage) -> Tenant:
    return await a_tenant(quick_storage)


@pytest.fixture
def bot(quick_storage: Storage, tenant: Tenant, clock: FakeClock, tmp_path: Path) -> Bot:
    """The operator's price went down ten days ago."""
    file = tmp_path / "prices.yaml"
    file.write_text(PRICES.format(since=clock().date() - timedelta(days=10)))
    return Bot(quick_storage, {}, clock, Policy(), ListPrices(file))


async def used(bot: Bot, tenant: Tenant, days_ago: int, *spent: tuple[Kind, int]) -> None:
    """So many dollars were spent on each kind of usage, an hour long."""
    start = int((bot.clock() - timedelta(days=days_ago)).timestamp()) // 60 // 60 * 60
    for endpoint in {kind.endpoint for kind, _ in spent}:
        told = [
            (
                UsageRow(start, endpoint, "proj_1", kind.model, "key", kind.service_tier, kind.is_batch, 1),
                atto,
                atto > 0,
            )
            for kind, atto in spent
            if kind.endpoint == endpoint
        ]
        buckets = (UsageBucket(start, tuple(row for row, _, _ in told)),)
        reading = UsageReading(Endpoint(endpoint), Width.HOUR, start, start + 60, buckets)
        async with bot.storage.writing() as store:
            await store.usage.replace(WORKSPACE, tenant.connection.id, reading, told, bot.clock(), start + 60)


def names(report: PriceReport) -> list[str]:
    return [one.kind.model or one.kind.endpoint for one in report.prices]


def per_million(atto: int) -> Decimal:
    return Decimal(atto) * 1_000_000 / DOLLAR


async def test_what_was_used_is_told_dearest_first_and_what_has_no_price_too(bot: Bot, tenant: Tenant) -> None:
    mini, own = Kind("completions", "gpt-4o-mini"), Kind("completions", "ft:gpt-4o-mini:acme")
    await used(bot, tenant, 2, (mini, DOLLAR), (own, 5 * DOLLAR), (Kind("completions", "nobody-knows-it"), 0))
    await used(bot, tenant, 3, (mini, DOLLAR), (Kind("web_search_calls", ""), 3 * DOLLAR))
    await used(bot, tenant, 40, (Kind("completions", "gpt-4"), 90 * DOLLAR))
    report = await bot.pricing.asked(WORKSPACE, "")
    assert names(report) == ["ft:gpt-4o-mini:acme", "web_search_calls", "gpt-4o-mini", "nobody-knows-it"]
    cards = [one.card for one in report.prices]
    assert [card and per_million(card.output_tokens) for card in cards] == [8, 0, Decimal("0.6"), None]
    assert {len(one.prices) for one in report.prices} == {1}


async def test_a_model_is_told_with_what_it_cost_before(bot: Bot, tenant: Tenant) -> None:
    """By a part of its name where it was used, in each way it was; else by its whole name in the list."""
    own = Kind("completions", "ft:gpt-4o-mini:acme")
    await used(bot, tenant, 2, (own, DOLLAR), (own._replace(is_batch=True), 2 * DOLLAR))
    batch, usual = (await bot.pricing.asked(WORKSPACE, "ACME")).prices
    assert (batch.kind, usual.kind) == (own._replace(is_batch=True), own)
    since = bot.clock().date() - timedelta(days=10)
    for one, share in ((usual, 1), (batch, 2)):
        told = [(each.since, each.card and per_million(each.card.input_tokens) * share) for each in one.prices]
        assert told == [(since, 2), (None, 3)]
    assert names(await bot.pricing.asked(WORKSPACE, "GPT-4o-mini")) == ["gpt-4o-mini"]
    assert names(await bot.pricing.asked(WORKSPACE, "text-embedding-3-small")) == ["text-embedding-3-small"]


async def test_a_slip_is_answered_with_the_model_that_was_probably_meant(bot: Bot, tenant: Tenant) -> None:
    await used(bot, tenant, 2, (Kind("completions", "gpt-4o-mini"), DOLLAR))
    report = await bot.pricing.asked(WORKSPACE, "gpt-4o-mnii")
    assert (report.prices, report.asked, report.suggestion) == ((), "gpt-4o-mnii", "gpt-4o-mini")
    assert (await bot.pricing.asked(WORKSPACE, "x" * 5000)).suggestion is None
    assert (await bot.pricing.asked("T0OTHER001", "")).prices == ()
