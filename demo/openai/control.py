"""Control: `/_sim/openai/…`, where a story or a stranger decides how the provider behaves and fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from aiohttp import web

from demo.openai.answers import Refused, answer
from demo.openai.behaviour import BadSetting, decimal_of
from demo.openai.faults import BadFault, Fault
from demo.openai.limits import Limits
from demo.openai.organization import ALL_RIGHTS, AdminKey, KeyState, Organization, Project, fresh_admin_key
from demo.openai.traffic import HOUR
from demo.openai.turns import HUNDRED, Turn
from demo.openai.usage import FAMILIES, Deed
from finops.periods import minute_of, moment_of

if TYPE_CHECKING:
    from demo.openai.server import SimulatedOpenAI

ROOT = "/_sim/openai"
MOST_MINUTES = 1440


class BadOrder(ValueError):
    """The control request cannot be carried out; the text says what it should look like."""


def routes(openai: SimulatedOpenAI) -> list[web.RouteDef]:
    """Every control route; each answers with what stands after it."""
    control = Control(openai)
    orders: tuple[tuple[str, str, Callable[[Mapping[str, Any]], Any]], ...] = (
        ("GET", "state", control.state),
        ("GET", "calls", control.calls),
        ("GET", "faults", control.faults),
        ("POST", "faults", control.add_fault),
        ("DELETE", "faults", control.clear_faults),
        ("GET", "behaviour", control.behaviour),
        ("POST", "behaviour", control.set_behaviour),
        ("POST", "restate", control.restate),
        ("POST", "boost", control.boost),
        ("POST", "turn", control.turn),
        ("POST", "usage", control.add_usage),
        ("GET", "limits", control.limits),
        ("POST", "limits", control.change_limits),
        ("GET", "traffic", control.traffic),
        ("POST", "keys", control.add_key),
        ("POST", "keys/revoke", control.revoke_key),
        ("POST", "reset", control.reset),
    )
    return [web.route(method, f"{ROOT}/{name}", _heard(order)) for method, name, order in orders]


def _heard(order: Callable[[Mapping[str, Any]], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            told = await request.json() if request.can_read_body else {}
            if not isinstance(told, dict):
                raise BadOrder("send a JSON object.")
            return answer({"ok": True, **order({**request.query, **told})})
        except Refused as refused:
            return answer({"ok": False, "error": str(refused)}, 400)
        except (BadFault, BadSetting, BadOrder) as error:
            return answer({"ok": False, "error": str(error)}, 400)
        except KeyError as error:
            return answer({"ok": False, "error": f"missing or unknown: {error.args[0]}."}, 400)
        except ValueError as error:
            return answer({"ok": False, "error": f"not understood: {error}."}, 400)

    return handle


class Control:
    """The orders of `/_sim/openai/…`, each from a JSON object to a JSON object."""

    def __init__(self, openai: SimulatedOpenAI) -> None:
        self.openai = openai

    def state(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Where everything is: organizations, projects and the keys of their applications."""
        return {
            "url": self.openai.url,
            "now": self.openai.clock().isoformat(),
            "anchor": self.openai.anchor.isoformat(),
            "prices": self.openai.prices.source,
            "organizations": [
                {
                    "id": tenant.organization.id,
                    "name": tenant.organization.name,
                    "admin_keys": [
                        {"name": key.name, "secret": key.secret, "rights": sorted(key.rights), "state": key.state}
                        for key in tenant.organization.admin_keys
                    ],
                    "projects": [
                        {"id": project.id, "name": project.name, "keys": [key.secret for key in project.keys]}
                        for project in tenant.organization.in_order()
                    ],
                }
                for tenant in self.openai.tenants.values()
            ],
        }

    def calls(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"calls": [call._asdict() | {"at": call.at.isoformat()} for call in self.openai.calls]}

    def faults(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"faults": [asdict(fault) for fault in self.openai.faults.standing], "played": self.openai.faults.played}

    def add_fault(self, told: Mapping[str, Any]) -> dict[str, Any]:
        self.openai.faults.add(Fault.read(told))
        return self.faults({})

    def clear_faults(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self.openai.faults.clear()
        return self.faults({})

    def behaviour(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"behaviour": self.openai.behaviour.as_json()}

    def set_behaviour(self, told: Mapping[str, Any]) -> dict[str, Any]:
        self.openai.behaviour.set(told)
        return self.behaviour({})

    def restate(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """`{"day": "2026-11-01", "project": "doc-summary", "factor": "0.9", "delta": "-1.50"}`."""
        self.openai.restate(
            date.fromisoformat(str(told["day"])),
            told.get("project"),
            factor=decimal_of("factor", told.get("factor", Decimal(1))),
            delta=decimal_of("delta", told.get("delta", Decimal(0))),
            organization_id=told.get("organization_id"),
        )
        tenant = self.openai.tenant(told.get("organization_id"))
        return {"restatements": len(tenant.bill.restatements)}

    def boost(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """`{"application": "chatbot-experiment", "factor": 15, "since": "2026-11-21T05:00:00Z"}`; since: now."""
        since = _moment(told["since"]) if told.get("since") else self.openai.clock()
        factor = Fraction(decimal_of("factor", told["factor"]))
        if factor < 0:
            raise BadOrder("factor is zero or more.")
        self.openai.boost(told["application"], factor, since, told.get("organization_id"))
        return {"application": told["application"], "factor": str(told["factor"]), "since": since.isoformat()}

    def turn(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """From the next hour (or `since`) on, `percent` of an application's calls go another way.

        `{"application": "doc-summary", "percent": 80, "from_model": "gpt-4o", "to_model": "gpt-4o-mini"}`; without
        models, that share of its uncached input comes from the cache.
        """
        since = minute_of(_moment(told["since"]) if told.get("since") else self.openai.clock())
        percent = int(told["percent"])
        if not 0 < percent <= HUNDRED:
            raise BadOrder(f"percent is between 1 and {HUNDRED}.")
        application, to_model = str(told["application"]), str(told.get("to_model", ""))
        known = self.openai.tenant(told.get("organization_id")).traffic.models_of(application)
        from_model = str(told.get("from_model", known[0] if to_model and known else ""))
        if to_model and from_model not in known:
            raise BadOrder(f"{application} calls {', '.join(known) or 'no model'}, not {from_model}.")
        turn = Turn(application, -(-since // HOUR), percent, from_model, to_model)
        self.openai.turn(turn, told.get("organization_id"))
        return turn._asdict() | {"since": moment_of(turn.since * HOUR).isoformat()}

    def add_usage(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """`{"family": "web_search_calls", "application": …, "counts": {…}, "line_item": …, "usd": "0.10"}`."""
        if told["family"] not in FAMILIES or told["family"] == "completions":
            others = ", ".join(name for name in FAMILIES if name != "completions")
            raise BadOrder(f"family is one of {others}; completions come from the trace.")
        at = _moment(told["at"]) if told.get("at") else self.openai.clock()
        deed = Deed(
            family=told["family"],
            application=told["application"],
            minute=minute_of(at),
            counts={str(name): int(count) for name, count in told["counts"].items()},
            model=told.get("model"),
            dimensions={str(name): str(value) for name, value in told.get("dimensions", {}).items()},
            line_item=told.get("line_item", told["family"].replace("_", " ")),
            usd=decimal_of("usd", told.get("usd", Decimal(0))),
        )
        self.openai.add_usage(deed, told.get("organization_id"))
        return {"family": deed.family, "at": at.isoformat()}

    def add_key(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """`{"name": …, "rights": ["api.usage.read"], "expires_in_seconds": 60, "ends_with": "abc1"}`."""
        rights = frozenset(told.get("rights", ALL_RIGHTS))
        if not rights <= ALL_RIGHTS:
            raise BadOrder(f"rights are among {', '.join(sorted(ALL_RIGHTS))}.")
        now, seconds = self.openai.clock(), told.get("expires_in_seconds")
        key = AdminKey(
            told.get("secret") or fresh_admin_key(told.get("ends_with", "abc1")),
            name=told.get("name", "FinOps"),
            rights=rights,
            expires_at=None if seconds is None else now + timedelta(seconds=int(seconds)),
            created_at=now,
        )
        self.openai.tenant(told.get("organization_id")).organization.admin_keys.append(key)
        return {"secret": key.secret, "id": key.id, "rights": sorted(rights)}

    def limits(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """What is set on every project; `{"organization_id": …}` for another organization than the first."""
        tenant = self.openai.tenant(told.get("organization_id"))
        limits = self._limits(told)
        organization = tenant.organization
        return {
            "organization_spend_limit": _unless_missing(limits.spend_limit, organization),
            "projects": [
                {
                    "id": project.id,
                    "name": project.name,
                    "is_archived": project.archived_at is not None,
                    "spend_limit": _unless_missing(limits.spend_limit, project),
                    "model_permissions": _unless_missing(limits.model_permissions, project),
                    "rate_limits": limits.rate_limits(project),
                }
                for project in organization.in_order()
            ],
        }

    def change_limits(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody changes limits on the provider's own pages: bodies as the provider takes them, null removes.

        `{"project": "chat", "by": "박서연", "spend_limit": {…} | null, "model_permissions": {…} | null,
        "rate_limits": {"gpt-5": {"max_requests_per_1_minute": 5}}}`; what is not named stays.
        """
        organization, limits = self.openai.tenant(told.get("organization_id")).organization, self._limits(told)
        project, person = organization.named(told["project"]), organization.person(told.get("by"))
        if "spend_limit" in told:
            if told["spend_limit"] is None:
                limits.delete_spend_limit(project)
            else:
                limits.set_spend_limit(project, _object(told["spend_limit"]))
        if "model_permissions" in told:
            if told["model_permissions"] is None:
                limits.delete_model_permissions(project)
            else:
                limits.set_model_permissions(project, _object(told["model_permissions"]))
        for model, changes in _object(told.get("rate_limits", {})).items():
            limits.set_rate_limit(project, f"rl-{model}", _object(changes), person)
        return {"by": person["name"], **self.limits(told)}

    def _limits(self, told: Mapping[str, Any]) -> Limits:
        tenant = self.openai.tenant(told.get("organization_id"))
        return Limits(tenant.organization, tenant.levers, self.openai.behaviour, self.openai.clock())

    def traffic(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """`?project=chat&minutes=60`: what became of the calls of the last whole minutes (`minute`: since 1970)."""
        minutes = int(told.get("minutes", 60))
        if not 1 <= minutes <= MOST_MINUTES:
            raise BadOrder(f"minutes is between 1 and {MOST_MINUTES}.")
        tenant = self.openai.tenant(told.get("organization_id"))
        project, now = tenant.organization.named(told["project"]), minute_of(self.openai.clock())
        keys = [(project.application, model) for model in tenant.traffic.models_of(project.application)]
        points = []
        for minute in range(now - minutes, now):
            answered = sum(tenant.traffic.minute(key, minute).requests for key in keys)
            refused = tenant.levers.refused(project, minute)
            asked = answered + refused.limited + refused.others
            points.append(
                {
                    "minute": minute,
                    "asked": asked,
                    "answered": answered,
                    "refused": asked - answered,
                    "refused_429": refused.limited,
                }
            )
        return {"project": project.name, "minutes": points}

    def revoke_key(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """`{"ends_with": "abc1"}`: every Admin key with that end stops working."""
        ends_with = str(told["ends_with"])
        revoked = 0
        for tenant in self.openai.tenants.values():
            for key in tenant.organization.admin_keys:
                if key.secret.endswith(ends_with) and key.state is KeyState.ACTIVE:
                    key.state, revoked = KeyState.REVOKED, revoked + 1
        return {"revoked": revoked}

    def reset(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self.openai.reset()
        return {}


def _unless_missing(told: Callable[[Any], dict[str, Any]], limited: Project | Organization) -> dict[str, Any] | None:
    try:
        return told(limited)
    except Refused:
        return None


def _object(told: Any) -> Mapping[str, Any]:
    if not isinstance(told, Mapping):
        raise BadOrder(f"limits are told as JSON objects, not {told!r}.")
    return told


def _moment(told: Any) -> datetime:
    moment = datetime.fromisoformat(str(told))
    if moment.tzinfo is None:
        raise BadOrder(f"a time needs a zone, such as 2026-11-21T05:00:00Z, not {told!r}.")
    return moment
