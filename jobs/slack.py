"""Speaking to Slack from a job: nobody waits for an answer, so trouble is logged and the work goes on."""

from __future__ import annotations

import logging
from typing import Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from blocks import kit
from blocks.answered import is_too_rich

log = logging.getLogger(__name__)

# What may go wrong on the way to Slack; a LookupError is a workspace that removed the app.
TROUBLE = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError, LookupError)
# Without it the text of an edit is taken as if somebody had typed it, unlike that of a post: a mention in it is not one
# any more (https://docs.slack.dev/reference/methods/chat.update).
AS_IT_STANDS = "none"


class SlackClients(Protocol):
    """Whoever can speak for us in a workspace; made by app.py."""

    async def of(self, workspace_id: str) -> AsyncWebClient:
        """A client with the workspace's token; LookupError when the app was removed there."""
        ...

    def forget(self, workspace_id: str) -> None:
        """Ask anew for the token of a workspace: Slack does not take the one that is remembered."""
        ...


async def post(client: AsyncWebClient, channel_id: str, message: kit.Message) -> tuple[str, str]:
    """Post a message, in plainer blocks where Slack does not take these; its channel and time stamp."""
    try:
        answer = await client.chat_postMessage(channel=channel_id, **message.arguments())
    except SlackApiError as error:
        if not is_too_rich(error):
            raise
        answer = await client.chat_postMessage(channel=channel_id, **message.arguments(plain=True))
    return str(answer["channel"]), str(answer["ts"])


async def edit(client: AsyncWebClient, channel_id: str, ts: str, message: kit.Message) -> None:
    """Let a message say something else."""
    try:
        await client.chat_update(channel=channel_id, ts=ts, parse=AS_IT_STANDS, **message.arguments())
    except SlackApiError as error:
        if not is_too_rich(error):
            raise
        await client.chat_update(channel=channel_id, ts=ts, parse=AS_IT_STANDS, **message.arguments(plain=True))
