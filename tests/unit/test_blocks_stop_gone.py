"""A project that the provider denies: said as what it is, in every place, and nobody is accused of a change."""

from __future__ import annotations

from typing import Any

import pytest

from blocks import stop_state, stop_thread
from finops.holds import Hold, HoldState, HoldTrouble
from finops.stops import StopEventKind, StopState
from tests.unit.saying import reader
from tests.unit.stopping_said import SET_AT, a_hold, a_stop, event, shown

T = reader("en")
DENIED = "OpenAI says that there is no such project"


def denied(state: HoldState, **more: Any) -> Hold:
    return a_hold(state, trouble=HoldTrouble.PROJECT_GONE, trouble_since=SET_AT, **more)


@pytest.mark.parametrize("state", [HoldState.SET, HoldState.PROVED, HoldState.UNPROVED])
def test_a_stop_whose_project_is_denied_says_so_and_that_what_was_before_is_kept(state: HoldState) -> None:
    hold = denied(state)
    held = shown(a_stop(StopState.STOPPED), hold)
    line = stop_thread.line(event(StopEventKind.TROUBLE, trouble="project_gone", is_letting_go=False), held, T).text
    for said in (stop_state.state_line(held, T), stop_state.hold_line(hold, held, T), line):
        assert DENIED in said
        assert "What was set before is kept" in said
        assert "changed" not in said


def test_of_several_projects_the_one_that_is_denied_is_named() -> None:
    held = shown(a_stop(StopState.STOPPED), a_hold(), denied(HoldState.PROVED, number=2, name="ad-copy-writer"))
    assert f"ad-copy-writer: {DENIED}" in stop_state.state_line(held, T)


def test_a_restore_of_a_denied_project_waits_until_it_is_seen_again() -> None:
    back = shown(a_stop(StopState.RESTORING), denied(HoldState.SET, is_wanted=False))
    line = stop_thread.line(event(StopEventKind.TROUBLE, trouble="project_gone", is_letting_go=True), back, T).text
    for said in (stop_state.state_line(back, T), line):
        assert f"not put back yet: {DENIED}" in said
        assert "put back as soon as the project is seen again" in said


def test_a_project_that_is_really_gone_ends_its_stop_without_an_accusation() -> None:
    hold, lost = denied(HoldState.LOST), event(StopEventKind.LOST, by=None, trouble="project_gone", next_lever=None)
    over = shown(a_stop(StopState.FAILED), hold, events=(lost,))
    said = stop_state.state_line(over, T), stop_state.hold_line(hold, over, T), stop_thread.line(lost, over, T).text
    assert all("OpenAI no longer has this project" in one for one in said)
    assert not any("changed" in one or "elsewhere" in one for one in said)
