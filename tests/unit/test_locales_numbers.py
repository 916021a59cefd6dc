"""Numbers, money and times as each reader expects them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from finops.charges import FigureState
from finops.money import Money
from finops.periods import Period
from finops.queries import NamedPeriod, PeriodName
from locales import Translator, translator_for

KO, EN, JA = (Translator(language) for language in ("ko", "en", "ja"))
NO_BREAK = "\u00a0"


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "USD", "$1,234.50"),
        ("0", "USD", "$0.00"),
        ("-0.001", "USD", "-$0.0010"),
        ("-5", "USD", "-$5.00"),
        ("0.005", "USD", "$0.0050"),
        ("0.0042", "USD", "$0.0042"),
        ("0.000000001", "USD", "$0.000000001"),
        ("0.00000000000001", "USD", "$0.000000000"),
        ("1234567.5", "KRW", "₩1,234,568"),
        ("999999999999.995", "USD", "$1,000,000,000,000.00"),
        ("12", "CHF", f"CHF{NO_BREAK}12.00"),
    ],
)
def test_money_is_written_with_its_sign_and_never_as_nothing(amount: str, currency: str, shown: str) -> None:
    """Dollars read $ in Korean too: so do the bill and the requirements."""
    assert KO.money(Money.of(amount, currency)) == shown


def test_yen_has_the_readers_own_sign() -> None:
    """Japanese writes the full-width sign."""
    assert JA.money(Money.of("1200", "JPY")) == "￥1,200"
    assert EN.money(Money.of("1200", "JPY")) == "¥1,200"


@given(st.lists(st.decimals(0, 10**6, places=6), min_size=1, max_size=12))
def test_parts_as_shown_add_up_to_the_whole_as_shown(parts: list[Decimal]) -> None:
    """To the last digit, whatever the rounding."""
    shown = EN.amounts([Money(part) for part in parts])
    whole = EN.money(Money(sum(parts, Decimal(0))))
    value = [Decimal(0) if text.startswith("<") else Decimal(text.strip("$").replace(",", "")) for text in shown]
    assert sum(value) == Decimal(whole.strip("$").replace(",", ""))


@given(st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False, places=9)), st.integers(0, 9))
def test_a_number_is_written_as_the_readers_locale_has_it(value: int | Decimal, places: int) -> None:
    """By Babel, which knows every locale's marks: half-even, thousands grouped, and a sign in front."""
    pattern = "#,##0" + ("." + "0" * places if places else "")
    for language, reader in (("ko", KO), ("en", EN), ("ja", JA)):
        assert reader.number(value, places) == format_decimal(value, format=pattern, locale=language)


def test_no_parts_are_no_amounts() -> None:
    """A report of nothing."""
    assert KO.amounts([]) == []


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        ("0.004", "<1%"),
        ("0", "0%"),
        ("0.5", "50%"),
        ("0.9999", ">99%"),
        ("1", "100%"),
        ("-0.2", "-20%"),
        ("-0.002", ">-1%"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(ratio: str, shown: str) -> None:
    """0 % and 100 % are claims."""
    assert KO.share(Decimal(ratio)) == shown
    assert KO.share(None) == "-"


def test_shares_add_up_beside_a_credit_too() -> None:
    """What one project was credited, the others were charged beyond the whole."""
    shown = KO.shares([Decimal("0.6265"), Decimal("0.1895"), Decimal("0.1895"), Decimal("-0.0055")])
    assert shown == ["63%", "19%", "19%", "-1%"]
    assert KO.shares([Decimal("1.255"), Decimal("-0.255")]) == ["126%", "-26%"]


def test_percentages_are_grouped_and_signed() -> None:
    """The golden figures: 742 of 500, and 742 against 50."""
    assert KO.percent(Decimal("1.484")) == "148%"
    assert KO.percent(Decimal("13.84")) == "1,384%"
    assert KO.percent(Decimal("-0.0551"), 1) == "-5.5%"


def test_a_charge_day_runs_from_nine_to_nine_in_seoul_and_tokyo() -> None:
    """It is a UTC day, and every reader is told what that means on their clock."""
    day = Period(date(2026, 7, 3), date(2026, 7, 4))
    assert KO.span(day) == "7월 3일 09:00부터 24시간"
    assert JA.span(day) == "7月3日 09:00 から 24時間"
    assert EN.span(day) == "24 hours from Jul 3 00:00"
    assert KO.span(Period(date(2026, 7, 1), date(2026, 7, 4))) == "7월 1일 09:00부터 7월 4일 09:00까지"


def test_a_period_is_called_what_people_call_it() -> None:
    """Named ones by name, others by their number of days."""
    period = Period(date(2026, 7, 1), date(2026, 7, 2))
    assert [KO.period(NamedPeriod(name, period)) for name in PeriodName] == [
        "오늘", "어제", "최근 7일", "최근 30일", "이번 주", "지난주", "이번 달", "지난달",
    ]  # fmt: skip
    assert EN.period(NamedPeriod("days:1", period)) == "last 1 day"
    assert EN.period(NamedPeriod("days:14", period)) == "last 14 days"
    week = Period(date(2026, 6, 29), date(2026, 7, 6))
    assert KO.period(NamedPeriod("week:2026-06-29", week)) == "2026-W27 (6/29 ~ 7/5)"
    march = NamedPeriod("month:2026-03", Period(date(2026, 3, 1), date(2026, 4, 1)))
    assert [t.period(march) for t in (KO, EN, JA)] == ["2026년 3월", "March 2026", "2026年3月"]
    assert EN.period(NamedPeriod("day:2026-06-29", Period(week.start, date(2026, 6, 30)))) == "Mon, Jun 29, 2026"


def test_every_state_has_a_word_and_a_sign() -> None:
    """The word carries the meaning; the sign only repeats it."""
    assert [KO.badge(state) for state in FigureState] == ["○ 추정", "◐ 잠정", "● 확정", "△ 확인 불가"]


def test_times_name_their_zone() -> None:
    """KST where there is a name, an offset where there is none."""
    moment = datetime(2026, 7, 6, 0, 5, tzinfo=UTC)
    assert f"{KO.moment(moment)} {KO.zone_name(moment)}" == "7월 6일 09:05 KST"
    kathmandu = translator_for("en-GB", "Asia/Kathmandu")
    assert f"{kathmandu.moment(moment)} {kathmandu.zone_name(moment)}" == "Jul 6 05:50 UTC+0545"
    assert KO.moment(moment, ZoneInfo("UTC")) == "7월 6일 00:05"
    assert KO.day(date(2026, 7, 6)) == "7월 6일(월)"
    assert KO.day(date(2026, 7, 6), with_year=True) == "2026년 7월 6일(월)"


@pytest.mark.parametrize(
    ("locale", "language"),
    [("ko-KR", "ko"), ("ja-JP", "ja"), ("en-GB", "en"), ("de-DE", "en"), ("ko_KR", "ko"), (None, "ko"), ("", "ko")],
)
def test_slacks_locales_find_their_language(locale: str | None, language: str) -> None:
    """Silence is Korean; a language we do not speak is English; a zone that does not exist is the language's own."""
    assert translator_for(locale).language == language
    assert str(translator_for(locale, "Mars/Olympus").zone) == str(Translator(language).zone)
