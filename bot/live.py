"""What happens live, for Home and reports: today so far, open incidents, how right estimates were."""

from __future__ import annotations

from datetime import timedelta

from bot.desk import Desk
from bot.incidents import open_incidents
from bot.spending import Spending
from finops.figures import Figure, StatusReport
from finops.incident_report import LiveReport
from finops.periods import Period
from finops.queries import ScopeKind

INCIDENTS_SHOWN = 5
UNPRICED_SHOWN = 20


class Live:
    """Knows what the open day has cost so far. No question costs a query per project."""

    def __init__(self, desk: Desk, spending: Spending) -> None:
        self._desk = desk
        self._spending = spending

    async def of(self, workspace_id: str, kind: ScopeKind, scope_id: int | None) -> LiveReport:
        """What today has cost a scope so far; everybody's open incidents when it is the whole workspace."""
        picture = await self._spending.today(workspace_id)
        today = Period(picture.today, picture.today + timedelta(days=1))
        drift = await self._spending.drift(workspace_id)
        async with self._desk.storage.reading() as store:
            unpriced = await store.unpriced.since(workspace_id, picture.today)
            is_all = kind is ScopeKind.WORKSPACE
            shown, count = await open_incidents(store, workspace_id, INCIDENTS_SHOWN) if is_all else ((), 0)
        accounts = picture.accounts(kind, scope_id)
        concerned = None if accounts is None else {account[0] for account in accounts}
        names = {one.model for one in unpriced if concerned is None or one.connection_id in concerned}
        spent = picture.spent(kind, scope_id, today)
        return LiveReport(
            today=spent if spent.as_of is not None else None,
            drift=drift,
            incidents=shown,
            incident_count=count,
            unpriced=tuple(sorted(names)[:UNPRICED_SHOWN]),
        )


def with_today(report: StatusReport) -> StatusReport:
    """A report on the open day: no bill speaks of it yet, so its figure is our estimate."""
    spent = report.live.today if report.live is not None else None
    if spent is None or not report.figure.is_not_yet_collected:
        return report
    figure = Figure(spent.amount, report.figure.period, spent.state, spent.as_of)
    return StatusReport(
        report.scope,
        report.query,
        figure,
        report.previous,
        None,
        report.breakdown,
        (),
        report.other_currencies,
        report.live,
    )
