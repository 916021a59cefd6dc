"""The buttons of an alert: heard through Bolt itself, done once, refused to one person's eyes only."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from blocks import ids, incident_silence
from blocks import incidents as speak
from bot.errors import Refusal, RefusalCode
from bot.incidents import Silence
from handlers import ACTIONS, ONCE, budgets, incidents
from handlers.guard import guarded
from handlers.visit import Visit
from tests.unit import saying_live as told
from tests.unit import stopping_said as stops
from tests.unit.listening import JIHOON, SAKURA, SEOYEON, FakeBot, FakeRespond, FakeSlack, a_visit
from tests.unit.saying import reader
from tests.unit.test_handlers_listening import House, a_click


class FakeIncidents:
    """Remembers what it was asked to do; `refuses` is raised instead."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.refuses: Refusal | None = None
        self.offers: int | None = None

    async def _do(self, *what: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.done.append(what)

    async def acknowledge(self, actor: Any, incident_id: int) -> None:
        await self._do("acknowledge", actor.user_id, incident_id)

    async def end_silence(self, actor: Any, incident_id: int, groups: Any) -> None:
        await self._do("end_silence", actor.user_id, incident_id)

    async def feedback(self, actor: Any, incident_id: int, groups: Any, *, is_helpful: bool) -> Any:
        await self._do("feedback", actor.user_id, incident_id, is_helpful)
        return SimpleNamespace(is_new=True, budget_id=self.offers, project_id=None, unhelpful=(12, 9))

    async def budget_of(self, workspace_id: str, incident_id: int) -> tuple[int, int | None]:
        await self._do("budget_of", incident_id)
        return 3, None

    async def detail(self, workspace_id: str, incident_id: int) -> Any:
        await self._do("detail", incident_id)
        return told.a_detail()


def a_bot() -> Any:
    bot = FakeBot()
    bot.incidents = FakeIncidents()  # type: ignore[attr-defined]
    return bot


def a_choice(action_id: str, value: str, ts: str = "1783299600.1") -> dict[str, Any]:
    body = a_click(action_id, ts=ts)
    body["actions"][0] |= {"type": "overflow", "selected_option": {"value": value}}
    del body["actions"][0]["value"]
    return body


async def test_a_click_that_slack_delivers_again_acts_once() -> None:
    """The same click three times, then a second click: two wishes, not four."""
    house = House()
    house.bot.incidents = FakeIncidents()  # type: ignore[attr-defined]
    for ts in ("1783299600.1", "1783299600.1", "1783299600.1", "1783299601.7"):
        answer, seconds = await house.hears(a_click(ids.INCIDENT_ACKNOWLEDGE, "12", ts=ts))
        assert answer.status == 200
        assert seconds < 1
    await house.work.drain(5)
    assert house.bot.incidents.done == [("acknowledge", JIHOON, 12)] * 2  # type: ignore[attr-defined]


async def test_what_is_picked_and_pressed_reaches_the_bot() -> None:
    """A menu, a button, and a thumb in both its forms."""
    house = House()
    house.bot.incidents = FakeIncidents()  # type: ignore[attr-defined]
    clicks = [
        a_choice(ids.INCIDENT_MORE, f"12/{ids.MORE_ACKNOWLEDGE}", "1.1"),
        a_click(ids.INCIDENT_END_SILENCE, "12", "1.2"),
        a_click(ids.INCIDENT_FEEDBACK, "12/bad", "1.3"),
        a_click(ids.INCIDENT_GOOD, "12/good", "1.4"),
    ]
    for body in clicks:
        await house.hears(body)
    await house.work.drain(5)
    assert house.bot.incidents.done == [  # type: ignore[attr-defined]
        ("acknowledge", JIHOON, 12),
        ("end_silence", JIHOON, 12),
        ("feedback", JIHOON, 12, False),
        ("feedback", JIHOON, 12, True),
    ]


async def test_a_click_that_worked_says_nothing_beside_the_message() -> None:
    """The message itself changes for everybody; nobody is told of their own click."""
    slack, respond = FakeSlack(), FakeRespond()
    await guarded(a_visit(a_bot(), slack, respond=respond), lambda visit: incidents.acknowledge(visit, "12"))
    assert respond.said == []
    assert slack.calls == []


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            Refusal(RefusalCode.NOT_TEAM_MANAGER, team="마케팅팀", lead=SEOYEON, admins=(JIHOON,)),
            ("마케팅팀", f"<@{SEOYEON}>", f"<@{JIHOON}>"),
        ),
        (
            Refusal(RefusalCode.INCIDENT_ACKNOWLEDGED, person=JIHOON, at=datetime(2026, 7, 6, 5, 3, tzinfo=UTC)),
            (f"<@{JIHOON}>", "14:03"),
        ),
        (Refusal(RefusalCode.INCIDENT_CLOSED), ("終了",)),
    ],
)
async def test_a_refusal_is_for_one_persons_eyes_and_names_who_can(refusal: Refusal, words: tuple[str, ...]) -> None:
    """In the reader's language, beside the message that stays as it is."""
    bot, respond = a_bot(), FakeRespond()
    bot.incidents.refuses = refusal
    visit = a_visit(bot, FakeSlack(), SAKURA, respond=respond)
    await guarded(visit, lambda v: incidents.end_silence(v, "12"))
    [answer] = respond.said
    assert answer["response_type"] == "ephemeral"
    assert answer["replace_original"] is False
    assert all(word in answer["text"] for word in words)


async def test_the_details_open_at_once_and_are_filled() -> None:
    """A window within the life of a click, then everything in it; also from Home, where there is no channel."""
    for channel in ("C0MARKET01", None):
        slack = FakeSlack()
        await guarded(a_visit(a_bot(), slack, channel_id=channel), lambda visit: incidents.detail(visit, "12"))
        assert [name for name, _ in slack.calls] == ["views.open", "views.update"]
        assert "proj_chatbot" in str(slack.told("views.update")[0]["view"])


async def test_two_bad_opinions_and_the_budget_button_open_the_window_of_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the bot offers after the second thumb down is what the button opens at once."""
    opened: list[tuple[Any, ...]] = []

    async def open_for(visit: Visit, *which: Any) -> None:
        opened.append(which)

    # Why patched: the window itself is the budgets' own business.
    monkeypatch.setattr(budgets, "open_for", open_for)
    bot, respond = a_bot(), FakeRespond()
    bot.incidents.offers = 3
    await guarded(a_visit(bot, FakeSlack(), respond=respond), lambda visit: incidents.feedback(visit, "12/bad"))
    await guarded(a_visit(bot, FakeSlack(), respond=respond), lambda visit: incidents.budget(visit, "12"))
    assert opened == [(3, None, (12, 9)), (3, None)]
    assert respond.said == []
    bot.incidents.offers = None
    await guarded(a_visit(bot, FakeSlack(), respond=respond), lambda visit: incidents.feedback(visit, "12/good"))
    assert "의견 감사합니다" in respond.said[0]["text"]


@pytest.mark.parametrize("value", ["12", "12/", "12/forever", "x/1h", ""])
async def test_a_value_nobody_offered_does_nothing_and_is_answered(value: str) -> None:
    """A button is a question; what it carries is looked at, never trusted."""
    bot, respond = a_bot(), FakeRespond()
    bot.incidents.refuses = Refusal(RefusalCode.UNKNOWN_INCIDENT)
    for click in (incidents.more, incidents.feedback):
        await guarded(a_visit(bot, FakeSlack(), respond=respond), lambda visit, click=click: click(visit, value))  # type: ignore[misc]
    assert bot.incidents.done == []
    assert len(respond.said) == 2


def test_every_choice_of_the_message_is_one_the_bot_knows() -> None:
    """What blocks/ offers, bot/ can do."""
    assert set(incident_silence.LENGTHS) == {length.value for length in Silence}


def test_an_alert_has_nothing_that_keeps_what_somebody_chose() -> None:
    """Slack goes on showing a choice to whoever made it while its block has the same name, and a row must keep its
    name: after a refusal, a change of mind or the end of a silence, a menu would show what does not hold."""
    stateless = {"button", "overflow", "feedback_buttons"}
    for shown in (told.shown(), told.warned(), told.acknowledged(), told.silenced(), stops.in_incident(stops.proved())):
        blocks = speak.root(shown, reader("ko")).blocks
        pressed = [one for block in blocks for one in block.get("elements", ()) if "action_id" in one]
        assert {one["type"] for one in pressed} <= stateless
        assert pressed


def test_what_changes_something_is_done_once() -> None:
    """Every button of an alert but those that only open a window."""
    of_alerts = {action_id for action_id in ACTIONS if action_id.startswith(("incident.", "stop."))}
    windows = {ids.INCIDENT_SILENCE, ids.INCIDENT_STOP, ids.INCIDENT_APPROVE, ids.INCIDENT_LEAD}
    windows |= {ids.STOP_OPEN, ids.STOP_APPROVE, ids.STOP_FIRMER, ids.STOP_LEAD, ids.STOP_CAUSE, ids.INCIDENT_REVIEW}
    assert of_alerts - ONCE == {ids.INCIDENT_DETAIL, ids.INCIDENT_BUDGET} | windows
