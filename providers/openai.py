"""OpenAI: an organization's bill by `/organization/costs`, read with an Admin key over plain GETs.

Not the official client: it turns amounts into floats. What its answers look like is in providers/openai_wire.py, usage
in providers/openai_usage.py, and what can be changed there in providers/openai_levers.py.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeVar

import httpx

from finops.charges import ChargedDay
from finops.levers import Json, Lever, LeverReading, LeverWish, Parts
from finops.periods import Period, starts_at
from finops.secret import Secret
from finops.usage import Endpoint, UsageReading, Width
from providers.contract import (
    MANAGEMENT_READ,
    MANAGEMENT_WRITE,
    USAGE_READ,
    CredentialReason,
    CredentialRejected,
    Identity,
    KeyHolder,
    ProviderActor,
    ProviderChange,
    ProviderError,
    ProviderProject,
    UnexpectedResponse,
)
from providers.http import Answer, Params, RetryPolicy
from providers.openai_door import Clock, Door, must_be_admin
from providers.openai_levers import OpenAILevers, target_of
from providers.openai_pages import PAGE, Bucket, Page, off_loop, page_after, results_of
from providers.openai_usage import UsageReader
from providers.openai_wire import (
    ADMIN_KEY,
    DAY_SECONDS,
    LIST,
    OWNERS,
    PROJECT,
    AdminKey,
    NotFound,
    Owner,
    QueryRefused,
    charges_of,
    decoded,
    grouping_of,
    moment,
    owner_in_headers,
    project_of,
)

GROUPING = ("project_id", "line_item")
# A page is a week of days. When a week is big, the next page asks for fewer: memory stays flat whatever the size.
PAGE_DAYS = 7
PAGE_BYTES = 12 * 1024 * 1024
IDENTIFY_DAYS = 7
T = TypeVar("T")


class OpenAI:
    """The organization behind an Admin key. Holds no key: each call is given one."""

    name = "openai"

    def __init__(self, http: httpx.AsyncClient, base_url: str, clock: Clock, retry: RetryPolicy | None = None) -> None:
        self._door = Door(http, base_url, clock, retry or RetryPolicy())
        self._levers = OpenAILevers(self._door)
        # How arrays are spelled: OpenAI's own client sends brackets, its specification says bare. Learnt by looking.
        self._array, self._other_array = "group_by[]", "group_by"
        self._array_settled = False
        self._usage = UsageReader()

    @property
    def skew(self) -> timedelta | None:
        """How far OpenAI's clock was ahead of ours when it last answered; None before it told."""
        return self._door.skew

    async def identify(self, key: Secret) -> Identity:
        """Ask for projects, costs and key names at once; what is refused for want of a right is a right it lacks.

        Whether it may change limits is asked by a change to a project that nobody has: nothing can come of it.
        Raises CredentialRejected when the key opens neither projects nor costs.
        """
        must_be_admin(key)
        projects, costs, record, may_write = await asyncio.gather(
            _attempted(self._first_projects(key)),
            _attempted(self._recent_costs(key)),
            _attempted(self._own_record(key)),
            self._levers.may_write(key),
        )
        refused = [told for told in (costs, projects) if isinstance(told, ProviderError)]
        for error in refused:
            if len(refused) == 2 or not _is_missing_right(error):
                raise error
        rights = {MANAGEMENT_WRITE} if may_write else set()
        project_ids: set[str] = set()
        owners: list[Owner] = []
        for right, told in ((USAGE_READ, costs), (MANAGEMENT_READ, projects)):
            if not isinstance(told, ProviderError):
                rights.add(right)
                project_ids.update(told[0])
                owners.append(told[1])
        mine = None if isinstance(record, ProviderError) else record
        return Identity(
            organization_id=next((owner.organization_id for owner in owners if owner.organization_id), None),
            organization_name=next((owner.organization_name for owner in owners if owner.organization_name), None),
            rights=frozenset(rights),
            key_name=mine.name if mine else None,
            expires_at=moment(mine.expires_at) if mine else None,
            project_ids=frozenset(project_ids),
        )

    async def projects(self, key: Secret, *, include_archived: bool = False) -> AsyncIterator[ProviderProject]:
        """Every project of the organization, active ones unless told otherwise."""
        params: Params = [("limit", "100"), ("include_archived", "true" if include_archived else "false")]
        async for item, pointer, reference in self._door.listed(key, "projects", params):
            project = project_of(decoded(PROJECT, item, pointer, reference))
            if include_archived or not project.is_archived:
                yield project

    async def project(self, key: Secret, project_id: str) -> ProviderProject | None:
        """One project by its id, archived ones too; None when this organization has none of that id."""
        must_be_admin(key)
        if not re.fullmatch(r"[A-Za-z0-9_\-]{1,128}", project_id):
            return None  # nothing a provider ever called a project, and it would become part of an address
        try:
            answer = await self._door.get(key, f"projects/{project_id}", [], self._door.retry.brief())
        except NotFound:
            return None
        return project_of(decoded(PROJECT, answer.body, "", answer.reference))

    async def charges(self, key: Secret, period: Period) -> AsyncIterator[ChargedDay]:
        """The bill by project and line item, asked for a week of days at a time and given day by day."""
        must_be_admin(key)
        start, days = period.start, PAGE_DAYS
        while start < period.end:
            window = Period(start, min(period.end, start + timedelta(days=days)))
            told: set[date] = set()
            before: set[date] = set()
            largest = 0
            async for page, answer, is_restart in self._pages(key, window):
                if is_restart:
                    before, told = before | told, set()
                largest = max(largest, len(answer.body))
                for index, bucket in enumerate(page.data):
                    pointer = f"/data/{index}"
                    day = self._day_of(bucket, window, pointer, answer.reference)
                    if day in told:
                        raise UnexpectedResponse("a day is told twice", pointer=pointer, reference=answer.reference)
                    if day is not None and day not in before:
                        told.add(day)
                        yield await _charged_day(day, bucket, pointer, answer.reference)
            start = window.end
            if largest:
                days = max(1, min(PAGE_DAYS, window.days * PAGE_BYTES // largest))

    async def usage(
        self,
        key: Secret,
        endpoint: Endpoint,
        width: Width,
        start: datetime,
        end: datetime,
        known: Mapping[int, int] | None = None,
    ) -> UsageReading:
        """What was used, by project, key, model, tier and batch as far as the door tells."""
        must_be_admin(key)
        return await self._usage.read(partial(self._door.get, key), endpoint, width, start, end, known)

    # --- levers ------------------------------------------------------------------------------------------------------

    async def lever(self, key: Secret, project_id: str, lever: Lever) -> LeverReading:
        """How a lever stands on a project now."""
        return await self._levers.read(key, project_id, lever)

    def target(self, lever: Lever, parts: Parts, wish: LeverWish) -> dict[str, Json]:
        """What the parts of a lever are to become when it is pulled."""
        return target_of(lever, parts, wish)

    async def pull(self, key: Secret, project_id: str, part: str, value: Json) -> None:
        """Make one part of a lever this value, or remove it, with one request."""
        await self._levers.pull(key, project_id, part, value)

    async def holders(self, key: Secret, project_id: str) -> tuple[KeyHolder, ...]:
        """The keys of a project, the last used first."""
        return await self._levers.holders(key, project_id)

    async def last_change(self, key: Secret, project_id: str, since: datetime) -> ProviderActor | None:
        """Who last changed the project since then, as OpenAI's audit log tells it."""
        return await self._levers.last_change(key, project_id, since)

    async def changes(self, key: Secret, since: datetime) -> tuple[ProviderChange, ...]:
        """What people did to keys, accounts, limits and projects since then, as OpenAI's audit log tells it."""
        return await self._levers.changes(key, since)

    # --- costs -------------------------------------------------------------------------------------------------------

    async def _pages(self, key: Secret, window: Period) -> AsyncIterator[tuple[Page, Answer, bool]]:
        """All pages of one window, and whether each begins the window anew.

        When rows come back without the grouping we asked for, the other spelling of arrays is tried, and kept if it
        brings more: an ungrouped bill is true in total and nobody's in particular.
        """
        page, answer = await self._first_page(key, window)
        seen: set[str] = set()
        is_restart = False
        while True:
            if await self._understands_other_better(key, window, page):
                page, answer = await self._costs(key, window, self._array)
                is_restart = True
                seen.clear()
            yield page, answer, is_restart
            is_restart = False
            following = page_after(page, seen, window.days, answer.reference)
            if following is None:
                return
            page, answer = await self._costs(key, window, self._array, following)

    async def _first_page(self, key: Secret, window: Period) -> tuple[Page, Answer]:
        try:
            return await self._costs(key, window, self._array)
        except QueryRefused:
            if self._array_settled:
                raise
        found = await self._costs(key, window, self._other_array)
        self._swap_arrays()
        return found

    async def _understands_other_better(self, key: Secret, window: Period, page: Page) -> bool:
        """Whether rows came ungrouped and the other spelling of arrays cures it; if so, it is ours from now on."""
        if self._array_settled or grouping_of(page.data) in (None, len(GROUPING)):
            return False
        for index, bucket in enumerate(page.data):
            found, day = grouping_of([bucket]), self._day_of(bucket, window, f"/data/{index}", None)
            if found is not None and day is not None:
                return await self._other_brings_more(key, day, found)
        return False

    async def _other_brings_more(self, key: Secret, day: date, found: int) -> bool:
        try:
            other, _ = await self._costs(key, Period(day, day + timedelta(days=1)), self._other_array)
        except QueryRefused:
            other = None
        if other is not None and (grouping_of(other.data) or 0) > found:
            self._swap_arrays()
            return True
        # Neither spelling brings more: these lines really have no project. Do not ask twice again.
        self._array_settled = True
        return False

    def _swap_arrays(self) -> None:
        self._array, self._other_array = self._other_array, self._array

    async def _costs(self, key: Secret, window: Period, array: str, cursor: str | None = None) -> tuple[Page, Answer]:
        paging: Params = [("page", cursor)] if cursor else []
        return await self._costs_by(GROUPING, key, window, array, paging, self._door.retry)

    async def _costs_by(
        self,
        dimensions: Sequence[str],
        key: Secret,
        window: Period,
        array: str,
        paging: Params,
        policy: RetryPolicy,
    ) -> tuple[Page, Answer]:
        params: Params = [
            ("start_time", str(_seconds(window.start))),
            ("end_time", str(_seconds(window.end))),
            ("bucket_width", "1d"),
            *((array, dimension) for dimension in dimensions),
            ("limit", str(window.days)),
            *paging,
        ]
        answer = await self._door.get(key, "costs", params, policy)
        return await off_loop(answer.body, lambda: decoded(PAGE, answer.body, "", answer.reference)), answer

    def _day_of(self, bucket: Bucket, window: Period, pointer: str, reference: str | None) -> date | None:
        """The charge day a bucket is about; None when it is none of those asked for."""
        start, end = bucket.start_time, bucket.end_time
        if not _seconds(window.start) <= start < _seconds(window.end):
            return None
        if start % DAY_SECONDS:
            raise UnexpectedResponse("not the start of a UTC day", pointer=f"{pointer}/start_time", reference=reference)
        day = window.start + timedelta(days=(start - _seconds(window.start)) // DAY_SECONDS)
        # The day that is still running may end "now"; any other bucket is one whole day or we cannot place its money.
        is_running = day >= self._door.clock().astimezone(UTC).date()
        if end is not None and (
            not start < end <= start + DAY_SECONDS or (end < start + DAY_SECONDS and not is_running)
        ):
            raise UnexpectedResponse("not one whole day", pointer=f"{pointer}/end_time", reference=reference)
        return day

    # --- who we are --------------------------------------------------------------------------------------------------

    async def _first_projects(self, key: Secret) -> tuple[set[str], Owner]:
        answer = await self._door.get(key, "projects", [("limit", "100")], self._door.retry.brief())
        page = decoded(LIST, answer.body, "", answer.reference)
        ids = {decoded(PROJECT, item, f"/data/{n}", answer.reference).id for n, item in enumerate(page.data)}
        return ids, owner_in_headers(answer)

    async def _recent_costs(self, key: Secret) -> tuple[set[str], Owner]:
        today = self._door.clock().astimezone(UTC).date()
        week = Period(today - timedelta(days=IDENTIFY_DAYS), today)
        # By project only: a person is waiting, and line items would make it ten times as long.
        try:
            page, answer = await self._costs_by(GROUPING[:1], key, week, self._array, [], self._door.retry.brief())
        except QueryRefused:
            page, answer = await self._costs_by(
                GROUPING[:1], key, week, self._other_array, [], self._door.retry.brief()
            )
        ids: set[str] = set()
        owner = owner_in_headers(answer)
        for index, bucket in enumerate(page.data):
            for row in await off_loop(bucket.results, partial(_owners_of, bucket, f"/data/{index}", answer.reference)):
                if row.project_id:
                    ids.add(row.project_id)
                if row.organization_id:
                    name = row.organization_name or owner.organization_name
                    owner = Owner(organization_id=row.organization_id, organization_name=name)
        return ids, owner

    async def _own_record(self, key: Secret) -> AdminKey | None:
        """What OpenAI calls this key, found by the ends it shows of every key; None unless exactly one fits."""
        params: Params = [("limit", "100"), ("order", "desc")]
        fitting: list[AdminKey] = []
        async for item, pointer, reference in self._door.listed(
            key, "admin_api_keys", params, self._door.retry.brief()
        ):
            record = decoded(ADMIN_KEY, item, pointer, reference)
            shown = re.fullmatch(r"([\w\-]*)(?:\.{2,}|…|\*{2,}|•{2,})([\w\-]{3,})", record.redacted_value or "")
            if shown and key.reveal().startswith(shown[1]) and key.reveal().endswith(shown[2]):
                fitting.append(record)
        return fitting[0] if len(fitting) == 1 else None


async def _charged_day(day: date, bucket: Bucket, pointer: str, reference: str | None) -> ChargedDay:
    raw = results_of(bucket, pointer, reference)
    return ChargedDay(day, await off_loop(raw, lambda: charges_of(raw, day, f"{pointer}/results", reference)))


def _owners_of(bucket: Bucket, pointer: str, reference: str | None) -> list[Owner]:
    return decoded(OWNERS, results_of(bucket, pointer, reference), f"{pointer}/results", reference)


async def _attempted(call: Awaitable[T]) -> T | ProviderError:
    try:
        return await call
    except ProviderError as error:
        return error


def _is_missing_right(error: ProviderError) -> bool:
    return isinstance(error, CredentialRejected) and error.reason is CredentialReason.MISSING_SCOPE


def _seconds(day: date) -> int:
    return int(starts_at(day).timestamp())
