"""Budgets: the windows in which they are seen, made and changed. Files of them: handlers/budget_files.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from blocks import bad_news, budget_form, budget_words, budgets, ids, incident_opinions, kit
from blocks.budget_form import BudgetDraft
from bot.budgets import BudgetWish
from bot.errors import Refusal, RefusalCode, explain
from finops.amounts import as_typed
from finops.budget_report import BudgetStanding, ScopeChoice
from finops.budgets import Budget, BudgetPeriod, BudgetScope
from finops.keys import contains_key
from handlers import budget_files, home
from handlers.budget_files import evaluated
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.teams import number
from handlers.visit import Visit

Change = Callable[[int], Awaitable[BudgetStanding]]
EXPORT = frozenset({"export", "내보내기", "エクスポート", "書き出し"})
IMPORT = frozenset({"import", "가져오기", "インポート", "取り込み", "読み込み"})
# So many opinions open the window by themselves, and are named in it.
_OPINIONS = 2
# Which input a refusal belongs to.
_FIELDS = {
    RefusalCode.BUDGET_SCOPE_MISSING: ids.BUDGET_SCOPE,
    RefusalCode.BUDGET_SCOPE_GONE: ids.BUDGET_SCOPE,
    RefusalCode.NOT_ADMIN: ids.BUDGET_SCOPE,
    RefusalCode.NOT_TEAM_MANAGER: ids.BUDGET_SCOPE,
    RefusalCode.GROUPS_UNREAD: ids.BUDGET_SCOPE,
    RefusalCode.BUDGET_AMOUNT: ids.BUDGET_AMOUNT,
    RefusalCode.BUDGET_EXISTS: ids.BUDGET_AMOUNT,
    RefusalCode.BUDGET_LEVELS: ids.BUDGET_LEVELS,
    RefusalCode.BUDGET_FLOOR: ids.BUDGET_FLOOR,
    RefusalCode.BUDGET_CHANNEL_MISSING: ids.BUDGET_CHANNEL,
}


async def command(visit: Visit, words: str) -> None:
    """`/finops budget`, alone, with the name of a team or project, or with what to do with files."""
    word = words.casefold()
    if word in EXPORT:
        await budget_files.export(visit)
    elif word in IMPORT:
        await budget_files.ask(visit)
    elif words:
        await visit.loading()
        await visit.person(asks_setup=True)
        await show_list(visit, (await visit.bot.budgets.named(visit.workspace_id, words)).key)
    else:
        await manage(visit)


async def manage(visit: Visit) -> None:
    """All budgets: the command, the button on Home, and the way back from one of them."""
    await visit.in_place()
    await visit.person(asks_setup=True)
    await show_list(visit)


async def covering(visit: Visit, value: str) -> None:
    """The budgets with a say in one team or project, on top of the window about it."""
    await visit.loading()
    await show_list(visit, value)


async def found(visit: Visit, value: str) -> None:
    """A team or project was picked in the finder: the budgets with a say in it."""
    await visit.in_place()
    await show_list(visit, value)


async def new(visit: Visit, value: str) -> None:
    """The window for a new budget. The value may name its scope, and its period: then its amount is filled in."""
    await visit.in_place()
    person, groups = await visit.person(asks_setup=True), await visit.groups()
    await visit.bot.teams.require_any(person, groups)
    scope, _, period = value.partition("/")
    draft = BudgetDraft(await visit.bot.budgets.choice(visit.workspace_id, scope))
    if period in set(BudgetPeriod):
        suggestion = await visit.bot.budgets.suggestion(visit.workspace_id, scope, period)
        suits = suggestion.recommended if suggestion is not None else None
        draft = replace(draft, period=period, amount=as_typed(suits) if suits is not None else "")
    await visit.show(await _form(visit, draft))


async def edit(visit: Visit, value: str) -> None:
    """The window for one budget, in the place of the list."""
    await visit.in_place()
    await open_for(visit, number(value))


async def open_for(
    visit: Visit, budget_id: int, project_id: int | None = None, unhelpful: tuple[int, ...] = ()
) -> None:
    """The window that changes one budget, with what history recommends; opens one where none is open yet.

    For the buttons of an alert. `project_id` names the project the alert is about: where the budget is the default of
    every project, the window makes one for this project alone. `unhelpful` names the incidents because of which the
    window opens by itself: it says so. Refuses, naming who could, who may not.
    """
    if visit.window is None:
        await visit.loading()
    person, groups = await visit.person(), await visit.groups()
    budget = await visit.bot.budgets.get(visit.workspace_id, budget_id)
    if budget.scope_kind is BudgetScope.EVERY_PROJECT and project_id is not None:
        own = ScopeChoice(BudgetScope.PROJECT, project_id)
        await visit.bot.budgets.require(person, own.key, groups)
        scope = await visit.bot.budgets.choice(visit.workspace_id, own.key)
        draft = replace(_draft_of(budget, scope), budget_id=None, seen_at="", unhelpful=unhelpful)
        await visit.show(await _form(visit, draft))
        return
    standing = await visit.bot.budgets.open(person, budget_id, groups)
    draft = replace(_draft_of(standing.budget, standing.scope), unhelpful=unhelpful)
    await visit.show(await _form(visit, draft, standing))


async def drafted(visit: Visit, value: str) -> None:
    """Whose spending, or how often, was chosen: what is usual there follows, and what was typed stays."""
    del value
    await _redrawn(visit, await _read(visit, visit.view or {}))


async def fill(visit: Visit, value: str) -> None:
    """Take over the recommended amount; everything else stays as it was typed."""
    del value
    draft = await _read(visit, visit.view or {})
    scope = draft.scope.key if draft.scope is not None else ""
    suggestion = await visit.bot.budgets.suggestion(visit.workspace_id, scope, draft.period)
    if suggestion is not None and suggestion.recommended is not None:
        draft = replace(draft, amount=as_typed(suggestion.recommended), turn=draft.turn + 1)
    await _redrawn(visit, draft)


async def submit(form: Form) -> Outcome:
    """Save what stands in the window. Whoever comes second sees what the first one made of it."""
    visit = form.visit
    person, groups, t = await visit.person(), await visit.groups(), await visit.words()
    draft, secret = await _read(visit, form.view), _secret_in(form.view)
    if secret is not None:
        said = budget_words.secret(t)
        return Problem({budget_form.block_of(secret, draft.turn): said}, await _form(visit, draft, problem=said))
    wish = BudgetWish(
        draft.scope.key if draft.scope is not None else "", draft.period, draft.amount, draft.levels, draft.action,
        draft.floor, draft.channel_id, draft.needs_two,
    )  # fmt: skip
    try:
        if draft.budget_id is None:
            budget = await visit.bot.budgets.create(person, wish, groups)
        else:
            budget = await visit.bot.budgets.update(person, draft.budget_id, wish, draft.seen_at, groups)
    except Refusal as refusal:
        return await _refused(visit, draft, refusal)
    assert draft.scope is not None, "a saved budget has a scope"
    notice = budgets.saved_words(t, budget, draft.scope, is_new=draft.budget_id is None)
    report = await visit.bot.budgets.report(person, groups)
    return Show(budgets.listed(report, t, notice), then=evaluated)


async def enable(visit: Visit, value: str) -> None:
    await _changed(visit, value, "enabled", is_enabled=True)


async def disable(visit: Visit, value: str) -> None:
    await _changed(visit, value, "disabled", is_enabled=False)


async def delete(visit: Visit, value: str) -> None:
    await _changed(visit, value, "deleted")


async def scopes(visit: Visit, words: str) -> list[kit.Block]:
    """What the menu of the window offers: what this person may limit."""
    found = await visit.bot.budgets.choices(await visit.person(), words, await visit.groups())
    return budgets.scope_options(found, await visit.words())


async def whatever(visit: Visit, words: str) -> list[kit.Block]:
    """What the finder above the list offers: every team and project."""
    found = await visit.bot.budgets.choices(await visit.person(), words, await visit.groups(), is_looking=True)
    return budgets.scope_options(found, await visit.words())


async def show_list(visit: Visit, scope: str = "", notice: str | None = None) -> None:
    """Fill the window with all budgets, or with those that have a say in a scope."""
    report = await visit.bot.budgets.report(await visit.person(), await visit.groups(), scope)
    await visit.show(budgets.listed(report, await visit.words(), notice))


async def _changed(visit: Visit, value: str, change: str, *, is_enabled: bool | None = None) -> None:
    await visit.in_place()
    person, groups = await visit.person(), await visit.groups()
    if is_enabled is None:
        standing = await visit.bot.budgets.delete(person, number(value), groups)
    else:
        standing = await visit.bot.budgets.switch(person, number(value), groups, is_enabled=is_enabled)
    await show_list(visit, notice=budgets.changed_words(await visit.words(), change, standing))
    await evaluated(visit)
    await home.refresh(visit)


async def _refused(visit: Visit, draft: BudgetDraft, refusal: Refusal) -> Outcome:
    t = await visit.words()
    if refusal.code is RefusalCode.BUDGET_CHANGED and draft.budget_id is not None:
        standing = await visit.bot.budgets.open(await visit.person(), draft.budget_id, await visit.groups())
        now = replace(_draft_of(standing.budget, standing.scope), turn=draft.turn + 1, unhelpful=draft.unhelpful)
        said = budget_form.changed_meanwhile(t, refusal.values.get("person"), standing.budget.updated_at)
        return Show(await _form(visit, now, standing, said), refreshes_home=False)
    field = _FIELDS.get(refusal.code)
    if field is None:
        raise refusal
    said = bad_news.sentence(explain(refusal), t)
    return Problem.beside(budget_form.block_of(field, draft.turn), said, await _form(visit, draft, problem=said))


async def _redrawn(visit: Visit, draft: BudgetDraft) -> None:
    await visit.in_place()
    standing = None
    if draft.budget_id is not None:
        standing = await visit.bot.budgets.open(await visit.person(), draft.budget_id, await visit.groups())
    await visit.show(await _form(visit, draft, standing))


async def _form(
    visit: Visit, draft: BudgetDraft, standing: BudgetStanding | None = None, problem: str | None = None
) -> kit.View:
    scope = draft.scope.key if draft.scope is not None and not draft.scope.is_gone else ""
    suggestion = await visit.bot.budgets.suggestion(visit.workspace_id, scope, draft.period)
    t, because = await visit.words(), ""
    if draft.unhelpful:
        alerts = await visit.bot.incidents.briefly(visit.workspace_id, draft.unhelpful)
        because = incident_opinions.because(
            alerts, t, draft.scope.name if draft.budget_id is None and draft.scope else ""
        )
    return budget_form.form(draft, t, suggestion, standing=standing, problem=problem, because=because)


def _draft_of(budget: Budget, scope: ScopeChoice | None) -> BudgetDraft:
    """What stands in the window when a budget is opened."""
    return BudgetDraft(
        scope=scope,
        period=budget.period.value,
        amount=as_typed(budget.amount),
        levels=budget.levels,
        action=budget.action.value,
        floor=as_typed(budget.floor) if budget.floor else "",
        channel_id=budget.channel_id or "",
        needs_two=budget.needs_two,
        budget_id=budget.id,
        seen_at=budget.updated_at.isoformat(),
    )


async def _read(visit: Visit, view: Mapping[str, Any]) -> BudgetDraft:
    """What stands in the window now. A secret typed there is not taken along, so that no later form repeats it."""
    known = kit.metadata(view)
    turn = known.get("turn") if isinstance(known.get("turn"), int) else 0
    assert isinstance(turn, int)
    budget_id, given = known.get("budget"), known.get("unhelpful")
    scope = _chosen(view, ids.BUDGET_SCOPE, turn)
    amount, floor = (_typed(view, name, turn) for name in (ids.BUDGET_AMOUNT, ids.BUDGET_FLOOR))
    levels = [str(option.get("value")) for option in _held(view, ids.BUDGET_LEVELS, turn).get("selected_options") or []]
    return BudgetDraft(
        scope=await visit.bot.budgets.choice(visit.workspace_id, scope),
        period=_chosen(view, ids.BUDGET_PERIOD, turn) or BudgetPeriod.DAY.value,
        amount="" if contains_key(amount) else amount,
        levels=tuple(sorted({number(level) for level in levels})),
        action=_chosen(view, ids.BUDGET_ACTION, turn),
        floor="" if contains_key(floor) else floor,
        channel_id=str(_held(view, ids.BUDGET_CHANNEL, turn).get("selected_conversation") or ""),
        needs_two=bool(_held(view, ids.BUDGET_NEEDS_TWO, turn).get("selected_options")),
        budget_id=budget_id if isinstance(budget_id, int) else None,
        seen_at=str(known.get("seen") or ""),
        turn=turn,
        unhelpful=tuple(one for one in given if type(one) is int)[:_OPINIONS] if isinstance(given, list) else (),
    )


def _secret_in(view: Mapping[str, Any]) -> str | None:
    """The input into which somebody pasted a key, if any."""
    turn = kit.metadata(view).get("turn")
    place = turn if isinstance(turn, int) else 0
    fields = (ids.BUDGET_AMOUNT, ids.BUDGET_FLOOR)
    return next((name for name in fields if contains_key(_typed(view, name, place))), None)


def _held(view: Mapping[str, Any], name: str, turn: int) -> Mapping[str, Any]:
    values = view.get("state", {}).get("values", {})
    return values.get(budget_form.block_of(name, turn), {}).get(name) or {}


def _typed(view: Mapping[str, Any], name: str, turn: int) -> str:
    return str(_held(view, name, turn).get("value") or "").strip()


def _chosen(view: Mapping[str, Any], name: str, turn: int) -> str:
    return str((_held(view, name, turn).get("selected_option") or {}).get("value") or "")
