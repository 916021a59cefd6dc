"""`/finops export` through signed requests, on both databases: a file to whoever asks, and to nobody else."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from demo.clock import StageClock
from demo.slack import Person
from demo.slack.cast import TEAM_ID
from finops.charges import Charge, ChargedDay
from handlers.addresses import BOT
from storage import Storage
from tests.databases import OTHER_WORKSPACE, a_tenant
from tests.e2e.stages import EMMA, JIHOON, SAKURA, Stage, a_trace, answer_to, scene, words_of


@pytest.fixture
def clock() -> StageClock:
    """Five days later than now, so that yesterday has a bill in any month."""
    moving = StageClock()
    moving.advance(timedelta(days=5))
    return moving


@pytest.fixture
async def stage(database_url: str, clock: StageClock) -> AsyncIterator[Stage]:
    """Requests signed as Slack signs them; nothing set up."""
    async with scene(database_url, a_trace(days=1), clock=clock, socket_mode=False, FINOPS_ADMINS=JIHOON) as running:
        yield running
        assert running.slack.complaints == []


async def billed(storage: Storage, workspace_id: str, day: date, clock: StageClock, *costs: str) -> None:
    """A bill whose line items somebody named with care."""
    tenant = await a_tenant(storage, workspace_id, f"org-{workspace_id}")
    lines = tuple(Charge(day, "proj_1", f"=1+{number} 입력", Decimal(cost)) for number, cost in enumerate(costs))
    async with storage.writing() as store:
        connection = tenant.connection.id
        known = [(f"proj_{workspace_id}", "@here")]
        await store.projects.register(
            workspace_id, connection_id=connection, team_id=tenant.team_id, projects=known, registered_by=EMMA,
            at=clock(),
        )  # fmt: skip
        await store.charges.replace_day(workspace_id, connection, ChargedDay(day, lines), clock())


def taken(stage: Stage, person: Person) -> list[tuple[str, str, list[dict[str, str]]]]:
    """The files in somebody's direct messages: the sentence beside each, its name, and its rows."""
    found = []
    for message in person.messages(person.dm):
        for file in message.get("files", []):
            content = stage.slack.hub.contents[file["id"]].decode("utf-8-sig")
            found.append((message["text"], file["name"], list(csv.DictReader(io.StringIO(content, newline="")))))
    return found


async def test_a_member_takes_the_bill_along_and_nobody_elses(stage: Stage, clock: StageClock) -> None:
    """No rows, then rows in three languages; a typo, a file that may not be sent, and a neighbour with a bill."""
    storage, day = stage.product[BOT].storage, clock().date() - timedelta(days=1)
    emma, sakura, jihoon = (stage.slack.person(one) for one in (EMMA, SAKURA, JIHOON))
    await billed(storage, OTHER_WORKSPACE, day, clock, "1000")
    assert "so there is no file" in words_of(await answer_to(stage, emma, "/finops export yesterday"))
    assert taken(stage, emma) == []
    await billed(storage, TEAM_ID, day, clock, "0.000000000000000001", "12.50")

    assert "direct messages" in words_of(await answer_to(stage, emma, "/finops export yesterday"))
    [(said, name, rows)] = taken(stage, emma)
    assert name == f"finops-costs-{day}.csv"
    assert "2 lines, exactly 12.500000000000000001 USD in all" in said
    assert "as of" in said
    assert [(row["SkuId"], row["BilledCost"], row["x_State"]) for row in rows] == [
        ("'=1+0 입력", "0.000000000000000001", "provisional"), ("'=1+1 입력", "12.5", "provisional")
    ]  # fmt: skip
    assert "ファイル" in words_of(await answer_to(stage, sakura, "/finops エクスポート 昨日"))
    assert "정확히 12.500000000000000001 USD" in await korean(stage, jihoon)

    assert "내보내기" in words_of(await answer_to(stage, jihoon, "/finops 내보내가"))
    assert "마케팅팀" in words_of(await answer_to(stage, jihoon, "/finops 내보내기 마케팅틴 어제"))
    nothing = words_of(await answer_to(stage, jihoon, "/finops 내보내기 마케팅팀 어제"))
    assert "파일이 없습니다" in nothing  # the team has a project, and no line is its own
    stage.slack.fail("files.getUploadURLExternal", error="missing_scope")
    assert "files:write" in words_of(await answer_to(stage, emma, "/finops export yesterday"))
    assert len(taken(stage, emma)) == 1
    async with storage.reading() as store:
        rows_of_trail = [row.entry async for row in store.audit.all(TEAM_ID)]
    assert [one.actor for one in rows_of_trail if one.action == "bill.exported"] == [EMMA, SAKURA, JIHOON, EMMA]


async def korean(stage: Stage, jihoon: Person) -> str:
    """What stands beside the file of a Korean reader."""
    await answer_to(stage, jihoon, "/finops 내보내기 어제")
    [(said, _, _)] = taken(stage, jihoon)
    return said
