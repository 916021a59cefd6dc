"""Files of budgets: what is written reads as the same; what is wrong is told with its line, all at once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.budget_files import FileRefused, read, written
from bot.budget_scopes import ScopeBook
from finops.budget_report import FileMistake
from finops.budgets import BudgetAction, BudgetPeriod, BudgetScope, BudgetTerms
from finops.money import Money
from tests.house.tree import ROOT
from tests.unit.saying import DATA_TEAM, TEAM, a_project

BOOK = ScopeBook([TEAM, DATA_TEAM], [a_project(), a_project(2, "batch"), a_project(3, "twin"), a_project(4, "twin")])
HEAD = "version: 1\nbudgets:\n"
DAILY = '  - scope: "team:마케팅팀"\n    period: day\n    amount: "500 USD"\n'


def mistakes(text: str) -> list[tuple[int, FileMistake]]:
    with pytest.raises(FileRefused) as refused:
        read(text, BOOK)
    return [(one.line, one.code) for one in refused.value.mistakes]


def test_the_least_a_budget_needs():
    """Scope, period and amount; the rest is as usual."""
    assert read(HEAD + DAILY, BOOK) == [
        BudgetTerms(BudgetScope.TEAM, TEAM.id, BudgetPeriod.DAY, Money.of(500)),
    ]


def test_everything_a_budget_can_say():
    """Case and blanks of names do not matter, per cent signs are fine, levels are sorted."""
    text = """\
version: 1
budgets:
  - {scope: workspace, period: month, amount: 10000, channel: C0FINANCE1}
  - {scope: Every Project, period: day, amount: $75, floor: 10 USD}
  - scope: "project: BATCH "
    period: WEEK
    amount: "1,000.50"
    levels: [100%, 80, 50]
    action: stop
    needs_two: Yes
"""
    assert read(text, BOOK) == [
        BudgetTerms(
            BudgetScope.WORKSPACE, None, BudgetPeriod.MONTH, Money.of("10000"), channel_id="C0FINANCE1"
        ),
        BudgetTerms(BudgetScope.EVERY_PROJECT, None, BudgetPeriod.DAY, Money.of("75"), floor=Money.of("10")),
        BudgetTerms(
            BudgetScope.PROJECT, 2, BudgetPeriod.WEEK, Money.of("1000.50"), (50, 80, 100), BudgetAction.STOP,
            needs_two=True,
        ),
    ]  # fmt: skip


def test_the_file_of_the_documentation_can_be_used_as_it_stands():
    """docs/budgets.md shows every field; a copy of it is a file."""
    page = (ROOT / "docs/budgets.md").read_text(encoding="utf-8")
    shown = page.split("```yaml\n")[1].split("```")[0]
    assert [terms.scope_kind for terms in read(shown, BOOK)] == [
        BudgetScope.WORKSPACE, BudgetScope.EVERY_PROJECT, BudgetScope.TEAM, BudgetScope.PROJECT,
    ]  # fmt: skip


def test_no_budgets_is_a_file_too():
    """Whoever deletes all of them says so."""
    assert read("version: 1\nbudgets: []\n", BOOK) == []
    assert read(written([], BOOK), BOOK) == []


def test_what_copying_brings_along_does_no_harm():
    """Code marks, a byte order mark, curly quotes of a phone, blanks that do not break."""
    text = "\ufeff```yaml\n" + HEAD + "  - scope: “team:마케팅팀”\n    period:\u00a0day\n    amount: “500”\n```"
    assert read(text, BOOK) == read(HEAD + DAILY, BOOK)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [(1, FileMistake.NOT_A_FILE)]),
        ("hello", [(1, FileMistake.NOT_A_FILE)]),
        ("version: 1\nbudgets: [", [(2, FileMistake.NOT_YAML)]),
        ("version: 2\nbudgets: []", [(1, FileMistake.VERSION)]),
        ("budgets: []", [(1, FileMistake.VERSION)]),
        ("version: 1", [(1, FileMistake.BUDGETS)]),
        ("version: 1\nbudgets: many", [(2, FileMistake.BUDGETS)]),
        ("version: 1\nbudget: []", [(1, FileMistake.BUDGETS), (2, FileMistake.UNKNOWN_FIELD)]),
        (HEAD + "  - 500", [(3, FileMistake.NOT_A_BUDGET)]),
        (HEAD + "  - scope: workspace", [(3, FileMistake.MISSING)] * 2 + [(3, FileMistake.CHANNEL_MISSING)]),
        (HEAD + DAILY + "    level: [50]", [(6, FileMistake.UNKNOWN_FIELD)]),
        (HEAD + DAILY + "    period: week", [(6, FileMistake.TWICE)]),
        (HEAD + DAILY + "    levels: [50, 50]", [(6, FileMistake.LEVEL_TWICE)]),
        (HEAD + DAILY + "    levels: []", [(6, FileMistake.LEVELS)]),
        (HEAD + DAILY + "    levels: [0, half, 1001, 12.5]", [(6, FileMistake.LEVELS)] * 4),
        (HEAD + DAILY + f"    levels: [{'0' * 9}1{'9' * 20}, {'7' * 5000}, 000]", [(6, FileMistake.LEVELS)] * 3),
        (HEAD + DAILY + f"    levels: {[*range(1, 52)]}", [(6, FileMistake.MANY_LEVELS)]),
        (HEAD + DAILY + "    action: shoot", [(6, FileMistake.ACTION)]),
        (HEAD + DAILY + "    floor: 501", [(6, FileMistake.FLOOR)]),
        (HEAD + DAILY + "    floor: -1", [(6, FileMistake.AMOUNT)]),
        (HEAD + DAILY + "    channel: general", [(6, FileMistake.CHANNEL)]),
        (HEAD + DAILY + "    needs_two: maybe", [(6, FileMistake.NEEDS_TWO)]),
        (HEAD + DAILY + "    needs_two: [true]", [(6, FileMistake.NOT_WORDS)]),
        (HEAD + DAILY + "    amount: {usd: 5}", [(6, FileMistake.TWICE)]),
        (HEAD + DAILY.replace("500 USD", "0"), [(5, FileMistake.AMOUNT)]),
        (HEAD + DAILY.replace("500 USD", "500 EUR"), [(5, FileMistake.AMOUNT)]),
        (HEAD + DAILY.replace("day", "[day]"), [(4, FileMistake.NOT_WORDS)]),
        (HEAD + DAILY.replace("day", "hour"), [(4, FileMistake.PERIOD)]),
        (HEAD + DAILY.replace("team:마케팅팀", "마케팅팀"), [(3, FileMistake.SCOPE)]),
        (HEAD + DAILY.replace("team:마케팅팀", "team:"), [(3, FileMistake.SCOPE)]),
        (HEAD + DAILY.replace("team:마케팅팀", "team:마켓팅팀"), [(3, FileMistake.UNKNOWN_SCOPE)]),
        (HEAD + DAILY.replace("team:마케팅팀", "project:twin"), [(3, FileMistake.AMBIGUOUS)]),
        (HEAD + DAILY + DAILY, [(6, FileMistake.SAME_BUDGET)]),
        (HEAD + DAILY + "# sk-" + "admin-0123456789abcdef", [(6, FileMistake.SECRET)]),
        ("x" * 1_000_001, [(1, FileMistake.TOO_LARGE)]),
        ("[" * 3_000, [(1, FileMistake.NOT_YAML)]),
        (HEAD + "  " + "- " * 3_000, [(3, FileMistake.NOT_YAML)]),
        (HEAD + DAILY + f"    needs_two: {'[' * 9}{']' * 9}", [(6, FileMistake.NOT_WORDS)]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, found: list[tuple[int, FileMistake]]):
    """Nothing of a file with a mistake counts."""
    assert mistakes(text) == found


def test_every_mistake_is_told_at_once_and_a_typo_gets_a_guess():
    """Nobody mends a file line by line."""
    text = HEAD + DAILY.replace("마케팅팀", "마켓팅팀") + DAILY.replace("500", "many") + "    level: 5\n"
    with pytest.raises(FileRefused) as refused:
        read(text, BOOK)
    told = [(one.line, one.code, one.values.get("suggestion")) for one in refused.value.mistakes]
    assert told == [
        (3, FileMistake.UNKNOWN_SCOPE, "team:마케팅팀"),
        (8, FileMistake.AMOUNT, None),
        (9, FileMistake.UNKNOWN_FIELD, "levels"),
    ]


def test_a_secret_is_never_repeated():
    """Neither in the mistake nor in the exception's own words."""
    key = "sk-" + "admin-0123456789abcdef"
    with pytest.raises(FileRefused) as refused:
        read(HEAD + f"  - scope: {key}\n", BOOK)
    assert key not in f"{refused.value} {refused.value.mistakes}"


def test_what_is_as_usual_is_left_out_of_the_file():
    """The widest first, and as short as it can be said."""
    budgets = [
        BudgetTerms(BudgetScope.PROJECT, 3, BudgetPeriod.DAY, Money.of("0.5")),
        BudgetTerms(BudgetScope.TEAM, TEAM.id, BudgetPeriod.DAY, Money.of("500.00"), floor=Money.zero()),
        BudgetTerms(BudgetScope.WORKSPACE, None, BudgetPeriod.MONTH, Money.of("10000"), channel_id="C0FINANCE1"),
    ]
    assert written(budgets, BOOK) == """\
# FinOps budgets, taken in again by /finops budget import
version: 1

budgets:

  - scope: "workspace"
    period: month
    amount: "10000 USD"
    channel: C0FINANCE1

  - scope: "team:마케팅팀"
    period: day
    amount: "500 USD"

  - scope: "project:proj_3"
    period: day
    amount: "0.5 USD"
"""  # fmt: skip


names = st.text(min_size=1, max_size=20).filter(lambda name: name.strip() != "")
amounts = st.decimals("0.01", "900000000", places=6).map(Money)


@st.composite
def budgets(draw: st.DrawFn) -> BudgetTerms:
    kind = draw(st.sampled_from(BudgetScope))
    id_ = {BudgetScope.TEAM: TEAM.id, BudgetScope.PROJECT: draw(st.integers(1, 4))}.get(kind)
    amount = draw(amounts)
    floor = draw(st.none() | st.just(Money(amount.amount / 2)) | st.just(Money(Decimal("0.01"))))
    return BudgetTerms(
        kind, id_, draw(st.sampled_from(BudgetPeriod)), amount,
        tuple(sorted(draw(st.sets(st.integers(1, 1000), min_size=1, max_size=9)))),
        draw(st.sampled_from(BudgetAction)), floor if floor is None or not amount < floor else None,
        "C0FINANCE1" if kind is BudgetScope.WORKSPACE else draw(st.sampled_from([None, "G0SECRET99"])),
        draw(st.booleans()),
    )  # fmt: skip


@given(st.lists(budgets(), max_size=6, unique_by=lambda one: (one.scope_kind, one.scope_id, one.period, one.amount)))
@settings(max_examples=20, deadline=None)
def test_a_file_reads_as_what_was_written(wanted: list[BudgetTerms]):
    """Whatever the budgets are: exporting and importing changes nothing."""
    assert set(read(written(wanted, BOOK), BOOK)) == set(wanted)


@given(names)
@settings(max_examples=25, deadline=None)
def test_a_name_may_hold_anything(name: str):
    """Quotes, colons, line ends, control characters: whatever a project is called, its file reads as the same."""
    book = ScopeBook([TEAM], [a_project(7, name)])
    wanted = BudgetTerms(BudgetScope.PROJECT, 7, BudgetPeriod.DAY, Money.of("5"))
    assert read(written([wanted], book), book) == [wanted]
