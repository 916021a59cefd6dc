"""Onboarding as a person does it: through Home, the real modals and what they answer. Goes on wherever it stands."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blocks import ids
from demo.slack import Person, SimulatedSlack
from demo.slack.cast import TEAM_ID
from demo.stage import Stage
from handlers.addresses import BOT

ANSWER_SECONDS = 30.0
COLLECTED_SECONDS = 600.0
TRIES = 5
Say = Callable[[str], None]


class Stuck(RuntimeError):
    """The set-up could not go on; the text says what the person was told."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to set up. `projects` None: every project the provider offers."""

    team: str
    channel: str
    lead: str
    key: str
    projects: tuple[str, ...] | None = None


async def onboard(stage: Stage, person: Person, wish: Wish, say: Say) -> None:
    """Walk through the set-up window by window until nothing is left to do, then wait for the first collection.

    Where a window refuses, somebody may be setting up the same: it is asked for again, and goes on where they stand.
    """
    for tries_left in range(TRIES - 1, -1, -1):
        await person.command("/finops setup")
        try:
            await _walk(stage, person, wish, say)
            return
        except Stuck:
            if not tries_left:
                raise
            person.closes(everything=True)
            await asyncio.sleep(0.2)


async def onboard_another(stage: Stage, person: Person, wish: Wish, say: Say) -> None:
    """The same for a further team, beginning where teams are managed; nothing to do when it is there already."""
    await person.command("/finops team")
    listed = await settled_view(stage.slack, person)
    if wish.team in words_of(listed):
        person.closes(everything=True)
        return
    await person.clicks(listed, ids.TEAM_NEW)
    await stage.slack.until(lambda: (person.view or {}).get("callback_id") == ids.SETUP_TEAM, ANSWER_SECONDS)
    await _walk(stage, person, wish, say)


async def _walk(stage: Stage, person: Person, wish: Wish, say: Say) -> None:
    slack = stage.slack
    for _ in range(12):
        view = await settled_view(slack, person)
        match view["callback_id"]:
            case ids.SETUP_TEAM:
                say(f"team {wish.team}")
                fields = {ids.TEAM_NAME: wish.team, ids.TEAM_LEAD: wish.lead, ids.TEAM_CHANNEL: wish.channel}
                await _submit(slack, person, fields)
            case ids.SETUP_KEY:
                say("Admin key")
                await _submit(slack, person, {ids.KEY: wish.key})
            case ids.SETUP_KEY_DONE:
                await _submit(slack, person, {})
            case ids.SETUP_PROJECTS:
                say("projects")
                await _choose_projects(slack, person, wish)
            case _:
                say("collecting")
                person.closes(everything=True)
                await collected(stage)
                return
    raise Stuck(f"the set-up does not end; the window says: {words_of(await settled_view(slack, person))[:500]}")


async def _choose_projects(slack: SimulatedSlack, person: Person, wish: Wish) -> None:
    view = person.view
    assert view is not None
    if wish.projects is None:
        await _submit(slack, person, {ids.PROJECTS_ALL: [ids.PROJECTS_ALL]})
        return
    chosen = []
    for name in wish.projects:
        offered = await person.options(view, ids.PROJECTS, name)
        chosen += [option["value"] for option in offered if option["text"]["text"] == name][:1]
    await _submit(slack, person, {ids.PROJECTS: chosen})


async def _submit(slack: SimulatedSlack, person: Person, fields: dict[str, Any]) -> None:
    before = person.view
    answer = await person.submits(before, fields)
    if not answer.get("ok"):
        raise Stuck(f"the window refused: {answer.get('errors') or answer}")
    await settled_view(slack, person)


async def settled_view(slack: SimulatedSlack, person: Person) -> dict[str, Any]:
    """The window in front of a person once it shows something else than an hourglass."""

    def ready() -> bool:
        view = person.view
        return view is not None and view["callback_id"] != ids.VIEW_LOADING

    await slack.until(ready, ANSWER_SECONDS)
    view = person.view
    assert view is not None
    return view


async def collected(stage: Stage) -> None:
    """Wait until no collection runs or waits any more. Raises OSError where there is no room left to collect into."""
    async with asyncio.timeout(COLLECTED_SECONDS):
        while await stage.product[BOT].collecting.progress(TEAM_ID):
            require_room(stage.settings.database_url.reveal())
            await asyncio.sleep(0.05)
    require_room(stage.settings.database_url.reveal())


def require_room(database_url: str) -> None:
    """Raise OSError when the disk of a database in a file is full: the product would try again until there is room."""
    kind, _, path = database_url.partition(":///")
    if kind.startswith("sqlite") and not shutil.disk_usage(folder := Path(path.partition("?")[0]).parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def words_of(surface: Any) -> str:
    """Every text of a view or message, for reading and for searching."""
    if isinstance(surface, dict):
        own = [surface["text"]] if isinstance(surface.get("text"), str) else []
        return " ".join(
            [*own, *(words_of(value) for key, value in surface.items() if key != "text" or not own)]
        ).strip()
    if isinstance(surface, list):
        return re.sub(r"\s+", " ", " ".join(words_of(each) for each in surface)).strip()
    return ""
