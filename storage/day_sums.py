"""What one day of a bill comes to, by project, by line item and of all, beside the lines it is the sum of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, compress
from operator import ne, or_, sub

from finops.frozen import frozen
from storage.day_lines import Lines
from storage.sheets import packed

_NANO = 10**9

Units = tuple[int, int]
"""Whole nano-units, and the rest in atto-units."""


@frozen
class DaySums:
    """The sums of one day as they will stand beside its lines.

    `costs` are by project, `items` by line item, `totals` of all, each in its currency; with a sheet per currency.
    """

    costs: dict[tuple[str, str], Units]
    items: dict[tuple[str, str], Units]
    totals: dict[str, Units]
    sheets: dict[str, tuple[bytes, bytes]]


def summed(lines: Lines) -> DaySums:
    """Everything the lines of one day add up to. Pure, and slow for large days: call it in a thread."""
    if not lines.accounts:
        return DaySums({}, {}, {}, {})
    costs = _costs(lines)
    totals: dict[str, Units] = {}
    for (_, currency), (nano, rest) in costs.items():
        before = totals.get(currency, (0, 0))
        totals[currency] = _carried(before[0] + nano, before[1] + rest)
    sheets = {}
    for each in sorted(totals):
        mine = {account: units for (account, currency), units in costs.items() if currency == each}
        sheets[each] = packed(mine, mine.values())
    return DaySums(costs, _items(lines), totals, sheets)


def _costs(lines: Lines) -> dict[tuple[str, str], Units]:
    """The sum of each project and currency. They stand together: a sum is the difference of two running totals."""
    accounts, currencies = lines.accounts, lines.currencies
    is_next: Iterable[bool] = map(ne, accounts, accounts[1:])
    if len(set(currencies)) > 1:
        is_next = map(or_, is_next, map(ne, currencies, currencies[1:]))
    borders = [0, *compress(range(1, len(accounts)), is_next), len(accounts)]
    nanos, rests = (_between(borders, column) for column in (lines.nanos, lines.rests))
    return {
        (accounts[start], currencies[start]): (nano + rest // _NANO, rest % _NANO)
        for start, nano, rest in zip(borders, nanos, rests, strict=False)  # the last border begins nothing
    }


def _items(lines: Lines) -> dict[tuple[str, str], Units]:
    """The sum of each line item and currency, over all projects."""
    found: dict[tuple[str, str], list[int]] = {}
    for name, nano, rest in zip(zip(lines.currencies, lines.skus, strict=True), lines.nanos, lines.rests, strict=True):
        sums = found.get(name)
        if sums is None:
            found[name] = [nano, rest]
        else:
            sums[0] += nano
            sums[1] += rest
    return {name: _carried(*sums) for name, sums in found.items()}


def _between(borders: Sequence[int], column: Sequence[int]) -> Iterator[int]:
    running = list(accumulate(column, initial=0))
    reached = [running[border] for border in borders]
    return map(sub, reached[1:], reached)


def _carried(nano: int, rest: int) -> tuple[int, int]:
    more, rest = divmod(rest, _NANO)
    return nano + more, rest
