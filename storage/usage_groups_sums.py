"""Sums of usage by project, endpoint, model, tier and batch: what a cost is explained from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.usage import Width
from finops.usage_groups import UsageGroup
from storage.tables_live import usage_groups, usage_reads
from storage.usage_rollups import NANO, VALUES
from storage.usage_sums import TABLES, Accounts, Part, buckets_asked, buckets_of, groups_told, named_groups

_Name = tuple[int, str, str, str, str, bool]
_NAMES = groups_told(
    usage_reads.c.endpoint,
    usage_groups.c.model,
    usage_groups.c.service_tier,
    usage_groups.c.is_batch,
)


class GroupedUsage(NamedTuple):
    """What one provider project asked of one model in one way."""

    connection_id: int
    sub_account_id: str
    group: UsageGroup


async def grouped(
    db: AsyncConnection, workspace_id: str, parts: Iterable[Part], accounts: Accounts | None
) -> list[GroupedUsage]:
    """The sums over some stretches, exact, in the order of their names.

    One query for the names, and one for each endpoint that was used and each stretch.
    """
    found: dict[_Name, Sequence[int]] = {}
    parts = list(parts)
    for read_id, names in (await _names(db, workspace_id, accounts)).items():
        only = None if accounts is None else sorted(names)
        for part in parts:
            _add(found, names, await _summed(db, workspace_id, read_id, part, only))
    return _told(found)


async def same_hours(
    db: AsyncConnection,
    workspace_id: str,
    before: int,
    days: int,
    minutes: Mapping[int, int],
    accounts: Accounts | None,
) -> tuple[int, list[GroupedUsage]]:
    """On how many of the days up to the minute `before` anything was used, and the same hours of them all.

    Each hour (named by its first minute of the day) counts as many times as `minutes` says: the sums are sixtieths of
    hours, so that a part of one is whole numbers.
    """
    found: dict[_Name, Sequence[int]] = {}
    seen: set[int] = set()
    since = before - days * Width.DAY
    for read_id, names in (await _names(db, workspace_id, accounts)).items():
        only = None if accounts is None else sorted(names)
        is_looked_up, asked = buckets_asked(workspace_id, read_id, (Width.DAY, since, before), only)
        seen.update((await db.scalars(_any_day(is_looked_up), asked)).all())
        _add(found, names, await _summed(db, workspace_id, read_id, (Width.HOUR, since, before), only, minutes))
    return len(seen), _told(found)


def _add(found: dict[_Name, Sequence[int]], names: Mapping[int, _Name], rows: Iterable[Sequence[Any]]) -> None:
    for group_id, *told in rows:
        name = names.get(group_id)
        if name is not None:
            # PostgreSQL adds integers up to decimals.
            counts = list(map(int, told))
            before = found.get(name)
            found[name] = counts if before is None else list(map(add, before, counts))


def _told(found: Mapping[_Name, Sequence[int]]) -> list[GroupedUsage]:
    return [GroupedUsage(*name[:2], _group(name, counts)) for name, counts in sorted(found.items())]


def _group(name: _Name, counts: Sequence[int]) -> UsageGroup:
    *told, nano, rest, unpriced = counts
    return UsageGroup._make((*name[2:], *told, nano * NANO + rest, unpriced))


async def _names(db: AsyncConnection, workspace_id: str, accounts: Accounts | None) -> dict[int, dict[int, _Name]]:
    """The groups of each endpoint that are asked about, by number; several keys of a project share a name."""
    rows, wanted = await named_groups(db, _NAMES, workspace_id, accounts)
    found: dict[int, dict[int, _Name]] = defaultdict(dict)
    for read_id, group_id, connection_id, account, *how in rows:
        if wanted is None or (connection_id, account) in wanted:
            endpoint, model, tier, is_batch = how
            found[read_id][group_id] = (connection_id, account, endpoint, model, tier, bool(is_batch))
    return dict(found)


async def _summed(
    db: AsyncConnection,
    workspace_id: str,
    read_id: int,
    part: Part,
    groups: Sequence[int] | None,
    minutes: Mapping[int, int] | None = None,
) -> Sequence[Sequence[Any]]:
    """Group, counts and estimate of one endpoint over a stretch; of other groups too where there are many."""
    is_looked_up, asked = buckets_asked(workspace_id, read_id, part, groups)
    query = _summing(part[0], is_looked_up, of_hours=minutes is not None)
    if minutes is None:
        told: Sequence[Sequence[Any]] = (await db.execute(query, asked)).all()
        return told
    # Hours that count alike are added up together: at most three kinds, of which the first and the last are parts.
    alike: dict[int, list[int]] = defaultdict(list)
    for hour, times in sorted(minutes.items()):
        alike[times].append(hour)
    found: list[Sequence[Any]] = []
    for times, hours in alike.items():
        rows = await db.execute(query, asked | {"hours": hours})
        found += [(group_id, *(times * int(each) for each in counts)) for group_id, *counts in rows]
    return found


@cache
def _any_day(is_looked_up: bool) -> Select[Any]:
    return select(TABLES[Width.DAY].c.start).where(*buckets_of(Width.DAY, is_looked_up)).distinct()


@cache
def _summing(width: Width, is_looked_up: bool, *, of_hours: bool) -> Select[Any]:
    table, where = TABLES[width], buckets_of(width, is_looked_up)
    if of_hours:
        where = *where, (table.c.start % int(Width.DAY)).in_(bindparam("hours", expanding=True))
    counts = (func.sum(table.c[name]) for name in VALUES)
    return select(table.c.group_id, *counts).where(*where).group_by(table.c.group_id)
