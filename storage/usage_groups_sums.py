"""Sums of usage by project, endpoint, model, tier and batch: what a cost is explained from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.usage import COUNTS
from finops.usage_groups import UsageGroup
from storage.tables_live import usage_groups, usage_reads
from storage.usage_rollups import NANO
from storage.usage_sums import TABLES, Part, buckets_of

_AT_ONCE = 500
_Name = tuple[int, str, str, str, str, bool]


class GroupedUsage(NamedTuple):
    """What one provider project asked of one model in one way; `start` is the bucket's, 0 for a whole stretch."""

    start: int
    connection_id: int
    sub_account_id: str
    group: UsageGroup


async def grouped(
    db: AsyncConnection,
    workspace_id: str,
    parts: Iterable[Part],
    accounts: Collection[tuple[int, str | None]] | None,
    *,
    by_start: bool = False,
) -> list[GroupedUsage]:
    """The sums over some stretches, exact, in the order of their names; by bucket when asked.

    One query for the names, and one for each endpoint that was used and each stretch.
    """
    found: dict[tuple[int, _Name], Sequence[int]] = {}
    parts = list(parts)
    for read_id, names in (await _names(db, workspace_id, accounts)).items():
        only = None if accounts is None else sorted(names)
        for part in parts:
            for start, group_id, *told in await _summed(db, workspace_id, read_id, part, only, by_start=by_start):
                name = names.get(group_id)
                if name is None:
                    continue
                # PostgreSQL adds integers up to decimals.
                counts = list(map(int, told))
                before = found.get((start, name))
                found[start, name] = counts if before is None else list(map(add, before, counts))
    return [GroupedUsage(start, *name[:2], _group(name, counts)) for (start, name), counts in sorted(found.items())]


def _group(name: _Name, counts: Sequence[int]) -> UsageGroup:
    *told, nano, rest, unpriced = counts
    return UsageGroup._make((*name[2:], *told, nano * NANO + rest, unpriced))


async def _names(
    db: AsyncConnection, workspace_id: str, accounts: Collection[tuple[int, str | None]] | None
) -> dict[int, dict[int, _Name]]:
    """The groups of each endpoint that are asked about, by number; several keys of a project share a name."""
    columns = (
        usage_groups.c.read_id,
        usage_groups.c.id,
        usage_reads.c.connection_id,
        usage_groups.c.sub_account_id,
        usage_reads.c.endpoint,
        usage_groups.c.model,
        usage_groups.c.service_tier,
        usage_groups.c.is_batch,
    )
    query = (
        select(*columns)
        .select_from(usage_reads)
        .join(
            usage_groups,
            (usage_groups.c.workspace_id == usage_reads.c.workspace_id) & (usage_groups.c.read_id == usage_reads.c.id),
        )
        .where(usage_reads.c.workspace_id == workspace_id)
    )
    wanted = None if accounts is None else {(connection_id, account or "") for connection_id, account in accounts}
    if wanted is not None:
        query = query.where(usage_reads.c.connection_id.in_({connection_id for connection_id, _ in wanted}))
        if len(wanted) <= _AT_ONCE:
            query = query.where(usage_groups.c.sub_account_id.in_({account for _, account in wanted}))
    found: dict[int, dict[int, _Name]] = defaultdict(dict)
    for read_id, group_id, connection_id, account, *how in await db.execute(query):
        if wanted is None or (connection_id, account) in wanted:
            endpoint, model, tier, is_batch = how
            found[read_id][group_id] = (connection_id, account, endpoint, model, tier, bool(is_batch))
    return dict(found)


async def _summed(
    db: AsyncConnection, workspace_id: str, read_id: int, part: Part, groups: Sequence[int] | None, *, by_start: bool
) -> Sequence[Sequence[Any]]:
    """Start (0: of the whole part), group, counts and estimate of one endpoint; of other groups too where many."""
    table = TABLES[part[0]]
    keys = [table.c.start, table.c.group_id] if by_start else [table.c.group_id]
    told = [func.sum(table.c[name]) for name in (*COUNTS, "estimate_nano", "estimate_rest", "unpriced")]
    query = select(*keys, *told).where(*buckets_of(workspace_id, read_id, part, groups)).group_by(*keys)
    rows = (await db.execute(query)).all()
    return rows if by_start else [(0, *row) for row in rows]
