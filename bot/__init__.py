"""What the bot can do: one object with a part for each subject, knowing neither Slack nor any wording."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bot.audit import Audit
from bot.behaviour import Behaviour
from bot.blindness import Blindness
from bot.budgets import Budgets
from bot.collecting import Collecting
from bot.connections import Connections
from bot.deciding import Deciding
from bot.desk import Desk
from bot.digest_facts import DigestFacts
from bot.digests import Digests
from bot.doctor import Doctor
from bot.effects import Effects
from bot.evaluating import Evaluating
from bot.event_tokens import EventTokens
from bot.exchange import Exchange
from bot.expiring import Expiring
from bot.exporting import Exporting
from bot.feedback import Feedbacks
from bot.holding import Holding
from bot.home_readers import HomeReaders
from bot.incidents import Incidents
from bot.interviews import Interviews
from bot.leads import Leads
from bot.learning import Learning
from bot.live import Live
from bot.people import People
from bot.policy import Clock, Policy
from bot.prices import ChangingList, PriceShelf
from bot.pricing import Pricing
from bot.project_detail import ProjectDetails
from bot.projects import Projects
from bot.proving import Proving
from bot.ratings import Ratings
from bot.recording import Recording
from bot.reminding import Reminding
from bot.reports import Reports
from bot.reviews import Reviews
from bot.runbooks import Runbooks
from bot.spending import Spending
from bot.stop_ends import StopEnds
from bot.stopping import Stopping
from bot.teams import Teams
from bot.trials import Trials
from bot.unwatched import Unwatched
from bot.voting import Voting
from bot.watching import Watching
from bot.why import Whys
from finops.prices import PriceList
from providers.contract import Provider
from storage import Storage

__all__ = ["Bot", "Clock", "Policy"]


class Bot:
    """The product, ready to be asked.

    `wake` is set whenever there may be something to collect, `wake_outbox` whenever something waits to be said,
    `wake_watch` when a connection may be read that was not before, and `wake_stops` when a lever is to be moved.
    `prices` is a price list or how to open one when it is needed; without it all usage counts as unpriced.
    """

    def __init__(
        self,
        storage: Storage,
        providers: Mapping[str, Provider],
        clock: Clock,
        policy: Policy,
        prices: Callable[[], ChangingList] | PriceList | None = None,
    ) -> None:
        desk = Desk(storage, providers, clock, policy, asyncio.Event(), PriceShelf(prices))
        self.storage = storage
        self.clock = clock
        self.policy = policy
        self.wake = desk.wake
        self.wake_outbox = desk.wake_outbox
        self.wake_watch = desk.wake_watch
        self.wake_stops = desk.wake_stops
        self.people = People(desk)
        self.audit = Audit(desk, self.people)
        self.teams = Teams(desk, self.people)
        self.trials = Trials(desk, self.teams)
        self.collecting = Collecting(desk, self.people)
        self.connections = Connections(desk, self.teams, self.collecting)
        self.expiring = Expiring(desk)
        self.projects = Projects(desk, self.teams, self.collecting)
        self.spending = Spending(desk)
        self.reports = Reports(desk, Live(desk, self.spending))
        self.exchange = Exchange(desk, self.people)
        self.exporting = Exporting(desk, self.reports)
        self.why = Whys(desk, self.spending, self.reports)
        self.digests = Digests(desk, self.people, self.teams, self.reports, DigestFacts(self.why))
        self.pricing = Pricing(desk)
        self.event_tokens = EventTokens(desk, self.teams)
        self.ratings = Ratings(desk)
        self.project_details = ProjectDetails(desk, self.people, self.teams, self.reports, self.why)
        self.budgets = Budgets(desk, self.people, self.teams, self.spending)
        self.incidents = Incidents(desk, self.spending)
        self.evaluating = Evaluating(desk, self.spending)
        self.holding = Holding(desk)
        self.stop_ends = StopEnds(desk, self.spending)
        self.reminding = Reminding(desk)
        self.stopping = Stopping(desk, self.evaluating)
        self.home_readers = HomeReaders(desk)
        self.leads = Leads(desk, self.incidents, self.spending)
        self.reviews = Reviews(desk, self.incidents)
        self.runbooks = Runbooks(desk)
        self.watching = Watching(desk, self.evaluating, Proving(desk), self.stop_ends)
        self.blindness = Blindness(desk)
        self.unwatched = Unwatched(desk, self.spending)
        self.voting = Voting(desk, self.people)
        self.recording = Recording(desk)
        self.behaviour = Behaviour(desk)
        self.effects = Effects(desk)
        self.deciding = Deciding(desk, self.people, self.effects)
        self.learning = Learning(desk, self.behaviour, self.effects)
        self.feedback = Feedbacks(desk, self.people)
        self.interviews = Interviews(desk, self.people)
        self.doctor = Doctor(desk, self.spending)
