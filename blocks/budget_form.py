"""One budget: the window in which it is made or changed, with what is usual beside what is typed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from blocks import budget_words as words
from blocks import figures, ids, kit
from finops.budget_report import BudgetStanding, ScopeChoice, Suggestion
from finops.budgets import DEFAULT_LEVELS, HISTORY_DAYS, BudgetAction, BudgetPeriod, BudgetScope, UsualMethod
from finops.frozen import frozen
from locales import Translator


@frozen
class BudgetDraft:
    """What stands in the window: chosen and typed, not judged. `turn` makes Slack take over what we fill in.

    `budget_id` None: it is a new one. `seen_at` is the `updated_at` it was opened with. `unhelpful` are the incidents
    because of which the window opened by itself; none where somebody opened it.
    """

    scope: ScopeChoice | None = None
    period: str = BudgetPeriod.DAY.value
    amount: str = ""
    levels: Sequence[int] = DEFAULT_LEVELS
    action: str = BudgetAction.NOTIFY.value
    floor: str = ""
    channel_id: str = ""
    needs_two: bool = False
    budget_id: int | None = None
    seen_at: str = ""
    turn: int = 0
    unhelpful: tuple[int, ...] = ()


def block_of(name: str, turn: int) -> str:
    """The block id of an input. Slack keeps what was typed as long as it is the same."""
    return f"{name}.{turn}" if turn else name


def form(
    draft: BudgetDraft, t: Translator, suggestion: Suggestion | None = None, *, standing: BudgetStanding | None = None,
    problem: str | None = None, because: str = "",
) -> kit.View:  # fmt: skip
    """The window in which a budget is made, or changed (`standing`): never more than its terms, and what is usual.

    `because` says why it opened by itself, where it did.
    """
    parts: list[kit.Block] = [kit.alert(problem)] if problem else []
    if because:
        parts.append(kit.alert(because, "info"))
    if standing is not None:
        budget = standing.budget
        named = words.title(standing.scope, budget.period, budget.amount, t)
        parts.append(kit.section(f"{named}\n{words.standing(standing, t)}"))
    parts += [_scope_input(draft, t), _period_input(draft, t), _amount_input(draft, t)]
    parts.append(_suggestion(suggestion, t))
    parts += [_levels_input(draft, t), _action_input(draft, t), _needs_two_input(draft, t)]
    parts += [_floor_input(draft, t), _channel_input(draft, t)]
    if standing is not None:
        parts += [kit.divider(), _fate(standing, t)]
    metadata: dict[str, object] = {"turn": draft.turn}
    if draft.budget_id is not None:
        metadata |= {"budget": draft.budget_id, "seen": draft.seen_at}
    if draft.unhelpful:
        metadata["unhelpful"] = list(draft.unhelpful)
    is_new = draft.budget_id is None
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("New budget") if is_new else t.gettext("Change budget"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Add") if is_new else t.gettext("Save"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_BUDGET,
        metadata=metadata,
    )


def changed_meanwhile(t: Translator, person: object, at: datetime) -> str:
    """Somebody else saved the budget that stands in this window."""
    return t.gettext(
        "{person} changed this budget at {time} while it was open here, so yours was not saved. This is how it stands "
        "now; change it again if need be.",
        person=words.who(person, t),
        time=t.moment(at),
    )


def suggestion_words(suggestion: Suggestion | None, t: Translator) -> str:
    """What is usual and what follows from it, for mrkdwn; or that there is nothing to compare with."""
    if suggestion is None:
        return t.gettext("Choose whose spending and how often: what is usual stands here then.")
    usual = suggestion.usual
    if usual.amount is None:
        return t.gettext("There is no history to compare with yet.")
    if suggestion.recommended is None:
        return t.gettext("Usually nothing is spent here, so there is nothing to compare with.")
    given = {"usual": figures.short(usual.amount, t), "recommended": figures.short(suggestion.recommended, t)}
    match usual.method:
        case UsualMethod.DAYS:
            said = t.gettext("Median of the last 4 weeks {usual} → {recommended} recommended", **given)
        case UsualMethod.WEEKS:
            said = t.gettext("Median week of the last 4 weeks {usual} → {recommended} recommended", **given)
        case _:
            said = t.gettext("Median month of the last 3 months {usual} → {recommended} recommended", **given)
    if usual.method is UsualMethod.DAYS and usual.days < HISTORY_DAYS[BudgetPeriod.DAY]:
        said += " " + t.ngettext("({count} day on record)", "({count} days on record)", usual.days)
    if suggestion.of is not None:
        project = kit.name(suggestion.of.name)
        return t.gettext("Of the project that spends most, *{project}*: {said}", project=project, said=said)
    return said


def _suggestion(suggestion: Suggestion | None, t: Translator) -> kit.Block:
    button = None
    if suggestion is not None and suggestion.recommended is not None:
        amount = figures.short(suggestion.recommended, t)
        button = kit.button(t.gettext("Fill in {amount}", amount=amount), ids.BUDGET_FILL)
    return kit.section(f":bulb: {suggestion_words(suggestion, t)}", button, "suggestion")


def _scope_input(draft: BudgetDraft, t: Translator) -> kit.Block:
    element = finder(ids.BUDGET_SCOPE, t)
    if draft.scope is not None and not draft.scope.is_gone:
        element["initial_option"] = option(draft.scope, t)
    block = kit.input_block(block_of(ids.BUDGET_SCOPE, draft.turn), t.gettext("Whose spending"), element)
    return block | {"dispatch_action": True}


def _period_input(draft: BudgetDraft, t: Translator) -> kit.Block:
    entries = [kit.option(words.period_name(period, t), period.value) for period in BudgetPeriod]
    element = kit.select(ids.BUDGET_PERIOD, t.gettext("How often"), entries, draft.period)
    block = kit.input_block(block_of(ids.BUDGET_PERIOD, draft.turn), t.gettext("May spend so much in"), element)
    return block | {"dispatch_action": True}


def _amount_input(draft: BudgetDraft, t: Translator) -> kit.Block:
    element = {"action_id": ids.BUDGET_AMOUNT, **kit.typed(kit.AMOUNT, draft.amount, t.gettext("for example: 500"))}
    hint = t.gettext("US dollars; $500 and 1,000.50 are understood.")
    return kit.input_block(block_of(ids.BUDGET_AMOUNT, draft.turn), t.gettext("Amount"), element, hint=hint)


def _levels_input(draft: BudgetDraft, t: Translator) -> kit.Block:
    levels = sorted([*draft.levels, *(level for level in DEFAULT_LEVELS if level not in draft.levels)][: kit.OPTIONS])
    entries = [kit.option(f"{t.number(level)}%", level) for level in levels]
    element: kit.Block = {"type": "multi_static_select", "action_id": ids.BUDGET_LEVELS, "options": entries}
    chosen = [entry for entry in entries if int(entry["value"]) in set(draft.levels)]
    if chosen:
        element["initial_options"] = chosen
    hint = t.gettext("Each is told once in a period; below 75% only in the thread.")
    return kit.input_block(block_of(ids.BUDGET_LEVELS, draft.turn), t.gettext("Alert levels"), element, hint=hint)


def _action_input(draft: BudgetDraft, t: Translator) -> kit.Block:
    entries = [kit.option(words.action_name(action, t), action.value) for action in BudgetAction]
    element = kit.select(ids.BUDGET_ACTION, t.gettext("At 100%"), entries, draft.action)
    hint = t.gettext(
        "All three tell the channel. “Stop by itself” sets the OpenAI limit of every project concerned to one cent and "
        "asks before it is restored. An estimate alone stops only once it exceeds the budget by more than its usual "
        "error."
    )
    return kit.input_block(block_of(ids.BUDGET_ACTION, draft.turn), t.gettext("At 100%"), element, hint=hint)


def _needs_two_input(draft: BudgetDraft, t: Translator) -> kit.Block:
    said = t.gettext("Approving and restoring take a second approver; stopping never does.")
    entry = kit.option(t.gettext("Two people let spending go on"), "two", said)
    element: kit.Block = {"type": "checkboxes", "action_id": ids.BUDGET_NEEDS_TWO, "options": [entry]}
    if draft.needs_two:
        element["initial_options"] = [entry]
    name = block_of(ids.BUDGET_NEEDS_TWO, draft.turn)
    return kit.input_block(name, t.gettext("Two-person rule"), element, is_optional=True)


def _floor_input(draft: BudgetDraft, t: Translator) -> kit.Block:
    element = {"action_id": ids.BUDGET_FLOOR, **kit.typed(kit.AMOUNT, draft.floor, t.gettext("for example: 10"))}
    hint = t.gettext("Below this amount nothing is told, whatever the level. Empty: no floor.")
    name = block_of(ids.BUDGET_FLOOR, draft.turn)
    return kit.input_block(name, t.gettext("Floor"), element, hint=hint, is_optional=True)


def _channel_input(draft: BudgetDraft, t: Translator) -> kit.Block:
    element = kit.channel_select(draft.channel_id) | {"action_id": ids.BUDGET_CHANNEL}
    is_wide = draft.scope is not None and draft.scope.kind is BudgetScope.WORKSPACE
    if is_wide:
        hint = t.gettext("The whole workspace has no channel of its own. For a private one, invite FinOps first.")
    else:
        hint = t.gettext("Empty: the team's channel.")
    name = block_of(ids.BUDGET_CHANNEL, draft.turn)
    return kit.input_block(name, t.gettext("Channel"), element, hint=hint, is_optional=not is_wide)


def _fate(standing: BudgetStanding, t: Translator) -> kit.Block:
    """Off, on, gone for good, or back to all of them."""
    budget = standing.budget
    if budget.is_enabled:
        toggle = kit.button(t.gettext("Switch off"), ids.BUDGET_DISABLE, budget.id)
    else:
        toggle = kit.button(t.gettext("Switch on"), ids.BUDGET_ENABLE, budget.id)
    delete = kit.button(
        t.gettext("Delete"),
        ids.BUDGET_DELETE,
        budget.id,
        style="danger",
        confirm=kit.confirm(
            t.gettext("Delete this budget?"),
            t.gettext(
                "Nothing is told about it any more, and its open alert is closed. What is stopped, or to be stopped "
                "again, stays so, and its alert with it. Costs and past alerts stay. To silence it for a while, switch "
                "it off instead."
            ),
            t.gettext("Delete"),
            t.gettext("Keep it"),
            is_danger=True,
        ),
    )
    return kit.actions(kit.button(t.gettext("All budgets"), ids.BUDGET_MANAGE), toggle, delete, block_id="fate")


def finder(action_id: str, t: Translator) -> kit.Block:
    return {
        "type": "external_select",
        "action_id": action_id,
        "min_query_length": 0,
        "placeholder": {"type": "plain_text", "text": t.gettext("Find a team or project"), "emoji": True},
    }


def option(scope: ScopeChoice, t: Translator) -> kit.Block:
    return kit.option(words.scope_name(scope, t), scope.key, words.scope_detail(scope, t))
