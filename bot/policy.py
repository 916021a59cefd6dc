"""What the operator decided about how the bot works; app.py fills it from the settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from finops.frozen import frozen

Clock = Callable[[], datetime]


@frozen
class Policy:
    """Rules of the house. `collect_cron` has five fields and is read in `collect_timezone`.

    `reread_days` are read again every day because providers revise recent bills. `first_admins` (Slack user ids)
    administer every workspace; when empty, the installer does, else the first Slack admin who asks for set-up.
    Usage is read every `poll_seconds`; what keeps us from looking is told after `blind_after_minutes`, unless only a
    person can mend it: then at once. Who acknowledged an alert is reminded after `remind_after_minutes` in which its
    spending went on (0: nobody is), and it opens again after as many more. `events_address` is where applications
    record their calls, `feedback_channel` where what people say of the product is read ('': by the administrators,
    directly).
    """

    backfill_days: int = 180
    reread_days: int = 8
    collect_cron: str = "0 9 * * *"
    collect_timezone: str = "Asia/Seoul"
    default_locale: str = "ko-KR"
    default_timezone: str = "Asia/Seoul"
    first_admins: frozenset[str] = frozenset()
    lease_seconds: float = 120.0
    poll_seconds: float = 300.0
    blind_after_minutes: float = 15.0
    remind_after_minutes: float = 60.0
    provider: str = "openai"
    events_address: str = "http://127.0.0.1:3000"
    feedback_channel: str = ""

    @property
    def blind_after(self) -> timedelta:
        """How long trouble that passes by itself is borne in silence."""
        return timedelta(minutes=self.blind_after_minutes)

    @property
    def remind_after(self) -> timedelta:
        """How long an acknowledged alert whose spending goes on waits for somebody to act; zero: for ever."""
        return timedelta(minutes=self.remind_after_minutes)

    @property
    def poll_every(self) -> timedelta:
        """How often usage is read."""
        return timedelta(seconds=self.poll_seconds)

    @property
    def stale_after(self) -> timedelta:
        """How old a reading of usage may be that still speaks for the present."""
        return self.blind_after + 2 * self.poll_every
