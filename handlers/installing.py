"""Installing in many workspaces: Slack's OAuth over our own store, where every token is sealed.

Slack's own stores keep tokens in plain text and refresh them without a lock; here a token is refreshed once, by
whichever copy of the bot claims it, and read again by the others.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Bot as SlackBot
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from blocks.answered import error_code
from bot.settings import Settings
from finops.audit import AuditEntry
from finops.secret import Secret
from handlers.authorizing import Authorizer, Place
from handlers.manifest import REDIRECT_PATH, scopes
from storage import Storage
from storage.records import Installation

log = logging.getLogger(__name__)

INSTALL_PATH = "/slack/install"
STATE_LASTS = timedelta(minutes=10)
# Slack's rotating tokens live twelve hours; two hours leave room for a night of failed attempts.
REFRESH_BEFORE = timedelta(hours=2)
REFRESH_LEASE = timedelta(minutes=1)
REFRESH_JOB = "slack-token"
# How far Slack's clock and ours may be apart: within that, word of an end is about the installation we know.
CLOCKS_DIFFER = timedelta(seconds=10)
GONE = frozenset({"tokens_revoked", "app_uninstalled"})
Clock = Callable[[], datetime]


class Installations(AsyncInstallationStore):
    """Bolt's view of our installations, and the source of good tokens for everybody else."""

    def __init__(self, storage: Storage, client: AsyncWebClient, settings: Settings, clock: Clock) -> None:
        self.storage = storage
        self._client = client
        self._settings = settings
        self._clock = clock
        self._worker = f"refresh-{secrets.token_hex(4)}"

    def now(self) -> datetime:
        """The moment our clock shows."""
        return self._clock()

    async def async_save(self, installation: SlackInstallation) -> None:
        """Remember an installation; whoever installed becomes the workspace's first admin unless settings name one."""
        record = replace(_record(installation), installed_at=self._clock())
        async with self.storage.writing() as store:
            await store.installations.save(record)
            if record.team_id is not None:
                await store.workspaces.ensure(
                    record.team_id,
                    name=record.team_name or record.team_id,
                    locale=self._settings.locale,
                    timezone=self._settings.collect_timezone,
                    installed_by=record.user_id,
                    at=self._clock(),
                )
                await store.workspaces.set_installer(record.team_id, record.user_id)
                await store.audit.append(record.team_id, AuditEntry(self._clock(), record.user_id, "app.installed"))

    async def async_save_bot(self, bot: SlackBot) -> None:  # noqa: ARG002 - Bolt's name
        """Bolt calls this only where bots are kept apart from installations; ours are not."""
        raise TypeError("installations are saved whole: use async_save")

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> SlackInstallation | None:
        record = await self._find(Place(enterprise_id, None if is_enterprise_install else team_id), user_id)
        return None if record is None else _installation(record)

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> SlackBot | None:
        found = await self.async_find_installation(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return None if found is None else found.to_bot()

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        await self._forget(enterprise_id, team_id, user_id)

    async def forget_made_until(self, enterprise_id: str | None, team_id: str | None, moment: datetime) -> None:
        """Forget what was installed at a place until then: Slack tells of an end again, and late, after a new begin."""
        await self._forget(enterprise_id, team_id, made_until=moment)

    async def _forget(
        self,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        *,
        made_until: datetime | None = None,
    ) -> None:
        async with self.storage.writing() as store:
            gone = await store.installations.delete(enterprise_id, team_id, user_id, made_until=made_until)
            # Slack tells of it twice, by the tokens and by the app: the second time there is nothing left to forget.
            if gone and team_id is not None and await store.workspaces.get(team_id) is not None:
                await store.audit.append(team_id, AuditEntry(self._clock(), None, "app.removed"))

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        await self.async_delete_installation(enterprise_id=enterprise_id, team_id=team_id)

    async def async_delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        await self.async_delete_installation(enterprise_id=enterprise_id, team_id=team_id)

    async def installed(self, place: Place) -> SlackInstallation | None:
        """The installation at `place` with a token that is good for a while: refreshed here when it is not."""
        record = await self._find(place) or await self._of_workspace(place.team_id)
        if record is None:
            return None
        place = Place(record.enterprise_id, record.team_id)
        expires, refresh = record.bot_token_expires_at, record.bot_refresh_token
        if expires is None or refresh is None or expires - REFRESH_BEFORE > self._clock():
            return _installation(record)
        if await self._may_refresh(record):
            try:
                await self._refresh(record, refresh)
            except SlackApiError as error:
                # The old token is still good for up to two hours, and the claim ends: somebody tries again.
                log.warning("token refresh refused", extra={"place": str(place), "error": error_code(error)})
        record = await self._find(place)
        return None if record is None else _installation(record)

    async def _find(self, place: Place, user_id: str | None = None) -> Installation | None:
        async with self.storage.reading() as store:
            return await store.installations.find(
                place.enterprise_id, place.team_id, place.team_id is None, user_id=user_id
            )

    async def _of_workspace(self, team_id: str | None) -> Installation | None:
        """A job knows the workspace, not the organization around it; workspace ids are unique without it."""
        if team_id is None:
            return None
        async with self.storage.reading() as store:
            return next((one for one in await store.installations.all() if one.team_id == team_id), None)

    async def _may_refresh(self, record: Installation) -> bool:
        async with self.storage.writing() as store:
            return await store.claims.run(REFRESH_JOB, self._slot(record), self._worker, self._clock(), REFRESH_LEASE)

    async def _refresh(self, record: Installation, refresh: Secret) -> None:
        answer = await self._client.oauth_v2_access(
            client_id=self._settings.slack_client_id or "",
            client_secret=self._settings.slack_client_secret.reveal() if self._settings.slack_client_secret else "",
            grant_type="refresh_token",
            refresh_token=refresh.reveal(),
        )
        renewed = _installation(record)
        renewed.bot_token = answer["access_token"]
        renewed.bot_refresh_token = answer["refresh_token"]
        renewed.bot_token_expires_at = int(self._told_at(answer).timestamp()) + int(answer["expires_in"])
        async with self.storage.writing() as store:
            # Slack may have told meanwhile that the app was removed, or installed anew: then these are nobody's tokens.
            await store.installations.renew(_record(renewed), record.installed_at)
            await store.claims.done(REFRESH_JOB, self._slot(record), self._clock())

    def _told_at(self, answer: AsyncSlackResponse) -> datetime:
        """When Slack answered, by its own clock: a token ends by that one, and ours may be put back by hours."""
        told = next((str(value) for name, value in answer.headers.items() if name.lower() == "date"), "")
        try:
            return parsedate_to_datetime(told)
        except ValueError:
            return self._clock()

    @staticmethod
    def _slot(record: Installation) -> str:
        """One slot per token that ends: a refresh token works once, so one copy of the bot may use it."""
        expires = record.bot_token_expires_at
        return f"{record.enterprise_id or ''}/{record.team_id or ''}/{expires.isoformat() if expires else ''}"


class States(AsyncOAuthStateStore):
    """One-time words that prove an installation began here: consumed by one statement, so never twice."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self._clock = clock

    async def async_issue(self, *args: object, **kwargs: object) -> str:  # noqa: ARG002 - Bolt's signature
        state = secrets.token_urlsafe(32)
        async with self.storage.writing() as store:
            await store.oauth_states.issue(state, self._clock(), self._clock() + STATE_LASTS)
        return state

    async def async_consume(self, state: str) -> bool:
        async with self.storage.writing() as store:
            return await store.oauth_states.consume(state, self._clock())


class Pages:
    """The two pages of an installation: where it starts, and where Slack sends people back to."""

    def __init__(self, settings: Settings, client: AsyncWebClient, installations: Installations, clock: Clock) -> None:
        states = States(installations.storage, clock)
        self._flow = AsyncOAuthFlow(
            client=client,
            logger=log,
            settings=AsyncOAuthSettings(
                client_id=settings.slack_client_id,
                client_secret=settings.slack_client_secret.reveal() if settings.slack_client_secret else None,
                scopes=scopes(),
                user_scopes=[],
                redirect_uri=f"{(settings.public_url or '').rstrip('/')}{REDIRECT_PATH}",
                authorization_url=settings.slack_authorize_url,
                installation_store=installations,
                state_store=states,
                state_expiration_seconds=int(STATE_LASTS.total_seconds()),
                logger=log,
            ),
        )

    async def install(self, request: web.Request) -> web.Response:
        return await to_aiohttp_response(await self._flow.handle_installation(await to_bolt_request(request)))

    async def redirect(self, request: web.Request) -> web.Response:
        return await to_aiohttp_response(await self._flow.handle_callback(await to_bolt_request(request)))


def watch_removals(slack: AsyncApp, store: Installations | None, authorizer: Authorizer) -> None:
    """Forget tokens the moment Slack says they are gone: from memory always, from the store when they lie there."""

    slack.middleware(_ForgetRevoked(store, authorizer))


class _ForgetRevoked(AsyncMiddleware):
    """A class, not a function: for a function Bolt prepares all arguments there are, for every request there is."""

    def __init__(self, store: Installations | None, authorizer: Authorizer) -> None:
        self._store = store
        self._authorizer = authorizer

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt calls by name
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's name
    ) -> BoltResponse | None:
        event = req.body.get("event")
        if isinstance(event, dict) and event.get("type") in GONE:
            await self._forget(event, req.body.get("event_time"), req.context)
        return await next()

    async def _forget(self, event: dict[str, Any], told_at: object, context: AsyncBoltContext) -> None:
        tokens = event.get("tokens")
        if event["type"] == "app_uninstalled" or (isinstance(tokens, dict) and tokens.get("bot")):
            self._authorizer.forget(context.enterprise_id, context.team_id)
            if self._store is not None:
                moment = datetime.fromtimestamp(told_at, UTC) if isinstance(told_at, int) else self._store.now()
                await self._store.forget_made_until(context.enterprise_id, context.team_id, moment + CLOCKS_DIFFER)
            log.info("the app was removed", extra={"workspace": context.team_id})


def _record(installation: SlackInstallation) -> Installation:
    """Slack's installation as we keep it. No user token is ever asked for; none is kept."""

    def moment(seconds: float | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def sealed(text: str | None) -> Secret | None:
        return Secret(text) if text else None

    return Installation(
        app_id=installation.app_id,
        enterprise_id=installation.enterprise_id,
        enterprise_name=installation.enterprise_name,
        team_id=installation.team_id,
        team_name=installation.team_name,
        is_enterprise_install=bool(installation.is_enterprise_install),
        user_id=installation.user_id,
        bot_token=sealed(installation.bot_token),
        bot_id=installation.bot_id,
        bot_user_id=installation.bot_user_id,
        bot_scopes=tuple(installation.bot_scopes or ()),
        installed_at=datetime.fromtimestamp(installation.installed_at, UTC),
        bot_refresh_token=sealed(installation.bot_refresh_token),
        bot_token_expires_at=moment(installation.bot_token_expires_at),
        token_type=installation.token_type,
    )


def _installation(record: Installation) -> SlackInstallation:
    expires = record.bot_token_expires_at
    return SlackInstallation(
        app_id=record.app_id,
        enterprise_id=record.enterprise_id,
        enterprise_name=record.enterprise_name,
        team_id=record.team_id,
        team_name=record.team_name,
        bot_token=record.bot_token.reveal() if record.bot_token else None,
        bot_id=record.bot_id,
        bot_user_id=record.bot_user_id,
        bot_scopes=list(record.bot_scopes),
        bot_refresh_token=record.bot_refresh_token.reveal() if record.bot_refresh_token else None,
        bot_token_expires_at=None if expires is None else int(expires.timestamp()),
        user_id=record.user_id,
        is_enterprise_install=record.is_enterprise_install,
        token_type=record.token_type,
        installed_at=record.installed_at.timestamp(),
    )
