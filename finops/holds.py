"""Holds: one lever held on one provider project, from the former state saved to the same state put back.

A hold says what is wanted (`is_wanted`), the provider says what is, and `next_step` says what to do about the
difference. So it does not matter where a program died or what an answer said: the next look goes on from what is.

- Nothing is ever written at the provider before its former state is stored.
- Only what is ours is put back: a part that somebody changed elsewhere meanwhile is left as they made it, and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from finops.frozen import frozen
from finops.levers import Json, Lever, LeverReading, Parts, changed_parts
from finops.money import Money, total
from finops.proof import Verdict


class HoldState(StrEnum):
    """How far a hold has come. What is wanted of it is `Hold.is_wanted`."""

    REQUESTED = "requested"  # nothing is saved, nothing was written
    SAVED = "saved"  # the former state is stored; some, all or none of it may be written
    SET = "set"  # read back as wanted; not proved yet
    PROVED = "proved"  # usage was seen to end
    UNPROVED = "unproved"  # set, but usage goes on or cannot be seen
    RELEASED = "released"  # read back as it was before
    FAILED = "failed"  # given up, and nothing of ours is left at the provider
    LOST = "lost"  # somebody changed it elsewhere; it is no longer ours


ACTIVE = frozenset({HoldState.REQUESTED, HoldState.SAVED, HoldState.SET, HoldState.PROVED, HoldState.UNPROVED})
"""The states in which something of ours may stand at the provider, or is about to."""
STANDING = frozenset({HoldState.SET, HoldState.PROVED, HoldState.UNPROVED})


class HoldTrouble(StrEnum):
    """Why a hold does not come on. Of those that are `FINAL` a person has to mend the cause; the others pass."""

    NO_RIGHT = "no_right"  # the keys lack the right: an administrator of the provider can help
    NO_KEY = "no_key"  # no key of this organization is registered, or none can be opened
    KEY_REJECTED = "key_rejected"
    PROJECT_GONE = "project_gone"  # unknown there, or archived
    REFUSED = "refused"  # the provider refused the change itself
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    UNEXPECTED = "unexpected"  # an answer we do not understand


FINAL = frozenset(
    {HoldTrouble.NO_RIGHT, HoldTrouble.NO_KEY, HoldTrouble.KEY_REJECTED, HoldTrouble.PROJECT_GONE, HoldTrouble.REFUSED}
)


# Trouble that may pass is borne so long before people are told, and told again, loudly, when a stop is this late.
TOLD_AFTER = timedelta(seconds=30)
LOUD_AFTER = timedelta(minutes=15)


@frozen
class Hold:
    """One lever on one provider project. `former` and `target` name the same parts; None before they were read.

    `project_id` is our registered project, `name` its name when it was asked for. `set_at` is when the provider had
    taken the last part, `enforced_at` when it said or showed that it refuses calls. `leak` is what was used since
    `requested_at`, as far as seen, without the `leak_unpriced` calls whose price nobody knows (None: not counted);
    `last_request_at` the end of the last minute with a call, None: none since then.
    `told_at` is when people were last told of `trouble`. `released_at` and `first_traffic_at` belong to its end, the
    latter by the minute of the call and not by when it was seen.
    """

    id: int | None
    workspace_id: str
    stop_id: int
    project_id: int
    connection_id: int
    provider_project_id: str
    name: str
    lever: Lever
    state: HoldState
    is_wanted: bool
    requested_at: datetime
    updated_at: datetime
    next_at: datetime | None  # when to look again; None: nothing to do
    former: Mapping[str, Json] | None = None
    target: Mapping[str, Json] | None = None
    saved_at: datetime | None = None
    set_at: datetime | None = None
    enforced_at: datetime | None = None
    proved_at: datetime | None = None
    last_request_at: datetime | None = None
    leak: Money | None = None
    leak_unpriced: int | None = None
    release_at: datetime | None = None  # when letting go was asked for
    released_at: datetime | None = None
    first_traffic_at: datetime | None = None
    checked_at: datetime | None = None  # when the provider was last asked how it stands
    trouble: HoldTrouble | None = None
    trouble_since: datetime | None = None
    told_at: datetime | None = None
    attempts: int = 0

    def __post_init__(self) -> None:
        if (self.former is None) != (self.target is None):
            raise ValueError("what was before and what is wanted are known together")
        if self.former is not None and self.target is not None and set(self.former) != set(self.target):
            raise ValueError("both name the same settings")
        if self.state in STANDING | {HoldState.SAVED} and self.former is None:
            raise ValueError(f"a hold that is {self.state} knows what was before")

    @property
    def is_active(self) -> bool:
        """Whether something of ours stands at the provider, or may."""
        return self.state in ACTIVE

    @property
    def began_at(self) -> datetime:
        """When it was asked for; where the clock that heard it ran ahead, when it was set, which is before."""
        return min(self.requested_at, self.set_at or self.requested_at)


@frozen
class Save:
    """Store this former state and these targets before anything is written."""

    former: Mapping[str, Json]


@frozen
class Write:
    """Make one part of the lever this value (None: remove it) with one request, then look again."""

    part: str
    value: Json


@frozen
class Settled:
    """Nothing more to write: it stands as wanted, or was let go. `kept` names parts that somebody else changed."""

    state: HoldState
    kept: tuple[str, ...] = ()


Step = Save | Write | Settled


def next_step(hold: Hold, reading: LeverReading) -> Step:
    """What to do next about a hold, given how its lever stands at the provider now.

    Holding: the former state is saved first, and saved anew when somebody changed a part before we wrote it; then part
    after part is written until all read back as wanted. Letting go: each part that is as we made it becomes what it
    was; one that is already what it was is done; one that is neither was changed elsewhere and stays.
    """
    if hold.is_wanted:
        return _toward_target(hold, reading)
    return _toward_former(hold, reading)


def _toward_target(hold: Hold, reading: LeverReading) -> Step:
    if hold.former is None or hold.target is None:
        return Save(dict(reading.parts))
    wrong = changed_parts(hold.target, reading.parts)
    if not wrong:
        return Settled(hold.state if hold.state in STANDING else HoldState.SET)
    if hold.state in STANDING:
        return Settled(HoldState.LOST, tuple(wrong))
    moved = {name: reading.parts.get(name) for name in wrong if reading.parts.get(name) != hold.former[name]}
    if moved:
        return Save({**hold.former, **moved})
    return Write(wrong[0], hold.target[wrong[0]])


def _toward_former(hold: Hold, reading: LeverReading) -> Step:
    if hold.former is None or hold.target is None:
        return Settled(HoldState.RELEASED)
    kept = []
    for name, former in hold.former.items():
        present = reading.parts.get(name)
        if present == former:
            continue
        if present == hold.target[name]:
            return Write(name, former)
        kept.append(name)
    return Settled(HoldState.RELEASED, tuple(kept))


def before_ours(parts: Parts, earlier: Hold) -> dict[str, Json]:
    """What was there before anything of ours: a part that stands as an `earlier` hold of the lever made it was left
    behind by that one, or came late, and becomes again what that one found."""
    if earlier.former is None or earlier.target is None:
        return dict(parts)
    found, ours = earlier.former, earlier.target
    return {name: found[name] if name in ours and value == ours[name] else value for name, value in parts.items()}


def without_ours(parts: Parts, ended: Iterable[Hold], since: datetime) -> dict[str, Json]:
    """What was there before anything of ours, given the holds of the lever that ended, the latest first.

    Those count that ended at `since` or later, and those that were lost with their project, whenever that was: nothing
    of them was ever put back. What lies before one that was put back is settled.
    """
    found = dict(parts)
    for one in ended:
        is_denied = one.state is HoldState.LOST and one.trouble is HoldTrouble.PROJECT_GONE
        if is_denied or (one.released_at or one.updated_at) >= since:
            found = before_ours(found, one)
        if one.state is HoldState.RELEASED and one.former != one.target:
            break
    return found


def left_behind(hold: Hold, reading: LeverReading) -> Sequence[str]:
    """The parts that stand as the hold made them, and stood otherwise before."""
    former, target = hold.former or {}, hold.target or {}
    return [name for name, value in target.items() if reading.parts.get(name) == value != former[name]]


def saved(hold: Hold, former: Mapping[str, Json], target: Mapping[str, Json], now: datetime) -> Hold:
    """The hold with its former state; from here on something may be written."""
    return replace(hold, state=HoldState.SAVED, former=dict(former), target=dict(target), saved_at=now, updated_at=now)


def judged(
    hold: Hold, verdict: Verdict, leak: Money | None, last_request_at: datetime | None, now: datetime, unpriced: int = 0
) -> Hold:
    """A hold after usage was looked at: proved, or loudly not; what leaked and when it ended are always kept.

    `unpriced` calls of the `leak` have no known price, and are not in it.
    """
    after = replace(hold, last_request_at=last_request_at)
    if leak is not None:
        after = replace(after, leak=leak, leak_unpriced=unpriced)
    if verdict is Verdict.PROVED and hold.state is not HoldState.PROVED:
        enforced = hold.enforced_at or max(last_request_at or hold.set_at or now, hold.set_at or now)
        return replace(after, state=HoldState.PROVED, proved_at=now, enforced_at=enforced, updated_at=now)
    if verdict in (Verdict.GOES_ON, Verdict.UNSEEN) and hold.state is HoldState.SET:
        return replace(after, state=HoldState.UNPROVED, updated_at=now)
    return after


def leaked(holds: Iterable[Hold]) -> tuple[Money | None, int]:
    """What was used of these since each was asked for, None while nothing could be seen, and how many calls without a
    known price are not in it.
    """
    each = list(holds)
    known = [one.leak for one in each if one.leak is not None]
    return total(known, known[0].currency) if known else None, sum(one.leak_unpriced or 0 for one in each)


def reopened(hold: Hold, now: datetime) -> Hold:
    """Calls again although the lever stands: it wants a new proof from now on."""
    return replace(hold, state=HoldState.SET, set_at=now, proved_at=None, updated_at=now)


def word_due(hold: Hold) -> datetime | None:
    """When people are to hear of a hold's trouble, or to hear of it again and loudly, if it lasts until then.

    None: there is no trouble, or they have heard all that is to be said. What stands as wanted is waited for by nobody.
    """
    if hold.trouble is None or hold.trouble_since is None:
        return None
    if hold.told_at is None:
        return hold.trouble_since + (timedelta() if hold.trouble in FINAL else TOLD_AFTER)
    loud = (hold.release_at or hold.requested_at) + LOUD_AFTER
    is_awaited = hold.state not in STANDING or not hold.is_wanted
    return loud if is_awaited and hold.told_at < loud else None


def troubled(hold: Hold, trouble: HoldTrouble, now: datetime, wait: timedelta) -> Hold:
    """A hold after an attempt that failed: tried again after `wait`, or given up where only a person can help.

    Given up is only what has written nothing; what may have written something lets go of it first. However long the
    wait, it is looked at when a word is due: people hear of it by the clock. Of trouble that may pass, one kind goes on
    from another: who waits does not care which it is.
    """
    passes = hold.trouble is not None and FINAL.isdisjoint((hold.trouble, trouble))
    is_same = hold.trouble is trouble or passes
    after = replace(
        hold,
        trouble=trouble,
        trouble_since=hold.trouble_since if is_same and hold.trouble_since else now,
        attempts=hold.attempts + 1,
        next_at=now + wait,
        updated_at=now,
    )
    if trouble in FINAL and hold.is_wanted and hold.state is HoldState.REQUESTED:
        return replace(after, state=HoldState.FAILED, is_wanted=False, next_at=None, told_at=now)
    due = word_due(after)
    if due is not None and due <= now:
        after = replace(after, told_at=now)
        due = word_due(after)
    return after if due is None else replace(after, next_at=min(now + wait, due))
