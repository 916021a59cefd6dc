"""Sums of usage: asked of the coarsest roll-up that answers, by project, model and key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Table, column, exists, func, select, values
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.periods import starts_at
from finops.usage import Endpoint, Width
from storage.records_live import Estimate, UsageSum
from storage.tables_live import usage_days, usage_hours, usage_minutes, usage_reads
from storage.usage_rollups import NANO

TABLES: dict[Width, Table] = {Width.MINUTE: usage_minutes, Width.HOUR: usage_hours, Width.DAY: usage_days}
Part = tuple[Width, int, int | None]
"""A stretch of one table: its width, from which minute and to which (None: without end)."""

# Up to this many buckets of so many projects are looked up one by one in the key; more are faster as one stretch.
_MOST_LOOKUPS = 20_000
_BUSY_AT_ONCE = 500


def stretches(from_minute: int, to_minute: int) -> list[Part]:
    """[from, to) as whole days, whole hours and what is left in minutes; every minute once."""
    parts: list[Part] = []
    rest = [(from_minute, to_minute)] if from_minute < to_minute else []
    for width in (Width.DAY, Width.HOUR):
        left = []
        for start, end in rest:
            first, last = -(-start // width) * width, end - end % width
            if first >= last:
                left.append((start, end))
                continue
            parts.append((width, first, last))
            left += [(start, first), (last, end)]
        rest = [each for each in left if each[0] < each[1]]
    return parts + [(Width.MINUTE, start, end) for start, end in rest]


async def sums(
    db: AsyncConnection,
    workspace_id: str,
    parts: Iterable[Part],
    accounts: Collection[tuple[int, str | None]] | None,
    *,
    by_start: bool = False,
    by_key: bool = False,
) -> list[UsageSum]:
    """The sums over some stretches per connection, project and model, in that order; by bucket or key when asked."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for width, start, end in parts:
        table = TABLES[width]
        keys = [table.c.connection_id, table.c.sub_account_id, table.c.model]
        keys += [table.c.start] * by_start + [table.c.api_key_id] * by_key
        for where in await _conditions(db, table, workspace_id, width, start, end, accounts):
            rows = await db.execute(select(*keys, *_measures(table)).where(*where).group_by(*keys))
            for row in rows:
                key, told = tuple(row[: len(keys)]), [int(each) for each in row[len(keys) :]]
                before = found.get(key)
                found[key] = told if before is None else [a + b for a, b in zip(before, told, strict=True)]
    result = []
    for (connection_id, account, model, *more), told in found.items():
        requests, tokens, quantity, nano, rest, unpriced = told
        start_of = more[0] if by_start else 0
        api_key = more[-1] if by_key else ""
        result.append(
            UsageSum(
                start_of,
                connection_id,
                account,
                model,
                api_key,
                requests,
                tokens,
                quantity,
                nano * NANO + rest,
                unpriced,
            )
        )
    return sorted(result)


async def estimates(db: AsyncConnection, workspace_id: str, days: Collection[date]) -> list[Estimate]:
    """The estimates of whole days, for every connection, project and model."""
    table = usage_days
    found: list[Estimate] = []
    for day in sorted(set(days)):
        # A day is one stretch of the key, in the order of connection and endpoint.
        keys = (table.c.connection_id, table.c.sub_account_id, table.c.model)
        rows = await db.execute(
            select(
                *keys,
                func.sum(table.c.estimate_nano),
                func.sum(table.c.estimate_rest),
                func.sum(table.c.unpriced),
                func.sum(table.c.requests),
            )
            .where(table.c.workspace_id == workspace_id, table.c.start == _minute(day))
            .group_by(*keys)
        )
        found += [
            Estimate(row[0], day, row[1], row[2], int(row[3]) * NANO + int(row[4]), int(row[5]), int(row[6]))
            for row in rows
        ]
    return found


async def busy_buckets(
    db: AsyncConnection, workspace_id: str, connection_id: int, from_minute: int, to_minute: int, width: Width
) -> list[tuple[int, int]]:
    """The buckets of one width in [from, to) with any usage. Each is looked up in the key: a busy one costs no more."""
    table = TABLES[width]
    first = -(-from_minute // width) * width
    starts = range(first, to_minute, width)
    found: list[tuple[int, int]] = []
    for at in range(0, len(starts), _BUSY_AT_ONCE):
        each = [(start,) for start in starts[at : at + _BUSY_AT_ONCE]]
        asked = values(column("start", BigInteger), name="asked").data(each).cte("asked")
        any_usage = exists().where(
            table.c.workspace_id == workspace_id,
            table.c.start == asked.c.start,
            table.c.connection_id == connection_id,
        )
        rows = await db.scalars(select(asked.c.start).where(any_usage).order_by(asked.c.start))
        found += [(int(start), int(width)) for start in rows]
    return found


def _measures(table: Table) -> list[ColumnElement[Any]]:
    return [
        func.sum(table.c.requests),
        func.sum(table.c.input_tokens + table.c.output_tokens),
        func.sum(table.c.quantity),
        func.sum(table.c.estimate_nano),
        func.sum(table.c.estimate_rest),
        func.sum(table.c.unpriced),
    ]


async def _conditions(
    db: AsyncConnection,
    table: Table,
    workspace_id: str,
    width: Width,
    start: int,
    end: int | None,
    accounts: Collection[tuple[int, str | None]] | None,
) -> list[Sequence[ColumnElement[bool]]]:
    """What to ask for: everything at once, or each connection whose projects are named."""
    within = [table.c.workspace_id == workspace_id, table.c.start >= start]
    if end is not None:
        within.append(table.c.start < end)
    if accounts is None:
        return [within]
    named: dict[int, set[str]] = defaultdict(set)
    for connection_id, sub_account_id in accounts:
        named[connection_id].add(sub_account_id or "")
    conditions: list[Sequence[ColumnElement[bool]]] = []
    for connection_id, names in sorted(named.items()):
        mine = [*within, table.c.connection_id == connection_id, table.c.sub_account_id.in_(sorted(names))]
        last = await _newest(db, workspace_id, connection_id) if end is None else end
        starts = range(start, last, width)
        if len(starts) * len(Endpoint) * len(names) <= _MOST_LOOKUPS:
            mine += [table.c.start.in_(starts), table.c.endpoint.in_(list(Endpoint))]
        conditions.append(mine)
    return conditions


async def _newest(db: AsyncConnection, workspace_id: str, connection_id: int) -> int:
    """The minute after the newest usage that we hold of a connection."""
    found = await db.scalar(
        select(func.max(usage_reads.c.newest_data)).where(
            usage_reads.c.workspace_id == workspace_id, usage_reads.c.connection_id == connection_id
        )
    )
    return 0 if found is None else found + 1


def _minute(day: date) -> int:
    return int(starts_at(day).timestamp()) // 60


def day_of(minute: int) -> date:
    """The charge day a minute since 1970 belongs to."""
    return datetime.fromtimestamp(minute * 60, UTC).date()
