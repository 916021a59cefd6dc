"""Channels that are archived, people who cannot be told, tokens that are revoked: no alert is silent for it."""

from __future__ import annotations

import pytest

from demo.mail import MailSink
from jobs.delivery import MOST_ATTEMPTS
from storage.records_live import OutboxState
from tests.integration.live_world import World
from tests.integration.outbox_desk import alarmed as alarmed
from tests.integration.outbox_desk import database_kind as database_kind
from tests.integration.outbox_desk import mailer_to, measured
from tests.integration.outbox_desk import office as office
from tests.integration.outbox_desk import sink as sink
from tests.integration.outbox_desk import slack as slack
from tests.integration.outbox_desk import world as world
from tests.integration.outbox_world import ADMIN, CHANNEL, LEAD, OTHER_CHANNEL, Office


async def test_a_closed_channel_is_no_silence_the_lead_and_the_admins_are_told(alarmed: Office, world: World) -> None:
    """Each directly, with the reason; edits and the thread go on there."""
    alarmed.slack.fail("chat.postMessage", error="not_in_channel", times="always", where={"channel": CHANNEL})
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
