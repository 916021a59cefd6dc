"""The outbox: what was decided is said once, in order, by one worker at a time, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import Storage, Store
from storage.records_live import OutboxMessage, OutboxState
from storage.secrets import KeyRing
from tests.databases import OTHER_WORKSPACE, WORKSPACE, Tenant, a_copy, a_tenant

NOW = datetime(2026, 7, 6, 5, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)


def after(**parts: float) -> datetime:
    return NOW + timedelta(**parts)


async def want(store: Store, key: str, channel_id: str | None = "C1", **more: Any) -> None:
    """Ask for a message of no particular kind."""
    told: dict[str, Any] = {"at": NOW, "kind": "incident", "subject": {"id": 1}, "recipients": ["U1"]} | more
    await store.outbox.want(WORKSPACE, key, channel_id=channel_id, **told)


async def lease(store: Store, at: datetime = NOW, worker: str = "w", **more: Any) -> list[OutboxMessage]:
    return await store.outbox.lease(worker, at, LEASE, more.pop("limit", 100), **more)


async def send(store: Store, message: OutboxMessage, ts: str = "1.0", at: datetime = NOW, worker: str = "w") -> bool:
    """What a worker does once Slack has answered."""
    place = message.place or "D1"
    return await store.outbox.sent(message.workspace_id, message.key, worker, message.version, place, ts, at)


async def send_all(store: Store, at: datetime = NOW) -> list[str]:
    """Send whatever may be sent, until nothing may; the keys in the order Slack saw them."""
    seen: list[str] = []
    while messages := await lease(store, at):
        for message in messages:
            seen.append(message.key)
            await send(store, message, f"{len(seen)}.0", at)
    return seen


def keys(messages: Sequence[OutboxMessage]) -> list[str]:
    return [message.key for message in messages]


async def test_a_message_goes_from_wanted_to_standing(storage: Storage, tenant: Tenant) -> None:
    """Everything that was decided arrives with whoever sends it, and where it stands is kept."""
    async with storage.writing() as store:
        await want(store, "a", subject={"id": 7, "levels": [75, 100]}, urgency=1, detected_at=NOW, available_at=NOW)
        assert (await store.outbox.waiting_count(), await store.outbox.oldest_waiting()) == (1, NOW)
        [message] = await lease(store)
        assert (message.subject, message.recipients) == ({"id": 7, "levels": [75, 100]}, ("U1",))
        assert (message.state, message.version, message.is_edit, message.is_uncertain) == ("sending", 1, False, False)
        assert (message.attempts, message.place, message.worker) == (1, "C1", "w")
        assert await lease(store) == []
        assert await send(store, message, "1.5", after(seconds=2))
        assert await lease(store) == []
        sent = await store.outbox.get(WORKSPACE, "a")
        assert sent is not None
        assert (sent.state, sent.ts, sent.posted_channel_id, sent.sent_version) == (OutboxState.SENT, "1.5", "C1", 1)
        assert (sent.detected_at, sent.available_at, sent.delivered_at) == (NOW, NOW, after(seconds=2))
        assert (await store.outbox.waiting_count(), await store.outbox.oldest_waiting()) == (0, None)


async def test_wanting_again_edits_what_stands(storage: Storage, tenant: Tenant) -> None:
    """One row is one message: its clocks stay those of the first telling, its newest form is what is sent."""
    async with storage.writing() as store:
        await want(store, "a", detected_at=NOW)
        await send_all(store)
        await want(store, "a", subject={"id": 2}, at=after(minutes=5), detected_at=after(minutes=5))
        await want(store, "a", subject={"id": 3}, at=after(minutes=6))
        [edit] = await lease(store, after(minutes=6))
        assert (edit.is_edit, edit.ts, edit.version, edit.subject) == (True, "1.0", 3, {"id": 3})
        assert (edit.detected_at, edit.attempts) == (NOW, 1)
        # Wanted once more while it is on its way: the answer is of an old form, and the new one waits.
        await want(store, "a", subject={"id": 4}, at=after(minutes=6))
        await send(store, edit, "1.0", after(minutes=6))
        [again] = await lease(store, after(minutes=6))
        assert (again.subject, again.sent_version, again.delivered_at) == ({"id": 4}, 3, NOW)


async def test_urgent_goes_first_then_what_waited_longest_one_for_each_channel(
    storage: Storage, tenant: Tenant
) -> None:
    """A queue in one channel does not keep another channel waiting."""
    async with storage.writing() as store:
        for key, channel, urgency in [
            ("r1", "C1", 0),
            ("r2", "C2", 0),
            ("u1", "C1", 1),
            ("u2", "C1", 1),
            ("x", "C3", 0),
        ]:
            await want(store, key, channel, urgency=urgency)
        first = await lease(store, busy_channels={"C3"})
        assert keys(first) == ["u1", "r2"]
        assert keys(await lease(store, limit=1)) == ["x"]
        assert keys(await lease(store)) == []
        await send(store, first[0])
        assert keys(await lease(store)) == ["u2"]


async def test_people_without_a_channel_stand_in_nobodys_way(storage: Storage, tenant: Tenant) -> None:
    """What goes to recipients alone has no channel to queue for."""
    async with storage.writing() as store:
        for key in ("a", "b"):
            await want(store, key, None)
        assert keys(await lease(store)) == ["a", "b"]


async def test_a_thread_waits_for_its_root_and_is_told_in_order(storage: Storage, tenant: Tenant) -> None:
    """The first line follows the root into the channel it came to stand in; an urgent line hurries those before it."""
    async with storage.writing() as store:
        await want(store, "line 1", thread_key="root")
        await want(store, "other", "C9")
        assert keys(await lease(store)) == ["other"]
        await want(store, "root")
        await want(store, "line 2", thread_key="root", urgency=1)
        [root] = await lease(store)
        assert (root.key, root.urgency) == ("root", 1)
        # The channel was gone: it went to a person instead, and so do its lines.
        await store.outbox.sent(WORKSPACE, "root", "w", root.version, "D7", "7.0", NOW)
        [line] = await lease(store)
        assert (line.key, line.thread_ts, line.thread_channel_id, line.place) == ("line 1", "7.0", "D7", "D7")
        assert line.urgency == 1
        await store.outbox.retry(WORKSPACE, "line 1", "w", after(seconds=30), "unavailable")
        assert await lease(store) == []
        assert await send_all(store, after(seconds=30)) == ["line 1", "line 2"]


async def test_edits_are_held_together_unless_somebody_waits(storage: Storage, tenant: Tenant) -> None:
    """The present changes often, and Slack is told every so often; what a click changed is shown at once."""
    gap = timedelta(seconds=30)
    async with storage.writing() as store:
        await want(store, "a")
        await send_all(store)
        await want(store, "a", at=after(seconds=1))
        assert await lease(store, after(seconds=29), edit_gap=gap) == []
        await want(store, "a", at=after(seconds=2), is_prompt=True)
        await want(store, "a", at=after(seconds=3))
        [edit] = await lease(store, after(seconds=3), edit_gap=gap)
        await send(store, edit, at=after(seconds=3))
        await want(store, "a", at=after(seconds=4))
        assert await lease(store, after(seconds=32), edit_gap=gap) == []
        assert len(await lease(store, after(seconds=33), edit_gap=gap)) == 1


async def test_what_a_dead_worker_held_is_taken_over_and_looked_for_first(storage: Storage, tenant: Tenant) -> None:
    """It may have reached Slack: who takes it over knows that, and the first, back from the dead, spoils nothing."""
    async with storage.writing() as store:
        await want(store, "a")
        [held] = await lease(store, worker="dead")
        assert await lease(store, after(seconds=59)) == []
        [taken] = await lease(store, after(seconds=60))
        assert (taken.is_uncertain, taken.attempts) == (True, 2)
        assert not await store.outbox.retry(WORKSPACE, "a", "dead", NOW, None)
        assert not await store.outbox.dead(WORKSPACE, "a", "dead", "x")
        # Late but true: it stands where the first one put it.
        assert not await send(store, held, "1.0", after(seconds=61), worker="dead")
        assert await send(store, taken, "1.0", after(seconds=62))
        done = await store.outbox.get(WORKSPACE, "a")
        assert done is not None
        assert (done.ts, done.state, done.is_uncertain) == ("1.0", OutboxState.SENT, False)


async def test_an_attempt_that_may_have_arrived_says_so_until_it_is_settled(storage: Storage, tenant: Tenant) -> None:
    """A time-out says nothing about Slack; a refusal afterwards does not change that."""
    async with storage.writing() as store:
        await want(store, "a")
        await lease(store)
        assert await store.outbox.retry(WORKSPACE, "a", "w", after(seconds=1), "timeout", is_uncertain=True)
        assert await lease(store) == []
        [again] = await lease(store, after(seconds=1))
        assert (again.is_uncertain, again.last_error) == (True, "timeout")
        assert await store.outbox.retry(WORKSPACE, "a", "w", after(seconds=2), "rate limited")
        [third] = await lease(store, after(seconds=2))
        assert (third.is_uncertain, third.attempts) == (True, 3)


async def test_what_is_given_up_takes_its_lines_along_and_wanting_it_revives_all(
    storage: Storage, tenant: Tenant
) -> None:
    """Lines of a thread that never began wait for nothing; a new try of the root is one of theirs too."""
    async with storage.writing() as store:
        await want(store, "root")
        await want(store, "line", thread_key="root")
        await lease(store)
        assert await store.outbox.dead(WORKSPACE, "root", "w", "is_archived")
        assert await store.outbox.waiting_count() == 0
        await want(store, "root", "C2", at=after(minutes=5))
        assert await send_all(store, after(minutes=5)) == ["root", "line"]
        # A line that died by itself stays so: the root that stands is edited alone.
        await want(store, "bad", thread_key="root")
        await lease(store)
        await store.outbox.dead(WORKSPACE, "bad", "w", "invalid_blocks")
        await want(store, "root", "C2", at=after(minutes=6))
        assert await send_all(store, after(minutes=6)) == ["root"]


async def test_urgent_ones_that_stand_nowhere_go_by_mail_once(storage: Storage, tenant: Tenant) -> None:
    """Neither routine ones, nor edits of what stands, nor the same one twice."""
    async with storage.writing() as store:
        await want(store, "urgent", urgency=1)
        await want(store, "routine", "C2")
        await want(store, "standing", "C3", urgency=1)
        [standing] = [each for each in await lease(store) if each.key == "standing"]
        await send(store, standing)
        await want(store, "standing", "C3", urgency=1)
        assert await store.outbox.unmailed_urgent(NOW - timedelta(seconds=1)) == []
        assert keys(await store.outbox.unmailed_urgent(NOW)) == ["urgent"]
        assert await store.outbox.mailed(WORKSPACE, "urgent", NOW)
        assert not await store.outbox.mailed(WORKSPACE, "urgent", NOW)
        assert await store.outbox.unmailed_urgent(NOW) == []


async def test_a_clock_that_ran_ahead_holds_nothing_back(storage: Storage, tenant: Tenant) -> None:
    """Leases, waits and edits of more than a quarter of an hour were stamped wrongly."""
    async with storage.writing() as store:
        await want(store, "stands", "C3", at=after(minutes=20))
        [standing] = await lease(store, after(minutes=20))
        await send(store, standing, at=after(minutes=20))
        await want(store, "stands", "C3")
        await want(store, "a", at=after(minutes=20))
        await want(store, "b", "C2")
        await lease(store, after(minutes=20), worker="ahead")
        assert keys(await lease(store, edit_gap=timedelta(seconds=30))) == ["stands", "a", "b"]


async def test_old_messages_are_forgotten_when_nothing_hangs_on_them(storage: Storage, tenant: Tenant) -> None:
    """What is sent and old goes; what waits stays, and so does the root of a thread that goes on."""
    async with storage.writing() as store:
        for key in ("old", "root"):
            await want(store, key, at=NOW)
        await send_all(store)
        await want(store, "waiting", at=NOW)
        await want(store, "line", at=after(days=90), thread_key="root")
        assert await store.outbox.forget_before(after(days=89)) == 1
        assert await store.outbox.get(WORKSPACE, "old") is None
        assert await store.outbox.get(WORKSPACE, "root") is not None


async def test_workspaces_share_a_channel_name_and_nothing_else(storage: Storage, tenant: Tenant) -> None:
    """The same key and channel in two workspaces are two messages, and neither waits for the other."""
    await a_tenant(storage, OTHER_WORKSPACE)
    async with storage.writing() as store:
        for workspace_id in (WORKSPACE, OTHER_WORKSPACE):
            await store.outbox.want(workspace_id, "a", "incident", {}, "C1", (), at=NOW)
        both = await lease(store)
        assert {message.workspace_id for message in both} == {WORKSPACE, OTHER_WORKSPACE}
        await send(store, both[0])
        assert (await store.outbox.standing(both[0].workspace_id, NOW))[0] == 0
        assert (await store.outbox.standing(both[1].workspace_id, NOW))[0] == 1


async def test_many_workers_of_two_copies_send_each_message_once_and_each_channel_in_turn(
    database_url: str, storage: Storage, tenant: Tenant, ring: KeyRing
) -> None:
    """Whatever the race: no message twice, and never two under way in one channel."""
    async with storage.writing() as store:
        for number in range(24):
            await want(store, f"{number:02}", f"C{number % 4}")
    under_way: set[str] = set()
    sent: list[str] = []

    async def work(opened: Storage, worker: str) -> None:
        while len(sent) < 24:
            async with opened.writing() as store:
                messages = await store.outbox.lease(worker, NOW, LEASE, 3)
            for message in messages:
                assert message.channel_id not in under_way
                under_way.add(str(message.channel_id))
            for message in messages:
                # Noted before the commit: from then on others may take the channel.
                under_way.remove(str(message.channel_id))
                sent.append(message.key)
                async with opened.writing() as store:
                    assert await send(store, message, worker=worker)
            await asyncio.sleep(0)

    async with a_copy(database_url, ring) as second:
        async with asyncio.timeout(30):
            await asyncio.gather(*(work(each, f"{n}") for n, each in enumerate((storage, second, storage, second))))
    assert sorted(sent) == [f"{number:02}" for number in range(24)]
    for channel in range(4):
        mine = [key for key in sent if int(key) % 4 == channel]
        assert mine == sorted(mine)


@pytest.mark.parametrize("kept", [True, False])
async def test_a_message_is_wanted_with_the_decision_or_not_at_all(
    storage: Storage, tenant: Tenant, kept: bool
) -> None:
    """The decision that rolls back has said nothing."""

    async def decide() -> None:
        async with storage.writing() as store:
            await want(store, "a")
            if not kept:
                raise InterruptedError

    if kept:
        await decide()
    else:
        with pytest.raises(InterruptedError):
            await decide()
    async with storage.writing() as store:
        assert len(await lease(store)) == kept
