"""A runaway that was stopped is named in Monday's digest, and is no part of what its advice promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from finops.digest import DigestProject, Runaway
from finops.holds import Hold, HoldState
from finops.levers import Lever
from finops.money import Money
from finops.periods import starts_at
from finops.queries import ScopeKind
from finops.stops import Stop, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE
from tests.integration.digest_world import WEEK, World, a_week
from tests.integration.watch_world import quick_storage as quick_storage

SUNDAY = WEEK.end - timedelta(days=1)
CHATBOT_BEFORE = 210  # what chatbot lost against its own baseline in that week, without any runaway


async def a_stop(world: World, *, restored: bool) -> None:
    """Somebody stopped chatbot on Sunday at ten, and let go of it an hour later, or not yet."""
    at, number = starts_at(SUNDAY) + timedelta(hours=10), world.projects["chatbot"]
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
    amounts: dict[str | None, str] = {"proj_chatbot": "740", "proj_doc-summary": "30", "proj_search": "20"}
    await world.bill(SUNDAY, amounts)

    async def chatbot() -> DigestProject:
        shown = await world.bot.digests.report(world.admin, "마케팅팀 지난주")
        return next(one for one in (shown.now or shown.digest).projects if one.name == "chatbot")

    before = await chatbot()
    assert before.runaway is None
    assert before.advice is not None
    assert before.advice.worth is not None
    await a_stop(world, restored=restored)
    after = await chatbot()
    assert after.runaway == Runaway(SUNDAY, Money.of(690), is_stopped=True, is_restored=restored)
    assert after.advice is not None
    assert after.advice.worth is not None
    assert before.advice.worth.amount > 600
    assert round(after.advice.worth.amount) == CHATBOT_BEFORE
