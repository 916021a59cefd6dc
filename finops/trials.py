"""A test alert: it takes the way real alerts take, and its button proves that clicks come back. No money is in it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from finops.frozen import frozen

# The kind of its message in the outbox, and how the keys of these begin.
KIND = "trial"
# Slack's clock and ours are two: what lies outside of this is how far they are apart, and no way of a click.
LONGEST_CLICK_SECONDS = 60.0


class TrialState(StrEnum):
    """How far a test alert has come."""

    WAITING = "waiting"  # nobody has refused it yet
    TROUBLED = "troubled"  # it was refused, or Slack was away; it is tried again
    GIVEN_UP = "given_up"
    DELIVERED = "delivered"  # it stands in its channel, and its button waits
    PRESSED = "pressed"


@frozen
class Trial:
    """One test alert. `clicked_at` is by Slack's clock, every other moment by ours; `trouble` is Slack's word for it.

    `is_mailed`: it went by mail as well, as a real alert does that can stand nowhere.
    """

    key: str
    workspace_id: str
    team_id: int
    channel_id: str
    asked_by: str
    asked_at: datetime
    delivered_at: datetime | None = None
    pressed_by: str | None = None
    clicked_at: datetime | None = None
    heard_at: datetime | None = None
    trouble: str | None = None
    is_given_up: bool = False
    is_mailed: bool = False

    @property
    def state(self) -> TrialState:
        """How far it has come."""
        if self.pressed_by is not None:
            return TrialState.PRESSED
        if self.delivered_at is not None:
            return TrialState.DELIVERED
        if self.is_given_up:
            return TrialState.GIVEN_UP
        return TrialState.TROUBLED if self.trouble is not None else TrialState.WAITING

    @property
    def delivery_seconds(self) -> float | None:
        """From the wish until Slack had it, by our clock; None while it has not."""
        if self.delivered_at is None:
            return None
        return max(0.0, (self.delivered_at - self.asked_at).total_seconds())

    @property
    def click_seconds(self) -> float | None:
        """From the click, as Slack stamped it, until we had it; None where the two clocks do not let it be told."""
        if self.clicked_at is None or self.heard_at is None:
            return None
        seconds = (self.heard_at - self.clicked_at).total_seconds()
        return seconds if 0.0 <= seconds <= LONGEST_CLICK_SECONDS else None
