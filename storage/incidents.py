"""Incidents: what was decided about a budget in one period, and everything that happened to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import RowMapping, Select, Update, and_, bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from finops.budgets import BudgetPeriod
from finops.charges import FigureState
from finops.incidents import OPINIONS, Change, EventKind, Incident, IncidentEvent, IncidentState
from finops.money import Money, to_units
from finops.periods import Period
from finops.queries import ScopeKind
from storage.errors import Conflict, NotFound
from storage.event_rows import keep_event
from storage.ledger import money
from storage.records_live import Clocks, Opinion
from storage.repository import NO_ID, Repository, inserting
from storage.tables_live import incident_events, incidents, outbox

# Amounts by the column of their currency: a limit may be changed to another while the spending stays what it was.
_AMOUNTS = {
    "limit": "limit_currency",
    "spent": "spent_currency",
    "usual": "spent_currency",
    "burn_per_minute": "spent_currency",
}
_SAME = (
    "workspace_id",
    "budget_id",
    "level",
    "spoken_level",
    "since",
    "opened_at",
    "updated_at",
    "as_of",
    "detected_at",
    "available_at",
    "channel_id",
    "acknowledged_by",
    "acknowledged_at",
    "silenced_by",
    "silenced_until",
    "closed_at",
)
# Asked all the time, and put together once: that takes longer than answering them.
_MINE = select(incidents).where(incidents.c.workspace_id == bindparam("of_workspace")).order_by(incidents.c.id)
_ONE = _MINE.where(incidents.c.id == bindparam("this"))
_OPEN = _MINE.where(incidents.c.closed_at.is_(None))
_OF_WINDOWS = _MINE.where(incidents.c.window_start.in_(bindparam("starts", expanding=True)))
_OPENED_SINCE = _MINE.where(incidents.c.opened_at >= bindparam("since"))
_EVENTS = (
    select(incident_events)
    .where(incident_events.c.workspace_id == bindparam("of_workspace"))
    .where(incident_events.c.incident_id == bindparam("of_incident"))
    .order_by(incident_events.c.id)
)


@cache
def _changing(names: tuple[str, ...]) -> Update:
    """Compare all of it and set: two writers in one moment would share a time, and a number of a version tells nobody
    anything."""
    unmoved = (incidents.c[name].is_not_distinct_from(bindparam(f"was_{name}")) for name in names)
    return update(incidents).where(incidents.c.id == bindparam("this"), *unmoved)


@cache
def _opening(dialect: str) -> ReturningInsert[Any]:
    key = ["workspace_id", "budget_id", "scope_kind", "scope_id", "period", "window_start"]
    return inserting(dialect, incidents).on_conflict_do_nothing(index_elements=key).returning(incidents.c.id)


class Incidents(Repository):
    """Incidents and their events. One per budget, scope and period, whoever evaluates."""

    async def save(self, workspace_id: str, change: Change, before: Incident | None) -> Incident:
        """Keep a change with its events; `before` is the incident as it was read, None for one that is new.

        Raises Conflict when it no longer stands as it was read, or another has opened the same one: roll back, read
        again, decide anew. An event whose key is there already is not kept twice.
        """
        incident = change.incident
        if incident.workspace_id != workspace_id or (before is not None and before.id != incident.id):
            raise ValueError(f"the change is of another incident: {incident.id}")
        if before is None:
            incident_id = await self._open(incident)
        else:
            incident_id = await self._change(incident, before)
        for event in change.events:
            await self._keep_event(workspace_id, incident_id, event)
        return replace(incident, id=incident_id)

    async def get(self, workspace_id: str, incident_id: int) -> Incident | None:
        """The incident as it stands, or None."""
        found = await self._many(_ONE, workspace_id, this=incident_id)
        return found[0] if found else None

    async def open_ones(self, workspace_id: str) -> list[Incident]:
        """Every incident that is not closed, oldest first."""
        return await self._many(_OPEN, workspace_id)

    async def open_on(self, workspace_id: str, scopes: Collection[tuple[ScopeKind, int | None]]) -> list[Incident]:
        """Every incident of these scopes that is not closed, oldest first."""
        which = [
            and_(incidents.c.scope_kind == kind, incidents.c.scope_id == (scope_id or NO_ID))
            for kind, scope_id in scopes
        ]
        return await self._many(_OPEN.where(or_(*which)), workspace_id) if which else []

    async def opinions(self, workspace_id: str, budget_id: int, limit: int) -> list[Opinion]:
        """The latest opinions of the alerts of one budget, newest first."""
        rows = await self._db.execute(
            select(incident_events.c.kind, incident_events.c.incident_id)
            .join(
                incidents,
                and_(
                    incidents.c.workspace_id == incident_events.c.workspace_id,
                    incidents.c.id == incident_events.c.incident_id,
                ),
            )
            .where(incident_events.c.workspace_id == workspace_id, incidents.c.budget_id == budget_id)
            .where(incident_events.c.kind.in_(OPINIONS))
            .order_by(incident_events.c.at.desc(), incident_events.c.id.desc())
            .limit(limit)
        )
        return [Opinion(EventKind(kind), incident_id) for kind, incident_id in rows]

    async def of_windows(self, workspace_id: str, window_starts: Collection[date]) -> list[Incident]:
        """Every incident of the periods that begin on those days, whatever its state: what evaluating starts from."""
        return await self._many(_OF_WINDOWS, workspace_id, starts=sorted(set(window_starts)))

    async def opened_since(self, workspace_id: str, at: datetime) -> list[Incident]:
        """Every incident opened then or later, whatever its state, oldest first."""
        return await self._many(_OPENED_SINCE, workspace_id, since=at)

    async def events(self, workspace_id: str, incident_id: int) -> list[IncidentEvent]:
        """What happened to it, in order."""
        rows = await self._db.execute(_EVENTS, {"of_workspace": workspace_id, "of_incident": incident_id})
        return [
            IncidentEvent(
                kind=EventKind(row.kind),
                at=row.at,
                key=row.key,
                values=MappingProxyType(row._mapping["values"]),
                is_loud=row.is_loud,
                is_said=row.is_said,
            )
            for row in rows
        ]

    async def add_event(self, workspace_id: str, incident_id: int, event: IncidentEvent) -> bool:
        """Keep something that happened beside the states; False when its key is there already.

        NotFound when this workspace has no such incident.
        """
        mine = select(incidents.c.id).where(incidents.c.workspace_id == workspace_id, incidents.c.id == incident_id)
        if (await self._db.execute(mine)).one_or_none() is None:
            raise NotFound("incident", incident_id)
        return await self._keep_event(workspace_id, incident_id, event)

    async def clocks(self, workspace_id: str, since: datetime) -> list[Clocks]:
        """The two clocks of each alert delivered since then, in order of delivery."""
        rows = await self._db.execute(
            select(outbox.c.available_at, outbox.c.detected_at, outbox.c.delivered_at)
            .where(outbox.c.workspace_id == workspace_id, outbox.c.detected_at.is_not(None))
            .where(outbox.c.delivered_at >= since)
            .order_by(outbox.c.delivered_at, outbox.c.id)
        )
        return [Clocks(*row) for row in rows]

    async def _keep_event(self, workspace_id: str, incident_id: int, event: IncidentEvent) -> bool:
        return await keep_event(self._db, incident_events, workspace_id, "incident_id", incident_id, event)

    async def _open(self, incident: Incident) -> int:
        incident_id: int | None = await self._db.scalar(_opening(self._db.dialect.name), _columns(incident))
        if incident_id is None:
            raise Conflict("the incident of budget", incident.budget_id)
        return incident_id

    async def _change(self, incident: Incident, before: Incident) -> int:
        columns = _columns(before)
        was = {f"was_{name}": value for name, value in columns.items()} | {"this": before.id}
        result = await self._db.execute(_changing(tuple(columns)), _columns(incident) | was)
        if result.rowcount != 1 or before.id is None:
            raise Conflict("incident", before.id)
        return before.id

    async def _many(self, query: Select[Any], workspace_id: str, **asked: Any) -> list[Incident]:
        rows = await self._db.execute(query, {"of_workspace": workspace_id, **asked})
        return [_incident(row._mapping) for row in rows]


def _columns(incident: Incident) -> dict[str, Any]:
    """An incident as a row, but for its id."""
    row: dict[str, Any] = {name: getattr(incident, name) for name in _SAME}
    currencies = {"limit_currency": incident.limit.currency, "spent_currency": incident.spent.currency}
    for name, column in _AMOUNTS.items():
        amount: Money | None = getattr(incident, name)
        if amount is not None and amount.currency != currencies[column]:
            raise ValueError(f"{name} of an incident is in {currencies[column]}, not {amount.currency}")
        units = (None, None) if amount is None else to_units(amount.amount)
        row[f"{name}_nano"], row[f"{name}_rest"] = units
    return (
        row
        | currencies
        | {
            "scope_kind": incident.scope_kind.value,
            "scope_id": incident.scope_id or NO_ID,
            "period": incident.period.value,
            "window_start": incident.window.start,
            "window_end": incident.window.end,
            "state": incident.state.value,
            "spent_state": incident.spent_state.value,
        }
    )


def _incident(row: RowMapping) -> Incident:
    amounts = {
        name: None if row[f"{name}_nano"] is None else money(row[f"{name}_nano"], row[f"{name}_rest"], row[column])
        for name, column in _AMOUNTS.items()
    }
    told: dict[str, Any] = {name: row[name] for name in ("id", *_SAME)} | amounts
    return Incident(
        **told,
        scope_kind=ScopeKind(row["scope_kind"]),
        scope_id=row["scope_id"] or None,
        period=BudgetPeriod(row["period"]),
        window=Period(row["window_start"], row["window_end"]),
        state=IncidentState(row["state"]),
        spent_state=FigureState(row["spent_state"]),
    )
