"""Once: what a window asks for is done once, and a text that cannot be taken comes back with what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from blocks import bad_news, budget_words, kit
from bot.errors import Refusal, RefusalCode, explain
from finops.keys import contains_key
from handlers.submitting import Form, Problem

T = TypeVar("T")


async def once(form: Form, act: Callable[[], Awaitable[T]]) -> T | None:
    """Do what a window asks for, and never again for the same window filled in alike; None: it was done before.

    A refusal or failure does not count: whoever submits the same again is answered the same again.
    """
    filled = json.dumps(form.view.get("state"), sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(filled.encode()).hexdigest()[:32]
    key = f"submit:{form.visit.user_id}:{form.view.get('id')}:{digest}"
    if not await form.visit.is_first(key):
        return None
    is_done = False
    try:
        result = await act()
        is_done = True
    finally:
        if not is_done:
            await form.visit.take_back(key)
    return result


async def taken(
    form: Form, name: str, text: str, act: Callable[[], Awaitable[object]], again: Callable[[str, str], kit.View]
) -> Problem | None:
    """Do something with the text of an input; None once it is done.

    Where it holds a key, or nothing, nothing is done: the window says so and comes back, made by `again` from what is
    to stand in it (never a key) and what is wrong.
    """
    t = await form.visit.words()
    if contains_key(text):
        said = budget_words.secret(t)
        return Problem({name: said}, again("", said))
    try:
        await act()
    except Refusal as refusal:
        if refusal.code is not RefusalCode.TEXT_MISSING:
            raise
        said = bad_news.sentence(explain(refusal), t)
        return Problem.beside(name, said, again(text, said))
    return None
