"""Keys: seen, replaced, disabled, enabled and deleted by those who answer for a team."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from blocks import bad_news, ids, keys, setup
from bot.errors import Refusal, explain
from bot.keys import owner_name
from bot.results import KeyChanged
from finops.registry import Team
from handlers import home
from handlers.submitting import KEY_REFUSED, Back, Form, Outcome, Problem
from handlers.team_choice import team_asked_for
from handlers.teams import number
from handlers.visit import Visit
from providers.contract import CredentialRejected

Change = Callable[..., Awaitable[KeyChanged]]


async def manage(visit: Visit, value: str = "") -> None:
    """`/finops key`, the button on Home, and the team menu inside the window."""
    team, managed = await team_asked_for(visit, value)
    if team is not None:
        await _show(visit, managed, team)


async def new(visit: Visit, value: str) -> None:
    """The window a key is typed into: the only place where one ever is. From the list it takes the list's place."""
    team, managed = await team_asked_for(visit, value)
    if team is None:
        return
    if not value and len(managed) > 1:
        await _show(visit, managed, team)
    else:
        await visit.show(setup.key(await visit.words(), team, is_setup=False))


async def replace(visit: Visit, value: str) -> None:
    await visit.loading()
    credential = await visit.bot.connections.credential(visit.workspace_id, number(value))
    team = await visit.bot.teams.require_manager(await visit.person(), credential.team_id, await visit.groups())
    view = setup.key(await visit.words(), team, is_setup=False, replaces=credential.id, ends_with=credential.ends_with)
    await visit.show(view)


async def submit_replacement(form: Form) -> Outcome:
    visit = form.visit
    person, groups = await visit.person(), await visit.groups()
    t = await visit.words()
    team = await visit.bot.teams.require_manager(person, form.number("team"), groups)
    old = await visit.bot.connections.credential(visit.workspace_id, form.number("key"))
    try:
        result = await visit.bot.connections.replace_key(person, old.id, form.text(ids.KEY), groups)
    except (Refusal, CredentialRejected) as error:
        if isinstance(error, Refusal) and error.code not in KEY_REFUSED:
            raise
        said = bad_news.typed_key_words(explain(error), t)
        again = setup.key(t, team, problem=said, is_setup=False, replaces=old.id, ends_with=old.ends_with)
        return Problem.beside(ids.KEY, said, again)
    managed = await visit.bot.teams.managed_by(person, groups)
    credentials = await visit.bot.connections.of_team(visit.workspace_id, team.id)
    change = "same" if result.is_same else "replaced"
    notice = keys.changed_words(t, change, result.credential, still_collected=True)
    return Back(keys.manage(t, managed, team, credentials, notice, await _organizations(visit)))


async def disable(visit: Visit, value: str) -> None:
    await _changed(visit, value, "disabled", visit.bot.connections.disable)


async def enable(visit: Visit, value: str) -> None:
    await _changed(visit, value, "enabled", visit.bot.connections.enable)


async def delete(visit: Visit, value: str) -> None:
    await _changed(visit, value, "deleted", visit.bot.connections.delete)


async def _changed(visit: Visit, value: str, change: str, act: Change) -> None:
    if visit.view is not None:
        visit.window = visit.view["id"]
    person, groups = await visit.person(), await visit.groups()
    result = await act(person, number(value), groups)
    t = await visit.words()
    notice = keys.changed_words(t, change, result.credential, still_collected=result.still_collected)
    managed = await visit.bot.teams.managed_by(person, groups)
    team = await visit.bot.teams.get(visit.workspace_id, result.credential.team_id)
    await _show(visit, managed, team, notice)
    await home.refresh(visit)


async def _show(visit: Visit, managed: list[Team], team: Team, notice: str | None = None) -> None:
    credentials = await visit.bot.connections.of_team(visit.workspace_id, team.id)
    organizations = await _organizations(visit)
    await visit.show(keys.manage(await visit.words(), managed, team, credentials, notice, organizations))


async def _organizations(visit: Visit) -> dict[int, str]:
    """What the provider calls whom the keys are of, where it says so."""
    everyone = await visit.bot.connections.all(visit.workspace_id)
    return {one.id: owner_name(one.organization_name, one.organization_id) or "" for one in everyone}
