"""The statements about how far usage was read, asked at every poll and put together once: that takes longer than
answering them."""

from __future__ import annotations

from sqlalchemy import bindparam, exists, func, insert, select, update

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
# Begins the record of an endpoint: whoever holds the connection is alone with it.
BEGIN_READ = insert(usage_reads).returning(*usage_reads.c)
