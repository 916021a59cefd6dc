"""Any trace in the documented form gives the exact bill: odd names, no cost, duplicates, one hour, many days."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import defaultdict
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from demo.onboarding import Stuck
from demo.once import play
from demo.prices import FilePrices, Rates
from demo.props import Props
from demo.trace import parse_trace
from demo.value_people import makes_token
from finops.periods import charge_day
from handlers.addresses import BOT
from tests.e2e.stages import JIHOON, scene

# 1e-16 dollars for a token: far below the nano-dollar, as many digits as a ledger must keep.
PRICES = FilePrices("prices of this test", {
    'model, "mini"': Rates(Decimal("1.234567890123"), Decimal("0.1"), Decimal("9.999999999999")),
    "dust": Rates(Decimal("0.0000000001"), Decimal("0.0000000003"), Decimal("0.0000000007")),
    "free": Rates(Decimal(0), Decimal(0), Decimal(0)),
})  # fmt: skip
MODELS = tuple(PRICES.by_model)
NAMES = (
    'a,b "c"', "🚀 로켓", "한글 프로젝트", "x" * 100, "<!channel>", "<@U0JIHOON01>", "*bold* _i_ `c`", "(unallocated)",
    "&amp; & <b>", "A", "a", "o'neil; DROP TABLE charges", "%s {name}", "=SUM(A1)", "e\u0301", "\u00e9",
    "👩\u200d💻", "\U0001fae8", "a\u3000b", "a b", "a  b", "a\u00adb", "ab", "\u202eab", "sandbox", "legacy-2025",
    "긴" * 300,
)  # fmt: skip
Row = dict[str, object]


def row(hour: int, application: str, model: str, *counts: int) -> Row:
    names = ("requests", "input_tokens", "output_tokens", "cached_input_tokens")
    return {"hour": hour, "application": application, "model": model, **dict(zip(names, counts, strict=True))}


def odd_rows() -> list[Row]:
    """Names people may choose, rows given twice, an application that never asks and one that costs nothing."""
    rows = [
        row(hour, name, MODELS[(hour + number) % 2], hour % 4, 1_000_003 * (hour + 1), 7 * hour, 500_001 * hour)
        for number, name in enumerate(NAMES)
        for hour in range(number % 7, 72, 13)
    ]
    return [*rows, *rows[:9], row(71, "idle", MODELS[0], 0, 0, 0, 0), row(3, "gratis", "free", 5, 100, 100, 50)]


def written(rows: list[Row], columns: tuple[str, ...]) -> io.StringIO:
    """The rows as a CSV file with its columns in this order."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    file.seek(0)
    return file


def bill(rows: list[Row], today: date) -> tuple[dict[str, Decimal], dict[str, Decimal], dict[date, Decimal]]:
    """Tokens x price by project and by day, computed here and nowhere else; the third is by day before cutting."""
    last = max(int(str(each["hour"])) for each in rows)
    projects: defaultdict[str, Decimal] = defaultdict(Decimal)
    days: defaultdict[date, Decimal] = defaultdict(Decimal)
    with localcontext(prec=80):
        for each in rows:
            counts = (int(str(each.get(name, 0))) for name in ("input_tokens", "cached_input_tokens", "output_tokens"))
            given, cached, output = counts
            rates = PRICES.by_model[str(each["model"])]
            cost = ((given - cached) * rates.input + cached * rates.cached_input + output * rates.output) / 1_000_000
            projects[str(each["application"])] += cost
            days[today - timedelta(days=1 + (last - int(str(each["hour"]))) // 24)] += cost
    return dict(projects), {str(day): cost for day, cost in days.items()}, dict(days)


COLUMNS = ("model", "output_tokens", "application", "hour", "cached_input_tokens", "requests", "input_tokens")
LONG_NAME = "요약 애플리케이션 " + "x" * 60


async def test_any_trace_gives_the_exact_bill(database_url: str) -> None:
    """By project and by day, to the last digit, whatever people call their applications; asked twice, nothing doubles.

    And each is connected: its token is made in its window, also where its name is longer than that window's input.
    """
    rows = [*odd_rows(), *(row(hour, LONG_NAME, "dust", 1, 1 + hour, hour, 0) for hour in range(24))]
    async with scene(database_url, parse_trace(written(rows, COLUMNS)), prices=PRICES) as stage:
        told = await play(stage, lambda _: None)
        projects, days, _ = bill(rows, charge_day(stage.product[BOT].clock()))
        assert {name: Decimal(amount) for name, amount in told.by_project.items()} == projects
        assert {day: Decimal(amount) for day, amount in told.by_day.items()} == days
        assert Decimal(told.ledger_total) == Decimal(told.provider_total) == sum(projects.values())
        again = asdict(await play(stage, lambda _: None)) | {"messages": [], "seconds": 0}
        assert again == asdict(told) | {"messages": [], "seconds": 0}
        assert (await makes_token(stage, stage.slack.person(JIHOON), LONG_NAME)).startswith("fin_")
        assert stage.slack.complaints == []


async def test_a_trace_longer_than_a_first_collection_says_which_days_are_compared(quick_url: str) -> None:
    """Both totals leave the older days out, the figures of the others are exact, and the run says so."""
    rows = [row(hour, "long", "dust", 1, 1 + hour, hour, 0) for hour in range(0, 24 * 4, 5)]
    heard: list[str] = []
    trace = parse_trace(written(rows, COLUMNS))
    async with scene(quick_url, trace, prices=PRICES, FINOPS_BACKFILL_DAYS="2") as stage:
        told = await play(stage, heard.append)
        today = charge_day(stage.product[BOT].clock())
        _, _, days = bill(rows, today)
    newest = {str(day): cost for day, cost in days.items() if day >= today - timedelta(days=2)}
    assert {day: Decimal(amount) for day, amount in told.by_day.items()} == newest
    assert Decimal(told.ledger_total) == Decimal(told.provider_total) == sum(newest.values())
    assert [words for words in heard if "4 days" in words and "newest 2" in words]


async def test_two_at_once_on_one_database_both_tell_the_bill(tmp_path: Path) -> None:
    """What the one has set up already refuses the other, whose window is opened again and goes on from there.

    Of one hour, without the column that may be left out.
    """
    columns = tuple(each for each in COLUMNS if "cached" not in each)
    trace, how = parse_trace(written([row(5, "solo", "dust", 3, 1, 1, 0)], columns)), {"props": Props.fresh()}
    database = f"sqlite:///{tmp_path}/shared.db"
    async with (
        scene(database, trace, prices=PRICES, **how) as one,
        scene(database, trace, prices=PRICES, **how) as other,
    ):
        both = await asyncio.gather(*(play(stage, lambda _: None) for stage in (one, other)))
    assert {told.ledger_total for told in both} == {told.provider_total for told in both} == {"0.0000000000000008"}


async def test_run_again_under_another_address_it_says_why_nothing_can_be_collected(begun: dict[str, Any]) -> None:
    """The keys of a database that was moved are others: it waited ten minutes, and there was no sentence at the end."""
    async with scene(begun["database_url"]) as stage:
        with pytest.raises(Stuck, match="put it back to where it was made, or name a new one"):
            await play(stage, lambda _: None)
