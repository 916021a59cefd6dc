"""Spending adds up: whatever is corrected, parts and what nobody owns make the whole, and unknown is never zero."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.picture import Facts, House, Picture, Taught
from bot.spending import corrected
from finops.charges import DayReading, FigureState
from finops.estimates import Correction, CorrectionBasis, Corrections
from finops.money import from_units, total
from finops.periods import Period
from finops.queries import ScopeKind
from finops.registry import Connection, Credential, CredentialState, Project, Team
from storage.records_live import Estimate

TODAY = date(2026, 7, 6)
NOW = datetime(2026, 7, 6, 5, 0, tzinfo=UTC)
DAY = Period(TODAY, TODAY + timedelta(days=1))
WEEK = Period(TODAY - timedelta(days=6), TODAY + timedelta(days=1))
ACCOUNTS = ("", "proj_a", "proj_b", "proj_left_out", "proj_nobodys")
UNITS = st.integers(min_value=0, max_value=10**24)
RATIOS = st.decimals(min_value=Decimal("0.5"), max_value=2, places=9)


def a_team(id_: int) -> Team:
    return Team(id_, "T1", f"team {id_}", "U1", "C1", "ko", (), "U1", NOW)


def a_project(id_: int, team_id: int, account: str, *, excluded: bool = False) -> Project:
    return Project(id_, "T1", 1, team_id, account, account, None, None, None, None, excluded, "U1", NOW)


def a_connection(id_: int = 1, *, usage_blind: bool = False) -> Connection:
    since = NOW if usage_blind else None
    return Connection(id_, "T1", "openai", None, None, since, None, NOW, NOW, usage_blind=usage_blind)


def a_key(of: Connection) -> Credential:
    return Credential(of.id, "T1", of.id, 1, "abc1", (), CredentialState.ENABLED, "U1", NOW)


def a_house(*connections: Connection) -> House:
    projects = [a_project(1, 1, "proj_a"), a_project(2, 2, "proj_b"), a_project(3, 1, "proj_left_out", excluded=True)]
    known = connections or (a_connection(),)
    return House([a_team(1), a_team(2)], projects, known, [a_key(one) for one in known])


def facts(
    closed: dict[tuple[int, str], int], opened: dict[tuple[int, str], int], read_at: datetime | None = NOW
) -> Facts:
    past = [TODAY - timedelta(days=back) for back in range(1, 7)]
    return Facts(
        now=NOW,
        closed={DAY: {}, WEEK: closed},
        open={TODAY: opened},
        unpriced={},
        readings={1: {day: DayReading(day, NOW, NOW, 0) for day in past}},
        estimated_days={1: frozenset({TODAY})},
        usage_read_at={} if read_at is None else {1: read_at},
        stale_after=timedelta(minutes=25),
    )


@given(
    closed=st.dictionaries(st.tuples(st.just(1), st.sampled_from(ACCOUNTS)), UNITS),
    opened=st.dictionaries(st.tuples(st.just(1), st.sampled_from(ACCOUNTS)), UNITS),
)
def test_projects_and_what_nobody_owns_are_the_workspace(
    closed: dict[tuple[int, str], int], opened: dict[tuple[int, str], int]
) -> None:
    """Also by team, and of a project left out of collecting nobody answers; to the last digit."""
    picture = Picture(TODAY, a_house(), facts(closed, opened), {})
    whole = picture.spent(ScopeKind.WORKSPACE, None, WEEK)
    for kind, ids in ((ScopeKind.PROJECT, (1, 2, 3)), (ScopeKind.TEAM, (1, 2))):
        parts = [picture.spent(kind, one, WEEK).amount for one in ids]
        assert total([*parts, picture.unallocated(WEEK)]) == whole.amount
    assert whole.amount.amount == from_units(0, sum(closed.values()) + sum(opened.values()))
    assert whole.estimated.amount == from_units(0, sum(opened.values()))
    for kind, id_ in ((ScopeKind.WORKSPACE, None), (ScopeKind.TEAM, 1), (ScopeKind.PROJECT, 2)):
        assert from_units(0, picture.units(kind, id_, WEEK)) == picture.spent(kind, id_, WEEK).amount.amount


@given(rows=st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(["m", "n"]), UNITS)), ratio=RATIOS)
def test_every_row_is_corrected_as_a_correction_says(rows: list[tuple[str, str, int]], ratio: Decimal) -> None:
    """Whole numbers here, decimals there: the same rounding, so that the sum of rows is the sum of what is shown."""
    correction = Correction(ratio, 3, CorrectionBasis.MODEL)
    taught = {1: Taught(Corrections({}, {"m": correction}), None)}
    estimates = [Estimate(1, TODAY, account, model, units, 0, 1) for account, model, units in rows]
    opened, _ = corrected(estimates, {1: frozenset({TODAY})}, taught)
    wanted = [
        correction.apply(from_units(0, units)) if model == "m" else from_units(0, units) for _, model, units in rows
    ]
    assert from_units(0, sum(opened.get(TODAY, {}).values())) == sum(wanted, Decimal(0))


def test_what_was_not_looked_at_is_blind_and_keeps_what_is_known() -> None:
    """Never read, read too long ago, or known to be dark: the amount stands, and says that it is not all."""
    opened = {(1, "proj_a"): 10**18}
    seen = Picture(TODAY, a_house(), facts({}, opened), {})
    assert seen.spent(ScopeKind.PROJECT, 1, DAY).state is FigureState.ESTIMATE
    for picture in (
        Picture(TODAY, a_house(), facts({}, opened, read_at=None), {}),
        Picture(TODAY, a_house(), facts({}, opened, read_at=NOW - timedelta(minutes=26)), {}),
        Picture(TODAY, a_house(a_connection(usage_blind=True)), facts({}, opened), {}),
    ):
        for kind, id_ in ((ScopeKind.PROJECT, 1), (ScopeKind.TEAM, 1), (ScopeKind.WORKSPACE, None)):
            spent = picture.spent(kind, id_, DAY)
            assert (spent.state, spent.amount.amount) == (FigureState.BLIND, 1)


def test_a_connection_that_is_only_being_made_leaves_the_others_alone() -> None:
    """It was never read and nobody said that it should have been: the workspace's figure is not doubtful for it."""
    new = Connection(2, "T1", "openai", None, None, None, None, None, NOW)
    picture = Picture(TODAY, a_house(a_connection(), new), facts({}, {(1, "proj_a"): 1}), {})
    assert picture.spent(ScopeKind.WORKSPACE, None, DAY).state is FigureState.ESTIMATE


def test_the_largest_spender_is_found_in_its_scope() -> None:
    picture = Picture(TODAY, a_house(), facts({}, {(1, "proj_a"): 1, (1, "proj_b"): 2, (1, "proj_left_out"): 9}), {})
    largest = {kind: picture.largest(kind, id_, DAY) for kind, id_ in (
        (ScopeKind.WORKSPACE, None), (ScopeKind.TEAM, 1), (ScopeKind.PROJECT, 1),
    )}  # fmt: skip
    assert {kind: one and one.id for kind, one in largest.items()} == {
        ScopeKind.WORKSPACE: 2, ScopeKind.TEAM: 1, ScopeKind.PROJECT: 1,
    }  # fmt: skip
    assert Picture(TODAY, a_house(), facts({}, {}), {}).largest(ScopeKind.WORKSPACE, None, DAY) is None
