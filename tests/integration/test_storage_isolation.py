"""Workspaces are strangers: every query names its workspace, and no id of one opens anything of another."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_type_hints

from sqlalchemy import MetaData
from sqlalchemy.exc import IntegrityError

from finops.audit import AuditFilter
from finops.behaviour import ActionKind
from finops.charges import Charge, ChargedDay
from finops.effects import SavingState
from finops.incidents import feedback
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.registry import CredentialState, KnownProject, Role
from finops.secret import Secret
from finops.stops import StopChange
from finops.usage import Width
from storage import Storage, Store
from storage.errors import NotFound, StorageError
from storage.records import CollectionKind
from storage.repository import Repository
from storage.tables import metadata
from tests.databases import MOMENT, OTHER_WORKSPACE, WORKSPACE, a_tenant, statements
from tests.integration import isolation_learning
from tests.integration.isolation_world import (
    A_CALL,
    A_CENT,
    A_MINUTE,
    DAY,
    HAPPENED,
    LATER,
    MINE,
    MINUTE,
    PERIOD,
    WEEK,
    Belongings,
    Discovered,
    a_hold,
    a_saving,
    a_stop,
    an_incident,
    doubled,
    filled,
)

# Slack's own ids are the key here: they are the workspace.
KEYED_BY_SLACK = {"Installations.save", "Installations.renew", "Installations.find", "Installations.delete"}
# Tables whose rows belong to no workspace, or to one by their key.
WITHOUT_WORKSPACE = {"workspaces", "job_runs", "installations", "oauth_states"}


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
            await store.usage.recent(workspace_id, MINUTE),
            await store.usage.open_estimates(workspace_id, [DAY]),
            await store.usage.reads(workspace_id, mine.connection_id),
            await store.healths.all(workspace_id),
            await store.usage.repricings(workspace_id, mine.connection_id),
            await store.drifts.since(workspace_id, DAY),
            await store.unpriced.since(workspace_id, DAY),
            await store.budgets.all(workspace_id),
            await store.incidents.open_ones(workspace_id),
            await store.incidents.events(workspace_id, mine.incident_id),
            await store.incidents.clocks(workspace_id, MOMENT),
            await store.outbox.get(workspace_id, "key"),
            await store.stops.active(workspace_id),
            await store.stops.holds(workspace_id, mine.stop_id),
            await store.stops.events(workspace_id, mine.stop_id),
            [row async for row in store.audit.all(workspace_id)],
            await store.audit.head(workspace_id),
            await store.value.days(workspace_id, WEEK),
            await store.value.sums(workspace_id, WEEK),
            await store.value.users_over(workspace_id, WEEK, A_CENT, A_CENT),
            await store.event_tokens.of_project(workspace_id, mine.project.id),
            await store.ratings.of_week(workspace_id, WEEK.start),
            await store.value_targets.all(workspace_id),
            await store.caps.all(workspace_id),
            await store.exchange_rates.newest(workspace_id, 9),
            await store.digests.of_week(workspace_id, MINE, mine.team.id, WEEK.start),
            await store.digest_channels.of_workspace(workspace_id),
            await store.polls.get(workspace_id, mine.poll_id),
            await store.polls.ballots(workspace_id, mine.poll_id),
            await store.decisions.of_polls(workspace_id, [mine.poll_id]),
            await store.actions.newest(workspace_id, 9),
            await store.savings.open_ones(workspace_id),
        ]


Attempt = Callable[[Store, str, Belongings], Awaitable[Any]]
A_DAY = ChargedDay(DAY, (Charge(DAY, "proj_a", "gpt-4o", Decimal(9)),))
ATTEMPTS: dict[str, Attempt] = {
    **isolation_learning.ATTEMPTS,
    "Actions.get": lambda s, w, b: s.actions.get(w, b.action_id),
    "Actions.near": lambda s, w, b: s.actions.near(w, [ActionKind.MODEL_CHANGED], DAY, DAY),
    "Actions.newest": lambda s, w, b: s.actions.newest(w, 9, 1),
    "Actions.of_days": lambda s, w, b: s.actions.of_days(w, PERIOD),
    "Savings.change": lambda s, w, b: s.savings.change(w, replace(a_saving(b.action_id), state=SavingState.FAILED)),
    "Savings.ended_in": lambda s, w, b: s.savings.ended_in(w, PERIOD),
    "Savings.expect": lambda s, w, b: s.savings.expect(w, [a_saving(b.action_id)]),
    "Savings.of_actions": lambda s, w, b: s.savings.of_actions(w, [b.action_id]),
    "Savings.open_ones": lambda s, w, b: s.savings.open_ones(w),
    "Digests.since": lambda s, w, b: s.digests.since(w, WEEK.start),
    "Incidents.opened_since": lambda s, w, b: s.incidents.opened_since(w, MOMENT),
    "Installations.sealed_by_older_keys": lambda s, w, b: s.installations.sealed_by_older_keys(w),
    "Usage.habits": lambda s, w, b: s.usage.habits(w, Width.MINUTE, MINUTE, MINUTE + 1, [(b.connection_id, "proj_a")]),
    "Audit.count": lambda s, w, b: s.audit.count(w),
    "Audit.head": lambda s, w, b: s.audit.head(w),
    "Audit.sealed_by_older_keys": lambda s, w, b: s.audit.sealed_by_older_keys(w),
    "Audit.page": lambda s, w, b: s.audit.page(w, AuditFilter()),
    "BillLines.count": lambda s, w, b: s.bill_lines.count(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Budgets.all": lambda s, w, b: s.budgets.all(w),
    "Budgets.delete": lambda s, w, b: s.budgets.delete(w, b.budget_id, by="U9", at=LATER),
    "Budgets.get": lambda s, w, b: s.budgets.get(w, b.budget_id, even_deleted=True),
    "Workspaces.hold": lambda s, w, b: s.workspaces.hold(w),
    "Budgets.update": lambda s, w, b: s.budgets.update(w, b.budget_id, is_enabled=False, by="U9", at=LATER),
    "Charges.by_line_item": lambda s, w, b: s.charges.by_line_item(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Charges.billed_days": lambda s, w, b: s.charges.billed_days(w, PERIOD),
    "Charges.of_day": lambda s, w, b: s.charges.of_day(w, b.connection_id, DAY),
    "Charges.daily_totals": lambda s, w, b: s.charges.daily_totals(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Charges.first_day": lambda s, w, b: s.charges.first_day(w),
    "Charges.last_read_day": lambda s, w, b: s.charges.last_read_day(w, b.connection_id),
    "Charges.lines": lambda s, w, b: s.charges.lines(w, PERIOD, b.connection_id, "proj_a"),
    "Charges.project_totals": lambda s, w, b: s.charges.project_totals(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Charges.readings": lambda s, w, b: s.charges.readings(w, PERIOD),
    "Charges.replace_day": lambda s, w, b: s.charges.replace_day(w, b.connection_id, A_DAY, LATER),
    "Charges.totals": lambda s, w, b: s.charges.totals(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Claims.has": lambda s, w, b: s.claims.has(w, "key"),
    "Claims.forget_ahead": lambda s, w, b: s.claims.forget_ahead(w, "key", MOMENT.replace(year=2000)),
    "Claims.last": lambda s, w, b: s.claims.last(w, "key"),
    "Claims.newest": lambda s, w, b: s.claims.newest(w, "key"),
    "Claims.take_back": lambda s, w, b: s.claims.take_back(w, "key"),
    "Collections.active": lambda s, w, b: s.collections.active(w),
    "Collections.adopt": lambda s, w, b: s.collections.adopt(w, b.collection_id, "U0OTHER001"),
    "Collections.get": lambda s, w, b: s.collections.get(w, b.collection_id),
    "Collections.latest": lambda s, w, b: s.collections.latest(w, b.connection_id),
    "Collections.tell": lambda s, w, b: s.collections.tell(w, b.collection_id, "C9", "9"),
    "Connections.all": lambda s, w, b: s.connections.all(w),
    "Connections.held": lambda s, w, b: s.connections.held(w, b.connection_id),
    "Connections.get": lambda s, w, b: s.connections.get(w, b.connection_id),
    "Connections.mark_blind": lambda s, w, b: s.connections.mark_blind(w, b.connection_id, LATER, "rejected"),
    "Connections.mark_seen": lambda s, w, b: s.connections.mark_seen(w, b.connection_id, LATER),
    "Connections.matching": lambda s, w, b: s.connections.matching(w, "openai", "org-1", {"proj_a"}),
    "Connections.tell_organization": lambda s, w, b: s.connections.tell_organization(w, b.connection_id, "org-9", "x"),
    "Credentials.all": lambda s, w, b: s.credentials.all(w),
    "Credentials.sealed_by_older_keys": lambda s, w, b: s.credentials.sealed_by_older_keys(w),
    "Credentials.delete": lambda s, w, b: s.credentials.delete(w, b.credential_id),
    "Credentials.get": lambda s, w, b: s.credentials.get(w, b.credential_id),
    "Credentials.openable": lambda s, w, b: s.credentials.openable(w, b.connection_id),
    "Credentials.of_connection": lambda s, w, b: s.credentials.of_connection(w, b.connection_id),
    "Credentials.of_team": lambda s, w, b: s.credentials.of_team(w, b.team.id),
    "Credentials.replace": lambda s, w, b: s.credentials.replace(
        w, b.credential_id, secret=Secret("sk-stolen"), rights=(), registered_by="U9", at=LATER
    ),
    "Credentials.set_state": lambda s, w, b: s.credentials.set_state(w, b.credential_id, CredentialState.DISABLED),
    "Credentials.tell_rights": lambda s, w, b: s.credentials.tell_rights(w, b.credential_id, ["usage.read"]),
    "Credentials.usable": lambda s, w, b: s.credentials.usable(w, b.connection_id),
    "DigestChannels.add": lambda s, w, b: s.digest_channels.add(w, replace(b.place, channel_id="C9")),
    "DigestChannels.change": lambda s, w, b: s.digest_channels.change(w, replace(b.place, cron="0 9 * * fri")),
    "DigestChannels.get": lambda s, w, b: s.digest_channels.get(w, b.place.id),
    "DigestChannels.of_workspace": lambda s, w, b: s.digest_channels.of_workspace(w),
    "DigestChannels.take_day": lambda s, w, b: s.digest_channels.take_day(w, b.place.id, DAY),
    "DigestChannels.take_week": lambda s, w, b: s.digest_channels.take_week(w, b.place.id, WEEK.start),
    "Digests.get": lambda s, w, b: s.digests.get(w, b.digest_id),
    "Digests.keep": lambda s, w, b: s.digests.keep(w, MINE, b.team.id, WEEK.start, {"c": "d"}, LATER),
    "Digests.of_week": lambda s, w, b: s.digests.of_week(w, MINE, b.team.id, WEEK.start),
    "Drifts.compared_days": lambda s, w, b: s.drifts.compared_days(w, b.connection_id, DAY),
    "Drifts.replace_day": lambda s, w, b: s.drifts.replace_day(w, b.connection_id, DAY, [], LATER),
    "Drifts.since": lambda s, w, b: s.drifts.since(w, DAY),
    "EventTokens.of_project": lambda s, w, b: s.event_tokens.of_project(w, b.project.id),
    "ExchangeRates.at": lambda s, w, b: s.exchange_rates.at(w, LATER),
    "ExchangeRates.newest": lambda s, w, b: s.exchange_rates.newest(w, 9),
    "EventTokens.add": lambda s, w, b: s.event_tokens.add(
        w, project_id=b.project.id, name="x", token_hash="x", ends_with="x", by="U9", at=LATER
    ),
    "EventTokens.revoke": lambda s, w, b: s.event_tokens.revoke(w, b.token_id, by="U9", at=LATER),
    "EventTokens.used": lambda s, w, b: s.event_tokens.used(w, b.token_id, LATER),
    "Incidents.add_event": lambda s, w, b: s.incidents.add_event(
        w, b.incident_id, feedback("U9", LATER, is_helpful=True)
    ),
    "Incidents.clocks": lambda s, w, b: s.incidents.clocks(w, MOMENT),
    "Incidents.events": lambda s, w, b: s.incidents.events(w, b.incident_id),
    "Incidents.get": lambda s, w, b: s.incidents.get(w, b.incident_id),
    "Incidents.of_windows": lambda s, w, b: s.incidents.of_windows(w, [DAY]),
    "Incidents.open_on": lambda s, w, b: s.incidents.open_on(w, [(MINE, b.team.id)]),
    "Incidents.open_ones": lambda s, w, b: s.incidents.open_ones(w),
    "Incidents.opinions": lambda s, w, b: s.incidents.opinions(w, b.budget_id, 9),
    "KnownProjects.all": lambda s, w, b: s.known_projects.all(w),
    "KnownProjects.count": lambda s, w, b: s.known_projects.count(w, b.connection_id),
    "KnownProjects.get": lambda s, w, b: s.known_projects.get(w, b.connection_id, "proj_a"),
    "KnownProjects.refreshed_at": lambda s, w, b: s.known_projects.refreshed_at(w, b.connection_id),
    "KnownProjects.search": lambda s, w, b: s.known_projects.search(w, b.connection_id, "chat"),
    "Outbox.beginning": lambda s, w, b: s.outbox.beginning(w, "key"),
    "Outbox.dead": lambda s, w, b: s.outbox.dead(w, "key", "worker", "x"),
    "Outbox.get": lambda s, w, b: s.outbox.get(w, "key"),
    "Outbox.is_leased": lambda s, w, b: s.outbox.is_leased(w, "key", "worker", 1),
    "Outbox.mailed": lambda s, w, b: s.outbox.mailed(w, "key", LATER),
    "Outbox.newest_of": lambda s, w, b: s.outbox.newest_of(w, "incident", 9),
    "Outbox.retry": lambda s, w, b: s.outbox.retry(w, "key", "worker", LATER, "x"),
    "Outbox.sent": lambda s, w, b: s.outbox.sent(w, "key", "worker", 1, "C9", "9", LATER),
    "Outbox.standing": lambda s, w, b: s.outbox.standing(w, MOMENT),
    "People.admins": lambda s, w, b: s.people.admins(w),
    "People.get": lambda s, w, b: s.people.get(w, "U0MINSU001"),
    "People.set_role": lambda s, w, b: s.people.set_role(w, "U0MINSU001", Role.MEMBER),
    "People.zones": lambda s, w, b: s.people.zones(w),
    "Projects.all": lambda s, w, b: s.projects.all(w),
    "Projects.get": lambda s, w, b: s.projects.get(w, b.project.id),
    "Projects.of_team": lambda s, w, b: s.projects.of_team(w, b.team.id),
    "Projects.register": lambda s, w, b: s.projects.register(
        w, connection_id=b.connection_id, team_id=b.team.id, projects=[("proj_z", "z")], registered_by="U9", at=LATER
    ),
    "Projects.unregister": lambda s, w, b: s.projects.unregister(w, b.project.id),
    "Projects.update": lambda s, w, b: s.projects.update(w, b.project.id, excluded=True),
    "Ratings.give": lambda s, w, b: s.ratings.give(w, b.project.id, WEEK.start, "U9", 0, LATER),
    "Ratings.take_back": lambda s, w, b: s.ratings.take_back(w, b.project.id, WEEK.start, "U1"),
    "Ratings.between": lambda s, w, b: s.ratings.between(w, WEEK),
    "Ratings.of_week": lambda s, w, b: s.ratings.of_week(w, WEEK.start),
    "Restatements.of": lambda s, w, b: s.restatements.of(w, PERIOD),
    "Stops.active": lambda s, w, b: s.stops.active(w),
    "Stops.active_hold": lambda s, w, b: s.stops.active_hold(w, b.connection_id, "proj_a", Lever.STOP),
    "Stops.add_event": lambda s, w, b: s.stops.add_event(w, b.stop_id, HAPPENED),
    "Stops.events": lambda s, w, b: s.stops.events(w, b.stop_id),
    "Stops.get": lambda s, w, b: s.stops.get(w, b.stop_id),
    "Stops.set_within": lambda s, w, b: s.stops.set_within(w, PERIOD, Lever.STOP),
    "Stops.held_on": lambda s, w, b: s.stops.held_on(w, b.connection_id, MOMENT),
    "Stops.hold": lambda s, w, b: s.stops.hold(w, b.hold.id or 0),
    "Stops.holds": lambda s, w, b: s.stops.holds(w, b.stop_id),
    "Stops.once_held": lambda s, w, b: s.stops.once_held(w, b.connection_id, "proj_a", Lever.STOP),
    "Stops.of_incident": lambda s, w, b: s.stops.of_incident(w, b.incident_id),
    "Stops.of_scope": lambda s, w, b: s.stops.of_scope(w, ScopeKind.WORKSPACE, None),
    "Stops.were_decided": lambda s, w, b: s.stops.were_decided(w, b.incident_id),
    "Teams.all": lambda s, w, b: s.teams.all(w),
    "Teams.by_name": lambda s, w, b: s.teams.by_name(w, b.team.name),
    "Teams.get": lambda s, w, b: s.teams.get(w, b.team.id),
    "UnpricedNames.since": lambda s, w, b: s.unpriced.since(w, DAY),
    "Usage.activity": lambda s, w, b: s.usage.activity(w, MINUTE, MINUTE + 9, [(b.connection_id, "proj_a")]),
    "Usage.busy": lambda s, w, b: s.usage.busy(w, b.connection_id, MINUTE, MINUTE + 9, Width.MINUTE),
    "Usage.daily": lambda s, w, b: s.usage.daily(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Usage.first_days": lambda s, w, b: s.usage.first_days(w),
    "Usage.grouped": lambda s, w, b: s.usage.grouped(w, PERIOD, [(b.connection_id, "proj_a")]),
    "Usage.grouped_between": lambda s, w, b: s.usage.grouped_between(
        w, MINUTE - 99, MINUTE + 99, [(b.connection_id, "proj_a")]
    ),
    "Usage.same_hours": lambda s, w, b: s.usage.same_hours(w, MINUTE + 1440, 7, {0: 60}, [(b.connection_id, "proj_a")]),
    "UsageHealths.get": lambda s, w, b: s.healths.get(w, b.connection_id),
    "UsageHealths.all": lambda s, w, b: s.healths.all(w),
    "Usage.hourly": lambda s, w, b: s.usage.hourly(w, MINUTE - 99, MINUTE + 99, [(b.connection_id, "proj_a")]),
    "UsageHealths.mark_failing": lambda s, w, b: s.healths.mark_failing(w, b.connection_id, LATER, "x"),
    "UsageHealths.mark_priced": lambda s, w, b: s.healths.mark_priced(w, b.connection_id, "v2"),
    "UsageHealths.mark_read": lambda s, w, b: s.healths.mark_read(w, b.connection_id, LATER),
    "Usage.newest_spent": lambda s, w, b: s.usage.newest_spent(w, MINUTE, [(b.connection_id, "proj_a")]),
    "Usage.open_estimates": lambda s, w, b: s.usage.open_estimates(w, [DAY]),
    "Usage.reads": lambda s, w, b: s.usage.reads(w, b.connection_id),
    "Usage.recent": lambda s, w, b: s.usage.recent(w, MINUTE, [(b.connection_id, "proj_a")]),
    "Usage.replace": lambda s, w, b: s.usage.replace(w, b.connection_id, *A_MINUTE, LATER, None),
    "Usage.replace_each": lambda s, w, b: s.usage.replace_each(w, b.connection_id, [A_MINUTE], LATER),
    "Usage.reprice": lambda s, w, b: s.usage.reprice(
        w, b.connection_id, PERIOD, doubled, from_version=None, to_version="9", at=LATER
    ),
    "Usage.repricings": lambda s, w, b: s.usage.repricings(w, b.connection_id),
    "Teams.update": lambda s, w, b: s.teams.update(w, b.team.id, name="stolen"),
    "Value.days": lambda s, w, b: s.value.days(w, WEEK, [b.project.id]),
    "Value.last_event_at": lambda s, w, b: s.value.last_event_at(w, b.project.id),
    "Value.newest": lambda s, w, b: s.value.newest(w, WEEK, [b.project.id]),
    "Value.record": lambda s, w, b: s.value.record(w, b.project.id, [replace(A_CALL, event_id="stolen")]),
    "Value.record_all": lambda s, w, b: s.value.record_all(w, b.project.id, [[replace(A_CALL, event_id="stolen")]]),
    "Value.sums": lambda s, w, b: s.value.sums(w, WEEK, [b.project.id]),
    "Value.tells_anything": lambda s, w, b: s.value.tells_anything(w, WEEK),
    "Value.users_over": lambda s, w, b: s.value.users_over(w, WEEK, A_CENT, A_CENT, [b.project.id]),
    "Value.weekly": lambda s, w, b: s.value.weekly(w, [WEEK]),
    "ValueTargets.all": lambda s, w, b: s.value_targets.all(w),
    "ValueTargets.get": lambda s, w, b: s.value_targets.get(w, b.project.id),
    "ValueTargets.set": lambda s, w, b: s.value_targets.set(w, b.project.id, A_CENT, by="U9", at=LATER),
}
# These make something new of the asker's own; that they cannot reach into another workspace is tested below.
OWN = {
    "Actions.add",
    "Audit.append",
    "Audit.extend",
    "Polls.add",
    "Caps.all",
    "Caps.set",
    "ExchangeRates.add",
    "Feedbacks.add",
    "Interviews.offer",
    "Stops.open",
    "Stops.save",
    "Budgets.create",
    "Incidents.save",
    "Outbox.want",
    "UnpricedNames.note",
    "Claims.keep",
    "Claims.once",
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


async def test_every_statement_about_rows_of_a_workspace_names_it(storage: Storage) -> None:
    """Not only the one that finds a row: also the one that changes it, or reads what hangs on it, by its id."""
    mine = await filled(storage, WORKSPACE)
    owned = {table.name for table in metadata.tables.values() if "workspace_id" in table.c}
    silent: dict[str, str] = {}
    for name, attempt in ATTEMPTS.items():
        with statements() as told, suppress(StorageError, IntegrityError, ValueError):
            async with storage.writing() as store:
                await attempt(store, WORKSPACE, mine)
                await attempt(store, WORKSPACE, mine)  # said again, and nothing to change
        for text in told:
            about = re.search(r"(?:FROM|UPDATE)\s+([a-z_]+)", text)
            if about is not None and about[1] in owned and "workspace_id" not in text.partition("WHERE")[2]:
                silent[name] = text
    assert silent == {}


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
        assert answer in (None, [], {}, set(), False, 0, (0, None, 0), (0, [])), name
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
    "an incident": lambda s, w, b: s.incidents.save(w, an_incident(w, b.budget_id, b.team.id), None),
    "a stop": lambda s, w, b: s.stops.open(w, a_stop(w, b.incident_id), []),
    "a hold": lambda s, w, b: s.stops.open(w, a_stop(w, None), [a_hold(w, b.project)]),
    "a change of a stop": lambda s, w, b: s.stops.save(
        w, StopChange(replace(b.stop, workspace_id=w, reason="stolen")), replace(b.stop, workspace_id=w)
    ),
    "a name without a price": lambda s, w, b: s.unpriced.note(w, b.connection_id, DAY, [("", "x")], LATER),
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


async def test_a_row_cannot_point_into_another_workspace(storage: Storage) -> None:
    """The database itself refuses the reference, should a mistake above ever try."""
    mine = await filled(storage, WORKSPACE)
    await a_tenant(storage, OTHER_WORKSPACE)
    kept = []
    for stray, attempt in STRAYS.items():
        with suppress(IntegrityError, StorageError):
            async with storage.writing() as store:
                await attempt(store, OTHER_WORKSPACE, mine)
            kept.append(stray)
    assert kept == []
