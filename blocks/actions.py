"""Actions: what people did about their spending, one line each, with what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from blocks import figures, kit
from finops.behaviour import Action, ActionKind, ActionSource, Preceded
from finops.effects import Saving, SavingState
from finops.incidents import Fact
from finops.learning import ActionShown
from finops.periods import charge_day
from locales import Translator


def timeline(actions: Sequence[ActionShown], t: Translator, *, with_project: bool = True) -> list[kit.Block]:
    """What was done last, newest first; nothing where nothing was found."""
    if not actions:
        return []
    told = [line(one, t, with_project=with_project) for one in actions]
    return [kit.section("\n".join([t.gettext("*What was done*"), *told]))]


def line(shown: ActionShown, t: Translator, *, with_project: bool = True) -> str:
    """One action as a line of mrkdwn: when, on what, what, by whom, after what, and what it saved."""
    action = shown.action
    parts = [t.short_day(action.day)]
    place = shown.project or shown.team
    if with_project and place:
        parts.append(f"*{kit.name(place)}*")
    parts.append(what(action, t) + _who(action))
    after = answered(action, t)
    if after:
        parts.append(after)
    came = outcome(shown.saving, t)
    if came:
        parts.append(came)
    return "• " + " · ".join(parts)


def what(action: Action, t: Translator) -> str:
    """What was done, in a few words of mrkdwn."""
    return _WORDS[action.kind](action.details, t)


def answered(action: Action, t: Translator) -> str:
    """After which alert or digest; '' where none came before."""
    told = action.preceded
    if told is None:
        return ""
    days = (action.day - charge_day(told.at)).days  # by the calendar that the line's own day is of
    if told.kind is Preceded.ALERT:
        if days < 1:
            return t.gettext("on the day of an alert")
        return t.ngettext("{count} day after an alert", "{count} days after an alert", days)
    if days < 1:
        return t.gettext("on the day of a digest")
    return t.ngettext("{count} day after a digest", "{count} days after a digest", days)


def outcome(saving: Saving | None, t: Translator) -> str:
    """What it saved, as far as is known; '' where nothing can be measured."""
    if saving is None:
        return ""
    if saving.state is SavingState.EXPECTED:
        if saving.expected is None:
            return t.gettext("effect known from {day}", day=t.short_day(saving.period.end + timedelta(days=3)))
        return t.gettext("expected to save {amount}", amount=figures.short(saving.expected, t))
    if saving.state is SavingState.INDISTINCT or saving.verified is None:
        return t.gettext("effect cannot be told from chance")
    amount = figures.short(saving.verified, t)
    if saving.state is SavingState.FAILED:
        if saving.verified.amount < 0:
            more = figures.short(-saving.verified, t)
            return t.gettext("no saving: {amount} more was spent ({range})", amount=more, range=_between(saving, t))
        return t.gettext("no saving")
    return t.gettext("saved {amount} ({range})", amount=amount, range=_between(saving, t))


def _between(saving: Saving, t: Translator) -> str:
    if saving.low is None or saving.high is None:
        return "-"
    low, high = saving.low, saving.high
    if saving.state is SavingState.FAILED:
        low, high = -high, -low
    return t.gettext("{low} to {high}", low=figures.short(low, t), high=figures.short(high, t))


def _who(action: Action) -> str:
    if not action.actor:
        return ""
    name = kit.name(action.actor)
    return f" ({kit.mention(action.actor, name) if action.source is ActionSource.TRAIL else name})"


def _share(value: Fact | None, t: Translator) -> str:
    return t.share(Decimal(value)) if isinstance(value, str) else "-"


def _model(details: Mapping[str, Fact], t: Translator) -> str:
    old, new = details.get("from_model"), details.get("to_model")
    return t.gettext("changed models: {before} to {now}", before=kit.name(str(old)), now=kit.name(str(new)))


def _batch(details: Mapping[str, Fact], t: Translator) -> str:
    before, now = _share(details.get("before"), t), _share(details.get("now"), t)
    return t.gettext("moved calls to batches: {before} to {now}", before=before, now=now)


def _cache(details: Mapping[str, Fact], t: Translator) -> str:
    before, now = _share(details.get("before"), t), _share(details.get("now"), t)
    return t.gettext("used the prompt cache more: {before} to {now}", before=before, now=now)


def _account(details: Mapping[str, Fact], t: Translator) -> str:
    if str(details.get("act", "")).endswith("deleted"):
        return t.gettext("removed a service account")
    return t.gettext("made a service account")


_WORDS: Mapping[ActionKind, Callable[[Mapping[str, Fact], Translator], str]] = {
    # That it was asked for is what the trail says here; whether it held, the stop itself tells.
    ActionKind.STOPPED: lambda _, t: t.gettext("asked to stop spending"),
    ActionKind.RESTORED: lambda _, t: t.gettext("put spending back"),
    ActionKind.BUDGET_MADE: lambda _, t: t.gettext("made a budget"),
    ActionKind.BUDGET_CHANGED: lambda _, t: t.gettext("changed a budget"),
    ActionKind.KEY_CONNECTED: lambda _, t: t.gettext("registered an Admin API key"),
    ActionKind.RECORDING_BEGAN: lambda _, t: t.gettext("began to record outcomes"),
    ActionKind.KEY_CREATED: lambda _, t: t.gettext("made an API key at the provider"),
    ActionKind.KEY_DELETED: lambda _, t: t.gettext("deleted an API key"),
    ActionKind.PROJECT_ARCHIVED: lambda _, t: t.gettext("archived the project"),
    ActionKind.RATE_LIMIT_CHANGED: lambda _, t: t.gettext("changed a rate limit"),
    ActionKind.SERVICE_ACCOUNT_CHANGED: _account,
    ActionKind.MODEL_CHANGED: _model,
    ActionKind.BATCH_ADOPTED: _batch,
    ActionKind.CACHE_ADOPTED: _cache,
    ActionKind.WENT_SILENT: lambda _, t: t.gettext("stopped calling any model"),
}
