"""Feedback in words: the form, the message to those who look after it, the window to answer, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blocks import ids, kit
from finops.feedback import LONGEST_ANSWER, LONGEST_TEXT, Feedback, FeedbackCategory, FeedbackDraft, FeedbackState
from locales import Translator

# What the choice about being contacted is worth.
YES, NO = "yes", "no"
# Of what is answered, beside the answer: enough to know it again. Its own message has all of it.
_RECALLED = 600
_DECISIONS = (
    (FeedbackState.PLANNED, ids.FEEDBACK_PLANNED),
    (FeedbackState.DONE, ids.FEEDBACK_DONE),
    (FeedbackState.DECLINED, ids.FEEDBACK_DECLINED),
)


def form(t: Translator, draft: FeedbackDraft | None = None, problem: str | None = None) -> kit.View:
    """The form (VIEW_FEEDBACK). Metadata: the message it is about. `draft` is what stood there before."""
    parts: list[kit.Block] = [kit.alert(problem)] if problem else []
    if draft is not None and draft.channel_id is not None:
        parts.append(kit.context(t.gettext("About the message you chose. A link to it goes along, its text does not.")))
    entries = [kit.option(category_name(one, t), one.value) for one in FeedbackCategory]
    chosen = draft.category.value if draft is not None else FeedbackCategory.IDEA.value
    menu = kit.select(ids.FEEDBACK_CATEGORY, t.gettext("What it is"), entries, chosen)
    parts.append(kit.input_block(ids.FEEDBACK_CATEGORY, t.gettext("What it is"), menu))
    text = kit.typed(LONGEST_TEXT, draft.text if draft is not None else None, is_multiline=True)
    hint = t.gettext("Please no keys, prompts or customer data.")
    parts.append(kit.input_block(ids.FEEDBACK_TEXT, t.gettext("What you want to say"), text, hint=hint))
    answers = [kit.option(t.gettext("Yes, with my name"), YES), kit.option(t.gettext("No, without my name"), NO)]
    may = draft is None or draft.may_contact
    radio: kit.Block = {"type": "radio_buttons", "options": answers, "initial_option": answers[0 if may else 1]}
    hint = t.gettext(
        "Yes: the answer comes to you as a direct message. No: we do not keep who wrote it, so nobody can answer; what "
        "you write and when may still tell people who you are."
    )
    parts.append(kit.input_block(ids.FEEDBACK_CONTACT, t.gettext("May we answer you?"), radio, hint=hint))
    about = {"channel": draft.channel_id, "ts": draft.message_ts} if draft is not None and draft.channel_id else {}
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Feedback"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.pgettext("button", "Send"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_FEEDBACK,
        metadata=about,
    )


def thanks(t: Translator, *, may_contact: bool) -> kit.View:
    """After VIEW_FEEDBACK: what happens now, and where to say more."""
    said = (
        t.gettext("Thank you. It is with those who look after FinOps; their answer comes to you as a direct message.")
        if may_contact
        else t.gettext("Thank you. It is with those who look after FinOps, without your name.")
    )
    more = t.gettext("If you would rather talk about it, book an interview.")
    parts = [
        kit.alert(said, "success"),
        kit.section(more, kit.button(t.gettext("Interviews"), ids.INTERVIEW_OPEN)),
    ]
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("Feedback"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def triage(told: Feedback, t: Translator, sender: str = "", decider: str = "") -> kit.Message:
    """The message to those who look after it; its buttons go where they would do nothing.

    `sender` and `decider` are what whoever said it, and whoever decided, are called: a mention would tell them of their
    own click.
    """
    kind = category_name(told.category, t)
    who = t.gettext("without a name")
    if told.user_id is not None:
        who = kit.name(sender) if sender else kit.mention(told.user_id)
    head = t.gettext("Feedback · {kind} · {who}", kind=kind, who=who)
    facts = [f"{t.moment(told.created_at)} {t.zone_name(told.created_at)}"]
    state = state_line(told, t, decider)
    if told.decided_at is None:
        facts.insert(0, state)
    if link := _link(told):
        label = t.gettext("the message it is about")
        facts.append(f"<{link}|{label}>")
    parts = [kit.section(f"*{head}*"), *_paragraphs(told.text, ">"), kit.context(" · ".join(facts))]
    if told.decided_at is not None:
        parts.append(kit.context(state))
    if told.answer is not None and told.answered_at is not None:
        parts += _answered(told, t)
    elif told.user_id is None:
        parts.append(kit.context(t.gettext("No contact is wanted: nobody can answer.")))
    answer = None
    if told.can_be_answered:
        answer = kit.button(t.gettext("Answer"), ids.FEEDBACK_ANSWER, told.id, style="primary")
    decisions = [
        kit.button(_decision(state, t), action_id, told.id) for state, action_id in _DECISIONS if state != told.state
    ]
    parts.append(kit.actions(answer, *decisions))
    return kit.message(f"{head}: {kit.harmless(kit.clip(told.text, 200))}", parts)


def answer_form(told: Feedback, t: Translator, typed: str = "", problem: str | None = None) -> kit.View:
    """The window to answer in (VIEW_FEEDBACK_ANSWER). Metadata: the feedback's id."""
    parts = [kit.alert(problem)] if problem else []
    parts += [*_paragraphs(kit.clip(told.text, _RECALLED), ">"), kit.context(category_name(told.category, t))]
    element = kit.typed(LONGEST_ANSWER, typed, is_multiline=True)
    hint = t.gettext("Sent once, as a direct message from FinOps, with your name.")
    parts.append(kit.input_block(ids.FEEDBACK_ANSWER_TEXT, t.gettext("Your answer"), element, hint=hint))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Answer feedback"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.pgettext("button", "Send"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_FEEDBACK_ANSWER,
        metadata={"feedback": told.id},
    )


def answered(told: Feedback, t: Translator) -> kit.View:
    """After VIEW_FEEDBACK_ANSWER."""
    said = t.gettext("The answer is on its way to {person}.", person=kit.mention(told.user_id))
    # i18n: title of a modal, 24 characters
    title = t.gettext("Answer feedback")
    return kit.modal(title, [kit.alert(said, "success")], close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def answer(told: Feedback, t: Translator) -> kit.Message:
    """The answer, to whoever said it."""
    head = t.gettext("An answer to your feedback")
    parts = [kit.section(f"*{head}*"), *_paragraphs(told.answer or "-")]
    parts.append(kit.context(t.gettext("From {person} · you wrote:", person=kit.mention(told.answered_by))))
    parts += _paragraphs(kit.clip(told.text, _RECALLED), ">")
    parts.append(
        kit.actions(
            kit.button(t.gettext("More feedback"), ids.FEEDBACK_OPEN),
            kit.button(t.gettext("Interviews"), ids.INTERVIEW_OPEN),
        )
    )
    return kit.message(f"{head}: {kit.harmless(kit.clip(told.answer or '', 200))}", parts)


def category_name(category: FeedbackCategory, t: Translator) -> str:
    """What kind of thing somebody says."""
    return _CATEGORIES[category](t)


def state_name(state: FeedbackState, t: Translator) -> str:
    """What became of it, in a word."""
    return _STATES[state](t)


def state_line(told: Feedback, t: Translator, decider: str = "") -> str:
    """What became of it, who said so and when."""
    state = state_name(told.state, t)
    if told.decided_at is None:
        return t.gettext("State: {state}", state=state)
    who = kit.name(decider) if decider else kit.mention(told.decided_by)
    return t.gettext("State: {state} · {person} · {moment}", state=state, person=who, moment=t.moment(told.decided_at))


def _decision(state: FeedbackState, t: Translator) -> str:
    name = state_name(state, t)
    return name[:1].upper() + name[1:]


def _answered(told: Feedback, t: Translator) -> list[kit.Block]:
    assert told.answered_at is not None
    said = t.gettext(
        "Answered by {person} · {moment}", person=kit.mention(told.answered_by), moment=t.moment(told.answered_at)
    )
    return [*_paragraphs(told.answer or "", ">"), kit.context(said)]


def _paragraphs(text: str, mark: str = "") -> list[kit.Block]:
    """All of what somebody typed, in as many paragraphs as it takes; `mark` stands before each line."""
    found, room = [""], kit.SECTION_TEXT
    for line in text.splitlines() or [""]:
        piece = mark
        for letter in map(kit.harmless, line):
            if len(piece) + len(letter) > room:
                found, piece = [*found, piece, ""], mark
            piece += letter
        if len(found[-1]) + 1 + len(piece) > room:
            found.append("")
        found[-1] += f"\n{piece}" if found[-1] else piece
    return [kit.section(one) for one in found if one]


def _link(told: Feedback) -> str | None:
    """Opens the message it is about, where everybody may."""
    if told.channel_id is None or told.message_ts is None or kit.is_direct(told.channel_id):
        return None
    return kit.message_link(told.workspace_id, told.channel_id, told.message_ts)


_CATEGORIES: dict[FeedbackCategory, Callable[[Translator], str]] = {
    FeedbackCategory.BUG: lambda t: t.pgettext("feedback", "Something is wrong"),
    FeedbackCategory.IDEA: lambda t: t.pgettext("feedback", "Idea"),
    FeedbackCategory.QUESTION: lambda t: t.pgettext("feedback", "Question"),
    FeedbackCategory.PRAISE: lambda t: t.pgettext("feedback", "Praise"),
}
_STATES: dict[FeedbackState, Callable[[Translator], str]] = {
    FeedbackState.NEW: lambda t: t.pgettext("feedback", "new"),
    FeedbackState.PLANNED: lambda t: t.pgettext("feedback", "planned"),
    FeedbackState.DONE: lambda t: t.pgettext("feedback", "done"),
    FeedbackState.DECLINED: lambda t: t.pgettext("feedback", "declined"),
}
# What blocks.bad_news says of refusals about feedback.
REFUSALS: dict[str, Callable[[Mapping[str, object], Translator], str]] = {
    "unknown_feedback": lambda _, t: t.gettext("This feedback is no longer there."),
    "feedback_answered": lambda v, t: t.gettext(
        "{person} has answered already, and an answer is sent once. Nothing new was sent.",
        person=kit.mention(str(v.get("person") or "")),
    ),
    "feedback_without_contact": lambda _, t: t.gettext("No contact is wanted, so nobody is kept to answer to."),
}
