"""Roles: who may do what. Asked at the moment of the click, on the server, never taken from a button."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from finops.frozen import frozen
from finops.registry import ADMINS, Person, Role, Team


@frozen
class Belonging:
    """The user groups somebody is in, which are what it consists of; and those of which Slack did not say.

    By the latter nobody may more: they only keep a refusal from saying what nobody knows. So hand it on as it is: a
    tuple of it has forgotten them.
    """

    held: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.held))


def role_now(
    person: Person, *, named: Collection[str], installed_by: str | None = None, is_outsider: bool | None = None
) -> Role:
    """The role that holds now: whom the operator names has it; whoever had it keeps it while the reason lasts.

    The installer's reason lasts, and so does that of whoever was an admin already when they installed; the reason of a
    Slack administrator ends with that. `is_outsider` None: as it was when Slack was last asked. Nobody else is
    appointed here: that needs to know whether the workspace has an admin.
    """
    if person.is_outsider if is_outsider is None else is_outsider:
        return Role.OUTSIDER
    if person.user_id in named:
        return Role.ADMIN_NAMED
    if person.role not in ADMINS:
        return Role.MEMBER
    if person.role is Role.ADMIN_INSTALLED or person.user_id == installed_by:
        return Role.ADMIN_INSTALLED
    is_first = person.role in (Role.ADMIN_FIRST, Role.ADMIN) and person.is_workspace_admin
    return Role.ADMIN_FIRST if is_first else Role.MEMBER


def may_manage_team(person: Person, team: Team, groups: Collection[str] = ()) -> bool:
    """Whether a person may act for a team: an admin, its lead, or an approver, by name or through a user group.

    `groups` are the ids of the user groups the person belongs to right now. Outsiders never may.
    """
    if person.workspace_id != team.workspace_id or person.is_outsider:
        return False
    if person.is_admin or person.user_id == team.lead_user_id:
        return True
    return person.user_id in team.approvers or any(group in team.approvers for group in groups)


def may_belong(team: Team, groups: Iterable[str]) -> bool:
    """Whether Slack did not say who is in a user group that approves for a team: then nobody knows who may not."""
    return isinstance(groups, Belonging) and any(group in team.approvers for group in groups.unread)
