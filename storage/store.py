"""Storage: one open database; Store: everything it remembers, seen through one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.actions import Actions
from storage.audit import Audit
from storage.bill_lines import BillLines
from storage.budgets import Budgets
from storage.charges import Charges
from storage.claims import Claims
from storage.collections import Collections
from storage.connections import Connections
from storage.credentials import Credentials
from storage.decisions import Decisions
from storage.digests import DigestChannels, Digests
from storage.drifts import Drifts
from storage.engine import Engines, is_away, normalised, open_engines, say_exceptions
from storage.errors import Conflict
from storage.event_tokens import EventTokens
from storage.exchange_rates import ExchangeRates
from storage.feedback import Feedbacks
from storage.incidents import Incidents
from storage.installations import Installations, OAuthStates
from storage.interviews import Interviews
from storage.migrate import migrate, revision_of
from storage.outbox import Outbox
from storage.people import People
from storage.polls import Polls
from storage.projects import KnownProjects, Projects
from storage.ratings import Caps, Ratings, ValueTargets
from storage.repository import Repository
from storage.restatements import Restatements
from storage.savings import Savings
from storage.secrets import KeyRing
from storage.stops import Stops
from storage.teams import Teams
from storage.unpriced import UnpricedNames
from storage.usage import Usage
from storage.usage_healths import UsageHealths
from storage.value import Value
from storage.workspaces import Workspaces

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Repository)

_DEADLOCK = "40P01"  # PostgreSQL's word for it


def _of(repository: Callable[[AsyncConnection], R]) -> cached_property[R]:
    """A repository of a store, made when it is first asked for: a transaction asks for a few of all there are."""
    return cached_property(lambda store: repository(store._connection))


def _sealing(repository: Callable[[AsyncConnection, KeyRing], R]) -> cached_property[R]:
    """The same of one that seals what it keeps."""
    return cached_property(lambda store: repository(store._connection, store._ring))


class Store:
    """One repository per noun, all within the same transaction. Lives no longer than that transaction."""

    workspaces = _of(Workspaces)
    people = _of(People)
    teams = _of(Teams)
    connections = _of(Connections)
    credentials = _sealing(Credentials)
    projects = _of(Projects)
    known_projects = _of(KnownProjects)
    charges = _of(Charges)
    bill_lines = _of(BillLines)
    restatements = _of(Restatements)
    usage = _of(Usage)
    healths = _of(UsageHealths)
    drifts = _of(Drifts)
    unpriced = _of(UnpricedNames)
    budgets = _of(Budgets)
    incidents = _of(Incidents)
    stops = _of(Stops)
    audit = _sealing(Audit)
    value = _of(Value)
    event_tokens = _of(EventTokens)
    ratings = _of(Ratings)
    value_targets = _of(ValueTargets)
    digests = _of(Digests)
    digest_channels = _of(DigestChannels)
    caps = _of(Caps)
    exchange_rates = _of(ExchangeRates)
    feedback = _of(Feedbacks)
    interviews = _of(Interviews)
    polls = _of(Polls)
    decisions = _of(Decisions)
    actions = _of(Actions)
    savings = _of(Savings)
    outbox = _of(Outbox)
    collections = _of(Collections)
    claims = _of(Claims)
    installations = _sealing(Installations)
    oauth_states = _of(OAuthStates)

    def __init__(self, connection: AsyncConnection, ring: KeyRing) -> None:
        self._connection = connection
        self._ring = ring

    async def sealed_by_older_keys(self, workspace_id: str) -> int:
        """How many of a workspace's secrets, and ends of its audit trail, `reseal_all` would bring under the first key.

        Only where that is none may an older key be taken away.
        """
        secrets = await self.credentials.sealed_by_older_keys(workspace_id)
        secrets += await self.installations.sealed_by_older_keys(workspace_id)
        return secrets + await self.audit.sealed_by_older_keys(workspace_id)

    async def reseal_all(self) -> int:
        """Bring every sealed secret, and the ends of the audit trails, under the ring's first key.

        Tells how many were under an older one.
        """
        secrets = await self.credentials.reseal_all() + await self.installations.reseal_all()
        return secrets + await self.audit.reseal_all()


class Storage:
    """An open database. Keep transactions short, and never wait for the network inside one: writers queue.

    When its server goes away, that is logged once, and once that it is back: whoever meets it need not say so.
    """

    def __init__(self, engines: Engines, ring: KeyRing) -> None:
        self._engines = engines
        self._ring = ring
        self._away_since: float | None = None

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engines.kind

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Store]:
        """A snapshot: every query inside sees the same moment, and none can write."""
        with self._telling_when_away():
            async with self._engines.reading.connect() as connection, connection.begin():
                yield Store(connection, self._ring)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Store]:
        """A transaction: committed at the end, rolled back by any exception or cancellation.

        Raises Conflict where it and another one waited for each other and the database gave this one up.
        """
        try:
            with self._telling_when_away():
                async with self._engines.writing.begin() as connection:
                    yield Store(connection, self._ring)
        except OperationalError as problem:
            if getattr(problem.orig, "sqlstate", None) == _DEADLOCK:
                raise Conflict("what", "this transaction wanted") from problem
            raise

    def pseudonyms(self, workspace_id: str, project_id: int) -> Callable[[str], str]:
        """How users of a project's application are named here: never by what the application calls them."""
        return self._ring.pseudonyms("users", workspace_id, str(project_id))

    async def ping(self) -> None:
        """Prove that the database answers; raises SQLAlchemy's error when it does not."""
        with self._telling_when_away():
            async with self._engines.reading.connect() as connection:
                await connection.execute(text("SELECT 1"))

    async def revision(self) -> str | None:
        """The revision the database is at now: a newer copy of the program may have moved it since we opened it."""
        async with self._engines.reading.connect() as connection:
            return await connection.run_sync(revision_of)

    @contextmanager
    def _telling_when_away(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as problem:
            if is_away(problem) and self._away_since is None:
                self._away_since = time.monotonic()
                reason = str(problem.orig).partition("\n")[0]
                log.warning("the database is away", extra={"error": type(problem).__name__, "reason": reason})
            raise
        if self._away_since is not None:
            seconds = time.monotonic() - self._away_since
            self._away_since = None
            log.warning("the database is back", extra={"seconds": round(seconds)})


@asynccontextmanager
async def open_storage(url: str, ring: KeyRing) -> AsyncIterator[Storage]:
    """Open the database at `url`, brought up to date first; raises DatabaseUnusable with a sentence when it cannot."""
    address = normalised(url)
    say_exceptions(address)
    await migrate(address)
    async with open_engines(address) as engines:
        yield Storage(engines, ring)
