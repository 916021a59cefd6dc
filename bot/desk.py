"""What every part of the bot works with: memory, providers, a clock and the rules of the house."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bot.policy import Clock, Policy
from finops.periods import charge_day
from providers.contract import Provider
from storage import Storage


@dataclass(frozen=True, slots=True)
class Desk:
    """Handed to every part of the bot. `wake` is set when there may be something to collect."""

    storage: Storage
    providers: Mapping[str, Provider]
    clock: Clock
    policy: Policy
    wake: asyncio.Event

    def now(self) -> datetime:
        return self.clock()

    def today(self) -> date:
        """The charge day that is still open."""
        return charge_day(self.clock())
