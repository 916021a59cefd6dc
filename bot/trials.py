"""The install self-test: a test alert through the outbox, and the proof that a button's click comes back."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.teams import Teams
from bot.telling import URGENT
from finops.frozen import frozen
from finops.incidents import Fact
from finops.registry import Person
from finops.trials import KIND, Trial, TrialState
from storage import Store
from storage.records_live import OutboxMessage, OutboxState

log = logging.getLogger(__name__)

# Whoever presses twice means one test alert.
AGAIN_AFTER = timedelta(minutes=1)
_LOOKED_AT = 50
_PROVED = "buttons-proved"


@frozen
class Pressed:
    """What became of a press. `is_first`: it is the one that counts; the message shows it soon."""

    trial: Trial
    is_first: bool


class Trials:
    """Sends test alerts to the channels of teams. They are no incidents, and no measurement of real alerts has them."""

    def __init__(self, desk: Desk, teams: Teams) -> None:
        self._desk = desk
        self._teams = teams

    async def send(self, actor: Person, team_id: int, groups: Iterable[str] = ()) -> Trial:
        """Have a test alert told in a team's channel; for whoever manages the team.

        One that was asked for a moment ago stands for this one; one that reached nobody is tried anew. Without
        recipients of its own: what the channel does not take reaches nobody else, and the person who asked is told why.
        """
        team = await self._teams.require_manager(actor, team_id, groups)
        desk, now = self._desk, self._desk.now()
        async with desk.storage.writing() as store:
            # One after the other: two who press at once would both find none.
            await store.workspaces.hold(actor.workspace_id)
            known = [trial_of(one) for one in await store.outbox.newest_of(actor.workspace_id, KIND, _LOOKED_AT)]
            here = [one for one in known if one.channel_id == team.channel_id]
            for one in here:
                # Asked for later than now: by a replica whose clock is ahead a little, or by one that was wrong.
                if one.state in _STANDS and abs(now - one.asked_at) < AGAIN_AFTER:
                    return one
            before = here[0] if here else None
            is_anew = before is not None and before.delivered_at is None and before.pressed_by is None
            key = before.key if before is not None and is_anew else f"{KIND}:{team.id}:{_microseconds(now)}"
            trial = Trial(key, actor.workspace_id, team.id, team.channel_id, actor.user_id, now)
            await _want(store, trial, now)
            told: dict[str, Fact] = {"name": team.name, "channel": team.channel_id}
            await record(desk, store, actor.workspace_id, actor.user_id, "team.tested", f"team:{team.id}", told)
        desk.wake_outbox.set()
        return trial

    async def told(self, workspace_id: str, key: str) -> Trial:
        """How far a test alert has come; refused where it is not known, or not any more."""
        async with self._desk.storage.reading() as store:
            return await _found(store, workspace_id, key)

    async def press(self, workspace_id: str, user_id: str, key: str, clicked_at: datetime | None) -> Pressed:
        """Its button was pressed, by whomever: the first press counts, and its message shows who and how long it took.

        `clicked_at` is what Slack stamped, None where it stamped nothing.
        """
        desk, now = self._desk, self._desk.now()
        async with desk.storage.writing() as store:
            found = await _found(store, workspace_id, key)
            if found.pressed_by is not None or not await store.claims.once(workspace_id, f"pressed:{key}", now):
                return Pressed(found, is_first=False)
            trial = Trial(
                found.key, workspace_id, found.team_id, found.channel_id, found.asked_by, found.asked_at,
                found.delivered_at, user_id, clicked_at, now,
            )  # fmt: skip
            await _want(store, trial, now, is_prompt=True)
            await store.claims.keep(workspace_id, _PROVED)
        desk.wake_outbox.set()
        log.info("test alert pressed", extra={"key": key, "seconds": trial.click_seconds})
        return Pressed(trial, is_first=True)


async def is_proved(store: Store, workspace_id: str) -> bool:
    """Whether a click on a test alert ever came back to us."""
    return await store.claims.has(workspace_id, _PROVED)


async def newest(store: Store, workspace_id: str) -> Trial | None:
    """The test alert that was asked for last, as far as it is kept."""
    found = await store.outbox.newest_of(workspace_id, KIND, 1)
    return trial_of(found[0]) if found else None


def trial_of(message: OutboxMessage) -> Trial:
    """The test alert that a message of the outbox is about."""
    subject = message.subject
    asked_at = datetime.fromisoformat(subject["asked_at"])
    # Asked for again, it keeps the error of the time before until it has been tried.
    is_untried = message.state is OutboxState.SENDING or (
        message.state is OutboxState.WAITING and message.next_at <= asked_at
    )
    return Trial(
        key=message.key,
        workspace_id=message.workspace_id,
        team_id=int(subject["team_id"]),
        channel_id=str(message.channel_id),
        asked_by=str(subject["asked_by"]),
        asked_at=asked_at,
        delivered_at=message.delivered_at,
        pressed_by=subject.get("pressed_by"),
        clicked_at=_moment(subject.get("clicked_at")),
        heard_at=_moment(subject.get("heard_at")),
        trouble=None if message.delivered_at is not None or is_untried else message.last_error,
        is_given_up=message.delivered_at is None and message.state is OutboxState.DEAD,
        is_mailed=message.mailed_at is not None,
    )


_STANDS = frozenset({TrialState.WAITING, TrialState.DELIVERED})


async def _want(store: Store, trial: Trial, at: datetime, *, is_prompt: bool = False) -> None:
    """Have it posted as a real alert is, ahead of everything routine; or drawn anew where it stands."""
    subject = {
        "team_id": trial.team_id,
        "asked_by": trial.asked_by,
        "asked_at": trial.asked_at.isoformat(),
        "pressed_by": trial.pressed_by,
        "clicked_at": None if trial.clicked_at is None else trial.clicked_at.isoformat(),
        "heard_at": None if trial.heard_at is None else trial.heard_at.isoformat(),
    }
    await store.outbox.want(
        trial.workspace_id, trial.key, KIND, subject, trial.channel_id, (), urgency=URGENT, at=at, is_prompt=is_prompt
    )


async def _found(store: Store, workspace_id: str, key: str) -> Trial:
    message = await store.outbox.get(workspace_id, key)
    if message is None or message.kind != KIND:
        raise Refusal(RefusalCode.UNKNOWN_TRIAL)
    return trial_of(message)


def _moment(given: str | None) -> datetime | None:
    return None if given is None else datetime.fromisoformat(given)


def _microseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
