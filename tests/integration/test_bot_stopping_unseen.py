"""A stop while the provider does not tell all, asks for patience, or denies the project: what is unseen is not true."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from demo.openai.faults import Fault
from finops.holds import LOUD_AFTER, TOLD_AFTER, HoldState, HoldTrouble
from finops.money import Money
from finops.secret import Secret
from finops.stops import StopEventKind, StopState
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow
from providers.contract import ProviderProject, Unavailable
from tests.integration.stopping_world import CHATBOT, FORMER_CENTS, WRITER, World, kinds
from tests.integration.stopping_world import world as world


class Doors:
    """What the chatbot calls is told at another endpoint than what the others call; some may not answer."""

    def __init__(self, world: World, chatbot_at: Endpoint) -> None:
        self.shut: frozenset[Endpoint] = frozenset()
        self._asked = world.provider.usage
        self._mine, self._at = world.openai.project(CHATBOT).id, chatbot_at
        world.provider.usage = self.usage  # type: ignore[method-assign]

    async def usage(self, key: Secret, endpoint: Endpoint, *when: Any) -> UsageReading:
        if endpoint in self.shut:
            raise Unavailable("no answer here alone")
        if endpoint not in (Endpoint.COMPLETIONS, self._at):
            return await self._asked(key, endpoint, *when)
        *span, _ = when  # what is known of one door is not known of two
        told = await self._asked(key, Endpoint.COMPLETIONS, *span)

        def is_told_here(row: UsageRow) -> bool:
            return (self._at if row.sub_account_id == self._mine else Endpoint.COMPLETIONS) is endpoint

        buckets = tuple(
            UsageBucket(
                one.start, tuple(row._replace(endpoint=endpoint.value) for row in one.rows if is_told_here(row))
            )
            for one in told.buckets
        )
        return replace(told, endpoint=endpoint, buckets=buckets)


async def test_an_hour_nobody_saw_is_unknown_before_a_stop_and_never_zero(world: World) -> None:
    """Twenty minutes after the last reading the window knows its hour still, an hour and a half after it nothing."""
    incident = await world.runaway()
    read_at, hour = world.clock(), []
    for minutes in (20, 70):
        world.clock.advance(minutes=minutes)
        radius = await world.window(incident)
        stoppable = (await world.bot.stopping.listed(world.admin)).stoppable
        [offered] = [one for one in stoppable if one.scope.name == CHATBOT]
        [chatbot] = radius.projects
        hour.append((chatbot.requests, chatbot.spent, offered.requests))
        if minutes == 20:
            assert radius.used_until == read_at
    [(requests, spent, listed), unknown] = hour
    assert requests == listed
    assert requests is not None
    assert spent is not None
    assert (requests > 100, spent.amount > 1) == (True, True), "the hour up to the reading, whole"
    assert unknown == (None, None, None)


async def test_a_stop_is_not_proved_by_the_silence_of_an_endpoint_nobody_can_read(world: World) -> None:
    """Calls go on as embeddings, of which nothing can be read: that is told as unseen, and as going on when it is."""
    doors = Doors(world, Endpoint.EMBEDDINGS)
    await world.polled()
    world.openai.boost(CHATBOT, 15, world.clock())
    world.openai.behaviour.enforcement_seconds = 10**6
    doors.shut, shut_at = frozenset({Endpoint.EMBEDDINGS}), world.clock()
    shown = await world.stopped(await world.project(CHATBOT))
    await world.watched(1, after=7)
    assert (await world.again(shown)).current[0].state is HoldState.SET
    await world.watched(1, after=8)
    shown = await world.again(shown)
    [hold] = shown.current
    assert (hold.state, hold.leak) == (HoldState.UNPROVED, None), "unknown is no zero"
    [told] = [one for one in shown.events if one.kind is StopEventKind.UNPROVED]
    assert (told.values["reason"], told.is_loud) == ("usage_unseen", True)
    assert told.values["unread"] == "embeddings"
    since = datetime.fromisoformat(str(told.values["unread_since"]))
    assert timedelta(0) <= shut_at - since <= timedelta(minutes=2)

    doors.shut = frozenset()
    await world.watched(1, after=5)
    [hold] = (await world.again(shown)).current
    assert hold.state is HoldState.UNPROVED
    assert hold.last_request_at is not None
    world.openai.boost(CHATBOT, 0, world.clock())
    await world.watched(1, after=9)
    assert (await world.again(shown)).current[0].state is HoldState.PROVED


@pytest.mark.parametrize(
    ("shut", "becomes"), [(Endpoint.IMAGES, HoldState.SET), (Endpoint.VECTOR_STORES, HoldState.PROVED)]
)
async def test_what_could_be_called_must_be_seen_and_what_is_only_stored_need_not(
    world: World, shut: Endpoint, becomes: HoldState
) -> None:
    """Nobody ever made an image here: all the same one may be made now. A stored vector calls no model."""
    shown = await world.stopped(await world.runaway())
    doors = Doors(world, Endpoint.COMPLETIONS)
    doors.shut = frozenset({shut})
    await world.watched(1, after=11)
    assert (await world.again(shown)).current[0].state is becomes
    doors.shut = frozenset()
    await world.watched(1)
    assert (await world.again(shown)).current[0].state is HoldState.PROVED


async def test_calls_that_nobody_knows_the_price_of_are_counted_beside_the_leak(world: World) -> None:
    """What leaks is a model of no known price: the leak is nothing known, and that is not told as nothing."""
    incident = await world.runaway()
    asked, mine = world.provider.usage, world.openai.project(CHATBOT).id

    async def nameless(*given: Any, **named: Any) -> UsageReading:
        told = await asked(*given, **named)
        buckets = [
            UsageBucket(one.start, tuple(row._replace(model="gpt-nobody-knows") if row.sub_account_id == mine else row
                                         for row in one.rows))
            for one in told.buckets
        ]  # fmt: skip
        return replace(told, buckets=tuple(buckets))

    world.provider.usage = nameless  # type: ignore[method-assign]
    world.openai.behaviour.enforcement_seconds = 90
    shown = await world.stopped(incident)
    await world.watched(1, after=14)
    shown = await world.again(shown)
    [hold] = shown.current
    assert (hold.state, hold.leak) == (HoldState.PROVED, Money.zero())
    assert shown.leak_unpriced == hold.leak_unpriced
    assert shown.leak_unpriced > 0
    [told] = [one for one in shown.events if one.kind is StopEventKind.PROVED]
    assert told.values["unpriced"] == hold.leak_unpriced


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_day_that_the_provider_asks_for_once_puts_off_neither_a_stop_nor_a_restore(
    world: World, method: str
) -> None:
    """A single 429 with `Retry-After: 86400`: asked again within a minute, and told by then if it is not done."""
    incident = await world.runaway()
    world.limited()
    patience = Fault(path="/v1/organization/projects", status=429, method=method, times=1, retry_after=86_400)
    world.openai.faults.add(replace(patience))
    shown = await world.stopped(incident)
    assert world.cents() == FORMER_CENTS
    await world.watched(1)
    assert world.cents() == 1
    world.openai.faults.add(replace(patience))
    await world.restore(shown)
    await world.acted()
    assert world.cents() == 1
    await world.watched(1)
    assert world.cents() == FORMER_CENTS


@pytest.mark.parametrize("what", ["a stop", "a restore"])
async def test_a_clock_that_is_put_back_puts_off_neither_a_stop_nor_a_restore(world: World, what: str) -> None:
    """The provider is away for a moment, and our clock is put right by an hour in it: that hour is not waited for."""
    incident = await world.runaway()
    world.limited()
    away = Fault(path="/v1/organization/projects", status=503)
    if what == "a stop":
        world.openai.faults.add(away)
    shown = await world.stopped(incident)
    if what == "a restore":
        world.openai.faults.add(away)
        await world.restore(shown)
    await world.watched(2)
    world.clock.moment -= timedelta(hours=1)
    world.openai.faults.clear()
    await world.watched(1)
    assert world.cents() == (1 if what == "a stop" else FORMER_CENTS)


async def test_who_waits_for_a_stop_hears_by_the_clock_that_it_is_not_in_force(world: World) -> None:
    """Half a minute after the trouble began, and loudly a quarter of an hour after the click: to the second."""
    incident = await world.runaway()
    world.limited()
    world.openai.faults.add(Fault(path="/v1/organization/projects", status=429, retry_after=86_400))
    shown = await world.stopped(incident)
    asked_at = world.clock()
    for seconds in (30, 14 * 60 + 29, 1):
        world.clock.advance(seconds=seconds)
        await world.acted()
    told = [one for one in (await world.again(shown)).events if one.kind is StopEventKind.TROUBLE]
    assert [(one.at - asked_at, one.is_loud) for one in told] == [(TOLD_AFTER, False), (LOUD_AFTER, True)]


def denied(world: World) -> str:
    """The provider answers 404 at the project's own address, and lists it all the same; the address."""
    address = f"/v1/organization/projects/{world.openai.project(CHATBOT).id}"
    world.openai.faults.add(Fault(path=address, status=404))
    return address


async def looked_after(world: World, hours: float, *, every: int = 15) -> None:
    """Time goes by, and only what is due is done."""
    for _ in range(int(hours * 60 / every)):
        world.clock.advance(minutes=every)
        await world.acted()


async def test_a_project_that_is_denied_for_hours_keeps_its_stop_and_its_restore_waits_for_it(world: World) -> None:
    """People are told at once, and nobody is accused; it is asked for once an hour in the end. However long a restore
    has to wait: seen again, the project gets back what was there by itself."""
    incident = await world.runaway()
    world.limited()
    shown = await world.stopped(incident)
    address = denied(world)
    await looked_after(world, 0.1, every=6)
    [told] = [one for one in (await world.again(shown)).events if one.kind is StopEventKind.TROUBLE]
    assert told.values["trouble"] == "project_gone"
    await looked_after(world, 2)
    world.openai.calls.clear()
    await looked_after(world, 6, every=20)
    assert 5 <= sum(one.path == address for one in world.openai.calls) <= 7
    shown = await world.again(shown)
    [hold] = shown.current
    standing = (HoldState.SET, HoldTrouble.PROJECT_GONE, StopState.STOPPED)
    assert (hold.state, hold.trouble, shown.stop.state) == standing
    assert StopEventKind.LOST not in kinds(shown)

    world.openai.faults.clear()
    await looked_after(world, 1)
    [hold] = (await world.again(shown)).current
    assert (hold.state, hold.trouble) == (HoldState.SET, None)

    denied(world)
    await world.restore(shown)
    await looked_after(world, 4, every=30)
    shown = await world.again(shown)
    assert (shown.stop.state, shown.current[0].trouble) == (StopState.RESTORING, HoldTrouble.PROJECT_GONE)
    world.openai.faults.clear()
    await looked_after(world, 1)
    assert ((await world.again(shown)).stop.state, world.cents()) == (StopState.RESTORED, FORMER_CENTS)


async def test_a_project_that_is_archived_ends_its_stop_and_our_cent_is_never_what_was_before(world: World) -> None:
    """The list says it too, so there is nothing to put back. If it was not true, the next stop still knows better."""
    incident = await world.runaway()
    world.limited()
    shown = await world.stopped(incident)
    project = world.openai.project(CHATBOT)
    project.archived_at = world.clock()
    denied(world)
    await looked_after(world, 2.5, every=30)
    shown = await world.again(shown)
    assert (shown.current[0].state, shown.stop.state) == (HoldState.LOST, StopState.FAILED)
    assert (shown.events[-1].kind, shown.events[-1].values["trouble"]) == (StopEventKind.LOST, "project_gone")

    project.archived_at = None
    world.openai.faults.clear()
    world.clock.advance(hours=48)
    anew = await world.bot.stopping.retry(world.admin, shown.stop.id or 0)
    await world.acted()
    assert world.cents() == 1
    await world.restore(anew)
    await world.acted()
    assert world.cents() == FORMER_CENTS


async def test_a_project_that_is_no_longer_listed_is_gone_after_a_day(world: World) -> None:
    """A list that leaves it out may be as wrong as its address: not for a whole day."""
    shown = await world.stopped(await world.runaway())
    denied(world)

    async def others(key: Secret, *, include_archived: bool = False) -> AsyncIterator[ProviderProject]:
        yield ProviderProject(world.openai.project(WRITER).id, WRITER)

    world.provider.projects = others  # type: ignore[method-assign]
    await looked_after(world, 1, every=60)
    await looked_after(world, 22, every=110)
    assert (await world.again(shown)).current[0].is_active
    await looked_after(world, 2, every=60)
    assert (await world.again(shown)).current[0].state is HoldState.LOST
