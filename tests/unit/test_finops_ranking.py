"""Ranking: the published rule, whatever order projects come in, and the same answer when chance deals again."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.value import RECORDED_A_DAY
from finops.digest import Baseline, DigestProject, Unranked
from finops.money import Money
from finops.ranking import (
    AT_MOST_BELOW,
    LEAST_OUTCOMES,
    MOST_EACH,
    Contender,
    Ranking,
    is_as_usual,
    is_below,
    past_of,
    ranked,
    worth_of,
)
from finops.value import NO_VALUE, ValueFigure, ValueSource, ValueSums, figure
from tests.unit.ranking_trace import named, week_of

USD = Money.of


def value_of(successes: int, outcomes: int, cost: str, score: int | None = None) -> ValueFigure:
    nano = int(Decimal(cost) * 10**9)
    sums = ValueSums(
        calls=outcomes, successes=successes, failures=outcomes - successes, priced=outcomes, cost_nano=nano,
        scored=0 if score is None else outcomes, score_sum=0 if score is None else score * outcomes,
    )  # fmt: skip
    return figure(sums, USD(cost), outcomes)


def contender(
    number: int, successes: int, outcomes: int, cost: str = "100", usual: str = "1", **more: object
) -> Contender:
    """A project that usually gets `usual` successes for a dollar."""
    given: dict[str, object] = {"trailing": (Decimal(usual),) * 4} | more
    return Contender(
        number, f"app-{number}", "팀", USD(cost), USD(cost), value_of(successes, outcomes, cost), **given,  # type: ignore[arg-type]
    )  # fmt: skip


def names(projects: tuple[DigestProject, ...]) -> list[int]:
    return [one.project_id for one in projects]


def test_six_clear_projects_are_three_and_three_best_first_and_worst_first():
    good = [contender(n, 100 + 30 * n, 400) for n in range(1, 4)]
    poor = [contender(n, 100 - 20 * (n - 3), 400) for n in range(4, 7)]
    found = ranked([*good, *poor], USD("600"))
    assert names(found.best) == [3, 2, 1]
    assert names(found.improve) == [6, 5, 4]
    assert found.others == ()
    assert all(one.baseline is Baseline.OWN_MEDIAN and one.unranked is None for one in (*found.best, *found.improve))


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (9, 3)])
def test_fewer_than_six_projects_are_never_all_praised(count: int, most: int):
    found = ranked([contender(n, 150 + n, 400) for n in range(count)], USD("600"))
    assert len(found.best) == most
    assert found.improve == ()
    assert [one.unranked for one in found.others] == [Unranked.RESTED] * (count - most)


def test_who_is_not_ranked_is_told_why():
    whole = USD("10000")
    cases = {
        Unranked.NO_SPEND: replace(contender(1, 100, 200), cost=USD("0")),
        Unranked.NO_VALUE: replace(contender(2, 100, 200), value=NO_VALUE),
        Unranked.SMALL_SPEND: contender(3, 100, 200, "99.99"),
        Unranked.FEW_OUTCOMES: contender(4, 10, LEAST_OUTCOMES - 1),
        Unranked.NO_BASELINE: contender(5, 100, 200, trailing=(Decimal(1),)),
        None: contender(6, 100, LEAST_OUTCOMES + 170),
    }
    found = {one.project_id: one.unranked for one in _every(ranked(cases.values(), whole))}
    assert found == {one.project_id: reason for reason, one in cases.items()}


def test_thousands_of_outcomes_are_not_too_few_where_nobody_knows_their_cost():
    """A sample of the calls is recorded, without what they cost: neither the bill nor a price tells of them."""
    sampled = figure(ValueSums(calls=4000, successes=3000, failures=1000), USD("500"), 100_000)
    mute = figure(ValueSums(calls=4000, successes=400), USD("500"), 4000)
    found = {
        one.project_id: one.unranked
        for one in ranked(
            [replace(contender(n, 1, 1), value=each) for n, each in enumerate((sampled, mute))], USD("200")
        ).others
    }
    assert found == {0: Unranked.NO_PRICE, 1: Unranked.FEW_OUTCOMES}


def test_people_who_rate_a_project_do_not_rank_it():
    rated = figure(ValueSums(), USD("500"), None, [("U1", 1000), ("U2", 500)])
    assert rated.source is ValueSource.RATINGS
    [one] = ranked([replace(contender(1, 1, 1), value=rated)], USD("500")).others
    assert one.unranked is Unranked.FEW_OUTCOMES


def test_a_target_of_the_team_goes_before_its_own_past():
    [one] = ranked([contender(1, 100, 200, target=USD("2"))], USD("100")).best
    assert (one.baseline, one.ratio) == (Baseline.TARGET, Decimal(2))


def test_a_target_in_another_currency_says_nothing():
    [one] = _every(ranked([contender(1, 100, 200, target=Money.of("2", "EUR"))], USD("100")))
    assert one.baseline is Baseline.OWN_MEDIAN


def test_feedback_weighs_successes():
    worth = worth_of(value_of(100, 100, "50", score=500), USD("50"))
    assert worth is not None
    assert worth.per_dollar == 1


def test_not_one_success_of_many_is_the_worst_there_is_and_few_calls_prove_less():
    many, few = contender(1, 0, 5000), contender(2, 0, 40)
    found = ranked([few, many, contender(3, 100, 200), contender(4, 120, 200)], USD("400"))
    assert names(found.improve) == [1, 2]
    assert found.improve[0].ratio == 0


def test_a_small_sample_does_not_reach_the_top_by_luck():
    lucky = contender(1, 33, 33, "30", "1")  # 1.1 times the usual, by 33 outcomes
    solid = contender(2, 4320, 4800, "4000", "1")  # 1.08 times, by thousands
    others = [contender(n, 90, 200, "100", "1") for n in (3, 4)]
    found = ranked([lucky, solid, *others], USD("1000"))
    assert names(found.best)[0] == 1  # told by their ratio
    [only] = ranked([lucky, solid], USD("1000")).best
    assert only.project_id == 2  # chosen by the careful end of it


@pytest.mark.parametrize(
    ("successes", "outcomes", "usual", "improves"),
    [
        (990_000, 1_980_000, "10000", False),  # 1.0 % below by two million calls: certain, and nobody notices
        (951_000, 1_980_000, "10000", False),  # 4.9 % below
        (950_000, 1_980_000, "10000", True),  # 5.0 %
        (70, 200, "1", True),  # 30 % below, by enough
        (12, 30, "0.16", False),  # 25 % below, and chance explains it
        (0, 30, "1", True),
    ],
)
def test_noise_is_no_verdict(successes: int, outcomes: int, usual: str, *, improves: bool):
    """To improve is who is below for certain and by a twentieth at least; who is between is as usual."""
    [one] = _every(ranked([contender(1, successes, outcomes, "100", usual)], USD("100")))
    assert one.ratio is not None
    assert one.ratio < 1
    assert is_below(one) is improves
    assert is_as_usual(one) is not improves
    assert one.unranked is (None if improves else Unranked.RESTED)


def test_zero_and_negative_wholes_rank_by_what_was_spent():
    assert ranked([], USD("0")) == Ranking((), (), ())
    found = ranked([contender(1, 120, 200), replace(contender(2, 1, 40), cost=USD("-5"))], USD("-3"))
    assert names(found.best) == [1]
    assert found.others[0].unranked is Unranked.NO_SPEND


def test_weeks_with_few_outcomes_teach_nothing():
    weeks = [(value_of(50, 100, "50"), USD("50")), (value_of(20, 29, "50"), USD("50")), (NO_VALUE, USD("9"))]
    assert past_of(NO_VALUE, weeks).per_dollar == (Decimal(1),)


def test_like_is_compared_with_like_where_a_score_begins_or_ends():
    """Who asks users for the first time, and is given 80 of 100, bought as much for the money as the week before."""
    plain, scored = value_of(100, 200, "100"), value_of(100, 200, "100", score=800)
    weeks = {name: [(each, USD("100"))] * 4 for name, each in (("plain", plain), ("scored", scored))}
    weeks["mixed"] = [*weeks["plain"][:2], *weeks["scored"][:2]]
    for now in (plain, scored):
        for before in weeks.values():
            past = past_of(now, before)
            one = contender(1, 0, 0, trailing=past.per_dollar, is_weighted=past.is_weighted)
            [found] = _every(ranked([replace(one, value=now)], USD("100")))
            assert found.ratio == 1
    worse = value_of(100, 200, "100", score=400)
    past = past_of(worse, weeks["mixed"])
    one = contender(1, 0, 0, trailing=past.per_dollar, is_weighted=past.is_weighted)
    assert [each.ratio for each in ranked([replace(one, value=worse)], USD("100")).improve] == [Decimal("0.5")]


def test_one_displeased_user_is_no_verdict_on_a_week():
    """A score of nought for one call of 5,000: nothing, where the mean of all scores would be nothing as well."""
    sums = ValueSums(calls=5000, successes=4000, failures=1000, scored=1, score_sum=0)
    now = figure(sums, USD("4000"), 5000)
    assert (now.feedback, now.scored) == (0, 1)
    [one] = ranked([replace(contender(1, 1, 1), cost=USD("4000"), value=now)], USD("4000")).best
    assert one.ratio == 1


contenders = st.lists(
    st.builds(
        lambda n, o, s, c, u, t: contender(n, min(s, o), o, str(c), str(u), target=None if t is None else Money(t)),
        st.integers(1, 10**6),
        st.integers(0, 400),
        st.integers(0, 400),
        st.integers(0, 500),
        st.sampled_from(["0", "0.5", "1", "1.5"]),
        st.none() | st.decimals("0.1", "5", places=2),
    ),
    max_size=14,
    unique_by=lambda one: one.project_id,
)


@settings(max_examples=50)
@given(contenders, st.randoms(use_true_random=False), st.integers(0, 3000))
def test_every_project_is_told_once_in_a_fixed_place_whatever_order_they_come_in(
    given_: list[Contender], chance: random.Random, whole: int
):
    found = ranked(given_, USD(whole))
    shuffled = given_[:]
    chance.shuffle(shuffled)
    assert ranked(shuffled, USD(whole)) == found
    assert sorted(names(_every(found))) == sorted(one.project_id for one in given_)
    assert not set(names(found.best)) & set(names(found.improve))
    assert max(len(found.best), len(found.improve)) <= MOST_EACH
    assert all(one.ratio is not None and one.ratio >= 1 for one in found.best)
    assert all(one.ratio is not None and one.ratio <= AT_MOST_BELOW for one in found.improve)
    assert all(one.ratio_interval is not None and one.ratio_interval.high is not None for one in found.improve)
    assert all(one.ratio_interval.high < 1 for one in found.improve)  # type: ignore[union-attr,operator]
    # Whoever is below and has room is in the list: nobody is spared by chance either.
    assert len(found.improve) == min(len([one for one in _every(found) if is_below(one)]), _most(found))
    assert all(one.unranked is None for one in (*found.best, *found.improve))
    assert all(one.unranked is not None for one in found.others)


def test_the_same_projects_are_named_when_chance_deals_the_trace_again():
    """Bootstrap: the outcomes of every call of the trace are drawn anew, 100 times; nine in ten name the same five."""
    told, chance = named(week_of(None)), random.Random(20260706)
    assert [len(each) for each in told] == [MOST_EACH, MOST_EACH - 1]
    assert sum(named(week_of(chance)) == told for _ in range(100)) >= 90


def test_of_48_recorded_calls_a_day_the_clear_winner_and_the_clear_loser_are_always_named():
    """What is within a few percent of its own past may change places; what stands out does not."""
    chance = random.Random(20260706)
    for _ in range(100):
        best, improve = named(week_of(chance, 7 * RECORDED_A_DAY))
        assert "doc-summary" in best
        assert "chatbot-experiment" in improve


def _most(found: Ranking) -> int:
    return min(MOST_EACH, -(-len([one for one in _every(found) if one.ratio is not None]) // 2))


def _every(found: Ranking) -> tuple[DigestProject, ...]:
    return found.best + found.improve + found.others
