"""A message longer than Slack takes arrives, cut where it is longest, by every way that messages take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from blocks import kit
from blocks.fitting import MESSAGE_TEXT, characters
from demo.slack import SimulatedSlack
from demo.slack.cast import FINOPS, MINSU
from handlers.visit import Respond, Visit, posted
from jobs import slack as speaking
from jobs.delivery_speaker import Speakers
from tests.simulators.slack_kit import a_config, client_of

LINES = "\n".join(f"• project {number}  $1.00" for number in range(100))
LONG = kit.message("every project", [*[kit.section(LINES)] * 9, kit.actions(kit.button("Share", "share", "1"))])


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(config=a_config()) as started:
        yield started


class One:
    """The clients of one workspace."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def of(self, _: str) -> AsyncWebClient:
        return self._client

    def forget(self, _: str) -> None:
        raise AssertionError("nothing is wrong with the token")


async def in_no_time(_: float) -> None:
    """Waiting, where nobody waits."""


def stands_cut(slack: SimulatedSlack) -> bool:
    """Whether the message stands with all its blocks, its button among them, and admits that it was cut."""
    (message,) = slack.messages(FINOPS)
    blocks: list[dict[str, Any]] = message["blocks"]
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    assert characters(blocks) <= MESSAGE_TEXT
    return (len(texts), blocks[-1]["type"]) == (9, "actions") and all(text.endswith("\n…") for text in texts)


async def test_an_answer_in_a_channel_that_is_too_long_together_arrives_cut(slack: SimulatedSlack) -> None:
    """What the digest of a large workspace says in older blocks."""
    await posted(client_of(slack), "chat.postMessage", LONG, channel=FINOPS)
    assert stands_cut(slack)


async def test_news_that_are_too_long_together_arrive_cut_and_are_edited_so(slack: SimulatedSlack) -> None:
    """Slack counts an edit as it counts a post."""
    client = client_of(slack)
    channel_id, ts = await speaking.post(client, FINOPS, kit.line("soon"))
    await speaking.edit(client, channel_id, ts, LONG)
    assert stands_cut(slack)
    await client.chat_delete(channel=channel_id, ts=ts)
    await speaking.post(client, FINOPS, LONG)
    assert stands_cut(slack)


async def test_an_edit_leaves_a_mention_a_mention(slack: SimulatedSlack) -> None:
    """Slack reads the text of an edit as typed unless it is told not to; screen readers and searches read that text."""
    client, told = client_of(slack), kit.message(f"<@{MINSU}> said why", [kit.section("why")])
    _, ts = await speaking.post(client, FINOPS, kit.line("soon"))
    speaker = await Speakers(One(client), in_no_time).of(slack.world.team_id)
    for edit in (speaking.edit(client, FINOPS, ts, told), speaker.edit(FINOPS, ts, told)):
        await edit
        (message,) = slack.messages(FINOPS)
        assert message["text"] == f"<@{MINSU}> said why"


async def test_the_outbox_says_what_is_too_long_together_cut_and_keeps_its_buttons(slack: SimulatedSlack) -> None:
    """Bare words would be without the button."""
    speaker = await Speakers(One(client_of(slack)), in_no_time).of(slack.world.team_id)
    await speaker.post(FINOPS, LONG, "key", 1)
    assert stands_cut(slack)


async def test_an_answer_to_a_command_is_whole_where_slack_takes_it_whole(slack: SimulatedSlack) -> None:
    """The address of a command takes what a post may not be."""
    path = slack.hub.hooks.issue("commands", FINOPS, MINSU)
    client = client_of(slack)
    visit = Visit(None, client, slack.world.team_id, "", MINSU, FINOPS, respond=Respond(slack.url + path, client))  # type: ignore[arg-type]
    await visit.answer(LONG)
    (told,) = slack.person(MINSU).ephemerals(FINOPS)
    assert told["blocks"][0]["text"]["text"] == LINES
