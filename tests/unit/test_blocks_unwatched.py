"""What is said of a stretch in which nobody looked, and of blindness by mail: times, lengths, amounts, never a lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from blocks import collection, doctor, unwatched
from finops.money import Money
from locales import translator_for
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_words import News

SINCE = datetime(2026, 7, 6, 0, 10, tzinfo=UTC)
UNTIL = datetime(2026, 7, 6, 1, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "head", "found"),
    [
        ("ko", "09:10부터 10:25(KST)까지 75분 동안 지출을 보지 못했습니다.", "비용은 *$12.34* (○ 추정)입니다."),
        (
            "en",
            "From 09:10 to 10:25 KST, for 75 minutes, we did not see your spending.",
            "it cost *$12.34* (○ estimate).",
        ),
        (
            "ja",
            "09:10 から 10:25（JST）まで 75分間、支出を確認できませんでした。",
            "コストは *$12.34* （○ 推定）です。",
        ),
    ],
)
def test_from_when_until_when_how_long_and_what_was_found(language: str, head: str, found: str) -> None:
    t = translator_for(language, "Asia/Tokyo" if language == "ja" else "Asia/Seoul")
    # What a reader would count between the two times, whatever the seconds were.
    since, until = SINCE + timedelta(seconds=2), UNTIL + timedelta(seconds=50)
    said = unwatched.message(since, until, ["한빛소프트"], Money.of("12.34"), (), t).text
    assert said.startswith(head)
    assert found in said


def test_an_hour_that_clocks_repeat_is_told_by_its_days_and_counted_as_it_was() -> None:
    """From the evening before to the morning on which Berlin's clocks were put back: the length is the real one."""
    since, until = datetime(2026, 10, 24, 20, 0, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
    said = unwatched.message(since, until, (), None, (), translator_for("en", "Europe/Berlin")).text
    assert said.startswith("From Oct 24 22:00 to Oct 25 07:00 CET, for 10 hours, we did not see your spending.")
    assert said.endswith("The usage of that time has been read now.")


def test_no_cost_is_said_only_where_everything_used_has_a_price() -> None:
    t, nothing = reader("ko"), Money.zero("USD")
    assert "알려진 비용은 없습니다" in unwatched.message(SINCE, UNTIL, (), nothing, (), t).text
    unpriced = unwatched.message(SINCE, UNTIL, (), nothing, ["new-model"], t)
    assert "비용은 없습니다" not in unpriced.text
    assert "new-model" in str(unpriced.blocks)


def test_names_are_harmless_and_many_are_counted() -> None:
    names = ["<!channel>", *(f"조직 {number}" for number in range(7))]
    said = str(unwatched.message(SINCE, UNTIL, names, None, (), reader("ko")).blocks)
    assert "<!channel>" not in said
    assert "조직 3" in said
    assert "조직 4" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_checkup_tells_the_last_time_it_was_away(language: str) -> None:
    t = reader(language)
    values: dict[str, object] = {"since": SINCE, "until": UNTIL}
    well, unwell = (doctor.words(News("unwatched", level=level, values=values), t) for level in ("ok", "warn"))
    assert unwell.startswith(well)
    assert t.moment(SINCE) in well
    assert doctor.words(News("unwatched"), t) != well


@pytest.mark.parametrize("language", LANGUAGES)
def test_blindness_by_mail_says_what_slack_says_and_is_plain(language: str) -> None:
    """It promises no change of its own: mails do not change. What is over already is told as over."""
    t, link = reader(language), "https://slack.com/app_redirect?team=T1"
    subject, body = collection.blind_mail("한빛 & 소프트", SINCE, None, "unavailable", t, link)
    assert "한빛 & 소프트" in subject
    assert body.startswith(subject)
    assert link in body
    assert t.moment(SINCE) in body
    over, _ = collection.blind_mail("한빛 & 소프트", SINCE, SINCE + timedelta(hours=1), "unavailable", t)
    assert over != subject
