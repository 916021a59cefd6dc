"""OpenAI's levers: hard spend limits, model permissions and rate limits of a project, read and changed.

Each read ends within seconds: somebody is waiting while money runs away. Each change is sent once; what an answer to it
leaves open is found out by reading, never by sending it again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NoReturn, TypeVar

import msgspec

from finops.levers import Json, Lever, LeverReading, LeverWish, Parts
from finops.secret import Secret
from providers.contract import (
    ChangeRefused,
    KeyHolder,
    ProjectUnknown,
    ProviderActor,
    ProviderChange,
    ProviderError,
    Unavailable,
    UnexpectedResponse,
)
from providers.http import Answer, Params
from providers.openai_door import Door
from providers.openai_levers_wire import (
    AUDIT_EVENT,
    BATCH_TOKENS_A_DAY,
    MODEL_PERMISSIONS_BODY,
    NAMED,
    OBJECT,
    PROJECT_KEY,
    RATE_LIMIT,
    REQUESTS,
    REQUESTS_A_DAY,
    SPEND_LIMIT_BODY,
    AuditEvent,
    cap,
    holder_of,
    model_permissions_of,
    name_of,
    rate_limit_of,
    seconds_of,
    spend_limit_of,
    written,
)
from providers.openai_wire import (
    LIST,
    PROJECT,
    NotFound,
    QueryRefused,
    code_of,
    decoded,
    is_in_words,
    project_of,
    refusal,
)

SPEND_LIMIT, MODEL_PERMISSIONS, RATE_LIMIT_PART = "spend_limit", "model_permissions", "rate_limit:"
_NOBODYS = "projects/proj_finops_asks_for_nothing"  # an address for a question, not for a change
ONE_CENT: Mapping[str, Json] = {"threshold_amount": 1, "currency": "USD", "interval": "month"}
READ_SECONDS, WRITE_SECONDS = 10.0, 8.0
MINUTES_A_DAY = 1440
# What can touch a lever and is logged. Neither spend limits nor model permissions have an event of their own, and who
# made a key meanwhile is not to be taken for whoever removed a limit.
EVENTS = ("rate_limit.updated", "rate_limit.deleted", "project.updated", "project.archived", "project.deleted")
# What people do about their spending, and what is logged of it.
CHANGES = (
    "api_key.created",
    "api_key.deleted",
    "service_account.created",
    "service_account.deleted",
    "project.archived",
    "rate_limit.updated",
    "rate_limit.deleted",
)
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4,8})")
# Of so many people who changed something names are asked for; the others are told by their ids.
_MOST_NAMES = 50
_NEVER = datetime.min.replace(tzinfo=UTC)
T = TypeVar("T")


class OpenAILevers:
    """What can be changed about a project's spending, through the door that reads its bill."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._bounds = door.retry.urgent()
        self._write_seconds = min(WRITE_SECONDS, door.retry.attempt_timeout)

    async def read(self, key: Secret, project_id: str, lever: Lever) -> LeverReading:
        """How a lever stands on a project now; see the contract."""
        match lever:
            case Lever.STOP:
                return await _bounded(self._spend_limit(key, project_id))
            case Lever.CHEAP:
                return await _bounded(self._model_permissions(key, project_id))
            case Lever.SLOW:
                return await _bounded(self._rate_limits(key, project_id))

    async def pull(self, key: Secret, project_id: str, part: str, value: Json) -> None:
        """Make a part this value, or remove it, with one request; see the contract."""
        if value is not None and not isinstance(value, dict):
            raise ValueError(f"{part} is a JSON object, or None")
        if part.startswith(RATE_LIMIT_PART):
            if not value:
                raise ValueError("a rate limit cannot be removed, only set")
            name = f"rate_limits/{written(part, RATE_LIMIT_PART)}"
        elif part in (SPEND_LIMIT, MODEL_PERMISSIONS):
            name = part
        else:
            raise ValueError(f"no lever has a part called {part!r}")
        method = "DELETE" if value is None else "POST"
        path = f"{_project(project_id)}/{name}"
        answer = await self._door.send(key, method, path, value, within=self._write_seconds)
        if 200 <= answer.status < 300:
            decoded(OBJECT, answer.body, "", answer.reference)  # a page of a gateway is no word of OpenAI's
            return
        told = refusal(answer, self._door.clock())
        if isinstance(told, NotFound) and told.is_told:
            if method == "DELETE":
                return  # nothing is there to be removed; a project that is gone is found out by the next reading
            await _bounded(self._must_exist(key, project_id))
        _refused(told, answer)

    async def may_write(self, key: Secret) -> bool:
        """Whether OpenAI lets this key change limits: it refuses a key without the right before it looks what for.

        False, too, where it did not tell.
        """
        try:
            answer = await self._door.send(key, "POST", f"{_NOBODYS}/{SPEND_LIMIT}", {}, within=self._write_seconds)
        except ProviderError:
            return False
        return answer.status in (400, 404) and is_in_words(answer)

    async def holders(self, key: Secret, project_id: str) -> tuple[KeyHolder, ...]:
        """The keys of a project, the last used first, then by name."""
        found = await _bounded(self._keys(key, project_id))
        by_name = sorted(found, key=lambda one: (one.name, one.key_id))
        return tuple(sorted(by_name, key=lambda one: one.last_used_at or _NEVER, reverse=True))

    async def last_change(self, key: Secret, project_id: str, since: datetime) -> ProviderActor | None:
        """The last logged change of the project after `since`, which is of our clock, and who made it."""
        return await _bounded(self._last_change(key, project_id, since))

    async def changes(self, key: Secret, since: datetime) -> tuple[ProviderChange, ...]:
        """What the log tells of keys, accounts, limits and projects since then; see the contract."""
        after = seconds_of(since + (self._door.skew or timedelta(0)))
        params: Params = [("effective_at[gt]", str(after)), *(("event_types[]", kind) for kind in CHANGES)]
        told: dict[str, AuditEvent] = {}
        try:
            async for item, pointer, reference in self._door.listed(
                key, "audit_logs", [*params, ("limit", "100")], self._bounds
            ):
                event = decoded(AUDIT_EVENT, item, pointer, reference)
                if event.type not in CHANGES or event.effective_at <= after or not event.id:
                    continue
                if event.type.startswith("rate_limit.") and not event.is_by_person:
                    continue
                told[event.id] = event
        except NotFound:
            return ()  # an organization without a log
        names = await self._names_behind(key, told.values())
        found = [
            ProviderChange(
                id_, one.type, _at(one), names.get(one.user_id) or _id_of(one) or "", frozenset(one.named_project_ids)
            )
            for id_, one in told.items()
        ]
        return tuple(sorted(found, key=lambda one: (one.at, one.id)))

    # --- reading -----------------------------------------------------------------------------------------------------

    async def _spend_limit(self, key: Secret, project_id: str) -> LeverReading:
        answer = await self._asked(key, project_id, SPEND_LIMIT)
        if answer is None:
            return LeverReading({SPEND_LIMIT: None})
        wire = decoded(SPEND_LIMIT_BODY, answer.body, "", answer.reference)
        value, is_enforcing = spend_limit_of(wire, answer.reference)
        return LeverReading({SPEND_LIMIT: value}, is_enforcing)

    async def _model_permissions(self, key: Secret, project_id: str) -> LeverReading:
        answer = await self._asked(key, project_id, MODEL_PERMISSIONS)
        if answer is None:
            return LeverReading({MODEL_PERMISSIONS: None})
        wire = decoded(MODEL_PERMISSIONS_BODY, answer.body, "", answer.reference)
        return LeverReading({MODEL_PERMISSIONS: model_permissions_of(wire, answer.reference)})

    async def _rate_limits(self, key: Secret, project_id: str) -> LeverReading:
        parts: dict[str, Json] = {}
        for item, pointer, reference in await self._items(key, project_id, "rate_limits", []):
            wire = decoded(RATE_LIMIT, item, pointer, reference)
            if value := rate_limit_of(wire, pointer, reference):
                parts[f"{RATE_LIMIT_PART}{wire.id}"] = value
        return LeverReading(parts)

    async def _keys(self, key: Secret, project_id: str) -> list[KeyHolder]:
        # Without "any", OpenAI may leave out keys that still work.
        params: Params = [("owner_project_access", "any")]
        items = await self._items(key, project_id, "api_keys", params)
        return [holder_of(decoded(PROJECT_KEY, *item)) for item in items]

    async def _last_change(self, key: Secret, project_id: str, since: datetime) -> ProviderActor | None:
        after = seconds_of(since + (self._door.skew or timedelta(0)))
        # Not asked by project: what an Admin key did is filed under another one.
        params: Params = [("effective_at[gt]", str(after)), *(("event_types[]", kind) for kind in EVENTS)]
        try:
            answer = await self._door.get(key, "audit_logs", [*params, ("limit", "100")], self._bounds)
        except NotFound:
            return None  # an organization without a log
        page = decoded(LIST, answer.body, "", answer.reference)
        told = [decoded(AUDIT_EVENT, raw, f"/data/{n}", answer.reference) for n, raw in enumerate(page.data)]
        ours = [
            one for one in told if project_id in one.project_ids and one.type in EVENTS and one.effective_at > after
        ]
        if not ours:
            return None
        last = max(ours, key=lambda event: event.effective_at)
        names = await self._names_behind(key, [last])
        name = names.get(last.user_id) or _id_of(last)
        return None if name is None else ProviderActor(name, _at(last), last.type)

    async def _names_behind(self, key: Secret, events: Iterable[AuditEvent]) -> dict[str | None, str]:
        """The names of the people behind some events by their ids; the log tells an address, which we do not repeat."""
        names: dict[str | None, str] = {}
        for user_id in list(dict.fromkeys(one.user_id for one in events if one.user_id))[:_MOST_NAMES]:
            if re.fullmatch(r"[A-Za-z0-9_\-]{1,128}", user_id):
                with suppress(ProviderError):  # without a name there is the id
                    answer = await self._door.get(key, f"users/{user_id}", [], self._bounds)
                    if name := name_of(decoded(NAMED, answer.body, "", answer.reference)):
                        names[user_id] = name
        return names

    async def _asked(self, key: Secret, project_id: str, name: str) -> Answer | None:
        """What a project's address answers; None when nothing is there in a project that exists."""
        try:
            return await self._door.get(key, f"{_project(project_id)}/{name}", [], self._bounds)
        except (NotFound, QueryRefused) as error:
            told = error
        await self._explain(told, key, project_id)
        return None

    async def _items(
        self, key: Secret, project_id: str, name: str, params: Params
    ) -> Sequence[tuple[msgspec.Raw, str, str | None]]:
        """Every item of a project's list."""
        path, paging = f"{_project(project_id)}/{name}", [*params, ("limit", "100")]
        try:
            found = self._door.listed(key, path, paging, self._bounds)
            return [item async for item in found]
        except (NotFound, QueryRefused) as error:
            told = error
        await self._explain(told, key, project_id)
        raise told

    async def _explain(self, told: NotFound | QueryRefused, key: Secret, project_id: str) -> None:
        """Raise ProjectUnknown, or the refusal itself; returns only when OpenAI says that nothing is set there."""
        if _is_archived(told):
            raise ProjectUnknown("the project is archived", reference=told.reference)
        if not isinstance(told, NotFound) or not told.is_told:
            raise told
        await self._must_exist(key, project_id)

    async def _must_exist(self, key: Secret, project_id: str) -> None:
        """Raise ProjectUnknown unless OpenAI knows an open project of that id."""
        why = "no such project"
        try:
            answer = await self._door.get(key, _project(project_id), [], self._bounds)
            if not project_of(decoded(PROJECT, answer.body, "", answer.reference)).is_archived:
                return
            why, reference = "the project is archived", answer.reference
        except NotFound as error:
            if not error.is_told:
                raise
            reference = error.reference
        raise ProjectUnknown(why, reference=reference)


def target_of(lever: Lever, parts: Parts, wish: LeverWish) -> dict[str, Json]:
    """What the parts of a lever are to become; never looser than they are. ValueError for CHEAP without a model."""
    match lever:
        case Lever.STOP:
            return {part: dict(ONE_CENT) for part in parts}
        case Lever.CHEAP:
            return {part: _cheap(value, wish.models) for part, value in parts.items()}
        case Lever.SLOW:
            return {part: _slowed(part, value, wish.pace) for part, value in parts.items()}


def _cheap(former: Json, models: Sequence[str]) -> Json:
    """An allow list of those models that were allowed before."""
    stay = set(models)
    named = former.get("model_ids") if isinstance(former, dict) else None
    if isinstance(former, dict) and isinstance(named, list):
        known = {str(model) for model in named}
        stay = stay & known if former.get("mode") == "allow_list" else stay - known
    if not stay:
        raise ValueError("no model would stay: that is a stop, and has its own lever")
    return {"mode": "allow_list", "model_ids": [*sorted(stay)]}


def _slowed(part: str, former: Json, pace: Mapping[str, int]) -> Json:
    """The former limits with calls held at the usual pace, at least one a minute; batches in the same proportion.

    A field that was not told before is not added: it could not be taken away again.
    """
    before = former.get(REQUESTS) if isinstance(former, dict) else None
    if not isinstance(former, dict) or not isinstance(before, int):
        return former
    a_minute = min(before, max(1, _pace_of(part.removeprefix(RATE_LIMIT_PART).removeprefix("rl-"), pace)))
    lowered: dict[str, Json] = {**former, REQUESTS: a_minute}
    if REQUESTS_A_DAY in former:
        lowered[REQUESTS_A_DAY] = cap(former, REQUESTS_A_DAY, a_minute * MINUTES_A_DAY)
    batch = former.get(BATCH_TOKENS_A_DAY)
    if isinstance(batch, int) and before:
        lowered[BATCH_TOKENS_A_DAY] = min(batch, max(1, batch * a_minute // before))
    return lowered


def _pace_of(model: str, pace: Mapping[str, int]) -> int:
    """Calls a minute of a model and of its dated snapshots: a limit is told for a family, usage for what answered."""
    return sum(
        calls
        for name, calls in pace.items()
        if name == model or (name.startswith(model) and _SNAPSHOT.fullmatch(name[len(model) :]))
    )


def _refused(told: ProviderError, answer: Answer) -> NoReturn:
    """Raise what became of a change: not done for a clear refusal (4xx), unknown for all else."""
    if _is_archived(told):
        raise ProjectUnknown("the project is archived", reference=answer.reference)
    if 400 <= answer.status < 500 and answer.status != 429 and not is_in_words(answer):
        text = f"a refusal that is not OpenAI's ({answer.status})"
        raise UnexpectedResponse(text, reference=answer.reference)
    if 400 <= answer.status < 500 and isinstance(told, UnexpectedResponse):
        code = code_of(answer)
        text = f"OpenAI refused the change ({answer.status}, {code or 'no code'})"
        raise ChangeRefused(text, code=code, reference=answer.reference)
    raise told


def _is_archived(told: ProviderError) -> bool:
    return isinstance(told, QueryRefused) and told.code == "project_archived"


def _project(project_id: str) -> str:
    """The address of a project. What no provider ever called a project would become part of another address."""
    if not re.fullmatch(r"[A-Za-z0-9_\-]{1,128}", project_id):
        raise ProjectUnknown("no project has such an id")
    return f"projects/{project_id}"


async def _bounded(call: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await call
    except TimeoutError:
        raise Unavailable("no answer in time") from None


def _at(event: AuditEvent) -> datetime:
    return datetime.fromtimestamp(min(event.effective_at, 2**35), UTC)


def _id_of(event: AuditEvent) -> str | None:
    """The id of whoever it was; never an address."""
    return event.actor_id if event.actor_id and "@" not in event.actor_id else None
