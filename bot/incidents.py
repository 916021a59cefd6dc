"""Incidents: looked at, acknowledged, silenced, judged. Whoever clicks second learns who was first."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from bot import telling
from bot.audit import Act, record, record_all
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.incident_facts import Facts, brief, detailed, gathered, names_of
from bot.incident_scopes import Whose, recipients_of, whose
from bot.incidents_held import held_elsewhere, own_stop
from bot.key_holders import by_id
from bot.people import require_admin, require_manager
from bot.picture import Account
from bot.spending import Spending
from finops.approvals import asks
from finops.budgets import Budget, BudgetOn
from finops.frozen import frozen
from finops.hypotheses import opinions
from finops.incident_report import IncidentDetail, IncidentShown
from finops.incidents import (
    LONGEST_SILENCE,
    Change,
    EventKind,
    Fact,
    Incident,
    IncidentMistake,
    IncidentRefused,
    IncidentState,
    acknowledge,
    end_silence,
    feedback,
    silence,
)
from finops.queries import ScopeKind
from finops.registry import Person
from finops.roles import may_manage_team
from finops.stop_report import AffectedKey
from finops.zones import zone_named
from storage import Store
from storage.errors import Conflict
from storage.records_live import UsageSum

log = logging.getLogger(__name__)

_ATTEMPTS = 3
_NINE = time(9)
# So many "not helpful" in a row, and the person is asked for better levels.
_IN_A_ROW = 2
# What is wrong with the time somebody chose says nothing of the incident: its message shows what it did.
_OF_ITS_TIME = frozenset({IncidentMistake.UNTIL_PASSED, IncidentMistake.UNTIL_TOO_FAR})
# More alerts than that are open only where nobody looks at any of them.
MOST_ASKING = 50
# A person waits for the details: the keys of so many projects are asked for, and told by id where that takes longer.
_KEYS_ASKED_OF = 5
_PATIENCE_SECONDS = 2.0


class Silence(StrEnum):
    """How long alerts can be silenced."""

    HALF_AN_HOUR = "30m"
    AN_HOUR = "1h"
    FOUR_HOURS = "4h"
    TOMORROW = "tomorrow"  # 09:00 of the next day, in the workspace's time zone


_LENGTHS = {
    Silence.HALF_AN_HOUR: timedelta(minutes=30),
    Silence.AN_HOUR: timedelta(hours=1),
    Silence.FOUR_HOURS: timedelta(hours=4),
}


@frozen
class OpinionTaken:
    """A person's opinion of an alert is on record. `is_new`: it was not their last word already.

    `budget_id` names a budget to offer better levels for, and `project_id` the project the alert was about, if it was
    one: alerts of this budget were called unhelpful twice in a row, and this person may change it. `unhelpful` are then
    the incidents of these two opinions, the latest first: one incident twice where two people said so of it.
    """

    is_new: bool
    budget_id: int | None = None
    project_id: int | None = None
    unhelpful: tuple[int, ...] = ()


class Incidents:
    """What people do about an incident, each through one click."""

    def __init__(self, desk: Desk, spending: Spending) -> None:
        self._desk = desk
        self._spending = spending

    async def shown(self, workspace_id: str, incident_id: int) -> IncidentShown:
        """Everything its message says, read now; refused when there is no such incident."""
        async with self._desk.storage.reading() as store:
            facts = await self._gathered(store, workspace_id, incident_id)
        return facts.shown

    async def told(self, workspace_id: str, incident_id: int) -> IncidentShown:
        """What a line of its thread says: events, names and amounts, without history, cause or picture."""
        async with self._desk.storage.reading() as store:
            incident, budget = await self._found(store, workspace_id, incident_id)
            its = await whose(store, workspace_id, incident.scope_kind, incident.scope_id)
            events = await store.incidents.events(workspace_id, incident_id)
            names = await names_of(store, incident, events)
        return replace(brief(incident, budget, its), events=tuple(events), names=names)

    async def detail(self, workspace_id: str, incident_id: int) -> IncidentDetail:
        """Everything the window behind the message says, read now."""
        async with self._desk.storage.reading() as store:
            facts = await self._gathered(store, workspace_id, incident_id)
            found = await detailed(store, facts)
        return replace(found, holders=await self._holders(workspace_id, facts.rows))

    async def _gathered(self, store: Store, workspace_id: str, incident_id: int) -> Facts:
        incident, budget = await self._found(store, workspace_id, incident_id)
        taught = await self._spending.taught(store, workspace_id)
        return await gathered(store, incident, budget, taught, await self._desk.prices.fresh(), self._desk.now())

    async def _holders(self, workspace_id: str, rows: Sequence[UsageSum]) -> dict[str, AffectedKey]:
        """The keys behind a day's usage, of the projects with most of it: outside of any transaction, and briefly."""
        cost: Counter[Account] = Counter()
        for row in rows:
            cost[row.connection_id, row.sub_account_id] += row.atto
        largest = [account for account, _ in cost.most_common(_KEYS_ASKED_OF)]
        return await by_id(self._desk, workspace_id, largest, _PATIENCE_SECONDS)

    async def acknowledge(self, actor: Person, incident_id: int) -> None:
        """Somebody of the channel takes care of it. Refused, naming who, when somebody did before."""

        def decide(incident: Incident, _: BudgetOn, now: datetime) -> Change:
            return acknowledge(incident, actor.user_id, now)

        await self._act(actor, incident_id, decide)

    async def silence(self, actor: Person, incident_id: int, how_long: str, groups: Iterable[str] = ()) -> None:
        """Say nothing more of it for a while. For the team's lead and approvers, and admins."""
        length = Silence(how_long)
        async with self._desk.storage.reading() as store:
            workspace = await store.workspaces.get(actor.workspace_id)
        zone = zone_named(workspace.timezone if workspace else self._desk.policy.default_timezone) or UTC

        def decide(incident: Incident, _: BudgetOn, now: datetime) -> Change:
            return silence(incident, actor.user_id, until(length, now, zone), now)

        await self._act(actor, incident_id, decide, groups)

    async def silence_until(self, actor: Person, incident_id: int, end: datetime, groups: Iterable[str] = ()) -> None:
        """The same until a time of one's own choice. Refused: a time that is past, or more than a week ahead."""

        def decide(incident: Incident, _: BudgetOn, now: datetime) -> Change:
            return silence(incident, actor.user_id, end, now)

        await self._act(actor, incident_id, decide, groups)

    async def silencing(self, actor: Person, incident_id: int, groups: Iterable[str] = ()) -> IncidentShown:
        """What is to be silenced, as a line of its thread says it; refused for who may not, and where it is closed."""
        shown = await self.told(actor.workspace_id, incident_id)
        async with self._desk.storage.reading() as store:
            incident = shown.incident
            found = await whose(store, incident.workspace_id, incident.scope_kind, incident.scope_id)
            await self._require(store, actor, found, groups)
        if incident.state is IncidentState.CLOSED:
            raise Refusal(RefusalCode.INCIDENT_CLOSED)
        return shown

    async def end_silence(self, actor: Person, incident_id: int, groups: Iterable[str] = ()) -> None:
        """Speak of it again. For those who may silence it."""

        def decide(incident: Incident, on: BudgetOn, now: datetime) -> Change:
            return end_silence(incident, on, now, actor.user_id)

        await self._act(actor, incident_id, decide, groups)

    async def feedback(
        self, actor: Person, incident_id: int, groups: Iterable[str] = (), *, is_helpful: bool
    ) -> OpinionTaken:
        """Keep a person's opinion of an alert, which may change; ask for better levels after two bad ones in a row."""
        workspace_id = actor.workspace_id
        async with self._desk.storage.writing() as store:
            incident, budget = await self._found(store, workspace_id, incident_id)
            before = await store.incidents.events(workspace_id, incident_id)
            event = feedback(actor.user_id, self._desk.now(), before, is_helpful=is_helpful)
            is_same = opinions(before).get(actor.user_id) is event.kind
            is_new = not is_same and await store.incidents.add_event(workspace_id, incident_id, event)
            latest = await store.incidents.opinions(workspace_id, budget.id, _IN_A_ROW)
            found = await whose(store, workspace_id, incident.scope_kind, incident.scope_id)
            if is_new:
                told: dict[str, Fact] = {"name": found.scope.name, "is_helpful": is_helpful}
                subject = f"incident:{incident_id}"
                await record(self._desk, store, workspace_id, actor.user_id, "incident.judged", subject, told)
        log.info("alert judged", extra={"incident_id": incident_id, "is_helpful": is_helpful})
        is_bad = is_new and [one.kind for one in latest] == [EventKind.NOT_HELPFUL] * _IN_A_ROW
        if not is_bad or not _may(actor, found, groups):
            return OpinionTaken(is_new)
        return OpinionTaken(is_new, budget.id, _project_of(incident), tuple(one.incident_id for one in latest))

    async def briefly(self, workspace_id: str, incident_ids: Sequence[int]) -> tuple[IncidentShown, ...]:
        """What a line about each of these incidents needs, open or not, in their order; unknown ones are left out."""
        found = []
        async with self._desk.storage.reading() as store:
            for incident_id in incident_ids:
                incident = await store.incidents.get(workspace_id, incident_id)
                its = await _briefly(store, incident, self._desk.now()) if incident is not None else None
                found += [its[0]] if its is not None else []
        return tuple(found)

    async def budget_of(self, workspace_id: str, incident_id: int) -> tuple[int, int | None]:
        """The budget an incident is about, and the project when it is about one; refused when there is no incident."""
        async with self._desk.storage.reading() as store:
            incident, budget = await self._found(store, workspace_id, incident_id)
        return budget.id, _project_of(incident)

    async def _act(
        self,
        actor: Person,
        incident_id: int,
        decide: Callable[[Incident, BudgetOn, datetime], Change],
        groups: Iterable[str] | None = None,
    ) -> None:
        """Decide, keep and tell at once; `groups` given: only for those who may manage the team.

        What a poll or another click changed meanwhile is read again. A refusal has the message drawn anew: whoever
        pressed a stale button sees why.
        """
        desk, workspace_id = self._desk, actor.workspace_id
        for attempt in range(_ATTEMPTS):
            now = desk.now()
            try:
                async with desk.storage.writing() as store:
                    incident, budget = await self._found(store, workspace_id, incident_id)
                    found = await whose(store, workspace_id, incident.scope_kind, incident.scope_id)
                    if groups is not None:
                        await self._require(store, actor, found, groups)
                    change = decide(incident, BudgetOn(budget, found.scope, found.team), now)
                    people = await recipients_of(store, workspace_id, found)
                    await telling.keep(store, change, incident, people, now, is_prompt=True)
                    await self._recorded(store, actor, change, found)
                break
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
            except IncidentRefused as refused:
                if refused.code in _OF_ITS_TIME:
                    raise _explained(refused) from refused
                await self._redraw(refused.incident)
                if _is_own(refused, actor):
                    return  # a second click on the same button: it is done
                raise _explained(refused) from refused
        desk.wake_outbox.set()
        log.info("incident changed by a click", extra={"incident_id": incident_id, "user_id": actor.user_id})

    async def _recorded(self, store: Store, actor: Person, change: Change, found: Whose) -> None:
        subject, name = f"incident:{change.incident.id}", found.scope.name
        acts = [Act(f"incident.{one.kind}", subject, {"name": name, **one.values}) for one in change.events]
        await record_all(self._desk, store, actor.workspace_id, actor.user_id, acts)

    async def _redraw(self, incident: Incident) -> None:
        """Let its message show how it stands."""
        if not incident.has_root or incident.id is None:
            return
        now = self._desk.now()
        async with self._desk.storage.writing() as store:
            found = await whose(store, incident.workspace_id, incident.scope_kind, incident.scope_id)
            people = await recipients_of(store, incident.workspace_id, found)
            await telling.want_root(store, incident, people, now)
        self._desk.wake_outbox.set()

    async def _require(self, store: Store, actor: Person, found: Whose, groups: Iterable[str]) -> None:
        if found.team is None:
            await require_admin(store, actor)
        else:
            await require_manager(store, actor, found.team, groups)

    async def _found(self, store: Store, workspace_id: str, incident_id: int) -> tuple[Incident, Budget]:
        incident = await store.incidents.get(workspace_id, incident_id)
        if incident is None:
            raise Refusal(RefusalCode.UNKNOWN_INCIDENT)
        budget = await store.budgets.get(workspace_id, incident.budget_id, even_deleted=True)
        if budget is None:
            raise Refusal(RefusalCode.UNKNOWN_INCIDENT)
        return incident, budget


def _is_own(refused: IncidentRefused, actor: Person) -> bool:
    """Whether it is this person's own doing that stands in the way."""
    incident = refused.incident
    doers = {
        IncidentMistake.ALREADY_ACKNOWLEDGED: incident.acknowledged_by,
        IncidentMistake.ALREADY_SILENCED: incident.silenced_by,
    }
    return doers.get(refused.code) == actor.user_id


def _explained(refused: IncidentRefused) -> Refusal:
    incident = refused.incident
    match refused.code:
        case IncidentMistake.ALREADY_ACKNOWLEDGED:
            who, at = incident.acknowledged_by, incident.acknowledged_at
            return Refusal(RefusalCode.INCIDENT_ACKNOWLEDGED, person=who, at=at)
        case IncidentMistake.ALREADY_SILENCED:
            who, at = incident.silenced_by, incident.silenced_until
            return Refusal(RefusalCode.INCIDENT_SILENCED, person=who, until=at)
        case IncidentMistake.NOT_SILENCED:
            return Refusal(RefusalCode.INCIDENT_NOT_SILENCED)
        case IncidentMistake.UNTIL_PASSED:
            return Refusal(RefusalCode.SILENCE_PAST)
        case IncidentMistake.UNTIL_TOO_FAR:
            return Refusal(RefusalCode.SILENCE_TOO_LONG, days=LONGEST_SILENCE.days)
        case _:
            return Refusal(RefusalCode.INCIDENT_CLOSED)


async def open_incidents(
    store: Store, workspace_id: str, limit: int, now: datetime
) -> tuple[tuple[IncidentShown, ...], int]:
    """The incidents that were told aloud and are not over, and how many: the first by level and time.

    Amounts, and what is done about the spending; without history, cause or picture.
    """
    told = await _told(store, workspace_id)
    is_acted_on = bool(told) and bool(await store.stops.active(workspace_id))
    found = []
    for incident in told[:limit]:
        its = await _briefly(store, incident, now)
        if its is not None:
            shown, about = its
            stop = await own_stop(store, incident, about, with_saved=False)
            elsewhere = await held_elsewhere(store, incident, about) if is_acted_on else None
            found.append(replace(shown, stop=stop, elsewhere=elsewhere))
    return tuple(found), len(told)


async def asking(store: Store, workspace_id: str, now: datetime) -> tuple[IncidentShown, ...]:
    """The open incidents in which a budget that asks waits for somebody's word: the first by level and time.

    Amounts alone; an incident's own stop is not looked at. At most MOST_ASKING incidents are looked through.
    """
    found = []
    for incident in (await _told(store, workspace_id))[:MOST_ASKING]:
        its = await _briefly(store, incident, now)
        if its is not None and asks(its[0]):
            shown = replace(its[0], elsewhere=await held_elsewhere(store, incident, its[1]))
            found += [shown] if asks(shown) else []
    return tuple(found)


async def _told(store: Store, workspace_id: str) -> list[Incident]:
    told = [one for one in await store.incidents.open_ones(workspace_id) if one.has_root]
    return sorted(told, key=lambda one: (-one.level, one.opened_at, one.id))


async def _briefly(store: Store, incident: Incident, now: datetime) -> tuple[IncidentShown, Whose] | None:
    budget = await store.budgets.get(incident.workspace_id, incident.budget_id, even_deleted=True)
    if budget is None:
        return None
    its = await whose(store, incident.workspace_id, incident.scope_kind, incident.scope_id)
    return replace(brief(incident, budget, its), is_period_over=incident.is_over(now)), its


def until(length: Silence, now: datetime, zone: tzinfo) -> datetime:
    """When a silence that begins now ends; tomorrow is the next day in `zone`."""
    if length is not Silence.TOMORROW:
        return now + _LENGTHS[length]
    tomorrow: date = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, _NINE, tzinfo=zone)


def _project_of(incident: Incident) -> int | None:
    return incident.scope_id if incident.scope_kind is ScopeKind.PROJECT else None


def _may(actor: Person, found: Whose, groups: Iterable[str]) -> bool:
    if found.team is None:
        return actor.is_admin
    return may_manage_team(actor, found.team, frozenset(groups))
