"""Names as people type them: the whole of one, or as much of it as says which is meant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks import bad_news
from bot.budget_files import FileRefused, read
from bot.budget_scopes import ScopeBook
from bot.errors import Refusal, RefusalCode
from bot.naming import alike, begun
from finops.budgets import BudgetScope
from finops.registry import Project, Team
from tests.unit.saying import reader

NAMES = st.lists(st.text(alphabet="aB가 -팀", min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=6)
AT = datetime(2026, 7, 1, tzinfo=UTC)


def book(*names: str, teams: tuple[str, ...] = ()) -> ScopeBook:
    """A workspace of these projects, all of the first team."""
    return ScopeBook(
        [_team(number, name) for number, name in enumerate(teams, 1)],
        [_project(number, name) for number, name in enumerate(names, 1)],
    )


@given(NAMES)
def test_the_whole_of_a_name_is_never_taken_for_the_beginning_of_another(names: list[str]) -> None:
    """However many names go on from it."""
    for name in names:
        found = begun(name, names)
        assert found is not None
        assert alike(found) == alike(name)
        assert alike(book(*names).meant(name).name) == alike(name)


@pytest.mark.parametrize("words", ["chatbot", "CHATBOT-exp", "ｃｈａｔ", "project chatbot", "프로젝트 experiment"])
def test_a_beginning_that_no_other_name_has_is_enough(words: str) -> None:
    """Of the name, or of a word in it; whatever the case and the width of the letters."""
    assert book("chatbot-experiment", "batch", teams=("마케팅팀",)).meant(words).name == "chatbot-experiment"


def test_a_blank_more_or_less_names_the_same() -> None:
    """Korean is written either way. Where two teams are called so from before, each is found by its own name."""
    assert begun("마케팅 팀", ["마케팅팀 2기", "마케팅팀"]) == "마케팅팀"
    assert begun("마케팅팀", ["데이터팀", "마케팅 팀"]) == "마케팅 팀"
    twins = ["마케팅 팀", "마케팅팀"]
    assert [begun(name, twins) for name in twins] == twins
    with pytest.raises(Refusal):
        begun("마 케팅팀", twins)


def test_menus_and_files_find_a_team_whichever_way_its_blanks_are_written() -> None:
    """As commands do; a project is offered by the name of its team, too."""
    known = book("batch", teams=("마케팅 팀", "데이터팀"))
    assert [one.name for one in known.search("마케팅팀")] == ["마케팅 팀", "batch"]
    assert [one.name for one in known.search("데이터 팀")] == ["데이터팀"]
    text = 'version: 1\nbudgets:\n  - {scope: "team:%s", period: day, amount: 5}\n'
    assert [one.scope_id for name in ("마케팅팀", "마케팅 팀") for one in read(text % name, known)] == [1, 1]
    with pytest.raises(FileRefused):
        read(text % "마 케팅팀", book(teams=("마케팅 팀", "마케팅팀")))


def test_the_kind_before_a_beginning_says_which_is_meant() -> None:
    """A team and a project may begin alike."""
    both = book("마케팅 카피", teams=("마케팅팀",))
    assert both.meant("팀 마케팅").kind is BudgetScope.TEAM
    assert both.meant("프로젝트 마케팅").kind is BudgetScope.PROJECT
    with pytest.raises(Refusal) as refused:
        both.meant("마케팅")
    assert refused.value.code is RefusalCode.SEVERAL_SCOPES
    assert refused.value.values == {"words": "마케팅", "choices": ("마케팅팀", "마케팅 카피")}


def test_the_middle_of_a_word_is_no_beginning() -> None:
    """And nothing at all is the beginning of nothing."""
    names = ["chatbot-experiment", "글로벌마케팅"]
    assert [begun(words, names) for words in ("bot", "마케팅", "-exp", "", " ")] == [None] * 5


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("unknown_scope", "이름이 ‘x’인 팀이나 프로젝트가 없습니다. 지금 있는 이름: a, b, c, d, e 외 3개"),
        (
            "several_scopes",
            "*x*, 어느 것을 말씀하시나요? a, b, c, d, e 외 3개 중에 있습니다. 이름을 조금 더 적어 주세요.",
        ),
    ],
)
def test_a_list_of_names_says_how_many_more_there_are(code: str, said: str) -> None:
    """Whoever misses a name in it knows that it is not all."""
    values = {"words": "x", "suggestion": None, "choices": tuple("abcdefgh")}
    assert bad_news.refusal_words(code, values, reader("ko")) == said


def _team(number: int, name: str) -> Team:
    return Team(number, "T1", name, "U1", "C1", "ko", (), "U1", AT)


def _project(number: int, name: str) -> Project:
    return Project(number, "T1", 1, 1, f"proj_{number}", name, None, None, None, None, False, "U1", AT)  # noqa: FBT003
