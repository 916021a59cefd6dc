"""Weeks of life, a morning at a time: what is told on Mondays is acted upon, and the bills say whether that helped.

`python3 run.py demo --story life --json`, and the lever in the laboratory. Nobody tells the product what people do:
the simulated applications are built otherwise, a key is deleted at the provider, a loop is stopped from its alert, and
the product has to find it all in usage, in the provider's log and in its own trail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from blocks import ids
from demo import story_monday
from demo import story_people as people
from demo.clock import BadMove, StageClock
from demo.lab_words import Words, words
from demo.monday import OnToMonday
from demo.onboarding import ANSWER_SECONDS, Say
from demo.slack import Person
from demo.slack.cast import DATA, EMMA, JIHOON, MARKETING, MINSU, SAKURA, SEOYEON, TEAM_ID
from demo.stage import Stage
from handlers.addresses import BOT, STORAGE

DAY = timedelta(days=1)
# So many weeks at least, for an effect is measured over a fortnight whose bills have to settle; then on to the first
# Monday of a month, when the month's note is told.
LEAST_WEEKS, FIRST_WEEK_OF_A_MONTH = 6, 7
LEARNED_AFTER = timedelta(hours=2, minutes=30)
_PULSE = {DATA: ((SEOYEON, 0), (JIHOON, 0), (EMMA, 1)), MARKETING: ((MINSU, 0), (SAKURA, 0), (JIHOON, 1))}
_TAPS = (ids.POLL_PULSE_GOOD, ids.POLL_PULSE_FAIR)
Tell = Callable[[Words], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does so long after the Monday morning of a week; the first Monday that is told is week 0, and
    the week before it -1.

    Done only where the application is registered, and has a budget if that is needed.
    """

    week: int
    after: timedelta
    application: str
    words: Words
    does: Callable[[Life], Awaitable[None]]
    needs_budget: bool = False


@dataclass(frozen=True, slots=True)
class Lived:
    """What was done, with the moment in which it was: the truth that the product has to find by itself."""

    at: datetime
    application: str
    words: Words


@dataclass
class Life:
    """A stage whose people act; call `on` to live so many Mondays.

    Without a number they are LEAST_WEEKS at least, and on to the first Monday of a month. `tell` hears what comes, in
    every language; `say` the steps of a stop, which a page shows by itself.
    """

    stage: Stage
    clock: StageClock
    monday: OnToMonday
    tell: Tell
    deeds: Sequence[Deed] = ()
    weeks: int | None = None
    say: Say = lambda _: None
    lived: list[Lived] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def on(self) -> list[Lived]:
        """Live on; what was done, oldest first.

        Raises BadMove while it is being lived already, TimeoutError when the product does not keep up, and Stuck
        when a person cannot do their part.
        """
        if self._turn.locked():
            raise BadMove(words("벌써 시간이 흐르고 있습니다. 끝난 뒤에 다시 누르세요."))
        async with self._turn:
            before = len(self.lived)
            await self._on(await self._able())
            return self.lived[before:]

    async def _able(self) -> list[Deed]:
        """The deeds that the product can see here and that nobody did yet: a deleted key is not deleted twice."""
        async with self.stage.product[STORAGE].reading() as store:
            projects = {one.id: one.name for one in await store.projects.all(TEAM_ID) if not one.excluded}
            budgets = await store.budgets.all(TEAM_ID)
        budgeted = {projects.get(one.terms.scope_id or 0) for one in budgets if one.is_enabled}
        done = [(one.application, one.words) for one in self.lived]
        left = [one for one in self.deeds if (one.application, one.words) not in done]
        known = [one for one in left if one.application in projects.values()]
        return [one for one in known if not one.needs_budget or one.application in budgeted]

    async def _on(self, deeds: Sequence[Deed]) -> None:
        week = -1
        while True:
            morning = self.clock().replace(hour=0, minute=0, second=0, microsecond=0) + DAY
            now = await self.monday.morning(morning)
            if now.weekday() == 0:
                week += 1
                self.tell(words("{day}, {count}번째 월요일", day=f"{now:%Y-%m-%d}", count=week + 1))
                await self._pulse()
            await self._learn(morning)
            if now.weekday() == 0 and self._is_enough(week + 1, now):
                return
            for deed in deeds:
                monday = morning - morning.weekday() * DAY
                if deed.week == week and morning <= monday + deed.after < morning + DAY:
                    await self._do(deed, monday + deed.after)

    def _is_enough(self, weeks: int, now: datetime) -> bool:
        return weeks == self.weeks or (self.weeks is None and weeks >= LEAST_WEEKS and now.day <= FIRST_WEEK_OF_A_MONTH)

    async def _do(self, deed: Deed, at: datetime) -> None:
        self.clock.advance(max(timedelta(0), at - self.clock()))
        begun = f"{self.clock():%m-%d %H:%M} UTC, {deed.application}"
        self.tell({language: f"{begun}: {said}" for language, said in deed.words.items()})
        self.lived.append(Lived(self.clock(), deed.application, deed.words))
        await deed.does(self)

    async def _learn(self, morning: datetime) -> None:
        """What the product does by itself two hours into the day, and once a month: a moved clock rings no alarm."""
        self.clock.advance(max(timedelta(0), morning + LEARNED_AFTER - self.clock()))
        bot = self.stage.product[BOT]
        await bot.learning.day(TEAM_ID)
        for workspace in await bot.people.workspaces():
            await bot.learning.month(workspace)

    async def _pulse(self) -> None:
        """Below Monday's digest people tap whether it helped; a team that has none is not asked."""
        slack = self.stage.slack
        await story_monday.said(self.stage)
        for channel, taps in _PULSE.items():
            asked = [one for one in slack.messages(channel)[-6:] if ids.POLL_PULSE_GOOD in people.offered(one)]
            for user_id, tap in taps if asked else ():
                await _taps(self.stage, user_id, channel, asked[-1], tap)


async def _taps(stage: Stage, user_id: str, channel: str, message: people.Message, tap: int) -> None:
    """One tap, and its thanks."""
    person = stage.slack.person(user_id)
    person.joins(channel)
    await heard(stage, person, channel, people.presses(person, message, _TAPS[tap]))


async def heard(stage: Stage, person: Person, channel: str, press: Awaitable[object]) -> people.Message:
    """A press and what only this person reads in answer: it has half an hour, and hours pass at once here."""
    before = len(person.ephemerals(channel))
    await press
    await stage.slack.until(lambda: len(person.ephemerals(channel)) > before, ANSWER_SECONDS)
    return person.ephemerals(channel)[-1]
