"""The page of decisions word for word, and whatever stands on it: Slack takes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import decisions, ids
from finops.decisions import Decision, Decisions, DecisionState, decided
from finops.feedback import FeedbackState
from finops.polls import Ballot, Option, PollKind, shown
from tests.databases import MOMENT
from tests.integration.poll_world import a_poll
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_learning import SHOWN, a_report
from tests.unit.test_blocks_limits import hurried, languages, refused

OVER = MOMENT + timedelta(days=1)
JIHOON = "U0JIHOON01"
OPTIONS = (Option("1", "비용 예측"), Option("2", "AWS"), Option("3", "<!channel>"), Option("4", "nobody's"))
NEXT = a_poll(
    id=7, kind=PollKind.NEXT_FEATURE, question="다음 기능은?", options=OPTIONS, closed_at=OVER, closed_by="", salt=None
)
VOTES = [Ballot(str(number), ("123"[number % 3],), MOMENT, 1) for number in range(5)]
MADE = [
    Decision(7, "1", DecisionState.PLANNED, JIHOON, OVER, "이지훈"),
    Decision(7, "4", DecisionState.DECLINED, "U0GONE0001", OVER),
]
PAGE = Decisions(
    at=OVER,
    polls=(decided(shown(NEXT, VOTES, OVER), MADE), decided(shown(replace(NEXT, id=8), [], OVER), [])),
    open=(a_poll(id=9, question="언제?", deciding_by=JIHOON),),
    more=2,
    feedback={FeedbackState.NEW: 3, FeedbackState.DONE: 1},
    learned=a_report(SHOWN),
)
EMPTY = Decisions(OVER, (), (), learned=replace(a_report(()), digests=()))
SAID: dict[str, tuple[Decisions, dict[str, Any]]] = {
    "admin": (PAGE, {"is_admin": True, "mark": "m"}),
    "shared": (PAGE, {"is_admin": True, "shared_by": JIHOON}),
    "empty": (EMPTY, {"mark": "m"}),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAID)
def test_the_page_word_for_word(snapshot: SnapshotAssertion, name: str, language: str) -> None:
    report, how = SAID[name]
    told = decisions.message(report, reader(language), **how)
    assert refused(told) == []
    assert told.arguments() == snapshot.use_extension(JSONSnapshotExtension)


def test_ties_and_what_is_decided_are_told_beside_the_votes() -> None:
    """The same in every way to read it: blocks and the words of a screen reader."""
    told = decisions.message(PAGE, reader("ko"), is_admin=True)
    for words in ("공동 1위 · *비용 예측*", "공동 1위 · *AWS*", "3위 · *&lt;!channel&gt;*", "결정: *계획* · 이지훈 · "):
        assert words in str(told.blocks), words
    assert "비용 예측 40% (계획)" in told.text


def test_a_page_without_a_closed_vote_says_so_also_where_only_a_line_is_read() -> None:
    """In a notification stood a dash; and where a vote is open, nobody is asked to post another."""
    t = reader("en")
    assert decisions.message(EMPTY, t).text == (
        "What comes next: voted and decided: No vote on what comes next has closed yet. "
        "Post a poll: FinOps brings the options, and the result stands here."
    )
    waiting = decisions.message(replace(EMPTY, open=PAGE.open), t)
    assert "No vote on what comes next has closed yet. The result will stand here. Still open: 언제?" in waiting.text
    assert "Post a poll" not in f"{waiting.blocks}{waiting.text}"
    assert ids.POLL_READY not in str(waiting.blocks)


def test_only_administrators_have_menus_and_nobody_has_in_public() -> None:
    t = reader("en")
    assert ids.DECISION_SET in str(decisions.message(PAGE, t, is_admin=True).blocks)
    assert ids.DECISION_SET not in str(decisions.message(PAGE, t).blocks)
    public = str(decisions.message(PAGE, t, is_admin=True, shared_by=JIHOON).blocks)
    assert "action_id" not in public
    assert ids.POLL_READY in str(decisions.message(EMPTY, t).blocks)
    assert "action_id" not in str(decisions.message(EMPTY, t, shared_by=JIHOON).blocks)


@given(st.text(min_size=1, max_size=75), st.integers(2, 10), st.integers(1, 5), languages)
@hurried
def test_any_page_in_any_language_fits_slack(text: str, options: int, polls: int, language: str) -> None:
    """The last polls have room for all their answers, or are told as in the file."""
    long = tuple(Option(str(number), text) for number in range(options))
    poll = replace(NEXT, question=text * 2, options=long)
    votes = [Ballot(str(number), (str(number % options),), MOMENT, 1) for number in range(options)]
    made = [Decision(7, "0", DecisionState.DOING, "x", OVER, text)]
    report = replace(PAGE, polls=(decided(shown(poll, votes, OVER), made),) * polls, open=(poll,) * 5)
    t = reader(language)
    for message in (
        decisions.message(report, t, is_admin=True, mark="m", notice="notice"),
        decisions.message(report, t, shared_by=JIHOON),
    ):
        assert refused(message) == []
        assert len(message.blocks) < 50
