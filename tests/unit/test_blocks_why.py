"""Why, word for word: one sentence for each cause in three languages, a table that adds up, the axes of a bill."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks import axes as axis_words
from blocks import charts
from blocks import why as words
from blocks.why_words import moved
from finops.axes import Axis
from finops.figures import Figure, Scope
from finops.line_items import axes_of
from finops.money import Money
from finops.queries import NamedPeriod, PeriodName, ScopeKind
from finops.why import Beside, Factor, Mover, Why, WhyKind, WhyPart, WhyReport
from tests.unit.saying import LANGUAGES, WEEK, a_figure, names, reader
from tests.unit.test_blocks_limits import refused
from tests.unit.test_finops_decomposition import LARGE, SMALL, Prices, asked, why

KO, EN, JA = (reader(language) for language in LANGUAGES)


def an_answer(found: Why, scope: Scope | None = None, movers: tuple[Mover, ...] = (), **changes: object) -> WhyReport:
    """The answer to `/finops why` about everything in the last 7 days."""
    named = NamedPeriod(PeriodName.LAST_7_DAYS, WEEK)
    whole = scope or Scope(ScopeKind.WORKSPACE, None, "")
    figure = Figure(found.now, WEEK, a_figure().state, a_figure().as_of)
    return replace(WhyReport(whole, named, figure, figure, found, movers), **changes)  # type: ignore[arg-type]


LOOP = why([asked(requests=15_000)], [asked()])
SAID = [
    (
        LOOP,
        "호출 수 15배, 호출당 토큰 동일 → 재시도 루프 의심",
        "Calls ×15, tokens per call unchanged → likely a retry loop",
    ),
    (
        why([asked(requests=1150)], [asked()]),
        "호출 수 15% 증가, 호출당 토큰 동일 → 호출 증가",
        "Calls up 15%, tokens per call unchanged → more traffic",
    ),
    (
        why([asked(requests=100_300)], [asked(requests=100_000)]),
        "호출 수 0.3% 증가, 호출당 토큰 동일 → 호출 증가",
        "Calls up 0.3%, tokens per call unchanged → more traffic",
    ),
    (
        why([asked(requests=200)], [asked()]),
        "호출 수 80% 감소, 호출당 토큰 동일 → 호출 감소",
        "Calls down 80%, tokens per call unchanged → less traffic",
    ),
    (
        why([asked(each=(2000, 100))], [asked()]),
        "호출당 입력 토큰 4배, 호출 수 동일 → 프롬프트가 길어짐",
        "Input tokens per call ×4, calls unchanged → longer prompts",
    ),
    (
        why([asked(each=(500, 300))], [asked()]),
        "호출당 출력 토큰 3배, 호출 수 동일 → 답변이 길어짐",
        "Output tokens per call ×3, calls unchanged → longer answers",
    ),
    (
        why([asked(SMALL, 400), asked(LARGE, 600)], [asked(SMALL, 950), asked(LARGE, 50)]),
        "gpt-4o 호출 비중 5%→60%, 호출 수 동일 → 더 비싼 모델 사용",
        "gpt-4o share of calls from 5% to 60%, calls unchanged → a more expensive model",
    ),
    (
        why([asked()], [asked(cached=Fraction(4, 5))]),
        "캐시된 입력 80%→0%, 호출 수 동일 → 프롬프트 캐시 적용 감소",
        "Cached input from 80% to 0%, calls unchanged → less prompt caching",
    ),
    (
        why([asked()], [asked(batch=True)]),
        "배치 비중 100%→0%, 호출 수 동일 → 배치 처리 중단",
        "Batch share from 100% to 0%, calls unchanged → batch turned off",
    ),
    (
        why([asked(tier="priority")], [asked()]),
        "priority 등급 사용 증가, 호출 수 동일 → 더 비싼 서비스 등급",
        "More use of tier priority, calls unchanged → a more expensive service tier",
    ),
    (
        why([asked(requests=15_000), asked(SMALL, 90_000)], [asked(), asked(SMALL, 90_000)]),
        "gpt-4o 호출 수 15배, 호출당 토큰 동일 → 재시도 루프 의심",
        "gpt-4o calls ×15, tokens per call unchanged → likely a retry loop",
    ),
    (
        why([asked(SMALL, 15_413), asked(LARGE, 2287)], [asked(SMALL, 8000), asked(LARGE, 2000)]),
        "호출 수 77% 증가, gpt-4o-mini 호출 비중 80%→87% → 호출 증가, 더 저렴한 모델 비중 확대",
        "Calls up 77%, gpt-4o-mini share of calls from 80% to 87% → more traffic, more of it on cheaper models",
    ),
    (
        why([asked(SMALL, 300), asked(LARGE, 960)], [asked(SMALL, 1800), asked(LARGE, 1000)]),
        "호출 수 55% 감소, gpt-4o 호출 비중 36%→76% → 호출 감소, 더 비싼 모델 비중 확대",
        "Calls down 55%, gpt-4o share of calls from 36% to 76% → less traffic, more of it on dearer models",
    ),
    (
        why([asked(requests=2000, cached=Fraction(4, 5))], [asked()]),
        "호출 수 2배, 캐시된 입력 0%→80% → 호출 증가, 프롬프트 캐시 적용 증가",
        "Calls ×2, cached input from 0% to 80% → more traffic, more prompt caching",
    ),
    (
        why([asked(requests=20_000, batch=True)], [asked()]),
        "호출 수 20배, 호출당 토큰 동일, 배치 비중 0%→100% → 재시도 루프 의심",
        "Calls ×20, tokens per call unchanged, batch share from 0% to 100% → likely a retry loop",
    ),
    (
        replace(LOOP, kind=WhyKind.MORE_TRAFFIC, beside=Beside(Decimal("0.73"))),
        "호출 수 15배, 호출당 비용 27% 감소 → 호출 증가",
        "Calls ×15, cost per call down 27% → more traffic",
    ),
    (why([asked()], []), "이전 지출 없음 → 새로 시작된 지출", "Nothing was spent before → new spending"),
    (
        why([asked(), asked("", 200, (0, 0), endpoint="web_search_calls", quantity=200)], [asked()]),
        "웹 검색 $2.00 증가 → 도구·저장소 사용 증가",
        "Web searches $2.00 more → more use of tools and storage",
    ),
]


@pytest.mark.parametrize(("found", "korean", "english"), SAID)
def test_each_cause_is_one_sentence(found: Why, korean: str, english: str):
    """What changed, by how much, and what that points to."""
    assert words.sentence(found, KO) == korean
    assert words.sentence(found, EN) == english
    assert words.sentence(found, JA) not in (korean, english)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_has_words_also_where_nothing_else_is_known(language: str):
    """A report that was kept with fewer facts still speaks."""
    said = {kind: words.sentence(replace(LOOP, kind=kind, parts=()), reader(language)) for kind in WhyKind}
    assert [kind for kind, sentence in said.items() if not sentence] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [("15", "x ×15"), ("3.24", "x ×3.2"), ("1.04", "x unchanged"), ("1.3", "x up 30%"), ("0.2", "x down 80%"),
     ("0.001", "x down 99.9%"), ("10000", "x ×10,000"), ("16052", "x more than ×10,000"), (None, "")],
)  # fmt: skip
def test_a_change_is_said_as_people_say_it(change: str | None, said: str):
    """Times from twice on, else by how much more or less."""
    assert moved("x", None if change is None else Decimal(change), EN) == said


def test_beyond_ten_thousand_times_nobody_counts():
    """And it is said in words: a plus sign behind a number is no Korean."""
    assert moved("호출 수", Decimal(16_052), KO) == "호출 수 10,000배 이상"


def test_the_parts_shown_add_up_to_the_difference_shown():
    """A table with its total, and the same in lines where tables are unknown."""
    found = why([asked(requests=3000, each=(700, 130))], [asked(cached=Fraction(1, 3))])
    (block,) = words.details(found, EN)
    rows = [[cell["text"] for cell in row] for row in block.rich["rows"]]  # type: ignore[union-attr]
    shown = [Decimal(row[1].replace("$", "").replace(",", "")) for row in rows[1:]]
    assert sum(shown[:-1]) == shown[-1]
    assert (rows[1][0], rows[1][2]) == ("Calls", "1,000 → 3,000")
    assert ["Cached input", "33% → 0%"] in [row[::2] for row in rows]


@pytest.mark.parametrize(
    ("factor", "before", "now", "said"),
    [
        (Factor.OUTPUT_LENGTH, "48.4", "52", "48 → 52"),
        (Factor.OUTPUT_LENGTH, "47.6", "48.4", "47.6 → 48.4"),  # "48 → 48" beside forty dollars more is no reason
        (Factor.OUTPUT_LENGTH, "48.01", "48.02", "-"),
        (Factor.CACHE, "0.131", "0.134", "13.1% → 13.4%"),
    ],
)
def test_a_factor_that_moved_is_seen_to_move(factor: Factor, before: str, now: str, said: str):
    """Finer where both sides would read the same; nothing where even that does not show it."""
    moved_ = WhyPart(factor, Money.of("41.05"), Decimal(before), Decimal(now), Decimal(now) / Decimal(before))
    (table,) = words.details(replace(LOOP, parts=(moved_,)), EN)
    assert table.rich["rows"][1][2]["text"] == said  # type: ignore[union-attr]


def test_a_tier_that_grew_dearer_is_named_where_the_share_of_batch_stayed():
    """ "Batch share 0% → 0%" beside forty dollars more is no reason; one without a name has none to tell."""
    for subject, said in (("priority", "priority"), (None, "-")):
        part = WhyPart(Factor.TIER, Money.of("41.05"), Decimal(0), Decimal(0), None, subject)
        (table,) = words.details(replace(LOOP, parts=(part,)), EN)
        assert table.rich["rows"][1][2]["text"] == said  # type: ignore[union-attr]
    part = WhyPart(Factor.TIER, Money.of("41.05"), Decimal("0.5"), Decimal(0), None, "priority")
    (table,) = words.details(replace(LOOP, parts=(part,)), EN)
    assert table.rich["rows"][1][2]["text"] == "batch share 50% → 0%"  # type: ignore[union-attr]


def test_the_answer_leads_with_the_project_that_most_of_it_is_in():
    """A difference of a whole workspace is told by the one project that made it."""
    movers = (Mover(3, "chatbot <b>", LOOP), Mover(None, "proj_x", why([asked(requests=900)], [asked()])))
    message = words.message(an_answer(LOOP, movers=movers), KO, mark="1")
    said = str(message.blocks)
    assert message.blocks[0]["text"]["text"] == "전체 · 최근 7일 · +$1,612.80 (+1,400%)"
    assert "*chatbot &lt;b&gt;: 호출 수 15배, 호출당 토큰 동일 → 재시도 루프 의심*" in said
    assert "$1,728.00" in said
    assert "성과 기록 없음" in said
    assert [each["action_id"] for each in message.blocks[-1]["elements"]] == ["why.share", "why.refresh", "status.show"]
    shown = words.message(an_answer(LOOP, movers=movers), KO, shared_by="U0JIHOON01").blocks
    assert "<@U0JIHOON01>" in str(shown[-1])


def test_what_is_not_known_is_not_explained():
    """No amount, no cause; and where usage covers little, only that is told."""
    report = an_answer(LOOP)
    blind = words.message(replace(report, figure=replace(report.figure, amount=None)), KO)
    assert "아직 설명할 금액이 없습니다." in str(blind.blocks)
    assert "why.share" not in str(blind.blocks)
    little = words.details(replace(LOOP, kind=WhyKind.UNKNOWN, covered=Decimal("0.3")), KO)
    assert "30%" in str(little)
    assert len(little) == 1


def test_today_is_compared_with_the_usual():
    """By this time of the day."""
    said = str(words.message(an_answer(LOOP, is_usual=True), KO).blocks)
    assert "오늘 지금까지 $1,728.00, 평소 같은 시각까지 $115.20" in said


AXES = axes_of([("gpt-4o, input", Money.of(70)), ("gpt-4o, output", Money.of(20)), ("Vector storage", Money.of(10))])


def test_the_axes_are_a_line_and_a_picture():
    """Their shares add up, and the biggest is held against what is typical."""
    assert axis_words.line(AXES, KO) == (
        "입력 70% · 출력 20% · 저장·연산 10%\n가장 큰 항목: 입력 - 일반적인 비중(40~60%)보다 높습니다"
    )
    drawn = axis_words.details(AXES, KO)[1]
    data = drawn.rich["chart"]["series"][0]["data"]  # type: ignore[union-attr]
    assert [(each["label"], each["value"]) for each in data] == [("입력", 70), ("출력", 20), ("저장·연산", 10)]


def test_a_credit_and_a_nameless_bill_are_said():
    """Neither is hidden."""
    credit = axes_of([("gpt-4o, input", Money.of(70)), ("Promotional credit", Money.of(-100))])
    assert "미분류 -$100.00" in axis_words.line(credit, KO)
    silent = axes_of([("gpt-5", Money.of(70))])
    assert "용도를 알 수 없는" in axis_words.line(silent, KO)
    assert {axis_words.name(axis, EN) for axis in Axis} == {
        "Input", "Output", "Embedding", "Tools", "Storage & compute", "Training (off scope)", "Unmapped",
    }  # fmt: skip
    assert all(len(axis_words.name(axis, t)) <= charts.LABEL for axis in Axis for t in (KO, EN, JA))
    trained = axes_of([("ft-gpt-4o, training", Money.of(60)), ("ft-gpt-4o, output", Money.of(40))])
    assert axis_words.line(trained, KO).startswith("출력 40% · 학습(범위 밖) 60%\n가장 큰 항목: 출력")
    assert axis_words.line(axes_of([("ft-gpt-4o, training", Money.of(60))]), KO) == "학습(범위 밖) 100%"
    assert "학습(범위 밖) -$5.00" in axis_words.line(axes_of([("ft-gpt-4o, training", Money.of(-5))]), KO)
    assert axis_words.details(axes_of([]), KO) == []


used_somehow = st.builds(
    asked,
    model=st.sampled_from([SMALL, LARGE, "brand-new-model"]),
    requests=st.integers(0, 10**7),
    each=st.tuples(st.integers(0, 10**5), st.integers(0, 10**5)),
    cached=st.fractions(0, 1, max_denominator=9),
    tier=st.sampled_from(["", "priority"]),
    batch=st.booleans(),
)
usages = st.lists(used_somehow, max_size=4)


@settings(max_examples=15, deadline=None)
@given(usages, usages, names, st.sampled_from(LANGUAGES), st.sampled_from([None, "U0JIHOON01"]))
def test_any_answer_in_any_language_fits_slack(used: list, was: list, name: str, language: str, by: str | None):
    """Whatever moved and whatever it is called."""
    found = why(used, was, Prices(risen=2))
    report = an_answer(found, Scope(ScopeKind.TEAM, 1, name), (Mover(1, name, found),) * 5)
    assert refused(words.message(report, reader(language), shared_by=by)) == []


def test_a_difference_of_nothing_is_told_as_one() -> None:
    """ "last 7 days · $0.00" would say that nothing was spent."""
    assert "최근 7일 · ±$0.00" in words.message(an_answer(why([asked()], [asked()])), KO).text
