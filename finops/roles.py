"""Roles: who may do what. Asked at the moment of the click, on the server, never taken from a button."""

from __future__ import annotations

from collections.abc import Collection

from finops.registry import Person, Team


def may_manage_team(person: Person, team: Team, groups: Collection[str] = ()) -> bool:
    """Whether a person may act for a team: an admin, its lead, or an approver, by name or through a user group.

    `groups` are the ids of the user groups the person belongs to right now.
    """
    if person.workspace_id != team.workspace_id:
        return False
    if person.is_admin or person.user_id == team.lead_user_id:
        return True
    return person.user_id in team.approvers or any(group in team.approvers for group in groups)
