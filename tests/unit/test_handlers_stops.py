"""The windows of stops: what is read from them reaches the bot, and what cannot be true never does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from blocks import ids, stop_form, stop_thread
from bot.errors import Refusal, RefusalCode
from finops.levers import Lever
from finops.stop_report import ApprovalWish, StopTarget
from finops.stops import ApprovalWay
from handlers import approving, commands, incidents, stops
from handlers.guard import guarded
from handlers.submitting import Form, Problem, Show
from tests.unit import saying_live
from tests.unit import stopping_said as told
from tests.unit.listening import JIHOON, FakeBot, FakeRespond, FakeSlack, a_visit
from tests.unit.saying import reader

NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)
PROJECT_3 = StopTarget(scope="project:3")
SECRET = "sk-" + "proj-" + "canary0000000000000000abc1"  # assembled: no scanner takes it for somebody's


class FakeStopping:
    """Remembers what it was asked for; `refuses` is raised instead of the next decision."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.refuses: Refusal | None = None
        self.radius = told.a_radius()
        self.stop: Any = told.proved()

    async def _do(self, *what: Any) -> Any:
        if self.refuses is not None:
            refusal, self.refuses = self.refuses, None
            raise refusal
        self.done.append(what)
        return self.stop

    async def preview(self, actor: Any, target: StopTarget, groups: Any, *, seen: Any = None) -> Any:
        return self.radius

    async def listed(self, actor: Any, groups: Any) -> Any:
        return told.a_list()

    async def named(self, workspace_id: str, words: str) -> StopTarget:
        await self._do("named", words)
        return PROJECT_3

    async def request(
        self, actor: Any, target: Any, lever: Lever, reason: str, groups: Any, *, is_wide: bool, seen: Any = None
    ) -> Any:
        return await self._do("request", str(target), lever, reason, is_wide)

    async def approving(self, actor: Any, target: StopTarget, groups: Any) -> Any:
        return self.stop

    async def approve(self, actor: Any, target: StopTarget, wish: ApprovalWish, groups: Any) -> Any:
        return await self._do("approve", str(target), wish)

    async def restore(self, actor: Any, stop_id: int, groups: Any) -> Any:
        return await self._do("restore", stop_id)

    async def agree(self, actor: Any, stop_id: int, groups: Any) -> Any:
        return await self._do("agree", stop_id)

    async def draft(self, actor: Any, target: StopTarget) -> Any:
        return told.a_draft()

    async def tell(self, actor: Any, target: StopTarget, text: str) -> None:
        await self._do("tell", str(target), text)

    async def pin_cause(self, actor: Any, target: StopTarget, text: str) -> None:
        await self._do("cause", str(target), text)

    async def disable(self, actor: Any, key_id: int, groups: Any) -> None:
        await self._do("disable", key_id)

    async def credential(self, workspace_id: str, key_id: int) -> Any:
        return SimpleNamespace(team_id=key_id)

    async def exclude(self, actor: Any, project_id: int, groups: Any) -> None:
        await self._do("exclude", project_id)

    async def shown(self, workspace_id: str, incident_id: int) -> Any:
        return saying_live.shown()


class House:
    """A bot that knows stops, and the wires to it."""

    def __init__(self) -> None:
        self.bot: Any = FakeBot(lambda: NOW)
        self.stopping = FakeStopping()
        self.bot.stopping = self.bot.leads = self.bot.connections = self.stopping
        self.bot.projects = SimpleNamespace(exclude=self.stopping.exclude, all=self._projects)
        self.bot.incidents = self.stopping
        self.bot.claims.take_back = self._taken_back
        self.slack, self.respond = FakeSlack(), FakeRespond()

    async def _projects(self, workspace_id: str) -> list[Any]:
        return [SimpleNamespace(id=7, name="batch", provider_project_id="proj_7")]

    async def _taken_back(self, workspace_id: str, key: str) -> None:
        self.bot.claimed.discard(key)

    async def clicks(self, click: Callable[..., Any], value: str, **more: Any) -> list[str]:
        """What Slack was asked for."""
        visit = a_visit(self.bot, self.slack, respond=self.respond, **more)
        await guarded(visit, lambda v: click(v, value))
        return [name for name, _ in self.slack.calls]

    def form(self, target: str = "project:3", *, seen: datetime = NOW, view: str = "V7", **typed: Any) -> Form:
        metadata = json.dumps({"target": target, "seen": seen.isoformat(), "decided": [NOW.isoformat()]})
        values = {name: {name: given} for name, given in typed.items()}
        body = {"id": view, "private_metadata": metadata, "state": {"values": values}}
        return Form.of(a_visit(self.bot, self.slack), body)

    def stop(self, what: str = "stop", reason: str = "재시도 루프", breadth: str | None = None, **more: Any) -> Form:
        typed = {ids.STOP_WHAT: chosen(what), ids.STOP_REASON: {"value": reason}}
        typed |= {ids.STOP_BREADTH: chosen(breadth)} if breadth else {}
        return self.form(**(typed | more))


def chosen(value: str) -> dict[str, Any]:
    return {"selected_option": {"value": value}}


def said(outcome: object) -> str:
    assert isinstance(outcome, Show)
    return json.dumps(outcome.view, ensure_ascii=False)


async def test_the_window_before_a_stop_opens_at_once_and_is_filled() -> None:
    """A click is good for three seconds; asking the provider may take longer."""
    house = House()
    assert await house.clicks(stops.ask, "incident:12") == ["views.open", "views.update"]
    assert house.slack.told("views.update")[0]["view"]["callback_id"] == ids.VIEW_STOP


async def test_a_firmer_lever_is_chosen_in_the_window_of_a_stop_in_force() -> None:
    """What is held already stands in nobody's way, and its reason is taken along."""
    house = House()
    house.stopping.radius = replace(told.held_radius(), seen_at=NOW)
    await house.clicks(stops.ask_firmer, "stop:5")
    view = house.slack.told("views.update")[0]["view"]
    [radio] = [block["element"] for block in view["blocks"] if block.get("block_id") == ids.STOP_WHAT]
    assert radio["initial_option"]["value"] == Lever.CHEAP
    form = Form.of(a_visit(house.bot, house.slack), view | {"id": "V7", "state": house.stop("cheap").view["state"]})
    assert isinstance(await stops.submit(form), Show)
    assert [one[:3] for one in house.stopping.done] == [("request", "incident:12", Lever.CHEAP)]


@pytest.mark.parametrize(("what", "lever"), [("stop", Lever.STOP), ("slow", Lever.SLOW), ("cheap", Lever.CHEAP)])
async def test_a_filled_window_holds_the_lever(what: str, lever: Lever) -> None:
    """Of one project, or of the whole team; the window then shows how it stands."""
    house = House()
    await stops.submit(house.stop(what))
    outcome = await stops.submit(house.stop(what, breadth="team", view="V8"))
    assert house.stopping.done == [
        ("request", "project:3", lever, "재시도 루프", False), ("request", "project:3", lever, "재시도 루프", True),
    ]  # fmt: skip
    assert ids.STOP_RESTORE in said(outcome)


async def test_what_stops_no_spending_is_done_by_its_own_part_and_says_so() -> None:
    """Keys are switched off, projects left out; no lever is asked for."""
    house = House()
    assert "...abc1" in said(await stops.submit(house.stop("collecting_off")))
    assert "ad-copy-writer" in said(await stops.submit(house.stop("excluded", breadth="team")))
    assert house.stopping.done == [("disable", 1), ("exclude", 1), ("exclude", 2), ("exclude", 3)]


async def test_no_key_is_switched_off_where_one_belongs_to_a_team_of_others() -> None:
    """All of them or none: half of it would be a third thing nobody asked for."""
    house = House()
    house.stopping.radius = told.a_radius(connection_keys=((1, "abc1"), (2, "abc2")))
    manager = house.bot.teams.require_manager

    async def require(person: Any, team_id: int, groups: Any = ()) -> Any:
        if team_id == 2:
            raise Refusal(RefusalCode.NOT_TEAM_MANAGER, team="데이터팀", lead=JIHOON, admins=())
        return await manager(person, team_id, groups)

    house.bot.teams.require_manager = require
    with pytest.raises(Refusal):
        await stops.submit(house.stop("collecting_off"))
    assert house.stopping.done == []


@pytest.mark.parametrize(
    "seen", [NOW - timedelta(minutes=16), NOW - timedelta(days=1), NOW + timedelta(hours=1), NOW.replace(tzinfo=None)]
)
async def test_a_window_of_another_time_is_shown_afresh_and_does_nothing(seen: datetime) -> None:
    """Too old, or from a time that has not come: then somebody else wrote it."""
    house = House()
    outcome = await stops.submit(house.stop(seen=seen))
    assert isinstance(outcome, Show)
    assert outcome.view["callback_id"] == ids.VIEW_STOP
    assert ":warning:" in said(outcome)
    assert house.stopping.done == []


async def test_a_window_that_a_copy_with_another_clock_filled_is_taken() -> None:
    """Filled by a copy that is ten minutes ahead of the one that hears the answer: a stop does not wait for that."""
    house = House()
    await stops.submit(house.stop(seen=NOW + timedelta(minutes=10)))
    assert house.stopping.done == [("request", "project:3", Lever.STOP, "재시도 루프", False)]


@pytest.mark.parametrize("typed", [{"what": "explode"}, {"what": ""}, {"breadth": "world"}, {"reason": SECRET}])
async def test_what_nobody_offered_and_secrets_do_nothing(typed: dict[str, str]) -> None:
    """A choice that is not in the window, a key where a reason belongs."""
    house = House()
    outcome = await stops.submit(house.stop(**typed))  # type: ignore[arg-type]
    shown = outcome.form if isinstance(outcome, Problem) else outcome.view  # type: ignore[union-attr]
    assert shown["callback_id"] == ids.VIEW_STOP
    assert SECRET not in json.dumps(shown)
    assert house.stopping.done == []


async def test_a_refusal_stands_beside_its_input_and_the_same_can_be_submitted_again() -> None:
    """Only what was done is remembered as done."""
    house = House()
    house.stopping.refuses = Refusal(RefusalCode.STOP_REASON_MISSING)
    outcome = await stops.submit(house.stop(reason=" . "))
    assert isinstance(outcome, Problem)
    assert list(outcome.errors) == [ids.STOP_REASON]
    assert await stops.submit(house.stop(reason=" . "))
    assert await stops.submit(house.stop(reason=" . "))
    assert len(house.stopping.done) == 1


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("stop batch", "batch"), ("차단 batch", "batch"), ("停止 batch", "batch"),
        ("stop project batch", "project batch"),
        ("차단 프로젝트 BATCH", "프로젝트 BATCH"), ("stop project", "project"),
        ("resume batch", "batch"), ("복구 batch", "batch"), ("再開 batch", "batch"),
    ],
)  # fmt: skip
async def test_stop_and_resume_are_understood_in_three_languages(words: str, target: str) -> None:
    """With the name of a project or team as it was typed, and with the word before it that says which of the two."""
    house = House()
    await house.clicks(commands.answer, words)
    assert house.stopping.done == [("named", target)]
    assert house.slack.told("views.update")[0]["view"]["callback_id"] in (ids.VIEW_STOP, ids.VIEW_APPROVE)


async def test_without_a_name_there_is_a_list_and_in_a_direct_message_a_button_to_it() -> None:
    """Only a command or a click can open a window."""
    for word, action_id in (("stop", ids.STOP_OPEN), ("resume", ids.STOP_APPROVE)):
        house = House()
        await house.clicks(commands.answer, word)
        assert house.slack.told("views.update")[0]["view"]["callback_id"] == ids.VIEW_INFO
        house = House()
        await house.clicks(commands.answer, word, trigger_id=None)
        assert action_id in str(house.respond.said[0]["blocks"])


async def test_terms_reach_the_bot_as_they_were_chosen() -> None:
    """So much more until a time, or a new limit: each amount from its own input."""
    house = House()
    until = {"selected_date_time": int(NOW.timestamp()) + 3600}
    typed = {ids.APPROVE_AMOUNT: {"value": "100"}, ids.APPROVE_LIMIT: {"value": "900"}, ids.APPROVE_UNTIL: until}
    for number, way in enumerate(("amount", "budget")):
        form = house.form("stop:5", view=f"V{number}", **{ids.APPROVE_WAY: chosen(way)}, **typed)
        assert isinstance(await approving.submit(form), Show)
    later = NOW + timedelta(hours=1)
    assert house.stopping.done == [
        ("approve", "stop:5", ApprovalWish(ApprovalWay.AMOUNT, "100", later, restops=False, known=[NOW])),
        ("approve", "stop:5", ApprovalWish(ApprovalWay.BUDGET, "900", later, restops=False, known=[NOW])),
    ]


@pytest.mark.parametrize(("way", "field"), [("amount", ids.APPROVE_AMOUNT), ("budget", ids.APPROVE_LIMIT)])
async def test_an_amount_that_cannot_be_is_told_beside_its_own_input(way: str, field: str) -> None:
    """There are two of them, and only one was meant; a pasted key is not shown again."""
    house = House()
    house.stopping.refuses = Refusal(RefusalCode.APPROVAL_AMOUNT, mistake="not_a_number")
    outcome = await approving.submit(house.form("stop:5", **{ids.APPROVE_WAY: chosen(way), field: {"value": SECRET}}))
    assert isinstance(outcome, Problem)
    assert list(outcome.errors) == [field]
    assert SECRET not in json.dumps(outcome.form)


async def test_a_window_that_does_not_say_what_it_knew_is_filled_anew() -> None:
    """One of an older version, in the quarter of an hour after an upgrade: nothing is let go on unseen."""
    house = House()
    form = house.form("stop:5", **{ids.APPROVE_WAY: chosen("restore")})
    form.ids.pop("decided")
    outcome = await approving.submit(form)
    assert isinstance(outcome, Show)
    assert "decided" in outcome.view["private_metadata"]
    assert house.stopping.done == []


async def test_a_way_nobody_offered_allows_nothing() -> None:
    house = House()
    outcome = await approving.submit(house.form("stop:5", **{ids.APPROVE_WAY: chosen("forever")}))
    assert isinstance(outcome, Show)
    assert outcome.view["callback_id"] == ids.VIEW_APPROVE
    assert house.stopping.done == []


async def test_restore_acts_at_once_and_shows_in_the_window_it_was_clicked_in() -> None:
    """In a channel the message itself tells everybody."""
    house = House()
    assert await house.clicks(approving.restore, "stop:5") == []
    drawn = ["views.update", "views.publish"]
    assert await house.clicks(approving.restore, "stop:5", view={"id": "V3", "type": "modal"}) == drawn
    await house.clicks(approving.restore, "incident:5")
    assert house.stopping.done == [("restore", 5)] * 2
    assert len(house.respond.said) == 1


async def test_pressed_where_nothing_is_drawn_anew_a_window_shows_what_came_of_it() -> None:
    """An answer to one person and a direct message stay as they were; Home is drawn again below the window."""
    shown, home = ["views.open", "views.update"], {"id": "V1", "type": "home"}
    assert await House().clicks(approving.agree, "stop:5", view=home, channel_id=None) == [*shown, "views.publish"]
    assert await House().clicks(approving.restore, "stop:5", is_ephemeral=True) == shown
    assert await House().clicks(approving.restore, "stop:5", channel_id="D0JIHOON01") == shown


async def test_the_lead_is_told_and_the_cause_is_pinned_once_for_each_window() -> None:
    """Sent again by whoever kept the request, neither happens again."""
    house = House()
    for _ in range(2):
        await stops.submit_lead(house.form("incident:12", **{ids.LEAD_TEXT: {"value": "확인 부탁드립니다"}}))
        cause = {ids.CAUSE_QUICK: chosen("retry_bug"), ids.CAUSE_TEXT: {"value": "3번"}}
        await stops.submit_cause(house.form("incident:12", **cause))
    assert [one[:2] for one in house.stopping.done] == [("tell", "incident:12"), ("cause", "incident:12")]
    assert "3번" in house.stopping.done[1][2]
    for name, submit in ((ids.LEAD_TEXT, stops.submit_lead), (ids.CAUSE_TEXT, stops.submit_cause)):
        outcome = await submit(house.form("incident:12", view="V9", **{name: {"value": SECRET}}))
        assert isinstance(outcome, Problem)
        assert SECRET not in json.dumps(outcome.form)


@pytest.mark.parametrize(
    ("choice", "callback_id"),
    [
        (ids.MORE_STOP, ids.VIEW_STOP), (ids.MORE_APPROVE, ids.VIEW_APPROVE), (ids.MORE_LEAD, ids.VIEW_STOP_LEAD),
        (ids.MORE_CAUSE, ids.VIEW_STOP_CAUSE), ("explode", None), ("", None),
    ],
)  # fmt: skip
async def test_the_menu_of_rarer_actions_does_what_a_button_would(choice: str, callback_id: str | None) -> None:
    """What is not in it is answered, and does nothing."""
    house = House()
    await house.clicks(incidents.more, f"12/{choice}")
    views = [call["view"]["callback_id"] for _, call in house.slack.calls if "view" in call]
    assert (views[-1] if views else None) == callback_id
    assert bool(house.respond.said) == (callback_id is None)


def test_a_mail_about_a_stop_names_people_and_says_how_it_stands() -> None:
    """Where Slack is away, "not stopped" reaches people in plain words: no marks, no ids."""
    for name, event in told.EVENTS.items():
        subject, body = stop_thread.mail(event, told.unproved(), reader("ko"), "https://slack.com/app_redirect?x")
        assert subject, name
        assert "\n" not in subject
        assert not [mark for mark in ("*", "<@", "&lt;", "&amp;") if mark in subject + body], name
        assert "https://slack.com/app_redirect?x" in body
    assert set(stop_form.StopWhat) >= set(Lever), "every lever can be chosen by its own name"
