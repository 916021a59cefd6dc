"""The last five weeks of the demo's trace as a ranking sees them: its costs, and outcomes drawn as its people would."""

from __future__ import annotations

import csv
import gzip
import random
from collections import defaultdict
from decimal import Decimal
from functools import cache
from pathlib import Path

from demo import value as demo_value
from finops.money import Money
from finops.ranking import Contender, Ranking, past_of, ranked
from finops.value import ValueFigure, ValueSums, figure

WEEKS, HOURS = 5, 168
# Dollars of a million tokens: uncached input, cached input, output.
_MINI = (Decimal("0.15"), Decimal("0.075"), Decimal("0.60"))
_LARGE = (Decimal("2.50"), Decimal("1.25"), Decimal("10.00"))
_TRACE = Path(demo_value.__file__).parent / "data" / "trace.csv.gz"


@cache
def weeks() -> dict[str, list[tuple[int, Decimal]]]:
    """Requests and cost of each application in each of the last weeks, the newest last."""
    found: dict[str, list[list[Decimal]]] = defaultdict(lambda: [[Decimal(0), Decimal(0)] for _ in range(WEEKS)])
    with gzip.open(_TRACE, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    end = 1 + max(int(row["hour"]) for row in rows)
    for row in rows:
        back = (end - 1 - int(row["hour"])) // HOURS
        if back < WEEKS:
            fresh, cached, output = _MINI if "mini" in row["model"] else _LARGE
            hit = int(row["cached_input_tokens"])
            cost = (int(row["input_tokens"]) - hit) * fresh + hit * cached + int(row["output_tokens"]) * output
            week = found[row["application"]][WEEKS - 1 - back]
            week[0] += int(row["requests"])
            week[1] += cost / 1_000_000
    return {name: [(int(requests), cost) for requests, cost in each] for name, each in found.items()}


def week_of(chance: random.Random | None, recorded_a_week: int | None = None) -> Ranking:
    """The ranking of the newest week. `chance` draws how each recorded call ended; None: as many as the habit says.

    Recorded is every call of the trace, or `recorded_a_week` of each application.
    """
    contenders, whole = [], Decimal(0)
    for number, name in enumerate(sorted(weeks())):
        figures = [_recorded(name, week, recorded_a_week, chance) for week in range(WEEKS)]
        cost = Money(weeks()[name][-1][1])
        whole += cost.amount
        before = [(figures[week], Money(weeks()[name][week][1])) for week in range(WEEKS - 1)]
        trailing, is_weighted = past_of(figures[-1], before)
        contenders.append(
            Contender(number, name, "팀", cost, None, figures[-1], trailing=trailing, is_weighted=is_weighted)
        )
    return ranked(contenders, Money(whole))


def _recorded(name: str, week: int, most: int | None, chance: random.Random | None) -> ValueFigure:
    requests, cost = weeks()[name][week]
    calls = requests if most is None else most
    if name in demo_value.SILENT or not requests:
        return figure(ValueSums(), Money(cost), requests)
    habit = demo_value.habit_of(name)
    level = habit.now if week == WEEKS - 1 else habit.usual
    told = calls // habit.told_in
    rate = level.successes / 1000
    if chance is None:
        successes = round(told * rate)
    else:  # of so many calls, chance is as good as normal
        drawn = chance.gauss(told * rate, (told * rate * (1 - rate)) ** 0.5)
        successes = min(told, max(0, round(drawn)))
    nano = int(cost * calls / requests * 10**9)
    sums = ValueSums(
        calls=calls, successes=successes, failures=told - successes, scored=told, score_sum=level.score * told,
        priced=calls, cost_nano=nano,
    )  # fmt: skip
    return figure(sums, Money(cost), requests)


def named(ranking: Ranking) -> tuple[frozenset[str], frozenset[str]]:
    """Who is best and who is to improve, whatever their order."""
    return frozenset(one.name for one in ranking.best), frozenset(one.name for one in ranking.improve)
