"""The ledger's rules: what an action is to save, and what the settled bills leave of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.digest_codec import decoded
from bot.effects_stats import SciPy
from bot.picture import CURRENCY, account_of
from finops.behaviour import Action, ActionKind, Preceded
from finops.charges import DayReading, FigureState, day_state
from finops.digest import Digest
from finops.effects import AFTER_DAYS, MOST_CONTROLS, Costs, Effect, Saving, SavingState, effect_of, readable
from finops.frozen import frozen
from finops.money import EXACT, Money, total
from finops.periods import Period
from finops.registry import Project
from finops.stopping import kept_of
from storage import Store

# What can have changed spending by itself; a budget alone changes nothing.
MEASURED = frozenset(
    {
        ActionKind.STOPPED,
        ActionKind.MODEL_CHANGED,
        ActionKind.BATCH_ADOPTED,
        ActionKind.CACHE_ADOPTED,
        ActionKind.WENT_SILENT,
        ActionKind.KEY_DELETED,
        ActionKind.PROJECT_ARCHIVED,
        ActionKind.RATE_LIMIT_CHANGED,
    }
)
_DAY = timedelta(days=1)
# The note of the day after closes a stop; one that never had one is measured like any other action.
_STOP_ENDS_WITHIN = timedelta(days=7)


@frozen
class Bills:
    """What every project cost by day, and how far that can be trusted."""

    costs: Mapping[int, Costs]
    readings: Mapping[int, Mapping[date, DayReading]]
    projects: Mapping[int, Project]
    now: datetime

    def is_settled(self, project_id: int, period: Period) -> bool:
        """Whether no day of the period will move any more."""
        project = self.projects.get(project_id)
        days = {} if project is None else self.readings.get(project.connection_id, {})
        return project is not None and all(day_state(days.get(day), self.now) is FigureState.SETTLED for day in period)

    def unread(self, project_ids: Collection[int], period: Period) -> frozenset[date]:
        """The days of a period on which some of these projects' bill was never read."""
        ids = {self.projects[one].connection_id for one in project_ids if one in self.projects}
        return frozenset(day for day in period for one in ids if day not in self.readings.get(one, {}))

    def beside(self, project_ids: Collection[int], period: Period) -> dict[int, Costs]:
        """What all others cost that are known for the whole period: of a day nobody read, nobody knows the cost."""
        found = {}
        readable: dict[int, bool] = {}
        for id_, costs in self.costs.items():
            connection_id = self.projects[id_].connection_id
            if connection_id not in readable:
                readable[connection_id] = not self.unread({id_}, period)
            if id_ not in project_ids and readable[connection_id]:
                found[id_] = costs
        return found


def apart(new: Sequence[tuple[Action, Saving]], lined: Sequence[tuple[Action, Saving]]) -> list[Saving]:
    """The new lines that are opened, beside those that stand.

    Of what was done to one project within the same fourteen days the bills tell only what all of it did together: the
    first that was found stands for it, or the same dollars would be saved twice. What a stop kept on its own day is
    told by itself, once however often it was asked for; one that is measured like any other action is one of them.
    """
    days: dict[int, list[date]] = defaultdict(list)
    for one, line in lined:
        if one.project_id is not None and _is_measured(line):
            days[one.project_id].append(one.day)
    found, kept = [], {one.details.get("stop_id") for one, line in lined if not _is_measured(line)}
    for one, line in sorted(new, key=lambda each: (each[0].at, each[0].key)):
        if one.project_id is not None and _is_measured(line):
            if any(abs((one.day - day).days) <= AFTER_DAYS for day in days[one.project_id]):
                continue
            days[one.project_id].append(one.day)
        elif not _is_measured(line):
            if one.details.get("stop_id") in kept:
                continue
            kept.add(one.details.get("stop_id"))
        found.append(line)
    return found


def _is_measured(line: Saving) -> bool:
    """Whether a line is of the days after an action; of what a stop kept it is of the day itself."""
    return line.period.days == AFTER_DAYS


async def expected(store: Store, workspace_id: str, action: Action, now: datetime) -> Saving | None:
    """What an action is to save: a stop what it kept from being spent, else what the digest before said it is worth.

    None while a stop is not over: what it kept is told in its last note. Of one that never held, and of one that held
    several projects and kept nothing that could be told, nothing is to be measured.
    """
    assert action.id is not None
    after = Period(action.day + _DAY, action.day + timedelta(days=1 + AFTER_DAYS))
    if action.kind is ActionKind.STOPPED:
        stop_id = action.details.get("stop_id")
        stop = await store.stops.get(workspace_id, stop_id) if isinstance(stop_id, int) else None
        kept = None if stop is None else kept_of(await store.stops.events(stop.workspace_id, stop.id or 0))
        if kept is not None:
            low, high = kept
            day = Period(action.day, action.day + _DAY)
            return Saving(action.id, SavingState.EXPECTED, day, low.currency, expected=low, low=low, high=high)
        never_held = stop is None or stop.stopped_at is None
        if action.project_id is None or never_held or now - action.at < _STOP_ENDS_WITHIN:
            return None
    worth = None
    if action.preceded is not None and action.preceded.kind is Preceded.DIGEST:
        digest = await store.digests.get(workspace_id, action.preceded.id)
        worth = None if digest is None else _worth(decoded(digest.facts), action.project_id)
    if worth is None:
        return Saving(action.id, SavingState.EXPECTED, after)
    saved = Money(EXACT.multiply(worth.amount, Decimal(AFTER_DAYS // 7)), worth.currency)
    return Saving(action.id, SavingState.EXPECTED, after, worth.currency, expected=saved)


def _worth(digest: Digest, project_id: int | None) -> Money | None:
    """What a digest said a project's next step is worth a week."""
    steps = [digest.advice, *(one.advice for one in digest.projects)]
    return next((one.worth for one in steps if one is not None and one.project_id == project_id and one.worth), None)


def measured(action: Action, project_id: int, bills: Bills, busy: Sequence[Action]) -> Effect:
    """Against the projects that did nothing around those days, where three of them are left."""
    around = Period(action.day - timedelta(days=7), action.day + timedelta(days=1 + AFTER_DAYS))
    acted = {one.project_id for one in busy if one.kind in MEASURED and one.day in around}
    unread = bills.unread({project_id}, readable(action.day, around.end))
    others = bills.beside({project_id}, readable(action.day, around.end, unread))
    quiet = {id_: costs for id_, costs in others.items() if id_ not in acted}
    chosen = quiet if len(quiet) >= 3 else others
    return effect_of(bills.costs.get(project_id, {}), chosen, action.day, around.end, SciPy(), unread=unread)


async def involved(store: Store, workspace_id: str, action: Action) -> frozenset[int]:
    """The projects an action was done to: of a wide stop all that it held."""
    if action.project_id is not None:
        return frozenset({action.project_id})
    stop_id = action.details.get("stop_id")
    if action.kind is not ActionKind.STOPPED or not isinstance(stop_id, int):
        return frozenset()
    return frozenset(one.project_id for one in await store.stops.holds(workspace_id, stop_id))


async def stop_checked(
    store: Store, workspace_id: str, saving: Saving, bills: Bills, project_ids: Collection[int], now: datetime
) -> Saving:
    """What the settled bill of the day leaves of a stop's saving: what it has more than usage told was not saved."""
    projects = [bills.projects[one] for one in sorted(project_ids)]
    accounts = [account_of(one) for one in projects]
    rows = await store.usage.daily(workspace_id, saving.period, accounts)
    told = total((Money(Decimal(row.atto).scaleb(-18)) for row in rows), saving.currency)
    day = saving.period.start
    billed = total((Money(bills.costs.get(one.id, {}).get(day, Decimal(0))) for one in projects), saving.currency)
    more = max(Decimal(0), (billed - told).amount)
    assert saving.low is not None
    assert saving.high is not None
    low, high = (
        Money(max(Decimal(0), EXACT.subtract(one.amount, more)), one.currency) for one in (saving.low, saving.high)
    )
    state = (
        SavingState.VERIFIED if low.amount > 0 else SavingState.INDISTINCT if high.amount > 0 else SavingState.FAILED
    )
    return Saving(
        saving.action_id, state, saving.period, saving.currency, saving.expected, low, low, high, checked_at=now
    )


def given_up(saving: Saving, now: datetime) -> Saving:
    """A line that no settled bill will ever tell of."""
    return Saving(
        saving.action_id,
        SavingState.INDISTINCT,
        saving.period,
        saving.currency,
        saving.expected,
        checked_at=now,
    )


async def bills_of(store: Store, workspace_id: str, period: Period, wanted: Collection[int], now: datetime) -> Bills:
    """The wanted projects' costs by day, and those of the dearest others to compare with."""
    projects = {one.id: one for one in await store.projects.all(workspace_id) if not one.excluded}
    by_account = {account_of(one): one.id for one in projects.values()}
    totals = await store.charges.project_totals(workspace_id, period)
    dearest = sorted(
        (one for one in totals if (one.connection_id, one.sub_account_id or "") in by_account),
        key=lambda one: (-one.amount.amount, one.connection_id, one.sub_account_id or ""),
    )[: 2 * MOST_CONTROLS]
    ids = {by_account[one.connection_id, one.sub_account_id or ""] for one in dearest} | (set(wanted) & set(projects))
    accounts = [(projects[one].connection_id, projects[one].provider_project_id) for one in sorted(ids)]
    costs: dict[int, dict[date, Decimal]] = {one: {} for one in ids}
    for row in await store.charges.totals(workspace_id, period, accounts):
        id_ = by_account.get((row.connection_id, row.sub_account_id or ""))
        if id_ in costs and row.amount.currency == CURRENCY:
            costs[id_][row.day] = EXACT.add(costs[id_].get(row.day, Decimal(0)), row.amount.amount)
    return Bills(costs, await store.charges.readings(workspace_id, period), projects, now)
