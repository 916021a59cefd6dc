"""Whose keys or projects a window shows: the team that was named, else the first one that this person answers for."""

from __future__ import annotations

from blocks import setup
from finops.registry import Person, Team
from handlers.teams import number
from handlers.visit import Visit


async def team_asked_for(visit: Visit, value: str) -> tuple[Team | None, list[Team]]:
    """`chosen_team` for the window that takes this one's place; where there is no team at all, it asks an admin to make
    the first.
    """
    await visit.in_place()
    person = await visit.person(asks_setup=True)
    team, managed = await chosen_team(visit, person, value)
    if team is None:
        await visit.bot.people.require_admin(person)
        await visit.show(setup.team(await visit.words(), user_id=visit.user_id))
    return team, managed


async def chosen_team(visit: Visit, person: Person, value: str) -> tuple[Team | None, list[Team]]:
    """The team a button or menu names, else the first this person answers for; and all of those.

    None when there is no team at all. Refuses when there are teams, and this person answers for none of them.
    """
    groups = await visit.groups()
    if value:
        team = await visit.bot.teams.require_manager(person, number(value), groups)
        return team, await visit.bot.teams.managed_by(person, groups)
    managed = await visit.bot.teams.managed_by(person, groups)
    if not managed:
        if await visit.bot.teams.all(visit.workspace_id):
            await visit.bot.teams.require_any(person, groups)
        return None, []
    return managed[0], managed
