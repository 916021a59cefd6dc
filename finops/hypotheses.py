"""Hypotheses: whether telling people of their spending is worth it, each with a metric, an interval and a verdict.

Published in docs/effects.md; change both together. A difference of two shares has Newcombe's interval (R. G. Newcombe,
"Interval estimation for the difference between independent proportions", Statistics in Medicine 17 (1998), method 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from finops.behaviour import ANSWERS_WITHIN, Action, Preceded, Told
from finops.effects import Saving, SavingState
from finops.frozen import frozen
from finops.incidents import OPINIONS, EventKind, IncidentEvent
from finops.money import EXACT, Money, total
from finops.value import Interval, wilson

# Fewer than this on either side, and nothing is said.
LEAST_TOLD = 10


class Hypothesis(StrEnum):
    """What the product bets on."""

    COST_VALUE = "cost_value"  # H1A: value beside cost improves decisions
    MORE_CLOUDS = "more_clouds"  # H1B: another provider adds value
    PEOPLE_ACT = "people_act"  # H1C: who is told acts


class Verdict(StrEnum):
    """What the numbers say of a hypothesis."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    OPEN = "open"  # chance explains it as well
    TOO_FEW = "too_few"
    NOT_MEASURABLE = "not_measurable"  # what it speaks of does not exist here


@frozen
class Tally:
    """How many of how many."""

    hits: int
    of: int


@frozen
class Judged:
    """A hypothesis with its numbers: two shares and the difference of the first to the second, at 95 %."""

    hypothesis: Hypothesis
    verdict: Verdict
    share: Tally | None = None
    other: Tally | None = None
    difference: Decimal | None = None
    interval: Interval | None = None


@frozen
class Ledger:
    """The savings of a time: what is expected, what settled bills verified, how many failed or cannot be told.

    `expected` is of the `expected_count` open lines of which somebody said what they are worth; None where nobody did.
    """

    expected: Money | None
    verified: Money
    open_count: int = 0
    verified_count: int = 0
    failed_count: int = 0
    indistinct_count: int = 0
    expected_count: int = 0


@frozen
class Prevented:
    """Of the dollars over limits, what stops prevented and what was spent all the same (G3).

    `unfinished` stops are in neither: what they prevent is known when their incident is over. Nor is one that held and
    ended without a note: what it kept is known to nobody.
    """

    prevented: Money
    leaked: Money
    unfinished: int = 0

    @property
    def share(self) -> Decimal | None:
        """The share prevented; None where nothing went over a limit."""
        return self.prevented.ratio_of(self.prevented + self.leaked)


@frozen
class AlertQuality:
    """How good alerts are: opinions of people, alerts that somebody acted on, and how fast one was taken up.

    `acted_on` are those acted on within seven days; `too_early` are not among them, for their seven days are not over.
    `median_seconds` is from the alert to its acknowledgement; None while nobody acknowledged any.
    """

    alerts: int = 0
    helpful: int = 0
    not_helpful: int = 0
    acted_on: int = 0
    acknowledged: int = 0
    median_seconds: int | None = None
    too_early: int = 0

    @property
    def precision(self) -> Decimal | None:
        """The share of opinions that call them helpful; None without any opinion."""
        told = self.helpful + self.not_helpful
        return EXACT.divide(Decimal(self.helpful), Decimal(told)) if told else None


def ledger(savings: Iterable[Saving], currency: str = "USD") -> Ledger:
    """The savings of one currency added up; a saving that failed counts as what was spent more."""
    mine = [one for one in savings if one.currency == currency]
    by = {state: [one for one in mine if one.state is state] for state in SavingState}
    expected = [one.expected for one in by[SavingState.EXPECTED] if one.expected is not None]
    settled = (one.verified for one in (*by[SavingState.VERIFIED], *by[SavingState.FAILED]) if one.verified is not None)
    return Ledger(
        expected=total(expected, currency) if expected else None,
        verified=total(settled, currency),
        open_count=len(by[SavingState.EXPECTED]),
        expected_count=len(expected),
        verified_count=len(by[SavingState.VERIFIED]),
        failed_count=len(by[SavingState.FAILED]),
        indistinct_count=len(by[SavingState.INDISTINCT]),
    )


def answered(told: Sequence[Told], actions: Sequence[Action], now: datetime) -> tuple[Tally, Tally]:
    """Of what told people of projects or teams: how many were followed by an action on them within seven days, and how
    many were preceded by one within the seven days before, which is how often people act anyway.

    What was told less than seven days ago is not counted yet.
    """
    due = [one for one in told if (one.project_ids or one.team_ids) and one.at + ANSWERS_WITHIN <= now]
    after = sum(any(_follows(one, action) for action in actions) for one in due)
    before = sum(any(_precedes(one, action) for action in actions) for one in due)
    return Tally(after, len(due)), Tally(before, len(due))


def acted_on(alerts: Sequence[Told], actions: Sequence[Action], now: datetime) -> Tally:
    """Of alerts that are seven days old, whatever they speak of: how many somebody acted on within those days.

    One of the whole workspace names no project: acted on it is where an action answers it.
    """
    due = [one for one in alerts if one.at + ANSWERS_WITHIN <= now]
    return Tally(
        sum(any(_follows(one, action) or _answers(one, action) for action in actions) for one in due), len(due)
    )


def people_act(told: Sequence[Told], actions: Sequence[Action], now: datetime) -> Judged:
    """H1C: more act in the seven days after they were told than in those before."""
    after, before = answered(told, actions, now)
    return judged(Hypothesis.PEOPLE_ACT, after, before)


def cost_value(told: Sequence[Told], actions: Sequence[Action], valued: frozenset[int], now: datetime) -> Judged:
    """H1A: of projects whose value is recorded more are acted on after they were told of than of the others."""
    single = [one for one in told if len(one.project_ids) == 1]
    with_value = [one for one in single if one.project_ids <= valued]
    without = [one for one in single if not one.project_ids & valued]
    return judged(Hypothesis.COST_VALUE, answered(with_value, actions, now)[0], answered(without, actions, now)[0])


def more_clouds(providers: int, verified: Sequence[Saving]) -> Judged:
    """H1B: projects of another provider than the first save something; `verified` are their checked savings."""
    if providers < 2:
        return Judged(Hypothesis.MORE_CLOUDS, Verdict.NOT_MEASURABLE)
    won = Tally(sum(one.state is SavingState.VERIFIED for one in verified), len(verified))
    lost = Tally(sum(one.state is SavingState.FAILED for one in verified), len(verified))
    return judged(Hypothesis.MORE_CLOUDS, won, lost)


def judged(hypothesis: Hypothesis, share: Tally, other: Tally) -> Judged:
    """The verdict on a difference: supported or refuted only where its interval leaves zero out."""
    if min(share.of, other.of) < LEAST_TOLD:
        return Judged(hypothesis, Verdict.TOO_FEW, share, other)
    first, second = wilson(share.hits, share.of), wilson(other.hits, other.of)
    assert first is not None
    assert second is not None
    a, b = (EXACT.divide(Decimal(one.hits), Decimal(one.of)) for one in (share, other))
    high_a, high_b = first.high or a, second.high or b
    difference = a - b
    low = difference - EXACT.sqrt((a - first.low) ** 2 + (high_b - b) ** 2)
    high = difference + EXACT.sqrt((high_a - a) ** 2 + (b - second.low) ** 2)
    verdict = Verdict.SUPPORTED if low > 0 else Verdict.REFUTED if high < 0 else Verdict.OPEN
    return Judged(hypothesis, verdict, share, other, difference, Interval(low, high))


def opinions(events: Iterable[IncidentEvent]) -> Mapping[str, EventKind]:
    """What each person thinks of an alert, by their last word on it, HELPFUL or NOT_HELPFUL; `events` in order."""
    return {str(one.values.get("by")): one.kind for one in events if one.kind in OPINIONS}


def one_by_one(told: Iterable[Told]) -> list[Told]:
    """What told of several projects at once, as one for each of them; what named no project is left as it is.

    A project that two digests of a day name, its team's and the workspace's, was told of once.
    """
    found: dict[tuple[object, ...], Told] = {}
    for one in told:
        each: list[int | None] = [*sorted(one.project_ids)]
        for project_id in each or [None]:
            ids = one.project_ids if project_id is None else frozenset({project_id})
            what: object = one.at.date() if one.kind is Preceded.DIGEST and project_id is not None else one.id
            found.setdefault((one.kind, what, project_id), Told(one.kind, one.id, one.at, ids, one.team_ids))
    return list(found.values())


def alerts_of(told: Iterable[Told]) -> list[Told]:
    """The alerts among them."""
    return [one for one in told if one.kind is Preceded.ALERT]


def _concerns(told: Told, action: Action) -> bool:
    return action.project_id in told.project_ids or action.team_id in told.team_ids


def _follows(told: Told, action: Action) -> bool:
    return _concerns(told, action) and told.at < action.at <= told.at + ANSWERS_WITHIN


def _answers(told: Told, action: Action) -> bool:
    answered_ = action.preceded
    is_it = answered_ is not None and (answered_.kind, answered_.id) == (told.kind, told.id)
    return is_it and told.at < action.at <= told.at + ANSWERS_WITHIN


def _precedes(told: Told, action: Action) -> bool:
    return _concerns(told, action) and told.at - ANSWERS_WITHIN <= action.at <= told.at
