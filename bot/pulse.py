"""The pulse: one tap below each digest says whether it helped."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from bot.voting import want_message
from finops.polls import PULSE_OPEN, PULSE_OPTIONS, SALT_BYTES, Option, Poll, PollKind
from finops.pulse import PulseTally, PulseWeek, pulse_of, pulse_weeks
from storage import Store

_PREFIX = "pulse:"


async def ask_pulse(
    store: Store,
    workspace_id: str,
    week: date,
    channel_id: str | None,
    root_key: str,
    locale: str,
    people: Sequence[str],
    at: datetime,
) -> None:
    """Ask below a digest whether it helped, inside the transaction that tells it; once for each channel and week.

    Where a digest is told to people directly nobody is asked: a handful of administrators are not anonymous.
    """
    if channel_id is None:
        return
    poll = Poll(
        id=0,
        workspace_id=workspace_id,
        channel_id=channel_id,
        parent_key=root_key,
        kind=PollKind.PULSE,
        question="",
        options=tuple(Option(name, "") for name in PULSE_OPTIONS),
        is_multiple=False,
        is_anonymous=True,
        may_add=False,
        is_hidden=True,
        locale=locale,
        timezone="",
        closes_at=at + PULSE_OPEN,
        remind_at=None,
        created_by="",
        created_at=at,
        salt=secrets.token_bytes(SALT_BYTES),
        key=f"{_PREFIX}{week.isoformat()}:{channel_id}",
    )
    kept = await store.polls.add(workspace_id, poll)
    if kept is not None:
        await want_message(store, kept, at, people)


async def pulse_of_weeks(store: Store, workspace_id: str, until: date) -> tuple[PulseWeek, ...]:
    """What was answered below the digests of the last eight weeks before a day."""
    first = pulse_weeks(until)[0]
    found = await store.polls.pulses(workspace_id, f"{_PREFIX}{first.isoformat()}", f"{_PREFIX}{until.isoformat()}")
    return pulse_of(until, [_tally(*one) for one in found])


def _tally(key: str, is_open: bool, votes: Mapping[str, int]) -> PulseTally:
    week = date.fromisoformat(key.split(":")[1])
    good, fair, poor = (votes.get(name, 0) for name in PULSE_OPTIONS)
    return PulseTally(week, is_open, good, fair, poor)
