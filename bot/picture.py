"""A picture: what a workspace has spent, as far as was known at one moment; asked for a scope without a query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.usage_steps import FILLED_IN_DAYS
from finops.charges import DayReading, FigureState, day_state, weakest
from finops.estimates import Corrections, Drift, Spent, drift_margin
from finops.figures import Scope
from finops.frozen import frozen
from finops.holds import Hold
from finops.money import ATTO_PLACES, EXACT, Money
from finops.periods import Period, charge_day
from finops.queries import ScopeKind
from finops.registry import Connection, Credential, KnownProject, Project, Team

CURRENCY = "USD"
Account = tuple[int, str]
"""A provider project: connection id and sub-account id ('' where the provider names none)."""


@frozen
class Taught:
    """What the bills of the last weeks taught about one connection's estimates."""

    corrections: Corrections
    drift: Drift | None

    @property
    def margin(self) -> Decimal:
        """What an estimate of this connection may be wrong by."""
        return drift_margin(self.drift)


@frozen
class House:
    """Who and what a workspace consists of: read once for each question."""

    teams: Sequence[Team]
    projects: Sequence[Project]
    connections: Sequence[Connection]
    credentials: Sequence[Credential]

    @property
    def counted(self) -> list[Project]:
        """The projects that answer for their cost; of an excluded one it is nobody's, and the whole stays the bill."""
        return [project for project in self.projects if not project.excluded]

    @property
    def team_names(self) -> dict[int, str]:
        return {team.id: team.name for team in self.teams}

    def of_scope(self, scope: Scope) -> list[Project]:
        if scope.kind is ScopeKind.TEAM:
            return [project for project in self.counted if project.team_id == scope.id]
        return [project for project in self.projects if project.id == scope.id]

    def concerned(self, scope: Scope) -> tuple[list[Project], list[Account] | None, Sequence[Connection]]:
        """The projects that answer for a scope, their provider projects (None: all there are) and connections."""
        if scope.kind is ScopeKind.WORKSPACE:
            return self.counted, None, self.connections
        projects = self.of_scope(scope)
        concerned = {one.connection_id for one in projects}
        return projects, [account_of(one) for one in projects], [one for one in self.connections if one.id in concerned]


class Collected:
    """The projects that are collected, by the scope that counts them: of one left out of collecting nobody answers."""

    def __init__(self, projects: Iterable[Project]) -> None:
        self.by_id = {one.id: one for one in projects if not one.excluded}
        self.account_of = {one.id: account_of(one) for one in self.by_id.values()}
        self._of_team: dict[int, list[Project]] = defaultdict(list)
        self._members: dict[int, list[Account]] = defaultdict(list)
        for one in self.by_id.values():
            self._of_team[one.team_id].append(one)
            self._members[one.team_id].append(self.account_of[one.id])

    def of(self, kind: ScopeKind, scope_id: int | None) -> Sequence[Project] | None:
        """The projects a scope counts; None: whatever there is, registered or not."""
        if kind is ScopeKind.WORKSPACE:
            return None
        if kind is ScopeKind.TEAM:
            return self._of_team.get(scope_id or 0, ())
        one = self.by_id.get(scope_id or 0)
        return () if one is None else (one,)

    def accounts(self, kind: ScopeKind, scope_id: int | None) -> Sequence[Account] | None:
        """The same as provider projects; quick enough to be asked for every budget of ten thousand projects."""
        if kind is ScopeKind.WORKSPACE:
            return None
        if kind is ScopeKind.TEAM:
            return self._members.get(scope_id or 0, ())
        account = self.account_of.get(scope_id or 0)
        return () if account is None else (account,)


@frozen
class Look:
    """How one connection's part of a period is known."""

    state: FigureState
    as_of: datetime | None


@frozen
class Sums:
    """One period in whole atto-units: the parts of `totals` and `nobody` add up to the whole to the last one."""

    totals: Mapping[Account, int]
    estimated: Mapping[Account, int]
    unpriced: frozenset[Account]
    looks: Mapping[int, Look]


@frozen
class Facts:
    """What a picture is painted from. Amounts are atto-units; `open` and `unpriced` hold corrected estimates by day."""

    now: datetime
    closed: Mapping[Period, Mapping[Account, int]]
    open: Mapping[date, Mapping[Account, int]]
    unpriced: Mapping[date, frozenset[Account]]
    readings: Mapping[int, Mapping[date, DayReading]]
    estimated_days: Mapping[int, frozenset[date]]
    usage_read_at: Mapping[int, datetime]
    stale_after: timedelta


class Picture:
    """What a workspace has spent, as far as was known at one moment. Asked for a scope, it answers without a query.

    The projects' amounts and what nobody answers for add up to the workspace's, exactly. Of a project left out of
    collecting nobody answers. Amounts of other currencies than dollars are not in it.
    """

    def __init__(self, today: date, house: House, facts: Facts, taught: Mapping[int, Taught]) -> None:
        self.today = today
        self.now = facts.now
        self.house = house
        self.taught = taught
        self.collected = Collected(house.projects)
        self.projects = self.collected.by_id
        self._keyed = {one.connection_id for one in house.credentials}
        self._facts = facts
        self._sums: dict[Period, Sums] = {}

    def spent(self, kind: ScopeKind, scope_id: int | None, period: Period) -> Spent:
        """What a scope has spent in a period; blind where some of it could not be looked at, and never zero for that.

        `period` is one of those the picture was asked for. A team or project that is gone has spent nothing we know.
        """
        sums = self.sums(period)
        accounts = self.accounts(kind, scope_id)
        chosen: Iterable[Account] = sums.totals if accounts is None else accounts
        connections = {one[0] for one in chosen} if accounts is not None else set(sums.looks)
        looks = [sums.looks[one] for one in connections if one in sums.looks]
        known = [look.as_of for look in looks if look.as_of is not None]
        return Spent(
            amount=money_of(sum(sums.totals.get(one, 0) for one in chosen)),
            state=weakest(look.state for look in looks),
            as_of=min(known, default=None),
            estimated=money_of(sum(sums.estimated.get(one, 0) for one in chosen)),
            unpriced=not sums.unpriced.isdisjoint(chosen) if accounts is not None else bool(sums.unpriced),
            drift_margin=max((self.margin(one) for one in connections), default=drift_margin(None)),
        )

    def units(self, kind: ScopeKind, scope_id: int | None, period: Period) -> int:
        """The amount alone, in atto-dollars."""
        return self.units_in(self.sums(period), kind, scope_id)

    def units_in(self, sums: Sums, kind: ScopeKind, scope_id: int | None) -> int:
        """The same of sums at hand: quick enough to be asked for every budget of ten thousand projects."""
        totals, mine = sums.totals, self.accounts(kind, scope_id)
        return sum(totals.values()) if mine is None else sum([totals.get(one, 0) for one in mine])

    def unallocated(self, period: Period) -> Money:
        """What no registered project answers for."""
        owned = set(self.collected.account_of.values())
        return money_of(sum(units for one, units in self.sums(period).totals.items() if one not in owned))

    def largest(self, kind: ScopeKind, scope_id: int | None, period: Period) -> Project | None:
        """The project of the scope that spent most in the period; None when none spent anything."""
        totals, mine = self.sums(period).totals, self.collected.of(kind, scope_id)
        every, accounts = self.projects.values() if mine is None else mine, self.collected.account_of
        found = [(totals.get(accounts[one.id], 0), -one.id, one) for one in every]
        best = max(found, default=None, key=lambda each: each[:2])
        return best[2] if best is not None and best[0] > 0 else None

    def accounts(self, kind: ScopeKind, scope_id: int | None) -> Sequence[Account] | None:
        """The provider projects a scope answers for; None: whatever there is."""
        return self.collected.accounts(kind, scope_id)

    def margin(self, connection_id: int) -> Decimal:
        """What an estimate of this connection may be wrong by."""
        taught = self.taught.get(connection_id)
        return drift_margin(None) if taught is None else taught.margin

    def sums(self, period: Period) -> Sums:
        """The period taken apart by provider project."""
        if period not in self._sums:
            self._sums[period] = self._added_up(period)
        return self._sums[period]

    def _added_up(self, period: Period) -> Sums:
        facts = self._facts
        totals = dict(facts.closed[period])
        estimated: dict[Account, int] = {}
        unpriced: set[Account] = set()
        for day, amounts in facts.open.items():
            if day in period:
                for account, units in amounts.items():
                    estimated[account] = estimated.get(account, 0) + units
                unpriced |= facts.unpriced.get(day, frozenset())
        for account, units in estimated.items():
            totals[account] = totals.get(account, 0) + units
        looks = {one.id: self._look(one, period) for one in self.house.connections if self._counts(one, period)}
        return Sums(totals, estimated, frozenset(unpriced), looks)

    def _counts(self, connection: Connection, period: Period) -> bool:
        """Whether a connection was ever read: one that is only being made leaves the others' figures alone.

        So does one whose keys were all deleted for good, once no day of the period is one on which it was still read.
        """
        readings = self._facts.readings.get(connection.id, {})
        read_at = self._facts.usage_read_at.get(connection.id)
        if connection.id not in self._keyed:
            return any(day in period for day in readings) or (
                read_at is not None and charge_day(read_at) >= period.start
            )
        return (
            read_at is not None
            or bool(readings)
            or connection.collected_at is not None
            or connection.blind_since is not None
        )

    def _look(self, connection: Connection, period: Period) -> Look:
        facts = self._facts
        readings = facts.readings.get(connection.id, {})
        estimated = facts.estimated_days.get(connection.id, frozenset())
        read_at = facts.usage_read_at.get(connection.id)
        is_fresh = read_at is not None and facts.now - read_at <= facts.stale_after and not connection.usage_blind
        oldest_known = self.today - timedelta(days=FILLED_IN_DAYS)
        states: list[FigureState] = []
        known: list[datetime] = []
        for day in period:
            if day > self.today:
                break
            if day in estimated:
                is_known = read_at is not None and day >= oldest_known and (is_fresh or day < charge_day(read_at))
                states.append(FigureState.ESTIMATE if is_known else FigureState.BLIND)
                known += [] if read_at is None else [read_at]
            else:
                states.append(day_state(readings.get(day), facts.now))
                known += [] if day not in readings else [readings[day].read_at]
        return Look(weakest(states), max(known, default=None))


def account_of(one: Project | KnownProject | Hold) -> Account:
    """How a provider's bills and usage name a project, or what a stop holds."""
    return one.connection_id, one.provider_project_id


def money_of(units: int) -> Money:
    """Whole atto-dollars as money."""
    return Money(Decimal(units).scaleb(-ATTO_PLACES, EXACT), CURRENCY)
