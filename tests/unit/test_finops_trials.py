"""A test alert's state and times: nothing is told that two clocks cannot tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from finops.trials import LONGEST_CLICK_SECONDS, Trial, TrialState

NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)
ASKED = Trial("trial:1:1", "T1", 1, "C1", "U1", NOW)
STANDS = replace(ASKED, delivered_at=NOW + timedelta(seconds=2))


def test_it_goes_from_asked_to_pressed_and_trouble_is_over_once_it_stands() -> None:
    troubled = replace(ASKED, trouble="is_archived")
    states = [one.state for one in (ASKED, troubled, replace(troubled, is_given_up=True), STANDS)]
    assert states == [TrialState.WAITING, TrialState.TROUBLED, TrialState.GIVEN_UP, TrialState.DELIVERED]
    assert replace(STANDS, pressed_by="U2").state is TrialState.PRESSED
    assert (ASKED.delivery_seconds, STANDS.delivery_seconds) == (None, 2.0)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.25, 0.25), (0.0, 0.0), (-0.4, None), (LONGEST_CLICK_SECONDS, 60.0), (LONGEST_CLICK_SECONDS + 1, None)],
)
def test_the_way_of_a_click_is_told_where_the_two_clocks_agree(seconds: float, told: float | None) -> None:
    """A clock that runs behind would show a click that arrived before it was made."""
    pressed = replace(STANDS, pressed_by="U2", clicked_at=NOW, heard_at=NOW + timedelta(seconds=seconds))
    assert pressed.click_seconds == told
    assert replace(pressed, clicked_at=None).click_seconds is None
