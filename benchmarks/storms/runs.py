"""Runs: many storms, a chunk of them in each process; not in `__main__`, which spawned processes never import."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.storms.storm import Storm
from benchmarks.storms.weather import Outcome
from benchmarks.storms.world import WORKSPACE, Template, World, a_world, settled
from storage import KeyRing, Storage, open_storage

ACTS = 18  # in each run, unless told otherwise
CHUNK = 20


async def raged(world: World, seed: int, acts: int, children: str = "") -> Outcome:
    """One storm; whatever breaks it is told as what was wrong."""
    storm = Storm(world, seed, acts, children)
    try:
        return await storm.run()
    except Exception:  # noqa: BLE001 - a thousand others are still to be run
        storm.outcome.wrong.append(f"the run broke: {traceback.format_exc(limit=-6)}")
        return storm.outcome
    finally:
        world.end()


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
    size = max(1, min(CHUNK, -(-len(seeds) // jobs)))
    chunks = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    if len(chunks) == 1 or url is not None:
        for each in chunks:
            yield from chunk(each, acts, by_signal, url)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for waiting in [pool.submit(chunk, one, acts, by_signal, url) for one in chunks]:
            yield from waiting.result()
