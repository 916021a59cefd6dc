"""The doctor: looks at everything that can be wrong with a running bot and says it as findings, worst first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot import doctor_live, doctor_trial
from bot.audience import not_left
from bot.desk import Desk
from bot.errors import OutageCode
from bot.results import Finding, FindingCode, Level, SlackCheck
from bot.rights import within_reach
from bot.spending import Spending
from finops.expiry import EXPIRED, days_left, warning_due
from finops.registry import Connection, Credential, CredentialState, Person
from providers.contract import MANAGEMENT_READ
from storage import Store
from storage.errors import SecretUnreadable
from storage.migrate import HEAD
from storage.records import Collection, CollectionState

# Slack refuses signatures five minutes off; half of that is the time to say so.
CLOCK_WARN_SECONDS = 30.0
CLOCK_FAIL_SECONDS = 150.0
COLLECTION_WARN = timedelta(hours=26)  # a day and the time a slow provider may need
COLLECTION_FAIL = timedelta(hours=50)
QUEUE_WARN = timedelta(minutes=10)
SLOW_DATABASE_SECONDS = 0.5

_ORDER = {Level.FAIL: 0, Level.WARN: 1, Level.OK: 2}


class Doctor:
    """Examines; changes nothing."""

    def __init__(self, desk: Desk, spending: Spending) -> None:
        self._desk = desk
        self._spending = spending

    async def examine(self, workspace_id: str, slack: SlackCheck | None = None) -> list[Finding]:
        """Every finding, the worst first. `slack` is what only the caller can know; None leaves Slack out."""
        findings = list(_slack(slack)) if slack is not None else []
        try:
            findings += await self._database()
            async with self._desk.storage.reading() as store:
                findings += await self._workspace(store, workspace_id)
        except SQLAlchemyError as error:
            findings.append(Finding(FindingCode.DATABASE, Level.FAIL, {"error": type(error).__name__}))
        return sorted(findings, key=lambda finding: _ORDER[finding.level])

    async def _database(self) -> list[Finding]:
        storage = self._desk.storage
        started = time.perf_counter()
        await storage.ping()
        seconds = time.perf_counter() - started
        at = await storage.revision()
        return [
            Finding(
                FindingCode.DATABASE,
                Level.WARN if seconds > SLOW_DATABASE_SECONDS else Level.OK,
                {"dialect": storage.kind, "milliseconds": round(seconds * 1000)},
            ),
            Finding(
                FindingCode.MIGRATIONS, Level.OK if at == HEAD else Level.FAIL, {"current": at or "", "head": HEAD}
            ),
        ]

    async def _workspace(self, store: Store, workspace_id: str) -> list[Finding]:
        now = self._desk.now()
        admins = await store.people.admins(workspace_id)
        connections = await store.connections.all(workspace_id)
        credentials = await store.credentials.all(workspace_id)
        looked_at = not_left(connections, credentials)
        older = await store.sealed_by_older_keys(workspace_id)
        rows = await store.collections.active(workspace_id)
        unreadable = await _unreadable(store, connections)
        return [
            _admins(admins, connections),
            *_keys(looked_at, credentials),
            *_expiry(credentials, now),
            Finding(
                FindingCode.KEYS_SEALED,
                Level.FAIL if unreadable else Level.WARN if older else Level.OK,
                {"old": older, "unreadable": unreadable},
            ),
            *_connections(looked_at, credentials, now),
            *_left([one for one in connections if one not in looked_at]),
            _queue(rows, now),
            *await doctor_trial.findings(store, workspace_id),
            *await doctor_live.findings(self._desk, self._spending, store, connections, credentials),
        ]


def _slack(slack: SlackCheck) -> Iterator[Finding]:
    told: dict[str, object] = {"error": slack.error, "is_asked": slack.bot_token_ok is not None}
    yield Finding(FindingCode.SLACK_TOKEN, Level.OK if slack.bot_token_ok else Level.FAIL, told)
    if slack.app_token_ok is not None:
        yield Finding(FindingCode.SLACK_APP_TOKEN, Level.OK if slack.app_token_ok else Level.FAIL)
    if not slack.bot_token_ok:
        return  # what Slack did not tell is unknown, and not well
    yield Finding(
        FindingCode.SLACK_SCOPES, Level.FAIL if slack.missing_scopes else Level.OK, {"missing": slack.missing_scopes}
    )
    if slack.clock_skew_seconds is not None:
        skew = abs(slack.clock_skew_seconds)
        level = Level.FAIL if skew > CLOCK_FAIL_SECONDS else Level.WARN if skew > CLOCK_WARN_SECONDS else Level.OK
        yield Finding(FindingCode.CLOCK, level, {"skew_seconds": slack.clock_skew_seconds})


async def _unreadable(store: Store, connections: list[Connection]) -> int:
    """Connections with a key that the master keys at hand do not open."""
    count = 0
    for connection in connections:
        keys = await store.credentials.of_connection(connection.workspace_id, connection.id)
        enabled = sum(key.state is CredentialState.ENABLED for key in keys)
        try:
            opened = len(await store.credentials.usable(connection.workspace_id, connection.id))
        except SecretUnreadable:
            opened = 0
        count += opened < enabled
    return count


def _admins(admins: Sequence[Person], connections: list[Connection]) -> Finding:
    """Before anything is set up that is the next step, and no fault: who installs asks before anybody could begin."""
    without = Level.FAIL if connections else Level.WARN
    return Finding(FindingCode.ADMINS, Level.OK if admins else without, {"count": len(admins)})


def _keys(connections: list[Connection], credentials: list[Credential]) -> Iterator[Finding]:
    enabled = [one for one in credentials if one.state is CredentialState.ENABLED]
    reading = {one.connection_id for one in enabled}
    without_key = sum(one.id not in reading for one in connections)
    level = Level.OK
    if not enabled:
        level = Level.FAIL if connections else Level.WARN
    elif without_key:
        level = Level.WARN
    yield Finding(
        FindingCode.KEYS,
        level,
        {"enabled": len(enabled), "disabled": len(credentials) - len(enabled), "without_key": without_key},
    )
    if not enabled:
        return  # "every connection may" would be true of none
    managing = {one.connection_id for one in enabled if MANAGEMENT_READ in one.rights}
    without = len(reading - managing)
    yield Finding(FindingCode.KEY_RIGHTS, Level.WARN if without else Level.OK, {"without_management": without})
    helpless = len(reading - within_reach(credentials))
    yield Finding(FindingCode.KEY_STOPS, Level.WARN if helpless else Level.OK, {"without_stop": helpless})


def _expiry(credentials: list[Credential], now: datetime) -> list[Finding]:
    found = [
        Finding(
            FindingCode.KEY_EXPIRY,
            Level.FAIL if days == EXPIRED else Level.WARN,
            {"ends_with": one.ends_with, "expires_at": one.expires_at, "days_left": days_left(one.expires_at, now)},
        )
        for one in credentials
        if one.expires_at is not None
        and one.state is CredentialState.ENABLED
        and (days := warning_due(one.expires_at, now)) is not None
    ]
    return found or [Finding(FindingCode.KEY_EXPIRY, Level.OK)]


def _connections(connections: list[Connection], credentials: list[Credential], now: datetime) -> Iterator[Finding]:
    keyed = {one.connection_id for one in credentials if one.state is CredentialState.ENABLED}
    for one in connections:
        if one.blind_since is not None:
            is_wish = one.blind_reason == OutageCode.KEYS_DISABLED
            yield Finding(
                FindingCode.CONNECTION,
                Level.WARN if is_wish else Level.FAIL,
                {"name": one.name, "since": one.blind_since, "code": one.blind_reason},
            )
        if one.id not in keyed:
            continue
        if one.collected_at is None:
            yield Finding(FindingCode.COLLECTION, Level.WARN, {"name": one.name, "age_minutes": None})
            continue
        age = now - one.collected_at
        level = Level.FAIL if age > COLLECTION_FAIL else Level.WARN if age > COLLECTION_WARN else Level.OK
        yield Finding(FindingCode.COLLECTION, level, {"name": one.name, "age_minutes": int(age.total_seconds() // 60)})


def _left(connections: list[Connection]) -> Iterator[Finding]:
    """Nothing to mend, but why days of theirs are missing."""
    for one in connections:
        yield Finding(FindingCode.CONNECTION, Level.OK, {"name": one.name})


def _queue(rows: list[Collection], now: datetime) -> Finding:
    waiting = [row for row in rows if row.state is CollectionState.QUEUED]
    oldest = max((now - row.created_at for row in waiting), default=timedelta())
    return Finding(
        FindingCode.QUEUE,
        Level.WARN if oldest > QUEUE_WARN else Level.OK,
        {"waiting": len(waiting), "oldest_minutes": int(oldest.total_seconds() // 60)},
    )
