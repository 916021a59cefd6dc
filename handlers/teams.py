"""Teams: seen and changed by admins."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

from blocks import bad_news, ids, kit, teams
from bot.errors import Refusal, explain
from handlers.submitting import TEAM_FIELDS, Back, Form, Outcome, Problem
from handlers.visit import Visit


async def manage(visit: Visit) -> None:
    """`/finops team`, and the button on Home."""
    await visit.loading()
    await visit.bot.people.require_admin(await visit.person(asks_setup=True))
    await visit.show(teams.manage(await visit.words(), await visit.bot.teams.all(visit.workspace_id)))


async def edit(visit: Visit, value: str) -> None:
    """Open one team."""
    await visit.loading()
    await visit.bot.people.require_admin(await visit.person())
    team = await visit.bot.teams.get(visit.workspace_id, number(value))
    await visit.show(teams.edit(await visit.words(), team))


async def approvers(visit: Visit, value: str) -> None:
    """Open the approvers of one team."""
    await visit.loading()
    await visit.bot.people.require_admin(await visit.person())
    team = await visit.bot.teams.get(visit.workspace_id, number(value))
    is_listed = (visit.view or {}).get("callback_id") != ids.VIEW_TEAM_EDIT
    await visit.show(teams.approvers(await visit.words(), team, await _groups(visit), is_listed=is_listed))


async def submit_edit(form: Form) -> Outcome:
    visit = form.visit
    person, t = await visit.person(), await visit.words()
    typed = {
        ids.TEAM_NAME: form.text(ids.TEAM_NAME),
        ids.TEAM_LEAD: form.user(ids.TEAM_LEAD),
        ids.TEAM_CHANNEL: form.conversation(ids.TEAM_CHANNEL),
        ids.TEAM_LANGUAGE: form.selected(ids.TEAM_LANGUAGE),
    }
    lead = await visit.profile(typed[ids.TEAM_LEAD]) if typed[ids.TEAM_LEAD] else None
    try:
        team = await visit.bot.teams.update(
            person,
            form.number("team"),
            name=typed[ids.TEAM_NAME],
            lead=lead,
            channel_id=typed[ids.TEAM_CHANNEL] or None,
            locale=typed[ids.TEAM_LANGUAGE] or None,
        )
    except Refusal as refusal:
        field = TEAM_FIELDS.get(refusal.code)
        if field is None:
            raise
        team = await visit.bot.teams.get(visit.workspace_id, form.number("team"))
        said = bad_news.sentence(explain(refusal), t)
        return Problem.beside(field, said, teams.edit(t, team, said, typed))
    every = await visit.bot.teams.all(visit.workspace_id)
    return Back(teams.manage(t, every, teams.saved_words(t, team)))


async def submit_approvers(form: Form) -> Outcome:
    visit = form.visit
    person, t = await visit.person(), await visit.words()
    people = [await visit.profile(user) for user in form.users(ids.TEAM_APPROVER_PEOPLE)]
    kept = [str(group) for group in form.ids.get("kept") or []]
    groups, is_listed = form.chosen(ids.TEAM_APPROVER_GROUPS), form.ids.get("listed") is True
    try:
        team = await visit.bot.teams.update(person, form.number("team"), approvers=[*people, *groups, *kept])
    except Refusal as refusal:
        field = TEAM_FIELDS.get(refusal.code)
        if field is None:
            raise
        team = await visit.bot.teams.get(visit.workspace_id, form.number("team"))
        said = bad_news.sentence(explain(refusal), t)
        again = teams.approvers(t, team, await _groups(visit), said, is_listed=is_listed)
        return Problem.beside(field, said, again)
    if is_listed:
        every = await visit.bot.teams.all(visit.workspace_id)
        return Back(teams.manage(t, every, teams.saved_words(t, team)))
    return Back(teams.edit(t, team))


async def _groups(visit: Visit) -> list[tuple[str, str]]:
    """The user groups of the workspace; none where the plan or the granted scopes have none."""
    try:
        answer = await visit.client.usergroups_list()
    except SlackApiError:
        return []
    found = answer.get("usergroups") or []
    return [(str(group["id"]), str(group.get("name") or group.get("handle"))) for group in found]


def number(value: str) -> int:
    """An id from a button; -1, which is nobody's, when somebody sent something else."""
    return int(value) if kit.is_key(value) else -1
