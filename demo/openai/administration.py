"""Administration: the organization as its owners see it: projects, keys, people, limits, and who changed what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from demo.openai.answers import Query, Refused, answer, body_of, listed, not_found, text_field
from demo.openai.behaviour import Behaviour
from demo.openai.levers import Levers
from demo.openai.limits import Limits
from demo.openai.organization import AdminKey, Organization, Person, Project, ProjectKey, redacted
from finops.periods import minute_of

_AUDIT_FILTERS = ("project_ids", "event_types", "actor_ids", "actor_emails", "resource_ids")


class Administration:
    """One organization's administration endpoints for one request, already admitted with `key`."""

    def __init__(
        self,
        organization: Organization,
        levers: Levers,
        behaviour: Behaviour,
        clock: Callable[[], datetime],
        key: AdminKey,
    ) -> None:
        self.organization = organization
        self.levers = levers
        self.behaviour = behaviour
        self.now = clock()
        self.key = key
        self.limits = Limits(organization, levers, behaviour, self.now)

    # -- projects

    async def list_projects(self, request: web.Request) -> web.Response:
        query = self._query(request)
        with_archived = query.flag("include_archived")
        shown = [one for one in self.organization.in_order() if with_archived or one.archived_at is None]
        return listed([_project(one) for one in shown], query)

    async def get_project(self, request: web.Request) -> web.Response:
        return answer(_project(self._project(request)))

    async def create_project(self, request: web.Request) -> web.Response:
        name = text_field(await body_of(request), "name")
        project = self.organization.open_project(name, self.now, is_twin=True)
        self._audit("project.created", project, {"id": project.id, "data": {"name": name, "title": name}})
        return answer(_project(project))

    async def rename_project(self, request: web.Request) -> web.Response:
        project, name = self._open_project(request), text_field(await body_of(request), "name")
        project.name = name
        self._audit("project.updated", project, {"id": project.id, "changes_requested": {"title": name}})
        return answer(_project(project))

    async def archive_project(self, request: web.Request) -> web.Response:
        project = self._open_project(request)
        self.levers.watch([project], minute_of(self.now))
        project.archived_at = self.now
        self._audit("project.archived", project, {"id": project.id})
        return answer(_project(project))

    # -- keys of a project

    async def list_keys(self, request: web.Request) -> web.Response:
        project, query = self._project(request), self._query(request)
        query.choice("owner_project_access", ("active", "inactive", "any"), "active")
        return listed([self._project_key(project, key) for key in project.keys], query)

    async def get_key(self, request: web.Request) -> web.Response:
        project, key = self._key(request)
        return answer(self._project_key(project, key))

    async def delete_key(self, request: web.Request) -> web.Response:
        project, key = self._key(request)
        if key.service_account_id is not None:
            raise Refused(400, "API keys owned by a service account are deleted with the service account.")
        self.levers.watch([project], minute_of(self.now))
        project.keys.remove(key)
        self._audit("api_key.deleted", project, {"id": key.id})
        return answer({"object": "organization.project.api_key.deleted", "id": key.id, "deleted": True})

    async def list_service_accounts(self, request: web.Request) -> web.Response:
        project = self._project(request)
        accounts = [_service_account(project)] if self._account_keys(project) else []
        return listed(accounts, self._query(request))

    async def delete_service_account(self, request: web.Request) -> web.Response:
        """Deleting an account takes its keys along: the one way to end a service account's key."""
        project, identifier = self._project(request), request.match_info["service_account_id"]
        keys = self._account_keys(project)
        if identifier != project.service_account_id or not keys:
            raise not_found("Service account", identifier)
        self.levers.watch([project], minute_of(self.now))
        project.keys = [key for key in project.keys if key not in keys]
        self._audit("service_account.deleted", project, {"id": identifier})
        return answer({"object": "organization.project.service_account.deleted", "id": identifier, "deleted": True})

    def _account_keys(self, project: Project) -> list[ProjectKey]:
        return [key for key in project.keys if key.service_account_id == project.service_account_id]

    # -- levers

    async def list_rate_limits(self, request: web.Request) -> web.Response:
        limits = self.limits.rate_limits(self._project(request))
        return listed(limits, self._query(request), default=100)

    async def update_rate_limit(self, request: web.Request) -> web.Response:
        project, identifier = self._open_project(request), request.match_info["rate_limit_id"]
        return answer(self.limits.set_rate_limit(project, identifier, await body_of(request), self.key))

    async def get_model_permissions(self, request: web.Request) -> web.Response:
        return answer(self.limits.model_permissions(self._project(request)))

    async def set_model_permissions(self, request: web.Request) -> web.Response:
        project = self._open_project(request)
        self.limits.set_model_permissions(project, await body_of(request))
        return answer(self.limits.model_permissions(project))

    async def delete_model_permissions(self, request: web.Request) -> web.Response:
        self.limits.delete_model_permissions(self._open_project(request))
        return answer({"object": "project.model_permissions.deleted", "deleted": True})

    async def get_spend_limit(self, request: web.Request) -> web.Response:
        return answer(self.limits.spend_limit(self._limited(request)))

    async def set_spend_limit(self, request: web.Request) -> web.Response:
        limited = self._limited(request, must_be_open=True)
        self.limits.set_spend_limit(limited, await body_of(request))
        return answer(self.limits.spend_limit(limited))

    async def delete_spend_limit(self, request: web.Request) -> web.Response:
        limited = self._limited(request, must_be_open=True)
        self.limits.delete_spend_limit(limited)
        kind = "project" if isinstance(limited, Project) else "organization"
        return answer({"object": f"{kind}.spend_limit.deleted", "deleted": True})

    def _limited(self, request: web.Request, *, must_be_open: bool = False) -> Project | Organization:
        if "project_id" not in request.match_info:
            return self.organization
        return self._open_project(request) if must_be_open else self._project(request)

    # -- people and their traces

    async def list_admin_keys(self, request: web.Request) -> web.Response:
        query = self._query(request)
        usable = [self._admin_key(key) for key in self.organization.admin_keys if key.is_usable(self.now)]
        is_descending = query.choice("order", ("asc", "desc"), "asc") == "desc"
        return listed(usable[::-1] if is_descending else usable, query)

    async def get_admin_key(self, request: web.Request) -> web.Response:
        identifier = request.match_info["key_id"]
        for key in self.organization.admin_keys:
            if key.id == identifier and key.is_usable(self.now):
                return answer(self._admin_key(key))
        raise not_found("Admin API key", identifier)

    async def list_users(self, request: web.Request) -> web.Response:
        return listed([self._user(person) for person in self.organization.people], self._query(request))

    async def get_user(self, request: web.Request) -> web.Response:
        identifier = request.match_info["user_id"]
        for person in self.organization.people:
            if person["id"] == identifier:
                return answer(self._user(person))
        raise not_found("User", identifier)

    async def list_audit_logs(self, request: web.Request) -> web.Response:
        query = self._query(request)
        wanted = {name: frozenset(values) for name in _AUDIT_FILTERS if (values := query.array(name))}
        bounds = {
            sign: bound
            for sign in ("gt", "gte", "lt", "lte")
            if (bound := query.integer(f"effective_at[{sign}]")) is not None
        }
        events = [event for event in reversed(self.organization.audit) if _is_wanted(event, wanted, bounds)]
        return listed(events, query)

    # -- helpers

    def _query(self, request: web.Request) -> Query:
        return Query(request, self.behaviour.arrays)

    def _project(self, request: web.Request) -> Project:
        identifier = request.match_info["project_id"]
        project = self.organization.projects.get(identifier)
        if project is None:
            raise not_found("Project", identifier)
        return project

    def _open_project(self, request: web.Request) -> Project:
        """A project that may be changed: nothing can be done to an archived one."""
        project = self._project(request)
        if project.archived_at is not None:
            raise Refused(400, f"Project '{project.id}' is archived and cannot be changed.", code="project_archived")
        return project

    def _key(self, request: web.Request) -> tuple[Project, ProjectKey]:
        project, identifier = self._project(request), request.match_info["api_key_id"]
        for key in project.keys:
            if key.id == identifier:
                return project, key
        raise not_found("API key", identifier)

    def _audit(self, kind: str, project: Project, detail: Any) -> None:
        self.organization.write_audit(kind, self.now, self.key, project, detail)

    def _project_key(self, project: Project, key: ProjectKey) -> dict[str, Any]:
        person = self.organization.people[0]
        if key.service_account_id:
            account = {name: value for name, value in _service_account(project).items() if name != "object"}
            owner: dict[str, Any] = {"type": "service_account", "service_account": account}
        else:
            created_at = _unix(self.organization.begun_at)
            owner = {"type": "user", "user": {**person, "created_at": created_at}}
        used_at = self.now if key.id == project.main_key_id else key.last_used_at
        return {
            "object": "organization.project.api_key",
            "redacted_value": redacted(key.secret),
            "name": key.name,
            "created_at": _unix(key.created_at),
            "last_used_at": _unix(used_at) if used_at else None,
            "id": key.id,
            "owner_project_access": "active",
            "owner": owner,
        }

    def _admin_key(self, key: AdminKey) -> dict[str, Any]:
        person = self.organization.people[0]
        return {
            "object": "organization.admin_api_key",
            "id": key.id,
            "name": key.name,
            "redacted_value": key.redacted,
            "created_at": _unix(key.created_at or self.organization.begun_at),
            "expires_at": _unix(key.expires_at) if key.expires_at else None,
            "last_used_at": _unix(key.last_used_at) if key.last_used_at else None,
            "owner": {
                "type": "user",
                "object": "organization.user",
                "id": person["id"],
                "name": person["name"],
                "created_at": _unix(self.organization.begun_at),
                "role": person["role"],
            },
        }

    def _user(self, person: Person) -> dict[str, Any]:
        return {"object": "organization.user", **person, "added_at": _unix(self.organization.begun_at)}


def _project(project: Project) -> dict[str, Any]:
    archived_at = project.archived_at
    return {
        "id": project.id,
        "object": "organization.project",
        "name": project.name,
        "created_at": _unix(project.created_at),
        "archived_at": _unix(archived_at) if archived_at else None,
        "status": "archived" if archived_at else "active",
    }


def _service_account(project: Project) -> dict[str, Any]:
    return {
        "object": "organization.project.service_account",
        "id": project.service_account_id,
        "name": f"{project.name} service",
        "role": "member",
        "created_at": _unix(project.created_at),
    }


def _is_wanted(event: Mapping[str, Any], wanted: Mapping[str, frozenset[str]], bounds: Mapping[str, int]) -> bool:
    actor = event["actor"][event["actor"]["type"]]
    told = {
        "project_ids": {event["project"]["id"]},
        "event_types": {event["type"]},
        "actor_ids": {actor["user"]["id"], actor.get("id")},
        "actor_emails": {actor["user"]["email"]},
        "resource_ids": {event[event["type"]]["id"]},
    }
    at = event["effective_at"]
    is_within = {
        "gt": lambda bound: at > bound,
        "gte": lambda bound: at >= bound,
        "lt": lambda bound: at < bound,
        "lte": lambda bound: at <= bound,
    }
    return all(told[name] & values for name, values in wanted.items()) and all(
        is_within[sign](bound) for sign, bound in bounds.items()
    )


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())
