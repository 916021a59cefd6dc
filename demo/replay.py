"""Days of the trace in minutes: `python -m demo.replay`; what people must be told is counted, and nothing else is said.

Several replicas of the real product, each a process of its own, watch one simulated provider in all its moods, while
applications run away and replicas are killed. The clock of all of them is moved in steps. Then the simulated Slack is
held against the provider's own truth: every message that had to be there, none twice, none missing.

demo.replay                            14 days, ten runaways, two replicas that are killed again and again
demo.replay --days 2 --runaways 2      a short one
demo.replay --database postgresql://…  with another database than a new SQLite file; it must be empty
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bot import logs
from demo.onboarding import Say
from demo.openai.__main__ import DEMO_TRACE
from demo.replay_plan import DAY_MINUTES
from demo.replay_report import Comparison, Settled, settled_table, table
from demo.replay_stage import Wish, raised
from demo.stage import stay_on_this_machine
from demo.trace import read_trace

LARGEST_ERROR = 0.01


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a replay."""

    comparison: Comparison
    settled: list[Settled]
    drift_words: str
    kills: int
    readings: int
    seconds: float

    @property
    def is_exact(self) -> bool:
        """Every message once, and every estimate within one per cent of its bill after correction."""
        return self.comparison.is_exact and all(abs(one.error) <= LARGEST_ERROR for one in self.settled)


async def play(wish: Wish, database_url: str, folder: Path, say: Say = lambda _: None) -> Played:
    """Replay, and compare."""
    began = time.monotonic()
    async with raised(wish, read_trace(DEMO_TRACE), database_url, folder) as stage:
        for step in range(1, stage.plan.steps + wish.steps_after + 1):
            await stage.step(step)
            if step * wish.step_minutes % DAY_MINUTES == 0:
                say(f"day {step * wish.step_minutes // DAY_MINUTES} of {wish.days}, {time.monotonic() - began:.0f} s")
        await stage.quiet()
        return Played(
            await stage.compared(),
            await stage.settled(),
            await stage.drift_words(),
            stage.kills,
            len(stage.truth.readings),
            time.monotonic() - began,
        )


def say(words: str) -> None:
    sys.stderr.write(f"replay: {words}\n")
    sys.stderr.flush()


def told(played: Played) -> str:
    """The tables, and what they come to."""
    found = played.comparison
    lines = [
        table(found.rows),
        "",
        settled_table(played.settled),
        played.drift_words,
        "",
        f"{sum(row.roots for row in found.rows)} alerts, {sum(row.lines for row in found.rows)} lines in their threads,"
        f" {sum(row.closings for row in found.rows)} closings; {found.sights} messages about sight;"
        f" {played.readings} readings, {played.kills} SIGKILLs, {played.seconds:.0f} s.",
        f"duplicates {found.duplicates}, misses {found.misses}, messages nobody expected {len(found.strangers)}",
        *(f"  unexpected: {words}" for words in found.strangers),
    ]
    return "\n".join(lines) + "\n"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo.replay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=14, help="of traffic (default 14)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is left to chance (default 1)")
    parser.add_argument("--runaways", type=int, default=10, help="how many (default 10)")
    parser.add_argument("--replicas", type=int, default=2, help="processes of the product (default 2)")
    parser.add_argument("--kills", type=int, default=24, help="SIGKILLs; 0 for none (default 24)")
    parser.add_argument("--step", type=int, default=30, help="minutes from one reading to the next (default 30)")
    parser.add_argument("--database", help="sqlite:///… or postgresql://…, empty (default: a new SQLite file)")
    parser.add_argument("--verbose", action="store_true", help="show the replicas' own log")
    return parser


def main() -> int:
    given = arguments().parse_args()
    stay_on_this_machine()
    level = "info" if given.verbose else "error"
    logs.configure(level, "text")
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    wish = Wish(given.days, given.seed, given.runaways, given.replicas, given.kills, given.step, level)
    with tempfile.TemporaryDirectory(prefix="finops-replay-") as folder:
        database_url = given.database or f"sqlite:///{Path(folder) / 'replay.sqlite3'}"
        played = asyncio.run(play(wish, database_url, Path(folder), say))
    sys.stdout.write(told(played))
    return 0 if played.is_exact else 1


if __name__ == "__main__":
    sys.exit(main())
