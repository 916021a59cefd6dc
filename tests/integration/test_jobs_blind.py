"""What cannot be read is told once, edited when it is over, by mail while Slack is away, and never lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot import Policy
from demo.mail import MailSink
from demo.slack import SimulatedSlack
from jobs.mail import Mailer, MailServer
from providers.contract import CredentialReason, CredentialRejected, Unavailable
from storage import Storage
from storage.outbox import Outbox
from storage.records_live import OutboxState
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import WORKSPACE, blind_told
from tests.integration.outbox_desk import slack as slack
from tests.integration.outbox_world import ADMIN, CHANNEL, LEAD, OTHER_CHANNEL, Office, OneSlack
from tests.integration.quiet_world import QuietWorld, a_quiet_world

AT_ONCE = Policy(blind_after_minutes=0)
OVER = "비용을 다시 확인하고 있습니다"
AWAY = Unavailable("the provider is away")
REFUSED = CredentialRejected(CredentialReason.INVALID, "no")


@pytest.fixture
def database_kind() -> str:
    """How it is told does not depend on the database; that two replicas tell it once does, and asks for both."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> AsyncIterator[QuietWorld]:
    async with a_quiet_world(storage, clock, AT_ONCE) as made:
        yield made


@pytest.fixture
def office(world: QuietWorld, slack: SimulatedSlack, clock: FakeClock) -> Office:
    return Office(world.bot, slack, clock, OneSlack(slack))


@on_both_databases
async def test_two_replicas_and_many_failures_are_one_message_and_one_edit(
    world: QuietWorld, office: Office, storage: Storage, clock: FakeClock
) -> None:
    """Urgent, measured as an alert; whoever looks again at what is told has nothing to add."""
    twin = Office(world.started_again(), office.slack, clock, office.clients)
    replicas = office.deliverer("one"), twin.deliverer("two")
    world.provider.trouble = AWAY
    for _ in range(3):
        await world.polled(5)
        await asyncio.gather(*(each.bot.blindness.everywhere() for each in (office, twin)))
        await asyncio.gather(*(each.deliver_due() for each in replicas))
    [blind] = office.slack.messages(CHANNEL)
    assert "확인 불가" in blind["text"]
    [row] = await blind_told(world.bot)
    assert (row.urgency, row.version, row.state) == (1, 1, OutboxState.SENT)
    assert "until" not in row.subject
    async with storage.reading() as store:
        [clocks] = await store.incidents.clocks(WORKSPACE, clock() - timedelta(hours=1))
    assert clocks.detected_at == clocks.delivered_at

    world.provider.trouble = None
    await world.polled(5)
    for _ in range(2):
        await asyncio.gather(*(each.deliver_due() for each in replicas))
    [over] = office.slack.messages(CHANNEL)
    assert (over["ts"], "확인 불가" in over["text"]) == (blind["ts"], False)
    assert len(office.calls("chat.postMessage")) == len(office.calls("chat.update")) == 1


async def test_what_cannot_be_kept_is_not_decided_and_found_out_again(
    world: QuietWorld, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between going blind and wanting it said, and between seeing again and wanting that said: nothing of it
    remains, and the next reading decides anew."""

    async def killed(*_: object, **__: object) -> None:
        raise ZeroDivisionError("kill -9")

    world.provider.trouble = AWAY
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "want", killed)
        with pytest.raises(ZeroDivisionError):
            await world.polled(5)
    assert await world.bot.blindness.alerts() == []
    assert (await world.polled(5)).newly_blind
    world.provider.trouble = None
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "want", killed)
        with pytest.raises(ZeroDivisionError):
            await world.polled(5)
    assert len(await world.bot.blindness.alerts()) == 1
    assert (await world.polled(5)).recovered_since is not None
    await office.deliverer().deliver_due()
    [over] = office.slack.messages(CHANNEL)
    assert "확인 불가" not in over["text"]


async def test_while_slack_is_away_a_mail_says_it_and_slack_hears_of_the_end(world: QuietWorld, office: Office) -> None:
    """After a minute, once, from one of two replicas. Over before Slack came back: told once, as what it was."""
    async with MailSink().running() as sink:
        server = MailServer.from_url(sink.url)
        to = ["ops@hanbit.example"]
        office.mailer = Mailer(server, "finops@hanbit.example", to, office.clock, plaintext_hosts={"127.0.0.1"})
        office.slack.fail("*", status=503, times="always")
        world.provider.trouble = AWAY
        await world.polled(5)
        deliverer, alarms = office.deliverer(), [office.alarm("one"), office.alarm("two")]
        for _ in range(8):
            await deliverer.deliver_due()
            await asyncio.gather(*(alarm.look() for alarm in alarms))
            office.clock.advance(seconds=10)
        [mail] = sink.kept
        assert "확인 불가" in mail.subject
        assert "Slack 메시지" in mail.text
        world.provider.trouble = None
        await world.polled(5)
        await deliverer.deliver_due()
        office.slack.hub.faults.clear()
        await office.rounds(deliverer, 3, 20)
        await office.alarm().look()
        assert len(sink.kept) == 1
    [over] = office.slack.messages(CHANNEL)
    assert "확인 불가" not in over["text"]
    assert OVER in over["text"]
    assert office.posts() == [over["text"]]


async def test_a_recovery_that_slack_does_not_take_is_edited_later(world: QuietWorld, office: Office) -> None:
    """And that is soon: what is over within seconds does not wait to be told together with something."""
    deliverer = office.deliverer()
    world.provider.trouble = AWAY
    await world.polled(5)
    await deliverer.deliver_due()
    [blind] = office.slack.messages(CHANNEL)
    world.provider.trouble = None
    office.slack.fail("chat.update", status=500)
    office.clock.advance(seconds=5)
    [alert] = await world.bot.blindness.alerts()
    await world.bot.watching.poll(alert.connection)
    await deliverer.deliver_due()
    assert [one["text"] for one in office.slack.messages(CHANNEL)] == [blind["text"]]
    await office.rounds(deliverer, 2, 10)
    [over] = office.slack.messages(CHANNEL)
    assert (over["ts"], OVER in over["text"]) == (blind["ts"], True)


async def test_where_the_channel_is_closed_people_are_told_directly_of_both(world: QuietWorld, office: Office) -> None:
    """The lead and the administrator, each once, and each message is edited."""
    office.slack.world.channels[CHANNEL].is_archived = True
    deliverer = office.deliverer()
    world.provider.trouble = AWAY
    await world.polled(5)
    await office.rounds(deliverer, 2)
    assert [len(office.told(each)) for each in (LEAD, ADMIN)] == [1, 1]
    world.provider.trouble = None
    await world.polled(5)
    await office.rounds(deliverer, 2)
    said = [message["text"] for each in (LEAD, ADMIN) for message in office.told(each)]
    assert len(said) == 2
    assert all(OVER in text and "확인 불가" not in text for text in said)


async def test_the_message_shows_the_present_reason_and_reaches_whom_it_comes_to_concern(
    world: QuietWorld, office: Office
) -> None:
    """What passes became what a person has to mend; the team moved to another channel; nothing rings twice."""
    deliverer = office.deliverer()
    world.provider.trouble = AWAY
    await world.polled(5)
    await deliverer.deliver_due()
    [first] = office.slack.messages(CHANNEL)
    world.provider.trouble = REFUSED
    await world.polled(5)
    await deliverer.deliver_due()
    [changed] = office.slack.messages(CHANNEL)
    assert (changed["ts"], changed["text"] == first["text"]) == (first["ts"], False)

    await world.bot.teams.update(world.admin, world.team.id, channel_id=OTHER_CHANNEL)
    assert await world.bot.blindness.everywhere() == 1
    assert await world.bot.blindness.everywhere() == 0
    await deliverer.deliver_due()
    [moved] = office.slack.messages(OTHER_CHANNEL)
    assert moved["text"] == changed["text"]
    world.provider.trouble = None
    await world.polled(5)
    await office.rounds(deliverer, 2)
    said = [one["text"] for channel in (CHANNEL, OTHER_CHANNEL) for one in office.slack.messages(channel)]
    assert len(said) == 2
    assert all(OVER in text for text in said)


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_team_that_moves_before_it_could_be_told_is_told_in_its_new_channel_alone(
    world: QuietWorld, office: Office, *, is_over: bool
) -> None:
    """The old one may belong to others by now; so it is when the blindness is over before Slack takes anything."""
    world.provider.trouble = AWAY
    await world.polled(5)
    if is_over:
        world.provider.trouble = None
        await world.polled(5)
    await world.bot.teams.update(world.admin, world.team.id, channel_id=OTHER_CHANNEL)
    twin = world.started_again()
    each = await asyncio.gather(world.bot.blindness.everywhere(), twin.blindness.everywhere())
    assert (sum(each), await twin.blindness.everywhere()) == (1, 0)
    await office.deliverer().deliver_due()
    [told] = office.slack.messages(OTHER_CHANNEL)
    assert (office.slack.messages(CHANNEL), OVER in told["text"]) == ([], is_over)
    await world.bot.teams.update(world.admin, world.team.id, channel_id=CHANNEL)
    assert await twin.blindness.everywhere() == int(not is_over)
    assert len({row.key for row in await blind_told(world.bot)}) == 2 - int(is_over)
