"""Interviews: the windows in which times are offered, booked, moved and given up, and the calendar files."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from slack_sdk.errors import SlackApiError, SlackClientError

from blocks import bad_news, budget_words, ids, interviews, kit
from blocks.answered import error_code
from bot.errors import Refusal, RefusalCode, explain
from bot.interviews import Changed
from finops.interviews import LENGTHS, Happened, Meeting, OfferWish
from finops.keys import contains_key
from handlers.filing import NOT_ALLOWED
from handlers.once import once
from handlers.outages import SLACK_FAILS
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.teams import number
from handlers.visit import Visit, posted
from locales import Translator, translator_for

log = logging.getLogger(__name__)

_OFF = frozenset({Happened.CANCELLED, Happened.WITHDRAWN})
# Somebody else was first, or it was withdrawn; and what the same person did meanwhile in another window.
_TOO_LATE = frozenset({RefusalCode.SLOT_TAKEN, RefusalCode.UNKNOWN_SLOT})
_ELSEWHERE = frozenset({RefusalCode.INTERVIEW_BOOKED, RefusalCode.UNKNOWN_BOOKING})


async def ask(visit: Visit) -> None:
    """`/finops interview`, and every button that leads here."""
    await visit.in_place()
    await visit.show(await _board(visit))


async def book(visit: Visit, value: str) -> None:
    """The form to book a time; the one that was clicked is chosen in it."""
    await visit.in_place()
    found = await visit.bot.interviews.board(await visit.person())
    await visit.show(interviews.booking(found, await visit.words(), number(value)))


async def move(visit: Visit, value: str) -> None:
    """The form to choose another time for one's own appointment."""
    await visit.in_place()
    found = await visit.bot.interviews.board(await visit.person())
    if found.mine is None or found.mine.booking.id != number(value):
        # Given up in another window, or withdrawn by its host.
        said = bad_news.sentence(explain(Refusal(RefusalCode.UNKNOWN_BOOKING)), await visit.words())
        await visit.show(await _board(visit, problem=said))
        return
    await visit.show(interviews.booking(found, await visit.words()))


async def submit_book(form: Form) -> Outcome:
    """Book or move; whoever comes too late is told and chooses again."""
    visit, t = form.visit, await form.visit.words()
    person, slot_id, note = (
        await visit.person(),
        number(form.selected(ids.INTERVIEW_SLOT)),
        form.text(ids.INTERVIEW_NOTE),
    )
    moves = form.number("booking") if "booking" in form.ids else None

    async def again(said: str, kept: str) -> kit.View:
        return interviews.booking(await visit.bot.interviews.board(person), t, slot_id, kept, said)

    if contains_key(note):
        said = budget_words.secret(t)
        return Problem({ids.INTERVIEW_NOTE: said}, await again(said, ""))
    try:
        changed = await once(form, lambda: visit.bot.interviews.book(person, slot_id, note, moves))
    except Refusal as refusal:
        said = bad_news.sentence(explain(refusal), t)
        if refusal.code in _TOO_LATE:
            # Not as an error of the field: that would leave the list as it was, with what is taken in it.
            return Show(await again(said, note), refreshes_home=False)
        if refusal.code in _ELSEWHERE:
            return Show(await _board(visit, problem=said), refreshes_home=False)
        raise
    if changed is None:
        return Show(await _board(visit), refreshes_home=False)
    notice = interviews.changed_words(changed.what, changed.meeting.slot, t)
    return Show(await _board(visit, notice), refreshes_home=False, then=partial(_send_own_file, changed=changed))


async def cancel(visit: Visit, value: str) -> None:
    """Give one's own appointment up."""
    await visit.in_place()
    person = await visit.person()
    await _changed(visit, lambda: visit.bot.interviews.cancel(person, number(value)))


async def withdraw(visit: Visit, value: str) -> None:
    """Offer a time no longer."""
    await visit.in_place()
    person = await visit.person()
    await _changed(visit, lambda: visit.bot.interviews.withdraw(person, number(value)))


async def file(visit: Visit, value: str) -> None:
    """The calendar file of an appointment to whoever asks for it; a message's button names the time it told of, too."""
    if visit.is_in_modal:
        await visit.in_place()
    booking, _, slot = value.partition("/")
    meeting, is_on = await visit.bot.interviews.meeting(await visit.person(), number(booking), number(slot))
    await _send_file(visit, Happened.BOOKED if is_on else Happened.CANCELLED, meeting, visit.user_id)
    if visit.window is not None:
        t = await visit.words()
        await visit.show(await _board(visit, t.gettext("The calendar file is in your messages from FinOps.")))


async def offer(visit: Visit) -> None:
    """The form to offer times, for tomorrow unless another day is chosen."""
    await visit.in_place()
    person = await visit.person()
    await visit.bot.people.require_admin(person)
    await visit.show(interviews.offering(_blank(visit, await visit.words()), await visit.words()))


async def submit_offer(form: Form) -> Outcome:
    """Offer what was filled in: all of it or nothing."""
    visit, t = form.visit, await form.visit.words()
    person, blank = await visit.person(), _blank(visit, t)
    length = form.selected(ids.INTERVIEW_LENGTH)
    filled = interviews.OfferForm(
        host=form.user(ids.INTERVIEW_HOST) or blank.host,
        day=form.day(ids.INTERVIEW_DAY) or blank.day,
        zone=blank.zone,
        times=form.text(ids.INTERVIEW_TIMES),
        minutes=int(length) if length in map(str, LENGTHS) else blank.minutes,
        place=form.text(ids.INTERVIEW_PLACE),
    )
    if contains_key(filled.place):
        said = budget_words.secret(t)
        return Problem({ids.INTERVIEW_PLACE: said}, interviews.offering(blank, t, said))
    await visit.bot.people.require_admin(person)
    if filled.host != visit.user_id:
        host = await visit.profile(filled.host)
        if host.is_bot:
            said = t.gettext("A bot cannot hold an interview. Choose a person.")
            return Problem({ids.INTERVIEW_HOST: said}, interviews.offering(filled, t, said))
        # Whoever talks with them is told in their own language, from the first message on.
        await visit.bot.people.meet(visit.workspace_id, visit.workspace_name, host)
    wish = OfferWish(filled.host, filled.day, filled.times, filled.minutes, filled.place, filled.zone)
    try:
        made = await once(form, lambda: visit.bot.interviews.offer(person, wish))
    except Refusal as refusal:
        if refusal.code is not RefusalCode.INTERVIEW_TIMES:
            raise
        said = bad_news.sentence(explain(refusal), t)
        return Problem.beside(ids.INTERVIEW_TIMES, said, interviews.offering(filled, t, said))
    notice = interviews.offered_words(made, t) if made is not None else None
    return Show(await _board(visit, notice), refreshes_home=False)


def _blank(visit: Visit, t: Translator) -> interviews.OfferForm:
    day = visit.bot.clock().astimezone(t.zone).date() + timedelta(days=1)
    return interviews.OfferForm(visit.user_id, day, str(t.zone))


async def _board(visit: Visit, notice: str | None = None, problem: str | None = None) -> kit.View:
    found = await visit.bot.interviews.board(await visit.person())
    return interviews.board(found, await visit.words(), notice, problem)


async def _changed(visit: Visit, act: Callable[[], Awaitable[Changed | None]]) -> None:
    """Do it and show what there is now; what was done already, in another window or by the other side, is said."""
    t = await visit.words()
    try:
        changed = await act()
    except Refusal as refusal:
        if refusal.code not in (RefusalCode.UNKNOWN_BOOKING, RefusalCode.UNKNOWN_SLOT):
            raise
        await visit.show(await _board(visit, problem=bad_news.sentence(explain(refusal), t)))
        return
    if changed is None:
        await visit.show(await _board(visit, interviews.withdrawn_words(t)))
        return
    await visit.show(await _board(visit, interviews.changed_words(changed.what, changed.meeting.slot, t)))
    await _send_own_file(visit, changed)


async def _send_own_file(visit: Visit, changed: Changed) -> None:
    """The calendar file to whoever did it, if it is theirs; the message that tells the other side has its button."""
    meeting = changed.meeting
    if visit.user_id in (meeting.booking.user_id, meeting.slot.host_user_id):
        await _send_file(visit, changed.what, meeting, visit.user_id)


async def _send_file(visit: Visit, what: Happened, meeting: Meeting, user_id: str) -> None:
    """Send somebody the file, in their language; as text where files cannot be sent."""
    t = await _words_of(visit, user_id)
    names = await visit.bot.interviews.names(visit.workspace_id, meeting.booking.user_id, meeting.slot.host_user_id)
    stamp = visit.bot.clock()
    text = interviews.appointment(meeting, names, stamp, t, is_cancelled=what in _OFF)
    words = interviews.file_words(what, meeting, user_id, t)
    try:
        opened = await visit.client.conversations_open(users=user_id)
        channel_id = str(opened["channel"]["id"])
        try:
            await visit.client.files_upload_v2(
                filename=interviews.FILE_NAME, content=text, channel=channel_id, initial_comment=words
            )
        except SlackApiError as error:
            if error_code(error) not in NOT_ALLOWED:
                raise
            log.info("no file can be sent", extra={"error": error_code(error)})
            message = interviews.file_as_text(text, words, t)
            await posted(visit.client, "chat.postMessage", message, channel=channel_id)
    except (*SLACK_FAILS, SlackClientError) as error:
        # The appointment stands; the button of its message sends the file again.
        log.warning("calendar file not sent", extra={"error": error_code(error)})


async def _words_of(visit: Visit, user_id: str) -> Translator:
    if user_id == visit.user_id:
        return await visit.words()
    person = await visit.bot.people.known(visit.workspace_id, user_id)
    if person is not None:
        return translator_for(person.locale, person.timezone)
    return translator_for(visit.bot.policy.default_locale, visit.bot.policy.default_timezone)
