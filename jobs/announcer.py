"""Telling of collections: progress and the end to who asked for it. What nobody asked for waits in the outbox."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from blocks import collection as speak
from blocks import home, kit
from blocks.answered import error_code
from bot import Bot
from bot.results import (
    CollectionEvent,
    CollectionKind,
    Failed,
    Finished,
    Progress,
    Told,
)
from finops.registry import Person
from jobs.slack import TROUBLE, SlackClients, edit, post
from locales import Translator, translator_for

log = logging.getLogger(__name__)

# Slack allows about one edit a second for a message; a person reads slower than that.
EDIT_EVERY_SECONDS = 2.0
# The next weeks of a bill do not wait for a Slack that has just let us wait.
QUIET_SECONDS = 60.0
_REMEMBERED = 1_000


class Announcer:
    """Says what happens to collections. Slack being away never stops a collection."""

    def __init__(self, bot: Bot, clients: SlackClients, *, edit_every_seconds: float = EDIT_EVERY_SECONDS) -> None:
        self._bot = bot
        self._clients = clients
        self._edit_every_seconds = edit_every_seconds
        # Where the message of a collection stands, and when it was last edited (monotonic seconds).
        self._messages: OrderedDict[int, tuple[str, str, float]] = OrderedDict()
        # Until when a workspace is not told how far something is (monotonic seconds).
        self._quiet_until: dict[str, float] = {}

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
            self._quiet_until[event.told.workspace_id] = asyncio.get_running_loop().time() + QUIET_SECONDS

    async def _progress(self, event: Progress) -> None:
        asker = await self._asker(event.told)
        if asker is None:
            return
        if asyncio.get_running_loop().time() < self._quiet_until.get(event.told.workspace_id, 0.0):
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
            message = speak.first_chart(event.collection, report, t, event.unread)
        else:
            message = speak.finished(
                event.collection,
                t,
                is_empty=event.is_empty,
                restated_days=event.restated_days,
                unread=event.unread,
            )
        client = await self._show(event.told, asker, message, is_news=True)
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
        is_news = event.newly_blind or event.retry_at is None
        client = await self._show(event.told, asker, message, is_news=is_news)
        await self._publish_home(client, asker)

    async def _asker(self, told: Told) -> Person | None:
        """Who asked for this collection; what nobody asked for is told to nobody."""
        if told.requested_by is None:
            return None
        return await self._bot.people.known(told.workspace_id, told.requested_by)

    async def _show(self, told: Told, asker: Person, message: kit.Message, *, is_news: bool = False) -> AsyncWebClient:
        """One direct message per collection: posted once, edited from then on; news whose edit fails is posted anew."""
        client = await self._clients.of(told.workspace_id)
        channel_id, ts, _ = self._messages.get(told.collection_id, (told.channel_id, told.message_ts, 0.0))
        if channel_id is None or ts is None or not await _edited(client, channel_id, ts, message, is_news=is_news):
            channel_id, ts = await post(client, told.channel_id or asker.user_id, message)
            async with self._bot.storage.writing() as store:
                await store.collections.tell(told.workspace_id, told.collection_id, channel_id, ts)
        self._messages[told.collection_id] = (channel_id, ts, asyncio.get_running_loop().time())
        while len(self._messages) > _REMEMBERED:
            self._messages.popitem(last=False)
        return client

    async def _publish_home(self, client: AsyncWebClient, person: Person) -> None:
        report = await self._bot.reports.home(person.workspace_id, person)
        t = _words_for(person)
        await client.views_publish(user_id=person.user_id, view=home.view(report, t))


async def _edited(client: AsyncWebClient, channel_id: str, ts: str, message: kit.Message, *, is_news: bool) -> bool:
    """Whether the message says it now. News that Slack refuses to put there is to be said elsewhere."""
    try:
        await edit(client, channel_id, ts, message)
    except SlackApiError as error:
        # Deleted, too old to be edited, edited too often: nobody is to wait for the end of what has ended.
        if not is_news:
            raise
        log.warning("edit refused, told anew", extra={"error": error_code(error)})
        return False
    return True


def _words_for(person: Person) -> Translator:
    return translator_for(person.locale, person.timezone)
