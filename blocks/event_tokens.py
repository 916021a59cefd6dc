"""Event tokens in words: what records a project's calls, how one is made, and the one time it is shown."""

from __future__ import annotations

from blocks import ids, kit
from finops.events import LONGEST_TOKEN_NAME
from finops.project_report import ProjectReport, TokenShown
from finops.registry import Project
from locales import Translator

_SHOWN = 10


def tokens(report: ProjectReport, t: Translator) -> list[kit.Block]:
    """The tokens in force of a project, each with the way to revoke it."""
    held = report.tokens or ()
    if not held:
        return [kit.section(t.gettext("*Event tokens*  none yet"))]
    parts = [kit.section(t.gettext("*Event tokens*"))]
    parts += [_row(one, report, t) for one in held[:_SHOWN]]
    more = len(held) - _SHOWN
    if more > 0:
        parts.append(kit.context(t.ngettext("and {count} more", "and {count} more", more)))
    return parts


def new(t: Translator, project: Project, period: str, problem: str | None = None) -> kit.View:
    """The window in which a token is asked for: one name."""
    parts = [kit.alert(problem)] if problem else []
    parts.append(
        kit.section(
            t.gettext(
                "*{project}*\nWith the token an application tells which calls it made and how they ended. It can do "
                "nothing else, and reads nothing.",
                project=kit.name(project.name),
            )
        )
    )
    parts.append(
        kit.text_input(
            ids.TOKEN_NAME,
            t.gettext("Which application uses it?"),
            placeholder=t.gettext("for example: web-backend"),
            max_length=LONGEST_TOKEN_NAME,
        )
    )
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Event token"), parts, submit=t.gettext("Make"), close=t.gettext("Cancel"),
        callback_id=ids.VIEW_TOKEN_NEW, metadata={"project": project.id, "period": period},
    )  # fmt: skip


def made(t: Translator, project: Project, token: str, shown: TokenShown, address: str) -> kit.View:
    """The one time a token is shown, with the line that tries it out."""
    trial = (
        f"curl {address}/v1/events \\\n"
        f'  -H "Authorization: Bearer {token}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -d \'{"id": "test-1", "task": "test", "outcome": "success"}\''
    )
    warning = t.gettext("Copy the token now: it is shown this once, and kept nowhere.")
    parts = [
        kit.alert(
            t.gettext(
                "The token *{name}* of *{project}* is in force.",
                name=kit.name(shown.name),
                project=kit.name(project.name),
            ),
            "success",
        ),
        kit.section(f":warning: *{warning}*"),
        kit.preformatted(token),
        kit.section(t.gettext("*Try it out*")),
        kit.preformatted(trial),
        kit.context(t.gettext("Keep it as you keep passwords. Whoever has it can record calls of this project only.")),
    ]
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("Event token"), parts, close=t.gettext("Done"), callback_id=ids.VIEW_INFO)


def revoked_words(t: Translator, shown: TokenShown) -> str:
    """What happened to a token, and what it means for what was recorded."""
    return t.gettext(
        "The token *{name}* is revoked: it records nothing from now on. What it recorded is kept.",
        name=kit.name(shown.name),
    )


def _row(one: TokenShown, report: ProjectReport, t: Translator) -> kit.Block:
    if one.last_used_at is not None:
        used = t.gettext("last used {moment}", moment=t.moment(one.last_used_at))
    else:
        used = t.gettext("not used yet")
    revoke = kit.button(
        t.gettext("Revoke"),
        ids.TOKEN_REVOKE,
        f"project:{report.project.id}/{report.status.query.name}/{one.id}",
        confirm=kit.confirm(
            t.gettext("Revoke this token?"),
            t.gettext(
                "From now on nothing can be recorded with it, and that cannot be undone. The application itself goes "
                "on working; what was recorded is kept."
            ),
            t.gettext("Revoke"),
            t.gettext("Keep it"),
            is_danger=True,
        ),
    )
    return kit.section(f"{kit.name(one.name)}  `...{kit.name(one.ends_with)}`\n{used}", revoke, f"token_{one.id}")
