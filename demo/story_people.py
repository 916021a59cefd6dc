"""What the people of the story do in Slack: they press the buttons of the real message and fill its real windows.

이지훈 stops the spending and writes to the lead, 김민수 tells why it happened and puts everything back.
"""

from __future__ import annotations

from typing import Any

from blocks import ids
from demo.onboarding import ANSWER_SECONDS, Stuck, settled_view, words_of
from demo.slack import Person
from demo.slack.cast import MARKETING
from demo.stage import Stage

REASON = "재시도 루프로 보여 먼저 멈춥니다. 원인을 확인한 뒤 복구하겠습니다."
CAUSE = "재시도 로직 버그: 실패한 호출을 쉬지 않고 다시 보냈습니다. 수정해 배포했습니다."

Message = dict[str, Any]


def root_message(stage: Stage, application: str) -> Message:
    """The alert about the application in its team's channel, as it reads now: the last that can still be acted on.

    Raises Stuck when there is none.
    """
    alerts = [
        message
        for message in stage.slack.messages(MARKETING)
        if message.get("thread_ts", message["ts"]) == message["ts"]
        and message.get("bot_id")
        and application in message["text"]
        and any(name.startswith(("incident.", "stop.")) for name in offered(message))
    ]
    if not alerts:
        raise Stuck(f"nobody was told of {application}")
    return alerts[-1]


async def stops_spending(stage: Stage, person: Person, application: str) -> None:
    """[지금 차단하기], the window that names who is hit, the reason, "예, 즉시 차단"."""
    await presses(person, root_message(stage, application), ids.INCIDENT_STOP)
    await _opened(stage, person, ids.VIEW_STOP)
    await submits(stage, person, {ids.STOP_REASON: REASON})


async def writes_to_the_lead(stage: Stage, person: Person, application: str) -> None:
    """The prepared message to the lead, sent as it stands."""
    message = root_message(stage, application)
    await presses(person, message, ids.STOP_LEAD, ids.INCIDENT_LEAD, chosen=ids.MORE_LEAD)
    await _opened(stage, person, ids.VIEW_STOP_LEAD)
    await submits(stage, person, {})


async def tells_the_cause(stage: Stage, lead: Person) -> None:
    """The lead's answer, by the button of the direct message."""

    def letter() -> Message | None:
        found = [one for one in lead.messages(lead.dm) if ids.STOP_CAUSE in offered(one)]
        return found[-1] if found else None

    await stage.slack.until(lambda: letter() is not None, ANSWER_SECONDS)
    await presses(lead, letter() or {}, ids.STOP_CAUSE)
    await _opened(stage, lead, ids.VIEW_STOP_CAUSE)
    await submits(stage, lead, {ids.CAUSE_TEXT: CAUSE})


async def restores(stage: Stage, person: Person, application: str) -> None:
    """[복구]: everything as it was before."""
    await presses(person, root_message(stage, application), ids.STOP_RESTORE)


async def finds_it_helpful(person: Person, message: Message) -> None:
    """The thumb up below an alert. Raises Stuck where there is none."""
    thumb = next((one for one in elements(message) if one.get("action_id") == ids.INCIDENT_FEEDBACK), None)
    if thumb is None:
        raise Stuck(f"nobody is asked whether it helped: {message['text']}")
    answer = await person.clicks(message, ids.INCIDENT_FEEDBACK, thumb["positive_button"]["value"])
    if not answer.get("ok"):
        raise Stuck(f"the thumb was not taken: {answer}")


async def presses(person: Person, message: Message, *buttons: str, chosen: str = "") -> None:
    """Press the first of these buttons that the message has, or choose `chosen` in its menu. Raises Stuck."""
    there = offered(message)
    button = next((name for name in buttons if name in there), None)
    if button is not None:
        answer = await person.clicks(message, button)
    else:
        value = next((value for value in there.get(ids.INCIDENT_MORE, []) if value.endswith(f"/{chosen}")), None)
        if not chosen or value is None:
            raise Stuck(f"no {' or '.join(buttons)} in a message that offers {', '.join(sorted(there)) or 'nothing'}")
        answer = await person.clicks(message, ids.INCIDENT_MORE, value)
    if not answer.get("ok"):
        raise Stuck(f"the press was not taken: {answer}")


def offered(message: Message) -> dict[str, list[str]]:
    """What can be pressed in a message: action ids, with the values of their choices."""
    pressed = [one for one in elements(message) if "action_id" in one]
    return {one["action_id"]: [option["value"] for option in one.get("options", [])] for one in pressed}


def elements(message: Message) -> list[dict[str, Any]]:
    """Everything in a message that might be pressed, from top to bottom."""
    blocks = message.get("blocks", [])
    return [one for block in blocks for one in [*(block.get("elements") or []), block.get("accessory") or {}]]


async def submits(stage: Stage, person: Person, fields: dict[str, Any]) -> str:
    """Fill in the window in front and submit it; what the person reads afterwards, then it is closed. Raises Stuck."""
    before = person.view
    assert before is not None
    answer = await person.submits(before, fields)
    if not answer.get("ok"):
        raise Stuck(f"the window refused: {answer.get('errors') or answer}")
    waiting = {ids.VIEW_LOADING, before["callback_id"]}
    try:
        await stage.slack.until(
            lambda: person.view is None or person.view["callback_id"] not in waiting, ANSWER_SECONDS
        )
    except TimeoutError as error:
        raise Stuck(f"the window stays: {words_of(person.view)[:500]}") from error
    words = words_of(person.view)
    if person.view is not None:
        person.closes(everything=True)
    return words


async def _opened(stage: Stage, person: Person, callback_id: str) -> None:
    view = await settled_view(stage.slack, person)
    if view["callback_id"] != callback_id:
        raise Stuck(f"another window opened: {words_of(view)[:500]}")
