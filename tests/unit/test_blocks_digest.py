"""Monday's digest, word for word, in three languages; beside each snapshot the number or sentence that matters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import digest, ids, kit
from blocks import digest_parts as parts
from blocks import digest_steps as steps
from demo.slack.blockkit import check, check_view
from finops.digest import Advice, AdviceKind, Baseline, DigestProject, DigestShown, DigestVersion, Runaway, Unranked
from finops.digest_thread import TABLE_PROJECTS, TABLES, thread_keys
from finops.figures import ScopeKind
from finops.money import Money
from finops.value import NO_VALUE, Interval, ValueFigure, ValueSource
from finops.verdict import Word, verdict
from finops.why import WhyKind
from tests.unit import digesting as told
from tests.unit.saying import LANGUAGES, many, names, reader
from tests.unit.test_blocks_limits import refused, refused_view

KO, EN = reader("ko"), reader("en")
hurried = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def said(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def eyes(message: kit.Message) -> list[Any]:
    """What a reader sees, block by block, small enough to be reviewed; buttons as what they say, carry and do."""
    return [_seen(block) for block in message.blocks]


def _seen(block: kit.Block) -> Any:
    match block["type"]:
        case "section":
            return block["text"]["text"].split("\n")
        case "header":
            return f"# {block['text']['text']}"
        case "context":
            return {"context": [each["text"] for each in block["elements"]]}
        case "actions":
            return {"buttons": [_button(each) for each in block["elements"]]}
        case "data_table" | "table":
            return {"table": [" | ".join(cell["text"] for cell in row) for row in block["rows"]]}
        case "data_visualization":
            series = block["chart"]["series"]
            drawn = {one["name"]: [f"{each['label']} {each['value']}" for each in one["data"]] for one in series}
            return {"chart": block["title"], **drawn}
    return block


def _button(each: kit.Block) -> str:
    style = f" ({each['style']})" if "style" in each else ""
    return f"{each['text']['text']}{style}: {each['action_id']} {each.get('value', '')}".rstrip()


def everything(shown: DigestShown, language: str) -> Iterator[kit.Message]:
    """All messages of one digest."""
    t = reader(language)
    yield digest.root(shown, t)
    yield from (line.message for line in digest.thread(shown, t))
    yield digest.report(shown, t, can_set=True)
    yield digest.shared(shown, t, "U0JIHOON01")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("week", told.WEEKS)
def test_every_week_word_for_word(said: SnapshotAssertion, week: str, language: str) -> None:
    """The usual week and each odd one: for the team, and as one page for the boss."""
    t = reader(language)
    shown = told.shown(told.WEEKS[week]())
    brief = replace(shown, version=DigestVersion.BRIEF)
    assert {"team": eyes(digest.root(shown, t)), "brief": eyes(digest.root(brief, t))} == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_thread_word_for_word(said: SnapshotAssertion, language: str) -> None:
    """All projects, why it moved, what it was paid for, what that stands on, and the one-tap rating."""
    lines = digest.thread(told.shown(), reader(language))
    assert [(line.key, line.message.text, eyes(line.message)) for line in lines] == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_the_card_and_the_rule_word_for_word(said: SnapshotAssertion, language: str) -> None:
    """As it was told and as it is now; yesterday and today; how the ranking is made."""
    t = reader(language)
    never = replace(told.shown(), is_kept=False)
    messages = [digest.report(told.moved(), t, can_set=True), digest.shared(never, t, "U0JIHOON01")]
    rule = [_seen(block) for block in digest.rule(t)["blocks"]]
    assert [*(eyes(message)[:4] for message in messages), eyes(digest.daily(told.a_card(), t)), rule] == said


def test_the_headline_answers_how_much_which_way_worth_it_and_what_to_do() -> None:
    """Everything a person needs in two seconds stands in the notification, and in the first blocks."""
    message = digest.root(told.shown(), KO)
    assert message.text == (
        "AI 비용 $2,481 · 전주 대비 12% 증가 (6/29 ~ 7/5) | 🟡 비용 대비 성과 보통 (일부 개선 필요) | "
        "비용 비중: 기준 수준 이상 46% · 기준 미달 29% · 판단 보류 25% | chatbot-experiment: 호출당 길이는 그대로인데 "
        "호출 수만 크게 늘었습니다. 재시도 로직을 점검하고 횟수와 간격에 제한을 두어 주세요. (주당 약 $250 절감 예상)"
    )
    assert [block["type"] for block in message.blocks[:5]] == ["header", "section", "context", "section", "actions"]
    assert len(message.blocks) <= 12


def test_a_week_is_explained_by_the_project_that_most_of_its_difference_is_in() -> None:
    """As `/finops why` explains it: all requests together would hide who ran away. A week as ever has none."""
    said = "chatbot-experiment: 호출 수 5.2배, 호출당 토큰 동일 → 재시도 루프 의심"
    digest_ = told.a_digest()
    assert parts.whole_cause(digest_, KO) == said
    steady = replace(told.WHOLE, kind=WhyKind.UNCHANGED)
    assert parts.whole_cause(replace(digest_, why=steady), KO) == "이전과 거의 같음"
    others = replace(digest_, improve=digest_.improve[1:])
    assert parts.whole_cause(others, KO) == "호출 수 43% 증가, 호출당 토큰 5% 증가 → 재시도 루프 의심"
    assert parts.whole_cause(replace(digest_, why=None), KO) == ""


@pytest.mark.parametrize("version", DigestVersion)
@pytest.mark.parametrize("week", told.WEEKS)
def test_every_digest_offers_exactly_one_next_step(week: str, version: DigestVersion) -> None:
    """One primary button, and none where there is nothing to do; then that is said."""
    shown = told.shown(told.WEEKS[week](), version)
    for language in LANGUAGES:
        buttons = [each for block in digest.root(shown, reader(language)).blocks for each in block.get("elements", [])]
        primary = [each for each in buttons if each.get("style") == "primary"]
        idle = shown.digest.advice.kind is AdviceKind.NONE and week in {"zero_spend", "all_well"}
        assert len(primary) == (0 if idle else 1)


@pytest.mark.parametrize(
    ("kind", "project_id", "action", "value"),
    [
        (AdviceKind.CHECK_RETRIES, 4, ids.WHY_SHOW, "project/4/week:2026-06-29"),
        (AdviceKind.LOOK_WHY, None, ids.WHY_SHOW, "workspace//week:2026-06-29"),
        (AdviceKind.CONNECT_EVENTS, 6, ids.PROJECT_DETAIL, "6"),
        (AdviceKind.LOOK_AT_FAILURES, 5, ids.PROJECT_DETAIL, "5/week:2026-06-29"),
        (AdviceKind.SET_BUDGET, None, ids.BUDGET_NEW, "workspace/month"),
        (AdviceKind.SET_BUDGET, 5, ids.BUDGET_NEW, "project:5/month"),
        (AdviceKind.NONE, None, ids.DIGEST_SHOW, "workspace//2026-06-29"),
    ],
)
def test_the_button_opens_what_the_step_is_about(
    kind: AdviceKind, project_id: int | None, action: str, value: str
) -> None:
    shown = told.shown(told.a_digest(advice=Advice(kind, project_id, "x")))
    [row] = [block for block in digest.root(shown, KO).blocks if block["type"] == "actions"]
    assert (row["elements"][0]["action_id"], row["elements"][0]["value"]) == (action, value)


def test_who_is_to_look_at_what_moved_the_whole_reads_what_it_was() -> None:
    """A team's cost more than doubled, and neither its message nor the notification named the project that did it."""
    advice = Advice(AdviceKind.LOOK_WHY, None)
    shown = told.shown(told.a_digest(advice=advice))
    cause = parts.whole_cause(shown.digest, KO)
    assert cause
    made = digest.root(shown, KO)
    assert f"{cause}. 의도한 변화인지 살펴봐 주세요." in made.text
    assert f"{cause}. 의도한 변화인지 살펴봐 주세요." in str(made.blocks)
    unknown = digest.root(told.shown(told.a_digest(advice=advice, why=None)), KO)
    assert "비용이 변한 원인을 확인하고, 의도한 변화인지 살펴봐 주세요." in unknown.text
    of_one = digest.root(told.shown(told.a_digest(advice=Advice(AdviceKind.LOOK_WHY, 7, "x"))), KO)
    assert "비용이 변한 원인을 확인하고" in of_one.text


def test_a_key_survives_its_button() -> None:
    """And nonsense is none."""
    for key in (parts.DigestKey(ScopeKind.TEAM, 3, date(2026, 6, 29)), parts.DigestKey.of(told.a_digest())):
        assert parts.DigestKey.parse(str(key)) == key
    assert [parts.DigestKey.parse(x) for x in ("", "team/x/2026-06-29", "moon//2026-06-29", "team/3/soon")] == [
        None
    ] * 4


def test_a_week_is_judged_by_where_its_money_went() -> None:
    """At or above baseline, below it, or open; the three are the whole."""
    found = verdict(told.a_digest())
    assert found is not None
    assert (found.word, found.well, found.poor) == (Word.MIXED, Money.of("1141.57"), Money.of("720.97"))
    assert found.well + found.poor + found.open == Money.of("2481.37")
    words = {name: verdict(week()) for name, week in told.WEEKS.items()}
    assert {name: one.word if one else None for name, one in words.items()} == {
        "usual": Word.MIXED, "team": Word.MIXED, "first_week": Word.OPEN, "no_value": Word.OPEN, "zero_spend": None,
        "few_projects": Word.MIXED, "all_well": Word.WELL, "only_unallocated": Word.OPEN, "blind_days": Word.MIXED,
        "all_blind": None, "many_projects": Word.OPEN,
    }  # fmt: skip
    poor = told.a_digest(best=told.BEST[2:], others=())
    assert verdict(poor) == replace(verdict(poor), word=Word.POOR)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("baseline", "ratio", "words"),
    [
        (Baseline.OWN_MEDIAN, "1.42", "비용 대비 성과가 최근 4주보다 42% 높음"),
        (Baseline.OWN_MEDIAN, "0.9", "비용 대비 성과가 최근 4주보다 10% 낮음"),
        (Baseline.OWN_MEDIAN, "1.0001", "비용 대비 성과가 최근 4주 수준"),
        (Baseline.OWN_MEDIAN, "2.04", "비용 대비 성과가 최근 4주의 2.0배"),
        (Baseline.OWN_MEDIAN, "0", "비용 대비 성과가 최근 4주보다 100% 낮음"),
        (Baseline.TARGET, "12.6", "비용 대비 성과가 목표의 13배"),
        (Baseline.TARGET, "1", "비용 대비 성과가 목표 수준"),
        (Baseline.TARGET, "0.955", "비용 대비 성과가 목표 수준"),
        (Baseline.TARGET, "1.3", "비용 대비 성과가 목표보다 30% 높음"),
    ],
)
def test_where_a_project_stands(baseline: Baseline, ratio: str, words: str) -> None:
    assert parts.standing(_at(ratio, baseline), KO) == words


def test_chance_is_no_verdict() -> None:
    """Neither for who is a few percent below, nor for who is far below by too few calls: neither counts as poor."""
    near, few = _at("0.99"), replace(_at("0.7"), ratio_interval=Interval(Decimal("0.4"), Decimal("1.1")))
    assert parts.standing(near, KO) == "비용 대비 성과가 최근 4주 수준"
    assert parts.standing(few, KO) == "비용 대비 성과가 최근 4주보다 30% 낮음 (오차 범위)"
    week = told.a_digest(
        best=told.BEST[:1], improve=(), others=tuple(replace(one, unranked=Unranked.RESTED) for one in (near, few))
    )
    found = verdict(week)
    assert found is not None
    assert (found.poor.amount, found.well) == (0, told.BEST[0].cost + near.cost + few.cost)
    _, table, *_ = digest.thread(told.shown(week), KO)
    assert str(table.message.blocks).count("평소와 비슷") == 2


def _at(ratio: str, baseline: Baseline = Baseline.OWN_MEDIAN) -> DigestProject:
    """A project at this ratio, told by very many calls."""
    exact = Decimal(ratio)
    return replace(told.BEST[0], baseline=baseline, ratio=exact, ratio_interval=Interval(exact, exact))


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        ("10", None, ""),
        ("10", "0", "전주 $0"),
        ("0", "0", ""),
        ("10", "10", "변동 없음"),
        ("52", "10", "전주의 5.2배"),
        ("5", "10", "50% 감소"),
        ("10.5", "10", "5.0% 증가"),
        ("-3", "-4", ""),
        ("3", "-4", ""),
        ("-120", "50", ""),
    ],
)
def test_how_a_project_moved(now: str, before: str | None, words: str) -> None:
    """Credits are nothing to compare with, before or now."""
    assert parts.moved(Money.of(now), Money.of(before) if before is not None else None, KO) == words


def test_the_thread_has_what_there_is_and_nothing_else() -> None:
    """Its keys are known without making it, and each makes a message."""
    for name, week in told.WEEKS.items():
        shown = told.shown(week())
        assert tuple(line.key for line in digest.thread(shown, KO)) == thread_keys(shown), name
    assert thread_keys(told.shown()) == ("agenda", "projects", "why", "axes", "basis", "rate")
    assert thread_keys(told.shown(told.many_projects()))[:3] == ("agenda", "projects", "projects:2")
    assert thread_keys(told.shown(told.only_unallocated())) == ("agenda", "axes", "basis")
    assert thread_keys(told.shown(told.all_well()))[0] == "projects", "nothing has to be decided"
    assert digest.line(told.shown(), "tomorrow", KO) is None


def test_the_table_holds_every_project_up_to_its_end_and_the_sum_of_the_rest() -> None:
    """Nothing is lost in silence: beyond three tables the rest is counted and added up."""
    many = tuple(told.a_project(n, f"p{n}", "1", None, unranked=Unranked.SMALL_SPEND) for n in range(200))
    lines = digest.thread(told.shown(told.a_digest(best=(), improve=(), others=many)), EN)
    tables = [block for line in lines for block in line.message.blocks if block["type"] == "data_table"]
    assert [len(table["rows"]) - 1 for table in tables] == [TABLE_PROJECTS] * TABLES
    [last] = [line for line in lines if line.key == f"projects:{TABLES}"]
    assert "20 more projects: $20.00" in str(last.message.blocks)


def test_the_table_sorts_by_amount_and_adds_up_to_the_whole() -> None:
    _, first, *_ = digest.thread(told.shown(), KO)
    [table] = [block for block in first.message.blocks if block["type"] == "data_table"]
    assert [row[1]["type"] for row in table["rows"][1:]] == ["raw_number"] * 10
    assert "프로젝트 $2,417.07 + 미할당 $64.30 = *$2,481.37*" in first.message.blocks[0]["text"]["text"]


def test_a_day_that_could_not_be_read_is_no_bar_of_nothing() -> None:
    """It is left out of the picture, and named below it."""
    shown = told.shown(told.blind_days())
    [chart] = [block for block in digest.root(shown, KO).blocks if block["type"] == "data_visualization"]
    assert chart["chart"]["axis_config"]["categories"] == ["월", "화", "수", "목", "금"]
    assert "확인하지 못해 차트에서 뺀 날: 7/4, 7/5" in str(digest.root(shown, KO).blocks)


def test_a_report_says_what_moved_since_it_was_told() -> None:
    """Then, now, the difference, and who left the list."""
    blocks = str(digest.report(told.moved(), KO).blocks)
    assert "총비용: $2,481.37 → *$2,502.11* (+$20.74, ● 확정)" in blocks
    assert "비용 대비 성과 우수: support-bot, search-rerank, 문서 요약 → support-bot, search-rerank" in blocks
    same = told.shown(now=told.a_digest())
    assert "이후 달라진 값은 없습니다" in str(digest.report(same, KO).blocks)


def test_a_report_says_what_moved_within_a_total_that_stayed() -> None:
    """Money that found its owner, a dollar from one project's bill to another's, a rating: none of it is "nothing"."""
    then = told.a_digest()
    dear, *others = then.others
    moved = replace(dear, cost=dear.cost + Money.of("7"))
    now = replace(then, others=(moved, *others), unallocated=then.unallocated - Money.of("7"))
    said = str(digest.report(told.shown(now=now), KO).blocks)
    assert "달라진 값은 없습니다" not in said
    before, after = (parts.bills(one, KO) for one in (then, now))
    assert f"미할당: {KO.money(before.unallocated)} → {KO.money(after.unallocated)}" in said
    assert f"*{dear.name}*  {before.said[dear.project_id]} → {after.said[dear.project_id]}" in said

    rated = replace(dear, value=ValueFigure(ValueSource.RATINGS, feedback=Decimal("0.75"), raters=2))
    later = replace(then, others=(replace(dear, value=NO_VALUE), *others))
    said = str(digest.report(told.shown(later, now=replace(later, others=(rated, *others))), KO).blocks)
    assert f"*{dear.name}*  성과 기록 없음 → " in said

    restated = replace(then, previous=replace(then.previous, amount=Money.of("1000")), increase=Decimal("1.48137"))
    said = str(digest.report(told.shown(now=restated), KO).blocks)
    assert f"{parts.change(then, KO)} → {parts.change(restated, KO)}" in said


def test_a_report_has_the_doors_its_reader_may_use() -> None:
    def doors(**can: bool) -> list[str]:
        return [each["action_id"] for each in digest.report(told.shown(), KO, **can).blocks[-1]["elements"]]

    assert doors(can_set=True) == [ids.WHY_SHOW, ids.DIGEST_SHARE, ids.DIGEST_RULE, ids.DIGEST_SETTINGS]
    assert doors(can_share=False) == [ids.WHY_SHOW, ids.DIGEST_RULE]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("week", told.WEEKS)
def test_every_week_is_taken_by_slack(week: str, language: str) -> None:
    """By our own checker, by slack-sdk's models, and by the strict Slack of the stage, with the smaller numbers."""
    for version in DigestVersion:
        for message in everything(told.shown(told.WEEKS[week](), version), language):
            assert refused(message) == []
            assert check(message.blocks, "message", careful=True) == []
            assert check(message.plain_blocks, "message", careful=True) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rule_and_a_days_card_are_taken_by_slack(language: str) -> None:
    assert refused_view(digest.rule(reader(language))) == []
    assert check_view(digest.rule(reader(language)), careful=True) == []
    assert refused(digest.daily(told.a_card(), reader(language))) == []


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False).map(Money)


@given(many(st.tuples(names, amounts), 185, 230), names, st.sampled_from(LANGUAGES))
@hurried
def test_hundreds_of_projects_with_any_name_fit_slack(found: list[tuple[str, Money]], name: str, language: str) -> None:
    """Whatever they are called and cost: 50 blocks, 3,000 characters a section, 2 charts, and no name is a mention."""
    every = [
        replace(told.a_project(n, each, "1", "3", unranked=Unranked.NO_VALUE), cost=cost, team_name=each)
        for n, (each, cost) in enumerate(found)
    ]
    best = tuple(replace(one, name=name, team_name=name, project_id=1000) for one in told.BEST)
    shown = told.shown(told.a_digest(best=best, others=tuple(every), advice=Advice(AdviceKind.LOOK_WHY, 7, name)))
    for message in everything(shown, language):
        assert refused(message) == []
        assert check(message.blocks, "message", careful=True) == []


@given(names)
@hurried
def test_any_name_of_a_scope_fits_slack(name: str) -> None:
    """A team may be called anything."""
    scope = replace(told.TEAM, name=name)
    shown = told.shown(told.a_digest(scope=scope))
    for message in (digest.root(shown, KO), digest.daily(told.a_card(scope=scope), KO)):
        assert refused(message) == []


@pytest.mark.parametrize(
    ("language", "said"),
    [("ko", "폭주 +$690, 차단·복구됨"), ("en", "+$690, stopped and restored"), ("ja", "+$690、停止・復旧済み")],
)
def test_a_runaway_that_was_stopped_is_named_in_its_projects_line(language: str, said: str):
    """In both versions; the others say nothing of one."""
    t, whole = reader(language), told.a_digest()
    gone = Runaway(date(2026, 7, 5), Money.of(690), is_stopped=True, is_restored=True)
    ran = replace(whole, improve=tuple(replace(one, runaway=gone) for one in whole.improve))
    for version in DigestVersion:
        assert said in str(digest.root(told.shown(ran, version), t).blocks)
        assert said not in str(digest.root(told.shown(whole, version), t).blocks)
    many = replace(whole.improve[0], runaway=replace(gone, days=3, is_restored=False))
    assert "3" in parts.runaway(many, t)


@pytest.mark.parametrize(
    ("language", "line", "saving"),
    [
        ("ko", "7월 5일(일) 폭주 +$690, 계속될 수 있음", "(폭주가 계속되면 하루 약 $690 절감 예상)"),
        ("en", "+$690, may go on", "(may save about $690 a day while the runaway goes on)"),
        ("ja", "+$690、継続の可能性あり", "(急増が続く場合は1日あたり約 $690 の削減見込み)"),
    ],
)
def test_a_runaway_that_may_go_on_is_promised_by_the_day(language: str, line: str, saving: str):
    """Nobody knows for how many days: a week of it is promised nowhere, in Slack or by mail."""
    t, whole = reader(language), told.a_digest()
    burning = Runaway(date(2026, 7, 5), Money.of(690))
    first = whole.improve[0]
    step = Advice(AdviceKind.CHECK_RETRIES, first.project_id, first.name, None, burning)
    ran = replace(whole, improve=(replace(first, burning=burning, advice=step),), advice=step)
    for version in DigestVersion:
        shown = told.shown(ran, version)
        _, text, _ = digest.mail(shown, t)
        for said in (str(digest.root(shown, t).blocks), text):
            assert line in said
            assert saving in said
    weekly = replace(step, worth=Money.of(210))
    assert t.money(Money.of(210), 0) in steps.worth(weekly, t)
    assert steps.worth(weekly, t).endswith(saving.strip("()"))
