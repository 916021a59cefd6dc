"""Sums of usage: asked of the coarsest roll-up that answers, by project, model and key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import cache
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, Table, bindparam, cast, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.periods import minute_of, starts_at
from finops.usage import Width
from storage.records_live import Estimate, UsageSum
from storage.tables_live import usage_days, usage_groups, usage_hours, usage_minutes, usage_reads
from storage.usage_rollups import NANO

TABLES: dict[Width, Table] = {Width.MINUTE: usage_minutes, Width.HOUR: usage_hours, Width.DAY: usage_days}
Part = tuple[Width, int, int]
"""A stretch of one table: its width, from which minute, to which."""
Accounts = Collection[tuple[int, str | None]]
"""Provider projects, each with its connection; None is what a connection used beside all of them."""

# Up to this many buckets of so many groups are looked up one by one in the key; more are faster as one stretch.
_MOST_LOOKUPS = 10_000
_AT_ONCE = 500


class Groups(NamedTuple):
    """A question about groups: about all, about those of some connections, or of some accounts of theirs.

    Put together once, as all that is asked with every sum: that takes longer than answering it.
    """

    of_all: Select[Any]
    of_connections: Select[Any]
    of_accounts: Select[Any]


def groups_told(*columns: ColumnElement[Any]) -> Groups:
    """Of which read each group is, its id, connection and account; then these columns of it and of its endpoint."""
    whose = usage_groups.c.read_id, usage_groups.c.id, usage_reads.c.connection_id, usage_groups.c.sub_account_id
    of_all = (
        select(*whose, *columns)
        .select_from(usage_reads)
        .join(
            usage_groups,
            (usage_groups.c.workspace_id == usage_reads.c.workspace_id) & (usage_groups.c.read_id == usage_reads.c.id),
        )
        .where(usage_reads.c.workspace_id == bindparam("of_workspace"))
    )
    some = of_all.where(usage_reads.c.connection_id.in_(bindparam("connections", expanding=True)))
    return Groups(of_all, some, some.where(usage_groups.c.sub_account_id.in_(bindparam("accounts", expanding=True))))


_GROUPS = groups_told(usage_groups.c.model, usage_groups.c.api_key_id)
_ESTIMATES = select(
    usage_days.c.read_id,
    usage_days.c.group_id,
    usage_days.c.start,
    usage_days.c.estimate_nano,
    usage_days.c.estimate_rest,
    usage_days.c.unpriced,
    usage_days.c.requests,
).where(
    usage_days.c.workspace_id == bindparam("of_workspace"),
    usage_days.c.read_id.in_(bindparam("reads", expanding=True)),
    usage_days.c.start.in_(bindparam("starts", expanding=True)),
)


class _Named(NamedTuple):
    """Whose usage a group is."""

    connection_id: int
    sub_account_id: str
    model: str
    api_key_id: str


def stretches(from_minute: int, to_minute: int) -> list[Part]:
    """[from, to) as whole days, whole hours and what is left in minutes; every minute once."""
    parts: list[Part] = []
    rest = [(from_minute, to_minute)]
    for width in (Width.DAY, Width.HOUR):
        left: list[tuple[int, int]] = []
        for start, end in rest:
            first, last = -(-start // width) * width, end - end % width
            if first < last:
                parts.append((width, first, last))
                left += [(start, first), (last, end)]
            else:
                left.append((start, end))
        rest = left
    return parts + [(Width.MINUTE, start, end) for start, end in rest if start < end]


async def sums(
    db: AsyncConnection,
    workspace_id: str,
    parts: Iterable[Part],
    accounts: Accounts | None,
    *,
    by_start: bool = False,
    by_key: bool = False,
) -> list[UsageSum]:
    """The sums over some stretches per connection, project and model, in that order; by bucket or key when asked."""
    found: dict[tuple[int, int, str, str, str], Sequence[int]] = {}
    parts = list(parts)
    for read_id, groups in (await _groups(db, workspace_id, accounts)).items():
        only = None if accounts is None else sorted(groups)
        for part in parts:
            for start, group_id, *told in await _summed(db, workspace_id, read_id, part, only, by_start=by_start):
                name = groups.get(group_id)
                if name is None:
                    continue
                key = (start, name.connection_id, name.sub_account_id, name.model, name.api_key_id if by_key else "")
                before = found.get(key)
                found[key] = told if before is None else list(map(add, before, told))
    return [
        UsageSum(*key, int(requests), int(tokens), int(quantity), int(nano) * NANO + int(rest), int(unpriced))
        for key, (requests, tokens, quantity, nano, rest, unpriced) in sorted(found.items())
    ]


async def estimates(db: AsyncConnection, workspace_id: str, days: Collection[date]) -> list[Estimate]:
    """The estimates of whole days, for every connection, project and model."""
    found: dict[tuple[int, date, str, str], list[int]] = {}
    groups = await _groups(db, workspace_id, None)
    each, reads = {minute_of(starts_at(day)): day for day in days}, sorted(groups)
    # Of all endpoints and days at once: whoever evaluates a month would ask hundreds of times, every minute.
    for at in range(0, len(reads) if each else 0, _AT_ONCE):
        asked = {"of_workspace": workspace_id, "reads": reads[at : at + _AT_ONCE], "starts": sorted(each)}
        for read_id, group_id, start, nano, rest, unpriced, requests in await db.execute(_ESTIMATES, asked):
            name = groups[read_id][group_id]
            key = (name[0], each[start], name[1], name[2])
            before = found.get(key)
            if before is None:
                found[key] = [nano * NANO + rest, unpriced, requests]
            else:
                before[:] = before[0] + nano * NANO + rest, before[1] + unpriced, before[2] + requests
    return [Estimate(*key, *amounts) for key, amounts in sorted(found.items())]


async def first_days(db: AsyncConnection, workspace_id: str) -> dict[int, int]:
    """The minute at which the first day begins of which each connection's usage is kept; absent where none is."""
    earliest = (
        select(func.min(usage_days.c.start))
        .where(usage_days.c.workspace_id == usage_reads.c.workspace_id, usage_days.c.read_id == usage_reads.c.id)
        .scalar_subquery()
    )
    found: dict[int, int] = {}
    query = select(usage_reads.c.connection_id, earliest).where(usage_reads.c.workspace_id == workspace_id)
    for connection_id, start in await db.execute(query):
        if start is not None:
            found[connection_id] = min(start, found.get(connection_id, start))
    return found


async def busy_buckets(
    db: AsyncConnection, workspace_id: str, connection_id: int, from_minute: int, to_minute: int, width: Width
) -> list[tuple[int, int]]:
    """The buckets of one width in [from, to) with any usage. Each is looked up in the key: a busy one costs no more."""
    table = TABLES[width]
    mine = usage_reads.c.workspace_id == workspace_id, usage_reads.c.connection_id == connection_id
    reads = (await db.scalars(select(usage_reads.c.id).where(*mine))).all()
    first = -(-from_minute // width) * width
    if not reads or first >= to_minute:
        return []
    # Counted by the database: a list of values would be compiled anew each time it is asked for.
    begin = select(cast(first, BigInteger).label("start")).cte("asked", recursive=True)
    following = begin.c.start + int(width)
    asked = begin.union_all(select(following).where(following < to_minute))
    used = (
        exists().where(table.c.workspace_id == workspace_id, table.c.read_id == read_id, table.c.start == asked.c.start)
        for read_id in reads
    )
    rows = await db.scalars(select(asked.c.start).where(or_(*used)).order_by(asked.c.start))
    return [(int(start), int(width)) for start in rows]


async def newest_spent(
    db: AsyncConnection, workspace_id: str, since_minute: int, accounts: Accounts | None
) -> int | None:
    """The newest minute from `since_minute` on that cost something, or whose price nobody knows; None without any."""
    table, found = usage_minutes, list[int]()
    dear = or_(table.c.estimate_nano > 0, table.c.estimate_rest > 0, table.c.unpriced > 0)
    for read_id, groups in (await _groups(db, workspace_id, accounts)).items():
        mine = table.c.workspace_id == workspace_id, table.c.read_id == read_id, table.c.start >= since_minute
        each = select(table.c.group_id, func.max(table.c.start)).where(*mine, dear).group_by(table.c.group_id)
        found += [start for group_id, start in await db.execute(each) if group_id in groups]
    return max(found, default=None)


async def named_groups(
    db: AsyncConnection, groups: Groups, workspace_id: str, accounts: Accounts | None
) -> tuple[Iterable[Sequence[Any]], set[tuple[int, str]] | None]:
    """What a question about groups finds, and of which accounts that is to be taken. None: of all.

    Fewer groups are asked about where few are named. There may be more than was asked for: the connection of one
    account with the project of another.
    """
    asked: dict[str, Any] = {"of_workspace": workspace_id}
    if accounts is None:
        return await db.execute(groups.of_all, asked), None
    wanted = {(connection_id, account or "") for connection_id, account in accounts}
    asked["connections"] = sorted({connection_id for connection_id, _ in wanted})
    if len(wanted) > _AT_ONCE:
        return await db.execute(groups.of_connections, asked), wanted
    asked["accounts"] = sorted({account for _, account in wanted})
    return await db.execute(groups.of_accounts, asked), wanted


async def _groups(db: AsyncConnection, workspace_id: str, accounts: Accounts | None) -> dict[int, dict[int, _Named]]:
    """The groups of each endpoint, by number; of the named projects only, when given."""
    rows, wanted = await named_groups(db, _GROUPS, workspace_id, accounts)
    found: dict[int, dict[int, _Named]] = defaultdict(dict)
    for read_id, group_id, *name in rows:
        if wanted is None or (name[0], name[1]) in wanted:
            found[read_id][group_id] = _Named(*name)
    return dict(found)


async def _summed(
    db: AsyncConnection,
    workspace_id: str,
    read_id: int,
    part: Part,
    groups: Sequence[int] | None,
    *,
    by_start: bool,
) -> Sequence[Sequence[Any]]:
    """Start (0: of the whole part), group and sums of one endpoint; of other groups too where there are many."""
    is_looked_up, asked = buckets_asked(workspace_id, read_id, part, groups)
    rows = (await db.execute(_summing(part[0], is_looked_up, by_start), asked)).all()
    return rows if by_start else [(0, *row) for row in rows]


@cache
def _summing(width: Width, is_looked_up: bool, by_start: bool) -> Select[Any]:
    table = TABLES[width]
    keys = [table.c.start, table.c.group_id] if by_start else [table.c.group_id]
    measures = (
        table.c.requests,
        table.c.input_tokens + table.c.output_tokens,
        table.c.quantity,
        table.c.estimate_nano,
        table.c.estimate_rest,
        table.c.unpriced,
    )
    return select(*keys, *map(func.sum, measures)).where(*buckets_of(width, is_looked_up)).group_by(*keys)


def buckets_of(width: Width, is_looked_up: bool) -> tuple[ColumnElement[bool], ...]:
    """The buckets of one endpoint in a stretch, each looked up in the key or all that is there: of `buckets_asked`."""
    table = TABLES[width]
    mine = table.c.workspace_id == bindparam("of_workspace"), table.c.read_id == bindparam("of_read")
    if is_looked_up:
        starts = table.c.start.in_(bindparam("starts", expanding=True))
        return *mine, starts, table.c.group_id.in_(bindparam("groups", expanding=True))
    return *mine, table.c.start >= bindparam("first"), table.c.start < bindparam("after")


def buckets_asked(
    workspace_id: str, read_id: int, part: Part, groups: Sequence[int] | None
) -> tuple[bool, dict[str, Any]]:
    """How to ask for the buckets of a stretch: of some groups one by one in the key, of many all that is there."""
    width, start, end = part
    asked: dict[str, Any] = {"of_workspace": workspace_id, "of_read": read_id}
    starts = range(start, end, width)
    if groups is not None and len(starts) * len(groups) <= _MOST_LOOKUPS:
        return True, asked | {"starts": list(starts), "groups": list(groups)}
    return False, asked | {"first": start, "after": end}
