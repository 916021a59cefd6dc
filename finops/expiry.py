"""Keys end: when to say so, while there is still time to put a new one in place."""

from __future__ import annotations

from datetime import datetime, timedelta

_DAY = timedelta(days=1)
# A fortnight to plan it, three days to do it, and the last day.
WARNING_DAYS = (1, 3, 14)
FIRST_WARNING = max(WARNING_DAYS) * _DAY
# For so long after the end it is still said. What was told is forgotten later than that, or it would be told anew.
LAST_WARNING = 30 * _DAY
EXPIRED = 0


def warning_due(expires_at: datetime | None, now: datetime) -> int | None:
    """The warning that holds now: 14, 3 or 1 days ahead, EXPIRED from the end on, None while there is time.

    Only the nearest one is ever due, so a warning missed while nothing ran is not made up for beside a later one.
    """
    if expires_at is None:
        return None
    left = expires_at - now
    if left <= timedelta():
        return EXPIRED
    return next((days for days in WARNING_DAYS if left <= days * _DAY), None)


def days_left(expires_at: datetime, now: datetime) -> int:
    """Begun days until the end: 1 during the last 24 hours, 0 from the end on."""
    return max(0, -((now - expires_at) // _DAY))
