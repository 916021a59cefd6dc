"""Teams: who owns costs, who hears about them, who may approve."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from blocks import ids, kit
from finops.registry import LONGEST_TEAM_NAME, Team
from locales import Translator, translator_for

_TEAMS_SHOWN = 30
# Each by its own name: whoever looks for a language reads it.
LANGUAGES = {"ko": "한국어", "en": "English", "ja": "日本語"}


def manage(t: Translator, teams: Sequence[Team], notice: str | None = None) -> kit.View:
    """Every team with its lead, its channel and the language that is told in."""
    parts: list[kit.Block] = [kit.alert(notice, "success")] if notice else []
    if not teams:
        parts.append(kit.section(t.gettext("No team yet. Costs belong to a team; begin with one.")))
    for team in teams[:_TEAMS_SHOWN]:
        parts += [kit.section(_line(team, t)), kit.actions(_edit_button(team, t), _approvers_button(team, t))]
    more = len(teams) - _TEAMS_SHOWN
    if more > 0:
        parts.append(kit.context(t.ngettext("and {count} more team", "and {count} more teams", more)))
    new = kit.button(t.gettext("Add a team"), ids.TEAM_NEW, style=None if teams else "primary")
    parts += [kit.divider(), kit.actions(new)]
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("Teams"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def team_heading(
    action_id: str, several: str, alone: str, teams: Sequence[Team], team: Team, t: Translator
) -> kit.Block:
    """Whose things a window shows: `alone` names the team, or `several` stands before the choice among them."""
    if len(teams) < 2:
        return kit.section(alone)
    options = [kit.option(each.name, each.id) for each in teams]
    return kit.section(several, kit.select(action_id, t.gettext("Choose a team"), options, team.id), block_id="team")


def edit(t: Translator, team: Team, problem: str | None = None, typed: Mapping[str, str] | None = None) -> kit.View:
    """Name, lead, channel and language of a team; approvers stand behind a button, so four inputs are enough."""
    given = typed or {}
    channel = kit.channel_select(given.get(ids.TEAM_CHANNEL) or team.channel_id)
    lead = {"type": "users_select", "initial_user": given.get(ids.TEAM_LEAD) or team.lead_user_id}
    approvers = _approvers_button(team, t)
    parts = [
        *([kit.alert(problem)] if problem else []),
        kit.text_input(
            ids.TEAM_NAME,
            t.gettext("Team name"),
            initial=given.get(ids.TEAM_NAME) or team.name,
            max_length=LONGEST_TEAM_NAME,
        ),
        kit.input_block(ids.TEAM_LEAD, t.gettext("Lead"), lead),
        kit.input_block(ids.TEAM_CHANNEL, t.gettext("Channel"), channel),
        language_input(t, given.get(ids.TEAM_LANGUAGE) or team.locale),
        kit.actions(approvers),
    ]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Edit team"), parts, submit=t.gettext("Save"), close=t.gettext("Cancel"),
        callback_id=ids.VIEW_TEAM_EDIT, metadata={"team": team.id},
    )  # fmt: skip


def approvers(
    t: Translator,
    team: Team,
    groups: Sequence[tuple[str, str]] = (),
    problem: str | None = None,
    *,
    is_listed: bool = False,
) -> kit.View:
    """Who may approve for a team: people, and user groups where the workspace has any (`groups`: id and name).

    `is_listed`: below it stands the list of teams, else the team itself.
    """
    people = [member for member in team.approvers if member not in team.approver_groups]
    picker: kit.Block = {"type": "multi_users_select", "max_selected_items": 20}
    if people:
        picker["initial_users"] = people[:20]
    label = t.gettext("People who may approve")
    hint = t.gettext("Beside admins and the lead. Guests and bots cannot approve.")
    parts = [
        *([kit.alert(problem)] if problem else []),
        kit.section(t.gettext("Approvers of *{team}*", team=kit.name(team.name))),
        kit.input_block(ids.TEAM_APPROVER_PEOPLE, label, picker, hint=hint, is_optional=True),
    ]
    chosen: Collection[str] = team.approver_groups
    options = [kit.option(f"@{name}", group) for group, name in groups[: kit.OPTIONS]]
    if options:
        menu: kit.Block = {"type": "multi_static_select", "options": options}
        initial = [option for option in options if option["value"] in chosen]
        if initial:
            menu["initial_options"] = initial
        parts.append(kit.input_block(ids.TEAM_APPROVER_GROUPS, t.gettext("User groups"), menu, is_optional=True))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Approvers"), parts, submit=t.gettext("Save"), close=t.gettext("Cancel"),
        callback_id=ids.VIEW_TEAM_APPROVERS,
        metadata={"team": team.id, "kept": [] if options else list(chosen)[:50], "listed": is_listed},
    )  # fmt: skip


def _line(team: Team, t: Translator) -> str:
    return t.gettext(
        "*{team}*\nLead {lead} · {channel} · {language}",
        team=kit.name(team.name),
        lead=kit.mention(team.lead_user_id),
        channel=f"<#{team.channel_id}>",
        language=language_name(team.locale),
    )


def _edit_button(team: Team, t: Translator) -> kit.Block:
    return kit.button(t.gettext("Edit"), ids.TEAM_EDIT, team.id)


def _approvers_button(team: Team, t: Translator) -> kit.Block:
    return kit.button(
        t.gettext("Approvers · {count}", count=t.number(len(team.approvers))), ids.TEAM_APPROVERS, team.id
    )


def language_input(t: Translator, locale: str) -> kit.Block:
    """In which language a team's channel is told; the one that `locale` is spoken to in stands when it opens."""
    options = [kit.option(name, language) for language, name in LANGUAGES.items()]
    menu = kit.select(ids.TEAM_LANGUAGE, t.gettext("Language"), options, translator_for(locale).language)
    hint = t.gettext("What is told in the channel. Each person still reads their own language in private.")
    return kit.input_block(ids.TEAM_LANGUAGE, t.gettext("Language"), menu, hint=hint)


def language_name(locale: str) -> str:
    """The language that a locale is spoken to in, by its own name."""
    return LANGUAGES[translator_for(locale).language]


def saved_words(t: Translator, team: Team) -> str:
    """That a change is in."""
    return t.gettext("*{team}* was saved.", team=kit.name(team.name))
