"""Incidents in the database: one per budget, scope and period, changed by one at a time, with all that happened."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from finops.budgets import Budget, BudgetOn, BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import FigureState
from finops.crossings import Context, evaluate
from finops.estimates import Spent
from finops.figures import Scope
from finops.incidents import Change, Incident, IncidentState, acknowledge, feedback, silence
from finops.money import Money
from finops.queries import ScopeKind
from storage import Storage
from storage.errors import Conflict
from storage.secrets import KeyRing
from tests.databases import WORKSPACE, Tenant, a_copy

NOW = datetime(2026, 7, 6, 5, 0, tzinfo=UTC)
DAY = date(2026, 7, 6)
LATER = NOW + timedelta(minutes=5)


async def a_budget(storage: Storage, tenant: Tenant) -> BudgetOn:
    terms = BudgetTerms(BudgetScope.TEAM, tenant.team_id, BudgetPeriod.DAY, Money.of("500"))
    async with storage.writing() as store:
        budget = await store.budgets.create(tenant.workspace_id, terms, by="U1", at=NOW)
        team = await store.teams.get(tenant.workspace_id, tenant.team_id)
    return BudgetOn(budget, Scope(ScopeKind.TEAM, tenant.team_id, "마케팅팀"), team)


def seen(incident: Incident | None, on: BudgetOn, dollars: str, now: datetime = NOW) -> Change:
    """What looking at that amount decides."""
    spent = Spent(Money.of(dollars), FigureState.ESTIMATE, now, Money.of(dollars), False, Decimal("0.1"))  # noqa: FBT003
    # A burn with more digits than are kept, as a division gives.
    burn = Money(Decimal(1) / Decimal(3))
    change = evaluate(incident, on, spent, Context(Money.of("50"), burn, NOW, now, None, None), now)
    assert change is not None
    return change


async def test_an_incident_comes_back_as_it_was_decided(storage: Storage, tenant: Tenant) -> None:
    """Every amount, time, level and event, to the last digit that is kept."""
    on = await a_budget(storage, tenant)
    change = seen(None, on, "742.000000000000000001")
    async with storage.writing() as store:
        saved = await store.incidents.save(WORKSPACE, change, None)
        assert saved == replace(change.incident, id=saved.id)
    async with storage.reading() as store:
        found = await store.incidents.get(WORKSPACE, saved.id or 0)
        assert found == replace(saved, burn_per_minute=Money.of("0.333333333333333333"))
        assert await store.incidents.open_ones(WORKSPACE) == [found]
        assert await store.incidents.of_windows(WORKSPACE, [DAY]) == [found]
        assert await store.incidents.of_windows(WORKSPACE, [DAY + timedelta(days=1)]) == []
        assert await store.incidents.open_on(WORKSPACE, [(ScopeKind.TEAM, tenant.team_id)]) == [found]
        assert await store.incidents.open_on(WORKSPACE, [(ScopeKind.WORKSPACE, None)]) == []
        events = await store.incidents.events(WORKSPACE, saved.id or 0)
    assert [(event.key, event.is_loud) for event in events] == [(event.key, event.is_loud) for event in change.events]
    assert [dict(event.values) for event in events] == [dict(event.values) for event in change.events]


async def test_a_change_decided_on_what_has_changed_since_is_refused(storage: Storage, tenant: Tenant) -> None:
    """Two people and a poll at one moment: the second decides again on what the first made of it."""
    on = await a_budget(storage, tenant)
    async with storage.writing() as store:
        read = await store.incidents.save(WORKSPACE, seen(None, on, "400"), None)
    async with storage.reading() as store:
        read = await store.incidents.get(WORKSPACE, read.id or 0) or read
    async with storage.writing() as store:
        await store.incidents.save(WORKSPACE, acknowledge(read, "U1", NOW), read)

    async def decide_late() -> None:
        async with storage.writing() as store:
            await store.incidents.save(WORKSPACE, silence(read, "U2", LATER, NOW), read)

    with pytest.raises(Conflict):
        await decide_late()
    async with storage.reading() as store:
        [now] = await store.incidents.open_ones(WORKSPACE)
        events = await store.incidents.events(WORKSPACE, read.id or 0)
    assert now.state is IncidentState.ACKNOWLEDGED
    assert [event.kind for event in events][-1] == "acknowledged"


async def test_of_many_who_open_one_incident_one_does(
    database_url: str, storage: Storage, tenant: Tenant, ring: KeyRing
) -> None:
    """Two copies evaluate the same poll: one incident, one crossing, and the other begins anew."""
    on = await a_budget(storage, tenant)

    async def see(opened: Storage) -> bool:
        try:
            async with opened.writing() as store:
                await store.incidents.save(WORKSPACE, seen(None, on, "600"), None)
        except Conflict:
            return False
        return True

    async with a_copy(database_url, ring) as second:
        opened = await asyncio.gather(*(see(each) for each in (storage, second) for _ in range(4)))
    async with storage.reading() as store:
        [incident] = await store.incidents.open_ones(WORKSPACE)
        events = await store.incidents.events(WORKSPACE, incident.id or 0)
    assert opened.count(True) == 1
    assert [event.kind for event in events] == ["crossed"]


async def test_another_period_is_another_incident_and_another_currency_is_none(
    storage: Storage, tenant: Tenant
) -> None:
    """Each day its own; a limit changed to won leaves the dollars spent what they are."""
    on = await a_budget(storage, tenant)
    tomorrow = NOW + timedelta(days=1)
    async with storage.writing() as store:
        first = await store.incidents.save(WORKSPACE, seen(None, on, "600"), None)
        second = await store.incidents.save(WORKSPACE, seen(None, on, "600", tomorrow), None)
        assert first.id != second.id
        won = replace(second, limit=Money.of("700000", "KRW"), burn_per_minute=None)
        before = await store.incidents.get(WORKSPACE, second.id or 0)
        change = Change(won, (), seen(None, on, "600").root)
        await store.incidents.save(WORKSPACE, change, before)
        assert await store.incidents.get(WORKSPACE, second.id or 0) == won


async def test_an_opinion_is_kept_once_and_the_latest_are_told_first(storage: Storage, tenant: Tenant) -> None:
    """A second click of the same person is no second voice; who changed their mind is heard last."""
    on = await a_budget(storage, tenant)
    async with storage.writing() as store:
        incident = await store.incidents.save(WORKSPACE, seen(None, on, "600"), None)
        mine = WORKSPACE, incident.id or 0
        assert await store.incidents.add_event(*mine, feedback("U1", NOW, is_helpful=True))
        assert not await store.incidents.add_event(*mine, feedback("U1", NOW, is_helpful=True))
        assert await store.incidents.add_event(*mine, feedback("U2", NOW, is_helpful=True))
        assert await store.incidents.add_event(*mine, feedback("U1", LATER, is_helpful=False))
        latest = await store.incidents.opinions(WORKSPACE, on.budget.id, 2)
        assert latest == [("not_helpful", incident.id), ("helpful", incident.id)]


async def test_a_deleted_budget_is_gone_and_its_incident_is_not(storage: Storage, tenant: Tenant) -> None:
    """What it opened can still be closed and told of: the budget is found by whoever asks for deleted ones."""
    on = await a_budget(storage, tenant)
    async with storage.writing() as store:
        await store.incidents.save(WORKSPACE, seen(None, on, "600"), None)
        assert await store.budgets.delete(WORKSPACE, on.budget.id, by="U2", at=LATER)
        assert not await store.budgets.delete(WORKSPACE, on.budget.id, by="U2", at=LATER)
        assert await store.budgets.all(WORKSPACE) == []
        assert await store.budgets.get(WORKSPACE, on.budget.id) is None
        kept = await store.budgets.get(WORKSPACE, on.budget.id, even_deleted=True)
        [incident] = await store.incidents.open_ones(WORKSPACE)
    assert isinstance(kept, Budget)
    assert (kept.is_enabled, kept.updated_by, incident.budget_id) == (False, "U2", kept.id)


async def test_the_clocks_of_an_alert_are_kept_with_its_message(storage: Storage, tenant: Tenant) -> None:
    """When the provider could tell, when we knew, when Slack had it; what is no alert has none."""
    async with storage.writing() as store:
        for key, detected in (("incident:1", NOW), ("blind:1", None)):
            await store.outbox.want(
                WORKSPACE, key, "incident", {}, "C1", (), at=NOW, detected_at=detected, available_at=NOW, urgency=1
            )
        for message in await store.outbox.lease("w", NOW, timedelta(minutes=1), 9):
            await store.outbox.sent(WORKSPACE, message.key, "w", 1, "C1", "1.0", LATER)
        for message in await store.outbox.lease("w", LATER, timedelta(minutes=1), 9):
            await store.outbox.sent(WORKSPACE, message.key, "w", 1, "C1", "2.0", LATER)
        assert await store.incidents.clocks(WORKSPACE, NOW) == [(NOW, NOW, LATER)]
        assert await store.incidents.clocks(WORKSPACE, LATER + timedelta(seconds=1)) == []
