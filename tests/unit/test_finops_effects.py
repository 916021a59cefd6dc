"""Effects: no effect is not found, a real one is held by its interval, and what cannot be known is not told."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from benchmarks import effects as stage
from bot.effects_stats import SciPy
from finops.behaviour import Action, ActionKind, ActionSource, Preceded, Told
from finops.effects import Effect, EffectState, Saving, SavingState, checked, effect_of
from finops.hypotheses import (
    Hypothesis,
    Prevented,
    Tally,
    Verdict,
    answered,
    cost_value,
    judged,
    ledger,
    more_clouds,
    one_by_one,
    people_act,
)
from finops.money import Money
from finops.periods import Period

DAY = date(2026, 9, 28)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
LIBRARY = SciPy()


def costs(level: str, factor: str = "1", first: int = -28, last: int = 15) -> dict[date, Decimal]:
    """A steady project whose weekends are half as dear; `factor` from the day after DAY on."""
    found = {}
    for n in range(first, last):
        day = DAY + timedelta(days=n)
        usual = Decimal(level) * (Decimal("0.5") if day.weekday() >= 5 else 1)
        found[day] = usual * (Decimal(factor) if n > 0 else 1)
    return found


def controls(count: int = 5) -> dict[int, dict[date, Decimal]]:
    chance = random.Random(3)
    return {
        n: {day: cost * Decimal(repr(round(chance.uniform(0.9, 1.1), 4))) for day, cost in costs("10").items()}
        for n in range(count)
    }


def test_the_truth_lies_within_the_interval_on_the_trace() -> None:
    """The benchmark's two lines, with fewer runs: of 10, at least 8 even on a bad day."""
    told = {name: stage.daily_costs(hours) for name, hours in stage.trace().items()}
    for factor, truth in ((1.0, Decimal(0)), (0.8, Decimal("-0.2"))):
        chance = random.Random(11)
        assert stage.held([stage.measured(told, chance, factor) for _ in range(10)], truth) >= 8


def test_a_fall_everybody_saw_is_no_effect() -> None:
    """All projects cost half from that day on: the holidays began, nobody saved anything."""
    half = {n: {day: cost / 2 if day > DAY else cost for day, cost in each.items()} for n, each in controls().items()}
    effect = effect_of(costs("20", "0.5"), half, DAY, DAY + timedelta(days=15), LIBRARY)
    assert effect.state is EffectState.INDISTINCT


def test_what_was_saved_is_what_it_would_have_been_less_what_it_was() -> None:
    effect = effect_of(costs("20", "0.8"), controls(), DAY, DAY + timedelta(days=15), LIBRARY)
    assert effect.state is EffectState.LOWER
    assert effect.controls == 5
    assert effect.change is not None
    assert abs(effect.change + Decimal("0.2")) < Decimal("0.02")
    assert effect.saved is not None
    assert effect.saved_low is not None
    assert effect.saved_high is not None
    truth = sum((cost for day, cost in costs("20").items() if day > DAY), Decimal(0)) * Decimal("0.2")
    assert effect.saved_low.amount <= truth <= effect.saved_high.amount
    assert effect.placebo_ratio is not None
    assert effect.placebo_ratio > 1


def test_too_few_days_are_told_as_such() -> None:
    early = effect_of(costs("20"), controls(), DAY, DAY + timedelta(days=7), LIBRARY)
    assert early.state is EffectState.EARLY
    young = {day: cost for day, cost in costs("20").items() if day >= DAY - timedelta(days=10)}
    assert effect_of(young, controls(), DAY, DAY + timedelta(days=15), LIBRARY).state is EffectState.NO_HISTORY
    assert effect_of({}, {}, DAY, DAY + timedelta(days=15), LIBRARY).state is EffectState.NO_HISTORY


def test_a_project_that_went_silent_saved_what_it_would_have_cost() -> None:
    silent = {day: cost for day, cost in costs("20").items() if day <= DAY}
    effect = effect_of(silent, controls(), DAY, DAY + timedelta(days=15), LIBRARY)
    assert effect.state is EffectState.LOWER
    would = sum((cost for day, cost in costs("20").items() if day > DAY), Decimal(0))
    assert effect.saved is not None
    assert abs(effect.saved.amount - would) < would / 20


def test_days_that_nobody_read_are_no_days_without_cost() -> None:
    """Five of fourteen days are missing: told as nothing spent they would be a saving, and before it a waste."""
    until = DAY + timedelta(days=15)
    gap = {DAY + timedelta(days=n) for n in range(4, 9)}
    seen = {day: cost for day, cost in costs("20").items() if day not in gap}
    effect = effect_of(seen, controls(), DAY, until, LIBRARY, unread=gap)
    assert (effect.state, effect.saved) == (EffectState.UNREAD, None)
    assert effect_of(seen, controls(), DAY, DAY + timedelta(days=6), LIBRARY, unread=gap).state is EffectState.EARLY
    late = {DAY + timedelta(days=n) for n in range(11, 15)}
    seen = {day: cost for day, cost in costs("20").items() if day not in late}
    effect = effect_of(seen, controls(), DAY, until, LIBRARY, unread=late)
    assert (effect.state, effect.period.end) == (EffectState.INDISTINCT, min(late))
    before = {DAY - timedelta(days=n) for n in range(18, 24)}
    seen = {day: cost for day, cost in costs("20").items() if day not in before}
    assert effect_of(seen, {}, DAY, until, LIBRARY, unread=before).state is EffectState.INDISTINCT


def test_without_any_other_project_its_own_past_is_all_there_is() -> None:
    effect = effect_of(costs("20", "0.5"), {}, DAY, DAY + timedelta(days=15), LIBRARY)
    assert (effect.state, effect.controls, effect.placebo_ratio) == (EffectState.LOWER, 0, None)


# --- the ledger and the hypotheses ----------------------------------------------------------------------------------


def saving(state: SavingState, *, expected: str | None = None, verified: str | None = None) -> Saving:
    return Saving(
        1,
        state,
        Period(DAY, DAY + timedelta(days=1)),
        expected=None if expected is None else Money.of(expected),
        verified=None if verified is None else Money.of(verified),
    )


def test_the_ledger_adds_what_is_proved_and_takes_off_what_failed() -> None:
    found = ledger(
        [
            saving(SavingState.EXPECTED, expected="10"),
            saving(SavingState.EXPECTED),
            saving(SavingState.VERIFIED, expected="1", verified="7"),
            saving(SavingState.FAILED, verified="-2"),
            saving(SavingState.INDISTINCT, verified="100"),
        ]
    )
    assert (found.expected, found.verified) == (Money.of("10"), Money.of("5"))
    assert (found.open_count, found.verified_count, found.failed_count, found.indistinct_count) == (2, 1, 1, 1)


def test_a_line_is_closed_by_what_the_bills_say_and_stays_open_while_it_is_early() -> None:
    line, period = saving(SavingState.EXPECTED, expected="3"), Period(DAY, DAY)
    assert checked(line, Effect(EffectState.EARLY, period), NOW) == line
    for state, became in (
        (EffectState.LOWER, SavingState.VERIFIED),
        (EffectState.HIGHER, SavingState.FAILED),
        (EffectState.INDISTINCT, SavingState.INDISTINCT),
        (EffectState.NO_HISTORY, SavingState.INDISTINCT),
    ):
        assert checked(line, Effect(state, period), NOW).state is became


def test_a_verdict_needs_enough_cases_and_an_interval_without_zero() -> None:
    def verdict(*counts: int) -> Verdict:
        return judged(Hypothesis.PEOPLE_ACT, Tally(*counts[:2]), Tally(*counts[2:])).verdict

    assert verdict(9, 9, 0, 9) is Verdict.TOO_FEW
    assert verdict(40, 50, 10, 50) is Verdict.SUPPORTED
    assert verdict(10, 50, 40, 50) is Verdict.REFUTED
    assert verdict(11, 50, 10, 50) is Verdict.OPEN


def test_newcombes_interval_is_that_of_his_paper() -> None:
    """Newcombe 1998, table II: 56/70 and 48/80, method 10: 0.0524 to 0.3339."""
    found = judged(Hypothesis.PEOPLE_ACT, Tally(56, 70), Tally(48, 80))
    assert found.interval is not None
    assert found.interval.high is not None
    assert (round(found.interval.low, 4), round(found.interval.high, 4)) == (Decimal("0.0524"), Decimal("0.3339"))


def did(project: int, at: datetime) -> Action:
    return Action(at, at.date(), ActionKind.MODEL_CHANGED, ActionSource.USAGE, f"{project}:{at}", project)


def heard(project: int, at: datetime) -> Told:
    return Told(Preceded.ALERT, project, at, frozenset({project}))


def test_people_act_when_more_is_done_after_being_told_than_before() -> None:
    at = NOW - timedelta(days=20)
    told = [heard(n, at) for n in range(40)]
    acts = [did(n, at + timedelta(days=1)) for n in range(30)] + [did(n, at - timedelta(days=2)) for n in range(30, 35)]
    assert answered(told, acts, NOW) == (Tally(30, 40), Tally(5, 40))
    assert people_act(told, acts, NOW).verdict is Verdict.SUPPORTED
    assert people_act(told, acts, at + timedelta(days=6)).verdict is Verdict.TOO_FEW
    assert cost_value(told, acts, frozenset(range(20)), NOW).share == Tally(20, 20)
    assert more_clouds(1, []).verdict is Verdict.NOT_MEASURABLE


def test_what_two_digests_of_a_day_name_was_told_once() -> None:
    both = [Told(Preceded.DIGEST, n, NOW, frozenset({1, 2} if n == 1 else {2, 3})) for n in (1, 2)]
    assert [(one.id, *one.project_ids) for one in one_by_one(both)] == [(1, 1), (1, 2), (2, 3)]
    alerts = [heard(1, NOW), replace(heard(1, NOW), id=7)]
    assert one_by_one(alerts) == alerts


def test_of_the_dollars_over_limits_the_share_prevented_is_told() -> None:
    assert Prevented(Money.of("9"), Money.of("1")).share == Decimal("0.9")
    assert Prevented(Money.zero(), Money.zero()).share is None
