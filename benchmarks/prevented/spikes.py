"""The corpus: runaways drawn from a seed, each with the provider that suffers it, and the truth of what it bills."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from demo.billing import spent
from demo.openai import SimulatedOpenAI
from demo.openai.limits import Limits
from demo.openai.traffic import DAY, day_minute
from demo.prices import Prices
from demo.replay_truth import usual
from demo.trace import Trace
from finops.money import EXACT
from finops.periods import charge_day, minute_of, moment_of, starts_at

Clock = Callable[[], datetime]

# A Monday in the middle of nowhere: the trace has no calendar, and no run may depend on today's.
FIRST = datetime(2026, 7, 6, tzinfo=UTC)
DAYS = 6
LEAST_FACTOR, MOST_FACTOR = 4, 40
# A limit is so many of the application's dearest usual days, in tenths.
LEAST_LIMIT, MOST_LIMIT = 12, 30
# What goes over its limit by less than this part of it is no spike that anybody asked us to prevent.
_WORTH_PREVENTING = Decimal("0.25")
_TRIES = 200


class Kind(StrEnum):
    """What is special about a spike."""

    PLAIN = "plain"
    SLOW = "limit bites late"
    FILLING = "usage fills in late"
    BEHIND = "usage an hour late"
    MIDNIGHT = "before midnight"
    LIMITED = "had a limit"


# Of every ten; the first six are all different, so that a short run meets each kind too.
DECK = (*Kind, Kind.PLAIN, Kind.PLAIN, Kind.SLOW, Kind.FILLING)


@dataclass(frozen=True, slots=True)
class Spike:
    """From `begins` on, `factor` times the usual calls, which never end by themselves, against `limit` dollars a day.

    `former_cents` is a monthly limit that the project had at the provider before.
    """

    kind: Kind
    application: str
    factor: int
    begins: datetime
    limit: Decimal
    enforcement_seconds: int = 60
    fresh_minutes: int = 2
    late_hours: int = 0
    former_cents: int | None = None

    @property
    def set_up_at(self) -> datetime:
        """An hour before it begins, on the product's beat: nobody knows yet."""
        return moment_of(minute_of(self.begins - timedelta(hours=1)) // 5 * 5)

    @property
    def days(self) -> tuple[date, ...]:
        """The budget's days it is followed through: its own; and the next, where its own is as good as over."""
        day = charge_day(self.begins)
        return (day, day + timedelta(days=1)) if self.kind is Kind.MIDNIGHT else (day,)

    @property
    def ends(self) -> datetime:
        """The end of the last of those days."""
        return starts_at(self.days[-1]) + timedelta(days=1)


def a_provider(spike: Spike, clock: Clock, trace: Trace, prices: Prices) -> SimulatedOpenAI:
    """The provider at the moment of setting up, with all that is going to happen; it is told by `clock`."""
    openai = SimulatedOpenAI(trace, prices, clock, anchor=FIRST)
    openai.behaviour.set(
        {
            "enforcement_seconds": spike.enforcement_seconds,
            "fresh_minutes": spike.fresh_minutes,
            "late_hours": spike.late_hours,
        }
    )
    if spike.former_cents is not None:
        tenant = openai.tenant()
        limits = Limits(tenant.organization, tenant.levers, openai.behaviour, clock())
        body = {"threshold_amount": spike.former_cents, "currency": "USD", "interval": "month"}
        limits.set_spend_limit(openai.project(spike.application), body)
    openai.boost(spike.application, Fraction(spike.factor), spike.begins)
    return openai


# -- the provider's own truth


def over(openai: SimulatedOpenAI, spike: Spike) -> Decimal:
    """The dollars over the limit that the provider bills, each of the spike's days held against its own limit.

    Exact, and to be asked when those days are over.
    """
    openai.tenant().levers.advance(minute_of(spike.ends))
    found = Decimal(0)
    for day in spike.days:
        first = day_minute(day)
        found = EXACT.add(
            found, max(Decimal(0), EXACT.subtract(_billed(openai, spike, first, first + DAY), spike.limit))
        )
    return found


def breach(openai: SimulatedOpenAI, spike: Spike) -> datetime | None:
    """The end of the minute in which a day's limit is first spent; None where that never happens."""
    openai.tenant().levers.advance(minute_of(spike.ends))
    for day in spike.days:
        first, so_far = day_minute(day), Decimal(0)
        for minute in range(first, first + DAY):
            so_far = EXACT.add(so_far, _billed(openai, spike, minute, minute + 1))
            if so_far >= spike.limit:
                return moment_of(minute + 1)
    return None


def untouched(spike: Spike, trace: Trace, prices: Prices) -> SimulatedOpenAI:
    """The same provider in a world without the product: nobody does anything until the end."""
    return a_provider(spike, lambda: spike.set_up_at, trace, prices)


def _billed(openai: SimulatedOpenAI, spike: Spike, start: int, end: int) -> Decimal:
    traffic, found = openai.tenant().traffic, Decimal(0)
    for model in traffic.models_of(spike.application):
        rates = openai.prices.rates(model, charge_day(moment_of(start)))
        assert rates is not None, "the provider has a price for everything"
        found = EXACT.add(found, spent(traffic.happened((spike.application, model), start, end), rates))
    return found


# -- drawing


def drawn(seed: int, count: int, trace: Trace, prices: Prices) -> list[Spike]:
    """So many spikes; the same seed draws the same ones. Raises ValueError for a trace in which nothing runs away."""
    chance = random.Random(seed)
    found: list[Spike] = []
    while len(found) < count:
        left = list(trace.applications)
        chance.shuffle(left)
        for application in left[: count - len(found)]:
            found.append(_one(chance, DECK[len(found) % len(DECK)], application, trace, prices))
    return found


def _one(chance: random.Random, kind: Kind, application: str, trace: Trace, prices: Prices) -> Spike:
    week = SimulatedOpenAI(trace, prices, lambda: FIRST, anchor=FIRST)
    dearest = max(usual(week, application, start, start + DAY) for start in _days(week))
    for _ in range(_TRIES):
        begins = FIRST + timedelta(days=chance.randint(1, DAYS), minutes=chance.randrange(DAY))
        if kind is Kind.MIDNIGHT:
            begins = starts_at(charge_day(begins)) + timedelta(days=1, minutes=-chance.randint(2, 20))
        limit = Decimal(max(1, round(dearest * chance.randint(LEAST_LIMIT, MOST_LIMIT) / 10)))
        spike = Spike(
            kind,
            application,
            chance.randint(LEAST_FACTOR, MOST_FACTOR),
            begins,
            limit,
            enforcement_seconds=60 * chance.randint(5, 15) if kind is Kind.SLOW else 60,
            fresh_minutes=chance.randint(8, 19) if kind is Kind.FILLING else chance.randint(0, 4),
            late_hours=1 if kind is Kind.BEHIND else 0,
            former_cents=_former(chance, week, application, begins, limit) if kind is Kind.LIMITED else None,
        )
        if over(untouched(spike, trace, prices), spike) >= limit * _WORTH_PREVENTING:
            return spike
    raise ValueError(f"{application} does not run away, however often it is tried")


def _former(chance: random.Random, week: SimulatedOpenAI, application: str, begins: datetime, limit: Decimal) -> int:
    """A monthly limit of the provider's above what the month cost so far: by so many of the day's limits."""
    so_far = usual(week, application, day_minute(begins.date().replace(day=1)), minute_of(begins))
    return round((so_far + limit * chance.randint(2, 8)) * 100)


def _days(week: SimulatedOpenAI) -> range:
    first = week.tenant().traffic.live_from
    return range(first, first + 7 * DAY, DAY)
