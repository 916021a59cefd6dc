"""Two workspaces with something of everything in each: what the tests of isolation begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bot.digest_channels import usual_channel
from finops.audit import AuditEntry
from finops.behaviour import Action, ActionKind, ActionSource
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.caps import Cap
from finops.charges import Charge, ChargedDay, FigureState
from finops.decisions import Decision, DecisionState
from finops.digest import DigestChannel
from finops.effects import Saving, SavingState
from finops.estimates import DriftSample
from finops.events import RecordedCall
from finops.exchange import Beside, Rate
from finops.feedback import FeedbackCategory, FeedbackDraft
from finops.holds import Hold, HoldState
from finops.incidents import Change, EventKind, Incident, IncidentEvent, IncidentState, RootAction
from finops.interviews import Booking
from finops.levers import Lever
from finops.money import Money
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.registry import Person, Project, Role, Team
from finops.secret import Secret
from finops.stops import Stop, StopEvent, StopEventKind, StopState
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from storage import Storage, Store
from storage.records import CollectionKind
from tests.databases import MOMENT, Tenant, a_tenant
from tests.integration.poll_world import a_poll

MINE = ScopeKind.TEAM
DAY = date(2026, 7, 1)
PERIOD = Period(DAY, DAY + timedelta(days=1))
LATER = MOMENT + timedelta(days=1)

MINUTE = int(starts_at(DAY).timestamp()) // 60
A_ROW = UsageRow(MINUTE, "completions", "proj_a", "gpt-4o", "key_a", "default", is_batch=False, requests=1)
A_MINUTE = (
    UsageReading(Endpoint.COMPLETIONS, Width.MINUTE, MINUTE, MINUTE + 1, (UsageBucket(MINUTE, (A_ROW,)),)),
    [(A_ROW, 10**18, True)],
)
A_CALL = RecordedCall("event", "call", MOMENT, user_key="u", cost_nano=10**9, cost_rest=0)
WEEK = Period(date(2026, 7, 6), date(2026, 7, 13))
A_CENT = Money.of("0.01")
A_RATE = Rate(Beside.KRW, Decimal("1375.5"), DAY)
AN_ACTION = Action(MOMENT, DAY, ActionKind.MODEL_CHANGED, ActionSource.USAGE, "model:1", 1)
A_SAMPLE = DriftSample(DAY, "proj_a", "gpt-4o", Decimal(1), Decimal(2))


def doubled(rows: Sequence[UsageRow]) -> list[tuple[UsageRow, int, bool]]:
    """Newer prices: two dollars a call."""
    return [(row, row.requests * 2 * 10**18, True) for row in rows]


def a_saving(action_id: int) -> Saving:
    """What an action is to save."""
    return Saving(action_id, SavingState.EXPECTED, PERIOD, expected=A_CENT)


def an_incident(workspace_id: str, budget_id: int, team_id: int) -> Change:
    """A crossing of a team's daily budget."""
    incident = Incident(
        id=None,
        workspace_id=workspace_id,
        budget_id=budget_id,
        scope_kind=ScopeKind.TEAM,
        scope_id=team_id,
        period=BudgetPeriod.DAY,
        window=PERIOD,
        state=IncidentState.OPEN,
        level=100,
        spoken_level=100,
        limit=Money.of("500"),
        spent=Money.of("742"),
        spent_state=FigureState.ESTIMATE,
        usual=None,
        burn_per_minute=None,
        since=MOMENT,
        opened_at=MOMENT,
        updated_at=MOMENT,
        as_of=MOMENT,
        detected_at=MOMENT,
        available_at=None,
        channel_id="C1",
    )
    return Change(incident, (IncidentEvent(EventKind.CROSSED, MOMENT, "crossed:100"),), RootAction.POST)


def a_stop(workspace_id: str, incident_id: int | None) -> Stop:
    """Somebody stops everything."""
    return Stop(
        id=None,
        workspace_id=workspace_id,
        incident_id=incident_id,
        scope_kind=ScopeKind.WORKSPACE,
        scope_id=None,
        channel_id="C1",
        lever=Lever.STOP,
        state=StopState.STOPPING,
        reason="a loop",
        requested_by="U1",
        requested_at=MOMENT,
        updated_at=MOMENT,
    )


def a_hold(workspace_id: str, project: Project) -> Hold:
    """The lever of that stop on one project."""
    return Hold(
        id=None,
        workspace_id=workspace_id,
        stop_id=0,
        project_id=project.id,
        connection_id=project.connection_id,
        provider_project_id=project.provider_project_id,
        name=project.name,
        lever=Lever.STOP,
        state=HoldState.REQUESTED,
        is_wanted=True,
        requested_at=MOMENT,
        updated_at=MOMENT,
        next_at=None,
    )


AN_IDEA = FeedbackDraft(FeedbackCategory.IDEA, "more charts", may_contact=True)
HAPPENED = StopEvent(StopEventKind.REQUESTED, MOMENT, "requested:1", {"by": "U1"})
AN_ACT = AuditEntry(MOMENT, "U1", "stop.requested", "workspace")


@dataclass(frozen=True)
class Discovered:
    id: str
    name: str
    is_archived: bool = False


@dataclass(frozen=True)
class Belongings:
    """What the first workspace owns, by id: what a stranger might guess."""

    tenant: Tenant
    team: Team
    project: Project
    credential_id: int
    collection_id: int
    budget_id: int
    incident_id: int
    stop: Stop
    hold: Hold
    token_id: int
    digest_id: int
    place: DigestChannel
    feedback_id: int
    booking: Booking
    poll_id: int
    action_id: int

    @property
    def stop_id(self) -> int:
        assert self.stop.id is not None
        return self.stop.id

    @property
    def connection_id(self) -> int:
        return self.tenant.connection.id


async def _connected(store: Store, workspace_id: str, tenant: Tenant) -> tuple[Project, int, int]:
    """A project, a key and a bill; the project, and the ids of the key and of what collects."""
    connection_id = tenant.connection.id
    await store.people.remember(
        workspace_id,
        Person(
            workspace_id,
            "U0MINSU001",
            "김민수",
            Role.ADMIN,
            "ko-KR",
            "Asia/Seoul",
            is_workspace_admin=False,
            seen_at=MOMENT,
        ),
    )
    [project], _ = await store.projects.register(
        workspace_id,
        connection_id=connection_id,
        team_id=tenant.team_id,
        projects=[("proj_a", "chatbot")],
        registered_by="U0MINSU001",
        at=MOMENT,
    )
    credential = await store.credentials.add(
        workspace_id,
        connection_id=connection_id,
        team_id=tenant.team_id,
        secret=Secret("sk-" + "admin-0123456789"),
        rights=(),
        registered_by="U0MINSU001",
        at=MOMENT,
    )
    await store.known_projects.remember(workspace_id, connection_id, [Discovered("proj_a", "chatbot")], MOMENT)
    for at, cost in ((MOMENT, "1"), (LATER, "2")):
        day = ChargedDay(DAY, (Charge(DAY, "proj_a", "gpt-4o", Decimal(cost)),))
        await store.charges.replace_day(workspace_id, connection_id, day, at)
    collection = await store.collections.add(
        workspace_id,
        connection_id=connection_id,
        kind=CollectionKind.DAILY,
        slot="2026-07-06",
        period=PERIOD,
        requested_by=None,
        at=MOMENT,
    )
    assert collection is not None
    return project, credential.id, collection.id


async def _watched(store: Store, workspace_id: str, connection_id: int) -> None:
    """What usage told, until it could not be read."""
    await store.connections.mark_blind(workspace_id, connection_id, MOMENT, "rejected", "usage")
    await store.usage.replace(workspace_id, connection_id, *A_MINUTE, LATER, MINUTE)
    await store.healths.mark_failing(workspace_id, connection_id, MOMENT, "unavailable")
    await store.usage.reprice(
        workspace_id, connection_id, PERIOD, doubled, from_version=None, to_version="2", at=MOMENT
    )
    await store.drifts.replace_day(workspace_id, connection_id, DAY, [A_SAMPLE], MOMENT)
    await store.unpriced.note(workspace_id, connection_id, DAY, [("completions", "new")], MOMENT)


async def _stopped(store: Store, workspace_id: str, tenant: Tenant, project: Project) -> tuple[int, int, Stop, Hold]:
    """A budget, an alert about it and a stop; the ids of the first two, and what the third holds."""
    budget = await store.budgets.create(
        workspace_id,
        BudgetTerms(BudgetScope.TEAM, tenant.team_id, BudgetPeriod.DAY, Money.of("500")),
        by="U1",
        at=MOMENT,
    )
    incident = await store.incidents.save(workspace_id, an_incident(workspace_id, budget.id, tenant.team_id), None)
    assert incident.id is not None
    held = [a_hold(workspace_id, project)]
    stop, [hold] = await store.stops.open(workspace_id, a_stop(workspace_id, incident.id), held, [HAPPENED])
    return budget.id, incident.id, stop, hold


async def _told(store: Store, workspace_id: str) -> None:
    """An act on record, a message that Slack took, and a newer wording of it that waits."""
    await store.audit.append(workspace_id, AN_ACT)
    await store.outbox.want(workspace_id, "key", "incident", {}, "C1", ["U1"], at=MOMENT, detected_at=MOMENT, urgency=1)
    for message in await store.outbox.lease("worker", MOMENT, timedelta(minutes=5), 9):
        await store.outbox.sent(workspace_id, message.key, "worker", 1, "C1", "1.0", LATER)
    await store.outbox.want(workspace_id, "key", "incident", {}, "C1", ["U1"], at=LATER, detected_at=MOMENT)


async def _valued(store: Store, workspace_id: str, project: Project) -> int:
    """What the money bought, as far as somebody says so; the id of the token that may."""
    await store.value.record(workspace_id, project.id, [A_CALL])
    token = await store.event_tokens.add(
        workspace_id,
        project_id=project.id,
        name="web",
        token_hash=workspace_id,
        ends_with="abcd",
        by="U1",
        at=MOMENT,
    )
    await store.ratings.give(workspace_id, project.id, WEEK.start, "U1", 500, MOMENT)
    await store.value_targets.set(workspace_id, project.id, A_CENT, by="U1", at=MOMENT)
    await store.caps.set(workspace_id, Cap("sales", A_CENT, A_CENT))
    await store.exchange_rates.add(workspace_id, A_RATE, by="U1", at=MOMENT)
    return token.id


async def _learned(store: Store, workspace_id: str) -> tuple[int, Booking, int, int]:
    """What people said and did: the id of feedback, a booking, the ids of a poll and of an action."""
    poll = await store.polls.add(workspace_id, a_poll(workspace_id=workspace_id))
    assert poll is not None
    await store.polls.vote(workspace_id, poll.id, "voter", ["1"], MOMENT, 1)
    await store.decisions.set(workspace_id, Decision(poll.id, "1", DecisionState.PLANNED, "U1", MOMENT))
    said = await store.feedback.add(workspace_id, AN_IDEA, "U1", MOMENT)
    [slot] = await store.interviews.offer(
        workspace_id, [(LATER, LATER + timedelta(minutes=30))], host="U1", place="", by="U1", at=MOMENT
    )
    booking = await store.interviews.book(workspace_id, slot.id, "U2", "", MOMENT)
    assert booking is not None
    [action] = await store.actions.add(workspace_id, [AN_ACTION])
    assert action.id is not None
    await store.savings.expect(workspace_id, [a_saving(action.id)])
    return said.id, booking, poll.id, action.id


async def filled(storage: Storage, workspace_id: str) -> Belongings:
    """One of everything."""
    tenant = await a_tenant(storage, workspace_id)
    async with storage.writing() as store:
        project, credential_id, collection_id = await _connected(store, workspace_id, tenant)
        await _watched(store, workspace_id, tenant.connection.id)
        budget_id, incident_id, stop, hold = await _stopped(store, workspace_id, tenant, project)
        await _told(store, workspace_id)
        token_id = await _valued(store, workspace_id, project)
        digest_id = await store.digests.keep(workspace_id, MINE, tenant.team_id, WEEK.start, {"a": "b"}, MOMENT)
        place = await store.digest_channels.add(workspace_id, usual_channel(workspace_id, MINE, tenant.team_id, MOMENT))
        assert place is not None
        feedback_id, booking, poll_id, action_id = await _learned(store, workspace_id)
        team = await store.teams.get(workspace_id, tenant.team_id)
        assert team is not None
    return Belongings(
        tenant,
        team,
        project,
        credential_id,
        collection_id,
        budget_id,
        incident_id,
        stop,
        hold,
        token_id,
        digest_id,
        place,
        feedback_id,
        booking,
        poll_id,
        action_id,
    )
