"""Polls word for word, and whatever people type: Slack takes it, and nobody reads more than they may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import poll_forms, polls
from finops.polls import PULSE_OPTIONS, Ballot, Option, PollDraft, PollKind, PollShown, shown
from tests.databases import MOMENT
from tests.integration.poll_world import a_poll
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_limits import hurried, languages, refused, refused_view

OVER = MOMENT + timedelta(days=1)
BALLOTS = [Ballot(f"U{n}", ("1",) if n % 3 else ("2",), MOMENT, 1) for n in range(7)]
PULSE = a_poll(kind=PollKind.PULSE, question="", options=tuple(Option(name, "") for name in PULSE_OPTIONS))
SAID = {
    "hidden": shown(a_poll(), BALLOTS, MOMENT),
    "named": shown(a_poll(is_anonymous=False, is_hidden=False, is_multiple=True), BALLOTS, MOMENT),
    "closed": shown(a_poll(salt=None, closed_at=OVER, closed_by="U1"), BALLOTS, OVER),
    "pulse": shown(PULSE, [], MOMENT),
    "pulse_closed": shown(PULSE, [Ballot(f"x{n}", ("good",), MOMENT, 1) for n in range(5)], OVER + timedelta(days=9)),
    "pulse_few": shown(PULSE, [Ballot(f"x{n}", ("good",), MOMENT, 1) for n in range(4)], OVER + timedelta(days=9)),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAID)
def test_polls_word_for_word(snapshot: SnapshotAssertion, name: str, language: str) -> None:
    words = snapshot.use_extension(JSONSnapshotExtension)
    assert polls.root(SAID[name], reader(language)).arguments() == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_hidden_results_are_nowhere_in_the_message(language: str) -> None:
    """Neither in its text nor in its blocks is more than how many voted; and no name of an anonymous voter anywhere."""
    t = reader(language)
    assert polls.root(SAID["hidden"], t) == polls.root(
        shown(a_poll(), [Ballot(one.voter, ("1",), MOMENT, 1) for one in BALLOTS], MOMENT), t
    )
    for name in ("hidden", "closed"):
        assert "U3" not in str(polls.root(SAID[name], t))
    assert "U3" in str(polls.root(SAID["named"], t))


texts = st.text(min_size=1, max_size=75).map(lambda text: " ".join(text.split()) or "-")
rooms = st.builds(
    lambda question, options, voters, multiple, anonymous, hidden, over, adding: _a_room(
        question, options, voters, multiple, anonymous, hidden, over, adding
    ),
    texts,
    st.lists(texts, min_size=2, max_size=10, unique=True),
    st.integers(0, 40),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


def _a_room(
    question: str,
    options: list[str],
    voters: int,
    multiple: bool,
    anonymous: bool,
    hidden: bool,
    over: bool,
    adding: bool,
) -> PollShown:
    poll = a_poll(
        id=999_999_999_999_999,
        question=question * 2,
        options=tuple(Option(str(n), text) for n, text in enumerate(options, start=1)),
        is_multiple=multiple,
        is_anonymous=anonymous,
        is_hidden=hidden,
        may_add=adding,
    )
    ballots = [Ballot(f"U0VOTER{n:04}", (str(1 + n % len(options)),), MOMENT, 1) for n in range(voters)]
    return shown(poll, ballots, OVER if over else MOMENT)


@given(rooms, languages)
@hurried
def test_any_poll_in_any_language_fits_slack(room: PollShown, language: str) -> None:
    """The message, its lines, what a voter sees, the list and the windows."""
    t, poll = reader(language), room.poll
    chosen = [option.id for option in poll.options]
    entries = [polls.Entry(room, "https://x.slack.com/archives/C1/p1", is_mine=True, may_mark=True)] * 10
    for message in (
        polls.root(room, t),
        polls.reminder(room, t),
        polls.result(room, t),
        polls.voted(poll, chosen, room, t, was_changed=True),
        polls.withdrawn(poll, t),
        polls.results(room, t, "notice"),
        polls.listed(entries, t),
        polls.marked(poll, t, decides=True),
        polls.marked(poll, t, decides=False),
    ):
        assert refused(message) == []
    draft = PollDraft(poll.question, "\n".join(option.text for option in poll.options), "C1", OVER)
    ready: Any = PollDraft("", "", "", OVER, PollKind.NEXT_FEATURE)
    for view in (
        poll_forms.form(draft, t, "problem"),
        poll_forms.form(ready, t),
        poll_forms.asked(poll, t),
        poll_forms.choosing(poll, chosen[:1], t),
        poll_forms.voted_view(poll, chosen, room, t, was_changed=False),
        poll_forms.adding(poll.id, t),
    ):
        assert refused_view(view) == []


def test_a_question_rings_nobody() -> None:
    """What anybody may ask stands in the notification, too: as words, not as a call to everybody in the channel."""
    poll = a_poll(
        question="<!channel> *지금*?", options=(Option("1", "<@U0MINSU001>"), Option("2", "아니요")), is_hidden=False
    )
    told = shown(poll, [Ballot("x", ("1",), MOMENT, 1)], MOMENT)
    for message in (polls.root(told, reader("ko")), polls.results(told, reader("ko"))):
        assert "&lt;!channel&gt; ∗지금∗?" in message.text
        assert "&lt;@U0MINSU001&gt;" in message.text
        assert not {"<!", "<@"} & {message.text[n : n + 2] for n in range(len(message.text))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_promises_no_more_than_the_message(language: str) -> None:
    """Records tell nobody who voted for what; that nobody can find out is not ours to promise, for results may tell."""
    promised = {"ko": "기록으로도", "en": "no record tells it", "ja": "記録からも"}
    assert promised[language[:2]] in str(poll_forms.form(PollDraft("", "", "", OVER), reader(language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notification_of_an_empty_list_says_that_it_is_empty(language: str) -> None:
    message = polls.listed([], reader(language))
    [_, nothing, _] = message.blocks
    assert message.text.endswith(nothing["text"]["text"])
