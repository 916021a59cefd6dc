"""One project in detail: by name, from a list, a report or Home; the same window for everybody, with fewer buttons."""

from __future__ import annotations

from blocks import project_detail
from finops.project_report import ProjectReport
from finops.queries import PeriodName
from handlers import projects
from handlers.teams import number
from handlers.visit import Visit

DEFAULT_PERIOD = PeriodName.LAST_30_DAYS


async def command(visit: Visit, words: str) -> None:
    """`/finops project` lists a team's projects; with a name it shows that one, to anybody."""
    if not words.strip():
        await projects.manage(visit)
        return
    await visit.in_place()
    project = await visit.bot.project_details.named(await visit.person(), words)
    await show(visit, project.id, DEFAULT_PERIOD)


async def detail(visit: Visit, value: str) -> None:
    """A button or menu that names a project, and maybe a period after a slash."""
    await visit.loading()
    project_id, name, _ = parted(value)
    await show(visit, project_id, name)


async def period(visit: Visit, value: str) -> None:
    """Another period was chosen in the window."""
    await visit.in_place()
    project_id, name, _ = parted(value)
    await show(visit, project_id, name)


def parted(value: str) -> tuple[int, str, str]:
    """The project, period and rest of what the window's buttons carry: `project:12/last_30_days/5`."""
    project_id, _, rest = value.removeprefix("project:").partition("/")
    name, _, rest = rest.partition("/")
    return number(project_id), name or DEFAULT_PERIOD, rest


async def show(visit: Visit, project_id: int, period_name: str, notice: str | None = None) -> None:
    """Fill the open window with a project."""
    report = await report_of(visit, project_id, period_name)
    await visit.show(project_detail.view(report, await visit.words(), notice))


async def report_of(visit: Visit, project_id: int, period_name: str) -> ProjectReport:
    """Everything about a project that this person may see."""
    person, groups = await visit.person(), await visit.groups()
    return await visit.bot.project_details.of(person, project_id, period_name, groups)
