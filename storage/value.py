"""Value: what applications recorded of their calls, each once, and the sums of it by day and week."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import Table, and_, delete, func, or_, select, tuple_

from finops.caps import UserDay
from finops.events import Call, RecordedCall, told
from finops.money import Money, to_units
from finops.periods import Period, charge_day, monday_of
from finops.value import Outcome, ValueRow, ValueSums
from storage import value_statements as statements
from storage.errors import NotFound
from storage.ledger import money
from storage.records_value import Recorded
from storage.repository import Repository, across_workspaces
from storage.tables_value import SUMS, value_calls, value_days, value_event_ids, value_users, value_weeks
from storage.value_moving import Moves

# How many ids one look-up names: SQLite takes 32,766 parameters in a statement, older ones 999.
_AT_ONCE = 900
_WEEK = timedelta(days=7)


class Value(Repository):
    """Calls are written once; days and weeks are their sums, in the same transaction. Figures are read from sums."""

    async def record(self, workspace_id: str, project_id: int, calls: Sequence[RecordedCall]) -> Recorded:
        """Write down what a project's application tells: all of it or, with any error, nothing.

        An event whose id was taken before counts as repeated and changes nothing. NotFound when this workspace has no
        such project. Give several projects in the order of workspace and id: then no two transactions wait in a circle.
        """
        return (await self.record_all(workspace_id, project_id, [calls]))[0]

    async def record_all(
        self, workspace_id: str, project_id: int, batches: Sequence[Sequence[RecordedCall]]
    ) -> list[Recorded]:
        """The same of several batches of one project, told apart in the answer, for the price of one."""
        await self._hold(workspace_id, project_id)
        mine = {"workspace_id": workspace_id, "project_id": project_id}
        fresh = await self._fresh(mine, batches)
        await self._merge(mine, list(chain.from_iterable(fresh)))
        return [Recorded(len(new), len(batch) - len(new)) for new, batch in zip(fresh, batches, strict=True)]

    async def days(
        self, workspace_id: str, period: Period, project_ids: Collection[int] | None = None
    ) -> list[ValueRow]:
        """What was recorded of the days of a period, by every name, in the order of the table's key."""
        table = value_days
        query = select(table).where(*statements.within(table, of_some=project_ids is not None))
        asked = _asked(workspace_id, period, project_ids)
        rows = await self._db.execute(query.order_by(*table.primary_key.columns), asked)
        return [
            ValueRow(
                row.project_id, row.charge_day, row.task, row.experiment, row.segment, row.model, ValueSums(*row[7:])
            )
            for row in rows
        ]

    async def sums(
        self, workspace_id: str, period: Period, project_ids: Collection[int] | None = None
    ) -> dict[int, ValueSums]:
        """What each project recorded in a period; a project without any record is absent.

        Asked of whole weeks where the period holds some, and of days for the rest: three queries at the most.
        """
        found: dict[int, ValueSums] = {}
        for table, part in _parts(period):
            query = statements.summing(table, of_some=project_ids is not None)
            for project_id, *values in await self._db.execute(query, _asked(workspace_id, part, project_ids)):
                more = ValueSums(*map(int, values))
                held = found.get(project_id)
                found[project_id] = more if held is None else ValueSums(*map(sum, zip(held, more, strict=True)))
        return dict(sorted(found.items()))

    async def tells_anything(self, workspace_id: str, period: Period) -> bool:
        """Whether anything at all was recorded of a period: answered by the first row there is."""
        rows = await self._db.execute(statements.TELLS_ANYTHING, _asked(workspace_id, period, None))
        return rows.first() is not None

    async def weekly(self, workspace_id: str, weeks: Sequence[Period]) -> dict[tuple[int, date], ValueSums]:
        """What each project recorded in each week, by (project, Monday); absent where nothing was.

        ValueError where a period is not the seven days from a Monday.
        """
        for week in weeks:
            if week.start.weekday() != 0 or week.days != 7:
                raise ValueError(f"{week.start} to {week.end} is not a week from Monday")
        table = value_weeks
        query = select(table.c.project_id, table.c.week, *(table.c[name] for name in SUMS)).where(
            table.c.workspace_id == workspace_id, table.c.week.in_([week.start for week in weeks])
        )
        rows = await self._db.execute(query.order_by(table.c.project_id, table.c.week))
        return {(project_id, week): ValueSums(*values) for project_id, week, *values in rows}

    async def newest(
        self, workspace_id: str, period: Period, project_ids: Collection[int] | None = None
    ) -> dict[int, datetime]:
        """The time of the newest event of each project, among those of the weeks that a period touches."""
        table = value_weeks
        touched = Period(monday_of(period.start), period.end)
        query = select(table.c.project_id, func.max(table.c.newest_at)).group_by(table.c.project_id)
        query = query.where(*statements.within(table, of_some=project_ids is not None))
        rows = await self._db.execute(query, _asked(workspace_id, touched, project_ids))
        return {row[0]: row[1] for row in rows}

    async def users_over(
        self,
        workspace_id: str,
        period: Period,
        per_call: Money,
        per_user_day: Money,
        project_ids: Collection[int] | None = None,
    ) -> list[UserDay]:
        """Days of users that cost more than `per_user_day`, or had a call above `per_call`; in the key's order.

        Ask with the lowest caps of all segments, and let finops.caps.seen hold each against its own.
        """
        table, currency = value_users, per_call.currency
        over = or_(
            tuple_(table.c.cost_nano, table.c.cost_rest) > to_units(per_user_day.amount),
            tuple_(table.c.dearest_call_nano, table.c.dearest_call_rest) > to_units(per_call.amount),
        )
        query = select(table).where(*statements.within(table, of_some=project_ids is not None), over)
        asked = _asked(workspace_id, period, project_ids)
        rows = await self._db.execute(query.order_by(*table.primary_key.columns), asked)
        return [
            UserDay(
                row.project_id,
                row.charge_day,
                row.user_key,
                row.segment,
                money(row.cost_nano, row.cost_rest, currency),
                money(row.dearest_call_nano, row.dearest_call_rest, currency),
            )
            for row in rows
        ]

    async def last_event_at(self, workspace_id: str, project_id: int) -> datetime | None:
        """The time of the newest event that a project's application sent; None when it never sent one."""
        table = value_weeks
        mine = table.c.workspace_id == workspace_id, table.c.project_id == project_id
        at: datetime | None = await self._db.scalar(select(func.max(table.c.newest_at)).where(*mine))
        return at

    @across_workspaces("what is old is swept everywhere")
    async def forget_before(self, calls: date, ids: date, days: date) -> int:
        """Drop calls and users of charge days before `calls`, event ids seen before `ids`, and sums before `days`.

        Tells how many rows that were. A week is dropped once it has ended before `days`.
        """
        old = (
            (value_calls, value_calls.c.charge_day < calls),
            (value_users, value_users.c.charge_day < calls),
            (value_event_ids, value_event_ids.c.seen_on < ids),
            (value_days, value_days.c.charge_day < days),
            (value_weeks, value_weeks.c.week <= days - _WEEK),
        )
        return sum([(await self._db.execute(delete(table).where(which))).rowcount for table, which in old])

    async def _hold(self, workspace_id: str, project_id: int) -> None:
        """Prove the project, and let nobody else record for it before the transaction ends.

        SQLite's writers take turns anyway; on PostgreSQL they queue here, and nobody who only refers to it waits.
        """
        mine = {"of_workspace": workspace_id, "this": project_id}
        if (await self._db.execute(statements.HOLD_PROJECT, mine)).one_or_none() is None:
            raise NotFound("project", project_id)

    async def _fresh(self, mine: dict[str, Any], batches: Sequence[Sequence[RecordedCall]]) -> list[list[RecordedCall]]:
        """The events of each batch that nobody took before, each id once; they are taken now."""
        first: dict[str, RecordedCall] = {}
        for event in chain.from_iterable(batches):
            first.setdefault(event.event_id, event)
        if not first:
            return [[] for _ in batches]
        # Kept by the day of the event, not of its arrival: what is too old to be taken needs no id any more.
        rows = [mine | {"event_id": event.event_id, "seen_on": charge_day(event.at)} for event in first.values()]
        taken = set(await self._db.scalars(statements.taken(self._db.dialect.name), rows))
        fresh: list[list[RecordedCall]] = []
        for batch in batches:
            fresh.append([])
            for event in batch:
                if event.event_id in taken:
                    taken.remove(event.event_id)  # of the same id twice, the first counts
                    fresh[-1].append(event)
        return fresh

    async def _merge(self, mine: dict[str, Any], fresh: Sequence[RecordedCall]) -> None:
        """Let events tell of their calls, and sums follow by the difference."""
        if not fresh:
            return
        known = await self._known(**mine, request_ids={event.request_id for event in fresh})
        now, moves = dict(known), Moves()
        newest = max(event.at for event in fresh)
        for event in fresh:
            now[event.request_id] = told(now.get(event.request_id), event)
        for request_id, call in now.items():
            moves.replace(known.get(request_id), call, newest)
        await self._write(mine, now, moves)

    async def _known(self, workspace_id: str, project_id: int, request_ids: Iterable[str]) -> dict[str, Call]:
        table, asked = value_calls, sorted(request_ids)
        query = select(table.c.request_id, *(table.c[name] for name in statements.CALL))
        query = query.where(table.c.workspace_id == workspace_id, table.c.project_id == project_id)
        found = {}
        for at in range(0, len(asked), _AT_ONCE):
            for request_id, *values in await self._db.execute(
                query.where(table.c.request_id.in_(asked[at : at + _AT_ONCE]))
            ):
                call = Call(*values)
                found[request_id] = call if call.outcome is None else call._replace(outcome=Outcome(call.outcome))
        return found

    async def _write(self, mine: dict[str, Any], calls: dict[str, Call], moves: Moves) -> None:
        dialect = self._db.dialect.name
        await self._db.execute(
            statements.kept(dialect),
            [
                mine | {"request_id": request_id, "charge_day": charge_day(call.at)} | call._asdict()
                for request_id, call in calls.items()
            ],
        )
        for table, rows in (
            (value_days, moves.day_rows()),
            (value_weeks, moves.week_rows()),
            (value_users, moves.user_rows()),
        ):
            if rows:
                await self._db.execute(statements.added(dialect, table), [mine | row for row in rows])
        if emptied := moves.emptied:
            await self._drop_nothings(mine, emptied)

    async def _drop_nothings(self, mine: dict[str, Any], days: Sequence[date]) -> None:
        """Drop what came to nothing because its last call moved away."""
        mondays = sorted({monday_of(day) for day in days})
        for table, column, when in (
            (value_days, "charge_day", days),
            (value_users, "charge_day", days),
            (value_weeks, "week", mondays),
        ):
            whose = and_(*(table.c[name] == value for name, value in mine.items()))
            await self._db.execute(delete(table).where(whose, table.c[column].in_(when), table.c.calls == 0))


def _parts(period: Period) -> list[tuple[Table, Period]]:
    """A period as whole weeks and the days before and after them; every day once."""
    first = monday_of(period.start + timedelta(days=6))
    last = monday_of(period.end)
    if first >= last:
        return [(value_days, period)]
    parts = [(value_days, Period(period.start, first)), (value_weeks, Period(first, last))]
    return [part for part in [*parts, (value_days, Period(last, period.end))] if part[1].days]


def _asked(workspace_id: str, period: Period, project_ids: Collection[int] | None) -> dict[str, Any]:
    asked: dict[str, Any] = {"of_workspace": workspace_id, "first": period.start, "after": period.end}
    return asked if project_ids is None else asked | {"projects": sorted(project_ids)}
