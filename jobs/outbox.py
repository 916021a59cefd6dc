"""The outbox at work: takes what may be said now, says many things side by side, and keeps what became of each."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from bot import Bot
from bot.metrics import Metrics
from bot.trials import trial_of
from finops.trials import KIND, Trial
from jobs.delivery import (
    ATTEMPT_SECONDS,
    MOST_ATTEMPTS,
    MOST_RECIPIENTS,
    Attempt,
    Delivery,
    GivenUp,
    Later,
    Nobody,
    Outcome,
    Stands,
)
from jobs.delivery_mail import MailAlarm
from jobs.delivery_pace import Method, Paces
from jobs.delivery_speaker import CALL_SECONDS
from jobs.rendering import INSTEAD_OF
from jobs.worker import guarded
from storage import Store
from storage.outbox import copy_key
from storage.records_live import OutboxMessage, OutboxState

log = logging.getLogger(__name__)

SENDS_AT_ONCE = 16
# Longer than an attempt: who holds a lease that ran out has given up already.
LEASE = timedelta(seconds=ATTEMPT_SECONDS + 10)
# Longer than a call: what somebody said who asked just before we took it over stands by then, or never will.
SETTLING = timedelta(seconds=CALL_SECONDS + 5)
LOOK_EVERY = 1.0
# However much comes and goes, the database is asked no more often than this.
SHORTEST_LOOK = 0.2
MAIL_LOOK_EVERY = 5.0
# After a start, Slack gets its chance before what waited goes by mail.
MAIL_GRACE = 15.0
KEPT = timedelta(days=90)
_BUG = "bug"


class Deliverer:
    """One in each process; the database gives each message to one of all replicas' deliverers."""

    def __init__(
        self,
        bot: Bot,
        delivery: Delivery,
        mail: MailAlarm,
        metrics: Metrics,
        name: str,
        *,
        edit_every: timedelta = timedelta(seconds=30),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._bot = bot
        self._delivery = delivery
        self._paces: Paces = delivery.paces
        self._mail = mail
        self._metrics = metrics
        self._edit_every = edit_every
        self._monotonic = monotonic
        self._sending: set[asyncio.Task[bool]] = set()
        self._is_stopping = False

    def stop(self) -> None:
        """Begin nothing new; `run` ends when what is being said is finished."""
        self._is_stopping = True
        self._bot.wake_outbox.set()

    async def run(self) -> None:
        """Deliver until stopped: at once when something is wanted, and every second what its time has come for."""
        started = mailed = self._monotonic()
        while not self._is_stopping:
            self._bot.wake_outbox.clear()
            await guarded(self.look)
            now = self._monotonic()
            if now - started >= MAIL_GRACE and now - mailed >= MAIL_LOOK_EVERY:
                mailed = now
                self._begin(partial(guarded, self._mail.look), "mail")
            await self._until_something_changes()
        await self.drained()

    async def look(self) -> bool:
        """Take what may go now and begin to say it, each beside the others."""
        async with self._bot.storage.reading() as store:
            waiting = await store.outbox.waiting_count()
            oldest = await store.outbox.oldest_waiting() if waiting else None
        now = self._bot.clock()
        self._metrics.outbox(waiting, max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
        free = SENDS_AT_ONCE - len(self._sending)
        if not waiting or free <= 0:
            return False
        async with self._bot.storage.writing() as store:
            messages = await store.outbox.lease(
                self.name,
                now,
                LEASE,
                free,
                self._paces.busy_channels(),
                self._edit_every,
                no_posts_in=self._paces.held(Method.POST),
                no_edits_in=self._paces.held(Method.EDIT),
                settling=SETTLING,
            )
        for message in messages:
            self._begin(partial(self.deliver, message), f"message {message.key}")
        return bool(messages)

    async def deliver_due(self) -> int:
        """Deliver everything that may go now, and wait for it; how many messages were tried."""
        tried = 0
        while await self.look():
            tried += len(self._sending)
            await self.drained()
        return tried

    async def deliver(self, message: OutboxMessage) -> bool:
        """Try one message and keep what became of it. A mistake of ours costs this message a try, nothing else."""
        attempt = Attempt(self._delivery, message, partial(self._is_ours, message))

        async def tried() -> bool:
            await self._keep(message, await attempt.made())
            return True

        if await guarded(tried):
            return True
        log.warning("message not delivered", extra={"key": message.key, "kind": message.kind})
        is_hopeless = message.attempts >= MOST_ATTEMPTS and message.last_error == _BUG and not attempt.may_stand
        later = Later(self._delivery.wait(message), _BUG, is_uncertain=attempt.may_stand)
        return await guarded(partial(self._kept, message, GivenUp(_BUG) if is_hopeless else later))

    async def _is_ours(self, message: OutboxMessage) -> bool:
        async with self._bot.storage.reading() as store:
            return await store.outbox.is_leased(message.workspace_id, message.key, self.name, message.attempts)

    async def drained(self) -> None:
        """Wait until everything that was begun is finished."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def _kept(self, message: OutboxMessage, outcome: Outcome) -> bool:
        await self._keep(message, outcome)
        return True

    async def _keep(self, message: OutboxMessage, outcome: Outcome) -> None:
        if isinstance(outcome, Nobody):
            outcome = await self._other_way(message, outcome)
        now, workspace_id, key = self._bot.clock(), message.workspace_id, message.key
        match outcome:
            case Stands():
                await self._keep_standing(message, outcome, now)
            case Later():
                next_at = now + timedelta(seconds=outcome.seconds)
                async with self._bot.storage.writing() as store:
                    await store.outbox.retry(
                        workspace_id, key, self.name, next_at, outcome.code, is_uncertain=outcome.is_uncertain
                    )
                    if outcome.wants_root:
                        await _want_root(store, message, now)
            case GivenUp() | Nobody():
                async with self._bot.storage.writing() as store:
                    await store.outbox.dead(workspace_id, key, self.name, outcome.code)
                log.warning("message given up", extra={"key": key, "kind": message.kind, "error": outcome.code})

    async def _keep_standing(self, message: OutboxMessage, stands: Stands, now: datetime) -> None:
        at = min(now, stands.since) if stands.since else now
        async with self._bot.storage.writing() as store:
            is_ours = await store.outbox.sent(
                message.workspace_id, message.key, self.name, stands.version, stands.channel_id, stands.ts, at
            )
            if is_ours and stands.user_id is not None:
                await _want_copies(store, message, stands.user_id, now)
        if is_ours and message.kind == KIND:
            self._measure_trial(trial_of(message), at)
        if is_ours and message.delivered_at is None and message.detected_at is not None:
            seconds = (at - message.detected_at).total_seconds()
            self._metrics.alert_delivered("detected", seconds)
            if message.available_at is not None:
                self._metrics.alert_delivered("available", (at - message.available_at).total_seconds())
            log.info("alert delivered", extra={"key": message.key, "seconds": round(seconds, 3)})

    def _measure_trial(self, trial: Trial, at: datetime) -> None:
        """A test alert stands, or shows who pressed it: measured apart from what people really wait for."""
        if trial.delivered_at is None:
            self._metrics.trial("delivered", (at - trial.asked_at).total_seconds())
        elif trial.heard_at is not None:
            self._metrics.trial("answered", (at - trial.heard_at).total_seconds())

    async def _other_way(self, message: OutboxMessage, nobody: Nobody) -> Later | GivenUp:
        """Nobody could be told in Slack: by mail, else again later, for somebody may invite us."""
        is_copy = message.channel_id is None and INSTEAD_OF in message.subject
        if is_copy or await self._mail.tell(message) or message.attempts >= MOST_ATTEMPTS:
            return GivenUp(nobody.code)
        return Later(self._delivery.wait(message), nobody.code)

    def _begin(self, work: Callable[[], Awaitable[bool]], name: str) -> None:
        async def done() -> bool:
            return await work()

        task = asyncio.create_task(done(), name=name)
        self._sending.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[bool]) -> None:
        self._sending.discard(task)
        # There is a place free, and what came after it in its channel or thread may go now.
        self._bot.wake_outbox.set()

    async def _until_something_changes(self) -> None:
        """Sleep until something is wanted, a message is done, or a pace allows more; at most a second."""
        change = self._paces.next_change()
        longest = LOOK_EVERY if change is None else min(LOOK_EVERY, max(SHORTEST_LOOK, change))
        began = self._monotonic()
        try:
            await asyncio.wait_for(self._bot.wake_outbox.wait(), longest)
        except TimeoutError:
            return
        left = SHORTEST_LOOK - (self._monotonic() - began)
        if left > 0 and self._sending and not self._is_stopping:
            await asyncio.sleep(left)


async def _want_root(store: Store, line: OutboxMessage, at: datetime) -> None:
    """Have the root of a thread edited: when it is gone, or closed to us, it is posted anew and the thread goes on."""
    assert line.thread_key is not None
    root = await store.outbox.get(line.workspace_id, line.thread_key)
    if root is not None:
        await store.outbox.want(
            root.workspace_id,
            root.key,
            root.kind,
            root.subject,
            root.channel_id,
            root.recipients,
            urgency=max(root.urgency, line.urgency),
            at=at,
            is_prompt=True,
        )


async def _want_copies(store: Store, message: OutboxMessage, told: str, at: datetime) -> None:
    """One person was told directly: so are the others, each in a conversation of their own."""
    others = [user_id for user_id in message.recipients[:MOST_RECIPIENTS] if user_id != told]
    for user_id in others:
        thread_key = None
        if message.thread_key is not None and message.thread_ts is not None:
            thread_key = copy_key(message.thread_key, user_id)
            root = await store.outbox.get(message.workspace_id, thread_key)
            if root is None or root.state is OutboxState.DEAD:
                continue  # this person cannot be told, or was told the rest alone
        await store.outbox.want(
            message.workspace_id,
            copy_key(message.key, user_id),
            message.kind,
            {**message.subject, INSTEAD_OF: message.channel_id},
            None,
            [user_id],
            thread_key=thread_key,
            urgency=message.urgency,
            at=at,
            is_prompt=message.is_prompt,
        )
