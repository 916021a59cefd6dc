"""Budgets as a file: shown to be copied, pasted in, and applied only after its difference was seen."""

from __future__ import annotations

from blocks import budget_files, budget_form, budget_words, budgets, ids, kit
from bot.errors import Refusal, RefusalCode
from finops.keys import contains_key
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.visit import Visit


async def export(visit: Visit) -> None:
    """All budgets in force as YAML, in a window."""
    await visit.in_place()
    text = await visit.bot.budgets.export_text(await visit.person(asks_setup=True))
    await visit.show(budget_files.exported(text, await visit.words()))


async def ask(visit: Visit) -> None:
    """The window a file is pasted into."""
    await visit.in_place()
    await visit.bot.people.require_admin(await visit.person(asks_setup=True))
    await visit.show(budget_files.asked(await visit.words()))


async def submit(form: Form) -> Outcome:
    """Show what the file would change; once that was seen, and is still so, change it."""
    visit = form.visit
    person, t = await visit.person(), await visit.words()
    turn = max(0, form.number("turn"))
    name = budget_form.block_of(ids.BUDGET_FILE, turn)
    text = str(form.view.get("state", {}).get("values", {}).get(name, {}).get(ids.BUDGET_FILE, {}).get("value") or "")
    if contains_key(text):
        said = budget_words.secret(t)
        return Problem({name: said}, budget_files.asked(t, problem=said, turn=turn + 1))
    mark = str(form.ids.get("mark") or "")
    try:
        if not mark:
            plan = await visit.bot.budgets.import_diff(person, text)
            return Show(budget_files.planned(plan, text, t, turn=turn), refreshes_home=False)
        plan = await visit.bot.budgets.import_apply(person, text, mark)
    except Refusal as refusal:
        if refusal.code is not RefusalCode.BUDGET_FILE:
            raise
        said = budget_words.file_mistakes(refusal.values, t)
        return Problem({name: said}, budget_files.asked(t, text, problem=kit.escape(said), turn=turn))
    if not plan.is_applied:
        return Show(budget_files.planned(plan, text, t, turn=turn, has_moved=True), refreshes_home=False)
    report = await visit.bot.budgets.report(person, await visit.groups())
    return Show(budgets.listed(report, t, budget_files.applied_words(plan, t)), then=evaluated)


async def evaluated(visit: Visit) -> None:
    """Look at every budget at once: nobody who changed one waits a minute for what it means."""
    await visit.bot.evaluating.evaluate(visit.workspace_id)
