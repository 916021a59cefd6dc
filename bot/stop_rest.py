"""What a stop leaves: spending under the same budget that nobody holds, where it would use up the limit by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.picture import CURRENCY, Account, account_of, money_of
from finops.burning import left_running
from finops.figures import Scope
from finops.frozen import frozen
from finops.holds import Hold
from finops.incidents import Incident
from finops.levers import Lever
from finops.periods import minute_of
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stops import Stop
from finops.usage import MINUTES_PER_DAY
from storage import Store

# Long enough for a minute or two that come late, and short enough to see what began a moment ago.
_LOOK_BACK = 15
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@frozen
class Spender:
    """Who spends. `project` None: nobody registered it, or it is left out of collection, so no stop reaches it."""

    name: str
    project: Project | None


async def rest_of(store: Store, incident: Incident, stop: Stop, projects: Sequence[Project]) -> list[Spender]:
    """Who goes on spending under the incident's budget beside what is held, most first.

    Nobody, as long as all of them together would not spend the whole limit within one period at the pace of the last
    minutes: what is always spent is no runaway. `projects` are those the budget counts.
    """
    workspace_id, limit = incident.workspace_id, incident.limit
    if limit.currency != CURRENCY:
        return []
    mine = {account_of(one): one for one in projects}
    read = [one.read_at for one in await store.healths.all(workspace_id) if one.read_at is not None]
    end = minute_of(max([*read, incident.as_of]))
    accounts = None if incident.scope_kind is ScopeKind.WORKSPACE else list(mine)
    spent: dict[Account, int] = defaultdict(int)
    for row in await store.usage.activity(workspace_id, end - _LOOK_BACK, end, accounts):
        spent[(row.connection_id, row.sub_account_id)] += row.atto
    held = {account_of(one) for one in await store.stops.holds(workspace_id, stop.id or 0)}
    standing = await standing_on(store, workspace_id, {account[0] for account in spent})
    held |= {account_of(one) for one in standing if one.is_wanted}
    each = {account: money_of(atto) for account, atto in spent.items()}
    minutes = incident.window.days * MINUTES_PER_DAY
    ranked = left_running(each, held, limit, minutes=_LOOK_BACK, period_minutes=minutes)
    return [await spender(store, workspace_id, account, mine.get(account)) for account in ranked]


async def standing_on(store: Store, workspace_id: str, connection_ids: Iterable[int]) -> list[Hold]:
    """Every hold of these organizations that is active, whoever has it."""
    found = [await store.stops.held_on(workspace_id, one, _NEVER) for one in sorted(connection_ids)]
    return [hold for holds in found for hold in holds]


async def holders_of(store: Store, projects: Sequence[Project], lever: Lever) -> dict[Account, Hold]:
    """Who holds this lever on these projects of one workspace, by account; one question for each organization."""
    if not projects:
        return {}
    mine = {account_of(one) for one in projects}
    standing = await standing_on(store, projects[0].workspace_id, {one.connection_id for one in projects})
    return {account_of(one): one for one in standing if one.lever is lever and account_of(one) in mine}


async def spender(store: Store, workspace_id: str, account: Account, project: Project | None) -> Spender:
    """A provider project by the best name we know."""
    if project is not None:
        return Spender(project.name, project)
    known = await store.known_projects.get(workspace_id, *account)
    return Spender(known.name if known is not None else account[1], None)


async def beside(store: Store, incident: Incident, stop: Stop, owned: Sequence[Project]) -> tuple[Scope, ...]:
    """The same as scopes, without an id where no stop reaches it; `owned` are the projects of a team or the one."""
    is_wide = incident.scope_kind is ScopeKind.WORKSPACE
    every = await store.projects.all(incident.workspace_id) if is_wide else owned
    rest = await rest_of(store, incident, stop, [one for one in every if not one.excluded])
    return tuple(Scope(ScopeKind.PROJECT, one.project.id if one.project else None, one.name) for one in rest)


async def stranger_of(store: Store, workspace_id: str, account: Account | None) -> str:
    """The name of a provider project that no stop reaches: nobody registered it, or it is left out of collection.

    '' for any other, and for none.
    """
    if account is None:
        return ""
    every = await store.projects.all(workspace_id)
    if any(account_of(one) == account and not one.excluded for one in every):
        return ""
    return (await spender(store, workspace_id, account, None)).name
