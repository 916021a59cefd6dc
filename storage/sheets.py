"""Sheets: what every project cost on one day in one piece, so that weeks of thousands are added up in milliseconds.

A database adds up a month of two thousand projects row by row and sorts sixty thousand of them first. A sheet is read
at once, and two sheets that name the same projects are added column by column.
"""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

_NANO = 10**9
# Eight bytes with a sign, the smallest first: wherever a database is carried.
_INTEGER = "q"
BYTES_FOR_ONE = 16  # sum: its nano-units and its rest


class Sheet(NamedTuple):
    """The sums of one day, connection and currency: the names in order, and as many nano-units and rests."""

    connection_id: int
    currency: str
    day: date
    accounts: bytes
    amounts: bytes


class AccountSum(NamedTuple):
    """What one project cost, as whole nano-units and the rest in atto-units."""

    connection_id: int
    currency: str
    account: str
    nano: int
    rest: int


def packed(accounts: Iterable[str], units: Iterable[tuple[int, int]]) -> tuple[bytes, bytes]:
    """The names and the amounts of a sheet. No name holds a zero character; every amount fits the ledger."""
    nanos, rests = zip(*units, strict=True)
    return "\0".join(accounts).encode(), _ordered(array(_INTEGER, nanos + rests)).tobytes()


def _amounts(sheet: Sheet) -> array[int]:
    return _ordered(array(_INTEGER, sheet.amounts))


def _ordered(integers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        integers.byteswap()
    return integers


def _names(accounts: bytes) -> list[str]:
    return accounts.decode().split("\0")


class Adding:
    """Adds sheets up per project, exactly."""

    def __init__(self) -> None:
        self._running: dict[tuple[int, str, bytes], Sequence[int]] = {}

    def add(self, sheets: Iterable[Sheet]) -> None:
        """Take these too. Slow for many: call it in a thread."""
        alike: dict[tuple[int, str, bytes], list[Sequence[int]]] = defaultdict(list)
        for sheet in sheets:
            alike[sheet.connection_id, sheet.currency, sheet.accounts].append(_amounts(sheet))
        for key, columns in alike.items():
            if key in self._running:
                columns.append(self._running[key])
            self._running[key] = list(map(sum, zip(*columns, strict=True)))

    def sums(self, named: Mapping[int, Collection[str]] | None) -> Iterator[AccountSum]:
        """The sums by connection, currency and name; of the named projects only, when given."""
        found: dict[tuple[int, str, str], tuple[int, int]] = {}
        for (connection_id, currency, accounts), amounts in self._running.items():
            names = _names(accounts)
            for name, nano, rest in zip(names, amounts, amounts[len(names) :], strict=False):
                if named is None or name in named[connection_id]:
                    key = (connection_id, currency, name)
                    before = found.get(key, (0, 0))
                    found[key] = (before[0] + nano, before[1] + rest)
        return (AccountSum(*key, nano + rest // _NANO, rest % _NANO) for key, (nano, rest) in sorted(found.items()))


def by_day(
    sheets: Iterable[Sheet], named: Mapping[int, Collection[str]]
) -> dict[tuple[date, str], list[tuple[int, int]]]:
    """What the named projects cost, by day and currency, an amount for each sheet that knows any of them."""
    found: dict[tuple[date, str], list[tuple[int, int]]] = defaultdict(list)
    places: dict[tuple[int, bytes], tuple[int, list[int]]] = {}
    for sheet in sheets:
        key = (sheet.connection_id, sheet.accounts)
        if key not in places:
            names, wanted = _names(sheet.accounts), named[sheet.connection_id]
            places[key] = (len(names), [place for place, name in enumerate(names) if name in wanted])
        width, mine = places[key]
        if mine:
            amounts = _amounts(sheet)
            units = (sum(amounts[place] for place in mine), sum(amounts[width + place] for place in mine))
            found[sheet.day, sheet.currency].append(units)
    return found
