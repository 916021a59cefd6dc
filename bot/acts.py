"""What is recorded of an act: ids and facts by name, with the names things had then. Amounts are decimal strings."""

from __future__ import annotations

from bot.keys import owner_name
from finops.amounts import as_typed
from finops.budget_report import ScopeChoice
from finops.budgets import BudgetScope, BudgetTerms
from finops.incidents import Fact
from finops.registry import Connection, Credential, Project, Team
from storage import Store


def team_facts(team: Team) -> dict[str, Fact]:
    """A team as it is: who leads it, who approves, where it is told."""
    return {
        "name": team.name,
        "lead": team.lead_user_id,
        "channel": team.channel_id,
        "approvers": ",".join(team.approvers),
        "locale": team.locale,
    }


def key_facts(credential: Credential, team: Team | None, connection: Connection | None) -> dict[str, Fact]:
    """What may be told about a key: whose it is and its last characters. Never the key."""
    organization = None if connection is None else owner_name(connection.organization_name, connection.organization_id)
    return {
        "team_id": credential.team_id,
        "team": team.name if team is not None else None,
        "connection_id": credential.connection_id,
        "organization": organization,
        "ends_with": credential.ends_with,
        "rights": " ".join(credential.rights),
        "expires_at": None if credential.expires_at is None else credential.expires_at.isoformat(),
    }


def project_facts(project: Project) -> dict[str, Fact]:
    """A project as it is: what it is called here and there, whose it is and what for."""
    return {
        "name": project.name,
        "provider_project_id": project.provider_project_id,
        "team_id": project.team_id,
        "environment": project.environment,
        "service": project.service,
        "cost_center": project.cost_center,
        "lead": project.lead_user_id,
        "is_excluded": project.excluded,
    }


def budget_facts(terms: BudgetTerms, name: str) -> dict[str, Fact]:
    """What was decided about a budget. `name` is that of its team or project."""
    return {
        "scope": ScopeChoice(terms.scope_kind, terms.scope_id).key,
        "name": name,
        "period": terms.period.value,
        "amount": as_typed(terms.amount),
        "currency": terms.amount.currency,
        "levels": list(terms.levels),
        "action": terms.action.value,
        "floor": as_typed(terms.floor) if terms.floor else None,
        "channel": terms.channel_id,
        "needs_two": terms.needs_two,
    }


def changes_of(before: dict[str, Fact], after: dict[str, Fact]) -> dict[str, Fact]:
    """What is different: `<name>_before` and `<name>_after` of every fact that changed."""
    told: dict[str, Fact] = {}
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            told |= {f"{name}_before": before.get(name), f"{name}_after": after.get(name)}
    return told


async def scope_name(store: Store, workspace_id: str, terms: BudgetTerms) -> str:
    """The name of the team or project a budget is of; nothing for wider ones, and for what is gone."""
    if terms.scope_kind is BudgetScope.TEAM:
        team = await store.teams.get(workspace_id, terms.scope_id or 0)
        return team.name if team is not None else ""
    if terms.scope_kind is BudgetScope.PROJECT:
        project = await store.projects.get(workspace_id, terms.scope_id or 0)
        return project.name if project is not None else ""
    return ""
