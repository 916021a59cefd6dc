"""When the daily collection is due: a cron line in a zone, answered in UTC. The database decides who acts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

# Frequent lines ring thousands of times in 40 days: look back a little first.
_LOOK_BACK = (timedelta(hours=2), timedelta(days=2), timedelta(days=40))


def alarm(cron: str, timezone: str) -> CronTrigger:
    """The alarm for a five-field cron line. Weekdays are named (`mon`): digits mean other days to this library."""
    return CronTrigger.from_crontab(cron, timezone=timezone)


def latest_slot(cron: str, timezone: str, now: datetime) -> datetime | None:
    """The last moment at or before `now` at which the cron line rang, in UTC; None when it did not for 40 days."""
    trigger = alarm(cron, timezone)
    for back in _LOOK_BACK:
        slot: datetime | None = None
        moment = trigger.get_next_fire_time(None, now - back)
        while moment is not None and moment <= now:
            slot, after = moment, moment + timedelta(microseconds=1)
            moment = trigger.get_next_fire_time(moment, after)
            # Where clocks are put back, this library may answer with the same moment for ever.
            while moment is not None and moment.astimezone(UTC) <= slot.astimezone(UTC):
                after = after.astimezone(UTC) + timedelta(minutes=30)
                moment = trigger.get_next_fire_time(None, after)
        if slot is not None:
            return slot.astimezone(UTC)
    return None
