"""A stage for Mondays: six applications that differ in nothing but in what their calls came to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from demo import story_monday
from demo.clock import StageClock
from demo.monday import next_monday
from demo.trace import Trace, parse_trace

WEEKS = 4
SETTINGS: dict[str, Any] = story_monday.SETTINGS | {"FINOPS_BACKFILL_DAYS": f"{WEEKS * 7}"}


def four_weeks() -> Trace:
    """Six applications of twelve calls a day each, all alike, so that only what they bought tells them apart."""
    rows = ["hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"]
    names = [name for _, _, mine in story_monday.TEAMS.values() for name in mine]
    for number, name in enumerate(names):
        for hour in range(number, WEEKS * 7 * 24, 6):
            tokens = 3_000_000 + 100_000 * number
            rows.append(f"{hour},{name},big,3,{tokens},{tokens // 8},{tokens // 4}")
    rows.append(f"{WEEKS * 7 * 24 - 1},{names[0]},big,1,8,1,0")
    return parse_trace(rows)


def on_a_wednesday() -> StageClock:
    """A clock that begins in the middle of a week, whatever day it is."""
    clock = StageClock()
    clock.advance(next_monday(clock()) + timedelta(days=2, hours=3) - clock())
    return clock
