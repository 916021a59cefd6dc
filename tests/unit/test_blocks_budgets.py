"""Budgets, word for word, in three languages; beside each snapshot the number or sentence that matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import budget_files, budget_form, budget_words, budgets, home, ids, kit, projects
from blocks import help as help_
from blocks.budget_form import BudgetDraft
from finops.amounts import AmountMistake
from finops.budget_diff import diff
from finops.budget_report import (
    OPERATOR,
    BudgetsReport,
    BudgetStanding,
    FileMistake,
    FirstStep,
    ImportPlan,
    MistakeInFile,
    ScopeChoice,
    Suggestion,
)
from finops.budgets import (
    BudgetAction,
    BudgetPeriod,
    BudgetScope,
    BudgetTerms,
    Usual,
    UsualMethod,
)
from finops.charges import FigureState
from finops.money import Money
from locales import Translator
from tests.unit import slack_limits
from tests.unit.saying import LANGUAGES, TEAM, a_home, a_project, an_empty_home, many, names, reader
from tests.unit.saying_live import AT, PROJECT_SCOPE, a_budget, a_spent
from tests.unit.test_blocks_limits import refused_view
from tests.unit.test_blocks_words import EMPTY

MARKETING = ScopeChoice(BudgetScope.TEAM, 1, "마케팅팀")
CHATBOT = ScopeChoice(BudgetScope.PROJECT, 1, "chatbot-experiment", "마케팅팀")
EACH, WHOLE = ScopeChoice(BudgetScope.EVERY_PROJECT), ScopeChoice(BudgetScope.WORKSPACE)
GONE = ScopeChoice(BudgetScope.PROJECT, 9, is_gone=True)
EXCLUDED = ScopeChoice(BudgetScope.PROJECT, 2, "batch", "마케팅팀", is_excluded=True)
USUAL = Suggestion(Usual(Money.of(48), 28, UsualMethod.DAYS), Money.of(75))
YOUNG = Suggestion(Usual(Money.of("48.2"), 12, UsualMethod.DAYS), Money.of(75), PROJECT_SCOPE)
WEEKLY = Suggestion(Usual(Money.of(350), 28, UsualMethod.WEEKS), Money.of(600))
MONTHLY = Suggestion(Usual(Money.of(1500), 92, UsualMethod.MONTHS), Money.of(2500))
UNKNOWN = Suggestion(Usual(None, 0, UsualMethod.DAYS))
IDLE = Suggestion(Usual(Money.zero(), 28, UsualMethod.DAYS))
TERMS = BudgetTerms(BudgetScope.TEAM, 1, BudgetPeriod.DAY, Money.of(500))


def stands(scope: ScopeChoice, amount: str, spent: str | None, percent: int | None, **more: Any) -> BudgetStanding:
    """A budget of an amount of which so much is spent."""
    of_budget = {"scope_kind": scope.kind, "scope_id": scope.id, "id": more.pop("id", 3)}
    of_budget |= {name: more.pop(name) for name in ("levels", "action", "floor", "is_enabled") if name in more}
    budget = a_budget(amount, more.pop("period", BudgetPeriod.DAY), **of_budget)
    return BudgetStanding(budget, scope, None if spent is None else a_spent(spent), percent, **more)


FULL = (
    stands(MARKETING, "500", "742", 148, projects=1, may_change=True),
    stands(CHATBOT, "500", "390", 78, id=4, projects=1, may_change=True, levels=(80, 100), action=BudgetAction.ASK),
    stands(EACH, "75", "30", 40, id=5, projects=1203, fullest=PROJECT_SCOPE, floor=Money.of(10)),
    stands(WHOLE, "10000", "1850.4", 18, id=6, period=BudgetPeriod.MONTH, projects=1),
    stands(GONE, "5", None, None, id=7, period=BudgetPeriod.WEEK),
    stands(EXCLUDED, "5", None, None, id=8),
    stands(CHATBOT, "5", None, None, id=9, is_enabled=False),
)
STOPPING = replace(FULL[0].budget, action=BudgetAction.STOP)
BLIND = replace(FULL[0], spent=a_spent("0", state=FigureState.BLIND), percent=0)
ADMIN = {"may_add": True, "is_admin": True}
FIRST = FirstStep(MARKETING, BudgetPeriod.DAY, USUAL)
OPEN = BudgetDraft(
    MARKETING, "day", "500", (50, 80, 100), "stop", "10", "C0FINANCE1", budget_id=3, seen_at=AT.isoformat()
)
PLAN = ImportPlan(
    diff(
        [TERMS, replace(TERMS, scope_kind=BudgetScope.PROJECT), replace(TERMS, period=BudgetPeriod.WEEK)],
        [
            replace(TERMS, amount=Money.of(800), levels=(80, 100), floor=Money.of(10), channel_id="C0FINANCE1"),
            replace(TERMS, period=BudgetPeriod.WEEK),
            BudgetTerms(
                BudgetScope.EVERY_PROJECT, None, BudgetPeriod.DAY, Money.of(75), action=BudgetAction.STOP
            ),
        ],
    ),
    {one.place: one for one in (MARKETING, CHATBOT, EACH)},
    "mark",
    others=2,
)  # fmt: skip
SAME = ImportPlan(diff([TERMS], [TERMS]), {MARKETING.place: MARKETING}, "mark")
FILE = 'version: 1\nbudgets:\n  - scope: "team:마케팅팀"\n    period: day\n    amount: "800 USD"\n'

VIEWS: dict[str, Callable[[Translator], kit.View]] = {
    "list": lambda t: budgets.listed(BudgetsReport(FULL, **ADMIN), t),
    "list_of_a_member": lambda t: budgets.listed(BudgetsReport(FULL[2:4], changers=("U0JIHOON01",)), t),
    "list_of_a_project": lambda t: budgets.listed(BudgetsReport(FULL[:2], covering=CHATBOT, may_add=True), t),
    "list_of_nothing": lambda t: budgets.listed(BudgetsReport(covering=CHATBOT, may_add=True), t),
    "list_blind": lambda t: budgets.listed(BudgetsReport((BLIND,), **ADMIN), t),
    "list_after_a_change": lambda t: budgets.listed(
        BudgetsReport(FULL[:1], **ADMIN), t, budgets.saved_words(t, STOPPING, MARKETING, is_new=True)
    ),
    "first_step": lambda t: budgets.listed(BudgetsReport(**ADMIN, first=FIRST), t),
    "first_step_without_history": lambda t: budgets.listed(
        BudgetsReport(**ADMIN, first=replace(FIRST, suggestion=UNKNOWN)), t
    ),
    "empty_of_a_member": lambda t: budgets.listed(BudgetsReport(changers=("U0JIHOON01", "U0MINSU001")), t),
    "new": lambda t: budget_form.form(BudgetDraft(), t),
    "new_with_history": lambda t: budget_form.form(replace(BudgetDraft(MARKETING), turn=2, amount="75"), t, USUAL),
    "new_for_everything": lambda t: budget_form.form(replace(BudgetDraft(WHOLE), period="month"), t, MONTHLY),
    "new_for_each": lambda t: budget_form.form(BudgetDraft(EACH), t, YOUNG),
    "change": lambda t: budget_form.form(OPEN, t, USUAL, standing=FULL[0]),
    "change_meanwhile": lambda t: budget_form.form(
        OPEN, t, USUAL, standing=FULL[0], problem=budget_form.changed_meanwhile(t, "U0MINSU001", AT)
    ),
    "export": lambda t: budget_files.exported(FILE, t),
    "export_too_long": lambda t: budget_files.exported(FILE * 60, t),
    "import": budget_files.asked,
    "import_planned": lambda t: budget_files.planned(PLAN, FILE, t, turn=0),
    "import_moved": lambda t: budget_files.planned(PLAN, FILE, t, turn=0, has_moved=True),
    "import_of_the_same": lambda t: budget_files.planned(SAME, FILE, t, turn=0),
}  # fmt: skip


@pytest.fixture
def words(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_windows_word_for_word(words: SnapshotAssertion, name: str, language: str) -> None:
    """Reviewed like copy: a change of wording shows as a change of this file."""
    view = VIEWS[name](reader(language))
    assert refused_view(view) == []
    assert view == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mistake_word_for_word(words: SnapshotAssertion, language: str) -> None:
    """What is wrong with an amount, a floor, a file; and what was done with a budget."""
    t = reader(language)
    values = {"given": "5oo", "field": "levels", "suggestion": "team:마케팅팀", "problem": "did not find", "first": "3",
              "most": "50", "floor": "501", "amount": "500", "mistake": "unreadable"}  # fmt: skip
    said = {f"amount {one}": budget_words.amount_mistake(one, t) for one in AmountMistake}
    said |= {f"floor {one}": budget_words.floor_mistake(one, t) for one in (*AmountMistake, "above")}
    said |= {f"file {one}": budget_words.in_file(MistakeInFile(4, one, values), t) for one in FileMistake}
    said |= {
        f"file {one} without a guess": budget_words.in_file(MistakeInFile(4, one, {"given": "x", "field": "x"}), t)
        for one in (FileMistake.UNKNOWN_FIELD, FileMistake.UNKNOWN_SCOPE, FileMistake.NOT_YAML)
    }
    said |= {one: budgets.changed_words(t, one, FULL[0]) for one in ("disabled", "enabled", "deleted")}
    said |= {"saved": budgets.saved_words(t, FULL[0].budget, MARKETING, is_new=False), "secret": budget_words.secret(t)}
    said |= {f"by {one}": budget_words.who(one, t) for one in ("U0JIHOON01", OPERATOR, None)}
    said |= {f"usual {one.usual.method} {one.usual.days}": budget_form.suggestion_words(one, t) for one in
             (USUAL, YOUNG, WEEKLY, MONTHLY, UNKNOWN)} | {"idle": budget_form.suggestion_words(IDLE, t)}  # fmt: skip
    said |= {"terminal": budget_files.report(PLAN, t), "terminal same": budget_files.report(SAME, t)}
    said |= {"terminal applied": budget_files.report(replace(PLAN, is_applied=True), t)}
    assert said == words


def texts(view: kit.View) -> str:
    return str(view["blocks"])


def test_the_recommendation_reads_as_promised() -> None:
    """$48 a day is usual: $75."""
    t = reader("ko")
    assert budget_form.suggestion_words(USUAL, t) == "지난 4주 중앙값 $48 → $75 권장"
    assert budget_form.suggestion_words(UNKNOWN, t) == "비교할 이력이 아직 없습니다."


def test_a_row_says_whose_how_much_of_what_how_sure_and_of_when() -> None:
    """Two lines, and the same sign an alert has."""
    row = VIEWS["list"](reader("ko"))["blocks"][0]["text"]["text"]
    assert row == "🚨 *마케팅팀* · 일일 한도 $500\n■■■■■■■■■■ 148% · $742 · ○ 추정 · 14:00 기준"


@pytest.mark.parametrize(("percent", "bar"), [(0, 0), (1, 1), (40, 4), (99, 9), (100, 10), (1484, 10)])
def test_the_last_mark_of_a_bar_is_only_there_when_all_is_spent(percent: int, bar: int) -> None:
    """And the first as soon as anything is."""
    view = budgets.listed(BudgetsReport((replace(FULL[0], percent=percent),)), reader("ko"))
    assert texts(view).count("■") == bar
    assert texts(view).count("□") == 10 - bar


def test_what_is_unknown_is_never_shown_as_zero() -> None:
    """A budget nobody can look at has no bar and no amount."""
    shown = VIEWS["list_blind"](reader("ko"))["blocks"][0]["text"]["text"]
    assert "지출을 아직 확인하지 못했습니다" in shown
    assert "$0" not in shown
    assert "□" not in shown


@pytest.mark.parametrize("name", VIEWS)
def test_one_primary_button_at_most(name: str) -> None:
    """And one danger; a form's own button is its primary one."""
    view = VIEWS[name](reader("ko"))
    assert texts(view).count("'style': 'primary'") + ("submit" in view) <= 1
    assert texts(view).count("'style': 'danger'") <= 2  # the button, and the question it asks


def test_a_member_has_no_button_that_would_be_refused() -> None:
    """They read who can help instead."""
    shown = texts(VIEWS["list_of_a_member"](reader("ko")))
    assert ids.BUDGET_EDIT not in shown
    assert ids.BUDGET_NEW not in shown
    assert "<@U0JIHOON01>" in shown


def test_typed_text_survives_until_something_is_filled_in() -> None:
    """Slack keeps an input as long as its block id is the same: only another turn makes it take ours."""
    before, chosen, filled = (
        budget_form.form(draft, reader("ko"), USUAL)
        for draft in (BudgetDraft(), BudgetDraft(MARKETING), BudgetDraft(MARKETING, amount="75", turn=1))
    )

    def inputs(view: kit.View) -> list[str]:
        return [block["block_id"] for block in view["blocks"] if block["type"] == "input"]

    assert inputs(before) == inputs(chosen)
    assert set(inputs(chosen)).isdisjoint(inputs(filled))
    amount = next(block for block in filled["blocks"] if block.get("block_id") == f"{ids.BUDGET_AMOUNT}.1")
    assert amount["element"]["initial_value"] == "75"


def test_a_channel_is_asked_for_only_where_there_is_none() -> None:
    """A team has its own."""
    for scope, is_optional in ((MARKETING, True), (EACH, True), (WHOLE, False)):
        view = budget_form.form(BudgetDraft(scope), reader("ko"))
        channel = next(block for block in view["blocks"] if block.get("block_id") == ids.BUDGET_CHANNEL)
        assert channel["optional"] is is_optional


def test_levels_of_a_file_can_be_chosen_too() -> None:
    """80% came with a file: it is offered, and chosen."""
    levels = next(b for b in VIEWS["change"](reader("ko"))["blocks"] if b.get("block_id") == ids.BUDGET_LEVELS)
    assert [one["value"] for one in levels["element"]["initial_options"]] == ["50", "80", "100"]


def test_the_window_says_what_stopping_by_itself_does_and_when_an_estimate_is_not_enough() -> None:
    """One cent, asked before it is restored, and a guard against estimates; the answer to saving says it again."""
    for language, told in (
        ("ko", "평소 오차보다 더"),
        ("en", "more than its usual error"),
        ("ja", "通常の誤差を超えて"),
    ):
        assert told in texts(VIEWS["change"](reader(language)))
    assert "자동으로 차단하고 알립니다" in texts(VIEWS["list_after_a_change"](reader("ko")))


def test_a_part_of_a_file_is_never_shown() -> None:
    """Whoever imported it would delete the rest; the way to all of it is named."""
    shown = texts(VIEWS["export_too_long"](reader("ko")))
    assert "version: 1" not in shown
    assert "python3 run.py run budgets export budgets.yaml" in shown
    assert FILE.split("\n")[2] in VIEWS["export"](reader("ko"))["blocks"][1]["elements"][0]["elements"][0]["text"]


def test_a_difference_says_before_and_after_of_each_part_that_changed() -> None:
    """And counts what stays."""
    shown = texts(VIEWS["import_planned"](reader("ko")))
    assert "마케팅팀* · 일일 한도 · $500 → $800 · 알림 단계 50·75·90·100·150·200·300% → 80·100%" in shown
    assert "최소 금액 없음 → $10" in shown
    assert "그대로 1개" in shown
    assert kit.metadata(VIEWS["import_planned"](reader("ko")))["mark"] == "mark"
    assert "mark" not in kit.metadata(VIEWS["import_of_the_same"](reader("ko")))


def test_home_help_and_projects_lead_to_budgets() -> None:
    """Whoever has a team finds them; before there is one, there is nothing to limit."""
    t = reader("ko")
    assert ids.BUDGET_MANAGE in str(home.view(a_home(), t))
    assert ids.BUDGET_MANAGE not in str(home.view(an_empty_home(EMPTY), t))
    shown = str(projects.manage(t, [TEAM], TEAM, [a_project()], chosen=a_project()))
    assert "'value': 'project:1'" in shown
    assert "'value': 'team:1'" in shown
    assert "/finops 예산" in help_.message(t, is_admin=False).text


scopes = st.builds(ScopeChoice, st.sampled_from(BudgetScope), st.integers(1, 9), names, names, st.booleans())
amounts = st.decimals("0.01", "900000000", places=2).map(Money)
suggestions = st.builds(
    Suggestion, st.builds(Usual, st.none() | amounts, st.integers(0, 124), st.sampled_from(UsualMethod)),
    st.none() | amounts,
)  # fmt: skip


@given(many(st.tuples(scopes, amounts, st.integers(0, 10**9)), 0, 40), names, st.sampled_from(LANGUAGES))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_budgets_of_any_names_fit_slack(
    given_: list[tuple[ScopeChoice, Money, int]], typed: str, language: str
) -> None:
    """Hundreds of budgets, whatever their scopes are called and whatever somebody typed."""
    t = reader(language)
    rows = tuple(
        replace(FULL[0], budget=replace(FULL[0].budget, id=number, amount=amount), scope=scope, percent=percent)
        for number, (scope, amount, percent) in enumerate(given_)
    )
    covering = rows[0].scope if rows else None
    drawn = [budgets.listed(BudgetsReport(rows, covering=covering, may_add=True, is_admin=True), t, "✓")]
    for scope, amount, _ in given_[:3]:
        draft = BudgetDraft(scope, amount=typed, floor=typed, levels=range(1, 99))
        drawn.append(budget_form.form(draft, t, replace(YOUNG, recommended=amount), standing=rows[0], problem="x"))
        new = [replace(TERMS, amount=each[1]) for each in given_]
        plan = ImportPlan(diff([TERMS] * 2, new), {TERMS_PLACE: scope}, "mark", others=3)
        drawn.append(budget_files.planned(plan, typed, t, turn=1, has_moved=True))
    drawn.append(budget_files.asked(t, typed, problem=kit.escape(typed)))
    assert [fault for view in drawn for fault in refused_view(view)] == []
    options = budgets.scope_options([scope for scope, _, _ in given_] * 4, t)
    assert [fault for option in options for fault in slack_limits.of_option(option)] == []


TERMS_PLACE = (TERMS.scope_kind, TERMS.scope_id)


@given(suggestions, st.sampled_from(LANGUAGES))
@settings(max_examples=15, deadline=None)
def test_a_suggestion_without_an_amount_has_no_button(suggestion: Suggestion, language: str) -> None:
    """Nothing is filled in that nobody knows."""
    view = budget_form.form(BudgetDraft(MARKETING), reader(language), suggestion)
    assert (ids.BUDGET_FILL in texts(view)) is (suggestion.recommended is not None)


def test_a_budget_nobody_can_look_at_tells_the_day_of_its_last_look() -> None:
    """What is known of it may be of yesterday: 14:00 alone would be read as of today."""
    seen, blind = (replace(FULL[0], spent=a_spent(state=state)) for state in (FigureState.ESTIMATE, FigureState.BLIND))
    t = reader("ko")
    said = [str(budgets.listed(BudgetsReport((one,), **ADMIN), t)) for one in (seen, blind)]
    assert ["7월 6일 14:00 기준" in each for each in said] == [False, True]
