"""Messages reach people once, in order and in time, whatever a strict simulated Slack does on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from blocks import kit
from bot import Bot, Policy
from demo.mail import MailSink
from demo.slack import SimulatedSlack
from jobs.delivery import MOST_ATTEMPTS
from jobs.mail import Mailer, MailServer
from jobs.rendering import NothingToSay, Speech
from storage import Storage
from storage.records_live import OutboxState
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, Tenant, on_both_databases
from tests.integration.live_world import World, a_runaway
from tests.integration.outbox_world import ADMIN, CHANNEL, LEAD, OTHER_CHANNEL, Office, OneSlack, a_slack


@pytest.fixture
def database_kind() -> str:
    """How Slack is spoken to does not depend on the database; what two replicas do asks for both."""
    return "sqlite"


@pytest.fixture
async def slack(clock: FakeClock) -> AsyncIterator[SimulatedSlack]:
    async with a_slack(clock) as simulated:
        yield simulated


@pytest.fixture
def office(storage: Storage, tenant: Tenant, slack: SimulatedSlack, clock: FakeClock) -> Office:
    return Office(Bot(storage, {}, clock, Policy()), slack, clock, OneSlack(slack))


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    return await a_runaway(storage, clock)


@pytest.fixture
async def alarmed(world: World, slack: SimulatedSlack, clock: FakeClock) -> Office:
    """The golden runaway, decided and waiting to be told."""
    await world.evaluate()
    return Office(world.bot, slack, clock, OneSlack(slack))


@pytest.fixture
async def sink() -> AsyncIterator[MailSink]:
    async with MailSink().running() as server:
        yield server


def mailer_to(sink: MailSink, clock: FakeClock) -> Mailer:
    server = MailServer.from_url(sink.url)
    return Mailer(server, "finops@hanbit.example", ["ops@hanbit.example"], clock, plaintext_hosts={"127.0.0.1"})


def measured(office: Office, clock: str) -> tuple[float, float]:
    """How many alerts were measured by a clock, and their seconds together."""
    read = office.metrics.registry.get_sample_value
    count, seconds = (read(f"finops_alert_seconds_{each}", {"clock": clock}) for each in ("count", "sum"))
    return count or 0.0, seconds or 0.0


# -- what people see


@on_both_databases
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


# -- Slack limits, fails, hangs


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
        {"status": 500},
        {"status": 503},
        {"error": "internal_error"},
        {"error": "service_unavailable"},
        {"drop_connection": "before"},
        {"drop_connection": "after"},
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
    stood_at = posted_at if fault == {"drop_connection": "after"} else office.clock()
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


# -- places that are closed


@pytest.mark.parametrize("how", ["not_in_channel", "channel_not_found", "is_archived"])
async def test_a_closed_channel_is_no_silence_the_lead_and_the_admins_are_told(
    alarmed: Office, world: World, how: str
) -> None:
    """Each directly, with the reason; edits and the thread go on there."""
    alarmed.slack.fail("chat.postMessage", error=how, times="always", where={"channel": CHANNEL})
    deliverer = alarmed.deliverer()
    await alarmed.rounds(deliverer, 4)
    assert alarmed.slack.messages(CHANNEL) == []
    for user_id in (LEAD, ADMIN):
        root, line = alarmed.told(user_id)
        assert "$742" in root["text"]
        assert f"<#{CHANNEL}>" in str(root["blocks"])
        assert line["thread_ts"] == root["ts"]
        assert f"<#{CHANNEL}>" not in str(line["blocks"])
    await world.bot.incidents.acknowledge(world.member, 1)
    await alarmed.rounds(deliverer, 4)
    for user_id in (LEAD, ADMIN):
        root, *lines = alarmed.told(user_id)
        assert "박서연" in str(root["blocks"])
        assert len(lines) == 2
    assert measured(alarmed, "detected")[0] == 1
    assert await alarmed.dead() == 0


async def test_who_cannot_be_told_directly_does_not_keep_others_from_it(office: Office) -> None:
    """The lead left the company: the administrator is told, and the doctor has nothing to complain about."""
    office.slack.world.channels[CHANNEL].is_archived = True
    office.slack.world.users[LEAD].deleted = True
    await office.want("a", urgency=1)
    deliverer = office.deliverer()
    await office.rounds(deliverer, 3)
    assert office.standing(office.dm(ADMIN)) == ["a"]
    assert (await office.row("a@" + LEAD)).state is OutboxState.DEAD
    assert await office.dead() == 0


async def test_a_channel_archived_later_moves_the_alert_and_its_thread(office: Office) -> None:
    """The next line finds its thread closed: the root is told directly, and the line below it."""
    deliverer = office.deliverer()
    await office.want("a", recipients=(LEAD,))
    await deliverer.deliver_due()
    office.slack.world.channels[CHANNEL].is_archived = True
    office.clock.advance(seconds=2)
    await office.want("a:line", thread_key="a", recipients=(LEAD,), urgency=1, is_broadcast=True)
    await office.rounds(deliverer, 4)
    root, line = office.told(LEAD)
    assert line["thread_ts"] == root["ts"]
    assert (await office.row("a")).posted_channel_id == office.dm(LEAD)


async def test_a_deleted_message_is_posted_anew_and_its_thread_goes_on(office: Office) -> None:
    deliverer = office.deliverer()
    await office.want("a")
    await deliverer.deliver_due()
    [first] = office.slack.messages(CHANNEL)
    office.slack.world.delete(CHANNEL, next(iter(office.slack.world.messages[CHANNEL])))
    office.clock.advance(minutes=1)
    await office.want("a:line", thread_key="a")
    await office.rounds(deliverer, 4)
    root, line = office.slack.messages(CHANNEL)
    assert (root["ts"] != first["ts"], line["thread_ts"]) == (True, root["ts"])
    assert len(office.calls("chat.update")) == 1


async def test_nobody_in_slack_means_mail(office: Office, sink: MailSink) -> None:
    """Every direct message fails too: it goes by mail, at once, and is not tried for ever."""
    office.mailer = mailer_to(sink, office.clock)
    office.slack.world.channels[CHANNEL].is_archived = True
    office.slack.fail("conversations.open", error="user_disabled", times="always")
    await office.want("a", "한도 초과 &amp; more", urgency=1)
    await office.deliverer().deliver_due()
    [mail] = sink.kept
    assert (mail.subject, mail.recipients) == ("한도 초과 & more", ("ops@hanbit.example",))
    row = await office.row("a")
    assert (row.state, row.mailed_at is not None) == (OutboxState.DEAD, True)
    assert await office.dead() == 0
    await office.alarm().look()
    assert len(sink.kept) == 1


async def test_without_mail_what_reaches_nobody_is_tried_for_a_while_and_then_told_to_the_doctor(
    office: Office,
) -> None:
    office.slack.world.channels[CHANNEL].is_archived = True
    office.slack.fail("conversations.open", error="user_disabled", times="always")
    await office.want("a", urgency=1)
    await office.want("a:line", thread_key="a")
    deliverer = office.deliverer()
    for _ in range(MOST_ATTEMPTS):
        assert await office.dead() == 0
        await deliverer.deliver_due()
        office.clock.advance(minutes=1)
    assert await office.dead() == 2
    office.slack.world.channels[CHANNEL].is_archived = False
    await office.want("a", "changed")
    await office.rounds(deliverer, 2)
    assert office.standing() == ["a", "a:line"]


async def test_a_revoked_token_keeps_everything_and_is_logged_once(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """Looked at again each minute; with a new installation everything is told."""
    good, office.clients.token = office.clients.token, "xoxb-" + "revoked"
    await office.want("a", urgency=1)
    await office.want("b", channel_id=OTHER_CHANNEL)
    deliverer = office.deliverer()
    await office.rounds(deliverer, 5, 60)
    told = [record for record in caplog.records if record.message == "workspace cannot be told anything"]
    assert len(told) == 1
    assert len(office.calls("chat.postMessage")) <= 2 * 5
    office.clients.token = good
    await deliverer.deliver_due()
    office.clock.advance(minutes=1)
    await deliverer.deliver_due()
    assert (office.standing(), office.standing(OTHER_CHANNEL)) == (["a"], ["b"])


async def test_an_app_that_was_removed_keeps_its_messages(office: Office) -> None:
    office.clients.workspaces = ()
    await office.want("a")
    deliverer = office.deliverer()
    await office.rounds(deliverer, 5, 60)
    assert (await office.row("a")).state is OutboxState.WAITING
    assert office.slack.calls == []


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
    """Suspended between taking a message and posting it: the lease is over, another may be posting right now."""
    slow = office.render["note"]

    async def asleep(speech: Speech) -> kit.Message:
        office.clock.advance(minutes=10)
        office.render["note"] = slow
        return await slow(speech)

    office.render["note"] = asleep
    await office.want("a")
    deliverer = office.deliverer()
    await deliverer.look()
    await deliverer.drained()
    assert office.calls("chat.postMessage") == []
    office.clock.advance(seconds=2)
    await deliverer.deliver_due()
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


@on_both_databases
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
