"""Seeing a runaway at scale: what one poll of ten thousand projects costs, parsed, priced, stored and evaluated.

    python -m benchmarks.live [--projects 10000] [--teams 1000] [--rounds 3] [--crossing 10] [--profile]

Every project has usage in every minute. A poll asks for 25 minutes of which 5 are new; of the 20 before, two are
still moving a little and the rest say what they said. Every project has a daily budget (a default), every team a
monthly one; the month's bills of all are in the ledger. `--crossing` projects cross a level in each poll.

The floor, in the same run and of the same bytes: msgspec decodes every row into a typed structure, each is priced
with integers, and those that changed go through plain sqlite3 `executemany` in one transaction. Nothing else.
Target: a poll <= 2 s of processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec

from bot import Bot, Policy
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import Charge, ChargedDay
from finops.money import Money
from finops.prices import RateCard
from finops.secret import Secret
from providers.openai import OpenAI
from storage import KeyRing, Storage, open_storage

WORKSPACE, PERSON = "T0BENCH001", "U0BENCH001"
MODELS = ("gpt-5.4", "gpt-5.4-mini", "gpt-4.1")
TAIL, NEW, MOVING = 20, 5, 2
NOON = datetime(2026, 7, 6, 12, 0, tzinfo=UTC)
CLOSED_DAYS = 5


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Prices:
    """Three models at round prices."""

    version = "bench"
    _card = RateCard("bench", input_tokens=2_500_000_000_000, cached_input_tokens=250_000_000_000,
                     output_tokens=15_000_000_000_000)  # fmt: skip

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        return self._card


@dataclass
class Traffic:
    """What every project asks in every minute, as the provider spells it; a minute's text is made once."""

    projects: int
    crossing: int
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    told: dict[int, bytes] = field(default_factory=dict)
    runaway: set[int] = field(default_factory=set)
    made: tuple[tuple[int, int], bytes] = ((0, 0), b"")

    def advance(self, minute: int) -> None:
        """Until `minute`: five are new, the two before them have moved a little, and some projects run away."""
        self.runaway |= set(self.chance.sample(range(self.projects), self.crossing))
        for each in range(minute - NEW - MOVING, minute - NEW):
            if each in self.told:
                self.told[each] = self._bucket(each, moved=self.projects // 100)
        for each in range(minute - NEW, minute):
            self.told[each] = self._bucket(each)

    def fill(self, start: int, end: int) -> None:
        for minute in range(start, end):
            self.told[minute] = self._bucket(minute)

    def page(self, start: int, end: int) -> bytes:
        """One answer; made once, for making it is the provider's work and not ours."""
        if self.made[0] != (start, end):
            self.made = (start, end), self._page(start, end)
        return self.made[1]

    def _page(self, start: int, end: int) -> bytes:
        return b'{"object":"page","data":[' + b",".join(
            self.told[minute] for minute in range(start, end) if minute in self.told
        ) + b'],"has_more":false,"next_page":null}'  # fmt: skip

    def _bucket(self, minute: int, moved: int = 0) -> bytes:
        rows = []
        for project in range(self.projects):
            more = project < moved or (300 if project in self.runaway else 0)
            rows.append(
                f'{{"object":"organization.usage.completions.result","input_tokens":{1000 + project % 500 + more},'
                f'"input_cached_tokens":{project % 100},"input_cache_write_tokens":0,"output_tokens":{50 + more * 300},'
                f'"input_audio_tokens":0,"input_cached_audio_tokens":0,"output_audio_tokens":0,"input_image_tokens":0,'
                f'"input_cached_image_tokens":0,"output_image_tokens":0,"num_model_requests":{1 + project % 9 + more},'
                f'"project_id":"proj_{project:020}","user_id":null,"api_key_id":"key_{project:016}",'
                f'"model":"{MODELS[project % 3]}","batch":false,"service_tier":"default"}}'
            )
        body = ",".join(rows)
        return (
            f'{{"object":"bucket","start_time":{minute * 60},"end_time":{minute * 60 + 60},"results":[{body}]}}'
        ).encode()


@asynccontextmanager
async def a_house(folder: Path, traffic: Traffic, teams: int, clock: Clock) -> AsyncIterator[Bot]:
    """Ten thousand projects with budgets and the month's bills, on a database of its own."""

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        start, end = int(query["start_time"]) // 60, int(query["end_time"]) // 60
        is_told = request.url.path.endswith("/completions") and query["bucket_width"] == "1m"
        empty = b'{"object":"page","data":[],"has_more":false,"next_page":null}'
        return httpx.Response(200, content=traffic.page(start, end) if is_told else empty)

    async with (
        open_storage(f"sqlite:///{folder}/live.db", KeyRing.generate()) as storage,
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http,
    ):
        await furnish(storage, traffic.projects, teams)
        yield Bot(storage, {"openai": OpenAI(http, "https://api.example/v1", clock)}, clock, Policy(), Prices())


async def furnish(storage: Storage, projects: int, teams: int) -> None:
    async with storage.writing() as store:
        await store.workspaces.ensure(
            WORKSPACE, name="Bench", locale="ko", timezone="Asia/Seoul", installed_by=PERSON, at=NOON
        )
        connection = await store.connections.create(
            WORKSPACE, provider="openai", organization_id="org-bench", organization_name="Bench", at=NOON
        )
        default = BudgetTerms(BudgetScope.EVERY_PROJECT, None, BudgetPeriod.DAY, Money.of("5"))
        await store.budgets.create(WORKSPACE, default, by=PERSON, at=NOON - timedelta(days=40))
        for number in range(teams):
            team = await store.teams.create(
                WORKSPACE, name=f"team {number}", lead_user_id=PERSON, channel_id=f"C{number:09}", locale="ko",
                approvers=(), created_by=PERSON, at=NOON,
            )  # fmt: skip
            mine = [(f"proj_{each:020}", f"project {each}") for each in range(number, projects, teams)]
            await store.projects.register(
                WORKSPACE, connection_id=connection.id, team_id=team.id, projects=mine, registered_by=PERSON, at=NOON
            )
            terms = BudgetTerms(BudgetScope.TEAM, team.id, BudgetPeriod.MONTH, Money.of("20000"))
            await store.budgets.create(WORKSPACE, terms, by=PERSON, at=NOON - timedelta(days=40))
            if number == 0:
                await store.credentials.add(
                    WORKSPACE, connection_id=connection.id, team_id=team.id,
                    secret=Secret("sk-" + "admin-benchmark0123456789"), rights=("usage.read",), registered_by=PERSON,
                    at=NOON,
                )  # fmt: skip
    for back in range(1, CLOSED_DAYS + 1):
        day = NOON.date() - timedelta(days=back)
        charges = tuple(
            Charge(day, f"proj_{each:020}", f"{MODELS[each % 3]}, output", Decimal(each % 97 + 1) / 100)
            for each in range(projects)
        )
        async with storage.writing() as store:
            await store.charges.replace_day(WORKSPACE, connection.id, ChargedDay(day, charges), NOON)


# --- the floor -------------------------------------------------------------------------------------------------------


class Row(msgspec.Struct, gc=False):
    input_tokens: int
    output_tokens: int
    input_cached_tokens: int
    num_model_requests: int
    project_id: str
    model: str
    api_key_id: str
    service_tier: str
    batch: bool


class Bucket(msgspec.Struct, gc=False):
    start_time: int
    results: list[Row]


class Page(msgspec.Struct):
    data: list[Bucket]


class Floor:
    """The same work by the shortest way."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "floor.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(
            "CREATE TABLE floor (start INTEGER, project TEXT, model TEXT, key TEXT, tier TEXT, batch INTEGER, "
            "requests INTEGER, input INTEGER, cached INTEGER, output INTEGER, nano INTEGER, rest INTEGER, "
            "PRIMARY KEY (start, project, model, key, tier, batch)) WITHOUT ROWID"
        )
        self._known: dict[int, int] = {}

    def poll(self, body: bytes) -> int:
        rows = []
        for bucket in msgspec.json.decode(body, type=Page).data:
            minute = bucket.start_time // 60
            priced = [
                (
                    minute, one.project_id, one.model, one.api_key_id, one.service_tier, one.batch,
                    one.num_model_requests, one.input_tokens, one.input_cached_tokens, one.output_tokens,
                    *divmod(
                        (one.input_tokens - one.input_cached_tokens) * 2_500_000_000_000
                        + one.input_cached_tokens * 250_000_000_000
                        + one.output_tokens * 15_000_000_000_000,
                        10**9,
                    ),
                )
                for one in bucket.results
            ]  # fmt: skip
            mark = hash(tuple(priced))
            if self._known.get(minute) != mark:
                self._known[minute] = mark
                rows += priced
        self._db.execute("BEGIN")
        self._db.executemany(f"INSERT OR REPLACE INTO floor VALUES ({', '.join('?' * 12)})", sorted(rows))
        self._db.execute("COMMIT")
        return len(rows)


# --- measuring -------------------------------------------------------------------------------------------------------


async def measure(projects: int, teams: int, rounds: int, crossing: int, *, profile: bool) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"poll": [], "evaluate": [], "floor": [], "ratio": [], "wall": []}
    clock, traffic = Clock(), Traffic(projects, crossing)
    now = int(NOON.timestamp()) // 60
    traffic.fill(now - TAIL - NEW, now)
    with tempfile.TemporaryDirectory(prefix="finops-live-") as name:
        folder = Path(name)
        floor = Floor(folder)
        async with a_house(folder, traffic, teams, clock) as bot:
            [connection] = await bot.connections.all(WORKSPACE)
            await bot.watching.poll(connection)
            floor.poll(traffic.page(now - TAIL - NEW, now))
            for number in range(rounds + 1):
                clock.now += timedelta(minutes=NEW)
                now += NEW
                traffic.advance(now)
                body = traffic.page(now - NEW - TAIL, now)
                cpu, wall = time.process_time(), time.perf_counter()
                profiler = cProfile.Profile() if profile and number == rounds else None
                if profiler:
                    profiler.enable()
                polled = await bot.watching.poll(connection)
                if profiler:
                    profiler.disable()
                    pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
                seconds, waited = time.process_time() - cpu, time.perf_counter() - wall
                assert polled is not None
                assert polled.result == "read", polled
                cpu = time.process_time()
                await bot.evaluating.evaluate(WORKSPACE)
                judging = time.process_time() - cpu
                cpu = time.process_time()
                changed = floor.poll(body)
                least = time.process_time() - cpu
                if number:  # the first one warms what both keep
                    found["poll"].append(seconds)
                    found["wall"].append(waited)
                    found["evaluate"].append(judging)
                    found["floor"].append(least)
                    found["ratio"].append(seconds / least)
                rows = (TAIL + NEW) * projects
                print(
                    f"  {rows:,} rows told ({len(body) / 2**20:.0f} MiB), {changed:,} new or moved: "
                    f"{seconds:.2f} s of CPU ({waited:.2f} s by the clock), evaluating again {judging:.2f} s, "
                    f"floor {least:.2f} s{'' if number else '  (warming)'}"
                )
            await report(bot)
    return found


async def report(bot: Bot) -> None:
    async with bot.storage.reading() as store:
        incidents = await store.incidents.open_ones(WORKSPACE)
    told = sum(one.has_root for one in incidents)
    print(f"  {len(incidents)} incidents open, {told} of them told")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--teams", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--crossing", type=int, default=10)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    print(f"{chosen.projects:,} projects in {chosen.teams:,} teams")
    found = asyncio.run(measure(chosen.projects, chosen.teams, chosen.rounds, chosen.crossing, profile=chosen.profile))
    median = {name: statistics.median(each) for name, each in found.items()}
    if chosen.json:
        print(json.dumps(median))
    verdict = "" if median["poll"] <= 2 else "  MISSED"
    print(f"poll: {median['poll']:.2f} s of CPU (target <= 2){verdict}, {median['wall']:.2f} s by the clock")
    print(f"evaluating again, nothing new: {median['evaluate']:.2f} s of CPU")
    print(f"floor: {median['floor']:.2f} s of CPU; the poll is {median['ratio']:.1f}x of it")


if __name__ == "__main__":
    main()
