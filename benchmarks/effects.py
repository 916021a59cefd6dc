"""Whether we can tell that somebody acted, and whether it changed anything: on the demo's trace, with known truth.

    python -m benchmarks.effects [--runs 200] [--seed 6]

Actions: forty are seeded (models moved, batch and cache adopted, projects gone silent; any hour, any project, each in a
company of its own) and looked for from the first day to the last. Everything else that is found is false. Done on the
trace as it is, and on its days drawn anew in stretches, so that no fortnight repeats the one before.

Effects: the trace's days drawn anew for each project, under shocks that all of them share; a project and a day by
chance. Once nothing happens (a placebo), once costs fall by a fifth from the next day on.

Targets: 95 % of the actions on the right day with at most 5 % false; zero within 90 % of the placebos' intervals; the
true fifth within 90 % of the others'. Ends with 1 where one is missed.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from bot.effects_stats import SciPy
from demo.trace import Usage, read_trace
from finops.behaviour import ActionKind, Habit, moment, sightings
from finops.effects import Costs, Effect, EffectState, effect_of

TRACE = Path(__file__).parent.parent / "demo" / "data" / "trace.csv.gz"
REAL_DAYS, DAYS, HOURS, MINUTES = 14, 70, 24, 1440
FIRST = date(2026, 8, 31)  # a Monday; the trace has no calendar
# Dollars of a million tokens: uncached input, cached input, output.
MINI, LARGE = (0.15, 0.075, 0.60), (2.50, 1.25, 10.00)
SEEDED, FALL, NEW_MODEL = 40, 0.8, "gpt-5-nano"
KINDS = (ActionKind.MODEL_CHANGED, ActionKind.BATCH_ADOPTED, ActionKind.CACHE_ADOPTED, ActionKind.WENT_SILENT)

Calls = dict[tuple[str, bool], Usage]
"""What was asked in an hour, by model and whether in a batch."""
Hours = dict[int, Calls]


class Seeded(NamedTuple):
    """One action that really happened, in its company."""

    kind: ActionKind
    application: str
    hour: int


def trace() -> dict[str, Hours]:
    """Every application's hours."""
    found: dict[str, Hours] = defaultdict(lambda: defaultdict(dict))
    for series in read_trace(TRACE).series:
        for hour, usage in series.hours.items():
            found[series.application][hour][series.model, False] = usage
    return {name: dict(hours) for name, hours in found.items()}


def drawn_days(chance: random.Random, days: int) -> list[int]:
    """Which real day stands for each: stretches of three to seven days of the fortnight, each on its weekday."""
    found: list[int] = []
    while len(found) < days:
        start = len(found) % 7 + 7 * chance.randrange(2)
        found += [(start + n) % REAL_DAYS for n in range(chance.randint(3, 7))]
    return found[:days]


def drawn_anew(hours: Hours, chance: random.Random) -> Hours:
    """An application's days drawn anew."""
    return {
        day * HOURS + hour: hours.get(real * HOURS + hour, {})
        for day, real in enumerate(drawn_days(chance, DAYS))
        for hour in range(HOURS)
    }


# --- actions --------------------------------------------------------------------------------------------------------


def seeded(hours: Hours, kind: ActionKind, at: int, chance: random.Random) -> Hours:
    """The same hours with one habit changed from an hour on."""
    part, gap = chance.randint(45, 95), at + HOURS * chance.randint(5, 20)

    def changed(calls: Calls, hour: int) -> Calls:
        if kind is ActionKind.WENT_SILENT:
            return {} if hour < gap else calls
        told: Calls = {}
        for (model, is_batch), usage in calls.items():
            moved = usage.scaled(part, 100)
            if kind is ActionKind.CACHE_ADOPTED:
                hit = usage.uncached * part // 100
                told[model, is_batch] = usage._replace(uncached=usage.uncached - hit, cached=usage.cached + hit)
                continue
            told[model, is_batch] = usage.minus(moved)
            key = (NEW_MODEL, False) if kind is ActionKind.MODEL_CHANGED else (model, True)
            told[key] = told.get(key, Usage()).plus(moved)
        return told

    return {hour: calls if hour < at else changed(calls, hour) for hour, calls in hours.items()}


def habit(start: int, hours: Sequence[Calls]) -> Habit:
    """Some hours as the detection reads them."""
    models: dict[str, int] = defaultdict(int)
    tokens = batch = whole = cached = 0
    for calls in hours:
        for (model, is_batch), usage in calls.items():
            size = usage.input + usage.output
            models[model] += size
            tokens, batch = tokens + size, batch + size * is_batch
            whole, cached = whole + usage.input, cached + usage.cached
    return Habit(start, dict(models), tokens, batch, whole, cached)


def seen(hours: Hours) -> list[tuple[ActionKind, int]]:
    """What is found in one application: the kind and the day."""
    days = [habit(day * MINUTES, [hours.get(day * HOURS + n, {}) for n in range(HOURS)]) for day in range(DAYS)]
    found = []
    for sighting in sightings(days, 0, DAYS * MINUTES):
        near = range(sighting.start // 60 - HOURS, sighting.start // 60 + 2 * HOURS)
        told = moment(sighting, [habit(hour * 60, [hours.get(hour, {})]) for hour in near])
        found.append((sighting.kind, told // MINUTES))
    return found


def actions(companies: Callable[[], Mapping[str, Hours]], chance: random.Random) -> tuple[int, int, list[Seeded]]:
    """How many of the seeded actions were found on their day, how many false ones were, and which were not found."""
    right, false, missed = 0, 0, []
    for number in range(SEEDED):
        company = dict(companies())
        truth = Seeded(KINDS[number % len(KINDS)], chance.choice(sorted(company)), chance.randint(20 * 24, 60 * 24))
        company[truth.application] = seeded(company[truth.application], truth.kind, truth.hour, chance)
        found = [(name, *one) for name, hours in company.items() for one in seen(hours)]
        expected = (truth.application, truth.kind, truth.hour // HOURS)
        right += expected in found
        false += len(found) - (expected in found)
        if expected not in found:
            missed.append(truth)
    return right, false, missed


# --- effects --------------------------------------------------------------------------------------------------------


def daily_costs(hours: Hours) -> list[float]:
    """What each real day cost."""
    found = [0.0] * REAL_DAYS
    for hour in range(REAL_DAYS * HOURS):
        for (model, _), usage in hours.get(hour, {}).items():
            fresh, cached, output = MINI if "mini" in model else LARGE
            found[hour // HOURS] += (usage.uncached * fresh + usage.cached * cached + usage.output * output) / 1e6
    return found


def shocks(chance: random.Random, days: int) -> list[float]:
    """What all projects share: a slow wave, a day much like the one before."""
    level, found = 0.0, []
    for _ in range(days):
        level = 0.8 * level + chance.gauss(0, 0.06)
        found.append(math.exp(level))
    return found


def measured(costs: Mapping[str, Sequence[float]], chance: random.Random, factor: float) -> Effect:
    """The effect found where costs of one project were multiplied by `factor` from the day after one day on."""
    days = 43
    common, target = shocks(chance, days), chance.choice(sorted(costs))
    company: dict[int, Costs] = {}
    mine: Costs = {}
    for number, (name, each) in enumerate(sorted(costs.items())):
        drawn = drawn_days(chance, days)
        told = {
            FIRST + timedelta(days=n): Decimal(
                repr(round(each[drawn[n]] * common[n] * (factor if name == target and n > 28 else 1.0), 9))
            )
            for n in range(days)
        }
        if name == target:
            mine = told
        else:
            company[number] = told
    day = FIRST + timedelta(days=28)
    return effect_of(mine, company, day, day + timedelta(days=15), SciPy())


def held(effects: Sequence[Effect], truth: Decimal) -> int:
    """How many intervals hold the truth."""
    return sum(one.low is not None and one.high is not None and one.low <= truth <= one.high for one in effects)


# --- the table ------------------------------------------------------------------------------------------------------


def main() -> int:
    """Measure, print the table, and say whether every target is reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=6)
    chosen = parser.parse_args()
    chance, told = random.Random(chosen.seed), trace()
    is_reached = True
    print("| actions | found on the right day | false of all found |\n| --- | --- | --- |")
    stages: list[tuple[str, Callable[[], Mapping[str, Hours]]]] = [
        ("the trace as it is", lambda: told),
        ("its days drawn anew", lambda: {name: drawn_anew(hours, chance) for name, hours in told.items()}),
    ]
    for name, companies in stages:
        right, false, missed = actions(companies, chance)
        is_reached &= right >= 0.95 * SEEDED and false <= 0.05 * (right + false)
        print(
            f"| {SEEDED} in {name} | {right} ({right / SEEDED:.1%}) | {false} ({false / max(1, right + false):.1%}) |"
        )
        for one in missed:
            print(f"    missed: {one.kind} of {one.application} at hour {one.hour}", file=sys.stderr)
    costs = {name: daily_costs(hours) for name, hours in told.items()}
    print("\n| effects | truth within the interval | told as lower / higher / indistinct | interval, median width |")
    print("| --- | --- | --- | --- |")
    for name, factor in (("nothing happened", 1.0), ("a fifth lower", FALL)):
        began = time.process_time()
        effects = [measured(costs, chance, factor) for _ in range(chosen.runs)]
        inside = held(effects, Decimal(repr(round(factor - 1, 4))))
        is_reached &= inside >= 0.9 * chosen.runs
        counts = [sum(one.state is state for one in effects) for state in (EffectState.LOWER, EffectState.HIGHER)]
        widths = sorted(one.high - one.low for one in effects if one.high is not None and one.low is not None)
        print(
            f"| {name}, {chosen.runs} runs | {inside} ({inside / chosen.runs:.1%}) | {counts[0]} / {counts[1]} / "
            f"{chosen.runs - sum(counts)} | {widths[len(widths) // 2]:.0%} |"
        )
        print(f"    {(time.process_time() - began) / chosen.runs * 1000:.0f} ms each", file=sys.stderr)
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
