"""Pacing: no channel, method or workspace is asked more often than Slack allows, and what Slack says is heeded."""

from __future__ import annotations

from itertools import pairwise

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from jobs.delivery_errors import NotInstalled, Trouble, judged
from jobs.delivery_pace import (
    CHANNELS_IN_A_ROW,
    EDIT_BURST,
    EDITS_A_SECOND,
    FASTEST_POSTS,
    LONGEST_TURN,
    POST_EVERY,
    SLOWEST_POSTS,
    Method,
    Paces,
)


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@given(st.lists(st.floats(0, 3), min_size=30, max_size=120), st.sampled_from(Method))
def test_a_method_is_never_asked_more_often_than_its_pace(pauses: list[float], method: Method) -> None:
    """Whenever we ask: in any stretch of time at most a burst and what the pace allows beside it."""
    watch = Stopwatch()
    paces, taken = Paces(watch), []
    for pause in pauses:
        wait = paces.turn("T1", method)
        if wait is not None:
            assert wait <= LONGEST_TURN
            taken.append(watch.seconds + wait)
        watch.seconds += pause / 20
    per_second, burst = (FASTEST_POSTS, FASTEST_POSTS) if method is Method.POST else (EDITS_A_SECOND, EDIT_BURST)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - taken[first]) * per_second + 1e-6


@given(st.lists(st.floats(0, 2), min_size=1, max_size=40))
def test_a_channel_is_posted_in_at_most_once_a_second(pauses: list[float]) -> None:
    watch = Stopwatch()
    paces, posted = Paces(watch), []
    for pause in pauses:
        posted.append(watch.seconds + paces.place("T1", "C1"))
        assert "C1" in paces.busy_channels()
        watch.seconds += pause
    assert all(later - earlier >= POST_EVERY - 1e-9 for earlier, later in pairwise(posted))


def test_a_limited_workspace_is_left_alone_and_asked_more_slowly_afterwards() -> None:
    """Slower after each time, faster again with each post that is taken; other workspaces do not notice."""
    watch = Stopwatch()
    paces = Paces(watch)
    for number in range(CHANNELS_IN_A_ROW):
        assert "T1" not in paces.held(Method.POST)
        paces.limited("T1", Method.POST, f"C{number}", 10.0)
    assert paces.held(Method.POST) == {"T1"}
    assert paces.turn("T1", Method.POST) is None
    assert paces.turn("T2", Method.POST) == 0
    assert paces.held(Method.EDIT) == set()
    watch.seconds = 10.0
    waits = [paces.turn("T1", Method.POST) for _ in range(5)]
    assert waits == pytest.approx([number / (FASTEST_POSTS * 0.7) for number in range(5)])
    for number in range(100):
        paces.posted("T1", f"C{number}")
    watch.seconds = 100.0
    assert [paces.turn("T1", Method.POST) for _ in range(20)] == [0] * 20


def test_one_busy_channel_says_nothing_about_the_workspace() -> None:
    """However often: as long as others are served in between."""
    paces = Paces(Stopwatch())
    for _ in range(10):
        paces.limited("T1", Method.POST, "C1", 5.0)
        paces.limited("T1", Method.POST, "C2", 5.0)
        paces.posted("T1", "C3")
    assert paces.held(Method.POST) == set()
    assert paces.busy_channels() == {"C1", "C2", "C3"}


def test_the_pace_never_stops_altogether() -> None:
    watch = Stopwatch()
    paces = Paces(watch)
    for number in range(100):
        paces.limited("T1", Method.POST, f"C{number}", 1.0)
        watch.seconds += 1
    first, second = paces.turn("T1", Method.POST), paces.turn("T1", Method.POST)
    assert first == 0
    assert second == pytest.approx(1 / SLOWEST_POSTS)
    assert paces.next_change() is not None


def an_error(status: int, data: object, **headers: str) -> SlackApiError:
    response = AsyncSlackResponse(
        client=None, http_verb="POST", api_url="", req_args={}, data=data, headers=headers, status_code=status,  # type: ignore[arg-type]
    )  # fmt: skip
    return SlackApiError("refused", response)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("error", "trouble", "retry_after"),
    [
        (an_error(429, {"ok": False, "error": "ratelimited"}, **{"Retry-After": "30"}), Trouble.LIMITED, 30.0),
        (an_error(429, "", **{"retry-after": "soon"}), Trouble.LIMITED, 1.0),
        (an_error(200, {"ok": False, "error": "rate_limited"}), Trouble.LIMITED, 1.0),
        (an_error(429, {}, **{"Retry-After": "86400"}), Trouble.LIMITED, 600.0),
        (an_error(500, ""), Trouble.UNCERTAIN, None),
        (an_error(503, ""), Trouble.UNCERTAIN, None),
        (an_error(200, {"ok": False, "error": "service_unavailable"}), Trouble.UNCERTAIN, None),
        (an_error(200, {"ok": False, "error": "fatal_error"}), Trouble.UNCERTAIN, None),
        (an_error(200, {"ok": False, "error": "message_limit_exceeded"}), Trouble.AWAY, None),
        (an_error(200, {"ok": False, "error": "external_channel_migrating"}), Trouble.AWAY, None),
        (an_error(200, {"ok": False, "error": "accesslimited"}), Trouble.REMOVED, None),
        (an_error(200, {"ok": False, "error": "not_in_channel"}), Trouble.CLOSED, None),
        (an_error(200, {"ok": False, "error": "channel_not_found"}), Trouble.CLOSED, None),
        (an_error(200, {"ok": False, "error": "is_archived"}), Trouble.CLOSED, None),
        (an_error(200, {"ok": False, "error": "missing_scope"}), Trouble.CLOSED, None),
        (an_error(200, {"ok": False, "error": "account_inactive"}), Trouble.REMOVED, None),
        (an_error(200, {"ok": False, "error": "something_new"}), Trouble.REFUSED, None),
        (NotInstalled("T1"), Trouble.REMOVED, None),
        (TimeoutError(), Trouble.UNCERTAIN, None),
        (aiohttp.ServerDisconnectedError(), Trouble.UNCERTAIN, None),
        (aiohttp.ClientOSError(104, "reset"), Trouble.UNCERTAIN, None),
        (ConnectionRefusedError(), Trouble.AWAY, None),
    ],
    ids=lambda given: getattr(given, "value", None) or repr(given)[:40],
)
def test_each_refusal_means_one_thing(error: Exception, trouble: Trouble, retry_after: float | None) -> None:
    verdict = judged(error)
    assert (verdict.trouble, verdict.retry_after) == (trouble, retry_after)
