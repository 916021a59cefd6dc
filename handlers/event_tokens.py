"""Event tokens: asked for, shown once, revoked; by those who answer for the project."""

from __future__ import annotations

from blocks import bad_news, event_tokens, ids
from bot.errors import Refusal, RefusalCode, explain
from handlers import project_detail
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.teams import number
from handlers.visit import Visit


async def new(visit: Visit, value: str) -> None:
    """The window in which a token is asked for."""
    await visit.loading()
    project_id, period, _ = project_detail.parted(value)
    # Whoever may not make one hears so now, not after they have typed.
    await visit.bot.event_tokens.of_project(await visit.person(), project_id, await visit.groups())
    project = await visit.bot.projects.get(visit.workspace_id, project_id)
    await visit.show(event_tokens.new(await visit.words(), project, period))


async def submit(form: Form) -> Outcome:
    """Make it, and show it this once; the window below knows of it."""
    visit = form.visit
    person, groups, t = await visit.person(), await visit.groups(), await visit.words()
    project_id, period = form.number("project"), str(form.ids.get("period") or project_detail.DEFAULT_PERIOD)
    try:
        made = await visit.bot.event_tokens.make(person, project_id, form.text(ids.TOKEN_NAME), groups)
    except Refusal as refusal:
        if refusal.code not in {RefusalCode.TOKEN_NAME_MISSING, RefusalCode.TOKENS_FULL}:
            raise
        said = bad_news.sentence(explain(refusal), t)
        project = await visit.bot.projects.get(visit.workspace_id, project_id)
        return Problem({ids.TOKEN_NAME: said}, event_tokens.new(t, project, period, said))

    async def below(visit: Visit) -> None:
        visit.window = form.view.get("previous_view_id")
        if visit.window:
            await project_detail.show(visit, project_id, period)

    address = visit.bot.policy.events_address
    view = event_tokens.made(t, made.project, made.token.reveal(), made.shown, address)
    return Show(view, refreshes_home=False, then=below)


async def revoke(visit: Visit, value: str) -> None:
    """Take a token out of force; the question stood on the button."""
    await visit.in_place()
    project_id, period, token_id = project_detail.parted(value)
    person, groups = await visit.person(), await visit.groups()
    _, gone = await visit.bot.event_tokens.revoke(person, project_id, number(token_id), groups)
    notice = event_tokens.revoked_words(await visit.words(), gone)
    await project_detail.show(visit, project_id, period, notice)
