"""Monday, as a stranger tries it: what nobody should send, ask or press is answered calmly, and nothing breaks."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from blocks.digest_thread import line
from demo.clock import StageClock
from demo.monday import next_monday
from demo.onboarding import settled_view
from demo.slack import Person, payloads
from demo.slack.cast import TEAM_ID
from demo.value_people import makes_token
from finops.digest import DigestShown, DigestVersion, Unranked
from finops.digest_thread import ThreadKey
from finops.periods import charge_day
from finops.queries import ScopeKind
from finops.weeks import last_week
from handlers.addresses import BOT, STORAGE
from locales import translator_for
from tests.e2e.mondays import on_a_wednesday
from tests.e2e.stages import EMMA, JIHOON, MARKETING, SEOYEON, Stage, a_trace, answer_to, ids, scene, set_up, words_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

APPLICATION = "chatbot-experiment"
BROKEN = re.compile(r"참조 번호|reference: `")
LONG = "9" * 30


@dataclass(frozen=True, slots=True)
class House:
    """A stage that is set up, reached by signed requests; with its clock and a token of one application."""

    stage: Stage
    clock: StageClock
    token: str

    async def told(self, body: Any, headers: dict[str, str] | None = None, path: str = "events") -> tuple[int, str]:
        """What an application hears for a body as it is, or for what is made JSON of."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        wire = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | (headers or {})
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.stage.url}/v1/{path}", data=data, headers=wire) as answer,
        ):
            return answer.status, await answer.text()

    async def forged(self, person: Person, action_id: str, value: str) -> str:
        """What a person is told for a press that no message of ours offers; `value` is what they made of it."""
        slack, heard = self.stage.slack, len(person.ephemerals(MARKETING))
        hub = slack.hub
        if not slack.messages(MARKETING):
            await person.says(MARKETING, "안녕하세요")
        message = slack.messages(MARKETING)[0]
        payload = hub.interactions._in_message(person.id, hub.world.channels[MARKETING], message, {})
        button = {"type": "button", "action_id": action_id, "value": value}
        payload["actions"] = [payloads.pressed(button, "forged", {}, hub.world.stamps.next())]
        payload["trigger_id"] = hub.triggers.issue(person.id)
        before = str(person.views)
        assert (await hub.courier.deliver("interactive", "block_actions", payload)).ok

        def is_answered() -> bool:
            seen = str(person.views)
            return len(person.ephemerals(MARKETING)) > heard or (seen != before and '"hourglass' not in seen)

        await slack.until(is_answered, 10)
        await settled_view(slack, person) if person.views else None
        said = words_of(person.view if person.views else person.ephemerals(MARKETING)[-1])
        if person.views:
            person.closes(everything=True)
        return said


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """이지훈 has registered every project, and one application may record."""
    path, clock = tmp_path_factory.mktemp("hostile") / "finops.db", on_a_wednesday()
    shutil.copy(sqlite_template, path)
    async with scene(f"sqlite:///{path}", a_trace(days=3), clock=clock, socket_mode=False) as stage:
        jihoon = await set_up(stage)
        yield House(stage, clock, await makes_token(stage, jihoon, APPLICATION))
        assert stage.slack.complaints == []


async def test_bodies_that_are_no_events_are_refused_whole_and_calmly(house: House) -> None:
    """Nothing of them is recorded, nothing of them is repeated, and the next request is served."""
    late = (house.clock() - timedelta(days=31)).isoformat()
    refused: list[tuple[Any, int]] = [
        ([{"id": f"x{n}"} for n in range(1001)], 413),
        (gzip.compress(b"0" * 50_000_000), 413),
        (b"not gzip", 400),
        (b"[" * 100_000, 400),
        (b'{"id": "nan", "score": NaN}', 400),
        (b'{"id": "\\ud800"}', 400),
        ([{"id": "fine"}, {"id": "late", "time": late}], 422),
        ([{"id": "fine"}, {"id": "long", "task": "secret " * 20_000}], 422),
        ({"id": "negative", "input_tokens": -1}, 422),
        ({"id": "turned \u202e round"}, 422),
    ]
    for body, status in refused:
        packed = isinstance(body, bytes) and body[:1] in b"\x1fn"
        found, said = await house.told(body, {"Content-Encoding": "gzip"} if packed else None)
        assert (found, "secret" in said) == (status, False), (str(body)[:60], said)
    assert (await house.told({"id": "typed"}, {"Content-Type": "text/plain"}))[0] == 415
    assert (await house.told({"id": "fine"}))[1] == '{"accepted": 1, "repeated": 0, "dropped_fields": {}}'


async def test_thousands_of_names_fit_the_window_of_the_project(house: House) -> None:
    """Names with markup, more of them than a window holds, by more calls than usage saw."""
    events = [
        {"id": f"n{n}", "task": f"<!here> *{n}*", "experiment": f"&{n}", "segment": f"`{n}`", "outcome": "success"}
        for n in range(1000)
    ]
    assert (await house.told(events))[0] == 200
    person = house.stage.slack.person(JIHOON)
    project = await _project(house)
    said = await house.forged(person, ids.PROJECT_DETAIL, f"{project}/today")
    assert "&lt;!here&gt;" in said
    assert "<!here>" not in said


@pytest.mark.parametrize(
    "words",
    ["report 9999-12-31", "report 0001-01-01", "report 9999w52", "리포트 내년", "report <!channel>", "daily 내일",
     "why 9999-12-31", "why 0001-01", "why 365d", "why 오늘", "why week", "why <!here> *x*", "why project"],
)  # fmt: skip
async def test_silly_words_are_answered_and_never_break(house: House, words: str) -> None:
    """Dates no calendar holds, names nobody has, mentions nobody should hear of."""
    said = words_of(await answer_to(house.stage, house.stage.slack.person(SEOYEON), f"/finops {words}"))
    assert not BROKEN.search(said)
    assert "<!" not in said


async def test_what_was_never_read_is_not_nothing(house: House) -> None:
    """A year is asked about, of which three weeks were read: nobody says that spending has only begun."""
    person = house.stage.slack.person(JIHOON)
    for words in ("why 30d", "why 365d"):
        said = words_of(await answer_to(house.stage, person, f"/finops {words}"))
        assert "확인하지 못한 날이 있어 비교하지 않았습니다" in said
        assert "새로 시작된 지출" not in said
    detail = await house.forged(person, ids.PROJECT_DETAIL, f"{await _project(house)}/last_30_days")
    assert "확인하지 못한 날이 있어 비교하지 않았습니다" in detail
    assert "새로 시작된 지출" not in detail


@pytest.mark.parametrize(
    ("action_id", "values"),
    [
        (ids.DIGEST_SHOW, ("workspace//9999-12-31", "workspace//0001-01-01", f"team/{LONG}/2026-11-16", "team/9/x")),
        (ids.WHY_SHOW, ("workspace//days:99999", f"project/{LONG}/7d", "project/99/last_week", "workspace//week:x")),
        (ids.STATUS_SHOW, ("workspace//0001-01-01", f"team/{LONG}/last_week")),
        (ids.PROJECT_DETAIL, (f"{LONG}/last_week", "1/days:-5", "1/0001-01-01", "-1", "x")),
        (ids.RATE_GOOD, (f"{LONG}/2026-11-16/1000", "1/9999-12-27/0", "1/x/0", "1/2026-11-16/700")),
        (ids.DIGEST_EDIT, (LONG, "99", "x")),
        (ids.TOKEN_REVOKE, ("project:1/last_30_days/99", f"project:{LONG}/x/{LONG}")),
    ],
)  # fmt: skip
async def test_values_that_no_button_carries_are_refused_calmly(
    house: House, action_id: str, values: tuple[str, ...]
) -> None:
    """Other ids, dates out of the calendar, periods nobody offers: a sentence, and never a reference number."""
    person = house.stage.slack.person(JIHOON)
    for value in values:
        said = await house.forged(person, action_id, value)
        assert not BROKEN.search(said), (value, said)
        assert "`-`" not in said


async def test_a_report_shared_by_a_double_click_is_shared_once(house: House) -> None:
    """And may be shared again by whoever asks for it again."""
    person, slack = house.stage.slack.person(JIHOON), house.stage.slack
    for times in (1, 2):
        report = await answer_to(house.stage, person, "/finops report", MARKETING)
        button = next(each for block in report["blocks"] for each in block.get("elements", []) if _shares(each))
        for _ in range(2):
            assert (await person.clicks(report, ids.DIGEST_SHARE, button["value"]))["ok"]
        await slack.until(lambda times=times: len(_shared(house)) >= times, 10)  # type: ignore[misc]
        for _ in range(2):  # what is still under way has time to show
            await house.forged(person, ids.DIGEST_EDIT, "x")
        assert len(_shared(house)) == times


def _shared(house: House) -> list[str]:
    said = [words_of(one) for one in house.stage.slack.messages(MARKETING)]
    return [words for words in said if f"<@{JIHOON}> 님이 공유" in words]


def _shares(element: dict[str, Any]) -> bool:
    return element.get("action_id") == ids.DIGEST_SHARE


async def test_who_may_not_is_told_who_may(house: House) -> None:
    """Emma manages nothing: she makes and revokes no token, sets no target, sends no digest anywhere."""
    emma, key = house.stage.slack.person(EMMA), f"project:{await _project(house)}/last_30_days"
    for action_id, value in (
        (ids.TOKEN_NEW, key), (ids.TOKEN_REVOKE, f"{key}/1"), (ids.TARGET_EDIT, key), (ids.CAPS_EDIT, key),
        (ids.DIGEST_ADD, ""),
    ):  # fmt: skip
        said = await house.forged(emma, action_id, value)
        assert f"<@{JIHOON}>" in said, (action_id, said)
        assert not BROKEN.search(said)


async def test_the_first_minute_of_a_day_can_be_asked_about(house: House) -> None:
    """Monday 09:00 in Seoul is when people ask: nothing of that day is known yet."""
    now = house.clock()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    house.clock.advance(midnight + timedelta(seconds=20) - now)
    said = words_of(await answer_to(house.stage, house.stage.slack.person(SEOYEON), "/finops why 오늘"))
    assert "오늘" in said
    assert not BROKEN.search(said)


async def _project(house: House) -> int:
    """The id of the application's project."""
    async with house.stage.product[STORAGE].reading() as store:
        [workspace] = await store.workspaces.all()
        return next(one.id for one in await store.projects.all(workspace.id) if one.name == APPLICATION)


async def test_a_week_that_nobody_could_read_is_no_week_without_cost(house: House) -> None:
    """The key is revoked on Wednesday: of the next week nobody says that a project cost nothing, or fell by 100%."""
    stage, clock = house.stage, house.clock
    stage.openai.fail(path="/v1/organization/costs", status=401)
    clock.advance(next_monday(clock()) + timedelta(days=7, hours=1) - clock())
    monday = last_week(charge_day(clock())).start
    digest = (await stage.product[BOT].digests.report_of(TEAM_ID, ScopeKind.WORKSPACE, None, monday)).digest
    assert digest.why is None
    assert {one.unranked for one in digest.projects} == {Unranked.UNREAD}
    assert {one.previous for one in digest.projects} == {None}
    table = line(DigestShown(digest, DigestVersion.TEAM), ThreadKey.PROJECTS, translator_for("ko"))
    assert table is not None
    told = words_of(table.arguments())
    assert "확인 불가" in told
    assert "$0" not in told
    said = words_of(await answer_to(stage, stage.slack.person(JIHOON), "/finops daily"))
    assert "성과 기록 없음" in said
