"""Behaviour: finds what people did about their spending, once a day, and tells it beside the figures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import cast

from bot.actions import told_since
from bot.desk import Desk
from bot.keys import by_any
from bot.picture import account_of
from finops.audit import AuditEntry, AuditFilter, AuditRow
from finops.behaviour import (
    ANSWERS_WITHIN,
    TRAIL_NOUNS,
    Action,
    ActionKind,
    ActionSource,
    Habit,
    Preceded,
    Sighting,
    Told,
    moment,
    of_trail,
    preceding,
    sightings,
)
from finops.frozen import frozen
from finops.incidents import Fact
from finops.periods import charge_day, minute_of, moment_of, starts_at
from finops.queries import ScopeKind
from finops.registry import Connection, Project
from finops.secret import Secret
from finops.usage import MINUTES_PER_DAY, Width
from providers.contract import Provider, ProviderChange, ProviderError
from storage import Store
from storage.errors import SecretUnreadable

log = logging.getLogger(__name__)

# Bills and usage come late, and so may the bot: so many days are looked at again each time. Whoever was connected a
# moment ago, or was not looked at for longer, has more to tell: the provider's log and usage reach further back.
LOOKED_AT, LOOKED_BACK = timedelta(days=10), timedelta(days=90)
_HISTORY = timedelta(days=35)
# The same habit of the same project, found a day aside: late usage moved it.
_SAME = timedelta(days=6)
_PATIENCE_SECONDS = 20.0
# Of our own trail, so many rows are looked at every minute: what was not seen in its own minute, for nobody ran then or
# a clock went on, is not to wait for the daily look.
_NEWEST = 20
_PROVIDER: Mapping[str, ActionKind] = {
    "api_key.created": ActionKind.KEY_CREATED,
    "api_key.deleted": ActionKind.KEY_DELETED,
    "project.archived": ActionKind.PROJECT_ARCHIVED,
    "rate_limit.updated": ActionKind.RATE_LIMIT_CHANGED,
    "rate_limit.deleted": ActionKind.RATE_LIMIT_CHANGED,
    "service_account.created": ActionKind.SERVICE_ACCOUNT_CHANGED,
    "service_account.deleted": ActionKind.SERVICE_ACCOUNT_CHANGED,
}


@frozen
class _House:
    """Whose actions there are."""

    projects: Mapping[int, Project]
    connections: Sequence[Connection]

    def of(self, connection_id: int, provider_project_id: str) -> Project | None:
        return next(
            (one for one in self.projects.values() if account_of(one) == (connection_id, provider_project_id)),
            None,
        )


class Behaviour:
    """Learns what was done, and remembers it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._followed: dict[str, int] = {}

    async def learn(
        self, workspace_id: str, looked_at: timedelta = LOOKED_AT, connections: Collection[int] | None = None
    ) -> int:
        """Find what was done in the last days and keep what is new; tells how many. Nothing is found twice.

        With `connections` only what their providers and their projects' usage tell is looked at.
        """
        now = self._desk.now()
        since, first = now - looked_at, minute_of(starts_at(charge_day(now) - looked_at))
        async with self._desk.storage.reading() as store:
            house = await _house(store, workspace_id, connections)
            told = await told_since(store, workspace_id, since - ANSWERS_WITHIN)
            found = [] if connections is not None else await _of_trail(store, workspace_id, house, since)
            days = await _days(store, workspace_id, house, first, minute_of(starts_at(charge_day(now))))
        seen = await asyncio.to_thread(_seen, days, first)
        async with self._desk.storage.reading() as store:
            found += await _of_usage(store, workspace_id, seen)
        found += await self._of_providers(workspace_id, house, since)
        answering = [one if one.preceded else replace(one, preceded=_preceding(one, house, told)) for one in found]
        async with self._desk.storage.writing() as store:
            kept = await store.actions.add(workspace_id, sorted(answering, key=lambda one: (one.at, one.key)))
        if kept:
            log.info("actions found", extra={"workspace_id": workspace_id, "count": len(kept)})
        return len(kept)

    async def follow(self, workspace_id: str) -> int:
        """Keep what was done in our own windows since the last look, so that it can be seen at once.

        Of the newest rows of the trail alone, and as far back as the daily look, which misses nothing. Tells how many
        were new.
        """
        now, since = self._desk.now(), self._followed.get(workspace_id, 0)
        async with self._desk.storage.reading() as store:
            rows = [
                row
                for row in await store.audit.page(workspace_id, AuditFilter(), None, _NEWEST)
                if row.seq > since and row.entry.at >= now - LOOKED_AT
            ]
            acts = [(kind, row) for row in rows if (kind := of_trail(row.entry)) is not None]
            if acts:
                house = await _house(store, workspace_id)
                told = await told_since(store, workspace_id, now - ANSWERS_WITHIN - LOOKED_AT)
                found = [await _act(store, workspace_id, house, kind, row) for kind, row in acts]
        if acts:
            answering = [one if one.preceded else replace(one, preceded=_preceding(one, house, told)) for one in found]
            async with self._desk.storage.writing() as store:
                kept = await store.actions.add(workspace_id, answering[::-1])
        self._followed[workspace_id] = max((row.seq for row in rows), default=since)
        return len(kept) if acts else 0

    async def _of_providers(self, workspace_id: str, house: _House, since: datetime) -> list[Action]:
        """What the providers' own logs tell; a provider that does not answer is asked again tomorrow."""
        found: list[Action] = []
        for connection in house.connections:
            async with self._desk.storage.reading() as store:
                try:
                    keys = await store.credentials.openable(workspace_id, connection.id)
                except SecretUnreadable:
                    continue
            provider = self._desk.providers.get(connection.provider)
            if provider is None or not keys:
                continue
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    changes = await by_any(keys, partial(_asked, provider, since))
            except (ProviderError, TimeoutError):
                log.info("the provider's log cannot be read", extra={"connection_id": connection.id})
                continue
            found += [action for one in changes for action in _of_change(one, connection, house)]
        return found


async def _house(store: Store, workspace_id: str, only: Collection[int] | None = None) -> _House:
    connections = [one for one in await store.connections.all(workspace_id) if only is None or one.id in only]
    ids = {one.id for one in connections}
    return _House(
        {one.id: one for one in await store.projects.all(workspace_id) if one.connection_id in ids}, connections
    )


async def _asked(provider: Provider, since: datetime, key: Secret) -> tuple[ProviderChange, ...]:
    return await provider.changes(key, since)


def _preceding(action: Action, house: _House, told: Sequence[Told]) -> Told | None:
    project = house.projects.get(action.project_id or 0)
    team_id = action.team_id if project is None else project.team_id
    if action.project_id is None and team_id is None:
        return None
    return preceding(action.at, action.project_id, team_id, told)


# --- our own trail --------------------------------------------------------------------------------------------------


async def _of_trail(store: Store, workspace_id: str, house: _House, since: datetime) -> list[Action]:
    found = []
    wanted = AuditFilter(nouns=TRAIL_NOUNS, since=since)
    rows = cast("AsyncGenerator[AuditRow, None]", store.audit.all(workspace_id, wanted))
    async with aclosing(rows) as each:
        async for row in each:
            kind = of_trail(row.entry)
            if kind is not None:
                found.append(await _act(store, workspace_id, house, kind, row))
    return found


async def _act(store: Store, workspace_id: str, house: _House, kind: ActionKind, row: AuditRow) -> Action:
    entry = row.entry
    project_id, team_id, told = await _place(store, workspace_id, entry)
    project = house.projects.get(project_id or 0)
    facts: dict[str, Fact] = {"act": entry.action}
    if entry.noun == "key":
        facts["held_by"] = entry.details.get("team_id")
    return Action(
        at=entry.at,
        day=charge_day(entry.at),
        kind=kind,
        source=ActionSource.TRAIL,
        key=f"trail:{row.seq}",
        project_id=project_id,
        team_id=team_id if project is None else project.team_id,
        actor=entry.actor or "",
        details=facts | ({"stop_id": _number(entry)} if kind is ActionKind.STOPPED else {}),
        preceded=told,
    )


async def _place(store: Store, workspace_id: str, entry: AuditEntry) -> tuple[int | None, int | None, Told | None]:
    """Project, team, and for a stop the alert it answers."""
    number = _number(entry)
    if entry.noun == "stop":
        stop = await store.stops.get(workspace_id, number)
        if stop is None:
            return None, None, None
        told = None
        if stop.incident_id is not None:
            incident = await store.incidents.get(workspace_id, stop.incident_id)
            if incident is not None and incident.opened_at <= entry.at:
                told = Told(Preceded.ALERT, stop.incident_id, incident.opened_at)
        return *_scoped(stop.scope_kind.value, stop.scope_id), told
    if entry.noun == "budget":
        budget = await store.budgets.get(workspace_id, number, even_deleted=True)
        return (*_scoped(budget.terms.scope_kind.value, budget.terms.scope_id), None) if budget else (None, None, None)
    project_id = entry.details.get("project_id")
    return (project_id if isinstance(project_id, int) else None), None, None


def _scoped(kind: str, scope_id: int | None) -> tuple[int | None, int | None]:
    return (scope_id if kind == ScopeKind.PROJECT.value else None), (scope_id if kind == ScopeKind.TEAM.value else None)


def _number(entry: AuditEntry) -> int:
    digits = entry.subject.rpartition(":")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


# --- the provider's log ---------------------------------------------------------------------------------------------


def _of_change(change: ProviderChange, connection: Connection, house: _House) -> list[Action]:
    kind = _PROVIDER.get(change.kind)
    if kind is None:
        return []
    projects = [house.of(connection.id, one) for one in sorted(change.project_ids)]
    known: list[Project | None] = [one for one in projects if one is not None and not one.excluded]
    if change.project_ids and not known:
        return []  # somebody else's project
    return [
        Action(
            at=change.at,
            day=charge_day(change.at),
            kind=kind,
            source=ActionSource.PROVIDER,
            key=f"provider:{connection.id}:{change.id}:{0 if project is None else project.id}",
            project_id=None if project is None else project.id,
            team_id=None if project is None else project.team_id,
            actor=change.name,
            details={"act": change.kind},
        )
        for project in (known or [None])
    ]


# --- usage ----------------------------------------------------------------------------------------------------------


async def _days(
    store: Store, workspace_id: str, house: _House, first: int, last: int
) -> list[tuple[Project, list[Habit], int]]:
    """Every registered project whose usage is being read: its days, and where those that were read to their end do."""
    read = {one.connection_id: one.read_at for one in await store.healths.all(workspace_id) if one.read_at}
    accounts = {
        account_of(one): one for one in house.projects.values() if not one.excluded and one.connection_id in read
    }
    if not accounts:
        return []
    days = await store.usage.habits(workspace_id, Width.DAY, first - _minutes(_HISTORY), last, sorted(accounts))
    # Days that were not read to their end were not silent.
    ends = {id_: min(last, minute_of(starts_at(charge_day(at)))) for id_, at in read.items()}
    return [(project, days.get(account, []), ends[account[0]]) for account, project in accounts.items()]


def _seen(days: Sequence[tuple[Project, list[Habit], int]], first: int) -> list[tuple[Project, Sighting]]:
    """Habits that changed; some milliseconds for each project."""
    return [(project, one) for project, habits, end in days for one in sightings(habits, first, end)]


async def _of_usage(store: Store, workspace_id: str, seen: Sequence[tuple[Project, Sighting]]) -> list[Action]:
    """What was seen and is not known yet, at the hour it happened."""
    found = []
    for project, sighting in seen:
        day = charge_day(moment_of(sighting.start))
        known = await store.actions.near(workspace_id, [sighting.kind], day - _SAME, day + _SAME)
        if (sighting.kind, project.id) not in known:
            found.append(_habit_changed(project, sighting, await _hours(store, workspace_id, project, sighting)))
    return found


async def _hours(store: Store, workspace_id: str, project: Project, sighting: Sighting) -> list[Habit]:
    account = account_of(project)
    near = sighting.start - MINUTES_PER_DAY, sighting.start + 2 * MINUTES_PER_DAY
    return (await store.usage.habits(workspace_id, Width.HOUR, *near, [account])).get(account, [])


def _habit_changed(project: Project, sighting: Sighting, hours: Sequence[Habit]) -> Action:
    at = moment_of(moment(sighting, hours))
    day = charge_day(at)
    details: dict[str, Fact] = {
        "from_model": sighting.from_model or None,
        "to_model": sighting.to_model or None,
        "before": _digits(sighting.before),
        "now": _digits(sighting.now),
    }
    return Action(
        at=at,
        day=day,
        kind=sighting.kind,
        source=ActionSource.USAGE,
        key=f"usage:{sighting.kind}:{project.id}:{day.isoformat()}",
        project_id=project.id,
        team_id=project.team_id,
        details={name: value for name, value in details.items() if value is not None},
    )


def _digits(share: Decimal | None) -> str | None:
    return None if share is None else f"{share:f}"


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60
