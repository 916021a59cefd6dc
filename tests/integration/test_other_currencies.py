"""What is billed in another currency stands beside every amount that is told, and in none of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from blocks import digest, digest_daily
from bot.digest_codec import decoded, encoded
from finops.charges import Charge, ChargedDay
from finops.money import Money
from finops.queries import ScopeKind
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE
from tests.integration.digest_world import WEEK, a_week
from tests.unit.saying import LANGUAGES, reader


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def test_digests_and_the_daily_card_leave_no_currency_out_in_silence(storage: Storage, clock: FakeClock):
    """A line of 52 euros among dollars: nothing is converted, nothing is added up, nothing is lost."""
    world = await a_week(storage, clock)
    yesterday = WEEK.end - timedelta(days=1)
    lines = (
        Charge(yesterday, "proj_chatbot", "input", Decimal(50), "USD"),
        Charge(yesterday, "proj_chatbot", "input", Decimal(52), "EUR"),
    )
    async with storage.writing() as store:
        await store.charges.replace_day(WORKSPACE, world.tenant.connection.id, ChargedDay(yesterday, lines), clock())
    card = await world.bot.digests.daily(WORKSPACE, ScopeKind.WORKSPACE, None)
    shown = await world.bot.digests.report(world.admin, "")
    assert card is not None
    assert card.figure.amount == Money.of("50")
    for told in (card, shown.digest, decoded(encoded(shown.digest))):
        assert told.other_currencies == (Money.of("52", "EUR"),)
    for language in LANGUAGES:
        t = reader(language)
        for message in (digest_daily.daily(card, t), digest.report(shown, t), digest.root(shown, t)):
            assert "52.00" in str(message.blocks)
        assert "52.00" in digest.mail(shown, t)[1]
