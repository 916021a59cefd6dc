"""Modals of the set-up: a team, its key, its projects. At most three inputs a step, and always a way on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blocks import ids, kit, teams, trials
from finops.figures import SetupProgress, SetupStep
from finops.registry import LONGEST_TEAM_NAME, Team
from locales import Translator

ADMIN_KEYS_URL = "https://platform.openai.com/settings/organization/admin-keys"
KEY_LENGTH = 300
# Team, key, projects, a test alert, and the first chart, as Home counts them.
_STEPS = 5


def loading(t: Translator, title: str | None = None) -> kit.View:
    """What opens at once, because a click is only good for three seconds; the real view replaces it."""
    heading = title or t.gettext("One moment")
    sentence = t.gettext(":hourglass_flowing_sand: Reading what is known…")
    return kit.modal(heading, [kit.section(sentence)], close=t.gettext("Close"), callback_id=ids.VIEW_LOADING)


def checking(t: Translator) -> kit.View:
    """While the provider is asked about a key or a project."""
    sentence = t.gettext(":hourglass_flowing_sand: Asking OpenAI. This takes a few seconds; the answer appears here.")
    # i18n: title of a modal, 24 characters
    heading = t.gettext("Checking")
    return kit.modal(heading, [kit.section(sentence)], close=t.gettext("Close"), callback_id=ids.VIEW_LOADING)


def team(t: Translator, *, user_id: str, channel_id: str | None = None, problem: str | None = None,
         typed: Mapping[str, str] | None = None, is_setup: bool = True,
         is_further: bool = False) -> kit.View:  # fmt: skip
    """Step 1: name, lead, channel. Told in the reader's language; of a further team (`is_further`) that can be chosen.

    The first time three inputs are enough: the language is named there, and where it is changed.
    """
    given = typed or {}
    lead = {"type": "users_select", "initial_user": given.get(ids.TEAM_LEAD) or user_id}
    channel = kit.channel_select(given.get(ids.TEAM_CHANNEL) or channel_id)
    parts = [
        *_problem(problem),
        kit.section(t.gettext("Costs belong to a team. Everything can be changed later.")),
        kit.text_input(
            ids.TEAM_NAME,
            t.gettext("Team name"),
            placeholder=t.gettext("for example: Marketing"),
            initial=given.get(ids.TEAM_NAME),
            max_length=LONGEST_TEAM_NAME,
        ),
        kit.input_block(ids.TEAM_LEAD, t.gettext("Lead"), lead, hint=t.gettext("Answers for the team's costs.")),
        kit.input_block(
            ids.TEAM_CHANNEL,
            t.gettext("Channel"),
            channel,
            hint=t.gettext("Cost notices go here. For a private channel, invite FinOps first."),
        ),
        _language(t, given.get(ids.TEAM_LANGUAGE), is_further=is_further),
        *_step(1, is_setup=is_setup, t=t),
    ]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("New team"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Create team"),
        close=t.gettext("Cancel"),
        callback_id=ids.SETUP_TEAM,
        metadata={"setup": is_setup, "further": is_further},
    )


def _language(t: Translator, typed: str | None, *, is_further: bool) -> kit.Block:
    if is_further:
        return teams.language_input(t, typed or t.language)
    language = teams.language_name(t.language)
    return kit.context(
        t.gettext("The channel is told in {language}. To change that later: `/finops team`", language=language)
    )


def key(t: Translator, team_: Team, *, problem: str | None = None, is_setup: bool = True,
        replaces: int | None = None, ends_with: str | None = None) -> kit.View:  # fmt: skip
    """Step 2: the Admin key, with where to make one and the least it needs. Never shown again after this."""
    intro = (
        t.gettext("Paste the new Admin key of *{team}*. It takes the place of the key that ends with ...{ends_with}.",
                  team=kit.name(team_.name), ends_with=kit.name(ends_with or ""))
        if replaces is not None
        else t.gettext("Connect OpenAI to *{team}* with an Admin API key.", team=kit.name(team_.name))
    )  # fmt: skip
    guide = t.gettext(
        "1. Open *Admin keys* in the OpenAI console (organization owners only)\n"
        "2. *Create new admin key*, permissions *Restricted*\n"
        "3. *Usage: read* to read costs, *Management: read* to list projects, and *Management: write* for the button "
        "that stops spending. Without the last, everything works but that button; a second key may bring it later."
    )
    promise = t.gettext(
        "Checked with OpenAI at once, stored encrypted, never shown again. An Admin key cannot call models: it "
        "costs nothing."
    )
    parts = [
        *_problem(problem),
        kit.section(intro),
        kit.section(guide, kit.button(t.gettext("Open the console"), ids.LINK + "admin_keys", url=ADMIN_KEYS_URL)),
        kit.text_input(
            ids.KEY, t.gettext("Admin API key"), placeholder="sk-admin-…", max_length=KEY_LENGTH, hint=promise
        ),
        *_step(2, is_setup=is_setup, t=t),
    ]
    metadata: dict[str, object] = {"team": team_.id, "setup": is_setup}
    if replaces is not None:
        metadata["key"] = replaces
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Replace the Admin key") if replaces is not None else t.gettext("Admin API key"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Replace") if replaces is not None else t.gettext("Register the key"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_KEY_REPLACE if replaces is not None else ids.SETUP_KEY,
        metadata=metadata,
    )


def projects(t: Translator, team_: Team, *, may_list: bool, found: int | None = None, problem: str | None = None,
             is_setup: bool = True) -> kit.View:  # fmt: skip
    """Step 3: projects, searched by name; typing an id is possible and never necessary, if keys `may_list` projects."""
    picker = {
        "type": "multi_external_select",
        "placeholder": {"type": "plain_text", "text": t.gettext("Search by name or id"), "emoji": True},
        "min_query_length": 0,
    }
    intro = t.gettext("Which projects belong to *{team}*?", team=kit.name(team_.name))
    if found is not None:
        offered = t.ngettext(
            "{count} project was found in this organization.",
            "{count} projects were found in this organization.",
            found,
        )
        intro = f"{intro}\n{offered}"
    if not may_list:
        intro += "\n" + t.gettext(
            "△ The registered key may not list projects: only those with costs in the last 30 days are found, and by "
            "Project ID (proj_…) alone. With the *Management: read* permission all are found by name."
        )
    checked = t.gettext("Checked with OpenAI before it is registered.")
    parts = [
        *_problem(problem),
        kit.section(intro),
        kit.input_block(
            ids.PROJECTS,
            t.gettext("Projects"),
            picker,
            hint=t.gettext("Projects of other teams are marked. A project belongs to one team only."),
            is_optional=True,
        ),
        kit.input_block(
            ids.PROJECTS_ALL,
            t.gettext("Or all at once"),
            {
                "type": "checkboxes",
                "options": [kit.option(t.gettext("Every project that no team has registered yet"), ids.PROJECTS_ALL)],
            },
            is_optional=True,
        ),
        kit.text_input(
            ids.PROJECT_TYPED,
            t.gettext("Or type a Project ID"),
            placeholder="proj_…",
            hint=checked if may_list else t.gettext("Registered if a bill names it."),
            is_optional=True,
            max_length=100,
        ),
        *_step(3, is_setup=is_setup, t=t),
    ]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Choose projects"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Register"),
        close=t.gettext("Cancel"),
        callback_id=ids.SETUP_PROJECTS,
        metadata={"team": team_.id, "setup": is_setup},
    )


def waiting(
    t: Translator,
    lines: Sequence[str],
    progress: SetupProgress,
    unfinished: Team | None = None,
    *,
    may_try: bool = True,
) -> kit.View:
    """Nothing left to do but to try an alert: the set-up is complete, or only collecting is not over yet.

    `unfinished` is a further team whose window somebody closed half-way: what it lacks, and the button for that.
    `may_try`: whether this reader may send a test alert, and so gets its button.
    """
    parts: list[kit.Block] = [kit.section(t.gettext(":white_check_mark: *The set-up is complete.*"))]
    if unfinished is not None:
        parts = [_unfinished(unfinished, progress, t)]
    if progress.team_id is not None and may_try:
        parts += trials.offer(progress.team_id, t, is_proved=progress.is_proved)
    if lines:
        parts.append(kit.section("\n".join(lines)))
    parts.append(kit.section(t.gettext("See what was spent: `/finops status`. Another team: `/finops team`.")))
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("Set-up"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def _unfinished(team_: Team, progress: SetupProgress, t: Translator) -> kit.Block:
    if progress.lacks is SetupStep.KEY:
        said = t.gettext(":arrow_right: *{team}* has no Admin API key yet.", team=kit.name(team_.name))
        return kit.section(said, kit.button(t.gettext("Register the key"), ids.KEY_NEW, team_.id, style="primary"))
    said = t.gettext(":arrow_right: *{team}* has no projects yet.", team=kit.name(team_.name))
    return kit.section(said, kit.button(t.gettext("Choose projects"), ids.PROJECT_NEW, team_.id, style="primary"))


def _problem(problem: str | None) -> list[kit.Block]:
    return [kit.alert(problem)] if problem else []


def _step(number: int, *, is_setup: bool, t: Translator) -> list[kit.Block]:
    if not is_setup:
        return []
    return [kit.context(t.gettext("Step {number} of {total}", number=number, total=_STEPS))]
