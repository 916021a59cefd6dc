"""Home, for one reader: what waits for this person's decision. Shared with nobody, and dear only while there is any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot import stop_facts
from bot.desk import Desk
from bot.flights import Flights
from bot.home_groups import HomeGroups, Members
from bot.incident_scopes import whose
from bot.incidents import asking
from bot.stop_rest import beside
from bot.stop_scopes import aim_of
from bot.telling import root_key, stands_at, stop_key
from bot.unowned import UnownedOfWeek
from finops.approvals import ApprovalShown, HomeReader, WaitingFor, asks, is_own_wish, waits_for
from finops.frozen import frozen
from finops.incident_report import IncidentShown
from finops.incidents import Incident
from finops.money import Money
from finops.queries import ScopeKind
from finops.registry import Person, Team
from finops.roles import Belonging, may_belong, may_manage_team
from finops.stop_report import StopTarget
from finops.stops import Stop
from storage import Store

APPROVALS_SHOWN = 5
_ORDER = list(WaitingFor)


@frozen
class _Standing:
    """What everybody's list is made from: stops that are not over, each with whoever decides about it (None: admins)
    and with its incident."""

    teams: Sequence[Team]
    stops: Sequence[tuple[Stop, Team | None, Incident | None]]


@frozen
class _Candidate:
    kind: WaitingFor
    team: Team | None
    stop: Stop | None = None
    of: Incident | None = None  # the stop's own
    incident: IncidentShown | None = None  # where nothing was stopped yet


class HomeReaders:
    """Finds what waits for a person, and whether they answer for a team.

    Where nothing is stopped or asked for, it costs two short queries, and Slack is hardly ever asked (HomeGroups).
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._standing = Flights(self._read)
        self._asking = Flights(self._read_asking)
        self._unowned = UnownedOfWeek(desk)
        self._groups = HomeGroups(desk)

    async def of(
        self, person: Person, incidents: Sequence[IncidentShown], members: Members, *, open_count: int = 0,
        unowned_of: Money | None = None,
    ) -> HomeReader:  # fmt: skip
        """What waits for this person, of the stops there are and of the open incidents.

        `incidents` are those of `open_count` that Home shows: where there are more, all are looked through.
        `members` asks Slack who is in a user group, where that could make a difference and was not told lately.
        `unowned_of`: what the week cost, where part of it is nobody's: whoever registers projects is told whose it may
        be.
        """
        standing = await self._standing.get(person.workspace_id)
        if open_count > len(incidents):
            incidents = await self._asking.get(person.workspace_id)
        found = self._candidates(standing, incidents, person)
        groups = await self._belonging(standing, person, found, members, is_wide=unowned_of is not None)
        reader = await self._waiting(standing, person, found, groups)
        if unowned_of is None or not reader.manages:
            return reader
        costs = await self._unowned.of(person.workspace_id, unowned_of)
        mine = {team.id for team in standing.teams if may_manage_team(person, team, groups.held)}
        likely = (one.suggested.team_id for one in costs.largest if one.suggested is not None)
        team = next((one for one in likely if one in mine), None)
        return replace(reader, unowned=costs.largest, unowned_count=costs.count, unowned_team=team)

    async def _belonging(
        self, standing: _Standing, person: Person, found: Sequence[_Candidate], members: Members, *, is_wide: bool
    ) -> Belonging:
        """The user groups that make a difference to this person: whether they answer for a team at all, and what waits
        for them; `is_wide`: also for which teams they answer."""
        if person.is_outsider:
            return Belonging()
        others = [team for team in standing.teams if not may_manage_team(person, team)]
        if not is_wide and len(others) < len(standing.teams):
            others = [one.team for one in found if one.team is not None and not _may(person, one.team)]
        named = {group for team in others for group in team.approver_groups}
        return await self._groups.of(person.workspace_id, person.user_id, named, members)

    async def _waiting(
        self, standing: _Standing, person: Person, found: Sequence[_Candidate], groups: Belonging
    ) -> HomeReader:
        manages = any(may_manage_team(person, team, groups.held) for team in standing.teams)
        mine = [one for one in found if _may(person, one.team, groups.held)]
        rest = [one.team for one in found if one.team is not None and not _may(person, one.team, groups.held)]
        lacks_groups = any(may_belong(team, groups) for team in rest)
        mine.sort(key=lambda one: _ORDER.index(one.kind))  # and within a kind the oldest first, as they were found
        asked = [] if person.is_outsider else self._asked(standing, person)
        shown, waiting = list[ApprovalShown](), list[ApprovalShown]()
        if mine or asked:
            now = self._desk.now()
            async with self._desk.storage.reading() as store:
                shown = [await _shown(store, one, now) for one in mine[:APPROVALS_SHOWN]]
                waiting = [await _shown(store, one, now) for one in asked[:APPROVALS_SHOWN]]
        return HomeReader(
            tuple(shown), len(mine), manages or bool(mine), lacks_groups=lacks_groups, asked=tuple(waiting),
            asked_count=len(asked),
        )  # fmt: skip

    def _asked(self, standing: _Standing, person: Person) -> list[_Candidate]:
        """What this person asked a second one for, whoever decides about it."""
        now = self._desk.now()
        return [
            _Candidate(WaitingFor.SECOND, team, stop, incident)
            for stop, team, incident in standing.stops
            if is_own_wish(stop, person.user_id, now)
        ]

    def _candidates(self, standing: _Standing, incidents: Sequence[IncidentShown], person: Person) -> list[_Candidate]:
        """What waits for somebody, whoever that is, but not for another than this person by name."""
        now, found = self._desk.now(), list[_Candidate]()
        for stop, team, incident in standing.stops:
            kind = waits_for(stop, incident, person.user_id, now)
            if kind is not None:
                found.append(_Candidate(kind, team, stop, incident))
        decided = {stop.incident_id for stop, _, _ in standing.stops}
        for shown in incidents:
            if asks(shown) and shown.incident.id not in decided:
                found.append(_Candidate(WaitingFor.LIMIT, shown.team, incident=shown))
        return found

    async def _read(self, workspace_id: str) -> _Standing:
        async with self._desk.storage.reading() as store:
            teams = await store.teams.all(workspace_id)
            active = await store.stops.active(workspace_id)
            owners: dict[int, int] = {}
            if any(stop.scope_kind is ScopeKind.PROJECT for stop in active):
                owners = {one.id: one.team_id for one in await store.projects.all(workspace_id)}
            open_ones = {one.id: one for one in await store.incidents.open_ones(workspace_id)} if active else {}
            by_id = {team.id: team for team in teams}
            found = []
            for stop in active:
                team = await _team_of(store, stop, by_id, owners)
                found.append((stop, team, open_ones.get(stop.incident_id)))
        return _Standing(teams, found)

    async def _read_asking(self, workspace_id: str) -> Sequence[IncidentShown]:
        async with self._desk.storage.reading() as store:
            return await asking(store, workspace_id, self._desk.now())


async def _team_of(store: Store, stop: Stop, teams: dict[int, Team], owners: dict[int, int]) -> Team | None:
    """Whose word counts for a stop; None: the administrators' alone."""
    if stop.scope_kind is ScopeKind.WORKSPACE:
        return None
    if stop.scope_kind is ScopeKind.TEAM:
        return teams.get(stop.scope_id or 0)
    owner = owners.get(stop.scope_id or 0)
    if owner is not None:
        return teams.get(owner)
    # Its project was let go of since: whoever answers for what is held does.
    return (await aim_of(store, stop.workspace_id, StopTarget(stop_id=stop.id))).team


async def _shown(store: Store, one: _Candidate, now: datetime) -> ApprovalShown:
    """One thing with everything that is said of it, and where its message stands."""
    if one.stop is None:
        assert one.incident is not None, "a candidate is a stop or an incident"
        workspace_id, key = one.incident.incident.workspace_id, root_key(one.incident.incident.id or 0)
        return ApprovalShown(one.kind, incident=one.incident, place=await stands_at(store, workspace_id, key))
    shown = await stop_facts.shown(store, one.stop, with_saved=False, told_at=now)
    if one.kind is WaitingFor.RESTORE and one.of is not None:
        found = await whose(store, one.of.workspace_id, one.of.scope_kind, one.of.scope_id)
        shown = replace(shown, rest=await beside(store, one.of, one.stop, found.projects))
    workspace_id = one.stop.workspace_id
    place = await stands_at(store, workspace_id, stop_key(one.stop.id or 0))
    if place is None and one.stop.incident_id is not None:
        place = await stands_at(store, workspace_id, root_key(one.stop.incident_id))
    return ApprovalShown(one.kind, stop=shown, place=place)


def _may(person: Person, team: Team | None, groups: frozenset[str] = frozenset()) -> bool:
    return person.is_admin if team is None else may_manage_team(person, team, groups)
