"""Workspaces are strangers: every query names its workspace, and no id of one opens anything of another."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_type_hints

import pytest
from sqlalchemy import MetaData
from sqlalchemy.exc import IntegrityError

from finops.charges import Charge, ChargedDay
from finops.periods import Period
from finops.registry import CredentialState, KnownProject, Person, Project, Role, Team
from finops.secret import Secret
from storage import Storage, Store
from storage.errors import NotFound, StorageError
from storage.records import CollectionKind
from storage.repository import Repository
from storage.tables import metadata
from tests.databases import MOMENT, OTHER_WORKSPACE, WORKSPACE, Tenant, a_tenant

DAY = date(2026, 7, 1)
PERIOD = Period(DAY, DAY + timedelta(days=1))
LATER = MOMENT + timedelta(days=1)

# Slack's own ids are the key here: they are the workspace.
KEYED_BY_SLACK = {"Installations.save", "Installations.find", "Installations.delete"}
# Tables whose rows belong to no workspace, or to one by their key.
WITHOUT_WORKSPACE = {"workspaces", "job_runs", "installations", "oauth_states"}


@dataclass(frozen=True)
class Discovered:
    id: str
    name: str
    is_archived: bool = False


@dataclass(frozen=True)
class Belongings:
    """What the first workspace owns, by id: what a stranger might guess."""

    tenant: Tenant
    team: Team
    project: Project
    credential_id: int
    collection_id: int

    @property
    def connection_id(self) -> int:
        return self.tenant.connection.id


def queries() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public query of every repository a Store offers."""
    for repository in sorted(Repository.__subclasses__(), key=lambda each: each.__name__):
        for name, method in inspect.getmembers(repository, inspect.iscoroutinefunction):
            if not name.startswith("_"):
                yield f"{repository.__name__}.{name}", method


async def test_every_query_takes_a_workspace_or_says_why_not() -> None:
    """A query that forgets its workspace does not pass unnoticed."""
    for name, method in queries():
        first = list(inspect.signature(method).parameters)[1:2]
        reason = getattr(method, "across_workspaces", None)
        if name in KEYED_BY_SLACK or reason:
            continue
        assert first == ["workspace_id"], name
        assert get_type_hints(method)["workspace_id"] is str, name


def test_every_table_knows_its_workspace() -> None:
    """A row without a workspace could be anybody's."""
    assert isinstance(metadata, MetaData)
    for table in metadata.sorted_tables:
        assert ("workspace_id" in table.c) == (table.name not in WITHOUT_WORKSPACE), table.name
        if "workspace_id" in table.c:
            assert not table.c.workspace_id.nullable, table.name


async def filled(storage: Storage, workspace_id: str) -> Belongings:
    """One of everything."""
    tenant = await a_tenant(storage, workspace_id)
    connection_id = tenant.connection.id
    async with storage.writing() as store:
        await store.people.remember(
            workspace_id,
            Person(
                workspace_id,
                "U0MINSU001",
                "김민수",
                Role.ADMIN,
                "ko-KR",
                "Asia/Seoul",
                is_workspace_admin=False,
                seen_at=MOMENT,
            ),
        )
        [project], _ = await store.projects.register(
            workspace_id,
            connection_id=connection_id,
            team_id=tenant.team_id,
            projects=[("proj_a", "chatbot")],
            registered_by="U0MINSU001",
            at=MOMENT,
        )
        credential = await store.credentials.add(
            workspace_id,
            connection_id=connection_id,
            team_id=tenant.team_id,
            secret=Secret("sk-" + "admin-0123456789"),
            rights=(),
            registered_by="U0MINSU001",
            at=MOMENT,
        )
        await store.known_projects.remember(workspace_id, connection_id, [Discovered("proj_a", "chatbot")], MOMENT)
        for at, cost in ((MOMENT, "1"), (LATER, "2")):
            day = ChargedDay(DAY, (Charge(DAY, "proj_a", "gpt-4o", Decimal(cost)),))
            await store.charges.replace_day(workspace_id, connection_id, day, at)
        collection = await store.collections.add(
            workspace_id,
            connection_id=connection_id,
            kind=CollectionKind.DAILY,
            slot="2026-07-06",
            period=PERIOD,
            requested_by=None,
            at=MOMENT,
        )
        assert collection is not None
        await store.messages.claim(workspace_id, "key", "C1", MOMENT, timedelta(minutes=5))
        team = await store.teams.get(workspace_id, tenant.team_id)
        assert team is not None
    return Belongings(tenant, team, project, credential.id, collection.id)


async def everything(storage: Storage, workspace_id: str, mine: Belongings) -> list[Any]:
    """All that a workspace can see of itself."""
    async with storage.reading() as store:
        return [
            await store.workspaces.get(workspace_id),
            await store.people.admins(workspace_id),
            await store.teams.all(workspace_id),
            await store.connections.all(workspace_id),
            await store.credentials.of_team(workspace_id, mine.team.id),
            await store.credentials.usable(workspace_id, mine.connection_id),
            await store.projects.all(workspace_id),
            await store.known_projects.all(workspace_id),
            await store.charges.totals(workspace_id, PERIOD),
            await store.charges.daily_totals(workspace_id, PERIOD),
            await store.charges.lines(workspace_id, PERIOD, mine.connection_id, "proj_a"),
            await store.charges.readings(workspace_id, PERIOD),
            await store.restatements.of(workspace_id, PERIOD),
            await store.collections.get(workspace_id, mine.collection_id),
            await store.messages.get(workspace_id, "key"),
        ]


Attempt = Callable[[Store, str, Belongings], Awaitable[Any]]
A_DAY = ChargedDay(DAY, (Charge(DAY, "proj_a", "gpt-4o", Decimal(9)),))
ATTEMPTS: dict[str, Attempt] = {
    "Charges.daily_totals": lambda s, w, b: s.charges.daily_totals(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Charges.first_day": lambda s, w, b: s.charges.first_day(w),
    "Charges.last_read_day": lambda s, w, b: s.charges.last_read_day(w, b.connection_id),
    "Charges.lines": lambda s, w, b: s.charges.lines(w, PERIOD, b.connection_id, "proj_a"),
    "Charges.project_totals": lambda s, w, b: s.charges.project_totals(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Charges.readings": lambda s, w, b: s.charges.readings(w, PERIOD),
    "Charges.replace_day": lambda s, w, b: s.charges.replace_day(w, b.connection_id, A_DAY, LATER),
    "Charges.totals": lambda s, w, b: s.charges.totals(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Collections.active": lambda s, w, b: s.collections.active(w),
    "Collections.get": lambda s, w, b: s.collections.get(w, b.collection_id),
    "Collections.latest": lambda s, w, b: s.collections.latest(w, b.connection_id),
    "Collections.tell": lambda s, w, b: s.collections.tell(w, b.collection_id, "C9", "9"),
    "Connections.all": lambda s, w, b: s.connections.all(w),
    "Connections.get": lambda s, w, b: s.connections.get(w, b.connection_id),
    "Connections.mark_blind": lambda s, w, b: s.connections.mark_blind(w, b.connection_id, LATER, "rejected"),
    "Connections.mark_seen": lambda s, w, b: s.connections.mark_seen(w, b.connection_id, LATER),
    "Connections.matching": lambda s, w, b: s.connections.matching(w, "openai", "org-1", {"proj_a"}),
    "Connections.tell_organization": lambda s, w, b: s.connections.tell_organization(w, b.connection_id, "org-9", "x"),
    "Credentials.all": lambda s, w, b: s.credentials.all(w),
    "Credentials.sealed_by_older_keys": lambda s, w, b: s.credentials.sealed_by_older_keys(w),
    "Credentials.delete": lambda s, w, b: s.credentials.delete(w, b.credential_id),
    "Credentials.get": lambda s, w, b: s.credentials.get(w, b.credential_id),
    "Credentials.of_connection": lambda s, w, b: s.credentials.of_connection(w, b.connection_id),
    "Credentials.of_team": lambda s, w, b: s.credentials.of_team(w, b.team.id),
    "Credentials.replace": lambda s, w, b: s.credentials.replace(
        w, b.credential_id, secret=Secret("sk-stolen"), rights=(), registered_by="U9", at=LATER
    ),
    "Credentials.set_state": lambda s, w, b: s.credentials.set_state(w, b.credential_id, CredentialState.DISABLED),
    "Credentials.usable": lambda s, w, b: s.credentials.usable(w, b.connection_id),
    "KnownProjects.all": lambda s, w, b: s.known_projects.all(w),
    "KnownProjects.count": lambda s, w, b: s.known_projects.count(w, b.connection_id),
    "KnownProjects.get": lambda s, w, b: s.known_projects.get(w, b.connection_id, "proj_a"),
    "KnownProjects.refreshed_at": lambda s, w, b: s.known_projects.refreshed_at(w, b.connection_id),
    "KnownProjects.search": lambda s, w, b: s.known_projects.search(w, b.connection_id, "chat"),
    "Messages.get": lambda s, w, b: s.messages.get(w, "key"),
    "Messages.sent": lambda s, w, b: s.messages.sent(w, "key", "C9", "9", LATER),
    "People.admins": lambda s, w, b: s.people.admins(w),
    "People.get": lambda s, w, b: s.people.get(w, "U0MINSU001"),
    "People.set_role": lambda s, w, b: s.people.set_role(w, "U0MINSU001", Role.MEMBER),
    "Projects.all": lambda s, w, b: s.projects.all(w),
    "Projects.get": lambda s, w, b: s.projects.get(w, b.project.id),
    "Projects.of_team": lambda s, w, b: s.projects.of_team(w, b.team.id),
    "Projects.register": lambda s, w, b: s.projects.register(
        w, connection_id=b.connection_id, team_id=b.team.id, projects=[("proj_z", "z")], registered_by="U9", at=LATER
    ),
    "Projects.unregister": lambda s, w, b: s.projects.unregister(w, b.project.id),
    "Projects.update": lambda s, w, b: s.projects.update(w, b.project.id, excluded=True),
    "Restatements.of": lambda s, w, b: s.restatements.of(w, PERIOD),
    "Teams.all": lambda s, w, b: s.teams.all(w),
    "Teams.by_name": lambda s, w, b: s.teams.by_name(w, b.team.name),
    "Teams.get": lambda s, w, b: s.teams.get(w, b.team.id),
    "Teams.update": lambda s, w, b: s.teams.update(w, b.team.id, name="stolen"),
}
# These make something new of the asker's own; that they cannot reach into another workspace is tested below.
OWN = {
    "Claims.once",
    "Messages.claim",
    "People.remember",
    "Teams.create",
    "Connections.create",
    "Credentials.add",
    "Collections.add",
    "KnownProjects.remember",
    "Workspaces.ensure",
    "Workspaces.get",
    "Workspaces.set_installer",
}


def test_every_query_of_a_workspace_is_attempted_by_a_stranger() -> None:
    """A new query must be added to the attempts before it can be merged."""
    named = {name for name, method in queries() if not hasattr(method, "across_workspaces")}
    assert named - KEYED_BY_SLACK == {*ATTEMPTS, *OWN}


async def test_a_stranger_with_every_id_sees_and_changes_nothing(storage: Storage) -> None:
    """Every query, with another workspace's ids: nothing, or NotFound; and the owner's rows stay as they were."""
    mine = await filled(storage, WORKSPACE)
    before = await everything(storage, WORKSPACE, mine)
    async with storage.writing() as store:
        await store.workspaces.ensure(
            OTHER_WORKSPACE, name="other", locale="ko", timezone="Asia/Seoul", installed_by=None, at=MOMENT
        )
    for name, attempt in ATTEMPTS.items():
        async with storage.writing() as store:
            try:
                answer = await attempt(store, OTHER_WORKSPACE, mine)
            except NotFound:
                continue
        assert answer in (None, [], {}, False, 0), name
    assert await everything(storage, WORKSPACE, mine) == before


async def test_two_full_workspaces_see_their_own_and_only_their_own(storage: Storage) -> None:
    """The same names, organization and project ids on both sides never meet."""
    mine, theirs = await filled(storage, WORKSPACE), await filled(storage, OTHER_WORKSPACE)
    for workspace_id, belongings in ((WORKSPACE, mine), (OTHER_WORKSPACE, theirs)):
        seen = await everything(storage, workspace_id, belongings)
        assert all(seen), seen
        for row in (row for rows in seen if isinstance(rows, list) for row in rows):
            assert getattr(row, "workspace_id", workspace_id) == workspace_id
            if isinstance(row, KnownProject):
                assert (row.team_id, row.connection_id) == (belongings.team.id, belongings.connection_id)


STRAYS: dict[str, Attempt] = {
    "a key": lambda s, w, b: s.credentials.add(
        w,
        connection_id=b.connection_id,
        team_id=b.team.id,
        secret=Secret("sk-other"),
        rights=(),
        registered_by="U9",
        at=LATER,
    ),
    "a collection": lambda s, w, b: s.collections.add(
        w,
        connection_id=b.connection_id,
        kind=CollectionKind.MANUAL,
        slot="x",
        period=PERIOD,
        requested_by=None,
        at=LATER,
    ),
    "a known project": lambda s, w, b: s.known_projects.remember(w, b.connection_id, [Discovered("p", "p")], LATER),
}


@pytest.mark.parametrize("stray", STRAYS)
async def test_a_row_cannot_point_into_another_workspace(storage: Storage, stray: str) -> None:
    """The database itself refuses the reference, should a mistake above ever try."""
    mine = await filled(storage, WORKSPACE)
    await a_tenant(storage, OTHER_WORKSPACE)

    async def try_it() -> None:
        async with storage.writing() as store:
            await STRAYS[stray](store, OTHER_WORKSPACE, mine)

    with pytest.raises((IntegrityError, StorageError)):
        await try_it()
