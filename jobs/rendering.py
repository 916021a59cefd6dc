"""What each kind of message says, made when it is sent: ids in the outbox become words in the reader's language."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date, datetime

from blocks import (
    collection,
    delivered,
    digest,
    feedback,
    incidents,
    interviews,
    keys,
    kit,
    learning,
    reviews,
    runbooks,
    stop_lead,
    stop_thread,
    stops,
    trials,
    unpriced,
)
from blocks import polls as poll_blocks
from blocks import unwatched as unwatched_blocks
from bot import Bot
from bot.digest_telling import DAILY, DIGEST, DIGEST_LINE
from bot.effects import MONTHLY
from bot.errors import RefusalCode
from bot.expiring import EXPIRY, ExpiryWarning, replaced
from bot.feedback import FEEDBACK, FEEDBACK_ANSWER
from bot.interviews import INTERVIEW
from bot.runbooks import runbook_of
from bot.telling import (
    BLIND,
    INCIDENT,
    INCIDENT_EVENT,
    REVIEW,
    RUNBOOK,
    STOP,
    STOP_EVENT,
    STOP_LEAD,
    UNPRICED,
    UNWATCHED,
)
from bot.trials import trial_of
from bot.voting import POLL, POLL_LINE, POLL_REMINDER
from finops.feedback import Feedback
from finops.interviews import Happened
from finops.polls import PollShown
from finops.queries import ScopeKind
from finops.stop_report import StopTarget
from finops.trials import KIND as TRIAL
from jobs.speech import NothingToSay, Reader, Speech, gone
from locales import Translator, translator_for
from storage.records_live import OutboxMessage

# In the subject of a copy: the channel that could not be told.
INSTEAD_OF = "instead_of"


async def _feedback(speech: Speech) -> kit.Message:
    told = await _told_feedback(speech)
    named = [
        None if user_id is None else await speech.bot.people.known(told.workspace_id, user_id)
        for user_id in (told.user_id, told.decided_by)
    ]
    return feedback.triage(told, await speech.words(), *("" if one is None else one.name for one in named))


async def _feedback_answer(speech: Speech) -> kit.Message:
    return feedback.answer(await _told_feedback(speech), await speech.words())


async def _told_feedback(speech: Speech) -> Feedback:
    with gone(RefusalCode.UNKNOWN_FEEDBACK):
        return await speech.bot.feedback.told(speech.wanted.workspace_id, int(speech.wanted.subject["feedback_id"]))


async def _monthly(speech: Speech) -> kit.Message:
    first = date.fromisoformat(str(speech.wanted.subject["month"]))
    report = await speech.bot.effects.of_month(speech.wanted.workspace_id, first)
    return learning.monthly(report, await speech.digest_words())


async def _interview(speech: Speech) -> kit.Message:
    subject, workspace_id = speech.wanted.subject, speech.wanted.workspace_id
    what = Happened(str(subject["what"]))
    meeting = await speech.bot.interviews.told(workspace_id, int(subject["booking_id"]), int(subject["slot_id"]), what)
    if meeting is None:
        raise NothingToSay
    return interviews.message(what, meeting, str(subject["by"]), str(subject["to"]), await speech.words())


async def _poll(speech: Speech) -> kit.Message:
    poll_shown = await _poll_shown(speech)
    return poll_blocks.root(poll_shown, await _poll_words(speech, poll_shown))


async def _poll_line(speech: Speech) -> kit.Message:
    poll_shown = await _poll_shown(speech)
    poll_said = poll_blocks.reminder if speech.wanted.subject["line"] == POLL_REMINDER else poll_blocks.result
    return poll_said(poll_shown, await _poll_words(speech, poll_shown))


async def _poll_shown(speech: Speech) -> PollShown:
    with gone(RefusalCode.UNKNOWN_POLL):
        return await speech.bot.voting.told(speech.wanted.workspace_id, int(speech.wanted.subject["poll_id"]))


async def _poll_words(speech: Speech, poll_shown: PollShown) -> Translator:
    """The language of the digest a pulse stands below, else the reader's or the channel's."""
    if speech.reader.user_id is not None or not poll_shown.poll.locale:
        return await speech.words()
    workspace = await speech.bot.people.workspace(speech.wanted.workspace_id)
    zone = workspace.timezone if workspace else speech.bot.policy.default_timezone
    return translator_for(poll_shown.poll.locale, poll_shown.poll.timezone or zone)


async def _incident(speech: Speech) -> kit.Message:
    shown = await speech.shown()
    return incidents.root(shown, await speech.words(shown.team))


async def _incident_event(speech: Speech) -> kit.Message:
    shown = await speech.shown(is_line=True)
    event = next((one for one in shown.events if one.key == speech.wanted.subject["event"]), None)
    if event is None:
        raise NothingToSay
    return incidents.line(event, shown, await speech.words(shown.team))


async def _stop(speech: Speech) -> kit.Message:
    shown = await speech.stop()
    return stops.root(shown, await speech.words(shown.team))


async def _stop_event(speech: Speech) -> kit.Message:
    event, shown = await speech.stop_event()
    return stop_thread.line(event, shown, await speech.words(shown.team))


async def _stop_lead(speech: Speech) -> kit.Message:
    subject = speech.wanted.subject
    target = StopTarget.read(str(subject["target"]))
    if target is None:
        raise NothingToSay
    return stop_lead.message(str(subject["text"]), str(subject["by"]), target, await speech.words())


async def _review(speech: Speech) -> kit.Message:
    subject = speech.wanted.subject
    due = date.fromisoformat(str(subject["due"]))
    words = await speech.words()
    return reviews.message(str(subject["text"]), str(subject["owner"]), due, str(subject["by"]), words)


async def _runbook(speech: Speech) -> kit.Message:
    shown = await speech.shown(is_line=True)
    return runbooks.message(runbook_of(speech.wanted), await speech.words(shown.team))


async def _unpriced(speech: Speech) -> kit.Message:
    subject, name = speech.wanted.subject, await _connection_name(speech)
    names = [str(each) for each in subject["names"]]
    return unpriced.message(name, names, date.fromisoformat(str(subject["day"])), await speech.words())


async def _blind(speech: Speech) -> kit.Message:
    name, (since, until), t = await _connection_name(speech), _blindness(speech), await speech.words()
    if until is not None:
        return collection.recovered(name, since, until, t)
    return collection.blind(name, since, str(speech.wanted.subject["code"]), {}, t)


async def _blind_mail(speech: Speech, link: str | None) -> tuple[str, str]:
    name, (since, until), t = await _connection_name(speech), _blindness(speech), await speech.words()
    return collection.blind_mail(name, since, until, str(speech.wanted.subject["code"]), t, link)


def _blindness(speech: Speech) -> tuple[datetime, datetime | None]:
    """Since when something could not be read, and until when; None while it still cannot."""
    since, until = speech.wanted.subject["since"], speech.wanted.subject.get("until")
    return datetime.fromisoformat(str(since)), None if until is None else datetime.fromisoformat(str(until))


async def _connection_name(speech: Speech) -> str:
    async with speech.bot.storage.reading() as store:
        one = await store.connections.get(speech.wanted.workspace_id, int(speech.wanted.subject["connection_id"]))
    if one is None:
        raise NothingToSay
    return one.name


async def _unwatched(speech: Speech) -> kit.Message:
    told = await speech.bot.unwatched.told(speech.wanted)
    return unwatched_blocks.message(
        told.since, told.until, told.connections, told.amount, told.unpriced, await speech.words()
    )


async def _expiry(speech: Speech) -> kit.Message:
    done = replaced(speech.wanted)
    if done is not None:
        return keys.replaced(
            await speech.words(), done.ends_with_before, done.ends_with, done.user_id, done.at, done.expires_at
        )
    one = await _expiring(speech)
    return keys.expiring(await speech.words(one.team), one.team, one.credential, one.expires_at, one.days_left)


async def _expiry_mail(speech: Speech, link: str | None) -> tuple[str, str]:
    one = await _expiring(speech)
    t = await speech.words(one.team)
    return keys.expiring_mail(t, one.team, one.credential, one.expires_at, one.days_left, link)


async def _expiring(speech: Speech) -> ExpiryWarning:
    warning = await speech.bot.expiring.told(speech.wanted)
    if warning is None:
        raise NothingToSay
    return warning


async def _trial(speech: Speech) -> kit.Message:
    return trials.message(trial_of(speech.wanted), await speech.words())


async def _digest(speech: Speech) -> kit.Message:
    return digest.root(await speech.digest(), await speech.digest_words())


async def _digest_line(speech: Speech) -> kit.Message:
    said = digest.line(await speech.digest(), str(speech.wanted.subject["key"]), await speech.digest_words())
    if said is None:
        raise NothingToSay
    return said


async def _daily(speech: Speech) -> kit.Message:
    subject = speech.wanted.subject
    scope_id = subject["scope_id"]
    with gone(RefusalCode.UNKNOWN_TEAM):
        card = await speech.bot.digests.daily(
            speech.wanted.workspace_id,
            ScopeKind(subject["scope_kind"]),
            None if scope_id is None else int(scope_id),
            date.fromisoformat(str(subject["day"])),
        )
    if card is None:
        raise NothingToSay
    return digest.daily(card, await speech.digest_words())


async def _incident_mail(speech: Speech, link: str | None) -> tuple[str, str]:
    shown = await speech.shown()
    return incidents.mail(shown, await speech.words(shown.team), link)


async def _stop_event_mail(speech: Speech, link: str | None) -> tuple[str, str]:
    event, shown = await speech.stop_event()
    return stop_thread.mail(event, shown, await speech.words(shown.team), link)


Say = Callable[[Speech], Awaitable[kit.Message]]
Write = Callable[[Speech, str | None], Awaitable[tuple[str, str]]]
RENDER: Mapping[str, Say] = {
    INCIDENT: _incident,
    INCIDENT_EVENT: _incident_event,
    STOP: _stop,
    STOP_EVENT: _stop_event,
    STOP_LEAD: _stop_lead,
    REVIEW: _review,
    RUNBOOK: _runbook,
    UNPRICED: _unpriced,
    BLIND: _blind,
    UNWATCHED: _unwatched,
    EXPIRY: _expiry,
    TRIAL: _trial,
    DIGEST: _digest,
    DIGEST_LINE: _digest_line,
    DAILY: _daily,
    POLL: _poll,
    POLL_LINE: _poll_line,
    FEEDBACK: _feedback,
    FEEDBACK_ANSWER: _feedback_answer,
    INTERVIEW: _interview,
    MONTHLY: _monthly,
}
# What has no letter of its own is sent as its text.
MAIL: Mapping[str, Write] = {
    INCIDENT: _incident_mail,
    INCIDENT_EVENT: _incident_mail,
    STOP_EVENT: _stop_event_mail,
    BLIND: _blind_mail,
    EXPIRY: _expiry_mail,
}


class Rendering:
    """Makes messages. What it raises is NothingToSay, or a mistake of ours."""

    def __init__(self, bot: Bot, render: Mapping[str, Say] = RENDER, mail: Mapping[str, Write] = MAIL) -> None:
        self._bot = bot
        self._render = render
        self._mail = mail

    async def message(self, wanted: OutboxMessage, reader: Reader, *, is_again: bool = False) -> kit.Message:
        """The message as it reads now. `is_again` when the reader may have it already; told directly, it says why."""
        speech = Speech(self._bot, wanted, reader)
        message = await self._render[wanted.kind](speech)
        notes = []
        channel_id = wanted.subject.get(INSTEAD_OF) or wanted.channel_id
        if is_again:
            notes.append(delivered.again(await speech.words()))
        if reader.user_id is not None and channel_id is not None and wanted.thread_key is None:
            notes.append(delivered.directly(str(channel_id), await speech.words()))
        return replace(
            message,
            blocks=(message.blocks[: kit.MESSAGE_BLOCKS - len(notes)] + notes),
            plain_blocks=(message.plain_blocks[: kit.MESSAGE_BLOCKS - len(notes)] + notes),
        )

    async def letter(self, wanted: OutboxMessage, link: str | None) -> tuple[str, str]:
        """The same as a mail: subject and plain text. `link` opens the message in Slack, where it stands there."""
        speech = Speech(self._bot, wanted, Reader(wanted.channel_id))
        write = self._mail.get(wanted.kind)
        if write is not None:
            return await write(speech, link)
        said = kit.unmarked((await self._render[wanted.kind](speech)).text)
        told = [said, "", link, ""] if link else [said, ""]
        return said.splitlines()[0], "\n".join(told)
