"""Won and yen beside dollars, word for word: on every surface with a main amount, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from blocks import audit_words, digest, exchange, home, ids, incidents, kit, status
from blocks.exchange import about, beside, line
from finops.audit import AuditEntry
from finops.digest import DigestShown, DigestVersion
from finops.exchange import Beside, Converter, Rate, RateChange, RateMistake
from finops.money import Money
from locales import Translator
from tests.unit import saying_live as live
from tests.unit import slack_limits
from tests.unit.digesting import a_card, a_digest
from tests.unit.saying import LANGUAGES, TODAY, a_home, a_status, reader

DAY = date(2026, 7, 3)
WON = Converter(Rate(Beside.KRW, Decimal("1375.5"), DAY), TODAY)
YEN = Converter(Rate(Beside.JPY, Decimal("155.02"), DAY), TODAY)
OLD = Converter(WON.rate, DAY + timedelta(days=33))
AMOUNT = Money.of("742")


def words(parts: Any) -> str:
    return json.dumps(parts, ensure_ascii=False)


@pytest.mark.parametrize(
    ("language", "at", "amount", "said"),
    [
        ("ko", WON, "742", "$742.00 (약 1,020,621원)"),
        ("ko", YEN, "742", "$742.00 (약 115,025엔)"),
        ("en", WON, "742", "$742.00 (≈ ₩1,020,621)"),
        ("en", YEN, "742", "$742.00 (≈ ¥115,025)"),
        ("ja", YEN, "742", "$742.00 (約115,025円)"),
        ("ja", WON, "742", "$742.00 (約1,020,621ウォン)"),
        ("ko", WON, "-5", "-$5.00 (약 -6,878원)"),
        ("en", WON, "-5", "-$5.00 (≈ -₩6,878)"),
        ("ko", WON, "0.0003", "$0.00030 (1원 미만)"),
        ("ko", WON, "0", "$0.00"),
        ("ko", OLD, "742", "$742.00 (약 1,020,621원, 2026-07-03 환율)"),
        ("en", OLD, "742", "$742.00 (≈ ₩1,020,621, rate of 2026-07-03)"),
        ("ko", None, "742", "$742.00"),
    ],
)
def test_an_amount_is_told_in_both(language: str, at: Converter | None, amount: str, said: str) -> None:
    """The dollars first, as billed; an old rate says its day beside the very amount."""
    t, money = reader(language), Money.of(amount)
    assert beside(t.money(money), money, at, t) == said


@pytest.mark.parametrize(
    ("language", "at", "said"),
    [
        ("ko", WON, "환율 1달러 = 1,375.5원, 2026-07-03 기준, 참고용"),
        ("en", WON, "Exchange rate $1 = ₩1,375.5, as of 2026-07-03, for reference only"),
        ("ja", YEN, "為替レート 1ドル = 155.02円、2026-07-03時点、参考値"),
        ("ko", OLD, "△ *33일 지난 환율입니다*: 1달러 = 1,375.5원, 2026-07-03 기준, 참고용"),
    ],
)
def test_the_rate_is_told_with_its_day(language: str, at: Converter, said: str) -> None:
    """And with its age first, as soon as it is old."""
    assert line(at, [None, AMOUNT], reader(language)) == said


def test_a_source_somebody_typed_is_harmless() -> None:
    """It stands in mrkdwn, where a mention or a link would be drawn."""
    named = replace(WON, rate=replace(WON.rate, source="<!channel> & <https://x|은행>"))
    said = line(named, [AMOUNT], reader("ko"))
    assert said is not None
    assert "<" not in said
    assert "(&lt;!channel&gt; &amp; &lt;https://x|은행&gt;) 기준" in said


def test_no_rate_is_told_where_nothing_was_converted() -> None:
    """A figure nobody could read, or one billed in another currency."""
    t = reader("ko")
    assert line(WON, [None, Money.zero(), Money.of(3, "EUR")], t) is None
    assert beside("€3.00", Money.of(3, "EUR"), WON, t) == "€3.00"
    assert about(None, WON, t) is None


ALERTS = {
    "golden": live.shown,
    "warned": live.warned,
    "silenced": live.silenced,
    "newcomer": live.newcomer,
    "closed": live.over,
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ALERTS)
def test_the_golden_lines_of_an_alert_are_unchanged(name: str, language: str) -> None:
    """Both first lines, the notification, the table and every button: only the small print says more."""
    t, shown = reader(language), ALERTS[name]()
    before, after = incidents.root(shown, t), incidents.root(replace(shown, exchange=WON), t)
    assert after.text == before.text
    assert after.blocks[:2] == before.blocks[:2]
    [(old, new)] = [each for each in zip(before.blocks, after.blocks, strict=True) if each[0] != each[1]]
    assert old["type"] == new["type"] == "context"
    [old_said], [new_said] = ([one["text"] for one in block["elements"]] for block in (old, new))
    added = new_said.removeprefix(old_said).strip()
    assert added == f"{beside(t.money(shown.spent.amount), shown.spent.amount, WON, t)} · {line(WON, [AMOUNT], t)}"
    assert slack_limits.of_message(after.arguments()) == []


def test_the_two_golden_lines_word_for_word_with_a_currency() -> None:
    """As they are promised, to the letter."""
    found = incidents.root(replace(live.shown(), exchange=WON), reader("ko"))
    assert found.blocks[0]["text"]["text"] == "🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $742 (148%)"
    assert found.blocks[1]["text"]["text"].startswith("chatbot-experiment · 평소($50) 대비 1,384% 증가 · 추정 · 14:00")


SURFACES: dict[str, Callable[[Converter | None, Translator], Any]] = {
    "status": lambda at, t: status.message(a_status(exchange=at), t).blocks,
    "home": lambda at, t: home.view(a_home(exchange=at), t)["blocks"],
    "card": lambda at, t: digest.daily(a_card(exchange=at), t).blocks,
    "digest": lambda at, t: digest.root(a_week(at), t).blocks,
    "brief digest": lambda at, t: digest.root(replace(a_week(at), version=DigestVersion.BRIEF), t).blocks,
    "report": lambda at, t: digest.report(a_week(at), t).blocks,
    "mail as text": lambda at, t: [digest.mail(a_week(at), t)[1]],
    "mail": lambda at, t: [digest.mail(a_week(at), t)[2]],
    "mail of an alert": lambda at, t: [incidents.mail(replace(live.shown(), exchange=at), t)[1]],
}
MAIN = {"status": "742", "mail of an alert": live.shown().spent.amount, "home": "233", "card": a_card().figure.amount}


def a_week(at: Converter | None) -> DigestShown:
    return DigestShown(a_digest(exchange=at), DigestVersion.TEAM)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_tells_both_and_keeps_its_tables(surface: str, language: str) -> None:
    """The main amount and its rate with the day; a table, a chart or a trend stays as narrow as it was."""
    t, make = reader(language), SURFACES[surface]
    amount, was = MAIN.get(surface, a_digest().total.amount), make(None, t)
    for at in (WON, OLD):
        now = make(at, t)
        converted = about(amount if isinstance(amount, Money) else Money.of(str(amount)), at, t)
        assert converted is not None
        assert converted in words(now)
        assert converted not in words(was)
        assert words(now).count(at.rate.day.isoformat()) >= 1
        assert tables(was) == tables(now)


def tables(blocks: Any) -> list[Any]:
    wide = ("table", "data_table", "data_visualization", "rich_text")
    return [one for one in blocks if isinstance(one, dict) and one["type"] in wide]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_headline_of_status_and_home(language: str) -> None:
    """In the largest letters, where the dollars stand."""
    t = reader(language)
    converted = about(AMOUNT, WON, t)
    header = status.message(a_status(exchange=WON), t).blocks[0]["text"]["text"]
    assert header.endswith(f"$742.00 ({converted})")
    view = home.view(a_home(exchange=WON), t)
    assert slack_limits.of_view(view) == []
    [cells] = [block["fields"] for block in view["blocks"] if "fields" in block]
    assert [cell["text"].split("\n")[2] for cell in cells] == [
        about(Money.of(amount), WON, t) for amount in ("233", "742", "566.25", "1850.4")
    ]


# --- the window ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_window_fits_and_shows_what_was_decided(language: str) -> None:
    """With everything it can hold, and with nothing."""
    t = reader(language)
    rate = replace(WON.rate, source="x" * 60)
    decided = [RateChange(one, "U0JIHOON01", datetime(2026, 7, 3, 1, tzinfo=UTC)) for one in (rate, None, YEN.rate)]
    full = exchange.settings(decided, exchange.inputs(rate, TODAY), t, notice="x", problem="y")
    assert slack_limits.of_view(full) == []
    assert words(full).count("<@U0JIHOON01>") == 3
    empty = exchange.settings([], exchange.inputs(None, TODAY), t)
    assert slack_limits.of_view(empty) == []
    elements = {block["block_id"]: block["element"] for block in empty["blocks"] if block["type"] == "input"}
    assert elements[ids.CURRENCY_BESIDE]["initial_option"]["value"] == exchange.NONE
    assert elements[ids.CURRENCY_DAY]["initial_date"] == TODAY.isoformat()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mistake_has_a_sentence(language: str) -> None:
    """Also one that nobody could make."""
    for mistake in (*RateMistake, "what somebody made up"):
        for currency in ("KRW", "JPY", "-"):
            assert len(exchange.mistake_words(mistake, currency, reader(language))) > 8, mistake


def test_a_choice_is_told_in_the_audit_trail_whatever_stands_there() -> None:
    """Before and after, each with its day; nonsense is a dash."""
    kept = {"currency_after": "KRW", "per_dollar_after": "1375.5", "day_after": "2026-07-03"}
    entry = AuditEntry(datetime(2026, 7, 3, 1, tzinfo=UTC), "U1", "currency.changed", "currency", "done", kept)
    said = "달러 옆에 표시할 통화 변경: 달러만 표시 → 1달러 = 1,375.5원, 2026-07-03 기준"
    assert audit_words.what(entry, reader("ko")) == said
    for bad in ("", "NaN", "0", "x" * 999, None):
        assert exchange.kept_words("KRW", bad, "2026-07-03", reader("ko")) == "-"
    assert exchange.kept_words("EUR", "1", "2026-07-03", reader("ko")) == "-"
    assert kit.escape("<") not in said
