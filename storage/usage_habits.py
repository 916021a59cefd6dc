"""Habits: how each provider project called its models, bucket by bucket; what changed behaviour is found in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.behaviour import Habit
from finops.usage import Width
from storage.tables_live import usage_groups
from storage.usage_sums import TABLES, buckets_asked, buckets_of, groups_told

Account = tuple[int, str]
_GROUPS = groups_told(usage_groups.c.model, usage_groups.c.is_batch).of_all


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
    for read_id, groups in (await _groups(db, workspace_id, accounts)).items():
        only = None if accounts is None else sorted(groups)
        is_looked_up, asked = buckets_asked(workspace_id, read_id, (width, from_minute, to_minute), only)
        for start, group_id, whole, out, cached in await db.execute(_counting(width, is_looked_up), asked):
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


@cache
def _counting(width: Width, is_looked_up: bool) -> Select[Any]:
    table = TABLES[width]
    counts = (table.c.input_tokens, table.c.output_tokens, table.c.cached_input_tokens)
    keys = table.c.start, table.c.group_id
    return select(*keys, *map(func.sum, counts)).where(*buckets_of(width, is_looked_up)).group_by(*keys)


def _habit(start: int, bucket: _Bucket) -> Habit:
    return Habit(start, dict(bucket.models), bucket.tokens, bucket.batch, bucket.whole, bucket.cached)


async def _groups(
    db: AsyncConnection, workspace_id: str, accounts: Collection[Account] | None
) -> dict[int, dict[int, tuple[Account, str, bool]]]:
    wanted = None if accounts is None else set(accounts)
    found: dict[int, dict[int, tuple[Account, str, bool]]] = defaultdict(dict)
    rows = await db.execute(_GROUPS, {"of_workspace": workspace_id})
    for read_id, group_id, connection_id, account, model, is_batch in rows:
        if wanted is None or (connection_id, account) in wanted:
            found[read_id][group_id] = ((connection_id, account), model, bool(is_batch))
    return dict(found)
