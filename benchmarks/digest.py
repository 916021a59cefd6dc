"""Monday at the size of years: what one digest costs, all its facts gathered, ranked and explained.

    python -m benchmarks.digest [--days 120] [--projects 2000] [--items 5] [--teams 40] [--recording 300] [--rounds 5]
                                [--postgres] [--database URL]

`--days 1095` makes the design's 10,950,000 lines (some minutes of filling); `--database` keeps them at that address.
Two weeks of usage of every project stand beside the bills, and five weeks of forty recorded calls a week of
`--recording` projects. Measured is the workspace's digest and one of a team: by the clock, and the part of it spent
inside the database's driver (for PostgreSQL: waiting for the server). Target at that size, for that part, on both
databases: p50 <= 100 ms. Beside it the floor, in the same run: the two sums by project that a digest cannot do without.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from benchmarks.asking import driver_time, filled, on_each_database, settle
from benchmarks.collection import WORKSPACE
from benchmarks.live import Prices
from bot import Bot, Policy
from bot.digest_codec import encoded
from bot.digest_facts import DigestFacts
from finops.digest import Digest
from finops.events import RecordedCall
from finops.figures import Scope
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.registry import Project
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from finops.value import Outcome
from finops.weeks import last_week
from storage import Storage, Store

CALLS, WEEKS = 40, 5
MODEL = "gpt-5.4"
TARGET_MS = 100.0

Asked = Callable[[Store], Awaitable[object]]


async def furnish(storage: Storage, connection_id: int, week: Period, chosen: argparse.Namespace) -> list[Project]:
    """Teams and projects, what they used in two weeks, and what some of them recorded in five."""
    now = datetime.now(UTC)
    async with storage.reading() as store:
        known = await store.projects.all(WORKSPACE)
    if known:
        return known
    projects: list[Project] = []
    each = -(-chosen.projects // chosen.teams)
    async with storage.writing() as store:
        for number in range(chosen.teams):
            team = await store.teams.create(
                WORKSPACE, name=f"Team {number}", lead_user_id="U1", channel_id=f"C{number}", locale="ko", approvers=(),
                created_by="U1", at=now,
            )  # fmt: skip
            mine = [
                (f"proj_{n:020}", f"project-{n}")
                for n in range(number * each, min(chosen.projects, (number + 1) * each))
            ]
            made, _ = await store.projects.register(
                WORKSPACE, connection_id=connection_id, team_id=team.id, projects=mine, registered_by="U1", at=now
            )
            projects += made
    print("  bills and projects stand; usage and value follow", file=sys.stderr)
    for day in Period(week.before().start, week.end):
        await _use(storage, connection_id, day, projects)
    # Those that spent most by chance are no fewer among the first than anywhere.
    for project in projects[: chosen.recording]:
        async with storage.writing() as store:
            await store.value.record(WORKSPACE, project.id, _calls(project, week))
    return projects


async def _use(storage: Storage, connection_id: int, day: date, projects: Sequence[Project]) -> None:
    start = int(starts_at(day).timestamp()) // 60
    rows = [
        UsageRow(
            start, Endpoint.COMPLETIONS.value, one.provider_project_id, MODEL, "key_1", "default", is_batch=False,
            requests=100 + one.id % 7, input_tokens=100_000, cached_input_tokens=20_000, output_tokens=30_000,
        )
        for one in projects
    ]  # fmt: skip
    reading = UsageReading(
        Endpoint.COMPLETIONS, Width.DAY, start, start + Width.DAY, (UsageBucket(start, tuple(rows)),)
    )
    async with storage.writing() as store:
        await store.usage.replace(
            WORKSPACE, connection_id, reading, [(row, 10**18, True) for row in rows], starts_at(day), start + Width.DAY
        )


def _calls(project: Project, week: Period) -> list[RecordedCall]:
    return [
        RecordedCall(
            event_id=f"{back}-{number}",
            request_id=f"{back}-{number}",
            at=starts_at(week.start) - timedelta(days=7 * back) + timedelta(hours=4 * number),
            task=("answer", "search")[number % 2],
            model=MODEL,
            outcome=Outcome.SUCCESS if number < 20 + (project.id + back) % 18 else Outcome.FAILURE,
            cost_nano=10**7,
            cost_rest=0,
        )
        for back in range(WEEKS)
        for number in range(CALLS)
    ]


async def timed(storage: Storage, asked: Asked, rounds: int) -> tuple[float, float]:
    """Milliseconds by the clock and inside the driver, p50."""
    taken, inside = [], []
    with driver_time() as spent:
        for _ in range(rounds + 1):
            started, before = time.perf_counter(), spent[0]
            async with storage.reading() as store:
                await asked(store)
            taken.append((time.perf_counter() - started) * 1000)
            inside.append((spent[0] - before) * 1000)
    return statistics.median(taken[1:]), statistics.median(inside[1:])


async def measure(name: str, url: str, chosen: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    today = now.date()
    week = last_week(today)
    async with filled(url, today, chosen) as (storage, connection_id):
        projects = await furnish(storage, connection_id, week, chosen)
        settle(url)
        bot = Bot(storage, {}, lambda: now, Policy(), Prices())
        facts = DigestFacts(bot.why)
        told: list[Digest] = []

        def digest_of(scope: Scope) -> Asked:
            async def asked(store: Store) -> None:
                told[:] = (await facts.of(store, WORKSPACE, [scope], week, now)).values()

            return asked

        async def floor(store: Store) -> None:
            await store.charges.project_totals(WORKSPACE, week)
            await store.charges.project_totals(WORKSPACE, week.before())

        print(f"\n{name}: {chosen.days * chosen.projects * chosen.items:,} lines, {len(projects):,} projects")
        least, least_inside = await timed(storage, floor, chosen.rounds)
        print(f"  {'floor: two weeks by project':42} p50 {least:7.1f} ms, database {least_inside:6.1f} ms")
        whole, team = Scope(ScopeKind.WORKSPACE, None, ""), Scope(ScopeKind.TEAM, projects[0].team_id, "Team 0")
        for title, scope in (
            ("digest of the workspace", whole),
            (
                f"digest of a team of {len(projects) // chosen.teams}",
                team,
            ),
        ):
            p50, inside = await timed(storage, digest_of(scope), chosen.rounds)
            [digest] = told
            size = len(json.dumps(encoded(digest)).encode()) / 1024
            verdict = "" if inside <= TARGET_MS else "  MISSED"
            print(
                f"  {title:42} p50 {p50:7.1f} ms, database {inside:6.1f} ms (target {TARGET_MS:.0f} ms), "
                f"{p50 / least:5.1f}x the floor; kept in {size:,.0f} KiB; best {len(digest.best)}, "
                f"to improve {len(digest.improve)}{verdict}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--projects", type=int, default=2_000)
    parser.add_argument("--items", type=int, default=5)
    parser.add_argument("--teams", type=int, default=40)
    parser.add_argument("--recording", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", action="store_true", help="measure PostgreSQL as well")
    parser.add_argument("--database", help="fill this one and keep it, or ask it when it is filled")
    on_each_database(measure, parser.parse_args())


if __name__ == "__main__":
    main()
