"""Slack limits, fails, hangs or cannot be reached: each message stands once, and keeps no other waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from demo.slack import SimulatedSlack
from jobs.delivery import MOST_ATTEMPTS
from storage.records_live import OutboxState
from tests.conftest import FakeClock
from tests.databases import WORKSPACE
from tests.integration.outbox_desk import database_kind as database_kind
from tests.integration.outbox_desk import office as office
from tests.integration.outbox_desk import slack as slack
from tests.integration.outbox_world import CHANNEL, LEAD, OTHER_CHANNEL, Office, OneSlack, a_slack


async def test_a_429_holds_its_channel_only(office: Office) -> None:
    """An urgent alert elsewhere goes on; the held one comes after Retry-After, once, and was asked for once before."""
    office.slack.fail("chat.postMessage", error="ratelimited", retry_after=30, where={"channel": CHANNEL})
    await office.want("held", urgency=1)
    await office.want("elsewhere", channel_id=OTHER_CHANNEL, urgency=1)
    deliverer = office.deliverer()
    await deliverer.deliver_due()
    assert (office.standing(), office.standing(OTHER_CHANNEL)) == ([], ["elsewhere"])
    office.clock.advance(seconds=29)
    await office.want("more elsewhere", channel_id=OTHER_CHANNEL)
    await deliverer.deliver_due()
    assert len(office.calls("chat.postMessage", CHANNEL)) == 1
    assert office.standing(OTHER_CHANNEL) == ["elsewhere", "more elsewhere"]
    office.clock.advance(seconds=2)
    await deliverer.deliver_due()
    assert office.standing() == ["held"]
    assert (await office.row("held")).is_uncertain is False


async def test_429_in_three_channels_in_a_row_is_about_the_workspace(office: Office) -> None:
    """Then nobody there is asked again before Slack's time."""
    office.slack.fail("chat.postMessage", error="ratelimited", retry_after=20, times=3)
    for number, channel_id in enumerate((CHANNEL, OTHER_CHANNEL, "C0FINOPS01")):
        await office.want(f"{number}", channel_id=channel_id)
    deliverer = office.deliverer()
    await deliverer.deliver_due()
    await office.want("more", channel_id=None, recipients=(LEAD,), urgency=1)
    office.clock.advance(seconds=10)
    await deliverer.deliver_due()
    assert len(office.calls("chat.postMessage")) == 3
    for _ in range(6):
        office.clock.advance(seconds=3)
        await deliverer.deliver_due()
    assert len(office.posts()) == 4


async def test_a_limited_edit_holds_edits_and_not_posts(office: Office) -> None:
    deliverer = office.deliverer()
    await office.want("a")
    await deliverer.deliver_due()
    office.clock.advance(minutes=1)
    office.slack.fail("chat.update", error="ratelimited", retry_after=15)
    await office.want("a", "changed")
    await office.want("b", channel_id=OTHER_CHANNEL)
    await deliverer.deliver_due()
    assert office.standing(OTHER_CHANNEL) == ["b"]
    office.clock.advance(seconds=10)
    await deliverer.deliver_due()
    assert len(office.calls("chat.update")) == 1
    office.clock.advance(seconds=6)
    await deliverer.deliver_due()
    assert office.slack.messages(CHANNEL)[0]["text"] == "changed"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"error": "internal_error"},
        {"drop_connection": "before"},
        {"drop_connection": "after"},
        {"answer": "html"},
        {"answer": "truncated"},
        {"answer": "cut_off"},
    ],
    ids=str,
)
async def test_a_message_of_unknown_fate_is_looked_for_and_stands_once(office: Office, fault: dict[str, Any]) -> None:
    """Whether Slack took it before it failed or not: once, and nobody is told that it might be twice."""
    office.slack.fail("chat.postMessage", **fault)
    await office.want("a", urgency=1, detected_at=office.clock())
    deliverer = office.deliverer()
    await deliverer.deliver_due()
    assert (await office.row("a")).is_uncertain
    posted_at = office.clock()
    office.clock.advance(seconds=5)
    await deliverer.deliver_due()
    [message] = office.slack.messages(CHANNEL)
    row = await office.row("a")
    assert (row.state, row.ts) == (OutboxState.SENT, message["ts"])
    assert ":repeat:" not in str(message["blocks"])
    assert len(office.calls("conversations.history")) == 1
    stood_at = posted_at if fault == {"drop_connection": "after"} or "answer" in fault else office.clock()
    assert row.delivered_at is not None
    assert abs(row.delivered_at - stood_at) < timedelta(seconds=1)


async def test_an_answer_that_came_too_late_is_found(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """We stopped waiting, Slack did not stop working: a line of a thread is found among its replies."""
    deliverer = office.deliverer()
    await office.want("a")
    await deliverer.deliver_due()
    office.clock.advance(seconds=2)
    monkeypatch.setattr("jobs.delivery_speaker.CALL_SECONDS", 0.05)
    office.slack.fail("chat.postMessage", delay_seconds=0.1)
    await office.want("a:line", thread_key="a", urgency=1)
    await deliverer.deliver_due()
    while len(office.posts()) < 2:
        await office.slack.next("chat.postMessage")
    monkeypatch.undo()
    office.clock.advance(seconds=5)
    await deliverer.deliver_due()
    assert office.standing() == ["a", "a:line"]
    assert (await office.row("a:line")).state is OutboxState.SENT
    assert len(office.calls("conversations.replies")) == 1


async def test_it_is_looked_for_behind_what_others_said_meanwhile(office: Office) -> None:
    """More than Slack hands over at once."""
    office.slack.fail("chat.postMessage", drop_connection="after")
    await office.want("a", "limit reached", urgency=1)
    deliverer = office.deliverer()
    await deliverer.deliver_due()
    client = await office.clients.of(WORKSPACE)
    for number in range(20):
        office.clock.advance(seconds=2)
        await client.chat_postMessage(channel=CHANNEL, text=f"other {number}")
    await deliverer.deliver_due()
    assert (await office.row("a")).state is OutboxState.SENT
    assert [one["text"] for one in office.slack.messages(CHANNEL)].count("limit reached") == 1
    assert len(office.calls("conversations.history")) == 2


async def test_where_we_may_not_look_it_is_sent_again_and_says_so(
    office: Office, clock: FakeClock, slack: SimulatedSlack
) -> None:
    """Without the optional scopes a message of unknown fate is repeated, visibly."""
    async with a_slack(clock, may_look=False) as strict:
        blind = Office(office.bot, strict, clock, OneSlack(strict))
        strict.fail("chat.postMessage", drop_connection="after")
        await blind.want("a", "limit reached")
        deliverer = blind.deliverer()
        await deliverer.deliver_due()
        clock.advance(seconds=5)
        await deliverer.deliver_due()
        first, second = strict.messages(CHANNEL)
    assert ":repeat:" not in str(first["blocks"])
    assert ":repeat:" in str(second["blocks"])
    assert (await blind.row("a")).ts == second["ts"]


async def test_while_looking_fails_nothing_is_posted_twice(office: Office) -> None:
    office.slack.fail("chat.postMessage", drop_connection="after")
    office.slack.fail("conversations.history", status=503, times=2)
    await office.want("a")
    deliverer = office.deliverer()
    for _ in range(4):
        await deliverer.deliver_due()
        office.clock.advance(seconds=10)
    assert office.standing() == ["a"]
    assert (await office.row("a")).state is OutboxState.SENT


async def test_slack_that_cannot_be_reached_is_tried_later_and_later(office: Office) -> None:
    """A connection that was never made carried nothing: there is nothing to look for."""
    await office.want("a", urgency=1)
    address, office.slack.hub.url = office.slack.hub.url, "http://127.0.0.1:9"
    deliverer, waits = office.deliverer(), []
    for _ in range(6):
        await deliverer.deliver_due()
        row = await office.row("a")
        waits.append((row.next_at - office.clock()).total_seconds())
        office.clock.advance(seconds=waits[-1] + 2)
    assert waits == [1, 2, 4, 8, 15, 15]
    assert not row.is_uncertain
    office.slack.hub.url = address
    await deliverer.deliver_due()
    assert office.standing() == ["a"]
    assert office.calls("conversations.history") == []


async def test_blocks_a_workspace_does_not_know_are_said_plainer(office: Office) -> None:
    """The plain form; and when even that is refused, the words alone."""
    await office.want("rich", "first", subject={"is_rich": True})
    await office.deliverer().deliver_due()
    [message] = office.slack.messages(CHANNEL)
    assert "in words" in str(message["blocks"])
    office.clock.advance(seconds=2)
    office.slack.fail("chat.postMessage", error="invalid_blocks", times=2)
    await office.want("bare", "in bare words")
    await office.deliverer().deliver_due()
    assert office.slack.messages(CHANNEL)[1]["text"] == "in bare words"
    assert "blocks" not in office.slack.messages(CHANNEL)[1]


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
@pytest.mark.parametrize("code", ["accesslimited", "message_limit_exceeded"])
async def test_what_slack_refuses_for_a_while_is_kept_for_as_long_as_it_lasts(
    office: Office, method: str, code: str
) -> None:
    """An hour on a wrong network, or of a workspace that says too much: nothing is given up, nobody is hurried."""
    deliverer = office.deliverer()
    if method == "chat.update":
        await office.want("a", "before", urgency=1)
        await deliverer.deliver_due()
        office.clock.advance(minutes=1)
    office.slack.fail(method, error=code, times="always")
    await office.want("a", "after", urgency=1)
    await office.rounds(deliverer, 2 * MOST_ATTEMPTS, 225)
    assert (await office.row("a")).state is OutboxState.WAITING
    assert MOST_ATTEMPTS < len(office.calls(method)) <= 2 + 2 * MOST_ATTEMPTS
    office.slack.hub.faults.clear()
    office.clock.advance(minutes=1)
    await deliverer.deliver_due()
    assert [message["text"] for message in office.slack.messages(CHANNEL)] == ["after"]
