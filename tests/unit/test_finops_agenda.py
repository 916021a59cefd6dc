"""The agenda of a weekly review: what has to be decided, the most urgent first, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from blocks import digest_agenda
from finops.agenda import MOST_POINTS, PointKind, agenda
from finops.digest import Advice, AdviceKind, Digest, DigestProject, Runaway, Unranked
from finops.money import Money
from finops.why import WhyKind
from tests.unit import digesting as told
from tests.unit.saying import LANGUAGES, reader

SUNDAY = date(2026, 7, 5)


def kinds(digest: Digest) -> list[PointKind]:
    return [point.kind for point in agenda(digest)]


def ran(project: DigestProject, dollars: str) -> DigestProject:
    return replace(project, runaway=Runaway(SUNDAY, Money.of(dollars), is_stopped=True))


def test_a_usual_week_asks_about_projects_first_and_then_about_what_nobody_answers_for() -> None:
    """What moved the whole is what these projects did: no point of its own."""
    week = told.a_digest()
    assert kinds(week) == [PointKind.IMPROVE, PointKind.IMPROVE, PointKind.UNALLOCATED, PointKind.UNRECORDED]
    assert [point.projects[0] for point in agenda(week)[:2]] == list(week.improve)


@pytest.mark.parametrize("week", [told.all_well(), told.zero_spend(), told.all_blind()])
def test_where_nothing_has_to_be_decided_there_is_no_agenda(week: Digest) -> None:
    """All is well, nothing was spent, or nobody could look: nothing to meet about."""
    assert agenda(week) == ()


def test_what_ran_away_comes_first_the_dearest_two_and_is_not_asked_about_twice() -> None:
    """A project below its baseline that ran away is one point."""
    usual = told.a_digest()
    first, second = usual.improve
    week = replace(
        usual,
        improve=(ran(first, "690"), second),
        best=tuple(ran(one, dollars) for one, dollars in zip(usual.best, ("5", "900", "7"), strict=False)),
    )
    points = agenda(week)
    away = [point.projects[0].name for point in points if point.kind is PointKind.RUNAWAY]
    assert away == [week.best[1].name, first.name]
    assert [point.projects[0] for point in points if point.kind is PointKind.IMPROVE] == [second]
    assert len(points) == MOST_POINTS


def test_the_one_step_is_a_point_where_no_other_is_about_the_same() -> None:
    """A budget nobody set; not the check of a project that stands there already, and not the recording of outcomes."""
    calm = replace(told.all_well(), unallocated=None)
    budget = replace(calm, advice=Advice(AdviceKind.SET_BUDGET))
    assert kinds(budget) == [PointKind.STEP]
    usual = told.a_digest()
    about = replace(usual, advice=Advice(AdviceKind.CHECK_RETRIES, usual.improve[0].project_id, "chatbot-experiment"))
    assert PointKind.STEP not in kinds(about)
    assert kinds(replace(calm, advice=Advice(AdviceKind.CONNECT_EVENTS, 3, "batch"))) == []


def test_the_one_step_is_on_a_full_agenda_before_what_is_worth_less() -> None:
    """It was chosen over the steps of all projects below their baselines: of six points it is not the one left out."""
    usual = told.a_digest()
    first, second, third, *rest = usual.others
    week = replace(
        usual,
        improve=(*usual.improve, third),
        others=(ran(first, "9"), ran(second, "8"), *rest),
        advice=Advice(AdviceKind.CHECK_RETRIES, rest[0].project_id, rest[0].name),
    )
    expected = [PointKind.RUNAWAY, PointKind.RUNAWAY, PointKind.STEP, PointKind.IMPROVE, PointKind.IMPROVE]
    assert kinds(week) == expected


def test_what_moved_the_whole_is_asked_about_once() -> None:
    """Not beside the step to look at just that, nor beside a project that has the step; and not where nothing did."""
    calm = replace(told.all_well(), unallocated=None, why=told.a_digest().why, increase=Decimal("0.4"))
    assert kinds(replace(calm, advice=Advice(AdviceKind.LOOK_WHY))) == [PointKind.MOVED]
    assert kinds(replace(calm, advice=Advice(AdviceKind.LOOK_WHY), why=None)) == [PointKind.STEP]
    best = calm.best[0]
    assert kinds(replace(calm, advice=Advice(AdviceKind.CHECK_RETRIES, best.project_id, best.name))) == [PointKind.STEP]
    same = replace(calm, why=told.a_why(WhyKind.UNCHANGED, "0.02", "0.01"), advice=Advice(AdviceKind.NONE))
    assert kinds(same) == []


def test_a_total_that_moved_says_by_how_much() -> None:
    """Where usage does not tell why, the cause alone would leave open what "that" is."""
    calm = replace(told.all_well(), unallocated=None, advice=Advice(AdviceKind.NONE), increase=Decimal("0.4"))
    week = replace(calm, why=told.a_why(WhyKind.UNKNOWN, "140", "100"))
    [_, body] = digest_agenda.agenda(week, reader("en"))
    assert "\n1. up 40% on the week before · " in body[0]["text"]["text"]  # type: ignore[index,operator]


@pytest.mark.parametrize(("amount", "asked"), [("0.004", False), ("11.41", False), ("11.42", True), ("-64", False)])
def test_no_team_is_asked_to_answer_for_next_to_nothing(amount: str, asked: bool) -> None:
    """From one percent of the week on, as everywhere else; a credit is nobody's to answer for."""
    week = replace(told.all_well(), unallocated=Money.of(amount), advice=Advice(AdviceKind.NONE), why=None)
    assert (PointKind.UNALLOCATED in kinds(week)) is asked


@pytest.mark.parametrize(("increase", "asked"), [("0.1", True), ("-0.4", True), ("0.09", False), (None, False)])
def test_a_total_that_moved_by_a_tenth_is_asked_about(increase: str | None, asked: bool) -> None:
    """Less is how weeks are; a first week has nothing to compare with."""
    calm = replace(told.all_well(), unallocated=None, advice=Advice(AdviceKind.NONE))
    moved = None if increase is None else Decimal(increase)
    week = replace(calm, why=told.a_digest().why, increase=moved)
    assert (PointKind.MOVED in kinds(week)) is asked


def test_the_unrecorded_are_named_dearest_first_and_only_where_they_cost() -> None:
    """Three by name, the others counted."""
    silent = tuple(
        told.a_project(number, f"p{number}", str(number), None, unranked=Unranked.NO_VALUE) for number in range(6)
    )
    week = replace(told.all_well(), others=silent, unallocated=None, advice=Advice(AdviceKind.NONE), why=None)
    [point] = agenda(week)
    assert [one.name for one in point.projects] == ["p5", "p4", "p3", "p2", "p1"]
    assert "*p5*, *p4*, *p3* and 2 more" in str(digest_agenda.agenda(week, reader("en")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_point_is_a_line_that_asks_somebody(language: str) -> None:
    """Numbered, in the reader's words, with nothing that a name could make of it."""
    usual = told.a_digest()
    named = replace(usual.improve[0], name="*<!channel>*")
    week = replace(usual, improve=(ran(named, "690"), *usual.improve[1:]))
    [_, body] = digest_agenda.agenda(week, reader(language))
    lines = str(body[0]["text"]["text"]).splitlines()  # type: ignore[index]
    assert [line[:2] for line in lines[1:]] == [f"{number}." for number in range(1, len(agenda(week)) + 1)]
    assert all(" — " in line and line.rstrip("?？").rstrip() != line for line in lines[1:])
    assert "<!channel>" not in str(body)
