"""What a team and a workspace say of value: the target of a project, and the caps of calls and users."""

from __future__ import annotations

from blocks import bad_news, ids, project_detail
from bot.errors import Refusal, RefusalCode, explain
from finops.amounts import as_typed
from finops.caps import written
from handlers.project_detail import DEFAULT_PERIOD, parted, report_of
from handlers.submitting import Back, Form, Outcome, Problem
from handlers.visit import Visit


async def ask_target(visit: Visit, value: str) -> None:
    """The window in which a team says what a success may cost."""
    await visit.loading()
    project_id, period, _ = parted(value)
    person, groups = await visit.person(), await visit.groups()
    project, held = await visit.bot.project_details.target(person, project_id, groups)
    typed = as_typed(held) if held is not None else ""
    await visit.show(project_detail.target(await visit.words(), project, typed, period))


async def submit_target(form: Form) -> Outcome:
    """Keep the target; the project below shows how it stands against it."""
    visit = form.visit
    person, groups, t = await visit.person(), await visit.groups(), await visit.words()
    project_id, typed = form.number("project"), form.text(ids.TARGET_AMOUNT)
    try:
        await visit.bot.project_details.set_target(person, project_id, typed, groups)
    except Refusal as refusal:
        if refusal.code is not RefusalCode.TARGET_AMOUNT:
            raise
        said = bad_news.sentence(explain(refusal), t)
        project, _ = await visit.bot.project_details.target(person, project_id, groups)
        again = project_detail.target(t, project, typed, _period(form), said)
        return Problem.beside(ids.TARGET_AMOUNT, said, again)
    return Back(project_detail.view(await report_of(visit, project_id, _period(form)), t))


async def ask_caps(visit: Visit, value: str) -> None:
    """The window in which an admin says what calls and users may cost."""
    await visit.loading()
    project_id, period, _ = parted(value)
    held = await visit.bot.project_details.caps(await visit.person())
    await visit.show(project_detail.caps(await visit.words(), written(held), project_id, period))


async def submit_caps(form: Form) -> Outcome:
    """Keep the caps; the project below shows what passes them."""
    visit = form.visit
    person, t = await visit.person(), await visit.words()
    project_id, typed = form.number("project"), form.text(ids.CAPS_TEXT)
    try:
        await visit.bot.project_details.set_caps(person, typed)
    except Refusal as refusal:
        if refusal.code is not RefusalCode.CAPS_LINE:
            raise
        said = bad_news.sentence(explain(refusal), t)
        again = project_detail.caps(t, typed, project_id, _period(form), said)
        return Problem.beside(ids.CAPS_TEXT, said, again)
    return Back(project_detail.view(await report_of(visit, project_id, _period(form)), t))


def _period(form: Form) -> str:
    return str(form.ids.get("period") or DEFAULT_PERIOD)
