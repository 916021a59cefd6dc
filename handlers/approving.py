"""Approving: the window and buttons that let spending go on, put it back, or ask a second person."""

from __future__ import annotations

from datetime import datetime

from blocks import bad_news, budgets, ids, kit, stop_form
from blocks.stop_form import ApprovalDraft, ApprovalFacts
from bot.errors import Refusal, RefusalCode, explain
from finops.incidents import instant_of
from finops.keys import contains_key
from finops.stop_report import ApprovalWish, StopShown, StopTarget
from finops.stops import ApprovalWay
from handlers import stops
from handlers.budget_files import evaluated
from handlers.once import once
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.visit import Visit

# Which input a refusal belongs to; an amount stands in one of two.
_FIELDS = {
    RefusalCode.APPROVAL_UNTIL: ids.APPROVE_UNTIL,
    RefusalCode.APPROVAL_AMOUNT: ids.APPROVE_AMOUNT,
    RefusalCode.BUDGET_AMOUNT: ids.APPROVE_LIMIT,
    RefusalCode.BUDGET_EXISTS: ids.APPROVE_LIMIT,
}
# Somebody was faster: the window is filled anew, and says so.
_CHANGED = frozenset({RefusalCode.BUDGET_CHANGED, RefusalCode.STOP_CHANGED})


async def command(visit: Visit, words: str) -> None:
    """`/finops resume`, alone or with the name of a project or team."""
    await visit.loading()
    if words:
        await _window(visit, await stops.named(visit, words))
    else:
        await _listed(visit)


async def ask(visit: Visit, value: str) -> None:
    """The approval window: it opens at once, and is filled with how it stands now. Without a value: what is held."""
    await visit.in_place()
    if value:
        await _window(visit, stops.wanted(value))
    else:
        await _listed(visit)


async def submit(form: Form) -> Outcome:
    """Let spending go on in the way that was chosen, or ask for the second person."""
    visit, t = form.visit, await form.visit.words()
    person, groups, target = await visit.person(), await visit.groups(), stops.target_of(form)
    draft = _draft(form)

    async def again(said: str | None = None) -> kit.View:
        return stop_form.approve(await _facts(visit, target), t, draft, said)

    known = _known(form)
    if known is None or stops.seen_at(form, visit.bot.clock()) is None:
        return Show(await again(stops.too_old(t)), refreshes_home=False)
    if draft.way not in set(ApprovalWay):
        return Show(await again(), refreshes_home=False)
    way = ApprovalWay(draft.way)
    amount = draft.limit if way is ApprovalWay.BUDGET else draft.amount
    wish = ApprovalWish(way, amount, draft.until, draft.restops, known)

    async def act() -> kit.View:
        shown = await visit.bot.stopping.approve(person, target, wish, groups)
        return stop_form.done(shown, person.user_id, t) if shown is not None else await _budget_changed(visit, target)

    try:
        view = await once(form, act)
    except Refusal as refusal:
        if refusal.code in _CHANGED:
            return Show(await again(bad_news.sentence(explain(refusal), t)), refreshes_home=False)
        field = _FIELDS.get(refusal.code)
        if field is None:
            raise
        if field == ids.APPROVE_AMOUNT and way is ApprovalWay.BUDGET:
            field = ids.APPROVE_LIMIT
        said = bad_news.sentence(explain(refusal), t)
        return Problem.beside(field, said, await again(said))
    if view is None:
        return Show(await again(), refreshes_home=False)
    return Show(view, then=evaluated if way is ApprovalWay.BUDGET else None)


async def restore(visit: Visit, value: str) -> None:
    """Put everything back as it was."""
    await stops.acted(visit, visit.bot.stopping.restore, value)


async def agree(visit: Visit, value: str) -> None:
    """The second person agrees."""
    await stops.acted(visit, visit.bot.stopping.agree, value)


async def decline(visit: Visit, value: str) -> None:
    """The second person does not, or the first one takes it back."""
    await stops.acted(visit, visit.bot.stopping.decline, value)


async def _window(visit: Visit, target: StopTarget) -> None:
    facts = await _facts(visit, target)
    await visit.show(stop_form.approve(facts, await visit.words()))


async def _listed(visit: Visit) -> None:
    found = await visit.bot.stopping.listed(await visit.person(), await visit.groups())
    await visit.show(stop_form.listed(found, await visit.words(), is_resume=True))


async def _facts(visit: Visit, target: StopTarget) -> ApprovalFacts:
    """What the window says, read now: of the incident where there is one, for it knows what was spent of what.

    Refused for who may not let spending go on, and where nothing is held.
    """
    stop: StopShown | None = await visit.bot.stopping.approving(await visit.person(), target, await visit.groups())
    incident_id = target.incident_id if stop is None else stop.stop.incident_id
    if incident_id is not None:
        shown = await visit.bot.incidents.shown(visit.workspace_id, incident_id)
        return stop_form.approval_of(shown, visit.bot.clock())
    if stop is None:
        raise Refusal(RefusalCode.STOP_NOT_HELD)
    return stop_form.approval_of(stop, visit.bot.clock())


async def _budget_changed(visit: Visit, target: StopTarget) -> kit.View:
    """Nothing was held, and only the limit is another now: the budgets, with what changed."""
    person, groups, t = await visit.person(), await visit.groups(), await visit.words()
    assert target.incident_id is not None, "only an incident has a budget"
    budget_id, _ = await visit.bot.incidents.budget_of(visit.workspace_id, target.incident_id)
    standing = await visit.bot.budgets.open(person, budget_id, groups)
    notice = budgets.saved_words(t, standing.budget, standing.scope, is_new=False)
    return budgets.listed(await visit.bot.budgets.report(person, groups), t, notice)


def _known(form: Form) -> list[datetime] | None:
    """When what the window told of was decided; None where it carries nothing of that, as one of an older version."""
    told = form.ids.get("decided")
    found = [instant_of(one) for one in told] if isinstance(told, list) else None
    return None if found is None else [moment for moment in found if moment is not None]


def _draft(form: Form) -> ApprovalDraft:
    """What stands in the window. A secret typed there is not taken along, so that no later form repeats it."""
    amount, limit = form.text(ids.APPROVE_AMOUNT), form.text(ids.APPROVE_LIMIT)
    return ApprovalDraft(
        way=form.selected(ids.APPROVE_WAY),
        amount="" if contains_key(amount) else amount,
        limit="" if contains_key(limit) else limit,
        until=form.moment(ids.APPROVE_UNTIL),
        restops=bool(form.chosen(ids.APPROVE_RESTOPS)),
    )
