"""The review of an alert: a draft in three languages that fits Slack, and a page that nobody can forge."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from blocks import ids, reviews
from finops.review import Review
from tests.unit import saying_live, slack_limits
from tests.unit import stopping_said as told
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_limits import refused

DAY = date(2026, 7, 7)


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
        view = reviews.window(review, 12, DAY, t, "<" * reviews.TEXT_LENGTH, "problem")
        assert slack_limits.of_view(view) == []
        assert ("initial_user" in str(view)) is (review.lead_user_id is not None)
        assert "2026-07-14" in str(view)
    page = reviews.message("<!channel> & *done*" + "<" * reviews.TEXT_LENGTH, "U0MINSU001", DAY, "U0JIHOON01", t)
    assert refused(page) == []
    assert "<!channel>" not in str(page.blocks)
    assert "<@U0MINSU001>" in page.text
    assert slack_limits.of_view(reviews.posted(t)) == []
    assert ids.INCIDENT_REVIEW in str(reviews.button(12, t))
