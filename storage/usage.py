"""Usage: what providers told by the minute, its roll-ups by hour and day, and how far each has been read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from finops.behaviour import Habit
from finops.periods import Period, minute_of, starts_at
from finops.usage import UsageReading, UsageRow, Width
from storage import usage_statements as statements
from storage.charges import Account
from storage.connections import hold_connection
from storage.ledger import money
from storage.records_live import Estimate, Repricing, UsageChange, UsageRead, UsageSum
from storage.repository import OVERTAKEN_AT_MOST, Repository, across_workspaces
from storage.tables_live import repricings, usage_minutes, usage_reads
from storage.usage_groups_sums import GroupedUsage, grouped, same_hours
from storage.usage_habits import habits
from storage.usage_healths import UsageHealths
from storage.usage_moving import Covered, Rollups, beside
from storage.usage_repricing import reprice_days
from storage.usage_rollups import Stretch, Told, extended, prepare, whole_buckets
from storage.usage_rows import UsageRows, Whose
from storage.usage_sums import busy_buckets, estimates, first_days, newest_spent, stretches, sums

Priced = tuple[UsageRow, int, bool]
"""A row, its price in atto-dollars, and whether a price is known."""

# The clocks of two machines that poll side by side.
_CLOCKS_DIFFER = timedelta(minutes=1)


class Usage(Repository):
    """Usage and its estimates. Minutes stay for 90 days, hours and days for good; every sum is exact."""

    async def replace(
        self,
        workspace_id: str,
        connection_id: int,
        reading: UsageReading,
        priced: Sequence[Priced],
        read_at: datetime,
        final_until: int | None,
        now: datetime | None = None,
        told_at: datetime | None = None,
    ) -> UsageChange:
        """Let what a reading told of each bucket take the place of what we held of it, and move the roll-ups by that.

        `priced` are the rows of the reading's buckets with their prices. A bucket told as empty erases nothing, one
        not told of stays, and so does everything when a newer reading by minutes has overtaken this one. Hours are the
        sum of their minutes and days of their hours, but for those that the provider told as one: a reading by hour or
        day is kept where no finer readings cover the whole of it, and once it is over; finer readings that come to
        cover it take its place. `final_until` (minutes since 1970) is kept unless None. What was read later than `now`
        was stamped by a clock that has been set back since, and has not overtaken anything. `told_at` is `read_at` by
        the clock of whoever told it, where that is another: by it hours are over. All or nothing with the transaction
        around it. NotFound for another workspace's connection.
        """
        told = await beside(len(priced), prepare, reading, priced)
        await hold_connection(self._db, workspace_id, connection_id)
        row = await self._read(workspace_id, connection_id, reading.endpoint)
        return await self._replaced(workspace_id, row, reading, told, read_at, final_until, now, told_at)

    async def _replaced(
        self,
        workspace_id: str,
        row: Any,
        reading: UsageReading,
        told: Told,
        read_at: datetime,
        final_until: int | None,
        now: datetime | None,
        told_at: datetime | None,
    ) -> UsageChange:
        """`replace`, by whoever holds the connection and has read since how far that endpoint was read: `row`."""
        by_minute = reading.width is Width.MINUTE
        newest: int | None = row.newest_data
        if by_minute and row.read_at is not None and _was_overtaken(read_at, row.read_at, now):
            return UsageChange(0, newest, kept=True)
        known = Covered(_stretch(row.minutes_from, row.minutes_until), _stretch(row.hours_from, row.hours_until))
        rollups = Rollups(UsageRows(self._db, Whose(workspace_id, row.id)))
        block = await rollups.numbered(told)
        first_seen: tuple[int, ...] = ()
        if by_minute:
            span = reading.start, reading.end
            covered = Covered(extended(known.minutes, *span), extended(known.hours, *span))
            changed, held = await rollups.by_minute(block, *span, covered)
            if known.minutes is not None:
                first_seen = tuple(sorted(set(changed.fresh.starts) - set(held.starts)))
            newest = max((each for each in (newest, *block.starts[-1:]) if each is not None), default=None)
        else:
            minute = minute_of(told_at or read_at)
            span = whole_buckets(reading.start, min(reading.end, minute), reading.width)
            over = {start for start in block.buckets if start % reading.width == 0 and start + reading.width <= minute}
            block = block.only(over)
            if reading.width is Width.HOUR:
                covered = Covered(known.minutes, extended(known.hours, *span))
                changed = await rollups.by_hour(block, *span, covered)
            else:
                covered = known
                changed = await rollups.by_day(block, covered)
        values: dict[str, Any] = {"newest_data": newest} | _columns(covered)
        if by_minute:
            values["read_at"] = read_at
        if final_until is not None:
            values["final_until"] = final_until
        await self._db.execute(statements.READ_ON, values | {"of_workspace": workspace_id, "these": [row.id]})
        return UsageChange(changed.fresh.size + len(changed.removed), newest, first_seen)

    async def replace_each(
        self,
        workspace_id: str,
        connection_id: int,
        readings: Sequence[tuple[UsageReading, Sequence[Priced]]],
        read_at: datetime,
        now: datetime | None = None,
        told_at: datetime | None = None,
    ) -> list[UsageChange]:
        """`replace` for readings of different endpoints, each final until its end; the changes in the same order.

        Most endpoints never tell anything: those are kept together, in one statement however many they are.
        """
        if not readings:
            return []
        await hold_connection(self._db, workspace_id, connection_id)
        asked = {"of_workspace": workspace_id, "of_connection": connection_id}
        rows = {row.endpoint: row for row in await self._db.execute(statements.READS_TOLD, asked)}
        silent = await self._silent(workspace_id, [told for told, _ in readings], rows, read_at, now)
        changes: list[UsageChange] = []
        for reading, priced in readings:
            if reading.endpoint in silent:
                changes.append(UsageChange(0, None))
                continue
            told = await beside(len(priced), prepare, reading, priced)
            row = rows.get(reading.endpoint) or await self._begun(workspace_id, connection_id, reading.endpoint)
            until = reading.end
            changes.append(await self._replaced(workspace_id, row, reading, told, read_at, until, now, told_at))
        return changes

    async def _silent(
        self,
        workspace_id: str,
        readings: Sequence[UsageReading],
        rows: Mapping[str, Any],
        read_at: datetime,
        now: datetime | None,
    ) -> set[str]:
        """Keep how far was read what tells nothing by the minute, where nothing was ever told; the endpoints kept."""
        alike: dict[tuple[Any, ...], list[Any]] = {}
        for told in readings:
            row = rows.get(told.endpoint)
            if row is None or row.newest_data is not None or row.has_groups:
                continue
            if told.width is not Width.MINUTE or any(each.rows for each in told.buckets):
                continue
            if row.read_at is not None and _was_overtaken(read_at, row.read_at, now):
                continue
            minutes, hours = _stretch(row.minutes_from, row.minutes_until), _stretch(row.hours_from, row.hours_until)
            span = told.start, told.end
            covered = _columns(Covered(extended(minutes, *span), extended(hours, *span)))
            alike.setdefault((told.end, *covered.items()), []).append(row)
        for (final_until, *covered_items), same in alike.items():
            values = {"read_at": read_at, "final_until": final_until} | dict(covered_items)
            whose = {"of_workspace": workspace_id, "these": [row.id for row in same]}
            await self._db.execute(statements.READ_ON, values | whose)
        return {row.endpoint for same in alike.values() for row in same}

    async def reads(self, workspace_id: str, connection_id: int) -> dict[str, UsageRead]:
        """How far each endpoint has been read; one never read is absent."""
        rows = await self._db.execute(statements.READS, {"of_workspace": workspace_id, "of_connection": connection_id})
        return {
            row.endpoint: UsageRead(row.endpoint, row.final_until, row.read_at, row.newest_data)
            for row in rows
            if row.final_until is not None
        }

    async def open_estimates(self, workspace_id: str, days: Collection[date]) -> list[Estimate]:
        """The estimates of whole days, for every connection, project and model."""
        return await estimates(self._db, workspace_id, days)

    async def activity(
        self,
        workspace_id: str,
        from_minute: int,
        to_minute: int,
        accounts: Collection[Account] | None = None,
        *,
        by_key: bool = False,
    ) -> list[UsageSum]:
        """Sums over [from, to), per connection, project and model, and per API key when asked for.

        Whole days and hours come from the roll-ups, the rest from minutes.
        """
        parts = stretches(from_minute, to_minute)
        return await sums(self._db, workspace_id, parts, accounts, by_key=by_key)

    async def hourly(
        self, workspace_id: str, from_minute: int, to_minute: int, accounts: Collection[Account] | None = None
    ) -> list[UsageSum]:
        """Sums per hour that begins in [from, to), connection, project and model."""
        part = [(Width.HOUR, -(-from_minute // Width.HOUR) * Width.HOUR, to_minute)]
        return await sums(self._db, workspace_id, part, accounts, by_start=True)

    async def daily(
        self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None
    ) -> list[UsageSum]:
        """Sums per day, connection, project and model."""
        part = [(Width.DAY, minute_of(starts_at(period.start)), minute_of(starts_at(period.end)))]
        return await sums(self._db, workspace_id, part, accounts, by_start=True)

    async def first_days(self, workspace_id: str) -> dict[int, int]:
        """The minute at which the first day begins of which each connection's usage is kept; absent where none is."""
        return await first_days(self._db, workspace_id)

    async def habits(
        self, workspace_id: str, width: Width, from_minute: int, to_minute: int, accounts: Collection[Account] | None
    ) -> dict[tuple[int, str], list[Habit]]:
        """How each provider project called its models, in the used buckets of one width in [from, to)."""
        named = None if accounts is None else {(connection_id, account or "") for connection_id, account in accounts}
        return await habits(self._db, workspace_id, width, from_minute, to_minute, named)

    async def grouped(
        self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None
    ) -> list[GroupedUsage]:
        """Sums over a period by project, endpoint, model, tier and batch: what a cost is explained from."""
        part = [(Width.DAY, minute_of(starts_at(period.start)), minute_of(starts_at(period.end)))]
        return await grouped(self._db, workspace_id, part, accounts)

    async def grouped_between(
        self, workspace_id: str, from_minute: int, to_minute: int, accounts: Collection[Account] | None = None
    ) -> list[GroupedUsage]:
        """The same over [from, to), to the minute."""
        return await grouped(self._db, workspace_id, stretches(from_minute, to_minute), accounts)

    async def same_hours(
        self,
        workspace_id: str,
        before: int,
        days: int,
        minutes: Mapping[int, int],
        accounts: Collection[Account] | None = None,
    ) -> tuple[int, list[GroupedUsage]]:
        """On how many of the days up to `before` there was usage, and their sums of some hours of the day.

        Each hour (by its first minute of the day) counts as many times as `minutes` says: sums are sixtieths of hours.
        """
        return await same_hours(self._db, workspace_id, before, days, minutes, accounts)

    async def recent(
        self,
        workspace_id: str,
        since_minute: int,
        accounts: Collection[Account] | None = None,
        until_minute: int | None = None,
    ) -> list[UsageSum]:
        """Sums per minute in [since, until), connection, project and model; without `until` all there are from then on.

        Minutes without usage are absent.
        """
        if until_minute is None:
            newest = await self._db.scalar(statements.NEWEST, {"of_workspace": workspace_id})
            until_minute = since_minute if newest is None else newest + 1
        return await sums(self._db, workspace_id, [(Width.MINUTE, since_minute, until_minute)], accounts, by_start=True)

    async def newest_spent(
        self, workspace_id: str, since_minute: int, accounts: Collection[Account] | None = None
    ) -> int | None:
        """The newest minute from `since_minute` on that cost something, or whose price nobody knows; None: there is
        none. A line for each model of each project is read, not one for each of their minutes."""
        return await newest_spent(self._db, workspace_id, since_minute, accounts)

    async def busy(
        self, workspace_id: str, connection_id: int, from_minute: int, to_minute: int, width: Width
    ) -> list[tuple[int, int]]:
        """The buckets of one width in [from, to) with any usage, as (start, width in minutes), ascending."""
        return await busy_buckets(self._db, workspace_id, connection_id, from_minute, to_minute, width)

    async def reprice(
        self,
        workspace_id: str,
        connection_id: int,
        period: Period,
        price: Callable[[Sequence[UsageRow]], Sequence[Priced]],
        *,
        from_version: str | None,
        to_version: str,
        at: datetime,
    ) -> Repricing:
        """Price what is stored of some days again, log it, and tell what it moved.

        `price` runs in a thread, and prices roll-ups alone where their finer rows are gone. The connection's price
        version is the new one from then on.
        """
        await hold_connection(self._db, workspace_id, connection_id)
        rows, before, after = await reprice_days(self._db, workspace_id, connection_id, period, price)
        logged = {
            "workspace_id": workspace_id,
            "connection_id": connection_id,
            "repriced_at": at,
            "from_version": from_version,
            "to_version": to_version,
            "first_day": period.start,
            "rows_changed": rows,
            "before_nano": before[0],
            "before_rest": before[1],
            "after_nano": after[0],
            "after_rest": after[1],
        }
        await self._db.execute(insert(repricings).values(logged))
        await UsageHealths(self._db).mark_priced(workspace_id, connection_id, to_version)
        return Repricing(
            connection_id, at, from_version, to_version, period.start, rows, money(*before, "USD"), money(*after, "USD")
        )

    async def repricings(self, workspace_id: str, connection_id: int) -> list[Repricing]:
        """Every time history was priced again, oldest first."""
        rows = await self._db.execute(
            select(repricings)
            .where(repricings.c.workspace_id == workspace_id, repricings.c.connection_id == connection_id)
            .order_by(repricings.c.id)
        )
        return [
            Repricing(
                row.connection_id,
                row.repriced_at,
                row.from_version,
                row.to_version,
                row.first_day,
                row.rows_changed,
                money(row.before_nano, row.before_rest, "USD"),
                money(row.after_nano, row.after_rest, "USD"),
            )
            for row in rows
        ]

    @across_workspaces("old minutes are swept everywhere")
    async def forget_minutes_before(self, minute: int) -> int:
        """Drop minutes before that one; hours and days stay. Tells how many rows went."""
        gone = 0
        reads = await self._db.execute(select(usage_reads.c.workspace_id, usage_reads.c.id))
        for workspace_id, read_id in reads.all():
            # One stretch of the key for each, where one condition alone would read the whole table.
            old = delete(usage_minutes).where(
                usage_minutes.c.workspace_id == workspace_id,
                usage_minutes.c.read_id == read_id,
                usage_minutes.c.start < minute,
            )
            gone += (await self._db.execute(old)).rowcount
        return gone

    async def _read(self, workspace_id: str, connection_id: int, endpoint: str) -> Any:
        """How far it has been read; begins the record where there is none. Whoever asks holds the connection."""
        asked = {"of_workspace": workspace_id, "of_connection": connection_id, "of_endpoint": endpoint}
        row = (await self._db.execute(statements.READ, asked)).one_or_none()
        return await self._begun(workspace_id, connection_id, endpoint) if row is None else row

    async def _begun(self, workspace_id: str, connection_id: int, endpoint: str) -> Any:
        key = {"workspace_id": workspace_id, "connection_id": connection_id, "endpoint": endpoint}
        return (await self._db.execute(statements.BEGIN_READ, key)).one()


def _stretch(start: int | None, end: int | None) -> Stretch | None:
    return None if start is None or end is None else Stretch(start, end)


def _columns(covered: Covered) -> dict[str, int | None]:
    minutes, hours = covered.minutes, covered.hours
    return {
        "minutes_from": None if minutes is None else minutes.start,
        "minutes_until": None if minutes is None else minutes.end,
        "hours_from": None if hours is None else hours.start,
        "hours_until": None if hours is None else hours.end,
    }


def _was_overtaken(read_at: datetime, held: datetime, now: datetime | None) -> bool:
    latest = read_at + OVERTAKEN_AT_MOST
    return read_at < held < (latest if now is None else min(latest, now + _CLOCKS_DIFFER))
