"""Submitted windows: an answer within three seconds always, and the result in the window whenever it comes."""

from __future__ import annotations

import asyncio
from typing import Any

from blocks import ids, kit
from bot.errors import Refusal, RefusalCode
from handlers.guard import Work
from handlers.submitting import Back, Form, Outcome, Problem, Show, Submitting
from tests.unit.listening import FakeBot, FakeSlack, a_visit

VIEW: dict[str, Any] = {
    "id": "V7",
    "hash": "1.a",
    "previous_view_id": "V6",
    "callback_id": ids.SETUP_TEAM,
    "private_metadata": '{"team":3,"setup":true}',
    "state": {"values": {"team_name": {"team_name": {"type": "plain_text_input", "value": " 마케팅팀 "}}}},
}
RESULT = kit.modal("Result", [kit.divider()], close="Close", callback_id="info")
FORM = kit.modal("Form", [kit.divider()], close="Close", callback_id="form")


class Submitted:
    """One submission and everything that was answered."""

    def __init__(self, within_seconds: float = 2.0) -> None:
        self.slack, self.work, self.acks = FakeSlack(), Work(), []
        self.form = Form.of(a_visit(FakeBot(), self.slack), VIEW)
        self.submitting = Submitting(self.work, within_seconds)

    async def answered(self, handler: Any) -> dict[str, Any]:
        async def ack(**answer: Any) -> None:
            self.acks.append(answer)

        await self.submitting.answer(self.form, handler, ack)  # type: ignore[arg-type]
        return self.acks[-1]


def giving(outcome: Outcome) -> Any:
    async def handler(_: Form) -> Outcome:
        return outcome

    return handler


def test_a_form_gives_what_was_typed_and_the_ids_it_carried() -> None:
    """Blanks trimmed; nonsense in place of an id is nobody's id."""
    form = Submitted().form
    assert (form.text(ids.TEAM_NAME), form.number("team"), form.is_setup) == ("마케팅팀", 3, True)
    assert (form.text("other"), form.user("other"), form.users("other"), form.chosen("other")) == ("", "", [], [])
    assert Form.of(form.visit, {"private_metadata": "{broken"}).number("team") == -1


async def test_a_mistake_is_said_beside_its_input() -> None:
    """The form stays open with what was typed."""
    submitted = Submitted()
    answer = await submitted.answered(giving(Problem({ids.TEAM_NAME: "taken"}, FORM)))
    assert answer == {"response_action": "errors", "errors": {ids.TEAM_NAME: "taken"}}
    assert submitted.slack.calls == []


async def test_the_next_window_takes_the_place_of_the_form_and_home_is_drawn_again() -> None:
    """What changed shows on Home too."""
    submitted = Submitted()
    assert await submitted.answered(giving(Show(RESULT))) == {"response_action": "update", "view": RESULT}
    await submitted.slack.until("views.publish")


async def test_an_edit_closes_and_refreshes_the_window_below() -> None:
    """The list underneath shows the change."""
    submitted = Submitted()
    assert await submitted.answered(giving(Back(RESULT))) == {}
    (update,) = await submitted.slack.until("views.update")
    assert update == {"view_id": "V6", "view": RESULT}


async def test_an_edit_opened_by_a_message_says_what_changed_itself() -> None:
    """There is no list underneath: it would close without a word."""
    submitted = Submitted()
    submitted.form = Form.of(submitted.form.visit, {**VIEW, "previous_view_id": None})
    assert await submitted.answered(giving(Back(RESULT))) == {"response_action": "update", "view": RESULT}
    await submitted.slack.until("views.publish")
    assert submitted.slack.told("views.update") == []


async def test_a_late_edit_leaves_no_window_below_as_it_was() -> None:
    """ "Checking" cannot be closed, and shows the list; so does the window that closing it uncovers."""
    submitted, go = Submitted(within_seconds=0), asyncio.Event()

    async def slow(_: Form) -> Outcome:
        await go.wait()
        return Back(RESULT)

    await submitted.answered(slow)
    go.set()
    updates = await submitted.slack.until("views.update", 2)
    assert [(one["view_id"], one["view"]) for one in updates] == [("V7", RESULT), ("V6", RESULT)]


async def test_what_takes_longer_says_checking_and_shows_the_result_later() -> None:
    """Slack waits three seconds; asking a provider may take ten."""
    submitted, go = Submitted(within_seconds=0), asyncio.Event()

    async def slow(_: Form) -> Outcome:
        await go.wait()
        return Show(RESULT)

    answer = await submitted.answered(slow)
    assert answer["view"]["callback_id"] == ids.VIEW_LOADING
    go.set()
    (update,) = await submitted.slack.until("views.update")
    assert update == {"view_id": "V7", "view": RESULT}


async def test_a_late_mistake_brings_the_form_back() -> None:
    """ "Checking" has taken its place; the form returns with the mistake on top."""
    submitted, go = Submitted(within_seconds=0), asyncio.Event()

    async def slow(_: Form) -> Outcome:
        await go.wait()
        return Problem({ids.KEY: "refused"}, FORM)

    await submitted.answered(slow)
    go.set()
    (update,) = await submitted.slack.until("views.update")
    assert update["view"] == FORM


async def test_two_clicks_on_one_form_are_one_submission() -> None:
    """Both are answered the same; the work is done once."""
    submitted, runs, begun, go = Submitted(), [], asyncio.Event(), asyncio.Event()

    async def handler(_: Form) -> Outcome:
        runs.append(1)
        begun.set()
        await go.wait()
        return Show(RESULT)

    both = asyncio.gather(submitted.answered(handler), submitted.answered(handler))
    await begun.wait()
    go.set()
    await both
    assert (len(runs), len(submitted.acks)) == (1, 2)
    await submitted.work.drain()
    assert len(submitted.slack.told("views.publish")) == 1


async def test_a_refusal_or_a_bug_answers_in_the_window() -> None:
    """Never an empty three seconds."""
    for error in (Refusal(RefusalCode.NOT_ADMIN, admins=("U0JIHOON01",)), ZeroDivisionError()):

        async def broken(_: Form, error: Exception = error) -> Outcome:
            raise error

        answer = await Submitted().answered(broken)
        assert answer["response_action"] == "update"
        assert answer["view"]["type"] == "modal"
