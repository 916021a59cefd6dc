"""Surroundings: what is known around an amount: what is usual, how fast it burns, and since when."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.picture import CURRENCY, Account, Picture, Taught, account_of
from finops.budgets import HISTORY_DAYS, BudgetPeriod, Usual, period_of, usual
from finops.burning import burn_per_minute, burning_since, is_unusual, paced_over
from finops.frozen import frozen
from finops.money import EXACT, Money, from_units, to_units, total
from finops.periods import Period, minute_of, moment_of
from finops.queries import ScopeKind
from finops.usage import MINUTES_PER_DAY
from storage import Store
from storage.records_live import UsageSum

# Long enough for a quiet minute not to look like the end, short enough for the present to be heard. What began to burn
# within them is measured from then on.
BURN_MINUTES = 30
# Of so many provider projects the newest minutes are read one by one; of others, who spend less, as one sum.
_MOST_FOLLOWED = 100
# A surge is looked for this far back, in steps that even out the minute; one that is older, or began where only hours
# are known, by the hour as far as a day.
_SURGE_MINUTES, _SURGE_STEP, _HOUR = 180, 5, 60
# When very many cross at once, the first hundred are told since when; the others, when they crossed.
_MOST_SURGES = 100
_USUAL_FOR = timedelta(minutes=10)
_REMEMBERED = 20_000

Key = tuple[str, ScopeKind, int | None, BudgetPeriod, date]


@frozen
class Around:
    """What surrounds the spending of one scope. `newest` is the end of the newest minute with usage we hold."""

    usual: Usual
    burn_per_minute: Money | None
    since: datetime | None
    newest: datetime | None


@frozen
class Question:
    """What to find out about: a scope in the period that holds `day`; `is_new`: also since when it surges."""

    kind: ScopeKind
    scope_id: int | None
    period: BudgetPeriod
    day: date
    is_new: bool = False


class Surroundings:
    """Answers many questions with a handful of queries, and remembers for some minutes what is usual."""

    def __init__(self) -> None:
        self._usual: OrderedDict[Key, tuple[datetime, Usual]] = OrderedDict()

    async def of(
        self, store: Store, workspace_id: str, picture: Picture, questions: Sequence[Question]
    ) -> dict[Question, Around]:
        """The answer to each question, as of the moment of the picture."""
        if not questions:
            return {}
        usuals = await self._usuals(store, workspace_id, picture, questions)
        newest = await _newest(store, workspace_id, picture, questions)
        burns = await _burns(store, workspace_id, picture, usuals, newest)
        surges = await self._surges(store, workspace_id, picture, questions, newest)
        return {
            one: Around(usuals[one], burns.get(one), surges.get(one), _end_of(_latest(picture, one, newest)))
            for one in questions
        }

    async def _usuals(
        self, store: Store, workspace_id: str, picture: Picture, questions: Iterable[Question]
    ) -> dict[Question, Usual]:
        found: dict[Question, Usual] = {}
        unknown: dict[tuple[BudgetPeriod, date], list[Question]] = defaultdict(list)
        for one in questions:
            known = self._usual.get(_key(workspace_id, one))
            if known is not None and abs(picture.now - known[0]) <= _USUAL_FOR:
                found[one] = known[1]
            else:
                unknown[one.period, one.day].append(one)
        for (period, day), each in unknown.items():
            answers = await _usual_of(store, workspace_id, picture, period, day, each)
            self._usual.update({_key(workspace_id, one): (picture.now, answer) for one, answer in answers.items()})
            found |= answers
        while len(self._usual) > _REMEMBERED:
            self._usual.popitem(last=False)
        return found

    async def _surges(
        self,
        store: Store,
        workspace_id: str,
        picture: Picture,
        questions: Iterable[Question],
        newest: Mapping[int, int],
    ) -> dict[Question, datetime]:
        """Since when each scope's project, or the largest spender of a wider scope, has burned unusually."""
        focus: dict[Question, tuple[int, Account]] = {}
        for one in questions:
            project = picture.largest(one.kind, one.scope_id, period_of(one.period, one.day)) if one.is_new else None
            if project is not None and project.connection_id in newest and len(focus) < _MOST_SURGES:
                focus[one] = (project.id, account_of(project))
        if not focus:
            return {}
        daily = {
            one: Question(ScopeKind.PROJECT, id_, BudgetPeriod.DAY, picture.today) for one, (id_, _) in focus.items()
        }
        usuals = await self._usuals(store, workspace_id, picture, set(daily.values()))
        end = max(newest.values()) + 1
        rows = await store.usage.recent(
            workspace_id, end - _SURGE_MINUTES - _SURGE_STEP, sorted({account for _, account in focus.values()}), end
        )
        minutes, found = _by_start(rows, picture.taught), dict[Question, datetime]()
        older: dict[Question, int] = {}
        for one, (_, account) in focus.items():
            end, mine = newest[account[0]] + 1, minutes[account]
            steps = _steps(mine, end - _SURGE_MINUTES, end, _SURGE_STEP)
            since = burning_since(steps, _share_of(usuals[daily[one]], _SURGE_STEP))
            if since is None:
                continue
            found[one] = since
            if since == steps[0][0] or min(mine) >= minute_of(since):  # as far back as minutes are known
                older[one] = -(-minute_of(since) // _HOUR) * _HOUR
        if not older:
            return found
        rows = await store.usage.hourly(
            workspace_id, min(older.values()) - MINUTES_PER_DAY, max(older.values()),
            sorted({focus[one][1] for one in older}),
        )  # fmt: skip
        hours = _by_start(rows, picture.taught)
        for one, until in older.items():
            account, a_day = focus[one][1], usuals[daily[one]]
            if _is_told_whole(minutes[account], hours[account], minute_of(found[one]), a_day):
                continue
            steps = _steps(hours[account], until - MINUTES_PER_DAY, until, _HOUR)
            found[one] = burning_since(steps, _share_of(a_day, _HOUR)) or found[one]
        return found


def _key(workspace_id: str, one: Question) -> Key:
    return workspace_id, one.kind, one.scope_id, one.period, one.day


async def _usual_of(
    store: Store,
    workspace_id: str,
    picture: Picture,
    period: BudgetPeriod,
    day: date,
    questions: Sequence[Question],
) -> dict[Question, Usual]:
    """The medians of the bills before the period of `day`: all scopes of one kind of period at once."""
    window = period_of(period, day)
    back = Period(window.start - timedelta(days=HISTORY_DAYS[period]), window.start)
    readings = await store.charges.readings(workspace_id, back)
    accounts = {one: picture.accounts(one.kind, one.scope_id) for one in questions}
    daily: dict[Account, dict[date, Money]] = defaultdict(dict)
    whole: dict[date, Money] = {}
    named = sorted({account for each in accounts.values() if each is not None for account in each})
    if named:
        for row in await store.charges.totals(workspace_id, back, named):
            if row.amount.currency == CURRENCY:
                daily[row.connection_id, row.sub_account_id or ""][row.day] = row.amount
    if None in accounts.values():
        whole = {
            row.day: row.amount
            for row in await store.charges.daily_totals(workspace_id, back)
            if row.amount.currency == CURRENCY
        }
    found = {}
    for one, mine in accounts.items():
        connections = set(readings) if mine is None else {account[0] for account in mine}
        read = _days_read(readings, connections)
        found[one] = _kept(usual(whole if mine is None else _summed(daily, mine), read, period, day, CURRENCY))
    return found


def _days_read(readings: Mapping[int, Collection[date]], connections: Collection[int]) -> set[date]:
    """The days on which every one of the connections was read."""
    each = [set(readings.get(one, ())) for one in connections]
    return set.intersection(*each) if each else set()


def _summed(daily: Mapping[Account, Mapping[date, Money]], accounts: Iterable[Account]) -> dict[date, Money]:
    found: dict[date, Money] = {}
    for account in accounts:
        for day, amount in daily.get(account, {}).items():
            found[day] = found[day] + amount if day in found else amount
    return found


async def _newest(store: Store, workspace_id: str, picture: Picture, questions: Iterable[Question]) -> dict[int, int]:
    """The newest minute with usage, of each connection concerned; one without any is absent."""
    connections: set[int] = set()
    for one in questions:
        accounts = picture.accounts(one.kind, one.scope_id)
        ids = [each.id for each in picture.house.connections] if accounts is None else [each[0] for each in accounts]
        connections.update(ids)
    found: dict[int, int] = {}
    for connection_id in sorted(connections):
        reads = await store.usage.reads(workspace_id, connection_id)
        minutes = [read.newest_data for read in reads.values() if read.newest_data is not None]
        if minutes:
            found[connection_id] = max(minutes)
    return found


async def _burns(
    store: Store,
    workspace_id: str,
    picture: Picture,
    usuals: Mapping[Question, Usual],
    newest: Mapping[int, int],
) -> dict[Question, Money]:
    """How fast each scope spends: since it burns unusually, else in its newest half hour."""
    if not newest:
        return {}
    accounts = {one: picture.accounts(one.kind, one.scope_id) for one in usuals}
    told = await _told(store, workspace_id, picture, accounts.values(), newest)
    return {one: _rounded(_pace(told, mine, _a_minute(one, usuals[one]))) for one, mine in accounts.items()}


@frozen
class _Told:
    """What each provider project spent in its newest half hour, in atto-dollars: by the minute, or only in all."""

    by_minute: Mapping[Account, Sequence[int]]
    in_all: Mapping[Account, int]


async def _told(
    store: Store,
    workspace_id: str,
    picture: Picture,
    scopes: Collection[Collection[Account] | None],
    newest: Mapping[int, int],
) -> _Told:
    """The newest half hour of every scope's accounts. A connection that is behind by less is taken up to what it told:
    what it has not told yet is not spent less.
    """
    named = None if None in scopes else sorted({account for each in scopes if each is not None for account in each})
    end = max(newest.values()) + 1
    in_all: dict[Account, int] = defaultdict(int)
    followed = named
    if named is None or len(named) > _MOST_FOLLOWED:
        for row in await store.usage.activity(workspace_id, end - BURN_MINUTES, end, named):
            in_all[row.connection_id, row.sub_account_id] += corrected(picture.taught, row)
        followed = _followed(in_all, scopes)
    ends = {one: newest[one] + 1 for one, _ in followed or () if newest.get(one, 0) >= end - BURN_MINUTES}
    by_minute = {account: [0] * BURN_MINUTES for account in followed or () if account[0] in ends}
    if by_minute:
        since = min(ends.values()) - BURN_MINUTES
        for row in await store.usage.recent(workspace_id, since, sorted(by_minute), end):
            at = row.start - ends[row.connection_id] + BURN_MINUTES
            if 0 <= at < BURN_MINUTES:
                by_minute[row.connection_id, row.sub_account_id][at] += corrected(picture.taught, row)
    return _Told(by_minute, {account: units for account, units in in_all.items() if account not in by_minute})


def _followed(in_all: Mapping[Account, int], scopes: Iterable[Collection[Account] | None]) -> list[Account]:
    """Who is read by the minute: the largest spender of each scope first, then the largest of all."""
    leading = {
        max(spending, key=lambda account: (in_all[account], account))
        for each in scopes
        if (spending := [one for one in (in_all if each is None else each) if one in in_all])
    }
    ranked = sorted(in_all, key=lambda account: (account not in leading, -in_all[account], account))
    return ranked[:_MOST_FOLLOWED]


def _pace(told: _Told, accounts: Collection[Account] | None, usual: Money | None) -> Money:
    """How fast some accounts (None: all) spend together; who is known only in all counts the same in each minute."""
    mine = [*told.by_minute, *told.in_all] if accounts is None else accounts
    beside = sum(told.in_all.get(one, 0) for one in mine)
    followed = [told.by_minute[one] for one in mine if one in told.by_minute]
    if not followed:
        spent, length = Money(from_units(0, beside), CURRENCY), BURN_MINUTES
    else:
        each, rest = divmod(beside, BURN_MINUTES)
        units = map(sum, zip(*followed, strict=True))
        minutes = [Money(from_units(0, one + each + (n < rest)), CURRENCY) for n, one in enumerate(units)]
        window = paced_over(minutes, usual)
        spent, length = total((minutes[n] for n in window), CURRENCY), len(window)
    return burn_per_minute(spent, length) or Money.zero(CURRENCY)


def _a_minute(question: Question, usual: Usual) -> Money | None:
    """What is usual for one minute of a question's period."""
    if usual.amount is None:
        return None
    days = period_of(question.period, question.day).days
    return Money(EXACT.divide(usual.amount.amount, days * MINUTES_PER_DAY), usual.amount.currency)


def _by_start(rows: Iterable[UsageSum], taught: Mapping[int, Taught]) -> dict[Account, dict[int, int]]:
    """What each bucket of each account cost, in atto-dollars."""
    found: dict[Account, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        found[row.connection_id, row.sub_account_id][row.start] += corrected(taught, row)
    return found


def _is_told_whole(minutes: Mapping[int, int], hours: Mapping[int, int], since: int, a_day: Usual) -> bool:
    """Whether minutes tell all that burned of the hour in which it began: who was silent before has no others."""
    first = since // _HOUR * _HOUR
    if since == first:
        return False
    known = sum(units for minute, units in minutes.items() if since <= minute < first + _HOUR)
    # Rounded row by row, an hour and its minutes differ by some attos.
    before = Money(from_units(max(0, hours.get(first, 0) - known) // 10**9, 0), CURRENCY)
    return not is_unusual(before, _share_of(a_day, since - first))


def _steps(buckets: Mapping[int, int], start: int, end: int, length: int) -> list[tuple[datetime, Money]]:
    """[start, end) in equal steps, oldest first; a step without usage has cost nothing."""
    return [
        (moment_of(each), Money(from_units(0, sum(buckets.get(each + n, 0) for n in range(length))), CURRENCY))
        for each in range(start, end, length)
    ]


def _share_of(a_day: Usual, minutes: int) -> Money | None:
    """What is usual for so many minutes of a day."""
    if a_day.amount is None:
        return None
    whole = EXACT.multiply(a_day.amount.amount, minutes)
    return Money(EXACT.divide(whole, MINUTES_PER_DAY), a_day.amount.currency)


def _latest(picture: Picture, question: Question, newest: Mapping[int, int]) -> int | None:
    accounts = picture.accounts(question.kind, question.scope_id)
    connections = set(newest) if accounts is None else {account[0] for account in accounts}
    return max((newest[one] for one in connections if one in newest), default=None)


def _end_of(minute: int | None) -> datetime | None:
    return None if minute is None else moment_of(minute + 1)


def corrected(taught: Mapping[int, Taught], row: UsageSum) -> int:
    """What usage costs by what bills have taught, in atto-dollars."""
    learned = taught.get(row.connection_id)
    if learned is None or not row.atto:
        return row.atto
    ratio = learned.corrections.of(row.sub_account_id, row.model).ratio
    return int(EXACT.multiply(Decimal(row.atto), ratio).to_integral_value())


def _kept(found: Usual) -> Usual:
    return found if found.amount is None else Usual(_rounded(found.amount), found.days, found.method)


def _rounded(amount: Money) -> Money:
    """As it is kept: what comes back from the database must be what was decided, or every look would be news."""
    return Money(from_units(*to_units(amount.amount)), amount.currency)
