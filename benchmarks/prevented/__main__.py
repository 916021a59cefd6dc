"""How much of a runaway's damage the product prevents: the published metric of goal G3, in replay.

    python -m benchmarks.prevented [--spikes 10] [--seed 1]

Runaways are drawn from a seed (application, hour, factor, daily limit; of ten, two where the provider's limit bites
five to fifteen minutes late, two where usage fills in slowly, one where it is an hour late, one that begins minutes
before midnight UTC, one on a project with a limit of its own) and played through the real product on a simulated
provider, whose clock is moved: once with a budget that stops by itself, once with a person who presses [Stop now]
five minutes after the alert that the limit is spent. The provider charges other prices than the product's list, as it
does in `python -m demo.replay`. Counted are the dollars over the limit which the provider bills until the end of the
budget's day, against the same provider in a world in which nobody does anything.

Target: >= 90 % of all those dollars prevented by the budget that stops by itself; exit 1 if not.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.prevented.playing import Hand, databases, played
from benchmarks.prevented.reckoning import TARGET, Row, share_of, table
from benchmarks.prevented.spikes import breach, drawn, over, untouched
from demo.openai.__main__ import DEMO_TRACE
from demo.replay_stage import charged
from demo.trace import read_trace
from providers.price_list import ListPrices


async def rows_of(seed: int, count: int, folder: Path) -> list[Row]:
    """Draw the spikes and play each in both hands, every play on a database of its own."""
    trace, prices, listed = read_trace(DEMO_TRACE), charged(), ListPrices()
    found = []
    async with databases(folder) as template:
        for spike in drawn(seed, count, trace, prices):
            alone = untouched(spike, trace, prices)
            spent_at = breach(alone, spike)
            assert spent_at is not None, "what is drawn goes over its limit"
            plays = {}
            for hand in (Hand.POLICY, Hand.PERSON):
                async with template.copied() as storage:
                    plays[hand] = await played(spike, hand, storage, trace, prices, listed)
            found.append(Row(spike, spent_at, over(alone, spike), plays))
            print(f"{len(found)} of {count}", file=sys.stderr)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spikes", type=int, default=10, help="how many (default 10; at least one)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default 1)")
    given = parser.parse_args()
    if given.spikes < 1:
        parser.error("--spikes is one at least")
    logging.disable(logging.CRITICAL)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="finops-prevented-") as folder:
        rows = asyncio.run(rows_of(given.seed, given.spikes, Path(folder)))
    print(table(rows))
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return 0 if share_of(rows, Hand.POLICY) >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
