"""What the bot can do: one object with a part for each subject, knowing neither Slack nor any wording."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.collecting import Collecting
from bot.connections import Connections
from bot.desk import Desk
from bot.doctor import Doctor
from bot.people import People
from bot.policy import Clock, Policy
from bot.projects import Projects
from bot.reports import Reports
from bot.teams import Teams
from providers.contract import Provider
from storage import Storage

__all__ = ["Bot", "Clock", "Policy"]


class Bot:
    """The product, ready to be asked. `wake` is set whenever there may be something to collect."""

    def __init__(self, storage: Storage, providers: Mapping[str, Provider], clock: Clock, policy: Policy) -> None:
        desk = Desk(storage, providers, clock, policy, asyncio.Event())
        self.storage = storage
        self.clock = clock
        self.policy = policy
        self.wake = desk.wake
        self.people = People(desk)
        self.teams = Teams(desk, self.people)
        self.collecting = Collecting(desk, self.people, self.teams)
        self.connections = Connections(desk, self.teams, self.collecting)
        self.projects = Projects(desk, self.teams, self.collecting)
        self.reports = Reports(desk)
        self.doctor = Doctor(desk)
