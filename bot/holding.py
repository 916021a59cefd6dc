"""Holding: what a provider has to do about a hold, step by step, so that any of them may be the last before a kill.

Each step asks how the lever stands, decides (finops.holds), keeps the decision, and only then acts. Nothing is written
at a provider before the former state is kept, and nothing is written twice without looking in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.desk import Desk, skew_of
from bot.keys import Keys, by_any
from bot.lever_wishes import wish_for
from bot.stop_keeping import keep, redraw_own
from finops.holds import (
    FINAL,
    STANDING,
    Hold,
    HoldState,
    HoldTrouble,
    Save,
    Settled,
    Step,
    Write,
    left_behind,
    next_step,
    saved,
    troubled,
    without_ours,
)
from finops.incidents import Fact
from finops.levers import Json, Lever, LeverReading, Parts
from finops.secret import Secret
from finops.stopping import WATCHED, progressed
from providers.contract import (
    ChangeRefused,
    CredentialReason,
    CredentialRejected,
    ProjectUnknown,
    Provider,
    ProviderError,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from storage.errors import Conflict, SecretUnreadable

log = logging.getLogger(__name__)

# Longer than any attempt may take: who holds a lease that ran out has given up already.
LEASE = timedelta(seconds=90)
ATTEMPT_SECONDS = 75.0
AT_ONCE = 16
# A write that failed is looked at and tried again so often before others get their turn.
_TRIES = 3
# One request for each model of a project, and as many looks in between.
_MOST_STEPS = 1000
# Asked for the first time after so long, then after as long again as it has stood.
_UNTIL_ENFORCED = timedelta(seconds=5)
_ENFORCED_BY = timedelta(minutes=15)
# Whatever the provider asks for: people wait for a stop, or for their spending to go on.
_LONGEST_WAIT_SECONDS = 60.0
_WAIT_FOR_A_PERSON = timedelta(minutes=5)
# A provider in trouble may deny for hours a project that it has, and with it what we have to put back: then it is
# looked for ever more rarely, and given up only where its list of projects says the same.
_LOOKED_FOR_CLOSELY = timedelta(hours=1)
_LOOKED_FOR_EVERY = timedelta(hours=1)
_UNLISTED_FOR_GOOD = timedelta(hours=24)
_LIST_SECONDS = 30.0
_CONFLICTS = 8


class Holding:
    """Brings every hold to where it is wanted: each one by one replica at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def due(self, worker: str) -> list[Hold]:
        """Take what is to be done now; it is `worker`'s until the lease ends."""
        async with self._desk.storage.reading() as store:
            if not await store.stops.any_due(self._desk.now()):
                return []
        async with self._desk.storage.writing() as store:
            return await store.stops.due(self._desk.now(), AT_ONCE, worker, LEASE)

    async def work_due(self, worker: str) -> int:
        """Do everything that is to be done now, side by side, and wait for it; how many holds were worked on."""
        holds = await self.due(worker)
        await asyncio.gather(*(self.work(one, worker) for one in holds))
        return len(holds)

    async def work(self, hold: Hold, worker: str) -> Hold:
        """Bring one hold as far as it goes now, and give it back; how we left it."""
        attempt = _Attempt(self._desk, hold, worker)
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await attempt.made()
        except TimeoutError:
            log.warning("a hold took too long", extra={"hold_id": hold.id})
        finally:
            # Not awaited by who is cancelled: the lease ends by itself.
            async with self._desk.storage.writing() as store:
                await store.stops.let_go(hold.id or 0, worker)
        return attempt.hold


class _Attempt:
    """One worker's turn with one hold."""

    def __init__(self, desk: Desk, hold: Hold, worker: str) -> None:
        self._desk = desk
        self._hold = hold
        self._worker = worker
        self._failures = 0
        self._written: Counter[tuple[bool, str]] = Counter()
        self._skew = timedelta()  # how far the provider's clock is ahead of ours; what it did is stamped by its own

    @property
    def hold(self) -> Hold:
        """The hold as this worker last knew it."""
        return self._hold

    async def made(self) -> None:
        conflicts = 0
        for _ in range(_MOST_STEPS):
            try:
                if await self._step():
                    return
            except Conflict:
                # Somebody decided anew, or another worker has it now: go on from what is kept.
                conflicts += 1
                if conflicts > _CONFLICTS or not await self._reloaded():
                    return

    async def _step(self) -> bool:
        """One look and what follows from it; True when there is nothing more to do now."""
        desk, hold = self._desk, self._hold
        is_write = False
        if not hold.is_wanted and hold.former is None:
            await self._settled(Settled(HoldState.RELEASED), LeverReading({}))  # nothing was ever written
            return True
        try:
            keys, provider = await self._door()
            reading, step = await self._looked(keys, provider)
            self._skew = skew_of(provider)
            if isinstance(step, Save):
                former = await self._without_ours(step.former)
                target = await self._target(provider, former)
                await self._keep_own(saved(hold, former, target, desk.now()))
                hold = self._hold
                step = next_step(hold, reading)  # read a moment ago: spending goes on while we ask again
            match step:
                case Write() if self._written[hold.is_wanted, step.part] >= _TRIES:
                    # It says yes and does nothing: asking on and on would be no help.
                    return await self._failed(HoldTrouble.UNEXPECTED, None, is_write=False)
                case Write():
                    self._written[hold.is_wanted, step.part] += 1
                    # Kept first, and refused when somebody decided otherwise: the last moment to turn back.
                    await self._keep_own(replace(hold, checked_at=desk.now()))
                    is_write = True
                    await by_any(keys, lambda key: provider.pull(key, hold.provider_project_id, step.part, step.value))
                case Settled(state=HoldState.LOST) if left_behind(hold, reading):
                    # One part is somebody else's now; the others are still as we made them, and are put back first.
                    await self._keep_own(replace(hold, is_wanted=False, checked_at=desk.now()))
                case Settled():
                    await self._settled(step, reading)
                    return True
        except ProviderError as error:
            return await self._failed(_trouble_of(error), error, is_write=is_write)
        except (_NoKey, SecretUnreadable):
            return await self._failed(HoldTrouble.NO_KEY, None, is_write=False)
        return False

    async def _looked(self, keys: Keys, provider: Provider) -> tuple[LeverReading, Step]:
        """How the lever stands, and what follows. One wrong answer must neither become a limit that nobody ever set,
        nor give up what is ours: what is to be kept as "before", as back, or as somebody else's, is asked for twice."""
        hold = self._hold

        async def asked() -> LeverReading:
            return await by_any(keys, lambda key: provider.lever(key, hold.provider_project_id, hold.lever))

        if hold.former is None:
            # Both at once: spending goes on while we ask.
            found = await asyncio.gather(asked(), asked(), return_exceptions=True)
            for failure in found:
                if isinstance(failure, BaseException):
                    raise failure
            first, second = (one for one in found if isinstance(one, LeverReading))
        else:
            first = second = await asked()
        step = next_step(hold, first)
        is_end = isinstance(step, Settled) and step.state is HoldState.RELEASED and hold.state is not HoldState.RELEASED
        is_theirs = isinstance(step, Save) or (isinstance(step, Settled) and bool(step.kept))
        if hold.former is not None and (is_end or is_theirs):
            second = await asked()
        if first.parts != second.parts:
            raise UnexpectedResponse("the provider tells now this and now that")
        return second, step

    async def _door(self) -> tuple[Keys, Provider]:
        hold = self._hold
        async with self._desk.storage.reading() as store:
            connection = await store.connections.get(hold.workspace_id, hold.connection_id)
            keys = await store.credentials.openable(hold.workspace_id, hold.connection_id)
        if connection is None or not keys:
            raise _NoKey
        return keys, self._desk.providers[connection.provider]

    async def _without_ours(self, former: Parts) -> Parts:
        """What was there before us, also where something of ours still stands, or came late."""
        hold = self._hold
        place = hold.workspace_id, hold.connection_id, hold.provider_project_id, hold.lever
        async with self._desk.storage.reading() as store:
            return without_ours(former, await store.stops.once_held(*place), self._desk.now() - WATCHED)

    async def _target(self, provider: Provider, former: Mapping[str, Json]) -> dict[str, Json]:
        hold = self._hold
        async with self._desk.storage.reading() as store:
            wish = await wish_for(store, hold)
        try:
            return provider.target(hold.lever, former, wish)
        except ValueError as error:
            raise ChangeRefused(str(error)) from error

    async def _failed(self, trouble: HoldTrouble, error: ProviderError | None, *, is_write: bool) -> bool:
        """What to do about a failure: look again at once, let go of what was begun, or wait."""
        hold, now = self._hold, self._desk.now()
        self._failures += 1
        log.warning(
            "a lever could not be moved",
            extra={"hold_id": hold.id, "trouble": trouble.value, "reference": error.reference if error else None},
        )
        if trouble not in FINAL and is_write and self._failures < _TRIES and trouble is not HoldTrouble.RATE_LIMITED:
            return False  # it may have been done: the next look tells
        is_gone = trouble is HoldTrouble.PROJECT_GONE
        is_watch = hold.state is HoldState.RELEASED or (hold.state in STANDING and hold.is_wanted and not is_gone)
        if is_watch:
            await self._keep_own(replace(hold, next_at=now + self._desk.policy.poll_every))
            return True
        if is_gone and hold.former is not None and await self._is_gone_for_good(now):
            lost = replace(hold, state=HoldState.LOST, trouble=trouble, next_at=None, updated_at=now)
            await self._keep(lost, {"by": None, "trouble": trouble.value})
            return True
        if trouble in FINAL and is_write and hold.is_wanted:
            # Refused for good: whatever of it was written before is put back.
            await self._keep_own(replace(hold, is_wanted=False, trouble=trouble, trouble_since=now, updated_at=now))
            return False
        after = troubled(hold, trouble, now, self._wait(trouble, error, now))
        await self._keep(after, {})
        return True

    async def _is_gone_for_good(self, now: datetime) -> bool:
        """Whether the provider's own list of projects says so too, when its address has said for an hour that there is
        none: archived, or for a day not in a list that has others. What cannot be asked is not gone."""
        hold, denied = self._hold, _denied_for(self._hold, now)
        if denied < _LOOKED_FOR_CLOSELY:
            return False
        try:
            keys, provider = await self._door()
            async with asyncio.timeout(_LIST_SECONDS):
                listed = await by_any(keys, lambda key: _listed(provider, key))
        except (ProviderError, _NoKey, SecretUnreadable, TimeoutError):
            return False
        if hold.provider_project_id in listed:
            return listed[hold.provider_project_id]
        return bool(listed) and denied >= _UNLISTED_FOR_GOOD

    def _wait(self, trouble: HoldTrouble, error: ProviderError | None, now: datetime) -> timedelta:
        if trouble is HoldTrouble.PROJECT_GONE and _denied_for(self._hold, now) >= _LOOKED_FOR_CLOSELY:
            return _LOOKED_FOR_EVERY
        if trouble in FINAL:
            return _WAIT_FOR_A_PERSON
        asked = error.retry_after if isinstance(error, RateLimited) and error.retry_after is not None else 0.0
        backoff = 2.0 ** min(self._hold.attempts, 6) / 2
        return timedelta(seconds=min(_LONGEST_WAIT_SECONDS, max(asked, backoff)))

    async def _settled(self, step: Settled, reading: LeverReading) -> None:
        """It stands as wanted: keep that, and when to look again whether it still does."""
        hold, now = self._hold, self._desk.now()
        calm = replace(hold, checked_at=now, trouble=None, trouble_since=None, attempts=0)
        if step.state is HoldState.LOST:
            facts = await self._changer()
            await self._keep(replace(calm, state=HoldState.LOST, next_at=None, updated_at=now), facts)
        elif step.state in STANDING:
            await self._stands(calm, reading, now)
        elif hold.state is HoldState.RELEASED:
            is_over = hold.released_at is None or now - hold.released_at >= WATCHED
            await self._keep_own(replace(calm, next_at=None if is_over else now + self._desk.policy.poll_every))
        elif hold.release_at is None and hold.set_at is not None:
            # It stood, until somebody changed a part of it elsewhere; the rest is back.
            lost = replace(calm, state=HoldState.LOST, next_at=None, updated_at=now)
            await self._keep(lost, await self._changer())
        elif hold.release_at is None:
            # Nobody asked for letting go: it was given up, and what was begun is undone.
            failed = replace(hold, state=HoldState.FAILED, next_at=None, checked_at=now, updated_at=now)
            await self._keep(failed, {})
        else:
            next_at = now + self._desk.policy.poll_every
            at = now + self._skew
            released = replace(calm, state=HoldState.RELEASED, released_at=at, next_at=next_at, updated_at=now)
            await self._keep(released, {"kept": ", ".join(step.kept) or None})

    async def _stands(self, calm: Hold, reading: LeverReading, now: datetime) -> None:
        is_enforced = calm.enforced_at is None and reading.is_enforcing is True
        seen_at = now + self._skew
        set_at = calm.set_at or seen_at
        is_awaited = calm.enforced_at is None and reading.is_enforcing is False and seen_at - set_at < _ENFORCED_BY
        after = replace(
            calm,
            state=HoldState.SET if calm.state is HoldState.SAVED else calm.state,
            set_at=set_at,
            enforced_at=seen_at if is_enforced else calm.enforced_at,
            next_at=now + min(self._desk.policy.poll_every, max(_UNTIL_ENFORCED, seen_at - set_at))
            if is_awaited
            else now + self._desk.policy.poll_every,
        )
        if after.state is calm.state and after.enforced_at == calm.enforced_at and self._hold.trouble is None:
            await self._keep_own(after)
        else:
            await self._keep(replace(after, updated_at=now), {})

    async def _changer(self) -> dict[str, Fact]:
        """Who changed the lever elsewhere, where the provider tells: of limits in dollars and of models it does not,
        and another change of that hour would accuse somebody else."""
        hold = self._hold
        if hold.lever is not Lever.SLOW:
            return {"by": None}
        try:
            keys, provider = await self._door()
            since = hold.checked_at or hold.set_at or hold.requested_at
            found = await by_any(keys, lambda key: provider.last_change(key, hold.provider_project_id, since))
        except (ProviderError, _NoKey, SecretUnreadable):
            return {"by": None}
        return {"by": None, "actor": found.name if found else None}

    async def _keep_own(self, after: Hold) -> None:
        """Keep what concerns the hold alone; Conflict when it is no longer as we know it, or no longer ours."""
        async with self._desk.storage.writing() as store:
            await store.stops.keep_hold(after, self._hold, self._worker)
            await redraw_own(store, self._hold, self._desk.now())
        self._hold = after

    async def _keep(self, after: Hold, facts: Mapping[str, Fact]) -> None:
        """Keep a change with all that follows from it for the stop, its incident and its messages."""
        desk, before = self._desk, self._hold
        async with desk.storage.writing() as store:
            stop = await store.stops.get(before.workspace_id, before.stop_id)
            assert stop is not None, "a hold names its stop by a foreign key"
            holds = await store.stops.holds(before.workspace_id, before.stop_id)
            await store.stops.keep_hold(before, before, self._worker)  # still ours, and as we know it
            await keep(desk, store, progressed(stop, holds, before, after, desk.now(), facts), stop, (before,))
        self._hold = after
        desk.wake_outbox.set()
        log.info("hold moved", extra={"hold_id": after.id, "state": after.state.value, "project": after.name})

    async def _reloaded(self) -> bool:
        """Go on from how the hold is kept now; False when it is gone, or somebody else's."""
        async with self._desk.storage.reading() as store:
            found = await store.stops.hold(self._hold.workspace_id, self._hold.id or 0)
            is_ours = found is not None and await store.stops.is_leased(
                self._hold.id or 0, self._worker, self._desk.now()
            )
        if found is None or not is_ours:
            return False
        self._hold = found
        return True


class _NoKey(Exception):
    """No key of the organization is registered any more."""


async def _listed(provider: Provider, key: Secret) -> dict[str, bool]:
    """The ids of all projects that the provider lists, and whether each is archived."""
    return {one.id: one.is_archived async for one in provider.projects(key, include_archived=True)}


def _denied_for(hold: Hold, now: datetime) -> timedelta:
    """For how long the provider has said that it has no such project."""
    since = hold.trouble_since if hold.trouble is HoldTrouble.PROJECT_GONE else None
    return timedelta() if since is None else now - since


def _trouble_of(error: ProviderError) -> HoldTrouble:
    match error:
        case CredentialRejected(reason=CredentialReason.MISSING_SCOPE):
            return HoldTrouble.NO_RIGHT
        case CredentialRejected():
            return HoldTrouble.KEY_REJECTED
        case ProjectUnknown():
            return HoldTrouble.PROJECT_GONE
        case ChangeRefused():
            return HoldTrouble.REFUSED
        case RateLimited():
            return HoldTrouble.RATE_LIMITED
        case Unavailable():
            return HoldTrouble.UNAVAILABLE
    return HoldTrouble.UNEXPECTED
