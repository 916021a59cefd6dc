"""What tests of the outbox share: deliverers in front of a strict simulated Slack, on a clock that tests move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from blocks import kit
from bot import Bot
from bot.metrics import Metrics
from demo.slack import SimulatedSlack, SlackConfig
from jobs.delivery import Delivery
from jobs.delivery_mail import MailAlarm
from jobs.delivery_pace import Paces
from jobs.delivery_speaker import EVENT_TYPE, Speakers
from jobs.mail import Mailer
from jobs.outbox import Deliverer
from jobs.rendering import RENDER, Rendering, Say
from jobs.speech import Speech
from storage.records_live import OutboxMessage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE

CHANNEL, OTHER_CHANNEL = "C0MARKET01", "C0DATA0001"
LEAD, ADMIN = "U0MINSU001", "U0JIHOON01"
HISTORY = ("channels:history", "groups:history")
EDIT_EVERY = timedelta(seconds=30)


async def a_note(speech: Speech) -> kit.Message:
    """A message of no particular kind: what its subject says, with a chart where the subject wants one."""
    text = str(speech.wanted.subject["text"])
    parts: list[kit.Block | kit.Either] = [kit.section(text)]
    if speech.wanted.subject.get("is_rich"):
        parts.append(kit.Either({"type": "no_such_block"}, [kit.section("in words")]))
    return kit.message(text, parts)


class OneSlack:
    """The clients app.py hands out, for the workspaces of one simulated Slack."""

    def __init__(self, slack: SimulatedSlack, *workspaces: str) -> None:
        self._slack = slack
        self.workspaces = workspaces or (WORKSPACE,)
        self.token = slack.config.bot_token
        self._remembered: dict[str, str] = {}  # as app.py's do, for some minutes

    async def of(self, workspace_id: str) -> AsyncWebClient:
        if workspace_id not in self.workspaces:
            raise LookupError(workspace_id)
        token = self._remembered.setdefault(workspace_id, self.token)
        return AsyncWebClient(token=token, base_url=self._slack.api_url)

    def forget(self, workspace_id: str) -> None:
        self._remembered.pop(workspace_id, None)


@dataclass
class Office:
    """A bot with its outbox, the Slack it speaks to, and time."""

    bot: Bot
    slack: SimulatedSlack
    clock: FakeClock
    clients: OneSlack
    mailer: Mailer | None = None
    render: dict[str, Say] = field(default_factory=lambda: {**RENDER, "note": a_note})
    metrics: Metrics = field(default_factory=Metrics)
    slept: list[float] = field(default_factory=list)

    def deliverer(self, name: str = "replica") -> Deliverer:
        """A replica's deliverer, with a pace of its own."""
        rendering, paces = Rendering(self.bot, self.render), Paces(self.monotonic)
        delivery = Delivery(Speakers(self.clients, self._sleep), rendering, paces, sleep=self._sleep, jitter=_half)
        mail = self.alarm(name)
        return Deliverer(self.bot, delivery, mail, self.metrics, name, edit_every=EDIT_EVERY, monotonic=self.monotonic)

    def alarm(self, name: str = "replica") -> MailAlarm:
        return MailAlarm(self.bot, Rendering(self.bot, self.render), self.mailer, name)

    def monotonic(self) -> float:
        return self.clock().timestamp()

    async def rounds(self, deliverer: Deliverer, times: int, seconds: float = 2) -> None:
        """Deliver what may go, a while later what may go then, and so on."""
        for _ in range(times):
            await deliverer.deliver_due()
            self.clock.advance(seconds=seconds)

    async def want(self, key: str, text: str = "", channel_id: str | None = CHANNEL, **more: Any) -> None:
        """Ask for a note."""
        subject: Mapping[str, Any] = {"text": text or key} | more.pop("subject", {})
        recipients: Sequence[str] = more.pop("recipients", (LEAD, ADMIN))
        async with self.bot.storage.writing() as store:
            await store.outbox.want(
                WORKSPACE, key, "note", subject, channel_id, recipients, at=self.clock(), **more
            )  # fmt: skip

    async def row(self, key: str) -> OutboxMessage:
        async with self.bot.storage.reading() as store:
            found = await store.outbox.get(WORKSPACE, key)
        assert found is not None
        return found

    async def dead(self) -> int:
        """How many the doctor would call given up."""
        async with self.bot.storage.reading() as store:
            return (await store.outbox.standing(WORKSPACE, self.clock() - timedelta(days=1)))[2]

    def standing(self, channel_id: str = CHANNEL) -> list[str]:
        """The keys of what stands in a channel, in order."""
        return [key_of(message) for message in self.slack.messages(channel_id)]

    def dm(self, user_id: str) -> str:
        """The bot's direct conversation with a person."""
        found = self.slack.world.dm_between({user_id, self.slack.config.app.bot_user_id})
        assert found is not None
        return found.id

    def told(self, user_id: str) -> list[Any]:
        """What a person was told directly."""
        return list(self.slack.messages(self.dm(user_id)))

    def posts(self, channel_id: str | None = None) -> list[str]:
        """The texts of the posts Slack took, in order."""
        return [call.text for call in self.calls("chat.postMessage", channel_id) if call.ok]

    def calls(self, method: str, channel_id: str | None = None) -> list[Any]:
        return [
            call
            for call in self.slack.calls
            if call.method == method and channel_id in (None, call.args.get("channel"))
        ]  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        """Nobody sleeps here: time moves instead."""
        self.slept.append(seconds)
        self.clock.advance(seconds=seconds)


def key_of(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    assert metadata.get("event_type") == EVENT_TYPE
    return str(metadata["event_payload"]["key"])


def a_slack(clock: FakeClock, *, may_look: bool = True, **more: Any) -> SimulatedSlack:
    """A Slack whose limits go by the test's clock, and that takes one post a second in a channel, no burst."""
    config = SlackConfig(monotonic=lambda: clock().timestamp(), post_burst=1, **more)
    config.app.scopes += HISTORY if may_look else ()
    return SimulatedSlack(clock, config)


def _half() -> float:
    return 0.5
