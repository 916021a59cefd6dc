"""Value in storage: sums are those of the calls, whatever comes twice, late, together or in pieces."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import reduce

import pytest

from finops.caps import Cap
from finops.events import Call, RecordedCall, told
from finops.money import Money, from_units
from finops.periods import Period, charge_day
from finops.value import Outcome, ValueSums, added
from storage import Storage
from storage.errors import NotFound
from tests.databases import MOMENT, OTHER_WORKSPACE, WORKSPACE, Tenant, a_tenant, on_sqlite

DAY = charge_day(MOMENT)  # a Monday
WEEK = Period(DAY, DAY + timedelta(days=7))
EVER = Period(DAY - timedelta(days=40), DAY + timedelta(days=40))


@pytest.fixture
async def projects(storage: Storage, tenant: Tenant) -> list[int]:
    return await registered(storage, tenant)


async def registered(storage: Storage, tenant: Tenant) -> list[int]:
    async with storage.writing() as store:
        made, _ = await store.projects.register(
            tenant.workspace_id, connection_id=tenant.connection.id, team_id=tenant.team_id,
            projects=[("proj_a", "chatbot"), ("proj_b", "search")], registered_by="U1", at=MOMENT,
        )  # fmt: skip
    return [project.id for project in made]


async def record(storage: Storage, project_id: int, *calls: RecordedCall) -> tuple[int, int]:
    async with storage.writing() as store:
        return tuple(await store.value.record(WORKSPACE, project_id, calls))


def some_events(dice: random.Random, calls: int) -> list[RecordedCall]:
    """Calls around the turn of days and weeks, their outcomes and scores in events of their own, some told twice."""
    events = []
    for n in range(calls):
        at = MOMENT + timedelta(minutes=dice.randrange(-20_000, 20_000))
        calls = dice.choice([1, 1, 40, 10**6])
        whole = RecordedCall(
            f"e{n}", f"r{n}", at, task=dice.choice(["", "summary"]), model=dice.choice(["", "gpt-5.4", "gpt-5.4-mini"]),
            segment=dice.choice(["", "sales"]), user_key=dice.choice(["", "u1", "u2"]), input_tokens=dice.randrange(99),
            latency_ms=dice.choice([None, 250]), calls=calls, cost_nano=dice.randrange(10**9),
            cost_rest=dice.randrange(10**9),
        )  # fmt: skip
        end = RecordedCall(
            f"o{n}", f"r{n}", at + timedelta(minutes=dice.randrange(900)), outcome=dice.choice([*Outcome]),
            calls=dice.choice([1, calls]),
        )  # fmt: skip
        opinion = RecordedCall(f"s{n}", f"r{n}", at + timedelta(days=2), score=dice.choice([0, 500, 1000]))
        events += [one for one in (whole, end, opinion, whole, end) if dice.random() < 0.7]
    dice.shuffle(events)
    return events


def merged(events: Sequence[RecordedCall]) -> list[Call]:
    by_request: defaultdict[str, dict[str, RecordedCall]] = defaultdict(dict)
    for event in events:
        by_request[event.request_id].setdefault(event.event_id, event)
    calls = [reduce(told, each.values(), None) for each in by_request.values()]
    return [call for call in calls if call is not None]


def sums_by(calls: Sequence[Call], key) -> dict:
    found: defaultdict = defaultdict(ValueSums)
    for call in calls:
        found[key(call)] = added((found[key(call)], call.sums()))
    return dict(found)


@pytest.mark.parametrize("seed", range(2))
async def test_every_sum_is_that_of_the_calls(storage: Storage, projects: list[int], seed: int) -> None:
    """Days by name, weeks, periods of any shape and users: as if all had come at once, in order and never twice."""
    dice = random.Random(seed)
    events = some_events(dice, 40)
    rest = events[:]
    while rest:
        size = dice.randrange(1, 30)
        batch, rest = rest[:size], rest[size:]
        await record(storage, projects[0], *batch)
    calls = merged(events)
    first = EVER.start + timedelta(days=dice.randrange(60))
    period = Period(first, first + timedelta(days=dice.randrange(30)))
    async with storage.reading() as store:
        days = await store.value.days(WORKSPACE, EVER)
        weeks = [Period(EVER.start + timedelta(days=n), EVER.start + timedelta(days=n + 7)) for n in range(80)]
        by_week = await store.value.weekly(WORKSPACE, [week for week in weeks if week.start.weekday() == 0])
        ever = await store.value.sums(WORKSPACE, EVER)
        part = await store.value.sums(WORKSPACE, period, projects)
        users = await store.value.users_over(WORKSPACE, EVER, Money.of("0"), Money.of("0"))
    assert {(row.day, row.task, row.experiment, row.segment, row.model): row.sums for row in days} == sums_by(
        calls, lambda call: (charge_day(call.at), call.task, call.experiment, call.segment, call.model)
    )
    assert by_week == sums_by(
        calls, lambda call: (projects[0], charge_day(call.at) - timedelta(days=charge_day(call.at).weekday()))
    )
    assert ever == {projects[0]: added(call.sums() for call in calls)}
    assert part.get(projects[0], ValueSums()) == added(call.sums() for call in calls if charge_day(call.at) in period)
    of_users = sums_by([call for call in calls if call.user_key], lambda call: (charge_day(call.at), call.user_key))
    spent = {key: sums.cost_nano * 10**9 + sums.cost_rest for key, sums in of_users.items()}
    for one in users:
        each = (call for call in calls if (charge_day(call.at), call.user_key) == (one.day, one.user_key))
        assert one.dearest_call == Money(from_units(*max(call.cost_of_one for call in each)))
    assert {(one.day, one.user_key): int(one.cost.amount.scaleb(18)) for one in users} == {
        key: atto for key, atto in spent.items() if atto
    }


async def test_an_event_counts_once(storage: Storage, projects: list[int]) -> None:
    """A repeated request, or the same id twice within one, changes nothing and is told apart."""
    call = RecordedCall("e", "r", MOMENT, outcome=Outcome.SUCCESS)
    assert await record(storage, projects[0], call, call) == (1, 1)
    assert await record(storage, projects[0], call, replace(call, event_id="f", request_id="q")) == (1, 1)
    assert await record(storage, projects[1], call) == (1, 0)  # another project's ids are its own
    async with storage.reading() as store:
        assert await store.value.sums(WORKSPACE, WEEK) == {
            projects[0]: ValueSums(calls=2, successes=2),
            projects[1]: ValueSums(calls=1, successes=1),
        }


@on_sqlite
async def test_an_outcome_may_come_before_its_call_and_after_midnight(storage: Storage, projects: list[int]) -> None:
    """The call moves to the day it was made, and nothing of it stays behind."""
    end = RecordedCall("o", "r", MOMENT, outcome=Outcome.SUCCESS, user_key="u")
    call = RecordedCall("e", "r", MOMENT - timedelta(hours=2), task="t", user_key="u", cost_nano=5 * 10**9, cost_rest=0)
    await record(storage, projects[0], end)
    await record(storage, projects[0], replace(call, input_tokens=9))
    async with storage.reading() as store:
        [row] = await store.value.days(WORKSPACE, EVER)
        [user] = await store.value.users_over(WORKSPACE, EVER, Money.of("1"), Money.of("1"))
        assert await store.value.weekly(WORKSPACE, [WEEK]) == {}
        assert await store.value.last_event_at(WORKSPACE, projects[0]) == call.at  # of the week that is left
    assert (row.day, row.task, row.sums.successes, row.sums.input_tokens) == (DAY - timedelta(days=1), "t", 1, 9)
    assert (user.day, user.cost, user.dearest_call) == (row.day, Money.of("5"), Money.of("5"))


async def test_the_same_batch_from_two_at_once_counts_once(storage: Storage, projects: list[int]) -> None:
    """Retries overtake each other; on PostgreSQL even within one moment."""
    batch = [RecordedCall(f"e{n}", f"r{n}", MOMENT, outcome=Outcome.SUCCESS) for n in range(20)]
    ends = [RecordedCall(f"s{n}", f"r{n}", MOMENT, score=500) for n in range(20)]
    told_of = await asyncio.gather(
        *(record(storage, projects[0], *each) for each in (batch, batch[::-1], ends, batch, ends[::-1]))
    )
    assert sum(accepted for accepted, _ in told_of) == 40
    assert sum(repeated for _, repeated in told_of) == 60
    async with storage.reading() as store:
        assert await store.value.sums(WORKSPACE, WEEK) == {
            projects[0]: ValueSums(calls=20, successes=20, scored=20, score_sum=10_000)
        }


@on_sqlite
async def test_all_of_a_batch_or_nothing(storage: Storage, projects: list[int]) -> None:
    """What fails in the middle leaves no id behind that would make the next try a repeat."""
    call = RecordedCall("e", "r", MOMENT)

    async def fail() -> None:
        async with storage.writing() as store:
            await store.value.record(WORKSPACE, projects[0], [call])
            await store.value.record(WORKSPACE, 999, [call])

    with pytest.raises(NotFound):
        await fail()
    assert await record(storage, projects[0], call) == (1, 0)


@on_sqlite
async def test_a_cap_on_a_call_is_held_against_each_of_many(storage: Storage, projects: list[int]) -> None:
    """A thousand calls for ten dollars are a cent each; the user's day is ten dollars all the same."""
    many = RecordedCall("1", "1", MOMENT, user_key="u", calls=1000, input_tokens=1, cost_nano=10**10, cost_rest=0)
    await record(storage, projects[0], replace(many, event_id="0", calls=1, input_tokens=None, cost_nano=None), many)
    async with storage.reading() as store:
        [found] = await store.value.users_over(WORKSPACE, WEEK, Money.of("0.05"), Money.of("5"))
    assert (found.cost, found.dearest_call) == (Money.of("10"), Money.of("0.01"))


async def test_only_what_passes_a_cap_is_told(storage: Storage, projects: list[int]) -> None:
    """Either the day or its dearest call; reaching a cap is within it. The dearest stays the dearest."""
    dear = RecordedCall("1", "1", MOMENT, user_key="dear", cost_nano=6 * 10**7, cost_rest=0)
    cheap = replace(dear, event_id="2", request_id="2", cost_nano=10**6)
    within = replace(dear, event_id="3", request_id="3", user_key="within", cost_nano=5 * 10**7)
    many = [
        replace(cheap, event_id=f"m{n}", request_id=f"m{n}", user_key="many", segment="sales", cost_nano=4 * 10**7)
        for n in range(3)
    ]
    await record(storage, projects[0], dear, within)
    await record(storage, projects[0], cheap, *many)
    async with storage.reading() as store:
        found = await store.value.users_over(WORKSPACE, WEEK, Money.of("0.05"), Money.of("0.1"), [projects[0]])
        assert await store.value.users_over(WORKSPACE, WEEK, Money.of("0.05"), Money.of("0.1"), [projects[1]]) == []
    assert [(one.user_key, one.segment, one.cost, one.dearest_call) for one in found] == [
        ("dear", "", Money.of("0.061"), Money.of("0.06")),
        ("many", "sales", Money.of("0.12"), Money.of("0.04")),
    ]


async def test_what_is_old_is_swept_and_what_is_needed_stays(storage: Storage, projects: list[int]) -> None:
    """Calls, ids and sums end at three different ages; a week stays while any day of it does."""
    old = RecordedCall("old", "old", MOMENT - timedelta(days=1), user_key="u", cost_nano=1, cost_rest=0)
    await record(storage, projects[0], old, replace(old, event_id="new", request_id="new", at=MOMENT))
    async with storage.writing() as store:
        assert await store.value.forget_before(DAY, DAY, DAY) == 5
    async with storage.reading() as store:
        assert await store.value.sums(WORKSPACE, EVER) == {projects[0]: added([_one(old)])}
    assert await record(storage, projects[0], replace(old, event_id="new")) == (0, 1)


def _one(call: RecordedCall) -> ValueSums:
    return told(None, call).sums()


@on_sqlite
async def test_periods_are_whole_weeks_or_refused(storage: Storage, tenant: Tenant) -> None:
    """A week told from a Tuesday would silently be another."""
    async with storage.reading() as store:
        with pytest.raises(ValueError, match="not a week from Monday"):
            await store.value.weekly(WORKSPACE, [Period(date(2026, 7, 7), date(2026, 7, 14))])


@on_sqlite
async def test_a_token_is_found_by_its_hash_while_it_is_in_force(storage: Storage, projects: list[int]) -> None:
    """Not once it is revoked, and not once its project is let go; its use is noted now and then."""

    async def found(at: datetime = MOMENT) -> datetime | str | None:
        async with storage.writing() as store:
            token = await store.event_tokens.find("hash")
            if token is None:
                return "none"
            await store.event_tokens.used(WORKSPACE, token.id, at)
            return token.last_used_at

    def add(store):
        return store.event_tokens.add(
            WORKSPACE, project_id=projects[0], name="web", token_hash="hash", ends_with="wxyz", by="U1", at=MOMENT
        )

    async with storage.writing() as store:
        token = await add(store)
    assert await found() is None
    assert await found(MOMENT + timedelta(minutes=1)) == MOMENT
    assert await found(MOMENT + timedelta(minutes=11)) == MOMENT
    assert await found() == MOMENT + timedelta(minutes=11)
    async with storage.writing() as store:
        assert await store.event_tokens.revoke(WORKSPACE, token.id, by="U2", at=MOMENT) is not None
        assert await store.event_tokens.revoke(WORKSPACE, token.id, by="U2", at=MOMENT) is None
        [known] = await store.event_tokens.of_project(WORKSPACE, projects[0])
    assert (known.revoked_by, known.ends_with) == ("U2", "wxyz")
    assert await found() == "none"


@on_sqlite
async def test_a_token_of_a_project_let_go_is_not_found(storage: Storage, projects: list[int]) -> None:
    """Nobody would see what it records."""
    async with storage.writing() as store:
        await store.event_tokens.add(
            WORKSPACE, project_id=projects[0], name="web", token_hash="hash", ends_with="wxyz", by="U1", at=MOMENT
        )
        await store.projects.unregister(WORKSPACE, projects[0])
        assert await store.event_tokens.find("hash") is None


@on_sqlite
async def test_a_person_rates_a_week_once_and_may_think_again(storage: Storage, projects: list[int]) -> None:
    """The newest answer counts, until it is taken back; a week is told by its Monday only."""
    async with storage.writing() as store:
        for user, score in (("U1", 0), ("U2", 1000), ("U1", 500)):
            await store.ratings.give(WORKSPACE, projects[0], DAY, user, score, MOMENT)
        with pytest.raises(ValueError, match="Monday"):
            await store.ratings.give(WORKSPACE, projects[0], DAY + timedelta(days=1), "U1", 0, MOMENT)
        with pytest.raises(NotFound):
            await store.ratings.give(WORKSPACE, 999, DAY, "U1", 0, MOMENT)
        given = await store.ratings.of_week(WORKSPACE, DAY)
        again = [await store.ratings.take_back(WORKSPACE, projects[0], DAY, "U2") for _ in range(2)]
        left = await store.ratings.of_week(WORKSPACE, DAY)
    assert {(one.user_id, one.score) for one in given[projects[0]]} == {("U1", 500), ("U2", 1000)}
    assert (again, [one.user_id for one in left[projects[0]]]) == ([True, False], ["U1"])


@on_sqlite
async def test_targets_and_caps_are_a_workspaces_own(storage: Storage, projects: list[int]) -> None:
    """A seeded cap holds until a workspace says otherwise; a target can be taken away."""
    await a_tenant(storage, OTHER_WORKSPACE)
    async with storage.writing() as store:
        await store.value_targets.set(WORKSPACE, projects[0], Money.of("0.30"), by="U1", at=MOMENT)
        await store.value_targets.set(WORKSPACE, projects[0], Money.of("0.25"), by="U2", at=MOMENT)
        await store.caps.set(WORKSPACE, Cap("sales", Money.of("0.03"), Money.of("2")))
        target = await store.value_targets.get(WORKSPACE, projects[0])
        assert target is not None
        assert (target.cost_per_success, target.set_by) == (Money.of("0.25"), "U2")
        mine, theirs = await store.caps.all(WORKSPACE), await store.caps.all(OTHER_WORKSPACE)
        assert (mine["sales"].per_user_day, theirs["sales"].per_user_day) == (Money.of("2"), Money.of("1"))
        assert mine[""] == theirs[""]
        await store.value_targets.set(WORKSPACE, projects[0], None, by="U1", at=MOMENT)
        assert await store.value_targets.all(WORKSPACE) == {}
