"""The bill as a file: the ledger's own lines of a scope and period, for whoever may see its figures."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from datetime import datetime

from bot.audit import record
from bot.billed import Billed
from bot.desk import Desk
from bot.picture import account_of
from bot.reports import Reports
from finops.bill_file import MOST_LINES, PACKED_FROM, BillFile, DayBill, Owner, Writing, file_name
from finops.charges import FigureState, day_state
from finops.figures import Figure
from finops.incidents import Fact
from finops.queries import PeriodName
from finops.registry import Connection, Person
from storage import Store
from storage.bill_lines import DayLines
from storage.charges import Account

log = logging.getLogger(__name__)

_Owners = dict[int, dict[str | None, Owner]]


class Exporting:
    """Answers `/finops export`.

    Held in memory are the lines of one day of one connection and the file so far, packed where it is long; and one
    file at a time is put together, so that those who wait for one leave the database to everybody else.
    """

    def __init__(self, desk: Desk, reports: Reports) -> None:
        self._desk = desk
        self._reports = reports
        self._one_at_a_time = asyncio.Lock()

    async def bill(self, actor: Person, text: str) -> tuple[BillFile, Figure]:
        """The bill asked for in words, `[team|project] [period]`, else of last month; and the figure it adds up to.

        All of it is of one moment. Refuses words it cannot place. That somebody took a file is written down.
        """
        workspace_id = actor.workspace_id
        async with self._one_at_a_time, self._desk.storage.reading() as store:
            asked = await self._reports.billed(store, workspace_id, text, PeriodName.LAST_MONTH)
            file = await self._written(store, workspace_id, asked)
        if file.content is not None:
            async with self._desk.storage.writing() as store:
                scope, period = asked.scope, asked.query.period
                subject = str(scope.kind) if scope.id is None else f"{scope.kind}:{scope.id}"
                told: dict[str, Fact] = {
                    "lines": file.lines,
                    "from_day": period.start.isoformat(),
                    "to_day": period.end.isoformat(),
                }
                if scope.name:
                    told["name"] = scope.name
                await record(self._desk, store, workspace_id, actor.user_id, "bill.exported", subject, told)
        log.info("bill asked", extra={"user_id": actor.user_id, "scope": asked.scope.kind, "lines": file.lines})
        return file, asked.figure

    async def _written(self, store: Store, workspace_id: str, asked: Billed) -> BillFile:
        period, now = asked.query.period, self._desk.now()
        count = await store.bill_lines.count(workspace_id, period, asked.accounts)
        if not 0 < count <= MOST_LINES:
            return BillFile(asked.scope, asked.query, now, count)
        owners = await _owners(store, workspace_id, asked)
        connections = {one.id: one for one in asked.connections}
        writing = Writing(file_name(period), now, is_packed=count >= PACKED_FROM)
        async with aclosing(store.bill_lines.by_day(workspace_id, period, asked.accounts)) as days:
            async for lines in days:
                bill = _day_bill(lines, connections.get(lines.connection_id), asked, now)
                await asyncio.to_thread(writing.add, bill, owners.get(lines.connection_id, {}))
        content = await asyncio.to_thread(writing.done)
        return BillFile(asked.scope, asked.query, now, writing.lines, writing.totals(), writing.name, content)


def _day_bill(lines: DayLines, connection: Connection | None, asked: Billed, now: datetime) -> DayBill:
    reading = asked.readings.get(lines.connection_id, {}).get(lines.day)
    return DayBill(
        day=lines.day,
        provider=connection.provider if connection else "",
        organization_id=(connection.organization_id if connection else None) or "",
        organization_name=(connection.organization_name if connection else None) or "",
        # An amount that is there and of which no reading is known counts, as in every figure.
        state=FigureState.PROVISIONAL if reading is None else day_state(reading, now),
        read_at=None if reading is None else reading.read_at,
        charges=lines.charges,
    )


async def _owners(store: Store, workspace_id: str, asked: Billed) -> _Owners:
    """What each provider project is called and whose it is; what is taken out of collecting is nobody's."""
    owners: _Owners = {}
    for known in await store.known_projects.all(workspace_id):
        account: Account = account_of(known)
        owners.setdefault(account[0], {})[account[1]] = Owner(known.name)
    for one in asked.projects:
        team = "" if one.excluded else asked.team_names.get(one.team_id, "")
        owners.setdefault(one.connection_id, {})[one.provider_project_id] = Owner(one.name, team)
    return owners
