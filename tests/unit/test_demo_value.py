"""What the applications of the demo record: the same in each run, as much as the trace says, and worth telling."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from demo import value
from demo.monday import next_monday
from demo.openai import SimulatedOpenAI
from demo.prices import ListPrices
from demo.trace import NOTHING, Trace, Usage, parse_trace, read_trace
from demo.value import HABITS, Recorded, Tally, calls_of, one_in, tallied
from demo.value_levers import named_in
from demo.value_sender import Applications
from finops.periods import monday_of

TRACE = Path(value.__file__).parent / "data" / "trace.csv.gz"
SUNDAY = date(2026, 11, 22)
CHANGED = monday_of(SUNDAY)


@pytest.fixture(scope="module")
def trace() -> Trace:
    return read_trace(TRACE)


def recorded(trace: Trace, end: date, days: int) -> Iterator[Recorded]:
    """The last days of the applications that have a part, of a trace that ends when `end` begins."""
    until = (end - date(1970, 1, 1)).days
    every = one_in(trace)
    for series in (one for one in trace.series if one.application in HABITS):
        for back in range(1, days + 1):
            first = trace.last_hour + 1 - 24 * back
            hours = [series.hours.get(hour, NOTHING) for hour in range(first, first + 24)]
            yield from calls_of(
                series.application, series.model, until - back, hours, every[series.application], CHANGED
            )


@pytest.fixture(scope="module")
def events(trace: Trace) -> list[Recorded]:
    """Five whole weeks, the last of them the one that differs."""
    return list(recorded(trace, CHANGED + timedelta(days=7), 35))


def test_the_same_bytes_come_out_in_every_run(events: list[Recorded]) -> None:
    """Down to the last digit: who runs the demo twice, or on another machine, sees the same week."""
    told = "\n".join(json.dumps(event.body(), sort_keys=True) for event in events[:5000])
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == "86a4dd602f9ecacd"


def test_an_event_sent_twice_is_the_same_event_and_counts_once(trace: Trace, events: list[Recorded]) -> None:
    """Ids are unique, and follow from the call alone, not from how far back one looks."""
    by_id = {event.id: event for event in events}
    assert len(by_id) == len(events)
    again = list(recorded(trace, CHANGED + timedelta(days=7), 2))
    assert again
    assert all(by_id[event.id] == event for event in again)
    assert tallied([*events, *again]) == tallied(events)


def test_about_as_many_are_sent_as_was_said(events: list[Recorded]) -> None:
    """Thirty a day or so for each application: four weeks are sent in seconds."""
    for application in HABITS:
        mine = [event for event in events if event.application == application]
        assert 160 <= len(mine) / 5 <= 260
        assert all(event.usage.requests > 100 for event in mine if event.outcome is None or "/known" not in event.id)


def test_a_day_is_told_to_the_last_call_and_token_but_for_what_one_application_loses(
    trace: Trace, events: list[Recorded]
) -> None:
    """So that what a success cost ties with the cost beside it; where a tenth is lost, coverage says so."""
    used: defaultdict[str, Usage] = defaultdict(Usage)
    for series in trace.series:
        for hour in range(trace.last_hour + 1 - 35 * 24, trace.last_hour + 1):
            used[series.application] = used[series.application].plus(series.hours.get(hour, NOTHING))
    for application, habit in HABITS.items():
        told = NOTHING
        for event in events:
            if event.application == application:
                told = told.plus(event.usage)
        if habit.lost_in:
            assert 0.88 < told.requests / used[application].requests < 0.92
        else:
            assert told == used[application]
    assert [name for name, habit in HABITS.items() if habit.lost_in] == ["search-assistant"]


def test_the_last_week_has_a_winner_a_loser_and_one_that_tells_too_little(events: list[Recorded]) -> None:
    """Value for money against the weeks before: far above one, far below, and something between."""
    tallies = tallied(events)

    def worth(application: str, week: date) -> float:
        tally = tallies[application, week]
        return tally.successes / tally.calls * tally.score_sum / tally.scored

    def change(application: str) -> float:
        before = sorted(worth(application, CHANGED - timedelta(days=7 * back)) for back in range(1, 5))
        return worth(application, CHANGED) * 2 / (before[1] + before[2])

    assert change("doc-summary") > 1.4
    assert change("chatbot-experiment") < 0.6
    assert 0.5 < change("search-assistant") < 0.9
    assert 1.05 < change("ad-copy-writer") < 1.4
    for week in (CHANGED - timedelta(days=7 * back) for back in range(5)):
        few = tallies["fraud-check", week]
        assert 0 < few.successes + few.failures < 30


def test_each_event_lies_in_the_hour_of_its_last_call(events: list[Recorded]) -> None:
    """The time of an event follows from its calls' place in the day; a score is a share."""
    for event in events[:2000]:
        hour = int(event.id.split("/")[2])
        assert hour == int(event.at.timestamp()) // 3600
        assert event.latency_ms < 86_400_000 * event.usage.requests
        assert event.usage.cached <= event.usage.input
        assert event.score is None or 0 <= event.score <= 1000
        assert (event.score is None) or event.outcome is not None


def test_every_call_of_a_small_trace_is_recorded() -> None:
    """A trace of nine calls an hour has no calls to spare: each is told of by itself, in order."""
    hours = [NOTHING] * 3 + [Usage(9, 900, 0, 90)] * 2 + [NOTHING] * 19
    found = list(calls_of("tiny", "big", 20_420, hours, 1, CHANGED))
    assert [event.usage.requests for event in found] == [1] * 18
    assert [event.at for event in found] == sorted(event.at for event in found)
    assert sum(event.usage.output for event in found) == 180
    assert tallied(found)["tiny", monday_of(found[0].at.date())].calls == 18
    assert list(calls_of("tiny", "big", 20_420, [NOTHING] * 24, 1, CHANGED)) == []


def test_an_event_tells_of_no_more_calls_than_one_may() -> None:
    """However large the trace that somebody brings along."""
    hours = [Usage(2_500_000, 10**9, 0, 10**6)] + [NOTHING] * 23
    found = list(calls_of("huge", "big", 20_420, hours, 10**7, CHANGED))
    assert [event.body()["calls"] for event in found] == [833_333, 833_333, 833_334]
    assert tallied([]) == {}
    assert Tally().calls == 0


def test_a_body_leaves_out_what_is_not_known(events: list[Recorded]) -> None:
    """Nothing that was not told is sent as nothing."""
    quiet = next(event for event in events if event.outcome is None).body()
    assert quiet["calls"] > 100
    assert "outcome" not in quiet
    assert "score" not in quiet
    loud = next(event for event in events if event.score is not None).body()
    assert loud["time"].endswith("Z")
    assert loud["outcome"] in {"success", "failure"}
    assert 0 <= float(loud["score"]) <= 1


def live(openai: SimulatedOpenAI, hours: int = 1) -> list[Recorded]:
    """What an application records in the first hours after the trace."""
    first = openai.tenant().traffic.live_from
    return list(Applications(openai, openai.clock).events("loop", first, first + 60 * hours))


def test_a_retry_loop_is_recorded_as_what_it_is_and_refused_calls_not_at_all() -> None:
    """Fifteen times the calls and not one answer more; behind a limit nothing happens that could be told."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    rows = [f"{hour},loop,gpt-4o,40,4000,400" for hour in range(48)]
    trace = parse_trace(["hour,application,model,requests,input_tokens,output_tokens", *rows])
    openai = SimulatedOpenAI(trace, ListPrices(), lambda: now)
    before = live(openai)
    assert before
    openai.boost("loop", 15, datetime(2026, 11, 22, tzinfo=UTC))
    looping = live(openai)
    extra = [event for event in looping if event not in before]
    calls, usual = (sum(event.usage.requests for event in events) for events in (extra, before))
    assert [event for event in looping if event in before] == before
    assert abs(calls - 14 * usual) <= 28 * 30
    assert {(event.outcome, event.score) for event in extra} == {("failure", None)}
    assert {event.usage.input / event.usage.requests for event in extra} == {100}
    assert len({event.id for event in looping}) == len(looping)

    traffic = openai.tenant().traffic
    for minute in range(traffic.live_from, traffic.live_from + 60):
        traffic.hold(("loop", "gpt-4o"), minute, NOTHING)
    assert live(openai) == []


def test_a_window_names_one_application_or_nobody_is_handed_its_token() -> None:
    """A name inside another name is no name; of two nobody knows which is meant."""
    names = ("chat", "chat-pro", "문서 요약")
    assert named_in("*chat-pro* 토큰 web-backend", names) == "chat-pro"
    assert named_in("*문서 요약*", names) == "문서 요약"
    assert named_in("chatting", names) is None
    assert named_in("chat and chat-pro", names) is None


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-11-22T23:59:59", "2026-11-23"),
        ("2026-11-23T00:00:00", "2026-11-30"),
        ("2026-11-25T03:00:00", "2026-11-30"),
    ],
)
def test_the_next_monday_is_always_ahead(now: str, monday: str) -> None:
    """Nine in the morning in Seoul, which is midnight in UTC."""
    found = next_monday(datetime.fromisoformat(f"{now}+00:00"))
    assert found == datetime.fromisoformat(f"{monday}T00:00:00+00:00")
