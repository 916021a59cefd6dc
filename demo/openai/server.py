"""The simulated OpenAI: one aiohttp server that answers for several organizations by the published contract."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import format_datetime
from fractions import Fraction
from types import TracebackType
from typing import Any, NamedTuple

from aiohttp import web

from demo.billing import require_countable
from demo.openai import control
from demo.openai.administration import Administration
from demo.openai.answers import Query, Refused, answer, error_body
from demo.openai.behaviour import Behaviour
from demo.openai.costs import Bill, CostsQuery, CostsSpeller, Restatement
from demo.openai.doors import admit, admit_application
from demo.openai.faults import Fault, Faults
from demo.openai.inference import Inference
from demo.openai.levers import Levers
from demo.openai.organization import AdminKey, Organization, Plan, Project, digest
from demo.openai.traffic import Traffic
from demo.openai.turns import Turn
from demo.openai.usage import FAMILIES, Deed, UsageBook, UsageQuery
from demo.prices import Prices, require_prices
from demo.trace import Trace
from finops.periods import minute_of, moment_of

Clock = Callable[[], datetime]
Endpoint = Callable[[Administration, web.Request], Awaitable[web.Response]]

ORGANIZATION = web.RequestKey("organization", str)
MOST_CALLS_REMEMBERED = 10_000
LARGEST_BODY = 1_000_000

_PROJECT = "/v1/organization/projects/{project_id}"
ADMINISTRATION: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/v1/organization/projects", Administration.list_projects),
    ("POST", "/v1/organization/projects", Administration.create_project),
    ("GET", _PROJECT, Administration.get_project),
    ("POST", _PROJECT, Administration.rename_project),
    ("POST", f"{_PROJECT}/archive", Administration.archive_project),
    ("GET", f"{_PROJECT}/api_keys", Administration.list_keys),
    ("GET", f"{_PROJECT}/api_keys/{{api_key_id}}", Administration.get_key),
    ("DELETE", f"{_PROJECT}/api_keys/{{api_key_id}}", Administration.delete_key),
    ("GET", f"{_PROJECT}/service_accounts", Administration.list_service_accounts),
    ("DELETE", f"{_PROJECT}/service_accounts/{{service_account_id}}", Administration.delete_service_account),
    ("GET", f"{_PROJECT}/rate_limits", Administration.list_rate_limits),
    ("POST", f"{_PROJECT}/rate_limits/{{rate_limit_id}}", Administration.update_rate_limit),
    ("GET", f"{_PROJECT}/model_permissions", Administration.get_model_permissions),
    ("POST", f"{_PROJECT}/model_permissions", Administration.set_model_permissions),
    ("DELETE", f"{_PROJECT}/model_permissions", Administration.delete_model_permissions),
    ("GET", f"{_PROJECT}/spend_limit", Administration.get_spend_limit),
    ("POST", f"{_PROJECT}/spend_limit", Administration.set_spend_limit),
    ("DELETE", f"{_PROJECT}/spend_limit", Administration.delete_spend_limit),
    ("GET", "/v1/organization/spend_limit", Administration.get_spend_limit),
    ("POST", "/v1/organization/spend_limit", Administration.set_spend_limit),
    ("DELETE", "/v1/organization/spend_limit", Administration.delete_spend_limit),
    ("GET", "/v1/organization/admin_api_keys", Administration.list_admin_keys),
    ("GET", "/v1/organization/admin_api_keys/{key_id}", Administration.get_admin_key),
    ("GET", "/v1/organization/users", Administration.list_users),
    ("GET", "/v1/organization/users/{user_id}", Administration.get_user),
    ("GET", "/v1/organization/audit_logs", Administration.list_audit_logs),
)


class Call(NamedTuple):
    """One request the simulator received. Of the key only its end is remembered."""

    at: datetime
    method: str
    path: str
    query: str
    status: int
    key_ends_with: str


class Tenant(NamedTuple):
    """One organization with everything that answers for it."""

    organization: Organization
    traffic: Traffic
    levers: Levers
    bill: Bill
    usage: UsageBook
    inference: Inference


class SimulatedOpenAI:
    """A provider to talk to: `async with SimulatedOpenAI(trace, prices, clock) as openai: openai.url`.

    The trace ends with the UTC midnight before `anchor` (now, unless given); from there it goes on live. Raises
    UnpricedModels when the prices do not cover every model of every trace, TraceError when it costs more than a ledger
    adds up.
    """

    def __init__(
        self,
        trace: Trace,
        prices: Prices,
        clock: Clock,
        *,
        admin_keys: Sequence[AdminKey] = (),
        idle_projects: Sequence[str] = (),
        others: Sequence[Plan] = (),
        plan: Plan | None = None,
        anchor: datetime | None = None,
    ) -> None:
        """`plan` names the first organization; `others` are further ones behind the same address."""
        self.clock = clock
        self.prices = prices
        self.anchor = (anchor or clock()).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.behaviour = Behaviour()
        self.faults = Faults(clock)
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS_REMEMBERED)
        first = replace(plan or Plan(trace), trace=trace)
        if admin_keys:
            first = replace(first, admin_keys=tuple(admin_keys))
        if idle_projects:
            first = replace(first, idle_projects=tuple(idle_projects))
        self.tenants = {one.id: self._tenant(one) for one in (first, *others)}
        self.organization = self.tenants[first.id].organization
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._requests = 0

    def _tenant(self, plan: Plan) -> Tenant:
        require_prices(self.prices, plan.trace.models, self.anchor.date())
        require_countable(plan.trace, self.prices, self.anchor.date())
        traffic = Traffic(plan.trace, self.anchor, self.behaviour)
        organization = Organization(plan, moment_of(traffic.starts_at))
        levers = Levers(organization, traffic, self.prices)
        deeds: list[Deed] = []
        return Tenant(
            organization,
            traffic,
            levers,
            Bill(organization, traffic, self.prices, self.behaviour, deeds),
            UsageBook(organization, traffic, self.behaviour, deeds),
            Inference(organization, levers),
        )

    # -- serving

    async def start(self, port: int = 0) -> None:
        """Serve on this machine only; port 0 takes a free one."""
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=1, handler_cancellation=True)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", port)
        await self._site.start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = self._site = None

    async def __aenter__(self) -> SimulatedOpenAI:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`, where `/_sim/openai/…` is too."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the simulated OpenAI is not running; start() it first")
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    @property
    def url(self) -> str:
        """The base URL a client is given; ends in /v1."""
        return f"{self.address}/v1"

    def app(self) -> web.Application:
        """The server as an application, for a test server or for `start`."""
        app = web.Application(middlewares=[self._answering], client_max_size=LARGEST_BODY)
        app.on_response_prepare.append(self._sign)
        for method, path, endpoint in ADMINISTRATION:
            app.router.add_route(method, path, self._administered(endpoint))
        app.router.add_get("/v1/organization/costs", self._costs)
        for name in FAMILIES:
            app.router.add_get(f"/v1/organization/usage/{name}", self._usage)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.add_routes(control.routes(self))
        return app

    # -- the story, in Python; control.py offers the same over HTTP

    @property
    def admin_key(self) -> str:
        """The secret of the first organization's first Admin key."""
        return self.organization.admin_keys[0].secret

    def tenant(self, organization_id: str | None = None) -> Tenant:
        """An organization by id (the first one by default). Raises KeyError for one that is not simulated."""
        return self.tenants[organization_id or self.organization.id]

    def project(self, name: str, organization_id: str | None = None) -> Project:
        """The project of an application. Raises KeyError for an application that is not in the trace."""
        return self.tenant(organization_id).organization.named(name)

    def boost(
        self,
        application: str,
        factor: Fraction | int,
        since: datetime | None = None,
        organization_id: str | None = None,
    ) -> None:
        """From `since` (now) on, the application makes `factor` times its requests; a factor of 1 ends it."""
        tenant = self.tenant(organization_id)
        tenant.levers.advance(minute_of(self.clock()))
        tenant.organization.named(application)
        tenant.traffic.boost(application, Fraction(factor), minute_of(since or self.clock()))

    def turn(self, turn: Turn, organization_id: str | None = None) -> None:
        """Build an application otherwise from an hour on; see Turn.

        Raises UnpricedModels for a model nobody has a price of, KeyError for an application that is not there.
        """
        tenant = self.tenant(organization_id)
        if turn.to_model:
            require_prices(self.prices, [turn.to_model], self.clock().date())
        tenant.levers.advance(minute_of(self.clock()))
        tenant.organization.named(turn.application)
        tenant.traffic.turn(turn)

    def restate(
        self,
        day: date,
        project: str | None = None,
        *,
        factor: Decimal = Decimal(1),
        delta: Decimal = Decimal(0),
        organization_id: str | None = None,
    ) -> None:
        """Correct a day's bill: every amount of the project (by name; None: of all) times `factor`, plus `delta`."""
        tenant = self.tenant(organization_id)
        if delta and project is None:
            raise ValueError("a delta needs the project it is billed to")
        identifier = None if project is None else tenant.organization.named(project).id
        tenant.bill.restatements.append(Restatement(day, identifier, factor, delta))

    def add_usage(self, deed: Deed, organization_id: str | None = None) -> None:
        """Add usage that is not chat; see Deed."""
        tenant = self.tenant(organization_id)
        tenant.organization.named(deed.application)
        tenant.bill.deeds.append(deed)

    def fail(self, **fault: Any) -> Fault:
        """Make requests fail: `fail(status=500, path="/v1/organization/costs", times=2)`; see Fault."""
        return self.faults.add(Fault.read(fault))

    def reset(self) -> None:
        """Forget faults, behaviours and restatements; what happened stays happened."""
        self.faults.clear()
        self.behaviour.reset()
        for tenant in self.tenants.values():
            tenant.bill.restatements.clear()
        self.calls.clear()

    # -- answering

    @web.middleware
    async def _answering(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        status = 0
        try:
            response = await self._answer(request, handler)
            status = response.status
            return response
        finally:
            if not request.path.startswith("/_sim/"):
                self.calls.append(
                    Call(
                        self.clock(),
                        request.method,
                        request.path,
                        request.query_string,
                        status,
                        request.headers.get("Authorization", "")[-4:],
                    )
                )

    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        now = minute_of(self.clock())
        for tenant in self.tenants.values():
            tenant.levers.advance(now)
        try:
            fault = self.faults.take(request)
            return await (handler(request) if fault is None else self.faults.play(fault, request, handler))
        except Refused as refused:
            return answer(refused.body, refused.status)
        except web.HTTPException as error:
            message = f"Invalid URL ({request.method} {request.path})"
            return answer(error_body(message, code="unknown_url"), error.status)

    async def _sign(self, request: web.Request, response: web.StreamResponse) -> None:
        self._requests += 1
        # No real provider is asked anything here: the id only lets a log line be found again.
        response.headers["x-request-id"] = f"req_{digest(f'{self.anchor}{self._requests}', 32)}"
        response.headers["openai-version"] = "2020-10-01"
        response.headers["Date"] = format_datetime(self.clock().astimezone(UTC), usegmt=True)
        if (organization := request.get(ORGANIZATION)) is not None:
            response.headers["openai-organization"] = organization

    def _admitted(self, request: web.Request) -> tuple[Tenant, AdminKey]:
        organizations = [tenant.organization for tenant in self.tenants.values()]
        organization, key = admit(request, organizations, self.clock())
        request[ORGANIZATION] = organization.id
        return self.tenants[organization.id], key

    def _administered(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            tenant, key = self._admitted(request)
            desk = Administration(tenant.organization, tenant.levers, self.behaviour, self.clock, key)
            return await endpoint(desk, request)

        return handle

    async def _costs(self, request: web.Request) -> web.StreamResponse:
        tenant, _ = self._admitted(request)
        now = self.clock()
        asked = CostsQuery.read(Query(request, self.behaviour.arrays), self.behaviour, int(now.timestamp()))
        return await CostsSpeller(tenant.bill, asked, minute_of(now)).respond(request)

    async def _usage(self, request: web.Request) -> web.Response:
        tenant, _ = self._admitted(request)
        now = self.clock()
        family = FAMILIES[request.path.rsplit("/", 1)[1]]
        asked = UsageQuery.read(Query(request, self.behaviour.arrays), family, int(now.timestamp()))
        return answer(await tenant.usage.page(asked, minute_of(now)))

    async def _complete(self, request: web.Request) -> web.Response:
        organizations = [tenant.organization for tenant in self.tenants.values()]
        organization, project, _ = admit_application(request, organizations, self.clock())
        request[ORGANIZATION] = organization.id
        return await self.tenants[organization.id].inference.complete(request, project, self.clock())
