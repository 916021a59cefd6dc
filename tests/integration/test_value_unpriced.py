"""Value where no price is known: of what was used nobody knows the cost, and so nobody knows that of a success."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from demo.trace import Trace, parse_trace
from finops.budgets import BudgetScope
from finops.events import RecordedCall
from finops.value import Outcome
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.watch_world import CHATBOT, DAYS, MODEL, a_watched_world


def two_models() -> Trace:
    """A hundred calls an hour of each: what one of them costs is known."""
    rows = ["hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"]
    rows += [f"{n},{CHATBOT},{name},100,100000,50000,10000" for n in range(DAYS * 24) for name in (MODEL, "new-model")]
    return parse_trace(rows)


async def test_a_success_of_calls_without_a_price_costs_nobody_knows_what(
    quick_storage: Storage, clock: FakeClock
) -> None:
    """Every call of today is recorded and was a success; each was told at half of what it cost."""
    async with a_watched_world(quick_storage, clock, trace=two_models()) as world:
        chatbot = (await world.bot.projects.all(WORKSPACE))[0]
        await world.a_budget(BudgetScope.PROJECT, chatbot.id, "1")
        await world.polled()
        told = RecordedCall("a", "a", world.clock() - timedelta(minutes=30), calls=200, outcome=Outcome.SUCCESS)
        async with world.bot.storage.writing() as store:
            await store.value.record(WORKSPACE, chatbot.id, [told])
        [incident] = await world.incidents()
        shown = await world.bot.incidents.shown(WORKSPACE, incident.id or 0)
        report = await world.bot.reports.status(WORKSPACE, world.admin, f"{CHATBOT} today")
        home = await world.bot.reports.home(WORKSPACE, world.admin)
        [budget] = (await world.bot.budgets.report(world.admin)).budgets
        assert report.live is not None
        assert home.live is not None
        for value in (report.value, report.live.value, home.live.value, budget.value, shown.value):
            assert value is not None
            assert (value.successes, value.coverage) == (200, Decimal(1))
            assert value.cost_per_success is None
