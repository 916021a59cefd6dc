"""What budgets may limit, by name: for menus, for files, and for who decides about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

from bot.naming import alike, begun, joined, unknown
from finops.budget_report import Place, ScopeChoice
from finops.budgets import Budget, BudgetScope
from finops.queries import ScopeKind, scope_asked
from finops.registry import Person, Project, Team


class ScopeBook:
    """The teams and projects of a workspace as they are at one moment."""

    def __init__(self, teams: Iterable[Team], projects: Iterable[Project]) -> None:
        self.teams = {one.id: one for one in teams}
        self.projects = {one.id: one for one in projects}

    def choice(self, kind: BudgetScope, id_: int | None) -> ScopeChoice:
        """A scope by name; one that was removed meanwhile says so."""
        if kind is BudgetScope.TEAM:
            team = self.teams.get(id_ or 0)
            return ScopeChoice(kind, id_, team.name) if team else ScopeChoice(kind, id_, is_gone=True)
        if kind is BudgetScope.PROJECT:
            project = self.projects.get(id_ or 0)
            if project is None:
                return ScopeChoice(kind, id_, is_gone=True)
            owner = self.teams.get(project.team_id)
            return ScopeChoice(kind, id_, project.name, owner.name if owner else "", is_excluded=project.excluded)
        return ScopeChoice(kind)

    def team_of(self, place: Place) -> Team | None:
        """Whose scope it is; None for what is everybody's, and for what is gone."""
        kind, id_ = place
        if kind is BudgetScope.TEAM:
            return self.teams.get(id_ or 0)
        project = self.projects.get(id_ or 0) if kind is BudgetScope.PROJECT else None
        return self.teams.get(project.team_id) if project is not None else None

    def may(self, actor: Person, managed: Collection[int], place: Place) -> bool:
        """Whether this person, who manages these teams, decides about budgets of a scope."""
        team = self.team_of(place)
        return actor.is_admin or (team is not None and team.id in managed)

    def covers(self, budget: Budget, place: Place) -> bool:
        """Whether a budget has a say in what a scope may spend; of a team, its projects' budgets belong to it too."""
        its: Place = (budget.scope_kind, budget.scope_id)
        if its == place or budget.scope_kind is BudgetScope.WORKSPACE:
            return True
        if place[0] in {BudgetScope.WORKSPACE, BudgetScope.EVERY_PROJECT}:
            return False
        if budget.scope_kind is BudgetScope.EVERY_PROJECT:
            return True
        owner = self.team_of(place)
        return owner is not None and owner == self.team_of(its) and budget.scope_kind is not place[0]

    def search(self, words: str) -> list[ScopeChoice]:
        """Everything whose name (or provider's id, or team) holds the words: the widest first, then by name."""
        wanted = joined(words)
        wide = [ScopeChoice(BudgetScope.WORKSPACE), ScopeChoice(BudgetScope.EVERY_PROJECT)]
        teams = sorted(self.teams.values(), key=lambda one: (one.name.casefold(), one.id))
        projects = sorted(self.projects.values(), key=lambda one: (one.name.casefold(), one.id))
        return [
            *(wide if not wanted else ()),
            *(self.choice(BudgetScope.TEAM, one.id) for one in teams if wanted in joined(one.name)),
            *(
                self.choice(BudgetScope.PROJECT, one.id)
                for one in projects
                if not one.excluded and wanted in self._spelled[one.id]
            ),
        ]

    def named(self, words: str) -> list[ScopeChoice]:
        """The team of that name, else the projects of that name or provider's id."""
        return self.teams_named(words) or self.projects_named(words)

    def meant(self, words: str) -> ScopeChoice:
        """The team or project a person means: by its name, else by a beginning that no other name has.

        "team X" and "project X" say which of two namesakes X is. Refused with a guess where there is none, with all of
        them where there are several.
        """
        asked = scope_asked(words)
        found = self.named(asked.words) or self._of_kind(asked.kind, asked.name)
        for kind, said in ((None, asked.words), (asked.kind, asked.name)):
            name = begun(said, self._names(kind)) if not found else None
            if name is not None:
                found = self._of_kind(kind, name)
        if not found:
            raise unknown(asked.name or asked.words, self._names(None))
        return found[0]

    def teams_named(self, words: str) -> list[ScopeChoice]:
        """The teams of that name: one, or none."""
        wanted = alike(words)
        return [self.choice(BudgetScope.TEAM, one.id) for one in self.teams.values() if alike(one.name) == wanted]

    def teams_joined(self, words: str) -> list[ScopeChoice]:
        """The teams that are called so but for their blanks: one, or none, or twins older than that rule."""
        wanted = joined(words)
        return [self.choice(BudgetScope.TEAM, one.id) for one in self.teams.values() if joined(one.name) == wanted]

    def projects_named(self, words: str) -> list[ScopeChoice]:
        """The projects of that provider's id, else of that name."""
        wanted = alike(words)
        found = [one for one in self.projects.values() if alike(one.provider_project_id) == wanted]
        found = found or [one for one in self.projects.values() if alike(one.name) == wanted]
        return [self.choice(BudgetScope.PROJECT, one.id) for one in found]

    def is_spoken_of(self, budget: Budget) -> bool:
        """Whether files speak of a budget: those in force on something that is there."""
        return budget.is_enabled and not self.choice(budget.scope_kind, budget.scope_id).is_gone

    def _of_kind(self, kind: ScopeKind | None, name: str) -> list[ScopeChoice]:
        if not name:
            return []
        if kind is None:
            return self.named(name)
        return self.teams_named(name) if kind is ScopeKind.TEAM else self.projects_named(name)

    def _names(self, kind: ScopeKind | None) -> list[str]:
        teams = [one.name for one in self.teams.values() if kind is not ScopeKind.PROJECT]
        return [*teams, *(one.name for one in self.projects.values() if kind is not ScopeKind.TEAM)]

    @cached_property
    def _spelled(self) -> dict[int, str]:
        return {
            one.id: "\n".join(map(joined, (one.name, one.provider_project_id, self._team_name(one))))
            for one in self.projects.values()
        }

    def _team_name(self, project: Project) -> str:
        owner = self.teams.get(project.team_id)
        return owner.name if owner else ""
