"""Slack's rate limits: per method and workspace by tier, and one message a second for each channel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from demo.slack.config import SlackConfig


class Tier(Enum):
    """Calls a minute; bursts up to one minute's worth are tolerated."""

    ONE = 1
    TWO = 20
    THREE = 50
    FOUR = 100
    POST = 300  # chat.postMessage: several hundred a minute for the workspace, and one a second for each channel
    MANY = 600  # auth.test and its like: hundreds a minute


@dataclass(slots=True)
class _Bucket:
    capacity: float
    per_second: float
    level: float
    at: float

    def take(self, now: float) -> float:
        """Take one; zero when there was one, else the seconds until there will be."""
        self.level = min(self.capacity, self.level + (now - self.at) * self.per_second)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.per_second


class Limiter:
    """One bucket for each method, and one for each channel that is posted into."""

    def __init__(self, config: SlackConfig) -> None:
        self._config = config
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, method: str, tier: Tier, channel: str | None = None) -> int:
        """Whole seconds the caller has to stay away (`Retry-After`), zero when the call may go on."""
        if not self._config.rate_limits:
            return 0
        per_minute = tier.value * self._config.rate_scale
        seconds = self._take(method, max(per_minute, 1.0), per_minute / 60)
        if not seconds and channel is not None and tier is Tier.POST:
            burst = max(1.0, self._config.post_burst * self._config.rate_scale)
            seconds = self._take(f"{method} {channel}", burst, self._config.rate_scale)
        return math.ceil(seconds)

    def forget(self) -> None:
        """Give everybody a fresh minute."""
        self._buckets.clear()

    def _take(self, key: str, capacity: float, per_second: float) -> float:
        now = self._config.monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(capacity, per_second, capacity, now))
        return bucket.take(now)
