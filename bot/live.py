"""What happens live, for Home and reports: today so far, open incidents, how right estimates were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.desk import Desk
from bot.incidents import open_incidents
from bot.picture import House, Picture, money_of
from bot.spending import Spending
from finops.charges import FigureState
from finops.estimates import Drift, Spent
from finops.figures import Breakdown, Figure, StatusReport
from finops.frozen import frozen
from finops.incident_report import IncidentShown, LiveReport
from finops.periods import Period, charge_day
from finops.queries import ScopeKind
from storage.records import ProjectTotal
from storage.records_live import Unpriced

INCIDENTS_SHOWN = 5
UNPRICED_SHOWN = 20


@frozen
class Look:
    """One look at the open day of a workspace; asked for a scope, it answers without a query."""

    picture: Picture
    drift: Drift | None
    unpriced: Sequence[Unpriced]
    incidents: tuple[IncidentShown, ...]
    incident_count: int

    @property
    def house(self) -> House:
        """Whose spending there is: teams, projects and connections, read with the same look."""
        return self.picture.house

    def at(self, kind: ScopeKind, scope_id: int | None) -> LiveReport:
        """What today has cost a scope so far; with everybody's open incidents when it is the whole workspace."""
        picture = self.picture
        today = Period(picture.today, picture.today + timedelta(days=1))
        accounts = picture.accounts(kind, scope_id)
        concerned = None if accounts is None else {account[0] for account in accounts}
        names = {one.model for one in self.unpriced if concerned is None or one.connection_id in concerned}
        spent = picture.spent(kind, scope_id, today)
        is_all = kind is ScopeKind.WORKSPACE
        return LiveReport(
            today=spent if self._is_told(spent) else None,
            drift=self.drift,
            incidents=self.incidents if is_all else (),
            incident_count=self.incident_count if is_all else 0,
            unpriced=tuple(sorted(names)[:UNPRICED_SHOWN]),
        )

    def _is_told(self, spent: Spent) -> bool:
        """Whether there is anything to say of today: until somebody looked at it, not that it has cost nothing."""
        if spent.as_of is None:
            return False
        return spent.state is FigureState.BLIND or charge_day(spent.as_of) >= self.picture.today

    def estimates(self, kind: ScopeKind, scope_id: int | None) -> list[ProjectTotal]:
        """What each provider project of a scope has cost today so far; they add up to what `at` says exactly."""
        picture = self.picture
        totals = picture.sums(Period(picture.today, picture.today + timedelta(days=1))).totals
        accounts = picture.accounts(kind, scope_id)
        chosen = totals if accounts is None else [one for one in accounts if one in totals]
        return [ProjectTotal(one[0], one[1] or None, money_of(totals[one])) for one in chosen]

    def priced(self, kind: ScopeKind, scope_id: int | None) -> list[ProjectTotal]:
        """The same of those whose whole usage has a price: of the others nobody knows what they have cost."""
        sums = self.picture.sums(Period(self.picture.today, self.picture.today + timedelta(days=1)))
        each = self.estimates(kind, scope_id)
        return [one for one in each if (one.connection_id, one.sub_account_id or "") not in sums.unpriced]


class Live:
    """Knows what the open day has cost so far. No question costs a query per project."""

    def __init__(self, desk: Desk, spending: Spending) -> None:
        self._desk = desk
        self._spending = spending

    async def look(self, workspace_id: str) -> Look:
        """Look at a workspace as it is now."""
        picture = await self._spending.today(workspace_id)
        drift = await self._spending.drift(workspace_id)
        async with self._desk.storage.reading() as store:
            unpriced = await store.unpriced.since(workspace_id, picture.today)
            incidents, count = await open_incidents(store, workspace_id, INCIDENTS_SHOWN, self._desk.now())
        return Look(picture, drift, unpriced, incidents, count)


def with_today(report: StatusReport, live: LiveReport, breakdown: Callable[[], Breakdown]) -> StatusReport:
    """A report and the open day. Of that day itself no bill speaks yet, so its figures are our estimates."""
    spent, figure = live.today, report.figure
    if spent is None or not figure.is_not_yet_collected:
        return replace(report, live=live)
    is_unknown = spent.state is FigureState.BLIND and not spent.amount
    estimated = Figure(None if is_unknown else spent.amount, figure.period, spent.state, spent.as_of)
    return replace(report, figure=estimated, increase=None, breakdown=breakdown(), live=live)
