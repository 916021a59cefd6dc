"""Unwatched: while the bot itself was away nobody looked. The first reading after it says so, once in each channel.

What kept the bot from looking is not known to it; what matters is from when until when, and what was spent meanwhile.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot import moved
from bot.desk import Desk
from bot.picture import CURRENCY, Account, Collected, money_of
from bot.spending import Spending
from bot.surroundings import corrected
from bot.telling import ROUTINE, UNWATCHED, recipients
from finops.audit import AuditFilter, Outcome
from finops.budgets import BudgetOn, effective
from finops.frozen import frozen
from finops.money import Money
from finops.periods import minute_of
from finops.registry import Connection, Credential, Team
from storage import Store
from storage.records_live import OutboxMessage, UsageHealth

_KEY_ENABLED = "key.enabled"
# More keys are not switched on again between two readings.
_MOST_ENABLED = 1_000
_NOWHERE = "people"


@frozen
class UnwatchedShown:
    """What is told of a stretch in which nobody looked: [since, until), and what was found in it afterwards.

    `amount` is the corrected estimate of what these connections used and a budget told in this channel limits; None
    when none is told there any more. `unpriced` are the models used meanwhile whose price nobody knows, which the
    amount lacks.
    """

    since: datetime
    until: datetime
    connections: tuple[str, ...]
    amount: Money | None
    unpriced: tuple[str, ...] = ()


class Unwatched:
    """Tells of a stretch in which nobody looked what was spent in it."""

    def __init__(self, desk: Desk, spending: Spending) -> None:
        self._desk = desk
        self._spending = spending

    async def told(self, wanted: OutboxMessage) -> UnwatchedShown:
        """What the message about such a stretch has to say now."""
        workspace_id = wanted.workspace_id
        since, until = _stretch(wanted.subject)
        async with self._desk.storage.reading() as store:
            work = await _Work.of(store, workspace_id)
            mine = [on for on in work.budgets if _channel(on) == wanted.channel_id]
            accounts = work.accounts(mine)
            used = []
            if accounts is None or accounts:
                used = await store.usage.activity(workspace_id, minute_of(since), minute_of(until), accounts)
            taught = await self._spending.taught(store, workspace_id)
            connections = await store.connections.all(workspace_id)
        ids = set(wanted.subject["connection_ids"])
        # Another replica may have read the others all the time: what those used was seen.
        rows = [row for row in used if row.connection_id in ids]
        names = [one.name for one in connections if one.id in ids]
        amount = money_of(sum(corrected(taught, row) for row in rows)) if mine else None
        unpriced = sorted({row.model or row.sub_account_id for row in rows if row.unpriced})
        return UnwatchedShown(since, until, tuple(names), amount, tuple(unpriced))

    async def everywhere(self) -> int:
        """Have what waits to be told go to the channels its budgets speak in by now; how many messages that makes.

        A team may have moved to another channel meanwhile. What stands in Slack already is told nowhere else.
        """
        count = 0
        async with self._desk.storage.reading() as store:
            astray = [one.id for one in await store.workspaces.all() if await _moves(store, one.id)]
        for workspace_id in astray:
            async with self._desk.storage.writing() as store:
                await store.workspaces.hold(workspace_id)  # as `tell`
                for move in await _moves(store, workspace_id):
                    await moved.keep(store, move, self._desk.now())
                    count += 1
        if count:
            self._desk.wake_outbox.set()
        return count


class Wakefulness:
    """Knows how long ago this process read a connection by a clock that nobody sets.

    A clock that was put forward is no time in which nobody looked; a machine that slept is.
    """

    def __init__(self) -> None:
        self._read: dict[int, tuple[datetime, float]] = {}

    def note(self, connection_id: int, at: datetime) -> None:
        """This process read it just now, and calls that `at`."""
        self._read[connection_id] = (at, seconds_passed())

    def since(self, connection_id: int, read_at: datetime, at: datetime) -> timedelta:
        """How long it is from the reading of `read_at` until `at`, which is now; of others' readings by the clock."""
        known = self._read.get(connection_id)
        if known is None or known[0] != read_at:
            return at - read_at
        return min(at - read_at, timedelta(seconds=seconds_passed() - known[1]))


def seconds_passed() -> float:
    """Seconds since some moment, going on while the machine sleeps (where the system can tell), and never set."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def was_left_alone(
    desk: Desk, connection: Connection, before: UsageHealth | None, awake: Wakefulness, at: datetime
) -> bool:
    """Whether a connection was not read for so long before `at` that somebody may have to be told."""
    if before is None or before.read_at is None:
        return False
    return awake.since(connection.id, before.read_at, at) > _longest(desk)


async def missed_since(
    desk: Desk, store: Store, connection: Connection, keys: Sequence[Credential], before: UsageHealth | None,
    awake: Wakefulness, at: datetime,
) -> datetime | None:  # fmt: skip
    """Since when nobody had looked at a connection before it is read `at`; None when it was not left alone for long.

    `before` is how reading it stood, `keys` the enabled ones. A stretch without an enabled key was somebody's wish.
    """
    if before is None or before.read_at is None or not was_left_alone(desk, connection, before, awake, at):
        return None
    longest, read_at = _longest(desk), before.read_at
    if before.failing_since is not None:
        # It could not be read, and then it could: that was borne, unless we stopped trying meanwhile.
        tries = slots_of(connection)
        tried = await store.claims.newest(connection.workspace_id, tries, before=at.replace(second=0, microsecond=0))
        if at - max(before.failing_since, tried or before.failing_since) <= longest:
            return None
    since = await _expected_since(store, connection.workspace_id, keys, read_at)
    return since if at - since > longest else None


def _longest(desk: Desk) -> timedelta:
    return max(desk.policy.blind_after, 2 * desk.policy.poll_every)


def slots_of(connection: Connection) -> str:
    """How the claims begin that say whose turn it was to read a connection."""
    return f"usage:{connection.id}:"


async def keep(store: Store, connection: Connection, since: datetime, until: datetime) -> None:
    """Remember for the check-up that nobody looked at a connection in [since, until)."""
    await store.claims.once(connection.workspace_id, f"{UNWATCHED}:{since.isoformat()}:{connection.id}", until)


async def last(store: Store, workspace_id: str) -> tuple[datetime, datetime] | None:
    """The last stretch in which nobody looked at some connection, as long as that is remembered; None without any."""
    found = await store.claims.last(workspace_id, f"{UNWATCHED}:")
    if found is None:
        return None
    key, until = found
    return datetime.fromisoformat(key.removeprefix(f"{UNWATCHED}:").rpartition(":")[0]), until


async def tell(desk: Desk, store: Store, connection: Connection, since: datetime, until: datetime) -> int:
    """Have it said that nobody looked in [since, until), in each channel that a budget on this connection speaks in.

    Call it in the transaction that keeps the reading. Connections that were left alone at the same time are told of in
    the same message. How many messages that makes: wake the outbox when there are any.
    """
    workspace_id = connection.workspace_id
    # One after the other: two connections read side by side would both find nothing said yet.
    await store.workspaces.hold(workspace_id)
    places = (await _Work.of(store, workspace_id)).places({connection.id})
    if not places:
        return 0
    admins = await store.people.admins(workspace_id)
    said = await store.outbox.beginning(workspace_id, f"{UNWATCHED}:")
    taken = {one.key for one in said}
    for channel_id, teams in places.items():
        alike = (one for one in said if one.channel_id == channel_id and _overlaps(one.subject, since, until))
        known = next(alike, None)
        first, end, ids, told = since, until, {connection.id}, tuple[str, ...]()
        if known is not None:
            first, end = min(first, _stretch(known.subject)[0]), max(end, _stretch(known.subject)[1])
            ids |= set(known.subject["connection_ids"])
            told = known.recipients
        leads = [each.lead_user_id for each in teams]
        own = moved.free_key(f"{UNWATCHED}:{since.isoformat()}:{channel_id or _NOWHERE}", taken)
        await store.outbox.want(
            workspace_id,
            known.key if known is not None else own,
            UNWATCHED,
            {"since": first.isoformat(), "until": end.isoformat(), "connection_ids": sorted(ids)},
            channel_id,
            tuple(dict.fromkeys([*leads, *told, *recipients(None, None, admins)])),
            urgency=ROUTINE,
            at=desk.now(),
        )
    return len(places)


async def _moves(store: Store, workspace_id: str) -> list[moved.Move]:
    """What waits to be told in a channel where it concerns nobody any more, or not all whom it did."""
    said = await store.outbox.beginning(workspace_id, f"{UNWATCHED}:")
    waiting = [one for one in said if moved.waits(one)]
    if not waiting:
        return []
    work, found = await _Work.of(store, workspace_id), list[moved.Move]()
    for one in waiting:
        alike = [each for each in said if _overlaps(each.subject, *_stretch(one.subject))]
        places = work.places(set(one.subject["connection_ids"]))
        new = moved.moves(one, alike, places, {each.key for each in said})
        keys = {move.key for move in new}
        said = [*(each for each in said if each.key not in keys), *(move.moved for move in new)]
        found += new
    return found


@frozen
class _Work:
    """The budgets at work in a workspace, and the projects that are collected."""

    budgets: Sequence[BudgetOn]
    collected: Collected

    @classmethod
    async def of(cls, store: Store, workspace_id: str) -> _Work:
        budgets = [one for one in await store.budgets.all(workspace_id) if one.amount.currency == CURRENCY]
        collected = Collected(await store.projects.all(workspace_id))
        at_work = effective(budgets, await store.teams.all(workspace_id), list(collected.by_id.values()))
        return cls(at_work, collected)

    def accounts(self, budgets: Sequence[BudgetOn]) -> list[Account] | None:
        """The provider projects that some of the budgets limits; None: whatever there is."""
        found: set[Account] = set()
        for on in budgets:
            mine = self.collected.accounts(on.scope.kind, on.scope.id)
            if mine is None:
                return None
            found.update(mine)
        return sorted(found)

    def places(self, connection_ids: Collection[int]) -> dict[str | None, list[Team]]:
        """The channels that budgets on connections speak in (None: to people alone), each with the teams concerned."""
        found: dict[str | None, dict[int, Team]] = defaultdict(dict)
        for on in self.budgets:
            mine = self.collected.of(on.scope.kind, on.scope.id)
            if mine is None or any(one.connection_id in connection_ids for one in mine):
                teams = found[_channel(on)]
                if on.team is not None:
                    teams[on.team.id] = on.team
        ordered = sorted(found, key=lambda channel_id: channel_id or "")
        return {channel_id: list(found[channel_id].values()) for channel_id in ordered}


def _channel(on: BudgetOn) -> str | None:
    return on.budget.channel_id or (on.team.channel_id if on.team is not None else None)


def _stretch(subject: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(subject["since"]), datetime.fromisoformat(subject["until"])


def _overlaps(subject: Mapping[str, Any], since: datetime, until: datetime) -> bool:
    first, end = _stretch(subject)
    return first < until and since < end


async def _expected_since(store: Store, workspace_id: str, keys: Sequence[Credential], read_at: datetime) -> datetime:
    """Since when, after a reading, some key was there to read with again: keys may have been off or gone meanwhile."""
    if not keys:
        return read_at
    wanted = AuditFilter(nouns=(_KEY_ENABLED,), outcome=Outcome.DONE, since=read_at)
    rows = await store.audit.page(workspace_id, wanted, limit=_MOST_ENABLED)
    enabled: dict[str, datetime] = {}
    for row in rows:  # the newest first
        enabled.setdefault(row.entry.subject, row.entry.at)
    usable = (max(one.registered_at, enabled.get(f"key:{one.id}", read_at)) for one in keys)
    return max(read_at, min(usable))
