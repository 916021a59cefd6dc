"""Feedback and interviews at the door: what is typed or forged, files that may not be sent, and Slack's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from icalendar import Calendar
from slack_sdk.errors import SlackApiError, SlackRequestError

from blocks import feedback as feedback_words
from blocks import ids
from blocks import interviews as interview_words
from bot.interviews import Changed
from finops.feedback import Feedback, FeedbackCategory, FeedbackDraft, FeedbackState
from finops.interviews import Board, Booking, Happened, Meeting, Offered, OfferWish, Slot
from handlers import feedback, filing, interviews
from handlers.submitting import Form, Problem, Show
from tests.unit.listening import JIHOON, SAKURA, SEOYEON, FakeBot, FakeSlack, a_visit
from tests.unit.saying import LANGUAGES, reader
from tests.unit.slack_limits import of_message, of_view

NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)
SECRET = "sk-" + "proj-" + "canary0000000000000000abc1"  # assembled: no scanner takes it for somebody's
SLOT = Slot(1, "T0FINOPS01", JIHOON, NOW + timedelta(days=1), NOW + timedelta(days=1, minutes=30), "", JIHOON, NOW)
BOOKED = Booking(7, "T0FINOPS01", 1, SAKURA, "", NOW, None, None, 0)
SAID = Feedback(3, "T0FINOPS01", SAKURA, FeedbackCategory.BUG, "text", FeedbackState.NEW, None, None, NOW)


class FilingSlack(FakeSlack):
    """Takes files as well, unless it is told to refuse them."""

    async def conversations_open(self, *, users: str) -> dict[str, Any]:
        self._call("conversations.open", {"users": users})
        return {"channel": {"id": f"D{users}"}}

    async def files_upload_v2(self, **given: Any) -> dict[str, Any]:
        return self._call("files.upload", given)


class House:
    """A bot that remembers what it was asked for."""

    def __init__(self) -> None:
        self.bot: Any = FakeBot(lambda: NOW)
        self.slack = FilingSlack()
        self.done: list[Any] = []
        self.changed = Changed(Happened.BOOKED, Meeting(SLOT, BOOKED))
        part = SimpleNamespace
        self.bot.feedback = part(give=self._give)
        self.meetings: dict[str, tuple[Meeting, bool]] = {}
        self.bot.interviews = part(
            board=self._board, offer=self._offer, cancel=self._cancel, names=self._names, meeting=self._meeting
        )

    async def _give(self, actor: Any, draft: FeedbackDraft, mark: str) -> None:
        self.done.append((draft, mark))

    async def _board(self, actor: Any) -> Board:
        return Board(None, (SLOT,), (), may_offer=True)

    async def _offer(self, actor: Any, wish: OfferWish) -> list[Slot]:
        self.done.append(wish)
        return [SLOT]

    async def _cancel(self, actor: Any, booking_id: int) -> Changed:
        return self.changed

    async def _meeting(self, actor: Any, booking_id: int, slot_id: int) -> tuple[Meeting, bool]:
        assert (booking_id, slot_id) == (7, 2)
        return self.meetings[actor.user_id]

    async def _names(self, workspace_id: str, *user_ids: str) -> dict[str, str]:
        return {JIHOON: "이지훈"}

    def form(self, metadata: dict[str, Any], **typed: Any) -> Form:
        values = {name: {name: given} for name, given in typed.items()}
        view = {"id": "V7", "private_metadata": json.dumps(metadata), "state": {"values": values}}
        return Form.of(a_visit(self.bot, self.slack), view)


@pytest.fixture
def house() -> House:
    return House()


async def test_of_a_forged_form_only_what_can_be_is_kept(house: House) -> None:
    """A place that is none, a category nobody offers, no answer about contact: nobody's name, no link."""
    forged = {"channel": "<!channel>", "ts": "1.2); DROP"}
    typed = {ids.FEEDBACK_TEXT: {"value": "hi"}, ids.FEEDBACK_CATEGORY: {"selected_option": {"value": "spam"}}}
    assert isinstance(await feedback.submit(house.form(forged, **typed)), Show)
    assert house.done == [(FeedbackDraft(FeedbackCategory.IDEA, "hi", may_contact=False), "V7")]


async def test_a_key_is_refused_wherever_it_is_typed(house: House) -> None:
    """In feedback, in a place; nothing is kept and the window no longer holds it."""
    problem = await feedback.submit(house.form({}, **{ids.FEEDBACK_TEXT: {"value": f"my key {SECRET}"}}))
    place = await interviews.submit_offer(house.form({}, **{ids.INTERVIEW_PLACE: {"value": SECRET}}))
    for told in (problem, place):
        assert isinstance(told, Problem)
        assert SECRET not in json.dumps(told.form)
    assert house.done == []


async def test_an_offer_is_read_as_it_was_picked(house: House) -> None:
    """The day, the length and the zone of whoever offers; nonsense stands for what the form began with."""
    picked = {
        ids.INTERVIEW_DAY: {"selected_date": "2026-07-09"}, ids.INTERVIEW_TIMES: {"value": "10:00"},
        ids.INTERVIEW_LENGTH: {"selected_option": {"value": "45"}}, ids.INTERVIEW_HOST: {"selected_user": JIHOON},
    }  # fmt: skip
    await interviews.submit_offer(house.form({}, **picked))
    picked |= {
        ids.INTERVIEW_DAY: {"selected_date": "soon"}, ids.INTERVIEW_LENGTH: {"selected_option": {"value": "1"}},
        ids.INTERVIEW_TIMES: {"value": "11:00"},
    }  # fmt: skip
    await interviews.submit_offer(house.form({}, **picked))
    assert house.done == [
        OfferWish(JIHOON, date(2026, 7, 9), "10:00", 45, "", "Asia/Seoul"),
        OfferWish(JIHOON, date(2026, 7, 7), "11:00", 30, "", "Asia/Seoul"),
    ]


async def test_where_no_file_may_be_sent_its_lines_come_as_text(house: House) -> None:
    """Whoever did it gets what a calendar reads; each other side one message, whose button sends theirs."""
    left = replace(SLOT, id=2, host_user_id=SEOYEON)
    moved = Meeting(SLOT, replace(BOOKED, sequence=1))
    house.changed = Changed(Happened.MOVED, moved, left)
    house.meetings = {SAKURA: (moved, True), JIHOON: (moved, True), SEOYEON: (Meeting(left, moved.booking), False)}

    def refuse(**given: Any) -> Any:
        raise SlackApiError("no", {"ok": False, "error": "missing_scope"})

    house.slack.files_upload_v2 = refuse  # type: ignore[method-assign,assignment]
    await interviews.cancel(a_visit(house.bot, house.slack, SAKURA), "7")
    assert [one["channel"] for one in house.slack.told("chat.postMessage")] == [f"D{SAKURA}"]
    for other in (JIHOON, SEOYEON):
        await interviews.file(a_visit(house.bot, house.slack, other), "7/2")
    told = house.slack.told("chat.postMessage")
    assert [one["channel"] for one in told] == [f"D{SAKURA}", f"D{JIHOON}", f"D{SEOYEON}"]
    methods = []
    for one in told:
        [text] = [
            block["elements"][0]["elements"][0]["text"] for block in one["blocks"] if block["type"] == "rich_text"
        ]
        methods.append(Calendar.from_ical(text.replace("\n", "\r\n"))["METHOD"])
    assert methods == ["REQUEST", "REQUEST", "CANCEL"]


@pytest.mark.parametrize(
    "code",
    ["missing_scope", "file_uploads_disabled", "file_uploads_except_images_disabled", "file_type_not_allowed",
     "file_upload_size_restricted", "storage_limit_reached", "posting_to_channel_denied"],
)  # fmt: skip
async def test_a_workspace_that_takes_no_file_is_no_failure_of_ours(house: House, code: str) -> None:
    """A full storage, a rule about kinds of files: said as what it is, and nobody searches our log for it."""
    house.slack.refuses["files.upload"] = code
    assert await filing.sent(a_visit(house.bot, house.slack), "bill.csv", b"day", "words") is False


@pytest.mark.parametrize(
    "failure", [SlackRequestError("upload: 500"), TimeoutError(), aiohttp.ServerDisconnectedError()]
)
async def test_an_appointment_stands_whatever_becomes_of_its_file(house: House, failure: Exception) -> None:
    """The window says what was done; that the file did not go up is for our log."""

    def fail(**given: Any) -> Any:
        raise failure

    house.slack.files_upload_v2 = fail  # type: ignore[method-assign,assignment]
    await interviews.cancel(a_visit(house.bot, house.slack, SAKURA), "7")
    assert len(house.slack.told("views.open") + house.slack.told("views.update")) >= 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_said_fits_into_slack(language: str) -> None:
    """The longest of everything, in every language: no window and no message is refused for its size."""
    t = reader(language)
    long = "<&> *긴* 글 " * 400
    said = replace(SAID, text=long[:3000], answer=long[:3000], answered_by=JIHOON, answered_at=NOW, channel_id="C1")
    draft = FeedbackDraft(FeedbackCategory.BUG, long[:3000], may_contact=True, channel_id="C1", message_ts="1.2")
    slots = [replace(SLOT, id=n, place=long[:300]) for n in range(1, 120)]
    booked = replace(BOOKED, note=long[:500])
    meeting = Meeting(slots[0], booked)
    board = Board(meeting, tuple(slots), tuple(Offered(one, booked) for one in slots), may_offer=True)
    form = interview_words.OfferForm(JIHOON, date(2026, 7, 9), "Asia/Seoul", long[:200], 30, long[:300])
    views = [
        feedback_words.form(t, draft, "no"),
        feedback_words.thanks(t, may_contact=True),
        feedback_words.answered(said, t),
        feedback_words.answer_form(said, t, long),
        interview_words.board(board, t, "yes"),
        interview_words.board(replace(board, mine=None), t),
        interview_words.board(Board(None, (), (), may_offer=False), t),
        interview_words.booking(board, t, 1, long, "no"),
        interview_words.booking(replace(board, free=()), t),
        interview_words.offering(form, t, "no"),
    ]
    messages = [feedback_words.triage(said, t, long), feedback_words.triage(SAID, t), feedback_words.answer(said, t)]
    messages += [interview_words.message(what, meeting, SAKURA, JIHOON, t) for what in Happened]
    file = interview_words.appointment(meeting, {JIHOON: long}, NOW, t, is_cancelled=False)
    beside = interview_words.file_words(Happened.BOOKED, meeting, SAKURA, t)
    messages.append(interview_words.file_as_text(file, beside, t))
    for view in views:
        assert of_view(view) == []
    for message in messages:
        assert of_message(message.arguments()) == []


def test_the_state_of_feedback_says_who_changed_it_and_when() -> None:
    """By name, not by a mention; feedback from before anybody kept that says the state alone."""
    t = reader("ko")
    decided = replace(SAID, state=FeedbackState.PLANNED, decided_by=JIHOON, decided_at=NOW)
    assert "'상태: 예정 · 이지훈 · 7월 6일 10:00'" in str(feedback_words.triage(decided, t, decider="이지훈").blocks)
    assert f"상태: 예정 · <@{JIHOON}> · " in str(feedback_words.triage(decided, t).blocks)
    assert "상태: 예정" in str(feedback_words.triage(replace(decided, decided_at=None), t, decider="이지훈").blocks)


def test_all_of_what_somebody_typed_can_be_read() -> None:
    """3,000 characters that each take five once they are harmless: in several paragraphs, none of them cut."""
    for typed in ("&" * 3000, "<\n" * 1499 + "<", "가나다 " * 749 + "끝", "한 줄\n" * 700 + "끝"):
        message = feedback_words.triage(replace(SAID, text=typed), reader("ko"))
        shown = [one["text"]["text"] for one in message.blocks if one["type"] == "section"][1:]
        lines = "\n".join(shown).replace(">", "").replace("&lt;", "<").replace("&amp", "&").replace(";", "")
        assert lines.replace("\n", "") == typed.replace("\n", "")
        assert "…" not in "".join(shown)
        assert of_message(message.arguments()) == []
