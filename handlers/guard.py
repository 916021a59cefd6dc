"""The guard: every piece of work is counted, every failure becomes one calm message, nothing is lost at shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from slack_sdk.errors import SlackApiError

from blocks import bad_news, kit
from blocks.answered import error_code
from bot.errors import BadNews, BadNewsKind, OutageCode, Refusal, explain, new_reference, noting
from handlers.outages import SLACK_FAILS, is_slacks_own
from handlers.turns import AT_MOST, Job, Turns
from handlers.visit import Visit, WindowClosed, WindowTooLate
from storage.engine import is_away
from storage.errors import Conflict

log = logging.getLogger(__name__)

DRAIN_SECONDS = 15.0
# The person closed the window before we filled it: nobody is waiting for it any more.
_CLOSED = frozenset({"not_found", "view_not_found"})
_TOO_LATE = frozenset(
    {"expired_trigger_id", "trigger_expired", "trigger_exchanged", "exchanged_trigger_id", "invalid_trigger_id"}
)
T = TypeVar("T")


class Work:
    """Work that goes on after Slack was answered: counted, so that a shutdown can wait for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turns = Turns(self._take)
        self._crowd = Turns(self._take_of_crowd, at_once=AT_MOST)

    def later(self, whose: str, job: Job, instead: Job | None = None) -> None:
        """Do it when its turn comes, in fairness to everybody else's work; `instead` when far too much is waiting."""
        self._turns.join(whose, job, instead)

    def together(self, whose: str, job: Job) -> None:
        """The same for work that shares its effort with others of its kind: many at once cost little more than one."""
        self._crowd.join(whose, job)

    def _take(self, job: Job) -> None:
        self.start(_finished(job)).add_done_callback(lambda _: self._turns.done())

    def _take_of_crowd(self, job: Job) -> None:
        self.start(_finished(job)).add_done_callback(lambda _: self._crowd.done())

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it in the background, now: somebody waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def count(self) -> int:
        """How many pieces of work are under way or waiting."""
        return len(self._tasks) + len(self._turns) + len(self._crowd)

    async def drain(self, timeout: float = DRAIN_SECONDS) -> None:  # noqa: ASYNC109 - a bound on all of it together
        """Wait until everything begun is done; what takes longer than the bound is cancelled."""
        self._turns.hurry()
        self._crowd.hurry()
        deadline = asyncio.get_running_loop().time() + timeout
        while self._tasks:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await asyncio.wait(set(self._tasks), timeout=left)
        waiting, unfinished = self._turns.close() + self._crowd.close(), set(self._tasks)
        for task in unfinished:
            task.cancel()
        if unfinished:
            log.warning("work cancelled at shutdown", extra={"count": len(unfinished) + waiting})
            await asyncio.gather(*unfinished, return_exceptions=True)


async def _finished(job: Job) -> None:
    await job()


class Gone(Exception):
    """The person closed the window: nobody waits for an answer any more."""


async def attempt(work: Awaitable[T]) -> T | BadNews:
    """The result of the work, or what went wrong as data. Raises Gone when there is nobody to tell."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - the guard: anything may go wrong, and nobody is left waiting
        return _news_of(error)


async def recorded(visit: Visit, work: Awaitable[T]) -> T | BadNews:
    """`attempt`, and what somebody wanted but may not is on the audit trail, once, whoever told them so."""
    with noting() as refusals:
        result = await attempt(work)
    if refusals:
        await attempt(_on_record(visit, refusals[0]))
    return result


async def _on_record(visit: Visit, refusal: Refusal) -> None:
    values = refusal.values
    details = {name: value for name in ("team", "lead") if isinstance(value := values.get(name), str)}
    await visit.bot.audit.refused(
        visit.workspace_id, visit.user_id, visit.asked, refusal.code.value, visit.about, details
    )


async def guarded(visit: Visit, work: Callable[[Visit], Awaitable[None]]) -> None:
    """Do the work; whatever goes wrong is said to the person, where they are looking."""
    try:
        news = await recorded(visit, work(visit))
    except Gone:
        log.info("the window was closed meanwhile")
        return
    if news is not None:
        await tell(visit, news)


def _news_of(error: Exception) -> BadNews:
    if isinstance(error, WindowClosed):
        raise Gone from error
    if isinstance(error, SlackApiError):
        code = error_code(error)
        if code in _CLOSED:
            raise Gone from error
        if code in _TOO_LATE:
            error = WindowTooLate()
    if isinstance(error, WindowTooLate):
        return BadNews(BadNewsKind.REFUSAL, "window_too_late")
    if isinstance(error, Conflict):
        # Two at once, and the database gave this one up, or somebody else was faster each time it was tried.
        log.warning("given up to somebody else", extra={"problem": str(error)})
        return BadNews(BadNewsKind.REFUSAL, "changed_at_once")
    if is_slacks_own(error):
        reference = new_reference()
        log.warning("slack trouble", extra={"reference": reference, "error": error_code(error)})
        return BadNews(BadNewsKind.OUTAGE, "slack_away", {}, reference)
    if is_away(error):
        # Storage has said so; to the person it is our fault all the same, and a reference finds who met it.
        reference = new_reference()
        log.warning("not done while the database is away", extra={"reference": reference})
        return BadNews(BadNewsKind.BUG, OutageCode.INTERNAL.value, {}, reference)
    return explain(error)


async def too_busy(visit: Visit) -> None:
    """Say that this was not done, and when it will be."""
    await tell(visit, BadNews(BadNewsKind.REFUSAL, "too_busy"))


async def tell(visit: Visit, news: BadNews) -> None:
    """Say it in the open window, else where the person asked. Slack being away is logged: there is no other way out."""
    try:
        t = await visit.words()
        if visit.window is None or not await _shown(visit, bad_news.view(news, t)):
            await visit.answer(bad_news.message(news, t))
    except SLACK_FAILS as error:
        log.warning(
            "bad news not delivered", extra={"code": news.code, "reference": news.reference, "error": str(error)}
        )


async def _shown(visit: Visit, view: kit.View) -> bool:
    """Whether the window was filled, or closed by somebody who waits no more; it is no place to answer in otherwise."""
    try:
        await visit.show(view)
    except SLACK_FAILS as error:
        log.info("window not filled", extra={"error": error_code(error)})
        visit.window = visit.trigger_id = None
        return error_code(error) in _CLOSED
    return True
