"""Digests: compute a week once, keep it as it was told, have it told where it is due, tell it again when asked."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from bot.desk import Desk
from bot.digest_channels import CATCH_UP, DigestChannels, DueDay, DueWeek, due_day, due_week, made_usual
from bot.digest_codec import decoded
from bot.digest_facts import DigestFacts
from bot.digest_telling import is_read, root_key, tell_day, tell_week
from bot.errors import Refusal, RefusalCode
from bot.naming import begun, unknown
from bot.people import People
from bot.reports import Reports
from bot.teams import Teams
from finops.digest import DailyCard, Digest, DigestShown, DigestVersion, has_moved
from finops.figures import Scope
from finops.frozen import frozen
from finops.periods import Period, starts_at, week_of
from finops.queries import PeriodName, ScopeKind, UnknownPeriod, scope_asked
from finops.registry import Person, Team
from finops.value import NO_VALUE
from finops.weeks import parse_week
from finops.written import compared
from storage import Store
from storage.records import CollectionKind

log = logging.getLogger(__name__)

# So long the morning's collection is waited for, and the first one of a new connection: then it is told what is known,
# and what is not. It counts from when this process could first have seen it due: whoever was away collects late, too.
WAIT_FOR_COLLECTION = timedelta(minutes=15)
CARD_TREND = "days:14"


@frozen
class MailDue:
    """A week to be mailed: which digest, in which version and language.

    `root_key` names its message in the outbox; None where it is told to people directly. `workspace` is its name where
    there are several: all their weeks go to the same people.
    """

    workspace_id: str
    digest_id: int
    week: date
    version: DigestVersion
    locale: str
    timezone: str
    told_at: datetime
    root_key: str | None
    workspace: str = ""


@frozen
class _Waiting:
    """What one workspace is to be told now."""

    weeks: tuple[DueWeek, ...]
    days: tuple[DueDay, ...]


class Digests:
    """Computes, keeps, tells and shows weeks. `channels` says where, how and when."""

    def __init__(self, desk: Desk, people: People, teams: Teams, reports: Reports, facts: DigestFacts) -> None:
        self._desk = desk
        self._reports = reports
        self._facts = facts
        # Since when this process sees it due: what is due where.
        self._seen: dict[tuple[int, Period | date], datetime] = {}
        self.channels = DigestChannels(desk, people, teams)

    async def due(self) -> int:
        """Have every digest and daily card told that is due now; how many were. Each once, whoever asks, however often.

        A digest is due from the hour of its channel, once its week has ended and the morning's collection is through
        (or a quarter of an hour has passed in which it could be), for six days; older weeks are not told any more.
        """
        return sum([await self.tell(workspace_id) for workspace_id in await self.waiting()])

    async def waiting(self) -> list[str]:
        """The workspaces in which something is due, or will be as soon as it was collected."""
        return list(await self._waiting())

    async def tell(self, workspace_id: str) -> int:
        """Have told what is due in one workspace; how many digests and cards that were."""
        waiting = (await self._waiting()).get(workspace_id)
        if waiting is None:
            return 0
        async with self._desk.storage.reading() as store:
            ready = await self._ready(store, workspace_id, waiting)
        return await self._tell(workspace_id, ready)

    async def told(self, workspace_id: str, digest_id: int, version: DigestVersion) -> DigestShown:
        """A digest as it was told. Raises Refusal(UNKNOWN_DIGEST)."""
        async with self._desk.storage.reading() as store:
            kept = await store.digests.get(workspace_id, digest_id)
        if kept is None:
            raise Refusal(RefusalCode.UNKNOWN_DIGEST)
        return DigestShown(decoded(kept.facts), version)

    async def report(self, actor: Person, words: str, version: DigestVersion = DigestVersion.TEAM) -> DigestShown:
        """A week of the workspace or a team, asked for in words: as it was then and, where it has moved, as it is now.

        The words are `[team] [week]`: "지난주", "last week", "2026-W46", any date of the week; nothing is last week.
        Refuses a week that has not ended (WEEK_OPEN) and words it cannot place (UNKNOWN_PERIOD, UNKNOWN_SCOPE).
        """
        async with self._desk.storage.reading() as store:
            teams = await store.teams.all(actor.workspace_id)
        try:
            asked = parse_week(words, self._desk.today(), [team.name for team in teams])
        except UnknownPeriod as error:
            raise Refusal(RefusalCode.UNKNOWN_PERIOD, words=error.words, suggestion=error.suggestion) from error
        team = None if asked.scope_words is None else _team_named(asked.scope_words, teams)
        kind = ScopeKind.WORKSPACE if team is None else ScopeKind.TEAM
        log.info("report asked", extra={"user_id": actor.user_id, "scope": kind, "week": asked.week.start.isoformat()})
        return await self.report_of(
            actor.workspace_id, kind, None if team is None else team.id, asked.week.start, version
        )

    async def report_of(
        self,
        workspace_id: str,
        kind: ScopeKind,
        scope_id: int | None,
        monday: date,
        version: DigestVersion = DigestVersion.TEAM,
    ) -> DigestShown:
        """The same for a scope and week named by a button."""
        week = week_of(monday)
        if week.end > self._desk.today():
            raise Refusal(RefusalCode.WEEK_OPEN, monday=week.start)
        async with self._desk.storage.reading() as store:
            scope = await _scope(store, workspace_id, kind, scope_id)
            kept = await store.digests.of_week(workspace_id, kind, scope_id, week.start)
            now = (await self._facts.of(store, workspace_id, [scope], week, self._desk.now()))[scope]
        if kept is None:
            return DigestShown(now, version, is_kept=False)
        then = decoded(kept.facts)
        return DigestShown(then, version, now if has_moved(then, now) else None)

    async def daily(
        self, workspace_id: str, kind: ScopeKind, scope_id: int | None, day: date | None = None
    ) -> DailyCard | None:
        """The daily card: yesterday and today so far; None when `day` is given and yesterday no longer."""
        if day is not None and day != self._desk.today() - timedelta(days=1):
            return None
        report = await self._reports.status_of(workspace_id, kind, scope_id, PeriodName.YESTERDAY.value)
        trend = await self._reports.status_of(workspace_id, kind, scope_id, CARD_TREND)
        return DailyCard(
            scope=report.scope,
            figure=report.figure,
            previous=report.previous,
            increase=report.increase,
            value=report.value,
            breakdown=report.breakdown,
            trend=trend.trend,
            today=None if report.live is None else report.live.today,
            today_value=NO_VALUE if report.live is None else report.live.value,
            exchange=report.exchange,
            other_currencies=report.other_currencies,
        )

    async def mails_due(self) -> list[MailDue]:
        """The weeks of whole workspaces that were told in Slack and are to go by mail, until they are six days old.

        Whoever mails them makes sure that it is done once.
        """
        now, found = self._desk.now(), dict[str, MailDue]()
        async with self._desk.storage.reading() as store:
            zones = {one.id: one for one in await store.workspaces.all()}
            for row in await store.digest_channels.everywhere():
                wants = row.scope is ScopeKind.WORKSPACE and row.is_enabled and row.is_mailed
                week = None if row.last_week is None else week_of(row.last_week)
                if not wants or week is None or row.workspace_id in found or now >= starts_at(week.end) + CATCH_UP:
                    continue
                kept = await store.digests.of_week(row.workspace_id, row.scope, row.scope_id, week.start)
                workspace = zones.get(row.workspace_id)
                if kept is not None and workspace is not None:
                    locale = row.locale or workspace.locale
                    found[row.workspace_id] = MailDue(
                        row.workspace_id,
                        kept.id,
                        week.start,
                        row.version,
                        locale,
                        workspace.timezone,
                        kept.computed_at,
                        root_key(row, week.start, row.channel_id) if row.channel_id else None,
                        workspace.name if len(zones) > 1 else "",
                    )
        return list(found.values())

    async def _waiting(self) -> dict[str, _Waiting]:
        now = self._desk.now()
        async with self._desk.storage.reading() as store:
            missing = await store.digest_channels.without_usual_place()
            rows = await store.digest_channels.everywhere()
            zones = {one.id: one.timezone for one in await store.workspaces.all()}
        if missing:
            async with self._desk.storage.writing() as store:
                await made_usual(store, missing, now)
        found: dict[str, _Waiting] = {}
        due: list[tuple[int, Period | date]] = []
        for row in rows:
            zone = zones.get(row.workspace_id, self._desk.policy.default_timezone)
            week, day = due_week(row, zone, now), due_day(row, zone, now)
            due += [_key_of(each) for each in (week, day) if each is not None]
            if week is not None or day is not None:
                so_far = found.get(row.workspace_id, _Waiting((), ()))
                weeks = so_far.weeks if week is None else (*so_far.weeks, week)
                found[row.workspace_id] = _Waiting(weeks, so_far.days if day is None else (*so_far.days, day))
        self._seen = {key: self._seen.get(key, now) for key in due}
        return found

    async def _ready(self, store: Store, workspace_id: str, waiting: _Waiting) -> _Waiting:
        """What need not wait any longer: its last day was read since it ended, or long enough was waited for that."""
        if await store.charges.first_day(workspace_id) is None:
            return _Waiting((), ())  # nothing was ever billed: there is nothing to tell
        now = self._desk.now()
        for one in await store.collections.active(workspace_id):
            if one.kind is CollectionKind.BACKFILL and now < one.created_at + WAIT_FOR_COLLECTION:
                return _Waiting((), ())  # the week is being read, and those before it: a moment more, and it is whole

        async def is_ready(due: DueWeek | DueDay, last: date) -> bool:
            since = max(due.at, self._seen.get(_key_of(due), now))
            return now >= since + WAIT_FOR_COLLECTION or await is_read(store, workspace_id, last)

        weeks = [one for one in waiting.weeks if await is_ready(one, one.week.end - timedelta(days=1))]
        days = [one for one in waiting.days if await is_ready(one, one.day)]
        return _Waiting(tuple(weeks), tuple(days))

    async def _tell(self, workspace_id: str, ready: _Waiting) -> int:
        if not ready.weeks and not ready.days:
            return 0
        desk, now = self._desk, self._desk.now()
        async with desk.storage.reading() as store:
            teams = {one.id: one for one in await store.teams.all(workspace_id)}
            digests = await self._computed(store, workspace_id, ready.weeks, teams, now)
        count = 0
        async with desk.storage.writing() as store:
            admins = await store.people.admins(workspace_id)
            for one in ready.weeks:
                digest = digests.get((one.channel.scope, one.channel.scope_id, one.week.start))
                if digest is not None:
                    count += await tell_week(store, one, digest, teams, admins, now)
            for day in ready.days:
                count += await tell_day(store, day, teams, admins, now)
        if count:
            log.info("digests told", extra={"workspace_id": workspace_id, "count": count})
            desk.wake_outbox.set()
        return count

    async def _computed(
        self,
        store: Store,
        workspace_id: str,
        weeks: Iterable[DueWeek],
        teams: Mapping[int, Team],
        now: datetime,
    ) -> dict[tuple[ScopeKind, int | None, date], Digest]:
        """The digest of each scope and week: as it was kept, else computed now; of a scope that is gone, none.

        A team without any project is told nothing.
        """
        owners = {one.team_id for one in await store.projects.all(workspace_id) if not one.excluded}
        found: dict[tuple[ScopeKind, int | None, date], Digest] = {}
        new: dict[Period, list[Scope]] = {}
        for one in weeks:
            kind, id_ = one.channel.scope, one.channel.scope_id
            if kind is ScopeKind.TEAM and (id_ not in teams or id_ not in owners):
                continue
            key = (kind, id_, one.week.start)
            kept = await store.digests.of_week(workspace_id, *key)
            scope = Scope(kind, id_, "" if id_ is None else teams[id_].name)
            if kept is not None:
                found[key] = decoded(kept.facts)
            elif scope not in new.setdefault(one.week, []):
                new[one.week].append(scope)
        for week, scopes in new.items():
            for scope, digest in (await self._facts.of(store, workspace_id, scopes, week, now)).items():
                found[scope.kind, scope.id, week.start] = digest
        return found


def _key_of(due: DueWeek | DueDay) -> tuple[int, Period | date]:
    return due.channel.id, due.week if isinstance(due, DueWeek) else due.day


async def _scope(store: Store, workspace_id: str, kind: ScopeKind, scope_id: int | None) -> Scope:
    if kind is ScopeKind.WORKSPACE:
        return Scope(kind, None, "")
    team = await store.teams.get(workspace_id, scope_id or 0) if kind is ScopeKind.TEAM else None
    if team is None:
        raise Refusal(RefusalCode.UNKNOWN_TEAM)
    return Scope(kind, team.id, team.name)


def _team_named(words: str, teams: Collection[Team]) -> Team:
    """The team of that name; "team X" is X, unless one is called so itself. A beginning that no other has will do."""
    asked = scope_asked(words)
    meant = [compared(words)] + ([compared(asked.name)] if asked.kind is ScopeKind.TEAM else [])
    for name in meant:
        for team in teams:
            if name == compared(team.name):
                return team
    for said in (words, asked.name if asked.kind is ScopeKind.TEAM else ""):
        found = begun(said, (team.name for team in teams))
        if found is not None:
            return next(team for team in teams if team.name == found)
    raise unknown(words, (team.name for team in teams))
