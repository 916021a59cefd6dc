"""A runaway that was stopped is named in Monday's digest, and is no part of what its advice promises."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import FigureState
from finops.digest import DigestProject, Runaway
from finops.holds import Hold, HoldState
from finops.incidents import Change, EventKind, Incident, IncidentEvent, IncidentState, RootAction
from finops.levers import Lever
from finops.money import Money
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.stops import Stop, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE
from tests.integration.digest_world import WEEK, World, a_week

SUNDAY = WEEK.end - timedelta(days=1)
SPENT: dict[str | None, str] = {"proj_chatbot": "740", "proj_doc-summary": "30", "proj_search": "20"}
CHATBOT_BEFORE = 210  # what chatbot lost against its own baseline in that week, without any runaway


async def chatbot(world: World) -> DigestProject:
    shown = await world.bot.digests.report(world.admin, "마케팅팀 지난주")
    return next(one for one in (shown.now or shown.digest).projects if one.name == "chatbot")


async def an_alert(world: World, day: date, kind: ScopeKind = ScopeKind.PROJECT) -> None:
    """A daily budget was reached on that day: chatbot's own, or a wider one."""
    at = starts_at(day) + timedelta(hours=10)
    number = {ScopeKind.PROJECT: world.projects["chatbot"], ScopeKind.TEAM: world.tenant.team_id}.get(kind)
    async with world.storage.writing() as store:
        terms = BudgetTerms(BudgetScope(kind.value), number, BudgetPeriod.DAY, Money.of("100"))
        budget = await store.budgets.create(WORKSPACE, terms, by="U1", at=at)
        incident = Incident(
            id=None, workspace_id=WORKSPACE, budget_id=budget.id, scope_kind=kind, scope_id=number,
            period=BudgetPeriod.DAY, window=Period(day, day + timedelta(days=1)), state=IncidentState.OPEN,
            level=100, spoken_level=100, limit=Money.of("100"), spent=Money.of("740"),
            spent_state=FigureState.ESTIMATE, usual=Money.of("50"), burn_per_minute=None, since=at, opened_at=at,
            updated_at=at, as_of=at, detected_at=at, available_at=None, channel_id="C1",
        )  # fmt: skip
        crossed = IncidentEvent(EventKind.CROSSED, at, "crossed:100", {"level": 100, "levels": [100]}, is_loud=True)
        await store.incidents.save(WORKSPACE, Change(incident, (crossed,), RootAction.POST), None)


async def a_stop(world: World, *, restored: bool, day: date = SUNDAY) -> None:
    """Somebody stopped chatbot on a day at ten, and let go of it an hour later, or not yet."""
    at, number = starts_at(day) + timedelta(hours=10), world.projects["chatbot"]
    state = StopState.RESTORED if restored else StopState.STOPPED
    stop = Stop(
        id=None, workspace_id=WORKSPACE, incident_id=None, scope_kind=ScopeKind.PROJECT, scope_id=number,
        channel_id="C1", lever=Lever.STOP, state=state, reason="a loop", requested_by="U1", requested_at=at,
        updated_at=at, restored_at=at + timedelta(hours=1) if restored else None,
    )  # fmt: skip
    hold = Hold(
        id=None, workspace_id=WORKSPACE, stop_id=0, project_id=number, connection_id=world.tenant.connection.id,
        provider_project_id="proj_chatbot", name="chatbot", lever=Lever.STOP, requested_at=at, updated_at=at,
        state=HoldState.RELEASED if restored else HoldState.PROVED, is_wanted=not restored, next_at=None,
        former={"spend_limit": None}, target={"spend_limit": None}, set_at=at + timedelta(seconds=3),
        released_at=at + timedelta(hours=1) if restored else None,
    )  # fmt: skip
    async with world.storage.writing() as store:
        await store.stops.open(WORKSPACE, stop, [hold], [])


@pytest.mark.parametrize("restored", [True, False])
async def test_what_was_stopped_on_sunday_is_named_and_not_promised_every_week(
    quick_storage: Storage, clock: FakeClock, restored: bool
):
    """740 dollars on Sunday instead of fifty: 690 are named, and advice speaks of what was lost beside them."""
    world = await a_week(quick_storage, clock)
    await world.bill(SUNDAY, SPENT)
    before = await chatbot(world)
    assert before.runaway is None
    assert before.advice is not None
    assert before.advice.worth is not None
    await a_stop(world, restored=restored)
    after = await chatbot(world)
    assert after.runaway == Runaway(SUNDAY, Money.of(690), is_stopped=True, is_restored=restored)
    assert after.advice is not None
    assert after.advice.worth is not None
    assert before.advice.worth.amount > 600
    assert round(after.advice.worth.amount) == CHATBOT_BEFORE


@pytest.mark.parametrize("kind", ScopeKind)
async def test_what_nobody_stopped_by_sunday_may_go_on_and_is_promised_by_the_day(
    quick_storage: Storage, clock: FakeClock, kind: ScopeKind
):
    """The same 690, with an alert on the week's last day and no stop: no saving of every week, and not over either.

    Whoever's budget it was: of a team and of everything, it is told of whoever cost twice its usual.
    """
    world = await a_week(quick_storage, clock)
    await world.bill(SUNDAY, SPENT)
    await an_alert(world, SUNDAY, kind)
    told = await chatbot(world)
    shown = await world.bot.digests.report(world.admin, "지난주")
    assert [one.name for one in (shown.now or shown.digest).projects if one.burning] == ["chatbot"]
    assert (told.runaway, told.burning) == (None, Runaway(SUNDAY, Money.of(690)))
    assert told.advice is not None
    assert told.advice.burning == told.burning
    assert told.advice.worth is not None
    assert round(told.advice.worth.amount) == CHATBOT_BEFORE


async def test_what_calmed_down_before_sunday_is_over(quick_storage: Storage, clock: FakeClock):
    """An alert on Friday and none after it."""
    world = await a_week(quick_storage, clock)
    friday = SUNDAY - timedelta(days=2)
    await world.bill(friday, SPENT)
    await an_alert(world, friday)
    told = await chatbot(world)
    assert (told.runaway, told.burning) == (Runaway(friday, Money.of(690)), None)
    assert told.advice is not None
    assert told.advice.burning is None


@pytest.mark.parametrize("days", [2, 3])
async def test_what_went_on_without_another_alert_was_not_over(quick_storage: Storage, clock: FakeClock, days: int):
    """An alert on Friday; nobody was told of Saturday, nor of Sunday, but both are billed ten times the usual.

    The bot was away, or somebody raised the limit: the run ends where the bill says so, and on Sunday it may go on.
    """
    world = await a_week(quick_storage, clock)
    friday = SUNDAY - timedelta(days=2)
    for day in range(days):
        await world.bill(friday + timedelta(days=day), SPENT)
    await an_alert(world, friday)
    told = await chatbot(world)
    ran = told.burning if days == 3 else told.runaway
    assert ran is not None
    assert (ran.days, ran.beyond) == (days, Money.of(690 * days))
    assert (told.runaway is None) == (days == 3)
    assert (told.burning is None) == (days == 2)


async def test_a_day_twice_as_dear_after_a_stop_is_no_part_of_what_was_stopped(
    quick_storage: Storage, clock: FakeClock
):
    """Stopped on Friday, restored, and dear again on Saturday without an alert: a choice, as far as anybody knows."""
    world = await a_week(quick_storage, clock)
    friday = SUNDAY - timedelta(days=2)
    for day in (friday, friday + timedelta(days=1)):
        await world.bill(day, SPENT)
    await an_alert(world, friday)
    await a_stop(world, restored=True, day=friday)
    assert (await chatbot(world)).runaway == Runaway(friday, Money.of(690), is_stopped=True, is_restored=True)
