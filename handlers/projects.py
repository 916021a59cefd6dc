"""Projects: found by name, registered for a team, excluded, taken off again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from blocks import bad_news, ids, kit, projects, setup
from bot.errors import Refusal, explain
from bot.naming import alike
from finops.registry import Project, Team
from handlers import home
from handlers.submitting import Back, Form, Outcome, Problem
from handlers.team_choice import chosen_team, team_asked_for
from handlers.teams import number
from handlers.visit import Visit

Change = Callable[..., Awaitable[Project]]
_LEAD_REFUSED = frozenset({"lead_is_bot", "lead_is_guest"})


async def manage(visit: Visit, value: str = "") -> None:
    """`/finops project`, the button on Home, and the team menu inside the window."""
    team, managed = await team_asked_for(visit, value)
    if team is not None:
        await _show(visit, managed, team)


async def new(visit: Visit, value: str) -> None:
    """The window in which projects are chosen. From the list it takes the list's place."""
    team, managed = await team_asked_for(visit, value)
    if team is None:
        return
    if not value and len(managed) > 1:
        await _show(visit, managed, team)
    else:
        may_list = await visit.bot.projects.may_list(team)
        await visit.show(setup.projects(await visit.words(), team, may_list=may_list, is_setup=False))


async def found(visit: Visit, value: str) -> None:
    """A project was picked in the finder: show it with what can be done."""
    assert visit.view is not None
    visit.window = visit.view["id"]
    person = await visit.person()
    team_id = kit.metadata(visit.view).get("team")
    team, managed = await chosen_team(visit, person, str(team_id or ""))
    if team is not None:
        await _show(visit, managed, team, chosen=number(value))


async def edit(visit: Visit, value: str) -> None:
    """The window for what a project is for and who leads it."""
    await visit.loading()
    project, team = await _owned(visit, number(value))
    await visit.show(projects.edit(await visit.words(), project, team))


async def submit_edit(form: Form) -> Outcome:
    visit = form.visit
    person, groups, t = await visit.person(), await visit.groups(), await visit.words()
    lead = form.user(ids.PROJECT_LEAD)
    try:
        project = await visit.bot.projects.update(
            person,
            form.number("project"),
            environment=form.text(ids.PROJECT_ENVIRONMENT),
            service=form.text(ids.PROJECT_SERVICE),
            cost_center=form.text(ids.PROJECT_COST_CENTER),
            lead=await visit.profile(lead) if lead else None,
            groups=groups,
        )
    except Refusal as refusal:
        if refusal.code not in _LEAD_REFUSED:
            raise
        said = bad_news.sentence(explain(refusal), t)
        return Problem({ids.PROJECT_LEAD: said}, projects.edit(t, *await _owned(visit, form.number("project")), said))
    team = await visit.bot.teams.get(visit.workspace_id, project.team_id)
    own = await visit.bot.projects.of_team(visit.workspace_id, team.id)
    managed = await visit.bot.teams.managed_by(person, groups)
    notice = projects.changed_words(t, "saved", project)
    return Back(projects.manage(t, managed, team, own, chosen=project, notice=notice))


async def _owned(visit: Visit, project_id: int) -> tuple[Project, Team]:
    """A project and its team, for those who may change it."""
    project = await visit.bot.projects.get(visit.workspace_id, project_id)
    team = await visit.bot.teams.require_manager(await visit.person(), project.team_id, await visit.groups())
    return project, team


async def exclude(visit: Visit, value: str) -> None:
    await _changed(visit, value, "excluded", visit.bot.projects.exclude)


async def include(visit: Visit, value: str) -> None:
    await _changed(visit, value, "included", visit.bot.projects.include)


async def unregister(visit: Visit, value: str) -> None:
    await _changed(visit, value, "unregistered", visit.bot.projects.unregister)


async def offered(visit: Visit, words: str) -> list[kit.Block]:
    """What the picker shows while somebody types: projects the provider knows."""
    person, team_id = await visit.person(), _team_of(visit)
    known = await visit.bot.projects.search(person, team_id, words, await visit.groups())
    return projects.options(known, team_id, await visit.words())


async def registered(visit: Visit, words: str) -> list[kit.Block]:
    """What the finder shows: the team's own projects."""
    own = await visit.bot.projects.of_team(visit.workspace_id, _team_of(visit))
    wanted = alike(words)
    matching = [p for p in own if wanted in alike(p.name) or wanted in alike(p.provider_project_id)]
    return projects.registered_options(matching, await visit.words())


def _team_of(visit: Visit) -> int:
    team_id = kit.metadata(visit.view or {}).get("team")
    return team_id if isinstance(team_id, int) else -1


async def _changed(visit: Visit, value: str, change: str, act: Change) -> None:
    if visit.view is not None:
        visit.window = visit.view["id"]
    person, groups = await visit.person(), await visit.groups()
    project = await act(person, number(value), groups)
    t = await visit.words()
    managed = await visit.bot.teams.managed_by(person, groups)
    team = await visit.bot.teams.get(visit.workspace_id, project.team_id)
    chosen = None if change == "unregistered" else project.id
    await _show(visit, managed, team, chosen=chosen, notice=projects.changed_words(t, change, project))
    await home.refresh(visit)


async def _show(
    visit: Visit, managed: list[Team], team: Team, *, chosen: int | None = None, notice: str | None = None
) -> None:
    own = await visit.bot.projects.of_team(visit.workspace_id, team.id)
    one = next((project for project in own if project.id == chosen), None)
    view = projects.manage(await visit.words(), managed, team, own, chosen=one, notice=notice)
    await visit.show(view)
