"""Levers: gentlest first, cheap models that are really cheap, and only what really stands otherwise has changed."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finops.levers import Lever, changed_parts, cheap_models, next_lever, usual_pace
from finops.usage import MINUTES_PER_DAY

costs = st.dictionaries(st.sampled_from("abcdef"), st.decimals(0, 100, places=4), max_size=6)


def test_each_lever_has_a_firmer_one_but_the_last():
    """Beyond it, somebody has to do it by hand."""
    assert [next_lever(one) for one in (Lever.SLOW, Lever.CHEAP, Lever.STOP)] == [Lever.CHEAP, Lever.STOP, None]


def test_the_usual_pace_is_that_of_the_middle_day_in_the_hours_with_calls():
    """A part of a call a minute is a whole one; of two days the faster counts; one runaway is not usual."""
    day = MINUTES_PER_DAY
    assert usual_pace({0: 59}) == 1
    assert usual_pace({0: 60, 60: 121}) == 2
    assert usual_pace({0: 60, day: 300}) == 5
    assert usual_pace({0: 60, day: 60_000, 2 * day: 120}) == 2


@given(costs)
def test_what_stays_costs_at_most_a_quarter_or_is_the_cheapest(found: dict[str, Decimal]):
    """There is a choice of at least two models of different cost, or there is nothing to choose; never does the dearest
    one stay."""
    stays = cheap_models(found)
    known = {model: cost for model, cost in found.items() if cost > 0}
    assert bool(stays) == (len(set(known.values())) > 1)
    if stays:
        dearest, cheapest = max(known.values()), min(known.values())
        assert list(stays) == sorted(stays)
        assert cheapest in [known[model] for model in stays]
        assert all(known[model] * 4 <= dearest or known[model] == cheapest for model in stays)
        assert all(known[model] < dearest for model in stays)
        assert {model for model, cost in known.items() if cost * 4 <= dearest} <= set(stays)


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)), st.dictionaries(st.sampled_from("abc"), st.none()))
def test_a_part_that_is_missing_stands_as_nothing(parts: dict[str, int], present: dict[str, None]):
    """Not set is a value like any other."""
    assert changed_parts(parts, {**parts, **present}) == [name for name in parts if name in present]
    assert changed_parts(present, {}) == []
