"""The facts of an incident: gathered for one scope at a time, so that a message costs the same in any workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.exchange import converter_at
from bot.incident_scopes import Whose, whose
from bot.incidents_held import frozen_at, held_elsewhere, own_stop
from bot.picture import CURRENCY, Account, Taught, account_of
from bot.rights import within_reach
from bot.stop_rest import stranger_of
from bot.value_beside import of_incident
from bot.why_usual import against_usual
from finops.budgets import (
    HISTORY_DAYS,
    USUAL_METHODS,
    WHOLE,
    Budget,
    BudgetOn,
    BudgetPeriod,
    Usual,
    breach_at,
    percent_floor,
    usual,
)
from finops.charges import DayReading, FigureState, day_state
from finops.estimates import UNCORRECTED, Correction, Spent
from finops.figures import Breakdown, DayFigure, Scope, Share, breakdown_of, readings_of_all
from finops.frozen import frozen
from finops.incident_report import IncidentDetail, IncidentShown
from finops.incidents import Incident, IncidentEvent
from finops.lateness import p95
from finops.money import ATTO_PLACES, EXACT, Money
from finops.periods import Period, charge_day, minute_of, moment_of, starts_at
from finops.prices import PriceList
from finops.queries import ScopeKind
from finops.usage import MINUTES_PER_DAY
from finops.why import Why
from storage import Store
from storage.records_live import UsageSum

TREND_DAYS = 7
# Less than a fifth more than usual is no cause for words.
_TELLING = Decimal("1.2")
_TOP = 5


@frozen
class Facts:
    """What the window behind the message needs, and the message a part of."""

    shown: IncidentShown
    whose: Whose
    day: date
    rows: Sequence[UsageSum]  # the day's usage by project and model
    taught: Mapping[int, Taught]
    headline: Account | None


def brief(incident: Incident, budget: Budget, found: Whose) -> IncidentShown:
    """What a line about an incident needs: the amounts of its last decision, without history, cause or picture."""
    spent, limit = incident.spent, incident.limit
    usual = Usual(incident.usual, 0, USUAL_METHODS[budget.period])
    same = spent.currency == limit.currency
    is_estimate = incident.spent_state is FigureState.ESTIMATE
    return IncidentShown(
        incident=incident,
        budget=budget,
        scope=found.scope,
        team=found.team,
        headline_project=found.scope if found.scope.kind is ScopeKind.PROJECT else None,
        spent=Spent(
            amount=spent,
            state=incident.spent_state,
            as_of=incident.as_of,
            estimated=spent if is_estimate else Money.zero(spent.currency),
            unpriced=False,
            drift_margin=Decimal(0),
        ),
        percent=percent_floor(spent, limit) if same else 0,
        usual=usual,
        increase=usual.increase(spent),
        since=incident.since,
    )


async def gathered(
    store: Store, incident: Incident, budget: Budget, taught: Mapping[int, Taught], prices: PriceList, now: datetime
) -> Facts:
    """Everything the message says of an incident, read in a handful of queries for its scope alone."""
    assert incident.id is not None
    workspace_id = incident.workspace_id
    found = await whose(store, workspace_id, incident.scope_kind, incident.scope_id)
    events = await store.incidents.events(workspace_id, incident.id)
    day = min(charge_day(now), incident.window.end - timedelta(days=1))
    days = Period(day - timedelta(days=HISTORY_DAYS[budget.period]), day + timedelta(days=1))
    bills = {
        one.day: one.amount
        for one in await store.charges.daily_totals(workspace_id, days, found.accounts)
        if one.amount.currency == CURRENCY
    }
    told = await store.charges.readings(workspace_id, days)
    concerned = set(told) if found.accounts is None else {one[0] for one in found.accounts}
    readings = readings_of_all(told.get(one, {}) for one in concerned)
    trend = Period(day - timedelta(days=TREND_DAYS), day + timedelta(days=1))
    unread = [one for one in trend if one not in readings]
    # The day itself also once it is billed: who spent so much, and why, no bill tells.
    rows = await store.usage.daily(workspace_id, Period(min([*unread, day]), trend.end), found.accounts)
    of_day = [row for row in rows if charge_day(moment_of(row.start)) == day]
    headline = _largest(of_day, taught)
    shown = brief(incident, budget, found)
    breach, level, next_at = _forecasts(incident, budget, now)
    stop = await own_stop(store, incident, found)
    elsewhere = await held_elsewhere(store, incident, found, headline)
    shown = replace(
        shown,
        headline_project=await _named(store, workspace_id, found, headline),
        spent=replace(shown.spent, unpriced=day in unread and any(row.unpriced for row in of_day)),
        usual=_usual(shown.usual, bills, readings, budget.period, incident),
        breach_at=breach,
        next_level=level,
        next_at=next_at,
        cause=await _cause(store, incident, headline, day, taught, prices, frozen_at(stop, elsewhere, headline)),
        trend=_trend(trend, bills, readings, rows, taught, now),
        other_budgets=await _others(store, incident, found, headline),
        events=tuple(events),
        names=await names_of(store, incident, events),
        stop=stop,
        elsewhere=elsewhere,
        is_period_over=incident.is_over(now),
        stranger=await stranger_of(store, workspace_id, headline) if found.accounts is None else "",
        # Of a workspace or a team with several organizations a part can be stopped: the window says which cannot.
        may_stop=bool(concerned & within_reach(await store.credentials.all(workspace_id))) or not concerned,
    )
    exchange = await converter_at(store, workspace_id, incident.closed_at or now)
    shown = replace(shown, value=await of_incident(store, shown), exchange=exchange)
    return Facts(shown, found, day, of_day, taught, headline)


async def detailed(store: Store, facts: Facts) -> IncidentDetail:
    """What stands behind the message: the day by hour, by model, key and project."""
    shown, workspace_id = facts.shown, facts.shown.incident.workspace_id
    start = minute_of(starts_at(facts.day))
    accounts = facts.whose.accounts
    hourly = await store.usage.hourly(workspace_id, start, start + MINUTES_PER_DAY, accounts)
    by_key = await store.usage.activity(workspace_id, start, start + MINUTES_PER_DAY, accounts, by_key=True)
    correction, lateness, provider_project_id = None, None, None
    if facts.headline is not None:
        connection_id, provider_project_id = facts.headline
        correction = _correction(facts)
        health = await store.healths.get(workspace_id, connection_id)
        measured = p95(health.lateness_samples) if health is not None else None
        lateness = measured.total_seconds() if measured is not None else None
    names = {account_of(one): one.name for one in facts.whose.projects}
    is_wide = shown.scope.kind is not ScopeKind.PROJECT
    return IncidentDetail(
        shown=shown,
        day=facts.day,
        hours=_hours(hourly, facts.taught),
        models=_breakdown(facts.rows, facts.taught, lambda row: row.model),
        keys=_breakdown(by_key, facts.taught, lambda row: row.api_key_id),
        projects=_breakdown(
            facts.rows,
            facts.taught,
            lambda row: names.get((row.connection_id, row.sub_account_id), row.sub_account_id),
        )
        if is_wide
        else None,
        requests=sum(row.requests for row in facts.rows),
        tokens=sum(row.tokens for row in facts.rows),
        provider_project_id=provider_project_id or None,
        correction=correction,
        lateness_seconds=lateness,
        unpriced=tuple(sorted({row.model or row.sub_account_id for row in facts.rows if row.unpriced})),
    )


def _of(row: UsageSum, taught: Mapping[int, Taught]) -> Correction:
    known = taught.get(row.connection_id)
    return known.corrections.of(row.sub_account_id, row.model) if known is not None else UNCORRECTED


def _estimate(row: UsageSum, taught: Mapping[int, Taught]) -> Decimal:
    return _of(row, taught).apply(Decimal(row.atto).scaleb(-ATTO_PLACES, EXACT))


def _sum(rows: Iterable[UsageSum], taught: Mapping[int, Taught]) -> Money:
    whole = Decimal(0)
    for row in rows:
        whole = EXACT.add(whole, _estimate(row, taught))
    return Money(whole, CURRENCY)


def _largest(rows: Sequence[UsageSum], taught: Mapping[int, Taught]) -> Account | None:
    """The provider project that spends most in the day, however wide the scope."""
    sums: dict[Account, Decimal] = {}
    for row in rows:
        account = (row.connection_id, row.sub_account_id)
        sums[account] = EXACT.add(sums.get(account, Decimal(0)), _estimate(row, taught))
    return max(sums, key=lambda account: (sums[account], account), default=None)


async def _named(store: Store, workspace_id: str, found: Whose, account: Account | None) -> Scope | None:
    if found.scope.kind is ScopeKind.PROJECT:
        return found.scope
    if account is None:
        return None
    for one in found.projects:
        if account_of(one) == account:
            return Scope(ScopeKind.PROJECT, one.id, one.name)
    known = await store.known_projects.get(workspace_id, *account)
    return Scope(ScopeKind.PROJECT, None, known.name if known is not None else account[1])


def _usual(
    told: Usual,
    bills: Mapping[date, Money],
    readings: Mapping[date, DayReading],
    period: BudgetPeriod,
    incident: Incident,
) -> Usual:
    """The usual amount of the decision, and on how many days it rests."""
    if told.amount is None:
        return told
    known = usual(bills, readings, period, incident.window.start, CURRENCY)
    return replace(told, days=known.days)


def _forecasts(
    incident: Incident, budget: Budget, now: datetime
) -> tuple[datetime | None, int | None, datetime | None]:
    """When the limit is reached at this speed, the next level beyond it, and when that; never a time that is past."""
    level = next((each for each in budget.told_levels if each > max(incident.level, WHOLE - 1)), None)
    end = starts_at(incident.window.end)

    def reached_at(percent: int) -> datetime | None:
        if incident.spent.currency != incident.limit.currency:
            return None
        aim = Money(EXACT.divide(EXACT.multiply(incident.limit.amount, percent), 100), incident.limit.currency)
        found = breach_at(incident.spent, aim, incident.burn_per_minute, incident.as_of, end)
        return found if found is not None and found > now else None

    return reached_at(WHOLE), level, reached_at(level) if level is not None else None


async def _cause(
    store: Store,
    incident: Incident,
    account: Account | None,
    day: date,
    taught: Mapping[int, Taught],
    prices: PriceList,
    frozen_at: datetime | None = None,
) -> Why | None:
    """Why the largest spender spends so much: since it surges, else the whole day, against the seven days before.

    Up to `frozen_at` where that is given: quiet minutes after it would water the cause down from look to look. None
    where there is nothing to compare with, and where so little more is spent that it is everyday weather.
    """
    if account is None:
        return None
    midnight, end = minute_of(starts_at(day)), minute_of(incident.as_of)
    if frozen_at is not None:
        day = min(day, charge_day(frozen_at))
        midnight, end = minute_of(starts_at(day)), min(end, minute_of(frozen_at))
    end = min(end, midnight + MINUTES_PER_DAY)
    is_surging = incident.since != incident.opened_at
    start = max(midnight, minute_of(incident.since)) if is_surging else midnight
    if start >= end:
        start = midnight
    if start >= end:
        return None
    found = await against_usual(store, incident.workspace_id, [account], (start, end), day, taught, prices)
    if found is None or found.now.amount < EXACT.multiply(found.before.amount, _TELLING):
        return None
    return found


def _trend(
    period: Period,
    bills: Mapping[date, Money],
    readings: Mapping[date, DayReading],
    rows: Sequence[UsageSum],
    taught: Mapping[int, Taught],
    now: datetime,
) -> tuple[DayFigure, ...]:
    """Bills of the days that were read, estimates of the others; a day nobody told us of stays unknown."""
    used: dict[date, list[UsageSum]] = {}
    for row in rows:
        used.setdefault(charge_day(moment_of(row.start)), []).append(row)
    points = []
    for day in period:
        if day in readings:
            points.append(DayFigure(day, bills.get(day, Money.zero(CURRENCY)), day_state(readings[day], now)))
        elif day in used:
            points.append(DayFigure(day, _sum(used[day], taught), FigureState.ESTIMATE))
        else:
            state = FigureState.PROVISIONAL if day in bills else FigureState.BLIND
            points.append(DayFigure(day, bills.get(day), state, unread_days=1))
    return tuple(points)


async def _others(store: Store, incident: Incident, found: Whose, headline: Account | None) -> tuple[BudgetOn, ...]:
    """Other limits that the same spending has reached: of the project, its team, and everything."""
    scopes: list[tuple[ScopeKind, int | None]] = [(ScopeKind.WORKSPACE, None)]
    if found.team is not None:
        scopes.append((ScopeKind.TEAM, found.team.id))
    scopes += [
        (ScopeKind.PROJECT, one.id)
        for one in found.projects
        if found.scope.kind is ScopeKind.PROJECT or account_of(one) == headline
    ]
    reached = []
    for one in await store.incidents.open_on(incident.workspace_id, scopes):
        if one.id == incident.id or one.level < WHOLE:
            continue
        budget = await store.budgets.get(incident.workspace_id, one.budget_id, even_deleted=True)
        if budget is not None:
            its = await whose(store, incident.workspace_id, one.scope_kind, one.scope_id)
            reached.append(BudgetOn(budget, its.scope, its.team))
    return tuple(reached)


async def names_of(store: Store, incident: Incident, events: Iterable[IncidentEvent]) -> dict[str, str]:
    """The names of everybody who did something; who we never met is not among them."""
    acted = {incident.acknowledged_by, incident.silenced_by, *(event.values.get("by") for event in events)}
    names = {}
    for user_id in sorted(str(one) for one in acted if one is not None):
        person = await store.people.get(incident.workspace_id, user_id)
        if person is not None:
            names[user_id] = person.name
    return names


def _hours(rows: Iterable[UsageSum], taught: Mapping[int, Taught]) -> tuple[tuple[datetime, Money], ...]:
    """The hours with usage and those between them, oldest first."""
    hours: dict[int, list[UsageSum]] = {}
    for row in rows:
        hours.setdefault(row.start, []).append(row)
    if not hours:
        return ()
    return tuple(
        (moment_of(start), _sum(hours.get(start, ()), taught)) for start in range(min(hours), max(hours) + 1, 60)
    )


def _breakdown(rows: Iterable[UsageSum], taught: Mapping[int, Taught], name: Callable[[UsageSum], str]) -> Breakdown:
    parts: dict[str, Decimal] = {}
    for row in rows:
        parts[name(row)] = EXACT.add(parts.get(name(row), Decimal(0)), _estimate(row, taught))
    shares = [Share(key or "-", key or "-", Money(amount, CURRENCY)) for key, amount in parts.items()]
    return breakdown_of(shares, _TOP, CURRENCY)


def _correction(facts: Facts) -> Correction:
    """The correction of the model that costs the largest spender most."""
    mine = [row for row in facts.rows if (row.connection_id, row.sub_account_id) == facts.headline]
    top = max(mine, key=lambda row: (row.atto, row.model), default=None)
    return UNCORRECTED if top is None else _of(top, facts.taught)
