"""Crossings: each level speaks once in a period, whatever amounts, limits, silences and clocks do."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from finops.budgets import DEFAULT_LEVELS, Budget, BudgetOn, BudgetPeriod, is_loud, period_of, reached
from finops.charges import FigureState
from finops.crossings import Context, evaluate
from finops.incidents import (
    Change,
    CloseReason,
    EventKind,
    Incident,
    IncidentEvent,
    IncidentRefused,
    IncidentState,
    RootAction,
    acknowledge,
    close,
    end_silence,
    silence,
)
from finops.money import Money
from finops.periods import starts_at
from finops.queries import ScopeKind
from tests.unit.breaching import NOW, TEAM, TODAY, a_budget, an_incident, on_team, spent

HOUR = timedelta(hours=1)
DAY_START, DAY_END = starts_at(TODAY), starts_at(TODAY + timedelta(days=1))
CONTEXT = Context(usual=Money.of(50), burn_per_minute=Money.of(11))
amounts = st.decimals("0", "2000", places=2)
moments = st.integers(0, 24 * 60 - 1).map(lambda minute: DAY_START + timedelta(minutes=minute))


def looked(
    incident: Incident | None, amount: Decimal | int | str, now: datetime = NOW, on: BudgetOn | None = None
) -> Change | None:
    return evaluate(incident, on or on_team(), spent(amount), CONTEXT, now)


def change(found: Change | None) -> Change:
    assert found is not None
    return found


def crossings(events: Iterable[IncidentEvent]) -> list[IncidentEvent]:
    return [event for event in events if event.kind is EventKind.CROSSED]


def levels_of(events: Iterable[IncidentEvent]) -> list[int]:
    """Every level that any crossing lists, in the order they were listed."""
    found: list[int] = []
    for event in crossings(events):
        listed = event.values["levels"]
        assert isinstance(listed, list)
        found += listed
    return found


# --- golden cases ----------------------------------------------------------------------------------------------------


def test_a_runaway_is_one_loud_word_that_names_the_highest_level_and_lists_all():
    """$742 of $500 at the first look: 148 per cent, the root is posted, and nothing is broadcast beside it."""
    first = change(looked(None, 742))
    (event,) = first.events
    assert (event.key, event.is_loud, event.is_said) == ("crossed:100:500", True, True)
    assert event.values == {
        "level": 100, "levels": [50, 75, 90, 100], "spent": "742", "limit": "500", "currency": "USD", "percent": 148,
        "state": "estimate",
    }  # fmt: skip
    assert (first.root, first.broadcasts(event)) == (RootAction.POST, False)
    born = first.incident
    assert born == an_incident(id=None)
    assert (born.budget_id, born.window, born.channel_id) == (1, period_of(BudgetPeriod.DAY, TODAY), "C1")


def test_a_day_that_runs_away_speaks_level_by_level():
    """Half is quiet and waits for the root; then each level is a broadcast line under a root that is edited."""
    seen: Incident | None = None
    story = []
    for amount in (100, 250, 300, 390, 450, 500, 742, 750, 1000, 1600):
        found = looked(seen, amount)
        if found is not None:
            story.append((amount, found.root, [(each.key, found.broadcasts(each)) for each in found.events]))
            seen = found.incident
    assert story == [
        (250, RootAction.NONE, [("crossed:50:500", False)]),
        (390, RootAction.POST, [("crossed:75:500", False)]),
        (450, RootAction.EDIT, [("crossed:90:500", True)]),
        (500, RootAction.EDIT, [("crossed:100:500", True)]),
        (742, RootAction.EDIT, []),
        (750, RootAction.EDIT, [("crossed:150:500", True)]),
        (1000, RootAction.EDIT, [("crossed:200:500", True)]),
        (1600, RootAction.EDIT, [("crossed:300:500", True)]),
    ]


def test_a_billionth_below_the_limit_is_99_per_cent_and_no_breach():
    """499.999999999 of 500."""
    event = change(looked(None, "499.999999999")).events[0]
    assert (event.values["level"], event.values["percent"]) == (90, 99)


def test_below_the_first_level_or_the_floor_there_is_no_incident():
    """Nothing is opened and nothing is written."""
    assert looked(None, "249.99") is None
    assert looked(None, -1) is None
    assert looked(None, 742, on=on_team(a_budget(floor=Money.of(743)))) is None


# --- the present -----------------------------------------------------------------------------------------------------


def test_the_root_shows_the_present_even_when_it_is_less():
    """A restated estimate moves the amount down; what was crossed stays crossed, and nothing speaks twice."""
    first = change(looked(None, 742)).incident
    lower = change(looked(first, 300))
    assert (lower.events, lower.root, lower.incident.spent) == ((), RootAction.EDIT, Money.of(300))
    assert (lower.incident.level, lower.incident.spoken_level) == (100, 100)
    again = change(looked(lower.incident, 742))
    assert again.events == ()


def test_not_looking_is_not_spending_less():
    """While blind the higher amount stands, and is called blind."""
    first = change(looked(None, 742)).incident
    blind = change(evaluate(first, on_team(), spent(100, FigureState.BLIND, None), CONTEXT, NOW + HOUR)).incident
    assert (blind.spent, blind.spent_state, blind.as_of) == (Money.of(742), FigureState.BLIND, NOW)
    risen = evaluate(blind, on_team(), spent(750, FigureState.BLIND), CONTEXT, NOW + HOUR)
    assert (change(risen).incident.level, change(risen).incident.spent) == (150, Money.of(750))


def test_what_surrounds_the_amount_is_the_present_too():
    """Usual, burn, since, channel and time; without a root there is nothing to show it in."""
    first = change(looked(None, 742)).incident
    around = Context(Money.of(60), None, NOW - HOUR, NOW, NOW - HOUR, "C9")
    shown = change(evaluate(first, on_team(), spent(742, as_of=NOW + HOUR), around, NOW + HOUR)).incident
    assert (shown.usual, shown.burn_per_minute, shown.since, shown.as_of) == (
        Money.of(60), None, NOW - HOUR, NOW + HOUR,
    )  # fmt: skip
    assert (shown.channel_id, shown.detected_at, shown.available_at) == ("C1", NOW, None)
    moved = evaluate(first, on_team(a_budget(channel_id="C2")), spent(742), CONTEXT, NOW)
    assert change(moved).incident.channel_id == "C2"
    nowhere = replace(on_team(), team=None)
    assert change(evaluate(None, nowhere, spent(742), around, NOW)).incident.channel_id == "C9"
    quiet = change(looked(None, 250)).incident
    assert looked(quiet, 260) is None


def test_both_clocks_are_those_of_the_latest_crossing():
    """When we saw it, and when the provider could first have told."""
    first = change(looked(None, 390)).incident
    clocks = Context(detected_at=NOW + HOUR, available_at=NOW + HOUR / 2)
    second = change(evaluate(first, on_team(), spent(500), clocks, NOW + 2 * HOUR)).incident
    assert (first.detected_at, first.available_at) == (NOW, None)
    assert (second.detected_at, second.available_at) == (NOW + HOUR, NOW + HOUR / 2)


def test_an_incident_is_evaluated_with_its_own_budget_and_scope():
    """Anything else is a mistake of the caller."""
    with pytest.raises(ValueError, match="not of budget 2"):
        looked(an_incident(), 742, on=on_team(a_budget(id=2)))
    with pytest.raises(ValueError, match="not of budget"):
        looked(an_incident(scope_kind=ScopeKind.PROJECT), 742)
    with pytest.raises(ValueError, match="by the week"):
        looked(an_incident(), 742, on=on_team(a_budget(period=BudgetPeriod.WEEK)))


# --- limits and levels that change -----------------------------------------------------------------------------------


def test_a_raised_limit_is_a_new_agreement_and_a_lowered_one_speaks_at_once():
    """Raised to $1,000 at $742: its 75, 90 and 100 per cent are told; lowered, the levels above what was said are."""
    first = change(looked(None, 500)).incident
    raised = on_team(a_budget(1000, updated_by="U9"))
    taken = change(looked(first, 742, on=raised))
    assert [(each.kind, each.is_loud) for each in taken.events] == [(EventKind.BUDGET_CHANGED, False)]
    assert (taken.events[0].values["by"], taken.incident.limit) == ("U9", Money.of(1000))
    assert levels_of(change(looked(taken.incident, 760, on=raised)).events) == [75]
    full = change(looked(taken.incident, 1000, on=raised))
    assert (levels_of(full.events), full.root, full.broadcasts(full.events[0])) == (
        [75, 90, 100],
        RootAction.EDIT,
        True,
    )
    assert full.events[0].key == "crossed:100:1000"
    lowered = change(looked(first, 500, on=on_team(a_budget(250))))
    assert [each.kind for each in lowered.events] == [EventKind.BUDGET_CHANGED, EventKind.CROSSED]
    assert levels_of(lowered.events) == [150, 200]


def test_what_is_reached_in_the_look_that_finds_a_higher_limit_is_told():
    """Half of $500 was quiet. At the next look the limit is $600, and all of it is spent: that is news, and loud."""
    quiet = change(looked(None, 250)).incident
    both = change(looked(quiet, 600, on=on_team(a_budget(600))))
    assert [(each.kind, each.is_loud) for each in both.events] == [
        (EventKind.BUDGET_CHANGED, False), (EventKind.CROSSED, True),
    ]  # fmt: skip
    assert (levels_of(both.events), both.root, both.incident.spoken_level) == ([50, 75, 90, 100], RootAction.POST, 100)


def test_a_quiet_incident_remembers_that_its_limit_changed():
    """It is written down although nobody sees it yet."""
    quiet = change(looked(None, 250)).incident
    changed = change(looked(quiet, 250, on=on_team(a_budget(1000))))
    assert ([each.kind for each in changed.events], changed.root) == ([EventKind.BUDGET_CHANGED], RootAction.NONE)


# --- silence, people, other budgets ----------------------------------------------------------------------------------


def test_silence_changes_what_is_said_never_what_is_recorded():
    """The same levels with the same facts; the root is still edited; at the end one loud summary, once."""
    first = change(looked(None, 390)).incident
    silent = silence(first, "U2", NOW + HOUR, NOW).incident
    hushed, spoken = change(looked(silent, 1000)), change(looked(first, 1000))
    assert [(each.key, each.values) for each in hushed.events] == [(each.key, each.values) for each in spoken.events]
    assert [(each.is_said, each.is_loud) for each in hushed.events] == [(False, False)]
    assert (hushed.root, hushed.incident.level, hushed.incident.spoken_level) == (RootAction.EDIT, 200, 75)
    ended = change(looked(hushed.incident, 1000, NOW + HOUR))
    assert [(each.kind, each.is_loud, each.values["level"]) for each in ended.events] == [
        (EventKind.SILENCE_ENDED, True, 200)
    ]
    assert (ended.incident.state, ended.incident.spoken_level) == (IncidentState.OPEN, 200)
    assert looked(ended.incident, 1000, NOW + HOUR) is None


def test_what_rises_at_the_end_of_silence_is_in_the_one_summary():
    """Recorded as a crossing, told once."""
    silent = silence(change(looked(None, 390)).incident, "U2", NOW + HOUR, NOW).incident
    both = change(looked(silent, 500, NOW + HOUR))
    assert [(each.kind, each.is_loud) for each in both.events] == [
        (EventKind.CROSSED, False), (EventKind.SILENCE_ENDED, True),
    ]  # fmt: skip
    assert both.broadcasts(both.events[1])


def test_a_summary_may_be_the_first_loud_word():
    """Silenced at half a budget: the root is posted when silence ends, not before."""
    silent = silence(change(looked(None, 250)).incident, "U2", NOW + HOUR, NOW).incident
    hushed = change(looked(silent, 742))
    assert (hushed.root, hushed.incident.has_root) == (RootAction.NONE, False)
    ended = change(looked(hushed.incident, 742, NOW + HOUR))
    assert (ended.root, ended.broadcasts(ended.events[0])) == (RootAction.POST, False)


def test_acknowledged_or_stopped_it_escalates_still():
    """Somebody looks after it; it is worse all the same."""
    first = change(looked(None, 500)).incident
    for held in (acknowledge(first, "U2", NOW).incident, replace(first, state=IncidentState.STOPPED)):
        worse = change(looked(held, 750))
        assert worse.events[0].is_loud
        assert worse.incident.state is held.state


def test_several_budgets_on_one_project_speak_for_themselves():
    """Each change names its own budget and counts its own levels."""
    daily, monthly = on_team(a_budget(500)), on_team(a_budget(800, id=2, period=BudgetPeriod.MONTH))
    one, other = change(looked(None, 742, on=daily)), change(looked(None, 742, on=monthly))
    assert [(each.incident.budget_id, each.incident.level) for each in (one, other)] == [(1, 100), (2, 90)]
    assert other.incident.window == period_of(BudgetPeriod.MONTH, TODAY)
    assert looked(one.incident, 742, on=daily) is None
    assert change(looked(other.incident, 800, on=monthly)).incident.budget_id == 2


# --- the end of the period -------------------------------------------------------------------------------------------


def test_late_usage_still_crosses_before_the_period_is_closed():
    """What was spent at 23:58 arrives at 00:05: it speaks, then the incident is closed, and that is all."""
    first = change(looked(None, 390)).incident
    late = change(looked(first, 500, DAY_END + timedelta(minutes=5)))
    assert levels_of(late.events) == [90, 100]
    assert late.incident.window == first.window
    closed = close(late.incident, CloseReason.PERIOD_ENDED, DAY_END + timedelta(minutes=5), spent(500)).incident
    assert looked(closed, 2000, DAY_END + HOUR) is None
    fresh = change(looked(None, 742, DAY_END + HOUR)).incident
    assert fresh.window.start == first.window.end


def test_a_clock_that_runs_behind_leaves_the_next_period_alone():
    """A replica that still lives in yesterday evaluates today's incident as today's."""
    tomorrow = change(looked(None, 742, DAY_END + HOUR)).incident
    assert looked(tomorrow, 742, DAY_END - timedelta(seconds=1)) is None


def test_a_budget_that_comes_back_opens_the_same_incident_at_a_higher_level_only():
    """Switched off and on again on the same day, no level is told twice."""
    acknowledged = acknowledge(change(looked(None, 742)).incident, "U2", NOW).incident
    closed = close(acknowledged, CloseReason.BUDGET_DISABLED, NOW).incident
    assert looked(closed, 749) is None
    assert looked(closed, 100, on=on_team(a_budget(1000))) is None
    again = change(looked(closed, 750))
    assert levels_of(again.events) == [150]
    assert (again.incident.state, again.incident.closed_at, again.root) == (
        IncidentState.ACKNOWLEDGED, None, RootAction.EDIT,
    )  # fmt: skip
    # Where nothing but its absence closed it, it goes on at once, in silence; below the first level there is nothing.
    back = replace(CONTEXT, comes_back=True)
    same = change(evaluate(closed, on_team(), spent(742), back, NOW))
    assert (same.incident.state, same.events, same.root) == (IncidentState.ACKNOWLEDGED, (), RootAction.EDIT)
    assert evaluate(closed, on_team(), spent(100), back, NOW) is None


def test_the_day_of_the_budget_does_not_hear_of_summer_time():
    """23:30 in Berlin on the day clocks jump is 21:30 UTC: the same charge day, one incident."""
    jump = datetime(2026, 3, 29, 23, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    window = change(looked(None, 742, jump)).incident.window
    assert window == period_of(BudgetPeriod.DAY, datetime(2026, 3, 29, tzinfo=UTC).date())


# --- properties ------------------------------------------------------------------------------------------------------


@st.composite
def budgets(draw: st.DrawFn) -> Budget:
    levels = draw(st.one_of(st.just(DEFAULT_LEVELS), st.sets(st.integers(1, 400), min_size=1, max_size=8)))
    amount = draw(st.decimals("1", "1000", places=2))
    return a_budget(amount, levels=tuple(sorted(levels)), floor=Money(draw(st.decimals("0", "50", places=2))))


@dataclass
class Told:
    """What one budget's incident has been through."""

    incident: Incident | None = None
    events: list[IncidentEvent] = field(default_factory=list)
    roots: list[RootAction] = field(default_factory=list)

    def take(self, found: Change | None) -> None:
        """Keep it as the storage does: a crossing known under its key already is neither kept nor told again."""
        if found is not None:
            self.incident = found.incident
            known = {event.key for event in crossings(self.events)}
            self.events += [event for event in found.events if event.key not in known]
            self.roots.append(found.root)


@example(a_budget(1000), [(percent, NOW) for percent in (60, 80, 70, 80, 120, 160)])
@given(budgets(), st.lists(st.tuples(st.integers(0, 450), moments), max_size=20))
def test_any_sequence_of_amounts_and_times_speaks_each_level_once(budget: Budget, percents: list[tuple[int, datetime]]):
    """Rising, restated down, rising again, at any time of the day: loud levels rise strictly, keys are unique."""
    told = Told()
    sequence = [(budget.amount.amount * percent / 100, now) for percent, now in percents]
    for amount, now in sequence:
        told.take(looked(told.incident, amount, now, on_team(budget)))
    loud = [event.values["level"] for event in told.events if event.is_loud]
    assert all(before < after for before, after in pairwise(loud))  # type: ignore[operator]
    listed = levels_of(told.events)
    assert listed == sorted(set(listed))
    assert len({event.key for event in told.events}) == len(told.events)
    highest = max((amount for amount, _ in sequence), default=Decimal(0))
    assert tuple(listed) == reached(budget, Money(highest))
    assert told.roots.count(RootAction.POST) == any(event.is_loud for event in told.events)


@given(budgets(), amounts, amounts, st.none() | amounts)
def test_more_spending_never_means_fewer_crossings(
    budget: Budget, one: Decimal, other: Decimal, before: Decimal | None
):
    """From the same beginning, whatever less spending crosses, more spending crosses too."""
    start = None if before is None else looked(None, before, on=on_team(budget))
    born = start.incident if start else None
    less, more = (looked(born, amount, on=on_team(budget)) for amount in sorted((one, other)))
    crossed_by_less = set(levels_of(less.events)) if less else set()
    assert crossed_by_less <= (set(levels_of(more.events)) if more else set())


@given(budgets(), st.lists(amounts, min_size=1, max_size=6), st.booleans())
def test_the_same_facts_twice_change_nothing_twice(budget: Budget, sequence: list[Decimal], is_silenced: bool):
    """Evaluating again at the same moment, or a minute later, finds nothing to do."""
    told = Told()
    for amount in sequence:
        found = looked(told.incident, amount, on=on_team(budget))
        told.take(found)
        assert looked(told.incident, amount, on=on_team(budget)) is None
        assert looked(told.incident, amount, NOW + timedelta(minutes=1), on_team(budget)) is None
        if is_silenced and told.incident and not told.incident.is_silent(NOW):
            told.take(silence(told.incident, "U2", NOW + HOUR, NOW))


class OneBudgetOneDay(RuleBasedStateMachine):
    """Everything that may happen to a budget within a day and at its end, in any order."""

    @initialize(budget=budgets())
    def begin(self, budget: Budget) -> None:
        self.budget = budget
        self.now = DAY_START
        self.amount = Decimal(0)
        self.told = Told()
        self.limits = [budget]
        self.closings = 0

    def _look(self) -> None:
        was = self.told.incident
        self.told.take(
            evaluate(was, BudgetOn(self.budget, on_team().scope, TEAM), spent(self.amount), CONTEXT, self.now)
        )

    @rule(amount=amounts, minutes=st.integers(0, 90))
    def spend(self, amount: Decimal, minutes: int) -> None:
        self.now = min(self.now + timedelta(minutes=minutes), DAY_END - timedelta(seconds=1))
        self.amount = amount
        self._look()

    @rule(amount=st.decimals("1", "1000", places=2))
    def change_the_limit(self, amount: Decimal) -> None:
        floor = min(self.budget.floor, Money(amount))
        self.budget = replace(self.budget, amount=Money(amount), floor=floor)
        self._look()

    @precondition(lambda self: self.told.incident)
    @rule(minutes=st.integers(1, 300))
    def hush(self, minutes: int) -> None:
        with suppress(IncidentRefused):
            self.told.take(silence(self.told.incident, "U2", self.now + timedelta(minutes=minutes), self.now))

    @precondition(lambda self: self.told.incident)
    @rule()
    def speak_again(self) -> None:
        before = self.told.incident
        try:
            ended = end_silence(before, on_team(self.budget), self.now, "U2")
        except IncidentRefused:
            return
        rose = before.level > before.spoken_level and is_loud(self.budget, before.level)
        assert [event.is_loud for event in ended.events] == [rose]
        self.told.take(ended)

    @precondition(lambda self: self.told.incident)
    @rule()
    def take_care(self) -> None:
        with suppress(IncidentRefused):
            self.told.take(acknowledge(self.told.incident, "U2", self.now))

    @precondition(lambda self: self.told.incident)
    @rule()
    def switch_off(self) -> None:
        try:
            self.told.take(close(self.told.incident, CloseReason.BUDGET_DISABLED, self.now))
        except IncidentRefused:
            assert self.told.incident.state is IncidentState.CLOSED

    @precondition(lambda self: self.told.incident)
    @rule()
    def the_day_ends(self) -> None:
        """Tried by two replicas: one of them closes it; then a new day begins."""
        for _ in range(2):
            try:
                self.told.take(close(self.told.incident, CloseReason.PERIOD_ENDED, DAY_END, spent(self.amount)))
                self.closings += 1
            except IncidentRefused:
                assert self.told.incident.state is IncidentState.CLOSED
        assert evaluate(self.told.incident, on_team(self.budget), spent(10**6), CONTEXT, DAY_END) is None
        assert sum(event.key == "closed" for event in self.told.events) <= 1
        self.begin(self.budget)

    @invariant()
    def every_crossing_is_recorded(self) -> None:
        """Silence or not, no level reached of the present limit is above the one recorded."""
        level = self.told.incident.level if self.told.incident else 0
        closed = self.told.incident is not None and self.told.incident.state is IncidentState.CLOSED
        assert closed or max(reached(self.budget, Money(self.amount)), default=0) <= level

    @invariant()
    def each_level_of_each_limit_is_told_once_and_a_root_is_posted_once(self) -> None:
        """Loud words rise; only a new agreement, which is a higher limit, lets them begin lower."""
        highest = 0
        for event in self.told.events:
            if event.kind is EventKind.BUDGET_CHANGED:
                before, after = (Decimal(str(event.values[name])) for name in ("limit_before", "limit"))
                highest = 0 if after > before else highest
            elif event.is_loud:
                level = int(str(event.values["level"]))
                assert level > highest
                highest = level
        loud = [event for event in self.told.events if event.is_loud]
        assert self.told.roots.count(RootAction.POST) == bool(loud)
        keys = [event.key for event in self.told.events if event.kind is EventKind.CROSSED]
        assert len(set(keys)) == len(keys)

    @invariant()
    def what_is_loud_and_not_silent_was_told(self) -> None:
        """Nothing loud stays unsaid but for silence."""
        one = self.told.incident
        if one is not None and one.silenced_until is None and is_loud(self.budget, one.level):
            assert one.spoken_level == one.level


OneBudgetOneDay.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestOneBudgetOneDay = OneBudgetOneDay.TestCase
