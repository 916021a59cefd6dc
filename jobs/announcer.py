"""Telling of collections and keys: progress to who asked for it, an expiry to who can act."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from datetime import timedelta

from slack_sdk.web.async_client import AsyncWebClient

from blocks import collection as speak
from blocks import home, keys, kit
from blocks.answered import error_code
from bot import Bot
from bot.results import (
    CollectionEvent,
    CollectionKind,
    ExpiryWarning,
    Failed,
    Finished,
    Progress,
    Told,
)
from finops.registry import Person, Team
from jobs.slack import TROUBLE, SlackClients, edit, post, publish
from locales import Translator, translator_for

log = logging.getLogger(__name__)

# Slack allows about one edit a second for a message; a person reads slower than that.
EDIT_EVERY_SECONDS = 2.0
# A warning is about days: what Slack would not take is tried again within the hour.
EXPIRY_LEASE = timedelta(hours=1)
_REMEMBERED = 1_000


class Announcer:
    """Says what happens to collections. Slack being away never stops a collection."""

    def __init__(self, bot: Bot, clients: SlackClients, *, edit_every_seconds: float = EDIT_EVERY_SECONDS) -> None:
        self._bot = bot
        self._clients = clients
        self._edit_every_seconds = edit_every_seconds
        # Where the message of a collection stands, and when it was last edited (monotonic seconds).
        self._messages: OrderedDict[int, tuple[str, str, float]] = OrderedDict()

    async def tell(self, event: CollectionEvent) -> None:
        """Say one event to those it concerns."""
        try:
            match event:
                case Progress():
                    await self._progress(event)
                case Finished():
                    await self._finished(event)
                case Failed():
                    await self._failed(event)
        except TROUBLE as error:
            log.warning(
                "collection not announced",
                extra={"collection_id": event.told.collection_id, "error": error_code(error)},
            )

    async def tell_expiring(self) -> None:
        """Warn of every key that is about to expire: each warning once to each person, whichever replica is first."""
        for warning in await self._bot.connections.expiring():
            for user_id in warning.user_ids:
                try:
                    await self._warn(warning, user_id)
                except TROUBLE as error:
                    log.warning(
                        "expiry not announced",
                        extra={
                            "credential_id": warning.credential.id,
                            "user_id": user_id,
                            "error": error_code(error),
                        },
                    )

    async def _warn(self, warning: ExpiryWarning, user_id: str) -> None:
        bot, workspace_id, key = self._bot, warning.credential.workspace_id, f"{warning.key}:{user_id}"
        async with bot.storage.reading() as store:
            known = await store.messages.get(workspace_id, key)
        if known is not None and known.sent_at is not None:
            return
        async with bot.storage.writing() as store:
            if not await store.messages.claim(workspace_id, key, user_id, bot.clock(), EXPIRY_LEASE):
                return
        t = await self._words_of(warning.team, user_id)
        message = keys.expiring(t, warning.team, warning.credential, warning.expires_at, warning.days_left)
        channel_id, ts = await post(await self._clients.of(workspace_id), user_id, message)
        async with bot.storage.writing() as store:
            await store.messages.sent(workspace_id, key, channel_id, ts, bot.clock())

    async def _progress(self, event: Progress) -> None:
        asker = await self._asker(event.told)
        if asker is None:
            return
        *_, edited_at = self._messages.get(event.told.collection_id, (None, float("-inf")))
        if asyncio.get_running_loop().time() - edited_at < self._edit_every_seconds:
            return
        client = await self._show(event.told, asker, speak.progress(event.collection, _words_for(asker)))
        # Whoever waits on Home sees the same bar move.
        await self._publish_home(client, asker)

    async def _finished(self, event: Finished) -> None:
        asker = await self._asker(event.told)
        if asker is None:
            return
        t = _words_for(asker)
        if event.told.kind is CollectionKind.BACKFILL and not event.is_empty:
            report = await self._bot.reports.first_chart(event.told.workspace_id)
            message = speak.first_chart(event.collection, report, t)
        else:
            message = speak.finished(event.collection, t, is_empty=event.is_empty, restated_days=event.restated_days)
        client = await self._show(event.told, asker, message)
        self._messages.pop(event.told.collection_id, None)
        await self._publish_home(client, asker)

    async def _failed(self, event: Failed) -> None:
        asker = await self._asker(event.told)
        if asker is None:
            return
        news = event.news
        message = speak.failed(
            event.collection, news.code, news.values, news.reference, _words_for(asker), retry_at=event.retry_at
        )
        client = await self._show(event.told, asker, message)
        await self._publish_home(client, asker)

    async def _asker(self, told: Told) -> Person | None:
        """Who asked for this collection; what nobody asked for is told to nobody."""
        if told.requested_by is None:
            return None
        return await self._bot.people.known(told.workspace_id, told.requested_by)

    async def _show(self, told: Told, asker: Person, message: kit.Message) -> AsyncWebClient:
        """One direct message per collection: posted once, edited from then on."""
        client = await self._clients.of(told.workspace_id)
        channel_id, ts, _ = self._messages.get(told.collection_id, (told.channel_id, told.message_ts, 0.0))
        if channel_id is not None and ts is not None:
            await edit(client, channel_id, ts, message)
        else:
            channel_id, ts = await post(client, told.channel_id or asker.user_id, message)
            async with self._bot.storage.writing() as store:
                await store.collections.tell(told.workspace_id, told.collection_id, channel_id, ts)
        self._messages[told.collection_id] = (channel_id, ts, asyncio.get_running_loop().time())
        while len(self._messages) > _REMEMBERED:
            self._messages.popitem(last=False)
        return client

    async def _words_of(self, team: Team, user_id: str | None = None) -> Translator:
        """The language a team's channel is told in, in the workspace's time zone; a person's own where we know it."""
        people = self._bot.people
        person = await people.known(team.workspace_id, user_id) if user_id is not None else None
        if person is not None:
            return _words_for(person)
        workspace = await people.workspace(team.workspace_id)
        return translator_for(team.locale, workspace.timezone if workspace else self._bot.policy.default_timezone)

    async def _publish_home(self, client: AsyncWebClient, person: Person) -> None:
        report = await self._bot.reports.home(person.workspace_id, person)
        t = _words_for(person)
        await publish(client, person.user_id, home.view(report, t), home.view(report, t, is_plain=True))


def _words_for(person: Person) -> Translator:
    return translator_for(person.locale, person.timezone)
