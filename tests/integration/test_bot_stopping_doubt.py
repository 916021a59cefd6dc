"""A stop is kept through a provider that fails, denies, delays or says what is not so, and people are told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_mock import MockerFixture

from bot.errors import Refusal, RefusalCode
from demo.openai.faults import Fault
from finops.holds import HoldState
from finops.incidents import IncidentState
from finops.levers import Lever, LeverReading
from finops.stops import StopEventKind, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.stopping_world import CHATBOT, FORMER, FORMER_CENTS, WORKSPACE, World, a_stopping_world, kinds
from tests.integration.stopping_world import world as world
from tests.integration.watch_world import MODEL, a_steady_trace


@pytest.mark.parametrize("kind", ["acted_500", "acted_drop"])
async def test_a_provider_that_fails_after_acting_has_acted_once(world: World, kind: str) -> None:
    """The read back tells; nothing is set twice, and what was before is still what was before."""
    incident = await world.runaway()
    world.limited()
    world.openai.faults.add(Fault(path="/v1/organization/projects", kind=kind, method="POST", times=1))
    shown = await world.stopped(incident)
    assert (world.cents(), shown.stop.state) == (1, StopState.STOPPED)
    await world.restore(shown)
    await world.acted()
    assert world.cents() == FORMER_CENTS


async def test_a_provider_that_does_not_answer_in_time_is_asked_again(
    world: World, mocker: MockerFixture, caplog: pytest.LogCaptureFixture
) -> None:
    """A turn ends with its lease in hand, and is said in the log; the next one makes the stop, once."""
    incident = await world.runaway()
    world.limited()
    world.openai.faults.add(Fault(path="/v1/organization/projects", kind="slow"))
    mocker.patch("bot.holding.ATTEMPT_SECONDS", 0.2)
    shown = await world.stopped(incident)
    assert "a hold took too long" in caplog.text
    assert (world.cents(), shown.stop.state) == (FORMER_CENTS, StopState.STOPPING)
    mocker.stopall()
    world.openai.faults.clear()
    await world.watched(1)
    assert world.cents() == 1
    assert kinds(await world.again(shown)).count(StopEventKind.SET) == 1


async def test_what_cannot_be_read_is_not_touched_and_people_are_told(world: World) -> None:
    """No former state, no act; once the provider answers again the stop is made."""
    incident = await world.runaway()
    world.limited()
    world.openai.faults.add(Fault(path="/v1/organization/projects", status=500))
    shown = await world.stopped(incident)
    assert (world.cents(), shown.stop.state) == (FORMER_CENTS, StopState.STOPPING)
    await world.watched(2)
    assert StopEventKind.TROUBLE in kinds(await world.again(shown))
    world.openai.faults.clear()
    await world.watched(1)
    assert world.cents() == 1


async def test_that_no_key_may_stop_is_known_before_somebody_counts_on_it(world: World) -> None:
    """The alert says so instead of offering it; a right that is given later is seen as soon as somebody looks."""
    incident = await world.runaway()
    assert (await world.alert(incident)).may_stop
    assert (await world.window(incident)).may_stop

    world.without("api.management.write")
    async with world.bot.storage.writing() as store:
        [key] = await store.credentials.all(WORKSPACE)
        assert "management.write" in key.rights, "it was seen when the key was registered"
        await store.credentials.tell_rights(WORKSPACE, key.id, ["usage.read", "management.read"])
    assert not (await world.alert(incident)).may_stop
    assert not (await world.window(incident)).may_stop

    world.without()
    assert (await world.window(incident)).may_stop
    assert (await world.alert(incident)).may_stop


async def test_a_limit_changed_elsewhere_is_told_and_left_alone(world: World) -> None:
    """Ours is gone, so it is not ours to put back."""
    shown = await world.stopped(await world.runaway())
    world.limited(cents=777)
    await world.watched(1, after=5)
    shown = await world.again(shown)
    assert (shown.current[0].state, shown.stop.state) == (HoldState.LOST, StopState.FAILED)
    assert world.cents() == 777
    with pytest.raises(Refusal) as refused:
        await world.restore(shown)
    assert refused.value.code is RefusalCode.STOP_NOT_HELD


async def test_trouble_with_a_budget_keeps_no_stop_from_its_proof(world: World, mocker: MockerFixture) -> None:
    """What was stopped is looked after whatever becomes of the limits it was stopped for."""
    shown = await world.stopped(await world.runaway())
    broken = mocker.patch.object(
        type(world.bot.evaluating), "evaluate", side_effect=ArithmeticError("a budget of ours")
    )
    for _ in range(3):
        world.clock.advance(minutes=4)
        with suppress(ArithmeticError):
            await world.bot.watching.poll_due()
    assert broken.await_count == 3
    assert (await world.again(shown)).is_proved


async def test_a_month_turn_opens_the_limit_for_a_cent_and_the_stop_is_proved_again(world: World) -> None:
    """A spend limit counts from zero on the first of a month: a few calls get through, and that is told."""
    shown = await world.stopped(await world.runaway())
    await world.watched(1, after=11)
    assert (await world.again(shown)).is_proved
    now = world.clock()
    turn = (now.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)).replace(day=1)
    world.clock.advance(seconds=(turn - now).total_seconds() - 120)
    for _ in range(3):
        await world.watched(1, after=5)
    shown = await world.again(shown)
    reopened = [one for one in shown.events if one.kind is StopEventKind.REOPENED]
    assert [one.values["is_month_turn"] for one in reopened] == [True]
    assert (shown.is_proved, shown.stop.state, world.cents()) == (True, StopState.STOPPED, 1)
    assert (await world.incidents())[0].state is IncidentState.STOPPED


async def test_a_gentler_lever_that_cannot_be_put_back_is_told(world: World) -> None:
    """The firmer one holds, but what the first one changed stays until somebody mends the key: nobody may think it is
    back."""
    incident = await world.runaway()
    shown = await world.stopped(incident, Lever.SLOW)
    assert shown.stop.state is StopState.STOPPED
    world.without("api.management.write")
    shown = await world.stopped(incident)
    told = [one for one in shown.events if one.kind is StopEventKind.TROUBLE]
    assert [(one.values["trouble"], one.values["is_letting_go"]) for one in told] == [("no_right", True)]


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(kind="flat_error")])
async def test_one_wrong_answer_becomes_no_former_state_and_gives_nothing_up(world: World, fault: Fault) -> None:
    """A "there is no limit" that is not true would end in the removal of somebody's limit, or in a cent for ever."""
    incident = await world.runaway()
    world.limited()
    where = f"/v1/organization/projects/{world.openai.project(CHATBOT).id}/spend_limit"
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    shown = await world.stopped(incident)
    await world.watched(1)
    assert world.cents() == 1
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    await world.watched(2, after=9)
    assert (await world.again(shown)).stop.state is StopState.STOPPED
    await world.restore(shown)
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    await world.watched(2, after=4)
    [back] = [one for one in (await world.again(shown)).events if one.kind is StopEventKind.RESTORED]
    assert (world.cents(), back.values["kept"]) == (FORMER_CENTS, None)


async def test_a_provider_that_says_yes_and_does_nothing_is_not_hammered_and_told(world: World) -> None:
    """A few requests, then a pause and a word; what it does in the end is done."""
    incident = await world.runaway()
    world.openai.faults.add(Fault(path="/v1/organization/projects", kind="wrong_shape", method="POST"))
    shown = await world.stopped(incident)
    asked = [one for one in world.openai.calls if one.method == "POST"]
    assert (len(asked), world.cents()) == (3, None)
    await world.watched(2)
    assert "unexpected" in [one.values.get("trouble") for one in (await world.again(shown)).events]
    world.openai.faults.clear()
    await world.watched(1)
    assert world.cents() == 1


async def test_what_is_let_go_of_while_its_lever_is_looked_at_is_not_set(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last moment to turn back is the request itself: nobody is refused a call that somebody has let go on."""
    incident = await world.runaway()
    world.limited()
    world.openai.faults.add(Fault(path="/v1/organization/projects", status=500, method="POST"))
    shown = await world.stopped(incident)
    assert shown.current[0].state is HoldState.SAVED
    world.openai.faults.clear()
    provider = world.bot.stopping._desk.providers["openai"]
    look = provider.lever

    async def let_go_meanwhile(*where: Any) -> LeverReading:
        reading = await look(*where)
        monkeypatch.undo()
        await world.restore(shown)
        return reading

    monkeypatch.setattr(provider, "lever", let_go_meanwhile)
    world.clock.advance(minutes=1)
    world.openai.calls.clear()
    await world.acted()
    assert (await world.again(shown)).stop.state is StopState.RESTORED
    assert {one.method for one in world.openai.calls} == {"GET"}


async def test_no_limit_before_is_no_limit_after_and_is_not_believed_at_one_word(world: World) -> None:
    """Nothing is put in the place of nothing. For a moment the provider says that there is no limit any more: our cent
    would stay, and the next stop would take it for what was before."""
    shown = await world.stopped(await world.runaway())
    where = f"/v1/organization/projects/{world.openai.project(CHATBOT).id}/spend_limit"
    world.openai.faults.add(Fault(path=where, method="GET", status=404, times=1))
    await world.restore(shown)
    await world.watched(2)
    assert (world.cents(), (await world.again(shown)).stop.state) == (None, StopState.RESTORED)


async def test_a_cent_of_ours_that_comes_late_is_not_what_was_before(world: World) -> None:
    """A request we gave up waiting for is carried out after the restore, and somebody stops again before we look."""
    incident = await world.runaway()
    world.limited()
    shown = await world.stopped(incident)
    await world.restore(shown)
    await world.watched(1)
    world.limited(cents=1)
    shown = await world.stopped(await world.incident_now())
    assert shown.current[0].former == FORMER
    await world.restore(shown)
    await world.acted()
    assert world.cents() == FORMER_CENTS


async def test_a_lever_of_which_one_part_was_changed_elsewhere_leaves_no_other_part_behind(
    quick_storage: Storage, clock: FakeClock
) -> None:
    """Somebody gave one model its pace back: that stays theirs, what we did to the other one is put back, and told."""
    plain = a_steady_trace()
    two_models = replace(plain, series=(plain.series[0], replace(plain.series[1], model="new-model")))
    async with a_stopping_world(quick_storage, clock, trace=two_models) as world:
        shown = await world.stopped(await world.project(CHATBOT), Lever.SLOW)
        limits = world.openai.project(CHATBOT).rate_limits
        assert [one["max_requests_per_1_minute"] for one in limits.values()] == [1, 1]
        limits["new-model"]["max_requests_per_1_minute"] = 5
        await world.watched(1, after=5)
        shown = await world.again(shown)
        assert (shown.current[0].state, shown.events[-1].kind) == (HoldState.LOST, StopEventKind.LOST)
        assert {name: one["max_requests_per_1_minute"] for name, one in limits.items()} == {
            MODEL: 10_000,
            "new-model": 5,
        }
