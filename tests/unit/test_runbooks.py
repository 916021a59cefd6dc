"""Runbooks: the first to tick a step is the one who is named, and the message fits Slack in three languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks import ids, runbooks
from finops.runbooks import Runbook, RunbookStep
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_limits import refused

AT = datetime(2026, 7, 6, 5, tzinfo=UTC)
EMPTY = Runbook(12, "U0MINSU001", {})


@given(st.lists(st.tuples(st.sampled_from(RunbookStep), st.booleans(), st.sampled_from(["U1", "U2"]))))
def test_each_step_stands_as_it_was_left_and_names_who_left_it_so(deeds: list[tuple[RunbookStep, bool, str]]) -> None:
    """Whatever is ticked and unticked by whom; each change has a turn of its own, and what changes nothing has none."""
    runbook, left = EMPTY, dict[RunbookStep, tuple[bool, str, int]]()
    for minute, (step, is_done, by) in enumerate(deeds):
        was_done, _, turns = left.get(step, (False, "", 0))
        if is_done is not was_done:
            left[step] = (is_done, by, turns + 1)
        runbook = runbook.after(step, by, AT + timedelta(minutes=minute), is_done=is_done)
    assert {step: (one.is_done, one.by, one.turns) for step, one in runbook.states.items()} == left
    assert runbook.done_count == sum(is_done for is_done, _, _ in left.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_message_fits_slack_and_shows_who_has_done_what(language: str) -> None:
    """Ticked boxes are ticked, the others are not; nobody is named below what was taken back."""
    t, half = reader(language), EMPTY
    for step in (RunbookStep.TRACE, RunbookStep.CUT):
        half = half.after(step, "U0JIHOON01", AT, is_done=True)
    half = half.after(RunbookStep.CUT, "U0EMMA0001", AT, is_done=False)
    for runbook, done in ((EMPTY, []), (half, [RunbookStep.TRACE])):
        said = runbooks.message(runbook, t)
        assert refused(said) == []
        boxes = {str(block["block_id"]).split("/")[1]: block for block in said.blocks if "accessory" in block}
        assert list(boxes) == list(RunbookStep)
        assert [name for name, block in boxes.items() if "initial_options" in block["accessory"]] == done
        assert [name for name, block in boxes.items() if "<@U0JIHOON01>" in block["text"]["text"]] == done
    assert "U0EMMA0001" not in str(said.blocks)


def test_a_box_has_another_name_after_each_turn() -> None:
    """Slack goes on showing whoever clicked what they clicked while a block has the same name, whatever we send."""
    names, runbook = list[str](), EMPTY
    for turn in range(4):
        blocks = runbooks.message(runbook, reader("ko")).blocks
        names += [str(block["block_id"]) for block in blocks if "12/trace/" in str(block.get("block_id"))]
        runbook = runbook.after(RunbookStep.TRACE, "U1", AT, is_done=turn % 2 == 0)
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("12/trace/0=done", (12, RunbookStep.TRACE, True)),
        ("12/prevent/31=", (12, RunbookStep.PREVENT, False)),
        ("12/unknown/0=done", None),
        ("x/trace/0=done", None),
        (f"{10**18}/trace/0=done", None),
        ("12/trace", (12, RunbookStep.TRACE, False)),
        ("", None),
    ],
)
def test_what_was_clicked_is_read_from_the_name_of_its_block(value: str, said: object) -> None:
    """A box that was unticked has no value of its own."""
    assert runbooks.ticked(value) == said


def test_a_step_of_another_version_has_no_title() -> None:
    """The audit trail outlives the steps it tells of."""
    assert runbooks.title("trace", reader("en")) == "Find out where it comes from"
    assert runbooks.title("burn", reader("en")) is None
    assert ids.INCIDENT_STEP in str(runbooks.message(EMPTY, reader("en")).blocks)
