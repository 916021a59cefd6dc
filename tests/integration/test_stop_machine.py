"""The stopping machine in random storms: faults, kills, two replicas, changes elsewhere, and the truth at the end.

A few of the thousand of `python -m benchmarks.storms`, which tells what is played and what must hold.
"""

from __future__ import annotations

import pytest

from benchmarks.storms.runs import ACTS, in_workspace, on_files
from storage import KeyRing, open_storage

SEEDS = range(1, 5)
ON_BOTH = (101,)


async def test_whatever_happens_what_was_before_is_put_back_and_nobody_is_left_without_a_word() -> None:
    """Former limits exactly back, no stop lost, none hanging, each thing said once, the trail unbroken."""
    found = await on_files(SEEDS, ACTS)
    assert [(one.seed, one.wrong) for one in found if one.wrong] == []
    assert sum(one.counts["kills"] for one in found) > 0
    assert sum(one.counts["restores"] for one in found) == sum(one.counts["exact"] for one in found) > 0


@pytest.mark.parametrize("seed", ON_BOTH)
async def test_the_same_holds_whoever_is_first_in_the_database(
    empty_database_url: str, ring: KeyRing, seed: int
) -> None:
    """On PostgreSQL two replicas really work at the same time."""
    async with open_storage(empty_database_url, ring) as storage:
        outcome = await in_workspace(storage, seed, ACTS)
    assert outcome.wrong == []
