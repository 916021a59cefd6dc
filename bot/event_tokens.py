"""Event tokens: with which an application records its calls. Made and revoked by those who answer for the project."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.teams import Teams
from finops.events import LONGEST_TOKEN_NAME, TOKEN_PREFIX, token_hash
from finops.frozen import frozen
from finops.incidents import Fact
from finops.project_report import TokenShown
from finops.registry import Person, Project
from finops.secret import Secret
from storage import Store
from storage.errors import NotFound
from storage.records_value import EventToken

log = logging.getLogger(__name__)

_RANDOM_BYTES = 32  # 43 letters
MOST_TOKENS = 20


@frozen
class TokenMade:
    """A new token. `token` is told this once: only its hash is kept."""

    token: Secret
    shown: TokenShown
    project: Project


class EventTokens:
    """Makes and revokes tokens. What they are used for: handlers of `POST /v1/events`."""

    def __init__(self, desk: Desk, teams: Teams) -> None:
        self._desk = desk
        self._teams = teams

    async def of_project(self, actor: Person, project_id: int, groups: Iterable[str] = ()) -> list[TokenShown]:
        """The tokens in force of a project, oldest first, for those who answer for it."""
        await self._managed(actor, project_id, groups)
        async with self._desk.storage.reading() as store:
            return await tokens_of(store, actor.workspace_id, project_id)

    async def make(self, actor: Person, project_id: int, name: str, groups: Iterable[str] = ()) -> TokenMade:
        """Make a token for an application of a project. `name` is what people call that application."""
        project = await self._managed(actor, project_id, groups)
        called = " ".join(name.split())
        if not called:
            raise Refusal(RefusalCode.TOKEN_NAME_MISSING)
        token = Secret(TOKEN_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES))
        try:
            async with self._desk.storage.writing() as store:
                if len(await tokens_of(store, actor.workspace_id, project_id)) >= MOST_TOKENS:
                    raise Refusal(RefusalCode.TOKENS_FULL, limit=MOST_TOKENS)
                kept = await store.event_tokens.add(
                    actor.workspace_id,
                    project_id=project_id,
                    name=called[:LONGEST_TOKEN_NAME],
                    token_hash=token_hash(token.reveal()),
                    ends_with=token.ends_with,
                    by=actor.user_id,
                    at=self._desk.now(),
                )
                await self._recorded(store, actor, "token.made", kept, project)
        except NotFound as error:
            raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=None) from error
        log.info("event token made", extra={"project_id": project_id, "user_id": actor.user_id})
        return TokenMade(token, shown(kept), project)

    async def revoke(
        self, actor: Person, project_id: int, token_id: int, groups: Iterable[str] = ()
    ) -> tuple[Project, TokenShown]:
        """Take a token out of force for good: from the next request on it records nothing."""
        project = await self._managed(actor, project_id, groups)
        async with self._desk.storage.writing() as store:
            own = {one.id for one in await tokens_of(store, actor.workspace_id, project_id)}
            gone = None
            if token_id in own:
                gone = await store.event_tokens.revoke(
                    actor.workspace_id, token_id, by=actor.user_id, at=self._desk.now()
                )
            if gone is None:
                raise Refusal(RefusalCode.UNKNOWN_TOKEN)
            await self._recorded(store, actor, "token.revoked", gone, project)
        log.info("event token revoked", extra={"project_id": project_id, "user_id": actor.user_id})
        return project, shown(gone)

    async def _managed(self, actor: Person, project_id: int, groups: Iterable[str]) -> Project:
        async with self._desk.storage.reading() as store:
            project = await store.projects.get(actor.workspace_id, project_id)
        if project is None:
            raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=None)
        await self._teams.require_manager(actor, project.team_id, groups)
        return project

    async def _recorded(self, store: Store, actor: Person, action: str, token: EventToken, project: Project) -> None:
        told: dict[str, Fact] = {"name": project.name, "token": token.name, "ends_with": token.ends_with}
        told["project_id"] = project.id
        await record(self._desk, store, actor.workspace_id, actor.user_id, action, f"token:{token.id}", told)


async def tokens_of(store: Store, workspace_id: str, project_id: int) -> list[TokenShown]:
    """The tokens of a project that are in force, oldest first."""
    every = await store.event_tokens.of_project(workspace_id, project_id)
    return [shown(one) for one in every if one.revoked_at is None]


def shown(token: EventToken) -> TokenShown:
    """What may be told about a token."""
    return TokenShown(token.id, token.name, token.ends_with, token.created_by, token.created_at, token.last_used_at)
