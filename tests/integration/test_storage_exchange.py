"""Exchange rates in the database: to the last digit, each decision kept, and what held at any moment told."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from finops.exchange import Beside, Rate, RateChange
from storage import Storage
from tests.databases import MOMENT, WORKSPACE, a_tenant

WON = Rate(Beside.KRW, Decimal("1375.5"), date(2026, 7, 1), "하나은행")
YEN = Rate(Beside.JPY, Decimal("155.123456"), date(2026, 7, 2))
LATER = MOMENT + timedelta(days=1)


async def test_every_decision_stays_and_the_rate_of_a_past_figure_can_be_told(storage: Storage) -> None:
    """The newest holds; what held before is there, with who decided it."""
    await a_tenant(storage, WORKSPACE)
    decided = [(WON, "U1", MOMENT), (YEN, "U2", LATER), (None, "U3", LATER + timedelta(days=1))]
    async with storage.writing() as store:
        assert await store.exchange_rates.at(WORKSPACE, LATER) is None
        for rate, by, at in decided:
            kept = await store.exchange_rates.add(WORKSPACE, rate, by=by, at=at)
            assert kept == RateChange(rate, by, at)
    async with storage.reading() as store:
        assert await store.exchange_rates.newest(WORKSPACE, 9) == [RateChange(*each) for each in reversed(decided)]
        assert len(await store.exchange_rates.newest(WORKSPACE, 2)) == 2
        for rate, by, at in decided:
            for moment in (at, at + timedelta(hours=9)):
                assert await store.exchange_rates.at(WORKSPACE, moment) == RateChange(rate, by, at)
        assert await store.exchange_rates.at(WORKSPACE, MOMENT - timedelta(seconds=1)) is None


async def test_a_rate_comes_back_to_the_last_digit(storage: Storage) -> None:
    """No database rounds it, or adds zeros to it."""
    await a_tenant(storage, WORKSPACE)
    async with storage.writing() as store:
        for digits in ("1375.5", "1375", "500", "4999.999999"):
            rate = Rate(Beside.KRW, Decimal(digits), WON.day)
            kept = await store.exchange_rates.add(WORKSPACE, rate, by="U1", at=MOMENT)
            assert kept.rate is not None
            assert str(kept.rate.per_dollar) == digits
