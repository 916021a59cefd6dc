"""The runaway of the local workspace: today's total lands where the story wants it, at any time of day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from demo import lab, lab_words, runaway
from demo.billing import spent
from demo.clock import StageClock, moved
from demo.openai import SimulatedOpenAI
from demo.openai.control import Control
from demo.prices import FilePrices, Rates
from demo.props import Props
from demo.slack.faults import Fault as SlackFault
from demo.trace import parse_trace
from finops.periods import minute_of, moment_of
from tests.conftest import FakeClock

PRICES = FilePrices("test", {"m": Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10))})
HEADER = "hour,application,model,requests,input_tokens,output_tokens"
PLACES = re.compile(r"\{\w+\}")
MIDNIGHT = datetime(2026, 7, 6, tzinfo=UTC)


def provider(clock: FakeClock) -> SimulatedOpenAI:
    """One application that costs fifty dollars a day, evenly."""
    hours = [f"{hour},chatbot-experiment,m,600,500000,83333" for hour in range(7 * 24)]
    return SimulatedOpenAI(parse_trace([HEADER, *hours]), PRICES, clock, anchor=MIDNIGHT)


def today(openai: SimulatedOpenAI) -> Decimal:
    openai.tenant().levers.advance(minute_of(openai.clock()))  # as before every answer
    usage = openai.tenant().traffic.between(
        ("chatbot-experiment", "m"), minute_of(MIDNIGHT), minute_of(openai.clock()), minute_of(openai.clock())
    )
    return spent(usage, PRICES.by_model["m"])


@pytest.mark.parametrize("minutes", [3, 15, 60, 5 * 60, 23 * 60 + 58])
def test_the_first_push_brings_today_to_742_dollars_whatever_the_hour(minutes: int) -> None:
    openai = provider(FakeClock(MIDNIGHT + timedelta(minutes=minutes)))
    begun = runaway.start(openai)
    assert begun.total == Decimal("742.2")
    assert 742 <= today(openai) < Decimal("742.5"), "an alert cuts what follows the point: $742, and not $741"


def test_at_night_a_loop_burns_minute_by_minute_and_not_in_bursts() -> None:
    """An application that asks once in three minutes has parts of a call to multiply in each; a bar stood in one minute
    of three, with thousands of calls, and the head of the page went back and forth between them and none."""
    hours = [f"{hour},chatbot-experiment,m,20,500000,83333" for hour in range(7 * 24)]
    clock = FakeClock(MIDNIGHT + timedelta(hours=5))
    openai = SimulatedOpenAI(parse_trace([HEADER, *hours]), PRICES, clock, anchor=MIDNIGHT)
    runaway.start(openai)
    assert 742 <= today(openai) < Decimal("742.5")
    clock.advance(minutes=30)
    told = Control(openai).traffic({"project": "chatbot-experiment", "minutes": 45})
    calls = [point["answered"] for point in told["minutes"]]
    assert min(calls) > 0
    assert max(calls) < 3 * min(calls)


def test_every_further_push_reaches_the_next_level_and_in_between_it_goes_on_as_it_began() -> None:
    clock = FakeClock(MIDNIGHT + timedelta(hours=5))
    openai = provider(clock)
    runaway.start(openai)
    clock.advance(minutes=5)
    went_on = today(openai) - 742
    assert 150 < went_on < 190, "some $35 a minute, as in the twenty before: a loop that nobody stops does not tire"
    runaway.start(openai)
    assert abs(today(openai) - 1010) < Decimal("0.5")
    runaway.start(openai)
    assert abs(today(openai) - 1520) < Decimal("0.5")


@pytest.mark.parametrize("seconds", [0, 30, 70, 150])
def test_on_a_day_that_has_only_begun_it_comes_in_the_minutes_there_are_and_goes_on_no_faster(seconds: int) -> None:
    """Right after Monday 09:00 in Seoul the day is a minute old, and yesterday was told already."""
    clock = FakeClock(MIDNIGHT + timedelta(seconds=seconds))
    openai = provider(clock)
    begun = runaway.start(openai)
    clock.moment = max(clock(), moment_of(begun.until))
    assert clock() <= MIDNIGHT + timedelta(seconds=seconds + 60)
    assert 742 <= today(openai) < Decimal("742.5")
    clock.advance(minutes=5)
    assert 150 < today(openai) - 742 < 220, "some $37 a minute, as of any other day"


def test_what_a_limit_decided_stays_and_a_new_loop_comes_in_the_minute_that_runs() -> None:
    """After a stop and a restore the last twenty minutes are settled: they were asked for, and said to be the past."""
    clock = FakeClock(MIDNIGHT + timedelta(hours=5))
    openai = provider(clock)
    change = Control(openai).change_limits
    cent = {"threshold_amount": 1, "currency": "USD", "interval": "month"}
    change({"project": "chatbot-experiment", "spend_limit": cent})
    clock.advance(minutes=10)
    assert runaway.start(openai).is_refused
    stood = today(openai)
    clock.advance(minutes=10)
    assert today(openai) == stood, "refused is not spent"
    change({"project": "chatbot-experiment", "spend_limit": None})
    clock.advance(minutes=3)
    runaway.end(openai)
    again = runaway.start(openai)
    assert (again.is_refused, again.until - again.since) == (False, 1)
    assert today(openai) < 742
    clock.advance(minutes=1)
    assert abs(today(openai) - again.total) < Decimal("0.5")


def test_it_touches_only_what_is_still_read_again_and_ends_at_once() -> None:
    clock = FakeClock(MIDNIGHT + timedelta(hours=5))
    openai = provider(clock)
    key, early = ("chatbot-experiment", "m"), minute_of(clock()) - runaway.LATE_MINUTES
    traffic = openai.tenant().traffic
    before = traffic.between(key, minute_of(MIDNIGHT), early, minute_of(clock()))
    runaway.start(openai)
    assert traffic.between(key, minute_of(MIDNIGHT), early, minute_of(clock())) == before
    runaway.end(openai)
    stands = today(openai)
    clock.advance(minutes=30)
    assert today(openai) - stands < Decimal("1.5"), "half an hour at the usual pace"


def test_an_application_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(runaway.NoRunaway, match="chatbot-experiment"):
        runaway.start(provider(FakeClock(MIDNIGHT + timedelta(hours=1))), "nobody")


def test_the_clock_of_the_stage_reaches_the_first_of_the_next_month_however_far_that_is() -> None:
    stage_clock = StageClock()
    for _ in range(3):
        before = stage_clock()
        after = stage_clock.move_to_next_month()
        assert (after.day, after.hour, after.minute) == (1, 0, 1)
        assert (after.year * 12 + after.month) - (before.year * 12 + before.month) == 1


def test_the_drawer_says_the_same_in_three_languages() -> None:
    """A label nobody has translated cannot be drawn; what is drawn has the same values in each language."""
    for korean, others in lab_words.OTHERS.items():
        assert all(sorted(PLACES.findall(one)) == sorted(PLACES.findall(korean)) for one in others), korean
    with pytest.raises(KeyError):
        lab_words.words("아직 아무도 옮기지 않은 말")


def test_every_order_of_the_drawer_is_one_that_its_address_understands() -> None:
    """A switch that does nothing would prove whatever one hopes for."""
    openai = provider(FakeClock(MIDNIGHT + timedelta(hours=5)))
    heard: dict[str, Callable[[dict[str, Any]], object]] = {
        "/_sim/openai/faults": Control(openai).add_fault,
        "/_sim/openai/behaviour": Control(openai).set_behaviour,
        "/_sim/openai/limits": Control(openai).change_limits,
        "/_sim/slack/faults": SlackFault.from_json,
        "/_sim/clock": partial(moved, StageClock()),
        "/_sim/runaway": lambda told: runaway.start(openai, told["application"]),
    }
    drawer = lab.drawer(Props.fresh(), "a project's key", runaway.APPLICATION)
    items = [item for section in drawer["sections"] for item in section["items"]]
    orders = [item["action"] for item in items if "action" in item]
    for order in orders:
        assert order["path"] in heard
        if order["method"] == "POST":
            heard[order["path"]](order["body"])
    assert openai.project(runaway.APPLICATION).spend_limit_cents is None, "the last of the two changes removes it"
    assert [item["traffic"]["project"] for item in items if "traffic" in item] == [runaway.APPLICATION]
