"""What a stop kept from being spent: looked up around its holds, decided in finops.losses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from bot.picture import CURRENCY, Account, account_of, money_of
from bot.why_usual import COMPARED_DAYS
from finops.holds import Hold
from finops.levers import Lever
from finops.losses import Saved, Stretch, saved, together
from finops.money import Money, total
from finops.periods import charge_day, minute_of, moment_of, starts_at
from finops.stops import Stop
from finops.usage import Width
from storage import Store

_HOUR = 60


async def saved_by(store: Store, stop: Stop, holds: Sequence[Hold]) -> Saved | None:
    """The loss avoided by what is or was held, at most until the end of the charge day; None where it cannot be known.

    What was stopped, let go of and stopped again counts each time: the alert is one, and so is its review. A hold that
    was let go of, or lost, counts until then, and no longer than until the next of its project was asked for; of one
    that stands, the careful end counts until it was last seen to stand. What is usually spent in those hours is no
    loss: usual is the week before, where it has any usage.
    """
    alike: dict[_Times, list[Hold]] = defaultdict(list)
    following: dict[int, int] = {}
    for one in sorted(holds, key=lambda hold: hold.id or 0, reverse=True):
        times = _times_of(one, following.get(one.project_id)) if one.lever is Lever.STOP else None
        following[one.project_id] = minute_of(one.began_at)
        if times is not None:
            alike[times].append(one)
    found = [await _kept_by(store, stop.workspace_id, times, each) for times, each in sorted(alike.items())]
    return together(one for one in found if one is not None)


class _Times(NamedTuple):
    """When a hold was asked for and set, until when it surely held and may hold: epoch minutes, the day's end at most.

    Projects of one stop share them mostly, and are then looked up together.
    """

    asked: int
    set_at: int
    sure: int
    ahead: int


def _times_of(hold: Hold, following: int | None) -> _Times | None:
    """None for one that was never set; `following` is when the next hold of its project was asked for."""
    if hold.set_at is None:
        return None
    asked = minute_of(hold.began_at)
    day_end = minute_of(starts_at(charge_day(hold.set_at) + timedelta(days=1)))
    if following is not None:
        day_end = min(day_end, following)
    # What is being let go of counts until that was asked for; what was lost, until that was found.
    ended = hold.release_at or hold.released_at or (None if hold.is_active else hold.updated_at)
    if ended is not None:
        end = min(minute_of(ended), day_end)
        return _Times(asked, minute_of(hold.set_at), end, end)
    seen = min(minute_of(max(hold.set_at, hold.checked_at or hold.set_at)), day_end)
    return _Times(asked, minute_of(hold.set_at), seen, day_end)


async def _kept_by(store: Store, workspace_id: str, times: _Times, holds: Sequence[Hold]) -> Saved | None:
    accounts = [account_of(one) for one in holds]
    start = times.asked - _HOUR
    rows = await store.usage.recent(workspace_id, start, accounts, times.asked)
    if not rows:
        return None
    by_minute: dict[int, int] = defaultdict(int)
    for row in rows:
        by_minute[row.start] += row.atto
    hour = [money_of(by_minute.get(minute, 0)) for minute in range(start, start + _HOUR)]

    async def stretch(until: int) -> Stretch:
        return Stretch(moment_of(until), await _usually(store, workspace_id, accounts, times.set_at, until))

    ahead = await stretch(times.ahead)
    sure = ahead if times.sure == times.ahead else await stretch(times.sure)
    leak = total((one.leak for one in holds if one.leak is not None), CURRENCY)
    return saved(hour, moment_of(times.set_at), sure, ahead, leak)


async def _usually(
    store: Store, workspace_id: str, accounts: Sequence[Account], start: int, until: int
) -> Money | None:
    """What is spent in the same minutes of a day in which there is usage, over the seven before; None without any."""
    midnight = start - start % Width.DAY
    minutes = {
        hour: within
        for hour in range(0, int(Width.DAY), int(Width.HOUR))
        if (within := min(midnight + hour + Width.HOUR, until) - max(midnight + hour, start)) > 0
    }
    days, past = await store.usage.same_hours(workspace_id, midnight, COMPARED_DAYS, minutes, accounts)
    if not days:
        return None
    # The sums are sixtieths of hours; part of an atto-dollar more is taken as usual rather than less.
    return money_of(-(-sum(one.group.atto for one in past) // (Width.HOUR * days)))
