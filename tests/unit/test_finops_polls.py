"""Polls: what may be asked, who voted for what, what is told to whom, and that nobody finds an anonymous voter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.polls import (
    LATE_CLICKS,
    LONGEST,
    LONGEST_OPTION,
    MOST_OPTIONS,
    SHORTEST,
    Ballot,
    Option,
    PollMistake,
    PollUnusable,
    check_closing,
    clicked_us,
    exported,
    parse_options,
    parse_question,
    reminder,
    shown,
    voter_of,
    voting_time,
    with_option,
)
from tests.databases import MOMENT
from tests.integration.poll_world import a_poll

OPTIONS = tuple(Option(str(number), f"option {number}") for number in range(1, 6))
choices = st.lists(st.sampled_from([option.id for option in OPTIONS]), min_size=1, max_size=5, unique=True)


@given(st.dictionaries(st.text("UABC123", min_size=1, max_size=8), choices, max_size=30))
def test_every_vote_counts_once_and_shares_are_of_people(votes: dict[str, list[str]]) -> None:
    """However people vote, each option has the votes of those who chose it, and each share is of all who voted."""
    ballots = [Ballot(voter, tuple(chosen), MOMENT, 1) for voter, chosen in votes.items()]
    found = shown(a_poll(options=OPTIONS, is_multiple=True, is_anonymous=False), ballots, MOMENT)
    assert found.people == len(votes)
    for count in found.counts:
        assert set(count.voters) == {voter for voter, chosen in votes.items() if count.option.id in chosen}
        assert count.votes == len(count.voters)
        assert count.share == (Decimal(count.votes) / len(votes) if votes else None)


@pytest.mark.parametrize(("is_multiple", "chosen", "kept"), [
    (False, ["2"], ("2",)),
    (False, ["1", "2"], None),
    (False, [], None),
    (False, ["9"], None),
    (True, ["2", "1"], ("1", "2")),
    (True, ["2", "9"], None),
    (True, [], None),
])  # fmt: skip
def test_a_vote_is_one_of_the_options_or_none(
    is_multiple: bool, chosen: list[str], kept: tuple[str, ...] | None
) -> None:
    assert a_poll(is_multiple=is_multiple).chosen(chosen) == kept


def test_an_anonymous_voter_is_nobody_once_the_salt_is_gone() -> None:
    """Another poll names the same person otherwise; without its salt a poll cannot name anybody."""
    poll = a_poll()
    assert poll.voter("U1") == voter_of(b"salt", "U1") != voter_of(b"other", "U1")
    assert "U1" not in str(poll.voter("U1"))
    assert a_poll(salt=None, closed_at=MOMENT).voter("U1") is None
    assert a_poll(is_anonymous=False).voter("U1") == "U1"
    assert "salt" not in repr(poll)
    late = datetime(2026, 7, 6, 9, 59, 59, tzinfo=UTC)
    assert voting_time(poll, late) == datetime(2026, 7, 6, 9, tzinfo=UTC)
    assert voting_time(a_poll(is_anonymous=False), late) == late


def test_results_are_public_when_it_is_closed_or_never_was_to_be_hidden() -> None:
    """Over is over, even where nobody closed it yet; but not before the clicks made in time have come."""
    assert not shown(a_poll(), [], MOMENT).is_public
    assert shown(a_poll(is_hidden=False), [], MOMENT).is_public
    assert not shown(a_poll(), [], MOMENT + timedelta(days=1)).is_public
    assert shown(a_poll(), [], MOMENT + timedelta(days=1) + LATE_CLICKS).is_public
    assert shown(a_poll(closed_at=MOMENT), [], MOMENT).is_public


@pytest.mark.parametrize(("text", "mistake"), [
    ("one", PollMistake.FEW),
    ("one\n\n  \n", PollMistake.FEW),
    ("\n".join(map(str, range(MOST_OPTIONS + 1))), PollMistake.MANY),
    ("Yes\nno\n yes ", PollMistake.TWICE),
    ("a\n" + "b" * (LONGEST_OPTION + 1), PollMistake.LONG),
])  # fmt: skip
def test_options_that_cannot_be_asked_say_why(text: str, mistake: PollMistake) -> None:
    with pytest.raises(PollUnusable) as refusal:
        parse_options(text)
    assert refusal.value.mistake is mistake


def test_options_are_numbered_and_an_added_one_gets_a_number_of_its_own() -> None:
    """A vote for an option never becomes one for another."""
    options = parse_options(" 월요일 \n\n화요일\t오후\n")
    assert options == (Option("1", "월요일"), Option("2", "화요일 오후"))
    assert with_option(options, "수요일")[-1] == Option("3", "수요일")
    with pytest.raises(PollUnusable):
        with_option(options, "월요일")
    with pytest.raises(PollUnusable):
        with_option(tuple(Option(str(n), str(n)) for n in range(MOST_OPTIONS)), "more")


def test_questions_and_times_have_bounds() -> None:
    assert parse_question("  What\n next? ") == "What next?"
    for text in ("", " \n", "x" * 151):
        with pytest.raises(PollUnusable):
            parse_question(text)
    check_closing(MOMENT + SHORTEST, MOMENT)
    for closes_at in (MOMENT, MOMENT + LONGEST + timedelta(seconds=1)):
        with pytest.raises(PollUnusable):
            check_closing(closes_at, MOMENT)


@given(st.integers(1, int(MOMENT.timestamp()) * 1_000_000))
def test_a_click_is_dated_to_the_microsecond_by_slack(micros: int) -> None:
    """No binary fraction comes between; what is no time, or lies in the far future, is dated by us."""
    assert clicked_us(f"{micros // 1_000_000}.{micros % 1_000_000:06}", MOMENT) == micros
    now = int(MOMENT.timestamp()) * 1_000_000
    for stamp in ("", "x", "nan", "inf", "-1", "1e400", "99999999999", str(now // 1_000_000 + 301)):
        assert clicked_us(stamp, MOMENT) == now
    assert clicked_us(str(now // 1_000_000 + 299), MOMENT) == now + 299_000_000


@pytest.mark.parametrize(("lasts", "before"), [
    (timedelta(minutes=30), None),
    (timedelta(hours=2), timedelta(minutes=30)),
    (timedelta(days=3), timedelta(hours=18)),
    (timedelta(days=30), timedelta(days=1)),
])  # fmt: skip
def test_a_reminder_comes_in_the_last_quarter_at_most_a_day_before(lasts: timedelta, before: timedelta | None) -> None:
    closes_at = MOMENT + lasts
    assert reminder(MOMENT, closes_at) == (None if before is None else closes_at - before)


def test_the_file_of_a_named_poll_names_voters_and_that_of_an_anonymous_one_only_counts() -> None:
    """And no cell is a formula, whatever somebody typed."""
    options = (Option("1", "=1+1"), Option("2", "b"))
    ballots = [Ballot("U1", ("1", "2"), MOMENT, 3), Ballot("U2", ("2",), MOMENT, 1)]
    texts = {option.id: option.text for option in options}
    named = a_poll(options=options, is_multiple=True, is_anonymous=False)
    told = exported(shown(named, ballots, MOMENT), ballots, texts, "@all?").decode("utf-8-sig").splitlines()
    at = MOMENT.isoformat(timespec="seconds")
    assert told[1:] == [f"'@all?,'=1+1,U1,{at},2", f"'@all?,b,U1,{at},2", f"'@all?,b,U2,{at},0"]
    secret = a_poll(options=options, is_multiple=True)
    told = exported(shown(secret, ballots, MOMENT), ballots, texts, "?").decode("utf-8-sig").splitlines()
    assert told == ["question,option,votes,voters_in_all", "?,'=1+1,1,2", "?,b,2,2"]
