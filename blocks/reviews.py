"""The review of an alert that is over: a draft to complete, and the page that it leaves in the thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from blocks import digest_steps, figures, ids, kit, stop_words, value
from blocks import incident_words as words
from finops.advice import cure_of
from finops.incidents import EventKind
from finops.money import Money
from finops.review import LONGEST_REVIEW, Moment, Review
from finops.stops import StopEventKind
from locales import Translator

_DUE_AFTER = timedelta(days=7)


def button(incident_id: int | None, t: Translator) -> kit.Block:
    """The way to the draft, below an alert that is over."""
    return kit.button(t.gettext("Draft a review"), ids.INCIDENT_REVIEW, str(incident_id))


def prepared(review: Review, t: Translator) -> str:
    """The draft as it stands before anybody completes it: what happened when, what it cost, why, what is to be done."""
    shown = review.shown
    what = " · ".join(
        filter(
            None,
            (
                words.whose(shown),
                f"{words.limit_name(shown.budget.period, t)} {figures.decided(shown.limit, t)}",
                f"{figures.short(shown.spent.amount, t)} ({t.number(shown.percent)}%)",
                words.comparison(shown, t),
            ),
        )
    )
    return "\n".join(
        [
            t.gettext("*What happened*"),
            what,
            *_timeline(review, t),
            t.gettext("*Cost*"),
            *_cost(review, t),
            t.gettext("*Cause*"),
            _cause(review, t),
            t.gettext("*What keeps it from happening again*"),
            f"• {_prevention(review, t)}",
        ]
    )


def _timeline(review: Review, t: Translator) -> list[str]:
    # With its zone: who writes it may live in another one than those who read it.
    lines = [f"• {t.moment(one.at)} {t.zone_name(one.at)} {_said(one, review, t)}" for one in review.moments]
    if review.lasted is not None:
        minutes = max(1, round(review.lasted.total_seconds() / 60))
        lines.append(
            "• "
            + t.ngettext(
                "{count} minute from the first alert to the end", "{count} minutes from the first alert to the end",
                minutes,
            )
        )  # fmt: skip
    return lines


def _said(one: Moment, review: Review, t: Translator) -> str:
    stop = review.shown.stop
    if one.kind is None:
        return t.gettext("spending begins to surge")
    if one.kind is EventKind.CROSSED:
        return t.gettext("{level}% of the limit reached", level=t.number(one.level or 0))
    if one.kind is StopEventKind.REQUESTED and stop is not None:
        lever = stop_words.lever_name(stop.stop.lever, t)
        return t.gettext("{lever} requested by {person}", lever=lever, person=stop_words.actor(one.by, stop, t))
    return _KINDS[one.kind](t)


_KINDS: dict[EventKind | StopEventKind, Callable[[Translator], str]] = {
    StopEventKind.SET: lambda t: t.gettext("in force at the provider"),
    StopEventKind.PROVED: lambda t: t.gettext("confirmed by usage"),
    StopEventKind.RESTORED: lambda t: t.gettext("restored"),
    StopEventKind.FIRST_TRAFFIC: lambda t: t.gettext("first call answered again"),
}


def _cost(review: Review, t: Translator) -> list[str]:
    shown, stop = review.shown, review.shown.stop
    lines = []
    if shown.is_exceeded:
        over: Money = shown.spent.amount - shown.limit
        lines.append(t.gettext("Over the limit: {amount}", amount=figures.short(over, t)))
    lines.append(value.line(shown.value, t))
    if stop is not None:
        leak, unpriced = stop.leaked
        lines.append(stop_words.leak_words(leak, t, unpriced))
        saved = stop_words.saved_words(stop.saved, t)
        lines += [saved] if saved else []
    return [f"• {line}" for line in lines]


def _cause(review: Review, t: Translator) -> str:
    """What somebody who knows told last, else what usage says, else that nobody knows yet."""
    shown, stop = review.shown, review.shown.stop
    if stop is not None and stop.stop.cause:
        return stop.stop.cause
    told = [event.values["text"] for event in shown.events if event.kind is EventKind.CAUSE_PINNED]
    if told:
        return str(told[-1])
    found = words.cause(shown.cause, t)
    return t.gettext("What usage says: {cause}", cause=found) if found else t.gettext("not known yet")


def _prevention(review: Review, t: Translator) -> str:
    advice = None if review.shown.cause is None else cure_of(review.shown.cause.kind)
    return "…" if advice is None else digest_steps.cure(advice, t)


def window(
    review: Review, incident_id: int, today: date, t: Translator, text: str | None = None, problem: str | None = None
) -> kit.View:
    """The window to complete and post it (VIEW_REVIEW). Metadata: incident."""
    parts = [kit.alert(problem)] if problem else []
    typed = kit.typed(LONGEST_REVIEW, text or prepared(review, t), is_multiline=True)
    owner: kit.Block = {"type": "users_select"}
    if review.lead_user_id is not None:
        owner["initial_user"] = review.lead_user_id
    due: kit.Block = {"type": "datepicker", "initial_date": (today + _DUE_AFTER).isoformat()}
    hint = t.gettext("Posted to the thread of the alert, with your name.")
    parts += [
        kit.input_block(ids.REVIEW_TEXT, t.gettext("Draft"), typed, hint=hint),
        kit.input_block(ids.REVIEW_OWNER, t.gettext("Who sees to it"), owner),
        kit.input_block(ids.REVIEW_DUE, t.gettext("Until when"), due),
    ]
    return kit.modal(
        _title(t),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Post to the thread"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_REVIEW,
        metadata={"incident": incident_id},
    )


def message(text: str, owner: str, due: date, by: str, t: Translator) -> kit.Message:
    """The review as it stands in the thread. `text` as typed, the people as user ids."""
    head = t.gettext("📝 Review of the alert")
    follows = t.gettext("To be seen to by {person} until {day}", person=_person(owner, t), day=t.day(due))
    written = t.gettext("Written by {person} with FinOps", person=_person(by, t))
    shown = kit.harmless(kit.clip(text, LONGEST_REVIEW))
    return kit.message(
        f"{head} · {follows}",
        [kit.section(f"*{head}*"), kit.section(shown), kit.section(follows), kit.context(written)],
    )


def posted(t: Translator) -> kit.View:
    """After VIEW_REVIEW."""
    said = t.gettext("The review is on its way to the thread of the alert.")
    return kit.modal(_title(t), [kit.alert(said, "success")], close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def _title(t: Translator) -> str:
    # i18n: title of a modal, 24 characters
    return t.gettext("Review of the alert")


def _person(user_id: str, t: Translator) -> str:
    return kit.mention(user_id, t.gettext("somebody"))
