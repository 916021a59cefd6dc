"""Budgets, drifts and what has no price: kept exactly, for their own workspace, and told once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from finops.budgets import BudgetAction, BudgetPeriod, BudgetScope, BudgetTerms
from finops.estimates import DriftSample
from finops.money import Money
from storage import Storage
from storage.errors import NotFound
from tests.databases import OTHER_WORKSPACE, WORKSPACE, Tenant, a_tenant

NOW = datetime(2026, 7, 6, 5, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DAY = date(2026, 7, 6)
EVERY_PROJECT = BudgetTerms(BudgetScope.EVERY_PROJECT, None, BudgetPeriod.DAY, Money.of("75"))


async def test_a_budget_is_kept_as_it_was_decided(storage: Storage, tenant: Tenant) -> None:
    """Every term of it, exactly; changed in part, the rest stays."""
    terms = BudgetTerms(
        BudgetScope.TEAM,
        tenant.team_id,
        BudgetPeriod.MONTH,
        Money.of("123456.000000000000000001", "KRW"),
        (80, 100),
        BudgetAction.ASK,
        Money.of("10", "KRW"),
        "C1",
        needs_two=True,
    )
    async with storage.writing() as store:
        made = await store.budgets.create(WORKSPACE, terms, by="U1", at=NOW)
        assert (made.terms, made.channel_id, made.is_enabled, made.created_by) == (terms, "C1", True, "U1")
        assert await store.budgets.get(WORKSPACE, made.id) == made
        off = await store.budgets.update(WORKSPACE, made.id, is_enabled=False, by="U2", at=LATER)
        assert (off.terms, off.channel_id, off.is_enabled) == (terms, "C1", False)
        assert (off.created_at, off.updated_by, off.updated_at) == (NOW, "U2", LATER)
        moved = await store.budgets.update(WORKSPACE, made.id, terms=EVERY_PROJECT, by="U2", at=LATER)
        assert (off.needs_two, moved.needs_two) == (True, False)
        assert (moved.terms, moved.channel_id) == (
            BudgetTerms(BudgetScope.EVERY_PROJECT, None, BudgetPeriod.DAY, Money.of("75"), floor=Money.zero()),
            None,
        )
        second = await store.budgets.create(WORKSPACE, EVERY_PROJECT, by="U1", at=NOW)
        assert await store.budgets.all(WORKSPACE) == [moved, second]


async def test_a_budget_limits_only_what_its_workspace_has(storage: Storage, tenant: Tenant) -> None:
    """Another workspace's team is as unknown as one that never was."""
    stranger = await a_tenant(storage, OTHER_WORKSPACE)
    terms = BudgetTerms(BudgetScope.TEAM, stranger.team_id, BudgetPeriod.DAY, Money.of("500"))
    mine = BudgetTerms(BudgetScope.TEAM, tenant.team_id, BudgetPeriod.DAY, Money.of("500"))
    async with storage.writing() as store:
        made = await store.budgets.create(WORKSPACE, mine, by="U1", at=NOW)
        with pytest.raises(NotFound):
            await store.budgets.create(WORKSPACE, terms, by="U1", at=NOW)
        with pytest.raises(NotFound):
            await store.budgets.update(WORKSPACE, made.id, terms=terms, by="U1", at=NOW)
        with pytest.raises(NotFound):
            await store.budgets.update(OTHER_WORKSPACE, made.id, is_enabled=False, by="U1", at=NOW)
        project = BudgetTerms(BudgetScope.PROJECT, 12345, BudgetPeriod.DAY, Money.of("500"))
        with pytest.raises(NotFound):
            await store.budgets.create(WORKSPACE, project, by="U1", at=NOW)
        other = await store.budgets.create(OTHER_WORKSPACE, EVERY_PROJECT, by="U1", at=NOW)
        assert await store.budgets.all(WORKSPACE) == [made]
        assert await store.budgets.all(OTHER_WORKSPACE) == [other]


async def test_a_day_is_compared_anew_as_a_whole(storage: Storage, tenant: Tenant) -> None:
    """A second comparison of a day replaces the first, exactly; other days and currencies stay."""
    mine = WORKSPACE, tenant.connection.id
    first = [DriftSample(DAY, f"proj_{n}", "gpt-4o", Decimal("1.000000000000000001"), Decimal(2)) for n in range(300)]
    second = [DriftSample(DAY, "", "", Decimal(0), Decimal("-0.5"))]
    older = [DriftSample(DAY - timedelta(days=1), "proj_1", "gpt-4o", Decimal(3), Decimal(4))]
    async with storage.writing() as store:
        await store.drifts.replace_day(*mine, DAY, first, NOW)
        await store.drifts.replace_day(*mine, DAY - timedelta(days=1), older, NOW)
        found = await store.drifts.since(WORKSPACE, DAY - timedelta(days=1))
        assert sorted(found[tenant.connection.id], key=lambda each: (each.day, each.sub_account_id)) == sorted(
            older + first, key=lambda each: (each.day, each.sub_account_id)
        )
        await store.drifts.replace_day(*mine, DAY, second, LATER)
        assert await store.drifts.since(WORKSPACE, DAY) == {tenant.connection.id: second}
        assert await store.drifts.compared_days(*mine, DAY - timedelta(days=5)) == {DAY, DAY - timedelta(days=1)}
        with pytest.raises(ValueError, match="cannot hold"):
            await store.drifts.replace_day(*mine, DAY, older, LATER)
        with pytest.raises(NotFound):
            await store.drifts.replace_day(WORKSPACE, tenant.connection.id + 1, DAY, second, LATER)


async def test_what_has_no_price_is_news_once_a_day(storage: Storage, tenant: Tenant) -> None:
    """A model nobody knows is told when first seen that day, and again the next day."""
    mine = WORKSPACE, tenant.connection.id
    async with storage.writing() as store:
        assert await store.unpriced.note(*mine, DAY, [("completions", "new"), ("", "odd line")], NOW) == [
            ("", "odd line"),
            ("completions", "new"),
        ]
        assert await store.unpriced.note(*mine, DAY, [("completions", "new"), ("images", "new")], LATER) == [
            ("images", "new")
        ]
        assert await store.unpriced.note(*mine, DAY + timedelta(days=1), [("completions", "new")], LATER) != []
        told = [(each.day, each.endpoint, each.first_seen_at) for each in await store.unpriced.since(WORKSPACE, DAY)]
    assert told == [
        (DAY, "", NOW),
        (DAY, "completions", NOW),
        (DAY, "images", LATER),
        (DAY + timedelta(days=1), "completions", LATER),
    ]
