"""Budgets in words: whose they are, how they stand, what changed, what is wrong; said once for all places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from blocks import figures, kit
from blocks.incident_words import limit_name
from finops.amounts import AmountMistake
from finops.budget_report import OPERATOR, BudgetStanding, FileMistake, MistakeInFile, ScopeChoice
from finops.budgets import (
    DEFAULT_LEVELS,
    HIGHEST_LEVEL,
    LARGEST_AMOUNT,
    BudgetAction,
    BudgetPeriod,
    BudgetScope,
    BudgetTerms,
)
from finops.charges import FigureState
from finops.estimates import Spent
from finops.money import Money
from locales import Translator

Values = Mapping[str, object]
_MISTAKES_SHOWN = 5
_BAR = 10


def scope_name(scope: ScopeChoice, t: Translator) -> str:
    """Whose budget it is, as plain text."""
    if scope.is_gone:
        return t.gettext("a removed team or project")
    if scope.kind is BudgetScope.WORKSPACE:
        return t.gettext("Everything")
    if scope.kind is BudgetScope.EVERY_PROJECT:
        return t.gettext("Every project, each for itself")
    return kit.bare(scope.name)


def scope_detail(scope: ScopeChoice, t: Translator) -> str:
    """What kind of thing a scope is, for the second line of a menu."""
    match scope.kind:
        case BudgetScope.WORKSPACE:
            return t.gettext("the sum of the whole workspace")
        case BudgetScope.EVERY_PROJECT:
            return t.gettext("the default; new projects inherit it")
        case BudgetScope.TEAM:
            return t.pgettext("scope", "team")
        case _:
            return t.gettext("project · {team}", team=kit.bare(scope.team_name or "-", 40))


def title(scope: ScopeChoice, period: BudgetPeriod, amount: Money, t: Translator) -> str:
    """A budget by whose it is, its period and its amount, for mrkdwn."""
    return f"*{kit.escape(scope_name(scope, t))}* · {limit_name(period, t)} {figures.decided(amount, t)}"


def period_name(period: BudgetPeriod, t: Translator) -> str:
    """How often a budget begins anew."""
    return _PERIODS[period](t)


def action_name(action: BudgetAction, t: Translator) -> str:
    """What happens when the whole budget is spent."""
    return _ACTIONS[action](t)


def levels_words(levels: Sequence[int], t: Translator) -> str:
    """Levels in one word: 50·75·90%."""
    return "·".join(t.number(level) for level in levels) + "%"


def standing(one: BudgetStanding, t: Translator) -> str:
    """What is spent of it, how sure and of when; or why it does not work."""
    if not one.budget.is_enabled:
        return t.gettext("○ switched off")
    if one.spent is None or one.percent is None:
        if one.scope.is_gone:
            return t.gettext("△ its team or project was removed, so it does nothing")
        if one.scope.is_excluded:
            return t.gettext("△ the project is excluded from collecting, so it does nothing")
        return t.gettext("○ no project inherits it at present")
    if _is_unknown(one.spent):
        return t.gettext("△ what was spent is not known yet")
    facts = [
        f"{_bar(one.percent)} {t.number(one.percent)}%",
        figures.short(one.spent.amount, t),
        t.badge(one.spent.state),
    ]
    if one.spent.as_of is not None:
        # Who has not been able to look may have looked last on another day.
        time = t.moment(one.spent.as_of) if one.spent.state is FigureState.BLIND else t.clock(one.spent.as_of)
        facts.append(t.gettext("as of {time}", time=time))
    return " · ".join(facts)


def _is_unknown(spent: Spent) -> bool:
    return spent.as_of is None or (spent.state is FigureState.BLIND and not spent.amount)


def _bar(percent: int) -> str:
    """Ten marks; the first as soon as anything is spent, the last only when all is."""
    full = min(_BAR, max(percent // _BAR, 1 if percent > 0 else 0))
    return "■" * full + "□" * (_BAR - full)


def differences(before: BudgetTerms, after: BudgetTerms, t: Translator) -> list[str]:
    """What is different between two forms of one budget, each part before → after."""
    none = t.pgettext("floor", "none")
    team = t.pgettext("channel", "the team's")
    pairs: list[tuple[str, str, str]] = [
        ("", figures.decided(before.amount, t), figures.decided(after.amount, t)),
        (t.gettext("Alert levels"), levels_words(before.levels, t), levels_words(after.levels, t)),
        (t.gettext("At 100%"), action_name(before.action, t), action_name(after.action, t)),
        (t.gettext("Two-person rule"), _yes(before.needs_two, t), _yes(after.needs_two, t)),
        (t.gettext("Floor"), _floor(before, none, t), _floor(after, none, t)),
        (t.gettext("Channel"), _channel(before, team), _channel(after, team)),
    ]
    return [f"{label} {old} → {new}".strip() for label, old, new in pairs if old != new]


def details(terms: BudgetTerms, t: Translator) -> list[str]:
    """What is not as always in a budget: other levels, what happens at 100%, a floor, a channel."""
    found = []
    if terms.levels != DEFAULT_LEVELS:
        found.append(t.gettext("told at {levels}", levels=levels_words(terms.levels, t)))
    if terms.action is not BudgetAction.NOTIFY:
        found.append(t.gettext("at 100%: {action}", action=action_name(terms.action, t)))
    if terms.needs_two:
        found.append(t.gettext("two people let spending go on"))
    if terms.silent_below:
        found.append(t.gettext("silent below {amount}", amount=figures.decided(terms.silent_below, t)))
    if terms.channel_id:
        found.append(f"<#{terms.channel_id}>")
    return found


def who(user_id: object, t: Translator) -> str:
    """Who changed a budget, for mrkdwn; the operator at the machine is no member."""
    if user_id == OPERATOR:
        return t.gettext("An operator")
    return kit.mention(user_id, t.gettext("Somebody"))


def secret(t: Translator) -> str:
    """Somebody pasted a key where an amount or a file belongs; as plain text."""
    return t.gettext(
        "This holds a secret key, so nothing was saved. Treat the key as leaked: revoke it now and create a new one."
    )


def amount_mistake(mistake: object, t: Translator) -> str:
    """Why what was typed is no amount, and what would be one."""
    return _AMOUNTS.get(str(mistake), _AMOUNTS[AmountMistake.UNREADABLE])(t)


def floor_mistake(mistake: object, t: Translator) -> str:
    """The same for the floor, which may be nothing at all."""
    if mistake == "above":
        return t.gettext("The floor cannot be above the budget: 100% would pass in silence.")
    if mistake == AmountMistake.NOT_POSITIVE:
        return t.gettext("A floor cannot be below 0. Leave it empty for none.")
    if mistake in {AmountMistake.CURRENCY, AmountMistake.TOO_LARGE}:
        return amount_mistake(mistake, t)
    return t.gettext("This floor is no amount. Type digits, for example 10, or leave it empty.")


def file_mistakes(values: Values, t: Translator, limit: int = _MISTAKES_SHOWN) -> str:
    """The mistakes of a file, one a line, as plain text; and that nothing was changed."""
    given = values.get("mistakes")
    found = [one for one in given if isinstance(one, MistakeInFile)] if isinstance(given, Sequence) else []
    lines = [t.gettext("The file was not taken over, and nothing was changed:")]
    lines += [
        t.gettext("Line {line}: {mistake}", line=t.number(one.line), mistake=in_file(one, t)) for one in found[:limit]
    ]
    more = len(found) - limit
    if more > 0:
        lines.append(t.ngettext("and {count} more mistake", "and {count} more mistakes", more))
    return "\n".join(lines)


def in_file(mistake: MistakeInFile, t: Translator) -> str:
    """One mistake of a file, without its line, as plain text."""
    return _FILES[mistake.code](mistake.values, t)


def _yes(is_so: bool, t: Translator) -> str:
    return t.pgettext("choice", "yes") if is_so else t.pgettext("choice", "no")


def _floor(terms: BudgetTerms, none: str, t: Translator) -> str:
    return figures.decided(terms.silent_below, t) if terms.silent_below else none


def _channel(terms: BudgetTerms, team: str) -> str:
    return f"<#{terms.channel_id}>" if terms.channel_id else team


def _given(values: Mapping[str, str], key: str = "given") -> str:
    return kit.bare(values.get(key) or "-", 60)


def _unknown_field(values: Mapping[str, str], t: Translator) -> str:
    field = _given(values, "field")
    if values.get("suggestion"):
        return t.gettext(
            "there is no field “{field}”; did you mean “{guess}”?", field=field, guess=values["suggestion"]
        )
    return t.gettext("there is no field “{field}”.", field=field)


def _unknown_scope(values: Mapping[str, str], t: Translator) -> str:
    given = _given(values)
    if values.get("suggestion"):
        guess = _given(values, "suggestion")
        return t.gettext("“{given}” is not registered; did you mean “{guess}”?", given=given, guess=guess)
    return t.gettext("“{given}” is not registered.", given=given)


def _of_amount(values: Mapping[str, str], t: Translator) -> str:
    words = floor_mistake if values.get("field") == "floor" else amount_mistake
    return t.gettext("“{given}”: {mistake}", given=_given(values), mistake=words(values.get("mistake"), t))


def _not_yaml(values: Mapping[str, str], t: Translator) -> str:
    if values.get("problem"):
        return t.gettext("this is not YAML ({problem}).", problem=_given(values, "problem"))
    return t.gettext("this is not YAML.")


_PERIODS: dict[BudgetPeriod, Callable[[Translator], str]] = {
    BudgetPeriod.DAY: lambda t: t.pgettext("budget", "a day"),
    BudgetPeriod.WEEK: lambda t: t.pgettext("budget", "a week, from Monday"),
    BudgetPeriod.MONTH: lambda t: t.pgettext("budget", "a month"),
}
_ACTIONS: dict[BudgetAction, Callable[[Translator], str]] = {
    BudgetAction.NOTIFY: lambda t: t.pgettext("budget", "tell"),
    BudgetAction.ASK: lambda t: t.pgettext("budget", "ask whether to stop"),
    BudgetAction.STOP: lambda t: t.pgettext("budget", "stop by itself"),
}
_AMOUNTS: dict[str, Callable[[Translator], str]] = {
    AmountMistake.MISSING: lambda t: t.gettext("Type an amount, for example 500."),
    AmountMistake.UNREADABLE: lambda t: t.gettext("This is no amount. Type digits, for example 500 or 1,000.50."),
    AmountMistake.CURRENCY: lambda t: t.gettext("Budgets are in US dollars, as the bills are. For example: 500"),
    AmountMistake.NOT_POSITIVE: lambda t: t.gettext("The amount must be more than 0."),
    AmountMistake.TOO_LARGE: lambda t: t.gettext(
        "At most {most} can be kept exactly.", most=t.money(Money(LARGEST_AMOUNT), 0)
    ),
}
_FILES: dict[FileMistake, Callable[[Mapping[str, str], Translator], str]] = {
    FileMistake.TOO_LARGE: lambda _, t: t.gettext("a file of more than a million characters is no list of budgets."),
    FileMistake.NOT_YAML: _not_yaml,
    FileMistake.NOT_A_FILE: lambda _, t: t.gettext("a file of budgets begins with “version: 1” and “budgets:”."),
    FileMistake.VERSION: lambda v, t: t.gettext("version must be 1, not “{given}”.", given=_given(v)),
    FileMistake.BUDGETS: lambda _, t: t.gettext("a list of budgets belongs under “budgets:”."),
    FileMistake.NOT_A_BUDGET: lambda _, t: t.gettext("a budget has the fields scope, period and amount."),
    FileMistake.UNKNOWN_FIELD: _unknown_field,
    FileMistake.TWICE: lambda v, t: t.gettext("the field “{field}” stands here twice.", field=_given(v, "field")),
    FileMistake.MISSING: lambda v, t: t.gettext("the field “{field}” is missing.", field=_given(v, "field")),
    FileMistake.NOT_WORDS: lambda v, t: t.gettext(
        "the field “{field}” takes words, no list.", field=_given(v, "field")
    ),
    FileMistake.SCOPE: lambda v, t: t.gettext(
        "scope is “workspace”, “every project”, “team:NAME” or “project:NAME”, not “{given}”.", given=_given(v)
    ),
    FileMistake.UNKNOWN_SCOPE: _unknown_scope,
    FileMistake.AMBIGUOUS: lambda v, t: t.gettext(
        "several projects are called “{given}”; name it by its id (project:proj_…).", given=_given(v)
    ),
    FileMistake.PERIOD: lambda v, t: t.gettext("period is day, week or month, not “{given}”.", given=_given(v)),
    FileMistake.ACTION: lambda v, t: t.gettext("action is notify, ask or stop, not “{given}”.", given=_given(v)),
    FileMistake.AMOUNT: _of_amount,
    FileMistake.LEVELS: lambda v, t: t.gettext(
        "levels are whole per cents from 1 to {most}, not “{given}”.", most=HIGHEST_LEVEL, given=_given(v)
    ),
    FileMistake.MANY_LEVELS: lambda v, t: t.gettext("at most {most} levels can be told.", most=_given(v, "most")),
    FileMistake.LEVEL_TWICE: lambda v, t: t.gettext("the level {given}% stands here twice.", given=_given(v)),
    FileMistake.FLOOR: lambda v, t: t.gettext(
        "the floor {floor} is above the budget {amount}: 100% would pass in silence.",
        floor=_given(v, "floor"),
        amount=_given(v, "amount"),
    ),
    FileMistake.CHANNEL: lambda v, t: t.gettext(
        "“{given}” is no channel id (C…); it stands at the end of the channel's details.", given=_given(v)
    ),
    FileMistake.CHANNEL_MISSING: lambda _, t: t.gettext(
        "a budget of the whole workspace needs a channel (channel: C…); a team has its own."
    ),
    FileMistake.NEEDS_TWO: lambda v, t: t.gettext("needs_two is true or false, not “{given}”.", given=_given(v)),
    FileMistake.SAME_BUDGET: lambda v, t: t.gettext(
        "the same budget stands in line {first} already.", first=_given(v, "first")
    ),
    FileMistake.SECRET: lambda _, t: t.gettext(
        "this holds a secret key, so nothing was read. Treat the key as leaked: revoke it now and create a new one."
    ),
}
# What bot.errors refuses about budgets; blocks/bad_news.py has the rest.
REFUSALS: dict[str, Callable[[Values, Translator], str]] = {
    "unknown_budget": lambda _, t: t.gettext("This budget is no longer there; somebody deleted it meanwhile."),
    "budget_exists": lambda _, t: t.gettext(
        "The same budget is there already (it may be switched off). Change that one, or choose another amount."
    ),
    "budget_scope_missing": lambda _, t: t.gettext("Choose whose spending the budget limits."),
    "budget_scope_gone": lambda _, t: t.gettext(
        "This team or project is no longer there; somebody removed it meanwhile. Choose another."
    ),
    "budget_amount": lambda v, t: amount_mistake(v.get("mistake"), t),
    "budget_floor": lambda v, t: floor_mistake(v.get("mistake"), t),
    "budget_levels": lambda _, t: t.gettext("Choose at least one level."),
    "budget_channel_missing": lambda _, t: t.gettext("Choose a channel: the whole workspace has none of its own."),
    "budget_file": lambda v, t: kit.escape(file_mistakes(v, t)),
}
