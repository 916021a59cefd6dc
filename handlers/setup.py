"""Setting up: team, key, projects, each a window that leads to the next."""

from __future__ import annotations

from blocks import bad_news, collection, ids, keys, projects, setup
from blocks.kit import View
from bot.errors import Refusal, explain
from bot.results import KeyRegistered, ProjectsRegistered
from finops.figures import SetupStep
from finops.registry import Team
from handlers.submitting import KEY_REFUSED, PROJECT_FIELDS, TEAM_FIELDS, Form, Outcome, Problem, Show
from handlers.visit import Visit
from locales import Translator
from providers.contract import CredentialRejected


async def next_step(visit: Visit) -> None:
    """Open the window of the first thing that is missing."""
    await visit.loading()
    person = await visit.person(asks_setup=True)
    progress = await visit.bot.reports.setup(visit.workspace_id, person)
    t = await visit.words()
    if progress.next_step is SetupStep.TEAM or progress.team_id is None:
        await visit.bot.people.require_admin(person)
    if progress.next_step in {SetupStep.TRIAL, SetupStep.WAIT, SetupStep.DONE}:
        running = await visit.bot.collecting.progress(visit.workspace_id)
        lacking = progress.team_id if progress.lacks else None
        unfinished = None if lacking is None else await visit.bot.teams.get(visit.workspace_id, lacking)
        managed = await visit.bot.teams.managed_by(person, await visit.groups())
        may_try = any(team.id == progress.team_id for team in managed)
        lines = [collection.line(one, t) for one in running[:5]]
        await visit.show(setup.waiting(t, lines, progress, unfinished, may_try=may_try))
        return
    if progress.next_step is SetupStep.TEAM or progress.team_id is None:
        await visit.show(setup.team(t, user_id=visit.user_id, channel_id=visit.channel_id))
        return
    team = await visit.bot.teams.require_manager(person, progress.team_id, await visit.groups())
    if progress.next_step is SetupStep.KEY:
        await visit.show(setup.key(t, team))
    else:
        await visit.show(setup.projects(t, team, may_list=await visit.bot.projects.may_list(team)))


async def new_team(visit: Visit) -> None:
    """The first window alone, for one more team. From the list it takes the list's place."""
    await visit.in_place()
    person = await visit.person(asks_setup=True)
    await visit.bot.people.require_admin(person)
    t = await visit.words()
    await visit.show(setup.team(t, user_id=visit.user_id, channel_id=visit.channel_id, is_further=True))


async def submit_team(form: Form) -> Outcome:
    """A team is made; its key comes next."""
    visit = form.visit
    person = await visit.person(asks_setup=True)
    t = await visit.words()
    typed = {
        ids.TEAM_NAME: form.text(ids.TEAM_NAME),
        ids.TEAM_LEAD: form.user(ids.TEAM_LEAD),
        ids.TEAM_CHANNEL: form.conversation(ids.TEAM_CHANNEL),
        ids.TEAM_LANGUAGE: form.selected(ids.TEAM_LANGUAGE),
    }
    # Where the window has no menu for it, the language is that of the person who makes the team.
    locale = typed[ids.TEAM_LANGUAGE] or t.language
    lead = await visit.profile(typed[ids.TEAM_LEAD] or visit.user_id)
    try:
        team = await visit.bot.teams.create(person, typed[ids.TEAM_NAME], lead, typed[ids.TEAM_CHANNEL], locale=locale)
    except Refusal as refusal:
        field = TEAM_FIELDS.get(refusal.code)
        if field is None:
            raise
        said = bad_news.sentence(explain(refusal), t)
        again = setup.team(
            t,
            user_id=visit.user_id,
            problem=said,
            typed=typed,
            is_setup=form.is_setup,
            is_further=bool(form.ids.get("further")),
        )
        return Problem.beside(field, said, again)
    return Show(setup.key(t, team, is_setup=form.is_setup))


async def submit_key(form: Form) -> Outcome:
    """A key is checked with the provider and kept sealed; its projects come next."""
    visit = form.visit
    person, groups = await visit.person(), await visit.groups()
    t = await visit.words()
    team = await visit.bot.teams.require_manager(person, form.number("team"), groups)
    try:
        result = await visit.bot.connections.register_key(person, team.id, form.text(ids.KEY), groups)
    except (Refusal, CredentialRejected) as error:
        if isinstance(error, Refusal) and error.code not in KEY_REFUSED:
            raise
        said = bad_news.typed_key_words(explain(error), t)
        return Problem.beside(ids.KEY, said, setup.key(t, team, problem=said, is_setup=form.is_setup))
    may_list = await visit.bot.projects.may_list(team)
    return Show(key_done(result, team, t, may_list=may_list, is_setup=form.is_setup))


def key_done(result: KeyRegistered, team: Team, t: Translator, *, may_list: bool, is_setup: bool) -> View:
    return keys.registered(
        t,
        team,
        result.credential,
        organization=result.organization_name,
        rights=result.rights,
        expires_at=result.expires_at,
        is_shared=result.is_shared,
        projects_found=result.projects_found,
        may_list=may_list,
        is_setup=is_setup,
        others=result.other_organizations,
    )


async def submit_key_done(form: Form) -> Outcome:
    """On to the projects of the team whose key was registered."""
    visit = form.visit
    team = await visit.bot.teams.require_manager(await visit.person(), form.number("team"), await visit.groups())
    found = form.ids.get("found")
    view = setup.projects(
        await visit.words(),
        team,
        may_list=await visit.bot.projects.may_list(team),
        found=found if isinstance(found, int) else None,
        is_setup=form.is_setup,
    )
    return Show(view, refreshes_home=False)


async def submit_projects(form: Form) -> Outcome:
    """Projects are given to the team; the past is fetched, or tomorrow begins the record."""
    visit = form.visit
    person, groups = await visit.person(), await visit.groups()
    t = await visit.words()
    team = await visit.bot.teams.require_manager(person, form.number("team"), groups)
    chosen, typed = form.chosen(ids.PROJECTS), form.text(ids.PROJECT_TYPED)
    results: list[ProjectsRegistered] = []
    may_list = True
    try:
        may_list = await visit.bot.projects.may_list(team)
        if typed and typed not in chosen:
            results.append(await visit.bot.projects.register_typed(person, team.id, typed, groups))
        if form.chosen(ids.PROJECTS_ALL):
            results.append(await visit.bot.projects.register_all(person, team.id, groups))
        elif chosen or not typed:
            results.append(await visit.bot.projects.register(person, team.id, chosen, groups))
    except Refusal as refusal:
        field = PROJECT_FIELDS.get(refusal.code)
        if field is None:
            raise
        said = bad_news.sentence(explain(refusal), t)
        again = setup.projects(t, team, may_list=may_list, problem=said, is_setup=form.is_setup)
        return Problem.beside(field, said, again)
    view = projects.registered(
        t,
        team,
        [project for result in results for project in result.registered],
        [project for result in results for project in result.taken],
        collection_started=any(result.collection_started for result in results),
        has_history=any(result.has_history for result in results),
        is_told=any(result.is_told for result in results),
        is_setup=form.is_setup,
    )
    return Show(view)
