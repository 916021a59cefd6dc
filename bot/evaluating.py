"""Evaluating: what the present amounts mean for every budget, decided once and kept with everything it wants said."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.budget_levels import Look, looks_at, place_of, place_of_incident, windows_looked_at
from bot.desk import Desk
from bot.errors import explain
from bot.picture import CURRENCY, Picture
from bot.spending import Spending
from bot.stop_ends import outliving
from bot.stop_policy import STOPPABLE, prove_budgets, stop_by_policy, was_decided
from bot.surroundings import Around, Question, Surroundings
from bot.telling import keep, recipients
from finops.budgets import Budget, BudgetAction, BudgetOn, effective
from finops.crossings import Context, evaluate
from finops.estimates import Spent
from finops.frozen import frozen
from finops.incidents import HELD_OPEN, Change, CloseReason, EventKind, Incident, IncidentState, change_of, close
from finops.lateness import p95
from finops.periods import moment_of, starts_at
from finops.queries import ScopeKind
from finops.registry import Person
from finops.stopping import may_stop_by_itself
from storage import Store
from storage.errors import Conflict
from storage.records_live import UsageHealth

log = logging.getLogger(__name__)

_ATTEMPTS = 3
# The last minutes of a period arrive after its end. They are waited for as long as this provider usually takes, and
# not for ever: what cannot be read any more ends too.
_LONGEST_WAIT = timedelta(minutes=20)
# A provider that is behind tells the last hour of a period in the next one. Where nothing is used any more, nothing
# newer comes, and nobody waits longer.
_LONGEST_BEHIND = timedelta(hours=2)
_GIVEN_UP_AFTER = timedelta(hours=6)
_INSTANT = timedelta(microseconds=1)


@frozen
class _Decision:
    """What is to be kept: the incident as it was read, its changes one after another, and what its budget then does
    about the spending: stops it itself, or asks whether to.
    """

    before: Incident | None
    changes: tuple[Change, ...]
    people: tuple[str, ...]
    on: BudgetOn | None = None
    is_stopping: bool = False


class Evaluating:
    """Looks at every budget of a workspace, whenever usage was read, a budget changed, or a minute went by."""

    def __init__(self, desk: Desk, spending: Spending) -> None:
        self._desk = desk
        self._spending = spending
        self._surroundings = Surroundings()

    async def evaluate(self, workspace_id: str, available: Mapping[int, datetime] | None = None) -> int:
        """Decide anew about every budget of a workspace; how many incidents changed.

        The same facts change nothing twice, so any number of replicas may do this at any time. `available` says, by
        connection, when what was just read for the first time could be read at the earliest.
        """
        decisions: Sequence[_Decision] = ()
        for _ in range(_ATTEMPTS):
            decisions = await self._decided(workspace_id, available or {})
            if not decisions:
                return 0
            try:
                changed, stopped = await self._kept(decisions)
            except Conflict:
                continue  # another replica, or a click, was first: look at what it decided
            except Exception as error:  # noqa: BLE001 - what nobody thought of in one alert silences no other
                explain(error)
                break
            return self._told(workspace_id, changed, stopped)
        log.warning("incidents kept one by one", extra={"workspace_id": workspace_id})
        return self._told(workspace_id, *await self._kept_apart(decisions))

    def _told(self, workspace_id: str, changed: int, stopped: int) -> int:
        if changed:
            self._desk.wake_outbox.set()
            log.info("incidents changed", extra={"workspace_id": workspace_id, "count": changed})
        if stopped:
            self._desk.wake_stops.set()
        return changed

    async def _kept_apart(self, decisions: Iterable[_Decision]) -> tuple[int, int]:
        """Each in a transaction of its own: one that is refused again and again keeps no other from being told."""
        changed = stopped = 0
        for one in decisions:
            try:
                told = await self._kept([one])
            except Conflict as lost:
                # Somebody else was first: the next look sees what they decided.
                log.info("somebody else was first", extra={"what": str(lost)})
            except Exception as error:  # noqa: BLE001 - as above
                explain(error)
            else:
                changed, stopped = changed + told[0], stopped + told[1]
        return changed, stopped

    async def _kept(self, decisions: Sequence[_Decision]) -> tuple[int, int]:
        """Keep all of it, or nothing: how many incidents changed, and in how many of them the budget now stops."""
        changed = stopped = 0
        async with self._desk.storage.writing() as store:
            budgets = [one.on.budget for one in decisions if one.on is not None]
            await prove_budgets(store, budgets, is_stopping=any(one.is_stopping for one in decisions))
            for one in decisions:
                before, is_stopped = one.before, False
                for change in one.changes:
                    before = await keep(store, change, before, one.people, self._desk.now())
                if one.is_stopping and one.on is not None and before is not None:
                    is_stopped = await stop_by_policy(self._desk, store, before, one.on)
                changed += bool(one.changes or is_stopped)
                stopped += is_stopped
        return changed, stopped

    async def everywhere(self) -> int:
        """Evaluate every workspace: periods end, silences run out, and a poller may have died before it evaluated."""
        async with self._desk.storage.reading() as store:
            workspaces = await store.workspaces.all()
        return sum([await self.evaluate(one.id) for one in workspaces])

    async def _decided(self, workspace_id: str, available: Mapping[int, datetime]) -> list[_Decision]:
        now, today = self._desk.now(), self._desk.today()
        async with self._desk.storage.reading() as store:
            budgets = await store.budgets.all(workspace_id)
            open_ones = await store.incidents.open_ones(workspace_id)
            kinds = sorted({one.period for one in budgets if one.is_enabled})
            if not kinds and not open_ones:
                return []
            windows = {kind: windows_looked_at(kind, today, now) for kind in kinds}
            periods = dict.fromkeys(
                [*(one for each in windows.values() for one in each), *(i.window for i in open_ones)]
            )
            healths = await store.healths.all(workspace_id)
            picture = await self._spending.picture(store, workspace_id, list(periods), healths=healths)
            starts = {one.start for each in windows.values() for one in each}
            known = await store.incidents.of_windows(workspace_id, starts) if starts else []
            at_work = [one for one in effective(budgets, picture.house.teams, picture.house.projects) if _is_ours(one)]
            looks = list(looks_at(at_work, [*known, *open_ones], windows, picture, now))
            resolved = await _resolved(store, workspace_id, looks)
            looks = [one for one in looks if one.is_crossing or one.incident is None or one.incident.id not in resolved]
            questions = list(dict.fromkeys(look.question for look in looks))
            is_ending = any(look.window.end <= today for look in looks)
            newest = await _newest(store, workspace_id, healths) if is_ending else {}
            judge = _Judge(
                picture=picture,
                around=await self._surroundings.of(store, workspace_id, picture, questions),
                admins=await store.people.admins(workspace_id),
                healths={one.connection_id: one for one in healths},
                newest=newest,
                available=available,
                budgets={one.id: one for one in budgets},
                resolved=resolved,
                stopped=await _stopped(store, looks),
                allowed=await outliving(store, open_ones, now),
                now=now,
            )
        places = {place_of(one) for one in at_work} if open_ones else set()
        decided = [_guarded(judge, look) for look in looks]
        # What is held, or allowed since its period, is ended by its stop, whatever became of its budget.
        gone = [one for one in open_ones if place_of_incident(one) not in places and one.id not in judge.allowed]
        decided += [judge.ended(one) if one.state not in HELD_OPEN else judge.outlived(one) for one in gone]
        return [one for one in decided if one is not None]


@frozen
class _Judge:
    """Decides about one budget after the other, from what was gathered for all of them."""

    picture: Picture
    around: Mapping[Question, Around]
    admins: Sequence[Person]
    healths: Mapping[int, UsageHealth]
    newest: Mapping[int, datetime]  # by connection, until when it has told any usage; known where a period ends
    available: Mapping[int, datetime]
    budgets: Mapping[int, Budget]
    resolved: Collection[int | None]  # incidents that ended with what was done about them, and not with their budget
    stopped: Collection[int | None]  # incidents whose limit was decided about before: a budget stops at each once
    allowed: Collection[int | None]  # incidents whose period is over, but not what was allowed since
    now: datetime

    def decide(self, look: Look) -> _Decision | None:
        """What the present amount changes, if anything; a period that is over is looked at for the last time."""
        on, scope, incident = look.on, look.on.scope, look.incident
        spent = self.picture.spent(scope.kind, scope.id, look.window)
        # A crossing that nobody saw in time belongs to its own period.
        moment = min(self.now, starts_at(look.window.end) - _INSTANT) if incident is None else self.now
        changes: list[Change] = []
        change = evaluate(incident, on, spent, self._context(look), moment)
        if change is not None:
            changes.append(change)
        after = incident if change is None else change.incident
        if incident is not None and after is not None and self._is_to_be_closed(look, after):
            changes.append(close(after, CloseReason.PERIOD_ENDED, self.now, spent))
        is_stopping = after is not None and self._stops(on, after, spent)
        if not changes and not is_stopping:
            return None
        return _Decision(incident, tuple(changes), self._people(on), on, is_stopping)

    def _stops(self, on: BudgetOn, incident: Incident, spent: Spent) -> bool:
        """Whether the budget itself stops the spending now: each limit once, and never on a doubtful estimate."""
        if on.budget.action is not BudgetAction.STOP or incident.id in self.stopped or incident.is_over(self.now):
            return False
        return incident.state in STOPPABLE and may_stop_by_itself(on.budget.amount, spent)

    def ended(self, incident: Incident) -> _Decision:
        """The end of an incident whose budget does not work on its scope any more."""
        budget = self.budgets.get(incident.budget_id)
        reason = CloseReason.SCOPE_GONE
        if incident.is_over(self.now):
            reason = CloseReason.PERIOD_ENDED
        elif budget is None:
            reason = CloseReason.BUDGET_DELETED
        elif not budget.is_enabled:
            reason = CloseReason.BUDGET_DISABLED
        people = recipients(None, None, self.admins)
        return _Decision(incident, (close(incident, reason, self.now),), people)

    def outlived(self, incident: Incident) -> _Decision | None:
        """Its budget is gone, what it held is not: once its period is over, that is shown of the amount, once."""
        if (
            not incident.has_root
            or incident.updated_at >= starts_at(incident.window.end)
            or not incident.is_over(self.now)
        ):
            return None
        people = recipients(None, None, self.admins)
        return _Decision(incident, (change_of(incident, replace(incident, updated_at=self.now)),), people)

    def _context(self, look: Look) -> Context:
        around = self.around[look.question]
        incident = look.incident
        # Once it is known since when it surges, that stays: we only look so far back.
        is_known = incident is not None and incident.since != incident.opened_at
        told = [self.available[one] for one in self._connections(look.on) if one in self.available]
        return Context(
            usual=around.usual.amount,
            burn_per_minute=around.burn_per_minute,
            since=None if is_known else around.since,
            detected_at=self.now,
            # Without a reading just now: it was there when its newest minute had ended, at the earliest.
            available_at=max(told, default=around.newest),
            comes_back=incident is not None and incident.id not in self.resolved,
        )

    def _is_to_be_closed(self, look: Look, incident: Incident) -> bool:
        """Whether the period is over and its last minutes have had their time to arrive."""
        if incident.state is IncidentState.CLOSED or incident.state in HELD_OPEN or not incident.is_over(self.now):
            return False
        if incident.id in self.allowed:
            return False
        end = starts_at(look.window.end)
        if self.now >= end + _GIVEN_UP_AFTER:
            return True
        for one in self._connections(look.on):
            health = self.healths.get(one)
            wait = min(_LONGEST_WAIT, p95(health.lateness_samples) or timedelta()) if health else timedelta()
            if health is None or health.read_at is None or health.read_at < end + wait:
                return False
            if one in self.newest and self.newest[one] < end and self.now < end + _LONGEST_BEHIND:
                return False
        return True

    def _connections(self, on: BudgetOn) -> set[int]:
        accounts = self.picture.accounts(on.scope.kind, on.scope.id)
        if accounts is None:
            return set(self.healths)
        return {account[0] for account in accounts}

    def _people(self, on: BudgetOn) -> tuple[str, ...]:
        project = self.picture.projects.get(on.scope.id or 0) if on.scope.kind is ScopeKind.PROJECT else None
        return recipients(project, on.team, self.admins)


def _guarded(judge: _Judge, look: Look) -> _Decision | None:
    """What is decided about one budget; a failure is logged under a reference, and the others are decided about."""
    try:
        return judge.decide(look)
    except Exception as error:  # noqa: BLE001 - as where they are kept
        explain(error)
        return None


async def _stopped(store: Store, looks: Iterable[Look]) -> set[int | None]:
    """Incidents of budgets that stop by themselves in which their limit was decided about before."""
    found: set[int | None] = set()
    for look in looks:
        incident = look.incident
        if incident is None or incident.id is None or look.on.budget.action is not BudgetAction.STOP:
            continue
        if await was_decided(store, incident, look.on.budget.amount):
            found.add(incident.id)
    return found


async def _resolved(store: Store, workspace_id: str, looks: Iterable[Look]) -> set[int | None]:
    """Of the incidents that are closed, those that somebody's act ended: their budget being at work is no news."""
    found: set[int | None] = set()
    for incident in (look.incident for look in looks):
        if incident is None or incident.id is None or incident.state is not IncidentState.CLOSED:
            continue
        events = await store.incidents.events(workspace_id, incident.id)
        reasons = [one.values["reason"] for one in events if one.kind is EventKind.CLOSED]
        if reasons and reasons[-1] == CloseReason.RESOLVED:
            found.add(incident.id)
    return found


async def _newest(store: Store, workspace_id: str, healths: Iterable[UsageHealth]) -> dict[int, datetime]:
    """By connection, the end of the newest minute that had any usage."""
    found: dict[int, datetime] = {}
    for one in healths:
        reads = (await store.usage.reads(workspace_id, one.connection_id)).values()
        told = [read.newest_data for read in reads if read.newest_data is not None]
        if told:
            found[one.connection_id] = moment_of(max(told) + 1)
    return found


def _is_ours(on: BudgetOn) -> bool:
    """Amounts are in dollars, as they are billed; a budget in another currency is nothing to compare them with."""
    return on.budget.amount.currency == CURRENCY
