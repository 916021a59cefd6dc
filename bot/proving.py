"""Proving: after each reading of usage, whether levers ended the spending, and whether it came back where they did not
hold any more. Also the day after a restore: the first calls again, and a second runaway."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median_low

from bot.desk import Desk
from bot.picture import CURRENCY, account_of, money_of
from bot.stop_keeping import keep
from finops.frozen import frozen
from finops.holds import STANDING, Hold, HoldState, judged, reopened
from finops.incidents import Fact
from finops.lateness import p95
from finops.levers import Json, Lever
from finops.money import ATTO_PLACES, EXACT, Money
from finops.periods import Period, minute_of, moment_of
from finops.proof import CALLED, Seen, Verdict, final_until, last_request_at, seen_until, unread, verdict
from finops.stopping import WATCHED, progressed
from finops.stops import StopEvent, StopEventKind, StopState
from finops.usage import Width
from storage import Store
from storage.errors import Conflict
from storage.records_live import UsageHealth, UsageSum

log = logging.getLogger(__name__)

_ATTEMPTS = 3
# A second runaway: a quarter of an hour at three times the usual pace, and worth speaking of.
_SURGE_MINUTES = 15
_SURGE_FACTOR = 3
_SURGE_FLOOR = Decimal(1)
_USUAL_DAYS = 7
# Usage that arrives late can be of minutes from before the lever was set; beyond this it is a call that got through.
_AFTER_PROOF = timedelta(minutes=1)


@frozen
class _Judgement:
    """One hold before and after a look at usage, and what else is to be told."""

    before: Hold
    after: Hold
    facts: Mapping[str, Fact]
    event: StopEvent | None = None


class Proving:
    """Looks at the usage of everything that is held, or was until yesterday."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def look(self, workspace_id: str, connection_id: int) -> int:
        """Judge every hold of a connection by the usage read so far; how many changed.

        The same usage changes nothing twice, so any replica may do this at any time.
        """
        async with self._desk.storage.reading() as store:
            holds = await store.stops.held_on(workspace_id, connection_id, self._desk.now() - WATCHED)
            if not holds:
                return 0
            health = await store.healths.get(workspace_id, connection_id)
            reads = await store.usage.reads(workspace_id, connection_id)
            read = {name: one.final_until for name, one in reads.items()}
            now = await self._provider_now(store, workspace_id, connection_id)
            found = [await self._judged(store, one, health, read, now) for one in holds]
        changed = [one for one in found if one is not None]
        for one in changed:
            await self._keep(one)
        return len(changed)

    async def _provider_now(self, store: Store, workspace_id: str, connection_id: int) -> datetime:
        connection = await store.connections.get(workspace_id, connection_id)
        assert connection is not None, "a hold names its connection by a foreign key"
        return self._desk.now_of(self._desk.providers[connection.provider])

    async def _judged(
        self, store: Store, hold: Hold, health: UsageHealth | None, read: Mapping[str, int], now: datetime
    ) -> _Judgement | None:
        """What usage, as far as it was read, says of a hold; None where that is nothing new."""
        start = minute_of(hold.began_at)
        account = [account_of(hold)]
        rows = await store.usage.recent(hold.workspace_id, start, account)
        lateness = p95(health.lateness_samples) if health is not None else None
        if hold.state is HoldState.RELEASED:
            # What was seen is spent, wherever else nothing could be read.
            furthest = max((until for name, until in read.items() if name in CALLED), default=0)
            return await self._after_restore(store, hold, rows, Seen({}, furthest, lateness), now)
        if hold.state not in STANDING or not hold.is_wanted or hold.set_at is None:
            return None
        unwanted = _unwanted(hold, rows)
        calls: dict[int, int] = defaultdict(int)
        for row in unwanted:
            calls[row.start] += row.requests
        read_until = seen_until(read)
        seen = Seen(calls, read_until, lateness)
        after = hold
        if hold.state is HoldState.PROVED and hold.proved_at is not None:
            first = minute_of(hold.proved_at + _AFTER_PROOF)
            if any(minute >= first and count for minute, count in calls.items()):
                after = reopened(hold, now)
        leak = _cost(unwanted) if read_until > start else None
        set_at = after.set_at or hold.set_at
        said = verdict(seen, set_at, now)
        unpriced = sum(row.unpriced for row in unwanted)
        after = judged(after, said, leak, last_request_at(seen, hold.began_at), now, unpriced)
        if after == hold:
            return None
        facts: dict[str, Fact] = {}
        if after.state is HoldState.UNPROVED:
            facts = {"reason": "usage_goes_on"} if said is Verdict.GOES_ON else _unseen(read, seen, set_at)
        return _Judgement(hold, after, facts)

    async def _after_restore(
        self, store: Store, hold: Hold, rows: Sequence[UsageSum], seen: Seen, now: datetime
    ) -> _Judgement | None:
        """The first calls again, told once; and a surge, told once in an hour."""
        if hold.released_at is None or hold.set_at is None:
            return None
        first = minute_of(hold.released_at)
        back = [row for row in rows if row.start >= first and row.requests]
        after, event = hold, None
        if hold.first_traffic_at is None and back:
            called_at = max(hold.released_at, moment_of(min(row.start for row in back)))
            after = replace(hold, first_traffic_at=called_at, updated_at=now)
        end = final_until(seen, now)
        recent = [row for row in back if end - _SURGE_MINUTES <= row.start < end]
        spent = _cost(recent)
        if spent.amount >= _SURGE_FLOOR:
            usual = await _usual_of(store, hold)
            if usual is not None and spent.amount >= EXACT.multiply(usual.amount, Decimal(_SURGE_FACTOR)):
                values: dict[str, Fact] = {
                    "project": hold.name,
                    "project_id": hold.project_id,
                    "amount": f"{spent.amount:f}",
                    "usual": f"{usual.amount:f}",
                    "currency": CURRENCY,
                    "minutes": _SURGE_MINUTES,
                }
                key = f"surged:{hold.id}:{now:%Y%m%d%H}"
                event = StopEvent(StopEventKind.SURGED, now, key, values, is_loud=True)
        return None if after is hold and event is None else _Judgement(hold, after, {}, event)

    async def _keep(self, one: _Judgement) -> None:
        """Keep what was judged and tell of it; where somebody decides at the same moment, on what they left."""
        for _ in range(_ATTEMPTS):
            try:
                is_kept = await self._kept(one)
            except Conflict:
                continue
            if is_kept:
                self._desk.wake_outbox.set()
                log.info("hold judged", extra={"hold_id": one.before.id, "state": one.after.state.value})
            return

    async def _kept(self, one: _Judgement) -> bool:
        """Whether it is kept: not where the hold was decided anew meanwhile (the next reading looks again), nor where
        all of it was known."""
        desk, before = self._desk, one.before
        async with desk.storage.writing() as store:
            stop = await store.stops.get(before.workspace_id, before.stop_id)
            holds = await store.stops.holds(before.workspace_id, before.stop_id)
            present = next((each for each in holds if each.id == before.id), None)
            if stop is None or present is None or _moved(present, before):
                return False
            after = _onto(present, before, one.after)
            change = progressed(stop, holds, present, after, desk.now(), one.facts)
            if one.event is not None:
                known = {each.key for each in await store.stops.events(before.workspace_id, before.stop_id)}
                # Who allowed so much more knows that it is more than usual.
                is_news = one.event.key not in known and stop.state is StopState.RESTORED
                if not is_news and after == present:
                    return False
                if is_news:
                    change = replace(change, events=(*change.events, one.event))
            await keep(desk, store, change, stop, (present,))
            return True


def _unseen(read: Mapping[str, int], seen: Seen, set_at: datetime) -> dict[str, Fact]:
    """Which calls nobody could see, and since when."""
    kinds, since = unread(read, seen, set_at)
    told = since.isoformat() if since is not None else None
    return {"reason": "usage_unseen", "unread": ",".join(kinds), "unread_since": told}


def _moved(present: Hold, before: Hold) -> bool:
    """Whether somebody decided something else about it; that the provider was asked again decides nothing."""
    return (present.state, present.is_wanted, present.set_at) != (before.state, before.is_wanted, before.set_at)


def _onto(present: Hold, before: Hold, after: Hold) -> Hold:
    """What usage says, on the hold as it is kept now."""
    names = (
        "state", "set_at", "proved_at", "last_request_at", "leak", "leak_unpriced", "first_traffic_at", "updated_at"
    )  # fmt: skip
    changed = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    if present.enforced_at is None and after.enforced_at is not None:
        changed["enforced_at"] = after.enforced_at
    return replace(present, **changed)


def _unwanted(hold: Hold, rows: Sequence[UsageSum]) -> list[UsageSum]:
    """The usage that the lever is to end: all calls, those of other models, or those beyond the pace."""
    called = [row for row in rows if row.requests]
    if hold.lever is Lever.STOP or hold.target is None:
        return called
    if hold.lever is Lever.CHEAP:
        policy = hold.target.get("model_permissions")
        stays = policy.get("model_ids") if isinstance(policy, dict) else None
        return [row for row in called if not isinstance(stays, list) or not _is_among(row.model, stays)]
    most = sum(_per_minute(value) for value in hold.target.values())
    minutes: dict[int, int] = defaultdict(int)
    for row in called:
        minutes[row.start] += row.requests
    return [row for row in called if minutes[row.start] > most]


def _is_among(model: str, names: Sequence[Json]) -> bool:
    """Whether usage of a model is of one of these: a dated version counts as the model it is of."""
    return any(model == name or model.startswith(f"{name}-20") for name in names)


def _per_minute(value: Json) -> int:
    most = value.get("max_requests_per_1_minute") if isinstance(value, dict) else None
    return most if isinstance(most, int) else 0


def _cost(rows: Sequence[UsageSum]) -> Money:
    return money_of(sum(row.atto for row in rows))


async def _usual_of(store: Store, hold: Hold) -> Money | None:
    """What the project usually spends in such a quarter of an hour: the median day of the week before the stop."""
    day = hold.requested_at.date()
    days = Period(day - timedelta(days=_USUAL_DAYS), day)
    rows = await store.usage.daily(hold.workspace_id, days, [account_of(hold)])
    by_day: dict[int, int] = defaultdict(int)
    for row in rows:
        by_day[row.start] += row.atto
    if len(by_day) < 3:
        return None
    part = EXACT.divide(EXACT.multiply(Decimal(median_low(by_day.values())), _SURGE_MINUTES), Decimal(Width.DAY.value))
    return Money(part.scaleb(-ATTO_PLACES, EXACT), CURRENCY)
