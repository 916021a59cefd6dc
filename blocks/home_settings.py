"""The end of Home: what everybody may look at and tell, then the settings, with buttons only for what is granted."""

from __future__ import annotations

from datetime import timedelta

from blocks import ids, kit
from blocks.digest_parts import DigestKey
from finops.approvals import HomeReader
from finops.figures import HomeReport
from finops.queries import PeriodName, ScopeKind
from locales import Translator

Parts = list[kit.Block | kit.Either]


def doors(report: HomeReport, reader: HomeReader, t: Translator) -> Parts:
    """The ways on from Home. Each opens a window there is anyhow, and whatever else there is lies one press behind."""
    parts: Parts = [kit.actions(*_looking(report, t)), kit.actions(*_doing(report, reader, t))]
    settings = _settings(report, reader, t)
    if settings:
        parts += [kit.divider(), kit.section(t.gettext("*Settings*")), kit.actions(*settings)]
    return parts


def _looking(report: HomeReport, t: Translator) -> list[kit.Block | None]:
    setup = report.setup
    week = f"workspace//{PeriodName.LAST_7_DAYS}"
    start = report.last_week.period.start
    digest = str(DigestKey(ScopeKind.WORKSPACE, None, start - timedelta(days=start.weekday())))
    return [
        kit.button(t.gettext("Last 7 days"), ids.STATUS_SHOW, week) if setup.has_charges else None,
        kit.button(t.gettext("Why it moved"), ids.WHY_SHOW, week) if setup.has_charges else None,
        kit.button(t.gettext("Weekly report"), ids.DIGEST_SHOW, digest) if setup.has_charges else None,
        kit.button(t.gettext("What it changed"), ids.LEARNING_SHOW) if report.actions else None,
        kit.button(t.gettext("Decisions"), ids.DECISION_SHOW) if setup.has_team else None,
        kit.button(t.gettext("Check-up"), ids.DOCTOR_SHOW),
        kit.button(t.gettext("Help"), ids.HELP_SHOW),
    ]


def _doing(report: HomeReport, reader: HomeReader, t: Translator) -> list[kit.Block | None]:
    """Stopping first, for those who may; then what everybody may tell."""
    is_trusted = report.setup.has_projects and _answers(report, reader)
    return [
        kit.button(t.gettext("Stop spending"), ids.STOP_OPEN) if is_trusted else None,
        kit.button(t.gettext("Restore"), ids.STOP_APPROVE) if is_trusted else None,
        kit.button(t.gettext("Poll"), ids.POLL_NEW) if report.setup.has_team else None,
        kit.button(t.gettext("Feedback"), ids.FEEDBACK_OPEN),
        kit.button(t.gettext("Interviews"), ids.INTERVIEW_OPEN),
    ]


def _settings(report: HomeReport, reader: HomeReader, t: Translator) -> list[kit.Block]:
    """Budgets for whoever reads; the rest for those who answer for a team; teams, roles and the trail for admins."""
    if not report.setup.has_team:
        return []
    found: list[kit.Block | None] = [kit.button(t.gettext("Budgets"), ids.BUDGET_MANAGE)]
    if report.is_admin:
        teams = t.gettext("Teams, language, approvers · {count}", count=t.number(report.team_count))
        found.append(kit.button(teams, ids.TEAM_MANAGE))
    if _answers(report, reader):
        projects = t.gettext("Projects")
        if report.is_admin:
            projects = t.gettext("Projects · {count}", count=t.number(report.project_count))
        found += [
            kit.button(projects, ids.PROJECT_MANAGE),
            kit.button(t.gettext("Keys"), ids.KEY_MANAGE),
            kit.button(t.gettext("Digest settings"), ids.DIGEST_SETTINGS),
        ]
    if report.is_admin:
        found.append(kit.button(t.gettext("Currency"), ids.CURRENCY_MANAGE))
        found.append(kit.button(t.gettext("Audit trail"), ids.AUDIT_SHOW))
        found.append(kit.button(t.gettext("Collect now"), ids.COLLECT_NOW) if report.setup.has_key else None)
    return [one for one in found if one is not None]


def _answers(report: HomeReport, reader: HomeReader) -> bool:
    """Whether this person answers for a team, if not for all of them."""
    return report.is_admin or reader.manages
