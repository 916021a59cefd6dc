"""Recorded calls: what an application tells of one call, or of how it ended, merged whatever the order it arrives in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from finops.value import Outcome


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """What one event tells of one call. What is None, or a name that is '', was not told.

    `event_id` makes it count once; `request_id` names the call it tells of, so that a later event may tell how the
    call ended. `user_key` is a keyed hash of the application's own user id. `score` is in thousandths (0 to 1000).
    `cost_nano` and `cost_rest` are the estimate of the call (finops.money), None where it cannot be priced.
    """

    event_id: str
    request_id: str
    at: datetime
    task: str = ""
    intent: str = ""
    experiment: str = ""
    segment: str = ""
    model: str = ""
    user_key: str = ""
    outcome: Outcome | None = None
    score: int | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    cost_nano: int | None = None
    cost_rest: int | None = None
