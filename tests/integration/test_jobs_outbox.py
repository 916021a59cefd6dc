"""Messages reach people once, in order and in time, whatever a strict simulated Slack does on the way."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from blocks import kit
from bot import Bot, Policy
from demo.mail import MailSink
from jobs.delivery import MOST_ATTEMPTS
from jobs.delivery_speaker import Speaker
from jobs.speech import NothingToSay, Speech
from storage.records_live import OutboxState
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, on_both_databases
from tests.integration.live_world import World
from tests.integration.outbox_desk import alarmed as alarmed
from tests.integration.outbox_desk import database_kind as database_kind
from tests.integration.outbox_desk import mailer_to, measured
from tests.integration.outbox_desk import office as office
from tests.integration.outbox_desk import sink as sink
from tests.integration.outbox_desk import slack as slack
from tests.integration.outbox_desk import world as world
from tests.integration.outbox_world import CHANNEL, OTHER_CHANNEL, Office

# -- what people see


async def test_a_runaway_is_one_message_with_its_story_in_the_thread(alarmed: Office) -> None:
    """The golden two lines in the channel; the crossing below it; both clocks measured and kept."""
    alarmed.clock.advance(seconds=4)
    await alarmed.deliverer().deliver_due()
    alarmed.clock.advance(seconds=2)
    await alarmed.deliverer().deliver_due()
    root, line = alarmed.slack.messages(CHANNEL)
    assert root["text"].splitlines()[0] == "🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $742 (148%)"
    assert line["thread_ts"] == root["ts"]
    assert "100%" in line["text"]
    assert "subtype" not in line  # beside a new root message the root is what rings
    [row] = [one for one in [await alarmed.row("incident:1")] if one.delivered_at is not None]
    assert (row.ts, row.posted_channel_id, row.state) == (root["ts"], CHANNEL, OutboxState.SENT)
    assert measured(alarmed, "detected") == (1, 4.0)
    assert measured(alarmed, "available")[0] == 1
    async with alarmed.bot.storage.reading() as store:
        [clocks] = await store.incidents.clocks(WORKSPACE, alarmed.clock() - timedelta(hours=1))
    assert (clocks.delivered_at - clocks.detected_at).total_seconds() == 4
    assert alarmed.slack.complaints == []


async def test_a_click_shows_at_once_and_in_the_thread(alarmed: Office, world: World) -> None:
    """Who acknowledged stands in the root and in its thread; still one message in the channel."""
    deliverer = alarmed.deliverer()
    await alarmed.rounds(deliverer, 3)
    await world.bot.incidents.acknowledge(world.member, 1)
    await alarmed.rounds(deliverer, 2)
    root, _, acknowledged = alarmed.slack.messages(CHANNEL)
    assert "박서연" in str(root["blocks"])
    assert "박서연" in acknowledged["text"]
    assert acknowledged["thread_ts"] == root["ts"]
    assert len(alarmed.calls("chat.update")) == 1


async def test_edits_are_told_together(office: Office) -> None:
    """Five changes within half a minute are one edit, of the last of them; what a click changed is edited at once."""
    deliverer = office.deliverer()
    await office.want("a", "first")
    await deliverer.deliver_due()
    for number in range(5):
        office.clock.advance(seconds=5)
        await office.want("a", f"change {number}")
        await deliverer.deliver_due()
    assert office.calls("chat.update") == []
    office.clock.advance(seconds=5)
    await deliverer.deliver_due()
    assert [call.text for call in office.calls("chat.update")] == ["change 4"]
    await office.want("a", "clicked", is_prompt=True)
    await deliverer.deliver_due()
    assert [call.text for call in office.calls("chat.update")] == ["change 4", "clicked"]
    [message] = office.slack.messages(CHANNEL)
    assert message["text"] == "clicked"


async def test_a_line_waits_for_its_root_and_for_the_lines_before_it(office: Office) -> None:
    await office.want("a:line", thread_key="a")
    await office.want("a:second", thread_key="a", is_broadcast=True, urgency=1)
    await office.want("a")
    office.slack.fail("chat.postMessage", error="ratelimited", retry_after=7)
    deliverer = office.deliverer()
    await deliverer.deliver_due()
    assert office.standing() == []
    for _ in range(10):
        office.clock.advance(seconds=2)
        await deliverer.deliver_due()
    root, line, second = office.slack.messages(CHANNEL)
    assert office.standing() == ["a", "a:line", "a:second"]
    assert {line["thread_ts"], second["thread_ts"]} == {root["ts"]}
    assert (line.get("subtype"), second.get("subtype")) == (None, "thread_broadcast")


async def test_urgent_goes_before_routine(office: Office) -> None:
    """However long the routine ones have waited for the same channel."""
    for number in range(3):
        await office.want(f"routine {number}")
    office.clock.advance(minutes=5)
    await office.want("urgent", urgency=1)
    deliverer = office.deliverer()
    while len(office.standing()) < 4:
        await deliverer.deliver_due()
        office.clock.advance(seconds=0.5)
    assert office.standing() == ["urgent", "routine 0", "routine 1", "routine 2"]


async def test_a_channel_gets_a_message_a_second_and_channels_go_side_by_side(office: Office) -> None:
    """Twelve messages for three channels take as long as four for one; Slack never has to say 429."""
    channels = [CHANNEL, OTHER_CHANNEL, "C0FINOPS01"]
    for number in range(12):
        await office.want(f"{number}", channel_id=channels[number % 3])
    began, deliverer = office.clock(), office.deliverer()
    while len(office.posts()) < 12:
        await deliverer.deliver_due()
        office.clock.advance(seconds=0.2)
    assert office.clock() - began < timedelta(seconds=6)
    for channel in channels:
        moments = [call.at for call in office.calls("chat.postMessage", channel)]
        assert len(moments) == 4
        assert all(later - earlier >= timedelta(seconds=1) for earlier, later in pairwise(moments))
    assert all(call.ok for call in office.calls("chat.postMessage"))


# -- mistakes of ours


async def test_a_mistake_in_one_message_does_not_stop_the_others(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """Logged with a reference, tried with growing waits, given up in the end, and the doctor knows."""

    async def stumble(_: Speech) -> kit.Message:
        raise ZeroDivisionError("share of nothing")

    office.render["bug"] = stumble
    async with office.bot.storage.writing() as store:
        await store.outbox.want(WORKSPACE, "broken", "bug", {}, CHANNEL, (), urgency=1, at=office.clock())
        await store.outbox.want(WORKSPACE, "unknown", "from the future", {}, CHANNEL, (), at=office.clock())
    await office.want("fine", channel_id=OTHER_CHANNEL)
    deliverer = office.deliverer()
    await deliverer.deliver_due()
    assert office.standing(OTHER_CHANNEL) == ["fine"]
    references = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert references
    assert all(record.__dict__["reference"] for record in references)
    for _ in range(MOST_ATTEMPTS + 2):
        office.clock.advance(minutes=6)
        await deliverer.deliver_due()
    assert (await office.row("broken")).state is OutboxState.DEAD
    assert (await office.row("broken")).attempts == MOST_ATTEMPTS
    assert await office.dead() == 2


async def test_what_is_about_nothing_any_more_is_dropped(office: Office) -> None:
    async def nothing(_: Speech) -> kit.Message:
        raise NothingToSay

    office.render["note"] = nothing
    await office.want("a")
    await office.deliverer().deliver_due()
    assert (await office.row("a")).state is OutboxState.DEAD
    assert office.slack.calls == []


async def test_who_overslept_leaves_it_to_the_next(office: Office) -> None:
    """Suspended between taking a message and posting it: another has taken it over, and may be posting right now."""
    slow, next_one = office.render["note"], office.deliverer("next")

    async def asleep(speech: Speech) -> kit.Message:
        office.clock.advance(minutes=10)
        office.render["note"] = slow
        await next_one.deliver_due()
        return await slow(speech)

    office.render["note"] = asleep
    await office.want("a")
    deliverer = office.deliverer()
    await deliverer.look()
    await deliverer.drained()
    assert office.calls("chat.postMessage") == []
    office.clock.advance(seconds=15)
    await next_one.deliver_due()
    assert office.standing() == ["a"]


# -- mail


async def test_slack_failing_for_a_minute_sends_a_mail_once_and_the_message_comes_later(
    alarmed: Office, sink: MailSink
) -> None:
    """One mail for one incident, from one of two replicas; the same facts; and Slack still gets the message."""
    alarmed.mailer = mailer_to(sink, alarmed.clock)
    alarmed.slack.fail("*", status=503, times="always")
    deliverer, alarms = alarmed.deliverer(), [alarmed.alarm("one"), alarmed.alarm("two")]
    for _ in range(12):
        await deliverer.deliver_due()
        await asyncio.gather(*(alarm.look() for alarm in alarms))
        if alarmed.clock() - (await alarmed.row("incident:1")).first_wanted_at < timedelta(seconds=60):
            assert sink.kept == []
        alarmed.clock.advance(seconds=10)
    [mail] = sink.kept
    assert mail.subject == "🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $742 (148%)"
    assert "chatbot-experiment · 평소($50) 대비 1,384% 증가" in mail.text
    assert "app_redirect" not in mail.text  # it stands nowhere yet
    alarmed.slack.hub.faults.clear()
    alarmed.clock.advance(seconds=20)
    await deliverer.deliver_due()
    assert len(alarmed.slack.messages(CHANNEL)) >= 1


async def test_a_mail_server_that_is_away_is_tried_again(office: Office, sink: MailSink) -> None:
    """Kept, each minute again, until it takes it."""
    office.mailer = mailer_to(sink, office.clock)
    sink.refuse += ["451 later", "554 no"]
    office.clients.token = "xoxb-" + "revoked"
    await office.want("a", urgency=1)
    await office.want("routine")
    alarm = office.alarm()
    for _ in range(30):
        office.clock.advance(seconds=10)
        await alarm.look()
    [mail] = sink.kept
    assert mail.subject == "a"
    assert (await office.row("a")).mailed_at == office.clock() - timedelta(seconds=300 - 180)


async def test_a_later_alert_of_the_same_thread_is_mailed_with_a_link(office: Office, sink: MailSink) -> None:
    """The root stands; Slack goes away; the escalation is mailed and leads to the root."""
    office.mailer = mailer_to(sink, office.clock)
    await office.want("a", urgency=1)
    await office.deliverer().deliver_due()
    [root] = office.slack.messages(CHANNEL)
    await office.want("a:up", "it went on", thread_key="a", urgency=1, is_broadcast=True)
    office.clock.advance(seconds=61)
    await office.alarm().look()
    [mail] = sink.kept
    assert f"https://slack.com/app_redirect?team={WORKSPACE}&channel={CHANNEL}&message_ts={root['ts']}" in mail.text


async def test_a_letter_that_cannot_be_written_does_not_stop_the_others(
    office: Office, sink: MailSink, caplog: pytest.LogCaptureFixture
) -> None:
    office.mailer = mailer_to(sink, office.clock)
    async with office.bot.storage.writing() as store:
        await store.outbox.want(WORKSPACE, "unknown", "from the future", {}, CHANNEL, (), urgency=1, at=office.clock())
    await office.want("a", urgency=1)
    office.clock.advance(seconds=61)
    alarm = office.alarm()
    for _ in range(3):
        await alarm.look()
        office.clock.advance(minutes=2)
    assert [mail.subject for mail in sink.kept] == ["a"]
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


# -- replicas, and the loop


@on_both_databases
async def test_two_replicas_tell_everything_once(office: Office) -> None:
    for number in range(12):
        await office.want(f"{number}", channel_id=[CHANNEL, OTHER_CHANNEL, "C0FINOPS01"][number % 3])
    replicas = [office.deliverer("one"), office.deliverer("two")]
    while len(office.posts()) < 12:
        await asyncio.gather(*(replica.deliver_due() for replica in replicas))
        office.clock.advance(seconds=0.6)
    stands = [key for channel in (CHANNEL, OTHER_CHANNEL, "C0FINOPS01") for key in office.standing(channel)]
    assert sorted(stands, key=int) == [str(number) for number in range(12)]


async def test_a_dead_replicas_messages_are_taken_over_and_looked_for(office: Office) -> None:
    """It posted and died before it could say so."""
    await office.want("a", urgency=1)
    async with office.bot.storage.writing() as store:
        [message] = await store.outbox.lease("dead", office.clock(), timedelta(seconds=40), 1)
    client = await office.clients.of(WORKSPACE)
    metadata = {"event_type": "finops_message", "event_payload": {"key": message.key, "version": 1}}
    await client.chat_postMessage(channel=CHANNEL, text="a", metadata=metadata)
    deliverer = office.deliverer("alive")
    await deliverer.deliver_due()
    assert (await office.row("a")).state is OutboxState.SENDING
    office.clock.advance(seconds=41)
    await deliverer.deliver_due()
    office.clock.advance(seconds=16)
    await deliverer.deliver_due()
    assert office.standing() == ["a"]
    assert (await office.row("a")).state is OutboxState.SENT


@on_both_databases
@pytest.mark.parametrize("moment", ["before", "during"])
async def test_a_replica_whose_clock_runs_ahead_of_a_lease_posts_nothing_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """To it the other is long silent, and was about to post, or is in the midst of it, when it takes the message."""
    ahead = FakeClock(office.clock() + timedelta(minutes=3))
    other = Office(Bot(office.bot.storage, {}, ahead, Policy()), office.slack, ahead, office.clients)
    one, two = office.deliverer("one"), other.deliverer("two")
    say, post = office.render["note"], Speaker.post

    async def slowly(speech: Speech) -> kit.Message:
        await two.deliver_due()
        office.clock.advance(seconds=2)  # this channel takes a post a second
        return await say(speech)

    async def slow_post(speaker: Speaker, *given: Any, **more: Any) -> tuple[str, str]:
        monkeypatch.setattr(Speaker, "post", post)
        await two.deliver_due()
        office.clock.advance(seconds=2)
        return await post(speaker, *given, **more)

    if moment == "before":
        office.render["note"] = slowly
    else:
        monkeypatch.setattr(Speaker, "post", slow_post)
    await office.want("a", urgency=1)
    await one.deliver_due()
    ahead.advance(seconds=16)
    office.clock.advance(seconds=16)
    await two.deliver_due()
    assert Speaker.post is post, "one was in the midst of it, once"
    assert office.standing() == ["a"]
    assert (await office.row("a")).state is OutboxState.SENT


async def test_it_wakes_by_itself_and_stops_when_everything_is_said(office: Office) -> None:
    """In real time: wanted, woken, told; stopped while Slack is slow, it finishes what it began."""
    deliverer = office.deliverer()
    running = asyncio.create_task(deliverer.run())
    await office.want("a", urgency=1)
    office.bot.wake_outbox.set()
    await office.slack.next("chat.postMessage")
    begun, say = asyncio.Event(), office.render["note"]

    async def slowly(speech: Speech) -> kit.Message:
        begun.set()
        return await say(speech)

    office.render["note"] = slowly
    await office.want("b", channel_id=OTHER_CHANNEL)
    office.bot.wake_outbox.set()
    await begun.wait()
    deliverer.stop()
    await running
    assert (await office.row("b")).state is OutboxState.SENT
    assert office.metrics.registry.get_sample_value("finops_outbox_waiting") is not None
