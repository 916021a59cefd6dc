"""Sheets: packed sums add up exactly, whoever is named and whatever the days have in common."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storage.sheets import AccountSum, Adding, Sheet, by_day, packed

LARGEST = 2**63 - 1
NANO = 10**9
DAY = date(2026, 7, 1)
names = st.sampled_from(["", "proj_a", "proj_b", "프로젝트", "a\tb\n"])
units = st.tuples(st.integers(-LARGEST, LARGEST), st.integers(0, NANO - 1))
costs = st.dictionaries(names, units, min_size=1)
days = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2), st.sampled_from(["EUR", "USD"]), costs), max_size=12)
Told = list[tuple[int, int, str, dict[str, tuple[int, int]]]]


def sheets_of(told: Told) -> list[Sheet]:
    return [
        Sheet(
            connection_id,
            currency,
            DAY + timedelta(days=offset),
            *packed(sorted(each), [each[k] for k in sorted(each)]),
        )
        for offset, connection_id, currency, each in told
    ]


@given(days, st.integers(0, 12))
def test_projects_add_up_to_the_last_atto_unit_however_the_days_are_split(told: Told, split: int) -> None:
    """A thousand times the largest amount is still an integer: nothing is rounded and nothing overflows."""
    expected: dict[tuple[int, str, str], int] = defaultdict(int)
    for _, connection_id, currency, each in told:
        for name, (nano, rest) in each.items():
            expected[connection_id, currency, name] += nano * NANO + rest
    adding, sheets = Adding(), sheets_of(told)
    adding.add(sheets[:split])
    adding.add(sheets[split:])
    found = list(adding.sums(None))
    assert {(one.connection_id, one.currency, one.account): one.nano * NANO + one.rest for one in found} == expected
    assert all(0 <= one.rest < NANO for one in found)
    assert found == sorted(found)


@given(days)
def test_only_the_named_projects_are_told_of(told: Told) -> None:
    """By project and by day alike: what another project cost is in neither."""
    named = {1: {"proj_a", ""}, 2: {"프로젝트"}}
    by_project: dict[str, int] = defaultdict(int)
    per_day: dict[tuple[date, str], int] = defaultdict(int)
    for offset, connection_id, currency, each in told:
        for name in named[connection_id] & each.keys():
            amount = each[name][0] * NANO + each[name][1]
            by_project[currency] += amount
            per_day[DAY + timedelta(days=offset), currency] += amount
    adding = Adding()
    adding.add(sheets_of(told))
    found: dict[str, int] = defaultdict(int)
    for one in adding.sums(named):
        assert one.account in named[one.connection_id]
        found[one.currency] += one.nano * NANO + one.rest
    assert found == by_project
    days_found = by_day(sheets_of(told), named)
    assert {key: sum(nano * NANO + rest for nano, rest in parts) for key, parts in days_found.items()} == per_day


def test_a_sheet_reads_the_same_on_every_machine() -> None:
    """Eight bytes each, the smallest first: a database is carried from one kind of processor to another."""
    accounts, amounts = packed(["a", "b"], [(1, 2), (-1, 3)])
    assert accounts == b"a\0b"
    assert amounts.hex() == "0100000000000000" + "ff" * 8 + "0200000000000000" + "0300000000000000"
    adding = Adding()
    adding.add([Sheet(7, "USD", DAY, accounts, amounts)])
    assert list(adding.sums(None)) == [AccountSum(7, "USD", "a", 1, 2), AccountSum(7, "USD", "b", -1, 3)]
