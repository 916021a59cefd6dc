"""Drift: holding each day's estimate against its bill, so that the next estimates are better and nobody is deceived."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot import unpriced
from bot.desk import Desk
from bot.usage_steps import FILLED_IN_DAYS
from finops.charges import Charge, ChargedDay
from finops.estimates import compare, model_key, split_line_item
from finops.money import EXACT, from_units
from finops.periods import Period, minute_of, starts_at
from finops.registry import Connection
from storage import Store
from storage.records_live import Estimate

log = logging.getLogger(__name__)

# A bill read in the night it ended is not written to its end yet: what it lacks is no error of the estimate.
_WRITTEN_AFTER = timedelta(hours=6)
# Line items of older days are no news.
_NEWS = timedelta(days=2)


async def learned(desk: Desk, connection: Connection, charged: ChargedDay) -> None:
    """A day's bill was read: hold it against what was estimated, and tell line items that no usage explains."""
    day, charges = charged.day, charged.charges
    if day < desk.today() - timedelta(days=FILLED_IN_DAYS) or not charges:
        return
    async with desk.storage.reading() as store:
        reads = await store.usage.reads(connection.workspace_id, connection.id)
        read_until = min((one.final_until for one in reads.values()), default=0)
        if read_until < minute_of(starts_at(day) + timedelta(days=1)):
            return  # of a day whose usage was not read to its end, what it lacks is no error of the estimate either
        estimates = await store.usage.open_estimates(connection.workspace_id, [day])
    rows = [row for row in estimates if row.connection_id == connection.id]
    if not rows:
        return
    await _compared(desk, connection, day, charges, rows)
    if day >= desk.today() - _NEWS:
        unknown = _unknown(charges, {model_key(row.model) for row in rows})
        if unknown:
            await unpriced.announce(desk, connection, day, unknown)


async def _compared(
    desk: Desk, connection: Connection, day: date, charges: Sequence[Charge], rows: Sequence[Estimate]
) -> None:
    now = desk.now()
    if now < _written(day):
        return
    samples = await asyncio.to_thread(compare, _by_model(rows), charges, day)
    async with desk.storage.writing() as store:
        await store.drifts.replace_day(connection.workspace_id, connection.id, day, samples, now)
    desk.lessons[connection.workspace_id] += 1


async def learned_so_far(desk: Desk, connection: Connection) -> int:
    """Compare every day whose bill was there before its usage was; how many.

    A new connection begins like that, and so does the first look after a downtime.
    """
    workspace_id, today = connection.workspace_id, desk.today()
    past = Period(today - timedelta(days=FILLED_IN_DAYS), today)
    async with desk.storage.reading() as store:
        readings = (await store.charges.readings(workspace_id, past)).get(connection.id, {})
        done = await store.drifts.compared_days(workspace_id, connection.id, past.start)
    days = sorted(day for day, one in readings.items() if day not in done and one.read_at >= _written(day))
    for day in days:
        async with desk.storage.reading() as store:
            charges = await store.charges.of_day(workspace_id, connection.id, day)
        await learned(desk, connection, ChargedDay(day, tuple(charges)))
    if days:
        log.info("days compared", extra={"connection_id": connection.id, "count": len(days)})
    return len(days)


async def held_anew(desk: Desk, store: Store, connection: Connection) -> None:
    """Hold the days compared so far against their bills again, because what was estimated of them was priced again.

    Asked for within the transaction that does so. What the old prices were wrong by would be taken off the new ones;
    whoever has committed lets the lessons be learned anew.
    """
    workspace_id, mine = connection.workspace_id, defaultdict[date, list[Estimate]](list)
    days = await store.drifts.compared_days(workspace_id, connection.id, desk.today() - timedelta(days=FILLED_IN_DAYS))
    for row in await store.usage.open_estimates(workspace_id, sorted(days)):
        if row.connection_id == connection.id:
            mine[row.day].append(row)
    for day, rows in mine.items():
        charges = await store.charges.of_day(workspace_id, connection.id, day)
        if charges:
            samples = await asyncio.to_thread(compare, _by_model(rows), charges, day)
            await store.drifts.replace_day(workspace_id, connection.id, day, samples, desk.now())


def _written(day: date) -> datetime:
    """From when on the bill of a day is whole."""
    return starts_at(day) + timedelta(days=1) + _WRITTEN_AFTER


def _by_model(rows: Sequence[Estimate]) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = (row.sub_account_id, row.model)
        found[key] = EXACT.add(found.get(key, Decimal(0)), from_units(0, row.atto))
    return found


def _unknown(charges: Sequence[Charge], known: set[str]) -> dict[tuple[str, str], set[str]]:
    """Line items of models that cost something and that no usage of the day named, with the projects they are of."""
    found: dict[tuple[str, str], set[str]] = {}
    explained: dict[str | None, bool] = {}
    for charge in charges:
        item = charge.sku_id
        if item not in explained:
            model = model_key(split_line_item(item).model)
            explained[item] = not model or any(_same(model, one) for one in known)
        if not explained[item] and charge.billed_cost > 0:
            found.setdefault(("", item or ""), set()).add(charge.sub_account_id or "")
    return found


def _same(billed: str, used: str) -> bool:
    """The bill says "gpt-4o" where usage says "gpt-4o-2024-08-06"."""
    return billed == used or used.startswith(f"{billed}-") or billed.startswith(f"{used}-")
