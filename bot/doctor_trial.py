"""What the doctor says of the test alert: whether alerts stand where they belong, and whether clicks come back."""

from __future__ import annotations

from bot import trials
from bot.results import Finding, FindingCode, Level
from finops.trials import Trial, TrialState
from storage import Store

_IN_THE_WAY = frozenset({TrialState.TROUBLED, TrialState.GIVEN_UP})


async def findings(store: Store, workspace_id: str) -> list[Finding]:
    """One finding; none while there is no team whose channel could be tried."""
    if not await store.teams.all(workspace_id):
        return []
    is_proved, newest = await trials.is_proved(store, workspace_id), await trials.newest(store, workspace_id)
    is_trouble = not is_proved or (newest is not None and newest.state in _IN_THE_WAY)
    return [
        Finding(FindingCode.TRIAL, Level.WARN if is_trouble else Level.OK, {} if newest is None else _values(newest))
    ]


def _values(newest: Trial) -> dict[str, object]:
    return {
        "state": newest.state.value,
        "channel": newest.channel_id,
        "at": newest.heard_at or newest.asked_at,
        "there": newest.delivery_seconds,
        "back": newest.click_seconds,
        "trouble": newest.trouble,
        "is_mailed": newest.is_mailed,
    }
