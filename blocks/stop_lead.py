"""The message to a project's lead, and the answer: prepared words to edit, one tap to tell the cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from html import unescape
from typing import Any

from blocks import figures, ids, incident_words, kit, why
from finops.budgets import BudgetPeriod
from finops.queries import NamedPeriod, PeriodName, ScopeKind
from finops.stop_report import LONGEST_CAUSE, LONGEST_LETTER, LeadDraft, StopTarget
from locales import Translator

# So many times next to nothing says nothing; the amount does.
_COUNTED_TO = 10_000
_ANSWER = "answer"
_NOW = {
    BudgetPeriod.DAY: PeriodName.TODAY,
    BudgetPeriod.WEEK: PeriodName.THIS_WEEK,
    BudgetPeriod.MONTH: PeriodName.THIS_MONTH,
}


class Quick(StrEnum):
    """The values of the choice CAUSE_QUICK."""

    RETRY_BUG = "retry_bug"
    TRAFFIC = "traffic"
    BATCH = "batch"
    OTHER = "other"


def prepared(draft: LeadDraft, t: Translator) -> str:
    """The polite text as it stands in the window before anybody edits it; plain text."""
    project = kit.bare(draft.project)
    hello = t.gettext("Hello {name},", name=kit.bare(draft.lead_name)) if draft.lead_name else t.gettext("Hello,")
    said = [hello, _spending(draft, project, t), *_whole(draft, t)]
    if draft.limit is not None and draft.percent is not None:
        said.append(
            t.gettext(
                "That is {percent}% of the limit of {limit}.",
                percent=t.number(draft.percent),
                limit=figures.decided(draft.limit, t),
            )
        )
    if draft.spent is not None and draft.state is not None and draft.as_of is not None:
        said.append(
            # i18n: how sure the amounts above are, and of when: (estimate, as of Jul 6 14:00 KST)
            t.gettext(
                "({state}, as of {moment} {zone})",
                state=t.state(draft.state),
                moment=t.moment(draft.as_of),
                zone=t.zone_name(draft.as_of),
            )
        )
    cause = incident_words.cause(draft.cause, t)
    if cause and draft.cause is not None:
        hours = why.hours(draft.cause, t)
        # i18n: {cause} is the sentence of the alert: Calls ×15, tokens per call unchanged → likely a retry loop
        said.append(t.gettext("What usage says: {cause}", cause=f"{cause} ({hours})" if hours else cause))
    if draft.is_stopped:
        said.append(t.gettext("Its spending is stopped at present."))
    said.append(t.gettext("Could you please have a look? The button below takes one tap to tell the cause."))
    said.append(t.gettext("Thank you."))
    return "\n".join(said)


def _spending(draft: LeadDraft, project: str, t: Translator) -> str:
    """What the project itself spent, in the period the alert is about."""
    when = _when(draft, t)
    if draft.spent is None:
        return t.gettext("the cost of {project} for {when} is unusual.", project=project, when=when)
    amount, factor = figures.short(draft.spent, t), _factor(draft, t)
    if factor is None or draft.scope is not None:
        return t.gettext(
            "the cost of {project} for {when} comes to {amount}.", project=project, when=when, amount=amount
        )
    return t.gettext(
        "the cost of {project} for {when} comes to {amount}, {factor} times the usual.",
        project=project,
        when=when,
        amount=amount,
        factor=factor,
    )


def _whole(draft: LeadDraft, t: Translator) -> list[str]:
    """What everything under the alert's limit spent together, where that is not the project's own."""
    if draft.scope is None or draft.whole is None:
        return []
    is_team = draft.scope.kind is not ScopeKind.WORKSPACE and draft.scope.name
    # i18n: begins the sentence "The workspace as a whole comes to $742."
    scope = kit.bare(draft.scope.name) if is_team else t.gettext("The workspace")
    amount, factor = figures.short(draft.whole, t), _factor(draft, t)
    if factor is None:
        return [t.gettext("{scope} as a whole comes to {amount}.", scope=scope, amount=amount)]
    return [
        t.gettext(
            "{scope} as a whole comes to {amount}, {factor} times the usual.",
            scope=scope,
            amount=amount,
            factor=factor,
        )
    ]


def _factor(draft: LeadDraft, t: Translator) -> str | None:
    """How many times the usual the alert's amount is; None where it is not more, nobody knows, or nobody counts."""
    if draft.increase is None or draft.increase <= 0 or draft.increase >= _COUNTED_TO:
        return None
    factor = (draft.increase + 1).quantize(Decimal("0.1"))
    return t.number(factor, 0 if factor == factor.to_integral_value() else 1)


def _when(draft: LeadDraft, t: Translator) -> str:
    """The period the amounts are of, as people call it; one that is over by its date."""
    window = draft.window
    if window is None or draft.period is None:
        return t.pgettext("period", "today")
    if not draft.is_over:
        return t.period(NamedPeriod(_NOW[draft.period], window))
    match draft.period:
        case BudgetPeriod.DAY:
            return t.day(window.start)
        case BudgetPeriod.WEEK:
            return t.days(window)
    return t.period(NamedPeriod(f"month:{window.start:%Y-%m}", window))


def window(draft: LeadDraft, t: Translator, text: str | None = None, problem: str | None = None) -> kit.View:
    """The window to edit and send it (VIEW_STOP_LEAD, input LEAD_TEXT). Metadata: target."""
    parts = [kit.alert(problem)] if problem else []
    person = kit.mention(draft.lead_user_id, kit.name(draft.lead_name))
    to = t.gettext("To {person}, who leads *{project}*", person=person, project=kit.name(draft.project))
    parts.append(kit.section(to))
    element = kit.typed(LONGEST_LETTER, text or prepared(draft, t), is_multiline=True)
    hint = t.gettext("Sent as a direct message from FinOps, with your name.")
    parts.append(kit.input_block(ids.LEAD_TEXT, t.gettext("Message"), element, hint=hint))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Message the lead"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.pgettext("button", "Send"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_STOP_LEAD,
        metadata={"target": str(draft.target)},
    )


def message(text: str, by: str, target: StopTarget, t: Translator) -> kit.Message:
    """The direct message itself. `text` as typed, `by` the user id of who sends it."""
    shown = kit.harmless(kit.clip(text, LONGEST_LETTER))
    sender = kit.mention(by, t.gettext("somebody"))
    return kit.message(
        shown,
        [
            kit.section(shown),
            kit.actions(kit.button(t.gettext("Tell the cause"), ids.STOP_CAUSE, str(target), style="primary")),
            kit.context(t.gettext("Sent by {person} with FinOps", person=sender)),
        ],
    )


def offered(target: StopTarget, text: str, t: Translator) -> kit.Message:
    """What a lead answered in words, to be pinned with one tap. `text` as typed; the window takes it from here."""
    asked = t.gettext("Shall this be pinned to the alert as its cause, where the team sees it?")
    said: kit.Block = {
        "type": "section",
        "block_id": _ANSWER,
        "text": {"type": "plain_text", "text": kit.clip(text, LONGEST_CAUSE), "emoji": False},
    }
    button = kit.button(t.gettext("Pin as the cause"), ids.STOP_CAUSE, str(target), style="primary")
    return kit.message(asked, [said, kit.section(asked), kit.actions(button)])


def answer_in(message: Mapping[str, Any] | None) -> str:
    """What `offered` repeats in a message that Slack hands back, with entities in its plain text; '' in any other."""
    for block in (message or {}).get("blocks") or ():
        if block.get("block_id") == _ANSWER:
            return unescape(str((block.get("text") or {}).get("text") or ""))
    return ""


def cause_window(target: StopTarget, t: Translator, problem: str | None = None, text: str = "") -> kit.View:
    """The window in which the cause is told (VIEW_STOP_CAUSE: CAUSE_QUICK, CAUSE_TEXT). Metadata: target.

    `text` stands in it already, for whoever said it before.
    """
    parts = [kit.alert(problem)] if problem else []
    options = [kit.option(words(t), quick.value) for quick, words in _CAUSES.items()]
    radio: kit.Block = {"type": "radio_buttons", "options": options}
    parts.append(kit.input_block(ids.CAUSE_QUICK, t.gettext("What happened"), radio, is_optional=True))
    typed = kit.typed(LONGEST_CAUSE, text, is_multiline=True)
    hint = t.gettext("Pinned to the alert, with your name.")
    parts.append(kit.input_block(ids.CAUSE_TEXT, t.gettext("In your words"), typed, hint=hint, is_optional=True))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Tell the cause"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.pgettext("button", "Send"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_STOP_CAUSE,
        metadata={"target": str(target)},
    )


def cause_words(quick: str | None, text: str | None, t: Translator) -> str:
    """The cause to pin, from both inputs; '' when neither says anything."""
    typed = (text or "").strip()
    if quick in set(Quick) and quick != Quick.OTHER:
        named = _CAUSES[Quick(quick)](t)
        return f"{named} - {typed}" if typed else named
    return typed


def sent(lead_user_id: str, t: Translator) -> kit.View:
    """After VIEW_STOP_LEAD."""
    person = kit.mention(lead_user_id, t.gettext("the lead"))
    said = t.gettext("The message is on its way to {person}.", person=person)
    after = t.gettext("The answer is pinned to the alert as its cause.")
    # i18n: title of a modal, 24 characters
    title = t.gettext("Message the lead")
    parts = [kit.alert(said, "success"), kit.context(after)]
    return kit.modal(title, parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def thanks(t: Translator) -> kit.View:
    """After VIEW_STOP_CAUSE."""
    said = t.gettext("Thank you. The cause is pinned to the alert, where the team sees it.")
    # i18n: title of a modal, 24 characters
    title = t.gettext("Tell the cause")
    return kit.modal(title, [kit.alert(said, "success")], close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


_CAUSES: dict[Quick, Callable[[Translator], str]] = {
    Quick.RETRY_BUG: lambda t: t.pgettext("cause", "Bug in the retry logic"),
    Quick.TRAFFIC: lambda t: t.pgettext("cause", "More traffic"),
    Quick.BATCH: lambda t: t.pgettext("cause", "Batch job"),
    Quick.OTHER: lambda t: t.pgettext("cause", "Something else"),
}
