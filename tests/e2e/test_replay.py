"""Two days of the trace, two runaways, two replicas, one of them killed as Slack takes a message: each thing once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from demo.replay import LARGEST_ERROR, play, told
from demo.replay_stage import Wish


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_a_replay_says_what_had_to_be_said_once_and_estimates_what_is_billed(
    quick_url: str, tmp_path: Path
) -> None:
    """Late, filling, missing and repeated buckets, a bill restated, prices that are not the list's: nothing is lost."""
    wish = Wish(days=2, seed=71, runaways=2, replicas=2, kills=1, step_minutes=360)
    played = await play(wish, quick_url, tmp_path)
    shown = told(played)
    assert (played.comparison.duplicates, played.comparison.misses, played.comparison.strangers) == (0, 0, []), shown
    assert played.kills == 1
    assert sum(row.roots for row in played.comparison.rows) >= 2
    assert played.settled
    assert all(abs(one.raw_error) > Decimal("0.04") for one in played.settled), "there was something to correct"
    assert all(abs(one.error) <= LARGEST_ERROR for one in played.settled), shown
