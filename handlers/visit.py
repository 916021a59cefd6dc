"""A visit: one person asking one thing, and every way to answer them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook import WebhookResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient
from sqlalchemy.exc import SQLAlchemyError

from blocks import kit, setup
from blocks.answered import TOO_RICH, error_code, is_too_rich
from bot import Bot
from bot.home_groups import belonging
from bot.results import Profile
from finops.frozen import frozen
from finops.registry import Person
from finops.roles import Belonging
from handlers.outages import SLACK_FAILS, is_slacks_own
from locales import Translator, translator_for

log = logging.getLogger(__name__)

# Slack tells us of changes as they happen (handlers/hearing.py); what it could not tell is asked for so often.
MEET_AGAIN_AFTER = timedelta(hours=1)
MEET_ADMINS_AGAIN_AFTER = timedelta(minutes=10)
# So long what we know stands in for a Slack that does not answer.
BELIEVED_FOR = timedelta(days=1)
_NOBODY = frozenset({"user_not_found", "user_not_visible"})
# Then nobody belongs to it; whatever else Slack says, somebody may.
_NO_GROUP = frozenset({"no_such_subteam", "plan_upgrade_required"})
# What only one person sees may come twice; better than an answer that never comes.
_PATIENCE_SECONDS = (0.5, 1.5)
SLACKBOT = "USLACKBOT"  # described as no bot: github.com/slackapi/bolt-js/issues/794
_ACTIONS_OF_MESSAGES = frozenset({"actions"})


class WindowClosed(Exception):
    """A window to show something in is no longer open."""


class WindowTooLate(Exception):
    """Slack lets a click open a window for three seconds; they were over."""


@frozen
class Respond:
    """Answers at the address that came with a command or a click.

    Over the connections, and by the TLS rules, of the client for everything else: Bolt's own opens a connection and
    reads the system's certificates for each answer.
    """

    address: str
    client: AsyncWebClient

    async def __call__(self, **message: Any) -> WebhookResponse:
        client = self.client
        webhook = AsyncWebhookClient(
            self.address, timeout=client.timeout, ssl=client.ssl, proxy=client.proxy, session=client.session
        )
        return await webhook.send_dict(message)  # `send` knows of no thread


@dataclass(slots=True)
class Visit:
    """Who asks, where, and how to answer. Nothing is asked of Slack or the database before it is needed."""

    bot: Bot
    client: AsyncWebClient
    workspace_id: str
    workspace_name: str
    user_id: str
    channel_id: str | None = None
    trigger_id: str | None = None
    respond: Respond | None = None
    is_ephemeral: bool = False
    is_direct: bool = False
    view: Mapping[str, Any] | None = None
    # The message that was clicked in; the first one of the thread that was written or clicked in, '' outside of any.
    message: Mapping[str, Any] | None = None
    thread_ts: str = ""
    window: str | None = None
    clicked_at: str = ""
    came_by_socket: bool = False
    # The id of the button, window or command, and what it was about (`budget:12`): for the trail of refusals.
    asked: str = ""
    about: str = ""
    # The organization around our workspace (Enterprise Grid), '' where there is none; a payload may name the reader's.
    organization_id: str = ""
    _person: Person | None = field(default=None, repr=False)
    _present: Person | None = field(default=None, repr=False)

    @property
    def is_in_modal(self) -> bool:
        """Whether the click came from a window rather than a message or Home."""
        return self.view is not None and self.view.get("type") == "modal"

    @property
    def _thread(self) -> dict[str, str]:
        return {"thread_ts": self.thread_ts} if self.thread_ts else {}

    async def known(self) -> Translator:
        """The reader's words as far as we know them without asking Slack: for what must open at once."""
        if self._person is None:
            self._person = await self.bot.people.known(self.workspace_id, self.user_id)
        return self._words_of(self._person)

    async def person(self, *, asks_setup: bool = False) -> Person:
        """Who this is and what they may do now, by our own record; every word of a button aside.

        Slack is asked when we first meet, again after a while, and when somebody may become the first admin.
        """
        if self._present is None:
            self._present = self._person = await self.bot.people.present(self.workspace_id, self.user_id)
        known = self._present
        if known is None or (asks_setup and not known.is_admin):
            if known is not None:
                await self.meet_unseen_admins()
            known = await self._met(asks_setup=asks_setup)
        elif self._is_due(known):
            try:
                known = await self._met()
            except SLACK_FAILS as error:
                if abs(self.bot.clock() - known.seen_at) > BELIEVED_FOR:
                    raise
                log.warning("a person was not looked up again", extra={"error": type(error).__name__})
        self._present = self._person = known
        return known

    def _is_due(self, known: Person) -> bool:
        after = MEET_ADMINS_AGAIN_AFTER if known.is_admin else MEET_AGAIN_AFTER
        # Met by a clock that has been put back since, they would be believed until that moment comes.
        return abs(self.bot.clock() - known.seen_at) > after

    async def _met(self, *, asks_setup: bool = False) -> Person:
        profile = await self.profile(self.user_id)
        return await self.bot.people.meet(self.workspace_id, self.workspace_name, profile, asks_setup=asks_setup)

    async def meet_unseen_admins(self) -> None:
        """Ask Slack about admins not heard of lately: whoever left unnoticed is none, and frees the place."""
        for user_id in await self.bot.people.unseen_admins(self.workspace_id, but=self.user_id):
            try:
                profile = await self.profile(user_id)
            except SlackApiError as error:
                if error_code(error) not in _NOBODY:
                    raise
                profile = Profile(user_id, user_id, is_deactivated=True)
            await self.bot.people.meet(self.workspace_id, self.workspace_name, profile)

    async def words(self) -> Translator:
        """The reader's language and time zone; what we know stands in when Slack, or the database, does not answer.

        Nor where the database takes nothing (a full disk): whoever it cannot remember is told all the same.
        """
        try:
            return self._words_of(await self.person())
        except (*SLACK_FAILS, SQLAlchemyError) as error:
            log.warning("a person could not be looked up", extra={"error": type(error).__name__})
            return self._words_of(self._person)

    def _words_of(self, person: Person | None) -> Translator:
        if person is None:
            return translator_for(self.bot.policy.default_locale, self.bot.policy.default_timezone)
        return translator_for(person.locale, person.timezone)

    async def public_words(self, channel_id: str) -> Translator:
        """The language of a channel: its team's, else the workspace's."""
        workspace = await self.bot.people.workspace(self.workspace_id)
        zone = workspace.timezone if workspace else self.bot.policy.default_timezone
        for team in await self.bot.teams.all(self.workspace_id):
            if team.channel_id == channel_id:
                return translator_for(team.locale, zone)
        return translator_for(workspace.locale if workspace else self.bot.policy.default_locale, zone)

    async def profile(self, user_id: str) -> Profile:
        """A person as Slack describes them now."""
        answer = await self.client.users_info(user=user_id, include_locale=True)
        return self.described(answer["user"], user_id)

    def described(self, user: Mapping[str, Any], user_id: str) -> Profile:
        """A person as one of Slack's objects describes them here."""
        return _described(user, user_id, {self.workspace_id, self.organization_id} - {""})

    async def groups(self) -> Belonging:
        """The user groups named as approvers that this person belongs to now, and those of which Slack does not say.

        Of an administrator, who may everything anyway, and of outsiders, who may nothing, Slack is not asked.
        """
        person = await self.person()
        if person.is_admin or person.is_outsider:
            return Belonging()
        teams = await self.bot.teams.all(self.workspace_id)
        named = sorted({group for team in teams for group in team.approver_groups})
        told = await asyncio.gather(*map(self.members, named))
        return belonging(self.user_id, dict(zip(named, told, strict=True)))

    async def members(self, group: str) -> frozenset[str] | None:
        """Who is in a user group now: nobody where there is no such group, None where Slack does not say."""
        try:
            answer = await self.client.usergroups_users_list(usergroup=group)
        except SlackApiError as error:
            log.info("user group not read", extra={"group": group, "error": error_code(error)})
            return frozenset() if error_code(error) in _NO_GROUP else None
        except SLACK_FAILS as error:
            log.info("user group not read", extra={"group": group, "error": type(error).__name__})
            return None
        return frozenset(answer.get("users") or ())

    async def answer(self, message: kit.Message, *, replaces: bool = False) -> None:
        """Say something to this person only, where they asked. `replaces` takes the place of the message clicked on."""
        if self.respond is not None:
            await self._respond(message, replaces=replaces)
        elif self.is_direct and self.channel_id:
            await posted(self.client, "chat.postMessage", message, channel=self.channel_id, **self._thread)
        elif self.channel_id:
            await self._whisper(message, self.channel_id)
        elif self.trigger_id is not None and self.window is None:
            await self.open(_window(message, await self.words()))
        elif self.window is not None:
            await self.show(_window(message, await self.words()))
        else:
            await posted(self.client, "chat.postMessage", message, channel=self.user_id)

    async def _whisper(self, message: kit.Message, channel_id: str) -> None:
        """Say it where they asked; directly, where Slack shows it to nobody there (archived, left, read-only)."""
        try:
            await posted(
                self.client, "chat.postEphemeral", message, channel=channel_id, user=self.user_id, **self._thread
            )
        except SlackApiError as error:
            if is_slacks_own(error):
                raise
            log.info("not shown in the channel, told directly", extra={"error": error_code(error)})
            await posted(self.client, "chat.postMessage", message, channel=self.user_id)

    async def _respond(self, message: kit.Message, *, replaces: bool) -> None:
        thread = {} if replaces else self._thread
        for is_plain in (False, True):
            answer = await self._responded(
                **message.arguments(plain=is_plain), response_type="ephemeral", replace_original=replaces, **thread
            )
            if answer is not None and took(answer):
                return
            if answer is None or not any(code in answer.body for code in TOO_RICH):
                break
        # The address in a click lives for half an hour and five uses; the person still gets the answer.
        await posted(self.client, "chat.postMessage", message, channel=self.user_id)

    async def _responded(self, **message: Any) -> WebhookResponse | None:
        """What came back from the address of the click, after some patience; None where nothing did.

        A line that broke twice is not tried again: each time the person may have been shown it.
        """
        assert self.respond is not None
        for wait in (*_PATIENCE_SECONDS, None):
            try:
                answer = await self.respond(**message)
            except SLACK_FAILS as error:
                log.warning("no answer where the click came from", extra={"error": type(error).__name__})
                return None
            if wait is None or answer.status_code < 500:
                break
            await asyncio.sleep(wait)
        return answer

    async def open(self, view: kit.View) -> None:
        """Open a window; from inside one, on top of it. A click is good for three seconds and one window."""
        trigger, self.trigger_id = self.trigger_id, None
        if trigger is None:
            raise WindowTooLate
        if self.is_in_modal:
            answer = await self.client.views_push(trigger_id=trigger, view=view)
        else:
            answer = await self.client.views_open(trigger_id=trigger, view=view)
        self.window = answer["view"]["id"]

    async def loading(self) -> None:
        """Open a window at once; what belongs in it follows by `show`."""
        await self.open(setup.loading(await self.known()))

    async def in_place(self) -> None:
        """Take over the window that was clicked in; open one for a click or command from elsewhere."""
        if self.is_in_modal and self.view is not None:
            self.window = self.view["id"]
        else:
            await self.loading()

    async def show(self, view: kit.View) -> None:
        """Fill the open window."""
        if self.window is None:
            raise WindowClosed
        await self.client.views_update(view_id=self.window, view=view)

    async def is_first(self, key: str) -> bool:
        """Whether this click or event is seen for the first time, by any copy of the bot."""
        async with self.bot.storage.writing() as store:
            return await store.claims.once(self.workspace_id, key, self.bot.clock())

    async def take_back(self, key: str) -> None:
        """What was seen for the first time came to nothing: seen again, it is the first time once more."""
        async with self.bot.storage.writing() as store:
            await store.claims.take_back(self.workspace_id, key)


def took(answer: WebhookResponse) -> bool:
    """Whether an answer was shown: Slack says ok, in words or as JSON. A refusal or a gateway's page may be 200 too."""
    if answer.status_code != 200:
        return False
    try:
        told = json.loads(answer.body)
    except ValueError:
        return answer.body.strip() in ("", "ok")
    return isinstance(told, dict) and told.get("ok") is True


def _described(user: Mapping[str, Any], user_id: str, ours: Collection[str]) -> Profile:
    profile = user.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    is_guest = any(user.get(key) for key in ("is_restricted", "is_ultra_restricted", "is_stranger"))
    return Profile(
        user_id=user_id,
        name=next((name for name in names if name), user_id),
        locale=user.get("locale"),
        timezone=user.get("tz"),
        is_workspace_admin=bool(user.get("is_admin") or user.get("is_owner")),
        is_bot=bool(user.get("is_bot")) or user_id == SLACKBOT,
        is_guest=is_guest or _is_of_others(user, ours),
        is_deactivated=bool(user.get("deleted")),
    )


def _is_of_others(user: Mapping[str, Any], ours: Collection[str]) -> bool:
    """Whether somebody belongs to another company, whom a shared channel brings here (Slack Connect).

    `is_stranger` does not say so: it is told only of those with whom we share no channel. `ours` are the workspace and
    the organization around it; whoever belongs to that is no stranger in any of its workspaces.
    """
    home, organization = user.get("team_id"), user.get("enterprise_user") or {}
    theirs = {home, organization.get("enterprise_id"), *(organization.get("teams") or ())}
    return bool(home) and theirs.isdisjoint(ours)


def visit_of(bot: Bot, body: Mapping[str, Any], context: AsyncBoltContext, client: AsyncWebClient) -> Visit:
    """The visit behind a Slack payload. Asks nobody anything."""
    team = body.get("team") or {}
    installed = context.authorize_result
    names = (installed.team if installed else None, team.get("name"), team.get("domain"), body.get("team_domain"))
    container = body.get("container") or {}
    response_url = context.response_url
    return Visit(
        bot=bot,
        client=client,
        workspace_id=context.team_id or context.enterprise_id or "",
        workspace_name=next((name for name in names if name), context.team_id or ""),
        user_id=context.user_id or "",
        channel_id=context.channel_id,
        trigger_id=body.get("trigger_id"),
        respond=Respond(response_url, client) if response_url else None,
        is_ephemeral=bool(container.get("is_ephemeral")),
        view=body.get("view"),
        message=body.get("message"),
        thread_ts=_thread_of(container, body.get("message") or {}),
        organization_id=(installed.enterprise_id if installed else None) or "",
    )


def _thread_of(container: Mapping[str, Any], message: Mapping[str, Any]) -> str:
    """The thread whose reply was clicked; '' for what stands in the channel itself, also if it has replies."""
    thread = container.get("thread_ts") or ""
    is_in_channel = thread == container.get("message_ts") or message.get("subtype") == "thread_broadcast"
    return "" if is_in_channel else thread


async def posted(client: AsyncWebClient, method: str, message: kit.Message, **where: str) -> Any:
    """Post a message; where Slack does not take its blocks (too new, too long together), the same facts in words."""
    try:
        return await client.api_call(method, json={**where, **message.arguments()})
    except SlackApiError as error:
        if not is_too_rich(error):
            raise
        log.warning("blocks refused, plain version sent", extra={"detail": str(error)[:300]})
    return await client.api_call(method, json={**where, **message.arguments(plain=True)})


def _window(message: kit.Message, t: Translator) -> kit.View:
    """A message as a window, for questions asked where there is no channel to answer in."""
    blocks = [block for block in message.plain_blocks if block["type"] not in _ACTIONS_OF_MESSAGES]
    return kit.modal("FinOps", blocks, close=t.gettext("Close"), callback_id="info")


def without_mention(text: str) -> str:
    """What was said to us, without our name in front."""
    return re.sub(r"^\s*(?:<@[A-Z0-9]+(?:\|[^>]*)?>\s*)+", "", text).strip()
