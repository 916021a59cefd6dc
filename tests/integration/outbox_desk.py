"""Where tests of the outbox sit: an office in front of a strict simulated Slack, and a mailbox beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot import Bot, Policy
from demo.mail import MailSink
from demo.slack import SimulatedSlack
from jobs.mail import Mailer, MailServer
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import Tenant
from tests.integration.live_world import World, a_runaway
from tests.integration.outbox_world import Office, OneSlack, a_slack


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
