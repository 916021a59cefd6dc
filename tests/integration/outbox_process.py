"""A deliverer that dies by SIGKILL at its n-th step, for every n, and one that lives: told by test_jobs_outbox_killed.

A step is a call of Slack and the end of a transaction that wrote, each before it is done: between the two nothing is
done that lasts. On PostgreSQL the latter only, because what a call leaves undone is the same there, and every third of
them: leases and what was sent in turn, for each death costs a quarter of a second. Each death leaves a root, its line,
an edit of the root and the warning of a key that ends to whoever comes next; of the warning each commit is a step, the
first being its own wish. Says a line for each death; the last one is of the run that lived.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Engine, event

from bot import Bot, Policy
from bot.expiring import EXPIRY
from bot.metrics import Metrics
from finops.secret import Secret
from jobs.delivery import Delivery
from jobs.delivery_mail import MailAlarm
from jobs.delivery_pace import Paces
from jobs.delivery_speaker import Speaker, Speakers
from jobs.outbox import LEASE, SETTLING, Deliverer
from jobs.rendering import RENDER, Rendering
from storage import KeyRing, Storage
from storage.engine import normalised, open_engines
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE
from tests.integration.mortals import forked, say
from tests.integration.outbox_world import ADMIN, CHANNEL, a_note

MOST_STEPS = 60
CALL: Callable[..., Any] = Speaker._call


class Clients:
    """One workspace at one address."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    async def of(self, workspace_id: str) -> AsyncWebClient:
        return AsyncWebClient(token=self._token, base_url=self._url)

    def forget(self, workspace_id: str) -> None:
        """There is one token, and it stays."""


async def deliver(database_url: str, slack_url: str, token: str, number: int, *, is_first: bool) -> None:
    """Want a root and a line, tell them, want the root changed, tell that. Whoever comes second only tells."""
    clock = FakeClock(datetime.now(UTC) + (timedelta() if is_first else LEASE + timedelta(seconds=5)))
    async with open_engines(normalised(database_url)) as engines:
        storage = Storage(engines, KeyRing.generate())
        bot = Bot(storage, {}, clock, Policy())
        rendering, paces = Rendering(bot, {"note": a_note, EXPIRY: RENDER[EXPIRY]}), Paces(lambda: clock().timestamp())

        async def pass_by(seconds: float) -> None:
            clock.advance(seconds=seconds)

        delivery = Delivery(Speakers(Clients(slack_url, token), pass_by), rendering, paces, sleep=pass_by)
        name = f"process-{os.getpid()}"
        deliverer = Deliverer(
            bot, delivery, MailAlarm(bot, rendering, None, name), Metrics(), name,
            edit_every=timedelta(seconds=1), monotonic=lambda: clock().timestamp(),
        )  # fmt: skip

        async def want(key: str, text: str, thread_key: str | None = None) -> None:
            async with storage.writing() as store:
                subject = {"text": text}
                await store.outbox.want(
                    WORKSPACE, key, "note", subject, CHANNEL, (), thread_key=thread_key, urgency=1, at=clock()
                )

        async def deliver_in(rounds: int) -> None:
            for _ in range(rounds):
                await deliverer.deliver_due()
                clock.advance(seconds=3)

        if is_first:
            await a_key(storage, number, clock() + timedelta(hours=20))
            await want(f"{number}", "as it was")
            await want(f"{number}:line", "a line", thread_key=f"{number}")
            die_at(number, with_calls=database_url.startswith("sqlite"))
        else:
            await deliverer.deliver_due()
            clock.advance(seconds=SETTLING.total_seconds())
        await deliver_in(2)
        await want(f"{number}", "as it is")
        await deliver_in(2)
        Speaker._call = CALL  # type: ignore[method-assign]
        await bot.expiring.everywhere()
        await deliver_in(2)


async def a_key(storage: Storage, number: int, end: datetime) -> None:
    """A key about to expire; its last digits are those of no other."""
    async with storage.writing() as store:
        [connection], [team] = await store.connections.all(WORKSPACE), await store.teams.all(WORKSPACE)
        await store.credentials.add(
            WORKSPACE, connection_id=connection.id, team_id=team.id, secret=Secret(f"the key of {number:04}"),
            rights=(), registered_by=ADMIN, at=MOMENT, expires_at=end,
        )  # fmt: skip


def die_at(number: int, *, with_calls: bool) -> None:
    """Count steps from now on, and die at this one."""
    seen = 0

    def step(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > number:
            os.kill(os.getpid(), signal.SIGKILL)

    async def counted(self: Speaker, *given: Any, **more: Any) -> Any:
        step()
        return await CALL(self, *given, **more)

    if with_calls:
        Speaker._call = counted  # type: ignore[method-assign]
    is_writing = False

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        nonlocal is_writing
        is_writing = is_writing or not statement.lstrip().upper().startswith(("SELECT", "WITH", "PRAGMA", "BEGIN"))

    def committing(*_: Any) -> None:
        nonlocal is_writing
        if is_writing:
            step()
        is_writing = False

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", committing)


def main(database_url: str, slack_url: str, token: str) -> None:
    mine = database_url, slack_url, token
    for number in range(0, MOST_STEPS, 1 if database_url.startswith("sqlite") else 3):
        was_killed = forked(lambda number=number: asyncio.run(deliver(*mine, number, is_first=True)))
        asyncio.run(deliver(*mine, number, is_first=False))
        say(number=number, was_killed=was_killed)
        if not was_killed:
            return
