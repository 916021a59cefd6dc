"""Budgets: all of them with what is spent now, and what teaches the first one. One of them: blocks/budget_form.py."""

from __future__ import annotations

from collections.abc import Sequence

from blocks import budget_words as words
from blocks import ids, incident_words, kit, value
from blocks.budget_form import finder, option, suggestion_words
from finops.budget_report import BudgetsReport, BudgetStanding, FirstStep, ScopeChoice
from finops.budgets import Budget, BudgetAction, BudgetScope
from finops.periods import charge_day, starts_at
from finops.value import ValueSource
from locales import Translator

_SHOWN = 20
_FINDER_FROM = 8


def listed(report: BudgetsReport, t: Translator, notice: str | None = None) -> kit.View:
    """Every budget, the fullest first; or what teaches the first step where there is none."""
    parts: list[kit.Block] = [kit.alert(notice, "success")] if notice else []
    covering = report.covering
    if covering is not None:
        name = kit.escape(words.scope_name(covering, t))
        everything = kit.button(t.gettext("All budgets"), ids.BUDGET_MANAGE)
        parts.append(kit.section(t.gettext("Budgets with a say in *{scope}*", scope=name), everything))
    elif len(report.budgets) >= _FINDER_FROM:
        parts.append(kit.actions(finder(ids.BUDGET_FIND, t), block_id="find"))
    if report.budgets:
        parts += [_row(one, t, has_value=_has_value(report)) for one in report.budgets[:_SHOWN]]
        parts += _foot(report, t)
    elif report.first is not None and covering is None:
        parts += _first(report.first, t)
    else:
        parts.append(kit.section(_empty(report, t)))
    parts += _doors(report, t)
    metadata = {"covering": covering.key} if covering is not None else {}
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Budgets"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO, metadata=metadata,
    )  # fmt: skip


def scope_options(found: Sequence[ScopeChoice], t: Translator) -> list[kit.Block]:
    """What a search found, as entries of the menu."""
    return [option(one, t) for one in found[: kit.OPTIONS]]


def changed_words(t: Translator, change: str, standing: BudgetStanding) -> str:
    """What happened to a budget, for mrkdwn."""
    budget = standing.budget
    named = words.title(standing.scope, budget.period, budget.amount, t)
    match change:
        case "disabled":
            return t.gettext("{budget} is switched off: nothing is told about it until it is on again.", budget=named)
        case "enabled":
            return t.gettext("{budget} is on again.", budget=named)
        case _:
            return t.gettext("{budget} was deleted. What it told so far stays in the channel.", budget=named)


def saved_words(t: Translator, budget: Budget, scope: ScopeChoice, *, is_new: bool) -> str:
    """What was saved, for mrkdwn; and what it will do by itself, where it does anything."""
    named = words.title(scope, budget.period, budget.amount, t)
    if is_new:
        said = t.gettext("{budget} was added. What is spent already counts.", budget=named)
    else:
        said = t.gettext("{budget} was saved.", budget=named)
    if budget.action is BudgetAction.STOP:
        said += " " + t.gettext("At 100% it stops the projects concerned by itself, and says so.")
    return said


def _has_value(report: BudgetsReport) -> bool:
    """Whether anybody told what any of it bought: then every row says so, else the foot does once."""
    return any(one.value.source is not ValueSource.NONE for one in report.budgets)


def _row(one: BudgetStanding, t: Translator, *, has_value: bool) -> kit.Block:
    budget = one.budget
    sign = incident_words.sign(one.percent) if one.percent is not None and budget.is_enabled else ""
    standing = words.standing(one, t)
    if has_value and one.spent is not None:
        standing += f" · {kit.escape(value.cell(one.value, t))}"
    lines = [sign + words.title(one.scope, budget.period, budget.amount, t), standing]
    more = _unusual(one, t)
    if more:
        lines.append(more)
    button = kit.button(t.pgettext("button", "Change"), ids.BUDGET_EDIT, budget.id) if one.may_change else None
    return kit.section("\n".join(lines), button, f"budget_{budget.id}")


def _unusual(one: BudgetStanding, t: Translator) -> str:
    """What is not as always: whom a default reaches, other levels, what happens at 100%, a floor."""
    budget, facts = one.budget, []
    if budget.scope_kind is BudgetScope.EVERY_PROJECT and one.projects:
        facts.append(t.ngettext("{count} project inherits it", "{count} projects inherit it", one.projects))
        if one.fullest is not None and one.percent:
            facts.append(t.gettext("nearest: {project}", project=kit.name(one.fullest.name)))
    facts += words.details(budget.terms, t)
    return " · ".join(facts)


def _foot(report: BudgetsReport, t: Translator) -> list[kit.Block]:
    lines = []
    more = len(report.budgets) - _SHOWN
    if more > 0:
        lines.append(t.ngettext("and {count} more; find it by name", "and {count} more; find them by name", more))
    moments = [one.spent.as_of for one in report.budgets if one.spent is not None and one.spent.as_of is not None]
    if moments:
        start = starts_at(charge_day(max(moments)))
        lines.append(
            t.gettext(
                "A day is the provider's charge day (UTC) and begins at {time} {zone}.",
                time=t.clock(start),
                zone=t.zone_name(start),
            )
        )
    if not _has_value(report):
        lines.append(value.none(t))
    return [kit.context(" · ".join(lines))]


def _first(first: FirstStep, t: Translator) -> list[kit.Block]:
    """Why, how, and a good first one under the thumb."""
    why = t.gettext(
        "*No budget yet.* A budget is what a team or project may spend in a day, a week or a month. At 75% its channel "
        "hears of it, before the money is gone."
    )
    name = kit.escape(words.scope_name(first.scope, t))
    advice = t.gettext("A good first one: *{scope}*, {period}", scope=name, period=words.period_name(first.period, t))
    start = kit.button(
        t.gettext("Begin with this budget"), ids.BUDGET_NEW, f"{first.scope.key}/{first.period.value}", style="primary"
    )
    return [kit.section(why), kit.section(f"{advice}\n{suggestion_words(first.suggestion, t)}"), kit.actions(start)]


def _empty(report: BudgetsReport, t: Translator) -> str:
    if report.covering is not None:
        return t.gettext("No budget has a say here yet.")
    return t.gettext("*No budget yet.* Once there is one, everybody sees here what is spent of it.")


def _doors(report: BudgetsReport, t: Translator) -> list[kit.Block]:
    """What this person may do from here; who could, when they may not."""
    if not report.may_add:
        people = kit.mentions(report.changers)
        told = t.gettext("Budgets are changed by those who lead a team, and by admins. Ask {people}.", people=people)
        return [
            kit.context(told if people else t.gettext("Budgets are changed by those who lead a team, and by admins."))
        ]
    is_first = not report.budgets and report.first is None
    value = f"{report.covering.key}/" if report.covering is not None else ""
    buttons: list[kit.Block | None] = [
        kit.button(t.gettext("Add a budget"), ids.BUDGET_NEW, value, style="primary" if is_first else None)
    ]
    if report.is_admin and report.covering is None:
        buttons.append(kit.button(t.gettext("Export"), ids.BUDGET_EXPORT) if report.budgets else None)
        buttons.append(kit.button(t.gettext("Import"), ids.BUDGET_IMPORT))
    return [kit.divider(), kit.actions(*buttons)]
