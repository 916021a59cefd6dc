"""Monday in Slack and in the mailbox: the root, its thread and the mail, each once, wherever the channel is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.voting import poll_key
from demo.mail import MailSink
from finops.digest import DigestVersion
from finops.digest_thread import thread_keys
from finops.queries import ScopeKind
from jobs.digest_mail import TRY_AGAIN, WAIT_FOR_SLACK, DigestMail
from jobs.digester import Digester
from jobs.mail import Mailer, MailServer
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE
from tests.integration.digest_world import WEEK, World, a_week
from tests.integration.mortals import Mortals
from tests.integration.outbox_world import ADMIN, CHANNEL, LEAD, Office, OneSlack, a_slack, key_of


@pytest.fixture
def database_kind() -> str:
    """What the database decides is asked of both elsewhere."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    return await a_week(storage, clock)


@pytest.fixture
async def office(world: World) -> AsyncIterator[Office]:
    async with a_slack(world.clock) as slack:
        yield Office(world.bot, slack, world.clock, OneSlack(slack))


@pytest.fixture
async def sink() -> AsyncIterator[MailSink]:
    async with MailSink().running() as server:
        yield server


def a_digester(world: World, sink: MailSink | None = None, name: str = "replica") -> Digester:
    mailer = None
    if sink is not None:
        server, people = MailServer.from_url(sink.url), ["boss@hanbit.example"]
        mailer = Mailer(server, "FinOps <finops@hanbit.example>", people, world.clock, plaintext_hosts={"127.0.0.1"})
    return Digester(world.bot, DigestMail(world.bot, mailer, name))


async def expected(world: World, key: str) -> list[str]:
    """The keys of a digest that was wanted under this key: its root, its thread, and the pulse below, in a channel."""
    root = await world.row(key)
    version = DigestVersion(root.subject["version"])
    shown = await world.bot.digests.told(WORKSPACE, int(root.subject["digest_id"]), version)
    pulse = [] if root.channel_id is None else [poll_key(1)]
    return [key, *(f"{key}:{name}" for name in thread_keys(shown)), *pulse]


async def test_the_team_reads_it_in_its_channel_and_the_admin_directly(world: World, office: Office) -> None:
    assert await a_digester(world).look()
    await office.rounds(office.deliverer(), 20)
    for key, messages in (
        (world.root(), office.slack.messages(CHANNEL)),
        (world.root(ScopeKind.WORKSPACE), office.told(ADMIN)),
    ):
        root, *lines = messages
        assert [key_of(each) for each in (root, *lines)] == await expected(world, key)
        assert {line["thread_ts"] for line in lines} == {root["ts"]}
        assert "$77" in root["text"]
    assert await office.dead() == 0


async def test_a_closed_channel_is_no_silence(world: World, office: Office) -> None:
    """Archived, or the bot was put out: the lead and the admins read it directly, thread and all."""
    office.slack.fail("chat.postMessage", error="is_archived", times="always", where={"channel": CHANNEL})
    await a_digester(world).look()
    await office.rounds(office.deliverer(), 40)
    assert office.slack.messages(CHANNEL) == []
    count = len(await expected(world, world.root()))
    assert len(office.told(LEAD)) == count
    assert sum(key_of(each).startswith(world.root()) for each in office.told(ADMIN)) == count - 1


async def test_the_mail_goes_once_with_the_same_numbers(world: World, sink: MailSink) -> None:
    """Two replicas, three looks each: one mail, in HTML and in words, to whom the operator named."""
    replicas = [a_digester(world, sink, name) for name in ("one", "two")]
    for _ in range(3):
        await asyncio.gather(*(one.look() for one in replicas))
        world.clock.advance(seconds=20)
    [mail] = sink.kept
    assert mail.recipients == ("boss@hanbit.example",)
    parts = {part.get_content_type(): part.get_content() for part in mail.message.walk() if not part.is_multipart()}
    assert set(parts) == {"text/plain", "text/html"}
    assert all("777" in part for part in parts.values())


async def test_where_there_are_several_workspaces_the_mail_says_whose_week_it_is(world: World, sink: MailSink) -> None:
    """All of them go to whom the operator named, and no figure in them tells one from another."""
    async with world.storage.writing() as store:
        await store.workspaces.ensure(
            "T0OTHER001", name="Other", locale="ko", timezone="Asia/Seoul", installed_by=None, at=MOMENT
        )
    digester = a_digester(world, sink)
    for _ in range(2):
        await digester.look()
        world.clock.advance(seconds=20)
    [mail] = sink.kept
    async with world.storage.reading() as store:
        mine = await store.workspaces.get(WORKSPACE)
    assert mine is not None
    assert mail.subject.startswith(f"[{mine.name}] ")
    words = {part.get_content_type(): part.get_content() for part in mail.message.walk() if not part.is_multipart()}
    assert all(f"[{mine.name}] " in each for each in words.values())


async def test_a_mail_server_that_is_away_is_asked_again(world: World, sink: MailSink) -> None:
    sink.refuse.append("451 later")
    digester = a_digester(world, sink)
    await digester.look()
    world.clock.advance(seconds=60)
    await digester.look()
    assert sink.kept == []
    world.clock.advance(seconds=TRY_AGAIN.total_seconds())
    await digester.look()
    assert len(sink.kept) == 1


async def test_the_mail_of_a_channel_waits_a_moment_for_its_link(world: World, sink: MailSink) -> None:
    whole = await world.place(ScopeKind.WORKSPACE)
    await world.bot.digests.channels.configure(world.admin, replace(whole, channel_id="C0BOSS0001"))
    digester = a_digester(world, sink)
    await digester.look()
    assert sink.kept == []
    world.clock.advance(seconds=WAIT_FOR_SLACK.total_seconds())
    await digester.look()
    assert len(sink.kept) == 1


async def test_switched_off_no_mail_goes(world: World, sink: MailSink) -> None:
    whole = await world.place(ScopeKind.WORKSPACE)
    await world.bot.digests.channels.configure(world.admin, replace(whole, is_mailed=False))
    await a_digester(world, sink).look()
    assert sink.kept == []


async def test_killed_at_any_step_of_telling_each_place_is_told_once(
    storage: Storage, clock: FakeClock, database_url: str, world: World, mortals: Mortals
) -> None:
    """A process dies by SIGKILL at its n-th step, for every n; the next one tells the rest, and nothing twice."""
    path, later = database_url.removeprefix("sqlite:///"), (clock() + timedelta(minutes=1)).isoformat()
    deaths = await mortals.told("digest_process", path, later)
    assert [death["was_killed"] for death in deaths] == [True] * (len(deaths) - 1) + [False]
    assert len(deaths) == 3
    whole = {world.root(), world.root(ScopeKind.WORKSPACE)}
    for death in deaths:
        assert set(death["roots"]) == whole, death
        assert set(death["versions"]) == {1}, death
        assert death["lines"] == deaths[-1]["lines"], death
        assert death["weeks"] == [WEEK.start.isoformat()] * 2, death
    # Killed before the end of the transaction, all is told by who comes next; after it, nothing.
    assert (deaths[0]["told_late"], deaths[-2]["told_late"]) == (2, 0)
