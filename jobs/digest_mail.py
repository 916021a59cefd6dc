"""The digest by mail: the whole workspace's week to whom the operator named, once, with the numbers told in Slack."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from blocks import digest, kit
from bot import Bot
from bot.digest_channels import CATCH_UP
from bot.digests import MailDue
from jobs.mail import Mailer, MailTrouble
from jobs.worker import guarded
from locales import translator_for

log = logging.getLogger(__name__)

# A mail server that is away is asked again after so long, by one of all replicas.
TRY_AGAIN = timedelta(minutes=5)
# The mail links to the message in Slack, if that stands there by then.
WAIT_FOR_SLACK = timedelta(minutes=2)
_JOB = "digest by mail"


class DigestMail:
    """Mails digests. Without a mailer, or without anybody to mail to, it does nothing."""

    def __init__(self, bot: Bot, mailer: Mailer | None, name: str) -> None:
        self._bot = bot
        self._mailer = mailer
        self._name = name
        # What was mailed, or is by another, or waits for the server: the database is not asked again before.
        self._not_before: dict[str, datetime] = {}

    async def look(self) -> bool:
        """Mail every week that was told and not mailed yet; a mail that cannot be made keeps no other from going."""
        if self._mailer is None:
            return False
        found = False
        for due in await self._bot.digests.mails_due():
            now = self._bot.clock()
            if now < self._not_before.get(_slot(due), now):
                continue
            link = await self._link(due)
            if link is None and due.root_key is not None and now < due.told_at + WAIT_FOR_SLACK:
                continue
            self._not_before[_slot(due)] = now + TRY_AGAIN
            found = await guarded(partial(self._mail, due, link)) or found
        return found

    async def _mail(self, due: MailDue, link: str | None) -> bool:
        assert self._mailer is not None
        bot, slot = self._bot, _slot(due)
        async with bot.storage.writing() as store:
            if not await store.claims.run(_JOB, slot, self._name, bot.clock(), TRY_AGAIN):
                return False
        shown = await bot.digests.told(due.workspace_id, due.digest_id, due.version)
        t = translator_for(due.locale, due.timezone)
        subject, text, html = digest.mail(shown, t, link, due.workspace)
        try:
            # The same digest is the same Message-ID: killed between sending and noting it, it is seen as one.
            await self._mailer.send(subject, text, f"digest:{slot}", html)
        except MailTrouble as trouble:
            log.warning("digest not mailed", extra={"week": due.week.isoformat(), "error": str(trouble)})
            return False
        async with bot.storage.writing() as store:
            await store.claims.done(_JOB, slot, bot.clock())
        self._not_before[slot] = bot.clock() + CATCH_UP
        log.info("digest mailed", extra={"week": due.week.isoformat(), "workspace_id": due.workspace_id})
        return True

    async def _link(self, due: MailDue) -> str | None:
        """Opens the digest in Slack, where it stands in a channel; a direct message is not everybody's to open."""
        if due.root_key is None:
            return None
        async with self._bot.storage.reading() as store:
            root = await store.outbox.get(due.workspace_id, due.root_key)
        if root is None or root.ts is None or root.posted_channel_id is None or kit.is_direct(root.posted_channel_id):
            return None
        return kit.message_link(due.workspace_id, root.posted_channel_id, root.ts)


def _slot(due: MailDue) -> str:
    return f"{due.workspace_id}:{due.week.isoformat()}"
