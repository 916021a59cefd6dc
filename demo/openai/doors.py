"""Doors: who may enter. Admin keys open the organization, project keys open models, and neither opens the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from aiohttp import web

from demo.openai.answers import Refused
from demo.openai.organization import (
    MANAGEMENT_READ,
    MANAGEMENT_WRITE,
    USAGE_READ,
    AdminKey,
    Organization,
    Project,
    ProjectKey,
    redacted,
)

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY)."
)
_ADVICE = (
    "Check that you have the correct role in your organization (Reader, Writer, Owner) and project (Member, Owner), "
    "and if you're using a restricted API key, that it has the necessary scopes."
)
_USAGE_PATHS = ("/v1/organization/costs", "/v1/organization/usage/")


def needed_right(request: web.Request) -> str:
    """The right a request to the organization needs."""
    if request.path.startswith(_USAGE_PATHS):
        return USAGE_READ
    return MANAGEMENT_READ if request.method == "GET" else MANAGEMENT_WRITE


def admit(request: web.Request, organizations: Iterable[Organization], now: datetime) -> tuple[Organization, AdminKey]:
    """The organization and key of an administration request; anything else is refused as the provider refuses it."""
    secret = bearer(request)
    right = needed_right(request)
    for organization in organizations:
        for key in organization.admin_keys:
            if key.secret == secret and key.is_usable(now):
                if right not in key.rights:
                    raise missing_scope(right)
                key.last_used_at = now
                return organization, key
        if find_project_key(organization, secret) is not None:
            raise missing_scope(right)
    raise _incorrect(secret)


def admit_application(
    request: web.Request, organizations: Iterable[Organization], now: datetime
) -> tuple[Organization, Project, ProjectKey]:
    """The project of a call to a model. An Admin key makes no such calls."""
    secret = bearer(request)
    for organization in organizations:
        if any(key.secret == secret and key.is_usable(now) for key in organization.admin_keys):
            raise missing_scope("model.request")
        if (found := find_project_key(organization, secret)) is not None:
            project, key = found
            if project.archived_at is not None:
                message = f"The project you are requesting has been archived and is no longer accessible: {project.id}"
                raise Refused(401, message, code="project_archived")
            key.last_used_at = now
            return organization, project, key
    raise _incorrect(secret)


def find_project_key(organization: Organization, secret: str) -> tuple[Project, ProjectKey] | None:
    for project in organization.projects.values():
        for key in project.keys:
            if key.secret == secret:
                return project, key
    return None


def bearer(request: web.Request) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Refused(401, _NO_KEY)
    return secret.strip()


def missing_scope(scope: str) -> Refused:
    message = f"You have insufficient permissions for this operation. Missing scopes: {scope}. {_ADVICE}"
    return Refused(403, message)


def _incorrect(secret: str) -> Refused:
    message = (
        f"Incorrect API key provided: {redacted(secret)}. "
        "You can find your API key at https://platform.openai.com/account/api-keys."
    )
    return Refused(401, message, code="invalid_api_key")
