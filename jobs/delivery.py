"""Delivering one message: edit it where it stands, else post it where it belongs, else tell people directly."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from blocks import kit
from finops.frozen import frozen
from jobs.delivery_errors import EXPECTED, Trouble, Verdict, judged
from jobs.delivery_pace import Method, Paces
from jobs.delivery_speaker import CannotLook, Speaker, Speakers
from jobs.rendering import Rendering
from jobs.speech import NothingToSay, Reader
from storage.records_live import NOTHING_TO_SAY, OutboxMessage

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 30.0
# So often something that should work is tried before it is given up.
MOST_ATTEMPTS = 8
# So often the usual place is tried before another one is.
PATIENCE = 3
# A lead and administrators; beyond, an alert becomes a mailing list.
MOST_RECIPIENTS = 10
_REMOVED_SECONDS = 60.0
_SHORTEST_WAIT, _LONGEST_WAIT, _LONGEST_URGENT_WAIT = 1.0, 300.0, 15.0
# Slack may still be busy with what we could not wait for.
_BEFORE_LOOKING = 3.0


@frozen
class Stands:
    """It stands in Slack, this version of it. `user_id`: told directly to this person. `since`: found, not posted."""

    channel_id: str
    ts: str
    version: int
    user_id: str | None = None
    since: datetime | None = None


@frozen
class Later:
    """Not now. `is_uncertain`: it may stand there all the same. `wants_root`: its thread has to be begun anew."""

    seconds: float
    code: str
    is_uncertain: bool = False
    wants_root: bool = False


@frozen
class Nobody:
    """Nobody could be told in Slack."""

    code: str


@frozen
class GivenUp:
    """It will not work, however often it is tried."""

    code: str


Outcome = Stands | Later | Nobody | GivenUp


class Delivery:
    """How messages are delivered; one `Attempt` for each time one is tried."""

    def __init__(
        self,
        speakers: Speakers,
        rendering: Rendering,
        paces: Paces,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.speakers = speakers
        self.rendering = rendering
        self.paces = paces
        self.sleep = sleep
        self._jitter = jitter
        self._silent: set[str] = set()  # workspaces in which nobody lets us speak: said once

    def wait(self, message: OutboxMessage) -> float:
        """How long to leave it, growing with each attempt; no two copies of the bot wait equally long."""
        longest = _LONGEST_URGENT_WAIT if message.urgency else _LONGEST_WAIT
        return float(min(longest, _SHORTEST_WAIT * 2 ** min(message.attempts - 1, 10))) * (0.75 + self._jitter() / 2)

    def removed(self, workspace_id: str, code: str) -> None:
        """Nobody lets us speak there now: keep what waits, look again in a minute, and say so once."""
        self.paces.hold(workspace_id, _REMOVED_SECONDS)
        self.speakers.forget(workspace_id)
        if workspace_id not in self._silent:
            self._silent.add(workspace_id)
            log.warning("workspace cannot be told anything", extra={"workspace_id": workspace_id, "error": code})

    def heard(self, workspace_id: str) -> None:
        """We may speak there (again)."""
        self._silent.discard(workspace_id)


class Attempt:
    """One attempt to deliver one message. `may_stand` when it ended while Slack may have been taking a post."""

    def __init__(self, delivery: Delivery, message: OutboxMessage, is_ours: Callable[[], Awaitable[bool]]) -> None:
        self._delivery = delivery
        self._message = message
        self._is_ours = is_ours
        self.may_stand = False

    async def made(self) -> Outcome:
        """Try, and say how it ended. Raises only mistakes of ours."""
        message = self._message
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                speaker = await self._delivery.speakers.of(message.workspace_id)
                stood = await self._edited(speaker) if message.is_edit else None
                outcome = stood if isinstance(stood, Stands) else await self._told(speaker, is_closed=stood is False)
        except _NotYet as held:
            return Later(held.seconds, "paced")
        except EXPECTED as error:
            return self._after(judged(error))
        except SQLAlchemyError as error:
            log.warning("message waits for the database", extra={"key": message.key, "error": type(error).__name__})
            return Later(self._delivery.wait(message), type(error).__name__)
        except NothingToSay:
            return GivenUp(NOTHING_TO_SAY)
        if isinstance(outcome, Stands):
            self._delivery.heard(message.workspace_id)
        return outcome

    async def _edited(self, speaker: Speaker) -> Stands | bool:
        """Edit it where it stands. True: it does not stand there any more. False: and that place is closed to us."""
        message, delivery = self._message, self._delivery
        assert message.ts is not None
        assert message.posted_channel_id is not None
        user_id = await self._whose(speaker, message.posted_channel_id)
        said = await delivery.rendering.message(message, Reader(message.posted_channel_id, user_id))
        await self._turn(Method.EDIT)
        try:
            await speaker.edit(message.posted_channel_id, message.ts, said)
        except SlackApiError as error:
            verdict = judged(error)
            if verdict.trouble is Trouble.LIMITED:
                self._limited(Method.EDIT, message.posted_channel_id, verdict)
            if verdict.trouble not in (Trouble.GONE, Trouble.CLOSED):
                raise
            return verdict.trouble is Trouble.GONE
        return Stands(message.posted_channel_id, message.ts, message.version, user_id)

    async def _told(self, speaker: Speaker, *, is_closed: bool) -> Outcome:
        """Post it: where it belongs, or to people directly when that place is closed to us."""
        message = self._message
        code = "no_channel"
        if message.thread_key is not None:
            assert message.thread_channel_id is not None
            assert message.thread_ts is not None
            user_id = await self._whose(speaker, message.thread_channel_id)
            try:
                return await self._posted(speaker, Reader(message.thread_channel_id, user_id), message.thread_ts)
            except SlackApiError as error:
                code = self._closed(error, Trouble.THREADLESS)
            if message.attempts < PATIENCE or message.last_error != code:
                # The root moves to where people can be told, or is posted anew: the thread goes on below it.
                return Later(_BEFORE_LOOKING, code, wants_root=True)
            if not message.urgency:
                return GivenUp(code)
        elif message.channel_id is not None and not is_closed:
            try:
                return await self._posted(speaker, Reader(message.channel_id), None)
            except SlackApiError as error:
                code = self._closed(error, Trouble.REFUSED)
        for user_id in message.recipients[:MOST_RECIPIENTS]:
            try:
                channel_id = await speaker.direct(user_id)
                return await self._posted(speaker, Reader(channel_id, user_id), None)
            except SlackApiError as error:
                code = self._closed(error)
        return Nobody(code)

    def _closed(self, error: SlackApiError, also: Trouble = Trouble.CLOSED) -> str:
        """The code, when the place is closed to us, or `also`; unknown refusals count after some patience."""
        verdict = judged(error)
        is_ours = verdict.trouble in (Trouble.CLOSED, also)
        if verdict.trouble is Trouble.REFUSED:
            is_ours = self._message.attempts >= PATIENCE and self._message.last_error == verdict.code
        if not is_ours:
            raise error
        log.info("place closed", extra={"key": self._message.key, "error": verdict.code})
        return verdict.code

    async def _posted(self, speaker: Speaker, reader: Reader, thread_ts: str | None) -> Outcome:
        """Post it in one place, unless it stands there already."""
        message, delivery = self._message, self._delivery
        assert reader.channel_id is not None
        is_again = False
        if message.is_uncertain:
            try:
                found = await speaker.find(
                    reader.channel_id, message.key, message.first_wanted_at, thread_ts=thread_ts, but_not=message.ts
                )
            except CannotLook:
                is_again = True
            else:
                if found is not None:
                    stood_at = datetime.fromtimestamp(float(found.ts), UTC)
                    return Stands(reader.channel_id, found.ts, found.version, reader.user_id, stood_at)
        said = await delivery.rendering.message(message, reader, is_again=is_again)
        await self._turn(Method.POST, reader.channel_id)
        # Asked of the row, which all clocks see alike: we were asleep, or another's clock runs ahead of ours. Whoever
        # takes it over from now on waits longer than our call may take.
        if not await self._is_ours():
            return Later(0.0, "taken over")
        self.may_stand = True
        try:
            channel_id, ts = await speaker.post(
                reader.channel_id, said, message.key, message.version,
                thread_ts=thread_ts, is_broadcast=message.is_broadcast,
            )  # fmt: skip
        except SlackApiError as error:
            verdict = judged(error)
            self.may_stand = verdict.trouble is Trouble.UNCERTAIN
            if verdict.trouble is Trouble.LIMITED:
                self._limited(Method.POST, reader.channel_id, verdict)
            raise
        delivery.paces.posted(message.workspace_id, reader.channel_id)
        return Stands(channel_id, ts, message.version, reader.user_id)

    async def _whose(self, speaker: Speaker, channel_id: str) -> str | None:
        """Whose direct conversation this is; None for a channel."""
        if not kit.is_direct(channel_id):
            return None
        for user_id in self._message.recipients[:MOST_RECIPIENTS]:
            try:
                if await speaker.direct(user_id) == channel_id:
                    return user_id
            except SlackApiError as error:
                if judged(error).trouble is not Trouble.CLOSED:
                    raise
        return None

    async def _turn(self, method: Method, channel_id: str | None = None) -> None:
        workspace_id, paces = self._message.workspace_id, self._delivery.paces
        wait = paces.turn(workspace_id, method)
        if wait is None:
            raise _NotYet(paces.until_turn(workspace_id, method))
        if channel_id is not None:
            wait = max(wait, paces.place(workspace_id, channel_id))
        if wait > 0:
            await self._delivery.sleep(wait)
            if held := paces.until_free(workspace_id, method):  # said to another meanwhile
                raise _NotYet(held)

    def _limited(self, method: Method, channel_id: str, verdict: Verdict) -> None:
        self._delivery.paces.limited(self._message.workspace_id, method, channel_id, verdict.retry_after or 1.0)

    def _after(self, verdict: Verdict) -> Outcome:
        """What to do after trouble that was not solved at once."""
        message, delivery = self._message, self._delivery
        wait = delivery.wait(message)
        match verdict.trouble:
            case Trouble.LIMITED:
                return Later(verdict.retry_after or wait, verdict.code)
            case Trouble.UNCERTAIN if self.may_stand:
                return Later(max(wait, _BEFORE_LOOKING), verdict.code, is_uncertain=True)
            case Trouble.UNCERTAIN | Trouble.AWAY:
                return Later(wait, verdict.code)
            case Trouble.REMOVED:
                delivery.removed(message.workspace_id, verdict.code)
                return Later(_REMOVED_SECONDS, verdict.code)
        log.warning("message refused", extra={"key": message.key, "error": verdict.code, "attempts": message.attempts})
        is_hopeless = message.attempts >= MOST_ATTEMPTS and message.last_error == verdict.code
        return GivenUp(verdict.code) if is_hopeless else Later(wait, verdict.code)


class _NotYet(Exception):
    """The turn of this workspace is further away than is worth holding a message for."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds
