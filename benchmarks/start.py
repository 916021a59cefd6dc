"""How soon we are there, and what we weigh: from starting the interpreter to the first acknowledgement.

    python -m benchmarks.start [--rounds 5]

Each start is a fresh process: bare Bolt, ours on a new database (which it has to create), ours on one that exists.
Targets: first acknowledgement <= 3x bare Bolt, resident memory at rest <= 200 MiB.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.stage import PretendSlack, a_request, deliver, person, server

REST_SECONDS = 2.0


async def one_start(slack_url: str, kind: str, database: str) -> tuple[float, float]:
    """Seconds to the first acknowledgement, and MiB resident a while after it."""
    begun = time.perf_counter()
    async with server(kind, slack_url, database) as one, aiohttp.ClientSession() as session:
        await deliver(session, one.url, a_request("command", person(1), f"{slack_url}/respond"))
        took = time.perf_counter() - begun
        await asyncio.sleep(REST_SECONDS)
        return took, one.resident_mib


async def measure(rounds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "ours, new database": [], "ours, known database": []}
    with tempfile.TemporaryDirectory() as folder:
        known = f"sqlite:///{folder}/known.db"
        async with PretendSlack().running() as slack_url:
            await one_start(slack_url, "ours", known)
            for number in range(rounds):
                new = f"sqlite:///{Path(folder) / f'new{number}.db'}"
                for name, kind, database in zip(found, ("bare", "ours", "ours"), (known, new, known), strict=True):
                    found[name].append(await one_start(slack_url, kind, database))
    for name, starts in found.items():
        seconds = statistics.median(took for took, _ in starts)
        pairs = zip(starts, found["bare"], strict=True)
        ratio = statistics.median(took / bare for (took, _), (bare, _) in pairs)
        memory = statistics.median(mib for _, mib in starts)
        print(f"{name:21} first ack after {seconds:5.2f} s  {ratio:4.2f}x of bare   at rest {memory:4.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(measure(parser.parse_args().rounds))
