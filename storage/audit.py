"""The audit trail: one chain of rows for each workspace, only ever added to, whose end is sealed.

The rows' hashes can be calculated by anybody, the seal of the end (`audit_heads`) only with the master key: so a
cut-off end, or a chain calculated anew, is found. A seal is only ever renewed over an end that was sound. Where it was
not, rows are still added, for nobody's work may stop at that, but the break stays to be seen.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, String, bindparam, cast, func, insert, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from finops.audit import GENESIS, AuditEntry, AuditFilter, AuditHead, AuditRow, row_after
from finops.secret import Secret
from storage.errors import SecretUnreadable
from storage.repository import Repository, across_workspaces, inserting
from storage.secrets import KeyRing
from storage.tables_stops import audit, audit_heads

log = logging.getLogger(__name__)

_AT_ONCE = 500
_UNSEALED = b""
# Read as they lie there: whoever could edit a row may have put anything in it. That must be told, not stumbled over.
_WHEN, _FACTS = type_coerce(audit.c.at, String).label("at"), cast(audit.c.details, String).label("details")
_LYING = select(*(each for each in audit.c if each.name not in {"at", "details"}), _WHEN, _FACTS)
# Asked with every act, and put together once: that takes longer than answering them.
_MINE: BindParameter[str] = bindparam("of_workspace")
_MY_END = select(audit_heads).where(audit_heads.c.workspace_id == _MINE).with_for_update()
_MOVE_MY_END = update(audit_heads).where(audit_heads.c.workspace_id == _MINE)
_ADD = insert(audit)
_NEWEST = select(audit.c.seq, audit.c.hash).where(audit.c.workspace_id == _MINE).order_by(audit.c.seq.desc()).limit(1)


@cache
def _beginning(dialect: str) -> ReturningInsert[Any]:
    first = inserting(dialect, audit_heads).on_conflict_do_nothing(index_elements=["workspace_id"])
    return first.returning(audit_heads.c.seq)


class Audit(Repository):
    """Who did what to what. The database refuses to change or remove a row (storage.append_only)."""

    def __init__(self, connection: AsyncConnection, ring: KeyRing) -> None:
        super().__init__(connection)
        self._ring = ring

    async def append(self, workspace_id: str, entry: AuditEntry) -> AuditRow:
        """Add a row to the end of the workspace's trail, inside the transaction of the act it tells of.

        Appends of one workspace wait for each other's transactions: call it last, when all else is decided.
        """
        return (await self.extend(workspace_id, (entry,)))[0]

    async def extend(self, workspace_id: str, entries: Iterable[AuditEntry]) -> list[AuditRow]:
        """`append` for many acts of one transaction, in their order: a file may change thousands of budgets."""
        rows: list[AuditRow] = []
        head, before = await self._hold_end(workspace_id)
        last = (head.seq, head.hash) if head.seq else None
        for entry in entries:
            rows.append(row_after(last, workspace_id, entry))
            last = rows[-1].seq, rows[-1].hash
        if last is None or not rows:
            return rows
        await self._db.execute(_ADD, [_values(workspace_id, row) for row in rows])
        end: dict[str, Any] = {"seq": last[0], "hash": last[1]}
        if before is not None:
            end["sealed"] = self._seal_as(before, workspace_id, *last)
        await self._db.execute(_MOVE_MY_END, end | {"of_workspace": workspace_id})
        return rows

    async def page(
        self, workspace_id: str, wanted: AuditFilter, before_seq: int | None = None, limit: int = 10
    ) -> list[AuditRow]:
        """The newest rows that are looked for, newest first; only those before `before_seq`, where it is given."""
        query = _LYING.where(audit.c.workspace_id == workspace_id, *_conditions(wanted))
        if before_seq is not None:
            query = query.where(audit.c.seq < before_seq)
        found = await self._db.execute(query.order_by(audit.c.seq.desc()).limit(limit))
        return [_row(row) for row in found]

    async def all(self, workspace_id: str, wanted: AuditFilter | None = None) -> AsyncIterator[AuditRow]:
        """Every row (that is looked for), oldest first, read piece by piece."""
        conditions = _conditions(wanted or AuditFilter())
        mine = _LYING.where(audit.c.workspace_id == workspace_id, *conditions).order_by(audit.c.seq)
        last = None
        while True:
            # Whatever number a row was given: one that was forged below zero is read as well.
            query = mine if last is None else mine.where(audit.c.seq > last)
            found = (await self._db.execute(query.limit(_AT_ONCE))).all()
            for row in found:
                yield _row(row)
            if len(found) < _AT_ONCE:
                return
            last = found[-1].seq

    async def count(self, workspace_id: str, wanted: AuditFilter | None = None) -> int:
        """How many rows there are (that are looked for)."""
        mine = select(func.count()).where(audit.c.workspace_id == workspace_id, *_conditions(wanted or AuditFilter()))
        return int(await self._db.scalar(mine) or 0)

    async def head(self, workspace_id: str) -> AuditHead | None:
        """The end of the trail as it was sealed last; None where nothing was ever kept.

        Read it in the same snapshot as the rows it is compared with.
        """
        row = (await self._db.execute(_end_of(workspace_id))).one_or_none()
        return None if row is None else self._head(workspace_id, row)

    async def sealed_by_older_keys(self, workspace_id: str) -> int:
        """One, where `reseal_all` would seal the end of this trail again; else none."""
        row = (await self._db.execute(_end_of(workspace_id))).one_or_none()
        return int(row is not None and self._is_stale(row))

    @across_workspaces("rotating the master key concerns every sealed row")
    async def reseal_all(self) -> int:
        """Seal again, with the ring's first key, each end that an older key sealed. Tells how many.

        A seal that does not open, or that says something else, is left as it is: it must go on being seen.
        """
        count = 0
        ends = select(audit_heads).order_by(audit_heads.c.workspace_id).with_for_update()
        for row in (await self._db.execute(ends)).all():
            if not self._is_stale(row):
                continue
            sealed = self._seal(row.workspace_id, row.seq, row.hash)
            mine = audit_heads.c.workspace_id == row.workspace_id
            await self._db.execute(update(audit_heads).where(mine).values(sealed=sealed))
            count += 1
        return count

    async def _hold_end(self, workspace_id: str) -> tuple[AuditHead, bytes | None]:
        """The end to go on from, which is nobody else's until our transaction ends, and its seal if it is sound."""
        whose, is_new = {"of_workspace": workspace_id}, False
        row = (await self._db.execute(_MY_END, whose)).one_or_none()
        if row is None:
            fresh = {"workspace_id": workspace_id, "seq": 0, "hash": GENESIS}
            fresh["sealed"] = self._seal_as(None, workspace_id, 0, GENESIS)
            is_new = (await self._db.execute(_beginning(self._db.dialect.name), fresh)).one_or_none() is not None
            row = (await self._db.execute(_MY_END, whose)).one()
        head = self._head(workspace_id, row)
        newest = (await self._db.execute(_NEWEST, whose)).one_or_none()
        seq, hash_ = (0, GENESIS) if newest is None else (newest.seq, newest.hash)
        if head.is_genuine and (head.seq, head.hash) == (seq, hash_):
            return head, bytes(row.sealed)
        log.warning("the end of the audit trail is not as it was sealed", extra={"workspace_id": workspace_id})
        if is_new:  # there were rows, and somebody has taken the end away
            await self._db.execute(
                update(audit_heads).where(audit_heads.c.workspace_id == workspace_id).values(sealed=_UNSEALED)
            )
        # No number twice, and no row in place of one that is gone.
        return (head if head.seq > seq else AuditHead(seq, hash_, is_genuine=False)), None

    def _head(self, workspace_id: str, row: Any) -> AuditHead:
        try:
            told = self._ring.open(row.sealed, *_identity(workspace_id)).reveal()
        except SecretUnreadable:
            told = ""
        return AuditHead(row.seq, row.hash, is_genuine=told == _told(row.seq, row.hash))

    def _is_stale(self, row: Any) -> bool:
        """Whether an older key of ours sealed it."""
        return self._head(row.workspace_id, row).is_genuine and not self._ring.is_current(row.sealed)

    def _seal_as(self, before: bytes | None, workspace_id: str, seq: int, hash_: str) -> bytes:
        """Sealed as it was before: a copy of the bot that does not have the new master key yet must not take the work
        of one that has for a forgery. `reseal_all` changes the key, once every copy has it."""
        return self._ring.seal_as(before, Secret(_told(seq, hash_)), *_identity(workspace_id))

    def _seal(self, workspace_id: str, seq: int, hash_: str) -> bytes:
        return self._ring.seal(Secret(_told(seq, hash_)), *_identity(workspace_id))


def _end_of(workspace_id: str) -> Select[Any]:
    return select(audit_heads).where(audit_heads.c.workspace_id == workspace_id)


def _told(seq: int, hash_: str) -> str:
    return f"{seq}:{hash_}"


def _identity(workspace_id: str) -> tuple[str, str, str, str]:
    return "audit_heads", workspace_id, "sealed", workspace_id


def _conditions(wanted: AuditFilter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.nouns:
        kinds = [audit.c.action == noun for noun in wanted.nouns]
        kinds += [audit.c.action.startswith(f"{noun}.", autoescape=True) for noun in wanted.nouns]
        conditions.append(or_(*kinds))
    if wanted.actor is not None:
        conditions.append(audit.c.actor == wanted.actor)
    if wanted.outcome is not None:
        conditions.append(audit.c.outcome == str(wanted.outcome))
    if wanted.since is not None:
        conditions.append(audit.c.at >= wanted.since)
    return conditions


def _values(workspace_id: str, row: AuditRow) -> dict[str, Any]:
    entry = row.entry
    return {
        "workspace_id": workspace_id,
        "seq": row.seq,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "outcome": str(entry.outcome),
        "details": {name: list(each) if isinstance(each, tuple) else each for name, each in entry.details.items()},
        "prev_hash": row.prev_hash,
        "hash": row.hash,
    }


def _row(row: Any) -> AuditRow:
    entry = AuditEntry(_when(row.at), row.actor, row.action, row.subject, row.outcome, _facts(row.details))
    return AuditRow(row.seq, row.prev_hash, row.hash, entry)


def _when(value: datetime | str) -> datetime:
    """The time of a row; that of no act where none can be read."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _facts(value: str) -> Any:
    """The details of a row; what lies there itself where it is no JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return str(value)
