"""Speaking to Slack for the outbox: one attempt at a time, in bounded time; and finding what may stand there."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from blocks import kit
from finops.frozen import frozen
from jobs.delivery_errors import NotInstalled, Trouble, Unanswered, judged
from jobs.delivery_pace import POST_EVERY
from jobs.slack import AS_IT_STANDS, SlackClients

EVENT_TYPE = "finops_message"
CALL_SECONDS = 10.0
# What Slack gives apps that are not in its marketplace; more pages than these are no crash's worth of messages.
_PAGE, _PAGES = 15, 5
_CLOCKS_APART = timedelta(minutes=2)
_REMEMBERED = 2_000
_TRANSIENT = frozenset({Trouble.LIMITED, Trouble.AWAY, Trouble.UNCERTAIN})


@frozen
class Found:
    """A message of ours that stands: where in time, and which version of it."""

    ts: str
    version: int


class CannotLook(Exception):
    """The history of this channel is not for us to read: what is there stays unknown."""


class Speakers:
    """A speaker for each workspace."""

    def __init__(self, clients: SlackClients, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._clients = clients
        self.sleep = sleep
        # Whose direct conversation is which, by workspace and person.
        self.direct: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def of(self, workspace_id: str) -> Speaker:
        """Who speaks in this workspace; raises NotInstalled where nobody may."""
        try:
            client = await self._clients.of(workspace_id)
        except LookupError as error:
            raise NotInstalled(workspace_id) from error
        return Speaker(self, workspace_id, _impatient(client))

    def forget(self, workspace_id: str) -> None:
        """The token of this workspace is dead: the next speaker asks whether there is another."""
        self._clients.forget(workspace_id)


class Speaker:
    """Says things in one workspace. Every call ends within CALL_SECONDS, done, refused or unknown."""

    def __init__(self, speakers: Speakers, workspace_id: str, client: AsyncWebClient) -> None:
        self._speakers = speakers
        self._workspace_id = workspace_id
        self._client = client

    async def post(
        self,
        channel_id: str,
        message: kit.Message,
        key: str,
        version: int,
        *,
        thread_ts: str | None = None,
        is_broadcast: bool = False,
    ) -> tuple[str, str]:
        """Post a message under its key: its channel and time stamp. What is too rich for Slack is said plainer."""
        given: dict[str, Any] = {
            "channel": channel_id,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key, "version": version}},
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread_ts is not None:
            given |= {"thread_ts": thread_ts, "reply_broadcast": is_broadcast}
        answer = await self._plainer_and_plainer("chat.postMessage", given, message)
        if not answer.get("channel") or not answer.get("ts"):
            raise Unanswered
        return str(answer["channel"]), str(answer["ts"])

    async def edit(self, channel_id: str, ts: str, message: kit.Message) -> None:
        """Let a message say something else; its metadata stays."""
        given = {"channel": channel_id, "ts": ts, "parse": AS_IT_STANDS}
        await self._plainer_and_plainer("chat.update", given, message)

    async def direct(self, user_id: str) -> str:
        """The direct conversation with a person."""
        known, key = self._speakers.direct, (self._workspace_id, user_id)
        if key not in known:
            answer = await self._call("conversations.open", {"users": user_id})
            known[key] = str((answer.get("channel") or {}).get("id") or "")
            if not known[key]:
                del known[key]
                raise Unanswered
            while len(known) > _REMEMBERED:
                known.popitem(last=False)
        return known[key]

    async def find(
        self, channel_id: str, key: str, since: datetime, *, thread_ts: str | None, but_not: str | None = None
    ) -> Found | None:
        """Our message with this key that was posted after `since`, other than the one at `but_not`.

        Raises CannotLook where Slack does not let us read: no scope, or we are not in the channel.
        """
        asked: dict[str, Any] = {
            "channel": channel_id,
            "oldest": f"{(since - _CLOCKS_APART).timestamp():.6f}",
            "include_all_metadata": True,
            "limit": _PAGE,
        }
        method = "conversations.history"
        if thread_ts is not None:
            asked, method = asked | {"ts": thread_ts}, "conversations.replies"
        for _ in range(_PAGES):
            try:
                answer = await self._call(method, asked, verb="GET")
            except SlackApiError as error:
                trouble = judged(error).trouble
                if trouble is Trouble.THREADLESS:
                    return None
                if trouble in _TRANSIENT:
                    raise
                raise CannotLook from error
            for message in answer.get("messages") or ():
                found = _ours(message, key)
                if found is not None and found.ts != but_not:
                    return found
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            asked["cursor"] = cursor
        return None

    async def _plainer_and_plainer(self, method: str, given: dict[str, Any], message: kit.Message) -> dict[str, Any]:
        """With charts; in blocks that every workspace knows; in bare words."""
        forms = [message.arguments(), message.arguments(plain=True), {"text": message.text, "blocks": []}]
        for number, form in enumerate(forms, 1):
            try:
                return await self._call(method, given | form)
            except SlackApiError as error:
                if judged(error).trouble is not Trouble.TOO_RICH or number == len(forms):
                    raise
            if "ts" not in given:
                await self._speakers.sleep(POST_EVERY)  # what was refused counts as a post in its channel
        raise Unanswered  # for the type checker: the last form returns or raises

    async def _call(self, method: str, given: dict[str, Any], *, verb: str = "POST") -> dict[str, Any]:
        async with asyncio.timeout(CALL_SECONDS):
            if verb == "GET":
                asked = {name: str(value).lower() if value is True else value for name, value in given.items()}
                answer = await self._client.api_call(method, http_verb="GET", params=asked)
            else:
                answer = await self._client.api_call(method, json=given)
        return answer.data if isinstance(answer.data, dict) else {}


def _ours(message: dict[str, Any], key: str) -> Found | None:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != EVENT_TYPE or payload.get("key") != key:
        return None
    version = payload.get("version")
    return Found(str(message["ts"]), version if isinstance(version, int) else 0)


def _impatient(client: AsyncWebClient) -> AsyncWebClient:
    """The same client without its own patience: waiting is decided here, where others would wait behind it."""
    return AsyncWebClient(
        token=client.token,
        base_url=client.base_url,
        timeout=int(CALL_SECONDS),
        ssl=client.ssl,
        proxy=client.proxy,
        session=client.session,
        trust_env_in_session=client.trust_env_in_session,
        retry_handlers=[],
    )
