"""Exchange: whether won or yen stand beside dollars, at which rate, and what that was before."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.people import People
from finops.exchange import Converter, Rate, RateChange, RateUnusable, converter, rate_typed
from finops.frozen import frozen
from finops.incidents import Fact
from finops.keys import redacted
from finops.registry import Person
from finops.zones import zone_named
from storage import Store

log = logging.getLogger(__name__)

# Decisions the window shows.
SHOWN = 5


@frozen
class RateWish:
    """What stands in the window. `currency` '' is dollars alone; the rest is then not looked at."""

    currency: str
    per_dollar: str = ""
    day: date | None = None
    source: str = ""


async def converter_at(store: Store, workspace_id: str, at: datetime) -> Converter | None:
    """How a workspace's dollars are told in its other currency at a moment; None where nobody asked for one then."""
    return converter(await store.exchange_rates.at(workspace_id, at), at)


class Exchange:
    """Shows and changes the currency beside dollars. Bills, budgets, exports and the ledger stay in dollars."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    async def decided(self, actor: Person) -> Sequence[RateChange]:
        """What was decided last, newest first: the first of them holds. For admins."""
        await self._people.require_admin(actor)
        async with self._desk.storage.reading() as store:
            return await store.exchange_rates.newest(actor.workspace_id, SHOWN)

    def today(self, actor: Person) -> date:
        """The last day a rate may be of: this person's own today, which begins before ours in the east."""
        zone = zone_named(actor.timezone)
        return self._desk.today() if zone is None else self._desk.now().astimezone(zone).date()

    async def choose(self, actor: Person, wish: RateWish) -> Rate | None:
        """Let a rate hold from now on, or dollars alone; what holds already is not decided again. For admins.

        Refuses what is no rate (EXCHANGE_RATE).
        """
        await self._people.require_admin(actor)
        wanted = self._wanted(actor, wish)
        desk, workspace_id = self._desk, actor.workspace_id
        async with desk.storage.writing() as store:
            # One after the other: two who decide at once would both find what was before.
            await store.workspaces.hold(workspace_id)
            last = await store.exchange_rates.newest(workspace_id, 1)
            held = await store.exchange_rates.at(workspace_id, desk.now())
            before = last[0].rate if last else None
            # The last holds already, unless a clock was set back since.
            if wanted == before and (held.rate if held is not None else None) == before:
                return wanted
            await store.exchange_rates.add(workspace_id, wanted, by=actor.user_id, at=desk.now())
            facts = {**_facts("before", before), **_facts("after", wanted)}
            await record(desk, store, workspace_id, actor.user_id, "currency.changed", "currency", facts)
        log.info("currency changed", extra={"workspace_id": workspace_id, "user_id": actor.user_id})
        return wanted

    def _wanted(self, actor: Person, wish: RateWish) -> Rate | None:
        if not wish.currency:
            return None
        try:
            # Somebody may paste anything into a line of free text, and this one is read by everybody.
            return rate_typed(wish.currency, wish.per_dollar, wish.day, redacted(wish.source), self.today(actor))
        except RateUnusable as problem:
            mistake = problem.mistake.value
            raise Refusal(RefusalCode.EXCHANGE_RATE, mistake=mistake, currency=wish.currency) from problem


def _facts(when: str, rate: Rate | None) -> dict[str, Fact]:
    if rate is None:
        return {f"currency_{when}": None}
    return {
        f"currency_{when}": rate.currency.value,
        f"per_dollar_{when}": f"{rate.per_dollar:f}",
        f"day_{when}": rate.day.isoformat(),
        f"source_{when}": rate.source,
    }
