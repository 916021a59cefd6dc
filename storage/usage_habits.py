"""Habits: how each provider project called its models, bucket by bucket; what changed behaviour is found in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.behaviour import Habit
from finops.usage import Width
from storage.tables_live import usage_groups, usage_reads
from storage.usage_sums import TABLES, asked_of, buckets_of, is_looked_up

Account = tuple[int, str]


@dataclass(slots=True)
class _Bucket:
    models: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    tokens: int = 0
    batch: int = 0
    whole: int = 0
    cached: int = 0


async def habits(
    db: AsyncConnection,
    workspace_id: str,
    width: Width,
    from_minute: int,
    to_minute: int,
    accounts: Collection[Account] | None,
) -> dict[Account, list[Habit]]:
    """Each project's used buckets of one width in [from, to), oldest first; of the named projects only, when given."""
    found: dict[Account, dict[int, _Bucket]] = defaultdict(lambda: defaultdict(_Bucket))
    table = TABLES[width]
    for read_id, groups in (await _groups(db, workspace_id, accounts)).items():
        only = None if accounts is None else sorted(groups)
        asked = asked_of(workspace_id, read_id, (width, from_minute, to_minute), only)
        counts = (table.c.input_tokens, table.c.output_tokens, table.c.cached_input_tokens)
        query = (
            select(table.c.start, table.c.group_id, *map(func.sum, counts))
            .where(*buckets_of(width, is_looked_up(asked)))
            .group_by(table.c.start, table.c.group_id)
        )
        for start, group_id, whole, out, cached in await db.execute(query, asked):
            if group_id not in groups:
                continue
            account, model, is_batch = groups[group_id]
            bucket, size = found[account][int(start)], int(whole) + int(out)
            bucket.models[model] += size
            bucket.tokens += size
            bucket.batch += size if is_batch else 0
            bucket.whole += int(whole)
            bucket.cached += int(cached)
    return {account: [_habit(start, each) for start, each in sorted(of.items())] for account, of in found.items()}


def _habit(start: int, bucket: _Bucket) -> Habit:
    return Habit(start, dict(bucket.models), bucket.tokens, bucket.batch, bucket.whole, bucket.cached)


async def _groups(
    db: AsyncConnection, workspace_id: str, accounts: Collection[Account] | None
) -> dict[int, dict[int, tuple[Account, str, bool]]]:
    query = (
        select(
            usage_groups.c.read_id,
            usage_groups.c.id,
            usage_reads.c.connection_id,
            usage_groups.c.sub_account_id,
            usage_groups.c.model,
            usage_groups.c.is_batch,
        )
        .select_from(usage_reads)
        .join(
            usage_groups,
            (usage_groups.c.workspace_id == usage_reads.c.workspace_id) & (usage_groups.c.read_id == usage_reads.c.id),
        )
        .where(usage_reads.c.workspace_id == workspace_id)
    )
    wanted = None if accounts is None else set(accounts)
    found: dict[int, dict[int, tuple[Account, str, bool]]] = defaultdict(dict)
    for read_id, group_id, connection_id, account, model, is_batch in await db.execute(query):
        if wanted is None or (connection_id, account) in wanted:
            found[read_id][group_id] = ((connection_id, account), model, bool(is_batch))
    return dict(found)
