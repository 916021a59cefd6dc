"""What every part of the bot works with: memory, providers, a clock and the rules of the house."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime, timedelta

from bot.policy import Clock, Policy
from bot.prices import PriceShelf
from finops.frozen import frozen
from finops.periods import charge_day
from providers.contract import Provider
from storage import Storage

_FURTHEST = timedelta(days=1)


@frozen
class Desk:
    """Handed to every part of the bot.

    `wake` is set when there may be something to collect, `wake_outbox` when something waits to be said, `wake_watch`
    when a connection may be read that was not before, `wake_stops` when a lever is to be moved. `lessons` counts, by
    workspace, the bills compared here.
    """

    storage: Storage
    providers: Mapping[str, Provider]
    clock: Clock
    policy: Policy
    wake: asyncio.Event
    prices: PriceShelf
    wake_outbox: asyncio.Event = field(default_factory=asyncio.Event)
    wake_watch: asyncio.Event = field(default_factory=asyncio.Event)
    wake_stops: asyncio.Event = field(default_factory=asyncio.Event)
    lessons: Counter[str] = field(default_factory=Counter)

    def now(self) -> datetime:
        return self.clock()

    def now_of(self, provider: Provider) -> datetime:
        """The moment by the provider's clock, as it told when it last answered; by ours before that. What is compared
        with its minutes is stamped by it, for ours may be wrong, or put right in between.
        """
        return self.clock() + skew_of(provider)

    def today(self) -> date:
        """The charge day that is still open."""
        return charge_day(self.clock())


def skew_of(provider: Provider) -> timedelta:
    """How far the provider's clock is ahead of ours, as far as one may be: a day. Of more nobody could tell which of
    both is wrong, and whoever believed it would ask for years of usage.
    """
    return max(-_FURTHEST, min(_FURTHEST, provider.skew or timedelta()))
