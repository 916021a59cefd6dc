"""The one next step of a week: what to do in one sentence, in a few words, what it is worth, and its button."""

from __future__ import annotations

from collections.abc import Callable

from blocks import digest_parts as parts
from blocks import ids, kit
from finops.digest import Advice, AdviceKind, Digest
from finops.figures import ScopeKind
from finops.money import Money
from finops.queries import week_named
from locales import Translator

_WHOLE_FROM = 10


def sentence(digest: Digest, t: Translator) -> str:
    """What to do next and what that is worth, as plain text; that nothing is to be done is said as well."""
    if parts.only_unallocated(digest):
        return t.gettext("No project is registered yet. Registered, each shows what it costs and what that buys.")
    if digest.total.amount is None:
        return t.gettext("The provider could not be read. The check-up tells what is wrong and who can mend it.")
    of_whole = digest.advice.kind is AdviceKind.LOOK_WHY and digest.advice.project_id is None
    if of_whole and (cause := parts.whole_cause(digest, t)):
        # i18n: {cause} is such as: chatbot: Calls ×3.4, tokens per call unchanged → likely a retry loop
        return t.gettext("{cause}. See whether that was meant.", cause=cause)
    return _told(digest.advice, t)


def about(digest: Digest) -> str:
    """The project the step is about as plain text; '' for the whole."""
    if parts.only_unallocated(digest) or digest.total.amount is None or digest.advice.project_id is None:
        return ""
    return kit.bare(digest.advice.project_name, 40)


def worth(advice: Advice | None, t: Translator) -> str:
    """What following it may save, as plain text; '' where nobody can say.

    Each week, and beside it what may go on by the day: nobody knows how many days it will be.
    """
    if advice is None:
        return ""
    weekly = daily = ""
    if advice.worth is not None and advice.worth.amount > 0:
        weekly = t.gettext("may save about {amount} a week", amount=_about(advice.worth, t))
    if advice.burning is not None:
        each = _about(advice.burning.daily, t)
        daily = t.gettext("may save about {amount} a day while the runaway goes on", amount=each)
    return t.gettext("{weekly}, and {daily}", weekly=weekly, daily=daily) if weekly and daily else weekly or daily


def _about(amount: Money, t: Translator) -> str:
    # "About $58.02" would be too sure of itself.
    return t.money(amount, 0) if amount.amount >= _WHOLE_FROM else t.money(amount)


def short(advice: Advice | None, t: Translator) -> str:
    """What to do in a few words, for the line of a project; '' where there is nothing to do."""
    return _SHORT[advice.kind](t) if advice is not None else ""


def todo(advice: Advice | None, t: Translator) -> str:
    """What to do in a few words and, beside it, what that may save; plain text, '' where there is nothing to do."""
    said, saving = short(advice, t), worth(advice, t)
    return f"{said} ({saving})" if said and saving else said


def cure(kind: AdviceKind, t: Translator) -> str:
    """What to do, as a whole sentence or two."""
    return _SENTENCES[kind](t)


def button(digest: Digest, t: Translator, *, style: str | None = "primary") -> kit.Block:
    """The button of the one next step; where nothing is to be done it opens the whole report."""
    advice = digest.advice
    if parts.only_unallocated(digest):
        return kit.button(t.gettext("Register projects"), ids.PROJECT_NEW, style=style)
    if digest.total.amount is None:
        return kit.button(t.gettext("Check-up"), ids.DOCTOR_SHOW, style=style)
    match advice.kind:
        case AdviceKind.NONE:
            return kit.button(t.gettext("All projects"), ids.DIGEST_SHOW, str(parts.DigestKey.of(digest)))
        case AdviceKind.SET_BUDGET:
            return kit.button(t.gettext("Set a budget"), ids.BUDGET_NEW, _budget(digest), style=style)
        case AdviceKind.CONNECT_EVENTS | AdviceKind.LOOK_AT_FAILURES if advice.project_id is not None:
            text = (
                t.gettext("Connect outcomes")
                if advice.kind is AdviceKind.CONNECT_EVENTS
                else t.gettext("Look at the failures")
            )
            # Failures are looked at in the week they are told of; what is to be connected has no week.
            when = "" if advice.kind is AdviceKind.CONNECT_EVENTS else f"/{week_named(digest.week.start)}"
            return kit.button(text, ids.PROJECT_DETAIL, f"{advice.project_id}{when}", style=style)
    return kit.button(t.gettext("See why"), ids.WHY_SHOW, _question(digest), style=style)


def _question(digest: Digest) -> str:
    """What the answer behind the button is asked: whose cost, in the digest's own week, whenever it is pressed."""
    advice, scope = digest.advice, digest.scope
    kind, number = (ScopeKind.PROJECT, advice.project_id) if advice.project_id else (scope.kind, scope.id)
    return f"{kind}/{number or ''}/{week_named(digest.week.start)}"


def _budget(digest: Digest) -> str:
    advice, scope = digest.advice, digest.scope
    if advice.project_id is not None:
        return f"{ScopeKind.PROJECT}:{advice.project_id}/month"
    return f"{scope.kind}:{scope.id}/month" if scope.id is not None else f"{scope.kind}/month"


def _told(advice: Advice, t: Translator) -> str:
    said = _SENTENCES[advice.kind](t)
    saving = worth(advice, t)
    # i18n: {step} is a whole sentence, {saving} is: may save about $250 a week
    return t.gettext("{step} ({saving})", step=said, saving=saving) if saving else said


_SENTENCES: dict[AdviceKind, Callable[[Translator], str]] = {
    AdviceKind.CHECK_RETRIES: lambda t: t.gettext(
        "Far more calls, each as long as before. Check the retry logic, and give it a limit and a pause."
    ),
    AdviceKind.SHORTEN_PROMPTS: lambda t: t.gettext(
        "Each call sends more input than before. See which part of the prompt and its context can go."
    ),
    AdviceKind.CHEAPER_MODEL: lambda t: t.gettext(
        "Calls moved to a dearer model. See whether this task needs it, or a cheaper one does as well."
    ),
    AdviceKind.RESTORE_CACHE: lambda t: t.gettext(
        "Less of the input comes out of the cache. Put what never changes first in the prompt, and keep it as it is."
    ),
    AdviceKind.BATCH_AGAIN: lambda t: t.gettext(
        "What went by batch goes by single calls now. Send by batch again what can wait: it costs half."
    ),
    AdviceKind.LOOK_AT_FAILURES: lambda t: t.gettext(
        "Many calls end without success and cost just as much. Look at the failing tasks first."
    ),
    AdviceKind.CONNECT_EVENTS: lambda t: t.gettext(
        "It costs money and records no outcomes. Connect them, and next week's digest says what it was worth."
    ),
    AdviceKind.SET_BUDGET: lambda t: t.gettext(
        "No budget watches this spending. With one, a runaway is told within minutes instead of on Monday."
    ),
    AdviceKind.LOOK_WHY: lambda t: t.gettext("See what moved the cost, and whether that was meant."),
    AdviceKind.NONE: lambda t: t.gettext("Nothing needs doing this week."),
}
_SHORT: dict[AdviceKind, Callable[[Translator], str]] = {
    AdviceKind.CHECK_RETRIES: lambda t: t.gettext("check the retry logic"),
    AdviceKind.SHORTEN_PROMPTS: lambda t: t.gettext("shorten the prompts"),
    AdviceKind.CHEAPER_MODEL: lambda t: t.gettext("try a cheaper model"),
    AdviceKind.RESTORE_CACHE: lambda t: t.gettext("bring the cache back"),
    AdviceKind.BATCH_AGAIN: lambda t: t.gettext("send by batch again"),
    AdviceKind.LOOK_AT_FAILURES: lambda t: t.gettext("look at the failures"),
    AdviceKind.CONNECT_EVENTS: lambda t: t.gettext("connect outcomes"),
    AdviceKind.SET_BUDGET: lambda t: t.gettext("set a budget"),
    AdviceKind.LOOK_WHY: lambda t: t.gettext("look into the cause"),
    AdviceKind.NONE: lambda t: t.gettext("nothing to do"),
}
