"""The simulated Slack as a server: one address for the Web API, Socket Mode, OAuth, the page and the levers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from aiohttp import web

from demo.slack.config import SlackConfig
from demo.slack.control import Control
from demo.slack.faults import Fault
from demo.slack.gateway import Gateway
from demo.slack.hub import Hub
from demo.slack.journal import Call, Complaint, Delivery
from demo.slack.oauth import OAuthPage
from demo.slack.page import Page
from demo.slack.person import Person
from demo.slack.state import World, shown
from demo.slack.wire import JSON, Clock, utc_now


class SimulatedSlack:
    """A strict Slack on 127.0.0.1, with one workspace, one app, and people to act as.

    Use it as a context manager, or `start()` and `stop()`. Payloads reach the app over Socket Mode unless
    `deliver_to(url)` names its Request URL.
    """

    def __init__(self, clock: Clock = utc_now, config: SlackConfig | None = None) -> None:
        self.config = config or SlackConfig()
        self.hub = Hub(self.config, clock)
        self._gateway = Gateway(self.hub)
        self._page = Page(self.hub)
        self._control = Control(self.hub)
        self._oauth = OAuthPage(self.hub)
        self._people: dict[str, Person] = {}
        self._runner: web.AppRunner | None = None

    # -- standing

    async def start(self, port: int = 0, routes: Iterable[web.RouteDef] = ()) -> SimulatedSlack:
        """Serve on 127.0.0.1; port 0 takes any free one. `routes` are answered beside Slack's own."""
        app = web.Application(middlewares=[_only_own_pages], client_max_size=4 * 2**20)
        router = app.router
        router.add_route("*", "/api/{method}", self._gateway.call)
        router.add_post("/hooks/{kind}/{team}/{secret}", self._gateway.hook)
        router.add_post("/upload/v1/{file}", self._gateway.upload)
        router.add_get("/files/{file}/{name}", self._gateway.file)
        router.add_get("/link/", self.hub.socket.accept)
        self._oauth.add_routes(router)
        self._page.add_routes(router)
        self._control.add_routes(router)
        router.add_routes(routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.hub.url = f"http://{host}:{bound}"
        self.hub.socket.base_url = self.hub.url
        await self.hub.courier.open()
        return self

    async def stop(self) -> None:
        """Stop serving; what was on its way is dropped."""
        await self.hub.events.close()
        await self.hub.socket.close()
        await self._page.close()
        await self.hub.courier.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> SimulatedSlack:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The address of the page, without a slash at the end."""
        return self.hub.url

    @property
    def api_url(self) -> str:
        """The `base_url` for slack_sdk."""
        return f"{self.hub.url}/api/"

    def client_settings(self, *, oauth: bool = False, socket_mode: bool = True) -> dict[str, str]:
        """What the app needs to talk to this Slack, by the names of environment variables."""
        settings = {"SLACK_API_URL": self.api_url}
        if oauth:
            settings |= {"SLACK_CLIENT_ID": self.config.client_id, "SLACK_CLIENT_SECRET": self.config.client_secret}
            settings["SLACK_AUTHORIZE_URL"] = f"{self.url}/oauth/v2/authorize"
        else:
            settings["SLACK_BOT_TOKEN"] = self.config.bot_token
        if socket_mode:
            settings["SLACK_APP_TOKEN"] = self.config.app_token
        else:
            settings["SLACK_SIGNING_SECRET"] = self.config.signing_secret
        return settings

    def deliver_to(self, url: str | None) -> None:
        """Deliver to this Request URL, signed; None goes back to Socket Mode."""
        self.hub.courier.url = url

    def use_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Take commands, scopes and events from a parsed `manifest.yml`, as an installation of it would."""
        self.config.app.apply_manifest(manifest)
        self.world.users[self.config.app.bot_user_id].real_name = self.config.app.name
        self.hub.tokens.grant(self.config.app.scopes)

    async def connected(self, count: int = 1, timeout_seconds: float = 5.0) -> None:
        """Wait until the app listens over Socket Mode."""
        await self.hub.socket.until_connected(count, timeout_seconds)

    # -- looking

    @property
    def world(self) -> World:
        """The workspace itself."""
        return self.hub.world

    @property
    def calls(self) -> list[Call]:
        """Every call of the Web API so far, `response_url` included."""
        return self.hub.journal.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Every payload handed to the app so far."""
        return self.hub.journal.deliveries

    @property
    def complaints(self) -> list[Complaint]:
        """What the app did that a person saw fail; empty in a healthy run."""
        return self.hub.journal.complaints

    async def next(
        self, method: str, timeout_seconds: float = 5.0, where: Callable[[Call], bool] | None = None
    ) -> Call:
        """The next call of `method` not yet returned by an earlier `next` of it; waits for it."""
        return await self.hub.journal.next(method, timeout_seconds, where)

    async def until(self, true: Callable[[], bool], timeout_seconds: float = 5.0) -> None:
        """Wait until something is true that a call or a delivery can make true."""
        await self.hub.journal.wait_until(true, timeout_seconds, f"it did not become true in {timeout_seconds} s")

    async def settled(self) -> None:
        """Wait until no event is on its way any more."""
        await self.hub.events.settled()

    def messages(self, channel: str) -> list[JSON]:
        """What everybody in a channel sees, oldest first."""
        return [shown(channel, each) for each in self.world.messages[channel]]

    def person(self, user_id: str) -> Person:
        """Act as one of the cast; the same object every time."""
        if user_id not in self._people:
            self._people[user_id] = Person(self.hub, user_id)
        return self._people[user_id]

    def page_state(self, user_id: str) -> JSON:
        """What the page would draw for a person."""
        return self._page.state(self.world.user(user_id))

    # -- levers

    def fail(self, method: str, **how: Any) -> Fault:
        """Let the next calls of a method fail; the same words as `POST /_sim/slack/faults`."""
        fault = Fault.from_json({"method": method, **how})
        self.hub.faults.add(fault)
        return fault

    def describe(self, user_id: str, **changes: Any) -> JSON | None:
        """Slack's administrators change somebody; the app hears `user_change`, where it listens to that."""
        return self.hub.describe(user_id, **changes)

    async def forge(self, how: str) -> int:
        """Send a slash command as an impostor (`signature`, `stale`, `unsigned`): the HTTP status it got."""
        return await self.hub.courier.forge("command", self._control.a_command(), how)

    async def redeliver(self, retry_num: int = 1, reason: str = "http_timeout") -> Delivery:
        """Deliver the last event once more, as Slack's retry."""
        return await self.hub.events.redeliver(None, retry_num, reason)

    async def send_event(self, event: JSON) -> Delivery:
        """Deliver an event of your own making and say what came back."""
        envelope = self.hub.events.wrapped(event)
        self.hub.events.last = envelope
        return await self.hub.courier.deliver("event", "event", envelope)

    async def verify_url(self) -> bool:
        """Send `url_verification`, as Slack does when a Request URL is saved."""
        challenge = "a-challenge-to-echo"
        body = {"token": "verification-token", "challenge": challenge, "type": "url_verification"}
        delivery = await self.hub.courier.deliver("event", "url_verification", body)
        answer = delivery.answer
        return delivery.ok and challenge in (answer.get("challenge", "") if isinstance(answer, dict) else str(answer))

    def authorise(self, authorize_url: str, user_id: str) -> str:
        """A person presses Allow on the authorize page: the address their browser is sent to."""
        from yarl import URL

        asked = URL(authorize_url).query
        scopes = tuple(asked["scope"].replace(" ", ",").split(","))
        wrong = self._oauth.wrong_with(asked.get("client_id", ""), scopes, asked.get("redirect_uri", ""))
        if wrong:
            raise ValueError(wrong)
        return self._oauth.allow(user_id, scopes, asked["redirect_uri"], asked.get("state", ""))

    async def post_scheduled(self) -> list[JSON]:
        """Post the scheduled messages whose time has come."""
        now = self.hub.clock().timestamp()
        due = [entry for entry in self.world.scheduled.values() if entry["post_at"] <= now]
        for entry in due:
            del self.world.scheduled[entry["id"]]
        return [shown(entry["channel_id"], self.world.post(entry["channel_id"], entry["message"])) for entry in due]

    def set_lab(self, lab: JSON) -> None:
        """Show something in the page's laboratory drawer."""
        self.world.lab = lab
        self.world.tell({"type": "lab", "lab": lab})


@web.middleware
async def _only_own_pages(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """Pages of strangers in the same browser must not press buttons here."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.path.startswith(("/_page", "/_sim")):
        return web.Response(status=403, text="cross-site requests are refused")
    response: web.StreamResponse = await handler(request)
    return response
