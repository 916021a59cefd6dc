"""A company with something to stop, and a wire to it: requests as Slack signs them, and as nobody should."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from blocks import ids
from bot import Bot
from bot.results import Profile
from demo.clock import StageClock
from demo.openai.organization import SpendLimit
from demo.slack import payloads
from demo.slack.cast import DATA, FINOPS, TEAM_ID
from demo.slack.delivery import signed, written
from demo.stage import staged
from finops.audit import AuditRow
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.registry import Person, Project, Team
from finops.stop_report import StopTarget
from finops.stops import Stop, StopState
from handlers import Reception
from handlers.addresses import BOT, SLACK
from tests.e2e.stages import (
    EMMA,
    JIHOON,
    MARKETING,
    MINSU,
    PRICES,
    SAKURA,
    SEOYEON,
    Stage,
    a_trace,
    easy_slack,
    words_of,
)

NEIGHBOUR = "T0OTHER001"
# One for each test that stops something, so that none depends on what another did.
APPLICATIONS = ("chatbot-experiment", "held", "twice", "allowed", "at-once", "many-times", "late", "beside", "edited")
FORMER_CENTS = 50_000
WAIT = 15.0


def profile(user_id: str, name: str, *, admin: bool = False) -> Profile:
    return Profile(user_id, name, "ko-KR", "Asia/Seoul", is_workspace_admin=admin)


@dataclass
class Company:
    """A stage with two teams: 마케팅팀 of 김민수 owns every project but one, 데이터팀 of 박서연 the last.

    이지훈 is the admin, 佐藤 an approver of 데이터팀, Emma a member; in the neighbouring workspace Emma is the admin.
    """

    stage: Stage
    clock: StageClock
    http: aiohttp.ClientSession
    bot: Bot
    marketing: Team
    projects: dict[str, Project]
    neighbours: Project
    held: Stop
    _read: dict[str, int] = field(default_factory=dict)

    # -- looking

    def limits(self) -> dict[str, int | None]:
        """Every project's spend limit at the provider, in cents, the neighbour's among them."""
        tenants = self.stage.openai.tenants.values()
        return {
            f"{one.organization.id}/{project.name}": project.spend_limit_cents
            for one in tenants
            for project in one.organization.in_order()
        }

    def target(self, name: str) -> str:
        """What a button about one project carries."""
        return f"project:{self.projects[name].id}"

    def limit(self, name: str) -> int | None:
        return self.stage.openai.organization.named(name).spend_limit_cents

    def writes(self) -> int:
        """How often the provider was asked to change anything."""
        return sum(call.method != "GET" for call in self.stage.openai.calls)

    async def standing(self) -> tuple[Any, ...]:
        """Everything somebody may want to change: limits and permissions at the provider, stops and projects here."""
        async with self.bot.storage.reading() as store:
            stops = [await store.stops.active(workspace) for workspace in (TEAM_ID, NEIGHBOUR)]
            projects = [await store.projects.all(workspace) for workspace in (TEAM_ID, NEIGHBOUR)]
            keys = [await store.credentials.of_team(TEAM_ID, team.id) for team in await store.teams.all(TEAM_ID)]
        return self.limits(), self.writes(), stops, projects, keys

    def is_spoken_of(self, user_id: str) -> bool:
        """Whether a channel was told of this person."""
        slack = self.stage.slack
        return any(
            user_id in str(message) for channel in (MARKETING, FINOPS, DATA) for message in slack.messages(channel)
        )

    async def refusals(self, user_id: str, workspace: str = TEAM_ID) -> list[AuditRow]:
        """What the trail says a person was refused."""
        async with self.bot.storage.reading() as store:
            rows = [row async for row in store.audit.all(workspace)]
        return [row for row in rows if row.entry.actor == user_id and row.entry.outcome == "refused"]

    def changes(self, name: str) -> int:
        """How often the provider was asked to change anything of one project."""
        project = self.projects[name].provider_project_id
        return sum(call.method != "GET" and project in call.path for call in self.stage.openai.calls)

    async def until(self, name: str, *states: StopState) -> Stop:
        """Wait until the stop of a project stands so; nobody tells a stranger when a database changes."""
        async with asyncio.timeout(WAIT):
            while True:
                found = await self._stop_of(name)
                if found is not None and found.state in states:
                    return found
                await asyncio.sleep(0.02)

    async def _stop_of(self, name: str) -> Stop | None:
        async with self.bot.storage.reading() as store:
            return await store.stops.of_scope(TEAM_ID, ScopeKind.PROJECT, self.projects[name].id)

    # -- pressing

    def click(self, user_id: str, action_id: str, value: str, workspace: str = TEAM_ID) -> dict[str, Any]:
        """The payload of a button in a channel everybody is in."""
        slack = self.stage.slack
        return self._common("block_actions", user_id, workspace) | {
            "container": {"type": "message", "message_ts": "1.1", "channel_id": FINOPS, "is_ephemeral": False},
            "channel": {"id": FINOPS, "name": "finops"},
            "response_url": slack.url + slack.hub.hooks.issue("actions", FINOPS, user_id, "1.1"),
            "actions": [
                {
                    "type": "button",
                    "block_id": "b",
                    "action_id": action_id,
                    "value": value,
                    "action_ts": f"{time.time_ns() / 1e9:.6f}",
                }
            ],
        }

    def submission(
        self,
        user_id: str,
        callback_id: str,
        metadata: Any,
        workspace: str = TEAM_ID,
        view_id: str = "V0FORGED01",
        **typed: Any,
    ) -> dict[str, Any]:
        """The payload of a window, with whatever metadata somebody likes. `typed` are states by input."""
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        return self._common("view_submission", user_id, workspace) | {
            "response_urls": [],
            "view": {
                "id": view_id, "type": "modal", "hash": "1.a", "callback_id": callback_id, "private_metadata": text,
                "state": {"values": {name: {name: value} for name, value in typed.items()}},
            },
        }  # fmt: skip

    def stopping(self, user_id: str, target: str, workspace: str = TEAM_ID, **more: Any) -> dict[str, Any]:
        """A filled window before a stop."""
        metadata = {"target": target, "seen": more.pop("seen", self.clock().isoformat())}
        filled = {ids.STOP_WHAT: chosen("stop"), ids.STOP_REASON: {"value": "테스트"}}
        return self.submission(user_id, ids.VIEW_STOP, metadata, workspace, **(filled | more))

    def approving(self, user_id: str, target: str, workspace: str = TEAM_ID, **more: Any) -> dict[str, Any]:
        """A filled approval window; `decided` is what it knew, in ISO times."""
        filled = {ids.APPROVE_WAY: chosen("end_of_day")}
        metadata = {"target": target, "seen": more.pop("seen", self.clock().isoformat())}
        metadata["decided"] = more.pop("decided", [])
        return self.submission(user_id, ids.VIEW_APPROVE, metadata, workspace, **(filled | more))

    def _common(self, kind: str, user_id: str, workspace: str) -> dict[str, Any]:
        slack = self.stage.slack
        told = payloads.common(slack.world, kind, user_id) | {"trigger_id": slack.hub.triggers.issue(user_id)}
        return told | {"team": {"id": workspace, "domain": "x"}, "user": told["user"] | {"team_id": workspace}}

    async def sends(self, payload: dict[str, Any]) -> Any:
        """Deliver it as Slack does, wait until what it began is done, and give back what was answered."""
        delivery = await self.stage.slack.hub.courier.deliver("interactive", str(payload["type"]), payload)
        assert delivery.ok, delivery
        await self.quiet()
        return delivery.answer

    async def posts(self, payload: dict[str, Any], *, secret: str | None = None, age: int = 0) -> tuple[int, Letter]:
        """Post it with a signature of one's own choice; the status, and what to post to say the very same again."""
        body, content_type = written("interactive", payload)
        timestamp = int(time.time()) - age
        signature = signed(secret or self.stage.slack.config.signing_secret, timestamp, body)
        headers = {"Content-Type": content_type, "X-Slack-Request-Timestamp": str(timestamp)}
        letter = Letter(body, headers | {"X-Slack-Signature": signature})
        return await self.again(letter), letter

    async def again(self, letter: Letter) -> int:
        """Post the very same request."""
        address = f"{self.stage.url}/slack/events"
        async with self.http.post(address, data=letter.body.encode(), headers=letter.headers) as answer:
            status = answer.status
        await self.quiet()
        return status

    async def quiet(self) -> None:
        """Wait until nothing that was heard is still being worked on."""
        [reception] = [one for one in self.stage.product[SLACK]._async_middleware_list if isinstance(one, Reception)]
        await reception._work.drain()

    def cleared(self, user_id: str) -> str:
        """What only this person has been shown since the last time: answers and windows, taken off their screen."""
        person = self.stage.slack.person(user_id)
        answers = person.ephemerals(FINOPS)
        new, self._read[user_id] = answers[self._read.get(user_id, 0) :], len(answers)
        said = words_of([*new, *person.views])
        if person.views:
            person.closes(everything=True)
        return said


@dataclass(frozen=True)
class Letter:
    """A signed request as somebody could keep it."""

    body: str
    headers: dict[str, str]


def chosen(value: str) -> dict[str, Any]:
    """The state of a radio."""
    return {"type": "radio_buttons", "selected_option": {"value": value}}


def at_six(clock: StageClock) -> StageClock:
    """The clock of a stage that begins at six in the morning, UTC: far from the turn of a day."""
    now = clock()
    six = now.replace(hour=6, minute=0, second=0, microsecond=0)
    clock.advance((six if six >= now else six + timedelta(days=1)) - now)
    return clock


@asynccontextmanager
async def company(folder: Path) -> AsyncIterator[Company]:
    """Everything in place, and one project held already."""
    clock = at_six(StageClock())
    trace = a_trace(1, APPLICATIONS)
    variables = {"FINOPS_BACKFILL_DAYS": "1", "FINOPS_POLL_SECONDS": "3600", "FINOPS_EDIT_EVERY_SECONDS": "1"}
    async with (
        aiohttp.ClientSession() as http,
        staged(
            trace, PRICES, f"sqlite:///{folder / 'stage.db'}", clock=clock, socket_mode=False,
            slack=easy_slack(), **variables,
        ) as stage,
    ):  # fmt: skip
        yield await _furnished(stage, clock, http)


async def _furnished(stage: Stage, clock: StageClock, http: aiohttp.ClientSession) -> Company:
    bot, openai = stage.product[BOT], stage.openai
    for name in APPLICATIONS:
        openai.organization.named(name).spend_limits.append(SpendLimit(FORMER_CENTS, 0))
    people = [(JIHOON, "이지훈", True), (MINSU, "김민수", False), (SEOYEON, "박서연", False), (SAKURA, "佐藤", False)]
    met = {one: await _met(bot, TEAM_ID, profile(one, name, admin=admin)) for one, name, admin in people}
    await _met(bot, TEAM_ID, profile(EMMA, "Emma"))
    jihoon = met[JIHOON]
    marketing = await bot.teams.create(jihoon, "마케팅팀", profile(MINSU, "김민수"), MARKETING)
    data = await bot.teams.create(jihoon, "데이터팀", profile(SEOYEON, "박서연"), DATA, [profile(SAKURA, "佐藤")])
    for team, key in ((marketing, stage.props.marketing_key), (data, stage.props.data_team_key)):
        await bot.connections.register_key(jihoon, team.id, key)
    projects = await _registered(bot, jihoon, marketing, openai.organization, APPLICATIONS[:-1])
    projects |= await _registered(bot, jihoon, data, openai.organization, APPLICATIONS[-1:])
    other = openai.tenants["org-otherco"].organization
    emma = await _met(bot, NEIGHBOUR, profile(EMMA, "Emma", admin=True))
    theirs = await bot.teams.create(emma, "옆집팀", profile(EMMA, "Emma"), MARKETING)
    await bot.connections.register_key(emma, theirs.id, stage.props.other_organization_key)
    [neighbours] = (await _registered(bot, emma, theirs, other, ["held"])).values()
    target = StopTarget(scope=f"project:{projects['held'].id}")
    shown = await bot.stopping.request(met[MINSU], target, Lever.STOP, "테스트")
    house = Company(stage, clock, http, bot, marketing, projects, neighbours, shown.stop)
    await house.until("held", StopState.STOPPED)
    return house


async def _met(bot: Bot, workspace: str, who: Profile) -> Person:
    return await bot.people.meet(workspace, workspace, who, asks_setup=True)


async def _registered(
    bot: Bot, actor: Person, team: Team, organization: Any, names: Iterable[str]
) -> dict[str, Project]:
    wanted = [organization.named(name).id for name in names]
    return {one.name: one for one in (await bot.projects.register(actor, team.id, wanted)).registered}
