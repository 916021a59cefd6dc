"""Two people: the rule of a budget stays while something hangs on it, for who may change it could then decide alone."""

from __future__ import annotations

from collections.abc import Collection

from bot.errors import Refusal, RefusalCode
from finops.stops import UNDER_WAY, Stop, StopState
from storage import Store


async def refuse_fewer(store: Store, workspace_id: str, budget_ids: Collection[int]) -> None:
    """Refuse to let one person decide for these budgets while something of one of them is held, is to be held again,
    or waits for a second person."""
    if not budget_ids:
        return
    for stop in await store.stops.active(workspace_id):
        if stop.incident_id is None or not _is_at_stake(stop):
            continue
        incident = await store.incidents.get(workspace_id, stop.incident_id)
        if incident is not None and incident.budget_id in budget_ids:
            raise Refusal(RefusalCode.BUDGET_NEEDS_TWO)


def _is_at_stake(stop: Stop) -> bool:
    is_coming_back = stop.state is StopState.ALLOWED and stop.restops
    return stop.state in UNDER_WAY or is_coming_back or stop.pending is not None
