"""Digest channels: where, how and when weeks are told, who may decide that, and which week is due where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.people import People
from bot.teams import Teams
from finops.digest import WEEKDAYS, DigestChannel, DigestVersion
from finops.frozen import frozen
from finops.incidents import Fact
from finops.periods import Period, charge_day
from finops.queries import ScopeKind
from finops.registry import Person
from finops.weeks import due_at
from finops.zones import zone_named
from storage import Store
from storage.errors import AlreadyExists, NotFound

USUAL_CRON = "0 9 * * mon"
# What was missed is told late for this long; the next week is near by then.
CATCH_UP = timedelta(days=6)
# The card says "yesterday": in the afternoon nobody waits for it any more.
CARD_CATCH_UP = timedelta(hours=6)
_CRON = re.compile(rf"([0-5]?\d) ([01]?\d|2[0-3]) \* \* ({'|'.join(WEEKDAYS)})")


@frozen
class DueWeek:
    """A week that is to be told at a place, from `at` on."""

    channel: DigestChannel
    week: Period
    at: datetime


@frozen
class DueDay:
    """A daily card that is to be told at a place, from `at` on."""

    channel: DigestChannel
    day: date
    at: datetime


def usual_channel(workspace_id: str, kind: ScopeKind, scope_id: int | None, at: datetime) -> DigestChannel:
    """What holds until somebody decides otherwise: the usual place and language, Monday 09:00, mailed if it is all."""
    is_all = kind is ScopeKind.WORKSPACE
    return DigestChannel(
        id=0,
        workspace_id=workspace_id,
        channel_id="",
        scope=kind,
        scope_id=scope_id,
        version=DigestVersion.BRIEF if is_all else DigestVersion.TEAM,
        locale="",
        cron=USUAL_CRON,
        timezone="",
        is_enabled=True,
        is_mailed=is_all,
        is_daily=False,
        created_by="",
        created_at=at,
    )


def cron_of(weekday: str, hour: int, minute: int) -> str:
    """The cron line of a weekday ("mon") and a time."""
    return f"{minute} {hour} * * {weekday}"


def time_of(cron: str) -> tuple[str, int, int]:
    """Weekday, hour and minute of a cron line that `cron_of` made; the usual ones of any other."""
    found = _CRON.fullmatch(cron) or _CRON.fullmatch(USUAL_CRON)
    assert found is not None
    return found[3], int(found[2]), int(found[1])


def due_week(channel: DigestChannel, zone: str, now: datetime) -> DueWeek | None:
    """The week that is to be told there now, if it was not told yet. `zone` is that of the workspace."""
    zone = channel.timezone or zone
    slot = _slot(*time_of(channel.cron), zone, now.replace(second=0, microsecond=0)) if channel.is_enabled else None
    if slot is None or slot < channel.created_at:
        return None
    week, at = due_at(slot, ZoneInfo(zone))
    is_told = channel.last_week is not None and channel.last_week >= week.start
    return None if is_told or not at <= now < at + CATCH_UP else DueWeek(channel, week, at)


def due_day(channel: DigestChannel, zone: str, now: datetime) -> DueDay | None:
    """The same of the daily card: of the charge day that ended last before the hour."""
    _, hour, minute = time_of(channel.cron)
    zone = channel.timezone or zone
    slot = _slot(None, hour, minute, zone, now.replace(second=0, microsecond=0)) if channel.is_daily else None
    if slot is None or slot < channel.created_at or now >= slot + CARD_CATCH_UP:
        return None
    day = charge_day(slot) - timedelta(days=1)
    is_told = channel.last_day is not None and channel.last_day >= day
    return None if is_told else DueDay(channel, day, slot)


@lru_cache(maxsize=4096)
def _slot(weekday: str | None, hour: int, minute: int, zone: str, now: datetime) -> datetime | None:
    """When that time of that day (None: of any) came last, in UTC; asked for hundreds of places that have the same.

    By the zone's own calendar: a time that clocks skip is an hour later, one that comes twice is the first.
    """
    there = ZoneInfo(zone)
    today = now.astimezone(there).date()
    for back in range(8):
        day = today - timedelta(days=back)
        slot = datetime.combine(day, time(hour, minute), there).astimezone(UTC)
        if slot <= now and weekday in (None, WEEKDAYS[day.weekday()]):
            return slot
    return None


async def made_usual(store: Store, missing: Sequence[tuple[str, ScopeKind, int | None]], at: datetime) -> None:
    """Make the usual places of workspaces and teams for which nothing was decided; what is due is what comes next."""
    for workspace_id, kind, scope_id in missing:
        await store.digest_channels.add(workspace_id, usual_channel(workspace_id, kind, scope_id, at))


class DigestChannels:
    """Shows and changes where digests are told."""

    def __init__(self, desk: Desk, people: People, teams: Teams) -> None:
        self._desk = desk
        self._people = people
        self._teams = teams

    async def of(self, actor: Person, groups: Iterable[str] = ()) -> list[DigestChannel]:
        """Where the digests are told that this person may decide about: all for an admin, else those of own teams."""
        async with self._desk.storage.reading() as store:
            missing = [one for one in await store.digest_channels.without_usual_place() if one[0] == actor.workspace_id]
        if missing:
            async with self._desk.storage.writing() as store:
                await made_usual(store, missing, self._desk.now())
        async with self._desk.storage.reading() as store:
            rows = await store.digest_channels.of_workspace(actor.workspace_id)
        if actor.is_admin:
            return rows
        mine = {team.id for team in await self._teams.managed_by(actor, groups)}
        return [one for one in rows if one.scope is ScopeKind.TEAM and one.scope_id in mine]

    async def zones(self, workspace_id: str) -> list[str]:
        """The time zones a digest may be told in besides the workspace's: those of its people, and UTC; by name."""
        async with self._desk.storage.reading() as store:
            told = await store.people.zones(workspace_id)
        return sorted({"UTC", *filter(zone_named, told)})

    async def configure(self, actor: Person, wanted: DigestChannel, groups: Iterable[str] = ()) -> DigestChannel:
        """Have a digest told differently, or at one more place (`wanted.id` 0); refuses who may not decide that.

        What the new hour would have told already is not told after the fact: the next one is.
        """
        await self._require(actor, wanted, groups)
        desk = self._desk
        try:
            async with desk.storage.writing() as store:
                await store.workspaces.hold(actor.workspace_id)
                workspace = await store.workspaces.get(actor.workspace_id)
                zone = workspace.timezone if workspace is not None else desk.policy.default_timezone
                wanted = replace(wanted, workspace_id=actor.workspace_id)
                if wanted.id == 0:
                    wanted = replace(wanted, created_by=actor.user_id, created_at=desk.now())
                    kept = await store.digest_channels.add(actor.workspace_id, wanted)
                    if kept is None:
                        raise Refusal(RefusalCode.DIGEST_CHANNEL_TAKEN, channel=wanted.channel_id)
                else:
                    before = await store.digest_channels.get(actor.workspace_id, wanted.id)
                    if before is None or (before.scope, before.scope_id) != (wanted.scope, wanted.scope_id):
                        raise Refusal(RefusalCode.UNKNOWN_DIGEST)
                    kept = await store.digest_channels.change(actor.workspace_id, wanted)
                    await self._skip_what_is_past(store, before, kept, zone)
                team = None if kept.scope_id is None else await store.teams.get(actor.workspace_id, kept.scope_id)
                await record(
                    desk,
                    store,
                    actor.workspace_id,
                    actor.user_id,
                    "digest.changed",
                    f"digest_channel:{kept.id}",
                    _facts(kept, "" if team is None else team.name),
                )
                return kept
        except AlreadyExists as error:
            raise Refusal(RefusalCode.DIGEST_CHANNEL_TAKEN, channel=wanted.channel_id) from error
        except NotFound as error:
            raise Refusal(RefusalCode.UNKNOWN_DIGEST) from error

    async def _skip_what_is_past(self, store: Store, before: DigestChannel, kept: DigestChannel, zone: str) -> None:
        now = self._desk.now()
        week, day = due_week(kept, zone, now), due_day(kept, zone, now)
        was_waiting = due_week(before, zone, now)
        if week is not None and (was_waiting is None or was_waiting.week != week.week):
            await store.digest_channels.take_week(kept.workspace_id, kept.id, week.week.start)
        if day is not None and due_day(before, zone, now) is None:
            await store.digest_channels.take_day(kept.workspace_id, kept.id, day.day)

    async def _require(self, actor: Person, wanted: DigestChannel, groups: Iterable[str]) -> None:
        if wanted.scope is ScopeKind.TEAM:
            await self._teams.require_manager(actor, wanted.scope_id or 0, groups)
        else:
            await self._people.require_admin(actor)


def _facts(channel: DigestChannel, name: str) -> dict[str, Fact]:
    return {
        "name": name,
        "scope": channel.scope.value,
        "scope_id": channel.scope_id,
        "channel": channel.channel_id,
        "version": channel.version.value,
        "locale": channel.locale,
        "cron": channel.cron,
        "timezone": channel.timezone,
        "is_enabled": channel.is_enabled,
        "is_mailed": channel.is_mailed,
        "is_daily": channel.is_daily,
    }
