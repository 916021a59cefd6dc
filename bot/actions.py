"""What people did, as it is shown, and what told them before they did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.digest_codec import decoded
from finops.behaviour import Action, Preceded, Told
from finops.digest import Digest
from finops.learning import ActionShown
from finops.periods import charge_day, week_of
from finops.queries import ScopeKind
from storage import Store

RECENT = 5


async def recent(store: Store, workspace_id: str, project_id: int | None = None) -> tuple[ActionShown, ...]:
    """The last five actions, newest first: of one project, or of all."""
    found = await store.actions.newest(workspace_id, RECENT, project_id)
    return await shown(store, workspace_id, found)


async def shown(store: Store, workspace_id: str, actions: Sequence[Action]) -> tuple[ActionShown, ...]:
    """Actions with the names of what they were done to, and their lines of the ledger."""
    if not actions:
        return ()
    projects = {one.id: one.name for one in await store.projects.all(workspace_id)}
    teams = {one.id: one.name for one in await store.teams.all(workspace_id)}
    savings = await store.savings.of_actions(workspace_id, [one.id for one in actions if one.id is not None])
    return tuple(
        ActionShown(
            one,
            projects.get(one.project_id or 0, ""),
            teams.get(one.team_id or _holder(one), ""),
            savings.get(one.id or 0),
        )
        for one in actions
    )


def _holder(action: Action) -> int:
    """The team whose key it was; a key is no act of that team on its spending, and is never joined to its alerts."""
    team_id = action.details.get("held_by")
    return team_id if isinstance(team_id, int) else 0


async def told_since(store: Store, workspace_id: str, since: datetime) -> list[Told]:
    """Alerts that were told aloud, and digests with the projects they named, since then."""
    found = [
        Told(Preceded.ALERT, one.id, one.opened_at, *_concerned(one.scope_kind, one.scope_id))
        for one in await store.incidents.opened_since(workspace_id, since)
        if one.id is not None and one.spoken_level > 0
    ]
    for kept in await store.digests.since(workspace_id, week_of(charge_day(since)).before().start):
        named = _named(decoded(kept.facts))
        if named and kept.computed_at >= since:
            found.append(Told(Preceded.DIGEST, kept.id, kept.computed_at, named))
    return found


def _named(digest: Digest) -> frozenset[int]:
    """The projects a digest asks to do something about."""
    ids = {one.project_id for one in digest.improve}
    if digest.advice is not None and digest.advice.project_id is not None:
        ids.add(digest.advice.project_id)
    return frozenset(ids)


def _concerned(kind: ScopeKind, scope_id: int | None) -> tuple[frozenset[int], frozenset[int]]:
    ids = frozenset({scope_id}) if scope_id is not None else frozenset[int]()
    return (ids, frozenset()) if kind is ScopeKind.PROJECT else (frozenset(), ids)
