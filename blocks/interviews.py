"""Interviews in words: what is free, booked and offered, the forms, what both sides are told, the calendar file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from blocks import ids, kit
from finops.calendar_file import Appointment, Guest, address_of, calendar_file, uid_of
from finops.frozen import frozen
from finops.interviews import (
    LENGTHS,
    LONGEST_NOTE,
    LONGEST_PLACE,
    Board,
    Booking,
    Happened,
    Meeting,
    Offered,
    OfferMistake,
    Slot,
)
from locales import Translator

# Of what is free, the form to book has the rest in its list; what is offered is withdrawn here and nowhere else.
SHOWN, OFFERED_SHOWN = 20, 60
_USUAL_LENGTH = 30
FILE_NAME = "finops-interview.ics"


@frozen
class OfferForm:
    """What stands in the form of an offer; `zone` is the reader's, in which its times are meant."""

    host: str
    day: date
    zone: str
    times: str = ""
    minutes: int = _USUAL_LENGTH
    place: str = ""


def board(found: Board, t: Translator, notice: str | None = None, problem: str | None = None) -> kit.View:
    """What there is: one's own appointment, what is free, and what one offers; first what was done, or was not."""
    parts: list[kit.Block] = [kit.alert(notice, "success")] if notice else []
    parts += [kit.alert(problem)] if problem else []
    if found.mine is not None:
        parts += _mine(found.mine, t)
    elif found.free:
        parts.append(kit.section(t.gettext("*Tell us how FinOps works for you.* Choose a time that suits you.")))
        parts += [
            kit.section(_slot_line(one, t), kit.button(t.gettext("Book"), ids.INTERVIEW_BOOK, one.id))
            for one in found.free[:SHOWN]
        ]
        if (more := len(found.free) - SHOWN) > 0:
            said = t.ngettext(
                "{count} more time: “Book” has it in its list.",
                "{count} more times: “Book” has them in its list.",
                more,
            )
            parts.append(kit.context(said))
    elif not found.may_offer:
        parts.append(kit.section(t.gettext("No time is offered at present.")))
        parts.append(kit.actions(kit.button(t.gettext("Feedback"), ids.FEEDBACK_OPEN)))
    if found.may_offer or found.offered:
        parts += _offered(found, t)
    if found.mine is not None or found.free or found.offered:
        parts.append(kit.context(_zone_words(_first(found), t)))
    return kit.modal(_title(t), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def booking(
    found: Board, t: Translator, chosen: int | None = None, note: str = "", problem: str | None = None
) -> kit.View:
    """The form to book a time, or to move one's own (VIEW_INTERVIEW_BOOK). Metadata: the booking that is moved."""
    mine = found.mine
    parts: list[kit.Block] = [kit.alert(problem)] if problem else []
    if mine is not None:
        parts.append(kit.section(t.gettext("Booked now: *{time}*", time=when(mine.slot, t))))
    if not found.free:
        parts.append(kit.section(t.gettext("No other time is free at present.")))
        return kit.modal(_title(t), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)
    entries = [kit.option(when(one, t), one.id) for one in found.free[: kit.OPTIONS]]
    menu = kit.select(ids.INTERVIEW_SLOT, t.gettext("Choose a time"), entries, chosen)
    hint = _zone_words(found.free[0].starts_at, t)
    parts.append(kit.input_block(ids.INTERVIEW_SLOT, t.gettext("Time"), menu, hint=hint))
    typed = note or (mine.booking.note if mine is not None else "")
    element = kit.typed(LONGEST_NOTE, typed, is_multiline=True)
    label = t.gettext("What you would like to talk about")
    parts.append(kit.input_block(ids.INTERVIEW_NOTE, label, element, is_optional=True))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Move the interview") if mine is not None else t.gettext("Book an interview"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.pgettext("button", "Move") if mine is not None else t.pgettext("button", "Book"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_INTERVIEW_BOOK,
        metadata={"booking": mine.booking.id} if mine is not None else {},
    )


def offering(form: OfferForm, t: Translator, problem: str | None = None) -> kit.View:
    """The form to offer times (VIEW_INTERVIEW_OFFER)."""
    parts: list[kit.Block] = [kit.alert(problem)] if problem else []
    picker: kit.Block = {"type": "datepicker", "initial_date": form.day.isoformat()}
    lengths = [kit.option(t.ngettext("{count} minute", "{count} minutes", each), each) for each in LENGTHS]
    menu = kit.select(ids.INTERVIEW_LENGTH, t.gettext("Length"), lengths, form.minutes)
    host: kit.Block = {"type": "users_select", "initial_user": form.host}
    hint = t.gettext("Each a beginning, for example 10:00, 14:30, 16:00. In your time zone, {zone}.", zone=form.zone)
    parts += [
        kit.input_block(ids.INTERVIEW_DAY, t.gettext("Day"), picker),
        kit.text_input(
            ids.INTERVIEW_TIMES,
            t.gettext("Times"),
            hint=hint,
            placeholder="10:00, 14:30, 16:00",
            initial=form.times,
            max_length=200,
        ),
        kit.input_block(ids.INTERVIEW_LENGTH, t.gettext("Length"), menu),
        kit.text_input(
            ids.INTERVIEW_PLACE,
            t.gettext("Place or link"),
            initial=form.place,
            is_optional=True,
            max_length=LONGEST_PLACE,
        ),
        kit.input_block(ids.INTERVIEW_HOST, t.gettext("Who talks with them"), host),
    ]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Offer times"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.pgettext("button", "Offer"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_INTERVIEW_OFFER,
        metadata={"zone": form.zone},
    )


def offered_words(slots: Sequence[Slot], t: Translator) -> str:
    """That times are offered now."""
    return t.ngettext("{count} time is offered.", "{count} times are offered.", len(slots))


def changed_words(what: Happened, slot: Slot, t: Translator) -> str:
    """What whoever did it reads in the window."""
    return _DONE[what](t, when(slot, t))


def message(what: Happened, meeting: Meeting, by: str, reader: str, t: Translator) -> kit.Message:
    """What the other side is told, and what reminds both."""
    slot, booked = meeting.slot, meeting.booking
    other = kit.mention(meeting.other(reader))
    head = _TOLD[what](t, when(slot, t), kit.mention(by) if by else other, other)
    facts = [_zone_words(slot.starts_at, t), *_place(slot)]
    parts: list[kit.Block] = [kit.section(f"*{head}*"), kit.context(*facts)]
    if booked.note and what is not Happened.WITHDRAWN:
        parts.append(kit.section(_quoted(booked.note)))
    # The file comes when it is asked for: sent beside the message, it would be a second one about the same.
    file = kit.button(t.gettext("Calendar file"), ids.INTERVIEW_FILE, f"{booked.id}/{slot.id}")
    parts.append(kit.actions(file, kit.button(t.gettext("Interviews"), ids.INTERVIEW_OPEN)))
    return kit.message(head, parts)


def file_words(what: Happened, meeting: Meeting, reader: str, t: Translator) -> str:
    """What stands beside a calendar file."""
    # A file may be opened days later, away from every other line about its time: the zone stands beside it.
    time = f"{when(meeting.slot, t)} {t.zone_name(meeting.slot.starts_at)}"
    other = kit.mention(meeting.other(reader))
    if what in (Happened.CANCELLED, Happened.WITHDRAWN):
        return t.gettext(
            "The interview with {person}, {time}, does not take place: open this file and it leaves your calendar.",
            person=other,
            time=time,
        )
    if meeting.booking.sequence:
        return t.gettext(
            "The interview with {person} is now {time}: open this file and it changes in your calendar.",
            person=other,
            time=time,
        )
    return t.gettext(
        "The interview with {person}, {time}: open this file and it stands in your calendar.", person=other, time=time
    )


def file_as_text(text: str, words: str, t: Translator) -> kit.Message:
    """The same where the app may send no file."""
    hint = t.gettext("FinOps may not send files here. Save these lines as {name}.", name=f"`{FILE_NAME}`")
    return kit.message(words, [kit.section(words), kit.preformatted(text.replace("\r\n", "\n")), kit.context(hint)])


def appointment(
    meeting: Meeting, names: Mapping[str, str], stamp: datetime, t: Translator, *, is_cancelled: bool
) -> str:
    """The calendar file of an appointment, in the reader's language. `names` are those of both, as far as known."""
    slot, booked = meeting.slot, meeting.booking

    def guest(user_id: str) -> Guest:
        return Guest(kit.bare(names.get(user_id) or user_id), address_of(user_id, slot.workspace_id))

    host, visitor = guest(slot.host_user_id), guest(booked.user_id)
    return calendar_file(
        Appointment(
            uid=uid_of(slot.workspace_id, booked.id),
            sequence=booked.sequence,
            stamp=stamp,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            summary=t.gettext("FinOps interview: {one} and {other}", one=host.name, other=visitor.name),
            description=booked.note,
            place=slot.place,
            organizer=host,
            guests=(host, visitor),
            is_cancelled=is_cancelled,
        )
    )


def when(slot: Slot, t: Translator) -> str:
    """Day, beginning and end in the reader's clock; plain text."""
    day = t.day(slot.starts_at.astimezone(t.zone).date())
    return f"{day} {t.clock(slot.starts_at)}–{t.clock(slot.ends_at)}"


def mistake_words(mistake: str, word: str, t: Translator) -> str:
    """What is wrong with an offer, and that none of it was made."""
    said = _MISTAKES.get(mistake)
    why = said(t, kit.name(word, 20)) if said is not None else t.gettext("These times cannot be offered.")
    return " ".join((why, t.gettext("No time was offered.")))


def withdrawn_words(t: Translator) -> str:
    """That a time is offered no longer which nobody had booked."""
    return t.gettext("The time is withdrawn. Nobody had booked it.")


def _mine(meeting: Meeting, t: Translator) -> list[kit.Block]:
    slot, booked = meeting.slot, meeting.booking
    lines = [
        t.gettext("*Your interview: {time}*", time=when(slot, t)),
        t.gettext("with {person}", person=kit.mention(slot.host_user_id)),
        *_place(slot),
        *([_quoted(booked.note)] if booked.note else []),
    ]
    sure = kit.confirm(
        t.gettext("Cancel the interview?"),
        t.gettext("The time is free for others again, and the other side is told."),
        t.gettext("Cancel it"),
        t.gettext("Keep it"),
        is_danger=True,
    )
    return [
        kit.section("\n".join(lines)),
        kit.actions(
            kit.button(t.gettext("Move"), ids.INTERVIEW_MOVE, booked.id),
            kit.button(t.gettext("Calendar file"), ids.INTERVIEW_FILE, booked.id),
            kit.button(
                t.gettext("Cancel the interview"), ids.INTERVIEW_CANCEL, booked.id, style="danger", confirm=sure
            ),
        ),
    ]


def _offered(found: Board, t: Translator) -> list[kit.Block]:
    parts: list[kit.Block] = [kit.divider()] if found.mine is not None or found.free else []
    parts.append(kit.section(t.gettext("*Times on offer*")))
    if not found.offered:
        parts.append(kit.context(t.gettext("None yet.")))
    parts += [kit.section(_offer_line(one, t), _withdraw(one, t)) for one in found.offered[:OFFERED_SHOWN]]
    if (more := len(found.offered) - OFFERED_SHOWN) > 0:
        said = t.ngettext("{count} later time is not shown.", "{count} later times are not shown.", more)
        parts.append(kit.context(said))
    if found.may_offer:
        style = None if found.offered else "primary"
        parts.append(kit.actions(kit.button(t.gettext("Offer times"), ids.INTERVIEW_OFFER, style=style)))
    return parts


def _withdraw(offer: Offered, t: Translator) -> kit.Block:
    said = (
        t.gettext("Whoever booked it is told that it does not take place.")
        if offer.booking is not None
        else t.gettext("Nobody has booked it.")
    )
    said = f"*{when(offer.slot, t)}*\n{said}"
    sure = kit.confirm(
        t.gettext("Withdraw this time?"), said, t.gettext("Withdraw"), t.gettext("Keep it"), is_danger=True
    )
    return kit.button(t.gettext("Withdraw"), ids.INTERVIEW_WITHDRAW, offer.slot.id, confirm=sure)


def _offer_line(offer: Offered, t: Translator) -> str:
    who = _booked(offer.booking, t)
    lines = [f"*{when(offer.slot, t)}* · {kit.mention(offer.slot.host_user_id)}", who, *_place(offer.slot)]
    return "\n".join(lines)


def _booked(booked: Booking | None, t: Translator) -> str:
    if booked is None:
        return t.gettext("free")
    said = t.gettext("booked by {person}", person=kit.mention(booked.user_id))
    return f"{said}\n{_quoted(kit.clip(booked.note, 200))}" if booked.note else said


def _slot_line(slot: Slot, t: Translator) -> str:
    said = t.gettext("with {person}", person=kit.mention(slot.host_user_id))
    return "\n".join([f"*{when(slot, t)}*", said, *_place(slot)])


def _place(slot: Slot) -> list[str]:
    return [kit.escape(slot.place)] if slot.place else []


def _first(found: Board) -> datetime:
    moments = [one.starts_at for one in found.free] + [one.slot.starts_at for one in found.offered]
    return min([found.mine.slot.starts_at] if found.mine is not None else moments)


def _zone_words(moment: datetime, t: Translator) -> str:
    return t.gettext("Times are in your time zone, {zone}.", zone=_zone(moment, t))


def _zone(moment: datetime, t: Translator) -> str:
    """The place as well: there are three CSTs, and EST alone says little to whoever lives elsewhere."""
    place, name = str(t.zone), t.zone_name(moment)
    return name if place == name else f"{place}, {name}"


def _title(t: Translator) -> str:
    # i18n: title of a modal, 24 characters
    return t.gettext("Interviews")


def _quoted(text: str) -> str:
    return "\n".join(f">{line}" for line in kit.harmless(text).splitlines()) or ">"


_DONE: dict[Happened, Callable[[Translator, str], str]] = {
    Happened.BOOKED: lambda t, time: t.gettext(
        "Booked: {time}. The calendar file is in your messages from FinOps.", time=time
    ),
    Happened.MOVED: lambda t, time: t.gettext(
        "Moved to {time}. The new calendar file is in your messages from FinOps.", time=time
    ),
    Happened.CANCELLED: lambda t, time: t.gettext("Cancelled: {time}. The other side is told.", time=time),
    Happened.WITHDRAWN: lambda t, time: t.gettext("Withdrawn: {time}. Whoever had booked it is told.", time=time),
}
_TOLD: dict[Happened, Callable[[Translator, str, str, str], str]] = {
    Happened.BOOKED: lambda t, time, by, _: t.gettext("{person} booked an interview: {time}", person=by, time=time),
    Happened.MOVED: lambda t, time, by, _: t.gettext("{person} moved the interview to {time}", person=by, time=time),
    Happened.CANCELLED: lambda t, time, by, _: t.gettext(
        "{person} cancelled the interview of {time}", person=by, time=time
    ),
    Happened.WITHDRAWN: lambda t, time, by, _: t.gettext(
        "The interview of {time} does not take place: {person} withdrew the time", person=by, time=time
    ),
    Happened.DAY: lambda t, time, _, other: t.gettext(
        "Within a day: interview with {person}, {time}", person=other, time=time
    ),
    Happened.HOUR: lambda t, time, _, other: t.gettext(
        "Within an hour: interview with {person}, {time}", person=other, time=time
    ),
}
_MISTAKES: dict[str, Callable[[Translator, str], str]] = {
    OfferMistake.NO_TIME: lambda t, word: t.gettext(
        "“{word}” is no time of a day. Write them like 10:00, 14:30.", word=word
    ),
    OfferMistake.NO_SUCH_TIME: lambda t, word: t.gettext(
        "The clocks skip {word} on that day. Choose another time.", word=word
    ),
    OfferMistake.PAST: lambda t, word: t.gettext("{word} of that day is over.", word=word),
    OfferMistake.TOO_FAR: lambda t, _: t.gettext("That is too far ahead: half a year is the most."),
    OfferMistake.TOO_MANY: lambda t, _: t.gettext("That is too much at once: 20 times are the most."),
    OfferMistake.OVERLAP: lambda t, word: t.gettext("{word} overlaps with another time of the same person.", word=word),
}
# What blocks.bad_news says of refusals about interviews.
REFUSALS: dict[str, Callable[[Mapping[str, object], Translator], str]] = {
    "unknown_slot": lambda _, t: t.gettext("This time is no longer on offer. Nothing was booked or changed."),
    "slot_taken": lambda _, t: t.gettext(
        "Somebody booked this time a moment ago, so nothing was booked or changed for you. Choose another one."
    ),
    "interview_booked": lambda v, t: t.gettext(
        "You have an interview booked already, on {moment}. Move it instead.", moment=_moment(v.get("at"), t)
    ),
    "unknown_booking": lambda _, t: t.gettext(
        "This appointment is not there any more, or it is not yours. Nothing was changed."
    ),
    "interview_times": lambda v, t: mistake_words(str(v.get("mistake")), str(v.get("word") or ""), t),
}


def _moment(given: object, t: Translator) -> str:
    return t.moment(given) if isinstance(given, datetime) else "-"
