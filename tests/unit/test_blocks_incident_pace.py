"""How fast it burns and where that leads, only while it can still lead there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blocks import incident_words as words
from blocks import incidents
from finops.stop_report import StopShown
from tests.unit import saying_live, stopping_said
from tests.unit.saying import reader


@pytest.mark.parametrize("stop", [stopping_said.held(), stopping_said.proved(), stopping_said.partly(),
                                  stopping_said.restoring(), stopping_said.restored()])  # fmt: skip
def test_what_is_stopped_has_no_pace_and_leads_nowhere(stop: StopShown) -> None:
    """A speed from before the stop would announce a breach that cannot come; since when it surged stays true."""
    t = reader("ko")
    runaway = saying_live.shown()
    assert "현재 시간당" in words.pace(runaway, t)
    assert words.forecast(runaway, t)
    held = replace(runaway, stop=stop)
    assert "현재 시간당" not in words.pace(held, t)
    assert words.forecast(held, t) == ""
    assert words.pace(held, t)
    window = str(incidents.detail(saying_live.a_detail(shown=held), t))
    assert "현재 시간당" not in window
    assert "예상" not in window


@pytest.mark.parametrize("stop", [stopping_said.unproved(), stopping_said.slowed(), stopping_said.allowed()])
def test_where_spending_goes_on_its_pace_is_told(stop: StopShown) -> None:
    """A stop that does not hold, a lever that only slows, an allowance: where it leads is still to be known."""
    held = replace(saying_live.shown(), stop=stop)
    assert words.pace(held, reader("ko")) == words.pace(saying_live.shown(), reader("ko"))
