"""Whose token answers: one short memory of installations, refreshed once, shared by requests and jobs."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.web.async_client import AsyncWebClient

from blocks.answered import error_code
from finops.frozen import frozen
from finops.secret import Secret

log = logging.getLogger(__name__)

REMEMBERED_FOR = timedelta(minutes=10)
REMEMBERED_AT_MOST = 2000
TIMEOUT_SECONDS = 30
RATE_LIMIT_RETRIES = 3
LONGEST_WAIT_SECONDS = 10
SERVER_ERROR_RETRIES = 2
# What may arrive twice without anybody noticing: windows, Home, edits and questions. A new message is not among them.
REPEATABLE = frozenset(
    {"views.open", "views.push", "views.update", "views.publish", "chat.update", "users.info", "auth.test"}
)
# What auth.test answers when a token will never work again, as opposed to "not now".
DEAD_TOKEN = frozenset({"invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed"})


@frozen
class Place:
    """Where the app is installed: a workspace, or a whole organization when `team_id` is None."""

    enterprise_id: str | None
    team_id: str | None


class NotInstalled(LookupError):
    """No usable installation for a workspace: removed, or its token revoked."""


class Source(Protocol):
    """Where installations come from: the settings (one workspace) or the store (many)."""

    async def installed(self, place: Place) -> Installation | None:
        """The installation with a token that is good for a while, or None."""
        ...


class OneWorkspace:
    """The installation described by one bot token; asks Slack once what the token is."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._installation: Installation | None = None
        self._asking = asyncio.Lock()

    async def installed(self, place: Place) -> Installation | None:
        """The one installation, whatever the place: this token serves one workspace only."""
        del place
        async with self._asking:
            if self._installation is None:
                try:
                    answer = await self._client.auth_test()
                except SlackApiError as error:
                    if error_code(error) in DEAD_TOKEN:
                        return None
                    raise
                self._installation = Installation(
                    enterprise_id=answer.get("enterprise_id"),
                    team_id=answer.get("team_id"),
                    team_name=answer.get("team"),
                    bot_token=self._client.token,
                    bot_id=answer.get("bot_id"),
                    bot_user_id=answer.get("user_id"),
                    bot_scopes=answer.headers.get("x-oauth-scopes", ""),
                    user_id="",
                )
        return self._installation


class Authorizer(AsyncAuthorize):
    """Answers Bolt "which token" from a bounded memory that expires, and is emptied when a token is revoked."""

    def __init__(self, source: Source, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._clock = clock
        self._known: OrderedDict[Place, tuple[datetime, AuthorizeResult]] = OrderedDict()
        self._looking: WeakValueDictionary[Place, asyncio.Lock] = WeakValueDictionary()

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,
        actor_team_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> AuthorizeResult | None:
        del user_id, actor_enterprise_id, actor_team_id, actor_user_id  # one bot token answers for everybody
        return await self.at(Place(enterprise_id, None if context.is_enterprise_install else team_id))

    async def at(self, place: Place) -> AuthorizeResult | None:
        """The bot's token and identity at `place`; None where it is not installed."""
        if (remembered := self._recall(place)) is not None:
            return remembered
        lock = self._looking.setdefault(place, asyncio.Lock())
        async with lock:
            if (remembered := self._recall(place)) is not None:
                return remembered
            installation = await self._source.installed(place)
            if installation is None or installation.bot_token is None:
                return None
            result = AuthorizeResult(
                enterprise_id=installation.enterprise_id,
                team_id=installation.team_id,
                team=installation.team_name,
                bot_id=installation.bot_id,
                bot_user_id=installation.bot_user_id,
                bot_token=installation.bot_token,
                bot_scopes=list(installation.bot_scopes or ()),
            )
            self._known[place] = (self._clock() + REMEMBERED_FOR, result)
            while len(self._known) > REMEMBERED_AT_MOST:
                self._known.popitem(last=False)
            return result

    def forget(self, enterprise_id: str | None, team_id: str | None) -> None:
        """Drop what is remembered about a workspace, however it was asked for."""
        for place in [p for p in self._known if p.team_id == team_id or p == Place(enterprise_id, None)]:
            del self._known[place]

    def _recall(self, place: Place) -> AuthorizeResult | None:
        until, result = self._known.get(place, (None, None))
        if until is None or until <= self._clock():
            return None
        self._known.move_to_end(place)
        return result


NewClient = Callable[[Secret | None], AsyncWebClient]


@asynccontextmanager
async def clients(api_url: str, tls: ssl.SSLContext) -> AsyncIterator[NewClient]:
    """A maker of Web API clients that share one connection pool.

    They wait out short rate limits and repeat what is harmless when it arrives twice. A post is not repeated: one whose
    connection broke may have arrived, and posting it again would tell people twice.
    """
    if not api_url.startswith("https://"):
        log.warning("Slack is reached without TLS, allowed as a named exception", extra={"address": api_url})
    async with ClientSession(connector=TCPConnector(ssl=tls), timeout=ClientTimeout(total=TIMEOUT_SECONDS)) as session:

        def new(token: Secret | None) -> AsyncWebClient:
            return AsyncWebClient(
                token=token.reveal() if token else None,
                base_url=api_url,
                session=session,
                ssl=tls,
                timeout=TIMEOUT_SECONDS,
                trust_env_in_session=False,
                retry_handlers=[
                    ShortWaits(max_retry_count=RATE_LIMIT_RETRIES),
                    Hiccups(max_retry_count=SERVER_ERROR_RETRIES),
                ],
            )

        yield new


class ShortWaits(AsyncRateLimitErrorRetryHandler):
    """Repeats a call that came too soon (HTTP 429) where Slack names a wait that somebody can sit through.

    Any other would hold the click of one person, and a place among everybody's work, or the reading of a bill.
    """

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or not await super()._can_retry_async(
            state=state, request=request, response=response, error=error
        ):
            return False
        told = [
            str(value) for name, values in response.headers.items() if name.lower() == "retry-after" for value in values
        ]
        return all(len(value) < 6 and value.isdecimal() and int(value) <= LONGEST_WAIT_SECONDS for value in told)


class Hiccups(AsyncServerErrorRetryHandler):
    """Repeats a call that Slack's gateway failed (HTTP 500, 503), where repeating is harmless."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if (request.url or "").rpartition("/")[2] not in REPEATABLE:
            return False
        return await super()._can_retry_async(state=state, request=request, response=response, error=error)


class Clients:
    """Web API clients for work nobody asked for just now: jobs, progress, alerts."""

    def __init__(self, authorizer: Authorizer, new_client: NewClient) -> None:
        self._authorizer = authorizer
        self._new_client = new_client

    async def of(self, workspace_id: str) -> AsyncWebClient:
        """A client that speaks for the bot in this workspace. Raises NotInstalled."""
        result = await self._authorizer.at(Place(None, workspace_id))
        if result is None or result.bot_token is None:
            raise NotInstalled(f"the app is not installed in {workspace_id}, or its token was revoked")
        return self._new_client(Secret(result.bot_token))

    def forget(self, workspace_id: str) -> None:
        """Ask anew for the token of a workspace: another copy of the bot may have been told of a new installation."""
        self._authorizer.forget(None, workspace_id)
