"""Axes: what kind of thing a scope's money was paid for, out of the bill's own lines."""

from __future__ import annotations

from collections.abc import Collection

from bot.incident_scopes import whose
from bot.picture import CURRENCY
from finops.axes import Axes
from finops.figures import Scope
from finops.line_items import axes_of
from finops.periods import Period
from storage import Store


async def axes_of_scope(store: Store, workspace_id: str, scope: Scope, period: Period) -> Axes | None:
    """A scope's bill of a period by axis, in dollars; None when nothing was billed, or nothing read."""
    found = await whose(store, workspace_id, scope.kind, scope.id)
    return await axes_of_accounts(store, workspace_id, found.accounts, period)


async def axes_of_accounts(
    store: Store,
    workspace_id: str,
    accounts: Collection[tuple[int, str | None]] | None,
    period: Period,
    currency: str = CURRENCY,
) -> Axes | None:
    """The same of some provider projects, or of all there is, in one currency."""
    lines = await store.charges.by_line_item(workspace_id, period, accounts)
    billed = [(name, amount) for name, amount in lines if amount.currency == currency]
    return axes_of(billed, currency) if billed else None
