"""What a person does about value in Slack: opens a project's window and makes an event token in it."""

from __future__ import annotations

from blocks import ids
from demo.onboarding import ANSWER_SECONDS, Stuck, settled_view, words_of
from demo.slack import Person
from demo.stage import Stage
from demo.value_sender import TOKEN


async def makes_token(stage: Stage, person: Person, project: str) -> str:
    """The event token of a project that the window shows, once. Raises Stuck when there is none."""
    await person.command(f"/finops project {project}")
    view = await settled_view(stage.slack, person)
    try:
        await person.clicks(view, ids.TOKEN_NEW)
    except LookupError as error:
        raise Stuck(f"no token can be made for {project}: {words_of(view)[:500]}") from error
    await stage.slack.until(lambda: (person.view or {}).get("callback_id") == ids.VIEW_TOKEN_NEW, ANSWER_SECONDS)
    # A trace names its applications as it likes; who types one stops where the input ends.
    fields = {block.get("block_id"): block["element"] for block in (person.view or {})["blocks"] if "element" in block}
    answer = await person.submits(None, {ids.TOKEN_NAME: project[: fields[ids.TOKEN_NAME]["max_length"]]})
    if not answer.get("ok"):
        raise Stuck(f"the token was refused: {answer.get('errors') or answer}")
    await stage.slack.until(lambda: TOKEN.search(words_of(person.view)) is not None, ANSWER_SECONDS)
    found = TOKEN.search(words_of(person.view))
    assert found is not None
    person.closes(everything=True)
    return found[0]
