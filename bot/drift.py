"""Drift: holding each day's estimate against its bill, so that the next estimates are better and nobody is deceived."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from bot.desk import Desk
from finops.charges import Charge
from finops.estimates import compare, model_key, split_line_item
from finops.money import EXACT, from_units
from finops.periods import Period, starts_at
from storage.records_live import Estimate

log = logging.getLogger(__name__)

# Usage is filled in this far back when a connection is new.
COMPARED_DAYS = 28
# A bill read in the night it ended is not written to its end yet: what it lacks is no error of the estimate.
_WRITTEN_AFTER = timedelta(hours=6)


async def compared(
    desk: Desk, workspace_id: str, connection_id: int, day: date, charges: Sequence[Charge]
) -> tuple[str, ...]:
    """Hold one day's bill against what we had estimated; tells the models on it that no usage of ours knew.

    Does nothing (and teaches nothing) where there is no usage of that day, for a bill that is empty though there was
    usage, and for one too young to be complete.
    """
    now = desk.now()
    if day < desk.today() - timedelta(days=COMPARED_DAYS) or now < starts_at(day) + timedelta(days=1) + _WRITTEN_AFTER:
        return ()
    async with desk.storage.reading() as store:
        rows = [
            row for row in await store.usage.open_estimates(workspace_id, [day]) if row.connection_id == connection_id
        ]
    if not rows or not charges:
        return ()
    samples = await asyncio.to_thread(compare, _by_model(rows), charges, day)
    async with desk.storage.writing() as store:
        await store.drifts.replace_day(workspace_id, connection_id, day, samples, now)
    desk.lessons[workspace_id] += 1
    known = {model_key(row.model) for row in rows}
    return tuple(sorted(_unknown(charges, known)))


async def compared_so_far(desk: Desk, workspace_id: str, connection_id: int) -> int:
    """Compare every day whose bill was there before its usage was; how many were. A new connection begins like that."""
    today = desk.today()
    past = Period(today - timedelta(days=COMPARED_DAYS), today)
    async with desk.storage.reading() as store:
        readings = (await store.charges.readings(workspace_id, past)).get(connection_id, {})
        done = await store.drifts.compared_days(workspace_id, connection_id, past.start)
    days = sorted(set(readings) - done)
    for day in days:
        async with desk.storage.reading() as store:
            charges = await store.charges.of_day(workspace_id, connection_id, day)
        await compared(desk, workspace_id, connection_id, day, charges)
    if days:
        log.info("days compared", extra={"connection_id": connection_id, "count": len(days)})
    return len(days)


def _by_model(rows: Sequence[Estimate]) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = (row.sub_account_id, row.model)
        found[key] = EXACT.add(found.get(key, Decimal(0)), from_units(0, row.atto))
    return found


def _unknown(charges: Sequence[Charge], known: set[str]) -> set[str]:
    """Line items of models that cost something and that no usage of the day named."""
    found = set()
    seen: dict[str | None, bool] = {}
    for charge in charges:
        if charge.billed_cost > 0 and charge.sku_id not in seen:
            model = model_key(split_line_item(charge.sku_id).model)
            seen[charge.sku_id] = bool(model) and not any(_same(model, one) for one in known)
            if seen[charge.sku_id] and charge.sku_id is not None:
                found.add(charge.sku_id)
    return found


def _same(billed: str, used: str) -> bool:
    """The bill says "gpt-4o" where usage says "gpt-4o-2024-08-06"."""
    return billed == used or used.startswith(f"{billed}-") or billed.startswith(f"{used}-")
