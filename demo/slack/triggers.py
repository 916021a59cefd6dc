"""Trigger ids: proof that a person just did something, good once and for three seconds."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.slack.config import SlackConfig
from demo.slack.wire import ApiError, Clock

_FORM = re.compile(r"\d+\.\d+\.[0-9a-f]+")


@dataclass(slots=True)
class Trigger:
    """Who did something, when, and whether it was inside a modal."""

    user_id: str
    expires_at: datetime
    from_modal: bool
    spent: bool = False


class Triggers:
    """Every trigger handed out."""

    def __init__(self, config: SlackConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._known: dict[str, Trigger] = {}

    def issue(self, user_id: str, *, from_modal: bool = False) -> str:
        """A new trigger id for something a person did now."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        expires = self._clock() + timedelta(seconds=self._config.trigger_seconds)
        self._known[trigger_id] = Trigger(user_id, expires, from_modal)
        return trigger_id

    def look(self, trigger_id: str | None) -> Trigger:
        """The trigger behind an id, if it still may be used."""
        if trigger_id is None:
            raise ApiError.arguments("missing required field: trigger_id")
        trigger = self._known.get(trigger_id)
        if trigger is None:
            if not _FORM.fullmatch(trigger_id):
                raise ApiError.arguments("invalid `trigger_id`")
            raise ApiError("invalid_trigger_id")
        if trigger.spent:
            raise ApiError("exchanged_trigger_id")
        if self._clock() > trigger.expires_at:
            raise ApiError("expired_trigger_id")
        return trigger

    def spend(self, trigger_id: str | None) -> Trigger:
        """Use a trigger up."""
        trigger = self.look(trigger_id)
        trigger.spent = True
        return trigger
