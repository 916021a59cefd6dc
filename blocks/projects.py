"""Projects: what a team registered, what became of a choice, what can be done with one."""

from __future__ import annotations

from collections.abc import Sequence

from blocks import ids, kit, trials
from blocks.teams import team_heading
from finops.budgets import BudgetScope
from finops.registry import KnownProject, Project, Team
from locales import Translator

_NAMES_SHOWN = 10
_LIST_SHOWN = 30


def registered(
    t: Translator, team: Team, projects: Sequence[Project], taken: Sequence[KnownProject], *,
    collection_started: bool, has_history: bool, is_told: bool = True, is_setup: bool = False,
) -> kit.View:  # fmt: skip
    """What became of a choice: registered, taken by others, and when the first cost appears. `is_told`: the progress of
    what is being collected comes to this reader, and not to who asked before.

    At the end of the set-up (`is_setup`) with the button that tries an alert; where there is nothing, the way back.
    """
    parts: list[kit.Block] = []
    if projects:
        headline = t.ngettext(
            "{count} project was registered for *{team}*.",
            "{count} projects were registered for *{team}*.",
            len(projects),
            team=kit.name(team.name),
        )
        parts.append(kit.section(f":white_check_mark: {headline}\n{_names([p.name for p in projects], t)}"))
        parts.append(kit.section(_when(t, collection_started, has_history, is_told)))
    else:
        parts.append(kit.alert(t.gettext("No project was registered.")))
    if taken:
        lines = [t.gettext("Registered by another team already, so left there:")]
        lines += [f"• {kit.name(p.name)} — {kit.name(p.team_name or '-')}" for p in taken[:_NAMES_SHOWN]]
        more = len(taken) - _NAMES_SHOWN
        if more > 0:
            lines.append(t.ngettext("and {count} more", "and {count} more", more))
        parts.append(kit.section("\n".join(lines)))
    if not projects:
        parts.append(kit.actions(kit.button(t.gettext("Register projects"), ids.PROJECT_NEW, team.id, style="primary")))
    elif is_setup:
        parts += trials.offer(team.id, t, is_proved=False)
    if projects:
        parts.append(kit.section(t.gettext("See what was spent: `/finops status`")))
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("Projects"), parts, close=t.gettext("Done"), callback_id=ids.VIEW_INFO)


def _when(t: Translator, collection_started: bool, has_history: bool, is_told: bool) -> str:
    if collection_started and not is_told:
        return t.gettext("Past costs are being collected already. How far that is stands on Home.")
    if collection_started:
        return t.gettext(
            "Past costs are being collected. Progress and the first chart arrive as a direct message; "
            "you may close this."
        )
    if has_history:
        return t.gettext("Their costs are in the ledger already and count for the team from now on, the past included.")
    return t.gettext("Project ID registered. Cost data is collected from tomorrow.")


def manage(
    t: Translator, teams: Sequence[Team], team: Team, projects: Sequence[Project], *, chosen: Project | None = None,
    notice: str | None = None,
) -> kit.View:  # fmt: skip
    """The projects of one team; one of them, once found by name, with what can be done."""
    parts = [kit.alert(notice, "success")] if notice else []
    alone = t.gettext("Projects of *{team}*", team=kit.name(team.name))
    parts.append(team_heading(ids.PROJECT_TEAM, t.gettext("Projects of"), alone, teams, team, t))
    if projects:
        finder = {
            "type": "external_select",
            "action_id": ids.PROJECT_FIND,
            "min_query_length": 0,
            "placeholder": {"type": "plain_text", "text": t.gettext("Find a project"), "emoji": True},
        }
        parts.append(kit.actions(finder, block_id="find"))
        parts += _card(chosen, t) if chosen else [kit.section(_list(projects, t))]
    else:
        parts.append(
            kit.section(t.gettext("No project yet. Registered projects show up with the team's name on every bill."))
        )
    new = kit.button(t.gettext("Register projects"), ids.PROJECT_NEW, team.id, style=None if projects else "primary")
    budgets = kit.button(t.gettext("Team budgets"), ids.BUDGET_COVERING, f"{BudgetScope.TEAM}:{team.id}")
    parts += [kit.divider(), kit.actions(new, budgets)]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Projects"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO, metadata={"team": team.id},
    )  # fmt: skip


def options(projects: Sequence[KnownProject], team_id: int, t: Translator) -> list[kit.Block]:
    """What a search found, as entries of the picker; those of other teams say whose they are."""
    found = []
    for project in projects[: kit.OPTIONS]:
        detail = project.provider_project_id
        if project.team_name and project.team_id != team_id:
            detail = t.gettext("belongs to {team}", team=kit.bare(project.team_name, 40))
        elif project.team_name:
            detail = t.gettext("registered already")
        found.append(kit.option(project.name, project.provider_project_id, detail))
    return found


def registered_options(projects: Sequence[Project], t: Translator) -> list[kit.Block]:
    """A team's own projects as entries of the finder."""
    excluded = t.gettext("excluded")
    return [
        kit.option(p.name, p.id, f"{p.provider_project_id} · {excluded}" if p.excluded else p.provider_project_id)
        for p in projects[: kit.OPTIONS]
    ]


def changed_words(t: Translator, change: str, project: Project) -> str:
    """What happened to a project."""
    name = kit.name(project.name)
    match change:
        case "excluded":
            return t.gettext(
                "*{project}* is excluded; its costs show as unallocated. Spending does not stop.", project=name
            )
        case "included":
            return t.gettext("*{project}* counts for its team again, its whole past included.", project=name)
        case "saved":
            return t.gettext("*{project}* was saved.", project=name)
        case _:
            return t.gettext("*{project}* is unregistered; its costs are unallocated from now on.", project=name)


def edit(t: Translator, project: Project, team: Team, problem: str | None = None) -> kit.View:
    """What a project is for and who leads it: all optional, none of it changes what is collected."""
    lead: kit.Block = {"type": "users_select"}
    if project.lead_user_id:
        lead["initial_user"] = project.lead_user_id
    texts = (
        (ids.PROJECT_ENVIRONMENT, t.gettext("Environment"), t.gettext("for example: production"), project.environment),
        (ids.PROJECT_SERVICE, t.gettext("Service"), t.gettext("for example: customer chat"), project.service),
        (ids.PROJECT_COST_CENTER, t.gettext("Cost center"), t.gettext("for example: MKT-001"), project.cost_center),
    )
    parts = [
        *([kit.alert(problem)] if problem else []),
        kit.section(f"*{kit.name(project.name)}*"),
        *(
            kit.text_input(name, label, placeholder=hint, initial=value, is_optional=True)
            for name, label, hint, value in texts
        ),
        kit.input_block(
            ids.PROJECT_LEAD,
            t.gettext("Lead"),
            lead,
            hint=t.gettext("Left empty, the team's lead answers for it."),
            is_optional=True,
        ),
    ]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Edit project"), parts, submit=t.gettext("Save"), close=t.gettext("Cancel"),
        callback_id=ids.VIEW_PROJECT_EDIT, metadata={"team": team.id, "project": project.id},
    )  # fmt: skip


def _card(project: Project, t: Translator) -> list[kit.Block]:
    state = t.gettext("○ excluded") if project.excluded else t.gettext("● counted")
    facts = [f"*{kit.name(project.name)}*  {state}", f"`{kit.name(project.provider_project_id)}`"]
    labels = (
        (t.gettext("Environment"), project.environment),
        (t.gettext("Service"), project.service),
        (t.gettext("Cost center"), project.cost_center),
    )
    facts += [f"{label}: {kit.name(value)}" for label, value in labels if value]
    if project.lead_user_id:
        lead = t.gettext("Lead")
        facts.append(f"{lead}: {kit.mention(project.lead_user_id)}")
    return [kit.section("\n".join(facts)), _buttons(project, t)]


def _buttons(project: Project, t: Translator) -> kit.Block:
    unregister = kit.button(
        t.gettext("Unregister"),
        ids.PROJECT_UNREGISTER,
        project.id,
        style="danger",
        confirm=kit.confirm(
            t.gettext("Unregister this project?"),
            t.gettext(
                "Its costs stay in the ledger and show as unallocated. Another team may register it; recorded "
                "outcomes, event tokens, target and budgets do not come along. Spending does not stop."
            ),
            t.gettext("Unregister"),
            t.gettext("Keep it"),
            is_danger=True,
        ),
    )
    if project.excluded:
        toggle = kit.button(t.gettext("Take back in"), ids.PROJECT_INCLUDE, project.id)
    else:
        toggle = kit.button(
            t.gettext("Exclude"),
            ids.PROJECT_EXCLUDE,
            project.id,
            confirm=kit.confirm(
                t.gettext("Exclude this project?"),
                t.gettext(
                    "Its costs count as unallocated from now on. Spending does not stop, nothing is deleted, and "
                    "it can be taken back."
                ),
                t.gettext("Exclude"),
                t.gettext("Keep it"),
            ),
        )
    detail = kit.button(t.pgettext("button", "Details"), ids.PROJECT_DETAIL, project.id)
    edit_ = kit.button(t.gettext("Edit"), ids.PROJECT_EDIT, project.id)
    budgets = kit.button(t.gettext("Budgets"), ids.BUDGET_COVERING, f"{BudgetScope.PROJECT}:{project.id}")
    return kit.actions(detail, edit_, budgets, toggle, unregister, block_id=f"project_{project.id}")


def _list(projects: Sequence[Project], t: Translator) -> str:
    excluded = t.gettext("excluded")
    lines = [f"• {kit.name(p.name)}" + (f" ({excluded})" if p.excluded else "") for p in projects[:_LIST_SHOWN]]
    more = len(projects) - _LIST_SHOWN
    if more > 0:
        lines.append(t.ngettext("and {count} more; find it by name", "and {count} more; find them by name", more))
    return "\n".join(lines)


def _names(names: Sequence[str], t: Translator) -> str:
    shown = ", ".join(kit.name(name) for name in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    if more > 0:
        return t.ngettext("{names} and {count} more", "{names} and {count} more", more, names=shown)
    return shown
