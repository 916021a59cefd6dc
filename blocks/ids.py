"""The names Slack sends back to us: actions, inputs, views. `value` carries a key, never a name, amount or secret."""

from __future__ import annotations

from typing import Final

# Buttons and menus
SETUP_NEXT: Final = "setup.next"
TEAM_MANAGE: Final = "team.manage"
TEAM_NEW: Final = "team.new"
TEAM_EDIT: Final = "team.edit"
TEAM_APPROVERS: Final = "team.approvers"
KEY_MANAGE: Final = "key.manage"
KEY_TEAM: Final = "key.team"
KEY_NEW: Final = "key.new"
KEY_REPLACE: Final = "key.replace"
KEY_DISABLE: Final = "key.disable"
KEY_ENABLE: Final = "key.enable"
KEY_DELETE: Final = "key.delete"
PROJECT_MANAGE: Final = "project.manage"
PROJECT_TEAM: Final = "project.team"
PROJECT_NEW: Final = "project.new"
PROJECT_FIND: Final = "project.find"
PROJECT_EXCLUDE: Final = "project.exclude"
PROJECT_INCLUDE: Final = "project.include"
PROJECT_UNREGISTER: Final = "project.unregister"
COLLECT_NOW: Final = "collect.now"
STATUS_SHOW: Final = "status.show"
STATUS_SHARE: Final = "status.share"
STATUS_REFRESH: Final = "status.refresh"
HELP_SHOW: Final = "help.show"
DOCTOR_SHOW: Final = "doctor.show"
DOCTOR_PING: Final = "doctor.ping"
# A button that only opens an address is reported to us as well; these need an acknowledgement and nothing else.
LINK: Final = "link."

# Inputs (block id and action id are the same word)
TEAM_NAME: Final = "team_name"
TEAM_LEAD: Final = "team_lead"
TEAM_CHANNEL: Final = "team_channel"
TEAM_APPROVER_PEOPLE: Final = "team_approver_people"
TEAM_APPROVER_GROUPS: Final = "team_approver_groups"
KEY: Final = "key"
PROJECTS: Final = "projects"
PROJECTS_ALL: Final = "projects_all"
PROJECT_TYPED: Final = "project_typed"

# Views
SETUP_TEAM: Final = "setup.team"
SETUP_KEY: Final = "setup.key"
SETUP_KEY_DONE: Final = "setup.key_done"
SETUP_PROJECTS: Final = "setup.projects"
VIEW_TEAM_EDIT: Final = "team.save"
VIEW_TEAM_APPROVERS: Final = "team.save_approvers"
VIEW_KEY_REPLACE: Final = "key.save"
VIEW_INFO: Final = "info"
VIEW_LOADING: Final = "loading"
