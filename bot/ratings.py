"""Ratings: the weekly one-tap answer of people, for projects whose applications record nothing."""

from __future__ import annotations

from datetime import date, timedelta

from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from finops.frozen import frozen
from finops.registry import Person, Project
from storage import Store
from storage.errors import NotFound

# An answer is about a week that people still remember.
OLDEST = timedelta(weeks=8)


@frozen
class Rated:
    """What an answer came to: about which project, and whether it took the place of an earlier one, or was the same."""

    project: Project
    score: int
    was_changed: bool
    is_same: bool


class Ratings:
    """Keeps one answer for each person, project and week; another one takes its place, and it can be taken back."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def rate(self, actor: Person, project_id: int, week: date, score: int) -> Rated:
        """Keep what a person says of a project's week (by its Monday); `score` is in thousandths, 0 to 1000."""
        now = self._desk.now()
        self._check(week)
        try:
            async with self._desk.storage.writing() as store:
                project = await _found(store, actor, project_id)
                of_week = await store.ratings.of_week(actor.workspace_id, week)
                before = [one.score for one in of_week.get(project_id, ()) if one.user_id == actor.user_id]
                await store.ratings.give(actor.workspace_id, project_id, week, actor.user_id, score, now)
        except NotFound as error:
            raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=None) from error
        return Rated(project, score, was_changed=bool(before) and before != [score], is_same=before == [score])

    async def take_back(self, actor: Person, project_id: int, week: date) -> Project:
        """Let what a person said of a project's week count no more; the project. Twice is as good as once."""
        self._check(week)
        async with self._desk.storage.writing() as store:
            project = await _found(store, actor, project_id)
            await store.ratings.take_back(actor.workspace_id, project_id, week, actor.user_id)
        return project

    def _check(self, week: date) -> None:
        if week.weekday() != 0 or not timedelta(0) <= self._desk.today() - week <= OLDEST:
            raise Refusal(RefusalCode.RATING_TOO_OLD)


async def _found(store: Store, actor: Person, project_id: int) -> Project:
    project = await store.projects.get(actor.workspace_id, project_id)
    if project is None:
        raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=None)
    return project
