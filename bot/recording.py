"""Recording: events of applications are written down before they are acknowledged, many requests in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy.exc import SQLAlchemyError

from bot.desk import Desk
from finops.events import RecordedCall, ToldCall, is_token, token_hash
from finops.periods import charge_day, minute_of
from finops.prices import PriceList, price
from finops.usage import Endpoint, UsageRow
from storage.errors import NotFound, StorageError
from storage.event_tokens import USE_NOTED_EVERY
from storage.records_value import EventToken, Recorded

log = logging.getLogger(__name__)

# How much may wait for the database before we say so, rather than make everybody wait longer.
MOST_WAITING = 200
MOST_EVENTS_WAITING = 50_000
# How many events one transaction writes, but for a larger request: others wait to write, and to be acknowledged.
AT_ONCE = 1_000
PRICES_KEPT = timedelta(minutes=1)
# Whom a token belongs to is remembered for a moment; whether it is in force is asked whenever something is written.
TOKENS_KEPT, MOST_TOKENS_KEPT = timedelta(seconds=10), 10_000
_PRICED_PROVIDERS = ("", "openai")
_NANO = 10**9


class UnknownToken(Exception):
    """Nobody gave out this token, or it was revoked, or its project is no longer registered."""


class TooMuchWaiting(Exception):
    """More waits to be written than can be written soon: come again."""


class DatabaseAway(Exception):
    """The database did not answer: nothing is known to be written. Come again; nothing counts twice."""


@dataclass(slots=True)
class _Waiting:
    """One request's events, on their way into the database."""

    token: EventToken
    calls: list[RecordedCall]
    done: asyncio.Future[Recorded]

    @property
    def whose(self) -> tuple[str, int]:
        return self.token.workspace_id, self.token.project_id


class Recording:
    """Takes what applications tell of their calls."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.waiting: deque[_Waiting] = deque()
        self._events = 0
        self._writer: asyncio.Task[None] | None = None
        self._tokens: dict[str, tuple[EventToken, datetime]] = {}
        self._noted: dict[int, datetime] = {}
        self._prices: PriceList | None = None
        self._prices_at: datetime | None = None

    def now(self) -> datetime:
        return self._desk.now()

    async def token(self, text: str) -> EventToken:
        """Whose token this is. Raises UnknownToken, or DatabaseAway when nobody can tell.

        It may have been revoked moments ago: `record` looks again, in the transaction that writes.
        """
        if not is_token(text):
            raise UnknownToken
        hashed, now = token_hash(text), self._desk.now()
        token, seen_at = self._tokens.get(hashed, (None, now))
        if token is not None and now - seen_at < TOKENS_KEPT:
            return token
        try:
            async with self._desk.storage.reading() as store:
                token = await store.event_tokens.find(hashed)
        except (SQLAlchemyError, OSError, TimeoutError) as problem:
            raise DatabaseAway from problem
        if token is None:
            self._tokens.pop(hashed, None)
            raise UnknownToken
        if len(self._tokens) >= MOST_TOKENS_KEPT:
            self._tokens.clear()
        self._tokens[hashed] = token, now
        return token

    async def record(self, token: EventToken, told: Sequence[ToldCall]) -> Recorded:
        """Write down what an application told; answers once it is committed.

        Raises TooMuchWaiting (nothing was tried), DatabaseAway, or UnknownToken where the token is no longer in force.
        """
        if len(self.waiting) >= MOST_WAITING or self._events + len(told) > MOST_EVENTS_WAITING:
            raise TooMuchWaiting
        done: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
        self._events += len(told)
        try:
            calls = await self._priced(token, told)
            self.waiting.append(_Waiting(token, calls, done))
            if self._writer is None or self._writer.done():
                self._writer = asyncio.create_task(self._write_all(), name="recording")
            recorded = await done
        finally:
            self._events -= len(told)
        await self._note_use(token)
        return recorded

    async def _priced(self, token: EventToken, told: Sequence[ToldCall]) -> list[RecordedCall]:
        """The events with what the calls cost, as estimated, and without who asked."""
        now = self._desk.now()
        if self._prices is None or self._prices_at is None or now - self._prices_at >= PRICES_KEPT:
            self._prices, self._prices_at = await self._desk.prices.fresh(), now
        name = self._desk.storage.pseudonyms(token.workspace_id, token.project_id)
        calls = []
        for each in told:
            cost = estimated(each, self._prices)
            nano, rest = (None, None) if cost is None else divmod(cost, _NANO)
            key = name(each.user) if each.user else ""
            calls.append(replace(each.call, user_key=key, cost_nano=nano, cost_rest=rest))
        return calls

    async def _write_all(self) -> None:
        """Write until nothing waits: whoever comes while a transaction runs shares the next one."""
        while self.waiting:
            batch = [self.waiting.popleft()]
            events = len(batch[0].calls)
            while self.waiting and events + len(self.waiting[0].calls) <= AT_ONCE:
                batch.append(self.waiting.popleft())
                events += len(batch[-1].calls)
            await self._write([one for one in batch if not one.done.done()])

    async def _write(self, batch: list[_Waiting]) -> None:
        """One transaction; who asked is told once it is committed, each what became of their own."""
        if not batch:
            return
        try:
            answers = await self._commit(batch)
        except (SQLAlchemyError, OSError, TimeoutError, StorageError) as problem:
            if len(batch) > 1 and isinstance(problem, StorageError):
                for one in batch:  # one of them is at fault, and the others should not suffer for it
                    await self._write([one])
                return
            is_gone = isinstance(problem, NotFound)
            if not is_gone:
                log.warning("recorded events could not be written", extra={"problem": type(problem).__name__})
            for one in batch:
                _fail(one, UnknownToken() if is_gone else DatabaseAway())
            return
        except BaseException as problem:  # told to whoever waits, and then to whoever watches the task
            for one in batch:
                _fail(one, problem if isinstance(problem, Exception) else DatabaseAway())
            raise
        for one, recorded in answers:
            if not one.done.done():
                one.done.set_result(recorded)

    async def _commit(self, batch: list[_Waiting]) -> list[tuple[_Waiting, Recorded]]:
        answers: list[tuple[_Waiting, Recorded]] = []
        async with self._desk.storage.writing() as store:
            in_force = await store.event_tokens.in_force({one.token.id for one in batch})
            for one in batch:
                if one.token.id not in in_force:
                    _fail(one, UnknownToken())
            in_order = sorted((one for one in batch if one.token.id in in_force), key=lambda one: one.whose)
            for (workspace_id, project_id), each in groupby(in_order, key=lambda one: one.whose):
                ones = list(each)
                told = await store.value.record_all(workspace_id, project_id, [one.calls for one in ones])
                answers += zip(ones, told, strict=True)
        return answers

    async def _note_use(self, token: EventToken) -> None:
        """Write down that the token is in use; what was recorded stands whether or not that succeeds."""
        now = self._desk.now()
        noted_at = self._noted.get(token.id, token.last_used_at)
        if noted_at is not None and now - noted_at < USE_NOTED_EVERY:
            return
        if len(self._noted) >= MOST_TOKENS_KEPT:
            self._noted.clear()
        self._noted[token.id] = now
        try:
            async with self._desk.storage.writing() as store:
                await store.event_tokens.used(token.workspace_id, token.id, now)
        except (SQLAlchemyError, OSError, TimeoutError, StorageError) as problem:
            log.warning("the use of a token could not be noted", extra={"problem": type(problem).__name__})


def _fail(one: _Waiting, problem: Exception) -> None:
    if not one.done.done():
        one.done.set_exception(problem)


def estimated(told: ToldCall, prices: PriceList) -> int | None:
    """What a call cost in atto-dollars, as its tokens and the price list say; None where either does not.

    At standard prices: an event does not tell whether it was a batch. Only models of priced providers are looked up.
    """
    call = told.call
    if not call.model or not call.tells_tokens or told.provider not in _PRICED_PROVIDERS:
        return None
    at = call.at
    minute = minute_of(at)
    for endpoint in (Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS):
        card = prices.card(endpoint, call.model, "", is_batch=False, day=charge_day(at))
        if card is not None:
            row = UsageRow(
                minute,
                endpoint,
                "",
                call.model,
                "",
                "",
                is_batch=False,
                requests=1,
                input_tokens=call.input_tokens or 0,
                cached_input_tokens=call.cached_input_tokens or 0,
                output_tokens=call.output_tokens or 0,
            )
            return price(row, card)
    return None
