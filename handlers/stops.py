"""Stops: the windows and buttons from "stop it now" to the cause; what a click changes shows in the message itself.

Of what a button or a window carries only ids are believed, and those are looked up in the workspace of whoever clicks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from blocks import bad_news, budget_words, ids, kit, stop_form, stop_lead
from blocks.stop_form import StopBreadth, StopDraft, StopWhat
from bot.errors import Refusal, RefusalCode, explain
from finops.keys import contains_key
from finops.levers import Lever, next_lever
from finops.registry import Person
from finops.stop_report import BlastRadius, StopShown, StopTarget
from finops.stopping import is_firmer
from handlers import home
from handlers.once import once, taken
from handlers.outages import SLACK_FAILS
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.visit import Visit
from locales import Translator

# What a window says of who is hit is true for a while only; the copy that filled it may be as much ahead of this one.
OLD_AFTER = timedelta(minutes=15)
_LEVERS = frozenset({StopWhat.STOP, StopWhat.SLOW, StopWhat.CHEAP})
# Which input a refusal belongs to.
_FIELDS = {RefusalCode.STOP_REASON_MISSING: ids.STOP_REASON, RefusalCode.STOP_NO_CHEAP_MODELS: ids.STOP_WHAT}


async def command(visit: Visit, words: str) -> None:
    """`/finops stop`, alone or with the name of a project or team."""
    await visit.loading()
    person = await visit.person()
    if words:
        await _confirm(visit, await named(visit, words))
    else:
        await _listed(visit, person)


async def ask(visit: Visit, value: str) -> None:
    """The window before a stop: it opens at once, and is filled with who is hit now. Without a value: what there is."""
    await visit.in_place()
    person = await visit.person()
    if value:
        await _confirm(visit, wanted(value))
    else:
        await _listed(visit, person)


async def ask_firmer(visit: Visit, value: str) -> None:
    """The same window for a stop that did not end the spending, with the next firmer lever chosen."""
    await visit.in_place()
    radius = await visit.bot.stopping.preview(await visit.person(), wanted(value), await visit.groups())
    held = radius.held
    firmer = next_lever(held.lever) if held is not None else None
    draft = None
    if held is not None and firmer is not None:
        radius, draft = replace(radius, held=None), StopDraft(what=firmer.value, reason=held.reason)
    await visit.show(stop_form.confirm(radius, await visit.words(), draft))


async def submit(form: Form) -> Outcome:
    """Do what was chosen: hold a lever, or one of the two things that stop no spending and say so."""
    visit, t = form.visit, await form.visit.words()
    person, groups, target = await visit.person(), await visit.groups(), target_of(form)
    reason = form.text(ids.STOP_REASON)
    shown, every = _shown_ids(form, "projects"), _shown_ids(form, "team_projects")
    draft = StopDraft(form.selected(ids.STOP_WHAT), form.selected(ids.STOP_BREADTH), reason)

    async def again(said: str | None = None, seen: list[int] | None = None) -> kit.View:
        radius = await visit.bot.stopping.preview(person, target, groups, seen=seen)
        return stop_form.confirm(replace(radius, held=None) if _goes_further(radius, draft) else radius, t, draft, said)

    if contains_key(reason):
        draft = replace(draft, reason="")
        said = budget_words.secret(t)
        return Problem({ids.STOP_REASON: said}, await again(said, shown))
    if seen_at(form, visit.bot.clock()) is None:
        return Show(await again(too_old(t)), refreshes_home=False)
    if draft.what not in set(StopWhat) or draft.breadth not in {"", *StopBreadth}:
        return Show(await again(), refreshes_home=False)
    what, is_wide = StopWhat(draft.what), draft.breadth == StopBreadth.TEAM
    seen = every if is_wide else shown

    async def act() -> kit.View:
        if what not in _LEVERS:
            return await _without_collection(visit, person, target, what, seen, is_wide=is_wide)
        lever = Lever(what.value)
        held = await visit.bot.stopping.request(person, target, lever, reason, groups, is_wide=is_wide, seen=seen)
        return stop_form.done(held, person.user_id, t)

    try:
        view = await once(form, act)
    except Refusal as refusal:
        field = _FIELDS.get(refusal.code)
        said = bad_news.sentence(explain(refusal), t)
        if refusal.code is RefusalCode.STOP_SEEN_GONE:
            return Show(await again(said), refreshes_home=False)
        if field is None:
            raise
        return Problem.beside(field, said, await again(said, shown))
    return Show(view) if view is not None else Show(await again(), refreshes_home=False)


async def retry(visit: Visit, value: str) -> None:
    """Try at once what is in trouble."""
    await acted(visit, visit.bot.stopping.retry, value)


async def lead(visit: Visit, value: str) -> None:
    """The window with a prepared message to whoever leads the project."""
    await visit.in_place()
    draft = await visit.bot.leads.draft(await visit.person(), wanted(value))
    if not draft.lead_name:
        draft = replace(draft, lead_name=await _name_of(visit, draft.lead_user_id))
    await visit.show(stop_lead.window(draft, await visit.words()))


async def _name_of(visit: Visit, user_id: str) -> str:
    """What Slack calls somebody we never met; '' when it does not say."""
    try:
        return (await visit.profile(user_id)).name
    except SLACK_FAILS:
        return ""


async def submit_lead(form: Form) -> Outcome:
    """Send it, in the name of whoever pressed the button."""
    visit, t = form.visit, await form.visit.words()
    person, target, text = await visit.person(), target_of(form), form.text(ids.LEAD_TEXT)
    draft = await visit.bot.leads.draft(person, target)

    async def act() -> None:
        await visit.bot.leads.tell(person, target, text)

    def again(typed: str, said: str) -> kit.View:
        return stop_lead.window(draft, t, typed or None, said)  # a text with a key in it, or none: the prepared one

    if problem := await taken(form, ids.LEAD_TEXT, text, partial(once, form, act), again):
        return problem
    return Show(stop_lead.sent(draft.lead_user_id, t), refreshes_home=False)


async def heard_cause(visit: Visit, text: str) -> bool:
    """Offer what a lead answered in words to be pinned as the cause; False where nobody had asked them."""
    target = await visit.bot.leads.asked(visit.workspace_id, visit.user_id, visit.thread_ts) if text else None
    if target is not None:
        await visit.answer(stop_lead.offered(target, text, await visit.words()))
    return target is not None


async def cause(visit: Visit, value: str) -> None:
    """The window in which somebody who knows says why; with their own words in it, where they said it already."""
    target = wanted(value)
    view = stop_lead.cause_window(target, await visit.known(), text=stop_lead.answer_in(visit.message))
    if visit.is_in_modal:
        await visit.in_place()
        await visit.show(view)
    else:
        await visit.open(view)


async def submit_cause(form: Form) -> Outcome:
    """Pin the cause to its incident or stop."""
    visit, t = form.visit, await form.visit.words()
    person, target = await visit.person(), target_of(form)
    text = stop_lead.cause_words(form.selected(ids.CAUSE_QUICK) or None, form.text(ids.CAUSE_TEXT) or None, t)

    async def act() -> None:
        await visit.bot.leads.pin_cause(person, target, text)

    def again(typed: str, said: str) -> kit.View:
        del typed  # it is put together from a choice and a text: both are asked for again
        return stop_lead.cause_window(target, t, said)

    if problem := await taken(form, ids.CAUSE_TEXT, text, partial(once, form, act), again):
        return problem
    return Show(stop_lead.thanks(t), refreshes_home=False)


# --- shared with handlers/approving.py -------------------------------------------------------------------------------


def wanted(value: str) -> StopTarget:
    """The target a button or window names; refused when somebody sent something else."""
    target = StopTarget.read(value)
    if target is None:
        raise Refusal(RefusalCode.UNKNOWN_STOP)
    return target


def target_of(form: Form) -> StopTarget:
    """The target a window carries."""
    return wanted(str(form.ids.get("target") or ""))


async def named(visit: Visit, words: str) -> StopTarget:
    """The project or team called so; `project` or `team` before the name says which of two namesakes is meant."""
    return await visit.bot.stopping.named(visit.workspace_id, words)


async def acted(visit: Visit, act: Callable[..., Awaitable[StopShown]], value: str) -> None:
    """Do it to the stop a button names. A window shows what came of it, unless the message clicked on does."""
    if _is_out_of_sight(visit):
        await visit.in_place()
    target = wanted(value)
    if target.stop_id is None:
        raise Refusal(RefusalCode.UNKNOWN_STOP)
    shown = await act(await visit.person(), target.stop_id, await visit.groups())
    if visit.window is not None:
        await visit.show(stop_form.done(shown, visit.user_id, await visit.words()))
    if visit.view is not None:
        await home.refresh(visit)


def _is_out_of_sight(visit: Visit) -> bool:
    """Whether a click comes from a window, from Home or from an answer to one person: none of them is drawn anew."""
    return visit.view is not None or visit.is_ephemeral or kit.is_direct(visit.channel_id or "")


async def _confirm(visit: Visit, target: StopTarget) -> None:
    radius = await visit.bot.stopping.preview(await visit.person(), target, await visit.groups())
    t, draft = await visit.words(), None
    if target.incident_id is not None:
        draft = stop_form.drafted(await visit.bot.incidents.shown(visit.workspace_id, target.incident_id), t)
    await visit.show(stop_form.confirm(radius, t, draft))


async def _listed(visit: Visit, person: Person) -> None:
    found = await visit.bot.stopping.listed(person, await visit.groups())
    await visit.show(stop_form.listed(found, await visit.words()))


def seen_at(form: Form, now: datetime) -> datetime | None:
    """When a window's facts were read; None: too long ago, or it is no time of ours (none, or far to come)."""
    try:
        at = datetime.fromisoformat(str(form.ids.get("seen")))
    except ValueError:
        return None
    return at if at.tzinfo is not None and abs(now - at) <= OLD_AFTER else None


def too_old(t: Translator) -> str:
    """The sentence above a window that is filled anew because nobody answered it for so long."""
    return bad_news.sentence(
        explain(Refusal(RefusalCode.STOP_TOO_OLD, minutes=int(OLD_AFTER.total_seconds()) // 60)), t
    )


def _goes_further(radius: BlastRadius, draft: StopDraft) -> bool:
    """Whether what was chosen holds more firmly than what is held already."""
    return radius.held is not None and draft.what in set(Lever) and is_firmer(Lever(draft.what), radius.held.lever)


def _shown_ids(form: Form, key: str) -> list[int] | None:
    """The projects a window showed; None where it carried none."""
    found = form.ids.get(key)
    return found if isinstance(found, list) and all(isinstance(one, int) for one in found) else None


async def _without_collection(
    visit: Visit, person: Person, target: StopTarget, what: StopWhat, seen: list[int] | None, *, is_wide: bool
) -> kit.View:
    """Stop collecting, or leave projects out of it: neither stops spending. Nothing of it where a right is missing."""
    t, groups = await visit.words(), await visit.groups()
    radius = await visit.bot.stopping.preview(person, target, groups, seen=seen)
    if what is StopWhat.COLLECTING_OFF:
        for key_id, _ in radius.connection_keys:
            credential = await visit.bot.connections.credential(visit.workspace_id, key_id)
            await visit.bot.teams.require_manager(person, credential.team_id, groups)
        for key_id, _ in radius.connection_keys:
            await visit.bot.connections.disable(person, key_id, groups)
        return stop_form.collection_changed(what, [ends_with for _, ends_with in radius.connection_keys], t)
    projects = radius.team_projects if is_wide and seen is None else radius.projects
    for project in projects:
        await visit.bot.projects.exclude(person, project.project_id, groups)
    return stop_form.collection_changed(what, [project.name for project in projects], t)
