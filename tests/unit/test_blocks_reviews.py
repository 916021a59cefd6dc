"""The review of an alert: a draft in three languages that fits Slack, and a page that nobody can forge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from blocks import ids, reviews
from finops.incidents import EventKind, IncidentEvent
from finops.money import Money
from finops.review import LONGEST_REVIEW, Review
from finops.stops import StopEvent, StopEventKind
from tests.unit import saying_live, slack_limits
from tests.unit import stopping_said as told
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_limits import refused

DAY = date(2026, 7, 7)
AT = datetime(2026, 7, 6, 5, tzinfo=UTC)


def a_review(*, is_stopped: bool = True) -> Review:
    shown = saying_live.over("resolved")
    return Review(replace(shown, stop=told.over()) if is_stopped else shown, "U0MINSU001", "김민수")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_draft_says_when_how_much_why_and_what_to_do(language: str) -> None:
    """Each in its place, in the reader's words; of what was stopped also when, by whom and what it avoided."""
    t = reader(language)
    draft, plain = (reviews.prepared(a_review(is_stopped=each), t) for each in (True, False))
    heads = ["*What happened*", "*Cost*", "*Cause*", "*What keeps it from happening again*"]
    for text in (draft, plain):
        places = [text.index(t.gettext(head)) for head in heads]
        assert places == sorted(places)
        assert "$500" in text
    assert "재시도 로직 버그" in draft, "what somebody told, as it was told"
    assert len(draft.splitlines()) > len(plain.splitlines())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_window_and_the_page_fit_slack(language: str) -> None:
    """Also with nobody to lead it, and with the longest text; nothing that was typed calls anybody."""
    t = reader(language)
    for review in (a_review(), replace(a_review(), lead_user_id=None)):
        view = reviews.window(review, 12, DAY, t, "<" * LONGEST_REVIEW, "problem")
        assert slack_limits.of_view(view) == []
        assert ("initial_user" in str(view)) is (review.lead_user_id is not None)
        assert "2026-07-14" in str(view)
    page = reviews.message("<!channel> & *done*" + "<" * LONGEST_REVIEW, "U0MINSU001", DAY, "U0JIHOON01", t)
    assert refused(page) == []
    assert "<!channel>" not in str(page.blocks)
    assert "<@U0MINSU001>" in page.text
    assert slack_limits.of_view(reviews.posted(t)) == []
    assert ids.INCIDENT_REVIEW in str(reviews.button(12, t))


def test_every_stop_of_an_alert_is_told_and_it_lasted_until_the_last() -> None:
    """Allowed again, it was stopped a second time: a review that ends with the first way back tells half of it."""
    shown, minute = a_review().shown, timedelta(minutes=1)
    assert shown.stop is not None
    crossed = IncidentEvent(EventKind.CROSSED, AT, "crossed:100", {"level": 100})
    kinds = [StopEventKind.REQUESTED, StopEventKind.SET, StopEventKind.PROVED, StopEventKind.RESTORED]
    told_of = tuple(StopEvent(kind, AT + minute * (n + 1), f"{n}") for n, kind in enumerate(kinds * 2))
    once, twice = (
        Review(replace(shown, events=(crossed,), stop=replace(shown.stop, events=events)), None, "")
        for events in (told_of[:4], told_of)
    )
    assert [[one.kind for one in each.moments if one.kind in kinds] for each in (once, twice)] == [kinds, kinds * 2]
    assert (once.lasted, twice.lasted) == (minute * 4, minute * 8)


def test_the_cost_tells_what_was_used_after_each_of_its_stops() -> None:
    """Two stops stood in the story, and the leak of the last one alone below it."""
    shown = a_review().shown
    assert shown.stop is not None
    [hold] = shown.stop.holds
    earlier = replace(hold, id=(hold.id or 1) - 1, leak=Money.of("63.36"))
    later = replace(hold, leak=Money.of("0.02"))
    twice = replace(shown, stop=replace(shown.stop, holds=(earlier, later)))
    draft = reviews.prepared(Review(twice, None, ""), reader("ko"))
    assert "• 요청 후 $63.38 추가 발생" in draft
