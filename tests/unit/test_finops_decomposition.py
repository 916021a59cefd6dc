"""Decomposition: the parts of a difference add up to it, and a factor that moved alone gets all of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.decomposition import UsageGroup, explained, explained_together
from finops.money import ATTO_PLACES, EXACT, Money
from finops.periods import Period
from finops.prices import RateCard, price
from finops.usage import UsageRow
from finops.usage_groups import RATES, kinds_of
from finops.why import Factor, Why, WhyKind

NOW, BEFORE = Period(date(2026, 11, 16), date(2026, 11, 23)), Period(date(2026, 11, 9), date(2026, 11, 16))
MICRO = 10**12
SMALL, LARGE, EMBED = "gpt-4o-mini", "gpt-4o", "text-embedding-3-small"


CENTS = {SMALL: 1, LARGE: 16, EMBED: 1}


class Prices:
    """A price list of three models; batch is half of it, priority twice, and `risen` raises it in the second week."""

    version = "test"

    def __init__(self, risen: int = 1) -> None:
        self._risen = risen

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        if endpoint == "web_search_calls":
            return RateCard("test", quantity=10_000 * MICRO)
        if model not in CENTS:
            return None
        unit = MICRO * CENTS[model] * (1 if is_batch else 4 if service_tier == "priority" else 2)
        unit *= self._risen if day >= NOW.start else 1
        return RateCard("test", input_tokens=4 * unit, cached_input_tokens=unit, output_tokens=16 * unit)


def asked(
    model: str = LARGE,
    requests: int = 1000,
    each: tuple[int, int] = (500, 100),
    cached: Fraction = Fraction(0),
    tier: str = "",
    batch: bool = False,
    when: Period = BEFORE,
    prices: Prices | None = None,
    endpoint: str = "completions",
    quantity: int = 0,
) -> UsageGroup:
    """A group as the storage has it, with its estimate."""
    whole = requests * each[0]
    counts = {
        "requests": requests,
        "input_tokens": whole,
        "cached_input_tokens": int(whole * cached),
        "output_tokens": requests * each[1],
        "quantity": quantity,
    }
    card = (prices or Prices()).card(endpoint, model, tier, batch, when.start)
    row = UsageRow(0, endpoint, "", model, "", tier, batch, **counts)
    atto = 0 if card is None else price(row, card)
    return UsageGroup(endpoint, model, tier, batch, **counts, atto=atto, unpriced=requests if card is None else 0)


def cost(*groups: UsageGroup) -> Money:
    return Money(Decimal(sum(group.atto for group in groups)).scaleb(-ATTO_PLACES, EXACT))


def why(now: list[UsageGroup], before: list[UsageGroup], prices: Prices | None = None) -> Why:
    return explained(NOW, BEFORE, cost(*now), cost(*before), now, before, prices or Prices())


def part(of: Why, factor: Factor) -> Decimal:
    return next(one.amount.amount for one in of.parts if one.factor is factor)


def added(of: Why) -> Decimal:
    return reduce(EXACT.add, (one.amount.amount for one in of.parts))


ALONE = [
    (Factor.REQUESTS, WhyKind.RETRY_LOOP, [asked(requests=15_000)], [asked()]),
    (Factor.REQUESTS, WhyKind.MORE_TRAFFIC, [asked(requests=2000)], [asked()]),
    (Factor.REQUESTS, WhyKind.LESS_TRAFFIC, [asked(requests=200)], [asked()]),
    (Factor.INPUT_LENGTH, WhyKind.LONGER_PROMPTS, [asked(each=(2000, 100))], [asked()]),
    (Factor.INPUT_LENGTH, WhyKind.SHORTER_PROMPTS, [asked(each=(100, 100))], [asked()]),
    (Factor.OUTPUT_LENGTH, WhyKind.LONGER_ANSWERS, [asked(each=(500, 300))], [asked()]),
    (Factor.OUTPUT_LENGTH, WhyKind.SHORTER_ANSWERS, [asked(each=(500, 10))], [asked()]),
    (Factor.MODEL_MIX, WhyKind.DEARER_MODEL, [asked(LARGE)], [asked(SMALL)]),
    (Factor.MODEL_MIX, WhyKind.CHEAPER_MODEL, [asked(SMALL, 900), asked(LARGE, 100)], [asked(LARGE)]),
    (Factor.CACHE, WhyKind.LOST_CACHE, [asked()], [asked(cached=Fraction(4, 5))]),
    (Factor.CACHE, WhyKind.GAINED_CACHE, [asked(cached=Fraction(4, 5))], [asked()]),
    (Factor.TIER, WhyKind.BATCH_OFF, [asked()], [asked(batch=True)]),
    (Factor.TIER, WhyKind.BATCH_ON, [asked(batch=True)], [asked()]),
    (Factor.TIER, WhyKind.DEARER_TIER, [asked(tier="priority")], [asked()]),
    (Factor.TIER, WhyKind.CHEAPER_TIER, [asked()], [asked(tier="priority")]),
]


@pytest.mark.parametrize(("factor", "kind", "now", "before"), ALONE)
def test_a_factor_that_moved_alone_gets_all_of_it(
    factor: Factor, kind: WhyKind, now: list[UsageGroup], before: list[UsageGroup]
):
    """And gives the cause its name."""
    found = why(now, before)
    assert found.kind is kind
    assert part(found, factor) == found.difference.amount != 0
    assert {one.amount.amount for one in found.parts if one.factor is not factor} == {Decimal(0)}
    assert found.parts[0].factor is factor
    if factor is Factor.TIER:
        assert found.parts[0].subject == ("batch" if now[0].is_batch else now[0].service_tier), "the one that grew"


def test_a_price_that_rose_is_told_from_everything_else():
    """The same calls at twice the price."""
    dear = Prices(risen=2)
    found = why([asked(when=NOW, prices=dear)], [asked(prices=dear)], dear)
    assert (found.kind, part(found, Factor.PRICE)) == (WhyKind.DEARER_PRICE, found.difference.amount)
    assert found.parts[0].change == 2


def test_tools_are_no_tokens():
    """Searches by themselves."""
    search = asked("", 200, (0, 0), endpoint="web_search_calls", quantity=200)
    found = why([asked(), search], [asked()])
    assert (found.kind, part(found, Factor.TOOLS)) == (WhyKind.MORE_TOOLS, found.difference.amount)
    assert found.parts[0].subject == "web_search_calls"


def test_the_story_of_the_retry_loop():
    """Fifteen times the calls, the same tokens each."""
    found = why([asked(requests=15_000)], [asked()])
    requests, lengths = found.parts[0], {one.factor: one for one in found.parts}
    assert (requests.change, requests.before, requests.now) == (15, 1000, 15_000)
    assert lengths[Factor.INPUT_LENGTH].change == lengths[Factor.OUTPUT_LENGTH].change == 1


@pytest.mark.parametrize(
    ("requests", "each", "kind"),
    [
        (3000, (500, 100), WhyKind.RETRY_LOOP),
        (3000, (600, 120), WhyKind.RETRY_LOOP),
        (3000, (400, 80), WhyKind.RETRY_LOOP),
        (2999, (500, 100), WhyKind.MORE_TRAFFIC),
        (3000, (601, 121), WhyKind.MORE_TRAFFIC),
        (3000, (399, 79), WhyKind.MORE_TRAFFIC),
        (3000, (5000, 1000), WhyKind.LONGER_PROMPTS),
    ],
)
def test_a_loop_is_three_times_the_calls_each_as_long_as_ever(requests: int, each: tuple[int, int], kind: WhyKind):
    """Within a fifth; to the call."""
    assert why([asked(requests=requests, each=each)], [asked()]).kind is kind


def test_a_loop_in_one_model_is_no_change_of_model():
    """The other model goes on as ever: nothing moved to the dear one, it is asked more. It is named."""
    found = why([asked(SMALL, 9000), asked(LARGE, 1500)], [asked(SMALL, 9000), asked(LARGE, 100)])
    assert found.kind is WhyKind.RETRY_LOOP
    assert (found.parts[0].subject, found.parts[0].change) == (LARGE, 15)
    assert part(found, Factor.MODEL_MIX) == 0


def test_more_calls_on_a_cheaper_model_are_told_beside_the_calls():
    """77 % more calls cost 30 % more: each costs less, although no call went from one model to another."""
    found = why([asked(SMALL, 15_413), asked(LARGE, 2287)], [asked(SMALL, 8000), asked(LARGE, 2000)])
    assert (found.kind, found.parts[0].change) == (WhyKind.MORE_TRAFFIC, Decimal("1.77"))
    assert part(found, Factor.MODEL_MIX) == 0
    beside = found.beside
    assert beside is not None
    assert beside.part is not None
    assert (beside.kind, beside.part.factor, beside.part.subject) == (
        WhyKind.CHEAPER_MODEL, Factor.MODEL_MIX, SMALL,
    )  # fmt: skip
    assert beside.part.before == Decimal("0.8")
    cost_each = EXACT.divide(found.now.amount, found.before.amount) / Decimal("1.77")
    assert abs(beside.change - cost_each) < Decimal("1e-9")
    assert added(found) == found.difference.amount


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ([asked(requests=15_000)], [asked()]),  # as many times the cost
        ([asked(requests=2000, each=(520, 104))], [asked()]),  # four percent each
        ([asked(SMALL, 90_000), asked(requests=15_000)], [asked(SMALL, 90_000), asked()]),  # one model's own calls
        ([asked(SMALL, 400), asked(LARGE, 600)], [asked(SMALL, 950), asked(LARGE, 50)]),  # the mix is the cause
    ],
)
def test_where_requests_say_it_all_nothing_stands_beside_them(now: list[UsageGroup], before: list[UsageGroup]):
    """And nothing where another cause is named."""
    assert why(now, before).beside is None


def test_tools_that_are_used_no_more_are_told_beside_the_calls():
    """Twice the calls for a third more; and where nothing tells what made each cheaper, by how much is all there is."""
    search = asked("", 6000, (0, 0), endpoint="web_search_calls", quantity=6000)
    found = why([asked(requests=2000)], [asked(), search]).beside
    assert found is not None
    assert (found.kind, found.part is not None and found.part.subject) == (WhyKind.FEWER_TOOLS, "web_search_calls")
    credit = explained(NOW, BEFORE, Money.of("150"), cost(asked()), [asked(requests=2000)], [asked()], Prices())
    assert credit.beside is not None
    assert (credit.beside.kind, credit.beside.part) == (None, None)


def test_embeddings_are_not_counted_with_answers():
    """Fewer embeddings and more answers are no move from the one to the other."""
    found = why(
        [asked(EMBED, 100, (5, 0), endpoint="embeddings"), asked(LARGE, 2000)],
        [asked(EMBED, 9000, (5, 0), endpoint="embeddings"), asked(LARGE, 1000)],
    )
    assert part(found, Factor.MODEL_MIX) == 0
    assert found.parts[0].change == 2


def test_a_model_that_came_is_all_in_the_mix_and_named():
    """What it costs beyond the one it replaced."""
    found = why([asked(SMALL, 500), asked(LARGE, 500)], [asked(SMALL, 1000)])
    assert (found.kind, found.parts[0].factor, found.parts[0].subject) == (
        WhyKind.DEARER_MODEL, Factor.MODEL_MIX, LARGE,
    )  # fmt: skip
    assert (found.parts[0].before, found.parts[0].now) == (0, Decimal("0.5"))


def test_what_begins_and_what_ends_is_said_so():
    """All of it is in the calls."""
    begun, ended = why([asked()], []), why([], [asked()])
    assert (begun.kind, part(begun, Factor.REQUESTS)) == (WhyKind.BEGUN, begun.difference.amount)
    assert (ended.kind, part(ended, Factor.REQUESTS)) == (WhyKind.ENDED, ended.difference.amount)
    nothing = why([], [])
    assert (nothing.kind, added(nothing), nothing.covered) == (WhyKind.UNCHANGED, 0, None)


def test_little_is_unchanged_only_when_it_is_little_both_ways():
    """A tenth of much is worth a word, and so is twice of little."""
    dollar = [asked(requests=100)]
    assert why([asked(requests=105)], dollar).kind is WhyKind.UNCHANGED
    assert why([asked(requests=200)], dollar).kind is WhyKind.MORE_TRAFFIC
    assert why([asked(requests=105_000)], [asked(requests=100_000)]).kind is WhyKind.MORE_TRAFFIC


def test_what_usage_does_not_tell_is_unexplained():
    """A bill of twice the estimate on one side; where less than half is covered, only the whole is told."""
    used = [asked()]
    dear = explained(NOW, BEFORE, Money.of(40), cost(*used), used, used, Prices())
    assert part(dear, Factor.UNEXPLAINED) == dear.difference.amount
    assert dear.kind is WhyKind.UNKNOWN
    blind = explained(NOW, BEFORE, Money.of(40), Money.of(20), [], [], Prices())
    assert (blind.kind, blind.covered, added(blind)) == (WhyKind.UNKNOWN, 0, 20)


def test_days_whose_usage_was_never_read_are_no_rise_of_calls():
    """A bill as large as the one before, of which usage knows a week of four: six times the calls are no loop."""
    month, week = [asked(requests=6000)], [asked(requests=1000)]
    billed = cost(*month)
    found = explained(NOW, BEFORE, billed + Money.of(5), billed, month, week, Prices())
    assert (found.kind, found.beside) == (WhyKind.UNKNOWN, None)
    assert explained(NOW, BEFORE, billed, billed + Money.of(5), week, month, Prices()).kind is WhyKind.UNKNOWN
    # What neither of both tells takes nothing back.
    alike = Money.of(300)
    told = explained(NOW, BEFORE, cost(*month) + alike, cost(*week) + alike, month, week, Prices())
    assert told.kind is WhyKind.RETRY_LOOP


def test_usage_without_a_known_price_is_not_free():
    """It explains nothing, and that is said."""
    strange = [asked("brand-new-model")]
    found = explained(NOW, BEFORE, Money.of(50), Money.of(10), [*strange, asked()], [asked()], Prices())
    assert part(found, Factor.UNEXPLAINED) == found.difference.amount


def test_tokens_without_requests_tell_nothing_of_a_request():
    """They are not divided by zero, and not lost."""
    silent = asked()._replace(requests=0)
    found = why([silent, asked(SMALL)], [asked(SMALL)])
    assert added(found) == found.difference.amount == part(found, Factor.UNEXPLAINED)


def test_a_mean_of_days_is_a_share_of_them():
    """Seven days before, a seventh of each counts."""
    week = [asked(requests=7000)]
    found = explained(
        NOW, BEFORE, cost(asked(requests=15_000)), cost(asked()), [asked(requests=15_000)], week, Prices(),
        share_before=Fraction(1, 7),
    )  # fmt: skip
    assert (found.kind, found.parts[0].change, found.parts[0].before) == (WhyKind.RETRY_LOOP, 15, 1000)


def test_projects_together_are_each_taken_apart_for_itself():
    """One asks the dear model more, another the cheap one less: no call went from one to the other."""
    whys = explained_together(
        NOW, BEFORE, cost(asked(LARGE, 3000)), cost(asked(LARGE), asked(SMALL, 2000)),
        [([asked(LARGE, 3000)], [asked(LARGE)]), ([], [asked(SMALL, 2000)])], Prices(),
    )  # fmt: skip
    assert part(whys, Factor.MODEL_MIX) == 0
    assert part(whys, Factor.REQUESTS) == whys.difference.amount


counts = st.integers(0, 2_000_000)
groups = st.builds(
    UsageGroup,
    endpoint=st.sampled_from(["completions", "completions", "embeddings"]),
    model=st.sampled_from([SMALL, LARGE, "brand-new-model"]),
    service_tier=st.sampled_from(["", "priority"]),
    is_batch=st.booleans(),
    requests=st.integers(0, 5000),
    input_tokens=counts,
    cached_input_tokens=counts,
    cache_write_tokens=counts,
    output_tokens=counts,
    audio_input_tokens=st.integers(0, 1000),
    cached_audio_input_tokens=st.integers(0, 1000),
    image_output_tokens=st.integers(0, 1000),
    quantity=st.integers(0, 3),
    atto=st.integers(0, 10**22),
    unpriced=st.sampled_from([0, 0, 3]),
)
usages = st.lists(groups, max_size=4)
amounts = st.decimals("-10", "100000", places=18).map(Money)


@given(amounts, amounts, usages, usages)
def test_the_parts_add_up_to_the_last_digit(now: Money, before: Money, used: list[UsageGroup], was: list[UsageGroup]):
    """Whatever was billed and whatever was used, also where prices are missing and models come and go."""
    found = explained(NOW, BEFORE, now, before, used, was, Prices(risen=3))
    assert added(found) == found.difference.amount
    back = explained(BEFORE, NOW, before, now, was, used, Prices(risen=3))
    turned = {one.factor: one.amount.amount for one in back.parts}
    assert all(abs(one.amount.amount + turned[one.factor]) <= Decimal("2e-18") for one in found.parts)


@given(usages, usages, st.integers(2, 1000))
def test_parts_grow_as_everything_does(used: list[UsageGroup], was: list[UsageGroup], times: int):
    """Everything a thousandfold: every part a thousandfold, and the same cause but for what is too little to tell."""

    def scaled(group: UsageGroup) -> UsageGroup:
        return UsageGroup._make((*group[:4], *(each * times for each in group[4:])))

    small, large = why(used, was), why(list(map(scaled, used)), list(map(scaled, was)))
    for one in small.parts:
        difference = EXACT.subtract(EXACT.multiply(one.amount.amount, Decimal(times)), part(large, one.factor))
        assert abs(difference) <= times * Decimal("2e-18")


@given(groups)
def test_every_token_is_of_one_kind_as_it_is_priced(group: UsageGroup):
    """The kinds times their rates are the price."""
    card = RateCard("test", *range(3, 14))
    row = UsageRow(0, *group[:2], "", "", "", group.is_batch, *group[4:-2])
    told = sum(count * getattr(card, name) for count, name in zip(kinds_of(group), RATES, strict=True))
    assert told + group.quantity * card.quantity == price(row, card)
