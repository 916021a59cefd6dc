"""The stage: a simulated Slack, a simulated OpenAI and the real product between them, all on 127.0.0.1.

The product is built by the same `app.build` as in production, from settings that name other addresses. It cannot tell.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from aiohttp import ClientSession, web

import app as front_door
from bot.settings import CHECKOUT, Settings
from demo import clock as moving
from demo import runaway, value_levers
from demo.mail import MailSink
from demo.mailbox import Mailbox
from demo.monday import OnToMonday
from demo.openai import USAGE_READ, AdminKey, KeyState, Plan, SimulatedOpenAI
from demo.prices import Prices, for_the_product
from demo.props import Props
from demo.slack import SimulatedSlack, SlackConfig
from demo.slack.cast import JIHOON
from demo.trace import Trace
from demo.value_sender import Applications
from finops.periods import starts_at
from handlers.addresses import SERVED

Clock = Callable[[], datetime]
OTHER_ORGANIZATION = "org-otherco"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs."""

    slack: SimulatedSlack
    openai: SimulatedOpenAI
    product: web.Application
    props: Props
    url: str  # of the product
    settings: Settings
    mailbox: Mailbox
    applications: Applications
    monday: OnToMonday


def openai_of(trace: Trace, prices: Prices, clock: Clock, props: Props) -> SimulatedOpenAI:
    """The provider with the keys of `props`: one for each way in which registering a key can go."""
    keys = (
        AdminKey(props.data_team_key, name="FinOps 데이터팀"),
        AdminKey(props.marketing_key, name="FinOps 마케팅팀"),
        AdminKey(props.usage_only_key, name="FinOps 조회 전용", rights=frozenset({USAGE_READ})),
        AdminKey(props.revoked_key, name="FinOps 폐기", state=KeyState.REVOKED),
    )
    other = Plan(trace, OTHER_ORGANIZATION, "다른회사", (AdminKey(props.other_organization_key),))
    return SimulatedOpenAI(
        trace, prices, clock, admin_keys=keys, others=(other,), idle_projects=("sandbox",),
        plan=Plan(trace, archived_projects=("legacy-2025",)),
        anchor=starts_at(date.fromisoformat(props.begun)) if props.begun else None,
    )  # fmt: skip


def stay_on_this_machine() -> None:
    """Forget the machine's proxies, for this process and those it starts: a proxy knows another 127.0.0.1."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ["NO_PROXY"] = "*"  # nor what macOS and Windows keep elsewhere


@asynccontextmanager
async def staged(
    trace: Trace, prices: Prices, database_url: str, *, props: Props | None = None, clock: Clock = front_door.utc_now,
    socket_mode: bool = True, page_port: int = 0, slack: SlackConfig | None = None, **variables: str,
) -> AsyncIterator[Stage]:  # fmt: skip
    """Raise the curtain; everything is taken down again, the product first, when the block ends.

    `variables` are further settings of the product, by their names in `.env.example`.
    """
    kept = props or Props.fresh()
    openai, workspace = openai_of(trace, prices, clock, kept), SimulatedSlack(clock, slack)
    workspace.use_manifest(yaml.safe_load((CHECKOUT / "manifest.yml").read_text(encoding="utf-8")))
    post = MailSink()
    mailbox, applications = Mailbox(post), Applications(openai, clock)
    monday = OnToMonday(clock, applications)
    async with openai, post.running():
        value = value_levers.routes(applications, monday)
        await workspace.start(page_port, [*levers(openai, clock, mailbox), *value])
        mailbox.when_arrived = lambda mail: workspace.hub.world.notice(JIHOON, f"✉ {mail.subject}", "info")
        folder = TemporaryDirectory(prefix="finops-stage-")
        try:
            settings = Settings.from_env(
                workspace.client_settings(socket_mode=socket_mode)
                | {
                    "DATABASE_URL": database_url,
                    "FINOPS_KEYS": kept.ring,
                    "FINOPS_PLAINTEXT_HOSTS": "127.0.0.1",
                    "OPENAI_BASE_URL": openai.url,
                    # One process at a time plays here: what a killed one held is taken over at once.
                    "FINOPS_LEASE_SECONDS": "5",
                    # A person watches: what happens is to be seen within two polls.
                    "FINOPS_POLL_SECONDS": "5",
                    "FINOPS_EDIT_EVERY_SECONDS": "2",
                    "FINOPS_SMTP_URL": post.url,
                    "FINOPS_MAIL_FROM": "FinOps <finops@hanbit.example>",
                    "FINOPS_ALERT_EMAILS": "finance@hanbit.example",
                    "FINOPS_DIGEST_EMAILS": "cfo@hanbit.example,finance@hanbit.example",
                    "FINOPS_PRICES": str(written(for_the_product(prices), Path(folder.name))),
                }
                | variables
            )
            async with playing(settings, clock) as (product, url):
                if socket_mode:
                    await workspace.connected(timeout_seconds=20)
                else:
                    workspace.deliver_to(f"{url}/slack/events")
                applications.url, monday.product = url, product
                async with value_levers.recording(workspace, applications):
                    yield Stage(workspace, openai, product, kept, url, settings, mailbox, applications, monday)
        finally:
            await workspace.stop()
            folder.cleanup()


def levers(openai: SimulatedOpenAI, clock: Clock, mailbox: Mailbox) -> list[web.RouteDef]:
    """Everything beside Slack's own that the page's drawer, a story or a stranger can pull, at one address."""
    moves = [moving.route(clock)] if isinstance(clock, moving.StageClock) else []
    passed_on = web.route("*", "/_sim/openai/{order:.+}", _passed_on(openai))
    return [passed_on, *runaway.routes(openai), *moves, *mailbox.routes()]


def written(prices: list[dict[str, object]], folder: Path) -> Path:
    """The product's own price file: what its list cannot know of this trace."""
    path = folder / "prices.yaml"
    path.write_text(yaml.safe_dump(prices, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


@asynccontextmanager
async def playing(settings: Settings, clock: Clock = front_door.utc_now) -> AsyncIterator[tuple[web.Application, str]]:
    """One copy of the product and its address, until the block ends; a stage may hold several."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        # It tells applications where to record: that is known once there is a port, and before it is built.
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        product = front_door.build(replace(settings, public_url=settings.public_url or url), clock=clock)
        runner = web.AppRunner(product, access_log=None, **SERVED)
        await runner.setup()
        try:
            await web.SockSite(runner, door).start()
            yield product, url
        finally:
            await runner.cleanup()


def _passed_on(openai: SimulatedOpenAI) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The provider's levers at the page's own address: one address for the page's drawer and for strangers."""

    async def handle(request: web.Request) -> web.Response:
        async with ClientSession(openai.url.removesuffix("/v1")) as http:
            body = await request.read()
            async with http.request(request.method, request.path_qs, data=body, headers=_typed(request)) as answer:
                return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)

    return handle


def _typed(request: web.Request) -> dict[str, str]:
    return {"Content-Type": request.content_type} if request.can_read_body else {}
