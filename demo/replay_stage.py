"""The stage of a replay: simulators and clock here, replicas of the product in processes of their own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from bot.settings import CHECKOUT
from demo.openai import AdminKey, SimulatedOpenAI
from demo.openai.buckets import Bucket
from demo.openai.traffic import day_minute
from demo.prices import FilePrices, ListPrices, Rates
from demo.props import Props
from demo.replay_clock import SharedClock
from demo.replay_plan import CALM, Kill, Plan, boosts, drawn
from demo.replay_process import Died, Replica, nursery
from demo.replay_replica import COLLECT, DECIDE, READ
from demo.replay_report import Clocks, Comparison, Settled, compared
from demo.replay_truth import Limit, Truth, limits_of, usual
from demo.slack import SimulatedSlack
from demo.slack.cast import DATA, MARKETING, MINSU, SEOYEON
from demo.trace import Trace
from finops.periods import minute_of

# Not today: a replay must come out the same whenever it is run.
BEGINS = datetime(2026, 6, 1, tzinfo=UTC)
SLOT = timedelta(seconds=300)
TEAMS = {
    "마케팅팀": ("ad-copy-writer", "chatbot-experiment", "meeting-notes", "translation-api", "voc-classifier"),
    "데이터팀": ("code-review-bot", "doc-summary", "fraud-check", "search-assistant"),
}
BATCH_HOURS = 3
# What the provider really charges, by what the product's list says. The difference is for the product to find out.
# Input, cached input and output differ by something else each, so that what is learnt of one mixture is not exact.
CHARGED = {
    "gpt-4o-2024-08-06": (Decimal("1.07"), Decimal("1.05"), Decimal("1.075")),
    "gpt-4o-mini-2024-07-18": (Decimal("0.94"), Decimal("0.95"), Decimal("0.935")),
}
# A usual day comes to a little more than half of its budget: a quiet level that nobody is told of.
TIMES_USUAL = Decimal("1.8")
_PATIENCE = 60.0
_LOST_AFTER = 4.0
_STUCK_AFTER = 1.6


@dataclass(frozen=True, slots=True)
class Wish:
    """What to replay."""

    days: int = 14
    seed: int = 1
    runaways: int = 10
    replicas: int = 2
    kills: int = 24
    step_minutes: int = 30
    log_level: str = "error"

    @property
    def steps_after(self) -> int:
        """Steps for what came late, and for the closing of the last day."""
        return max(2, -(-150 // self.step_minutes))


@dataclass
class ReplayStage:
    """Everything that plays, moved step by step."""

    wish: Wish
    plan: Plan
    slack: SimulatedSlack
    openai: SimulatedOpenAI
    clock: SharedClock
    replicas: list[Replica]
    truth: Truth
    limits: list[Limit]
    budgets: dict[int, str] = field(default_factory=dict)  # names by id
    connection_id: int = 0
    kills: int = 0
    _armed: asyncio.Task[None] | None = None

    async def step(self, number: int) -> None:
        """Some time later: usage is read, decided about, and what is to be said stands."""
        moment = BEGINS + timedelta(minutes=number * self.wish.step_minutes)
        if not any(one.is_up for one in self.replicas):
            await self.replicas[0].ready()
        if number in self.plan.moods:
            self.openai.behaviour.set(self.plan.moods[number])
        day, into = divmod(number * self.wish.step_minutes, 1440)
        if into == self.wish.step_minutes:
            for each in self.plan.restatements:
                if each.day == day:
                    restated = (BEGINS + timedelta(days=day - 1)).date()
                    self.openai.restate(restated, each.application, factor=each.factor)
        self.clock.move_to(moment)
        if into == 0 and day in self.plan.bill_first:
            await self._collected()
        await self._read(moment, self.plan.kills.get(number))
        await self._ask(DECIDE)
        if into == 0:
            await self._collected()
        await self._said()

    async def quiet(self) -> None:
        """Nothing waits any more, edits included."""
        if self._armed is not None:
            self._armed.cancel()
        for _ in range(3):
            self.clock.move_to(self.clock() + timedelta(hours=2))
            self.openai.behaviour.set(CALM)
            await self._read(self.clock(), None)
            await self._ask(DECIDE)
            await self._waited_for("unsaid")

    async def compared(self) -> Comparison:
        """Everything Slack holds against the truth."""
        found = await self._ask("incidents", first=BEGINS.date().isoformat(), days=self.plan.days + 2)
        clocks = {one["id"]: _clocks(one) for one in found if one["detected"]}
        about = {one["id"]: (self.budgets[one["budget"]], date.fromisoformat(one["day"])) for one in found}
        first = (BEGINS + timedelta(minutes=self.wish.step_minutes)).timestamp()  # setting up has messages of its own
        messages = [
            message
            for each in self.slack.world.messages.values()
            for message in each
            if message.get("bot_id") and float(message["ts"]) >= first
        ]
        return compared(self.truth, self.plan, BEGINS.date(), messages, about, clocks)

    async def settled(self) -> list[Settled]:
        """Estimates of the days of the replay whose bill has settled, against that bill."""
        rows = await self._ask("estimates", first=BEGINS.date().isoformat(), connection=self.connection_id)
        names = {one.id: one.application for one in self.openai.organization.projects.values()}
        days = sorted({date.fromisoformat(row["day"]) for row in rows})
        sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
        for row in rows:
            place = sums[names[row["project"]], row["model"]]
            place[0] += Decimal(row["raw"])
            place[1] += Decimal(row["corrected"])
        for day in days:
            for key, billed in self._billed(day).items():
                sums[key][2] += billed
        return [Settled(*key, len(days), *amounts) for key, amounts in sorted(sums.items())]

    async def drift_words(self) -> str:
        """The product's own figure, as Home and reports show it."""
        return str(await self._ask("drift"))

    def _billed(self, day: date) -> dict[tuple[str, str], Decimal]:
        """The provider's bill of a day, restatements included, by application and model."""
        start = day_minute(day) * 60
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.openai.tenant().bill.rows(Bucket(start, start + 86_400), minute_of(self.clock()), frozenset()):
            if row.project is not None:
                model = row.line_item.removeprefix("batch | ").rpartition(", ")[0]
                found[row.project.application, model] += row.amount
        return dict(found)

    # -- moving

    async def _read(self, moment: datetime, kill: Kill | None) -> None:
        """Have all usage read at `moment`. A reading that died with its replica is made up for in the next slot."""
        if kill is not None and kill.is_at_post and (self._armed is None or self._armed.done()):
            self._armed = asyncio.create_task(self._killed_at_post(kill))
            kill = None
        for attempt in range(4):
            orders = [asyncio.create_task(one.ask(READ)) for one in self.replicas]
            if kill is not None and attempt == 0:
                await asyncio.sleep(kill.delay)
                await self._killed(kill.victim)
            await asyncio.gather(*orders, return_exceptions=True)  # who is dead reads nothing
            if await self._was_read(moment, _PATIENCE if kill is None and self._armed is None else _LOST_AFTER):
                return
            await self._ask(DECIDE)  # it may have been stored, and then it counts
            moment += SLOT
            self.clock.move_to(moment)
        raise TimeoutError(f"usage was not read at {moment}")

    async def _was_read(self, moment: datetime, seconds: float) -> bool:
        """Wait until the whole reading is kept; tell the truth of what was stored, be it half of it."""
        until = time.monotonic() + seconds
        while True:
            told = await self._ask("read_at", connection=self.connection_id)
            stored = told["stored"] and datetime.fromisoformat(told["stored"])
            is_read = bool(told["whole"]) and datetime.fromisoformat(told["whole"]) >= moment
            if is_read or time.monotonic() > until:
                if stored is not None and stored >= moment:
                    self.truth.read(minute_of(stored))
                return is_read
            await asyncio.sleep(0.05)

    async def _ask(self, order: str, **given: Any) -> Any:
        """Give an order to one who is up; when that one dies, to the next."""
        for _ in range(5):
            for one in self.replicas:
                with contextlib.suppress(Died):
                    return await one.ask(order, **given)
            for one in self.replicas:
                if await one.ready():
                    break
        raise TimeoutError(f"no replica could {order}")

    async def _collected(self) -> None:
        await self._ask(COLLECT)
        await self._waited_for("collecting")

    async def _said(self) -> None:
        await self._waited_for("unposted")

    async def _waited_for(self, what: str) -> None:
        """Wait until nothing of it is left. Where nothing moves, somebody died holding it: let his lease run out."""
        until = time.monotonic() + _PATIENCE
        before, changed, moved = -1, time.monotonic(), timedelta()
        while (now := await self._ask(what)) and time.monotonic() < until:
            if now != before:
                before, changed = now, time.monotonic()
            elif time.monotonic() - changed > _STUCK_AFTER and moved < SLOT - timedelta(minutes=2):
                self.clock.move_to(self.clock() + timedelta(seconds=20))
                moved, changed = moved + timedelta(seconds=20), time.monotonic()
            await asyncio.sleep(0.1)
        if now:
            raise TimeoutError(f"{now} were {what} still after {_PATIENCE} s at {self.clock()}")

    async def _killed(self, victim: int) -> None:
        """Kill one replica, and start it again at once. There is always another one that stands."""
        others = [one for number, one in enumerate(self.replicas) if number != victim]
        if others and not any(one.is_up for one in others):
            await others[0].ready()
        await self.replicas[victim].kill()
        self.kills += 1
        await self.replicas[victim].start()
        if not others:
            await self.replicas[victim].ready()

    async def _killed_at_post(self, kill: Kill) -> None:
        """Kill as soon as Slack has taken a message: its sender may not have heard of it."""
        calls = self.slack.calls
        before = len(calls)
        await self.slack.until(lambda: any(one.method == "chat.postMessage" for one in calls[before:]), 100_000)
        await self._killed(kill.victim)


def _clocks(told: Mapping[str, Any]) -> Clocks:
    moments = [told[name] and datetime.fromisoformat(told[name]) for name in ("detected", "available", "delivered")]
    detected, available, delivered = moments
    return Clocks(
        delivered - detected if delivered and detected else None,
        delivered - available if delivered and available else None,
    )


def charged() -> FilePrices:
    """The provider's own prices: not what its list says."""
    listed, day = ListPrices(), BEGINS.date()
    by_model = {}
    for model, (of_input, of_cached, of_output) in CHARGED.items():
        rates = listed.rates(model, day)
        assert rates is not None, f"{model} is listed"
        by_model[model] = Rates(rates.input * of_input, rates.cached_input * of_cached, rates.output * of_output)
    return FilePrices("what the provider really charges", by_model)


@asynccontextmanager
async def raised(wish: Wish, trace: Trace, database_url: str, folder: Path) -> AsyncIterator[ReplayStage]:
    """Raise the curtain: everything set up, the first reading done; taken down again when the block ends."""
    clock = SharedClock(folder / "clock")
    clock.move_to(BEGINS + timedelta(minutes=5))
    props = Props.fresh()
    keys = tuple(AdminKey(one, name="FinOps") for one in (props.marketing_key, props.data_team_key))
    openai = SimulatedOpenAI(trace, charged(), clock, admin_keys=keys, anchor=BEGINS)
    openai.behaviour.set({"batch_hours": BATCH_HOURS})
    slack = SimulatedSlack(clock)
    slack.use_manifest(yaml.safe_load((CHECKOUT / "manifest.yml").read_text(encoding="utf-8")))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(openai)
        await stack.enter_async_context(slack)
        variables = slack.client_settings(socket_mode=False) | {
            "DATABASE_URL": database_url,
            "FINOPS_KEYS": props.ring,
            "FINOPS_PLAINTEXT_HOSTS": "127.0.0.1",
            "OPENAI_BASE_URL": openai.url,
            "FINOPS_BACKFILL_DAYS": "16",
            "FINOPS_LEASE_SECONDS": "5",
            # That is how long it is between two looks here.
            "FINOPS_BLIND_AFTER_MINUTES": str(2 * wish.step_minutes),
            "FINOPS_EDIT_EVERY_SECONDS": "3600",
        }
        limits = limits_of(openai, TEAMS, TIMES_USUAL, wish.days)
        plan = _drawn(wish, openai, limits)
        births = await stack.enter_async_context(nursery(wish.log_level))
        replicas = [Replica(variables, clock.path, births) for _ in range(wish.replicas)]
        stage = ReplayStage(
            wish, plan, slack, openai, clock, replicas, Truth(openai, limits, wish.step_minutes), limits
        )
        for one in replicas:
            stack.push_async_callback(one.end)
            await one.start()
        await _set_up(stage, props)
        for boost in boosts(plan, BEGINS):
            openai.boost(*boost)
        yield stage


def _drawn(wish: Wish, openai: SimulatedOpenAI, limits: list[Limit]) -> Plan:
    first = openai.tenant().traffic.live_from
    return drawn(
        wish.seed,
        wish.days,
        wish.runaways,
        wish.kills,
        wish.replicas,
        wish.step_minutes,
        {one.name: one.amount for one in limits if one.name not in TEAMS},
        lambda application, start, end: usual(openai, application, first + start, first + end),
    )


async def _set_up(stage: ReplayStage, props: Props) -> None:
    """Two teams with their projects, a budget for each of both, and everything read up to now."""
    people = {"마케팅팀": (MINSU, MARKETING, props.marketing_key), "데이터팀": (SEOYEON, DATA, props.data_team_key)}
    teams = {
        name: {
            "lead": lead,
            "channel": channel,
            "key": key,
            "projects": [stage.openai.project(one).id for one in TEAMS[name]],
        }
        for name, (lead, channel, key) in people.items()
    }
    await stage.replicas[0].ready()
    budgets = {one.name: str(one.amount) for one in stage.limits}
    told = await stage.replicas[0].ask("set_up", teams=teams, budgets=budgets)
    stage.connection_id = told["connection"]
    stage.budgets = {int(number): name for number, name in told["budgets"].items()}
    await stage._collected()
    await stage._read(BEGINS, None)
