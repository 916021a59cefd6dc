"""What levers need to know of a project's usual days: its pace by model, and which of its models are cheap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from bot.picture import Account, account_of
from finops.holds import Hold
from finops.levers import LeverWish, cheap_models
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
    """Calls a minute by model in the hours in which there were any, rounded up, on the middle one of the days with any
    in the week before the day of `until` (an epoch minute): the day of an earlier runaway is not "usual". And
    the models that are cheap by what their calls cost.
    """
    midnight = until - until % Width.DAY
    rows = await store.usage.hourly(workspace_id, midnight - _DAYS * Width.DAY, midnight, [account])
    calls: dict[str, int] = defaultdict(int)
    attos: dict[str, int] = defaultdict(int)
    days: dict[str, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for row in rows:
        if row.requests:
            calls[row.model] += row.requests
            attos[row.model] += row.atto
            days[row.model][row.start // Width.DAY][row.start] += row.requests
    pace = {model: _middle(_pace(hours) for hours in each.values()) for model, each in days.items()}
    costs = {
        model: EXACT.divide(Decimal(attos[model]).scaleb(-ATTO_PLACES, EXACT), Decimal(count))
        for model, count in calls.items()
    }
    return LeverWish(pace, cheap_models(costs))


def _pace(hours: Mapping[int, int]) -> int:
    """Calls a minute of a day, by how many there were in each hour with any; rounded up."""
    return -(-sum(hours.values()) // (60 * len(hours)))


def _middle(paces: Iterable[int]) -> int:
    """The middle one, of two the faster."""
    ordered = sorted(paces)
    return ordered[len(ordered) // 2]
