"""Decisions beside votes: places that ties share, what is shown, and a file without anybody's vote."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from finops.decisions import TOP, Decision, DecisionState, decided, exported
from finops.polls import Ballot, Option, PollKind, shown
from tests.databases import MOMENT
from tests.integration.poll_world import a_poll

OVER = MOMENT + timedelta(days=1)
OPTIONS = tuple(Option(str(number), f"=option {number}") for number in range(1, 7))
POLL = a_poll(options=OPTIONS, kind=PollKind.NEXT_FEATURE, is_anonymous=False, closed_at=OVER, closed_by="U1")


def made(option_id: str, state: DecisionState = DecisionState.PLANNED, poll_id: int = POLL.id) -> Decision:
    return Decision(poll_id, option_id, state, "U0JIHOON01", OVER, "이지훈")


def ballots(*votes: str) -> list[Ballot]:
    return [Ballot(f"U0VOTER{number}", (vote,), MOMENT, 1) for number, vote in enumerate(votes)]


@given(st.lists(st.sampled_from([one.id for one in OPTIONS]), max_size=30), st.sampled_from(OPTIONS))
def test_more_votes_stand_higher_and_equal_ones_share_a_place(votes: list[str], option: Option) -> None:
    """No answer with as many votes as a shown one is left out, and what was decided about is always there."""
    found = decided(shown(POLL, ballots(*votes), OVER), [made(option.id)])
    for one in found.answers:
        assert one.count.votes == votes.count(one.count.option.id)
        assert one.place == 1 + sum(votes.count(other.id) > one.count.votes for other in OPTIONS)
        assert one.is_tied == (sum(other.count.votes == one.count.votes for other in found.answers) > 1)
        assert one.count.voters == ()
        is_decided = one.count.option.id == option.id
        assert (one.decision is not None) == is_decided
        assert (one in found.top) == (is_decided or (one.count.votes > 0 and one.place <= TOP))
    assert [one.place for one in found.answers] == sorted(one.place for one in found.answers)


def test_a_decision_about_another_poll_is_nobody_elses() -> None:
    found = decided(shown(POLL, ballots("1", "1", "2", "2"), OVER), [made("1", poll_id=POLL.id + 1)])
    assert [(one.place, one.is_tied, one.decision) for one in found.top] == [(1, True, None), (1, True, None)]
    assert decided(shown(POLL, [], OVER), []).top == ()


def test_the_file_has_every_answer_and_no_voter() -> None:
    """A name that a spreadsheet would calculate is harmless in it."""
    poll = decided(shown(POLL, ballots("2", "2", "1"), OVER), [made("2", DecisionState.DOING)])
    text = exported([poll]).decode("utf-8-sig")
    assert "U0VOTER" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["place"], row["option"], row["votes"], row["decision"]) for row in rows[:3]] == [
        ("1", "'=option 2", "2", "doing"),
        ("2", "'=option 1", "1", ""),
        ("3", "'=option 3", "0", ""),
    ]
    assert (rows[0]["decided_by"], rows[0]["voters_in_all"], len(rows)) == ("U0JIHOON01", "3", len(OPTIONS))
