"""Limits: what is set on a project, told and changed in the provider's words, whoever changes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from demo.openai.answers import Refused, not_found, text_field, whole_number
from demo.openai.behaviour import Behaviour
from demo.openai.levers import Levers
from demo.openai.organization import (
    DEFAULT_REQUESTS_PER_MINUTE,
    DEFAULT_TOKENS_PER_MINUTE,
    AdminKey,
    Organization,
    Person,
    Project,
    SpendLimit,
)
from finops.periods import minute_of

RATE_LIMIT_FIELDS = (
    "max_requests_per_1_minute",
    "max_tokens_per_1_minute",
    "max_images_per_1_minute",
    "max_audio_megabytes_per_1_minute",
    "max_requests_per_1_day",
    "batch_1_day_max_input_tokens",
)

# What a project starts with, and what no limit of a project may be above.
_OF_THE_ORGANIZATION = {
    "max_requests_per_1_minute": DEFAULT_REQUESTS_PER_MINUTE,
    "max_tokens_per_1_minute": DEFAULT_TOKENS_PER_MINUTE,
}


class Limits:
    """The limits of one organization at one moment. What may not be changed is refused as the provider refuses it.

    Batches are not told apart, so `batch_1_day_max_input_tokens` is kept and told, and holds nothing back.
    """

    def __init__(self, organization: Organization, levers: Levers, behaviour: Behaviour, now: datetime) -> None:
        self.organization = organization
        self.levers = levers
        self.behaviour = behaviour
        self.now = now

    # -- what is set

    def spend_limit(self, limited: Project | Organization) -> dict[str, Any]:
        """The hard limit and whether it refuses calls now. Refused (404) where none is set."""
        if limited.spend_limit_cents is None:
            raise _no_limit(limited)
        minute = minute_of(self.now)
        if isinstance(limited, Project):
            kind, blocks = "project", self.levers.blocks(limited, minute)
        else:
            kind, blocks = "organization", self.levers.organization_blocks(minute)
        return {
            "object": f"{kind}.spend_limit",
            "threshold_amount": limited.spend_limit_cents,
            "currency": "USD",
            "interval": "month",
            "enforcement": {"status": "enforcing" if blocks else "inactive"},
        }

    def model_permissions(self, project: Project) -> dict[str, Any]:
        """The allow or deny list. Refused (404) where none is set."""
        if project.model_permissions is None:
            raise not_found("Model permissions of project", project.id)
        return {"object": "project.model_permissions", **project.model_permissions}

    def rate_limits(self, project: Project) -> list[dict[str, Any]]:
        """Every model the organization uses can be limited in every project."""
        return [self.rate_limit(project, model) for model in self._models()]

    def rate_limit(self, project: Project, model: str) -> dict[str, Any]:
        limits = _OF_THE_ORGANIZATION | project.rate_limits.get(model, {})
        return {"object": "project.rate_limit", "id": f"rl-{model}", "model": model, **limits}

    def _models(self) -> list[str]:
        return sorted({model for _, model in self.levers.traffic.series})

    # -- changing it

    def set_spend_limit(self, limited: Project | Organization, body: Mapping[str, Any]) -> None:
        cents = whole_number(body, "threshold_amount", 1)
        for name, only in (("currency", "USD"), ("interval", "month")):
            if text_field(body, name) != only:
                message = f"Invalid value: '{body[name]}'. Supported values are: '{only}'."
                raise Refused(400, message, param=name, code="invalid_value")
        self._change_limit(limited, cents)

    def delete_spend_limit(self, limited: Project | Organization) -> None:
        if limited.spend_limit_cents is None:
            raise _no_limit(limited)
        self._change_limit(limited, None)

    def _change_limit(self, limited: Project | Organization, cents: int | None) -> None:
        """A limit counts from the first whole minute after it has spread through the provider."""
        projects = [limited] if isinstance(limited, Project) else list(limited.projects.values())
        self.levers.watch(projects, minute_of(self.now))
        counts_from = -(-(int(self.now.timestamp()) + self.behaviour.enforcement_seconds) // 60)
        limited.spend_limits.append(SpendLimit(cents, counts_from))

    def set_model_permissions(self, project: Project, body: Mapping[str, Any]) -> None:
        mode, models = text_field(body, "mode"), body.get("model_ids")
        if mode not in ("allow_list", "deny_list"):
            message = f"Invalid value: '{mode}'. Supported values are: 'allow_list', 'deny_list'."
            raise Refused(400, message, param="mode", code="invalid_value")
        if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
            raise Refused(400, "Invalid type for 'model_ids'.", param="model_ids", code="invalid_type")
        self.levers.watch([project], minute_of(self.now))
        project.model_permissions = {"mode": mode, "model_ids": models}

    def delete_model_permissions(self, project: Project) -> None:
        if project.model_permissions is None:
            raise not_found("Model permissions of project", project.id)
        self.levers.watch([project], minute_of(self.now))
        project.model_permissions = None

    def set_rate_limit(
        self, project: Project, identifier: str, body: Mapping[str, Any], actor: AdminKey | Person
    ) -> dict[str, Any]:
        """The limits of a model after some of them were changed; the only change here that the audit log tells of."""
        model = identifier.removeprefix("rl-")
        if model not in self._models() or not identifier.startswith("rl-"):
            raise not_found("Rate limit", identifier)
        if unknown := sorted(set(body) - set(RATE_LIMIT_FIELDS)):
            raise Refused(400, f"Unknown parameter: '{unknown[0]}'.", param=unknown[0], code="unknown_parameter")
        changes = {name: whole_number(body, name, 0) for name in body}
        for name, most in _OF_THE_ORGANIZATION.items():
            if changes.get(name, 0) > most:
                message = f"Invalid '{name}': a project's limit cannot be above the organization's ({most})."
                raise Refused(400, message, param=name, code="integer_above_max_value")
        self.levers.watch([project], minute_of(self.now))
        project.rate_limits.setdefault(model, {}).update(changes)
        detail = {"id": identifier, "changes_requested": changes}
        self.organization.write_audit("rate_limit.updated", self.now, actor, project, detail)
        return self.rate_limit(project, model)


def _no_limit(limited: Project | Organization) -> Refused:
    what = f"project '{limited.id}'" if isinstance(limited, Project) else "this organization"
    return Refused(404, f"No spend limit is configured for {what}.", code="not_found")
