"""Over limits: of the alerts of a time, what was spent beyond their limits, and what stops kept from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from bot.picture import CURRENCY
from finops.hypotheses import Prevented
from finops.incidents import Incident
from finops.money import Money, total
from finops.periods import Period, charge_day, starts_at
from finops.queries import ScopeKind
from finops.stopping import kept_of
from finops.stops import OVER, StopEventKind
from storage import Store

_Whose = tuple[ScopeKind, int | None]


async def prevented_in(store: Store, workspace_id: str, period: Period) -> Prevented:
    """What was spent over the limits of a period's alerts, and what stops kept from it by their cautious end.

    One runaway passes the limits of its project, its team and everything: its dollars count once.
    """
    kept, unfinished, over = Money.zero(), 0, list[Incident]()
    for incident in await store.incidents.opened_since(workspace_id, starts_at(period.start)):
        if charge_day(incident.opened_at) not in period or incident.id is None:
            continue
        stop = await store.stops.of_incident(workspace_id, incident.id)
        events = await store.stops.events(workspace_id, stop.id) if stop is not None and stop.id else []
        if stop is not None and not any(one.kind is StopEventKind.CLOSED for one in events):
            is_over = stop.state in OVER
            unfinished += not is_over
            # What held for a while and ended without a note kept something, and nobody will ever know what.
            if not is_over or stop.stopped_at is not None:
                continue
        over.append(incident)
        held = kept_of(events)
        if held is not None and held[0].currency == CURRENCY:
            kept = kept + held[0]
    teams = {one.id: one.team_id for one in await store.projects.all(workspace_id)}
    return Prevented(kept, _leaked(over, teams), unfinished)


def _leaked(alerts: Iterable[Incident], teams: Mapping[int, int]) -> Money:
    """What was spent over the limits: of alerts that speak of the same projects on the same days the largest counts."""
    taken: dict[date, set[_Whose]] = defaultdict(set)
    within: dict[date, set[_Whose]] = defaultdict(set)
    counted = []
    for over, incident in sorted(((_over(one), one) for one in alerts), key=lambda each: -each[0].amount):
        chain = _chain(incident.scope_kind, incident.scope_id, teams)
        days = list(incident.window)
        if any(not taken[day].isdisjoint(chain) or chain[0] in within[day] for day in days):
            continue
        counted.append(over)
        for day in days:
            taken[day].add(chain[0])
            within[day].update(chain)
    return total(counted, CURRENCY)


def _chain(kind: ScopeKind, scope_id: int | None, teams: Mapping[int, int]) -> tuple[_Whose, ...]:
    """A scope and those it is part of."""
    whole = (ScopeKind.WORKSPACE, None)
    if kind is ScopeKind.WORKSPACE:
        return (whole,)
    if kind is ScopeKind.TEAM:
        return ((kind, scope_id), whole)
    return ((kind, scope_id), (ScopeKind.TEAM, teams.get(scope_id or 0)), whole)


def _over(incident: Incident) -> Money:
    spent, limit = incident.spent, incident.limit
    if not spent.currency == limit.currency == CURRENCY or spent <= limit:
        return Money.zero()
    return spent - limit
