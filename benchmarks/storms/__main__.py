"""A thousand storms over the stopping machine, and what came of them.

    python -m benchmarks.storms                        1,000 runs, each on a fresh SQLite database; then 20 with SIGKILL
    python -m benchmarks.storms --runs 1 --seed 4711   one of them again, with everything that happened in it
    python -m benchmarks.storms --database postgresql://…  every run in a workspace of its own of that database

Each run draws from its seed what two projects' limits were before, and then what people, the budgets, the provider, the
clock and death do: stops, ten clicks, approvals, restores, second persons, failures before and after acting, changes
elsewhere, keys without rights, and kills at the boundaries of transactions and calls, in one of two copies that work at
the same time. At the end everything works again and days go by. docs/stops.md says what must hold; exit 1 if it does
not, with the seeds.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.storms.storm import Outcome, Storm
from benchmarks.storms.world import WORKSPACE, Template, World, a_world, settled
from storage import KeyRing, Storage, open_storage

ACTS = 18
CHUNK = 20


async def raged(world: World, seed: int, acts: int, children: str = "") -> Outcome:
    """One storm; whatever breaks it is told as what was wrong."""
    storm = Storm(world, seed, acts, children)
    try:
        return await storm.run()
    except Exception:  # noqa: BLE001 - a thousand others are still to be run
        storm.outcome.wrong.append(f"the run broke: {traceback.format_exc(limit=-6)}")
        return storm.outcome


async def on_files(seeds: Sequence[int], acts: int, *, by_signal: bool = False) -> list[Outcome]:
    """Each seed on a database of its own; `by_signal`: some of the work is done by processes that really die."""
    found = []
    with tempfile.TemporaryDirectory(prefix="finops-storms-") as name:
        folder = Path(name)
        template = await Template.made(folder)
        for seed in seeds:
            async with template.copied(folder, f"run-{seed}") as storage:
                world = await a_world(storage, WORKSPACE, seed, is_drawn=not by_signal)
                if not by_signal:
                    found.append(await raged(world, seed, acts))
                    continue
                async with world.openai:
                    address = f"sqlite:///{folder / f'run-{seed}.db'}"
                    found.append(await raged(world, seed, acts, address))
    return found


async def on_database(url: str, seeds: Sequence[int], acts: int) -> list[Outcome]:
    """Each seed in a workspace of its own."""
    async with open_storage(url, KeyRing.generate()) as storage:
        return [await in_workspace(storage, seed, acts) for seed in seeds]


async def in_workspace(storage: Storage, seed: int, acts: int) -> Outcome:
    """One seed in a new workspace of a database; who is first there is left to the database."""
    workspace_id = f"T0STORM{time.time_ns():x}".upper()[:20]
    await settled(storage, workspace_id)
    world = await a_world(storage, workspace_id, seed, is_drawn=storage.kind == "sqlite")
    return await raged(world, seed, acts)


def chunk(seeds: Sequence[int], acts: int, by_signal: bool, url: str | None) -> list[Outcome]:
    """Some runs, in a process of their own."""
    logging.disable(logging.CRITICAL)
    if url is not None:
        return asyncio.run(on_database(url, seeds, acts))
    return asyncio.run(on_files(seeds, acts, by_signal=by_signal))


def outcomes(
    seeds: Sequence[int], acts: int, jobs: int, url: str | None, *, by_signal: bool = False
) -> Iterator[Outcome]:
    """Everything that came of these seeds, as it comes."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if len(chunks) == 1 or url is not None:
        for each in chunks:
            yield from chunk(each, acts, by_signal, url)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for waiting in [pool.submit(chunk, one, acts, by_signal, url) for one in chunks]:
            yield from waiting.result()


def table(title: str, found: Sequence[Outcome], seconds: float) -> str:
    """What happened, counted."""
    counts, faults = Counter[str](), Counter[str]()
    for one in found:
        counts += one.counts
        faults += one.faults
    rows = [
        ("runs", len(found)),
        ("stops asked for", counts["stops"]),
        ("approvals, restores and second words", counts["approvals"]),
        ("clicks refused", counts["refused"]),
        ("changes elsewhere", counts["elsewhere"]),
        ("kills", counts["kills"]),
        *((f"  {name.removeprefix('killed ')}", counts[name]) for name in sorted(counts) if name.startswith("killed ")),
        ("faults played", faults.total()),
        *((f"  {name}", faults[name]) for name in sorted(faults)),
        ("changes sent to the provider", counts["writes"]),
        ("  onto a change nobody could know of", counts["races"]),
        ("messages", counts["messages"]),
        ("former states put back", counts["restores"]),
        ("  exactly", counts["exact"]),
        ("stops lost", counts["lost"]),
        ("stops or levers left hanging", counts["hanging"]),
        ("runs in which something was wrong", sum(bool(one.wrong) for one in found)),
        ("seconds", round(seconds)),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join([title, *(f"  {name.ljust(width)}  {count:>7,}" for name, count in rows)])


def told(one: Outcome) -> str:
    lines = [f"seed {one.seed}: {len(one.wrong)} wrong", *(f"  {each}" for each in one.wrong)]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first run (default 1)")
    parser.add_argument("--acts", type=int, default=ACTS, help=f"in each run (default {ACTS})")
    parser.add_argument("--jobs", type=int, default=2, help="processes that run them (default 2)")
    parser.add_argument("--sigkills", type=int, default=20, help="runs with processes that are killed (default 20)")
    parser.add_argument("--database", help="one for all of them (default: a new file for each)")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found: list[Outcome] = []
    sections = [("Storms", range(given.seed, given.seed + given.runs), False)]
    if given.sigkills and given.runs > 1 and given.database is None:
        sections.append(("Storms with SIGKILL", range(given.seed, given.seed + given.sigkills), True))
    for title, seeds, by_signal in sections:
        begun, section = time.perf_counter(), list[Outcome]()
        for one in outcomes(seeds, given.acts, given.jobs, given.database, by_signal=by_signal):
            section.append(one)
            if one.wrong or given.runs == 1:
                print("\n".join([told(one), *(one.told if given.runs == 1 else [])]), file=sys.stderr)
            elif len(section) % 100 == 0:
                print(f"{len(section)} of {len(seeds)}", file=sys.stderr)
        print(table(title, section, time.perf_counter() - begun), flush=True)
        found += section
    return 1 if any(one.wrong for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
