"""One project in detail: gathered for the person who asks, and the few things its team decides there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.actions import recent
from bot.audit import record
from bot.axes import axes_of_scope
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.event_tokens import tokens_of
from bot.people import People
from bot.reports import Reports
from bot.stop_beside import stop_for
from bot.teams import Teams
from bot.value import by_name, caps_seen
from bot.why import Whys
from finops.amounts import AmountUnusable, amount_typed, as_typed
from finops.caps import Cap, CapsUnreadable, read_caps
from finops.figures import DayFigure, StatusReport, is_comparable, spoken_for
from finops.incidents import Fact
from finops.money import Money
from finops.periods import Period
from finops.project_report import ProjectReport
from finops.queries import ScopeKind
from finops.registry import Person, Project, Team
from finops.roles import may_manage_team
from finops.stop_report import StopShown
from finops.value import Dimension, ValueFigure, ValueRow, added, figure
from storage import Store


class ProjectDetails:
    """Fills the window about one project; members see figures, those who answer for it its tokens as well."""

    def __init__(self, desk: Desk, people: People, teams: Teams, reports: Reports, why: Whys) -> None:
        self._desk = desk
        self._people = people
        self._teams = teams
        self._reports = reports
        self._why = why

    async def named(self, actor: Person, words: str) -> Project:
        """The project meant by the words of a command; refused, with a guess, where there is none."""
        report = await self._reports.status(actor.workspace_id, actor, f"project {words}")
        if report.scope.kind is not ScopeKind.PROJECT:
            raise Refusal(RefusalCode.UNKNOWN_SCOPE, words=words, suggestion=None, choices=())
        return (await self._owned(actor.workspace_id, report.scope.id or 0))[0]

    async def of(self, actor: Person, project_id: int, period_name: str, groups: Iterable[str] = ()) -> ProjectReport:
        """Everything about one project and period, for this person."""
        workspace_id = actor.workspace_id
        project, team = await self._owned(workspace_id, project_id)
        status = await self._reports.status_of(workspace_id, ScopeKind.PROJECT, project_id, period_name)
        may_manage = team is not None and may_manage_team(actor, team, frozenset(groups))
        period = spoken_for(status.figure)
        async with self._desk.storage.reading() as store:
            rows = await store.value.days(workspace_id, period, [project_id])
            seen = await caps_seen(store, workspace_id, period, [project_id])
            target = await store.value_targets.get(workspace_id, project_id)
            last = await store.value.last_event_at(workspace_id, project_id)
            tokens = await tokens_of(store, workspace_id, project_id) if may_manage else None
            actions = await recent(store, workspace_id, project_id)
            stop = await stop_for(store, actor, project, self._desk.now(), groups)
            has_amount = status.figure.amount is not None and period.days > 0
            is_told = has_amount and is_comparable(status.figure, status.previous)
            why = await self._why.of_scope(store, workspace_id, status.scope, period) if is_told else None
            axes = await axes_of_scope(store, workspace_id, status.scope, period) if has_amount else None
        return ProjectReport(
            project=project,
            team=team,
            status=status,
            trend_values=_points(status, rows),
            tasks=tuple(one for one in by_name(rows, Dimension.TASK) if one.name),
            experiments=tuple(one for one in by_name(rows, Dimension.EXPERIMENT) if one.name),
            segments=tuple(one for one in by_name(rows, Dimension.SEGMENT) if one.name),
            why=why,
            axes=axes,
            caps=tuple(seen),
            target=target.cost_per_success if target is not None else None,
            last_event_at=last,
            tokens=tuple(tokens) if tokens is not None else None,
            actions=actions,
            stop=stop,
        )

    async def stop_of(
        self, actor: Person, project_id: int, groups: Iterable[str] = ()
    ) -> tuple[bool, StopShown | None]:
        """Whether this person may stop a project's spending, or put it back; and under what it stands now."""
        async with self._desk.storage.reading() as store:
            project, team = await _owned(store, actor.workspace_id, project_id)
            shown = await stop_for(store, actor, project, self._desk.now(), groups)
        return team is not None and may_manage_team(actor, team, frozenset(groups)), shown

    async def target(self, actor: Person, project_id: int, groups: Iterable[str] = ()) -> tuple[Project, Money | None]:
        """What a success of the project may cost as its team said, for those who may change it."""
        project = await self._managed(actor, project_id, groups)
        async with self._desk.storage.reading() as store:
            found = await store.value_targets.get(actor.workspace_id, project_id)
        return project, found.cost_per_success if found is not None else None

    async def set_target(self, actor: Person, project_id: int, typed: str, groups: Iterable[str] = ()) -> Project:
        """Say what a success of the project may cost; nothing typed takes the target away."""
        project = await self._managed(actor, project_id, groups)
        try:
            wanted = amount_typed(typed) if typed.strip() else None
        except AmountUnusable as error:
            raise Refusal(RefusalCode.TARGET_AMOUNT, mistake=error.mistake) from error
        async with self._desk.storage.writing() as store:
            before = await store.value_targets.get(actor.workspace_id, project_id)
            held = before.cost_per_success if before is not None else None
            if held != wanted:
                now = self._desk.now()
                await store.value_targets.set(actor.workspace_id, project_id, wanted, by=actor.user_id, at=now)
                told: dict[str, Fact] = {"name": project.name, "currency": (wanted or held or Money.zero()).currency}
                told |= {"amount_before": _typed(held), "amount_after": _typed(wanted)}
                subject = f"project:{project.id}"
                await record(self._desk, store, actor.workspace_id, actor.user_id, "target.set", subject, told)
        return project

    async def caps(self, actor: Person) -> Sequence[Cap]:
        """What one call and one user's day may cost here, by segment, the default first. Only admins change it."""
        await self._people.require_admin(actor)
        async with self._desk.storage.reading() as store:
            found = await store.caps.all(actor.workspace_id)
        return [found[segment] for segment in sorted(found)]

    async def set_caps(self, actor: Person, typed: str) -> None:
        """Let other caps hold, as `finops.caps.written` writes them; segments that are not named keep theirs."""
        await self._people.require_admin(actor)
        try:
            wanted = read_caps(typed)
        except CapsUnreadable as error:
            raise Refusal(RefusalCode.CAPS_LINE, line=error.line) from error
        async with self._desk.storage.writing() as store:
            held = await store.caps.all(actor.workspace_id)
            changed = [one for one in wanted if held.get(one.segment) != one]
            for one in changed:
                await store.caps.set(actor.workspace_id, one)
            if changed:
                names = ", ".join(one.segment or "*" for one in changed)
                told: dict[str, Fact] = {"segments": names, "count": len(changed)}
                await record(self._desk, store, actor.workspace_id, actor.user_id, "caps.changed", "caps", told)

    async def _owned(self, workspace_id: str, project_id: int) -> tuple[Project, Team | None]:
        async with self._desk.storage.reading() as store:
            return await _owned(store, workspace_id, project_id)

    async def _managed(self, actor: Person, project_id: int, groups: Iterable[str]) -> Project:
        project, _ = await self._owned(actor.workspace_id, project_id)
        await self._teams.require_manager(actor, project.team_id, groups)
        return project


async def _owned(store: Store, workspace_id: str, project_id: int) -> tuple[Project, Team | None]:
    project = await store.projects.get(workspace_id, project_id)
    if project is None:
        raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=None)
    return project, await store.teams.get(workspace_id, project.team_id)


def _points(status: StatusReport, rows: Sequence[ValueRow]) -> tuple[ValueFigure, ...]:
    """What each point of the trend bought, by the recorded calls alone."""

    def of(point: DayFigure) -> ValueFigure:
        span = Period(point.day, point.day + timedelta(days=point.span_days))
        return figure(added(row.sums for row in rows if row.day in span))

    return tuple(of(point) for point in status.trend)


def _typed(money: Money | None) -> str | None:
    return None if money is None else as_typed(money)
