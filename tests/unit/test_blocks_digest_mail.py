"""The digest as a mail: the numbers of Slack, HTML that every reader draws, and nothing anybody typed is markup."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import axes, digest
from blocks import digest_chart as chart
from blocks import digest_html as html
from finops.digest import DigestVersion, Unranked
from finops.line_items import axes_of
from finops.money import Money
from tests.unit import digesting as told
from tests.unit.saying import LANGUAGES, many, names, reader

LINK = "https://slack.com/app_redirect?team=T1&channel=C1&message_ts=1.2"
GMAIL_CLIPS_AT = 102_400
# What mail readers draw, and all that we ask of them.
TAGS = {
    "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "h2", "p", "span", "br", "a",
    "strong",
}  # fmt: skip
VOID = {"meta", "br"}
HOSTILE = "<script>alert(1)</script>\" onload='x' &amp; <img src=//evil.example/x.png> </td></table>"
hurried = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


class Reading(HTMLParser):
    """Reads a mail: its words, its tags, its links, and whether every tag is closed where it belongs."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.faults: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "background"}]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"style", "title"}:
            self.words.append(data)

    @classmethod
    def of(cls, mail: str) -> Reading:
        found = cls()
        found.feed(mail)
        found.close()
        found.faults += found._open
        return found

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.fixture
def said(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("week", told.WEEKS)
def test_every_week_by_mail_word_for_word(said: SnapshotAssertion, week: str, language: str) -> None:
    """Subject and text; the boss's where it is the usual week, which is what the workspace is mailed."""
    version = DigestVersion.BRIEF if week == "usual" else DigestVersion.TEAM
    subject, text, _ = digest.mail(told.shown(told.WEEKS[week](), version), reader(language), LINK)
    assert [subject, *text.split("\n")] == said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("week", told.WEEKS)
def test_every_mail_is_whole_and_asks_nobody_for_anything(week: str, language: str) -> None:
    """Every tag closed, nothing fetched, one place to go to, and never clipped by Gmail."""
    for version in DigestVersion:
        _, _, mail = digest.mail(told.shown(told.WEEKS[week](), version), reader(language), LINK)
        read = Reading.of(mail)
        assert read.faults == [], version
        assert read.tags <= TAGS, version
        assert set(read.links) == {LINK}, version
        assert len(mail.encode()) < GMAIL_CLIPS_AT, version
        assert not re.search(r"url\(|@import|<script|<img", mail), version


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_and_slack_tell_the_same_numbers(language: str) -> None:
    """Every amount of the root and of the table stands in both parts of the mail."""
    shown, t = told.shown(), reader(language)
    _, text, mail = digest.mail(shown, t, LINK)
    [table] = [line.message for line in digest.thread(shown, t) if line.key == "projects"]
    slack = f"{digest.root(shown, t).plain_blocks} {table.plain_blocks}"
    amounts = set(re.findall(r"\$[\d,]+(?:\.\d+)?", slack)) - {"$295.83"}
    read = Reading.of(mail).text
    week_before = set(re.findall(r"\$[\d,.]+\d", " ".join(map(str, told.DAYS_BEFORE))))
    assert len(amounts) > 25
    assert [one for one in amounts - week_before if one not in text] == []
    # The week before is drawn in the HTML, and its amounts stand in the text.
    drawn = {t.money(Money.of(day)) for day in told.DAYS_BEFORE}
    assert [one for one in amounts - drawn if one not in read] == []


def test_the_shares_of_the_axes_are_those_of_slack_also_beside_a_credit() -> None:
    """Three thirds are 34, 33 and 33 of a hundred, whatever was given back beside them."""
    billed = [("gpt-5, input", "10"), ("gpt-5, output", "10"), ("web search tool calls", "10"), ("goodwill", "-5")]
    found = axes_of([(name, Money.of(amount)) for name, amount in billed], "USD")
    t = reader("en")
    _, _, page = digest.mail(told.shown(told.a_digest(axes=found)), t, None)
    row = re.sub(r"<[^>]+>", "\n", page[page.index(">Input<") :])
    assert re.findall(r"(\d+%|-) · -?\$", row)[:4] == ["34%", "33%", "33%", "-"]
    assert "Input 34% · Output 33% · Tools 33%" in axes.line(found, t)


def test_a_mail_without_a_link_has_none() -> None:
    """Where the message does not stand in Slack there is no door to it."""
    _, text, mail = digest.mail(told.shown(), reader("en"))
    assert Reading.of(mail).links == []
    assert "slack.com" not in text


def test_the_boss_gets_numbered_points_and_short_proposals() -> None:
    """보고서체: noun phrases, the conclusion first; the team is addressed."""
    brief = digest.mail(told.shown(version=DigestVersion.BRIEF), reader("ko"), LINK)
    team = digest.mail(told.shown(), reader("ko"), LINK)
    assert "1. 조치 건의" in brief[1]
    assert "chatbot-experiment: 재시도 로직 점검 (주당 약 $250 절감 예상)" in brief[1]
    assert "주세요" not in brief[1]
    assert "이번 주 할 일" in team[1]
    assert brief[0] == team[0] == "주간 AI 비용 보고 · AI 비용 $2,481 · 전주 대비 12% 증가 (6/29 ~ 7/5)"


def test_what_anybody_typed_is_shown_and_never_markup() -> None:
    """A project may be called <script>: its name is read, letter for letter."""
    best = tuple(replace(one, name=HOSTILE) for one in told.BEST)
    shown = told.shown(told.a_digest(scope=replace(told.TEAM, name=HOSTILE), best=best))
    _, text, mail = digest.mail(shown, reader("en"), 'https://slack.com/"><script>')
    read = Reading.of(mail)
    assert read.faults == []
    assert read.tags <= TAGS
    assert not {name for name in read.attributes if name.startswith("on")}
    assert "<script>alert(1)</script>\" onload='x' &amp;" in read.text
    assert "<script>alert(1)" in text


@given(many(names, 300, 600), names, st.sampled_from(LANGUAGES))
@hurried
def test_hundreds_of_projects_with_any_name_fit_a_mail(found: list[str], name: str, language: str) -> None:
    """Forty are listed, the rest is counted and added up; the mail is never clipped and always whole."""
    every = tuple(told.a_project(n, each, "1.10", "3", unranked=Unranked.NO_VALUE) for n, each in enumerate(found, 100))
    best = tuple(replace(one, name=name) for one in told.BEST)
    shown = told.shown(told.a_digest(best=best, others=every))
    subject, _, mail = digest.mail(shown, reader(language), LINK)
    read = Reading.of(mail)
    assert read.faults == []
    assert read.tags <= TAGS
    assert len(mail.encode()) < GMAIL_CLIPS_AT
    assert "\n" not in subject
    rest = Money.of("1.10").amount * (len(found) - 35)
    assert reader(language).money(Money(rest)) in read.text


@pytest.mark.parametrize("pair", [("#1f2937", "#ffffff"), ("#4b5563", "#ffffff"), ("#4b5563", "#eef4ff"),
                                  ("#1d4ed8", "#ffffff"), ("#1d4ed8", "#eef4ff"), ("#ffffff", html.ACCENT),
                                  ("#f1f4f8", "#19212e"), ("#b9c4d3", "#19212e"), ("#93b4ff", "#202b3c")])  # fmt: skip
def test_words_can_be_read_in_the_light_and_in_the_dark(pair: tuple[str, str]) -> None:
    """WCAG AA: a contrast of 4.5 at least, of the colours that the mail is made of."""
    mail = digest.mail(told.shown(), reader("ko"), LINK)[2]
    assert all(colour in mail for colour in pair)
    light, dark = sorted(map(_luminance, pair), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_line_breaks_between_facts() -> None:
    """Each short fact is kept whole on a phone, with the dot at its end; a long one may break."""
    assert html.facts("성공 3건 · 추정") == (
        '<span style="white-space:nowrap">성공 3건 ·</span> <span style="white-space:nowrap">추정</span>'
    )
    assert html.facts("가" * 30) == "가" * 30


def test_every_project_costs_in_the_mail_what_it_costs_in_slack():
    """Halves of a cent: each rounded for itself they would not add up, and Slack's would."""
    three = [replace(one, cost=Money(Decimal("316.875"), "USD")) for one in told.a_digest().projects[:3]]
    whole = told.a_total("950.625")
    week = told.a_digest(best=(three[0],), improve=(three[1],), others=(three[2],), total=whole, unallocated=None)
    shown = told.shown(week)
    t = reader("ko")
    table = digest.line(shown, "projects", t)
    _, text, mail = digest.mail(shown, t, LINK)
    amounts = sorted(re.findall(r"\$316\.8\d", str(table.blocks if table is not None else "")))
    assert amounts == ["$316.87", "$316.87", "$316.88"]
    assert sorted(re.findall(r"\$316\.8\d", text)) == sorted(re.findall(r"\$316\.8\d", mail)) == amounts


def test_a_day_of_which_a_part_was_read_is_no_cheap_day() -> None:
    """This week's is named below its days; one of the week before is not held against this one's."""
    *others, sunday = told.a_trend_of_two_weeks()
    found = told.a_digest(trend=(*others, replace(sunday, unread_days=1)))
    _, text, page = digest.mail(told.shown(found), reader("ko"))
    for mail in (text, page):
        assert "△ 일부만 확인해 차트에 실제보다 적게 나온 날: 7/5" in mail
    assert chart.has_before(chart.pairs(found))
    monday, *others = told.a_trend_of_two_weeks()
    assert not chart.has_before(chart.pairs(told.a_digest(trend=(replace(monday, unread_days=1), *others))))
