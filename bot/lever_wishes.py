"""What levers need to know of a project's usual days: its pace by model, and which of its models are cheap."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

from bot.picture import Account, account_of
from finops.holds import Hold
from finops.levers import LeverWish, cheap_models, usual_pace
from finops.money import ATTO_PLACES, EXACT
from finops.periods import minute_of
from finops.usage import Width
from storage import Store

_DAYS = 7


async def wish_for(store: Store, hold: Hold) -> LeverWish:
    """The wish of one hold: from the week before it was asked for, so that the runaway itself is not "usual"."""
    account = account_of(hold)
    return await usual_of(store, hold.workspace_id, account, minute_of(hold.requested_at))


async def usual_of(store: Store, workspace_id: str, account: Account, until: int) -> LeverWish:
    """The usual pace by model in the week before the day of `until` (an epoch minute), and the models that are cheap by
    what their calls cost there.
    """
    midnight = until - until % Width.DAY
    rows = await store.usage.hourly(workspace_id, midnight - _DAYS * Width.DAY, midnight, [account])
    calls: dict[str, int] = defaultdict(int)
    attos: dict[str, int] = defaultdict(int)
    hours: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        if row.requests:
            calls[row.model] += row.requests
            attos[row.model] += row.atto
            hours[row.model][row.start] += row.requests
    costs = {
        model: EXACT.divide(Decimal(attos[model]).scaleb(-ATTO_PLACES, EXACT), Decimal(count))
        for model, count in calls.items()
    }
    return LeverWish({model: usual_pace(each) for model, each in hours.items()}, cheap_models(costs))
