"""The test alert: somebody has it sent and is told what became of it; somebody presses its button."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from blocks import trials
from bot.errors import Refusal, RefusalCode
from finops.trials import Trial, TrialState
from handlers import home
from handlers.visit import Visit

# So long the person who asked is kept waiting for what became of it; Slack takes a post within one or two seconds.
PATIENCE_SECONDS = 8.0
LOOK_SECONDS = 0.1
# Not refused, only not its turn yet.
_PACED = "paced"


async def send(visit: Visit, value: str) -> None:
    """Have a test alert told in the channel of the team whose id the button carries; then say what became of it."""
    is_in_window = visit.is_in_modal or visit.respond is None
    if is_in_window:
        await visit.in_place()
    person, groups = await visit.person(), await visit.groups()
    t = await visit.words()
    if not value.isdecimal():
        raise Refusal(RefusalCode.UNKNOWN_TEAM)
    if is_in_window:
        await visit.show(trials.window(None, t))
    trial = await visit.bot.trials.send(person, int(value), groups)
    trial = await _settled(visit, trial)
    if is_in_window:
        await visit.show(trials.window(trial, t))
    else:
        await visit.answer(trials.answer(trial, t))


async def press(visit: Visit, value: str) -> None:
    """The button of a test alert: its message shows who pressed it. Whoever comes later is told so."""
    pressed = await visit.bot.trials.press(visit.workspace_id, visit.user_id, value, _stamped(visit.clicked_at))
    if pressed.is_first:
        await home.refresh(visit)
    else:
        await visit.answer(trials.repeated(pressed.trial, await visit.words()))


async def _settled(visit: Visit, trial: Trial) -> Trial:
    """The test alert once it stands or something is in its way; as it is when that takes longer than one can wait."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_SECONDS
    while loop.time() < until:
        trial = await visit.bot.trials.told(trial.workspace_id, trial.key)
        if trial.state is not TrialState.WAITING and trial.trouble != _PACED:
            break
        await asyncio.sleep(LOOK_SECONDS)
    return trial


def _stamped(clicked_at: str) -> datetime | None:
    """When Slack says the button was pressed."""
    if not clicked_at.replace(".", "", 1).isdecimal():
        return None
    try:
        return datetime.fromtimestamp(float(clicked_at), UTC)
    except (ValueError, OverflowError, OSError):
        return None
