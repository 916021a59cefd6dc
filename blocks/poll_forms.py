"""The windows of polls: to ask, to choose several answers, to add an option, and what they say when they are done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from blocks import ids, kit, poll_words
from finops.polls import (
    LONGEST_OPTION,
    LONGEST_QUESTION,
    MOST_OPTIONS,
    NextFeature,
    Poll,
    PollDraft,
    PollKind,
    PollShown,
)
from locales import Translator

# What the choices of the window are worth.
ONE, SEVERAL, NAMED, ANONYMOUS, HIDDEN, ADDING = "one", "several", "named", "anonymous", "hidden", "adding"
_TYPED = MOST_OPTIONS * (LONGEST_OPTION + 1)


def names(kind: PollKind) -> tuple[str, str]:
    """The inputs of question and options: others for the ready-made poll, so that what it brings shows."""
    if kind is PollKind.NEXT_FEATURE:
        return ids.POLL_QUESTION_READY, ids.POLL_OPTIONS_READY
    return ids.POLL_QUESTION, ids.POLL_OPTIONS


def ready(draft: PollDraft, t: Translator) -> tuple[str, str]:
    """Question and options as the window first shows them."""
    if draft.kind is not PollKind.NEXT_FEATURE or draft.question or draft.options:
        return draft.question, draft.options
    return t.gettext("What should FinOps learn next?"), "\n".join(
        poll_words.next_feature(one, t) for one in NextFeature
    )


def form(draft: PollDraft, t: Translator, problem: str = "") -> kit.View:
    """The window to ask in."""
    question, options = ready(draft, t)
    question_name, options_name = names(draft.kind)
    typed = kit.typed(_TYPED, options, is_multiline=True)
    closes: kit.Block = {"type": "datetimepicker", "initial_date_time": int(draft.closes_at.timestamp())}
    place: kit.Block = {
        "type": "conversations_select",
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    if draft.channel_id:
        place["initial_conversation"] = draft.channel_id
    else:
        place["default_to_current_conversation"] = True
    hint = t.gettext(
        "Two to {limit}, one on each line, {length} characters each at most.", limit=MOST_OPTIONS, length=LONGEST_OPTION
    )
    parts: list[kit.Block] = [kit.alert(problem)] if problem else []
    if draft.kind is PollKind.CUSTOM and not problem:
        parts.append(
            kit.section(
                t.gettext("Or ask what FinOps should learn next:"),
                kit.button(t.gettext("Ready-made poll"), ids.POLL_READY),
            )
        )
    parts += [
        kit.text_input(question_name, t.gettext("Question"), initial=question, max_length=LONGEST_QUESTION),
        kit.input_block(options_name, t.gettext("Options"), typed, hint=hint),
        kit.input_block(ids.POLL_CHANNEL, t.gettext("Channel"), place),
        _radio(ids.POLL_HOW_MANY, t.gettext("Answers"), _many(t), SEVERAL if draft.is_multiple else ONE),
        _radio(ids.POLL_SECRECY, t.gettext("Votes"), _secret(t), ANONYMOUS if draft.is_anonymous else NAMED),
        kit.input_block(ids.POLL_CLOSES, t.gettext("Closes"), closes, hint=_zone(draft.closes_at, t)),
        _ways(draft, t),
    ]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("New poll"),
        parts,
        submit=t.gettext("Post"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_POLL,
        metadata={"kind": draft.kind.value},
    )


def asked(poll: Poll, t: Translator) -> kit.View:
    """The window once the poll is on its way."""
    told = t.gettext(
        "Your poll appears in <#{channel}> in a moment. `/finops poll list` closes and exports it.",
        channel=poll.channel_id if poll.channel_id.isalnum() else "-",
    )
    # i18n: title of a modal, 24 characters
    return info(t.gettext("Poll posted"), told, t)


def info(title: str, told: str, t: Translator, more: Sequence[kit.Block] = ()) -> kit.View:
    """A window that says something."""
    return kit.modal(title, [kit.alert(told, "success"), *more], close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def choosing(poll: Poll, chosen: Collection[str], t: Translator) -> kit.View:
    """The window to choose several answers in, as chosen so far."""
    entries = [kit.option(option.text, option.id) for option in poll.options]
    element: kit.Block = {"type": "checkboxes", "options": entries}
    held = [entry for entry in entries if entry["value"] in chosen]
    if held:
        element["initial_options"] = held
    parts = [
        kit.section(f"*{kit.name(poll.question, LONGEST_QUESTION)}*"),
        kit.input_block(ids.POLL_CHOICES, t.gettext("Your answers"), element),
    ]
    if poll.is_anonymous:
        parts.append(kit.context(poll_words.secrecy(t)))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Vote"),
        parts,
        submit=t.gettext("Vote"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_POLL_VOTE,
        metadata={"poll": poll.id},
    )


def voted_view(
    poll: Poll,
    chosen: Sequence[str],
    shown: PollShown | None,
    t: Translator,
    *,
    was_changed: bool = False,
    is_same: bool = False,
) -> kit.View:
    """The same as `voted`, in the window in which was chosen."""
    more = [kit.section(poll_words.results(shown, t))] if shown is not None else []
    # i18n: title of a modal, 24 characters
    return info(
        t.gettext("Your vote"), poll_words.thanks(poll, chosen, t, was_changed=was_changed, is_same=is_same), t, more
    )


def adding(poll_id: int, t: Translator) -> kit.View:
    """The window to add an option in."""
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Add an option"),
        [kit.text_input(ids.POLL_OPTION, t.gettext("Option"), max_length=LONGEST_OPTION)],
        submit=t.gettext("Add"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_POLL_OPTION,
        metadata={"poll": poll_id},
    )


def _radio(name: str, label: str, entries: Sequence[kit.Block], held: str) -> kit.Block:
    chosen = next(entry for entry in entries if entry["value"] == held)
    element: kit.Block = {"type": "radio_buttons", "options": list(entries), "initial_option": chosen}
    return kit.input_block(name, label, element)


def _many(t: Translator) -> list[kit.Block]:
    return [kit.option(t.gettext("One answer"), ONE), kit.option(t.gettext("Several answers"), SEVERAL)]


def _secret(t: Translator) -> list[kit.Block]:
    return [
        kit.option(t.gettext("By name"), NAMED, t.gettext("Everybody sees who chose what.")),
        kit.option(
            t.gettext("Anonymous"), ANONYMOUS, t.gettext("Nobody sees it, and after closing no record tells it.")
        ),
    ]


def _ways(draft: PollDraft, t: Translator) -> kit.Block:
    entries = [
        kit.option(t.gettext("Hide results until voted"), HIDDEN, t.gettext("So nobody follows the others.")),
        kit.option(t.gettext("Anybody may add options"), ADDING),
    ]
    element: kit.Block = {"type": "checkboxes", "options": entries}
    wanted = {HIDDEN: draft.is_hidden, ADDING: draft.may_add}
    held = [entry for entry in entries if wanted[entry["value"]]]
    if held:
        element["initial_options"] = held
    return kit.input_block(ids.POLL_WAYS, t.gettext("Also"), element, is_optional=True)


def _zone(moment: datetime, t: Translator) -> str:
    return t.gettext("In your time zone ({zone}). The message says it to everybody.", zone=t.zone_name(moment))
