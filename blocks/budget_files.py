"""Budgets as a file: shown to be copied, taken in again, and what it would change before anything does."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from blocks import budget_words as words
from blocks import figures, ids, kit
from blocks.incident_words import limit_name
from finops.budget_report import ImportPlan, ScopeChoice, changes_count
from finops.budgets import BudgetTerms
from locales import Translator

EXPORT_COMMAND = "python3 run.py run budgets export budgets.yaml"
IMPORT_COMMAND = "python3 run.py run budgets import budgets.yaml"
_SHOWN = 10


def exported(text: str, t: Translator) -> kit.View:
    """The file to be copied. One that does not fit is not shown in part: importing a part would delete the rest."""
    if len(text) > kit.TEXT_AREA:
        told = t.ngettext(
            "The file has {count} character, and Slack shows {limit} at most. A part of it is no file: importing it "
            "would delete the budgets of the other part. An operator writes all of it on the server:",
            "The file has {count} characters, and Slack shows {limit} at most. A part of it is no file: importing it "
            "would delete the budgets of the other part. An operator writes all of it on the server:",
            len(text),
            limit=t.number(kit.TEXT_AREA),
        )
        parts = [kit.section(told), kit.preformatted(EXPORT_COMMAND)]
    else:
        intro = t.gettext("All budgets in force. Copy them, keep them, change them, and import them again.")
        parts = [kit.section(intro), kit.preformatted(text)]
    parts.append(
        kit.actions(
            kit.button(t.gettext("Import"), ids.BUDGET_IMPORT), kit.button(t.gettext("All budgets"), ids.BUDGET_MANAGE)
        )
    )
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("Export budgets"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def asked(t: Translator, text: str = "", *, problem: str | None = None, turn: int = 0) -> kit.View:
    """The window a file is pasted into. Submitting it only shows what would change."""
    intro = t.gettext(
        "Paste the whole file. *Budgets that are not in it are deleted*; switched off ones stay. First you see what "
        "would change; nothing changes before you agree."
    )
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Import budgets"),
        [*([kit.alert(problem)] if problem else []), kit.section(intro), _area(text, turn, t), kit.context(_limit(t))],
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Show what changes"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_BUDGET_IMPORT,
        metadata={"turn": turn},
    )


def planned(plan: ImportPlan, text: str, t: Translator, *, turn: int, has_moved: bool = False) -> kit.View:
    """What the file would change; agreed to by submitting. `has_moved`: it is not what was shown before."""
    parts: list[kit.Block] = []
    if has_moved:
        parts.append(
            kit.alert(t.gettext("The budgets or the file changed meanwhile, so nothing was applied. This is it now."))
        )
    if plan.diff.is_empty:
        parts.append(kit.section(t.gettext(":white_check_mark: Nothing would change: the budgets are as in the file.")))
    else:
        parts += [kit.section(said) for said in _changes(plan, t, kit.name, "*")]
    notes = _notes(plan, t)
    parts += [kit.context(notes)] if notes else []
    parts += [kit.divider(), _area(text, turn, t)]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("What would change"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Show what changes") if plan.diff.is_empty else t.gettext("Apply"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_BUDGET_IMPORT,
        metadata={"turn": turn} if plan.diff.is_empty else {"turn": turn, "mark": plan.mark},
    )


def applied_words(plan: ImportPlan, t: Translator) -> str:
    """What an import did, for mrkdwn."""
    return t.ngettext(
        "{count} budget was changed as in the file.",
        "{count} budgets were changed as in the file.",
        changes_count(plan.diff),
    )


def report(plan: ImportPlan, t: Translator) -> str:
    """The same for a terminal: every change, and what to do next."""
    if plan.is_applied:
        last = applied_words(plan, t)
    elif plan.diff.is_empty:
        last = t.gettext("Nothing would change: the budgets are as in the file.")
    else:
        last = t.gettext("Nothing was changed yet. To apply it, run it again with --apply.")
    notes = _notes(plan, t)
    parts = [*_changes(plan, t, kit.bare, "", limit=None), *([notes] if notes else []), last]
    # A terminal draws no link to a channel.
    return re.sub(r"<#(\w+)>", r"\1", "\n\n".join(parts)) + "\n"


def _changes(
    plan: ImportPlan, t: Translator, name: Callable[[str], str], mark: str, limit: int | None = _SHOWN
) -> list[str]:
    """A paragraph for each kind of change: added, changed before → after, removed."""

    def told(terms: BudgetTerms, *more: str) -> str:
        scope = plan.names.get((terms.scope_kind, terms.scope_id)) or ScopeChoice(terms.scope_kind, terms.scope_id)
        named = f"{mark}{name(words.scope_name(scope, t))}{mark}"
        return "• " + " · ".join([named, limit_name(terms.period, t), *more])

    added = [told(terms, figures.decided(terms.amount, t), *words.details(terms, t)) for terms in plan.diff.added]
    changed = [told(one.after, *words.differences(one.before, one.after, t)) for one in plan.diff.changed]
    removed = [told(terms, figures.decided(terms.amount, t)) for _, terms in plan.diff.removed]
    kinds = (
        (t.ngettext("➕ {count} added", "➕ {count} added", len(added)), added),
        (t.ngettext("✏️ {count} changed", "✏️ {count} changed", len(changed)), changed),
        (t.ngettext("➖ {count} deleted", "➖ {count} deleted", len(removed)), removed),
    )
    return [_paragraph(f"{mark}{head}{mark}", lines, t, limit) for head, lines in kinds if lines]


def _paragraph(head: str, lines: Sequence[str], t: Translator, limit: int | None) -> str:
    shown = list(lines[:limit])
    more = len(lines) - len(shown)
    if more > 0:
        shown.append(t.ngettext("and {count} more", "and {count} more", more))
    return "\n".join([head, *shown])


def _notes(plan: ImportPlan, t: Translator) -> str:
    notes = []
    unchanged = len(plan.diff.unchanged)
    if unchanged:
        notes.append(t.ngettext("{count} stays as it is", "{count} stay as they are", unchanged))
    if plan.others:
        notes.append(
            t.ngettext(
                "{count} switched off, or of a removed project, is left alone",
                "{count} switched off, or of removed projects, are left alone",
                plan.others,
            )
        )
    return " · ".join(notes)


def _area(text: str, turn: int, t: Translator) -> kit.Block:
    element = {"action_id": ids.BUDGET_FILE, **kit.typed(kit.TEXT_AREA, text, "version: 1", is_multiline=True)}
    name = f"{ids.BUDGET_FILE}.{turn}" if turn else ids.BUDGET_FILE
    return kit.input_block(name, t.gettext("File (YAML)"), element)


def _limit(t: Translator) -> str:
    return t.gettext(
        "{limit} characters fit here. For a longer file, on the server: {command}",
        limit=t.number(kit.TEXT_AREA),
        command=f"`{IMPORT_COMMAND}`",
    )
