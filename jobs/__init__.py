"""When the bot wakes: an alarm clock that fills the queue, workers that empty it, a watcher, a holder, a deliverer.

And those that go their rounds: digests, lessons, polls, interviews. The database decides who of all replicas acts.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot import Bot, Clock
from bot.metrics import Metrics
from bot.schedule import alarm
from bot.settings import Settings
from finops.events import OLDEST
from finops.periods import charge_day, minute_of
from jobs.announcer import Announcer
from jobs.delivery import Delivery
from jobs.delivery_mail import MailAlarm
from jobs.delivery_pace import Paces
from jobs.delivery_speaker import Speakers
from jobs.digest_mail import DigestMail
from jobs.digester import Digester
from jobs.holder import Holder
from jobs.interviews import Reminder
from jobs.learner import Learner
from jobs.mail import mailer_of
from jobs.outbox import KEPT, Deliverer
from jobs.rendering import Rendering
from jobs.rounds import Every
from jobs.slack import SlackClients as SlackClients  # what app.py hands us
from jobs.voting import PollClock
from jobs.watcher import Watcher
from jobs.worker import POLL_SECONDS, Worker, guarded

log = logging.getLogger(__name__)

# Several connections are read side by side; each of them by one worker of all replicas.
WORKERS = 3
DRAIN_SECONDS = 10.0
LOOK_SECONDS = 60.0
CLAIMS_KEPT = timedelta(days=7)
MINUTES_KEPT = timedelta(days=90)
# Event ids outlive the oldest event that is taken, so that none can count twice.
CALLS_KEPT, EVENT_IDS_KEPT, VALUE_KEPT = timedelta(days=90), OLDEST + timedelta(days=5), timedelta(days=3 * 366)


@asynccontextmanager
async def running(
    bot: Bot,
    clients: SlackClients,
    clock: Clock,
    settings: Settings,
    metrics: Metrics | None = None,
    *,
    poll_seconds: float = POLL_SECONDS,
    look_seconds: float = LOOK_SECONDS,
) -> AsyncIterator[None]:
    """Everything that happens without being asked, until the block ends; then what was begun is put down safely.

    The alarm rings at the collecting hour, and every minute somebody looks for what was missed, so a laptop that slept,
    a clock that was put right or a database that was away costs minutes, never a day.
    """
    await bot.people.settle()  # the settings may name other administrators than when we ran last
    announcer = Announcer(bot, clients)
    counted = metrics or Metrics()
    watcher = Watcher(bot, counted, clock)
    name = f"{socket.gethostname()}:{secrets.token_hex(4)}"
    workers = [Worker(bot, announcer, f"{name}:{number}", poll_seconds) for number in range(WORKERS)]
    runners: dict[str, Runner] = {
        **{f"worker {worker.name}": worker for worker in workers},
        "watcher": watcher,
        "deliverer": deliverer_of(bot, clients, clock, settings, counted, f"{name}:outbox"),
        "holder": Holder(bot, counted, f"{name}:holder"),
        "digester": digester_of(bot, clock, settings, f"{name}:digest"),
        "learner": Learner(bot),
        "poll clock": PollClock(bot),
        "reminder": Reminder(bot),
    }
    looking = asyncio.Lock()

    async def look() -> None:
        async with looking:
            await look_around(bot, clock())

    runners |= {"look for what was missed": Every(look_seconds, look), "judge": Every(look_seconds, watcher.evaluate)}

    async def forget() -> None:
        async with looking:
            await forget_what_is_old(bot, clock(), counted)

    # Late is better than never (the default drops a run that is a second late), and once is enough for many missed.
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )
    scheduler.add_job(look, alarm(settings.collect_cron, settings.collect_timezone), id="collect")
    scheduler.add_job(forget, IntervalTrigger(hours=6, timezone=UTC), id="forget what is old")
    tasks = [asyncio.create_task(runner.run(), name=name) for name, runner in runners.items()]
    scheduler.start()
    try:
        yield
    finally:
        # shutdown(wait=True) would cancel what runs: pause, let it come to a safe place, then shut down.
        scheduler.pause()
        bot.wake.set()
        await put_down(runners.values(), tasks)
        async with looking:  # an alarm that is ringing right now is heard to its end
            scheduler.shutdown(wait=False)


class Runner(Protocol):
    """Runs until it is asked to stop; then it finishes what it began."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


async def put_down(runners: Iterable[Runner], tasks: Sequence[asyncio.Task[object]]) -> None:
    """Ask everybody to stop, and wait until what was begun is finished; what takes too long is cancelled."""
    for runner in runners:
        runner.stop()
    _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)


async def look_around(bot: Bot, now: datetime) -> None:
    """Find what is due and what nobody was told of; trouble with one of these keeps nothing else from being found."""
    due = partial(bot.collecting.due, now)
    for look in (due, bot.blindness.everywhere, bot.unwatched.everywhere, bot.expiring.everywhere):
        await guarded(look)


async def forget_what_is_old(bot: Bot, now: datetime, metrics: Metrics) -> None:
    """Drop what nobody can need any more, in one transaction; how many rows of each kind went is logged and counted."""
    kept = (CALLS_KEPT, EVENT_IDS_KEPT, VALUE_KEPT)
    async with bot.storage.writing() as store:
        gone = {
            "claims": await store.claims.forget_before(now - CLAIMS_KEPT),
            "usage_minutes": await store.usage.forget_minutes_before(minute_of(now - MINUTES_KEPT)),
            "outbox": await store.outbox.forget_before(now - KEPT),
            "value": await store.value.forget_before(*(charge_day(now - each) for each in kept)),
        }
    log.info("forgot what is old", extra={"rows": gone})  # zeros, too: that it was looked at is worth a line
    for kind, rows in gone.items():
        metrics.forgot(kind, rows)


def deliverer_of(
    bot: Bot, clients: SlackClients, clock: Clock, settings: Settings, metrics: Metrics, name: str
) -> Deliverer:
    """The deliverer of this process, with its ways to Slack and to the mail server."""
    rendering, paces = Rendering(bot), Paces(time.monotonic)
    delivery = Delivery(Speakers(clients), rendering, paces)
    mail = MailAlarm(bot, rendering, mailer_of(settings, clock), name)
    edit_every = timedelta(seconds=settings.edit_every_seconds)
    return Deliverer(bot, delivery, mail, metrics, name, edit_every=edit_every)


def digester_of(bot: Bot, clock: Clock, settings: Settings, name: str) -> Digester:
    """The digester of this process; it mails where a server and somebody to mail to are named."""
    return Digester(bot, DigestMail(bot, mailer_of(settings, clock, settings.digest_emails), name))
