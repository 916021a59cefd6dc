"""Allocation, roles, restatements: whose it is, who may touch it, and what the provider changed its mind about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.allocation import (
    SubAccountCost,
    allocate,
    in_currency,
    main_currency,
    project_shares,
    totals_by_currency,
)
from finops.figures import breakdown_of
from finops.money import Money, total
from finops.registry import Person, Project, Role, Team
from finops.restatement import Restatement, changes
from finops.roles import may_manage_team

NOW = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)
TEAMS = {1: "마케팅팀", 2: "데이터팀"}


def a_project(id: int, team_id: int = 1, connection_id: int = 1, provider_id: str | None = None) -> Project:  # noqa: A002
    provider_id = provider_id or f"proj_{id}"
    details = dict.fromkeys(("environment", "service", "cost_center", "lead_user_id"))
    return Project(
        id, "T1", connection_id, team_id, provider_id, f"project {id}", **details, excluded=False, registered_by="U1",
        registered_at=NOW,
    )  # fmt: skip


def cost(amount: str, sub_account_id: str | None, connection_id: int = 1) -> SubAccountCost:
    return SubAccountCost(connection_id, sub_account_id, Money.of(amount))


costs = st.builds(
    SubAccountCost,
    st.sampled_from([1, 2]),
    st.sampled_from([None, "", "proj_1", "proj_2", "proj_3", "proj_nobody"]),
    st.builds(Money, st.decimals(-1000, 1000, places=18)),
)
PROJECTS = [a_project(1, team_id=1), a_project(2, team_id=2), a_project(3, team_id=2, connection_id=2)]


@given(st.lists(costs, max_size=40), st.integers(1, 5))
def test_projects_and_nobody_make_the_providers_total(told: list[SubAccountCost], top: int) -> None:
    """Every day, to the last digit, by project, and in every breakdown shown of them."""
    allocation = allocate(told, PROJECTS)
    whole = total(cost.amount for cost in told)
    nobody = allocation.unallocated_total
    assert allocation.total == whole
    assert total(allocation.by_project.values()) + nobody == whole
    shown = breakdown_of(project_shares(allocation, PROJECTS, TEAMS), top)
    assert shown.total == whole
    assert total(share.amount for share in shown.shares) + (shown.others or Money.zero()) == whole


def test_the_same_project_id_of_another_organization_is_another_project() -> None:
    """Ids are a provider's own; a connection is part of the key."""
    allocation = allocate([cost("1", "proj_1", 1), cost("2", "proj_1", 2)], PROJECTS)
    assert allocation.by_project == {1: Money.of(1)}
    assert allocation.unallocated == (cost("2", "proj_1", 2),)


def test_what_nobody_registered_is_told_by_project_and_without() -> None:
    """Null, empty and unknown project ids are all unallocated; null and empty are the same."""
    allocation = allocate([cost("1", None), cost("2", ""), cost("3", "proj_nobody"), cost("4", "proj_1")], PROJECTS)
    assert allocation.unallocated == (cost("3", None), cost("3", "proj_nobody"))
    shares = project_shares(allocation, PROJECTS, TEAMS)
    assert [(share.name, share.team_name, share.amount, share.is_unallocated) for share in shares] == [
        ("project 1", "마케팅팀", Money.of(4), False),
        ("", None, Money.of(6), True),
    ]


def test_currencies_stand_side_by_side() -> None:
    """Dollars speak first where there are any; nothing is converted, nothing is lost."""
    told = [
        SubAccountCost(1, None, Money.of(320, "JPY")),
        cost("1.50", None),
        SubAccountCost(1, None, Money.of(5, "EUR")),
    ]
    amounts = [one.amount for one in told]
    assert totals_by_currency(amounts) == {
        "EUR": Money.of(5, "EUR"), "JPY": Money.of(320, "JPY"), "USD": Money.of("1.50"),
    }  # fmt: skip
    assert main_currency(amounts) == "USD"
    assert main_currency([Money.of(320, "JPY"), Money.of(5, "EUR"), Money.zero()]) == "EUR"
    assert main_currency([]) == "USD"
    assert in_currency(told, "JPY") == [told[0]]


# --- restatements ----------------------------------------------------------------------------------------------------

days = st.dictionaries(
    st.tuples(st.sampled_from(["", "proj_a", "proj_b"]), st.just("USD")),
    st.builds(Money, st.decimals(-100, 100, places=9)),
)


@given(days, days)
def test_the_differences_lead_from_the_old_bill_to_the_new(
    old: dict[tuple[str, str], Money], new: dict[tuple[str, str], Money]
) -> None:
    """Nothing that moved is missing, nothing that stood still is told."""
    moved = changes(old, new)
    assert total(old.values()) + total(change.difference for change in moved) == total(new.values())
    assert all(change.difference for change in moved)
    assert changes(new, new) == []


def test_a_project_that_appears_or_vanishes_moved_from_or_to_zero() -> None:
    """Of a day that was read, no line is a zero; the same amount in other digits has not moved."""
    old = {("", "USD"): Money.of(1), ("proj_a", "USD"): Money.of("2.50"), ("proj_b", "JPY"): Money.of(3, "JPY")}
    new = {("proj_a", "USD"): Money.of("2.5"), ("proj_b", "JPY"): Money.of(4, "JPY"), ("proj_c", "USD"): Money.of(5)}
    assert changes(old, new) == [
        Restatement(None, Money.of(1), Money.zero()),
        Restatement("proj_b", Money.of(3, "JPY"), Money.of(4, "JPY")),
        Restatement("proj_c", Money.zero(), Money.of(5)),
    ]


# --- roles -----------------------------------------------------------------------------------------------------------

TEAM = Team(1, "T1", "마케팅팀", "U0LEAD", "C1", "ko", ("U0APPROVER", "S0FINANCE"), "U0ADMIN", NOW)


def a_person(user_id: str, role: Role = Role.MEMBER, workspace_id: str = "T1") -> Person:
    return Person(workspace_id, user_id, "이름", role, "ko-KR", "Asia/Seoul", is_workspace_admin=True, seen_at=NOW)


@pytest.mark.parametrize(
    ("person", "groups", "may"),
    [
        (a_person("U0ADMIN", Role.ADMIN), (), True),
        (a_person("U0LEAD"), (), True),
        (a_person("U0APPROVER"), (), True),
        (a_person("U0OTHER"), ("S0FINANCE",), True),
        (a_person("U0OTHER"), ("S0OTHER",), False),
        (a_person("U0OTHER"), (), False),
        (a_person("U0ADMIN", Role.ADMIN, "T2"), (), False),
        (a_person("U0LEAD", workspace_id="T2"), (), False),
        (a_person("U0LEAD", Role.OUTSIDER), (), False),
        (a_person("U0OTHER", Role.OUTSIDER), ("S0FINANCE",), False),
    ],
)
def test_a_team_is_managed_by_admins_its_lead_and_its_approvers(
    person: Person, groups: tuple[str, ...], may: bool
) -> None:
    """By name or through a user group, and never from another workspace, nor by an outsider."""
    assert may_manage_team(person, TEAM, groups) is may


def test_ratios_are_exact_enough_to_show() -> None:
    """A third is a third to eighty digits, not a float."""
    assert Money.of(1).ratio_of(Money.of(3)) == Decimal(f"0.{'3' * 80}")
