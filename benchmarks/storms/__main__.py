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
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.storms.runs import ACTS, outcomes
from benchmarks.storms.weather import Outcome


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
