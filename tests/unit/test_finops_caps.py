"""Caps: seen where they are passed, by segment; written and read as people change them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finops.caps import SEED_CAPS, Cap, CapsUnreadable, UserDay, read_caps, seen, written
from finops.money import Money

MONDAY = date(2026, 7, 6)


def day(segment: str, cost: str, call: str, user: str = "u1", project_id: int = 1) -> UserDay:
    return UserDay(project_id, MONDAY, user, segment, Money.of(cost), Money.of(call))


def test_the_seeded_caps_are_those_of_the_requirements() -> None:
    """0.05 and 5 for everybody, 0.20 and 50 for research, 0.02 and 1 for sales."""
    told = [(one.segment, str(one.per_call.amount), str(one.per_user_day.amount)) for one in SEED_CAPS.values()]
    assert told == [("", "0.05", "5"), ("rnd_engineer", "0.20", "50"), ("sales", "0.02", "1")]


def test_reaching_a_cap_is_within_it_and_a_nano_more_is_not() -> None:
    assert seen([day("sales", "1", "0.02")]) == []
    [found] = seen([day("sales", "1.000000001", "0.02")])
    assert (found.dearest_user_day, found.dearest_call) == (Money.of("1.000000001"), None)


def test_a_segment_without_a_cap_of_its_own_has_the_default() -> None:
    [found] = seen([day("support", "6", "0.01"), day("support", "1", "0.06", "u2"), day("rnd_engineer", "6", "0.06")])
    assert (found.segment, found.users) == ("support", 2)
    assert found.dearest_user_day == Money.of("6")
    assert found.dearest_call == Money.of("0.06")


def test_the_worst_stands_first() -> None:
    found = seen([day("sales", "2", "0.01"), day("", "9", "0.01", project_id=2)])
    assert [one.project_id for one in found] == [2, 1]


def test_what_is_written_is_read_again() -> None:
    assert read_caps(written(SEED_CAPS.values())) == list(SEED_CAPS.values())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sales: 0.02", 1),
        ("*: 0.05 / 5\nsales 0.02 / 1", 2),
        ("sales: 0 / 1", 1),
        ("a: 1 / 1\n\na: 2 / 2", 3),
        ("a: -1 / 1", 1),
        ("a: 1원 / 1", 1),
    ],
)
def test_a_line_that_is_no_cap_is_named(text: str, line: int) -> None:
    with pytest.raises(CapsUnreadable) as refusal:
        read_caps(text)
    assert refusal.value.line == line


def test_people_type_as_they_like() -> None:
    assert read_caps("  영업팀 : $0.02/1 \n\n*:0.05 / 5") == [
        Cap("영업팀", Money.of("0.02"), Money.of("1")),
        Cap("", Money.of("0.05"), Money.of("5")),
    ]


AMOUNTS = st.sampled_from(["0", "0.00", "0.02", "$1", "5", "-1"])
LINES = st.lists(
    st.builds("{}: {} / {}".format, st.sampled_from(["*", "sales", "영업팀"]), AMOUNTS, AMOUNTS), max_size=3
)


@example("sales: 0.02 / 1")
@example("sales: 0 / 1")
@given(st.text(max_size=80) | LINES.map("\n".join))
def test_nothing_typed_breaks_the_reader(text: str) -> None:
    try:
        found = read_caps(text)
    except CapsUnreadable:
        return
    assert all(one.per_call and one.per_user_day for one in found)
