"""The registry: who and what an AI bill belongs to. Workspaces, people, teams, connections, keys, projects."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from finops.frozen import frozen

LONGEST_TEAM_NAME = 50


class Role(StrEnum):
    """What a person may do in a workspace, and of an admin why. Approvers are named per team (`Team.approvers`)."""

    ADMIN = "admin"  # appointed before the reasons were kept
    ADMIN_NAMED = "admin_named"  # by the operator
    ADMIN_INSTALLED = "admin_installed"
    ADMIN_FIRST = "admin_first"  # the first Slack administrator who asked for set-up
    MEMBER = "member"
    OUTSIDER = "outsider"  # a guest, a bot, somebody of another company, or deactivated: never more than a reader


ADMINS = frozenset({Role.ADMIN, Role.ADMIN_NAMED, Role.ADMIN_INSTALLED, Role.ADMIN_FIRST})


class CredentialState(StrEnum):
    """Disabled stops our collecting only: applications keep spending with their own keys."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@frozen
class Workspace:
    """A Slack workspace; its id is Slack's team id and stands in every row and every query."""

    id: str
    name: str
    locale: str
    timezone: str
    installed_by: str | None
    created_at: datetime


@frozen
class Person:
    """A person of a workspace, as Slack last described them."""

    workspace_id: str
    user_id: str
    name: str
    role: Role
    locale: str
    timezone: str
    is_workspace_admin: bool
    seen_at: datetime

    @property
    def is_admin(self) -> bool:
        return self.role in ADMINS

    @property
    def is_outsider(self) -> bool:
        """Whether this is nobody of ours, or nobody any more: whoever leads or approves, such a one may not."""
        return self.role is Role.OUTSIDER


@frozen
class Team:
    """Owns projects, has a lead and a channel. `approvers` are Slack user ids (U…, W…) or user group ids (S…)."""

    id: int
    workspace_id: str
    name: str
    lead_user_id: str
    channel_id: str
    locale: str
    approvers: tuple[str, ...]
    created_by: str
    created_at: datetime

    @property
    def approver_groups(self) -> tuple[str, ...]:
        """Those of the approvers that are user groups."""
        return tuple(one for one in self.approvers if one.startswith("S"))


@frozen
class Connection:
    """One provider organization, collected once however many teams registered a key of it.

    Bills and usage are two senses; `blind_since` is since when not both of them see.
    """

    id: int
    workspace_id: str
    provider: str
    organization_id: str | None
    organization_name: str | None
    blind_since: datetime | None
    blind_reason: str | None
    collected_at: datetime | None
    created_at: datetime
    costs_blind: bool = False
    usage_blind: bool = False

    @property
    def name(self) -> str:
        """How it is called in front of people: as its organization, or else as its provider."""
        return self.organization_name or self.organization_id or self.provider


@frozen
class Credential:
    """What may be told about a registered Admin key. The key itself never leaves storage.secrets."""

    id: int
    workspace_id: str
    connection_id: int
    team_id: int
    ends_with: str
    rights: tuple[str, ...]
    state: CredentialState
    registered_by: str
    registered_at: datetime
    expires_at: datetime | None = None  # None: it never does, or the provider would not say


@frozen
class Project:
    """A provider project that a team registered. `provider_project_id` belongs to at most one team of a workspace."""

    id: int
    workspace_id: str
    connection_id: int
    team_id: int
    provider_project_id: str
    name: str
    environment: str | None
    service: str | None
    cost_center: str | None
    lead_user_id: str | None
    excluded: bool
    registered_by: str
    registered_at: datetime


@frozen
class KnownProject:
    """A project the provider told us of, registered or not; names costs that nobody has claimed yet."""

    connection_id: int
    provider_project_id: str
    name: str
    is_archived: bool
    team_id: int | None = None
    team_name: str | None = None
