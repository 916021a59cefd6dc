"""The usual: what was asked since some minute of today, set beside the same minutes of the seven days before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from bot.picture import Account, Taught, money_of
from finops.decomposition import UsageOfBoth, explained_together
from finops.estimates import UNCORRECTED
from finops.periods import Period, minute_of, moment_of, starts_at
from finops.prices import PriceList
from finops.usage import Width
from finops.usage_groups import UsageGroup
from finops.why import UsualHours, Why
from storage import Store
from storage.usage_groups_sums import GroupedUsage

COMPARED_DAYS = 7
_HOUR, _DAY = int(Width.HOUR), int(Width.DAY)
_OWN = 20

Grouped = dict[Account, list[UsageGroup]]


def corrected(rows: Iterable[GroupedUsage], taught: Mapping[int, Taught]) -> Grouped:
    """The groups of each provider project, their estimates corrected by what bills taught."""
    found: Grouped = defaultdict(list)
    for row in rows:
        known = taught.get(row.connection_id)
        correction = known.corrections.of(row.sub_account_id, row.group.model) if known is not None else UNCORRECTED
        group = row.group
        if group.atto and correction is not UNCORRECTED:
            group = group._replace(atto=round(group.atto * Fraction(correction.ratio)))
        found[row.connection_id, row.sub_account_id].append(group)
    return found


def side_by_side(now: Grouped, before: Grouped) -> list[UsageOfBoth]:
    """Both periods of each project: those that moved most each for itself, the many others as if they were one.

    A workspace has thousands of projects, and what the small ones did is told of them together.
    """

    def moved(account: Account) -> int:
        return abs(_atto(now.get(account, ())) - _atto(before.get(account, ())))

    accounts = sorted({*now, *before}, key=lambda account: (-moved(account), account))
    own, rest = accounts[:_OWN], accounts[_OWN:]
    pairs: list[UsageOfBoth] = [(now.get(account, ()), before.get(account, ())) for account in own]
    if rest:
        both = ([group for account in rest for group in side.get(account, ())] for side in (now, before))
        pairs.append((next(both), next(both)))
    return pairs


def _atto(groups: Iterable[UsageGroup]) -> int:
    return sum(group.atto for group in groups)


async def against_usual(
    store: Store,
    workspace_id: str,
    accounts: Collection[tuple[int, str | None]] | None,
    stretch: tuple[int, int],
    day: date,
    taught: Mapping[int, Taught],
    prices: PriceList,
) -> Why | None:
    """Why [start, end) in minutes of `day` differs from the same minutes of the seven days before, on average.

    Of an hour that is compared in part, its part is taken. Days without any usage say nothing about a usual day and
    are left out; None when none is left.
    """
    start, end = stretch
    midnight = minute_of(starts_at(day))
    present = await store.usage.grouped_between(workspace_id, start, end, accounts)
    minutes = {
        hour: within
        for hour in range(0, _DAY, _HOUR)
        if (within := min(midnight + hour + _HOUR, end) - max(midnight + hour, start)) > 0
    }
    days, past = await store.usage.same_hours(workspace_id, midnight, COMPARED_DAYS, minutes, accounts)
    if not days:
        return None
    now, before = corrected(present, taught), corrected(past, taught)
    share = Fraction(1, _HOUR * days)
    spent = money_of(sum(map(_atto, now.values())))
    usual = money_of(round(share * sum(map(_atto, before.values()))))
    found = explained_together(
        Period(day, day + timedelta(days=1)),
        Period(day - timedelta(days=COMPARED_DAYS), day),
        spent,
        usual,
        side_by_side(now, before),
        prices,
        share_before=share,
    )
    return replace(found, hours=UsualHours(moment_of(start), moment_of(end), days))
