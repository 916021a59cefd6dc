"""A stop is kept through a provider that fails, denies, delays or says what is not so, and people are told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from pytest_mock import MockerFixture

from bot.errors import Refusal, RefusalCode
from demo.openai.faults import Fault
from finops.holds import HoldState
from finops.incidents import IncidentState
from finops.levers import Lever
from finops.stop_report import StopTarget
from finops.stops import StopEventKind, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.stopping_world import (
    FORMER_CENTS,
    WORKER,
    a_runaway,
    again,
    cents,
    incident_now,
    kinds,
    limited,
    stopped,
    watched,
    without,
)
from tests.integration.stopping_world import world as world
from tests.integration.watch_world import CHATBOT, MODEL, World, a_steady_trace, a_watched_world
from tests.integration.watch_world import quick_storage as quick_storage


@pytest.mark.parametrize("kind", ["acted_500", "acted_drop"])
async def test_a_provider_that_fails_after_acting_has_acted_once(world: World, kind: str) -> None:
    """The read back tells; nothing is set twice, and what was before is still what was before."""
    incident = await a_runaway(world)
    limited(world)
    world.openai.faults.add(Fault(path="/v1/organization/projects", kind=kind, method="POST", times=1))
    shown = await stopped(world, incident)
    assert (cents(world), shown.stop.state) == (1, StopState.STOPPED)
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await world.bot.holding.work_due(WORKER)
    assert cents(world) == FORMER_CENTS


async def test_what_cannot_be_read_is_not_touched_and_people_are_told(world: World) -> None:
    """No former state, no act; once the provider answers again the stop is made."""
    incident = await a_runaway(world)
    limited(world)
    world.openai.faults.add(Fault(path="/v1/organization/projects", status=500))
    shown = await stopped(world, incident)
    assert (cents(world), shown.stop.state) == (FORMER_CENTS, StopState.STOPPING)
    await watched(world, 2)
    assert StopEventKind.TROUBLE in kinds(await again(world, shown))
    world.openai.faults.clear()
    await watched(world, 2)
    assert cents(world) == 1


async def test_a_key_without_the_right_says_so_and_changes_nothing(world: World) -> None:
    """중지 권한 없음: the stop fails at once, loudly, and the incident speaks as before."""
    incident = await a_runaway(world)
    limited(world)
    world.openai.organization.admin_keys[0] = replace(
        world.openai.organization.admin_keys[0], rights=frozenset({"api.usage.read", "api.management.read"})
    )
    shown = await stopped(world, incident)
    [hold] = shown.current
    assert (hold.state, shown.stop.state, cents(world)) == (HoldState.FAILED, StopState.FAILED, FORMER_CENTS)
    assert shown.events[-1].values["trouble"] == "no_right"
    assert shown.events[-1].is_loud
    assert (await incident_now(world)).state is IncidentState.OPEN


async def test_that_no_key_may_stop_is_known_before_somebody_counts_on_it(world: World) -> None:
    """The alert says so instead of offering it; a right that is given later is seen as soon as somebody looks."""
    incident = await a_runaway(world)
    target = StopTarget(incident_id=incident.id)
    assert (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).may_stop
    assert (await world.bot.stopping.preview(world.admin, target)).may_stop

    without(world, "api.management.write")
    async with world.bot.storage.writing() as store:
        [key] = await store.credentials.all(WORKSPACE)
        assert "management.write" in key.rights, "it was seen when the key was registered"
        await store.credentials.tell_rights(WORKSPACE, key.id, ["usage.read", "management.read"])
    assert not (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).may_stop
    assert not (await world.bot.stopping.preview(world.admin, target)).may_stop

    without(world)
    assert (await world.bot.stopping.preview(world.admin, target)).may_stop
    assert (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).may_stop


async def test_a_limit_changed_elsewhere_is_told_and_left_alone(world: World) -> None:
    """Ours is gone, so it is not ours to put back."""
    shown = await stopped(world, await a_runaway(world))
    limited(world, cents=777)
    await watched(world, 6)
    shown = await again(world, shown)
    assert (shown.current[0].state, shown.stop.state) == (HoldState.LOST, StopState.FAILED)
    assert cents(world) == 777
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    assert refused.value.code is RefusalCode.STOP_NOT_HELD


async def test_trouble_with_a_budget_keeps_no_stop_from_its_proof(world: World, mocker: MockerFixture) -> None:
    """What was stopped is looked after whatever becomes of the limits it was stopped for."""
    shown = await stopped(world, await a_runaway(world))
    broken = mocker.patch.object(
        type(world.bot.evaluating), "evaluate", side_effect=ArithmeticError("a budget of ours")
    )
    for _ in range(12):
        world.clock.advance(minutes=1)
        with suppress(ArithmeticError):
            await world.bot.watching.poll_due()
    assert broken.await_count > 5
    assert (await again(world, shown)).is_proved


async def test_a_month_turn_opens_the_limit_for_a_cent_and_the_stop_is_proved_again(world: World) -> None:
    """A spend limit counts from zero on the first of a month: a few calls get through, and that is told."""
    shown = await stopped(world, await a_runaway(world))
    await watched(world, 12)
    assert (await again(world, shown)).is_proved
    now = world.clock()
    turn = (now.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)).replace(day=1)
    world.clock.advance(seconds=(turn - now).total_seconds() - 120)
    await watched(world, 18)
    shown = await again(world, shown)
    reopened = [one for one in shown.events if one.kind is StopEventKind.REOPENED]
    assert [one.values["is_month_turn"] for one in reopened] == [True]
    assert (shown.is_proved, shown.stop.state, cents(world)) == (True, StopState.STOPPED, 1)
    assert (await world.incidents())[0].state is IncidentState.STOPPED


async def test_a_gentler_lever_that_cannot_be_put_back_is_told(world: World) -> None:
    """The firmer one holds, but what the first one changed stays until somebody mends the key: nobody may think it is
    back."""
    incident = await a_runaway(world)
    shown = await stopped(world, incident, Lever.SLOW)
    assert shown.stop.state is StopState.STOPPED
    without(world, "api.management.write")
    shown = await stopped(world, incident)
    told = [one for one in shown.events if one.kind is StopEventKind.TROUBLE]
    assert [(one.values["trouble"], one.values["is_letting_go"]) for one in told] == [("no_right", True)]


async def test_a_project_that_seems_gone_for_a_moment_is_not_given_up(world: World) -> None:
    """People are told at once; what was changed there is put back when the provider knows the project again. One that
    it goes on listing is not lost for that it denies it."""
    incident = await a_runaway(world)
    limited(world)
    shown = await stopped(world, incident)
    gone = Fault(path=f"/v1/organization/projects/{world.openai.project(CHATBOT).id}", status=404)
    world.openai.faults.add(gone)
    await watched(world, 6)
    shown = await again(world, shown)
    assert (shown.events[-1].kind, shown.events[-1].values["trouble"]) == (StopEventKind.TROUBLE, "project_gone")
    assert shown.current[0].is_active
    world.openai.faults.clear()
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 6)
    shown = await again(world, shown)
    assert (shown.stop.state, cents(world)) == (StopState.RESTORED, FORMER_CENTS)

    again_stopped = await stopped(world, await incident_now(world))
    world.openai.faults.add(gone)
    for _ in range(15):
        world.clock.advance(minutes=6)
        await world.bot.holding.work_due(WORKER)
    assert (await again(world, again_stopped)).current[0].is_active


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(kind="flat_error")])
async def test_one_wrong_answer_becomes_no_former_state_and_gives_nothing_up(world: World, fault: Fault) -> None:
    """A "there is no limit" that is not true would end in the removal of somebody's limit, or in a cent for ever."""
    incident = await a_runaway(world)
    limited(world)
    where = f"/v1/organization/projects/{world.openai.project(CHATBOT).id}/spend_limit"
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    shown = await stopped(world, incident)
    await watched(world, 1)
    assert cents(world) == 1
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    await watched(world, 11)
    assert (await again(world, shown)).stop.state is StopState.STOPPED
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    await watched(world, 6)
    [back] = [one for one in (await again(world, shown)).events if one.kind is StopEventKind.RESTORED]
    assert (cents(world), back.values["kept"]) == (FORMER_CENTS, None)


async def test_a_provider_that_says_yes_and_does_nothing_is_not_hammered_and_told(world: World) -> None:
    """A few requests, then a pause and a word; what it does in the end is done."""
    incident = await a_runaway(world)
    world.openai.faults.add(Fault(path="/v1/organization/projects", kind="wrong_shape", method="POST"))
    shown = await stopped(world, incident)
    asked = [one for one in world.openai.calls if one.method == "POST"]
    assert (len(asked), cents(world)) == (3, None)
    await watched(world, 2)
    assert "unexpected" in [one.values.get("trouble") for one in (await again(world, shown)).events]
    world.openai.faults.clear()
    await watched(world, 2)
    assert cents(world) == 1


async def test_a_release_is_not_believed_at_one_word(world: World) -> None:
    """There was no limit before, and for a moment the provider says there is none again: our cent would stay, and the
    next stop would take it for what was before."""
    shown = await stopped(world, await a_runaway(world))
    where = f"/v1/organization/projects/{world.openai.project(CHATBOT).id}/spend_limit"
    world.openai.faults.add(Fault(path=where, method="GET", status=404, times=1))
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 2)
    assert (cents(world), (await again(world, shown)).stop.state) == (None, StopState.RESTORED)


async def test_a_cent_of_ours_that_comes_late_is_not_what_was_before(world: World) -> None:
    """A request we gave up waiting for is carried out after the restore, and somebody stops again before we look."""
    incident = await a_runaway(world)
    limited(world)
    shown = await stopped(world, incident)
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 1)
    limited(world, cents=1)
    shown = await stopped(world, await incident_now(world))
    assert shown.current[0].former == {
        "spend_limit": {"currency": "USD", "interval": "month", "threshold_amount": FORMER_CENTS}
    }
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 1)
    assert cents(world) == FORMER_CENTS


async def test_a_lever_of_which_one_part_was_changed_elsewhere_leaves_no_other_part_behind(
    quick_storage: Storage, clock: FakeClock
) -> None:
    """Somebody gave one model its pace back: that stays theirs, what we did to the other one is put back, and told."""
    plain = a_steady_trace()
    two_models = replace(plain, series=(plain.series[0], replace(plain.series[1], model="new-model")))
    async with a_watched_world(quick_storage, clock, trace=two_models) as world:
        target = StopTarget(scope=f"project:{(await world.project(CHATBOT)).id}")
        shown = await world.bot.stopping.request(world.admin, target, Lever.SLOW, "재시도 루프")
        await world.bot.holding.work_due(WORKER)
        limits = world.openai.project(CHATBOT).rate_limits
        assert [one["max_requests_per_1_minute"] for one in limits.values()] == [1, 1]
        limits["new-model"]["max_requests_per_1_minute"] = 5
        await watched(world, 6)
        shown = await again(world, shown)
        assert (shown.current[0].state, shown.events[-1].kind) == (HoldState.LOST, StopEventKind.LOST)
        assert {name: one["max_requests_per_1_minute"] for name, one in limits.items()} == {
            MODEL: 10_000,
            "new-model": 5,
        }
