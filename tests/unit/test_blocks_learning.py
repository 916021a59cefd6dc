"""What was learned in words: actions with what they saved, verdicts, and that chance explains it is said as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import actions, home, ids, kit, learning
from finops.behaviour import Action, ActionKind, ActionSource, Preceded, Told
from finops.budgets import BudgetPeriod
from finops.effects import Effect, EffectState, Saving, SavingState
from finops.figures import Scope
from finops.hypotheses import AlertQuality, Hypothesis, Judged, Ledger, Prevented, Tally, Verdict, judged
from finops.incidents import Fact
from finops.learning import ActionShown, DigestEffect, LearningReport
from finops.misses import Miss, Misses
from finops.money import Money
from finops.periods import Period
from finops.pulse import PulseTally, pulse_of
from finops.queries import ScopeKind
from tests.unit.saying import LANGUAGES, a_home, reader
from tests.unit.test_blocks_limits import hurried, languages, refused, refused_view

AT = datetime(2026, 7, 2, 3, 0, tzinfo=UTC)
DAYS = Period(date(2026, 7, 3), date(2026, 7, 17))
MOVED: Mapping[str, Fact] = {"from_model": "gpt-4o", "to_model": "gpt-4o-mini", "before": "0.05", "now": "0.6"}


def a_saving(state: SavingState, verified: str | None = None, low: str = "0", high: str = "0") -> Saving:
    amounts = {} if verified is None else {"verified": Money.of(verified), "low": Money.of(low), "high": Money.of(high)}
    return Saving(1, state, DAYS, expected=None if amounts else Money.of("120"), **amounts)


def an_action(
    kind: ActionKind, saving: Saving | None = None, *, project: str = "chatbot", days: int = 3
) -> ActionShown:
    is_usage = kind in {ActionKind.MODEL_CHANGED, ActionKind.BATCH_ADOPTED, ActionKind.CACHE_ADOPTED}
    source = ActionSource.USAGE if is_usage else ActionSource.TRAIL
    told = Told(Preceded.ALERT if days else Preceded.DIGEST, 1, AT - timedelta(days=days))
    actor = "" if is_usage else "U0JIHOON01"
    action = Action(AT, AT.date(), kind, source, str(kind), 1, 1, actor, MOVED, told, 1)
    return ActionShown(action, project, "마케팅팀", saving)


def an_effect(state: EffectState, change: str, low: str, high: str) -> Effect:
    return Effect(state, DAYS, Decimal(change), Decimal(low), Decimal(high))


def a_miss(name: str, day: int) -> Miss:
    window = Period(date(2026, 6, day), date(2026, 6, day + 1))
    return Miss(Scope(ScopeKind.PROJECT, 1, name), BudgetPeriod.DAY, window, Money.of("120"), Money.of("100"))


MISSED = Misses(
    tuple(a_miss(name, 20 - n) for n, name in enumerate(("chatbot", "<b>", "voc", "copy", "fraud"))), 90, 4, 2, 1
)
PULSE = pulse_of(
    date(2026, 7, 1),
    [
        PulseTally(date(2026, 6, 1), is_open=False, good=9, fair=2, poor=1),
        PulseTally(date(2026, 6, 15), is_open=False, good=4),
        PulseTally(date(2026, 6, 22), is_open=True, good=40),
    ],
)


def a_report(shown: tuple[ActionShown, ...]) -> LearningReport:
    return LearningReport(
        period=Period(date(2026, 6, 1), date(2026, 7, 1)),
        at=AT,
        actions=shown,
        more=2 if shown else 0,
        ledger=Ledger(Money.of("120"), Money.of("412.5"), 1, 3, 1, 4, 1),
        hypotheses=(
            judged(Hypothesis.COST_VALUE, Tally(3, 4), Tally(1, 9)),
            Judged(Hypothesis.MORE_CLOUDS, Verdict.NOT_MEASURABLE),
            judged(Hypothesis.PEOPLE_ACT, Tally(40, 50), Tally(10, 50)),
        ),
        prevented=Prevented(Money.of("900"), Money.of("100")),
        quality=AlertQuality(12, 6, 2, 9, 8, 260) if shown else AlertQuality(),
        misses=MISSED if shown else Misses(judged=60),
        digests=(
            DigestEffect(
                date(2026, 6, 15), an_effect(EffectState.INDISTINCT, "-0.05", "-0.2", "0.1"), ("chatbot", "<b>", "voc")
            ),
            DigestEffect(date(2026, 6, 8), an_effect(EffectState.LOWER, "-0.2", "-0.3", "-0.1"), ("chatbot",)),
        ),
        pulse=PULSE if shown else (),
    )


SHOWN = (
    an_action(ActionKind.MODEL_CHANGED, a_saving(SavingState.VERIFIED, "412.5", "300", "520")),
    an_action(ActionKind.BATCH_ADOPTED, a_saving(SavingState.INDISTINCT, "5", "-10", "20"), days=0),
    an_action(ActionKind.CACHE_ADOPTED, a_saving(SavingState.FAILED, "-30", "-50", "-10"), days=1),
    an_action(ActionKind.STOPPED, a_saving(SavingState.EXPECTED)),
    an_action(ActionKind.BUDGET_CHANGED, project=""),
)


@pytest.fixture
def said(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_learned_word_for_word(language: str, said: SnapshotAssertion) -> None:
    t = reader(language)
    messages = [learning.message(a_report(SHOWN), t), learning.monthly(a_report(()), t)]
    assert [refused(one) for one in messages] == [[], []]
    assert [one.arguments(plain=True) for one in messages] == said


def test_the_months_note_ends_with_what_comes_next() -> None:
    """Whoever read it need not remember a command."""
    last = learning.monthly(a_report(()), reader("ko")).blocks[-1]
    assert [one["action_id"] for one in last["elements"]] == [ids.DECISION_SHOW, ids.LEARNING_SHOW]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_action_and_every_answer_has_words(language: str) -> None:
    t = reader(language)
    assert len({actions.what(an_action(kind).action, t) for kind in ActionKind}) == len(ActionKind)
    for state in EffectState:
        assert learning.effect_words(Effect(state, DAYS, *[Decimal("-0.2")] * 3), t)
        assert learning.effect_words(Effect(state, DAYS), t)


def test_home_shows_the_last_actions_and_the_way_to_what_came_of_them() -> None:
    view = home.view(a_home(actions=SHOWN), reader("ko"))
    assert refused_view(view) == []
    assert "모델 변경: gpt-4o → gpt-4o-mini" in str(view)
    assert "조치와 효과" in str(view)
    assert "조치와 효과" not in str(home.view(a_home(), reader("ko")))


def test_that_no_limit_was_passed_in_silence_is_said_only_where_every_period_could_be_judged() -> None:
    def told(misses: Misses) -> str:
        return str(learning.message(replace(a_report(()), misses=misses), reader("ko")).blocks)

    assert "없음" in told(Misses(judged=60))
    for unsure in (
        Misses(judged=60, blind=1),
        Misses(judged=60, changed=1),
        Misses(judged=60, early=1),
        Misses(blind=3),
        Misses(),
    ):
        assert "한도를 초과했지만 알리지 못한 기간: 없음" not in told(unsure)


@given(st.text(max_size=300), languages, st.sampled_from(ActionKind))
@hurried
def test_any_name_fits_slack_and_calls_nobody(name: str, language: str, kind: ActionKind) -> None:
    shown = tuple(an_action(kind, project=name) for _ in range(10))
    message: kit.Message = learning.message(a_report(shown), reader(language))
    assert refused(message) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("ledger", "words"),
    [
        (Ledger(None, Money.zero(), 1), ("$",)),
        (Ledger(None, Money.zero(), 2), ("$", "0")),
        (Ledger(Money.of("5"), Money.zero(), 3, expected_count=2), ("$0",)),
    ],
)
def test_what_nobody_said_is_not_told_as_zero(language: str, ledger: Ledger, words: tuple[str, ...]) -> None:
    report = replace(a_report(()), ledger=ledger, prevented=Prevented(Money.zero(), Money.zero()))
    [_, first, *_] = learning.message(report, reader(language)).arguments()["blocks"]
    for each in words:
        assert each not in first["text"]["text"]


def test_what_cannot_be_counted_yet_is_not_counted_as_nothing() -> None:
    """On the day after a stop: neither "none acted on" nor "0 % prevented"."""
    early = replace(
        a_report(()),
        quality=AlertQuality(1, too_early=1),
        prevented=Prevented(Money.zero(), Money.zero(), unfinished=1),
    )
    shown = str(learning.message(early, reader("ko")).blocks)
    assert "최근 7일의 알림 1건은 아직 조치를 집계하지 않습니다" in shown
    assert "차단 1건은 알림이 종료된 뒤 집계합니다" in shown
    assert "조치 0건" not in shown
    assert "막은 비율" not in shown


def test_of_no_case_no_share_is_told() -> None:
    """Of a new workspace it said "0 of 0"; and a side without a case says so beside the other's share."""

    def told(share: Tally, other: Tally, hypothesis: Hypothesis = Hypothesis.COST_VALUE) -> str:
        report = replace(a_report(()), hypotheses=(judged(hypothesis, share, other),))
        return str(learning.message(report, reader("en")).blocks)

    none, some = Tally(0, 0), Tally(1, 4)
    for hypothesis in (Hypothesis.COST_VALUE, Hypothesis.PEOPLE_ACT):
        assert "*too few cases to say* · no case is seven days old yet" in told(none, none, hypothesis)
    assert "1 of 4 with outcomes recorded, no cases without them yet" in told(some, none)
    assert "1 of 4 without outcomes recorded, no cases with them yet" in told(none, some)
    assert not any("0 of 0" in told(*sides) for sides in ((none, none), (some, none), (none, some)))


def test_the_day_of_an_alert_is_the_calendars_and_not_the_next_four_and_twenty_hours() -> None:
    """Alerted at eleven at night of a charge day and answered an hour after it: that is a day later."""
    at = datetime(2026, 7, 2, 23, tzinfo=UTC)
    told = Told(Preceded.ALERT, 1, at)
    t = reader("en")
    for hours, said in ((0, "on the day of an alert"), (2, "1 day after an alert"), (26, "2 days after an alert")):
        then = at + timedelta(hours=hours)
        done = Action(then, then.date(), ActionKind.KEY_DELETED, ActionSource.PROVIDER, "a", preceded=told)
        assert actions.answered(done, t) == said
