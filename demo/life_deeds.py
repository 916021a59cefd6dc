"""Deeds: what the people of the stage do in the weeks of demo/life.py, as they would do it in real life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from fractions import Fraction

from blocks import ids
from demo import runaway, story
from demo import story_people as people
from demo.lab_words import words
from demo.life import DAY, Deed, Life, heard
from demo.onboarding import ANSWER_SECONDS, settled_view
from demo.openai.traffic import HOUR
from demo.openai.turns import Turn
from demo.slack.cast import EMMA, JIHOON, MARKETING, MINSU, SAKURA, SEOYEON
from demo.story_time import BRIEFLY, Pace, moments, walked
from demo.story_told import dollars
from finops.periods import minute_of

SMALLER = "gpt-4o-mini-2024-07-18"
CHATBOT, SUMMARY, FRAUD, NOTES = runaway.APPLICATION, "doc-summary", "fraud-check", "meeting-notes"
# The loop would burn twice the day's budget in so many hours; looked at every quarter of an hour.
LOOP_HOURS, LOOP_LOOKS = timedelta(hours=3), Pace(timedelta(minutes=15), near=0)
AFTERNOON = timedelta(hours=5, minutes=20)  # in Seoul
# Who votes for which of the answers, counted from the first.
VOTES = ((JIHOON, 1), (MINSU, 1), (SEOYEON, 3), (SAKURA, 1), (EMMA, 0))


def moves(application: str, percent: int, to_model: str = "") -> Callable[[Life], Awaitable[None]]:
    """Somebody builds an application otherwise: another model answers, or prompts come from the cache."""

    async def does(life: Life) -> None:
        openai = life.stage.openai
        traffic = openai.tenant().traffic
        from_model = traffic.models_of(application)[0] if to_model else ""
        since = -(-minute_of(life.clock()) // HOUR)
        openai.turn(Turn(application, since, percent, from_model, to_model))

    return does


async def _retires_key(life: Life) -> None:
    """이지훈 deletes a key that nobody uses, on the provider's own page."""
    organization = life.stage.openai.organization
    project = organization.named(FRAUD)
    key = next(one for one in project.keys if one.service_account_id is None)
    project.keys.remove(key)
    organization.write_audit("api_key.deleted", life.clock(), organization.person(), project, {"id": key.id})


async def _loops(life: Life) -> None:
    """A retry loop runs through the budget within hours; it is taken up, stopped, proved, explained and let go on."""
    stage, clock = life.stage, life.clock
    begun = clock()
    usual = dollars(stage, CHATBOT, begun, begun + LOOP_HOURS)
    stage.openai.boost(CHATBOT, Fraction(2 * story.LIMIT) / Fraction(usual or 1), begun)
    end = begun + LOOP_HOURS
    async for _ in walked(stage, clock, moments(begun, end, LOOP_LOOKS)):
        if dollars(stage, CHATBOT, end.replace(hour=0, minute=0), clock()) > story.LIMIT:
            break
    jihoon = stage.slack.person(JIHOON)
    told = people.root_message(stage, CHATBOT)
    await people.presses(jihoon, told, ids.INCIDENT_ACKNOWLEDGE, chosen=ids.MORE_ACKNOWLEDGE)
    await story.stop_it(stage, clock, life.say, CHATBOT, BRIEFLY.step)
    await story.let_go_on(stage, clock, life.say, CHATBOT, BRIEFLY.step)
    thumb = people.finds_it_helpful(jihoon, people.root_message(stage, CHATBOT))
    await heard(stage, jihoon, MARKETING, thumb)


async def _retires_project(life: Life) -> None:
    """박서연's team has no use for an application any more."""
    organization = life.stage.openai.organization
    project = organization.named(NOTES)
    life.stage.openai.boost(NOTES, Fraction(0))
    project.archived_at = life.clock()
    organization.write_audit("project.archived", life.clock(), organization.person(), project, {"id": project.id})


async def _asks_what_next(life: Life) -> None:
    """이지훈 puts up the ready-made poll, and everybody votes; it closes by itself."""
    slack, jihoon = life.stage.slack, life.stage.slack.person(JIHOON)
    page = await heard(life.stage, jihoon, MARKETING, jihoon.command("/finops 결정", MARKETING))
    await people.presses(jihoon, page, ids.POLL_READY)
    await settled_view(slack, jihoon)
    await people.submits(life.stage, jihoon, {})

    def voting() -> list[people.Message]:
        return [one for one in slack.messages(MARKETING) if ids.POLL_VOTE in people.offered(one)]

    await slack.until(lambda: bool(voting()), ANSWER_SECONDS)
    message = voting()[-1]
    answers = [one["value"] for one in people.elements(message) if one.get("action_id") == ids.POLL_VOTE]
    for user_id, choice in VOTES:
        person = slack.person(user_id)
        person.joins(MARKETING)
        vote = person.clicks(message, ids.POLL_VOTE, answers[choice % len(answers)])
        await heard(life.stage, person, MARKETING, vote)


async def _decides(life: Life) -> None:
    """What won is planned."""
    jihoon = life.stage.slack.person(JIHOON)
    page = await heard(life.stage, jihoon, MARKETING, jihoon.command("/finops 결정", MARKETING))
    menu = next(block for block in page["blocks"] if block.get("accessory", {}).get("action_id") == ids.DECISION_SET)
    planned = next(one["value"] for one in menu["accessory"]["options"] if one["value"].endswith("/planned"))
    before = str(jihoon.ephemerals(MARKETING))
    await jihoon.clicks(page, ids.DECISION_SET, planned, menu["block_id"])
    await life.stage.slack.until(lambda: str(jihoon.ephemerals(MARKETING)) != before, ANSWER_SECONDS)


MOVED = words("호출의 {percent}%를 {model} 모델로 옮깁니다", percent=70, model=SMALLER)
CACHED = words("프롬프트의 {percent}%를 캐시에서 읽습니다", percent=60)
DEEDS = (
    Deed(0, 2 * DAY + AFTERNOON, CHATBOT, MOVED, moves(CHATBOT, 70, SMALLER)),
    Deed(1, DAY + AFTERNOON, SUMMARY, CACHED, moves(SUMMARY, 60)),
    Deed(1, 2 * DAY + AFTERNOON, CHATBOT, words("투표: 다음에는 무엇이 필요할까요?"), _asks_what_next),
    Deed(1, 3 * DAY + AFTERNOON, FRAUD, words("API 키를 삭제합니다"), _retires_key),
    Deed(2, 3 * DAY + AFTERNOON, CHATBOT, words("투표 1위를 계획에 넣습니다"), _decides),
    Deed(3, DAY + AFTERNOON, CHATBOT, words("재시도 루프를 알림에서 차단합니다"), _loops, needs_budget=True),
    Deed(4, 2 * DAY + AFTERNOON, NOTES, words("사용을 종료합니다"), _retires_project),
)
