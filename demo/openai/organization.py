"""Organization: the projects, keys, people and audit trail that one Admin key opens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from demo.trace import Trace

USAGE_READ, MANAGEMENT_READ, MANAGEMENT_WRITE = "api.usage.read", "api.management.read", "api.management.write"
ALL_RIGHTS = frozenset({USAGE_READ, MANAGEMENT_READ, MANAGEMENT_WRITE})
DEFAULT_ORGANIZATION = "org-hanbitsoft"
DEFAULT_REQUESTS_PER_MINUTE, DEFAULT_TOKENS_PER_MINUTE = 10_000, 2_000_000
Person = Mapping[str, str]
"""Somebody of the organization: id, name, email and role."""


class KeyState(StrEnum):
    """A key that is not active is answered like a wrong one."""

    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(slots=True)
class AdminKey:
    """An Admin key of an organization and what it may do."""

    secret: str
    name: str = "FinOps"
    rights: frozenset[str] = ALL_RIGHTS
    state: KeyState = KeyState.ACTIVE
    expires_at: datetime | None = None
    created_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def id(self) -> str:
        return f"key_{digest(self.secret, 16)}"

    @property
    def redacted(self) -> str:
        return redacted(self.secret)

    def is_usable(self, now: datetime) -> bool:
        return self.state is KeyState.ACTIVE and (self.expires_at is None or now < self.expires_at)


@dataclass(slots=True)
class ProjectKey:
    """A key an application calls models with. It opens nothing of the organization."""

    id: str
    secret: str
    name: str
    created_at: datetime
    service_account_id: str | None = None
    last_used_at: datetime | None = None


@dataclass(slots=True)
class SpendLimit:
    """A hard limit as somebody set it, and since which minute it counts; None is the removal of a limit."""

    cents: int | None
    counts_from: int


@dataclass(slots=True)
class Project:
    """One project and every lever on it, as last set."""

    id: str
    name: str
    application: str  # whose traffic is billed to it; keeps when the project is renamed
    created_at: datetime
    archived_at: datetime | None = None
    keys: list[ProjectKey] = field(default_factory=list)
    service_account_id: str = ""
    main_key_id: str = ""  # all traffic of the application comes from it; a bill keeps naming a deleted key
    spend_limits: list[SpendLimit] = field(default_factory=list)  # oldest first
    model_permissions: dict[str, Any] | None = None
    rate_limits: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def spend_limit_cents(self) -> int | None:
        """The limit as it stands, whether it bites yet or not."""
        return self.spend_limits[-1].cents if self.spend_limits else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate: one organization, its traffic and its keys. Projects without traffic may be added by name."""

    trace: Trace
    id: str = DEFAULT_ORGANIZATION
    name: str = "한빛소프트"
    admin_keys: Sequence[AdminKey] = ()
    idle_projects: Sequence[str] = ()
    archived_projects: Sequence[str] = ()


class Organization:
    """The registry of one organization; it knows nothing of traffic or money."""

    def __init__(self, plan: Plan, begun_at: datetime) -> None:
        self.id, self.name = plan.id, plan.name
        self.begun_at = begun_at
        self.admin_keys = list(plan.admin_keys) or [AdminKey(fresh_admin_key())]
        self.spend_limits: list[SpendLimit] = []
        self.audit: list[dict[str, Any]] = []
        self.projects: dict[str, Project] = {}
        self.people = tuple(_person(self.id, *one) for one in _PEOPLE)
        # Whoever uses one of our names gets one project of it, in use.
        for name in dict.fromkeys((*plan.trace.applications, *plan.idle_projects, *plan.archived_projects)):
            project = self.open_project(name, begun_at - timedelta(days=30, minutes=int(digest(name, 3), 16)))
            if name in plan.archived_projects and name not in plan.trace.applications:
                project.archived_at = begun_at

    @property
    def spend_limit_cents(self) -> int | None:
        return self.spend_limits[-1].cents if self.spend_limits else None

    def in_order(self) -> list[Project]:
        """Projects in the order in which they were made, as a list of them is told."""
        return sorted(self.projects.values(), key=lambda project: (project.created_at, project.id))

    def named(self, name: str) -> Project:
        """The project of an application."""
        return self.projects[project_id(name, self.id)]

    def open_project(self, name: str, at: datetime, *, is_twin: bool = False) -> Project:
        """Add a project. Its ids follow from its name; one made later (a twin, maybe) gets ids of its own."""
        identity = f"{name}\n{secrets.token_hex(4)}" if is_twin else name
        account = f"svc_acct_{digest(f'{self.id}{identity}', 16)}"
        identifier = project_id(identity, self.id)
        application = identifier if is_twin else name
        project = Project(identifier, name, application, at, service_account_id=account)
        for purpose, owner in (("production", account), ("ci", None)):
            key_id = f"key_{digest(f'{project.id}{purpose}', 16)}"
            # A secret for the simulator only: it follows from the name so that a story can be told twice.
            secret = f"sk-proj-{digest(f'secret{key_id}', 40)}"
            project.keys.append(ProjectKey(key_id, secret, f"{name} {purpose}", at, owner))
        project.main_key_id = project.keys[0].id
        self.projects[project.id] = project
        return project

    def person(self, name: str | None = None) -> Person:
        """Somebody by name, or an owner. Raises KeyError for a name nobody here has."""
        for person in self.people:
            if name in (None, person["name"]):
                return person
        raise KeyError(name)

    def write_audit(self, kind: str, at: datetime, actor: AdminKey | Person, project: Project, detail: Any) -> None:
        """Add an event to the audit log, newest last: done by an owner's key, or by a person in a browser."""
        person = self.people[0] if isinstance(actor, AdminKey) else actor
        user = {"id": person["id"], "email": person["email"]}
        if isinstance(actor, AdminKey):
            told: dict[str, Any] = {"type": "api_key", "api_key": {"id": actor.id, "type": "user", "user": user}}
        else:
            told = {"type": "session", "session": {"user": user, "ip_address": "203.0.113.7"}}
        self.audit.append(
            {
                "id": f"audit_log-{digest(f'{self.id}{len(self.audit)}', 24)}",
                "type": kind,
                "effective_at": int(at.timestamp()),
                "project": {"id": project.id, "name": project.name},
                "actor": told,
                kind: detail,
            }
        )


_PEOPLE = (("jihoon.lee", "이지훈", "owner"), ("minsu.kim", "김민수", "reader"), ("seoyeon.park", "박서연", "reader"))


def _person(organization_id: str, account: str, name: str, role: str) -> Person:
    identifier = f"user-{digest(f'{organization_id}{account}', 20)}"
    return {"id": identifier, "email": f"{account}@hanbitsoft.example", "name": name, "role": role}


def project_id(name: str, organization_id: str = DEFAULT_ORGANIZATION) -> str:
    """The id of the project of an application: always the same for the same name and organization."""
    return f"proj_{digest(f'{organization_id}/{name}', 24)}"


def fresh_admin_key(ends_with: str = "abc1") -> str:
    """A new Admin key secret with a recognisable end."""
    return f"sk-admin-{secrets.token_urlsafe(36)}{ends_with}"


def redacted(secret: str) -> str:
    """What may be shown of a key: its kind and its end."""
    kind = next((known for known in ("sk-admin-", "sk-proj-", "sk-svcacct-", "sk-") if secret.startswith(known)), "")
    return f"{kind}***{secret[-4:]}" if len(secret) > 8 else "***"


def digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
