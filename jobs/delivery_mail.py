"""The second way: alerts that Slack has not taken for a minute, or that nobody there could be told, go by e-mail."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from blocks import kit
from bot import Bot
from jobs.mail import Mailer, MailTrouble
from jobs.rendering import Rendering
from jobs.speech import NothingToSay
from jobs.worker import guarded
from storage.records_live import OutboxMessage

log = logging.getLogger(__name__)

MAIL_AFTER = timedelta(seconds=60)
# A mail server that is away is asked again after so long, by one of all replicas.
TRY_AGAIN = timedelta(seconds=60)
_JOB = "alert by mail"


class MailAlarm:
    """Mails what Slack does not take. Without a mailer it does nothing."""

    def __init__(self, bot: Bot, rendering: Rendering, mailer: Mailer | None, name: str) -> None:
        self._bot = bot
        self._rendering = rendering
        self._mailer = mailer
        self._name = name
        self._unwritable: set[int] = set()  # rows about which no letter can be written: each is logged once

    async def look(self) -> bool:
        """Mail every urgent message that has stood nowhere for a minute, one mail for all there is about one thing."""
        if self._mailer is None:
            return False
        async with self._bot.storage.reading() as store:
            late = await store.outbox.unmailed_urgent(self._bot.clock() - MAIL_AFTER)
        about: dict[tuple[str, str], list[OutboxMessage]] = defaultdict(list)
        for message in late:
            if message.id not in self._unwritable:
                about[message.workspace_id, message.thread_key or message.key].append(message)
        for messages in about.values():
            if not await guarded(partial(self._mail_guarded, messages)):
                self._unwritable.update(message.id for message in messages)
        return bool(about)

    async def tell(self, message: OutboxMessage) -> bool:
        """Mail one message now; whether it went, this time or before."""
        return self._mailer is not None and (message.mailed_at is not None or await self._mail([message]))

    async def _mail_guarded(self, messages: Sequence[OutboxMessage]) -> bool:
        await self._mail(messages)
        return True  # whether it went or not: what the guard is for are letters that cannot be written

    async def _mail(self, messages: Sequence[OutboxMessage]) -> bool:
        assert self._mailer is not None
        bot, message = self._bot, messages[-1]
        slot = f"{message.workspace_id}:{message.key}"
        async with bot.storage.writing() as store:
            if not await store.claims.run(_JOB, slot, self._name, bot.clock(), TRY_AGAIN):
                return False
        try:
            subject, body = await self._rendering.letter(message, _link(message))
            await self._mailer.send(subject, body, slot)
        except MailTrouble as trouble:
            log.warning("alert not mailed", extra={"key": message.key, "error": str(trouble)})
            return False
        except NothingToSay:
            log.info("nothing to mail", extra={"key": message.key})  # and so it is not asked for again
        else:
            log.info("alert mailed", extra={"key": message.key})
        async with bot.storage.writing() as store:
            for one in messages:
                await store.outbox.mailed(one.workspace_id, one.key, bot.clock())
            await store.claims.done(_JOB, slot, bot.clock())
        return True


def _link(message: OutboxMessage) -> str | None:
    """Opens the message in Slack, or its thread's root; None while neither stands anywhere."""
    ts, channel_id = message.ts or message.thread_ts, message.posted_channel_id or message.thread_channel_id
    if ts is None or channel_id is None:
        return None
    return kit.message_link(message.workspace_id, channel_id, ts)
