"""Effects: checks what actions saved against settled bills, once they are, and tells what was learned."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from statistics import median_low

from bot.actions import shown, told_since
from bot.audit import record
from bot.desk import Desk
from bot.digest_codec import decoded
from bot.effects_ledger import MEASURED, Bills, apart, bills_of, expected, given_up, involved, measured, stop_checked
from bot.effects_stats import SciPy
from bot.misses import misses_of
from bot.prevented import prevented_in
from bot.pulse import pulse_of_weeks
from bot.spending import Spending
from bot.telling import ROUTINE, recipients
from finops.behaviour import ANSWERS_WITHIN, Action, ActionKind, Told
from finops.digest import Digest
from finops.effects import (
    AFTER_DAYS,
    BEFORE_DAYS,
    LEAST_AFTER,
    EffectState,
    Saving,
    SavingState,
    checked,
    effect_of,
    readable,
)
from finops.hypotheses import (
    AlertQuality,
    Ledger,
    acted_on,
    alerts_of,
    cost_value,
    ledger,
    more_clouds,
    one_by_one,
    opinions,
    people_act,
)
from finops.incidents import EventKind, Fact
from finops.learning import ActionShown, DigestEffect, LearningReport
from finops.money import EXACT
from finops.periods import Period, charge_day, starts_at
from finops.queries import ScopeKind
from finops.registry import Person
from storage import Store

log = logging.getLogger(__name__)

MONTHLY = "monthly"
REPORT_DAYS, SHOWN, DIGESTS_SHOWN = 90, 10, 4
EVIDENCE_DAYS = 366
# An effect is measured for so long after its days: then what is not settled never will be.
_GIVEN_UP_AFTER = timedelta(days=60)
_DAY = timedelta(days=1)


class Effects:
    """Opens lines of the ledger for what was done, and closes them when the bills of the days after are settled."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # Not the one that evaluates: a hundred periods of the past would push out what that one remembers.
        self._past = Spending(desk)

    async def measure(self, workspace_id: str) -> int:
        """Expect what new actions are to save, and check what is due; tells how many lines were checked."""
        now, today = self._desk.now(), self._desk.today()
        async with self._desk.storage.reading() as store:
            recent = await store.actions.of_days(workspace_id, Period(today - timedelta(days=REPORT_DAYS), today))
            lines = await store.savings.of_actions(workspace_id, [one.id for one in recent if one.id is not None])
            without = [
                one
                for one in recent
                if one.id not in lines and one.kind in MEASURED and (one.project_id or one.kind is ActionKind.STOPPED)
            ]
            found = [(one, await expected(store, workspace_id, one, now)) for one in without]
        lined = [(one, lines[one.id]) for one in recent if one.id in lines]
        new = apart([(one, line) for one, line in found if line is not None], lined)
        if new:
            async with self._desk.storage.writing() as store:
                await store.savings.expect(workspace_id, new)
        async with self._desk.storage.reading() as store:
            due = [one for one in await store.savings.open_ones(workspace_id) if one.period.end < today]
            done = await self._checked(store, workspace_id, due, recent, now)
        if done:
            async with self._desk.storage.writing() as store:
                for saving in done:
                    await store.savings.change(workspace_id, saving)
            log.info("savings checked", extra={"workspace_id": workspace_id, "count": len(done)})
        return len(done)

    async def report(self, actor: Person) -> LearningReport:
        """What was done in the last ninety days and what came of it."""
        today = self._desk.today()
        period = Period(today - timedelta(days=REPORT_DAYS), today)
        # Yesterday's bill is never written to its end today: whether a limit was passed is asked of the days before.
        return await self._report(actor.workspace_id, period, Period(period.start, today - _DAY))

    async def evidence(self, actor: Person) -> tuple[ActionShown, ...]:
        """Every action of the last year with its line of the ledger, newest first, for a file."""
        today, workspace_id = self._desk.today(), actor.workspace_id
        async with self._desk.storage.reading() as store:
            done = await store.actions.of_days(
                workspace_id, Period(today - timedelta(days=EVIDENCE_DAYS), today + _DAY)
            )
            found = await shown(store, workspace_id, done[::-1])
        async with self._desk.storage.writing() as store:
            details: dict[str, Fact] = {"actions": len(found)}
            await record(self._desk, store, workspace_id, actor.user_id, "effect.exported", "effects", details)
        return found

    async def of_month(self, workspace_id: str, first: date) -> LearningReport:
        """The same of a calendar month, named by its first day."""
        month = Period(first, _next_month(first))
        return await self._report(workspace_id, month, month)

    async def tell_month(self, workspace_id: str, first: date) -> bool:
        """Have a month's note told where the workspace's digest is; False when it was told, or there is nothing."""
        key, now = f"{MONTHLY}:{first.isoformat()}", self._desk.now()
        async with self._desk.storage.writing() as store:
            if await store.outbox.get(workspace_id, key) is not None:
                return False
            if await store.charges.first_day(workspace_id) is None:
                return False
            if not await store.claims.once(workspace_id, key, now):
                return False
            channel_id, locale, people = await _place(store, workspace_id)
            subject = {"month": first.isoformat(), "locale": locale}
            await store.outbox.want(workspace_id, key, MONTHLY, subject, channel_id, people, urgency=ROUTINE, at=now)
        self._desk.wake_outbox.set()
        return True

    async def quality(self, store: Store, workspace_id: str, period: Period, told: Sequence[Told]) -> AlertQuality:
        """How good the alerts of a period were, as people said and did."""
        opened = [
            one
            for one in await store.incidents.opened_since(workspace_id, _start(period))
            if charge_day(one.opened_at) in period and one.spoken_level > 0
        ]
        said, waited = list[EventKind](), list[int]()
        for incident in opened:
            assert incident.id is not None
            events = await store.incidents.events(workspace_id, incident.id)
            said += opinions(events).values()
            taken_up = [one.at for one in events if one.kind is EventKind.ACKNOWLEDGED]
            if taken_up:
                waited.append(int((min(taken_up) - incident.opened_at).total_seconds()))
        actions = await store.actions.of_days(workspace_id, Period(period.start, period.end + timedelta(days=8)))
        acted = acted_on(alerts_of(told), actions, self._desk.now())
        return AlertQuality(
            alerts=len(opened),
            helpful=said.count(EventKind.HELPFUL),
            not_helpful=said.count(EventKind.NOT_HELPFUL),
            acted_on=acted.hits,
            acknowledged=len(waited),
            median_seconds=median_low(waited) if waited else None,
            too_early=max(0, len(opened) - acted.of),
        )

    async def _report(self, workspace_id: str, period: Period, billed: Period) -> LearningReport:
        now, today = self._desk.now(), self._desk.today()
        # What is checked in it may have been done a fortnight before; who is told at its end has a week to act.
        wide = Period(period.start - _DAY * (1 + AFTER_DAYS), min(period.end + ANSWERS_WITHIN, today) + _DAY)
        async with self._desk.storage.reading() as store:
            around = await store.actions.of_days(workspace_id, wide)
            mine = [one for one in around if one.day in period][::-1]
            told = [
                one
                for one in one_by_one(await told_since(store, workspace_id, _start(period)))
                if charge_day(one.at) in period
            ]
            # What was done in the time, and what was done before and could be told in it. What is checked counts
            # where its days end: a month's note that comes after them would tell what the next one tells again.
            lines = await store.savings.of_actions(workspace_id, [one.id for one in mine if one.id is not None])
            lines = {id_: one for id_, one in lines.items() if not _is_of_later(one, period)}
            lines |= {one.action_id: one for one in await store.savings.ended_in(workspace_id, period)}
            savings = [lines[one] for one in sorted(lines)]
            recorded = await store.value.sums(workspace_id, period)
            valued = frozenset(id_ for id_, sums in recorded.items() if sums.successes or sums.failures)
            connections = await store.connections.all(workspace_id)
            projects = await store.projects.all(workspace_id)
            acts = await shown(store, workspace_id, mine[:SHOWN])
            prevented = await prevented_in(store, workspace_id, period)
            quality = await self.quality(store, workspace_id, period, told)
            digests = await self._of_digests(store, workspace_id, period)
            # A week is asked about on the Monday after it: who looks on that day is told of it, too.
            pulse = await pulse_of_weeks(store, workspace_id, period.end + _DAY)
            misses = await misses_of(store, self._past, workspace_id, billed, today)
        first = min(connections, key=lambda one: one.id, default=None)
        other = {
            project.id
            for project in projects
            for one in connections
            if first is not None and one.id == project.connection_id and one.provider != first.provider
        }
        by_action = {one.id: one.project_id for one in around}
        checked_ = [one for one in savings if one.state is not SavingState.EXPECTED]
        return LearningReport(
            period=period,
            at=now,
            actions=acts,
            more=max(0, len(mine) - SHOWN),
            ledger=_of_main_currency(savings),
            hypotheses=(
                cost_value(told, around, valued, now),
                more_clouds(
                    len({one.provider for one in connections}),
                    [one for one in checked_ if by_action.get(one.action_id) in other],
                ),
                people_act(told, around, now),
            ),
            prevented=prevented,
            quality=quality,
            digests=digests,
            misses=misses,
            pulse=pulse,
        )

    async def _checked(
        self, store: Store, workspace_id: str, due: Sequence[Saving], recent: Sequence[Action], now: datetime
    ) -> list[Saving]:
        """The lines whose bills are settled, as those say; what never settles is given up as indistinct."""
        if not due:
            return []
        known = {one.id: one for one in recent}
        actions = [known.get(one.action_id) or await store.actions.get(workspace_id, one.action_id) for one in due]
        first = min(one.period.start for one in due) - timedelta(days=BEFORE_DAYS + 2)
        whose = [frozenset[int]() if one is None else await involved(store, workspace_id, one) for one in actions]
        wanted = frozenset[int]().union(*whose)
        bills = await bills_of(store, workspace_id, Period(first, self._desk.today()), wanted, now)
        busy = await store.actions.of_days(workspace_id, Period(first, self._desk.today()))

        async def line(saving: Saving, action: Action | None, ids: frozenset[int]) -> Saving | None:
            """As the bills of the projects it is about (`ids`) say; None while they do not say it yet."""
            if action is None or not ids or not ids <= set(bills.projects):
                return given_up(saving, now)
            if not all(bills.is_settled(one, saving.period) for one in ids):
                is_overdue = now - _start(Period(saving.period.end, saving.period.end)) > _GIVEN_UP_AFTER
                return given_up(saving, now) if is_overdue else None
            if action.kind is ActionKind.STOPPED and saving.low is not None:
                return await stop_checked(store, workspace_id, saving, bills, ids, now)
            effect = await asyncio.to_thread(measured, action, min(ids), bills, busy)
            return None if effect.state is EffectState.EARLY else checked(saving, effect, now)

        told = [await line(*one) for one in zip(due, actions, whose, strict=True)]
        return [one for one in told if one is not None]

    async def _of_digests(self, store: Store, workspace_id: str, period: Period) -> tuple[DigestEffect, ...]:
        """The effect of each digest old enough on what the projects it named cost together, newest first."""
        today = self._desk.today()
        told: list[tuple[date, frozenset[int]]] = []
        for kept in await store.digests.since(workspace_id, period.start - timedelta(days=7)):
            named, day = _named(decoded(kept.facts)), charge_day(kept.computed_at)
            if kept.scope_id is None and named and day in period and day + timedelta(days=LEAST_AFTER + 4) <= today:
                told.append((day, named))
        told = sorted(told, key=lambda one: one[0], reverse=True)[:DIGESTS_SHOWN]
        if not told:
            return ()
        last = today - timedelta(days=3)
        whole = Period(told[-1][0] - timedelta(days=BEFORE_DAYS), min(last, told[0][0] + timedelta(days=15)))
        wanted = frozenset[int]().union(*(named for _, named in told))
        bills = await bills_of(store, workspace_id, whole, wanted, self._desk.now())
        found = []
        for day, named in told:
            until = min(last, day + timedelta(days=15))
            unread = bills.unread(named, readable(day, until))
            others = bills.beside(named, readable(day, until, unread))
            measured_ = partial(effect_of, _together(bills, named), others, day, until, SciPy(), unread=unread)
            effect = await asyncio.to_thread(measured_)
            names = (bills.projects[id_].name for id_ in named if id_ in bills.projects)
            found.append(DigestEffect(day, effect, tuple(sorted(names))))
        return tuple(found)


def _together(bills: Bills, project_ids: frozenset[int]) -> dict[date, Decimal]:
    together: dict[date, Decimal] = defaultdict(Decimal)
    for project_id in project_ids:
        for day, amount in bills.costs.get(project_id, {}).items():
            together[day] = EXACT.add(together[day], amount)
    return together


def _named(digest: Digest) -> frozenset[int]:
    return frozenset(one.project_id for one in digest.improve)


def _is_of_later(line: Saving, period: Period) -> bool:
    return line.state is not SavingState.EXPECTED and line.period.end > period.end


def _of_main_currency(savings: Sequence[Saving]) -> Ledger:
    currencies = [one.currency for one in savings]
    main = max(sorted(set(currencies)), key=currencies.count, default="USD")
    return ledger(savings, main)


async def _place(store: Store, workspace_id: str) -> tuple[str | None, str, tuple[str, ...]]:
    """Where the workspace's own digest is told and in which language ('' is the usual one), else the administrators."""
    rows = await store.digest_channels.of_workspace(workspace_id)
    told = [one for one in rows if one.scope is ScopeKind.WORKSPACE and one.channel_id and one.is_enabled]
    channel, locale = (told[0].channel_id, told[0].locale) if told else (None, "")
    return channel, locale, recipients(None, None, await store.people.admins(workspace_id))


def _start(period: Period) -> datetime:
    return starts_at(period.start)


def _next_month(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)
