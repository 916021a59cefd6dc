"""Every refusal, outage and finding has words, in every language, and they say what still holds."""

from __future__ import annotations

import pytest

from blocks import bad_news, doctor, outages
from bot.errors import OutageCode, RefusalCode
from bot.results import FindingCode, Level
from finops.polls import PollMistake
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_words import SINCE, News

# One sample of every value a code may come with.
VALUES: dict[str, object] = {
    "admins": ("U0JIHOON01",), "lead": "U0MINSU001", "team": "마케팅팀", "limit": 50, "user_id": "U0SAKURA01",
    "ends_with": "abc1", "registered": "한빛소프트", "pasted": "다른 회사", "project_id": "proj_1", "project": "batch",
    "words": "마케팅", "suggestion": "마케팅팀", "choices": ("마케팅팀",), "scope": "usage.read", "retry_after": 20.0,
    "pointer": "/data/0/results", "rights": ("management.read",), "error": "invalid_auth", "missing": ("im:history",),
    "skew_seconds": 400.0, "dialect": "sqlite", "milliseconds": 3, "current": "0001", "head": "0002", "count": 2,
    "enabled": 1, "disabled": 0, "old": 3, "unreadable": 0, "without_management": 1, "name": "한빛소프트",
    "since": SINCE,
    "expires_at": SINCE, "days_left": 3,
    "code": "unavailable", "age_minutes": 1800, "waiting": 2, "oldest_minutes": 14,
}  # fmt: skip


def test_every_refusal_and_outage_has_its_own_words() -> None:
    """bot/ names them, blocks/ says them; what Slack itself brings about comes with them."""
    assert set(bad_news.REFUSALS) == {code.value for code in RefusalCode} | {
        "changed_at_once", "too_busy", "window_too_late",
    }  # fmt: skip
    assert set(outages.OUTAGES) == {code.value for code in OutageCode} | {"slack_away"}
    assert set(doctor.FINDINGS) == {code.value for code in FindingCode}


# What is wrong with what was typed; without it these say the same: that something has to be.
MISTAKES: dict[str, dict[str, object]] = {
    "poll_question": {"mistake": PollMistake.LONG, "words": ""},
    "poll_options": {"mistake": PollMistake.TWICE},
    "poll_closes": {"mistake": PollMistake.LATE},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_refusals_read_the_same(language: str) -> None:
    """Whoever reads one knows which."""
    t = reader(language)
    said = [bad_news.refusal_words(code, VALUES | MISTAKES.get(code, {}), t) for code in bad_news.REFUSALS]
    said += [outages.provider_words(code, VALUES, t) for code in outages.OUTAGES]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finding_says_what_to_do_unless_all_is_well(language: str) -> None:
    """Words differ between well and unwell, and hold up when a value is missing."""
    t = reader(language)
    for code in FindingCode:
        well, unwell = (doctor.words(News(code, level=level, values=VALUES), t) for level in (Level.OK, Level.FAIL))
        assert well, code
        assert unwell, code
        assert (well == unwell) is (code is FindingCode.ADMINS), code
        assert doctor.words(News(code, level=Level.FAIL), t), code


def test_a_code_from_a_newer_version_is_still_a_sentence() -> None:
    """Two versions run side by side while one is being replaced."""
    t = reader("ko")
    assert bad_news.refusal_words("brand_new", {}, t) == "여기서는 할 수 없는 작업입니다."
    assert outages.provider_words("brand_new", {}, t).endswith("시도합니다.")
    assert doctor.words(News("brand_new"), t) == "brand_new"


def test_a_refusal_without_admins_to_name_still_says_whom_to_ask() -> None:
    """Nobody is named by an empty list."""
    assert "관리자 님" in bad_news.refusal_words("not_admin", {"admins": ()}, reader("ko"))
    assert "<!" not in bad_news.refusal_words("not_admin", {"admins": ("<!channel>",)}, reader("ko"))


def test_the_report_for_a_terminal_has_no_markup() -> None:
    """The same words, one finding a line, troubles first."""
    findings = [News("slack_token"), News("queue", level="fail", values={"waiting": 1, "oldest_minutes": 20.4})]
    first, second = doctor.text(findings, reader("en")).splitlines()
    assert first.startswith("✗ 1 collection is waiting, the oldest for 20 minutes")
    assert second == "✓ Slack accepts our token."
    assert "1.46" in doctor.pong(1.46, reader("ko")).text
