"""The statements about how far usage was read, asked at every poll and put together once: that takes longer than
answering them."""

from __future__ import annotations

from functools import cache

from sqlalchemy import bindparam, exists, func, select, update

from storage.repository import Insert, inserting
from storage.tables_live import usage_groups, usage_reads

_MINE = usage_reads.c.workspace_id == bindparam("of_workspace")

READS = select(usage_reads).where(_MINE, usage_reads.c.connection_id == bindparam("of_connection"))
READ = READS.where(usage_reads.c.endpoint == bindparam("of_endpoint"))
# How far each was read, and whether it ever told anything.
READS_TOLD = READS.add_columns(
    exists()
    .where(usage_groups.c.workspace_id == bindparam("of_workspace"), usage_groups.c.read_id == usage_reads.c.id)
    .label("has_groups")
)
NEWEST = select(func.max(usage_reads.c.newest_data)).where(_MINE)
# Takes the columns that change besides.
READ_ON = update(usage_reads).where(_MINE, usage_reads.c.id.in_(bindparam("these", expanding=True)))


@cache
def beginning(dialect: str) -> Insert:
    """Begin the record of an endpoint, where there is none."""
    key = ["workspace_id", "connection_id", "endpoint"]
    return inserting(dialect, usage_reads).on_conflict_do_nothing(index_elements=key)
