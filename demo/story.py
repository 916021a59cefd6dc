"""The story of the product, played through the real wire: `python3 run.py demo --story runaway --json`.

A day of 마케팅팀: chatbot-experiment, about fifty dollars a day, falls into a retry loop at nine in the morning (Seoul)
and calls fifteen times as often from then on. The clock of the stage is moved through the day; the product polls,
estimates and alerts by itself. 이지훈 stops the spending from the alert, and the next minutes prove that it ended.
김민수 is asked, tells the cause and puts everything back; a day later a note closes what began.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_UP, Context, Decimal
from fractions import Fraction

from demo import story_people as people
from demo.budgeting import set_budget
from demo.clock import StageClock
from demo.onboarding import Say, Stuck, Wish, onboard
from demo.runaway import APPLICATION
from demo.slack.cast import JIHOON, MARKETING, MINSU
from demo.stage import Stage
from demo.story_time import CLOSELY, MINUTE, Pace, caught_up, moments, waited, walked
from demo.story_told import Limits, Runaway, dollars, month_so_far, set_former_limit, spend_limit, told
from finops.holds import HoldState
from finops.money import EXACT
from finops.periods import charge_day, starts_at

__all__ = ["LIMIT", "SETTINGS", "Runaway", "runaway"]

# The clock moves by minutes at least: usage is read once in each place it moves to, and edits wait for nobody.
SETTINGS = {"FINOPS_POLL_SECONDS": "60", "FINOPS_EDIT_EVERY_SECONDS": "1"}

LIMIT = Decimal(500)
FACTOR = Fraction(15)
# An application that does not reach LIMIT in a day of the loop gets a smaller one: so many usual days.
USUAL_DAYS = 10
DAY = timedelta(hours=24)
# A proof takes five quiet minutes and as long as usage is late; after fifteen the product itself speaks up.
PROVED_WITHIN, RESTORED_WITHIN, CALLS_WITHIN = 25, 10, 8
REPAIRED_AFTER = timedelta(minutes=20)


async def runaway(
    stage: Stage, clock: StageClock, say: Say, application: str = APPLICATION, pace: Pace = CLOSELY
) -> Runaway:
    """Play breach, stop, proof, cause, restore and the day after; `pace` says how often we look.

    Raises TimeoutError when the product does not keep up, Stuck when a person cannot do what the story wants.
    """
    limit = limit_of(stage, clock, application)
    await _set_up(stage, clock, say, application, limit)
    dawn, breach = await _begins(stage, clock, say, application, limit)
    before = await spend_limit(stage, application)
    seen = breach + 2 * MINUTE  # people take a moment to read
    async for now in walked(stage, clock, moments(dawn, seen, pace, breach)):
        say(f"{now:%H:%M} UTC, {dollars(stage, application, dawn, now):.2f} dollars")
    await stop_it(stage, clock, say, application, pace.step)
    stopped = await spend_limit(stage, application)
    await let_go_on(stage, clock, say, application, pace.step)
    say("a day passes")
    back = clock()
    async for _ in walked(stage, clock, moments(back, back + DAY, pace)):
        pass
    clock.advance(2 * MINUTE)
    await caught_up(stage, clock, until_closed=True)
    limits = Limits(before, stopped, await spend_limit(stage, application))
    say("closed")
    return await told(stage, application, breach, charge_day(dawn), limits, limit)


def limit_of(stage: Stage, clock: StageClock, application: str) -> Decimal:
    """The daily budget of the story: LIMIT, or less for an application that would not reach it by the evening.

    Raises Stuck for one that asks nothing at all.
    """
    tomorrow = starts_at(charge_day(clock())) + DAY
    usual = dollars(stage, application, tomorrow, tomorrow + DAY)
    if not usual:
        others = ", ".join(stage.openai.tenant().traffic.trace.applications)
        raise Stuck(f"{application} spends nothing a day; in this trace there are {others}")
    loop = EXACT.multiply(usual, Decimal(USUAL_DAYS))
    return LIMIT if loop >= LIMIT else Context(prec=2, rounding=ROUND_UP).plus(loop)


async def _set_up(stage: Stage, clock: StageClock, say: Say, application: str, limit: Decimal) -> None:
    """The team and its budget."""
    person = stage.slack.person(JIHOON)
    others = [name for name in stage.openai.tenant().traffic.trace.applications if name != application][:1]
    wish = Wish("마케팅팀", MARKETING, MINSU, stage.props.marketing_key, (application, *others))
    await onboard(stage, person, wish, say)
    await set_budget(stage, person, application, f"{limit:f}", say)
    await caught_up(stage, clock)


async def _begins(
    stage: Stage, clock: StageClock, say: Say, application: str, limit: Decimal
) -> tuple[datetime, datetime]:
    """The day begins, and with it the loop: when, and in which minute the budget is spent.

    The project has a limit of its own already, well above: what a restore has to bring back.
    """
    dawn = clock.move_to_next_day().replace(hour=0, minute=0, second=0, microsecond=0)
    stage.openai.boost(application, FACTOR, dawn)
    await set_former_limit(stage, application, month_so_far(stage, application, dawn + DAY))
    say(f"{application} calls {FACTOR} times as often from {dawn:%Y-%m-%d %H:%M} UTC on")
    breach = _breach(stage, application, dawn, limit)
    if breach is None:
        raise Stuck(f"{application} does not spend {limit} dollars in a day, not even {FACTOR} times as fast")
    return dawn, breach


async def stop_it(stage: Stage, clock: StageClock, say: Say, application: str, step: timedelta) -> None:
    """이지훈 stops it; minute by minute until usage proves it."""
    await people.stops_spending(stage, stage.slack.person(JIHOON), application)
    say(f"{clock():%H:%M} UTC, 이지훈 stops it")
    await caught_up(stage, clock)
    if not await waited(stage, clock, lambda hold: hold.state is HoldState.PROVED, PROVED_WITHIN, step):
        raise Stuck(f"no proof within {PROVED_WITHIN} minutes")
    say(f"{clock():%H:%M} UTC, proved")


async def let_go_on(stage: Stage, clock: StageClock, say: Say, application: str, step: timedelta) -> None:
    """The lead is asked and answers; the loop is repaired, and what was before comes back."""
    jihoon, minsu = stage.slack.person(JIHOON), stage.slack.person(MINSU)
    await people.writes_to_the_lead(stage, jihoon, application)
    await caught_up(stage, clock)
    await people.tells_the_cause(stage, minsu)
    say("김민수 tells the cause")
    clock.advance(REPAIRED_AFTER)
    stage.openai.boost(application, Fraction(1), clock())
    await caught_up(stage, clock)
    await people.restores(stage, minsu, application)
    say(f"{clock():%H:%M} UTC, 김민수 puts it back")
    await caught_up(stage, clock)
    if not await waited(stage, clock, lambda hold: hold.state is HoldState.RELEASED, RESTORED_WITHIN, step):
        raise Stuck(f"nothing is back within {RESTORED_WITHIN} minutes")
    say(f"{clock():%H:%M} UTC, restored")
    # An application that asks nothing at this hour is believed without a call.
    if await waited(stage, clock, lambda hold: hold.first_traffic_at is not None, CALLS_WITHIN, step):
        say(f"{clock():%H:%M} UTC, calls are answered again")


def _breach(stage: Stage, application: str, dawn: datetime, limit: Decimal) -> datetime | None:
    """When the whole limit is really spent, to the minute; the provider knows, and tells nobody in advance."""
    so_far = Decimal(0)
    for count in range(1, 24 * 60):
        moment = dawn + timedelta(minutes=count)
        so_far = EXACT.add(so_far, dollars(stage, application, moment - timedelta(minutes=1), moment))
        if so_far >= limit:
            return moment
    return None
