"""The end of Home: the ways on, in groups, with buttons only for what is granted."""

from __future__ import annotations

from blocks import ids, kit
from blocks.digest_parts import DigestKey
from finops.approvals import HomeReader
from finops.figures import HomeReport
from finops.periods import monday_of
from finops.queries import PeriodName, ScopeKind
from locales import Translator

Parts = list[kit.Block | kit.Either]


def doors(report: HomeReport, reader: HomeReader, t: Translator) -> Parts:
    """The ways on from Home, in groups with a heading each: what is asked every day first, what stops something last.

    Each opens a window there is anyhow, and whatever else there is lies one press behind. What the moment asks for
    stands at the top of the page, with its alert, its approval or the set-up.
    """
    groups = [
        (t.gettext("*Cost and budgets*"), _looking(report, t)),
        (t.gettext("*Settings*"), _settings(report, reader, t)),
        (t.gettext("*Have your say*"), _saying(report, t)),
        (t.gettext("*Check-up and help*"), _checking(report, t)),
        (t.gettext("*Restore and stop*"), _stopping(report, reader, t)),
    ]
    parts: Parts = []
    for heading, buttons in groups:
        if any(buttons):
            parts += [kit.section(heading), kit.actions(*buttons)]
    return parts


def _looking(report: HomeReport, t: Translator) -> list[kit.Block | None]:
    setup = report.setup
    week = f"workspace//{PeriodName.LAST_7_DAYS}"
    digest = str(DigestKey(ScopeKind.WORKSPACE, None, monday_of(report.last_week.period.start)))
    return [
        kit.button(t.gettext("Last 7 days"), ids.STATUS_SHOW, week) if setup.has_charges else None,
        kit.button(t.gettext("Why it moved"), ids.WHY_SHOW, week) if setup.has_charges else None,
        kit.button(t.gettext("Weekly report"), ids.DIGEST_SHOW, digest) if setup.has_charges else None,
        kit.button(t.gettext("Budgets"), ids.BUDGET_MANAGE) if setup.has_team else None,
        kit.button(t.gettext("What it changed"), ids.LEARNING_SHOW) if report.actions else None,
    ]


def _settings(report: HomeReport, reader: HomeReader, t: Translator) -> list[kit.Block | None]:
    """For those who answer for a team; teams and roles, and what holds for the whole workspace, for admins."""
    if not report.setup.has_team or not _answers(report, reader):
        return []
    projects = t.gettext("Projects")
    if report.is_admin:
        projects = t.gettext("Projects · {count}", count=t.number(report.project_count))
    teams = t.gettext("Teams, language, approvers · {count}", count=t.number(report.team_count))
    return [
        kit.button(projects, ids.PROJECT_MANAGE),
        kit.button(teams, ids.TEAM_MANAGE) if report.is_admin else None,
        kit.button(t.gettext("Keys"), ids.KEY_MANAGE),
        kit.button(t.gettext("Digest settings"), ids.DIGEST_SETTINGS),
        kit.button(t.gettext("Currency"), ids.CURRENCY_MANAGE) if report.is_admin else None,
    ]


def _saying(report: HomeReport, t: Translator) -> list[kit.Block | None]:
    has_team = report.setup.has_team
    return [
        kit.button(t.gettext("Feedback"), ids.FEEDBACK_OPEN),
        kit.button(t.gettext("Poll"), ids.POLL_NEW) if has_team else None,
        kit.button(t.gettext("Decisions"), ids.DECISION_SHOW) if has_team else None,
        kit.button(t.gettext("Interviews"), ids.INTERVIEW_OPEN),
    ]


def _checking(report: HomeReport, t: Translator) -> list[kit.Block | None]:
    """Help and the check-up for everybody; for admins the trail, and a collection out of turn."""
    setup, is_admin = report.setup, report.is_admin
    return [
        kit.button(t.gettext("Help"), ids.HELP_SHOW),
        kit.button(t.gettext("Check-up"), ids.DOCTOR_SHOW),
        kit.button(t.gettext("Audit trail"), ids.AUDIT_SHOW) if is_admin and setup.has_team else None,
        kit.button(t.gettext("Collect now"), ids.COLLECT_NOW) if is_admin and setup.has_key else None,
    ]


def _stopping(report: HomeReport, reader: HomeReader, t: Translator) -> list[kit.Block | None]:
    """For those who may; the last button of the page is the one that interrupts people's work."""
    if not report.setup.has_projects or not _answers(report, reader):
        return []
    return [
        kit.button(t.gettext("Restore"), ids.STOP_APPROVE),
        kit.button(t.gettext("Stop spending"), ids.STOP_OPEN),
    ]


def _answers(report: HomeReport, reader: HomeReader) -> bool:
    """Whether this person answers for a team, if not for all of them."""
    return report.is_admin or reader.manages
